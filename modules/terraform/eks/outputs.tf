# The same outputs in the module of every provider. try(): a cluster that is half gone must still be destroyable.

locals {
  endpoint = try(aws_eks_cluster.this.endpoint, null)
}

output "kubeconfig" {
  description = "Kubeconfig of an administrator, as YAML; the token comes from the command in var.exec."
  sensitive   = true

  value = try(yamlencode({
    apiVersion      = "v1"
    kind            = "Config"
    current-context = var.name
    preferences     = {}
    clusters = [{
      name = var.name
      cluster = {
        server                     = local.endpoint
        certificate-authority-data = aws_eks_cluster.this.certificate_authority[0].data
      }
    }]
    contexts = [{ name = var.name, context = { cluster = var.name, user = var.name } }]
    users = [{
      name = var.name
      user = {
        exec = {
          apiVersion      = "client.authentication.k8s.io/v1"
          command         = var.exec[0]
          args            = concat(slice(var.exec, 1, length(var.exec)), ["--cluster", var.name])
          env             = [for name, value in var.exec_env : { name = name, value = value }]
          interactiveMode = "Never"
        }
      }
    }]
  }), null)
}

output "facts" {
  description = "What the cluster is made of; facts.facts is flat."

  value = try({
    facts = {
      region             = var.region
      zones              = join(",", sort(local.zones))
      kubernetes_version = aws_eks_cluster.this.version
      platform_version   = aws_eks_cluster.this.platform_version
      network            = local.network
      tier               = local.tier
      machines           = join(",", [for name, pool in local.pools : "${name}=${pool.machine}"])
      architectures      = join(",", sort(distinct([for pool in local.pools : pool.arch])))
      os                 = join(",", sort(distinct([for pool in local.pools : pool.os])))
      os_releases        = join(",", [for name, group in aws_eks_node_group.pool : "${name}=${group.release_version}"])
      os_disks           = join(",", [for name, pool in local.pools : "${name}=${pool.disk_type}:${pool.disk_gb}"])
      addons = join(",", [
        for name, addon in merge(aws_eks_addon.before, aws_eks_addon.after) : "${name}=${addon.addon_version}"
      ])
      spot      = anytrue([for pool in local.pools : pool.spot])
      nodes     = sum([for pool in local.pools : pool.least])
      nodes_max = sum([for pool in local.pools : pool.most])
    }
    cluster = {
      id       = aws_eks_cluster.this.arn
      name     = aws_eks_cluster.this.name
      region   = var.region
      account  = try(split(":", aws_eks_cluster.this.arn)[4], "")
      version  = aws_eks_cluster.this.version
      endpoint = local.endpoint
    }
  }, null)
}

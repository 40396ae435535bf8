# The same outputs in the module of every provider. try(): a cluster that is half gone must still be destroyable.

locals {
  endpoint = try("https://${google_container_cluster.this.endpoint}", null)
}

output "kubeconfig" {
  description = "Kubeconfig of an administrator, as YAML; the token comes from the command in var.exec."
  sensitive   = true

  value = try(yamlencode({
    apiVersion      = "v1"
    kind            = "Config"
    current-context = var.name
    clusters = [{
      name = var.name
      cluster = {
        server                     = local.endpoint
        certificate-authority-data = google_container_cluster.this.master_auth[0].cluster_ca_certificate
      }
    }]
    contexts = [{ name = var.name, context = { cluster = var.name, user = var.name } }]
    users = [{
      name = var.name
      user = {
        exec = {
          apiVersion      = "client.authentication.k8s.io/v1"
          command         = var.exec[0]
          args            = slice(var.exec, 1, length(var.exec))
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
      zones              = join(",", sort(var.zones))
      location           = local.location
      control_plane      = local.zonal ? "zonal" : "regional"
      kubernetes_version = google_container_cluster.this.master_version
      network            = local.network
      tier               = local.tier
      machines           = join(",", [for name, pool in local.pools : "${name}=${pool.machine}"])
      os                 = join(",", sort(distinct([for pool in local.pools : pool.image])))
      os_disks           = join(",", [for name, pool in local.pools : "${name}=${pool.disk_type}:${pool.disk_gb}"])
      spot               = anytrue([for pool in local.pools : pool.spot])
      nodes              = sum([for pool in local.pools : pool.least])
      nodes_max          = local.nodes
      pod_range          = local.pod_range
    }
    cluster = {
      id       = google_container_cluster.this.id
      name     = google_container_cluster.this.name
      region   = var.region
      account  = var.project
      version  = google_container_cluster.this.master_version
      endpoint = local.endpoint
    }
  }, null)
}

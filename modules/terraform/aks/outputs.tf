# The same outputs in the module of every provider. try(): a cluster that is half gone must still be destroyable.

output "kubeconfig" {
  description = "Kubeconfig of an administrator, as YAML; it holds a client certificate."
  value       = try(azurerm_kubernetes_cluster.this.kube_config_raw, null)
  sensitive   = true
}

output "facts" {
  description = "What the cluster is made of; facts.facts is flat."

  value = try({
    facts = {
      region             = var.region
      zones              = join(",", sort(distinct(flatten([for pool in local.all_pools : pool.zones]))))
      kubernetes_version = azurerm_kubernetes_cluster.this.current_kubernetes_version
      network            = local.network
      tier               = local.tier
      machines           = join(",", [for name, pool in local.all_pools : "${name}=${pool.machine}"])
      os                 = join(",", sort(distinct([for pool in local.all_pools : pool.os])))
      os_disks           = join(",", [for name, pool in local.all_pools : "${name}=${pool.disk_type}:${coalesce(pool.disk_gb, "default")}"])
      spot               = anytrue([for pool in local.all_pools : pool.spot])
      nodes              = sum([for pool in local.all_pools : pool.least])
      nodes_max          = local.nodes
      own_system_pool    = !local.asked_system
    }
    cluster = {
      id       = azurerm_kubernetes_cluster.this.id
      name     = azurerm_kubernetes_cluster.this.name
      region   = var.region
      account  = var.subscription
      version  = azurerm_kubernetes_cluster.this.current_kubernetes_version
      endpoint = "https://${azurerm_kubernetes_cluster.this.fqdn}:443"
    }
  }, null)
}

locals {
  network = coalesce(var.network, "azure-cni-overlay")
  tier    = coalesce(var.tier, "standard")
  plan    = try(local.networks[local.network], local.networks["azure-cni-overlay"])

  # An outbound address has 64000 ports, and 64 are the fewest for a node; up to 1000 nodes AKS shares one out by itself.
  outbound = local.nodes <= 1000 ? [] : [{ addresses = ceil(local.nodes / 1000), ports = 64 }]
}

resource "azurerm_resource_group" "this" {
  name     = var.name
  location = coalesce(var.region, "-")
  tags     = var.tags

  lifecycle {
    precondition {
      condition     = length(local.refusals) == 0
      error_message = "AKS cannot serve this: ${join("; ", local.refusals)}."
    }
  }

  timeouts {
    create = "30m"
    update = "30m"
    delete = "90m"
  }
}

# AKS makes the network in the node resource group, so no identity of ours needs a right on it.
resource "azurerm_kubernetes_cluster" "this" {
  name                    = var.name
  location                = azurerm_resource_group.this.location
  resource_group_name     = azurerm_resource_group.this.name
  node_resource_group     = "${var.name}-nodes"
  dns_prefix              = var.name
  kubernetes_version      = var.kubernetes_version
  sku_tier                = try(local.tiers[local.tier].sku, "Standard")
  support_plan            = try(local.tiers[local.tier].plan, "KubernetesOfficial")
  node_os_upgrade_channel = "None" # and no automatic_upgrade_channel: nothing is upgraded during a run
  oidc_issuer_enabled     = true   # the default of 5.x, said so that 4.x does the same
  local_account_disabled  = false  # so the kubeconfig holds a client certificate, which outlasts every run
  tags                    = var.tags

  default_node_pool {
    name                         = "system"
    vm_size                      = local.system.machine
    node_count                   = local.system.scaled ? null : local.system.least
    auto_scaling_enabled         = local.system.scaled
    min_count                    = local.system.scaled ? local.system.least : null
    max_count                    = local.system.scaled ? local.system.most : null
    max_pods                     = local.system.max_pods
    os_sku                       = local.system.os
    os_disk_size_gb              = local.system.disk_gb
    os_disk_type                 = local.system.disk_type
    zones                        = length(local.system.zones) > 0 ? local.system.zones : null
    node_labels                  = local.system.labels
    only_critical_addons_enabled = contains(local.system.taints, local.critical)
    tags                         = var.tags

    upgrade_settings {
      max_surge = "10%"
    }

    dynamic "kubelet_config" {
      for_each = local.kubelet["system"]

      content {
        allowed_unsafe_sysctls    = kubelet_config.value.allowed_unsafe_sysctls
        container_log_max_files   = kubelet_config.value.container_log_max_files
        container_log_max_size_mb = kubelet_config.value.container_log_max_size_mb
        cpu_cfs_quota_enabled     = kubelet_config.value.cpu_cfs_quota_enabled
        cpu_cfs_quota_period      = kubelet_config.value.cpu_cfs_quota_period
        cpu_manager_policy        = kubelet_config.value.cpu_manager_policy
        image_gc_high_threshold   = kubelet_config.value.image_gc_high_threshold
        image_gc_low_threshold    = kubelet_config.value.image_gc_low_threshold
        pod_max_pid               = kubelet_config.value.pod_max_pid
        topology_manager_policy   = kubelet_config.value.topology_manager_policy
      }
    }

    dynamic "linux_os_config" {
      for_each = local.sysctls["system"]

      content {
        sysctl_config {
          fs_aio_max_nr                      = linux_os_config.value.fs_aio_max_nr
          fs_file_max                        = linux_os_config.value.fs_file_max
          fs_inotify_max_user_watches        = linux_os_config.value.fs_inotify_max_user_watches
          fs_nr_open                         = linux_os_config.value.fs_nr_open
          kernel_threads_max                 = linux_os_config.value.kernel_threads_max
          net_core_netdev_max_backlog        = linux_os_config.value.net_core_netdev_max_backlog
          net_core_optmem_max                = linux_os_config.value.net_core_optmem_max
          net_core_rmem_default              = linux_os_config.value.net_core_rmem_default
          net_core_rmem_max                  = linux_os_config.value.net_core_rmem_max
          net_core_somaxconn                 = linux_os_config.value.net_core_somaxconn
          net_core_wmem_default              = linux_os_config.value.net_core_wmem_default
          net_core_wmem_max                  = linux_os_config.value.net_core_wmem_max
          net_ipv4_ip_local_port_range_max   = linux_os_config.value.net_ipv4_ip_local_port_range_max
          net_ipv4_ip_local_port_range_min   = linux_os_config.value.net_ipv4_ip_local_port_range_min
          net_ipv4_neigh_default_gc_thresh1  = linux_os_config.value.net_ipv4_neigh_default_gc_thresh1
          net_ipv4_neigh_default_gc_thresh2  = linux_os_config.value.net_ipv4_neigh_default_gc_thresh2
          net_ipv4_neigh_default_gc_thresh3  = linux_os_config.value.net_ipv4_neigh_default_gc_thresh3
          net_ipv4_tcp_fin_timeout           = linux_os_config.value.net_ipv4_tcp_fin_timeout
          net_ipv4_tcp_keepalive_intvl       = linux_os_config.value.net_ipv4_tcp_keepalive_intvl
          net_ipv4_tcp_keepalive_probes      = linux_os_config.value.net_ipv4_tcp_keepalive_probes
          net_ipv4_tcp_keepalive_time        = linux_os_config.value.net_ipv4_tcp_keepalive_time
          net_ipv4_tcp_max_syn_backlog       = linux_os_config.value.net_ipv4_tcp_max_syn_backlog
          net_ipv4_tcp_max_tw_buckets        = linux_os_config.value.net_ipv4_tcp_max_tw_buckets
          net_ipv4_tcp_tw_reuse              = linux_os_config.value.net_ipv4_tcp_tw_reuse
          net_netfilter_nf_conntrack_buckets = linux_os_config.value.net_netfilter_nf_conntrack_buckets
          net_netfilter_nf_conntrack_max     = linux_os_config.value.net_netfilter_nf_conntrack_max
          vm_max_map_count                   = linux_os_config.value.vm_max_map_count
          vm_swappiness                      = linux_os_config.value.vm_swappiness
          vm_vfs_cache_pressure              = linux_os_config.value.vm_vfs_cache_pressure
        }
      }
    }
  }

  identity {
    type = "SystemAssigned"
  }

  network_profile {
    network_plugin      = local.plan.plugin
    network_plugin_mode = local.plan.mode
    network_data_plane  = local.plan.dataplane
    network_policy      = local.plan.policy
    pod_cidr            = local.network == "azure-cni" ? null : "10.128.0.0/11" # 8192 nodes of 256 addresses
    service_cidr        = "10.0.0.0/16"
    dns_service_ip      = "10.0.0.10"
    load_balancer_sku   = "standard"
    outbound_type       = "loadBalancer"

    dynamic "load_balancer_profile" {
      for_each = local.outbound

      content {
        managed_outbound_ip_count = load_balancer_profile.value.addresses
        outbound_ports_allocated  = load_balancer_profile.value.ports
      }
    }
  }

  node_provisioning_profile {
    mode = "Manual" # required since 5.0
  }

  timeouts {
    create = "90m"
    update = "90m"
    delete = "90m"
  }
}

resource "azurerm_kubernetes_cluster_node_pool" "this" {
  for_each = { for name, pool in local.pools : name => pool if name != "system" }

  name                  = each.key
  kubernetes_cluster_id = azurerm_kubernetes_cluster.this.id
  mode                  = "User"
  vm_size               = each.value.machine
  node_count            = each.value.scaled ? null : each.value.least
  auto_scaling_enabled  = each.value.scaled
  min_count             = each.value.scaled ? each.value.least : null
  max_count             = each.value.scaled ? each.value.most : null
  max_pods              = each.value.max_pods
  os_type               = "Linux"
  os_sku                = each.value.os
  os_disk_size_gb       = each.value.disk_gb
  os_disk_type          = each.value.disk_type
  zones                 = length(each.value.zones) > 0 ? each.value.zones : null
  node_labels           = each.value.labels
  node_taints           = each.value.taints
  priority              = each.value.spot ? "Spot" : "Regular"
  eviction_policy       = each.value.spot ? "Delete" : null
  spot_max_price        = each.value.spot ? -1 : null # never evicted for its price
  tags                  = var.tags

  dynamic "upgrade_settings" {
    for_each = each.value.spot ? [] : ["10%"]

    content {
      max_surge = upgrade_settings.value
    }
  }

  dynamic "kubelet_config" {
    for_each = local.kubelet[each.key]

    content {
      allowed_unsafe_sysctls    = kubelet_config.value.allowed_unsafe_sysctls
      container_log_max_files   = kubelet_config.value.container_log_max_files
      container_log_max_size_mb = kubelet_config.value.container_log_max_size_mb
      cpu_cfs_quota_enabled     = kubelet_config.value.cpu_cfs_quota_enabled
      cpu_cfs_quota_period      = kubelet_config.value.cpu_cfs_quota_period
      cpu_manager_policy        = kubelet_config.value.cpu_manager_policy
      image_gc_high_threshold   = kubelet_config.value.image_gc_high_threshold
      image_gc_low_threshold    = kubelet_config.value.image_gc_low_threshold
      pod_max_pid               = kubelet_config.value.pod_max_pid
      topology_manager_policy   = kubelet_config.value.topology_manager_policy
    }
  }

  dynamic "linux_os_config" {
    for_each = local.sysctls[each.key]

    content {
      sysctl_config {
        fs_aio_max_nr                      = linux_os_config.value.fs_aio_max_nr
        fs_file_max                        = linux_os_config.value.fs_file_max
        fs_inotify_max_user_watches        = linux_os_config.value.fs_inotify_max_user_watches
        fs_nr_open                         = linux_os_config.value.fs_nr_open
        kernel_threads_max                 = linux_os_config.value.kernel_threads_max
        net_core_netdev_max_backlog        = linux_os_config.value.net_core_netdev_max_backlog
        net_core_optmem_max                = linux_os_config.value.net_core_optmem_max
        net_core_rmem_default              = linux_os_config.value.net_core_rmem_default
        net_core_rmem_max                  = linux_os_config.value.net_core_rmem_max
        net_core_somaxconn                 = linux_os_config.value.net_core_somaxconn
        net_core_wmem_default              = linux_os_config.value.net_core_wmem_default
        net_core_wmem_max                  = linux_os_config.value.net_core_wmem_max
        net_ipv4_ip_local_port_range_max   = linux_os_config.value.net_ipv4_ip_local_port_range_max
        net_ipv4_ip_local_port_range_min   = linux_os_config.value.net_ipv4_ip_local_port_range_min
        net_ipv4_neigh_default_gc_thresh1  = linux_os_config.value.net_ipv4_neigh_default_gc_thresh1
        net_ipv4_neigh_default_gc_thresh2  = linux_os_config.value.net_ipv4_neigh_default_gc_thresh2
        net_ipv4_neigh_default_gc_thresh3  = linux_os_config.value.net_ipv4_neigh_default_gc_thresh3
        net_ipv4_tcp_fin_timeout           = linux_os_config.value.net_ipv4_tcp_fin_timeout
        net_ipv4_tcp_keepalive_intvl       = linux_os_config.value.net_ipv4_tcp_keepalive_intvl
        net_ipv4_tcp_keepalive_probes      = linux_os_config.value.net_ipv4_tcp_keepalive_probes
        net_ipv4_tcp_keepalive_time        = linux_os_config.value.net_ipv4_tcp_keepalive_time
        net_ipv4_tcp_max_syn_backlog       = linux_os_config.value.net_ipv4_tcp_max_syn_backlog
        net_ipv4_tcp_max_tw_buckets        = linux_os_config.value.net_ipv4_tcp_max_tw_buckets
        net_ipv4_tcp_tw_reuse              = linux_os_config.value.net_ipv4_tcp_tw_reuse
        net_netfilter_nf_conntrack_buckets = linux_os_config.value.net_netfilter_nf_conntrack_buckets
        net_netfilter_nf_conntrack_max     = linux_os_config.value.net_netfilter_nf_conntrack_max
        vm_max_map_count                   = linux_os_config.value.vm_max_map_count
        vm_swappiness                      = linux_os_config.value.vm_swappiness
        vm_vfs_cache_pressure              = linux_os_config.value.vm_vfs_cache_pressure
      }
    }
  }

  timeouts {
    create = "60m"
    update = "60m"
    delete = "60m"
  }
}

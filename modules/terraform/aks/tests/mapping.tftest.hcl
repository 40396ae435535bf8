# What of a spec becomes what of AKS. The provider is pretended; its schema is the real one.

mock_provider "azurerm" {
  mock_resource "azurerm_kubernetes_cluster" {
    defaults = {
      current_kubernetes_version = "1.34.2"
      fqdn                       = "telescope-0a1b2c3d-x1y2z3.hcp.eastus2.azmk8s.io"
      kube_config_raw            = "apiVersion: v1\nkind: Config\n"
    }
  }
}

variables {
  name            = "telescope-0a1b2c3d"
  region          = "eastus2"
  subscription    = "00000000-0000-0000-0000-00000000abcd"
  prometheus_pool = "watch"
  tags            = { telescope_lease = "0a1b2c3d", deletion_due_time = "1700000000" }

  pools = {
    system = { count = 3, machine = "Standard_D4s_v5", taints = [{ key = "CriticalAddonsOnly", value = "true", effect = "NoSchedule" }] }
    watch  = { machine = "Standard_D8s_v5" }
    user = {
      count    = 10
      machine  = "Standard_D16s_v5"
      max_pods = 150
      labels   = { cri-resource-consume = "true" }
      taints   = [{ key = "cri-resource-consume", value = "true", effect = "NoSchedule" }, { key = "bare", effect = "NoExecute" }]
    }
  }
}

run "a_plain_cluster" {
  command = apply

  assert {
    condition     = azurerm_resource_group.this.name == "telescope-0a1b2c3d" && azurerm_resource_group.this.location == "eastus2"
    error_message = "The resource group has the cluster's name and region."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.name == var.name && azurerm_kubernetes_cluster.this.dns_prefix == var.name && azurerm_kubernetes_cluster.this.resource_group_name == var.name
    error_message = "Cluster, DNS prefix and resource group have one name."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.location == "eastus2"
    error_message = "The cluster stands where its group does."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.node_resource_group == "telescope-0a1b2c3d-nodes"
    error_message = "Sweepers know the node resource group by its name."
  }

  assert {
    condition = alltrue([
      for tags in concat(
        [azurerm_resource_group.this.tags, azurerm_kubernetes_cluster.this.tags, azurerm_kubernetes_cluster.this.default_node_pool[0].tags],
        [for pool in azurerm_kubernetes_cluster_node_pool.this : pool.tags]
      ) : tags == var.tags
    ])
    error_message = "Everything carries the tags."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.node_os_upgrade_channel == "None" && azurerm_kubernetes_cluster.this.automatic_upgrade_channel == null
    error_message = "Nothing is upgraded during a run."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.local_account_disabled == false && azurerm_kubernetes_cluster.this.oidc_issuer_enabled && azurerm_kubernetes_cluster.this.identity[0].type == "SystemAssigned"
    error_message = "A client certificate in the kubeconfig, no identity of ours."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.sku_tier == "Standard" && azurerm_kubernetes_cluster.this.support_plan == "KubernetesOfficial"
    error_message = "The default tier is standard."
  }

  assert {
    condition     = alltrue([for name, tier in local.tiers : keys(tier) == ["plan", "sku"]]) && keys(local.most_nodes) == keys(local.tiers)
    error_message = "Each tier has its SKU, its support plan and its most nodes: the fallbacks are for unknown tiers only."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.node_provisioning_profile[0].mode == "Manual"
    error_message = "Nodes are the pools' only."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster.this.network_profile[0].network_plugin == "azure" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_plugin_mode == "overlay" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_data_plane == "azure" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_policy == null &&
      azurerm_kubernetes_cluster.this.network_profile[0].pod_cidr == "10.128.0.0/11" &&
      azurerm_kubernetes_cluster.this.network_profile[0].service_cidr == "10.0.0.0/16" &&
      azurerm_kubernetes_cluster.this.network_profile[0].dns_service_ip == "10.0.0.10" &&
      azurerm_kubernetes_cluster.this.network_profile[0].load_balancer_sku == "standard" &&
      azurerm_kubernetes_cluster.this.network_profile[0].outbound_type == "loadBalancer" &&
      length(azurerm_kubernetes_cluster.this.network_profile[0].load_balancer_profile) == 0
    )
    error_message = "The default network is Azure CNI overlay."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster.this.default_node_pool[0].name == "system" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].vm_size == "Standard_D4s_v5" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].node_count == 3 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].auto_scaling_enabled == false &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].min_count == null &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].max_count == null &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].max_pods == 110 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_sku == "Ubuntu" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_disk_type == "Managed" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_disk_size_gb == null &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].zones == null &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].only_critical_addons_enabled &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].upgrade_settings[0].max_surge == "10%" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].node_labels["telescope/pool"] == "system"
    )
    error_message = "The pool system is the system pool."
  }

  assert {
    condition     = keys(azurerm_kubernetes_cluster_node_pool.this) == ["user", "watch"]
    error_message = "All other pools are resources of their own."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["user"].name == "user" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].kubernetes_cluster_id == azurerm_kubernetes_cluster.this.id &&
      azurerm_kubernetes_cluster_node_pool.this["user"].mode == "User" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].vm_size == "Standard_D16s_v5" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].node_count == 10 &&
      azurerm_kubernetes_cluster_node_pool.this["user"].auto_scaling_enabled == false &&
      azurerm_kubernetes_cluster_node_pool.this["user"].min_count == null &&
      azurerm_kubernetes_cluster_node_pool.this["user"].max_count == null &&
      azurerm_kubernetes_cluster_node_pool.this["user"].max_pods == 150 &&
      azurerm_kubernetes_cluster_node_pool.this["user"].os_type == "Linux" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].os_sku == "Ubuntu" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].os_disk_type == "Managed" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].zones == null &&
      azurerm_kubernetes_cluster_node_pool.this["user"].priority == "Regular" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].eviction_policy == null &&
      azurerm_kubernetes_cluster_node_pool.this["user"].spot_max_price == null &&
      azurerm_kubernetes_cluster_node_pool.this["user"].upgrade_settings[0].max_surge == "10%" &&
      length(azurerm_kubernetes_cluster_node_pool.this["user"].kubelet_config) == 0 &&
      length(azurerm_kubernetes_cluster_node_pool.this["user"].linux_os_config) == 0
    )
    error_message = "A pool is what the spec says."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["user"].node_labels == tomap({ cri-resource-consume = "true", "telescope/pool" = "user" }) &&
      azurerm_kubernetes_cluster_node_pool.this["user"].node_taints == tolist(["cri-resource-consume=true:NoSchedule", "bare=:NoExecute"])
    )
    error_message = "Labels and taints are the spec's and the pool's name."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["watch"].node_count == 1 &&
      azurerm_kubernetes_cluster_node_pool.this["watch"].node_labels["telescope/prometheus"] == "true" &&
      azurerm_kubernetes_cluster_node_pool.this["watch"].node_taints == tolist(["telescope/prometheus=true:NoSchedule"])
    )
    error_message = "Prometheus' pool repels all else; a pool without count has one node."
  }

  assert {
    condition     = output.kubeconfig == "apiVersion: v1\nkind: Config\n"
    error_message = "The kubeconfig is the administrator's."
  }

  assert {
    condition = output.facts.facts == {
      region             = "eastus2"
      zones              = ""
      kubernetes_version = "1.34.2"
      network            = "azure-cni-overlay"
      tier               = "standard"
      machines           = "system=Standard_D4s_v5,user=Standard_D16s_v5,watch=Standard_D8s_v5"
      os                 = "Ubuntu"
      os_disks           = "system=Managed:default,user=Managed:default,watch=Managed:default"
      spot               = false
      nodes              = 14
      nodes_max          = 14
      own_system_pool    = false
    }
    error_message = "The facts say what was built."
  }

  assert {
    condition = output.facts.cluster == {
      id       = azurerm_kubernetes_cluster.this.id
      name     = "telescope-0a1b2c3d"
      region   = "eastus2"
      account  = "00000000-0000-0000-0000-00000000abcd"
      version  = "1.34.2"
      endpoint = "https://telescope-0a1b2c3d-x1y2z3.hcp.eastus2.azmk8s.io:443"
    }
    error_message = "The cluster says what it is."
  }
}

run "every_setting_of_a_pool" {
  command = apply

  variables {
    prometheus_pool    = null
    kubernetes_version = "1.33"
    tier               = "premium"
    network            = "azure-cni-overlay-cilium"
    zones              = ["1", "2"]

    pools = {
      system = {
        min          = 2
        max          = 5
        machine      = "Standard_D4s_v5"
        max_pods     = 60
        labels       = { role = "system" }
        os           = "AzureLinux3"
        os_disk_gb   = 100
        os_disk_type = "Ephemeral"
        zones        = ["3"]
        kubelet = {
          allowedUnsafeSysctls        = "net.core.somaxconn,kernel.msg*"
          containerLogMaxFiles        = "4"
          containerLogMaxSize         = "50Mi"
          cpuCFSQuota                 = "false"
          cpuCFSQuotaPeriod           = "50ms"
          cpuManagerPolicy            = "static"
          imageGCHighThresholdPercent = "90"
          imageGCLowThresholdPercent  = "70"
          podPidsLimit                = "4096"
          topologyManagerPolicy       = "best-effort"
        }
        sysctls = {
          "fs.aio-max-nr"                      = "101"
          "fs.file-max"                        = "102"
          "fs.inotify.max_user_watches"        = "103"
          "fs.nr_open"                         = "104"
          "kernel.threads-max"                 = "105"
          "net.core.netdev_max_backlog"        = "106"
          "net.core.optmem_max"                = "107"
          "net.core.rmem_default"              = "108"
          "net.core.rmem_max"                  = "109"
          "net.core.somaxconn"                 = "110"
          "net.core.wmem_default"              = "111"
          "net.core.wmem_max"                  = "112"
          "net.ipv4.ip_local_port_range"       = "1024 65000"
          "net.ipv4.neigh.default.gc_thresh1"  = "114"
          "net.ipv4.neigh.default.gc_thresh2"  = "115"
          "net.ipv4.neigh.default.gc_thresh3"  = "116"
          "net.ipv4.tcp_fin_timeout"           = "117"
          "net.ipv4.tcp_keepalive_intvl"       = "118"
          "net.ipv4.tcp_keepalive_probes"      = "119"
          "net.ipv4.tcp_keepalive_time"        = "120"
          "net.ipv4.tcp_max_syn_backlog"       = "121"
          "net.ipv4.tcp_max_tw_buckets"        = "122"
          "net.ipv4.tcp_tw_reuse"              = "1"
          "net.netfilter.nf_conntrack_buckets" = "124"
          "net.netfilter.nf_conntrack_max"     = "125"
          "vm.max_map_count"                   = "126"
          "vm.swappiness"                      = "127"
          "vm.vfs_cache_pressure"              = "128"
        }
      }
      user = {
        min          = 0
        max          = 20
        machine      = "Standard_D8s_v5"
        os           = "AzureLinux3"
        os_disk_gb   = 200
        os_disk_type = "Ephemeral"
        kubelet = {
          allowedUnsafeSysctls        = "net.core.somaxconn,kernel.msg*"
          containerLogMaxFiles        = "4"
          containerLogMaxSize         = "50Mi"
          cpuCFSQuota                 = "false"
          cpuCFSQuotaPeriod           = "50ms"
          cpuManagerPolicy            = "static"
          imageGCHighThresholdPercent = "90"
          imageGCLowThresholdPercent  = "70"
          podPidsLimit                = "4096"
          topologyManagerPolicy       = "best-effort"
        }
        sysctls = {
          "fs.aio-max-nr"                      = "101"
          "fs.file-max"                        = "102"
          "fs.inotify.max_user_watches"        = "103"
          "fs.nr_open"                         = "104"
          "kernel.threads-max"                 = "105"
          "net.core.netdev_max_backlog"        = "106"
          "net.core.optmem_max"                = "107"
          "net.core.rmem_default"              = "108"
          "net.core.rmem_max"                  = "109"
          "net.core.somaxconn"                 = "110"
          "net.core.wmem_default"              = "111"
          "net.core.wmem_max"                  = "112"
          "net.ipv4.ip_local_port_range"       = "1024 65000"
          "net.ipv4.neigh.default.gc_thresh1"  = "114"
          "net.ipv4.neigh.default.gc_thresh2"  = "115"
          "net.ipv4.neigh.default.gc_thresh3"  = "116"
          "net.ipv4.tcp_fin_timeout"           = "117"
          "net.ipv4.tcp_keepalive_intvl"       = "118"
          "net.ipv4.tcp_keepalive_probes"      = "119"
          "net.ipv4.tcp_keepalive_time"        = "120"
          "net.ipv4.tcp_max_syn_backlog"       = "121"
          "net.ipv4.tcp_max_tw_buckets"        = "122"
          "net.ipv4.tcp_tw_reuse"              = "1"
          "net.netfilter.nf_conntrack_buckets" = "124"
          "net.netfilter.nf_conntrack_max"     = "125"
          "vm.max_map_count"                   = "126"
          "vm.swappiness"                      = "127"
          "vm.vfs_cache_pressure"              = "128"
        }
      }
      cheap = { count = 2, machine = "Standard_D2s_v5", spot = true, kubelet = { podPidsLimit = "100" } }
    }
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.kubernetes_version == "1.33"
    error_message = "The version is the spec's."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.sku_tier == "Premium" && azurerm_kubernetes_cluster.this.support_plan == "AKSLongTermSupport"
    error_message = "Premium comes with long-term support."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster.this.network_profile[0].network_plugin == "azure" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_plugin_mode == "overlay" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_data_plane == "cilium" &&
      azurerm_kubernetes_cluster.this.network_profile[0].network_policy == "cilium"
    )
    error_message = "Cilium is data plane and policy."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster.this.default_node_pool[0].node_count == null &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].auto_scaling_enabled &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].min_count == 2 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].max_count == 5 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].max_pods == 60 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_sku == "AzureLinux3" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_disk_size_gb == 100 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_disk_type == "Ephemeral" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].zones == toset(["3"]) &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].only_critical_addons_enabled == false &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].node_labels["role"] == "system"
    )
    error_message = "The system pool is what the spec says."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["user"].auto_scaling_enabled &&
      azurerm_kubernetes_cluster_node_pool.this["user"].min_count == 0 &&
      azurerm_kubernetes_cluster_node_pool.this["user"].max_count == 20 &&
      azurerm_kubernetes_cluster_node_pool.this["user"].os_sku == "AzureLinux3" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].os_disk_size_gb == 200 &&
      azurerm_kubernetes_cluster_node_pool.this["user"].os_disk_type == "Ephemeral" &&
      azurerm_kubernetes_cluster_node_pool.this["user"].zones == toset(["1", "2"])
    )
    error_message = "An autoscaled pool; zones are the cluster's where it names none."
  }

  assert {
    condition = alltrue([for config in [
      azurerm_kubernetes_cluster.this.default_node_pool[0].kubelet_config[0],
      azurerm_kubernetes_cluster_node_pool.this["user"].kubelet_config[0],
      ] : (
      config.allowed_unsafe_sysctls == toset(["net.core.somaxconn", "kernel.msg*"]) &&
      config.container_log_max_files == 4 &&
      config.container_log_max_size_mb == 50 &&
      config.cpu_cfs_quota_enabled == false &&
      config.cpu_cfs_quota_period == "50ms" &&
      config.cpu_manager_policy == "static" &&
      config.image_gc_high_threshold == 90 &&
      config.image_gc_low_threshold == 70 &&
      config.pod_max_pid == 4096 &&
      config.topology_manager_policy == "best-effort"
    )])
    error_message = "Every field of KubeletConfiguration arrives."
  }

  assert {
    condition = alltrue([for config in [
      azurerm_kubernetes_cluster.this.default_node_pool[0].linux_os_config[0].sysctl_config[0],
      azurerm_kubernetes_cluster_node_pool.this["user"].linux_os_config[0].sysctl_config[0],
      ] : (
      config.fs_aio_max_nr == 101 &&
      config.fs_file_max == 102 &&
      config.fs_inotify_max_user_watches == 103 &&
      config.fs_nr_open == 104 &&
      config.kernel_threads_max == 105 &&
      config.net_core_netdev_max_backlog == 106 &&
      config.net_core_optmem_max == 107 &&
      config.net_core_rmem_default == 108 &&
      config.net_core_rmem_max == 109 &&
      config.net_core_somaxconn == 110 &&
      config.net_core_wmem_default == 111 &&
      config.net_core_wmem_max == 112 &&
      config.net_ipv4_ip_local_port_range_min == 1024 &&
      config.net_ipv4_ip_local_port_range_max == 65000 &&
      config.net_ipv4_neigh_default_gc_thresh1 == 114 &&
      config.net_ipv4_neigh_default_gc_thresh2 == 115 &&
      config.net_ipv4_neigh_default_gc_thresh3 == 116 &&
      config.net_ipv4_tcp_fin_timeout == 117 &&
      config.net_ipv4_tcp_keepalive_intvl == 118 &&
      config.net_ipv4_tcp_keepalive_probes == 119 &&
      config.net_ipv4_tcp_keepalive_time == 120 &&
      config.net_ipv4_tcp_max_syn_backlog == 121 &&
      config.net_ipv4_tcp_max_tw_buckets == 122 &&
      config.net_ipv4_tcp_tw_reuse &&
      config.net_netfilter_nf_conntrack_buckets == 124 &&
      config.net_netfilter_nf_conntrack_max == 125 &&
      config.vm_max_map_count == 126 &&
      config.vm_swappiness == 127 &&
      config.vm_vfs_cache_pressure == 128
    )])
    error_message = "Every sysctl arrives."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["cheap"].priority == "Spot" &&
      azurerm_kubernetes_cluster_node_pool.this["cheap"].eviction_policy == "Delete" &&
      azurerm_kubernetes_cluster_node_pool.this["cheap"].spot_max_price == -1 &&
      length(azurerm_kubernetes_cluster_node_pool.this["cheap"].upgrade_settings) == 0 &&
      azurerm_kubernetes_cluster_node_pool.this["cheap"].node_labels["kubernetes.azure.com/scalesetpriority"] == "spot" &&
      azurerm_kubernetes_cluster_node_pool.this["cheap"].node_taints == tolist(["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"])
    )
    error_message = "A spot pool says what AKS writes on its nodes."
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster_node_pool.this["cheap"].kubelet_config[0].pod_max_pid == 100 &&
      azurerm_kubernetes_cluster_node_pool.this["cheap"].kubelet_config[0].cpu_cfs_quota_enabled &&
      azurerm_kubernetes_cluster_node_pool.this["cheap"].kubelet_config[0].allowed_unsafe_sysctls == null
    )
    error_message = "What is not said stays as it is; CFS quotas are on."
  }

  assert {
    condition     = output.facts.facts.zones == "1,2,3" && output.facts.facts.spot && output.facts.facts.nodes == 4 && output.facts.facts.nodes_max == 27
    error_message = "The facts tell least and most nodes, zones and spot."
  }

  assert {
    condition     = output.facts.facts.os_disks == "cheap=Managed:default,system=Ephemeral:100,user=Ephemeral:200" && output.facts.facts.os == "AzureLinux3,Ubuntu"
    error_message = "The facts tell disks and systems."
  }
}

run "a_system_pool_of_the_modules_own" {
  command = apply

  variables {
    prometheus_pool = null
    network         = "azure-cni"
    tier            = "free"
    zones           = ["1"]
    pools           = { user = { count = 2, machine = "Standard_D8s_v5" } }
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster.this.default_node_pool[0].name == "system" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].vm_size == "Standard_D4s_v5" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].node_count == 1 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].auto_scaling_enabled == false &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].max_pods == 110 &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_sku == "Ubuntu" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_disk_size_gb == null &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].os_disk_type == "Managed" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].zones == toset(["1"]) &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].node_labels["telescope/pool"] == "system" &&
      azurerm_kubernetes_cluster.this.default_node_pool[0].only_critical_addons_enabled &&
      length(azurerm_kubernetes_cluster.this.default_node_pool[0].kubelet_config) == 0 &&
      length(azurerm_kubernetes_cluster.this.default_node_pool[0].linux_os_config) == 0
    )
    error_message = "One small node that takes no load."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.sku_tier == "Free" && azurerm_kubernetes_cluster.this.network_profile[0].network_plugin_mode == null && azurerm_kubernetes_cluster.this.network_profile[0].pod_cidr == null
    error_message = "The free tier; pods in the nodes' subnet."
  }

  assert {
    condition     = output.facts.facts.own_system_pool && output.facts.facts.machines == "system=Standard_D4s_v5,user=Standard_D8s_v5" && output.facts.facts.nodes == 3
    error_message = "The facts tell of the pool that nobody asked for."
  }
}

run "a_system_pool_that_must_take_all" {
  command = apply

  variables {
    prometheus_pool = null
    network         = "kubenet"
    system_machine  = "Standard_D2s_v5"
    pools           = { user = { count = 2, machine = "Standard_D8s_v5", taints = [{ key = "only", value = "load", effect = "NoSchedule" }] } }
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].only_critical_addons_enabled == false && azurerm_kubernetes_cluster.this.default_node_pool[0].vm_size == "Standard_D2s_v5"
    error_message = "Where every other pool repels, what tolerates nothing needs the system pool."
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.network_profile[0].network_plugin == "kubenet" && azurerm_kubernetes_cluster.this.network_profile[0].network_data_plane == null
    error_message = "Kubenet has no data plane to choose."
  }
}

run "a_soft_taint_does_not_repel" {
  command = apply

  variables {
    prometheus_pool = null
    pools           = { user = { count = 2, machine = "Standard_D8s_v5", taints = [{ key = "only", value = "load", effect = "PreferNoSchedule" }] } }
  }

  assert {
    condition     = azurerm_kubernetes_cluster.this.default_node_pool[0].only_critical_addons_enabled
    error_message = "PreferNoSchedule repels nobody for good."
  }
}

run "a_thousand_nodes_and_more" {
  command = apply

  variables {
    prometheus_pool = null
    pools = {
      a = { count = 1000, machine = "Standard_D2s_v5" }
      b = { count = 1000, machine = "Standard_D2s_v5" }
    }
  }

  assert {
    condition = (
      azurerm_kubernetes_cluster.this.network_profile[0].load_balancer_profile[0].managed_outbound_ip_count == 3 &&
      azurerm_kubernetes_cluster.this.network_profile[0].load_balancer_profile[0].outbound_ports_allocated == 64
    )
    error_message = "Every node has ports for connections to the outside."
  }
}

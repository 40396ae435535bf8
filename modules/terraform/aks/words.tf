# What AKS calls things, and what it lets one set.

locals {
  # https://learn.microsoft.com/azure/aks/concepts-network-cni-overview
  networks = {
    azure-cni-overlay        = { plugin = "azure", mode = "overlay", dataplane = "azure", policy = null }
    azure-cni-overlay-cilium = { plugin = "azure", mode = "overlay", dataplane = "cilium", policy = "cilium" }
    azure-cni                = { plugin = "azure", mode = null, dataplane = "azure", policy = null }
    kubenet                  = { plugin = "kubenet", mode = null, dataplane = null, policy = null }
  }

  # Premium is sold for long-term support only: https://learn.microsoft.com/azure/aks/long-term-support
  tiers = {
    free     = { sku = "Free", plan = "KubernetesOfficial" }
    standard = { sku = "Standard", plan = "KubernetesOfficial" }
    premium  = { sku = "Premium", plan = "AKSLongTermSupport" }
  }

  default_os = "Ubuntu"
  systems    = ["AzureLinux", "AzureLinux3", "Ubuntu", "Ubuntu2204", "Ubuntu2404"]
  disk_types = ["Managed", "Ephemeral"]
  zone_names = ["1", "2", "3"]

  # https://learn.microsoft.com/azure/aks/quotas-skus-regions#service-quotas-and-limits
  most_nodes         = { free = 1000, standard = 5000, premium = 5000 }
  most_pool_nodes    = 1000
  most_kubenet_nodes = 400
  subnet_addresses   = 65531 # of the subnet 10.224.0.0/16 that AKS makes, without the five that Azure keeps

  # Fields of KubeletConfiguration: https://learn.microsoft.com/azure/aks/custom-node-configuration
  kubelet_fields = [
    "allowedUnsafeSysctls", "containerLogMaxFiles", "containerLogMaxSize", "cpuCFSQuota", "cpuCFSQuotaPeriod",
    "cpuManagerPolicy", "imageGCHighThresholdPercent", "imageGCLowThresholdPercent", "podPidsLimit",
    "topologyManagerPolicy",
  ]
  kubelet_patterns = {
    containerLogMaxFiles        = "^[0-9]+$"
    containerLogMaxSize         = "^[0-9]+Mi$"
    cpuCFSQuota                 = "^(true|false)$"
    imageGCHighThresholdPercent = "^[0-9]+$"
    imageGCLowThresholdPercent  = "^[0-9]+$"
    podPidsLimit                = "^[0-9]+$"
  }

  # net.ipv4.ip_local_port_range is two numbers, all others are one.
  sysctl_names = [
    "fs.aio-max-nr", "fs.file-max", "fs.inotify.max_user_watches", "fs.nr_open", "kernel.threads-max",
    "net.core.netdev_max_backlog", "net.core.optmem_max", "net.core.rmem_default", "net.core.rmem_max",
    "net.core.somaxconn", "net.core.wmem_default", "net.core.wmem_max", "net.ipv4.ip_local_port_range",
    "net.ipv4.neigh.default.gc_thresh1", "net.ipv4.neigh.default.gc_thresh2", "net.ipv4.neigh.default.gc_thresh3",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_tw_reuse", "net.netfilter.nf_conntrack_buckets", "net.netfilter.nf_conntrack_max",
    "vm.max_map_count", "vm.swappiness", "vm.vfs_cache_pressure",
  ]
  sysctl_patterns = {
    "net.ipv4.ip_local_port_range" = "^[0-9]+[ \\t]+[0-9]+$"
    "net.ipv4.tcp_tw_reuse"        = "^[01]$"
  }

  critical = "CriticalAddonsOnly=true:NoSchedule"
  spot     = "kubernetes.azure.com/scalesetpriority"
}

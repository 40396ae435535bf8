# Pools as AKS wants them. The first is the system pool; its nodes carry AKS' own pods.

locals {
  asked_system = contains(keys(var.pools), "system")

  pools = {
    for name, pool in var.pools : name => {
      scaled    = pool.max != null
      least     = pool.max != null ? coalesce(pool.min, 0) : pool.count == null ? 1 : pool.count
      most      = pool.max != null ? pool.max : pool.count == null ? 1 : pool.count
      machine   = pool.machine
      max_pods  = pool.max_pods
      os        = coalesce(pool.os, local.default_os)
      disk_gb   = pool.os_disk_gb
      disk_type = coalesce(pool.os_disk_type, "Managed")
      zones     = length(pool.zones) > 0 ? pool.zones : var.zones
      spot      = pool.spot
      kubelet   = pool.kubelet
      sysctls   = pool.sysctls
      labels = merge(
        pool.labels,
        { "telescope/pool" = name },
        name == var.prometheus_pool ? { "telescope/prometheus" = "true" } : {},
        pool.spot ? { (local.spot) = "spot" } : {} # AKS sets it: said, so that a second plan finds no change
      )
      taints = concat(
        [for taint in pool.taints : "${taint.key}=${taint.value}:${taint.effect}"],
        name == var.prometheus_pool ? ["telescope/prometheus=true:NoSchedule"] : [],
        pool.spot ? ["${local.spot}=spot:NoSchedule"] : []
      )
    }
  }

  # Where no pool is named system: one node of the module's own, which takes load only where every other pool repels.
  own_system = {
    scaled    = false
    least     = 1
    most      = 1
    machine   = var.system_machine
    max_pods  = 110
    os        = local.default_os
    disk_gb   = null
    disk_type = "Managed"
    zones     = var.zones
    spot      = false
    kubelet   = {}
    sysctls   = {}
    labels    = { "telescope/pool" = "system" }
    taints    = length(local.open_pools) > 0 ? [local.critical] : []
  }

  open_pools = [
    for name, pool in local.pools : name
    if pool.most > 0 && length([for taint in pool.taints : taint if !endswith(taint, ":PreferNoSchedule")]) == 0
  ]

  system    = local.asked_system ? local.pools["system"] : local.own_system
  all_pools = merge({ system = local.own_system }, local.pools)
  nodes     = sum([for pool in local.all_pools : pool.most])

  # Kubelet's and the kernel's settings with the types of the provider.
  kubelet = {
    for name, pool in local.all_pools : name => length(pool.kubelet) == 0 ? [] : [{
      allowed_unsafe_sysctls    = try(split(",", pool.kubelet.allowedUnsafeSysctls), null)
      container_log_max_files   = try(tonumber(pool.kubelet.containerLogMaxFiles), null)
      container_log_max_size_mb = try(tonumber(trimsuffix(pool.kubelet.containerLogMaxSize, "Mi")), null)
      cpu_cfs_quota_enabled     = try(tobool(pool.kubelet.cpuCFSQuota), true)
      cpu_cfs_quota_period      = try(pool.kubelet.cpuCFSQuotaPeriod, null)
      cpu_manager_policy        = try(pool.kubelet.cpuManagerPolicy, null)
      image_gc_high_threshold   = try(tonumber(pool.kubelet.imageGCHighThresholdPercent), null)
      image_gc_low_threshold    = try(tonumber(pool.kubelet.imageGCLowThresholdPercent), null)
      pod_max_pid               = try(tonumber(pool.kubelet.podPidsLimit), null)
      topology_manager_policy   = try(pool.kubelet.topologyManagerPolicy, null)
    }]
  }

  port_ranges = {
    for name, pool in local.all_pools : name => try(regexall("[0-9]+", pool.sysctls["net.ipv4.ip_local_port_range"]), [])
  }

  sysctls = {
    for name, pool in local.all_pools : name => length(pool.sysctls) == 0 ? [] : [merge(
      { for key in local.sysctl_names : replace(replace(key, ".", "_"), "-", "_") => try(tonumber(pool.sysctls[key]), null) },
      {
        net_ipv4_ip_local_port_range_min = try(tonumber(local.port_ranges[name][0]), null)
        net_ipv4_ip_local_port_range_max = try(tonumber(local.port_ranges[name][1]), null)
        net_ipv4_tcp_tw_reuse            = try(pool.sysctls["net.ipv4.tcp_tw_reuse"] == "1", null)
      }
    )]
  }
}

# Everything that can be asked of another cloud and not of EKS is refused at plan time: nothing is silently dropped.

locals {
  refusals = concat(
    var.region == null ? ["region is missing"] : [],
    contains(local.networks, local.network) ? [] : [
      "network is ${local.network}, but only ${join(" and ", local.networks)} are on offer"
    ],
    contains(local.tiers, local.tier) ? [] : ["tier is ${local.tier}, but only ${join(", ", local.tiers)} are on offer"],
    length(distinct(var.zones)) == length(var.zones) ? [] : ["zones names a zone twice"],
    length(var.admin_principal_arns) > 0 ? [] : ["admin_principal_arns is empty, so that nobody could use the cluster"],
    [for zone in local.node_zones : "there is no zone ${zone} for EKS, but ${join(", ", local.available_zones)}" if !contains(local.available_zones, zone)],
    length(local.zones) > 1 ? [] : ["EKS needs two zones, but there is ${join("", local.zones)}"],
    length(var.pools) == 0 ? ["there is no node pool"] : [],
    length(local.open_pools) > 0 || length(var.pools) == 0 ? [] : [
      "every pool has a taint NoSchedule or NoExecute or none has a node, but coredns needs a pool without: add a pool system"
    ],
    [for zone, need in local.zone_need : "the nodes of ${zone} need ${need} addresses, but its subnet has ${local.zone_room}: ask for fewer nodes or max_pods" if need > local.zone_room],
    flatten([for name, pool in var.pools : local.pool_refusals[name]]),
  )

  open_pools = [
    for name, pool in local.pools : name
    if pool.most > 0 && length([for taint in pool.taints : taint if taint.effect != "PreferNoSchedule"]) == 0
  ]

  kubelet_fields = {
    for name, pool in local.pools : name => [
      for key in keys(local.kubelet_types) : key if pool.os != "BOTTLEROCKET" || contains(keys(local.bottlerocket), key)
    ]
  }

  pool_refusals = {
    for name, pool in var.pools : name => [for text in concat(
      [for key in ["node", "cpu", "memory"] : "has ${key}, which only the embedded cluster's nodes have" if pool[key] != null],
      pool.machine == null ? ["has no machine type"] : [],
      pool.count == null || pool.max == null ? [] : ["has both count and an autoscaler's range"],
      coalesce(pool.min, 0) <= coalesce(pool.max, 1000000) ? [] : ["has min ${coalesce(pool.min, 0)} above max ${coalesce(pool.max, 0)}"],
      length(distinct(pool.zones)) == length(pool.zones) ? [] : ["names a zone twice"],
      contains(keys(local.ami_types), local.pools[name].os) ? [] : [
        "has os ${local.pools[name].os}, but only ${join(" and ", keys(local.ami_types))} are on offer"
      ],
      contains(local.disk_types, local.pools[name].disk_type) ? [] : [
        "has os_disk_type ${local.pools[name].disk_type}, but only ${join(" and ", local.disk_types)} are on offer"
      ],
      local.pools[name].disk_gb >= 20 && local.pools[name].disk_gb <= 16384 ? [] : [
        "has os_disk_gb ${local.pools[name].disk_gb}, but 20 to 16384 are on offer"
      ],
      pool.machine == null || !local.prefixes || local.limits[name].prefixes ? [] : [
        "has machine ${local.pools[name].machine}, which is not a Nitro one: only those take ${local.network}"
      ],
      pool.machine == null || pool.max_pods <= local.most_pods[name] ? [] : [
        "has max_pods ${pool.max_pods}, but ${local.pools[name].machine} takes ${local.most_pods[name]} with ${local.network}"
      ],
      [for key in keys(pool.kubelet) : "has kubelet.${key}, which ${local.pools[name].os} does not let one set" if !contains(local.kubelet_fields[name], key)],
      [for key, value in local.kubelet_values[name] : "has kubelet.${key}: ${value.text}, which is not a ${local.kubelet_types[key]}"
        if contains(keys(local.kubelet_types), key) && (
          lookup(local.kubelet_types, key, "") == "number" && value.number == null || lookup(local.kubelet_types, key, "") == "bool" && value.bool == null
        )
      ],
      [for key in keys(pool.sysctls) : "has sysctl ${key}, which is none of fs, kernel, net, user, vm" if !can(regex(local.sysctl_pattern, key))],
      [for key in keys(pool.sysctls) : "has sysctl ${key}, which kubelet writes itself" if contains(local.kubelet_sysctls, key)],
      [for key, value in pool.sysctls : "has sysctl ${key} with a value that is not words" if !can(regex(local.sysctl_value, value))],
      [for key in keys(pool.labels) : "has label ${key}, which the harness sets itself" if startswith(key, "telescope/")],
      [for taint in pool.taints : "has taint ${taint.key}, which the harness sets itself" if startswith(taint.key, "telescope/")],
    ) : "pool ${name} ${text}"]
  }
}

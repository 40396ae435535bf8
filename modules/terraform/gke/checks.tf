# Everything that can be asked of another cloud and not of GKE is refused at plan time: nothing is silently dropped.

locals {
  refusals = concat(
    var.region == null ? ["region is missing"] : [],
    length(var.zones) == 0 ? ["zones are missing: one makes a zonal cluster, several a regional one"] : [],
    length(distinct(var.zones)) == length(var.zones) ? [] : ["zones names a zone twice"],
    contains(keys(local.networks), local.network) ? [] : [
      "network is ${local.network}, but only ${join(" and ", keys(local.networks))} are on offer"
    ],
    contains(local.tiers, local.tier) ? [] : ["tier is ${local.tier}, but only ${join(" and ", local.tiers)} is on offer"],
    length(var.pools) == 0 ? ["there is no node pool"] : [],
    local.pod_prefix > 0 ? [] : ["the pods' addresses (${local.address_need.pods}) do not fit in 10.128.0.0/9: ask for fewer nodes or max_pods"],
    length(local.open_pools) > 0 || length(var.pools) == 0 ? [] : [
      "every pool has a taint NoSchedule or NoExecute or none has a node, but GKE's own pods need a pool without: add a pool system"
    ],
    flatten([for name, pool in var.pools : local.pool_refusals[name]]),
  )

  open_pools = [
    for name, pool in local.pools : name
    if pool.most > 0 && length([for taint in pool.taints : taint if taint.effect != "PreferNoSchedule"]) == 0
  ]

  pool_refusals = {
    for name, pool in var.pools : name => [for text in concat(
      [for key in ["node", "cpu", "memory"] : "has ${key}, which only the embedded cluster's nodes have" if pool[key] != null],
      pool.machine == null ? ["has no machine type"] : [],
      pool.count == null || pool.max == null ? [] : ["has both count and an autoscaler's range"],
      coalesce(pool.min, 0) <= coalesce(pool.max, 1000000) ? [] : ["has min ${coalesce(pool.min, 0)} above max ${coalesce(pool.max, 0)}"],
      length(distinct(pool.zones)) == length(pool.zones) ? [] : ["names a zone twice"],
      local.pools[name].least % max(1, length(local.pools[name].zones)) == 0 ? [] : [
        "has ${local.pools[name].scaled ? "min" : "count"} ${local.pools[name].least}, which ${length(local.pools[name].zones)} zones cannot share equally"
      ],
      pool.max_pods >= 8 && pool.max_pods <= 256 ? [] : ["has max_pods ${pool.max_pods}, but 8 to 256 are on offer"],
      contains(local.images, local.pools[name].image) ? [] : [
        "has os ${local.pools[name].image}, but only ${join(" and ", local.images)} are on offer"
      ],
      contains(local.disk_types, local.pools[name].disk_type) ? [] : [
        "has os_disk_type ${local.pools[name].disk_type}, but only ${join(", ", local.disk_types)} are on offer"
      ],
      local.pools[name].disk_type == "hyperdisk-balanced" || !can(regex(local.hyperdisk_only, coalesce(pool.machine, "-"))) ? [] : [
        "has os_disk_type ${local.pools[name].disk_type}, but ${coalesce(pool.machine, "-")} boots from hyperdisk-balanced only"
      ],
      local.pools[name].disk_gb >= 12 ? [] : ["has os_disk_gb ${local.pools[name].disk_gb}, but GKE's images need 12"],
      [for key in keys(pool.kubelet) : "has kubelet.${key}, which GKE does not let one set" if !contains(local.kubelet_fields, key)],
      [for key in keys(pool.sysctls) : "has sysctl ${key}, which GKE does not let one set" if !can(regex(local.sysctl_pattern, key))],
      [for key in keys(pool.labels) : "has label ${key}, which the harness sets itself" if startswith(key, "telescope/")],
      [for taint in pool.taints : "has taint ${taint.key}, which the harness sets itself" if startswith(taint.key, "telescope/")],
    ) : "pool ${name} ${text}"]
  }
}

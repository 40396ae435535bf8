# Everything that can be asked of another cloud and not of AKS is refused at plan time: nothing is silently dropped.

locals {
  refusals = concat(
    var.region == null ? ["region is missing"] : [],
    contains(keys(local.networks), local.network) ? [] : [
      "network is ${local.network}, but only ${join(", ", keys(local.networks))} are on offer"
    ],
    contains(keys(local.tiers), local.tier) ? [] : ["tier is ${local.tier}, but only ${join(", ", keys(local.tiers))} are on offer"],
    [for zone in var.zones : "zones names ${zone}, but only ${join(", ", local.zone_names)} are on offer" if !contains(local.zone_names, zone)],
    length(distinct(var.zones)) == length(var.zones) ? [] : ["zones names a zone twice"],
    length(var.pools) == 0 ? ["there is no node pool"] : [],
    local.nodes <= lookup(local.most_nodes, local.tier, 5000) ? [] : [
      "${local.nodes} nodes are asked for, but tier ${local.tier} carries ${lookup(local.most_nodes, local.tier, 5000)}"
    ],
    local.network != "kubenet" || local.nodes <= local.most_kubenet_nodes ? [] : [
      "${local.nodes} nodes are asked for, but kubenet carries ${local.most_kubenet_nodes}"
    ],
    local.network != "azure-cni" || local.addresses <= local.subnet_addresses ? [] : [
      "nodes and pods take ${local.addresses} addresses, but azure-cni has ${local.subnet_addresses}: ask for azure-cni-overlay, or for fewer nodes or max_pods"
    ],
    flatten([for name, pool in var.pools : local.pool_refusals[name]]),
    local.system_refusals,
  )

  # Each node and each of its pods has an address of the subnet.
  addresses = sum([for pool in local.all_pools : pool.most * (pool.max_pods + 1)])

  pool_refusals = {
    for name, pool in var.pools : name => [for text in concat(
      [for key in ["node", "cpu", "memory"] : "has ${key}, which only the embedded cluster's nodes have" if pool[key] != null],
      pool.machine == null ? ["has no machine type"] : [],
      pool.count == null || pool.max == null ? [] : ["has both count and an autoscaler's range"],
      coalesce(pool.min, 0) <= coalesce(pool.max, 1000000) ? [] : ["has min ${coalesce(pool.min, 0)} above max ${coalesce(pool.max, 0)}"],
      local.pools[name].most <= local.most_pool_nodes ? [] : ["has ${local.pools[name].most} nodes, but a pool carries ${local.most_pool_nodes}"],
      pool.max_pods >= 10 && pool.max_pods <= 250 ? [] : ["has max_pods ${pool.max_pods}, but 10 to 250 are on offer"],
      contains(local.systems, local.pools[name].os) ? [] : [
        "has os ${local.pools[name].os}, but only ${join(", ", local.systems)} are on offer"
      ],
      contains(local.disk_types, local.pools[name].disk_type) ? [] : [
        "has os_disk_type ${local.pools[name].disk_type}, but only ${join(", ", local.disk_types)} are on offer"
      ],
      coalesce(pool.os_disk_gb, 30) >= 30 && coalesce(pool.os_disk_gb, 30) <= 2048 ? [] : [
        "has os_disk_gb ${coalesce(pool.os_disk_gb, 0)}, but 30 to 2048 are on offer"
      ],
      [for zone in pool.zones : "names zone ${zone}, but only ${join(", ", local.zone_names)} are on offer" if !contains(local.zone_names, zone)],
      length(distinct(pool.zones)) == length(pool.zones) ? [] : ["names a zone twice"],
      [for key in keys(pool.kubelet) : "has kubelet.${key}, but only ${join(", ", local.kubelet_fields)} are on offer" if !contains(local.kubelet_fields, key)],
      [for key, value in pool.kubelet : "has kubelet.${key} ${value}, which does not match ${local.kubelet_patterns[key]}" if !can(regex(lookup(local.kubelet_patterns, key, ""), value))],
      [for key in keys(pool.sysctls) : "has sysctl ${key}, but only ${join(", ", local.sysctl_names)} are on offer" if !contains(local.sysctl_names, key)],
      [for key, value in pool.sysctls : "has sysctl ${key} ${value}, which does not match ${lookup(local.sysctl_patterns, key, "^[0-9]+$")}" if !can(regex(lookup(local.sysctl_patterns, key, "^[0-9]+$"), value))],
      [for key in keys(pool.labels) : "has label ${key}, which the harness sets itself" if startswith(key, "telescope/")],
      [for key in keys(pool.labels) : "has label ${key}, whose prefix AKS keeps for itself" if startswith(key, "kubernetes.azure.com/")],
      [for taint in pool.taints : "has taint ${taint.key}, which the harness sets itself" if startswith(taint.key, "telescope/")],
      [for taint in pool.taints : "has taint ${taint.key}, which spot sets" if taint.key == local.spot],
    ) : "pool ${name} ${text}"]
  }

  system_refusals = flatten([
    for name, pool in local.pools : [for text in concat(
      name == var.prometheus_pool ? ["is AKS' own and cannot be kept for Prometheus"] : [],
      pool.least >= 1 ? [] : ["must keep at least one node"],
      pool.spot ? ["is AKS' own and cannot be spot"] : [],
      pool.max_pods >= 30 ? [] : ["has max_pods ${pool.max_pods}, but AKS' own pods need 30"],
      [for taint in pool.taints : "has taint ${taint}, but a system pool carries ${local.critical} only" if taint != local.critical && !startswith(taint, "telescope/") && !startswith(taint, local.spot)],
    ) : "pool ${name} ${text}"] if name == "system"
  ])
}

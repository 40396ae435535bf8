# Everything that can be asked of a cloud and not of this machine is refused at plan time: nothing is silently dropped.

locals {
  # The one place of the pin is the module that the binaries are built from.
  pinned = regex("k8s\\.io/kubernetes v([0-9]+\\.[0-9]+)\\.", file("${path.module}/../../toolchain/kubernetes/go.mod"))[0]

  real_nodes = sum(concat([0], [for pool in var.pools : coalesce(pool.count, 1) if pool.node == "containerd"]))

  refusals = concat(
    var.region == null ? [] : ["region is ${coalesce(var.region, "")}, but it has no regions"],
    var.network == null ? [] : ["network is ${coalesce(var.network, "")}, but it has only its own network"],
    var.tier == null ? [] : ["tier is ${coalesce(var.tier, "")}, but it has no tiers"],
    var.kubernetes_version == null || var.kubernetes_version == local.pinned ? [] : [
      "kubernetes_version is ${coalesce(var.kubernetes_version, "")}, but only ${local.pinned} is on offer"
    ],
    length(var.zones) == 0 ? [] : ["zones are asked for, but it has none"],
    var.prometheus_pool == null ? [] : ["prometheus_pool is ${coalesce(var.prometheus_pool, "")}, but its Prometheus runs beside the nodes"],
    length(var.pools) == 0 ? ["there is no node pool"] : [],
    local.real_nodes > 1 ? ["${local.real_nodes} containerd nodes are asked for, but one machine can be one real node"] : [],
    flatten([for name, pool in var.pools : [
      pool.machine == null ? [] : ["pool ${name} asks for machine ${coalesce(pool.machine, "-")}, but nodes are sized by cpu and memory"],
      pool.min == null ? [] : ["pool ${name} asks for autoscaling, but it has a fixed count only"],
      contains(["kwok", "containerd"], coalesce(pool.node, "kwok")) ? [] : ["pool ${name} has node ${coalesce(pool.node, "-")}, but only kwok and containerd are on offer"],
      [for key in ["os", "os_disk_gb", "os_disk_type"] : "pool ${name} has ${key}, which only a cloud's nodes have" if pool[key] != null],
      [for key in ["zones", "kubelet", "sysctls"] : "pool ${name} has ${key}, which only a cloud's nodes have" if length(pool[key]) > 0],
      pool.spot ? ["pool ${name} is spot, which only a cloud has"] : [],
      pool.node == "containerd" && (pool.cpu != null || pool.memory != null) ? ["pool ${name} is a real node, whose cpu and memory are this machine's"] : [],
    ]]),
  )
}

# Pools as GKE wants them: nodes are counted per zone, and a node takes a block of pod addresses.

locals {
  default_image   = "COS_CONTAINERD"
  default_disk_gb = 100

  pools = {
    for name, pool in var.pools : name => {
      zones    = length(pool.zones) > 0 ? pool.zones : var.zones
      scaled   = pool.max != null
      least    = pool.max != null ? coalesce(pool.min, 0) : pool.count == null ? 1 : pool.count
      most     = pool.max != null ? pool.max : pool.count == null ? 1 : pool.count
      machine  = pool.machine
      max_pods = pool.max_pods
      image    = coalesce(pool.os, local.default_image)
      disk_gb  = coalesce(pool.os_disk_gb, local.default_disk_gb)
      disk_type = coalesce(pool.os_disk_type,
        can(regex(local.hyperdisk_only, coalesce(pool.machine, "-"))) ? "hyperdisk-balanced" : "pd-balanced"
      )
      spot    = pool.spot
      kubelet = pool.kubelet
      sysctls = pool.sysctls
      labels = merge(
        pool.labels,
        { "telescope/pool" = name },
        name == var.prometheus_pool ? { "telescope/prometheus" = "true" } : {}
      )
      taints = concat(
        pool.taints,
        name == var.prometheus_pool ? [{ key = "telescope/prometheus", value = "true", effect = "NoSchedule" }] : []
      )
    }
  }

  # A node's block has at least twice the addresses of its pods, but 256 is the most for 110 and fewer than 129:
  # https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr
  pod_blocks   = { for name, pool in local.pools : name => [for bits in range(4, 10) : pow(2, bits) if pow(2, bits) >= min(2 * pool.max_pods, 512)] }
  nodes        = sum(concat([0], [for pool in local.pools : pool.most]))
  first_nodes  = length(var.zones) # of the pool that GKE makes with the cluster and Terraform removes
  address_need = { pods = sum(concat([256 * local.first_nodes], [for name, pool in local.pools : pool.most * try(local.pod_blocks[name][0], 512)])), nodes = local.nodes + local.first_nodes + 8 }

  # The smallest range that has room, from a size that no small cluster outgrows to the largest of the address plan.
  # Where the pods have room, so have the nodes: a node's pods take 16 addresses at least.
  pod_prefix  = one(slice(concat([for prefix in range(16, 8, -1) : prefix if pow(2, 32 - prefix) >= local.address_need.pods], [0]), 0, 1))
  node_prefix = one(slice(concat([for prefix in range(20, 11, -1) : prefix if pow(2, 32 - prefix) >= local.address_need.nodes], [0]), 0, 1))

  node_range    = "10.0.0.0/${local.node_prefix}"
  service_range = "10.64.0.0/16"
  pod_range     = "10.128.0.0/${local.pod_prefix}"
}

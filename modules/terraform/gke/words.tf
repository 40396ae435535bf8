# What GKE calls things, and what it lets one set.

locals {
  networks = {
    dataplane-v2 = "ADVANCED_DATAPATH" # Cilium
    dataplane-v1 = "LEGACY_DATAPATH"   # kube-proxy
  }
  tiers      = ["standard"]
  images     = ["COS_CONTAINERD", "UBUNTU_CONTAINERD"]
  disk_types = ["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"]

  effects = { NoSchedule = "NO_SCHEDULE", PreferNoSchedule = "PREFER_NO_SCHEDULE", NoExecute = "NO_EXECUTE" }

  # Fields of KubeletConfiguration that a node pool takes: its NodeKubeletConfig in the API, container v1.
  kubelet_fields = [
    "allowedUnsafeSysctls", "containerLogMaxFiles", "containerLogMaxSize", "cpuCFSQuota", "cpuCFSQuotaPeriod",
    "cpuManagerPolicy", "evictionMaxPodGracePeriod", "imageGCHighThresholdPercent", "imageGCLowThresholdPercent",
    "imageMaximumGCAge", "imageMinimumGCAge", "maxParallelImagePulls", "podPidsLimit", "singleProcessOOMKill",
  ]
  sysctl_pattern = "^(fs|kernel|vm|net\\.(core|ipv4|ipv6|netfilter))\\.[a-z0-9_.-]+$"

  # Machine families that boot from Hyperdisk only: https://cloud.google.com/compute/docs/disks/hyperdisks
  hyperdisk_only = "^(n4|n4a|n4d|c4|c4a|c4d|m4|x4)-"
}

# What EKS calls things, and what it lets one set.

locals {
  networks = ["vpc-cni", "vpc-cni-prefix-delegation"]
  tiers    = ["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"]

  ami_types = {
    AL2023       = { x86_64 = "AL2023_x86_64_STANDARD", arm64 = "AL2023_ARM_64_STANDARD" }
    BOTTLEROCKET = { x86_64 = "BOTTLEROCKET_x86_64", arm64 = "BOTTLEROCKET_ARM_64" }
  }
  disk_types = ["gp3", "gp2"]

  effects = { NoSchedule = "NO_SCHEDULE", PreferNoSchedule = "PREFER_NO_SCHEDULE", NoExecute = "NO_EXECUTE" }

  # Scalar fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that a node of AL2023 takes as they are:
  # https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/. Not among them: what EKS or the harness sets.
  kubelet_types = merge(
    { for key in [
      "containerLogMaxFiles", "containerLogMaxWorkers", "eventBurst", "eventRecordQPS", "evictionMaxPodGracePeriod",
      "imageGCHighThresholdPercent", "imageGCLowThresholdPercent", "kubeAPIBurst", "kubeAPIQPS", "maxOpenFiles",
      "maxParallelImagePulls", "nodeLeaseDurationSeconds", "nodeStatusMaxImages", "oomScoreAdj", "podPidsLimit", "podsPerCore",
      "registryBurst", "registryPullQPS",
    ] : key => "number" },
    { for key in [
      "cpuCFSQuota", "enableContentionProfiling", "enableDebuggingHandlers", "makeIPTablesUtilChains", "seccompDefault",
      "serializeImagePulls", "singleProcessOOMKill",
    ] : key => "bool" },
    { for key in [
      "containerLogMaxSize", "containerLogMonitorInterval", "cpuCFSQuotaPeriod", "cpuManagerPolicy",
      "cpuManagerReconcilePeriod", "evictionPressureTransitionPeriod", "fileCheckFrequency", "imageMaximumGCAge",
      "imageMinimumGCAge", "nodeStatusReportFrequency", "nodeStatusUpdateFrequency", "runtimeRequestTimeout",
      "shutdownGracePeriod", "shutdownGracePeriodCriticalPods", "streamingConnectionIdleTimeout", "syncFrequency",
      "topologyManagerPolicy", "topologyManagerScope", "volumeStatsAggPeriod",
    ] : key => "string" },
  )

  # The same fields as Bottlerocket names them: https://bottlerocket.dev/en/os/latest/#/api/settings/kubernetes/
  bottlerocket = {
    containerLogMaxFiles            = "container-log-max-files"
    containerLogMaxSize             = "container-log-max-size"
    cpuCFSQuota                     = "cpu-cfs-quota-enforced"
    cpuManagerPolicy                = "cpu-manager-policy"
    cpuManagerReconcilePeriod       = "cpu-manager-reconcile-period"
    eventBurst                      = "event-burst"
    eventRecordQPS                  = "event-qps"
    evictionMaxPodGracePeriod       = "eviction-max-pod-grace-period"
    imageGCHighThresholdPercent     = "image-gc-high-threshold-percent"
    imageGCLowThresholdPercent      = "image-gc-low-threshold-percent"
    kubeAPIBurst                    = "kube-api-burst"
    kubeAPIQPS                      = "kube-api-qps"
    podPidsLimit                    = "pod-pids-limit"
    registryBurst                   = "registry-burst"
    registryPullQPS                 = "registry-qps"
    shutdownGracePeriod             = "shutdown-grace-period"
    shutdownGracePeriodCriticalPods = "shutdown-grace-period-for-critical-pods"
    topologyManagerPolicy           = "topology-manager-policy"
    topologyManagerScope            = "topology-manager-scope"
  }

  # kubelet writes these itself when it starts.
  kubelet_sysctls = ["kernel.panic", "kernel.panic_on_oops", "vm.overcommit_memory", "vm.panic_on_oom"]
  sysctl_pattern  = "^(fs|kernel|net|user|vm)\\.[-a-zA-Z0-9_./]+$"
  sysctl_value    = "^[-a-zA-Z0-9_.]+([ \\t][-a-zA-Z0-9_.]+)*$"

  # Zones in which EKS puts no control plane: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
  bad_zone_ids = ["use1-az3", "usw1-az2", "cac1-az3"]
}

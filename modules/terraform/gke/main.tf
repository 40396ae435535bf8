locals {
  network  = coalesce(var.network, "dataplane-v2")
  tier     = coalesce(var.tier, "standard")
  zones    = [for zone in var.zones : "${coalesce(var.region, "-")}-${zone}"]
  zonal    = length(local.zones) == 1
  location = local.zonal ? local.zones[0] : var.region

  # Google upgrades control planes also outside release channels, but not in an exclusion. 30 days is the most that was
  # always allowed: https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions
  created   = try(timeadd("1970-01-01T00:00:00Z", "${var.tags.creation_time}s"), null)
  exclusion = local.created == null ? [] : [{ start = local.created, end = timeadd(local.created, "720h") }]
}

resource "google_container_cluster" "this" {
  project             = var.project
  name                = var.name
  location            = local.location
  node_locations      = local.zonal ? null : local.zones
  min_master_version  = var.kubernetes_version
  deletion_protection = false
  resource_labels     = var.tags

  network                   = google_compute_network.this.id
  subnetwork                = google_compute_subnetwork.this.id
  networking_mode           = "VPC_NATIVE"
  datapath_provider         = lookup(local.networks, local.network, null)
  default_max_pods_per_node = 110

  # Pools are resources of their own, so that one that failed is made again without the cluster.
  remove_default_node_pool = true
  initial_node_count       = 1

  node_config {
    machine_type    = "e2-medium"
    disk_type       = "pd-standard"
    disk_size_gb    = 20
    service_account = local.node_account
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  # Written out, because a plan against a pretended provider fills only blocks that are there.
  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  release_channel {
    channel = "UNSPECIFIED"
  }

  dynamic "maintenance_policy" {
    for_each = local.exclusion

    content {
      daily_maintenance_window {
        start_time = "03:00"
      }

      maintenance_exclusion {
        exclusion_name = "benchmark"
        start_time     = maintenance_policy.value.start
        end_time       = maintenance_policy.value.end

        exclusion_options {
          scope = "NO_UPGRADES"
        }
      }
    }
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS"]
  }

  monitoring_config {
    enable_components = ["SYSTEM_COMPONENTS"]

    managed_prometheus {
      enabled = false
    }
  }

  addons_config {
    gce_persistent_disk_csi_driver_config {
      enabled = true
    }
  }

  timeouts {
    create = "60m"
    update = "60m"
    delete = "60m"
  }

  lifecycle {
    ignore_changes = [node_config] # of the pool that was removed
  }

  depends_on = [google_project_iam_member.node]
}

resource "google_container_node_pool" "this" {
  for_each = local.pools

  project        = var.project
  name           = each.key
  cluster        = google_container_cluster.this.name
  location       = local.location
  node_locations = [for zone in each.value.zones : "${var.region}-${zone}"]
  version        = google_container_cluster.this.master_version

  # Both are nodes per zone.
  initial_node_count = each.value.scaled ? each.value.least / max(1, length(each.value.zones)) : null
  node_count         = each.value.scaled ? null : each.value.least / max(1, length(each.value.zones))
  max_pods_per_node  = each.value.max_pods

  dynamic "autoscaling" {
    for_each = each.value.scaled ? [each.value] : []

    content {
      total_min_node_count = autoscaling.value.least
      total_max_node_count = autoscaling.value.most
      location_policy      = "BALANCED"
    }
  }

  # A node that is slow under load is what is measured: nobody may replace it.
  management {
    auto_repair  = false
    auto_upgrade = false
  }

  node_config {
    machine_type    = each.value.machine
    image_type      = each.value.image
    disk_size_gb    = each.value.disk_gb
    disk_type       = each.value.disk_type
    spot            = each.value.spot
    labels          = each.value.labels
    resource_labels = var.tags
    service_account = local.node_account
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    metadata        = { disable-legacy-endpoints = "true" }

    dynamic "taint" {
      for_each = each.value.taints

      content {
        key    = taint.value.key
        value  = taint.value.value
        effect = local.effects[taint.value.effect]
      }
    }

    # What is not set is written all the same where the provider would send false for it: CFS quotas are on by default.
    dynamic "kubelet_config" {
      for_each = length(each.value.kubelet) > 0 ? [each.value.kubelet] : []

      content {
        allowed_unsafe_sysctls                = try(split(",", kubelet_config.value.allowedUnsafeSysctls), null)
        container_log_max_files               = lookup(kubelet_config.value, "containerLogMaxFiles", null)
        container_log_max_size                = lookup(kubelet_config.value, "containerLogMaxSize", null)
        cpu_cfs_quota                         = lookup(kubelet_config.value, "cpuCFSQuota", true)
        cpu_cfs_quota_period                  = lookup(kubelet_config.value, "cpuCFSQuotaPeriod", null)
        cpu_manager_policy                    = lookup(kubelet_config.value, "cpuManagerPolicy", null)
        eviction_max_pod_grace_period_seconds = lookup(kubelet_config.value, "evictionMaxPodGracePeriod", null)
        image_gc_high_threshold_percent       = lookup(kubelet_config.value, "imageGCHighThresholdPercent", null)
        image_gc_low_threshold_percent        = lookup(kubelet_config.value, "imageGCLowThresholdPercent", null)
        image_maximum_gc_age                  = lookup(kubelet_config.value, "imageMaximumGCAge", null)
        image_minimum_gc_age                  = lookup(kubelet_config.value, "imageMinimumGCAge", null)
        max_parallel_image_pulls              = lookup(kubelet_config.value, "maxParallelImagePulls", null)
        pod_pids_limit                        = lookup(kubelet_config.value, "podPidsLimit", null)
        single_process_oom_kill               = lookup(kubelet_config.value, "singleProcessOOMKill", null)
      }
    }

    dynamic "linux_node_config" {
      for_each = length(each.value.sysctls) > 0 ? [each.value.sysctls] : []

      content {
        sysctls = linux_node_config.value
      }
    }
  }

  timeouts {
    create = "60m"
    update = "60m"
    delete = "60m"
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}

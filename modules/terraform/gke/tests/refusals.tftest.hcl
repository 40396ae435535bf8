# What GKE cannot do must be an error of the plan. Run: terraform test

mock_provider "google" {}

variables {
  name    = "telescope-0123abcd"
  project = "some-project"
  region  = "us-central1"
  zones   = ["a"]
  exec    = ["token"]
  pools   = { user = { count = 2, machine = "n2-standard-4" } }
}

run "a_plain_spec_is_planned" {
  command = plan

  assert {
    condition     = length(local.refusals) == 0
    error_message = "nothing may be refused here: ${join("; ", local.refusals)}"
  }
}

run "no_region_is_refused" {
  command = plan

  variables {
    region = null
  }

  expect_failures = [google_compute_network.this]
}

run "no_zones_is_refused" {
  command = plan

  variables {
    zones = []
  }

  expect_failures = [google_compute_network.this]
}

run "a_zone_named_twice_is_refused" {
  command = plan

  variables {
    zones = ["a", "a"]
  }

  expect_failures = [google_compute_network.this]
}

run "an_unknown_network_is_refused" {
  command = plan

  variables {
    network = "calico"
  }

  expect_failures = [google_compute_network.this]
}

run "an_unknown_tier_is_refused" {
  command = plan

  variables {
    tier = "premium"
  }

  expect_failures = [google_compute_network.this]
}

run "no_pool_is_refused" {
  command = plan

  variables {
    pools = {}
  }

  expect_failures = [google_compute_network.this]
}

run "no_pool_for_system_pods_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", taints = [{ key = "a", effect = "NoSchedule" }] } }
  }

  expect_failures = [google_compute_network.this]
}

run "no_node_for_system_pods_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", count = 0 } }
  }

  expect_failures = [google_compute_network.this]
}

run "only_a_pool_for_prometheus_is_refused" {
  command = plan

  variables {
    prometheus_pool = "user"
  }

  expect_failures = [google_compute_network.this]
}

run "too_many_pods_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", count = 40000 } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_simulated_node_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", node = "kwok" } }
  }

  expect_failures = [google_compute_network.this]
}

run "cores_of_a_simulated_node_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", cpu = 4 } }
  }

  expect_failures = [google_compute_network.this]
}

run "memory_of_a_simulated_node_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", memory = "4Gi" } }
  }

  expect_failures = [google_compute_network.this]
}

run "no_machine_type_is_refused" {
  command = plan

  variables {
    pools = { user = { count = 1 } }
  }

  expect_failures = [google_compute_network.this]
}

run "count_and_range_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", count = 1, min = 1, max = 2 } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_range_upside_down_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", min = 3, max = 2 } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_pools_zone_named_twice_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", count = 2, zones = ["a", "a"] } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_count_that_zones_cannot_share_is_refused" {
  command = plan

  variables {
    zones = ["a", "b", "c"]
    pools = { user = { machine = "n2-standard-4", count = 10 } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_range_that_zones_cannot_share_is_refused" {
  command = plan

  variables {
    zones = ["a", "b"]
    pools = { user = { machine = "n2-standard-4", min = 1, max = 4 } }
  }

  expect_failures = [google_compute_network.this]
}

run "one_node_for_two_zones_is_refused" {
  command = plan

  variables {
    zones = ["a", "b"]
    pools = { user = { machine = "n2-standard-4" } }
  }

  expect_failures = [google_compute_network.this]
}

run "too_few_pods_a_node_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", max_pods = 7 } }
  }

  expect_failures = [google_compute_network.this]
}

run "too_many_pods_a_node_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", max_pods = 257 } }
  }

  expect_failures = [google_compute_network.this]
}

run "an_unknown_image_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", os = "AzureLinux" } }
  }

  expect_failures = [google_compute_network.this]
}

run "an_unknown_disk_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", os_disk_type = "Ephemeral" } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_disk_too_small_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", os_disk_gb = 10 } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_disk_that_a_family_cannot_boot_from_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "c4-standard-8", os_disk_type = "pd-ssd" } }
  }

  expect_failures = [google_compute_network.this]
}

run "an_unknown_field_of_kubelet_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", kubelet = { maxPods = "5" } } }
  }

  expect_failures = [google_compute_network.this]
}

run "an_unknown_sysctl_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", sysctls = { "dev.something" = "1" } } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_label_of_the_harness_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", labels = { "telescope/pool" = "x" } } }
  }

  expect_failures = [google_compute_network.this]
}

run "a_taint_of_the_harness_is_refused" {
  command = plan

  variables {
    pools = {
      user   = { machine = "n2-standard-4", taints = [{ key = "telescope/prometheus", effect = "NoSchedule" }] }
      system = { machine = "n2-standard-4" }
    }
  }

  expect_failures = [google_compute_network.this]
}

run "a_wrong_taint_effect_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", taints = [{ key = "a", effect = "Never" }] } }
  }

  expect_failures = [var.pools]
}

run "half_a_range_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "n2-standard-4", min = 1 } }
  }

  expect_failures = [var.pools]
}

run "a_wrong_name_of_a_pool_is_refused" {
  command = plan

  variables {
    pools = { "user-pool" = { count = 1, machine = "n2-standard-4" } }
  }

  expect_failures = [var.pools]
}

run "a_wrong_name_is_refused" {
  command = plan

  variables {
    name = "Upper"
  }

  expect_failures = [var.name]
}

run "a_wrong_project_is_refused" {
  command = plan

  variables {
    project = "P"
  }

  expect_failures = [var.project]
}

run "a_wrong_version_is_refused" {
  command = plan

  variables {
    kubernetes_version = "1.36.2"
  }

  expect_failures = [var.kubernetes_version]
}

run "a_pool_for_prometheus_that_is_not_there_is_refused" {
  command = plan

  variables {
    prometheus_pool = "other"
  }

  expect_failures = [var.prometheus_pool]
}

run "tags_that_are_no_labels_is_refused" {
  command = plan

  variables {
    tags = { owner = "Some Body" }
  }

  expect_failures = [var.tags]
}

run "no_command_for_tokens_is_refused" {
  command = plan

  variables {
    exec = []
  }

  expect_failures = [var.exec]
}

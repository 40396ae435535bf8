# What AKS cannot do must be an error of the plan. Run: terraform test

mock_provider "azurerm" {}

variables {
  name         = "telescope-0123abcd"
  subscription = "00000000-0000-0000-0000-00000000abcd"
  region       = "eastus2"
  pools        = { user = { count = 2, machine = "Standard_D8s_v5" } }
}

run "a_plain_spec_is_planned" {
  command = plan

  assert {
    condition     = length(local.refusals) == 0
    error_message = "nothing may be refused here: ${join("; ", local.refusals)}"
  }
}

run "the_largest_of_everything_is_planned" {
  command = plan

  variables {
    zones = ["1", "2", "3"]
    pools = {
      system = { min = 1, max = 3, machine = "Standard_D8s_v5", max_pods = 30 }
      user   = { count = 1000, machine = "Standard_D8s_v5", max_pods = 250, os_disk_gb = 2048 }
      small  = { count = 0, machine = "Standard_D8s_v5", max_pods = 10, os_disk_gb = 30 }
    }
  }

  assert {
    condition     = length(local.refusals) == 0
    error_message = "nothing may be refused here: ${join("; ", local.refusals)}"
  }
}

run "as_many_nodes_as_kubenet_carries_are_planned" {
  command = plan

  variables {
    network = "kubenet"
    pools   = { user = { count = 399, machine = "Standard_D8s_v5" } }
  }

  assert {
    condition     = length(local.refusals) == 0
    error_message = "nothing may be refused here: ${join("; ", local.refusals)}"
  }
}

run "as_many_nodes_as_the_free_tier_carries_are_planned" {
  command = plan

  variables {
    tier  = "free"
    pools = { user = { count = 999, machine = "Standard_D8s_v5" } }
  }

  assert {
    condition     = length(local.refusals) == 0
    error_message = "nothing may be refused here: ${join("; ", local.refusals)}"
  }
}

run "a_subscription_that_is_no_id_is_refused" {
  command = plan

  variables {
    subscription = "my-subscription"
  }

  expect_failures = [var.subscription]
}

run "no_region_is_refused" {
  command = plan

  variables {
    region = null
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_network_is_refused" {
  command = plan

  variables {
    network = "azure-cni-cilium"
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_tier_is_refused" {
  command = plan

  variables {
    tier = "gold"
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_zone_is_refused" {
  command = plan

  variables {
    zones = ["a"]
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_zone_named_twice_is_refused" {
  command = plan

  variables {
    zones = ["1", "1"]
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "no_pool_is_refused" {
  command = plan

  variables {
    pools = {}
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "more_nodes_than_the_tier_carries_is_refused" {
  command = plan

  variables {
    tier  = "free"
    pools = { a = { machine = "Standard_D8s_v5", count = 1000 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "more_nodes_than_kubenet_carries_is_refused" {
  command = plan

  variables {
    network = "kubenet"
    pools   = { a = { machine = "Standard_D8s_v5", count = 400 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "more_addresses_than_azure_cni_has_is_refused" {
  command = plan

  variables {
    network = "azure-cni"
    pools   = { a = { machine = "Standard_D8s_v5", count = 600 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_node_of_the_embedded_cluster_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", node = "kwok" } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "cores_of_the_embedded_cluster_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", cpu = 4 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "memory_of_the_embedded_cluster_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", memory = "4Gi" } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "no_machine_is_refused" {
  command = plan

  variables {
    pools = { user = { count = 1 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "both_count_and_range_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", count = 1, min = 1, max = 2 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "min_above_max_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", min = 3, max = 2 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_pool_too_large_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", count = 1001 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "too_few_pods_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", max_pods = 9 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "too_many_pods_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", max_pods = 251 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_os_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", os = "Windows2022" } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_disk_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", os_disk_type = "gp3" } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_disk_too_small_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", os_disk_gb = 29 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_disk_too_large_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", os_disk_gb = 2049 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_zone_of_a_pool_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", zones = ["4"] } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_zone_of_a_pool_named_twice_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", zones = ["1", "1"] } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_kubelet_field_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", kubelet = { maxPods = "5" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "log_files_that_are_no_number_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", kubelet = { containerLogMaxFiles = "many" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_log_size_in_another_unit_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", kubelet = { containerLogMaxSize = "1Gi" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_quota_that_is_neither_on_nor_off_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", kubelet = { cpuCFSQuota = "maybe" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_high_threshold_that_is_no_number_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", kubelet = { imageGCHighThresholdPercent = "high" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_low_threshold_that_is_no_number_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", kubelet = { imageGCLowThresholdPercent = "low" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "pids_that_are_no_number_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", kubelet = { podPidsLimit = "-1" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "an_unknown_sysctl_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", sysctls = { "vm.overcommit_memory" = "1" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_sysctl_that_is_no_number_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", sysctls = { "vm.swappiness" = "low" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "one_port_for_a_range_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", sysctls = { "net.ipv4.ip_local_port_range" = "1024" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_switch_that_is_neither_0_nor_1_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", sysctls = { "net.ipv4.tcp_tw_reuse" = "2" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_label_of_the_harness_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", labels = { "telescope/pool" = "other" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_label_of_aks_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", labels = { "kubernetes.azure.com/mode" = "system" } } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_taint_of_the_harness_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", taints = [{ key = "telescope/prometheus", value = "true", effect = "NoSchedule" }] } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_taint_of_spot_is_refused" {
  command = plan

  variables {
    pools = { user = { machine = "Standard_D8s_v5", taints = [{ key = "kubernetes.azure.com/scalesetpriority", value = "spot", effect = "NoSchedule" }] } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "prometheus_on_the_system_pool_is_refused" {
  command = plan

  variables {
    prometheus_pool = "system"
    pools           = { system = { machine = "Standard_D8s_v5" } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_system_pool_without_nodes_is_refused" {
  command = plan

  variables {
    pools = { system = { machine = "Standard_D8s_v5", count = 0 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_system_pool_that_may_shrink_to_nothing_is_refused" {
  command = plan

  variables {
    pools = { system = { machine = "Standard_D8s_v5", min = 0, max = 3 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_spot_system_pool_is_refused" {
  command = plan

  variables {
    pools = { system = { machine = "Standard_D8s_v5", spot = true } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_system_pool_for_few_pods_is_refused" {
  command = plan

  variables {
    pools = { system = { machine = "Standard_D8s_v5", max_pods = 29 } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

run "a_system_pool_with_another_taint_is_refused" {
  command = plan

  variables {
    pools = { system = { machine = "Standard_D8s_v5", taints = [{ key = "CriticalAddonsOnly", value = "true", effect = "NoExecute" }] } }
  }

  expect_failures = [azurerm_resource_group.this]

  assert {
    condition     = length(local.refusals) == 1
    error_message = "one reason is told, not ${length(local.refusals)}: ${join("; ", local.refusals)}"
  }
}

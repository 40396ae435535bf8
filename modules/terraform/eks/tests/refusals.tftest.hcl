# What EKS cannot do must be an error of the plan. Run: terraform test

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1c", "us-east-1a", "us-east-1b"] }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = {
      supported_architectures              = ["x86_64"]
      maximum_network_interfaces           = 4
      maximum_ipv4_addresses_per_interface = 15
      default_vcpus                        = 4
      hypervisor                           = "nitro"
      bare_metal                           = false
    }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn                   = "arn:aws:eks:us-east-1:123456789012:cluster/telescope-0123abcd"
      endpoint              = "https://0123.gr7.us-east-1.eks.amazonaws.com"
      version               = "1.34"
      certificate_authority = [{ data = "Q0E=" }]
    }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/telescope/made" }
  }
}

override_data {
  target = data.aws_ec2_instance_type.pool["a1.xlarge"]
  values = {
    supported_architectures              = ["arm64"]
    maximum_network_interfaces           = 4
    maximum_ipv4_addresses_per_interface = 15
    default_vcpus                        = 4
    hypervisor                           = "nitro"
    bare_metal                           = false
  }
}

override_data {
  target = data.aws_ec2_instance_type.pool["m6i.8xlarge"]
  values = {
    supported_architectures              = ["x86_64"]
    maximum_network_interfaces           = 8
    maximum_ipv4_addresses_per_interface = 30
    default_vcpus                        = 32
    hypervisor                           = "nitro"
    bare_metal                           = false
  }
}

variables {
  name                 = "telescope-0123abcd"
  region               = "us-east-1"
  kubernetes_version   = "1.34"
  admin_principal_arns = ["arn:aws:iam::123456789012:role/runner"]
  exec                 = ["/usr/bin/python3", "-m", "pytest_telescope", "kube-token", "eks"]
  exec_env             = { PYTHONPATH = "/checkout" }
  tags                 = { run_id = "r1", telescope_lease = "0123abcd", deletion_due_time = "1795500000" }
  pools                = { user = { count = 3, machine = "m6i.xlarge" } }
}

run "a_missing_region" {
  command = plan

  variables {
    region = null
  }

  expect_failures = [aws_vpc.this]
}

run "an_unknown_network" {
  command = plan

  variables {
    network = "cilium"
  }

  expect_failures = [aws_vpc.this]
}

run "an_unknown_tier" {
  command = plan

  variables {
    tier = "premium"
  }

  expect_failures = [aws_vpc.this]
}

run "a_zone_twice" {
  command = plan

  variables {
    zones = ["a", "a"]
  }

  expect_failures = [aws_vpc.this]
}

run "a_zone_that_is_not_there" {
  command = plan

  variables {
    zones = ["z"]
  }

  expect_failures = [aws_vpc.this]
}

run "nobody_to_administer_it" {
  command = plan

  variables {
    admin_principal_arns = []
  }

  expect_failures = [aws_vpc.this]
}

run "no_pool" {
  command = plan

  variables {
    pools = {}
  }

  expect_failures = [aws_vpc.this]
}

run "only_tainted_pools" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", taints = [{ key = "a", effect = "NoSchedule" }] } }
  }

  expect_failures = [aws_vpc.this]
}

run "only_the_pool_of_prometheus" {
  command = plan

  variables {
    prometheus_pool = "user"
  }

  expect_failures = [aws_vpc.this]
}

run "no_node_at_all" {
  command = plan

  variables {
    pools = { user = { count = 0, machine = "m6i.xlarge" } }
  }

  expect_failures = [aws_vpc.this]
}

run "more_addresses_than_a_subnet_has" {
  command = plan

  variables {
    pools = { user = { count = 1000, machine = "m6i.xlarge" } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_simulated_node" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", node = "kwok" } }
  }

  expect_failures = [aws_vpc.this]
}

run "cores_of_a_simulated_node" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", cpu = 4 } }
  }

  expect_failures = [aws_vpc.this]
}

run "memory_of_a_simulated_node" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", memory = "4Gi" } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_pool_without_machine" {
  command = plan

  variables {
    pools = { user = { count = 1 }, other = { count = 1, machine = "m6i.xlarge" } }
  }

  expect_failures = [aws_vpc.this]
}

run "count_and_range" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", min = 1, max = 2 } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_range_upside_down" {
  command = plan

  variables {
    pools = { user = { min = 3, max = 2, machine = "m6i.xlarge" } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_pool_that_names_a_zone_twice" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", zones = ["a", "a"] } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_pool_in_a_zone_that_is_not_there" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", zones = ["z"] } }
  }

  expect_failures = [aws_vpc.this]
}

run "an_unknown_os" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", os = "AL2" } }
  }

  expect_failures = [aws_vpc.this]
}

run "an_unknown_disk" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", os_disk_type = "io2" } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_disk_too_small" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", os_disk_gb = 10 } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_disk_too_large" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", os_disk_gb = 20000 } }
  }

  expect_failures = [aws_vpc.this]
}

run "more_pods_than_managed_nodes_take" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", max_pods = 111 } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_kubelet_field_that_is_not_there" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", kubelet = { podPidLimit = "1" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_kubelet_field_that_the_harness_sets" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", kubelet = { maxPods = "1" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_kubelet_field_that_bottlerocket_has_not" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", os = "BOTTLEROCKET", kubelet = { podsPerCore = "1" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_kubelet_number_that_is_none" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", kubelet = { podPidsLimit = "many" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_kubelet_switch_that_is_none" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", kubelet = { cpuCFSQuota = "maybe" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_sysctl_that_is_not_there" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", sysctls = { "dev.cdrom.info" = "1" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_sysctl_that_kubelet_writes" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", sysctls = { "vm.overcommit_memory" = "1" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_sysctl_that_is_a_command" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", sysctls = { "net.core.somaxconn" = "1\nEND\nreboot" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_label_of_the_harness" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", labels = { "telescope/pool" = "x" } } }
  }

  expect_failures = [aws_vpc.this]
}

run "a_taint_of_the_harness" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "m6i.xlarge", taints = [{ key = "telescope/prometheus", effect = "NoSchedule" }] } }
  }

  expect_failures = [aws_vpc.this]
}

run "more_pods_than_interfaces_have_addresses" {
  command = plan

  variables {
    network = "vpc-cni"
    pools   = { user = { count = 1, machine = "m6i.xlarge", max_pods = 59 } }
  }

  expect_failures = [aws_vpc.this]
}

run "prefixes_on_a_machine_that_takes_none" {
  command = plan

  override_data {
    target = data.aws_ec2_instance_type.pool["m6i.xlarge"]
    values = {
      supported_architectures              = ["x86_64"]
      maximum_network_interfaces           = 4
      maximum_ipv4_addresses_per_interface = 15
      default_vcpus                        = 4
      hypervisor                           = "xen"
      bare_metal                           = false
    }
  }

  expect_failures = [aws_vpc.this]
}

run "a_region_with_one_zone" {
  command = plan

  override_data {
    target = data.aws_availability_zones.this
    values = { names = ["us-east-1a"] }
  }

  expect_failures = [aws_vpc.this]
}

run "a_session_that_is_no_role" {
  command = plan

  variables {
    admin_principal_arns = ["arn:aws:sts::123456789012:assumed-role/runner/session"]
  }

  expect_failures = [var.admin_principal_arns]
}

run "no_command_for_tokens" {
  command = plan

  variables {
    exec = []
  }

  expect_failures = [var.exec]
}

# Every word of a spec must arrive where EKS looks for it. Run: terraform test

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

run "a_plain_spec" {
  command = apply

  assert {
    condition     = length(local.refusals) == 0
    error_message = "nothing may be refused here: ${join("; ", local.refusals)}"
  }
  assert {
    condition     = aws_eks_cluster.this.version == "1.34" && aws_eks_cluster.this.name == "telescope-0123abcd"
    error_message = "name and version"
  }
  assert {
    condition     = length(aws_eks_cluster.this.control_plane_scaling_config) == 0 && length(aws_eks_cluster.this.enabled_cluster_log_types) == 0
    error_message = "the usual tier needs no block, and nothing is logged to CloudWatch"
  }
  assert {
    condition     = aws_eks_cluster.this.deletion_protection == false && aws_eks_cluster.this.bootstrap_self_managed_addons == false
    error_message = "the cluster must be deletable, and without add-ons that nobody pins"
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions == false
    error_message = "access comes from access entries alone"
  }
  assert {
    condition     = aws_eks_cluster.this.upgrade_policy[0].support_type == "STANDARD"
    error_message = "extended support costs six times as much"
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access == true && aws_eks_cluster.this.vpc_config[0].endpoint_private_access == true
    error_message = "the harness comes from outside, nodes from inside"
  }
  assert {
    condition     = aws_eks_cluster.this.kubernetes_network_config[0].service_ipv4_cidr == "172.20.0.0/16" && aws_eks_cluster.this.kubernetes_network_config[0].ip_family == "ipv4"
    error_message = "range of services"
  }
  assert {
    condition     = aws_eks_cluster.this.timeouts.create == "45m" && aws_eks_cluster.this.timeouts.delete == "45m" && aws_eks_node_group.pool["user"].timeouts.create == "60m"
    error_message = "waits are bounded by the module, not by the provider's defaults"
  }
  assert {
    condition     = join(",", keys(aws_eks_access_entry.admin)) == "arn:aws:iam::123456789012:role/runner" && aws_eks_access_entry.admin["arn:aws:iam::123456789012:role/runner"].principal_arn == "arn:aws:iam::123456789012:role/runner"
    error_message = "the runner has an access entry"
  }
  assert {
    condition     = aws_eks_access_policy_association.admin["arn:aws:iam::123456789012:role/runner"].policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy" && aws_eks_access_policy_association.admin["arn:aws:iam::123456789012:role/runner"].access_scope[0].type == "cluster"
    error_message = "the runner administers the cluster"
  }
}

run "the_network_is_public_and_has_no_gateway_that_costs" {
  command = apply

  assert {
    condition     = join(",", keys(aws_subnet.public)) == "us-east-1a,us-east-1b"
    error_message = "the first two zones: ${join(",", keys(aws_subnet.public))}"
  }
  assert {
    condition     = aws_subnet.public["us-east-1a"].cidr_block == "10.0.0.0/17" && aws_subnet.public["us-east-1b"].cidr_block == "10.0.128.0/17" && aws_vpc.this.cidr_block == "10.0.0.0/16"
    error_message = "the zones share the whole range"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch && subnet.tags["kubernetes.io/role/elb"] == "1" && subnet.tags["kubernetes.io/cluster/telescope-0123abcd"] == "shared"])
    error_message = "nodes reach the internet by themselves, and load balancers find the subnets"
  }
  assert {
    condition     = aws_route.internet.destination_cidr_block == "0.0.0.0/0" && aws_route.internet.gateway_id == aws_internet_gateway.this.id && aws_route.internet.route_table_id == aws_route_table.public.id
    error_message = "the way out"
  }
  assert {
    condition     = alltrue([for zone, one in aws_route_table_association.public : one.subnet_id == aws_subnet.public[zone].id && one.route_table_id == aws_route_table.public.id])
    error_message = "every subnet has the way out"
  }
  assert {
    condition     = aws_vpc.this.enable_dns_hostnames == true && aws_vpc.this.enable_dns_support == true && aws_vpc.this.tags["Name"] == "telescope-0123abcd"
    error_message = "nodes find the private endpoint by name"
  }
  assert {
    condition     = aws_subnet.public["us-east-1a"].timeouts.delete == "20m" && aws_internet_gateway.this.timeouts.delete == "20m"
    error_message = "interfaces go some time after their owners"
  }
}

run "a_plain_pool" {
  command = apply

  assert {
    condition     = join(",", aws_eks_node_group.pool["user"].instance_types) == "m6i.xlarge" && aws_eks_node_group.pool["user"].ami_type == "AL2023_x86_64_STANDARD" && aws_eks_node_group.pool["user"].capacity_type == "ON_DEMAND"
    error_message = "machine, image, capacity"
  }
  assert {
    condition     = aws_eks_node_group.pool["user"].scaling_config[0].desired_size == 3 && aws_eks_node_group.pool["user"].scaling_config[0].min_size == 3 && aws_eks_node_group.pool["user"].scaling_config[0].max_size == 3
    error_message = "count"
  }
  assert {
    condition     = aws_eks_node_group.pool["user"].labels == tomap({ "telescope/pool" = "user" }) && length(aws_eks_node_group.pool["user"].taint) == 0
    error_message = "labels and taints"
  }
  assert {
    condition     = aws_eks_node_group.pool["user"].node_group_name == "user" && aws_eks_node_group.pool["user"].cluster_name == "telescope-0123abcd" && aws_eks_node_group.pool["user"].node_role_arn == aws_iam_role.node.arn
    error_message = "name, cluster and role"
  }
  assert {
    condition     = aws_eks_node_group.pool["user"].node_repair_config[0].enabled == false && aws_eks_node_group.pool["user"].update_config[0].max_unavailable_percentage == 100
    error_message = "nobody replaces nodes"
  }
  assert {
    condition     = toset(aws_eks_node_group.pool["user"].subnet_ids) == toset([for subnet in aws_subnet.public : subnet.id])
    error_message = "a pool without zones is in all of the default"
  }
  assert {
    condition     = aws_launch_template.pool["user"].block_device_mappings[0].device_name == "/dev/xvda" && tonumber(aws_launch_template.pool["user"].block_device_mappings[0].ebs[0].volume_size) == 100 && aws_launch_template.pool["user"].block_device_mappings[0].ebs[0].volume_type == "gp3"
    error_message = "disk"
  }
  assert {
    condition     = tobool(aws_launch_template.pool["user"].block_device_mappings[0].ebs[0].delete_on_termination) && aws_launch_template.pool["user"].metadata_options[0].http_tokens == "required" && aws_launch_template.pool["user"].metadata_options[0].http_put_response_hop_limit == 2 && aws_launch_template.pool["user"].metadata_options[0].http_endpoint == "enabled"
    error_message = "disks go with their machine; metadata by token, also for pods"
  }
  assert {
    condition = toset([for one in aws_launch_template.pool["user"].tag_specifications : one.resource_type]) == toset(["instance", "volume", "network-interface"]) && alltrue([
      for one in aws_launch_template.pool["user"].tag_specifications : one.tags["telescope_lease"] == "0123abcd" && one.tags["run_id"] == "r1" && one.tags["deletion_due_time"] == "1795500000" && one.tags["Name"] == "telescope-0123abcd-user"
    ])
    error_message = "machines, disks and interfaces carry the tags"
  }
  assert {
    condition = alltrue(concat(
      [for one in [aws_internet_gateway.this, aws_route_table.public] : one.tags["Name"] == "telescope-0123abcd"],
      [for one in [aws_launch_template.pool["user"], aws_eks_node_group.pool["user"]] : one.tags["Name"] == "telescope-0123abcd-user"],
      [for zone, one in aws_subnet.public : one.tags["Name"] == "telescope-0123abcd-${zone}"],
    ))
    error_message = "the console shows whose each thing is"
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.pool["user"].user_data), "{\"apiVersion\":\"node.eks.aws/v1alpha1\",\"kind\":\"NodeConfig\",\"spec\":{\"kubelet\":{\"config\":{\"maxPods\":110}}}}")
    error_message = base64decode(aws_launch_template.pool["user"].user_data)
  }
  assert {
    condition     = !strcontains(base64decode(aws_launch_template.pool["user"].user_data), "x-shellscript")
    error_message = "no script without sysctls"
  }
  assert {
    condition     = aws_launch_template.pool["user"].update_default_version == true && aws_launch_template.pool["user"].name == "telescope-0123abcd-user" && aws_eks_node_group.pool["user"].launch_template[0].id == aws_launch_template.pool["user"].id
    error_message = "the group uses its launch template"
  }
}

run "a_pool_with_everything" {
  command = apply

  variables {
    pools = {
      user = { count = 1, machine = "m6i.xlarge" }
      many = {
        min          = 2
        max          = 8
        machine      = "m6i.8xlarge"
        max_pods     = 250
        labels       = { disk = "fast" }
        taints       = [{ key = "a", value = "b", effect = "NoExecute" }, { key = "c", effect = "PreferNoSchedule" }, { key = "d", effect = "NoSchedule" }]
        os_disk_gb   = 200
        os_disk_type = "gp2"
        zones        = ["c"]
        spot         = true
        kubelet      = { podPidsLimit = "4096", cpuCFSQuota = "false", cpuManagerPolicy = "static", imageMinimumGCAge = "5m" }
        sysctls      = { "net.core.somaxconn" = "4096", "net.ipv4.ip_local_port_range" = "1024 65000" }
      }
    }
  }

  assert {
    condition     = aws_eks_node_group.pool["many"].scaling_config[0].min_size == 2 && aws_eks_node_group.pool["many"].scaling_config[0].desired_size == 2 && aws_eks_node_group.pool["many"].scaling_config[0].max_size == 8
    error_message = "min and max"
  }
  assert {
    condition     = aws_eks_node_group.pool["many"].capacity_type == "SPOT"
    error_message = "spot"
  }
  assert {
    condition     = aws_eks_node_group.pool["many"].labels == tomap({ "telescope/pool" = "many", disk = "fast" })
    error_message = "labels"
  }
  assert {
    condition     = toset([for one in aws_eks_node_group.pool["many"].taint : "${one.key}=${one.value}:${one.effect}"]) == toset(["a=b:NO_EXECUTE", "c=:PREFER_NO_SCHEDULE", "d=:NO_SCHEDULE"])
    error_message = "taints"
  }
  assert {
    condition     = join(",", aws_eks_node_group.pool["many"].subnet_ids) == aws_subnet.public["us-east-1c"].id && join(",", sort(keys(aws_subnet.public))) == "us-east-1a,us-east-1b,us-east-1c" && aws_subnet.public["us-east-1c"].cidr_block == "10.0.128.0/18"
    error_message = "a pool's zones, and the subnets of all pools"
  }
  assert {
    condition     = tonumber(aws_launch_template.pool["many"].block_device_mappings[0].ebs[0].volume_size) == 200 && aws_launch_template.pool["many"].block_device_mappings[0].ebs[0].volume_type == "gp2"
    error_message = "disk"
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.pool["many"].user_data), "\"config\":{\"maxPods\":250,\"cpuCFSQuota\":false,\"cpuManagerPolicy\":\"static\",\"imageMinimumGCAge\":\"5m\",\"podPidsLimit\":4096}")
    error_message = base64decode(aws_launch_template.pool["many"].user_data)
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.pool["many"].user_data), "Content-Type: text/x-shellscript; charset=\"us-ascii\"\n\n#!/bin/bash\nset -e\ncat > /etc/sysctl.d/99-telescope.conf <<'END'\nnet.core.somaxconn = 4096\nnet.ipv4.ip_local_port_range = 1024 65000\nEND\nsysctl -p /etc/sysctl.d/99-telescope.conf\n\n--telescope--")
    error_message = base64decode(aws_launch_template.pool["many"].user_data)
  }
  assert {
    condition     = output.facts.facts.nodes == 3 && output.facts.facts.nodes_max == 9 && output.facts.facts.spot
    error_message = "facts count nodes"
  }
}

run "arm_is_told_by_what_the_machine_supports" {
  command = apply

  variables {
    pools = {
      user   = { count = 1, machine = "a1.xlarge" }
      rocket = { count = 1, machine = "a1.xlarge", os = "BOTTLEROCKET" }
      intel  = { count = 1, machine = "m6i.xlarge", os = "BOTTLEROCKET" }
    }
  }

  assert {
    condition     = aws_eks_node_group.pool["user"].ami_type == "AL2023_ARM_64_STANDARD" && aws_eks_node_group.pool["rocket"].ami_type == "BOTTLEROCKET_ARM_64" && aws_eks_node_group.pool["intel"].ami_type == "BOTTLEROCKET_x86_64"
    error_message = "image types"
  }
  assert {
    condition     = output.facts.facts.architectures == "arm64,x86_64" && output.facts.facts.os == "AL2023,BOTTLEROCKET"
    error_message = "facts tell the images"
  }
}

run "bottlerocket_is_set_up_in_its_own_words" {
  command = apply

  variables {
    pools = {
      user = {
        count   = 1, machine = "m6i.xlarge", os = "BOTTLEROCKET", max_pods = 60
        kubelet = { podPidsLimit = "4096", cpuCFSQuota = "true", cpuManagerPolicy = "static" }
        sysctls = { "net.core.somaxconn" = "4096" }
      }
    }
  }

  assert {
    condition     = base64decode(aws_launch_template.pool["user"].user_data) == "[settings.kubernetes]\n\"max-pods\" = 60\n\"cpu-cfs-quota-enforced\" = true\n\"cpu-manager-policy\" = \"static\"\n\"pod-pids-limit\" = 4096\n\n[settings.kernel.sysctl]\n\"net.core.somaxconn\" = \"4096\"\n"
    error_message = base64decode(aws_launch_template.pool["user"].user_data)
  }
  assert {
    condition     = aws_launch_template.pool["user"].block_device_mappings[0].device_name == "/dev/xvdb"
    error_message = "the disk with the data is the second one"
  }
  assert {
    condition     = length(setsubtract(keys(local.bottlerocket), keys(local.kubelet_types))) == 0 && length(distinct(values(local.bottlerocket))) == length(local.bottlerocket)
    error_message = "only fields of kubelet are translated: ${join(", ", setsubtract(keys(local.bottlerocket), keys(local.kubelet_types)))}"
  }
}

run "a_pool_without_nodes_has_room_for_one" {
  command = apply

  variables {
    pools = {
      user = { count = 1, machine = "m6i.xlarge" }
      idle = { count = 0, machine = "m6i.xlarge" }
      none = { machine = "m6i.xlarge" }
    }
  }

  assert {
    condition     = aws_eks_node_group.pool["idle"].scaling_config[0].desired_size == 0 && aws_eks_node_group.pool["idle"].scaling_config[0].min_size == 0 && aws_eks_node_group.pool["idle"].scaling_config[0].max_size == 1
    error_message = "EKS wants max_size to be 1 at least"
  }
  assert {
    condition     = aws_eks_node_group.pool["none"].scaling_config[0].desired_size == 1
    error_message = "no count is one node"
  }
}

run "prometheus_has_its_pool_for_itself" {
  command = apply

  variables {
    prometheus_pool = "watch"
    pools = {
      user  = { count = 1, machine = "m6i.xlarge" }
      watch = { count = 1, machine = "m6i.xlarge" }
    }
  }

  assert {
    condition     = aws_eks_node_group.pool["watch"].labels == tomap({ "telescope/pool" = "watch", "telescope/prometheus" = "true" }) && one(aws_eks_node_group.pool["watch"].taint).key == "telescope/prometheus" && one(aws_eks_node_group.pool["watch"].taint).value == "true" && one(aws_eks_node_group.pool["watch"].taint).effect == "NO_SCHEDULE"
    error_message = "label and taint"
  }
  assert {
    condition     = length(aws_eks_node_group.pool["user"].taint) == 0
    error_message = "other pools have neither"
  }
}

run "the_network_by_default_is_prefix_delegation" {
  command = apply

  assert {
    condition     = jsondecode(aws_eks_addon.before["vpc-cni"].configuration_values).env == { ENABLE_PREFIX_DELEGATION = "true", WARM_PREFIX_TARGET = "1" }
    error_message = "prefixes"
  }
  assert {
    condition     = output.facts.facts.network == "vpc-cni-prefix-delegation" && output.facts.facts.tier == "standard"
    error_message = "facts tell network and tier"
  }
}

run "the_network_without_prefixes" {
  command = apply

  variables {
    network = "vpc-cni"
    pools   = { user = { count = 1, machine = "m6i.xlarge", max_pods = 58 } }
  }

  assert {
    condition     = jsondecode(aws_eks_addon.before["vpc-cni"].configuration_values).env == { ENABLE_PREFIX_DELEGATION = "false" }
    error_message = "no prefixes"
  }
}

run "the_tier_is_a_provisioned_control_plane" {
  command = apply

  variables {
    tier = "tier-2xl"
  }

  assert {
    condition     = aws_eks_cluster.this.control_plane_scaling_config[0].tier == "tier-2xl" && output.facts.facts.tier == "tier-2xl"
    error_message = "tier"
  }
}

run "zones_that_are_asked_for" {
  command = apply

  variables {
    zones = ["b"]
  }

  assert {
    condition     = join(",", aws_eks_node_group.pool["user"].subnet_ids) == aws_subnet.public["us-east-1b"].id && join(",", sort(keys(aws_subnet.public))) == "us-east-1a,us-east-1b"
    error_message = "nodes in one zone, the control plane in two"
  }
  assert {
    condition     = aws_subnet.public["us-east-1b"].availability_zone == "us-east-1b" && aws_subnet.public["us-east-1b"].vpc_id == aws_vpc.this.id
    error_message = "each subnet in its zone"
  }
}

run "add_ons_come_in_two_groups" {
  command = apply

  assert {
    condition     = join(",", keys(aws_eks_addon.before)) == "eks-pod-identity-agent,kube-proxy,vpc-cni" && join(",", keys(aws_eks_addon.after)) == "aws-ebs-csi-driver,coredns,metrics-server"
    error_message = "groups"
  }
  assert {
    condition     = alltrue([for name, one in merge(aws_eks_addon.before, aws_eks_addon.after) : one.addon_name == name && one.resolve_conflicts_on_create == "OVERWRITE" && one.resolve_conflicts_on_update == "OVERWRITE"])
    error_message = "names and conflicts"
  }
  assert {
    condition     = jsondecode(aws_eks_addon.after["aws-ebs-csi-driver"].configuration_values).controller.extraVolumeTags == { run_id = "r1", telescope_lease = "0123abcd", deletion_due_time = "1795500000" }
    error_message = "disks of claims carry the tags"
  }
  assert {
    condition     = one(aws_eks_addon.after["aws-ebs-csi-driver"].pod_identity_association).role_arn == aws_iam_role.disks.arn && one(aws_eks_addon.after["aws-ebs-csi-driver"].pod_identity_association).service_account == "ebs-csi-controller-sa" && length(aws_eks_addon.after["coredns"].pod_identity_association) == 0
    error_message = "the driver of disks has a role"
  }
}

run "roles_are_under_one_path_and_can_be_deleted" {
  command = apply

  assert {
    condition     = alltrue([for role in [aws_iam_role.cluster, aws_iam_role.node, aws_iam_role.disks] : role.path == "/telescope/" && role.force_detach_policies && startswith(role.name, "telescope-0123abcd-")])
    error_message = "path"
  }
  assert {
    condition     = join(",", sort([for one in aws_iam_role_policy_attachment.node : one.policy_arn])) == "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly,arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy,arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
    error_message = "rights of nodes"
  }
  assert {
    condition     = aws_iam_role_policy_attachment.cluster.policy_arn == "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy" && aws_iam_role_policy_attachment.disks.policy_arn == "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
    error_message = "rights of the control plane and of the driver of disks"
  }
  assert {
    condition     = aws_iam_role_policy_attachment.cluster.role == aws_iam_role.cluster.name && aws_iam_role_policy_attachment.disks.role == aws_iam_role.disks.name && alltrue([for one in aws_iam_role_policy_attachment.node : one.role == aws_iam_role.node.name])
    error_message = "rights are of the right role"
  }
  assert {
    condition     = jsondecode(aws_iam_role.cluster.assume_role_policy).Statement[0].Principal.Service == "eks.amazonaws.com" && jsondecode(aws_iam_role.node.assume_role_policy).Statement[0].Principal.Service == "ec2.amazonaws.com" && jsondecode(aws_iam_role.disks.assume_role_policy).Statement[0].Principal.Service == "pods.eks.amazonaws.com"
    error_message = "who may take the roles"
  }
  assert {
    condition     = jsondecode(aws_iam_role.disks.assume_role_policy).Statement[0].Action == ["sts:AssumeRole", "sts:TagSession"] && jsondecode(aws_iam_role.node.assume_role_policy).Statement[0].Action == ["sts:AssumeRole"]
    error_message = "pod identity tags its sessions"
  }
  assert {
    condition     = jsondecode(aws_iam_role.node.assume_role_policy).Version == "2012-10-17" && jsondecode(aws_iam_role.node.assume_role_policy).Statement[0].Effect == "Allow"
    error_message = "policy"
  }
}

run "the_kubeconfig_asks_the_harness_for_tokens" {
  command = apply

  assert {
    condition = yamldecode(output.kubeconfig).users[0].user.exec == {
      apiVersion      = "client.authentication.k8s.io/v1"
      command         = "/usr/bin/python3"
      args            = ["-m", "pytest_telescope", "kube-token", "eks", "--cluster", "telescope-0123abcd"]
      env             = [{ name = "PYTHONPATH", value = "/checkout" }]
      interactiveMode = "Never"
    }
    error_message = "exec"
  }
  assert {
    condition     = yamldecode(output.kubeconfig).clusters[0].cluster == { server = "https://0123.gr7.us-east-1.eks.amazonaws.com", certificate-authority-data = "Q0E=" }
    error_message = "cluster"
  }
  assert {
    condition = (
      yamldecode(output.kubeconfig).contexts == [{ name = "telescope-0123abcd", context = { cluster = "telescope-0123abcd", user = "telescope-0123abcd" } }] &&
      yamldecode(output.kubeconfig)["current-context"] == "telescope-0123abcd" &&
      yamldecode(output.kubeconfig).clusters[0].name == "telescope-0123abcd" &&
      yamldecode(output.kubeconfig).users[0].name == "telescope-0123abcd" &&
      keys(yamldecode(output.kubeconfig).users[0]) == ["name", "user"] &&
      keys(yamldecode(output.kubeconfig).clusters[0]) == ["cluster", "name"] &&
      keys(yamldecode(output.kubeconfig)) == ["apiVersion", "clusters", "contexts", "current-context", "kind", "preferences", "users"] &&
      yamldecode(output.kubeconfig).apiVersion == "v1" && yamldecode(output.kubeconfig).kind == "Config"
    )
    error_message = "the context, and nothing beside what a kubeconfig has"
  }
  assert {
    condition = keys(output.facts.facts) == [
      "addons", "architectures", "kubernetes_version", "machines", "network", "nodes", "nodes_max", "os", "os_disks",
      "os_releases", "platform_version", "region", "spot", "tier", "zones",
    ]
    error_message = "names of facts: ${join(", ", keys(output.facts.facts))}"
  }
  assert {
    condition     = output.facts.facts.region == "us-east-1" && startswith(output.facts.facts.os_releases, "user=") && startswith(output.facts.facts.addons, "aws-ebs-csi-driver=")
    error_message = "facts of add-ons and images: ${output.facts.facts.addons}; ${output.facts.facts.os_releases}"
  }
  assert {
    condition     = output.facts.cluster.account == "123456789012" && output.facts.cluster.region == "us-east-1" && output.facts.cluster.version == "1.34" && output.facts.cluster.name == "telescope-0123abcd"
    error_message = "facts of the cluster"
  }
  assert {
    condition     = output.facts.cluster.id == "arn:aws:eks:us-east-1:123456789012:cluster/telescope-0123abcd" && output.facts.cluster.endpoint == "https://0123.gr7.us-east-1.eks.amazonaws.com"
    error_message = "id and endpoint"
  }
  assert {
    condition     = output.facts.facts.machines == "user=m6i.xlarge" && output.facts.facts.os_disks == "user=gp3:100" && output.facts.facts.zones == "us-east-1a,us-east-1b" && output.facts.facts.kubernetes_version == "1.34"
    error_message = "facts are flat"
  }
}

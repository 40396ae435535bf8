# Pools as EKS wants them: a node group each, whose launch template says what the group itself cannot.

data "aws_ec2_instance_type" "pool" {
  for_each = toset([for pool in var.pools : pool.machine if pool.machine != null])

  region        = var.region
  instance_type = each.key
}

locals {
  default_os      = "AL2023"
  default_disk_gb = 100

  pools = {
    for name, pool in var.pools : name => {
      scaled    = pool.max != null
      least     = pool.max != null ? coalesce(pool.min, 0) : pool.count == null ? 1 : pool.count
      most      = pool.max != null ? pool.max : pool.count == null ? 1 : pool.count
      machine   = coalesce(pool.machine, "-")
      max_pods  = pool.max_pods
      os        = coalesce(pool.os, local.default_os)
      arch      = contains(try(data.aws_ec2_instance_type.pool[pool.machine].supported_architectures, []), "arm64") ? "arm64" : "x86_64"
      disk_gb   = coalesce(pool.os_disk_gb, local.default_disk_gb)
      disk_type = coalesce(pool.os_disk_type, "gp3")
      spot      = pool.spot
      zones     = length(pool.zones) > 0 ? [for zone in pool.zones : "${local.region}${zone}"] : local.default_zones
      sysctls   = pool.sysctls
      kubelet   = pool.kubelet
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

  # Interfaces of a machine, addresses of an interface (one is its own), and what managed node groups allow at most:
  # https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
  limits = {
    for name, pool in local.pools : name => {
      interfaces = try(data.aws_ec2_instance_type.pool[pool.machine].maximum_network_interfaces, 0)
      addresses  = try(data.aws_ec2_instance_type.pool[pool.machine].maximum_ipv4_addresses_per_interface, 0)
      pods       = try(data.aws_ec2_instance_type.pool[pool.machine].default_vcpus, 0) < 30 ? 110 : 250
      prefixes   = try(data.aws_ec2_instance_type.pool[pool.machine].hypervisor == "nitro" || data.aws_ec2_instance_type.pool[pool.machine].bare_metal, false)
    }
  }
  most_pods = {
    for name, limit in local.limits : name => min(limit.pods, 2 + limit.interfaces * (limit.addresses - 1) * (local.prefixes ? 16 : 1))
  }

  # Addresses that a node takes: its interfaces' own, its pods', and the spare ones that the CNI keeps warm.
  node_addresses = {
    for name, pool in local.pools : name => local.prefixes ? 16 * (ceil(pool.max_pods / 16) + 1) + local.limits[name].interfaces : (
      min(local.limits[name].interfaces, ceil(pool.max_pods / max(1, local.limits[name].addresses - 1)) + 1) * local.limits[name].addresses
    )
  }

  kubelet_values = {
    for name, pool in local.pools : name => {
      for key, value in pool.kubelet : key => {
        text   = value
        number = try(tonumber(value), null)
        bool   = try(tobool(value), null)
      }
    }
  }

  # jsonencode of the parts: an object of values of several types has no type that a map could have.
  node_config = {
    for name, pool in local.pools : name => format("{%s}", join(",", concat(
      ["\"maxPods\":${pool.max_pods}"],
      [for key, value in local.kubelet_values[name] : format("%s:%s", jsonencode(key),
        lookup(local.kubelet_types, key, "string") == "number" ? jsonencode(value.number) :
        lookup(local.kubelet_types, key, "string") == "bool" ? jsonencode(value.bool) : jsonencode(value.text)
      )]
    )))
  }

  al2023_data = {
    for name, pool in local.pools : name => join("\n", concat(
      ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=\"telescope\"", "", "--telescope"],
      ["Content-Type: application/node.eks.aws", ""],
      ["{\"apiVersion\":\"node.eks.aws/v1alpha1\",\"kind\":\"NodeConfig\",\"spec\":{\"kubelet\":{\"config\":${local.node_config[name]}}}}"],
      length(pool.sysctls) == 0 ? [] : concat(
        ["", "--telescope", "Content-Type: text/x-shellscript; charset=\"us-ascii\"", "", "#!/bin/bash", "set -e"],
        ["cat > /etc/sysctl.d/99-telescope.conf <<'END'"],
        [for key, value in pool.sysctls : "${key} = ${value}"],
        ["END", "sysctl -p /etc/sysctl.d/99-telescope.conf"],
      ),
      ["", "--telescope--", ""],
    ))
  }

  bottlerocket_data = {
    for name, pool in local.pools : name => join("\n", concat(
      ["[settings.kubernetes]", "\"max-pods\" = ${pool.max_pods}"],
      [for key, value in local.kubelet_values[name] : format("%s = %s", jsonencode(lookup(local.bottlerocket, key, key)),
        lookup(local.kubelet_types, key, "string") == "number" ? jsonencode(value.number) :
        lookup(local.kubelet_types, key, "string") == "bool" ? jsonencode(value.bool) : jsonencode(value.text)
      )],
      length(pool.sysctls) == 0 ? [] : ["", "[settings.kernel.sysctl]"],
      [for key, value in pool.sysctls : "${jsonencode(key)} = ${jsonencode(value)}"],
      [""],
    ))
  }
}

resource "aws_launch_template" "pool" {
  for_each = local.pools

  name                   = "${var.name}-${each.key}"
  update_default_version = true
  user_data              = base64encode(each.value.os == "BOTTLEROCKET" ? local.bottlerocket_data[each.key] : local.al2023_data[each.key])
  tags                   = { Name = "${var.name}-${each.key}" }

  # Of Bottlerocket's two disks the second one holds images, containers and logs.
  block_device_mappings {
    device_name = each.value.os == "BOTTLEROCKET" ? "/dev/xvdb" : "/dev/xvda"

    ebs {
      volume_size           = each.value.disk_gb
      volume_type           = each.value.disk_type
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }

  # A node group passes its tags on to nothing.
  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })
    }
  }

  # Only what passed the checks is begun.
  depends_on = [aws_vpc.this]
}

resource "aws_eks_node_group" "pool" {
  for_each = local.pools

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = [for zone in each.value.zones : aws_subnet.public[zone].id]
  instance_types  = [each.value.machine]
  capacity_type   = each.value.spot ? "SPOT" : "ON_DEMAND"
  ami_type        = local.ami_types[each.value.os][each.value.arch]
  labels          = each.value.labels
  tags            = { Name = "${var.name}-${each.key}" }

  launch_template {
    id      = aws_launch_template.pool[each.key].id
    version = aws_launch_template.pool[each.key].latest_version
  }

  # EKS wants max_size to be 1 at least, of a pool without nodes too.
  scaling_config {
    desired_size = each.value.least
    min_size     = each.value.least
    max_size     = max(1, each.value.most)
  }

  dynamic "taint" {
    for_each = each.value.taints

    content {
      key    = taint.value.key
      value  = taint.value.value
      effect = local.effects[taint.value.effect]
    }
  }

  update_config {
    max_unavailable_percentage = 100
  }

  # A node that is slow under load is what is measured: nobody may replace it.
  node_repair_config {
    enabled = false
  }

  timeouts {
    create = "60m"
    update = "60m"
    delete = "60m"
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  # Without a CNI nodes stay not ready; without a way out they never join; without their role's rights EKS cannot take
  # their interfaces away.
  depends_on = [
    aws_eks_addon.before,
    aws_iam_role_policy_attachment.node,
    aws_route.internet,
    aws_route_table_association.public,
  ]
}

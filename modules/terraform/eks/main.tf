locals {
  tier = coalesce(var.tier, "standard")
}

resource "aws_eks_cluster" "this" {
  name                          = var.name
  role_arn                      = aws_iam_role.cluster.arn
  version                       = var.kubernetes_version
  bootstrap_self_managed_addons = false
  deletion_protection           = false
  enabled_cluster_log_types     = [] # CloudWatch costs by the byte, and its log groups outlive the cluster

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  vpc_config {
    subnet_ids              = [for subnet in aws_subnet.public : subnet.id]
    endpoint_private_access = true
    endpoint_public_access  = true
  }

  kubernetes_network_config {
    ip_family         = "ipv4"
    service_ipv4_cidr = local.service_range
  }

  # Extended support costs six times as much.
  upgrade_policy {
    support_type = "STANDARD"
  }

  dynamic "control_plane_scaling_config" {
    for_each = local.tier == "standard" ? [] : [local.tier]

    content {
      tier = control_plane_scaling_config.value
    }
  }

  timeouts {
    create = "45m"
    update = "60m"
    delete = "45m"
  }

  # Without its role's rights EKS cannot take its interfaces and security group away.
  depends_on = [aws_iam_role_policy_attachment.cluster]
}

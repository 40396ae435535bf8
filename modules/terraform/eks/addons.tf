# EKS installs nothing by itself here: what nodes need to become ready comes before them, what runs on them after.

locals {
  addons_before = {
    vpc-cni = jsonencode({
      env = local.prefixes ? { ENABLE_PREFIX_DELEGATION = "true", WARM_PREFIX_TARGET = "1" } : { ENABLE_PREFIX_DELEGATION = "false" }
    })
    kube-proxy             = null
    eks-pod-identity-agent = null
  }

  addons_after = {
    coredns            = null
    metrics-server     = null
    aws-ebs-csi-driver = jsonencode({ controller = { extraVolumeTags = var.tags } })
  }
}

resource "aws_eks_addon" "before" {
  for_each = local.addons_before

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  timeouts {
    create = "20m"
    update = "20m"
    delete = "20m"
  }
}

resource "aws_eks_addon" "after" {
  for_each = local.addons_after

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  configuration_values        = each.value
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  dynamic "pod_identity_association" {
    for_each = each.key == "aws-ebs-csi-driver" ? [aws_iam_role.disks.arn] : []

    content {
      role_arn        = pod_identity_association.value
      service_account = "ebs-csi-controller-sa"
    }
  }

  timeouts {
    create = "20m"
    update = "20m"
    delete = "20m"
  }

  depends_on = [aws_eks_node_group.pool, aws_iam_role_policy_attachment.disks]
}

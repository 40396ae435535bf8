# Roles of the control plane, the nodes and the driver of disks, and who may use the cluster. All roles are under one path,
# so that a sweeper finds them: IAM is not among what is listed by tag.

data "aws_partition" "this" {}

locals {
  policies  = "arn:${data.aws_partition.this.partition}:iam::aws:policy"
  role_path = "/telescope/"

  trusted = {
    for service in ["eks", "ec2", "pods.eks"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Service = "${service}.amazonaws.com" }
        Action    = service == "ec2" ? ["sts:AssumeRole"] : ["sts:AssumeRole", "sts:TagSession"]
      }]
    })
  }

  node_policies = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"])
}

resource "aws_iam_role" "cluster" {
  name                  = "${var.name}-cluster"
  path                  = local.role_path
  assume_role_policy    = local.trusted["eks"]
  force_detach_policies = true

  # Only what passed the checks is begun.
  depends_on = [aws_vpc.this]
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "${local.policies}/AmazonEKSClusterPolicy"
}

resource "aws_iam_role" "node" {
  name                  = "${var.name}-node"
  path                  = local.role_path
  assume_role_policy    = local.trusted["ec2"]
  force_detach_policies = true

  depends_on = [aws_vpc.this]
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.node.name
  policy_arn = "${local.policies}/${each.key}"
}

resource "aws_iam_role" "disks" {
  name                  = "${var.name}-disks"
  path                  = local.role_path
  assume_role_policy    = local.trusted["pods.eks"]
  force_detach_policies = true

  depends_on = [aws_vpc.this]
}

resource "aws_iam_role_policy_attachment" "disks" {
  role       = aws_iam_role.disks.name
  policy_arn = "${local.policies}/service-role/AmazonEBSCSIDriverPolicy"
}

resource "aws_eks_access_entry" "admin" {
  for_each = toset(var.admin_principal_arns)

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.key
}

resource "aws_eks_access_policy_association" "admin" {
  for_each = toset(var.admin_principal_arns)

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.admin[each.key].principal_arn
  policy_arn    = "arn:${data.aws_partition.this.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

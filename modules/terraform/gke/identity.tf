# The nodes' own identity, which may do what a GKE node does and nothing else.

locals {
  own_account = var.node_service_account == null

  # 6 to 30 characters; a name too long is told apart by its hash.
  account_id = length(var.name) <= 25 ? "${var.name}-node" : "${substr(var.name, 0, 16)}-${substr(sha256(var.name), 0, 8)}-node"

  node_account = local.own_account ? google_service_account.node[0].email : var.node_service_account
}

resource "google_service_account" "node" {
  count = local.own_account ? 1 : 0

  project      = var.project
  account_id   = local.account_id
  display_name = "nodes of ${var.name}"
  description  = local.description
}

resource "google_project_iam_member" "node" {
  count = local.own_account ? 1 : 0

  project = var.project
  role    = "roles/container.defaultNodeServiceAccount"
  member  = "serviceAccount:${google_service_account.node[0].email}"
}

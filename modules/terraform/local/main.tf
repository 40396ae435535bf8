locals {
  folder  = "${var.lease.folder}/cluster"
  program = "pytest_telescope.cluster.local"
  path    = abspath("${path.module}/../../..")

  spec = {
    lease   = var.lease.id
    name    = var.name
    folder  = local.folder
    stages  = var.stages
    timeout = var.ready_within
    pools   = var.pools
  }
}

# A destroy provisioner does not run on a tainted resource. So what takes the cluster away is a resource of its own that
# is complete before the cluster is begun: a cluster whose creation failed is taken away all the same.
resource "terraform_data" "undo" {
  triggers_replace = local.spec

  input = {
    python = var.python
    path   = local.path
    id     = var.lease.id
    folder = local.folder
    tags   = var.tags # nothing of this cluster can carry one but the state; not in the spec: a new due time replaces nothing
  }

  lifecycle {
    precondition {
      condition     = length(local.refusals) == 0
      error_message = "The embedded cluster cannot serve this: ${join("; ", local.refusals)}."
    }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = [self.input.python, "-m", "pytest_telescope.cluster.local", "down", "--folder", self.input.folder, "--id"]
    command     = self.input.id
    environment = { PYTHONPATH = self.input.path }
  }
}

resource "terraform_data" "cluster" {
  depends_on       = [terraform_data.undo]
  triggers_replace = local.spec

  input = {
    kubeconfig = "${local.folder}/kubeconfigs/admin"
    facts      = "${local.folder}/facts.json"
  }

  provisioner "local-exec" {
    interpreter = [var.python, "-m", local.program]
    command     = "up"
    environment = {
      PYTHONPATH           = local.path
      TELESCOPE_LEASE      = var.lease.id
      TELESCOPE_ROLE       = "up"
      TELESCOPE_LOCAL_SPEC = jsonencode(local.spec)
    }
  }
}

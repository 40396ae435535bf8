# A network of its own, so that whatever hangs on it belongs to this cluster. Networks and subnetworks have no labels:
# the description says whose they are.

locals {
  description = join(" ", [
    for key in ["telescope_lease", "run_id", "deletion_due_time"] : "${key}=${var.tags[key]}" if contains(keys(var.tags), key)
  ])
}

resource "google_compute_network" "this" {
  project                 = var.project
  name                    = var.name
  description             = local.description
  auto_create_subnetworks = false

  lifecycle {
    precondition {
      condition     = length(local.refusals) == 0
      error_message = "GKE cannot serve this: ${join("; ", local.refusals)}."
    }
  }

  # GKE collects firewall rules and network endpoint groups only some time after the cluster has gone.
  timeouts {
    delete = "20m"
  }
}

resource "google_compute_subnetwork" "this" {
  project                  = var.project
  name                     = var.name
  description              = local.description
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = local.node_range
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = local.pod_range
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = local.service_range
  }

  timeouts {
    delete = "20m"
  }
}

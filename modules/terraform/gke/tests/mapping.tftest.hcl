# Everything that a spec can say must arrive at the resource it is meant for. Run: terraform test

mock_provider "google" {
  mock_resource "google_container_cluster" {
    defaults = {
      id             = "projects/some-project/locations/here/clusters/telescope-0123abcd"
      endpoint       = "192.0.2.1"
      master_version = "1.36.2-gke.1100"
      master_auth    = { cluster_ca_certificate = "Q0E=" }
    }
  }

  mock_resource "google_service_account" {
    defaults = {
      email = "telescope-0123abcd-node@some-project.iam.gserviceaccount.com"
    }
  }
}

variables {
  name     = "telescope-0123abcd"
  project  = "some-project"
  region   = "us-central1"
  zones    = ["a"]
  exec     = ["python3", "-m", "pytest_telescope", "kube-token", "gke"]
  exec_env = { PYTHONPATH = "/checkout" }
  tags = {
    owner             = "somebody"
    scenario          = "gke-cri"
    run_id            = "run-1"
    telescope_lease   = "0123abcd"
    creation_time     = "1795500000"
    deletion_due_time = "1795510800"
  }
  pools = { user = { count = 2, machine = "n2-standard-4" } }
}

run "a_zonal_cluster_by_default" {
  assert {
    condition     = google_container_cluster.this.location == "us-central1-a" && google_container_cluster.this.name == "telescope-0123abcd"
    error_message = "one zone makes a zonal cluster in it"
  }

  assert {
    condition     = google_container_cluster.this.datapath_provider == "ADVANCED_DATAPATH"
    error_message = "Dataplane V2 is the default"
  }

  assert {
    condition     = !google_container_cluster.this.deletion_protection && google_container_cluster.this.remove_default_node_pool
    error_message = "a cluster must be deletable from its first apply, without a pool nobody asked for"
  }

  assert {
    condition     = google_container_cluster.this.release_channel[0].channel == "UNSPECIFIED"
    error_message = "no channel may upgrade a cluster in a run"
  }

  assert {
    condition = (
      one(google_container_cluster.this.maintenance_policy[0].maintenance_exclusion).start_time == "2026-11-24T06:00:00Z" &&
      one(google_container_cluster.this.maintenance_policy[0].maintenance_exclusion).end_time == "2026-12-24T06:00:00Z" &&
      one(google_container_cluster.this.maintenance_policy[0].maintenance_exclusion).exclusion_options[0].scope == "NO_UPGRADES" &&
      one(google_container_cluster.this.maintenance_policy[0].maintenance_exclusion).exclusion_name == "benchmark" &&
      google_container_cluster.this.maintenance_policy[0].daily_maintenance_window[0].start_time == "03:00"
    )
    error_message = "upgrades must be excluded from the cluster's creation for 30 days"
  }

  assert {
    condition     = google_container_cluster.this.resource_labels == tomap(var.tags) && google_container_cluster.this.min_master_version == null
    error_message = "the cluster must carry all tags, and Google's version where none is asked for"
  }

  assert {
    condition = (
      google_container_cluster.this.logging_config[0].enable_components == tolist(["SYSTEM_COMPONENTS"]) &&
      google_container_cluster.this.monitoring_config[0].enable_components == tolist(["SYSTEM_COMPONENTS"]) &&
      !google_container_cluster.this.monitoring_config[0].managed_prometheus[0].enabled
    )
    error_message = "agents of Google's on the nodes are kept to the least"
  }

  assert {
    condition = (
      google_container_cluster.this.networking_mode == "VPC_NATIVE" &&
      google_container_cluster.this.default_max_pods_per_node == 110 &&
      google_container_cluster.this.initial_node_count == 1 &&
      !google_container_cluster.this.master_auth[0].client_certificate_config[0].issue_client_certificate &&
      google_container_cluster.this.addons_config[0].gce_persistent_disk_csi_driver_config[0].enabled
    )
    error_message = "a VPC-native cluster with disks and without client certificates"
  }

  assert {
    condition = (
      google_container_cluster.this.ip_allocation_policy[0].cluster_secondary_range_name == google_compute_subnetwork.this.secondary_ip_range[0].range_name &&
      google_container_cluster.this.ip_allocation_policy[0].services_secondary_range_name == google_compute_subnetwork.this.secondary_ip_range[1].range_name &&
      google_compute_subnetwork.this.secondary_ip_range[0].ip_cidr_range == "10.128.0.0/16" &&
      google_compute_subnetwork.this.secondary_ip_range[1].ip_cidr_range == "10.64.0.0/16" &&
      google_compute_subnetwork.this.ip_cidr_range == "10.0.0.0/20" &&
      google_compute_subnetwork.this.region == "us-central1" &&
      google_compute_subnetwork.this.private_ip_google_access
    )
    error_message = "pods and services must come from the ranges of the own subnetwork"
  }

  assert {
    condition     = !google_compute_network.this.auto_create_subnetworks && google_compute_network.this.name == var.name && google_compute_subnetwork.this.name == var.name
    error_message = "the network must be the cluster's own, by its name"
  }

  assert {
    condition = (
      google_container_cluster.this.network == google_compute_network.this.id &&
      google_container_cluster.this.subnetwork == google_compute_subnetwork.this.id &&
      google_compute_subnetwork.this.network == google_compute_network.this.id
    )
    error_message = "the cluster must lie in its own network"
  }

  assert {
    condition = alltrue([for project in [
      google_container_cluster.this.project, google_container_node_pool.this["user"].project, google_compute_network.this.project,
      google_compute_subnetwork.this.project, google_service_account.node[0].project
    ] : project == "some-project"])
    error_message = "everything must be in the project"
  }

  assert {
    condition = (
      google_container_cluster.this.node_config[0].machine_type == "e2-medium" &&
      google_container_cluster.this.node_config[0].disk_type == "pd-standard" &&
      google_container_cluster.this.node_config[0].disk_size_gb == 20 &&
      google_container_cluster.this.node_config[0].oauth_scopes == toset(["https://www.googleapis.com/auth/cloud-platform"])
    )
    error_message = "the pool that goes again must be small"
  }

  assert {
    condition     = google_compute_network.this.description == "telescope_lease=0123abcd run_id=run-1 deletion_due_time=1795510800" && google_compute_subnetwork.this.description == google_compute_network.this.description
    error_message = "what has no labels must say in its description whose it is: ${google_compute_network.this.description}"
  }

  assert {
    condition     = google_compute_network.this.timeouts.delete == "20m" && google_compute_subnetwork.this.timeouts.delete == "20m"
    error_message = "Google takes its time to collect what hangs on a network"
  }

  assert {
    condition     = google_container_cluster.this.timeouts.create == "60m" && google_container_cluster.this.timeouts.delete == "60m" && google_container_cluster.this.timeouts.update == "60m"
    error_message = "the cluster's time-outs"
  }
}

run "a_plain_pool" {
  assert {
    condition     = google_container_node_pool.this["user"].node_count == 2 && google_container_node_pool.this["user"].name == "user"
    error_message = "the count of a pool in one zone is its own"
  }

  assert {
    condition     = google_container_node_pool.this["user"].node_locations == toset(["us-central1-a"]) && google_container_node_pool.this["user"].location == "us-central1-a"
    error_message = "a pool lies in the cluster's zone"
  }

  assert {
    condition     = google_container_node_pool.this["user"].version == "1.36.2-gke.1100"
    error_message = "nodes have the version of the control plane"
  }

  assert {
    condition     = !google_container_node_pool.this["user"].management[0].auto_upgrade && !google_container_node_pool.this["user"].management[0].auto_repair
    error_message = "nobody may replace nodes in a run"
  }

  assert {
    condition = (
      google_container_node_pool.this["user"].node_config[0].machine_type == "n2-standard-4" &&
      google_container_node_pool.this["user"].node_config[0].image_type == "COS_CONTAINERD" &&
      google_container_node_pool.this["user"].node_config[0].disk_size_gb == 100 &&
      google_container_node_pool.this["user"].node_config[0].disk_type == "pd-balanced" &&
      !google_container_node_pool.this["user"].node_config[0].spot &&
      google_container_node_pool.this["user"].max_pods_per_node == 110
    )
    error_message = "the documented defaults of a pool"
  }

  assert {
    condition     = google_container_node_pool.this["user"].node_config[0].labels == tomap({ "telescope/pool" = "user" }) && google_container_node_pool.this["user"].node_config[0].resource_labels == tomap(var.tags)
    error_message = "nodes carry their pool's name, machines and disks all tags"
  }

  assert {
    condition = (
      length(google_container_node_pool.this["user"].autoscaling) == 0 &&
      length(google_container_node_pool.this["user"].node_config[0].kubelet_config) == 0 &&
      length(google_container_node_pool.this["user"].node_config[0].linux_node_config) == 0 &&
      length(google_container_node_pool.this["user"].node_config[0].taint) == 0
    )
    error_message = "what is not asked for is not set"
  }

  assert {
    condition = (
      google_container_node_pool.this["user"].node_config[0].oauth_scopes == toset(["https://www.googleapis.com/auth/cloud-platform"]) &&
      google_container_node_pool.this["user"].node_config[0].metadata == tomap({ disable-legacy-endpoints = "true" }) &&
      google_container_node_pool.this["user"].cluster == var.name &&
      google_container_node_pool.this["user"].timeouts.create == "60m" &&
      google_container_node_pool.this["user"].timeouts.update == "60m" &&
      google_container_node_pool.this["user"].timeouts.delete == "60m"
    )
    error_message = "scopes, metadata, cluster or time-outs of a pool"
  }
}

run "everything_that_a_pool_can_ask" {
  variables {
    pools = {
      system = { count = 1, machine = "e2-standard-4" }
      user = {
        count        = 4
        machine      = "n2-standard-32"
        max_pods     = 250
        os           = "UBUNTU_CONTAINERD"
        os_disk_gb   = 200
        os_disk_type = "pd-ssd"
        spot         = true
        labels       = { disk = "fast" }
        taints = [
          { key = "a", value = "b", effect = "NoSchedule" },
          { key = "c", effect = "NoExecute" },
          { key = "d", value = "e", effect = "PreferNoSchedule" },
        ]
        kubelet = {
          allowedUnsafeSysctls        = "net.core.somaxconn,kernel.msg*"
          containerLogMaxFiles        = "7"
          containerLogMaxSize         = "20Mi"
          cpuCFSQuota                 = "false"
          cpuCFSQuotaPeriod           = "50ms"
          cpuManagerPolicy            = "static"
          evictionMaxPodGracePeriod   = "90"
          imageGCHighThresholdPercent = "80"
          imageGCLowThresholdPercent  = "70"
          imageMaximumGCAge           = "48h"
          imageMinimumGCAge           = "1m"
          maxParallelImagePulls       = "5"
          podPidsLimit                = "4096"
          singleProcessOOMKill        = "true"
        }
        sysctls = { "net.core.somaxconn" = "4096", "vm.max_map_count" = "262144" }
      }
    }
  }

  assert {
    condition = (
      google_container_node_pool.this["user"].node_config[0].machine_type == "n2-standard-32" &&
      google_container_node_pool.this["user"].node_config[0].image_type == "UBUNTU_CONTAINERD" &&
      google_container_node_pool.this["user"].node_config[0].disk_size_gb == 200 &&
      google_container_node_pool.this["user"].node_config[0].disk_type == "pd-ssd" &&
      google_container_node_pool.this["user"].node_config[0].spot &&
      google_container_node_pool.this["user"].max_pods_per_node == 250 &&
      google_container_node_pool.this["user"].node_config[0].labels["disk"] == "fast"
    )
    error_message = "machine, image, disk, spot, pods or labels"
  }

  assert {
    condition = [for taint in google_container_node_pool.this["user"].node_config[0].taint : "${taint.key}=${taint.value}:${taint.effect}"] == [
      "a=b:NO_SCHEDULE", "c=:NO_EXECUTE", "d=e:PREFER_NO_SCHEDULE"
    ]
    error_message = "taints in Google's words"
  }

  assert {
    condition = (
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].allowed_unsafe_sysctls == tolist(["net.core.somaxconn", "kernel.msg*"]) &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].container_log_max_files == 7 &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].container_log_max_size == "20Mi" &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].cpu_cfs_quota == false &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].cpu_cfs_quota_period == "50ms" &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].cpu_manager_policy == "static" &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].eviction_max_pod_grace_period_seconds == 90
    )
    error_message = "kubelet: sysctls, logs, CPU or eviction"
  }

  assert {
    condition = (
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].image_gc_high_threshold_percent == 80 &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].image_gc_low_threshold_percent == 70 &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].image_maximum_gc_age == "48h" &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].image_minimum_gc_age == "1m" &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].max_parallel_image_pulls == 5 &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].pod_pids_limit == 4096 &&
      google_container_node_pool.this["user"].node_config[0].kubelet_config[0].single_process_oom_kill == true
    )
    error_message = "kubelet: images, PIDs or OOM"
  }

  assert {
    condition     = google_container_node_pool.this["user"].node_config[0].linux_node_config[0].sysctls == tomap({ "net.core.somaxconn" = "4096", "vm.max_map_count" = "262144" })
    error_message = "sysctls"
  }
}

run "kubelet_keeps_cpu_quotas_unless_told" {
  variables {
    pools = { user = { count = 1, machine = "n2-standard-4", kubelet = { podPidsLimit = "1024" } } }
  }

  assert {
    condition     = google_container_node_pool.this["user"].node_config[0].kubelet_config[0].cpu_cfs_quota == true
    error_message = "the provider sends false for a quota that is not set"
  }
}

run "several_zones_share_the_nodes" {
  variables {
    zones              = ["a", "b", "c"]
    network            = "dataplane-v1"
    tier               = "standard"
    kubernetes_version = "1.35"
    pools = {
      user   = { count = 6, machine = "n2-standard-4" }
      narrow = { count = 4, machine = "n2-standard-4", zones = ["a", "b"] }
      scaled = { min = 3, max = 10, machine = "n2-standard-4" }
      none   = { count = 0, machine = "n2-standard-4" }
    }
  }

  assert {
    condition     = google_container_cluster.this.location == "us-central1" && google_container_cluster.this.node_locations == toset(["us-central1-a", "us-central1-b", "us-central1-c"])
    error_message = "several zones make a regional cluster"
  }

  assert {
    condition     = google_container_cluster.this.datapath_provider == "LEGACY_DATAPATH" && google_container_cluster.this.min_master_version == "1.35"
    error_message = "network and version as asked"
  }

  assert {
    condition = (
      google_container_node_pool.this["user"].node_count == 2 &&
      google_container_node_pool.this["narrow"].node_count == 2 &&
      google_container_node_pool.this["narrow"].node_locations == toset(["us-central1-a", "us-central1-b"]) &&
      google_container_node_pool.this["none"].node_count == 0
    )
    error_message = "Google counts nodes per zone"
  }

  assert {
    condition = (
      google_container_node_pool.this["scaled"].autoscaling[0].total_min_node_count == 3 &&
      google_container_node_pool.this["scaled"].autoscaling[0].total_max_node_count == 10 &&
      google_container_node_pool.this["scaled"].autoscaling[0].location_policy == "BALANCED" &&
      google_container_node_pool.this["scaled"].initial_node_count == 1
    )
    error_message = "an autoscaler's range is the pool's, its beginning is per zone"
  }

  assert {
    condition     = output.facts.facts.control_plane == "regional" && output.facts.facts.zones == "a,b,c" && output.facts.facts.nodes == 13 && output.facts.facts.nodes_max == 20
    error_message = "facts of a regional cluster"
  }
}

run "a_pool_of_its_own_for_prometheus" {
  variables {
    prometheus_pool = "prometheus"
    pools = {
      user       = { count = 1, machine = "n2-standard-4" }
      prometheus = { count = 1, machine = "n2-standard-4", labels = { x = "y" } }
    }
  }

  assert {
    condition     = google_container_node_pool.this["prometheus"].node_config[0].labels == tomap({ "telescope/pool" = "prometheus", "telescope/prometheus" = "true", x = "y" })
    error_message = "labels of the pool for Prometheus"
  }

  assert {
    condition     = [for taint in google_container_node_pool.this["prometheus"].node_config[0].taint : "${taint.key}=${taint.value}:${taint.effect}"] == ["telescope/prometheus=true:NO_SCHEDULE"]
    error_message = "taint of the pool for Prometheus"
  }

  assert {
    condition     = length(google_container_node_pool.this["user"].node_config[0].taint) == 0
    error_message = "other pools are not tainted"
  }
}

run "a_large_cluster_has_room_for_its_pods" {
  variables {
    pools = {
      user  = { count = 1000, machine = "n2-standard-4" }
      dense = { min = 0, max = 100, machine = "n2-standard-4", max_pods = 256 }
    }
  }

  assert {
    condition     = google_compute_subnetwork.this.secondary_ip_range[0].ip_cidr_range == "10.128.0.0/13"
    error_message = "1001 blocks of 256 and 100 of 512 addresses need a /13: ${google_compute_subnetwork.this.secondary_ip_range[0].ip_cidr_range}"
  }
}

run "few_pods_need_few_addresses" {
  variables {
    pools = { user = { count = 5000, machine = "n2-standard-4", max_pods = 8 } }
  }

  assert {
    condition     = google_compute_subnetwork.this.secondary_ip_range[0].ip_cidr_range == "10.128.0.0/15" && google_compute_subnetwork.this.ip_cidr_range == "10.0.0.0/19"
    error_message = "5000 nodes of 16 addresses need a /15 and a /19: ${google_compute_subnetwork.this.secondary_ip_range[0].ip_cidr_range}, ${google_compute_subnetwork.this.ip_cidr_range}"
  }
}

run "new_machine_families_boot_from_hyperdisk" {
  variables {
    pools = { user = { count = 1, machine = "c4-standard-8" } }
  }

  assert {
    condition     = google_container_node_pool.this["user"].node_config[0].disk_type == "hyperdisk-balanced"
    error_message = "c4 has no other disk"
  }
}

run "nodes_have_an_identity_of_their_own" {
  assert {
    condition     = google_service_account.node[0].account_id == "telescope-0123abcd-node" && google_service_account.node[0].description == google_compute_network.this.description && google_service_account.node[0].display_name == "nodes of telescope-0123abcd"
    error_message = "the identity is named for the cluster"
  }

  assert {
    condition = (
      google_project_iam_member.node[0].role == "roles/container.defaultNodeServiceAccount" &&
      google_project_iam_member.node[0].member == "serviceAccount:telescope-0123abcd-node@some-project.iam.gserviceaccount.com" &&
      google_project_iam_member.node[0].project == "some-project"
    )
    error_message = "the identity may do what a GKE node does"
  }

  assert {
    condition = (
      google_container_node_pool.this["user"].node_config[0].service_account == google_service_account.node[0].email &&
      google_container_cluster.this.node_config[0].service_account == google_service_account.node[0].email
    )
    error_message = "all nodes have it"
  }
}

run "long_names_make_legal_identities" {
  variables {
    name = "a-name-of-thirty-characters-00"
  }

  assert {
    condition     = can(regex("^[a-z][-a-z0-9]{4,28}[a-z0-9]$", google_service_account.node[0].account_id)) && strcontains(google_service_account.node[0].account_id, substr(sha256("a-name-of-thirty-characters-00"), 0, 8))
    error_message = "6 to 30 characters, told apart by a hash: ${google_service_account.node[0].account_id}"
  }
}

run "a_given_identity_is_taken" {
  variables {
    node_service_account = "nodes@some-project.iam.gserviceaccount.com"
  }

  assert {
    condition     = length(google_service_account.node) == 0 && length(google_project_iam_member.node) == 0
    error_message = "no identity is made where one is given"
  }

  assert {
    condition     = google_container_node_pool.this["user"].node_config[0].service_account == "nodes@some-project.iam.gserviceaccount.com"
    error_message = "nodes have the given identity"
  }
}

run "the_kubeconfig_asks_the_harness_for_tokens" {
  assert {
    condition = (
      yamldecode(output.kubeconfig).clusters[0].cluster.server == "https://192.0.2.1" &&
      yamldecode(output.kubeconfig).clusters[0].cluster["certificate-authority-data"] == "Q0E=" &&
      yamldecode(output.kubeconfig).contexts[0].context.user == yamldecode(output.kubeconfig).users[0].name &&
      yamldecode(output.kubeconfig).contexts[0].context.cluster == yamldecode(output.kubeconfig).clusters[0].name &&
      yamldecode(output.kubeconfig)["current-context"] == yamldecode(output.kubeconfig).contexts[0].name &&
      yamldecode(output.kubeconfig).kind == "Config" && yamldecode(output.kubeconfig).apiVersion == "v1"
    )
    error_message = "the kubeconfig's cluster and context"
  }

  assert {
    condition = (
      yamldecode(output.kubeconfig).users[0].user.exec.command == "python3" &&
      yamldecode(output.kubeconfig).users[0].user.exec.args == ["-m", "pytest_telescope", "kube-token", "gke"] &&
      yamldecode(output.kubeconfig).users[0].user.exec.env == [{ name = "PYTHONPATH", value = "/checkout" }] &&
      yamldecode(output.kubeconfig).users[0].user.exec.apiVersion == "client.authentication.k8s.io/v1" &&
      yamldecode(output.kubeconfig).users[0].user.exec.interactiveMode == "Never"
    )
    error_message = "the kubeconfig's exec plug-in"
  }

  assert {
    condition     = keys(yamldecode(output.kubeconfig).users[0].user) == ["exec"]
    error_message = "no secret lies in the kubeconfig"
  }
}

run "facts" {
  assert {
    condition = output.facts.facts == {
      region             = "us-central1"
      zones              = "a"
      location           = "us-central1-a"
      control_plane      = "zonal"
      kubernetes_version = "1.36.2-gke.1100"
      network            = "dataplane-v2"
      tier               = "standard"
      machines           = "user=n2-standard-4"
      os                 = "COS_CONTAINERD"
      os_disks           = "user=pd-balanced:100"
      spot               = false
      nodes              = 2
      nodes_max          = 2
      pod_range          = "10.128.0.0/16"
    }
    error_message = "facts: ${jsonencode(output.facts.facts)}"
  }

  assert {
    condition = output.facts.cluster == {
      id       = "projects/some-project/locations/here/clusters/telescope-0123abcd"
      name     = "telescope-0123abcd"
      region   = "us-central1"
      account  = "some-project"
      version  = "1.36.2-gke.1100"
      endpoint = "https://192.0.2.1"
    }
    error_message = "cluster: ${jsonencode(output.facts.cluster)}"
  }
}

run "nothing_is_excluded_without_a_time" {
  variables {
    tags = {}
  }

  assert {
    condition     = length(google_container_cluster.this.maintenance_policy) == 0 && google_compute_network.this.description == ""
    error_message = "without tags there is neither an exclusion nor a description"
  }
}

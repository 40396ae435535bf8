# What the embedded cluster cannot do must be an error of the plan. Run: terraform test

variables {
  name  = "telescope-test"
  lease = { id = "0123abcd", folder = "/nonexistent/lease" }
  pools = { user = { count = 2 } }
}

run "a_plain_spec_is_planned" {
  command = plan

  assert {
    condition     = length(local.refusals) == 0
    error_message = "nothing may be refused here: ${join("; ", local.refusals)}"
  }
}

run "the_pinned_version_is_accepted" {
  command = plan

  variables {
    kubernetes_version = "1.36"
  }

  assert {
    condition     = local.pinned == "1.36"
    error_message = "the pinned version is ${local.pinned}"
  }
}

run "another_version_is_refused" {
  command = plan

  variables {
    kubernetes_version = "1.35"
  }

  expect_failures = [terraform_data.undo]
}

run "a_region_is_refused" {
  command = plan

  variables {
    region = "westeurope"
  }

  expect_failures = [terraform_data.undo]
}

run "a_network_is_refused" {
  command = plan

  variables {
    network = "cilium"
  }

  expect_failures = [terraform_data.undo]
}

run "a_tier_is_refused" {
  command = plan

  variables {
    tier = "premium"
  }

  expect_failures = [terraform_data.undo]
}

run "a_machine_type_is_refused" {
  command = plan

  variables {
    pools = { user = { count = 1, machine = "Standard_D16_v3" } }
  }

  expect_failures = [terraform_data.undo]
}

run "autoscaling_is_refused" {
  command = plan

  variables {
    pools = { user = { min = 1, max = 3 } }
  }

  expect_failures = [terraform_data.undo]
}

run "two_real_nodes_are_refused" {
  command = plan

  variables {
    pools = { user = { count = 2, node = "containerd" } }
  }

  expect_failures = [terraform_data.undo]
}

run "a_sized_real_node_is_refused" {
  command = plan

  variables {
    pools = { user = { count = 1, node = "containerd", cpu = 4 } }
  }

  expect_failures = [terraform_data.undo]
}

run "no_pool_is_refused" {
  command = plan

  variables {
    pools = {}
  }

  expect_failures = [terraform_data.undo]
}

run "a_wrong_taint_effect_is_refused" {
  command = plan

  variables {
    pools = { user = { count = 1, taints = [{ key = "a", effect = "Never" }] } }
  }

  expect_failures = [var.pools]
}

run "a_wrong_name_is_refused" {
  command = plan

  variables {
    name = "Upper"
  }

  expect_failures = [var.name]
}

run "missing_stages_are_refused" {
  command = plan

  variables {
    stages = "/nonexistent/stages.yaml"
  }

  expect_failures = [var.stages]
}

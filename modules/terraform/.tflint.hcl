# How `make lint` checks the modules. The ruleset is compiled into tflint: nothing is fetched, `tflint --init` is not needed.

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# It wants every variable in variables.tf. That file is the same in all modules, so what only one provider has stands in
# its inputs.tf (local.tf for the embedded cluster).
rule "terraform_standard_module_structure" {
  enabled = false
}

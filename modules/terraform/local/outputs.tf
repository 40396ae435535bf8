# The same outputs in the module of every provider. try(): a cluster that is half gone must still be destroyable.

output "kubeconfig" {
  description = "Kubeconfig of an administrator, as YAML."
  value       = try(file(terraform_data.cluster.output.kubeconfig), null)
  sensitive   = true
}

output "facts" {
  description = "What the cluster is made of; facts.facts is flat."
  value       = try(jsondecode(file(terraform_data.cluster.output.facts)), null)
}

# Inputs that only GKE has.

variable "project" {
  description = "Id of the project in which the cluster stands."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9.]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be the id of a project: 6 to 30 lower-case letters, digits and dashes."
  }
}

variable "node_service_account" {
  description = "E-mail address of the service account of the nodes; null makes one for the cluster, with the role of GKE nodes."
  type        = string
  default     = null
}

variable "exec" {
  description = "Command and arguments that print an ExecCredential with a token for the cluster."
  type        = list(string)

  validation {
    condition     = length(var.exec) > 0
    error_message = "exec must name a command."
  }
}

variable "exec_env" {
  description = "Environment variables of that command, beside those of the caller."
  type        = map(string)
  default     = {}
}

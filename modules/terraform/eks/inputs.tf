# Inputs that only EKS has.

variable "admin_principal_arns" {
  description = "IAM roles and users that administer the cluster: the one that runs the harness, at least."
  type        = list(string)

  validation {
    condition     = alltrue([for arn in var.admin_principal_arns : can(regex("^arn:aws[-a-z]*:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "admin_principal_arns must be ARNs of IAM roles or users; of a session, that of its role with the role's path."
  }
}

variable "exec" {
  description = "Command and arguments that print an ExecCredential with a token for the cluster whose name follows, as --cluster NAME."
  type        = list(string)

  validation {
    condition     = length(var.exec) > 0
    error_message = "exec must be a command, with its arguments."
  }
}

variable "exec_env" {
  description = "Environment variables of that command, beside those of whoever calls it."
  type        = map(string)
  default     = {}
}

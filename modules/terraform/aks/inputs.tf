# Inputs that only AKS has.

variable "subscription" {
  description = "Id of the subscription in which the cluster stands."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription))
    error_message = "subscription must be the id of a subscription, e.g. 00000000-0000-0000-0000-000000000000."
  }
}

variable "system_machine" {
  description = "Machine type of the system pool that the module makes where no pool is named system."
  type        = string
  default     = "Standard_D4s_v5"
}

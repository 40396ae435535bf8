# The same file in the module of every provider. What a provider cannot do is refused by its checks.tf.

variable "name" {
  description = "Name of the cluster and prefix of all that belongs to it."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 30 lower-case letters, digits and dashes, begin with a letter and not end with a dash."
  }
}

variable "region" {
  description = "Where the cluster stands; null is the provider's default."
  type        = string
  default     = null
}

variable "kubernetes_version" {
  description = "major.minor; null is the provider's default."
  type        = string
  default     = null

  validation {
    condition     = var.kubernetes_version == null || can(regex("^[0-9]+\\.[0-9]+$", var.kubernetes_version))
    error_message = "kubernetes_version must be major.minor, e.g. \"1.36\"."
  }
}

variable "pools" {
  description = "Node pools by name. node, cpu and memory describe a node of the embedded cluster and mean nothing elsewhere."
  type = map(object({
    count    = optional(number)
    min      = optional(number)
    max      = optional(number)
    machine  = optional(string)
    max_pods = optional(number, 110)
    labels   = optional(map(string), {})
    taints = optional(list(object({
      key    = string
      value  = optional(string, "")
      effect = string
    })), [])
    node   = optional(string)
    cpu    = optional(number)
    memory = optional(string)
  }))

  validation {
    condition     = alltrue([for name, pool in var.pools : can(regex("^[a-z][a-z0-9]{0,11}$", name))])
    error_message = "The name of a pool must be 1 to 12 lower-case letters and digits and begin with a letter."
  }

  validation {
    condition = alltrue(flatten([
      for pool in var.pools : [
        for taint in pool.taints : contains(["NoSchedule", "PreferNoSchedule", "NoExecute"], taint.effect)
      ]
    ]))
    error_message = "The effect of a taint must be NoSchedule, PreferNoSchedule or NoExecute."
  }

  validation {
    condition     = alltrue([for pool in var.pools : (pool.min == null) == (pool.max == null)])
    error_message = "A pool must have both min and max, or neither."
  }
}

variable "network" {
  description = "Network of the cluster, in the provider's words; null is its default."
  type        = string
  default     = null
}

variable "tier" {
  description = "Tier of the control plane, in the provider's words; null is its default."
  type        = string
  default     = null
}

variable "tags" {
  description = "What is written on everything that can carry a tag."
  type        = map(string)
  default     = {}
}

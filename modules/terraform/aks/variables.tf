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
  description = "Node pools by name. node, cpu and memory describe a node of the embedded cluster and mean nothing elsewhere; os, os_disk_*, zones, spot, kubelet and sysctls are the clouds'."
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
    node         = optional(string)
    cpu          = optional(number)
    memory       = optional(string)
    os           = optional(string)
    os_disk_gb   = optional(number)
    os_disk_type = optional(string)
    zones        = optional(list(string), [])
    spot         = optional(bool, false)
    kubelet      = optional(map(string), {})
    sysctls      = optional(map(string), {})
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

variable "zones" {
  description = "Zones of all pools that name none, as the last part of the provider's own names; [] is the provider's choice."
  type        = list(string)
  default     = []
}

variable "prometheus_pool" {
  description = "Pool that is kept for Prometheus; null is none."
  type        = string
  default     = null

  validation {
    condition     = var.prometheus_pool == null ? true : contains(keys(var.pools), var.prometheus_pool)
    error_message = "prometheus_pool must be the name of a pool."
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
  description = "What is written on everything that can carry a tag; keys and values are legal labels on every cloud."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for key, value in var.tags : can(regex("^[a-z][-_a-z0-9]{0,62}$", key)) && can(regex("^[-_a-z0-9]{0,63}$", value))
    ])
    error_message = "Keys of tags must match ^[a-z][-_a-z0-9]{0,62}$ and values ^[-_a-z0-9]{0,63}$, as labels of GCP do."
  }
}

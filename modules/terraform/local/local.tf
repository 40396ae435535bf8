# Inputs that only the embedded cluster has.

variable "lease" {
  description = "id marks every process of the cluster; folder is private and holds its data in its subfolder cluster."
  type = object({
    id     = string
    folder = string
  })

  validation {
    condition     = can(regex("^[0-9a-f]{8}$", var.lease.id)) && startswith(var.lease.folder, "/")
    error_message = "lease.id must be 8 hexadecimal digits and lease.folder an absolute path."
  }
}

variable "python" {
  description = "Python interpreter that can import pytest_telescope's dependencies."
  type        = string
  default     = "python3"
}

variable "stages" {
  description = "File of kwok Stage objects that replaces the built-in ones of the same kind; null keeps them."
  type        = string
  default     = null

  validation {
    condition     = var.stages == null ? true : fileexists(var.stages)
    error_message = "The file of kwok stages does not exist."
  }
}

variable "ready_within" {
  description = "Seconds until the cluster must be ready."
  type        = number
  default     = 120
}

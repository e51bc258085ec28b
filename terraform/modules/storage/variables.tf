variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "prefix" {
  description = "Prefix of the names of all objects, which is also in the functions' ETALON_STAGING. Empty, or with a slash at its end."
  type        = string
  default     = ""

  validation {
    condition     = var.prefix == "" || can(regex("^[^/].*/$", var.prefix))
    error_message = "prefix must be empty, or end with a slash and not begin with one."
  }
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the objects. Without it, S3 encrypts them with a key of its own."
  type        = string
  default     = null
}

variable "staged_days" {
  description = "Days that staged parts and the manifests of loads are kept. Decide about held units before their parts expire."
  type        = number
  default     = 30

  validation {
    condition     = var.staged_days >= 1
    error_message = "staged_days must be at least 1."
  }
}

variable "receipt_days" {
  description = "Days that receipts, plans and the listings of whole runs are kept. The ledger in the warehouse must be kept longer."
  type        = number
  default     = 400
}

variable "quarantine_days" {
  description = "Days that rejected records are kept and can be redriven."
  type        = number
  default     = 365

  validation {
    condition     = var.quarantine_days >= 1
    error_message = "quarantine_days must be at least 1."
  }
}

variable "noncurrent_days" {
  description = "Days that an object can be restored after it was deleted or overwritten."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days must be at least 1."
  }
}

variable "force_destroy" {
  description = "Whether the bucket may be destroyed with everything in it."
  type        = bool
  default     = false
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS. Then the bucket has no policy. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}
}

variable "bucket" {
  description = "Name of the bucket."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "The name of a bucket must have 3 to 63 lower-case letters, digits, dots and hyphens, and must begin and end with a letter or a digit."
  }
}

variable "policy" {
  description = "Permissions of others than the account's roles, as a policy in JSON. A statement that refuses plain HTTP is added to it."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the objects. Without it, the account's key `aws/s3` does, which AWS manages."
  type        = string
  default     = null
}

variable "is_filled_by_aws" {
  description = "Whether a service of AWS writes the objects. It may not use `aws/s3`, so that without kms_key_arn S3 encrypts with a key of its own (SSE-S3)."
  type        = bool
  default     = false
}

variable "force_destroy" {
  description = "Whether the bucket may be destroyed with everything in it."
  type        = bool
  default     = false
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS. Then the bucket has no policy: emulators always treat its condition as fulfilled, and refuse everything. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  default     = {}
}

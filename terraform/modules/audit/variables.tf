variable "name" {
  description = "Prefix of the names of all resources."
  type        = string
  default     = "etalon"
}

variable "bucket" {
  description = "Name of the bucket to be created for the trail."
  type        = string
}

variable "watched_bucket_arns" {
  description = "Buckets whose accesses to objects are recorded."
  type        = list(string)
}

variable "days" {
  description = "Days that the trail is kept."
  type        = number
  default     = 400
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the trail; its policy must let CloudTrail use it."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether the bucket may be destroyed with everything in it."
  type        = bool
  default     = false
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS. Then the trail is not written, and its bucket has no policy. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Prefix of the names of all resources."
  type        = string
  default     = "etalon"
}

variable "database" {
  description = "The database."
  type        = string
}

variable "existing" {
  description = "An existing Redshift: a workgroup of Redshift Serverless with its ARN, or a cluster, with its user if neither a secret nor the functions' role names it."
  type = object({
    workgroup     = optional(string)
    workgroup_arn = optional(string)
    cluster       = optional(string)
    user          = optional(string)
  })
  default = null

  validation {
    condition     = var.existing == null || (try(var.existing.workgroup, null) == null) != (try(var.existing.cluster, null) == null)
    error_message = "`existing` must name either a workgroup or a cluster."
  }
}

variable "serverless" {
  description = "A workgroup of Redshift Serverless to be created: its base capacity in RPU, the limit of RPU hours a day, and its network."
  type = object({
    base_capacity      = optional(number, 8)
    max_capacity       = optional(number)
    daily_rpu_hours    = optional(number)
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "provisioned" {
  description = "A cluster to be created: type and number of its nodes, its network, for how many days its snapshots are kept, and whether it may be destroyed without a last one."
  type = object({
    node_type          = optional(string, "ra3.large")
    nodes              = optional(number, 2)
    subnet_ids         = list(string)
    security_group_ids = list(string)
    snapshot_days      = optional(number, 7)
    skip_last_snapshot = optional(bool, false)
  })
  default = null
}

variable "secret_arn" {
  description = "Secret to connect with; without it the functions connect with their roles."
  type        = string
  default     = null
}

variable "storage" {
  description = "The bucket of the staged parts and manifests: the outputs of module storage."
  type = object({
    bucket      = string
    prefix      = string
    kms_key_arn = optional(string)
  })
}

variable "kms_key_arn" {
  description = "KMS key that encrypts a warehouse that is created."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the role."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "What the names of everything begin with; the pipeline's own name follows."
  type        = string
  default     = "etalon"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,24}$", var.name))
    error_message = "A name has up to 25 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "file" {
  description = "Path of the pipeline file."
  type        = string

  validation {
    condition     = can(yamldecode(file(var.file)).pipeline)
    error_message = "This is no pipeline file: there is no `pipeline:` in it."
  }
}

variable "packages" {
  description = "Folder with etalon-extract.zip, etalon-transform.zip and etalon-load.zip; terraform/package makes them."
  type        = string
}

variable "architecture" {
  description = "What the packages were built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Lambda has arm64 and x86_64."
  }
}

variable "code_signing_config_arn" {
  description = "Configuration of code signing by which Lambda takes signed packages only."
  type        = string
  default     = null
}

variable "storage" {
  description = "Where Etalon keeps what it keeps: the outputs of module storage."
  type = object({
    bucket      = string
    prefix      = string
    kms_key_arn = optional(string)
  })
}

variable "warehouse" {
  description = "The warehouse: the outputs of module warehouse. Either a workgroup or a cluster; without a secret the functions connect by their role, or as the user."
  type = object({
    database      = string
    workgroup     = optional(string)
    workgroup_arn = optional(string)
    cluster       = optional(string)
    user          = optional(string)
    secret_arn    = optional(string)
    copy_role_arn = string
  })

  validation {
    condition     = (var.warehouse.workgroup == null) != (var.warehouse.cluster == null)
    error_message = "The warehouse is a workgroup or a cluster."
  }

  validation {
    condition     = var.warehouse.user == null || var.warehouse.cluster != null && var.warehouse.secret_arn == null
    error_message = "Only a cluster without a secret has a user."
  }
}

variable "source_uri" {
  description = "Where the files of a pipeline over `files:` lie: s3://bucket/prefix/."
  type        = string
  default     = null
}

variable "source_kms_key_arn" {
  description = "KMS key that the source's objects are encrypted with."
  type        = string
  default     = null
}

variable "variables" {
  description = "The values of $${NAME} in the pipeline file."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "The ARNs of the secrets of $${secret:name} in the pipeline file; `arn#key` for a key of a secret that holds an object, as RDS makes them."
  type        = map(string)
  default     = {}
}

variable "certificates" {
  description = "Path of a file with the certificates, in PEM, of the authorities that are believed of a database: for RDS, the bundle of its region from truststore.pki.rds.amazonaws.com."
  type        = string
  default     = null

  validation {
    condition     = var.certificates == null || can(regex("-----BEGIN CERTIFICATE-----", file(var.certificates)))
    error_message = "There is no certificate in this file."
  }
}

variable "sizes" {
  description = "Memory and timeout by function, where they are to differ: { transform = { memory_mb = 1769 } }."
  type = map(object({
    memory_mb       = optional(number)
    timeout_seconds = optional(number)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.sizes), ["extract", "transform", "load"])) == 0
    error_message = "The functions are extract, transform and load."
  }
}

variable "transforms_max" {
  description = "Tasks at work at once."
  type        = number
  default     = 10

  validation {
    condition     = var.transforms_max >= 2 && var.transforms_max <= 999
    error_message = "A queue calls 2 to 999 at once."
  }
}

variable "reserves_concurrency" {
  description = "Whether the functions have calls reserved. An account that may make few calls at once (new ones may make 10) has none to reserve."
  type        = bool
  default     = true
}

variable "message_days" {
  description = "Days that a message waits for its function. Dead letters are kept for 14."
  type        = number
  default     = 13

  validation {
    condition     = var.message_days >= 1 && var.message_days < 14
    error_message = "Messages wait for 1 to 13 days: dead letters, which keep their age, must live longer."
  }
}

variable "timezone" {
  description = "The time zone of a `cron(…)` of the pipeline file."
  type        = string
  default     = "UTC"
}

variable "is_enabled" {
  description = "Whether schedules and new objects start the pipeline."
  type        = bool
  default     = true
}

variable "event_bus" {
  description = "Bus that is told of loads, by its name or ARN; without one, the account's default bus."
  type        = string
  default     = null
}

variable "metrics_namespace" {
  description = "Namespace of the metrics; without one, Etalon."
  type        = string
  default     = null
}

variable "log_level" {
  description = "What the functions log."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["ERROR", "WARN", "INFO", "DEBUG"], var.log_level)
    error_message = "Levels are ERROR, WARN, INFO and DEBUG."
  }
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}

variable "log_kms_key_arn" {
  description = "KMS key that encrypts the logs."
  type        = string
  default     = null
}

variable "environment_kms_key_arn" {
  description = "KMS key that encrypts the functions' settings, which hold no secrets."
  type        = string
  default     = null
}

variable "network" {
  description = "Subnets and security groups of the functions, where the source can only be reached from within a network. Of a database or an API, only extract is in it; an API in the internet is reached from there by a NAT gateway alone."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of the roles."
  type        = string
  default     = null
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS. Then what emulators lack is left out: settings of recursion, and who may use a queue of dead letters. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

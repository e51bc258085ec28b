variable "name" {
  description = "Prefix of the names of all resources; the pipeline's name follows it."
  type        = string
  default     = "etalon"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,24}$", var.name))
    error_message = "name must have 1 to 25 lower-case letters, digits and hyphens, and must begin with a letter."
  }
}

variable "file" {
  description = "Path of the pipeline file."
  type        = string

  validation {
    condition     = can(yamldecode(file(var.file)).pipeline)
    error_message = "The file is not a pipeline file: it has no `pipeline:`."
  }
}

variable "packages" {
  description = "Folder with etalon-extract.zip, etalon-transform.zip and etalon-load.zip; terraform/package makes them."
  type        = string
}

variable "architecture" {
  description = "Processor that the packages were built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "code_signing_config_arn" {
  description = "ARN of a code signing configuration with which Lambda accepts only signed packages."
  type        = string
  default     = null
}

variable "storage" {
  description = "The bucket with Etalon's state and the staged parts: the outputs of module storage."
  type = object({
    bucket      = string
    prefix      = string
    kms_key_arn = optional(string)
  })
}

variable "warehouse" {
  description = "The warehouse: the outputs of module warehouse. Either a workgroup or a cluster; without a secret the functions connect with their role, or as the user."
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
    error_message = "`warehouse` must name either a workgroup or a cluster."
  }

  validation {
    condition     = var.warehouse.user == null || var.warehouse.cluster != null && var.warehouse.secret_arn == null
    error_message = "warehouse.user can only be set together with warehouse.cluster, and not together with warehouse.secret_arn."
  }
}

variable "source_uri" {
  description = "Place of the files of a pipeline with `files:`: s3://bucket/prefix/."
  type        = string
  default     = null
}

variable "source_kms_key_arn" {
  description = "KMS key with which the source's objects are encrypted."
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
  description = "Path of a PEM file with the certificate authorities that are trusted for a database: for RDS, the bundle of its region from truststore.pki.rds.amazonaws.com."
  type        = string
  default     = null

  validation {
    condition     = var.certificates == null || can(regex("-----BEGIN CERTIFICATE-----", file(var.certificates)))
    error_message = "The file must contain at least one certificate in PEM form."
  }
}

variable "sizes" {
  description = "Memory and timeout by function, if they are to differ from the defaults: { transform = { memory_mb = 1769 } }."
  type = map(object({
    memory_mb       = optional(number)
    timeout_seconds = optional(number)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.sizes), ["extract", "transform", "load"])) == 0
    error_message = "sizes can only have the keys extract, transform and load."
  }
}

variable "transforms_max" {
  description = "Number of tasks that are processed at once."
  type        = number
  default     = 10

  validation {
    condition     = var.transforms_max >= 2 && var.transforms_max <= 999
    error_message = "transforms_max must be between 2 and 999."
  }
}

variable "reserves_concurrency" {
  description = "Whether concurrent calls are reserved for the functions. An account with a low limit (new accounts may have 10) cannot reserve any."
  type        = bool
  default     = true
}

variable "message_days" {
  description = "Days that a message waits for its function; by default as deployment.json says. It must be less than the days that dead letters are kept there."
  type        = number
  default     = null

  validation {
    condition     = var.message_days == null || try(var.message_days >= 1, false)
    error_message = "message_days must be at least 1."
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
  description = "Event bus that gets the events of loads, by its name or ARN; by default the account's default bus."
  type        = string
  default     = null
}

variable "metrics_namespace" {
  description = "Namespace of the metrics; by default Etalon."
  type        = string
  default     = null
}

variable "log_level" {
  description = "The logs of the functions."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["ERROR", "WARN", "INFO", "DEBUG"], var.log_level)
    error_message = "log_level must be ERROR, WARN, INFO or DEBUG."
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
  description = "Subnets and security groups of the functions, if the source can only be reached from within a network. If the source is a database or an API, only extract is in the network; from there it reaches an API on the internet only through a NAT gateway."
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
  description = "Whether an emulator takes the place of AWS. Then features that emulators lack are left out: settings of recursion, and which queues may use a dead-letter queue. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}

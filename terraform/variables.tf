variable "name" {
  description = "Prefix of the names of all resources."
  type        = string
  default     = "etalon"
}

variable "pipelines" {
  description = "Folder with the pipeline files: each *.yaml in it is a pipeline."
  type        = string

  validation {
    condition     = length(fileset(var.pipelines, "*.yaml")) > 0
    error_message = "The folder must contain at least one *.yaml file."
  }
}

variable "packages" {
  description = "Folder with etalon-extract.zip, etalon-transform.zip and etalon-load.zip; terraform/package makes them."
  type        = string
}

variable "architecture" {
  description = "Processor that the packages were built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
}

variable "code_signing_config_arn" {
  description = "ARN of a code signing configuration with which Lambda accepts only signed packages. If you set it, sign the packages that terraform/package makes."
  type        = string
  default     = null
}

variable "bucket" {
  description = "Name of the bucket to be created, in which Etalon keeps its state and the staged parts. Names of buckets are unique in the whole world."
  type        = string
}

variable "prefix" {
  description = "Prefix of the names of all objects in the bucket. Empty, or with a slash at its end."
  type        = string
  default     = ""
}

variable "landing" {
  description = "A bucket to be created in which the objects of sources arrive, and which tells EventBridge of each (`schedule: object-created`). `days`: how long they are kept; without it, always. null: the buckets of the sources are there already."
  type = object({
    bucket = string
    days   = optional(number)
  })
  default = null
}

variable "retention" {
  description = "Days that staged parts, receipts, rejected records and old versions are kept."
  type = object({
    staged_days     = optional(number, 30)
    receipt_days    = optional(number, 400)
    quarantine_days = optional(number, 365)
    noncurrent_days = optional(number, 7)
  })
  default = {}
}

variable "force_destroy" {
  description = "Whether the bucket may be destroyed with everything in it."
  type        = bool
  default     = false
}

variable "warehouse" {
  description = "The warehouse: one of existing, serverless and provisioned, as in module warehouse. secret_arn is the secret to connect with; without it the functions connect with their roles."
  type = object({
    database = string
    existing = optional(object({
      workgroup     = optional(string)
      workgroup_arn = optional(string)
      cluster       = optional(string)
      user          = optional(string)
    }))
    serverless = optional(object({
      base_capacity      = optional(number, 8)
      max_capacity       = optional(number)
      daily_rpu_hours    = optional(number)
      subnet_ids         = list(string)
      security_group_ids = list(string)
    }))
    provisioned = optional(object({
      node_type          = optional(string, "ra3.large")
      nodes              = optional(number, 2)
      subnet_ids         = list(string)
      security_group_ids = list(string)
      snapshot_days      = optional(number, 7)
      skip_last_snapshot = optional(bool, false)
    }))
    secret_arn = optional(string)
  })
}

variable "settings" {
  description = "Settings of single pipelines, by the names of their files without .yaml: values of $${NAME} and ARNs of $${secret:name}, sizes of functions, the place of the files of `files:`, the KMS key of a source, the certificate authorities that are trusted for a database. Defaults are those of module pipeline."
  type = map(object({
    source_uri         = optional(string)
    source_kms_key_arn = optional(string)
    variables          = optional(map(string), {})
    secrets            = optional(map(string), {})
    certificates       = optional(string)
    transforms_max     = optional(number, 10)
    timezone           = optional(string, "UTC")
    is_enabled         = optional(bool, true)
    in_network         = optional(bool, false)
    sizes = optional(map(object({
      memory_mb       = optional(number)
      timeout_seconds = optional(number)
    })), {})
  }))
  default = {}
}

variable "network" {
  description = "Subnets and security groups of the functions, for pipelines with in_network."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "alarms" {
  description = "E-mail addresses that get the alarms. `max_age_minutes`: how old the data of a table may become, by the name of the pipeline's file. `is_told_once`: one message if several alarms of a pipeline have the same cause. null: no alarms and no dashboard."
  type = object({
    emails          = optional(list(string), [])
    max_age_minutes = optional(map(number), {})
    reject_percent  = optional(number, 1)
    is_told_once    = optional(bool, false)
  })
  default = {}
}

variable "budget" {
  description = "The budget of a month, and the e-mail addresses that are notified when 80 % are spent or the forecast exceeds the budget. `tag`: one of `tags` by which the account's bill is divided (a cost allocation tag, which must be activated); without it the budget covers the whole account."
  type = object({
    monthly_usd = number
    emails      = list(string)
    tag         = optional(string)
  })
  default = null

  validation {
    condition     = var.budget == null || try(var.budget.monthly_usd > 0 && length(var.budget.emails) > 0, false)
    error_message = "budget.monthly_usd must be greater than 0, and budget.emails must name at least one address."
  }
}

variable "kms_key_arn" {
  description = "KMS key that encrypts objects, logs, settings and a warehouse that is created. Without it, keys that AWS manages are used."
  type        = string
  default     = null
}

variable "reserves_concurrency" {
  description = "Whether concurrent calls are reserved for the functions. An account with a low limit (new accounts may have 10) cannot reserve any."
  type        = bool
  default     = true
}

variable "event_bus" {
  description = "Event bus that gets the events of loads, by its name or ARN; by default the account's default bus."
  type        = string
  default     = null
}

variable "message_days" {
  description = "Days that a message waits for its function; by default 13. Dead letters are kept for 14."
  type        = number
  default     = null
}

variable "metrics_namespace" {
  description = "Namespace of the metrics; by default Etalon."
  type        = string
  default     = null
}

variable "guide" {
  description = "Address of the folder of Etalon that has the guide, with a slash at its end: https://git.example.com/etalon/main/. Then the text of an alarm ends with a link; otherwise with the page's path in that folder."
  type        = string
  default     = ""
}

variable "log_level" {
  description = "Level of the functions' logs: ERROR, WARN, INFO or DEBUG."
  type        = string
  default     = "INFO"
}

variable "log_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of all roles."
  type        = string
  default     = null
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS; then features that emulators lack are left out. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}

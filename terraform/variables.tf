variable "name" {
  description = "What the names of everything begin with."
  type        = string
  default     = "etalon"
}

variable "pipelines" {
  description = "Folder with the pipeline files: each of its *.yaml is a pipeline."
  type        = string

  validation {
    condition     = length(fileset(var.pipelines, "*.yaml")) > 0
    error_message = "There is no *.yaml in this folder."
  }
}

variable "packages" {
  description = "Folder with etalon-extract.zip, etalon-transform.zip and etalon-load.zip; terraform/package makes them."
  type        = string
}

variable "architecture" {
  description = "What the packages were built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
}

variable "code_signing_config_arn" {
  description = "Configuration of code signing by which Lambda takes signed packages only; whoever sets it signs what terraform/package makes."
  type        = string
  default     = null
}

variable "bucket" {
  description = "Name of the bucket to be created, in which Etalon keeps what it keeps. Names of buckets are known in the whole world."
  type        = string
}

variable "prefix" {
  description = "What the names of all objects in the bucket begin with. Empty, or with a slash at its end."
  type        = string
  default     = ""
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
  description = "The warehouse. One of existing, serverless and provisioned, as module warehouse has them; secret_arn to connect with, or none where the functions' roles do."
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
    }))
    secret_arn = optional(string)
  })
}

variable "settings" {
  description = "Settings of single pipelines, by the names of their files without .yaml: values of $${NAME} and ARNs of $${secret:name}, sizes of functions, where the files of `files:` lie, the key of a source, the authorities that are believed of a database. What is not said is as module pipeline has it."
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
  description = "Subnets and security groups of the functions of pipelines with in_network."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "alarms" {
  description = "Whom alarms are told: addresses of electronic mail. `max_age_minutes`: how old the data of a table may become by the name of the pipeline's file. `is_told_once`: one message where several alarms of a pipeline have the same cause. null: there are no alarms and no dashboard."
  type = object({
    emails          = optional(list(string), [])
    max_age_minutes = optional(map(number), {})
    reject_percent  = optional(number, 1)
    is_told_once    = optional(bool, false)
  })
  default = {}
}

variable "budget" {
  description = "What a month may cost, and who is told by electronic mail when 80 % are spent or the month will take more than all of it. `tag`: one of `tags` by which the account's bill is divided (a cost allocation tag, which somebody has activated); without it the budget is about the whole account."
  type = object({
    monthly_usd = number
    emails      = list(string)
    tag         = optional(string)
  })
  default = null

  validation {
    condition     = var.budget == null || try(var.budget.monthly_usd > 0 && length(var.budget.emails) > 0, false)
    error_message = "A budget is more than 0 USD, and somebody is told of it."
  }
}

variable "kms_key_arn" {
  description = "KMS key that encrypts objects, logs, settings and a warehouse that is created. Without one, AWS's own keys do."
  type        = string
  default     = null
}

variable "reserves_concurrency" {
  description = "Whether the functions have calls reserved. An account that may make few calls at once (new ones may make 10) has none to reserve."
  type        = bool
  default     = true
}

variable "event_bus" {
  description = "Bus that is told of loads, by its name or ARN; without one, the account's default bus."
  type        = string
  default     = null
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
  description = "Whether an emulator takes the place of AWS, and what emulators lack is left out. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

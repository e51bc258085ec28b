variable "name" {
  description = "Prefix of the names of the pipeline's functions and queues."
  type        = string
}

variable "pipeline" {
  description = "Name of the pipeline in its metrics."
  type        = string
}

variable "functions" {
  description = "The functions: the output of module pipeline."
  type = map(object({
    name            = string
    timeout_seconds = number
    log_group       = string
  }))
}

variable "queues" {
  description = "The queues: the output of module pipeline."
  type = map(object({
    name      = string
    dead_name = string
  }))
}

variable "topic_arns" {
  description = "SNS topics that get the alarms."
  type        = list(string)
  default     = []
}

variable "is_told_once" {
  description = "Whether several alarms with the same cause send only one message: then only the alarm over all alarms sends it."
  type        = bool
  default     = false
}

variable "max_age_minutes" {
  description = "How old the pipeline's data may become, in minutes; without it there is no alarm for its age."
  type        = number
  default     = null

  validation {
    condition     = var.max_age_minutes == null || try(var.max_age_minutes >= 1 && var.max_age_minutes <= 1440, false)
    error_message = "max_age_minutes must be between 1 and 1440: an alarm of CloudWatch looks at one day at most."
  }
}

variable "reject_percent" {
  description = "How many of the records that were read may be rejected, in percent."
  type        = number
  default     = 1
}

variable "metrics_namespace" {
  description = "Namespace of the metrics; by default Etalon."
  type        = string
  default     = null
}

variable "workgroup" {
  description = "Workgroup of Redshift Serverless, whose work the dashboard shows; null if the warehouse is a cluster."
  type        = string
  default     = null
}

variable "has_dashboard" {
  description = "Whether there is a dashboard."
  type        = bool
  default     = true
}

variable "guide" {
  description = "Address of the folder of Etalon that has the guide, with a slash at its end: https://git.example.com/etalon/main/. Then the text of an alarm ends with a link; otherwise with the page's path in that folder."
  type        = string
  default     = ""

  validation {
    condition     = var.guide == "" || can(regex("^https?://.+/$", var.guide))
    error_message = "guide must be an address that begins with https:// or http:// and ends with a slash."
  }
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS. Then features that emulators lack are left out: the alarm over all alarms, and the saved log queries. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}

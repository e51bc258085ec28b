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

variable "has_dashboard" {
  description = "Whether there is a dashboard."
  type        = bool
  default     = true
}

variable "guide" {
  description = "Address of the guide to which the alarms link."
  type        = string
  default     = ""
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

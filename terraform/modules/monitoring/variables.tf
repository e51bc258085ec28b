variable "name" {
  description = "What the names of the pipeline's functions and queues begin with."
  type        = string
}

variable "pipeline" {
  description = "Name of the pipeline, as its metrics say it."
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
  description = "Topics of SNS that alarms are told."
  type        = list(string)
  default     = []
}

variable "is_told_once" {
  description = "Whether there is one message where several alarms have the same cause: then the alarm over all of them tells it, and they do not."
  type        = bool
  default     = false
}

variable "max_age_minutes" {
  description = "How old the pipeline's data may become, in minutes; without it nobody is told of its age."
  type        = number
  default     = null

  validation {
    condition     = var.max_age_minutes == null || try(var.max_age_minutes >= 1 && var.max_age_minutes <= 1440, false)
    error_message = "Alarms look at 1 to 1440 minutes."
  }
}

variable "reject_percent" {
  description = "How many of the records that were read may be rejected, in percent."
  type        = number
  default     = 1
}

variable "metrics_namespace" {
  description = "Namespace of the metrics; without one, Etalon."
  type        = string
  default     = null
}

variable "has_dashboard" {
  description = "Whether there is a dashboard."
  type        = bool
  default     = true
}

variable "guide" {
  description = "Where the pages of the guide are that alarms name."
  type        = string
  default     = ""
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS. Then what emulators lack is left out: the alarm over all alarms, and the questions to the logs. Never true in an account."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}

# An installation: a bucket, the way into the warehouse, and for each pipeline file the functions that run it.

locals {
  # A pipeline is known by the name of its file.
  files = { for file in fileset(var.pipelines, "*.yaml") : trimsuffix(file, ".yaml") => "${var.pipelines}/${file}" }
  none  = { source_uri = null, source_kms_key_arn = null, variables = {}, secrets = {}, certificates = null, transforms_max = 10, timezone = "UTC", is_enabled = true, in_network = false, sizes = {} }
  # `try` would make all of them unknown where one is, such as the ARN of a secret that is created with it.
  settings = { for pipeline in keys(local.files) : pipeline => merge(local.none, [for of, said in var.settings : said if of == pipeline]...) }
  unknown  = setsubtract(keys(var.settings), keys(local.files))
  # What schedules are called; functions, queues and roles have names that begin with them.
  names = flatten([for pipeline in module.pipeline : [pipeline.name, "${pipeline.name}-sweep"]])
}

module "storage" {
  source = "./modules/storage"

  bucket          = var.bucket
  prefix          = var.prefix
  kms_key_arn     = var.kms_key_arn
  staged_days     = var.retention.staged_days
  receipt_days    = var.retention.receipt_days
  quarantine_days = var.retention.quarantine_days
  noncurrent_days = var.retention.noncurrent_days
  force_destroy   = var.force_destroy
  is_emulated     = var.is_emulated
  tags            = var.tags
}

module "landing" {
  source = "./modules/bucket"
  count  = var.landing == null ? 0 : 1

  bucket        = var.landing.bucket
  kms_key_arn   = var.kms_key_arn
  force_destroy = var.force_destroy
  is_emulated   = var.is_emulated
  tags          = var.tags
}

resource "aws_s3_bucket_notification" "landing" {
  count = var.landing == null ? 0 : 1

  bucket      = module.landing[0].bucket
  eventbridge = true
}

resource "aws_s3_bucket_lifecycle_configuration" "landing" {
  count = var.landing == null ? 0 : 1

  bucket = module.landing[0].bucket

  rule {
    id     = "objects"
    status = "Enabled"

    filter {}

    expiration {
      days                         = var.landing.days
      expired_object_delete_marker = var.landing.days == null ? true : null
    }

    noncurrent_version_expiration {
      noncurrent_days = var.retention.noncurrent_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

module "warehouse" {
  source = "./modules/warehouse"

  name                 = var.name
  database             = var.warehouse.database
  existing             = var.warehouse.existing
  serverless           = var.warehouse.serverless
  provisioned          = var.warehouse.provisioned
  secret_arn           = var.warehouse.secret_arn
  storage              = module.storage
  kms_key_arn          = var.kms_key_arn
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

module "pipeline" {
  source   = "./modules/pipeline"
  for_each = local.files

  name                    = var.name
  file                    = each.value
  packages                = var.packages
  architecture            = var.architecture
  code_signing_config_arn = var.code_signing_config_arn
  storage                 = module.storage
  warehouse               = module.warehouse
  source_uri              = local.settings[each.key].source_uri
  source_kms_key_arn      = local.settings[each.key].source_kms_key_arn
  variables               = local.settings[each.key].variables
  secrets                 = local.settings[each.key].secrets
  certificates            = local.settings[each.key].certificates
  sizes                   = local.settings[each.key].sizes
  transforms_max          = local.settings[each.key].transforms_max
  timezone                = local.settings[each.key].timezone
  is_enabled              = local.settings[each.key].is_enabled
  network                 = local.settings[each.key].in_network ? var.network : null
  reserves_concurrency    = var.reserves_concurrency
  message_days            = var.message_days
  event_bus               = var.event_bus
  metrics_namespace       = var.metrics_namespace
  log_level               = var.log_level
  log_days                = var.log_days
  log_kms_key_arn         = var.kms_key_arn
  environment_kms_key_arn = var.kms_key_arn
  permissions_boundary    = var.permissions_boundary
  is_emulated             = var.is_emulated
  tags                    = var.tags
}

resource "aws_sns_topic" "alarms" {
  count = var.alarms == null ? 0 : 1

  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alarms == null ? [] : var.alarms.emails)

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}

module "monitoring" {
  source   = "./modules/monitoring"
  for_each = var.alarms == null ? {} : local.files

  name              = module.pipeline[each.key].name
  pipeline          = module.pipeline[each.key].pipeline
  functions         = module.pipeline[each.key].functions
  queues            = module.pipeline[each.key].queues
  workgroup         = module.warehouse.workgroup
  topic_arns        = aws_sns_topic.alarms[*].arn
  max_age_minutes   = try(var.alarms.max_age_minutes[each.key], null)
  reject_percent    = var.alarms.reject_percent
  is_told_once      = var.alarms.is_told_once
  metrics_namespace = var.metrics_namespace
  guide             = var.guide
  is_emulated       = var.is_emulated
  tags              = var.tags
}

# What a month may cost, told before it is spent. Budgets are the account's: without a tag it is about everything in it.
resource "aws_budgets_budget" "this" {
  count = var.budget == null || var.is_emulated ? 0 : 1

  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = tostring(var.budget.monthly_usd)
  tags         = var.tags

  dynamic "cost_filter" {
    for_each = var.budget.tag == null ? [] : [var.budget.tag]

    content {
      name   = "TagKeyValue"
      values = [format("user:%s$%s", cost_filter.value, var.tags[cost_filter.value])]
    }
  }

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.budget.emails
    }
  }

  lifecycle {
    precondition {
      condition     = var.budget.tag == null || contains(keys(var.tags), coalesce(var.budget.tag, "-"))
      error_message = "budget.tag must be a key of `tags`: the budget counts the cost of resources that have this tag."
    }
  }
}

# What calls the functions beside their queues: the clock, and new objects.

locals {
  starts = local.deployment.schedules.starts
  sweep  = local.deployment.schedules.sweep
  # What Scheduler calls, when, with what, and among whose dead letters it puts what it cannot deliver.
  schedules = merge(
    {
      "${local.name}-sweep" = {
        when    = local.sweep.when
        calls   = local.sweep.calls
        input   = local.sweep.input
        retries = local.sweep.retries
        dead    = []
      }
    },
    local.schedule == null ? {} : {
      (local.name) = {
        # New objects start the pipeline by themselves; the listing finds those whose event was lost.
        when    = local.schedule == "object-created" ? local.starts.listing : local.schedule
        calls   = local.starts.calls
        input   = local.starts.input
        retries = local.starts.retries
        dead    = [local.starts.calls]
      }
    },
  )
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name                 = "${local.name}-scheduler"
  assume_role_policy   = data.aws_iam_policy_document.scheduler.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

data "aws_iam_policy_document" "schedules" {
  statement {
    sid       = "Call"
    actions   = ["lambda:InvokeFunction"]
    resources = distinct([for schedule in local.schedules : aws_lambda_function.this[schedule.calls].arn])
  }

  dynamic "statement" {
    for_each = contains(keys(local.schedules), local.name) ? [aws_sqs_queue.dead["extract"].arn] : []

    content {
      sid       = "KeepWhatCannotBeDelivered"
      actions   = ["sqs:SendMessage"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "schedules"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.schedules.json
}

resource "aws_scheduler_schedule" "this" {
  #checkov:skip=CKV_AWS_297:what a schedule sends is the same for everybody, and stands in this repository
  for_each = local.schedules

  name                         = each.key
  schedule_expression          = each.value.when
  schedule_expression_timezone = each.key == local.name ? var.timezone : "UTC"
  state                        = var.is_enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.this[each.value.calls].arn
    role_arn = aws_iam_role.scheduler.arn
    input    = each.value.input

    retry_policy {
      maximum_retry_attempts       = each.value.retries.attempts
      maximum_event_age_in_seconds = each.value.retries.age_seconds
    }

    dynamic "dead_letter_config" {
      for_each = each.value.dead

      content {
        arn = aws_sqs_queue.dead[dead_letter_config.value].arn
      }
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

# `schedule: object-created`: the bucket tells EventBridge, and EventBridge the extract queue.
resource "aws_cloudwatch_event_rule" "objects" {
  count = local.schedule == "object-created" ? 1 : 0

  name        = "${local.name}-objects"
  description = "New objects of pipeline ${local.pipeline.pipeline}"
  state       = var.is_enabled ? "ENABLED" : "DISABLED"
  tags        = var.tags

  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created"]
    detail = merge(
      { bucket = { name = [local.source_bucket] } },
      local.source_prefix == "" ? {} : { object = { key = [{ prefix = local.source_prefix }] } },
    )
  })
}

resource "aws_cloudwatch_event_target" "objects" {
  count = length(aws_cloudwatch_event_rule.objects)

  rule = aws_cloudwatch_event_rule.objects[0].name
  arn  = aws_sqs_queue.this["extract"].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead["extract"].arn
  }

  depends_on = [aws_sqs_queue_policy.this, aws_sqs_queue_policy.dead]
}

# The queues, each with the queue of its dead letters.

resource "aws_sqs_queue" "dead" {
  for_each = local.functions

  name                      = replace(each.value.queue.dead_name, "{name}", local.name)
  fifo_queue                = each.value.queue.is_fifo
  message_retention_seconds = each.value.queue.dead_kept_seconds
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue" "this" {
  for_each = local.functions

  name       = replace(each.value.queue.name, "{name}", local.name)
  fifo_queue = each.value.queue.is_fifo
  # A message that was received comes again when it was not dealt with: after several timeouts of its function, since a
  # function that is throttled tries for that long.
  visibility_timeout_seconds = each.value.timeout_seconds * local.deployment.visibility_timeouts
  message_retention_seconds  = var.message_days == null ? each.value.queue.kept_seconds : var.message_days * 86400
  sqs_managed_sse_enabled    = true
  tags                       = var.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = local.deployment.receives_max
  })

  lifecycle {
    precondition {
      condition     = local.deployment.visibility_timeouts >= 6
      error_message = "The visibility timeout of a queue must be at least six times the timeout of its function."
    }

    precondition {
      condition     = local.deployment.receives_max >= 5
      error_message = "maxReceiveCount of a queue must be at least 5: a throttled call counts as a receive, too."
    }

    precondition {
      condition     = (var.message_days == null ? each.value.queue.kept_seconds : var.message_days * 86400) < each.value.queue.dead_kept_seconds
      error_message = "message_days must be less than the days that the dead-letter queue keeps its messages: a dead letter keeps the age of its message."
    }
  }
}

# Only these queues send to those of dead letters.
resource "aws_sqs_queue_redrive_allow_policy" "this" {
  for_each = var.is_emulated ? {} : local.functions

  queue_url = aws_sqs_queue.dead[each.key].id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this[each.key].arn]
  })
}

data "aws_iam_policy_document" "queue" {
  for_each = merge(
    { for step, queue in aws_sqs_queue.this : step => queue.arn },
    { for step, queue in aws_sqs_queue.dead : "${step}-dead" => queue.arn },
  )

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # The rule of new objects sends to the one, and what it cannot send to the other.
  dynamic "statement" {
    for_each = contains(["extract", "extract-dead"], each.key) ? aws_cloudwatch_event_rule.objects : []

    content {
      sid       = "TakeObjectEvents"
      actions   = ["sqs:SendMessage"]
      resources = [each.value]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [statement.value.arn]
      }
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  for_each = aws_sqs_queue.this

  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

resource "aws_sqs_queue_policy" "dead" {
  for_each = aws_sqs_queue.dead

  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.queue["${each.key}-dead"].json
}

# The functions, and how their queues call them.

locals {
  # What the settings of the functions are. A function gets those that it reads; what is null it does not get.
  settings = {
    ETALON_PIPELINE         = "s3://${var.storage.bucket}/${aws_s3_object.pipeline.key}"
    ETALON_STAGING          = "s3://${var.storage.bucket}/${var.storage.prefix}"
    ETALON_SOURCE           = can(local.pipeline.source.s3) ? null : local.source
    ETALON_MANIFEST         = local.manifest_path == null ? null : "s3://${var.storage.bucket}/${aws_s3_object.manifest[0].key}"
    ETALON_CERTIFICATES     = var.certificates == null ? null : "s3://${var.storage.bucket}/${aws_s3_object.certificates[0].key}"
    ETALON_NAMESPACE        = var.metrics_namespace
    ETALON_RECEIVES_MAX     = tostring(local.deployment.receives_max)
    ETALON_STARTS_QUEUE_URL = aws_sqs_queue.this["extract"].url
    ETALON_TASKS_QUEUE_URL  = aws_sqs_queue.this["transform"].url
    ETALON_LOADS_QUEUE_URL  = aws_sqs_queue.this["load"].url
    ETALON_EVENT_BUS        = var.event_bus
    ETALON_DATABASE         = var.warehouse.database
    ETALON_WORKGROUP        = var.warehouse.workgroup
    ETALON_CLUSTER          = var.warehouse.cluster
    ETALON_DB_USER          = var.warehouse.user
    ETALON_WAREHOUSE_SECRET = var.warehouse.secret_arn
    ETALON_COPY_ROLE        = var.warehouse.copy_role_arn
    # Lambda sets it by the function's configuration of logs.
    AWS_LAMBDA_LOG_LEVEL = null
  }
  named = {
    for step in keys(local.functions) : step => merge(
      { for name, value in var.variables : "ETALON_VARIABLE_${name}" => value },
      { for name, arn in var.secrets : "ETALON_SECRET_${name}" => arn if step == "extract" || !contains(local.own_secrets, name) },
    )
  }
  # Of a source that lands, only extract must reach it.
  networks = {
    for step in keys(local.functions) : step => var.network == null || local.lands && step != "extract" ? [] : [var.network]
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:log_days decides; what must be kept for a year is in receipts and in the trail of module audit
  for_each = local.functions

  name              = "/aws/lambda/${local.name}-${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:the functions write no traces; their log has the ids of each load, unit and batch
  for_each = local.functions

  function_name    = "${local.name}-${each.key}"
  description      = "Etalon: ${each.key} of pipeline ${local.pipeline.pipeline}"
  role             = aws_iam_role.this[each.key].arn
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = "bootstrap"
  filename         = "${var.packages}/etalon-${each.key}.zip"
  source_code_hash = filebase64sha256("${var.packages}/etalon-${each.key}.zip")

  memory_size                    = each.value.memory_mb
  timeout                        = each.value.timeout_seconds
  reserved_concurrent_executions = var.reserves_concurrency ? each.value.reserved : -1
  kms_key_arn                    = var.environment_kms_key_arn
  code_signing_config_arn        = var.code_signing_config_arn
  tags                           = var.tags

  environment {
    variables = local.environments[each.key]
  }

  # What a schedule or a person calls and what fails three times lies here.
  dynamic "dead_letter_config" {
    for_each = each.value.queue.is_fifo ? [] : [aws_sqs_queue.dead[each.key].arn]

    content {
      target_arn = dead_letter_config.value
    }
  }

  logging_config {
    log_format            = "JSON"
    application_log_level = var.log_level
    system_log_level      = "INFO"
    log_group             = aws_cloudwatch_log_group.this[each.key].name
  }

  dynamic "vpc_config" {
    for_each = local.networks[each.key]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    precondition {
      # terraform/package writes down what it has built for.
      condition     = try(trimspace(file("${var.packages}/architecture")), var.architecture) == var.architecture
      error_message = "The packages were built for another architecture. Build them with: terraform/package ${var.architecture}"
    }

    precondition {
      condition     = each.value.timeout_seconds <= 900
      error_message = "timeout_seconds can be 900 at most: Lambda stops a function after 15 minutes."
    }

    precondition {
      condition     = each.value.memory_mb >= 128 && each.value.memory_mb <= 10240
      error_message = "memory_mb must be between 128 and 10240."
    }
  }

  # Without its rights it would be refused what it needs when it begins.
  depends_on = [aws_iam_role_policy.this]
}

locals {
  # Each function's dead letters lie in a queue of their own.
  values = {
    for step in keys(local.functions) : step => merge(local.settings, {
      ETALON_DEAD_QUEUE_URL = aws_sqs_queue.dead[step].url
    })
  }
  environments = {
    for step, function in local.functions : step => merge(
      {
        for setting in function.settings : setting => local.values[step][setting]
        if local.values[step][setting] != null
      },
      local.named[step],
    )
  }
}

# Extract hands the rest of its work to itself, and Lambda would stop that after some 16 rounds. It has a limit of its own.
resource "aws_lambda_function_recursion_config" "this" {
  for_each = var.is_emulated ? {} : { for step, function in local.functions : step => function if function.mapping.allows_loops }

  function_name  = aws_lambda_function.this[each.key].function_name
  recursive_loop = "Allow"
}

# How often Lambda makes a call again that nobody waits for.
resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = local.functions

  function_name                = aws_lambda_function.this[each.key].function_name
  maximum_retry_attempts       = each.value.retries.attempts
  maximum_event_age_in_seconds = each.value.retries.age_seconds
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.functions

  event_source_arn                   = aws_sqs_queue.this[each.key].arn
  function_name                      = aws_lambda_function.this[each.key].arn
  batch_size                         = each.value.mapping.batch_size
  maximum_batching_window_in_seconds = each.value.queue.is_fifo ? null : each.value.mapping.window_seconds
  # The function says which messages of a batch have failed. Without this, all of them would be taken for done.
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = each.value.concurrency_max
  }

  lifecycle {
    precondition {
      condition     = !var.reserves_concurrency || each.value.reserved >= each.value.concurrency_max
      error_message = "The reserved concurrency of a function must be at least the maximum concurrency of its queue: otherwise Lambda throttles calls, and their messages become dead letters."
    }

    precondition {
      condition     = each.value.concurrency_max >= 2 && each.value.concurrency_max <= 1000
      error_message = "The maximum concurrency of a queue must be between 2 and 1000."
    }
  }
}

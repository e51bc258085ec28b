output "name" {
  description = "Prefix of the names of the pipeline's functions, queues and schedules."
  value       = local.name
}

output "pipeline" {
  description = "Name of the pipeline in its metrics."
  value       = local.pipeline.pipeline
}

output "functions" {
  description = "Names and timeouts of the functions, by step."
  value = {
    for step, function in aws_lambda_function.this : step => {
      name            = function.function_name
      arn             = function.arn
      role_arn        = aws_iam_role.this[step].arn
      role_name       = aws_iam_role.this[step].name
      timeout_seconds = function.timeout
      log_group       = aws_cloudwatch_log_group.this[step].name
    }
  }
}

output "queues" {
  description = "Names and URLs of the queues and of their dead-letter queues, by step."
  value = {
    for step, queue in aws_sqs_queue.this : step => {
      name      = queue.name
      url       = queue.url
      dead_name = aws_sqs_queue.dead[step].name
      dead_url  = aws_sqs_queue.dead[step].url
    }
  }
}

output "target" {
  description = "The table that the pipeline loads."
  value       = try(local.pipeline.target.table, null)
}

output "schema" {
  description = "The schema of the table that the pipeline loads."
  value       = try(regex("^(.+)[.][^.]+$", local.table)[0], "public")
}

output "user" {
  description = "The database user that the load function is, by its role; null if a secret or the warehouse names another."
  value       = var.warehouse.secret_arn == null && var.warehouse.user == null ? "IAMR:${aws_iam_role.this["load"].name}" : null
}

output "schedule" {
  description = "When the pipeline runs, as its file says; null if the file does not say it."
  value       = local.schedule
}

output "operator_policy" {
  description = "Policy for a person who operates the pipeline with the command, as JSON for `aws_iam_policy`."
  value       = data.aws_iam_policy_document.operator.json
}

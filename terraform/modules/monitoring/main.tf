# Alarms and a dashboard of a pipeline. What they are stands in terraform/monitoring, made from core/src/deploy/monitoring.rs.

locals {
  queries = yamldecode(file("${path.module}/../../monitoring/queries.yaml"))
  alarms  = yamldecode(file("${path.module}/../../monitoring/alarms.yaml"))

  # An alarm for each step that it is about.
  each = merge([
    for name, alarm in local.alarms : {
      for step in alarm.steps : "${name}-${step}" => merge(alarm, { step = step, alarm = name })
      if var.max_age_minutes != null || !(contains(keys(alarm), "threshold_age") || contains(keys(alarm), "none_within_age"))
    }
  ]...)

  # Whom each alarm tells; where one message is wanted for all of them, the alarm over all tells it.
  told = var.is_told_once ? [] : var.topic_arns

  dimensions = {
    for key, alarm in local.each : key => {
      step       = { Pipeline = var.pipeline, Step = alarm.step }
      function   = { FunctionName = var.functions[alarm.step].name }
      queue      = { QueueName = var.queues[alarm.step].name }
      dead_queue = { QueueName = var.queues[alarm.step].dead_name }
    }[alarm.each]
  }
  namespaces = {
    for key, alarm in local.each : key => alarm.each == "step" ? coalesce(var.metrics_namespace, alarm.namespace) : alarm.namespace
  }
  names = concat(
    [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name],
    [for alarm in aws_cloudwatch_metric_alarm.rejects : alarm.alarm_name],
  )
  thresholds = {
    for key, alarm in local.each : key => (
      contains(keys(alarm), "threshold_rejects") ? var.reject_percent :
      contains(keys(alarm), "threshold_age") ? var.max_age_minutes * 60 :
      contains(keys(alarm), "none_within_age") ? 1 :
      # Lambda measures in milliseconds.
      contains(keys(alarm), "threshold_timeout") ? var.functions[alarm.step].timeout_seconds * alarm.threshold_timeout * 10 :
      alarm.threshold
    )
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for key, alarm in local.each : key => alarm if !contains(keys(alarm), "threshold_rejects") }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.says} See ${var.guide}${each.value.page}"
  namespace           = local.namespaces[each.key]
  metric_name         = each.value.metric
  dimensions          = local.dimensions[each.key]
  statistic           = each.value.statistic
  period              = contains(keys(each.value), "none_within_age") ? var.max_age_minutes * 60 : each.value.period_seconds
  evaluation_periods  = each.value.periods
  threshold           = local.thresholds[each.key]
  comparison_operator = contains(keys(each.value), "none_within_age") ? "LessThanThreshold" : "GreaterThanThreshold"
  treat_missing_data  = contains(keys(each.value), "none_within_age") ? "breaching" : "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "rejects" {
  for_each = { for key, alarm in local.each : key => alarm if contains(keys(alarm), "threshold_rejects") }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.says} See ${var.guide}${each.value.page}"
  evaluation_periods  = each.value.periods
  threshold           = local.thresholds[each.key]
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = var.tags

  metric_query {
    id          = "share"
    expression  = "100 * rejected / read"
    label       = "Rejected records (%)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { rejected = "RowsQuarantined", read = "RowsRead" }

    content {
      id = metric_query.key

      metric {
        namespace   = local.namespaces[each.key]
        metric_name = metric_query.value
        dimensions  = local.dimensions[each.key]
        period      = each.value.period_seconds
        stat        = each.value.statistic
      }
    }
  }
}

# Whether the pipeline is well: whether none of its alarms tells something.
resource "aws_cloudwatch_composite_alarm" "unhealthy" {
  count = var.is_emulated ? 0 : 1

  alarm_name        = "${var.name}-unhealthy"
  alarm_description = "Pipeline ${var.pipeline} needs attention: at least one of its alarms is on. See ${var.guide}docs/guide/troubleshooting.md#unhealthy"
  alarm_rule        = join(" OR ", [for name in local.names : "ALARM(\"${name}\")"])
  alarm_actions     = var.is_told_once ? var.topic_arns : []
  ok_actions        = var.is_told_once ? var.topic_arns : []
  tags              = var.tags
}

# What somebody asks the logs, ready to be run.
resource "aws_cloudwatch_query_definition" "this" {
  for_each = var.is_emulated ? {} : local.queries

  name            = "${var.name}/${each.key}"
  log_group_names = [for function in var.functions : function.log_group]
  query_string    = each.value.query
}

data "aws_region" "this" {}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.has_dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode(jsondecode(
    replace(replace(replace(replace(replace(
      file("${path.module}/../../monitoring/dashboard.json"),
      "{name}", var.name), "{pipeline}", var.pipeline), "{region}", data.aws_region.this.name),
    "{namespace}", coalesce(var.metrics_namespace, local.alarms.residue.namespace)), "{workgroup}", coalesce(var.workgroup, "-"))
  ))
}

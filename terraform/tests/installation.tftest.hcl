# An installation, planned without an account; and what it refuses as a whole.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  bucket    = "acme-etalon"
  pipelines = "tests/files/pipelines"
  packages  = "tests/files/packages"
  warehouse = { database = "dev", existing = { workgroup = "analytics" } }
}

run "an_installation" {
  command = plan

  variables {
    tags   = { Application = "etalon" }
    alarms = { emails = ["data@example.com"], is_told_once = true, max_age_minutes = { orders = 60 } }
    budget = { monthly_usd = 200, emails = ["data@example.com"], tag = "Application" }
  }

  assert {
    condition     = one(aws_budgets_budget.this).limit_amount == "200" && one(one(aws_budgets_budget.this).cost_filter).values[0] == "user:Application$etalon"
    error_message = "The budget counts what has the tag."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 1 && keys(output.pipelines) == ["orders"]
    error_message = "There is a pipeline for each file, and somebody who is told."
  }
}

run "objects_arrive_in_a_bucket_of_its_own" {
  command = plan

  variables {
    landing = { bucket = "acme-landing", days = 400 }
  }

  assert {
    condition     = one(aws_s3_bucket_notification.landing).eventbridge && one(one(one(aws_s3_bucket_lifecycle_configuration.landing).rule).expiration).days == 400
    error_message = "It tells EventBridge of each object, and keeps it for as long as is said."
  }
}

run "what_an_administrator_runs" {
  command = plan

  variables {
    pipelines = "tests/files/tables"
    settings  = { orders = { variables = { WHERE = "analytics" } } }
  }

  assert {
    condition     = output.grants == "CREATE SCHEMA IF NOT EXISTS analytics;\nCREATE USER \"IAMR:etalon-orders-load\" PASSWORD DISABLE;\nGRANT USAGE, CREATE ON SCHEMA analytics TO \"IAMR:etalon-orders-load\";"
    error_message = "The load function's user may work in the schema of its table."
  }
}

run "one_message_for_all_alarms" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name         = "etalon-orders"
    pipeline     = "orders"
    topic_arns   = ["arn:aws:sns:us-east-1:123456789012:etalon-alarms"]
    is_told_once = true
    workgroup    = "analytics"
    guide        = "https://git.example.com/etalon/main/"

    metrics_namespace = "Acme/Etalon"

    functions = { for step in ["extract", "transform", "load"] : step => { name = "etalon-orders-${step}", timeout_seconds = 300, log_group = "/aws/lambda/etalon-orders-${step}" } }
    queues    = { for step in ["extract", "transform", "load"] : step => { name = step, dead_name = "${step}-dead" } }
  }

  assert {
    condition     = length(regexall("ALARM\\(", one(aws_cloudwatch_composite_alarm.unhealthy).alarm_rule)) == length(output.alarms) && length(output.alarms) > 20
    error_message = "The alarm over all alarms is about each of them."
  }

  assert {
    condition     = length(one(aws_cloudwatch_composite_alarm.unhealthy).alarm_actions) == 1 && alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 0])
    error_message = "It alone tells somebody."
  }

  assert {
    condition     = length(regexall("\\{[a-z]+\\}|\"Etalon\"", one(aws_cloudwatch_dashboard.this).dashboard_body)) == 0 && length(regexall("Acme/Etalon", one(aws_cloudwatch_dashboard.this).dashboard_body)) > 10
    error_message = "The dashboard looks at the namespace of the metrics, and has no placeholders."
  }

  assert {
    condition     = alltrue([for key, alarm in local.each : local.namespaces[key] == "Acme/Etalon" || alarm.each != "step"])
    error_message = "The alarms look at the namespace of the metrics."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : can(regex(" See https://git.example.com/etalon/main/docs/guide/troubleshooting.md#[a-z-]+$", alarm.alarm_description))])
    error_message = "The text of an alarm ends with a link to its section of the guide."
  }

  assert {
    condition     = alltrue([for query in aws_cloudwatch_query_definition.this : length(query.log_group_names) == 3]) && length(aws_cloudwatch_query_definition.this) >= 5
    error_message = "The questions to the logs are about all three functions."
  }
}

run "a_guide_that_is_nowhere" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name      = "etalon-orders"
    pipeline  = "orders"
    functions = { for step in ["extract", "transform", "load"] : step => { name = step, timeout_seconds = 300, log_group = step } }
    queues    = { for step in ["extract", "transform", "load"] : step => { name = step, dead_name = "${step}-dead" } }
    guide     = "docs"
  }

  expect_failures = [var.guide]
}

run "a_folder_without_pipelines" {
  command = plan

  variables {
    pipelines = "tests"
  }

  expect_failures = [var.pipelines]
}

run "names_that_are_alike" {
  command = plan

  variables {
    pipelines = "tests/files/alike"
  }

  expect_failures = [output.pipelines]
}

run "a_name_that_is_that_of_a_sweep" {
  command = plan

  variables {
    pipelines = "tests/files/sweep"
  }

  expect_failures = [output.pipelines]
}

run "settings_of_a_pipeline_that_is_not_there" {
  command = plan

  variables {
    settings = { invoices = {} }
  }

  expect_failures = [output.bucket]
}

run "a_budget_that_nobody_hears_of" {
  command = plan

  variables {
    budget = { monthly_usd = 200, emails = [] }
  }

  expect_failures = [var.budget]
}

run "a_budget_of_a_tag_that_nothing_has" {
  command = plan

  variables {
    budget = { monthly_usd = 200, emails = ["data@example.com"], tag = "Team" }
  }

  expect_failures = [aws_budgets_budget.this]
}

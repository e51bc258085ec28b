# Module pipeline refuses what Lambda, SQS or a reader would find out later.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  file     = "tests/files/pipelines/orders.yaml"
  packages = "tests/files/packages"
  storage  = { bucket = "acme-etalon", prefix = "" }
  warehouse = {
    database      = "dev"
    workgroup     = "analytics"
    copy_role_arn = "arn:aws:iam::123456789012:role/copy"
  }
}

run "a_pipeline_as_it_should_be" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition     = alltrue([for step, queue in aws_sqs_queue.this : queue.visibility_timeout_seconds >= 6 * aws_lambda_function.this[step].timeout])
    error_message = "A message is invisible for six timeouts."
  }

  assert {
    condition     = alltrue([for step, mapping in aws_lambda_event_source_mapping.this : contains(mapping.function_response_types, "ReportBatchItemFailures")])
    error_message = "A function says which messages of a batch have failed."
  }

  assert {
    condition     = alltrue([for step, function in aws_lambda_function.this : function.reserved_concurrent_executions > aws_lambda_event_source_mapping.this[step].scaling_config[0].maximum_concurrency])
    error_message = "A function may make more calls than its queue makes."
  }

  assert {
    condition     = aws_sqs_queue.this["load"].fifo_queue && aws_sqs_queue.dead["load"].fifo_queue && endswith(aws_sqs_queue.this["load"].name, ".fifo")
    error_message = "Loads are one at a time for each table."
  }

  assert {
    condition     = aws_lambda_function_recursion_config.this["extract"].recursive_loop == "Allow" && length(aws_lambda_function_recursion_config.this) == 1
    error_message = "Extract alone may call itself."
  }

  assert {
    condition     = alltrue([for step, group in aws_cloudwatch_log_group.this : group.retention_in_days == 30 && aws_lambda_function.this[step].logging_config[0].log_group == group.name])
    error_message = "Each function logs to a group whose lines go after a while."
  }

  assert {
    condition     = alltrue([for step in ["extract", "transform"] : length(aws_lambda_function.this[step].dead_letter_config) == 1 && aws_lambda_function_event_invoke_config.this[step].maximum_retry_attempts == 2]) && aws_lambda_function_event_invoke_config.this["load"].maximum_retry_attempts == 0
    error_message = "A call that nobody waits for is made again, and kept if it fails; a sweep is neither."
  }

  assert {
    condition     = length(aws_scheduler_schedule.this["etalon-orders"].target[0].dead_letter_config) == 1 && aws_scheduler_schedule.this["etalon-orders"].target[0].retry_policy[0].maximum_retry_attempts == 185 && length(aws_scheduler_schedule.this["etalon-orders-sweep"].target[0].dead_letter_config) == 0
    error_message = "What the schedule cannot deliver is kept; a sweep is not."
  }

  assert {
    condition     = alltrue([for step, redrive in aws_sqs_queue_redrive_allow_policy.this : contains(["extract", "transform", "load"], step)]) && length(aws_sqs_queue_redrive_allow_policy.this) == 3 && length(aws_sqs_queue_policy.this) == 3 && length(aws_sqs_queue_policy.dead) == 3
    error_message = "Each queue has a policy, and each queue of dead letters says whose letters it takes."
  }

  assert {
    condition     = alltrue([for name, document in data.aws_iam_policy_document.queue : document.statement[0].effect == "Deny" && one(document.statement[0].condition).variable == "aws:SecureTransport"])
    error_message = "A queue refuses plain HTTP."
  }

  assert {
    condition     = alltrue([for step, queue in aws_sqs_queue.dead : queue.message_retention_seconds > aws_sqs_queue.this[step].message_retention_seconds])
    error_message = "A dead letter lives longer than a message."
  }
}

run "new_objects_start_a_pipeline" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file = "tests/files/created.yaml"
  }

  assert {
    condition     = jsondecode(one(aws_cloudwatch_event_rule.objects).event_pattern).detail == { bucket = { name = ["acme-landing"] }, object = { key = [{ prefix = "orders/" }] } }
    error_message = "The rule is about the objects of the source."
  }

  assert {
    condition     = length(one(aws_cloudwatch_event_target.objects).dead_letter_config) == 1
    error_message = "An event that cannot be delivered is kept."
  }

  assert {
    condition     = join(" ", [for name, document in data.aws_iam_policy_document.queue : name if length(document.statement) == 2]) == "extract extract-dead"
    error_message = "The rule may send to the queue of extract and to that of its dead letters."
  }

  assert {
    condition     = aws_scheduler_schedule.this["etalon-orders"].schedule_expression == "rate(1 day)"
    error_message = "A listing finds the objects whose event was lost."
  }
}

run "a_name_with_capital_letters" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    name = "Etalon"
  }

  expect_failures = [var.name]
}

run "a_file_that_is_none_of_a_pipeline" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file = "tests/files/none.yaml"
  }

  expect_failures = [var.file]
}

run "an_architecture_that_lambda_has_not" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    architecture = "mips"
  }

  expect_failures = [var.architecture]
}

run "a_workgroup_and_a_cluster" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    warehouse = { database = "dev", copy_role_arn = "arn:aws:iam::123456789012:role/copy", workgroup = "a", cluster = "b" }
  }

  expect_failures = [var.warehouse]
}

run "a_user_beside_a_secret" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    warehouse = { database = "dev", copy_role_arn = "arn:aws:iam::123456789012:role/copy", cluster = "b", user = "loader", secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a" }
  }

  expect_failures = [var.warehouse]
}

run "the_size_of_a_function_that_is_not_there" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    sizes = { loader = { memory_mb = 512 } }
  }

  expect_failures = [var.sizes]
}

run "one_task_at_once" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    transforms_max = 1
  }

  expect_failures = [var.transforms_max]
}

run "messages_that_outlive_their_dead_letters" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    message_days = 14
  }

  expect_failures = [aws_sqs_queue.this]
}

run "messages_that_are_not_kept" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    message_days = 0
  }

  expect_failures = [var.message_days]
}

run "a_level_that_nobody_logs" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    log_level = "LOUD"
  }

  expect_failures = [var.log_level]
}

run "files_that_lie_nowhere" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file = "tests/files/named.yaml"
  }

  expect_failures = [aws_s3_object.pipeline]
}

run "a_source_that_is_no_bucket" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file = "tests/files/elsewhere.yaml"
  }

  expect_failures = [aws_s3_object.pipeline]
}

run "a_name_that_is_too_long" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file = "tests/files/long.yaml"
  }

  expect_failures = [aws_s3_object.pipeline]
}

run "a_secret_in_the_address_of_a_source" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file      = "tests/files/secret.yaml"
    variables = { "secret:bucket" = "acme-landing" }
  }

  expect_failures = [aws_s3_object.pipeline]
}

run "more_time_than_lambda_gives" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    sizes = { transform = { timeout_seconds = 901 } }
  }

  expect_failures = [aws_lambda_function.this]
}

run "less_memory_than_lambda_gives" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    sizes = { transform = { memory_mb = 64 } }
  }

  expect_failures = [aws_lambda_function.this]
}

run "packages_for_another_processor" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    architecture = "x86_64"
  }

  expect_failures = [aws_lambda_function.this]
}

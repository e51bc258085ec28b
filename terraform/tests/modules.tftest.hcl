# Each module refuses what does not go together.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "what_is_kept_is_private_and_goes_in_time" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket      = "acme-etalon"
    prefix      = "etalon/"
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
  }

  assert {
    condition     = toset([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.filter[0].prefix if rule.id != "unfinished-uploads"]) == toset([for below in keys(local.prefixes) : "etalon/${below}"])
    error_message = "Each prefix has a rule, below the prefix of the installation."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : one(rule.noncurrent_version_expiration).noncurrent_days == 7 if rule.id != "unfinished-uploads"])
    error_message = "Old versions go everywhere."
  }

  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : one(rule.expiration).expired_object_delete_marker if rule.id != "unfinished-uploads" && local.days[try(local.prefixes["${rule.id}/"].retention, "staged")] == null])
    error_message = "Where nothing goes by its age, the markers of deleted objects go."
  }

  assert {
    condition     = join(" ", [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : "${rule.id}:${one(rule.expiration).days}" if contains(["staged", "quarantine", "receipts"], rule.id)]) == "quarantine:365 receipts:400 staged:30"
    error_message = "Parts, receipts and rejected records are kept for as long as they should be."
  }
}

run "a_bucket_is_closed" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    bucket      = "acme-etalon"
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
  }

  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy, aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets])
    error_message = "The public has no access."
  }

  assert {
    condition     = data.aws_iam_policy_document.this.statement[0].sid == "RefusePlainHttp" && data.aws_iam_policy_document.this.statement[0].effect == "Deny" && length(aws_s3_bucket_policy.this) == 1
    error_message = "Plain HTTP is refused."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled && one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "Objects are encrypted with the key, by a key of the bucket."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Old versions are kept, and no object belongs to somebody else."
  }
}

run "a_workgroup_is_created" {
  command = plan

  module {
    source = "./modules/warehouse"
  }

  variables {
    database    = "dev"
    storage     = { bucket = "acme-etalon", prefix = "etalon/" }
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
    serverless = {
      daily_rpu_hours    = 24
      subnet_ids         = ["subnet-1", "subnet-2", "subnet-3"]
      security_group_ids = ["sg-1"]
    }
  }

  assert {
    condition     = one(aws_redshiftserverless_workgroup.this).base_capacity == 8 && !one(aws_redshiftserverless_workgroup.this).publicly_accessible && anytrue([for parameter in one(aws_redshiftserverless_workgroup.this).config_parameter : parameter.parameter_key == "require_ssl" && parameter.parameter_value == "true"])
    error_message = "The workgroup is not public, and takes no connection without TLS."
  }

  assert {
    condition     = one(aws_redshiftserverless_namespace.this).kms_key_id == var.kms_key_arn && one(aws_redshiftserverless_namespace.this).manage_admin_password
    error_message = "It is encrypted with the key, and nobody knows the administrator's password."
  }

  assert {
    condition     = one(aws_redshiftserverless_usage_limit.this).amount == 24 && one(aws_redshiftserverless_usage_limit.this).breach_action == "deactivate"
    error_message = "A day costs at most so much."
  }

  assert {
    condition     = output.workgroup == "etalon" && output.cluster == null && output.user == null
    error_message = "The functions are told of the workgroup."
  }
}

run "a_cluster_is_created" {
  command = plan

  module {
    source = "./modules/warehouse"
  }

  variables {
    database    = "dev"
    storage     = { bucket = "acme-etalon", prefix = "etalon/" }
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
    provisioned = {
      subnet_ids         = ["subnet-1", "subnet-2"]
      security_group_ids = ["sg-1"]
    }
  }

  assert {
    condition     = tostring(one(aws_redshift_cluster.this).encrypted) == "true" && one(aws_redshift_cluster.this).kms_key_id == var.kms_key_arn && !one(aws_redshift_cluster.this).publicly_accessible && one(aws_redshift_cluster.this).manage_master_password
    error_message = "The cluster is encrypted and not public, and nobody knows the administrator's password."
  }

  assert {
    condition     = anytrue([for parameter in one(aws_redshift_parameter_group.this).parameter : parameter.name == "require_ssl" && parameter.value == "true"]) && one(aws_redshift_cluster.this).cluster_parameter_group_name == "etalon"
    error_message = "It takes no connection without TLS."
  }

  assert {
    condition     = one(aws_redshift_cluster.this).cluster_type == "multi-node" && one(aws_redshift_cluster.this).final_snapshot_identifier == "etalon-last" && !one(aws_redshift_cluster.this).skip_final_snapshot
    error_message = "It has two nodes, and its data outlives it."
  }

  assert {
    condition     = contains(one(aws_redshift_logging.this).log_exports, "connectionlog") && output.cluster == "etalon" && output.workgroup == null
    error_message = "Who connects is written down, and the functions are told of the cluster."
  }
}

run "a_cluster_that_leaves_nothing" {
  command = plan

  module {
    source = "./modules/warehouse"
  }

  variables {
    database    = "dev"
    storage     = { bucket = "acme-etalon", prefix = "" }
    provisioned = { nodes = 1, skip_last_snapshot = true, subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition     = one(aws_redshift_cluster.this).cluster_type == "single-node" && one(aws_redshift_cluster.this).skip_final_snapshot && one(aws_redshift_cluster.this).final_snapshot_identifier == null
    error_message = "One node, and no last snapshot."
  }
}

run "a_bucket_with_capital_letters" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    bucket = "Acme"
  }

  expect_failures = [var.bucket]
}

run "a_prefix_without_a_slash" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket = "acme-etalon"
    prefix = "etalon"
  }

  expect_failures = [var.prefix]
}

run "parts_that_are_not_kept" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket      = "acme-etalon"
    staged_days = 0
  }

  expect_failures = [var.staged_days]
}

run "rejects_that_are_not_kept" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket          = "acme-etalon"
    quarantine_days = 0
  }

  expect_failures = [var.quarantine_days]
}

run "old_versions_that_are_not_kept" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket          = "acme-etalon"
    noncurrent_days = 0
  }

  expect_failures = [var.noncurrent_days]
}

run "receipts_that_go_before_their_parts" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket      = "acme-etalon"
    staged_days = 400
  }

  expect_failures = [aws_s3_bucket_lifecycle_configuration.this]
}

run "receipts_that_go_before_their_rejects" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket          = "acme-etalon"
    quarantine_days = 400
  }

  expect_failures = [aws_s3_bucket_lifecycle_configuration.this]
}

run "addresses_that_are_none" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = ["us-east-1a", "us-east-1b"]
    cidr  = "10.0"
  }

  expect_failures = [var.cidr]
}

run "one_zone" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = ["us-east-1a"]
  }

  expect_failures = [var.zones]
}

run "endpoints_in_more_zones_than_there_are" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones          = ["us-east-1a", "us-east-1b"]
    endpoint_zones = 3
  }

  expect_failures = [aws_vpc.this]
}

run "a_warehouse_that_is_two" {
  command = plan

  module {
    source = "./modules/warehouse"
  }

  variables {
    database = "dev"
    storage  = { bucket = "acme-etalon", prefix = "" }
    existing = { workgroup = "a", cluster = "b" }
  }

  expect_failures = [var.existing]
}

run "no_warehouse" {
  command = plan

  module {
    source = "./modules/warehouse"
  }

  variables {
    database = "dev"
    storage  = { bucket = "acme-etalon", prefix = "" }
  }

  expect_failures = [aws_iam_role.copy]
}

run "an_age_of_more_than_a_day" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name            = "etalon-orders"
    pipeline        = "orders"
    functions       = {}
    queues          = {}
    max_age_minutes = 1441
  }

  expect_failures = [var.max_age_minutes]
}

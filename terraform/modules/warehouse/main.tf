# The warehouse: one that is there, or a workgroup of Redshift Serverless, or a cluster; and the role by which COPY reads.

locals {
  copied    = jsondecode(file("${path.module}/../pipeline/deployment.json")).copied
  partition = data.aws_partition.this.partition
  store     = "arn:${local.partition}:s3:::${var.storage.bucket}"
}

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "redshift" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role" "copy" {
  name                 = "${var.name}-copy"
  assume_role_policy   = data.aws_iam_policy_document.redshift.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = length([for one in [var.existing, var.serverless, var.provisioned] : one if one != null]) == 1
      error_message = "Set exactly one of existing, serverless and provisioned."
    }
  }
}

data "aws_iam_policy_document" "copy" {
  statement {
    sid       = "ReadStaged"
    actions   = ["s3:GetObject"]
    resources = [for below in local.copied : "${local.store}/${var.storage.prefix}${below}*"]
  }

  statement {
    sid       = "ListStaged"
    actions   = ["s3:ListBucket"]
    resources = [local.store]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for below in local.copied : "${var.storage.prefix}${below}*"]
    }
  }

  statement {
    sid       = "FindBucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [local.store]
  }

  dynamic "statement" {
    for_each = var.storage.kms_key_arn == null ? [] : [var.storage.kms_key_arn]

    content {
      sid       = "UseStoreKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "copy" {
  name   = "copy"
  role   = aws_iam_role.copy.id
  policy = data.aws_iam_policy_document.copy.json
}

resource "aws_redshiftserverless_namespace" "this" {
  count = var.serverless == null ? 0 : 1

  namespace_name        = var.name
  db_name               = var.database
  manage_admin_password = true
  kms_key_id            = var.kms_key_arn
  iam_roles             = [aws_iam_role.copy.arn]
  log_exports           = ["connectionlog", "userlog"]
  tags                  = var.tags
}

resource "aws_redshiftserverless_workgroup" "this" {
  count = var.serverless == null ? 0 : 1

  namespace_name       = aws_redshiftserverless_namespace.this[0].namespace_name
  workgroup_name       = var.name
  base_capacity        = var.serverless.base_capacity
  max_capacity         = var.serverless.max_capacity
  subnet_ids           = var.serverless.subnet_ids
  security_group_ids   = var.serverless.security_group_ids
  publicly_accessible  = false
  enhanced_vpc_routing = false
  tags                 = var.tags

  config_parameter {
    parameter_key   = "require_ssl"
    parameter_value = "true"
  }
}

# What a day may cost at most: above it no query runs until the next one.
resource "aws_redshiftserverless_usage_limit" "this" {
  count = try(var.serverless.daily_rpu_hours, null) == null ? 0 : 1

  resource_arn  = aws_redshiftserverless_workgroup.this[0].arn
  usage_type    = "serverless-compute"
  period        = "daily"
  amount        = var.serverless.daily_rpu_hours
  breach_action = "deactivate"
}

resource "aws_redshift_subnet_group" "this" {
  count = var.provisioned == null ? 0 : 1

  name       = var.name
  subnet_ids = var.provisioned.subnet_ids
  tags       = var.tags
}

resource "aws_redshift_parameter_group" "this" {
  count = var.provisioned == null ? 0 : 1

  name   = var.name
  family = "redshift-1.0"
  tags   = var.tags

  parameter {
    name  = "require_ssl"
    value = "true"
  }
}

resource "aws_redshift_cluster" "this" {
  #checkov:skip=CKV_AWS_71:aws_redshift_logging below does it
  #checkov:skip=CKV_AWS_321:COPY reads from S3 by TLS either way; routed through the network it would need an endpoint of its own there
  count = var.provisioned == null ? 0 : 1

  cluster_identifier                  = var.name
  database_name                       = var.database
  master_username                     = "etalon_admin"
  manage_master_password              = true
  node_type                           = var.provisioned.node_type
  cluster_type                        = var.provisioned.nodes > 1 ? "multi-node" : "single-node"
  number_of_nodes                     = var.provisioned.nodes
  cluster_subnet_group_name           = aws_redshift_subnet_group.this[0].name
  cluster_parameter_group_name        = aws_redshift_parameter_group.this[0].name
  vpc_security_group_ids              = var.provisioned.security_group_ids
  iam_roles                           = [aws_iam_role.copy.arn]
  encrypted                           = true
  kms_key_id                          = var.kms_key_arn
  publicly_accessible                 = false
  automated_snapshot_retention_period = var.provisioned.snapshot_days
  skip_final_snapshot                 = var.provisioned.skip_last_snapshot
  final_snapshot_identifier           = var.provisioned.skip_last_snapshot ? null : "${var.name}-last"
  tags                                = var.tags
}

# Who connects, and who may.
resource "aws_redshift_logging" "this" {
  count = var.provisioned == null ? 0 : 1

  cluster_identifier   = aws_redshift_cluster.this[0].id
  log_destination_type = "cloudwatch"
  log_exports          = ["connectionlog", "userlog"]
}

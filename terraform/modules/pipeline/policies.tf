# A role for each function, with the statements of deployment.json and no others.

locals {
  store = "arn:${local.partition}:s3:::${var.storage.bucket}"
  # What the names of resources in deployment.json stand for. What is empty allows nothing.
  resources = merge(
    {
      store     = [local.store]
      source    = local.source == null ? [] : ["arn:${local.partition}:s3:::${local.source_bucket}"]
      "source/" = local.source == null ? [] : ["arn:${local.partition}:s3:::${local.source_bucket}/${local.source_prefix}*"]
      pipeline  = ["${local.store}/${var.storage.prefix}deployed/${local.pipeline.pipeline}-*"]
      # `arn#key` is a key of what a secret holds.
      secrets        = [for name, arn in var.secrets : split("#", arn)[0] if !contains(local.own_secrets, name)]
      source_secrets = [for name, arn in var.secrets : split("#", arn)[0] if contains(local.own_secrets, name)]
      directory      = ["${local.store}/${var.storage.prefix}deployed/${local.pipeline.pipeline}.json"]
      statements     = ["*"]
      bus            = [can(regex("^arn:", var.event_bus)) ? var.event_bus : "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/${coalesce(var.event_bus, "default")}"]
      store_key      = compact([var.storage.kms_key_arn, var.environment_kms_key_arn])
      source_key     = var.source_kms_key_arn == null ? [] : [var.source_kms_key_arn]

      warehouse        = [local.warehouse_arn]
      warehouse_secret = var.warehouse.secret_arn == null ? [] : [var.warehouse.secret_arn]
      # One of them, where there is no secret to connect with.
      workgroup_credentials = var.warehouse.secret_arn == null && var.warehouse.workgroup != null ? [local.warehouse_arn] : []
      cluster_credentials   = var.warehouse.secret_arn == null && var.warehouse.cluster != null && var.warehouse.user == null ? [local.cluster_database] : []
      user_credentials      = var.warehouse.secret_arn == null && var.warehouse.user != null ? [local.cluster_database, local.cluster_user] : []
    },
    { for queue in concat(values(aws_sqs_queue.this), values(aws_sqs_queue.dead)) : "queue/{name}${trimprefix(queue.name, local.name)}" => [queue.arn] },
    { for below in distinct(flatten([for step, function in local.functions : [for one in concat(function.policy, local.deployment.operator) : one.resources]])) : below => ["${local.store}/${var.storage.prefix}${trimprefix(below, "store/")}*"] if length(regexall("^store/", below)) > 0 },
    # Nothing lands of a source that is a store.
    { for below in ["store/cursors/", "store/tokens/", "store/budgets/", "store/landed/"] : below => [] if !local.lands },
  )
  # What each function has for itself.
  logs = {
    for step, group in aws_cloudwatch_log_group.this : step => {
      log     = ["${group.arn}:*"]
      network = length(local.networks[step]) == 0 ? [] : ["*"]
    }
  }

  redshift         = "arn:${local.partition}:redshift:${local.region}:${local.account}"
  warehouse_arn    = var.warehouse.cluster == null ? coalesce(var.warehouse.workgroup_arn, "arn:${local.partition}:redshift-serverless:${local.region}:${local.account}:workgroup/*") : "${local.redshift}:cluster:${var.warehouse.cluster}"
  cluster_database = "${local.redshift}:dbname:${coalesce(var.warehouse.cluster, "-")}/${var.warehouse.database}"
  cluster_user     = "${local.redshift}:dbuser:${coalesce(var.warehouse.cluster, "-")}/${coalesce(var.warehouse.user, "-")}"

  policies = {
    for step, function in local.functions : step => [
      for statement in function.policy : merge(statement, {
        resources = distinct(flatten([for name in statement.resources : merge(local.resources, local.logs[step])[name]]))
      })
    ]
  }
}

# What somebody needs who operates the pipeline by the command.
data "aws_iam_policy_document" "operator" {
  dynamic "statement" {
    for_each = [
      for one in local.deployment.operator : merge(one, {
        resources = distinct(flatten([for name in one.resources : local.resources[name]]))
      }) if length(flatten([for name in one.resources : local.resources[name]])) > 0
    ]

    content {
      sid       = statement.value.name
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.is_own ? ["$${aws:userid}"] : []

        content {
          test     = "StringEquals"
          variable = "redshift-data:statement-owner-iam-userid"
          values   = [condition.value]
        }
      }
    }
  }
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  name                 = "${local.name}-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.lambda.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

data "aws_iam_policy_document" "this" {
  for_each = local.functions

  dynamic "statement" {
    for_each = [for one in local.policies[each.key] : one if length(one.resources) > 0]

    content {
      sid       = statement.value.name
      actions   = statement.value.actions
      resources = statement.value.resources

      # The Data API tells nobody of statements that others have sent.
      dynamic "condition" {
        for_each = statement.value.is_own ? ["$${aws:userid}"] : []

        content {
          test     = "StringEquals"
          variable = "redshift-data:statement-owner-iam-userid"
          values   = [condition.value]
        }
      }
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.this[each.key].json
}

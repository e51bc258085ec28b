# An installation with everything: a key, a network, a warehouse, alarms, an audit trail.

variable "bucket" {
  description = "Name of the bucket to be created; the trail's has `-trail` at its end."
  type        = string
  default     = "acme-etalon-complete"
}

variable "packages" {
  description = "Folder with the functions' packages."
  type        = string
  default     = "../../../target/lambda"
}

variable "warehouse" {
  description = "`serverless`, `provisioned`, or `existing`: the workgroup `analytics`."
  type        = string
  default     = "serverless"
}

variable "is_emulated" {
  description = "Whether an emulator takes the place of AWS."
  type        = bool
  default     = false
}

locals {
  tags = { Application = "etalon" }
  in_network = {
    subnet_ids         = module.network.subnet_ids
    security_group_ids = module.network.warehouse_security_group_ids
  }
}

data "aws_region" "this" {}
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

# The account uses the key by its policies, and these services by themselves.
data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:the policy of a key is about that key alone, whatever its resource says
  #checkov:skip=CKV_AWS_111:as above
  #checkov:skip=CKV_AWS_356:as above
  statement {
    sid       = "Administer"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"]
    }
  }

  statement {
    sid       = "LetServicesEncrypt"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type = "Service"
      identifiers = [
        "cloudtrail.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "logs.${data.aws_region.this.name}.amazonaws.com",
      ]
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Etalon"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = local.tags
}

resource "aws_secretsmanager_secret" "token" {
  #checkov:skip=CKV2_AWS_57:whoever gave the token makes the next one; AWS cannot
  name                    = "etalon/webshop-token"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
  tags                    = local.tags
}

# What reads the database of the shop: an object with `username` and `password`, as RDS makes it.
resource "aws_secretsmanager_secret" "shop" {
  #checkov:skip=CKV2_AWS_57:RDS rotates the secrets that it manages
  name                    = "etalon/shop-database"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
  tags                    = local.tags
}

resource "aws_cloudwatch_event_bus" "this" {
  name = "etalon"
  tags = local.tags
}

module "network" {
  source         = "../../modules/network"
  zones          = [for letter in ["a", "b", "c"] : "${data.aws_region.this.name}${letter}"]
  endpoints      = ["sqs", "events", "redshift-data", "secretsmanager", "kms"]
  database_ports = [5432, 3306]
  has_nat        = true
  tags           = local.tags
}

module "etalon" {
  source = "../.."

  bucket      = var.bucket
  pipelines   = "${path.module}/pipelines"
  packages    = var.packages
  kms_key_arn = aws_kms_key.this.arn
  event_bus   = aws_cloudwatch_event_bus.this.name
  network     = module.network.functions
  log_days    = 90
  log_level   = "DEBUG"
  is_emulated = var.is_emulated
  tags        = local.tags

  message_days      = 10
  metrics_namespace = "Acme/Etalon"
  # Where whoever gets an alarm reads what it means.
  guide = "https://git.example.com/etalon/main/"

  # Objects of `orders` arrive here and start the pipeline.
  landing = { bucket = "acme-landing-production", days = 400 }

  warehouse = {
    database    = "dev"
    serverless  = var.warehouse == "serverless" ? merge(local.in_network, { base_capacity = 8, daily_rpu_hours = 24 }) : null
    provisioned = var.warehouse == "provisioned" ? local.in_network : null
    existing    = var.warehouse == "existing" ? { workgroup = "analytics" } : null
  }

  settings = {
    orders = {
      variables      = { STAGE = "production" }
      transforms_max = 20
      sizes          = { transform = { memory_mb = 1769 } }
    }
    events = {
      source_uri = "s3://acme-landing/events/"
      secrets    = { token = aws_secretsmanager_secret.token.arn }
      in_network = true
    }
    # A database in the network. `certificates` is needed where it is one of RDS: the path of its bundle.
    customers = {
      variables  = { SHOP_HOST = "shop.example.com" }
      secrets    = { shop = "${aws_secretsmanager_secret.shop.arn}#password" }
      in_network = true
    }
    # An API in the internet, which a function outside of a network reaches by itself.
    tickets = {
      secrets = { token = aws_secretsmanager_secret.token.arn }
    }
  }

  alarms = {
    emails          = ["data@example.com"]
    max_age_minutes = { orders = 60 }
    reject_percent  = 2
    is_told_once    = !var.is_emulated
  }

  budget = {
    monthly_usd = 200
    emails      = ["data@example.com"]
    tag         = "Application"
  }
}

module "audit" {
  source              = "../../modules/audit"
  bucket              = "${var.bucket}-trail"
  watched_bucket_arns = ["arn:${data.aws_partition.this.partition}:s3:::${module.etalon.bucket}"]
  kms_key_arn         = aws_kms_key.this.arn
  is_emulated         = var.is_emulated
  force_destroy       = var.is_emulated
  tags                = local.tags
}

output "pipelines" {
  description = "Functions and queues by pipeline."
  value       = module.etalon.pipelines
}

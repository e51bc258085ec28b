# The bucket in which a pipeline's functions keep what they keep.
#
# What lies there, below which prefix, and how long each kind is kept, stands in prefixes.json. It is made from
# core/src/protocol/prefix.rs, where each row says why it is kept for as long. What has no age here is either removed by Etalon
# itself when it is done, or decides about things that live as long as the table.

locals {
  prefixes = jsondecode(file("${path.module}/prefixes.json"))

  # Days by class; a class without days is never removed by its age.
  days = {
    staged     = var.staged_days
    quarantine = var.quarantine_days
    receipts   = var.receipt_days
    until_done = null
    always     = null
  }
}

module "bucket" {
  source = "../bucket"

  bucket        = var.bucket
  kms_key_arn   = var.kms_key_arn
  force_destroy = var.force_destroy
  is_emulated   = var.is_emulated
  tags          = var.tags
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = module.bucket.bucket

  dynamic "rule" {
    for_each = local.prefixes

    content {
      id     = trimsuffix(rule.key, "/")
      status = "Enabled"

      filter {
        prefix = "${var.prefix}${rule.key}"
      }

      expiration {
        days = local.days[rule.value.retention]

        # Where objects go by their age, S3 removes the markers of deleted ones with them.
        expired_object_delete_marker = local.days[rule.value.retention] == null ? true : null
      }

      noncurrent_version_expiration {
        noncurrent_days = var.noncurrent_days
      }
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  lifecycle {
    precondition {
      condition     = var.staged_days < var.receipt_days
      error_message = "receipt_days must be greater than staged_days: receipts describe the staged parts."
    }

    precondition {
      condition     = var.quarantine_days < var.receipt_days
      error_message = "quarantine_days must be less than receipt_days: rejected records are found by their receipts."
    }
  }
}

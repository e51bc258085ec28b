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

resource "aws_s3_bucket" "this" {
  bucket        = var.bucket
  force_destroy = var.force_destroy
  tags          = var.tags

  lifecycle {
    precondition {
      condition     = var.staged_days < var.receipt_days
      error_message = "Receipts must be kept longer than the staged parts that they speak of: receipt_days > staged_days."
    }

    precondition {
      condition     = var.quarantine_days < var.receipt_days
      error_message = "Rejected records are found by their receipts, and must go before them: quarantine_days < receipt_days."
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # A bucket key saves a call to KMS for every object.
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

data "aws_iam_policy_document" "this" {
  statement {
    sid     = "RefusePlainHttp"
    effect  = "Deny"
    actions = ["s3:*"]

    resources = [
      aws_s3_bucket.this.arn,
      "${aws_s3_bucket.this.arn}/*",
    ]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count = var.is_emulated ? 0 : 1

  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.this.json

  # A policy that is put while public access is being blocked is refused now and then.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

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

  # Rules about old versions need versioning.
  depends_on = [aws_s3_bucket_versioning.this]
}

# A bucket that is closed to the public and to plain HTTP, encrypted, and keeps old versions.

locals {
  is_with_kms = var.kms_key_arn != null || !var.is_filled_by_aws
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV2_AWS_61:whoever makes a bucket of it says how long what lies there is kept: modules storage and audit do
  #checkov:skip=CKV2_AWS_62:nobody waits for the objects that lie here
  #checkov:skip=CKV_AWS_18:module audit writes down each access, and who it was
  #checkov:skip=CKV_AWS_144:docs/guide/disaster-recovery.md says what a second region takes; a copy is a decision about cost and law
  bucket        = var.bucket
  force_destroy = var.force_destroy
  tags          = var.tags
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
    bucket_key_enabled = local.is_with_kms

    # Without a key that is named, KMS uses `aws/s3`, which whoever may read an object may use.
    apply_server_side_encryption_by_default {
      sse_algorithm     = local.is_with_kms ? "aws:kms" : "AES256"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = [for policy in [var.policy] : policy if policy != null]

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

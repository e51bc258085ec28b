# Who did what: CloudTrail with each access to the objects of some buckets, in a bucket of its own that nobody writes to but it.

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  partition = data.aws_partition.this.partition
  account   = data.aws_caller_identity.this.account_id
  bucket    = "arn:${local.partition}:s3:::${var.bucket}"
  trail     = "arn:${local.partition}:cloudtrail:${data.aws_region.this.name}:${local.account}:trail/${var.name}"
}

module "bucket" {
  source = "../bucket"

  bucket           = var.bucket
  policy           = data.aws_iam_policy_document.this.json
  kms_key_arn      = var.kms_key_arn
  is_filled_by_aws = true
  force_destroy    = var.force_destroy
  is_emulated      = var.is_emulated
  tags             = var.tags
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = module.bucket.bucket

  rule {
    id     = "trail"
    status = "Enabled"

    filter {}

    expiration {
      days = var.days
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "LetCloudTrailLook"
    actions   = ["s3:GetBucketAcl"]
    resources = [local.bucket]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail]
    }
  }

  statement {
    sid       = "LetCloudTrailWrite"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket}/AWSLogs/${local.account}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail]
    }

    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }
  }
}

resource "aws_cloudtrail" "this" {
  #checkov:skip=CKV_AWS_251:it is off only where an emulator takes the place of AWS
  #checkov:skip=CKV_AWS_252:a trail is read when something has happened; a message for each of its files would tell nobody anything
  #checkov:skip=CKV2_AWS_10:as above; a copy of each event in CloudWatch Logs costs more than everything else that Etalon does
  name                          = var.name
  s3_bucket_name                = module.bucket.bucket
  include_global_service_events = true
  is_multi_region_trail         = true
  enable_log_file_validation    = true
  enable_logging                = !var.is_emulated
  kms_key_id                    = var.kms_key_arn
  tags                          = var.tags

  event_selector {
    read_write_type           = "All"
    include_management_events = true

    data_resource {
      type   = "AWS::S3::Object"
      values = [for arn in var.watched_bucket_arns : "${arn}/"]
    }
  }
}

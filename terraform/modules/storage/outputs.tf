output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.id
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "prefix" {
  description = "What the names of all objects begin with."
  value       = var.prefix

  # Whoever puts an object finds the bucket as it is to be.
  depends_on = [
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_public_access_block.this,
  ]
}

output "kms_key_arn" {
  description = "KMS key that encrypts the objects; null where S3's own does."
  value       = var.kms_key_arn
}

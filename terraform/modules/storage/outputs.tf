output "bucket" {
  description = "Name of the bucket."
  value       = module.bucket.bucket
}

output "arn" {
  description = "ARN of the bucket."
  value       = module.bucket.arn
}

output "prefix" {
  description = "What the names of all objects begin with."
  value       = var.prefix
}

output "kms_key_arn" {
  description = "KMS key that encrypts the objects; null where S3's own does."
  value       = var.kms_key_arn
}

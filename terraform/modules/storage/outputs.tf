output "bucket" {
  description = "Name of the bucket."
  value       = module.bucket.bucket
}

output "arn" {
  description = "ARN of the bucket."
  value       = module.bucket.arn
}

output "prefix" {
  description = "Prefix of the names of all objects."
  value       = var.prefix
}

output "kms_key_arn" {
  description = "KMS key that encrypts the objects; null if S3 encrypts them with a key of its own."
  value       = var.kms_key_arn
}

output "database" {
  description = "The database."
  value       = var.database
}

output "workgroup" {
  description = "The workgroup; null if the warehouse is a cluster."
  value       = var.serverless == null ? try(var.existing.workgroup, null) : one(aws_redshiftserverless_workgroup.this[*].workgroup_name)
}

output "workgroup_arn" {
  description = "ARN of the workgroup; null if the warehouse is a cluster, or if the ARN was not given."
  value       = var.serverless == null ? try(var.existing.workgroup_arn, null) : one(aws_redshiftserverless_workgroup.this[*].arn)
}

output "cluster" {
  description = "The cluster; null if the warehouse is a workgroup."
  # As a whole a cluster is secret, since it has a password.
  value = var.provisioned == null ? try(var.existing.cluster, null) : one(aws_redshift_cluster.this[*].cluster_identifier)
}

output "user" {
  description = "The user of a cluster; null if a secret or the functions' role names it."
  value       = try(var.existing.user, null)
}

output "secret_arn" {
  description = "Secret to connect with; null if the functions connect with their roles."
  value       = var.secret_arn
}

output "copy_role_arn" {
  description = "The role with which COPY reads staged parts. It must be one of the warehouse's roles; a warehouse that is created here has it."
  value       = aws_iam_role.copy.arn

  # COPY is refused while the role may not read yet.
  depends_on = [aws_iam_role_policy.copy]
}

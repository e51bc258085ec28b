output "bucket" {
  description = "The bucket in which Etalon keeps its state and the staged parts."
  value       = module.storage.bucket

  precondition {
    condition     = length(local.unknown) == 0
    error_message = "`settings` names pipelines that have no file: ${join(", ", local.unknown)}."
  }
}

output "copy_role_arn" {
  description = "The role with which COPY reads. Attach it to an existing warehouse."
  value       = module.warehouse.copy_role_arn
}

output "grants" {
  description = "The statements that an administrator runs once in the database, for the pipelines whose functions connect with their roles."
  value = join("\n", flatten([
    for pipeline in module.pipeline : pipeline.user == null ? [] : [
      "CREATE SCHEMA IF NOT EXISTS ${pipeline.schema};",
      "CREATE USER \"${pipeline.user}\" PASSWORD DISABLE;",
      "GRANT USAGE, CREATE ON SCHEMA ${pipeline.schema} TO \"${pipeline.user}\";",
    ]
  ]))
}

output "pipelines" {
  description = "Functions and queues by pipeline."

  precondition {
    condition     = length(distinct(local.names)) == length(local.names)
    error_message = "Two pipelines would have functions, queues or schedules of the same names: ${join(", ", distinct([for name in local.names : name if length([for other in local.names : other if other == name]) > 1]))}. Names are made of the lower-case letters and digits of `pipeline:`, and a pipeline has a schedule whose name ends with `-sweep`. Rename one of them."
  }

  value = {
    for file, pipeline in module.pipeline : file => {
      functions       = pipeline.functions
      queues          = pipeline.queues
      operator_policy = pipeline.operator_policy
    }
  }
}

output "operated_on" {
  description = "The place to give to the command as `--on`, or as ETALON_STAGING with `--on aws`."
  value       = "s3://${module.storage.bucket}/${module.storage.prefix}"
}

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

output "pipelines" {
  description = "Functions and queues by pipeline."
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

# A pipeline in an account: three functions with their queues, and what starts them.
#
# The pipeline file is the input: its name, its source and its schedule are read here. Which function needs which queue,
# setting and right stands in deployment.json, which is made from core/src/deploy; the locals below say what its names stand
# for in this account. A name that is missing here ends the plan.

locals {
  deployment = jsondecode(file("${path.module}/deployment.json"))
  text       = file(var.file)
  pipeline   = yamldecode(local.text)
  schedule   = try(local.pipeline.schedule, null)

  # The names of functions, queues and schedules begin with it.
  name = "${var.name}-${replace(lower(local.pipeline.pipeline), "/[^a-z0-9]+/", "-")}"

  # What is no store is asked by extract, and lands in the bucket of what Etalon keeps.
  lands = anytrue([for kind in local.deployment.lands : can(local.pipeline.source[kind])])

  # Secrets that only whoever asks the source reads; every function reads the others.
  asked_by_source = flatten(regexall("\\$\\{secret:([^}]+)\\}", jsonencode(try(local.pipeline.source, {}))))
  asked_by_target = flatten(regexall("\\$\\{secret:([^}]+)\\}", jsonencode(try(local.pipeline.target, {}))))
  own_secrets     = local.lands ? setsubtract(local.asked_by_source, local.asked_by_target) : toset([])

  # The manifest of a connector: a file beside the pipeline file.
  manifest_path = try("${dirname(var.file)}/${local.pipeline.source.connector.manifest}", null)
  manifest      = local.manifest_path == null ? null : try(file(local.manifest_path), "")

  # `s3://bucket/prefix` with its placeholders replaced; of a pipeline over `files:`, where they lie.
  written = local.lands ? null : try(local.pipeline.source.s3, var.source_uri)
  source = local.written == null ? null : join("", [
    for part in regexall("\\$\\$|\\$\\{[^}]*\\}|[^$]+|\\$", local.written) :
    part == "$$" ? "$" : length(regexall("^\\$\\{", part)) > 0 ? var.variables[substr(part, 2, length(part) - 3)] : part
  ])
  source_bucket = local.source == null ? null : split("/", trimprefix(local.source, "s3://"))[0]
  source_prefix = local.source == null ? null : trimprefix(trimprefix(local.source, "s3://${local.source_bucket}"), "/")

  # `schema.table`, with its placeholders replaced.
  table = join("", [
    for part in regexall("\\$\\$|\\$\\{[^}]*\\}|[^$]+|\\$", try(local.pipeline.target.table, "")) :
    part == "$$" ? "$" : length(regexall("^\\$\\{", part)) > 0 ? try(var.variables[substr(part, 2, length(part) - 3)], part) : part
  ])

  functions = {
    for step, function in local.deployment.functions : step => merge(function, {
      memory_mb       = coalesce(try(var.sizes[step].memory_mb, null), function.memory_mb)
      timeout_seconds = coalesce(try(var.sizes[step].timeout_seconds, null), function.timeout_seconds)
      concurrency_max = step == "transform" ? var.transforms_max : function.mapping.concurrency_max
      # What is more than the queue calls at once is left for a schedule or a person.
      reserved = (step == "transform" ? var.transforms_max : function.mapping.concurrency_max) + function.concurrency - function.mapping.concurrency_max
    })
  }

  partition = data.aws_partition.this.partition
  account   = data.aws_caller_identity.this.account_id
  region    = data.aws_region.this.name
}

data "aws_partition" "this" {}
data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

# The functions read it when they begin. Its name has its digest, so that a changed file is a change of the functions: no
# function begins with another file than the one that it was deployed with.
resource "aws_s3_object" "pipeline" {
  bucket       = var.storage.bucket
  key          = "${var.storage.prefix}deployed/${local.pipeline.pipeline}-${sha256(local.text)}.yaml"
  content      = local.text
  content_type = "application/yaml"

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = local.source != null || local.lands
      error_message = "${var.file} reads `files:`. Set source_uri to the place of the files in S3: s3://bucket/prefix/."
    }

    precondition {
      condition     = local.source == null || can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/|$)", local.source))
      error_message = "The source of ${var.file} must be written as s3://bucket/prefix/."
    }

    precondition {
      condition     = length(local.name) <= 50
      error_message = "`${local.name}` is too long: names of functions and queues begin with it, and AWS allows 64 characters. Choose a shorter name."
    }

    precondition {
      condition     = length(regexall("\\$\\{secret:", local.written == null ? "" : local.written)) == 0
      error_message = "The address of a source cannot contain a secret: Terraform derives the functions' rights from the address."
    }
  }
}

resource "aws_s3_object" "manifest" {
  count = local.manifest_path == null ? 0 : 1

  bucket       = var.storage.bucket
  key          = "${var.storage.prefix}deployed/${local.pipeline.pipeline}-${sha256(local.manifest)}.yaml"
  content      = local.manifest
  content_type = "application/yaml"

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = local.manifest != ""
      error_message = "${var.file} names the manifest ${local.manifest_path}, and there is no such file."
    }
  }
}

# The authorities that are believed of a database. Those of RDS are not among a system's.
resource "aws_s3_object" "certificates" {
  count = var.certificates == null ? 0 : 1

  bucket       = var.storage.bucket
  key          = "${var.storage.prefix}deployed/${local.pipeline.pipeline}-${filesha256(var.certificates)}.pem"
  source       = var.certificates
  content_type = "application/x-pem-file"

  lifecycle {
    create_before_destroy = true
  }
}

# By it the command finds the pipeline's functions and queues: `etalon status orders.yaml --on s3://bucket/prefix/`.
resource "aws_s3_object" "directory" {
  bucket       = var.storage.bucket
  key          = "${var.storage.prefix}deployed/${local.pipeline.pipeline}.json"
  content_type = "application/json"
  content = jsonencode({
    version  = 1
    pipeline = local.pipeline.pipeline
    functions = {
      for step, function in local.functions : step => {
        name         = "${local.name}-${step}"
        environment  = local.environments[step]
        allows_loops = function.mapping.allows_loops
      }
    }
  })
}

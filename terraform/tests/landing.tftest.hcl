# Sources that are no store: only extract asks them, and only it gets what that takes.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  packages = "tests/files/packages"
  storage  = { bucket = "acme-etalon", prefix = "" }
  warehouse = {
    database      = "dev"
    workgroup     = "analytics"
    copy_role_arn = "arn:aws:iam::123456789012:role/copy"
  }
  network = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
}

run "a_database" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file      = "tests/files/landing/customers.yaml"
    variables = { HOST = "shop.example.com" }
    secrets = {
      database = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-AbCdEf#password"
      schema   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:schema-AbCdEf"
    }
  }

  assert {
    condition     = length(aws_lambda_function.this["extract"].vpc_config) == 1 && length(aws_lambda_function.this["transform"].vpc_config) == 0 && length(aws_lambda_function.this["load"].vpc_config) == 0
    error_message = "Only extract is in the network of the database."
  }

  assert {
    condition     = join(",", [for step in ["extract", "transform", "load"] : step if contains(keys(local.named[step]), "ETALON_SECRET_database")]) == "extract"
    error_message = "Only extract is told the secret of the source."
  }

  assert {
    condition     = alltrue([for step in ["extract", "transform", "load"] : contains(keys(local.named[step]), "ETALON_SECRET_schema")])
    error_message = "Every function is told the secret of the table's name."
  }

  assert {
    condition     = join(" ", sort(flatten([for one in local.policies["extract"] : one.resources if one.name == "ReadSecrets"]))) == "arn:aws:secretsmanager:us-east-1:123456789012:secret:schema-AbCdEf arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-AbCdEf"
    error_message = "A right is about a secret, not about a key in it."
  }

  assert {
    condition     = join(" ", sort(flatten([for one in local.policies["transform"] : one.resources if one.name == "ReadSecrets"]))) == "arn:aws:secretsmanager:us-east-1:123456789012:secret:schema-AbCdEf"
    error_message = "Transform does not read the secret of the source."
  }

  assert {
    condition     = length(flatten([for one in local.policies["extract"] : one.resources if contains(["ListSource", "ReadSource"], one.name)])) == 0
    error_message = "There are no objects of a source."
  }

  assert {
    condition     = contains(flatten([for one in local.policies["extract"] : one.resources if one.name == "WriteStore"]), "arn:${data.aws_partition.this.partition}:s3:::acme-etalon/landed/*")
    error_message = "Extract writes what lands."
  }
}

run "an_api" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file    = "tests/files/landing/tickets.yaml"
    network = null
    secrets = { token = "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf" }
  }

  assert {
    condition     = local.values["extract"]["ETALON_MANIFEST"] == "s3://acme-etalon/deployed/tickets-${sha256(file("tests/files/landing/manifests/desk.yaml"))}.yaml" && !contains(local.functions["transform"].settings, "ETALON_MANIFEST")
    error_message = "The manifest is deployed beside the pipeline file, for extract."
  }
}

run "a_store_has_nothing_that_lands" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file = "tests/files/pipelines/orders.yaml"
  }

  assert {
    condition     = length(local.resources["store/landed/"]) == 0 && length(local.resources["store/cursors/"]) == 0 && length(local.resources["store/tokens/"]) == 0 && length(local.resources["store/budgets/"]) == 0 && length(local.resources["source/"]) == 1
    error_message = "Nobody has a right where nothing lies."
  }

  assert {
    condition     = alltrue([for step, function in aws_lambda_function.this : length(function.vpc_config) == 1])
    error_message = "A network is one of all functions, where the source is a store."
  }
}

run "a_manifest_that_is_not_there" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file = "tests/files/without-manifest.yaml"
  }

  expect_failures = [aws_s3_object.manifest]
}

run "certificates_that_are_none" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    file         = "tests/files/landing/customers.yaml"
    certificates = "tests/files/none.yaml"
  }

  expect_failures = [var.certificates]
}

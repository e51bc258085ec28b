# The example with everything, planned without an account with each warehouse that is created. Against moto it is applied with one
# that is there.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  packages = "tests/files/packages"
}

run "everything_with_a_workgroup" {
  command = plan

  module {
    source = "./examples/complete"
  }

  assert {
    condition     = length(output.pipelines) == 4
    error_message = "There is a pipeline for each file."
  }
}

run "everything_with_a_cluster" {
  command = plan

  module {
    source = "./examples/complete"
  }

  variables {
    warehouse = "provisioned"
  }

  assert {
    condition     = length(output.pipelines) == 4
    error_message = "There is a pipeline for each file."
  }
}

# Each module refuses what does not go together.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

run "a_bucket_with_capital_letters" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    bucket = "Acme"
  }

  expect_failures = [var.bucket]
}

run "a_prefix_without_a_slash" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket = "acme-etalon"
    prefix = "etalon"
  }

  expect_failures = [var.prefix]
}

run "parts_that_are_not_kept" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket      = "acme-etalon"
    staged_days = 0
  }

  expect_failures = [var.staged_days]
}

run "rejects_that_are_not_kept" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket          = "acme-etalon"
    quarantine_days = 0
  }

  expect_failures = [var.quarantine_days]
}

run "old_versions_that_are_not_kept" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket          = "acme-etalon"
    noncurrent_days = 0
  }

  expect_failures = [var.noncurrent_days]
}

run "receipts_that_go_before_their_parts" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket      = "acme-etalon"
    staged_days = 400
  }

  expect_failures = [aws_s3_bucket_lifecycle_configuration.this]
}

run "receipts_that_go_before_their_rejects" {
  command = plan

  module {
    source = "./modules/storage"
  }

  variables {
    bucket          = "acme-etalon"
    quarantine_days = 400
  }

  expect_failures = [aws_s3_bucket_lifecycle_configuration.this]
}

run "addresses_that_are_none" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = ["us-east-1a", "us-east-1b"]
    cidr  = "10.0"
  }

  expect_failures = [var.cidr]
}

run "one_zone" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = ["us-east-1a"]
  }

  expect_failures = [var.zones]
}

run "endpoints_in_more_zones_than_there_are" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones          = ["us-east-1a", "us-east-1b"]
    endpoint_zones = 3
  }

  expect_failures = [aws_vpc.this]
}

run "a_warehouse_that_is_two" {
  command = plan

  module {
    source = "./modules/warehouse"
  }

  variables {
    database = "dev"
    storage  = { bucket = "acme-etalon", prefix = "" }
    existing = { workgroup = "a", cluster = "b" }
  }

  expect_failures = [var.existing]
}

run "no_warehouse" {
  command = plan

  module {
    source = "./modules/warehouse"
  }

  variables {
    database = "dev"
    storage  = { bucket = "acme-etalon", prefix = "" }
  }

  expect_failures = [aws_iam_role.copy]
}

run "an_age_of_more_than_a_day" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name            = "etalon-orders"
    pipeline        = "orders"
    functions       = {}
    queues          = {}
    max_age_minutes = 1441
  }

  expect_failures = [var.max_age_minutes]
}

module "etalon" {
  source    = "../.."
  bucket    = "acme-etalon"
  pipelines = "${path.module}/pipelines"
  packages  = "${path.module}/../../../target/lambda"
  warehouse = { database = "dev", existing = { workgroup = "analytics" } }
}

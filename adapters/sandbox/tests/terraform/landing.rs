//! Landing: a pipeline whose source is a database, as Terraform has made it, with the rights that it has and no others.

use std::sync::Arc;

use etalon_core::protocol::name;
use etalon_postgres::client::{Address, Client};
use etalon_sandbox::cloud::{Cloud, Counterparts, Deployed, Programs, Settings};
use serde_json::json;

use crate::installation::Installation;
use crate::path::event;

const MODULE: &str = "module.etalon.module.pipeline[\"customers\"]";
/// The password of whoever reads the database: any characters.
const PASSWORD: &str = "p/w:1@ %";
/// What is allowed in `landed/` and not needed here: who, the action, and what needs it.
const NOT_NEEDED_HERE: &[(&str, &str, &str)] =
    &[("extract", "s3:GetObject", "a landing was killed between a piece and its cursor")];

/// What the installation has beside that of the example.
const SECRET: &str = "
resource \"aws_secretsmanager_secret\" \"database\" {
  name = \"etalon/customers\"
}

resource \"aws_secretsmanager_secret_version\" \"database\" {
  secret_id     = aws_secretsmanager_secret.database.id
  secret_string = jsonencode({ username = \"reader\", password = \"{password}\" })
}
";
const SETTINGS: &str = "
module \"etalon\" {
  settings = {
    customers = {
      secrets   = { database = \"${aws_secretsmanager_secret.database.arn}#password\" }
      variables = { PORT = \"{port}\" }
    }
  }
}
";

pub(crate) async fn runs_with_the_rights_that_it_has(counterparts: &Arc<Counterparts>, programs: &Programs) {
    let server = &counterparts.postgres;
    let address = Address::parse(&server.database("shop").unwrap(), |_| None).unwrap();
    let mut shop = Client::open(&address).unwrap();
    let mut run = |sql: &str| drop(shop.run(sql, &[]).unwrap());
    run("CREATE TABLE customers (id bigint PRIMARY KEY, name text, at timestamptz NOT NULL DEFAULT now())");
    run(&format!("CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_read_all_stats"));
    run("GRANT SELECT ON customers TO reader");
    run("INSERT INTO customers SELECT n, 'n' || n FROM generate_series(1, 50) AS n");

    let pipeline = "etalon: 1
pipeline: customers
source:
  postgres:
    url: postgres://reader:${secret:database}@127.0.0.1:${PORT}/shop?sslmode=disable
    table: customers
    incremental: { cursor: at, lag: 0 seconds }
  fields: { id: bigint, name: , at: timestamptz }
columns: { id: required, name: varchar(20), at: required }
target: { table: analytics.customers, write: merge, key: id, order_by: at }
schedule: rate(1 hour)
";
    let installation = Installation::new("minimal", counterparts.moto.url());
    installation.write("pipelines/customers.yaml", pipeline);
    installation.write("secret.tf", &SECRET.replace("{password}", PASSWORD));
    installation.write("settings_override.tf", &SETTINGS.replace("{port}", &server.port().to_string()));
    installation.apply();
    let deployed = Deployed::read(&installation.state(), MODULE).unwrap();
    let policies = deployed.policies.clone();
    let names = deployed.deployment.functions.each_ref().map(|function| function.name.clone());
    let mut settings = Settings::new("customers", pipeline, programs.clone());
    // The functions have what Terraform has given them; the sandbox itself only compiles the file.
    settings.secrets.insert("database".to_owned(), "unused".to_owned());
    settings.variables.insert("PORT".to_owned(), server.port().to_string());
    let cloud = Cloud::run(Arc::clone(counterparts), settings, deployed).await.unwrap();

    cloud.schedule().fire(std::time::SystemTime::now()).await.unwrap();
    event(&cloud, json!({ "run": "first" })).await;
    assert_eq!(cloud.ledger().unwrap().len(), 1);
    // What somebody has left who was killed goes with the next landing.
    cloud.keep(&name::landed("customers", Some((1, 7, "left", name::LandedAs::Rows))), b"\"1\"\n").await.unwrap();
    run("INSERT INTO customers SELECT n, 'n' || n FROM generate_series(51, 80) AS n");
    event(&cloud, json!({ "run": "second" })).await;
    event(&cloud, json!({ "reload": [] })).await;
    let rows: u64 =
        cloud.ledger().unwrap().iter().filter(|row| row.batch.generation == 0).map(|row| row.counts.staged).sum();
    assert_eq!(rows, 80);
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
    let landed = cloud.names(&name::landed("customers", None), usize::MAX).await.unwrap();
    assert_eq!(landed.len(), 2, "{landed:?}");

    let mut known_unused = 0;
    for function in &names {
        let policy = &policies[function];
        assert_eq!(policy.refused(), [], "{function} lacks a permission");
        let step = function.rsplit('-').next().unwrap();
        let is_about_source = |on: &str| ["/landed/*", "/cursors/*", "acme-landing"].iter().any(|end| on.contains(end));
        let unused = policy.unused().into_iter().filter(|(action, on)| {
            let is_known =
                |(by, what, _): &&(&str, &str, &str)| *by == step && what == action && on.ends_with("/landed/*");
            let known = NOT_NEEDED_HERE.iter().filter(is_known).count();
            known_unused += known;
            (is_about_source(on) || action.starts_with("secretsmanager:")) && known == 0
        });
        assert_eq!(unused.collect::<Vec<_>>(), [], "{function} needs none of it");
    }
    // What was needed after all is no exception any more.
    assert_eq!(known_unused, NOT_NEEDED_HERE.len());
}

//! The drill: what goes wrong on AWS, and what somebody sees and types then. The guide's page is played against the sandbox: the
//! command is the real one, with the rights that an operator is given and no others.
//!
//! ```text
//! <!-- happens: NAME -->     something happens, by the name of a row of [`HAPPENINGS`]
//! ```yaml FILE               a file of the reader; orders.yaml is what is deployed
//! ```console elsewhere       what is typed then, and what it prints
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail, and says why"
)]

mod page;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use etalon_core::protocol::Step as Function;
use etalon_sandbox::cloud::{Cloud, Counterparts, Programs, Settings};
use etalon_sandbox::counterpart;
use etalon_sandbox::gateway::Gateway;
use etalon_sandbox::iam::Policy;
use etalon_sandbox::redshift::Behaviour;
use serde_json::json;
use tokio::runtime::Runtime;

use page::{Step, blocks, fits, normal, steps};

/// Who operates.
const OPERATOR: &str = "operator";
/// What the names of the cloud begin with.
const NAME: &str = "drill";
/// The page.
const PAGE: &str = "docs/guide/drill.md";
/// The longest that a cloud may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);
/// What Redshift says where a role cannot be assumed.
const LOST_RIGHT: &str = "ERROR: User arn:aws:redshift:eu-central-1:123456789012:dbuser:etalon/u is not authorized to assume IAM \
                          Role arn:aws:iam::123456789012:role/etalon-copy DETAIL: error: Not authorized to get credentials of role";

/// What Redshift says of a value that does not fit.
const WRONG_VALUE: &str = "ERROR: Spectrum Scan Error DETAIL: error: Spectrum Scan Error code: 15001 context: Value of column 'amount' does \
                           not fit";

struct Shared {
    counterparts: Arc<Counterparts>,
    programs: Programs,
    runtime: Runtime,
}

/// A cloud, and what its operator has.
struct Drill {
    cloud: Cloud,
    policy: Arc<Policy>,
    gateways: [Gateway; 2],
    folder: tempfile::TempDir,
}

fn main() -> ExitCode {
    let start = || {
        let counterparts = Arc::new(Counterparts::start()?);
        let programs = Programs::find().map_err(std::io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Shared { counterparts, programs, runtime })
    };
    counterpart::main(start, &[("what_the_drill_says_is_what_happens", |shared: &Shared| drill(shared))])
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Plays the page from its beginning to its end.
fn drill(shared: &Shared) {
    let text = fs::read_to_string(root().join(PAGE)).unwrap();
    let file = blocks(&text).into_iter().find(|block| block.info == "yaml orders.yaml").unwrap().text;
    let mut drill = shared.runtime.block_on(Drill::begin(shared, &file));
    let mut wrong = Vec::new();
    let mut happenings = happenings(&text).into_iter().peekable();
    for block in blocks(&text) {
        while let Some((_, name)) = happenings.next_if(|(line, _)| *line < block.line) {
            shared.runtime.block_on(drill.happens(&name));
        }
        if let Some(("yaml", file)) = block.info.split_once(' ') {
            fs::write(drill.folder.path().join(file), &block.text).unwrap();
            continue;
        }
        if !block.info.starts_with("console") {
            continue;
        }
        for Step { command, shown, exit_code } in steps(&block) {
            let (found, code) = drill.types(&command);
            println!("$ {command}\n{found}");
            let (shown, is) = (normal(&shown.unwrap_or_default()), normal(&found));
            let is_true = fits(&shown.lines().collect::<Vec<_>>(), &is.lines().collect::<Vec<_>>());
            if !is_true || code != exit_code {
                wrong.push(format!("{PAGE}, line {}: `{command}` ends with {code} and prints\n{found}", block.line));
            }
        }
    }
    if !wrong.is_empty() {
        for stage in drill.cloud.stages() {
            stage.function.log().iter().for_each(|line| eprintln!("{}: {line}", stage.step.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(drill.policy.refused(), [], "an operator lacks a right");
    let unused: Vec<_> = drill.policy.unused().into_iter().collect();
    println!("{} grants, {} of them not needed here: {unused:?}", drill.policy.len(), unused.len());
}

/// The names of what happens, with their lines.
fn happenings(page: &str) -> Vec<(usize, String)> {
    let name = |line: &str| Some(line.strip_prefix("<!-- happens: ")?.strip_suffix(" -->")?.to_owned());
    page.lines().enumerate().filter_map(|(at, line)| Some((at + 1, name(line)?))).collect()
}

/// Orders of a day, of which some have no amount.
fn orders(day: u32, broken: u32) -> Vec<u8> {
    let mut text = "id,customer,amount\n".to_owned();
    for order in 0..10 {
        let amount = if order < broken { "much".to_owned() } else { format!("{order}.50") };
        text += &format!("{},customer {order},{amount}\n", day * 10 + order);
    }
    text.into_bytes()
}

impl Drill {
    async fn begin(shared: &Shared, pipeline: &str) -> Self {
        let mut settings = Settings::new(NAME, pipeline, shared.programs.clone());
        for size in [&mut settings.sizes.extract, &mut settings.sizes.transform, &mut settings.sizes.load] {
            // What went wrong comes again soon.
            size.timeout_seconds = 10;
        }
        let cloud = Cloud::start(Arc::clone(&shared.counterparts), settings).await.unwrap();
        let policy = Arc::new(Policy::read(&policy(&cloud)).unwrap());
        let policies = [(OPERATOR.to_owned(), Arc::clone(&policy))];
        let gateways = [
            Gateway::open(cloud.endpoint(), policies.clone().into()).await.unwrap(),
            Gateway::open(&cloud.redshift().endpoint(), policies.into()).await.unwrap(),
        ];
        Self { cloud, policy, gateways, folder: tempfile::tempdir().unwrap() }
    }

    /// What a command prints, and its code.
    fn types(&self, command: &str) -> (String, i32) {
        let binary = Path::new(env!("CARGO_BIN_EXE_etalon")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let [s3, redshift] = &self.gateways;
        let ended = Command::new("sh")
            .arg("-c")
            .arg(format!("{{ {command}\n}} 2>&1"))
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("ETALON_STAGING", self.cloud.store())
            .env("AWS_ENDPOINT_URL", s3.url())
            .env("AWS_ENDPOINT_URL_REDSHIFT_DATA", redshift.url())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", OPERATOR)
            .env("AWS_SECRET_ACCESS_KEY", OPERATOR)
            .output()
            .unwrap();
        (String::from_utf8(ended.stdout).unwrap(), ended.status.code().unwrap())
    }

    async fn upload(&self, day: u32, broken: u32) {
        self.cloud.upload(&format!("days/{day}.csv"), orders(day, broken)).await.unwrap();
    }

    async fn settle(&self) {
        self.cloud.settle(PATIENCE).await.unwrap();
    }

    async fn happens(&mut self, name: &str) {
        println!("-- {name}");
        match name {
            "two days" => {
                self.upload(1, 0).await;
                self.upload(2, 1).await;
            }
            "a poisoned message" => {
                let body = r#"{"prefix": "days/", "bakfill": true}"#;
                self.cloud.send(self.cloud.extract(), body).await.unwrap();
                self.settle().await;
            }
            "time passes" => self.settle().await,
            "a bad day" => self.upload(3, 6).await,
            "a mended file is deployed" => {
                let mended = fs::read_to_string(self.folder.path().join("orders.yaml")).unwrap();
                self.cloud.deploy(&mended).await.unwrap();
            }
            "a lost right" => {
                self.upload(4, 0).await;
                self.cloud.redshift().script(Behaviour::on("COPY").fail(LOST_RIGHT)).unwrap();
                self.cloud.event(&json!({})).await.unwrap();
                tokio::time::sleep(Duration::from_secs(6)).await;
            }
            "the right is given back" => {
                self.cloud.redshift().forget_script();
                self.settle().await;
            }
            "a value that the table does not take" => {
                self.upload(5, 0).await;
                self.cloud.redshift().script(Behaviour::on("COPY").fail(WRONG_VALUE)).unwrap();
                self.cloud.event(&json!({})).await.unwrap();
                self.settle().await;
                self.cloud.redshift().forget_script();
            }
            "a lost queue" => {
                self.upload(6, 0).await;
                self.cloud.transform().halt();
                self.cloud.event(&json!({})).await.unwrap();
                self.cloud.lose_queue(Function::Transform).await.unwrap();
            }
            "terraform apply" => self.cloud.apply().await.unwrap(),
            "a wrong file is deployed" => {
                let right = fs::read_to_string(self.folder.path().join("orders.yaml")).unwrap();
                self.cloud
                    .deploy(&right.replace(
                        "amount: decimal(12,2) required",
                        "amount: { from: amount * 100, type: 'decimal(12,2)', required: true }",
                    ))
                    .await
                    .unwrap();
                self.upload(7, 0).await;
                self.cloud.event(&json!({})).await.unwrap();
                self.settle().await;
            }
            "it is rolled back" => {
                let right = fs::read_to_string(self.folder.path().join("orders.yaml")).unwrap();
                self.cloud.deploy(&right).await.unwrap();
            }
            _ => panic!("{PAGE}: nothing is known that is called `{name}`"),
        }
    }
}

/// The policy of an operator, with the names of this cloud.
fn policy(cloud: &Cloud) -> String {
    let (bucket, prefix) =
        cloud.store().trim_start_matches("s3://").split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (store, source) = (format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{}", cloud.source().0));
    let arn = |name: &str| match name {
        "store" => vec![store.clone()],
        "source" => vec![source.clone()],
        "source/" => vec![format!("{source}/*")],
        "pipeline" => vec![format!("{store}/{prefix}deployed/orders-*.yaml")],
        "directory" => vec![format!("{store}/{prefix}deployed/orders.json")],
        "statements" => vec!["*".to_owned()],
        "warehouse" | "workgroup_credentials" => {
            vec!["arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/*".to_owned()]
        }
        "store_key" | "source_key" | "cluster_credentials" | "user_credentials" => Vec::new(),
        name => match (name.strip_prefix("store/"), name.strip_prefix("queue/")) {
            (Some(below), _) => vec![format!("{store}/{prefix}{below}*")],
            (_, Some(queue)) => vec![format!("arn:aws:sqs:us-east-1:123456789012:{queue}")],
            _ => panic!("{name}"),
        },
    };
    let statements: Vec<_> = cloud
        .deployment()
        .operator_policy()
        .into_iter()
        .map(|one| {
            let resources: Vec<String> = one.resources.iter().flat_map(|name| arn(name)).collect();
            json!({ "Sid": one.name, "Effect": "Allow", "Action": one.actions, "Resource": resources })
        })
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

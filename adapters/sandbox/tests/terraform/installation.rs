//! Installation: an example of Terraform's modules, or what the guide tells to write, in a folder of its own, against a stand-in
//! of AWS.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

/// A stand-in has no other way of naming buckets. It seldom answers again what it has not answered once, but where it was busy.
const PROVIDER: &str = "
provider \"aws\" {
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  max_retries                 = 3
}
";
/// Where an example does not say so itself.
const EMULATED: &str = "
module \"etalon\" {
  is_emulated   = true
  force_destroy = true
}
";

/// An example, or what the guide tells to write.
pub(crate) struct Installation {
    folder: TempDir,
    /// Its folder in there.
    here: String,
    endpoint: String,
    variables: Vec<String>,
    begun: Instant,
}

/// Finds Terraform.
pub(crate) fn find() -> io::Result<()> {
    let found = Command::new("terraform").arg("version").output();
    found.map(drop).map_err(|error| io::Error::new(error.kind(), "terraform"))
}

impl Installation {
    /// A copy of an example and of all modules, with packages that hold nothing but a name.
    pub(crate) fn new(example: &str, endpoint: &str) -> Self {
        Self::begin(&format!("etalon/terraform/examples/{example}"), endpoint).ready()
    }

    /// What the guide tells a stranger to write, beside a checkout of Etalon.
    pub(crate) fn guided(files: &[(&str, &str)], endpoint: &str) -> Self {
        let installation = Self::begin("acme", endpoint);
        for (name, text) in files {
            let file = installation.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        installation.ready()
    }

    fn begin(here: &str, endpoint: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let etalon = folder.path().join("etalon");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform"), &etalon.join("terraform"));
        let packages = etalon.join("target/lambda");
        fs::create_dir_all(&packages).unwrap();
        for function in ["extract", "transform", "load"] {
            // A ZIP archive without files.
            let mut empty = b"PK\x05\x06".to_vec();
            empty.resize(22, 0);
            fs::write(packages.join(format!("etalon-{function}.zip")), empty).unwrap();
        }
        let (here, endpoint) = (here.to_owned(), endpoint.to_owned());
        Self { folder, here, endpoint, variables: Vec::new(), begun: Instant::now() }
    }

    /// With what an emulator needs.
    fn ready(self) -> Self {
        let installation = self;
        fs::write(installation.path().join("provider.tf"), PROVIDER).unwrap();
        let main = fs::read_to_string(installation.path().join("main.tf")).unwrap();
        if main.contains("variable \"is_emulated\"") {
            return installation.with("is_emulated=true");
        }
        fs::write(installation.path().join("emulated_override.tf"), EMULATED).unwrap();
        installation
    }

    /// With the value of a variable.
    pub(crate) fn with(mut self, variable: &str) -> Self {
        self.variables.extend(["-var".to_owned(), variable.to_owned()]);
        self
    }

    /// Terraform's own tests of the modules; gives the names of the runs that have passed.
    pub(crate) fn test(&self) -> Vec<String> {
        let whole = self.folder.path().join("etalon/terraform");
        let plugins = format!("-plugin-dir={}", std::env::var("TF_PLUGIN_DIR").unwrap());
        for arguments in [&["init", "-backend=false", "-input=false", "-no-color", &plugins][..], &["test", "-json"]] {
            let ran = self.run_in(&whole, arguments);
            let (told, wrong) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "terraform {arguments:?}: {told}{wrong}");
            if arguments[0] == "test" {
                let lines = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                let runs = lines.filter(|line| line["type"] == "test_run" && line["test_run"]["status"] == "pass");
                return runs.filter_map(|line| Some(line["test_run"]["run"].as_str()?.to_owned())).collect();
            }
        }
        Vec::new()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.here)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_in(&self.path(), arguments)
    }

    fn run_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        let takes_variables = matches!(arguments[0], "apply" | "plan" | "destroy");
        Command::new("terraform")
            .current_dir(folder)
            .args(arguments)
            .args(self.variables.iter().filter(|_| takes_variables))
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .output()
            .unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        let (told, wrong) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "terraform {arguments:?}: {told}{wrong}");
        told.into_owned()
    }

    /// Makes the folder ready.
    pub(crate) fn init(&self) {
        let plugins = format!("-plugin-dir={}", std::env::var("TF_PLUGIN_DIR").unwrap());
        self.succeed(&["init", "-backend=false", "-input=false", "-no-color", &plugins]);
    }

    /// Creates everything, and gives how many resources that are.
    pub(crate) fn apply(&self) -> usize {
        self.init();
        self.succeed(&["validate", "-no-color"]);
        self.succeed(&["apply", "-auto-approve", "-input=false", "-no-color"]);
        self.succeed(&["state", "list"]).lines().filter(|line| !line.contains("data.")).count()
    }

    /// What a second plan would change: the kind of a resource, and an attribute.
    pub(crate) fn changes(&self) -> Vec<(String, String)> {
        self.succeed(&["plan", "-input=false", "-no-color", "-out=again"]);
        let plan: Value = serde_json::from_str(&self.succeed(&["show", "-json", "again"])).unwrap();
        let mut changes = Vec::new();
        for resource in plan["resource_changes"].as_array().into_iter().flatten() {
            let (change, kind) = (&resource["change"], resource["type"].as_str().unwrap());
            let is_changed = change["actions"] != serde_json::json!(["no-op"]) && resource["mode"] == "managed";
            if !is_changed {
                continue;
            }
            let of = |name: &str| change[name].as_object().cloned().unwrap_or_default();
            let (before, after, later) = (of("before"), of("after"), of("after_unknown"));
            let mut names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            names.retain(|name| before.get(*name) != after.get(*name) && !later.contains_key(*name));
            // What is known only when something else was changed is no change of its own.
            assert!(!after.is_empty(), "{resource}");
            changes.extend(names.into_iter().map(|name| (kind.to_owned(), name.clone())));
        }
        changes
    }

    /// An output of the folder.
    pub(crate) fn output(&self, name: &str) -> Value {
        serde_json::from_str(&self.succeed(&["output", "-json", name])).unwrap()
    }

    /// What is there, read back from the stand-in and not as it was planned, in the form of `terraform show -json`.
    pub(crate) fn state(&self) -> String {
        self.succeed(&["apply", "-refresh-only", "-auto-approve", "-input=false", "-no-color"]);
        self.succeed(&["show", "-json"])
    }

    /// Changes a file of the modules for good.
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.path().join("etalon/terraform").join(file);
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{file} has no {from}");
        fs::write(&path, before.replace(from, to)).unwrap();
    }

    /// Writes a file of the example.
    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.path().join(file), text).unwrap();
    }

    /// Destroys everything.
    pub(crate) fn destroy(&self) {
        self.succeed(&["destroy", "-auto-approve", "-input=false", "-no-color"]);
        assert_eq!(self.succeed(&["state", "list"]), "");
    }

    /// What a plan says that is refused after a file was changed; the file is as before then.
    pub(crate) fn refused(&self, file: &str, from: &str, to: &str) -> String {
        let path = self.folder.path().join("etalon/terraform").join(file);
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{file} has no {from}");
        fs::write(&path, before.replace(from, to)).unwrap();
        let ran = self.run(&["plan", "-input=false", "-no-color"]);
        fs::write(&path, before).unwrap();
        assert!(!ran.status.success(), "{file}: {to} is not refused");
        String::from_utf8_lossy(&ran.stderr).into_owned()
    }

    /// The text of a file of the example.
    pub(crate) fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// Seconds since it began.
    pub(crate) fn seconds(&self) -> u64 {
        self.begun.elapsed().as_secs()
    }
}

/// The values of all resources of a kind, in all modules of a state.
pub(crate) fn values<'a>(state: &'a Value, kind: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    let mut modules = vec![&state["values"]["root_module"]];
    while let Some(module) = modules.pop() {
        let resources = module["resources"].as_array().into_iter().flatten();
        found.extend(resources.filter(|resource| resource["type"] == kind).map(|resource| &resource["values"]));
        modules.extend(module["child_modules"].as_array().into_iter().flatten());
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // What somebody has tried out there is his own.
        if entry.file_name().to_string_lossy().starts_with(".terraform") {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

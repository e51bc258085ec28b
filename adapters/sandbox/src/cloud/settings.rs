//! Settings: the pipeline that is deployed, and the account that the sandbox stands in for.

use std::collections::BTreeMap;

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use etalon_core::deploy::{Account, Deployment, Directory, Size, Sizes, Warehouse, WarehouseId};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Placeholder, Resolved};
use etalon_core::plan::sha256;
use etalon_core::protocol::print;
use etalon_core::source::Location;
use etalon_core::source::s3::Address;

use crate::aws::{self, unavailable};
use crate::cloud::Programs;
use crate::lambda::ACCOUNT;

/// Where staged files lie in their bucket.
const STAGING_PREFIX: &str = "etalon/";
/// The name of the database, as requests say it.
const DATABASE: &str = "dev";
/// What small files need. A message is invisible for as short as Lambda takes, so that what went wrong comes again soon.
const SIZES: Sizes = Sizes {
    extract: Size { memory_mb: 256, timeout_seconds: 300 },
    transform: Size { memory_mb: 512, timeout_seconds: 300 },
    load: Size { memory_mb: 256, timeout_seconds: 120 },
    transforms_max: 2,
    receives_max: 5,
    visibility_timeouts: 1,
};

/// What is deployed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the names of buckets, queues and functions begin with; another cloud over the same programs has another one.
    pub name: String,
    /// The pipeline file.
    pub pipeline: String,
    /// The values of its `${NAME}`.
    pub variables: BTreeMap<String, String>,
    /// The values of its `${secret:name}`.
    pub secrets: BTreeMap<String, String>,
    /// The manifest of its `connector:`, if its source is one.
    pub manifest: Option<String>,
    /// The functions' programs.
    pub programs: Programs,
    /// How much the functions get.
    pub sizes: Sizes,
}

impl Settings {
    /// A pipeline, deployed with sizes that suit small files.
    pub fn new(name: &str, pipeline: &str, programs: Programs) -> Self {
        let (name, pipeline) = (name.to_owned(), pipeline.to_owned());
        let (variables, secrets) = (BTreeMap::new(), BTreeMap::new());
        Self { name, pipeline, variables, secrets, manifest: None, programs, sizes: SIZES }
    }

    /// The value of a placeholder of the pipeline file.
    pub fn value(&self, asked: Placeholder<'_>) -> Result<String, Error> {
        let value = match asked {
            Placeholder::Variable(name) => self.variables.get(name),
            Placeholder::Secret(name) => self.secrets.get(name),
        };
        value.cloned().ok_or_else(|| Error::new(ErrorKind::Refused, format!("{asked} has no value")))
    }

    /// The pipeline, with the name of its table.
    pub(super) fn compile(&self) -> Result<Resolved, Error> {
        let (pipeline, _) = Pipeline::compile(&self.pipeline).map_err(|diagnostics| {
            let shown: Vec<String> =
                diagnostics.iter().map(|one| one.render("pipeline.yaml", &self.pipeline)).collect();
            Error::new(ErrorKind::Refused, shown.join("\n"))
        })?;
        pipeline.resolve(|asked| self.value(asked))
    }

    /// The bucket of the source, and what keys begin with there.
    pub(super) fn source(&self, pipeline: &Pipeline) -> Result<(String, String), Error> {
        let Location::S3(address) = pipeline.location().resolve(|asked| self.value(asked))? else {
            return Ok((format!("{}-source", self.name), String::new()));
        };
        let Address { bucket, prefix } = Address::parse(address.reveal())?;
        Ok((bucket, prefix))
    }

    /// The bucket of what Etalon keeps.
    pub(super) fn staging(&self) -> String {
        format!("{}-staging", self.name)
    }

    /// Puts the pipeline file and the directory of a deployment where Terraform puts them.
    pub(super) async fn publish(
        &self,
        s3: &aws_sdk_s3::Client,
        pipeline: &Pipeline,
        deployment: &Deployment,
    ) -> Result<(), Error> {
        let name = pipeline.name();
        let file = format!("{STAGING_PREFIX}{}{name}-{}.yaml", Directory::prefix(), sha256(self.pipeline.as_bytes()));
        let directory = Directory::new(name, deployment, &format!("s3://{}/{file}", self.staging()));
        let directory_name = format!("{STAGING_PREFIX}{}", Directory::name_of(name));
        let manifest = self.manifest.clone().map(|text| (self.manifest_key(name, &text), text));
        for (key, text) in
            [(file, self.pipeline.clone()), (directory_name, print(&directory))].into_iter().chain(manifest)
        {
            let put = s3.put_object().bucket(self.staging()).key(key).body(ByteStream::from(text.into_bytes()));
            put.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        }
        Ok(())
    }

    /// Where Terraform puts a manifest.
    fn manifest_key(&self, pipeline: &str, text: &str) -> String {
        format!("{STAGING_PREFIX}{}{pipeline}-{}.yaml", Directory::prefix(), sha256(text.as_bytes()))
    }

    /// Makes the secrets; gives their ARNs by the names that the pipeline file has for them.
    pub(super) async fn keep_secrets(&self, moto: &str) -> Result<BTreeMap<String, String>, Error> {
        let client = aws::secrets(moto);
        let mut arns = BTreeMap::new();
        for (name, value) in &self.secrets {
            let made = client.create_secret().name(format!("{}/{name}", self.name)).secret_string(value).send().await;
            let made = made.map_err(|error| unavailable(DisplayErrorContext(error)))?;
            arns.insert(name.clone(), made.arn.unwrap_or_default());
        }
        Ok(arns)
    }

    /// The account that the sandbox stands for. `queues` is where they answer; `bus` is told of loads; `secrets` are where they
    /// are kept.
    pub(super) fn account(
        &self,
        pipeline: &str,
        source: &(String, String),
        queues: &str,
        bus: String,
        secrets: BTreeMap<String, String>,
    ) -> Account {
        let manifest = |text: &String| format!("s3://{}/{}", self.staging(), self.manifest_key(pipeline, text));
        let (bucket, prefix) = source;
        Account {
            name: self.name.clone(),
            queues: format!("{queues}/{ACCOUNT}/"),
            staging: format!("s3://{}/{STAGING_PREFIX}", self.staging()),
            source: Some(format!("s3://{bucket}/{prefix}")),
            manifest: self.manifest.as_ref().map(manifest),
            certificates: None,
            event_bus: Some(bus),
            warehouse: Warehouse {
                id: WarehouseId::Workgroup(self.name.clone()),
                database: DATABASE.to_owned(),
                secret: None,
                copy_role: format!("arn:aws:iam::{ACCOUNT}:role/{}-copy", self.name),
            },
            variables: self.variables.clone(),
            secrets,
        }
    }
}

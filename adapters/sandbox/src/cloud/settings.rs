//! Settings: which pipeline is deployed, and what the account is that the sandbox stands for.

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

use crate::aws::unavailable;
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
    /// The values of its placeholders.
    pub variables: BTreeMap<String, String>,
    /// The functions' programs.
    pub programs: Programs,
    /// How much the functions get.
    pub sizes: Sizes,
}

impl Settings {
    /// A pipeline, deployed with sizes that suit small files.
    pub fn new(name: &str, pipeline: &str, programs: Programs) -> Self {
        let (name, pipeline) = (name.to_owned(), pipeline.to_owned());
        Self { name, pipeline, variables: BTreeMap::new(), programs, sizes: SIZES }
    }

    /// The value of a placeholder of the pipeline file.
    pub fn value(&self, asked: Placeholder<'_>) -> Result<String, Error> {
        let (Placeholder::Variable(name) | Placeholder::Secret(name)) = asked;
        let missing = || Error::new(ErrorKind::Refused, format!("{asked} has no value"));
        self.variables.get(name).cloned().ok_or_else(missing)
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
        for (key, text) in [(file, self.pipeline.clone()), (directory_name, print(&directory))] {
            let put = s3.put_object().bucket(self.staging()).key(key).body(ByteStream::from(text.into_bytes()));
            put.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        }
        Ok(())
    }

    /// The account that the sandbox stands for. `queues` is where they answer; `bus` is told of loads.
    pub(super) fn account(&self, source: &(String, String), queues: &str, bus: String) -> Account {
        let (bucket, prefix) = source;
        Account {
            name: self.name.clone(),
            queues: format!("{queues}/{ACCOUNT}/"),
            staging: format!("s3://{}/{STAGING_PREFIX}", self.staging()),
            source: Some(format!("s3://{bucket}/{prefix}")),
            event_bus: Some(bus),
            warehouse: Warehouse {
                id: WarehouseId::Workgroup(self.name.clone()),
                database: DATABASE.to_owned(),
                secret: None,
                copy_role: format!("arn:aws:iam::{ACCOUNT}:role/{}-copy", self.name),
            },
            variables: self.variables.clone(),
            secrets: BTreeMap::new(),
        }
    }
}

//! Settings: what a function is told by its environment, read once when it begins. Every mistake is told, not the first only.
//!
//! Which variables there are, and who reads which, stands in [`etalon_core::deploy::setting`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use etalon_core::deploy::PIPELINE_FILE;
use etalon_core::deploy::setting::{self, Setting};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Placeholder};
use etalon_core::protocol::Step;
use etalon_core::source::Location;
use etalon_core::source::s3::Address;
use etalon_core::spec::Filled;
use etalon_driver::deployed::Deployed;
use etalon_driver::ports::Objects;

use crate::client::Clients;
use crate::objects::S3Objects;
use crate::secrets;

/// The environment of a step's function.
#[derive(Debug, Clone)]
pub struct Settings {
    step: Step,
    variables: BTreeMap<String, String>,
}

impl Settings {
    /// The environment of this process, which is a step's function.
    pub fn of_process(step: Step) -> Self {
        // What is not UTF-8 is nothing that Etalon asks for.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { step, variables: std::env::vars_os().filter_map(text).collect() }
    }

    /// The environment that a function has elsewhere.
    pub fn of_function(step: Step, variables: BTreeMap<String, String>) -> Self {
        Self { step, variables }
    }

    /// A setting that may be missing; an empty one is.
    pub fn get(&self, setting: &Setting) -> Option<&str> {
        debug_assert!(setting.is_of(self.step), "{} is no setting of {}", setting.name, self.step.name());
        self.variable(setting.name)
    }

    /// Some settings that must be there, in their order; the error names all that are not.
    pub fn need<const COUNT: usize>(&self, settings: [&Setting; COUNT]) -> Result<[&str; COUNT], Error> {
        let missing = settings.into_iter().filter(|setting| self.get(setting).is_none()).map(|setting| setting.name);
        match missing.collect::<Vec<_>>().as_slice() {
            [] => Ok(settings.map(|setting| self.get(setting).unwrap_or_default())),
            missing => Err(lacks(missing)),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The deployed pipeline. A file with mistakes is refused as `etalon check` would.
    pub async fn deployed(&self, clients: &Clients) -> Result<Deployed, Error> {
        let (shown, text) = self.pipeline_file(clients).await?;
        let (pipeline, warnings) = Pipeline::compile(&text).map_err(|diagnostics| {
            let rendered: Vec<String> = diagnostics.iter().map(|one| one.render(&shown, &text)).collect();
            refused(rendered.join("\n"))
        })?;
        for warning in &warnings {
            tracing::warn!(diagnostic = warning.render(&shown, &text), "the pipeline file has a warning");
        }
        let inputs = self.location(&pipeline, clients).await?.names()?;
        let values = self.values(pipeline.placeholders(), clients).await?;
        let pipeline = pipeline.resolve(|asked| value(&values, asked))?;
        Ok(Deployed { pipeline, text, inputs })
    }

    /// The pipeline file: how it is called, and its text.
    async fn pipeline_file(&self, clients: &Clients) -> Result<(String, String), Error> {
        let place = self.get(&setting::PIPELINE);
        if let Some(address) = place.filter(|place| place.starts_with("s3://")) {
            // The whole prefix of the address is the object's name.
            let Address { bucket, prefix: key } = Address::parse(address)?;
            let (bytes, _) = S3Objects::new(clients.s3(), bucket, "").fetch(&key).await?;
            let text = String::from_utf8(bytes).map_err(|error| refused(format!("{address}: {error}")))?;
            return Ok((address.to_owned(), text));
        }
        let path = match place {
            Some(path) => PathBuf::from(path),
            None => PathBuf::from(self.variable("LAMBDA_TASK_ROOT").unwrap_or(".")).join(PIPELINE_FILE),
        };
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| refused(format!("{shown}: {error}")))?;
        Ok((shown, text))
    }

    /// Where the names of a pipeline's objects lie.
    pub async fn source(&self, pipeline: &Pipeline, clients: &Clients) -> Result<Address, Error> {
        match self.location(pipeline, clients).await? {
            // The names of objects are whole keys.
            Location::S3(address) => Ok(Address { prefix: String::new(), ..Address::parse(address.reveal())? }),
            Location::Files(_) => self.place(&setting::SOURCE),
            elsewhere => {
                let message =
                    format!("the source is `{}`, which the functions do not read; `etalon run` does", elsewhere.kind());
                Err(refused(message))
            }
        }
    }

    async fn location(&self, pipeline: &Pipeline, clients: &Clients) -> Result<Location<Filled>, Error> {
        let values = self.values(pipeline.location().placeholders(), clients).await?;
        pipeline.location().resolve(|asked| value(&values, asked))
    }

    /// A place in S3 that must be told; its prefix is empty or has a slash at its end.
    pub fn place(&self, setting: &Setting) -> Result<Address, Error> {
        let [address] = self.need([setting])?;
        let mut address = Address::parse(address).map_err(|error| refused(format!("{}: {error}", setting.name)))?;
        if !address.prefix.is_empty() && !address.prefix.ends_with('/') {
            address.prefix.push('/');
        }
        Ok(address)
    }

    /// What placeholders of the pipeline file stand for, by what they are.
    async fn values<'a>(
        &self,
        asked: impl Iterator<Item = Placeholder<'a>>,
        clients: &Clients,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut values = BTreeMap::new();
        for asked in asked {
            let variable = match asked {
                Placeholder::Secret(secret) => setting::SECRET.of(secret),
                Placeholder::Variable(name) => setting::VARIABLE.of(name),
            };
            let value = self.variable(&variable).ok_or_else(|| lacks(&[&variable]))?;
            let value = secrets::resolve(&clients.secrets(), value).await?;
            values.insert(asked.to_string(), value.reveal().to_owned());
        }
        Ok(values)
    }
}

fn value(values: &BTreeMap<String, String>, asked: Placeholder<'_>) -> Result<String, Error> {
    values.get(&asked.to_string()).cloned().ok_or_else(|| refused(format!("{asked} has no value")))
}

fn lacks(missing: &[&str]) -> Error {
    refused(format!("the environment lacks {}", missing.join(", ")))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&Setting, &str)]) -> Settings {
        let one = |(setting, value): &(&Setting, &str)| (setting.name.to_owned(), (*value).to_owned());
        Settings { step: Step::Load, variables: variables.iter().map(one).collect() }
    }

    #[test]
    fn every_missing_setting_is_named() {
        let settings = settings(&[(&setting::DATABASE, "dev"), (&setting::COPY_ROLE, "")]);
        assert_eq!(settings.need([&setting::DATABASE]), Ok(["dev"]));
        let missing = settings.need([&setting::DATABASE, &setting::COPY_ROLE, &setting::STAGING]).unwrap_err();
        assert_eq!(missing.to_string(), "the environment lacks ETALON_COPY_ROLE, ETALON_STAGING");
    }

    #[test]
    fn places_are_buckets_and_prefixes() {
        let told = |address: &str| {
            let place = settings(&[(&setting::STAGING, address)]).place(&setting::STAGING);
            place.map(|place| (place.bucket, place.prefix))
        };
        let place = |bucket: &str, prefix: &str| Ok((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(told("s3://staging"), place("staging", ""));
        assert_eq!(told("s3://staging/"), place("staging", ""));
        assert_eq!(told("s3://staging/etalon/orders"), place("staging", "etalon/orders/"));
        let wrong = told("staging").unwrap_err().to_string();
        assert_eq!(wrong, "ETALON_STAGING: `staging` is not `s3://bucket/prefix/`");
        assert!(told("s3:///x").is_err());
    }
}

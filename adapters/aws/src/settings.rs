//! Settings: the environment variables of a function, read once when it starts. All mistakes are reported, not only the first.
//!
//! [`etalon_core::deploy::setting`] lists the variables, and which function reads which.

use std::collections::BTreeMap;
use std::path::PathBuf;

use etalon_core::deploy::PIPELINE_FILE;
use etalon_core::deploy::setting::{self, Setting};
use etalon_core::diagnostic::Severity;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Placeholder};
use etalon_core::protocol::Step;
use etalon_core::source::connector::Connector;
use etalon_core::source::s3::Address;
use etalon_core::source::{Location, Names};
use etalon_core::spec::Filled;
use etalon_driver::deployed::Deployed;
use etalon_driver::land::Input;
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
        let inputs = match pipeline.location().lands() {
            // Every window that has landed. The secrets of the source are for whoever asks it.
            true => Names::beginning(""),
            false => self.location(&pipeline, clients).await?.names()?,
        };
        let values = self.values(pipeline.placeholders(), clients).await?;
        let pipeline = pipeline.resolve(|asked| value(&values, asked))?;
        Ok(Deployed { pipeline, text, inputs })
    }

    /// The pipeline file: how it is called, and its text.
    async fn pipeline_file(&self, clients: &Clients) -> Result<(String, String), Error> {
        let place = self.get(&setting::PIPELINE);
        if let Some(address) = place.filter(|place| place.starts_with("s3://")) {
            return Ok((address.to_owned(), text(address, clients).await?));
        }
        let path = match place {
            Some(path) => PathBuf::from(path),
            None => self.task_root().join(PIPELINE_FILE),
        };
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| refused(format!("{shown}: {error}")))?;
        Ok((shown, text))
    }

    /// What lies beside the programs.
    fn task_root(&self) -> PathBuf {
        PathBuf::from(self.variable("LAMBDA_TASK_ROOT").unwrap_or("."))
    }

    /// Where the names of a pipeline's objects lie, if that is a store of their own.
    pub async fn source(&self, pipeline: &Pipeline, clients: &Clients) -> Result<Address, Error> {
        match self.location(pipeline, clients).await? {
            // The names of objects are whole keys.
            Location::S3(address) => Ok(Address { prefix: String::new(), ..Address::parse(address.reveal())? }),
            Location::Files(_) => self.place(&setting::SOURCE),
            elsewhere => Err(refused(format!("what is read of `{}` lies in no store of its own", elsewhere.kind()))),
        }
    }

    /// What a pipeline reads.
    pub async fn input(&self, pipeline: &Pipeline, clients: &Clients) -> Result<Input<S3Objects>, Error> {
        let kept = S3Objects::at(clients, &self.place(&setting::STAGING)?);
        let stored = match pipeline.location().lands() {
            true => None,
            false => Some(self.source(pipeline, clients).await?),
        };
        Input::of(pipeline, kept, || {
            let stored = stored.ok_or_else(|| refused("the source lies in no store of its own".to_owned()))?;
            Ok(S3Objects::at(clients, &stored))
        })
    }

    /// The connector of a source that is an API.
    pub async fn connector(&self, pipeline: &Pipeline, clients: &Clients) -> Result<Option<Connector>, Error> {
        let Some(api) = pipeline.location().api() else { return Ok(None) };
        let manifest = match self.get(&setting::MANIFEST) {
            Some(address) if api.file().is_some() => Some(text(address, clients).await?),
            _ => None,
        };
        let connector = api.connector(|path| {
            let beside = || {
                std::fs::read_to_string(self.task_root().join(path)).map_err(|error| {
                    let name = setting::MANIFEST.name;
                    refused(format!("{path}: {error}; {name} names the object that it is deployed as"))
                })
            };
            manifest.map_or_else(beside, Ok)
        })?;
        let wrong = pipeline.check_manifest(&connector);
        match wrong.into_iter().find(|one| one.severity == Severity::Error) {
            Some(wrong) => Err(refused(wrong.message)),
            None => Ok(Some(connector)),
        }
    }

    /// The certificates of authorities that are believed of a database, as a file of this process.
    pub async fn certificates(&self, clients: &Clients) -> Result<Option<PathBuf>, Error> {
        let Some(address) = self.get(&setting::CERTIFICATES) else { return Ok(None) };
        let path = std::env::temp_dir().join("etalon-certificates.pem");
        std::fs::write(&path, text(address, clients).await?)
            .map_err(|error| refused(format!("{}: {error}", path.display())))?;
        Ok(Some(path))
    }

    /// Whether there is a setting for each of a location's placeholders; nothing is looked up.
    pub fn has_values(&self, pipeline: &Pipeline) -> Result<(), Error> {
        pipeline.location().placeholders().try_for_each(|asked| self.setting_of(asked).map(drop))
    }

    /// Where a source is, with the values of its `${…}` as they are now.
    pub async fn location(&self, pipeline: &Pipeline, clients: &Clients) -> Result<Location<Filled>, Error> {
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
            let value = secrets::resolve(&clients.secrets(), self.setting_of(asked)?).await?;
            values.insert(asked.to_string(), value.reveal().to_owned());
        }
        Ok(values)
    }

    /// The setting that says what a placeholder stands for.
    fn setting_of(&self, asked: Placeholder<'_>) -> Result<&str, Error> {
        let variable = match asked {
            Placeholder::Secret(secret) => setting::SECRET.of(secret),
            Placeholder::Variable(name) => setting::VARIABLE.of(name),
        };
        self.variable(&variable).ok_or_else(|| match asked {
            Placeholder::Secret(_) => lacks(&[&variable]),
            Placeholder::Variable(_) => refused(format!(
                "the environment lacks {variable}: in a deployed file `{asked}` is what the deployment's `variables` say, and no \
                 variable of the one who deploys; a password or a token is `${{secret:name}}`"
            )),
        })
    }
}

/// The text of an object `s3://bucket/key`.
async fn text(address: &str, clients: &Clients) -> Result<String, Error> {
    // The whole prefix of the address is the object's name.
    let Address { bucket, prefix: key } = Address::parse(address)?;
    let (bytes, _) = S3Objects::new(clients.s3(), bucket, "").fetch(&key).await?;
    String::from_utf8(bytes).map_err(|error| refused(format!("{address}: {error}")))
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

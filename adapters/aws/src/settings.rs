//! Settings: what a function is told by its environment, read once when it begins. Every mistake is told, not the first only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::source::{files, s3};
use etalon_core::spec::Location;
use etalon_driver::deployed::Deployed;
use etalon_driver::placeholder;

use crate::client::Clients;
use crate::objects::S3Objects;
use crate::secrets;

/// The pipeline file's name beside the function's program.
const PIPELINE_FILE: &str = "pipeline.yaml";
/// What the names of variables begin with that have the values of `${NAME}`.
const VARIABLE_PREFIX: &str = "ETALON_VARIABLE_";
/// What the names of variables begin with that say where `${secret:name}` lies: the secret's ARN.
const SECRET_PREFIX: &str = "ETALON_SECRET_";

/// The environment of a function.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    variables: BTreeMap<String, String>,
}

/// A place in S3: a bucket, and what the names in it begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The beginning of every key; empty, or with a slash at its end.
    pub prefix: String,
}

impl Settings {
    /// The environment of this process.
    pub fn of_process() -> Self {
        // What is not UTF-8 is nothing that Etalon asks for.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect() }
    }

    /// A setting that may be missing; an empty one is.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Some settings that must be there, in their order; the error names all that are not.
    pub fn need<const COUNT: usize>(&self, names: [&str; COUNT]) -> Result<[&str; COUNT], Error> {
        let missing: Vec<&str> = names.into_iter().filter(|name| self.get(name).is_none()).collect();
        if missing.is_empty() {
            return Ok(names.map(|name| self.get(name).unwrap_or_default()));
        }
        Err(refused(format!("the environment lacks {}", missing.join(", "))))
    }

    /// The deployed pipeline, and where its objects are. A file with mistakes is refused as `etalon check` would.
    pub async fn deployed(&self, clients: &Clients) -> Result<(Deployed, Place), Error> {
        let path = match self.get("ETALON_PIPELINE") {
            Some(path) => PathBuf::from(path),
            None => PathBuf::from(self.get("LAMBDA_TASK_ROOT").unwrap_or(".")).join(PIPELINE_FILE),
        };
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| refused(format!("{shown}: {error}")))?;
        let (mut pipeline, warnings) = Pipeline::compile(&text).map_err(|diagnostics| {
            let rendered: Vec<String> = diagnostics.iter().map(|one| one.render(&shown, &text)).collect();
            refused(rendered.join("\n"))
        })?;
        for warning in &warnings {
            tracing::warn!(diagnostic = warning.render(&shown, &text), "the pipeline file has a warning");
        }
        let table = &mut pipeline.table;
        for name in table.schema.iter_mut().chain([&mut table.name]) {
            *name = self.resolve(name, clients).await?;
        }
        let (place, inputs) = match &pipeline.location {
            Location::S3(address) => {
                let address = s3::Address::parse(&self.resolve(&address.text, clients).await?)?;
                let inputs = address.names();
                // The names of objects are whole keys.
                (Place { bucket: address.bucket, prefix: String::new() }, inputs)
            }
            Location::Files(files) => {
                let mut patterns = Vec::new();
                for file in files {
                    patterns.push(self.resolve(&file.text, clients).await?);
                }
                (self.place("ETALON_SOURCE")?, files::names(&patterns)?)
            }
        };
        Ok((Deployed { pipeline, text, inputs }, place))
    }

    /// A place that must be told.
    pub fn place(&self, name: &str) -> Result<Place, Error> {
        let [address] = self.need([name])?;
        let s3::Address { bucket, mut prefix } =
            s3::Address::parse(address).map_err(|error| refused(format!("{name}: {error}")))?;
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Ok(Place { bucket, prefix })
    }

    /// A text of the pipeline file with its placeholders' values.
    async fn resolve(&self, text: &str, clients: &Clients) -> Result<String, Error> {
        let mut values = BTreeMap::new();
        for name in placeholder::names(text) {
            let value = match name.strip_prefix("secret:") {
                Some(secret) => self.need([&format!("{SECRET_PREFIX}{secret}")])?,
                None => self.need([&format!("{VARIABLE_PREFIX}{name}")])?,
            };
            let value = secrets::resolve(&clients.secrets(), value[0]).await?;
            values.insert(name.to_owned(), value.reveal().to_owned());
        }
        placeholder::resolve(text, |name| Ok(values.get(name).cloned().unwrap_or_default()))
    }
}

impl Place {
    /// The objects of the place.
    pub fn objects(&self, clients: &Clients) -> S3Objects {
        S3Objects::new(clients.s3(), self.bucket.clone(), self.prefix.clone())
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_setting_is_named() {
        let variables = [("A", "a"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings { variables: variables.into() };
        assert_eq!(settings.need(["A"]), Ok(["a"]));
        let missing = settings.need(["A", "EMPTY", "B"]).unwrap_err();
        assert_eq!(missing.to_string(), "the environment lacks EMPTY, B");
    }

    #[test]
    fn places_are_buckets_and_prefixes() {
        let told = |address: &str| {
            let variables = [("X".to_owned(), address.to_owned())];
            Settings { variables: variables.into() }.place("X").map(|place| (place.bucket, place.prefix))
        };
        let place = |bucket: &str, prefix: &str| Ok((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(told("s3://staging"), place("staging", ""));
        assert_eq!(told("s3://staging/"), place("staging", ""));
        assert_eq!(told("s3://staging/etalon/orders"), place("staging", "etalon/orders/"));
        assert_eq!(told("staging").unwrap_err().to_string(), "X: `staging` is not `s3://bucket/prefix/`");
        assert!(told("s3:///x").is_err());
    }
}

//! Api: the keys of a pipeline file about an API: a declarative manifest, the stream to read, and the configuration that the
//! manifest asks for. The manifest is a file beside the pipeline file, or is made of the keys of `http`.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::error::Error;
use crate::plan::identity;
use crate::spec::{AnyMapping, AnyText, Choice, Filled, Form, Keys, Mapping, Mismatch, Text, Tree};

use super::Location;
use super::connector::{Bounds, Config, Connector, Walk, check_config};

/// What the kind is called, in a pipeline file and in the identity of an input.
pub(crate) const CONNECTOR: &str = "connector";

/// An API, and what is read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api<T = Text> {
    /// How it is asked.
    pub manifest: Manifest,
    /// Which stream of the manifest is read.
    pub stream: Text,
    /// What the manifest's specification asks for.
    pub config: Tree<T>,
    /// Whether addresses of this machine and of private networks may be asked.
    pub reaches_private: bool,
    /// Whether responses land beside the records that they have.
    pub keeps_responses: bool,
}

/// How an API is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// As a file says it, whose path is relative to the pipeline file.
    File(Text),
    /// As the pipeline file says it; what of that makes it another source, as one name.
    Here {
        /// The manifest.
        text: String,
        /// What of it makes it another source.
        identity: String,
    },
}

/// Where a walk begins.
#[derive(Debug, Clone, Copy)]
pub enum WalkFrom<'a> {
    /// Where the last one ended; `None`: at the beginning.
    State(Option<&'a Value>),
    /// In the middle of one, by what [`Walk::keep`] gave.
    Kept(&'a Value),
}

pub(super) fn connector(keys: &mut Keys<'_>) -> Option<Location> {
    keys.optional(CONNECTOR, MAPPING, "A stream of a declarative connector.").map(Location::Connector)
}

const MAPPING: Mapping<Api> = Mapping {
    title: "connector",
    doc: "A stream of a declarative connector, as its public manifest says how it is read. What is read lands in the store first, and \
          is loaded from there.",
    may_be_empty: false,
    keys: |keys| {
        let manifest = keys.required("manifest", Path, "The manifest: a file beside the pipeline file.");
        let stream = keys.required("stream", AnyText, "The stream, as `etalon connector ls` names it.");
        let config = keys.optional(
            "config",
            AnyMapping("what the manifest's specification asks for"),
            "What the manifest's specification asks for, in its types; secrets by `${secret:…}` or `${VARIABLE}`.",
        );
        let reaches_private = keys.or(
            "private_addresses",
            PRIVATE,
            "refuse",
            "Whether the manifest may ask this machine and private networks.",
        );
        let keeps_responses = responses(keys);
        let empty = || Text::empty(keys.owner());
        Api {
            manifest: Manifest::File(manifest.unwrap_or_else(empty)),
            stream: stream.unwrap_or_else(empty),
            config: config.unwrap_or(Tree::Empty),
            reaches_private,
            keeps_responses,
        }
    },
};

/// The key that says whether responses land.
pub(super) fn responses(keys: &mut Keys<'_>) -> bool {
    keys.or("responses", RESPONSES, "keep", "Whether responses land beside the records that are read from them.")
}

const RESPONSES: Choice<bool> = Choice(&[
    ("keep", "as they came, compressed, without secrets, and for as long as the records", true),
    ("drop", "records land only, as the manifest makes them", false),
]);

const PRIVATE: Choice<bool> = Choice(&[
    ("refuse", "they are not asked, whatever the manifest or a name's address says", false),
    ("allow", "they are asked like others", true),
]);

/// A path of a file.
struct Path;

impl Form for Path {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a path"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        if text.text.trim().is_empty() {
            return Err(Mismatch::new(Code::WrongValue, format!("`{key}` is an empty text")));
        }
        Ok(text.clone())
    }
}

impl<T> Api<T> {
    /// The file of the manifest, if there is one.
    pub fn file(&self) -> Option<&Text> {
        match &self.manifest {
            Manifest::File(path) => Some(path),
            Manifest::Here { .. } => None,
        }
    }

    /// What is read, for people.
    pub fn shown(&self) -> String {
        match &self.manifest {
            Manifest::File(path) => format!("{} of {}", self.stream.text, path.text),
            Manifest::Here { .. } => "the API".to_owned(),
        }
    }

    /// The connector of the manifest; `file`: the text of its file, which is not read where there is none.
    pub fn connector(&self, file: impl FnOnce(&str) -> Result<String, Error>) -> Result<Connector, Error> {
        match &self.manifest {
            Manifest::File(path) => Connector::read(&file(&path.text)?)
                .map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.text))),
            Manifest::Here { text, .. } => Connector::read(text),
        }
    }
}

impl Api {
    /// The API with the values of its `${…}`.
    pub(super) fn fill<E>(&self, fill: &mut impl FnMut(&Text) -> Result<Filled, E>) -> Result<Api<Filled>, E> {
        Ok(Api {
            manifest: self.manifest.clone(),
            stream: self.stream.clone(),
            config: self.config.fill(fill)?,
            reaches_private: self.reaches_private,
            keeps_responses: self.keeps_responses,
        })
    }

    /// What is read, as one name: where the end of a walk means something.
    pub(super) fn identity(&self) -> String {
        match &self.manifest {
            Manifest::File(path) => {
                let named = [CONNECTOR, path.text.as_str(), self.stream.text.as_str()];
                identity("cursor", &named.into_iter().chain(self.config.words()).collect::<Vec<_>>())
            }
            Manifest::Here { identity, .. } => identity.clone(),
        }
    }

    /// What is wrong with the stream and the configuration for this manifest. `owner`: the place of the source.
    pub(crate) fn check(&self, connector: &Connector, owner: Span) -> Vec<Diagnostic> {
        let stream = &self.stream;
        let config = |connector: &Connector| {
            check_config(&self.config, connector.specification(), owner, &|key| connector.uses_config(key))
        };
        if connector.named_by(&stream.text).is_some() {
            return config(connector);
        }
        let listed = connector.streams().find(|listed| listed.name == stream.text && listed.named_by.is_none());
        let Some(listed) = listed else {
            let message = format!("the manifest has no stream `{}`", stream.text);
            let diagnostic = Diagnostic::error(Code::WrongValue, stream.span, message);
            let names: Vec<&str> = connector.streams().map(|listed| listed.name).collect();
            let help = match nearest(&stream.text, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`etalon connector ls` lists its {} streams", names.len()),
            };
            return vec![diagnostic.with_help(help)];
        };
        if !listed.missing.is_empty() {
            let message =
                format!("the stream `{}` asks for what is not there: {}", listed.name, listed.missing.join("; "));
            return vec![Diagnostic::error(Code::Unsupported, stream.span, message)];
        }
        match &self.manifest {
            Manifest::File(_) => config(connector),
            Manifest::Here { .. } => Vec::new(),
        }
    }
}

impl Api<Filled> {
    /// The configuration in the types of the manifest. The error names a key, and no value.
    pub fn config(&self, connector: &Connector) -> Result<Config, Error> {
        Config::read(&self.config, connector.specification())
    }

    /// The name of a secret of the configuration whose value is no `${secret:…}`.
    pub(super) fn secret_in_clear(&self, connector: &Connector) -> Option<String> {
        Config::in_clear(&self.config, connector.specification())
    }

    /// Begins to read the stream. `now`: microseconds since 1970; `chance`: bits for names that nobody may guess.
    pub fn walk(
        &self,
        connector: &Connector,
        config: &Config,
        from: WalkFrom<'_>,
        now: i64,
        chance: u128,
    ) -> Result<Walk, Error> {
        let (is_private_allowed, keeps_responses) = (self.reaches_private, self.keeps_responses);
        let bounds = Bounds { is_private_allowed, keeps_responses, ..Bounds::default() };
        let stream = &self.stream.text;
        let walk = match from {
            WalkFrom::State(state) => connector.walk(stream, config.value(), state, bounds, now, chance),
            WalkFrom::Kept(kept) => connector.resume(stream, config.value(), kept, bounds, now, chance),
        };
        walk.map(|walk| walk.hiding(config)).map_err(|error| config.mask(&error))
    }
}

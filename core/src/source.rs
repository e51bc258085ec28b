//! Source: where objects come from. Each kind of source has a file of its own: what it is called, how it names its objects,
//! and which names it means, or how it is asked. What they share is how a source is listed, and how one that is no store lands.
//!
//! ```text
//! a store     `names` tell which objects are meant -> a `Listing` asks for pages of them, by `step` and `push`
//! a database  a `Landing` says what to ask and what to land, by `step` and `push`; what has landed is an object
//! an API      a `connector::Walk` says so, page by page
//! ```

pub mod files;
pub mod s3;
pub mod database;
mod statements;
mod postgres;
mod mysql;
mod landing;
pub mod connector;
mod api;
mod http;
pub mod sketch;
mod names;
mod listing;

use crate::error::{Error, ErrorKind};
use crate::spec::{Filled, Keys, Placeholder, Text, placeholder};

pub use api::{Api, Manifest, WalkFrom};
pub use database::Database;
pub use landing::{Answer, LandStep, Landing, Shared, What, WindowRows};
pub use listing::{ListStep, Listing};
pub use names::Names;

use mysql::Mysql;
use postgres::Postgres;
use statements::Statements;

/// The kinds of source, of which a file names exactly one. Each asks for its key.
pub(crate) const SOURCES: &[fn(&mut Keys<'_>) -> Option<Location>] =
    &[files::key, s3::key, postgres::key, mysql::key, api::connector, http::key];

/// The kinds of which nothing lies in a store of its own: what is read of them lands.
pub(crate) const LANDING: &[&str] = &[postgres::KIND, mysql::KIND, api::CONNECTOR, http::KIND];

/// The source of a file that names none, or several: nothing is read then, and its other mistakes are found.
pub(crate) const NOWHERE: Location = Location::Files(Vec::new());

/// Where objects are. `Text`: as the file says it; `Filled`: with the values of its `${…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location<T = Text> {
    /// Paths or globs, relative to the pipeline file.
    Files(Vec<T>),
    /// A prefix `s3://bucket/prefix`.
    S3(T),
    /// A PostgreSQL, and what is read of it.
    Postgres(Database<T>),
    /// A MySQL or a MariaDB, and what is read of it.
    Mysql(Database<T>),
    /// A stream of a declarative connector.
    Connector(Api<T>),
    /// An API in a few lines, which are a connector's.
    Http(Api<T>),
}

impl<T> Location<T> {
    /// What this kind of source is called, in a pipeline file and in the identity of an input.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Files(_) => files::KIND,
            Self::S3(_) => s3::KIND,
            Self::Postgres(_) => postgres::KIND,
            Self::Mysql(_) => mysql::KIND,
            Self::Connector(_) => api::CONNECTOR,
            Self::Http(_) => http::KIND,
        }
    }

    /// Whether what is read lands in the store before it is planned, since it is no object yet.
    pub fn lands(&self) -> bool {
        self.reads().is_some() || self.api().is_some()
    }

    /// The database, if it is one.
    pub fn database(&self) -> Option<&Database<T>> {
        match self {
            Self::Files(_) | Self::S3(_) | Self::Connector(_) | Self::Http(_) => None,
            Self::Postgres(database) | Self::Mysql(database) => Some(database),
        }
    }

    /// What is read of a database, if it is one.
    pub fn reads(&self) -> Option<&database::Reads> {
        self.database().map(|database| &database.reads)
    }

    /// What lands of these columns of a database, if it is one.
    pub fn landing<'a>(&'a self, columns: impl IntoIterator<Item = &'a str>, what: What) -> Option<Landing<'a>> {
        let statements: &'static dyn Statements = match self {
            Self::Files(_) | Self::S3(_) | Self::Connector(_) | Self::Http(_) => return None,
            Self::Postgres(_) => &Postgres,
            Self::Mysql(_) => &Mysql,
        };
        Some(Landing::new(statements, self.reads()?, columns, what))
    }

    /// What a database says of how these columns of it will be read, a line each; nothing, if it is none. `ask` runs a step, and gives
    /// what came and what time it was here then, in microseconds since 1970.
    ///
    /// # Errors
    ///
    /// The database did not answer.
    pub fn examine<'a>(
        &'a self,
        columns: impl IntoIterator<Item = &'a str>,
        ask: &mut dyn FnMut(LandStep) -> Result<(Answer, i64), Error>,
    ) -> Result<Vec<String>, Error> {
        self.landing(columns, What::New(None)).map_or_else(|| Ok(Vec::new()), |landing| landing.examine(ask))
    }

    /// The API, if it is one.
    pub fn api(&self) -> Option<&Api<T>> {
        match self {
            Self::Files(_) | Self::S3(_) | Self::Postgres(_) | Self::Mysql(_) => None,
            Self::Connector(api) | Self::Http(api) => Some(api),
        }
    }

    /// What is read where it lands, for people.
    pub fn shown(&self) -> String {
        let reads = self.reads().map(database::Reads::shown);
        reads.or_else(|| self.api().map(Api::shown)).unwrap_or_default()
    }

    /// Whether somebody can be told of an object when it is made.
    pub(crate) fn tells_of_objects(&self) -> bool {
        match self {
            Self::Files(_) | Self::Postgres(_) | Self::Mysql(_) | Self::Connector(_) | Self::Http(_) => false,
            Self::S3(_) => true,
        }
    }

    /// Its texts, in order.
    pub(crate) fn texts(&self) -> Vec<&T> {
        match self {
            Self::Files(paths) => paths.iter().collect(),
            Self::S3(prefix) => vec![prefix],
            Self::Postgres(database) | Self::Mysql(database) => vec![&database.url],
            Self::Connector(api) | Self::Http(api) => api.config.texts(),
        }
    }
}

impl Location {
    /// What is read where it lands, as one name: elsewhere a cursor's position means nothing.
    pub fn identity(&self) -> String {
        let reads = self.reads().map(|reads| reads.identity(self.kind()));
        reads.or_else(|| self.api().map(Api::identity)).unwrap_or_default()
    }

    /// What it asks for, where it stands, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder<'_>> {
        self.texts().into_iter().flat_map(|text| placeholder::placeholders(&text.text))
    }

    /// The location with the values of its `${…}`; `value` is asked for each where it stands.
    ///
    /// The error is that of `value`, or says what is no address with these values.
    pub fn resolve<E: From<Error>>(
        &self,
        mut value: impl FnMut(Placeholder<'_>) -> Result<String, E>,
    ) -> Result<Location<Filled>, E> {
        let mut fill = |text: &Text| text.fill(&mut value);
        match self {
            Self::Files(paths) => Ok(Location::Files(paths.iter().map(fill).collect::<Result<_, _>>()?)),
            Self::S3(prefix) => {
                let address = fill(prefix)?;
                if s3::Address::parse(address.reveal()).is_err() {
                    let message = format!("`{}` is `{address}`, which is not `s3://bucket/prefix/`", prefix.text);
                    return Err(Error::new(ErrorKind::Refused, message).into());
                }
                Ok(Location::S3(address))
            }
            Self::Postgres(database) => Ok(Location::Postgres(database.fill(value)?)),
            Self::Mysql(database) => Ok(Location::Mysql(database.fill(value)?)),
            Self::Connector(api) => Ok(Location::Connector(api.fill(&mut fill)?)),
            Self::Http(api) => Ok(Location::Http(api.fill(&mut fill)?)),
        }
    }
}

impl Location<Filled> {
    /// What of it is a secret and was written, or came, as no `${secret:…}`: its place in the file, for messages. `connector`: that
    /// of an API, whose specification says what is secret.
    pub fn secret_in_clear(&self, connector: Option<&connector::Connector>) -> Option<String> {
        match self {
            Self::Files(_) | Self::S3(_) => None,
            Self::Postgres(database) | Self::Mysql(database) => {
                database.has_password_in_clear().then(|| "the password in the source's `url`".to_owned())
            }
            Self::Connector(api) => Some(format!("`{}` of the source's `config`", api.secret_in_clear(connector?)?)),
            Self::Http(api) => api.secret_in_clear(connector?).map(|_| "what the source's `auth` sends".to_owned()),
        }
    }

    /// Which names it means; an error if they cannot be read.
    pub fn names(&self) -> Result<Names, Error> {
        match self {
            Self::Files(paths) => files::names(&paths.iter().map(|path| path.reveal().to_owned()).collect::<Vec<_>>()),
            Self::S3(address) => Ok(s3::Address::parse(address.reveal())?.names()),
            // Every window that has landed.
            Self::Postgres(_) | Self::Mysql(_) | Self::Connector(_) | Self::Http(_) => Ok(Names::beginning("")),
        }
    }
}

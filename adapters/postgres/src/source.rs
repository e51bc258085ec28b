//! Source: a PostgreSQL that is read. It runs the statements of a landing, and decides nothing.

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::source::Answer;
use etalon_driver::ports::Brought;
use etalon_driver::ports::Database;
use etalon_wire::Reach;

use crate::client::Address;
use crate::client::Client;
use crate::client::Host;
use crate::client::Roots;
use crate::client::SslMode;
use crate::client::Trouble;
use crate::failure::opened;
use crate::failure::world;

/// A PostgreSQL as a source.
#[derive(Debug)]
pub struct Source {
    client: Client,
    address: Address,
    reach: Reach,
}

impl Source {
    /// Connects to the PostgreSQL of a URL, as [`crate::Postgres::open`] does. Where nobody says `sslmode`, a server elsewhere
    /// must prove who it is: what comes from it is believed.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::reach(url, Reach::default())
    }

    /// The same, where something else is said of the way.
    pub fn reach(url: &str, reach: Reach) -> Result<Self, Error> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut address = Address::parse(url, environment)?;
        let is_said = url.contains("sslmode=") || environment("PGSSLMODE").is_some();
        if !is_said && address.encryption.mode == SslMode::Prefer && !is_local(&address.host) {
            address.encryption.mode = SslMode::VerifyFull;
        }
        if address.encryption.roots.is_none() {
            address.encryption.roots = reach.roots.clone().map(Roots::File);
        }
        address.connect_wait = reach.to_open(address.connect_wait);
        // A cursor without a time zone is most likely in the server's, and the settings of a landing ask for it.
        address.keeps_zone = true;
        Ok(Self { client: opened(&address)?, address, reach })
    }

    /// Says how long the server may be silent from now on.
    fn wait(&self) {
        self.client.may_be_silent(Some(self.reach.to_answer()));
    }

    fn world(&self, trouble: Trouble) -> Error {
        match trouble {
            // What is read is not there, or not for this user: the way to it is none of the matter.
            Trouble::Server(error) if matches!(error.state.get(..2), Some("42" | "3F" | "22")) => {
                let help = match error.state.as_str() {
                    "22021" => {
                        "; a value has bytes that are no text in the database's encoding: say which, in a `query` with \
                         `convert_from(column::bytea, 'LATIN1')`"
                    }
                    "42501" => "; `grant select` on what is read, and `usage` on its schema",
                    _ => "",
                };
                Error::new(ErrorKind::Refused, format!("{}: {error} ({}){help}", self.address, error.state))
            }
            other => world(&self.address, other),
        }
    }
}

impl Database for Source {
    fn place(&self) -> String {
        let host = match &self.address.host {
            Host::Folder(path) => path.display().to_string(),
            Host::Name(host) => host.clone(),
        };
        format!("{host}:{}/{}", self.address.port, self.address.database)
    }

    fn ask(&mut self, statement: &str) -> Result<Answer, Error> {
        self.wait();
        let found = self.client.run(statement, &[]).map_err(|trouble| self.world(trouble))?;
        let strange = |_| Error::new(ErrorKind::Refused, format!("{}: a value is not UTF-8", self.address));
        let text = |value: Vec<u8>| String::from_utf8(value).map_err(strange);
        let row = |row: Vec<Option<Vec<u8>>>| row.into_iter().map(|value| value.map(text).transpose()).collect();
        found.rows.into_iter().map(row).collect()
    }

    fn another(&self) -> Result<Option<Box<dyn Database + Send>>, Error> {
        let (address, reach) = (self.address.clone(), self.reach.clone());
        Ok(Some(Box::new(Self { client: opened(&address)?, address, reach })))
    }

    fn begin(&mut self, statement: &str) -> Result<(), Error> {
        self.wait();
        self.client.copy_out(statement).map_err(|trouble| self.world(trouble))
    }

    fn bring(&mut self, rows: &mut Brought) -> Result<bool, Error> {
        self.wait();
        self.client.copied(|row| rows.push(row)).map_err(|trouble| self.world(trouble))
    }
}

/// Whether nobody stands between here and a server.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Folder(_) => true,
        Host::Name(host) => etalon_wire::is_local(host),
    }
}

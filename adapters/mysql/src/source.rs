//! Source: a MySQL or a MariaDB that is read. It runs the statements of a landing, and decides nothing.

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::source::Answer;
use etalon_driver::ports::Brought;
use etalon_driver::ports::Database;
use etalon_wire::Reach;
use etalon_wire::is_local;
use etalon_wire::tls::Roots;

use crate::client::Address;
use crate::client::Client;
use crate::client::Host;
use crate::client::Rows;
use crate::client::SslMode;
use crate::client::Trouble;
use crate::failure::opened;
use crate::failure::world;
use crate::record;
use crate::types;

/// The number of the error where a right is missing that is not about a table.
const FORBIDDEN: u16 = 1227;

/// A MySQL or a MariaDB as a source.
#[derive(Debug)]
pub struct Source {
    client: Client,
    address: Address,
    reach: Reach,
    record: Vec<u8>,
}

impl Source {
    /// Connects to the server of a URL, `mysql://user:password@host:port/database`. Where nobody says `ssl-mode`, a server elsewhere
    /// must prove who it is: what comes from it is believed.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::reach(url, Reach::default())
    }

    /// The same, where something else is said of the way.
    pub fn reach(url: &str, reach: Reach) -> Result<Self, Error> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut address = Address::parse(url, environment)?;
        let is_elsewhere = matches!(&address.host, Host::Name(host, _) if !is_local(host));
        if is_elsewhere && !url.contains("ssl-mode=") {
            address.encryption.mode = SslMode::VerifyIdentity;
        }
        if address.encryption.roots.is_none() {
            address.encryption.roots = reach.roots.clone().map(Roots::File);
        }
        address.connect_wait = reach.to_open(address.connect_wait);
        Ok(Self { client: opened(&address)?, address, reach, record: Vec::new() })
    }

    /// Says how long the server may be silent from now on.
    fn wait(&self) {
        self.client.may_be_silent(Some(self.reach.to_answer()));
    }

    fn world(&self, trouble: Trouble) -> Error {
        world(&self.address, trouble)
    }

    fn texts(&self, found: Rows) -> Result<Answer, Error> {
        let strange = |_| Error::new(ErrorKind::Refused, format!("{}: a value is not UTF-8", self.address));
        let text = |value: Vec<u8>| String::from_utf8(value).map_err(strange);
        let row = |row: Vec<Option<Vec<u8>>>| row.into_iter().map(|value| value.map(text).transpose()).collect();
        found.rows.into_iter().map(row).collect()
    }
}

impl Database for Source {
    fn place(&self) -> String {
        let host = match &self.address.host {
            Host::Name(host, port) => format!("{host}:{port}"),
            Host::Socket(path) => path.display().to_string(),
        };
        format!("{host}/{}", self.address.database)
    }

    fn ask(&mut self, statement: &str) -> Result<Answer, Error> {
        self.wait();
        let found = self.client.run(statement).map_err(|trouble| self.world(trouble))?;
        self.texts(found)
    }

    fn types(&mut self, statement: &str) -> Result<Answer, Error> {
        self.wait();
        let found = self.client.run(statement).map_err(|trouble| self.world(trouble))?;
        Ok(vec![found.columns.iter().map(|column| Some(types::name(column))).collect()])
    }

    fn named(&mut self, statement: &str) -> Result<Answer, Error> {
        self.wait();
        let found = match self.client.run(statement) {
            Err(Trouble::Server(error)) if error.code == FORBIDDEN => return Ok(Vec::new()),
            found => found.map_err(|trouble| self.world(trouble))?,
        };
        let mut answer = vec![self.client.names().iter().cloned().map(Some).collect()];
        answer.extend(self.texts(found)?);
        Ok(answer)
    }

    fn begin(&mut self, statement: &str) -> Result<(), Error> {
        self.wait();
        self.client.begin(statement).map(drop).map_err(|trouble| self.world(trouble))
    }

    fn bring(&mut self, rows: &mut Brought) -> Result<bool, Error> {
        self.wait();
        let record = &mut self.record;
        let brought = self.client.rows(|row| {
            record.clear();
            record::write(row, record);
            rows.push(record);
        });
        brought.map_err(|trouble| world(&self.address, trouble))
    }
}

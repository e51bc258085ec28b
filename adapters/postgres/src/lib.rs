//! PostgreSQL as a warehouse and as a source, reached by URL, and the client for it. It runs the statements of
//! `etalon_core::warehouse` and `etalon_core::source`, and decides nothing.
//!
//! Rows are sent in the binary form of COPY. A client that is killed leaves nothing behind: the server undoes what was not
//! committed.

mod bring;
pub mod client;
pub mod encode;
mod failure;
mod show;
mod source;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::warehouse::Dialect;
use etalon_core::warehouse::Failure;
use etalon_core::warehouse::Selection;
use etalon_core::warehouse::Stage;
use etalon_core::warehouse::Statement;
use etalon_core::warehouse::dialect::postgres;
use etalon_driver::connection::Answer;
use etalon_driver::connection::AnswerColumn;
use etalon_driver::connection::Connection;
use etalon_driver::connection::Unbrought;
use etalon_driver::ports::Rows;

use client::Address;
use client::Client;
use client::Trouble;
pub use source::Source;

use failure::cause;
use failure::failure;
use failure::strange;
use failure::world;

/// What a query fails with that would write.
const READ_ONLY: &str = "25006";

/// A PostgreSQL as a warehouse.
#[derive(Debug)]
pub struct Postgres {
    client: Client,
    address: Address,
}

impl Postgres {
    /// Connects to the PostgreSQL of a URL, `postgres://user:password@host:port/database`. What it leaves out is taken from the
    /// variables that libpq knows. The password is in no message.
    pub fn open(url: &str) -> Result<Self, Error> {
        let address = Address::parse(url, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        let client = failure::opened(&address)?;
        Ok(Self { client, address })
    }

    fn world(&self, trouble: Trouble) -> Error {
        world(&self.address, trouble)
    }
}

impl Connection for Postgres {
    fn dialect(&self) -> &'static Dialect {
        &postgres::DIALECT
    }

    fn place(&self) -> String {
        self.address.to_string()
    }

    fn run(&mut self, statement: &Statement) -> Result<Selection, Failure> {
        let found = self.client.run(&statement.sql, &statement.values()).map_err(failure)?;
        let text = |value: Vec<u8>| String::from_utf8(value).map_err(|_| strange("a value is not UTF-8"));
        let row = |row: Vec<Option<Vec<u8>>>| row.into_iter().map(|value| value.map(text).transpose()).collect();
        Ok(Selection {
            columns: found.columns.into_iter().map(|column| column.name).collect(),
            values: found.rows.into_iter().map(row).collect::<Result<_, _>>()?,
        })
    }

    fn bring(&mut self, stage: &Stage, rows: Rows<'_>) -> Result<(), Unbrought> {
        bring::bring(&mut self.client, stage, rows)
    }

    fn query(&mut self, sql: &str) -> Result<Answer, Error> {
        self.client.run("BEGIN READ ONLY", &[]).map_err(|trouble| self.world(trouble))?;
        let found = self.client.run_in(sql, &[], |column| show::is_binary(column.type_number));
        let _ = self.client.run("ROLLBACK", &[]);
        let found = found.map_err(|trouble| match trouble {
            Trouble::Server(error) if error.state == READ_ONLY => Error::new(ErrorKind::Refused, "a query only reads"),
            // The words of the server are about the query: its place would only stand before them.
            Trouble::Server(error) if !cause(&error).is_retryable() => {
                Error::new(ErrorKind::Refused, error.to_string())
            }
            other => self.world(other),
        })?;
        let columns: Vec<AnswerColumn> = found
            .columns
            .iter()
            .map(|column| AnswerColumn {
                name: column.name.clone(),
                ty: show::declared(column.type_number, column.modifier),
            })
            .collect();
        let numbers: Vec<u32> = found.columns.iter().map(|column| column.type_number).collect();
        let shown = |row: Vec<Option<Vec<u8>>>| {
            row.into_iter().zip(&numbers).map(|(value, &number)| value.map(|bytes| show::show(bytes, number))).collect()
        };
        Ok(Answer { columns, rows: found.rows.into_iter().map(shown).collect() })
    }
}

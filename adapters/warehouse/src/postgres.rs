//! Postgres: a PostgreSQL as a warehouse, reached by URL.
//!
//! A load is one transaction: what the script of `etalon_core::warehouse` says, in order, with the rows in the binary form
//! of COPY where it asks for them. Whoever is killed leaves nothing: the server undoes what was not committed.

pub(crate) mod address;
pub(crate) mod connection;
pub(crate) mod encode;
mod show;

use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::types::Type;
use etalon_core::value::Values;
use etalon_core::warehouse::Dialect;
use etalon_core::warehouse::Found;
use etalon_core::warehouse::Guard;
use etalon_core::warehouse::LedgerRow;
use etalon_core::warehouse::Load;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::LoadScript;
use etalon_core::warehouse::Migration;
use etalon_core::warehouse::OFFSET_COLUMN;
use etalon_core::warehouse::SetUp;
use etalon_core::warehouse::Stage;
use etalon_core::warehouse::Statement;
use etalon_core::warehouse::Step;
use etalon_core::warehouse::Table;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::Target;
use etalon_core::warehouse::ledger;
use etalon_core::warehouse::read_instant;

use crate::Answer;
use crate::AnswerColumn;
use address::Address;
use address::Host;
use connection::Connection;
use connection::Rows;
use connection::ServerError;
use connection::Trouble;
use encode::HEADER;
use encode::TRAILER;

pub(crate) use address::is_address;

/// What the server says where a table is not there.
const NO_TABLE: &str = "42P01";
const NO_SCHEMA: &str = "3F000";
/// What it says where somebody else has created the same thing at the same time.
const CREATED_TWICE: [&str; 4] = [DUPLICATE_KEY, "42P06", "42P07", "42710"];
/// What a guard of a load fails with.
const DIVISION_BY_ZERO: &str = "22012";
/// What a second row of a key fails with.
const DUPLICATE_KEY: &str = "23505";
const DENIED: &str = "42501";
const READ_ONLY: &str = "25006";

/// A PostgreSQL as a warehouse.
#[derive(Debug)]
pub struct Postgres {
    connection: Connection,
    address: Address,
}

impl Postgres {
    /// Connects to the PostgreSQL of a URL, `postgres://user:password@host:port/database`. What it leaves out is taken from the
    /// variables that libpq knows. The password is in no message.
    pub fn open(url: &str) -> Result<Self, Error> {
        let address = Address::parse(url, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        match Connection::open(&address) {
            Ok(connection) => Ok(Self { connection, address }),
            Err(Trouble::Io(error)) => {
                let server = match &address.host {
                    Host::Name(host) => format!("{host}, port {}", address.port),
                    Host::Folder(folder) => format!("{}, socket {}", folder.display(), address.port),
                };
                let fact = format!("{address}: no PostgreSQL answers at {server}: {error}");
                Err(Error::new(ErrorKind::Unavailable, fact))
            }
            Err(other) => Err(world(&address, other)),
        }
    }

    /// What has been loaded into a table, in the order of loading.
    pub fn ledger(&mut self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        let target = Target::new(table, Dialect::Postgres)?;
        match self.connection.run(&ledger(&target).sql, &values(&ledger(&target))) {
            Ok(rows) => rows.rows.iter().map(|row| self.ledger_row(row)).collect(),
            Err(Trouble::Server(error)) if [NO_TABLE, NO_SCHEMA].contains(&error.state.as_str()) => Ok(Vec::new()),
            Err(other) => Err(world(&self.address, other)),
        }
    }

    /// Loads batches into a table, which is created if it is not there: everything in one transaction, or nothing.
    ///
    /// The record batches have the columns that [`Target::staged`] gives; rows of different batches may be mixed. `loaded_at`
    /// is now, in microseconds since 1970, UTC.
    ///
    /// An input and generation that the ledger holds is `AlreadyExists`. A batch whose rows are not as many as it says is
    /// `Refused`, as is a table that is not what the pipeline needs.
    pub fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        let target = Target::new(table, Dialect::Postgres)?;
        let script =
            LoadScript::new(&target, &Load { batches, loaded_at, copy: None }).map_err(|error| self.at(&error))?;
        let set_up = SetUp::new(&target).map_err(|error| self.at(&error))?;
        self.create(&set_up)?;
        self.query_text("BEGIN", &[])?;
        let counts = self.carry_out(&target, &set_up, &script, batches, rows);
        match counts {
            Ok(counts) => {
                self.query_text("COMMIT", &[])?;
                Ok(counts)
            }
            Err(error) => {
                // The error is what matters; a server that is gone has undone everything.
                let _ = self.connection.run("ROLLBACK", &[]);
                Err(error)
            }
        }
    }

    /// Answers a query, which can only read.
    ///
    /// Values are shown as an SQLite warehouse shows them: timestamps with all their digits, in UTC.
    pub fn query(&mut self, sql: &str) -> Result<Answer, Error> {
        self.query_text("BEGIN READ ONLY", &[])?;
        let found = self.connection.run_in(sql, &[], |column| show::is_binary(column.type_number));
        let _ = self.connection.run("ROLLBACK", &[]);
        let found = found.map_err(|trouble| match trouble {
            Trouble::Server(error) if error.state == READ_ONLY => Error::new(ErrorKind::Refused, "a query only reads"),
            // The words of the server are about the query: its place would only stand before them.
            Trouble::Server(error) if kind(&error) == ErrorKind::Refused => {
                Error::new(ErrorKind::Refused, error.to_string())
            }
            other => world(&self.address, other),
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

    /// Makes what must be there before any load.
    fn create(&mut self, set_up: &SetUp) -> Result<(), Error> {
        let mut denied = None;
        for statement in &set_up.create {
            match self.connection.run(&statement.sql, &values(statement)) {
                // `IF NOT EXISTS` looks before it creates, and two may look at once.
                Err(Trouble::Server(error)) if CREATED_TWICE.contains(&error.state.as_str()) => {}
                // It asks for the right to create before it looks.
                Err(Trouble::Server(error)) if error.state == DENIED => {
                    denied.get_or_insert((statement, Trouble::Server(error)));
                }
                Err(trouble) => {
                    let (statement, trouble) = denied.unwrap_or((statement, trouble));
                    return Err(self.failed(statement, trouble));
                }
                Ok(_) => {}
            }
        }
        match denied {
            Some((statement, trouble)) if self.statement(&set_up.loads).is_err() => {
                Err(self.failed(statement, trouble))
            }
            _ => Ok(()),
        }
    }

    fn carry_out(
        &mut self,
        target: &Target,
        set_up: &SetUp,
        script: &LoadScript,
        batches: &[LoadBatch],
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<LoadCounts, Error> {
        if let Some(lock) = &set_up.lock {
            self.statement(lock)?;
        }
        let found = self.found(set_up)?;
        let migration = Migration::new(target, &found).map_err(|error| self.at(&error))?;
        for statement in migration.outside.iter().chain(&migration.statements) {
            self.guard(Guard::UniqueKey, statement, target, batches)?;
        }
        let mut total = LoadCounts::default();
        for step in &script.steps {
            match step {
                Step::Run(statement) => {
                    self.statement(statement)?;
                }
                Step::Guard(guard, statement) => self.guard(*guard, statement, target, batches)?,
                Step::Stage(stage) => self.stage(stage, rows)?,
                Step::Counts(statement) => {
                    for row in self.statement(statement)?.rows {
                        total.add(self.counts(row.get(1..).unwrap_or_default())?);
                    }
                }
            }
        }
        Ok(total)
    }

    fn found(&mut self, set_up: &SetUp) -> Result<Found, Error> {
        let present = self.names(&set_up.present)?;
        let indexes = set_up.indexes.as_ref().map(|statement| self.names(statement)).transpose()?.unwrap_or_default();
        let mut declared = Vec::new();
        for row in self.statement(&set_up.declared)?.rows {
            declared.push(TableColumn {
                name: self.text(row.first())?,
                ty: Type::parse(&self.text(row.get(1))?).unwrap_or(Type::Text),
                required: self.text(row.get(2))? == "t",
            });
        }
        let loads = self.statement(&set_up.loads)?.rows;
        let loads = self.number(loads.first().and_then(|row| row.first()))?;
        Ok(Found { present, declared, loads, indexes })
    }

    /// The one column of text that a statement selects.
    fn names(&mut self, statement: &Statement) -> Result<Vec<String>, Error> {
        let rows = self.statement(statement)?.rows;
        rows.iter().map(|row| self.text(row.first())).collect()
    }

    fn guard(
        &mut self,
        guard: Guard,
        statement: &Statement,
        target: &Target,
        batches: &[LoadBatch],
    ) -> Result<(), Error> {
        let fails = if guard == Guard::UniqueKey { DUPLICATE_KEY } else { DIVISION_BY_ZERO };
        match self.connection.run(&statement.sql, &values(statement)) {
            Err(Trouble::Server(error)) if error.state == fails => Err(self.at(&guard.error(target, batches))),
            done => done.map(|_| ()).map_err(|trouble| self.failed(statement, trouble)),
        }
    }

    /// Brings the rows.
    fn stage(
        &mut self,
        stage: &Stage,
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
    ) -> Result<(), Error> {
        let mut encoder = Encoder { stage, header: Some(HEADER), batch: None, row: 0 };
        let copied = self.connection.copy_in(&stage.sql, |out| encoder.next(rows, out));
        match copied.map_err(|trouble| world(&self.address, trouble))? {
            Ok(_) => Ok(()),
            Err(Fault::Rows(error)) => Err(error),
            Err(Fault::Unfit(fact)) => Err(self.placed(ErrorKind::Refused, &fact)),
        }
    }

    fn ledger_row(&self, row: &[Option<Vec<u8>>]) -> Result<LedgerRow, Error> {
        let text = |at: usize| self.text(row.get(at));
        let instant = |at: usize| {
            let text = text(at)?;
            read_instant(&text).ok_or_else(|| self.strange(&text, "an instant"))
        };
        let mut counts = vec![row.get(9).cloned().flatten()];
        counts.extend_from_slice(row.get(11..).unwrap_or_default());
        let counts = self.counts(&counts)?;
        Ok(LedgerRow {
            batch: LoadBatch {
                input: text(0)?,
                generation: self.number(row.get(1))?,
                batch: text(2)?,
                source: text(3)?,
                source_version: text(4)?,
                fingerprint: text(5)?,
                batch_time: instant(6)?,
                replaces_source: text(7)? == "t",
                replaces_generations: text(8)? == "t",
                staged: counts.staged,
            },
            loaded_at: instant(10)?,
            counts,
        })
    }

    /// The counts that a row is.
    fn counts(&self, row: &[Option<Vec<u8>>]) -> Result<LoadCounts, Error> {
        let count = |at: usize| self.number(row.get(at));
        Ok(LoadCounts {
            staged: count(0)?,
            inserted: count(1)?,
            updated: count(2)?,
            unchanged: count(3)?,
            deduplicated: count(4)?,
            superseded: count(5)?,
            deleted: count(6)?,
        })
    }

    fn text(&self, value: Option<&Option<Vec<u8>>>) -> Result<String, Error> {
        let text = value.and_then(Option::as_ref).and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        text.ok_or_else(|| self.placed(ErrorKind::Refused, "a table of Etalon's own lacks a value; who changed it?"))
    }

    fn number<T: std::str::FromStr>(&self, value: Option<&Option<Vec<u8>>>) -> Result<T, Error> {
        let text = self.text(value)?;
        text.parse().map_err(|_| self.strange(&text, "a number"))
    }

    fn strange(&self, text: &str, wanted: &str) -> Error {
        self.placed(ErrorKind::Refused, &format!("a table of Etalon's own has `{text}` in place of {wanted}"))
    }

    fn statement(&mut self, statement: &Statement) -> Result<Rows, Error> {
        self.connection.run(&statement.sql, &values(statement)).map_err(|trouble| self.failed(statement, trouble))
    }

    /// The error of a statement of the script.
    fn failed(&self, statement: &Statement, trouble: Trouble) -> Error {
        match trouble {
            Trouble::Server(error) => {
                self.placed(kind(&error), &format!("could not {}: {error} ({})", statement.what, error.state))
            }
            other => world(&self.address, other),
        }
    }

    fn query_text(&mut self, sql: &str, parameters: &[&str]) -> Result<Rows, Error> {
        self.connection.run(sql, parameters).map_err(|trouble| world(&self.address, trouble))
    }

    /// An error with its place.
    fn at(&self, error: &Error) -> Error {
        self.placed(error.kind(), &error.to_string())
    }

    fn placed(&self, kind: ErrorKind, fact: &str) -> Error {
        Error::new(kind, format!("{}: {fact}", self.address))
    }
}

/// Turns staged rows into the bytes of COPY, some rows at a time.
struct Encoder<'a> {
    stage: &'a Stage,
    header: Option<&'static [u8]>,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    row: usize,
}

/// Why rows cannot be brought.
enum Fault {
    /// They did not come.
    Rows(Error),
    /// They cannot be held.
    Unfit(String),
}

/// Rows that are encoded before the socket is looked at.
const ROWS_AT_ONCE: usize = 512;

impl Encoder<'_> {
    /// Appends what comes next, and says whether it was the last.
    fn next(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        out.extend_from_slice(self.header.take().unwrap_or_default());
        let Some(batch) = self.batch.take() else {
            match rows.next().transpose().map_err(Fault::Rows)? {
                Some(batch) => {
                    self.check(&batch)?;
                    (self.batch, self.row) = (Some(batch), 0);
                    return Ok(false);
                }
                None => {
                    out.extend_from_slice(TRAILER);
                    return Ok(true);
                }
            }
        };
        let end = batch.num_rows().min(self.row + ROWS_AT_ONCE);
        self.encode(&batch, end, out)?;
        if end < batch.num_rows() {
            (self.batch, self.row) = (Some(batch), end);
        }
        Ok(false)
    }

    /// That the columns are those of the stage, and the rows of batches that this load brings.
    fn check(&self, batch: &RecordBatch) -> Result<(), Fault> {
        let columns = &self.stage.columns;
        if batch.num_columns() < columns.len() {
            let (found, needed) = (batch.num_columns(), columns.len());
            return Err(Fault::Unfit(format!("a batch has {found} columns in place of {needed}")));
        }
        for (array, column) in batch.columns().iter().zip(columns) {
            if Values::new(array, column.ty).is_none() {
                let (found, needed) = (array.data_type(), column.ty.arrow());
                return Err(Fault::Unfit(format!(
                    "column `{}` of a batch is {found} in place of {needed}",
                    column.name
                )));
            }
        }
        Ok(())
    }

    fn encode(&self, batch: &RecordBatch, end: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let columns = &self.stage.columns;
        let values: Vec<Values<'_>> =
            batch.columns().iter().zip(columns).filter_map(|(array, column)| Values::new(array, column.ty)).collect();
        #[expect(clippy::cast_possible_truncation, reason = "no table of PostgreSQL has more than 1,600 columns")]
        let count = (values.len() as u16).to_be_bytes();
        for row in self.row..end {
            out.extend_from_slice(&count);
            for (values, column) in values.iter().zip(columns) {
                encode::write(values.get(row), out).map_err(|unfit| {
                    let place = columns.iter().position(|column| column.name == OFFSET_COLUMN);
                    let offset = place.and_then(|at| batch.columns().get(at)).and_then(|array| {
                        array.as_any().downcast_ref::<arrow_array::Int64Array>().map(|offsets| offsets.value(row))
                    });
                    let place = offset.map(|offset| format!(" of the record at byte {offset}")).unwrap_or_default();
                    Fault::Unfit(format!("column `{}`{place} is {unfit}, which PostgreSQL does not hold", column.name))
                })?;
            }
        }
        Ok(())
    }
}

fn values(statement: &Statement) -> Vec<&str> {
    statement.parameters.iter().map(|parameter| parameter.value.as_str()).collect()
}

/// What trouble means to the caller, with its place.
fn world(address: &Address, trouble: Trouble) -> Error {
    let (kind, fact) = match trouble {
        Trouble::Io(error) => (ErrorKind::Unavailable, error.to_string()),
        Trouble::Refused(fact) => (ErrorKind::Refused, fact),
        Trouble::Server(error) => (kind(&error), format!("{error} ({})", error.state)),
    };
    Error::new(kind, format!("{address}: {fact}"))
}

/// Whether the same call may succeed later: by the class of the SQLSTATE.
fn kind(error: &ServerError) -> ErrorKind {
    let is_passing = match error.state.as_str() {
        // Deadlock, serialization, a lock that is not to be had.
        "40001" | "40P01" | "55P03" => true,
        // Connections, resources, and a server that starts or stops.
        state => ["08", "53", "57P", "58"].iter().any(|class| state.starts_with(class)),
    };
    if is_passing { ErrorKind::Unavailable } else { ErrorKind::Refused }
}

//! Connection: a warehouse that runs one statement at a time, and the one loop that carries out a load on any such warehouse.
//!
//! Core decides on the statements, their order, and the meaning of their failures; a connection runs them and inserts the rows.
//! It decides nothing: a new warehouse is a new dialect in core and a new client behind this port.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use arrow_array::RecordBatch;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::types::Type;
use etalon_core::value::{Value, Values};
use etalon_core::warehouse::{
    Arrival, BATCH_COLUMN, Cause, Dialect, Failure, Found, Guard, LedgerRow, LoadBatch, LoadCounts, LoadScript,
    Migration, Selection, SetUp, Stage, Statement, Step, Table, TableColumn, Target, any_row, ask_ledger_columns,
    brought, by_batch, count_by_batch, forget, ledger, migrate_ledger,
};

use crate::ports::{Rows, Warehouse};

/// A connection to a warehouse.
pub trait Connection: Send {
    /// The warehouse's SQL.
    fn dialect(&self) -> &'static Dialect;

    /// The address of the warehouse, without a password: every message begins with it.
    fn place(&self) -> String;

    /// Runs a statement, and returns what it selects.
    fn run(&mut self, statement: &Statement) -> Result<Selection, Failure>;

    /// Inserts staged rows as a stage asks for it. They have the columns of [`Target::staged`], of which the stage takes the
    /// first ones.
    fn bring(&mut self, stage: &Stage, rows: Rows<'_>) -> Result<(), Unbrought>;

    /// Runs a query, which can only read. All warehouses show values in the same way: timestamps in UTC with six digits.
    fn query(&mut self, sql: &str) -> Result<Answer, Error>;

    /// What has been loaded into a table, in the order of loading.
    fn ledger(&mut self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        let target = Target::new(table, self.dialect())?;
        let mut read = || {
            let mut run = |statement: &Statement| self.run(statement).map_err(|failure| failure.error(statement.what));
            let columns = run(&ask_ledger_columns(&target))?;
            let present: Vec<String> = columns.values.iter().filter_map(|row| row.first().cloned().flatten()).collect();
            // Before the first load there is none.
            if present.is_empty() {
                return Ok(Vec::new());
            }
            for statement in migrate_ledger(&target, &present)? {
                run(&statement)?;
            }
            run(&ledger(&target))?.rows().map(|row| LedgerRow::read(&row)).collect()
        };
        let rows: Result<_, Error> = read();
        rows.map_err(|error| placed(&self.place(), &error))
    }

    /// Whether a table has rows; `None` where there is no table.
    fn has_rows(&mut self, table: &Table) -> Result<Option<bool>, Error> {
        let target = Target::new(table, self.dialect())?;
        let question = any_row(&target);
        match self.run(&question) {
            Ok(rows) => Ok(Some(rows.rows().next().is_some())),
            Err(failure) if failure.cause == Cause::Missing => Ok(None),
            Err(failure) if failure.cause == Cause::Permanent && failure.to_string().contains(BATCH_COLUMN) => {
                let fact = format!(
                    "table `{}` has no column `{BATCH_COLUMN}`: it was made with `lineage: false`, or not by Etalon; say so in the \
                     pipeline file, or rename the table and load everything again: `etalon reload`",
                    target.name()
                );
                Err(placed(&self.place(), &Error::new(ErrorKind::Refused, fact)))
            }
            Err(failure) if failure.cause == Cause::Permanent => {
                let fact = format!("table `{}` is not as Etalon has made it: {failure}", target.name());
                let fact = format!("{fact}; rename it or drop it, and load everything again: `etalon reload`");
                Err(placed(&self.place(), &Error::new(ErrorKind::Refused, fact)))
            }
            Err(failure) => Err(placed(&self.place(), &failure.error(question.what))),
        }
    }

    /// Those of some batches of which a table has rows; none where there is no table.
    fn brought(&mut self, table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        let target = Target::new(table, self.dialect())?;
        let names: Vec<&str> = batches.iter().map(String::as_str).collect();
        let mut there = BTreeSet::new();
        for question in brought(&target, &names) {
            match self.run(&question) {
                Err(failure) if failure.cause == Cause::Missing => {}
                Err(failure) => return Err(placed(&self.place(), &failure.error(question.what))),
                Ok(found) => there.extend(found.values.into_iter().filter_map(|row| row.into_iter().next().flatten())),
            }
        }
        Ok(there)
    }

    /// How many rows of each batch a table has.
    fn by_batch(&mut self, table: &Table) -> Result<BTreeMap<String, u64>, Error> {
        let target = Target::new(table, self.dialect())?;
        let question = count_by_batch(&target);
        match self.run(&question) {
            Err(failure) if failure.cause == Cause::Missing => Ok(BTreeMap::new()),
            Err(failure) => Err(placed(&self.place(), &failure.error(question.what))),
            Ok(found) => by_batch(&found),
        }
    }

    /// Forgets all loads of a table, so that everything is loaded again.
    fn forget(&mut self, table: &Table) -> Result<(), Error> {
        let target = Target::new(table, self.dialect())?;
        let forget = forget(&target);
        self.run(&forget).map(drop).map_err(|failure| placed(&self.place(), &failure.error(forget.what)))
    }

    /// What a load would change in a table, beside its rows, a line each for people; nothing is changed. `Refused` where the
    /// table is not what the pipeline needs.
    fn changes(&mut self, table: &Table) -> Result<Vec<String>, Error> {
        let target = Target::new(table, self.dialect())?;
        let mut ask = || {
            let set_up = SetUp::new(&target)?;
            let mut answers = Vec::new();
            for question in &set_up.questions {
                answers.push(match self.run(question) {
                    // Before the first load of all, Etalon's own tables are not there.
                    Err(failure) if failure.cause == Cause::Missing => Selection::default(),
                    answer => answer.map_err(|failure| failure.error(question.what))?,
                });
            }
            Ok(Migration::new(&target, &set_up.found(&answers)?)?.changes)
        };
        let changes: Result<_, Error> = ask();
        changes.map_err(|error| placed(&self.place(), &error))
    }

    /// Loads batches into a table, which is created if it is not there: everything in one transaction, or nothing.
    ///
    /// The record batches have the columns that [`Target::staged`] gives; rows of different batches may be mixed. `loaded_at`
    /// is now, in microseconds since 1970, UTC.
    ///
    /// If the ledger already has an input and generation, the error is `AlreadyExists`. If the table does not accept the data
    /// (a value that does not fit, or a row that a constraint of somebody else forbids), it is `Held`. If a batch has another
    /// number of rows than it says, or the table is not what the pipeline needs, it is `Refused`.
    fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: Rows<'_>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        let target = Target::new(table, self.dialect())?;
        let place = self.place();
        let mut load = Load { connection: self, target: &target, batches };
        load.carry_out(rows, loaded_at).map_err(|stop| match stop {
            Stop::Error(error) => placed(&place, &error),
            Stop::Rows(error) => error,
        })
    }
}

/// Why staged rows could not be inserted.
#[derive(Debug)]
pub enum Unbrought {
    /// They did not come.
    Rows(Error),
    /// The warehouse cannot hold one of them: the column, its place and the reason.
    Unfit(String),
    /// The warehouse has failed.
    Failed(Failure),
}

impl From<Failure> for Unbrought {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What a query gives: named columns, and rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<AnswerColumn>,
    /// The rows; NULL is `None`.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Its name.
    pub name: String,
    /// Its declared type, where it is a column of a target table and not an expression.
    pub ty: Option<Type>,
}

impl Warehouse for Box<dyn Connection> {
    async fn ledger(&mut self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        Connection::ledger(&mut **self, table)
    }

    async fn has_rows(&mut self, table: &Table) -> Result<Option<bool>, Error> {
        Connection::has_rows(&mut **self, table)
    }

    async fn brought(&mut self, table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        Connection::brought(&mut **self, table, batches)
    }

    async fn by_batch(&mut self, table: &Table) -> Result<BTreeMap<String, u64>, Error> {
        Connection::by_batch(&mut **self, table)
    }

    async fn forget(&mut self, table: &Table) -> Result<(), Error> {
        Connection::forget(&mut **self, table)
    }

    async fn changes(&mut self, table: &Table) -> Result<Vec<String>, Error> {
        Connection::changes(&mut **self, table)
    }

    async fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: Rows<'_>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        Connection::load(&mut **self, table, batches, rows, loaded_at)
    }
}

impl fmt::Debug for dyn Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

/// A load that is carried out.
struct Load<'a, C: ?Sized> {
    connection: &'a mut C,
    target: &'a Target,
    batches: &'a [LoadBatch],
}

/// Why a load has stopped.
enum Stop {
    /// The warehouse has stopped it.
    Error(Error),
    /// Its rows did not come, which the error tells with a place of its own.
    Rows(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Why the transaction of a load is undone.
enum Undone {
    /// A guard says that the load must not happen.
    Guard(Guard),
    /// Something else.
    Stop(Stop),
}

impl<E: Into<Stop>> From<E> for Undone {
    fn from(stop: E) -> Self {
        Self::Stop(stop.into())
    }
}

impl<C: Connection + ?Sized> Load<'_, C> {
    /// Runs all steps.
    fn carry_out(&mut self, rows: Rows<'_>, loaded_at: i64) -> Result<LoadCounts, Stop> {
        let dialect = self.connection.dialect();
        // What is known to be wrong is refused before anything is created.
        let arrival = Arrival { batches: self.batches, loaded_at, copy: None };
        let script = LoadScript::new(self.target, &arrival)?;
        let set_up = SetUp::new(self.target)?;
        if !dialect.creates_in_transaction() {
            self.create(&set_up)?;
        }
        self.run(&dialect.begin())?;
        let undone = match self.in_transaction(&set_up, script, &arrival, rows) {
            Ok(counts) => match self.run(&dialect.commit()) {
                Ok(_) => return Ok(counts),
                Err(error) => error.into(),
            },
            Err(undone) => undone,
        };
        // What has happened is what matters; a warehouse that is gone has undone everything.
        let _ = self.connection.run(&dialect.roll_back());
        Err(match undone {
            Undone::Stop(stop) => stop,
            Undone::Guard(guard) => {
                let details = guard.details(self.target, self.batches);
                let details = details.and_then(|details| self.connection.run(&details).ok());
                guard.error(self.target, self.batches, details.as_ref()).into()
            }
        })
    }

    fn in_transaction(
        &mut self,
        set_up: &SetUp,
        mut script: LoadScript,
        arrival: &Arrival<'_>,
        rows: Rows<'_>,
    ) -> Result<LoadCounts, Undone> {
        if self.connection.dialect().creates_in_transaction() {
            self.create(set_up)?;
        }
        if let Some(lock) = &set_up.lock {
            self.run(lock)?;
        }
        let found = self.found(set_up)?;
        let migration = Migration::new(self.target, &found)?;
        if let Some(target) = self.target.with_former(&found) {
            script = LoadScript::new(&target, arrival)?;
        }
        for statement in migration.before(self.batches) {
            match Guard::of(statement.what) {
                Some(guard) => self.guard(guard, statement)?,
                None => drop(self.run(statement)?),
            }
        }
        let mut counts = LoadCounts::default();
        for step in &script.steps {
            match step {
                Step::Run(statement) => drop(self.run(statement)?),
                Step::Guard(guard, statement) => self.guard(*guard, statement)?,
                Step::Stage(stage) => self.stage(stage, rows)?,
                Step::Counts(statement) => {
                    for row in self.run(statement)?.rows() {
                        counts.add(LoadCounts::of_load(&row, self.target)?);
                    }
                }
            }
        }
        Ok(counts)
    }

    /// Creates Etalon's own tables, unless they are there.
    fn create(&mut self, set_up: &SetUp) -> Result<(), Error> {
        let mut denied = None;
        for statement in &set_up.create {
            match self.connection.run(statement) {
                // `IF NOT EXISTS` looks before it creates, and two may look at once.
                Err(Failure { cause: Cause::DuplicateKey | Cause::AlreadyThere, .. }) | Ok(_) => {}
                // It asks for the right to create before it looks.
                Err(failure) if failure.cause == Cause::Denied => {
                    denied = denied.or_else(|| Some(failure.error(statement.what)))
                }
                Err(failure) => return Err(denied.unwrap_or_else(|| failure.error(statement.what))),
            }
        }
        // Who may not create the tables needs no right to where they are there.
        match denied {
            Some(denied) => self.found(set_up).map(drop).map_err(|_| denied),
            None => Ok(()),
        }
    }

    fn found(&mut self, set_up: &SetUp) -> Result<Found, Error> {
        let answers = set_up.questions.iter().map(|question| self.run(question)).collect::<Result<Vec<_>, _>>()?;
        set_up.found(&answers)
    }

    /// A failure that the data may have caused is `Held`: other data may be loaded.
    fn run(&mut self, statement: &Statement) -> Result<Selection, Error> {
        self.connection.run(statement).map_err(|failure| told(&failure, statement.what))
    }

    fn guard(&mut self, guard: Guard, statement: &Statement) -> Result<(), Undone> {
        let ended = self.connection.run(statement);
        if guard.stops(ended.as_ref().map_err(|failure| failure.cause)) {
            return Err(Undone::Guard(guard));
        }
        Ok(ended.map(drop).map_err(|failure| failure.error(statement.what))?)
    }

    /// Inserts the rows, and compares their number with that of the batches.
    fn stage(&mut self, stage: &Stage, rows: Rows<'_>) -> Result<(), Stop> {
        let refused = |fact: String| Error::new(ErrorKind::Refused, fact);
        let mut counted = Counted::new(self.target, self.batches, rows);
        match self.connection.bring(stage, &mut counted) {
            Ok(()) => {}
            Err(Unbrought::Rows(error)) => return Err(counted.unfit.map_or(Stop::Rows(error), Stop::Error)),
            Err(Unbrought::Unfit(fact)) => return Err(Error::new(ErrorKind::Held, fact).into()),
            Err(Unbrought::Failed(failure)) => return Err(told(&failure, stage.what()).into()),
        }
        for LoadBatch { batch, source, staged, .. } in self.batches {
            let came = counted.came.get(batch.as_str()).copied().unwrap_or_default();
            if came != *staged {
                return Err(
                    refused(format!("batch {batch} of `{source}` says {staged} staged rows, and {came} came")).into()
                );
            }
        }
        Ok(())
    }
}

/// The error of a statement that has failed over rows.
fn told(failure: &Failure, what: &str) -> Error {
    let error = failure.error(what);
    if failure.cause.is_of_data() { Error::new(ErrorKind::Held, error.to_string()) } else { error }
}

/// Staged rows on their way to a warehouse: their columns are looked at, and they are counted by batch.
struct Counted<'a> {
    rows: Rows<'a>,
    target: &'a str,
    columns: Vec<TableColumn>,
    came: BTreeMap<&'a str, u64>,
    /// What is wrong with the rows.
    unfit: Option<Error>,
}

impl<'a> Counted<'a> {
    fn new(target: &'a Target, batches: &'a [LoadBatch], rows: Rows<'a>) -> Self {
        let came = batches.iter().map(|batch| (batch.batch.as_str(), 0)).collect();
        Self { rows, target: target.name(), columns: target.staged(), came, unfit: None }
    }

    /// Looks at the shape of a batch, and counts its rows.
    fn count(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let (found, needed) = (batch.num_columns(), self.columns.len());
        if found != needed {
            return Err(format!("a batch for `{}` has {found} columns in place of {needed}", self.target));
        }
        let mut names = None;
        for (array, column) in batch.columns().iter().zip(&self.columns) {
            let values = Values::new(array, column.ty).ok_or_else(|| {
                let (found, needed) = (array.data_type(), column.ty.arrow());
                format!("column `{}` of a batch is {found} in place of {needed}", column.name)
            })?;
            if column.name == BATCH_COLUMN {
                names = Some(values);
            }
        }
        let name = |row| match names.as_ref().and_then(|names| names.get(row)) {
            Some(Value::Text(name)) => Some(name),
            _ => None,
        };
        let mut row = 0;
        while row < batch.num_rows() {
            let of = name(row).unwrap_or_default();
            // Rows of a batch mostly stand together.
            let run = (row..batch.num_rows()).take_while(|&next| name(next) == Some(of)).count();
            let Some(count) = self.came.get_mut(of) else {
                return Err(format!("a row comes with batch `{of}`, which this load does not bring"));
            };
            *count += run as u64;
            row += run.max(1);
        }
        Ok(())
    }
}

impl Iterator for Counted<'_> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.rows.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        match self.count(&batch) {
            Ok(()) => Some(Ok(batch)),
            Err(fact) => {
                let error = Error::new(ErrorKind::Refused, fact);
                self.unfit = Some(error.clone());
                Some(Err(error))
            }
        }
    }
}

/// An error with its place.
fn placed(place: &str, error: &Error) -> Error {
    Error::new(error.kind(), format!("{place}: {error}"))
}

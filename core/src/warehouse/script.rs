//! Script: a whole load as statements in order, for a driver that runs them in one transaction and decides nothing.
//!
//! On Redshift the steps are one `BatchExecuteStatement`; elsewhere the driver begins a transaction, runs each step, brings
//! the rows where a step asks for them, and commits. Nothing between the steps is decided outside the warehouse: a guard
//! divides by zero where the load must not be, and counts are computed and kept by SQL.
//!
//! ```text
//! lock the fence -> the load's batches -> guard: none is loaded -> stage the rows -> guard: all came -> ledger rows
//! -> rows of replaced sources go -> winners and verdicts -> delete, insert -> counts -> guard: they balance -> select them
//! ```

mod intervals;
mod versions;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::BATCH_COLUMN;
use crate::warehouse::LoadBatch;
use crate::warehouse::TableColumn;
use crate::warehouse::WriteMode;
use crate::warehouse::copy;
use crate::warehouse::copy::CopySource;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::ledger;
use crate::warehouse::sql;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::JoinKind;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::TableName;
use crate::warehouse::target::Target;
use versions::Judge;
use versions::STAGE;

/// Most statements of a script: what Redshift's Data API takes at once.
pub const STATEMENTS_MAX: usize = 40;
/// Batches in one insert: their text stays far below what a statement may have, and their parameters too.
const BATCHES_AT_ONCE: usize = 500;

/// A value beside a statement. All values are text: the statement casts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the whole script: `:name` on Redshift. One name has one value in all statements of a script.
    pub name: String,
    /// Its value, never empty.
    pub value: String,
}

/// A statement and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text.
    pub sql: String,
    /// The parameters that it uses, each once: the first is `$1` on PostgreSQL and `?1` on SQLite.
    pub parameters: Vec<Parameter>,
    /// What it does, for people.
    pub what: &'static str,
}

impl Statement {
    pub(crate) fn new(what: &'static str, command: &Command, dialect: Dialect) -> Self {
        let (sql, parameters) = sql::print(command, dialect);
        Self { sql, parameters, what }
    }

    /// The text with what it does before it, as a comment: a warehouse that lists its statements tells people more, and
    /// [`Statement::purpose`] finds it there.
    pub fn labelled(&self) -> String {
        format!("/* {} */\n{}", self.what, self.sql)
    }

    /// What a labelled text does.
    pub fn purpose(sql: &str) -> Option<&str> {
        sql.strip_prefix("/* ")?.split_once(" */").map(|(what, _)| what)
    }
}

/// Something to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run this.
    Run(Statement),
    /// Run this. Where the load must not be, it divides by zero, and fails there or (SQLite) selects NULL, which the driver
    /// takes for the same failure; [`Guard::UniqueKey`] selects nothing, and violates a unique constraint. Either way
    /// [`Guard::error`] has the words.
    Guard(Guard, Statement),
    /// Bring the staged rows here.
    Stage(Stage),
    /// Run this; it selects the counts of the load: batch, then staged, inserted, updated, unchanged, deduplicated,
    /// superseded and deleted, a row for each batch, in the order of the batches' names.
    Counts(Statement),
}

/// Where staged rows are brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What brings them: Redshift's `COPY … FROM 's3://…'`, which needs nothing more; PostgreSQL's
    /// `COPY … FROM STDIN (FORMAT binary)`; SQLite's `INSERT` of one row of parameters.
    pub sql: String,
    /// The columns that are brought, in order. What comes may have more of them: those of a staged part.
    pub columns: Vec<TableColumn>,
    into: TableName,
    dialect: Dialect,
}

impl Stage {
    /// The statement that inserts so many rows of numbered parameters, one a column.
    pub fn insert(&self, rows: usize) -> String {
        // The names have been checked with the target's.
        let columns = self.columns.iter().map(|column| Identifier::found(&column.name)).collect();
        sql::print(&Command::Insert { into: self.into.clone(), columns, rows: Rows::Bound(rows) }, self.dialect).0
    }
}

/// Why a load must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// An input of the load is in the ledger already.
    NotLoaded,
    /// The rows that came are not those that the batches say.
    AllRows,
    /// A run with a later batch time has been loaded (`write: replace`).
    NoLaterRun,
    /// Several rows of the table have one key.
    UniqueKey,
    /// The counts do not balance.
    Balance,
}

impl Guard {
    /// The error of a load that failed at this guard.
    pub fn error(self, target: &Target, batches: &[LoadBatch]) -> Error {
        let name = target.name();
        let refused = |message: String| Error::new(ErrorKind::Refused, message);
        match self {
            Self::NotLoaded => {
                let inputs: Vec<String> = batches
                    .iter()
                    .map(|batch| format!("{} of `{}`, generation {}", batch.input, batch.source, batch.generation))
                    .collect();
                let message = match inputs.as_slice() {
                    [input] => format!("input {input}, is loaded into `{name}` already"),
                    inputs => format!("one of {} inputs is loaded into `{name}` already", inputs.len()),
                };
                Error::new(ErrorKind::AlreadyExists, message)
            }
            Self::AllRows => refused(format!("the rows that came for `{name}` are not as many as its batches say")),
            Self::NoLaterRun => refused(format!("a later run has been loaded into `{name}` already")),
            Self::UniqueKey => refused(format!("table `{name}` holds several rows with one key")),
            Self::Balance => {
                // Where no index keeps the key unique, this is where several rows with one key are met.
                let cause = "the table holds several rows with one key, or Etalon has a bug";
                refused(format!("the counts of a load into `{name}` do not balance: {cause}"))
            }
        }
    }
}

/// A load: what is brought, and when.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// The batches, each with the number of its rows.
    pub batches: &'a [LoadBatch],
    /// Now, in microseconds since 1970, UTC.
    pub loaded_at: i64,
    /// Where Redshift finds the rows, if there are any; elsewhere the driver brings them.
    pub copy: Option<&'a CopySource>,
}

/// A load as statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadScript {
    /// What to do, in order, in one transaction.
    pub steps: Vec<Step>,
}

impl LoadScript {
    /// The script of a load into a target, in the words of the target's warehouse.
    ///
    /// `Refused` where the load can be seen to be wrong before it is tried.
    pub fn new(target: &Target, load: &Load<'_>) -> Result<Self, Error> {
        let mut writer = Writer { target, steps: Vec::new() };
        writer.write(load)?;
        let steps = writer.steps;
        match target.dialect.statements_max() {
            Some(most) if steps.len() > most => {
                let message = format!("a load of {} batches into `{}` is too long", load.batches.len(), target.name());
                Err(Error::new(ErrorKind::Refused, message))
            }
            _ => Ok(Self { steps }),
        }
    }
}

struct Writer<'a> {
    target: &'a Target,
    steps: Vec<Step>,
}

impl Writer<'_> {
    fn write(&mut self, load: &Load<'_>) -> Result<(), Error> {
        let target = self.target;
        let replaces_sources = load.batches.iter().any(|batch| batch.replaces_source || batch.replaces_generations);
        if replaces_sources && !target.lineage {
            return self.refuse("has no lineage columns, by which the rows of a source are replaced");
        }
        let judge = target.versions().map(|versions| Judge::new(target, versions)).transpose()?;
        let direct = judge.is_none() && target.dialect.stages_in_target();

        if target.dialect.has_lock() {
            self.run("wait for other loads of the table", Command::Lock(target.fence_table()));
        }
        self.enter(load)?;
        if let WriteMode::Replace { allow_empty } = target.write {
            self.replace_all(load, allow_empty, direct)?;
        }
        self.stage(load, direct)?;
        let loaded_at = self.instant(load.loaded_at)?;
        self.run("enter the batches into the ledger", ledger::enter(target, loaded_at));
        if replaces_sources {
            self.replace_sources(direct)?;
        }
        match &judge {
            Some(judge) => {
                self.all("make room for winners", judge.create());
                self.all("judge the newest row of each key", judge.judge());
                if matches!(target.write, WriteMode::Replace { .. }) {
                    self.delete_all();
                }
                self.all("put the winners into the table", judge.settle());
                if matches!(target.write, WriteMode::Scd2 { .. }) {
                    self.all("set the intervals of versions", judge.set_intervals(replaces_sources));
                }
            }
            None if direct => {}
            None => {
                if matches!(target.write, WriteMode::Replace { .. }) {
                    self.delete_all();
                }
                self.insert_all();
            }
        }
        if let Some(index) = target.create_key_index() {
            // Sorting the keys of a new table once is quicker than finding the place of each.
            self.guard(Guard::UniqueKey, "keep the key unique", index);
        }
        self.run("count what became of the rows", count(target, judge.as_ref(), replaces_sources));
        self.guard(Guard::Balance, "check that the counts balance", ledger::guard_balance(target));
        let counts = Statement::new("tell the counts", &ledger::counts(target), target.dialect);
        self.steps.push(Step::Counts(counts));

        let mut work: Vec<TableName> = judge.iter().flat_map(Judge::tables).collect();
        work.extend((!direct).then(|| TableName::work(STAGE)));
        work.extend(replaces_sources.then(ledger::replaced_table));
        work.push(ledger::load_table());
        self.all("drop the work tables", work.into_iter().map(Command::DropTable));
        Ok(())
    }

    fn run(&mut self, what: &'static str, command: Command) {
        self.steps.push(Step::Run(Statement::new(what, &command, self.target.dialect)));
    }

    fn all(&mut self, what: &'static str, commands: impl IntoIterator<Item = Command>) {
        for command in commands {
            self.run(what, command);
        }
    }

    fn guard(&mut self, guard: Guard, what: &'static str, command: Command) {
        self.steps.push(Step::Guard(guard, Statement::new(what, &command, self.target.dialect)));
    }

    fn refuse<T>(&self, fact: &str) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Refused, format!("table `{}` {fact}", self.target.name())))
    }

    fn instant(&self, micros: i64) -> Result<String, Error> {
        let dialect = self.target.dialect;
        dialect.instant(micros).ok_or_else(|| {
            let message =
                format!("{micros} microseconds since 1970 lie in a year that {} does not take", dialect.name());
            Error::new(ErrorKind::Refused, message)
        })
    }

    /// Brings the load's batches, and checks that none was loaded.
    fn enter(&mut self, load: &Load<'_>) -> Result<(), Error> {
        self.run("make room for the load's batches", ledger::create_load());
        let mut values = Values::default();
        for batches in load.batches.chunks(BATCHES_AT_ONCE) {
            let rows = batches.iter().map(|batch| Ok(values.row(batch, &self.instant(batch.batch_time)?)));
            let rows = rows.collect::<Result<Vec<_>, Error>>()?;
            let columns = ledger::BATCH.map(|(name, _)| Identifier::own(name)).to_vec();
            let into = ledger::load_table();
            self.run("bring the load's batches", Command::Insert { into, columns, rows: Rows::Values(rows) });
        }
        self.guard(Guard::NotLoaded, "check that no input is loaded", ledger::guard_not_loaded(self.target));
        Ok(())
    }

    /// Checks that a run may take the place of all rows, and empties the table where rows go there at once.
    fn replace_all(&mut self, load: &Load<'_>, allow_empty: bool, direct: bool) -> Result<(), Error> {
        if !allow_empty && load.batches.iter().all(|batch| batch.staged == 0) {
            return self.refuse("would be left empty by a run without rows; say `allow_empty: true` if it may");
        }
        let run_time = load.batches.iter().map(|batch| batch.batch_time).max().unwrap_or(load.loaded_at);
        let run_time = self.instant(run_time)?;
        let guard = ledger::guard_no_later_run(self.target, run_time);
        self.guard(Guard::NoLaterRun, "check that no later run is loaded", guard);
        if direct {
            self.delete_all();
        }
        Ok(())
    }

    fn delete_all(&mut self) {
        let all = Command::Delete { from: self.target.table.clone(), using: None, filter: None };
        self.run("delete the rows of earlier runs", all);
    }

    /// Brings the rows, and checks that they are as many as the batches say.
    fn stage(&mut self, load: &Load<'_>, direct: bool) -> Result<(), Error> {
        let target = self.target;
        let (into, columns) = if direct {
            (target.table.clone(), target.declared())
        } else {
            let table = TableName::work(STAGE);
            self.run("make room for the staged rows", create_stage(target, &table));
            (table, target.staged())
        };
        let mut stage = Stage { sql: String::new(), columns, into, dialect: target.dialect };
        stage.sql = match (target.dialect, load.copy) {
            (Dialect::Sqlite, _) => stage.insert(1),
            (Dialect::Postgres, _) => {
                let names = names(&stage.columns);
                format!("COPY {} ({names})\nFROM STDIN (FORMAT binary)", stage.into)
            }
            (Dialect::Redshift, Some(source)) => copy::copy(&stage.into, &names(&stage.columns), source)?,
            // COPY fails where a manifest names nothing.
            (Dialect::Redshift, None) if load.batches.iter().all(|batch| batch.staged == 0) => String::new(),
            (Dialect::Redshift, None) => return self.refuse("is loaded from a manifest, and there is none"),
        };
        if !stage.sql.is_empty() {
            self.steps.push(Step::Stage(stage));
        }
        // The driver of SQLite binds the rows one by one, and counts them.
        if target.dialect != Dialect::Sqlite {
            self.guard(Guard::AllRows, "check that all rows came", guard_all_rows());
        }
        Ok(())
    }

    /// Removes the rows of sources that have a later version, also those of this load.
    fn replace_sources(&mut self, direct: bool) -> Result<(), Error> {
        let target = self.target;
        self.run("make room for replaced batches", ledger::create_replaced());
        self.run("find the batches that a later version replaces", ledger::find_replaced(target));
        let mut tables = vec![target.table.clone()];
        if target.keeps_deleted() {
            tables.push(target.deleted_table()?);
        }
        if !direct {
            tables.push(TableName::work(STAGE));
        }
        self.all("delete the rows of replaced batches", tables.iter().map(ledger::delete_replaced));
        Ok(())
    }

    fn insert_all(&mut self) {
        let columns = self.target.stored_columns();
        let staged = Select::from(&TableName::work(STAGE), "s");
        let staged = staged.columns(versions::stored_values(self.target));
        self.run("insert the rows", versions::insert(self.target.table.clone(), columns, staged));
    }
}

/// The values of batches: equal texts are one parameter.
#[derive(Default)]
struct Values {
    known: BTreeMap<String, usize>,
}

impl Values {
    fn row(&mut self, batch: &LoadBatch, batch_time: &str) -> Vec<Expr> {
        vec![
            self.value(&batch.input, Type::Text),
            Expr::Number(u64::from(batch.generation)),
            self.value(&batch.batch, Type::Text),
            self.value(&batch.source, Type::Text),
            self.value(&batch.source_version, Type::Text),
            self.value(&batch.fingerprint, Type::Text),
            self.value(batch_time, Type::Timestamptz),
            Expr::Boolean(batch.replaces_source),
            Expr::Boolean(batch.replaces_generations),
            Expr::Number(batch.staged),
        ]
    }

    fn value(&mut self, value: &str, ty: Type) -> Expr {
        // No parameter of the Data API may be empty.
        if value.is_empty() {
            return Expr::Word("");
        }
        let next = self.known.len();
        let number = *self.known.entry(value.to_owned()).or_insert(next);
        Expr::Parameter { name: format!("v{number}"), value: value.to_owned(), ty }
    }
}

fn names(columns: &[TableColumn]) -> String {
    // The names have been checked with the target's.
    columns.iter().map(|column| Identifier::found(&column.name).to_string()).collect::<Vec<_>>().join(", ")
}

fn create_stage(target: &Target, table: &TableName) -> Command {
    let mut columns = versions::stage_definition(target);
    let mut primary_key = Vec::new();
    if target.dialect.has_row_numbers() {
        let name = Identifier::own(versions::ROW);
        columns.push(ColumnDefinition { name: name.clone(), ty: Type::Bigint, required: false });
        primary_key.push(name);
    }
    let (_, dist_key) = target.layout_names();
    Command::CreateTable(CreateTable {
        temporary: true,
        primary_key,
        dist_key,
        ..CreateTable::new(table.clone(), columns)
    })
}

/// Selects 1 where every batch has as many staged rows as it says, and there are no others.
fn guard_all_rows() -> Command {
    let batch = Identifier::own(BATCH_COLUMN);
    let mut came =
        Select::from(&TableName::work(STAGE), "s").columns([Expr::of("s", &batch)]).column(Expr::CountRows, "came");
    came.group_by = vec![Expr::of("s", &batch)];
    let said = Expr::own("b", "batch");
    let wrong =
        Expr::Any(vec![said.clone().absent(), Expr::own("c", "came").or_zero().differs(Expr::own("b", "staged"))]);
    Command::Select(
        Select::from(&ledger::load_table(), "b")
            .column(Expr::no_rows(), "guard")
            .join(JoinKind::Full, Source::Selects(vec![came]), "c", said.equal(Expr::of("c", &batch)))
            .filter(wrong),
    )
}

/// Puts what became of each batch's rows into the ledger.
fn count(target: &Target, judge: Option<&Judge<'_>>, replaces_sources: bool) -> Command {
    let staged = || Expr::own("b", "staged");
    let is_replaced = || Expr::own("r", "batch").present();
    // The rows of a batch that is replaced are not looked at further.
    let left = || match replaces_sources {
        true => Expr::case(is_replaced(), Expr::Number(0), staged()),
        false => staged(),
    };
    let gone = || Expr::case(is_replaced(), staged(), Expr::Number(0));
    let mut counts = Select::from(&ledger::load_table(), "b").columns([Expr::own("b", "batch")]);
    match judge {
        None => {
            counts = counts.column(left(), "inserted");
            for name in ["updated", "unchanged", "deduplicated"] {
                counts = counts.column(Expr::Number(0), name);
            }
            let superseded = if replaces_sources { gone() } else { Expr::Number(0) };
            counts = counts.column(superseded, "superseded").column(Expr::Number(0), "deleted");
        }
        Some(judge) => {
            let batch = Identifier::own(BATCH_COLUMN);
            let mut winners = judge.winners().columns([Expr::of("s", &batch)]).column(Expr::CountRows, "winners");
            for word in versions::WORDS {
                let one = Expr::case(judge.winner_verdict().equal(Expr::Word(word)), Expr::Number(1), Expr::Number(0));
                winners = winners.column(one.sum(), word);
            }
            winners.group_by = vec![Expr::of("s", &batch)];
            let of = |name| Expr::own("w", name).or_zero();
            for name in ["inserted", "updated", "unchanged"] {
                counts = counts.column(of(name), name);
            }
            counts = counts.column(left().minus(of("winners")), "deduplicated");
            let superseded = if replaces_sources { of("superseded").plus(gone()) } else { of("superseded") };
            counts = counts.column(superseded, "superseded").column(of("deleted"), "deleted");
            let on = Expr::of("w", &batch).equal(Expr::own("b", "batch"));
            counts = counts.join(JoinKind::Left, Source::Selects(vec![winners]), "w", on);
        }
    }
    if replaces_sources {
        let on = Expr::own("r", "batch").equal(Expr::own("b", "batch"));
        counts = counts.join(JoinKind::Left, Source::Table(ledger::replaced_table()), "r", on);
    }
    let table = ledger::table(target);
    let at = |name| Expr::at(&table, &Identifier::own(name));
    Command::Update {
        set: ledger::OUTCOMES.map(|name| (Identifier::own(name), Expr::own("c", name))).to_vec(),
        from: Some((Source::Selects(vec![counts]), Identifier::own("c"))),
        filter: Expr::All(vec![
            at("target").equal(ledger::target_name(target)),
            at("batch").equal(Expr::own("c", "batch")),
        ]),
        table: table.clone(),
    }
}

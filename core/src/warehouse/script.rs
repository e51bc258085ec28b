//! Script: a whole load as statements in order, for a driver that runs them in one transaction and decides nothing.
//!
//! On Redshift the steps are one `BatchExecuteStatement`; elsewhere the driver begins a transaction, runs each step, brings the
//! rows where a step asks for them, and commits. Nothing is decided outside the warehouse between the steps: a guard divides by
//! zero if the load must not happen, and SQL computes and stores the counts.
//!
//! ```text
//! lock the fence -> the load's batches -> guard: none is loaded -> stage the rows -> guard: all came
//! -> rows of replaced sources go -> winners and outcomes -> delete, insert -> counts -> guard: they balance -> ledger rows
//! -> select the counts -> guard: the table has the rows
//! ```

mod beaten;
mod intervals;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Identifier;
use crate::sql::quote::shown_text;
use crate::types::Type;
use crate::warehouse::batch::LoadBatch;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::dialect::Staging;
use crate::warehouse::failure::Cause;
use crate::warehouse::ledger;
use crate::warehouse::ledger::LedgerRow;
use crate::warehouse::manifest::CopySource;
use crate::warehouse::selection::Selection;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::JoinKind;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::TableName;
use crate::warehouse::statement::Statement;
use crate::warehouse::table::BATCH_COLUMN;
use crate::warehouse::table::TableColumn;
use crate::warehouse::table::WriteMode;
use crate::warehouse::target::Target;
use versions::Ranking;
use versions::STAGE;

/// The description of the step that stages rows.
const STAGE_ROWS: &str = "bring the staged rows";
/// Batches in one insert: their text stays far below what a statement may have, and their parameters too.
const BATCHES_AT_ONCE: usize = 500;

/// Something to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run this.
    Run(Statement),
    /// Run this. If the load must not happen, it divides by zero and fails, or (SQLite) selects NULL, which the driver treats
    /// as the same failure; [`Guard::UniqueKey`] selects nothing, and violates a unique constraint. In each case
    /// [`Guard::error`] has the message.
    Guard(Guard, Statement),
    /// Insert the staged rows here.
    Stage(Stage),
    /// Run this; it selects the counts of the load: batch, then staged, inserted, updated, unchanged, deduplicated,
    /// superseded and deleted, and how many rows of it the table has, a row for each batch, in the order of the batches' names.
    /// [`LoadCounts::of_load`](crate::warehouse::LoadCounts::of_load) reads a row.
    Counts(Statement),
}

/// Where staged rows are inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What brings them: Redshift's `COPY … FROM 's3://…'`, which needs nothing more; PostgreSQL's
    /// `COPY … FROM STDIN (FORMAT binary)`; SQLite's `INSERT` of one row of parameters.
    pub sql: String,
    /// The columns that are brought, in order. What comes may have more of them: those of a staged part.
    pub columns: Vec<TableColumn>,
    into: TableName,
    dialect: &'static Dialect,
}

impl Stage {
    /// The statement that inserts so many rows of numbered parameters, one a column.
    pub fn insert(&self, rows: usize) -> String {
        // The names have been checked with the target's.
        let columns = self.columns.iter().map(|column| Identifier::found(&column.name)).collect();
        let insert = Command::Insert { into: self.into.clone(), columns, rows: Rows::Bound(rows) };
        insert.statement(STAGE_ROWS, self.dialect).sql
    }

    /// What bringing them is called, for people.
    pub fn what(&self) -> &'static str {
        STAGE_ROWS
    }

    /// The statement that brings the rows, where it needs nothing more.
    pub fn statement(self) -> Statement {
        Statement::plain(self.sql, STAGE_ROWS)
    }
}

/// Why a load must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// An input of the load is in the ledger already.
    NotLoaded,
    /// The number of rows that came is not that of the batches.
    AllRows,
    /// A run with a later batch time has been loaded (`write: replace`).
    NoLaterRun,
    /// The table has rows of another pipeline, which the run would replace (`write: replace`).
    OwnTable,
    /// Several rows of the table have the same key.
    UniqueKey,
    /// The counts do not balance.
    Balance,
    /// The table lacks rows that the load has inserted.
    Arrived,
}

impl Guard {
    const ALL: [Self; 7] = [
        Self::NotLoaded,
        Self::AllRows,
        Self::NoLaterRun,
        Self::OwnTable,
        Self::UniqueKey,
        Self::Balance,
        Self::Arrived,
    ];

    /// What its statement does, for people.
    pub fn what(self) -> &'static str {
        match self {
            Self::NotLoaded => "check that no input is loaded",
            Self::AllRows => "check that all rows came",
            Self::NoLaterRun => "check that no later run is loaded",
            Self::OwnTable => "check that no other pipeline has loaded the table",
            Self::UniqueKey => "keep the key unique",
            Self::Balance => "check that the counts balance",
            Self::Arrived => "check that the table has the rows",
        }
    }

    /// The guard whose statement does this, if one does.
    pub fn of(what: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guard| guard.what() == what)
    }

    /// What a failure at it means, if only its statement is known.
    pub fn fact(self) -> &'static str {
        match self {
            Self::NotLoaded => "an input of the load is loaded already",
            Self::AllRows => {
                "the rows that came are not as many as the batches say: staged files are missing or changed"
            }
            Self::NoLaterRun => {
                "a run with a later batch time is loaded already, and an earlier one does not replace it; `etalon reload` \
                 makes a run of what is there now"
            }
            Self::OwnTable => "another pipeline has loaded the table, and `write: replace` would delete its rows",
            Self::UniqueKey => "the table holds several rows with one key",
            // Where no index keeps the key unique, this is where several rows with one key are met.
            Self::Balance => {
                "the counts do not balance: the table holds several rows with one key, or Etalon has a bug"
            }
            Self::Arrived => "the table has not the rows that were brought: a trigger or a rule changes what is loaded",
        }
    }

    /// Whether the end of a guard's statement shows that the load must not happen.
    pub fn stops(self, ended: Result<&Selection, Cause>) -> bool {
        match (self, ended) {
            (Self::UniqueKey, ended) => ended.err() == Some(Cause::DuplicateKey),
            (_, Err(cause)) => cause == Cause::DivisionByZero,
            (_, Ok(selection)) => selection.rows().next().and_then(|row| row.first()) != Some("1"),
        }
    }

    /// Selects more about why a load failed at this guard, to be run when the load is undone; [`Guard::error`] reads it.
    pub fn details(self, target: &Target, batches: &[LoadBatch]) -> Option<Statement> {
        match self {
            Self::NotLoaded => {
                let inputs: Vec<&str> = batches.iter().map(|batch| batch.input.as_str()).collect();
                ledger::ledger_of(target, &inputs).into_iter().next()
            }
            Self::UniqueKey => {
                Some(count_repeated_keys(target)?.statement("count the keys of several rows", target.dialect))
            }
            Self::OwnTable => {
                Some(ledger::pipelines(target).statement("list the pipelines that have loaded a table", target.dialect))
            }
            Self::AllRows | Self::NoLaterRun | Self::Balance | Self::Arrived => None,
        }
    }

    /// The error of a load that failed at this guard. `details` is what [`Guard::details`] has selected, if it was asked.
    pub fn error(self, target: &Target, batches: &[LoadBatch], details: Option<&Selection>) -> Error {
        let name = target.name();
        let refused = |message: String| Error::new(ErrorKind::Refused, message);
        match self {
            Self::NotLoaded => {
                let rows = details.into_iter().flat_map(Selection::rows);
                let loaded = rows.filter_map(|row| LedgerRow::read(&row).ok()).find_map(|row| {
                    let is_same =
                        |batch: &&LoadBatch| batch.input == row.batch.input && batch.generation == row.batch.generation;
                    batches.iter().find(is_same)
                });
                let message = match (loaded, batches) {
                    (Some(LoadBatch { source, input, generation, .. }), _)
                    | (None, [LoadBatch { source, input, generation, .. }]) => {
                        format!("`{source}` is loaded into `{name}` already (input {input}, generation {generation})")
                    }
                    _ => format!("one of {} inputs is loaded into `{name}` already", batches.len()),
                };
                Error::new(ErrorKind::AlreadyExists, message)
            }
            Self::AllRows => refused(format!("table `{name}`: {}", self.fact())),
            Self::Arrived => refused(format!("table `{name}` has not the rows that were brought: {}", ledger::DROPPED)),
            // No later attempt is another: somebody decides.
            Self::NoLaterRun => Error::new(ErrorKind::Held, format!("table `{name}`: {}", self.fact())),
            Self::OwnTable => refused(others_rows(target, batches, details)),
            Self::UniqueKey => refused(repeated_keys(target, details)),
            Self::Balance => {
                let cause = match target.unique_key() {
                    Some(_) => repeated_keys(target, None),
                    None => "this is a bug of Etalon".to_owned(),
                };
                refused(format!("the counts of a load into `{name}` do not balance: {cause}"))
            }
        }
    }
}

/// The message that a table has rows of other pipelines, and what to do.
fn others_rows(target: &Target, batches: &[LoadBatch], details: Option<&Selection>) -> String {
    let (name, ledger) = (target.name(), ledger::table(target));
    let own = batches.first().map_or("", |batch| batch.pipeline.as_str());
    let others: Vec<&str> = details.into_iter().flat_map(Selection::rows).filter_map(|row| row.first()).collect();
    let others: Vec<String> =
        others.into_iter().filter(|other| *other != own).map(|other| format!("`{other}`")).collect();
    let (of, renamed) = match others.as_slice() {
        [] => ("another pipeline".to_owned(), "…".to_owned()),
        others => (others.join(", "), others.join(", ").replace('`', "'")),
    };
    format!(
        "table `{name}` holds rows of {of}, and `write: replace` would delete them: load into a table of its own; if this \
         pipeline was renamed, tell the ledger: `update {ledger} set pipeline = {} where \"target\" = {} and pipeline in \
         ({renamed})`",
        shown_text(own),
        shown_text(name)
    )
}

/// The message that a table has several rows with the same key, and what to do. It contains no value of a row.
fn repeated_keys(target: &Target, details: Option<&Selection>) -> String {
    let name = target.name();
    let key = target.unique_key().unwrap_or_default();
    let key = key.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let row = details.and_then(|details| details.rows().next());
    let counts = row.and_then(|row| Some((row.number::<u64>("keys").ok()?, row.number::<u64>("total").ok()?)));
    let counts = counts.map(|(keys, rows)| {
        let s = if keys == 1 { "" } else { "s" };
        format!(": {keys} key{s} in {rows} rows")
    });
    format!(
        "table `{name}` holds several rows with one key ({key}){}; remove all but one row of each that \
         `select {key}, count(*) from {name} group by {key} having count(*) > 1` lists",
        counts.unwrap_or_default()
    )
}

/// Counts the keys that several rows of the target have, and their rows.
fn count_repeated_keys(target: &Target) -> Option<Command> {
    let mut repeated = Select::from(&target.table, "t").column(Expr::CountRows, "repeats");
    repeated.group_by = target.unique_key()?.iter().map(|(name, ty)| Expr::of("t", name).key(*ty)).collect();
    repeated.having = Some(Expr::Number(1).less(Expr::CountRows));
    let counts = Select::from_select(repeated, "r")
        .column(Expr::CountRows, "keys")
        .column(Expr::own("r", "repeats").sum(), "total");
    Some(Command::Select(counts))
}

/// What a load brings, and when.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
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
    /// `Refused` if the load is already known to be wrong.
    pub fn new(target: &Target, load: &Arrival<'_>) -> Result<Self, Error> {
        let mut writer = Writer { target, steps: Vec::new() };
        writer.write(load)?;
        let steps = writer.steps;
        match target.dialect.statements_max {
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
    fn write(&mut self, load: &Arrival<'_>) -> Result<(), Error> {
        let target = self.target;
        let replaces_sources = load.batches.iter().any(LoadBatch::replaces);
        if replaces_sources && !target.lineage {
            return self.refuse(
                "is loaded with `lineage: false`, and without the lineage columns no rows of a source can be replaced",
            );
        }
        let returns = replaces_sources && target.keeps_beaten();
        let ranking = target.versions().map(|versions| Ranking::new(target, versions, returns)).transpose()?;
        let direct = ranking.is_none() && target.dialect.stages_in_target;
        // Where rows have a key of their own, that of a removed row may be in no row afterwards.
        let bares = replaces_sources && !target.write.identity().0.is_empty();

        if target.dialect.has_lock {
            self.run("wait for other loads of the table", Command::Lock(target.fence_table()));
        }
        self.enter(load)?;
        if let WriteMode::Replace { allow_empty } = target.write {
            self.replace_all(load, allow_empty, direct)?;
        }
        let mut noted = false;
        if replaces_sources && direct {
            // The rows of earlier versions go first: a constraint of somebody else may not let both be there.
            noted = self.replace_sources(load.batches, direct, None)?;
        }
        self.stage(load, direct)?;
        if replaces_sources {
            if !direct {
                noted = self.replace_sources(load.batches, direct, ranking.as_ref().filter(|_| bares))?;
            } else {
                // A version that comes late is replaced at once.
                self.run("delete the rows of replaced batches", ledger::delete_replaced(&target.table));
            }
            // Where the table has several rows of a key, which an earlier pipeline file allowed, those that stay are told.
            if let Some(index) = target.create_key_index() {
                self.guard(Guard::UniqueKey, index);
            }
        }
        if target.keeps_deleted() {
            let deleted = target.deleted_table()?;
            // Loads that remember no deletes do not look at those that were remembered before. Those that this load ends have
            // been noted by now.
            let gone = [ledger::of_earlier_runs(target, &deleted), ledger::replaced_since(target, &deleted)];
            let gone = gone.into_iter().map(|batches| Expr::bare(BATCH_COLUMN).among(batches));
            let forget = Command::Delete { from: deleted, using: None, filter: Some(Expr::Any(gone.collect())) };
            self.run("forget deletes of which the loads are replaced", forget);
        }
        match &ranking {
            Some(ranking) => {
                self.all("make room for winners", ranking.create());
                self.all("rank the rows of each key", ranking.rank());
                if matches!(target.write, WriteMode::Replace { .. }) {
                    self.delete_all();
                }
                self.all("put the winners into the table", ranking.settle());
                if returns {
                    let returned = ranking.count_returned(LoadBatch::first_replacing(load.batches));
                    self.run("count the rows that have come back", returned);
                }
                if bares {
                    let bared = ranking.count_bared(LoadBatch::first_replacing(load.batches));
                    self.run("count the keys that are in no row any more", bared);
                }
                if matches!(target.write, WriteMode::Scd2 { .. }) {
                    self.all("set the intervals of versions", ranking.set_intervals(replaces_sources));
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
        if let Some(index) = target.create_key_index().filter(|_| !replaces_sources) {
            // Sorting the keys of a new table once is quicker than finding the place of each.
            self.guard(Guard::UniqueKey, index);
        }
        self.run("count what became of the rows", count(ranking.as_ref(), replaces_sources));
        self.guard(Guard::Balance, ledger::guard_balance());
        if target.lineage {
            self.run("count the rows that the table has", ledger::count_arrived(target));
        }
        let loaded_at = self.instant(load.loaded_at)?;
        self.run("enter the batches into the ledger", ledger::enter(target, loaded_at));
        let counts = ledger::counts().statement("tell the counts", target.dialect);
        self.steps.push(Step::Counts(counts));
        if target.lineage {
            self.guard(Guard::Arrived, ledger::guard_arrived());
        }

        let mut work: Vec<TableName> = ranking.iter().flat_map(Ranking::tables).collect();
        work.extend((!direct).then(|| TableName::work(STAGE)));
        work.extend(replaces_sources.then(ledger::replaced_table));
        work.extend(bares.then(beaten::bared_table));
        work.extend(noted.then(ledger::versions_table));
        work.push(ledger::load_table());
        // Where statements are counted, one takes all tables.
        let at_once = if target.dialect.statements_max.is_some() { work.len() } else { 1 };
        self.all("drop the work tables", work.chunks(at_once).map(|tables| Command::DropTables(tables.to_vec())));
        Ok(())
    }

    fn run(&mut self, what: &'static str, command: Command) {
        self.steps.push(Step::Run(command.statement(what, self.target.dialect)));
    }

    fn all(&mut self, what: &'static str, commands: impl IntoIterator<Item = Command>) {
        for command in commands {
            self.run(what, command);
        }
    }

    fn guard(&mut self, guard: Guard, command: Command) {
        self.steps.push(Step::Guard(guard, command.statement(guard.what(), self.target.dialect)));
    }

    fn refuse<T>(&self, fact: &str) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Refused, format!("table `{}` {fact}", self.target.name())))
    }

    fn instant(&self, micros: i64) -> Result<String, Error> {
        let dialect = self.target.dialect;
        (dialect.instant)(micros).ok_or_else(|| {
            let message = format!("{micros} microseconds since 1970 lie in a year that {} does not take", dialect.name);
            Error::new(ErrorKind::Refused, message)
        })
    }

    /// Brings the load's batches, and checks that none was loaded.
    fn enter(&mut self, load: &Arrival<'_>) -> Result<(), Error> {
        self.run("make room for the load's batches", ledger::create_load());
        let mut values = Values::default();
        for batches in load.batches.chunks(BATCHES_AT_ONCE) {
            let rows = batches.iter().map(|batch| Ok(values.row(batch, &self.instant(batch.batch_time)?)));
            let rows = rows.collect::<Result<Vec<_>, Error>>()?;
            let columns = ledger::BATCH.iter().chain(&ledger::ADDED[..ledger::ADDED_OF_BATCH]);
            let columns = columns.map(|(name, _)| Identifier::own(name)).collect();
            let into = ledger::load_table();
            self.run("bring the load's batches", Command::Insert { into, columns, rows: Rows::Values(rows) });
        }
        self.guard(Guard::NotLoaded, ledger::guard_not_loaded(self.target));
        Ok(())
    }

    /// Checks that a run may take the place of all rows, and empties the table where rows go there at once.
    fn replace_all(&mut self, load: &Arrival<'_>, allow_empty: bool, direct: bool) -> Result<(), Error> {
        if !allow_empty && load.batches.iter().all(|batch| batch.staged == 0) {
            let fact = "would be left empty by a run without rows; say `allow_empty: true` if it may";
            // No later attempt is another: somebody decides.
            return self.refuse(fact).map_err(|refused: Error| Error::new(ErrorKind::Held, refused.to_string()));
        }
        let run_time = load.batches.iter().map(|batch| batch.batch_time).max().unwrap_or(load.loaded_at);
        let run_time = self.instant(run_time)?;
        let guard = ledger::guard_no_later_run(self.target, run_time);
        self.guard(Guard::NoLaterRun, guard);
        if let Some(LoadBatch { batch, pipeline, .. }) = load.batches.first() {
            if !pipeline.is_empty() {
                self.guard(Guard::OwnTable, ledger::guard_own(self.target, pipeline));
            }
            self.run("count the rows that are removed", ledger::note_all_removed(self.target, batch));
        }
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
    fn stage(&mut self, load: &Arrival<'_>, direct: bool) -> Result<(), Error> {
        let target = self.target;
        let (into, columns) = if direct {
            (target.table.clone(), target.declared())
        } else {
            let table = TableName::work(STAGE);
            self.run("make room for the staged rows", create_stage(target, &table));
            (table, target.staged())
        };
        let mut stage = Stage { sql: String::new(), columns, into, dialect: target.dialect };
        let (table, names) = (stage.into.to_string(), names(&stage.columns));
        stage.sql = match target.dialect.staging {
            Staging::Parameters => stage.insert(1),
            Staging::Stream(copy) => copy(&table, &names),
            Staging::Manifest(copy) => match load.copy {
                Some(source) => copy(&table, &names, source)?,
                // COPY fails where a manifest names nothing.
                None if load.batches.iter().all(|batch| batch.staged == 0) => String::new(),
                None => return self.refuse("is loaded from a manifest, and there is none"),
            },
        };
        if !stage.sql.is_empty() {
            self.steps.push(Step::Stage(stage));
        }
        // Whoever binds rows one by one counts them.
        if !matches!(target.dialect.staging, Staging::Parameters) {
            self.guard(Guard::AllRows, guard_all_rows());
        }
        Ok(())
    }

    /// Removes the rows of sources that have a later version, also those of this load. Whether earlier versions were noted.
    fn replace_sources(
        &mut self,
        batches: &[LoadBatch],
        direct: bool,
        keyed: Option<&Ranking<'_>>,
    ) -> Result<bool, Error> {
        let target = self.target;
        let first = LoadBatch::first_replacing(batches);
        let versions: BTreeSet<&str> = batches.iter().flat_map(|batch| &batch.versions).map(String::as_str).collect();
        let versions: Vec<&str> = versions.into_iter().collect();
        let noted =
            batches.first().map(|batch| batch.pipeline.as_str()).filter(|own| !own.is_empty() && !versions.is_empty());
        if noted.is_some() {
            self.all("note the earlier versions of the objects", ledger::note_versions(&versions));
        }
        self.run("make room for replaced batches", ledger::create_replaced());
        self.run("find the batches that a later version replaces", ledger::find_replaced(target, noted));
        // Where all rows are, they have been counted.
        if !matches!(target.write, WriteMode::Replace { .. }) {
            self.run("count the rows that are removed", ledger::note_removed(target, first));
        }
        if let Some(ranking) = keyed {
            self.all("note the keys of the rows that are removed", ranking.note_bared());
        }
        let mut tables = vec![target.table.clone()];
        if target.keeps_deleted() {
            tables.push(target.deleted_table()?);
        }
        if target.keeps_beaten() {
            tables.push(target.beaten_table());
        }
        if !direct {
            tables.push(TableName::work(STAGE));
        }
        self.all("delete the rows of replaced batches", tables.iter().map(ledger::delete_replaced));
        if let Some(ranking) = keyed.filter(|ranking| ranking.returns) {
            self.all("bring back the rows that they have beaten", ranking.return_beaten());
        }
        Ok(noted.is_some())
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
            self.value(&batch.pipeline, Type::Text),
            self.value(&batch.content, Type::Text),
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
    if !target.dialect.row_numbers.is_empty() {
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

/// Notes what became of each batch's rows.
fn count(ranking: Option<&Ranking<'_>>, replaces_sources: bool) -> Command {
    let staged = || Expr::own("b", "staged");
    let is_replaced = || Expr::own("r", "batch").present();
    // The rows of a batch that is replaced are not looked at further.
    let left = || match replaces_sources {
        true => Expr::case(is_replaced(), Expr::Number(0), staged()),
        false => staged(),
    };
    let gone = || Expr::case(is_replaced(), staged(), Expr::Number(0));
    let mut counts = Select::from(&ledger::load_table(), "b").columns([Expr::own("b", "batch")]);
    match ranking {
        None => {
            counts = counts.column(left(), "inserted");
            for name in ["updated", "unchanged", "deduplicated"] {
                counts = counts.column(Expr::Number(0), name);
            }
            let superseded = if replaces_sources { gone() } else { Expr::Number(0) };
            counts = counts.column(superseded, "superseded").column(Expr::Number(0), "deleted");
        }
        Some(ranking) => {
            let batch = Identifier::own(BATCH_COLUMN);
            let mut winners = ranking.winners().columns([Expr::of("s", &batch)]).column(Expr::CountRows, "winners");
            for word in versions::WORDS {
                let one =
                    Expr::case(ranking.winner_outcome().equal(Expr::Word(word)), Expr::Number(1), Expr::Number(0));
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
    let table = ledger::load_table();
    Command::Update {
        set: ledger::OUTCOMES.map(|name| (Identifier::own(name), Expr::own("c", name))).to_vec(),
        from: Some((Source::Selects(vec![counts]), Identifier::own("c"))),
        filter: Expr::at(&table, &Identifier::own("batch")).equal(Expr::own("c", "batch")),
        table,
    }
}

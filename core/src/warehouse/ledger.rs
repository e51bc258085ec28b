//! Ledger: which inputs a warehouse holds, and what became of their rows. It is written in the transaction of the rows.
//!
//! The ledger has one row for each target table and batch; an input that was split has several, all of one load. A load first
//! puts its batches into a work table, refuses an input that is already in the ledger in its generation, and writes the
//! outcomes of the rows into the work table. All tables of a schema share the ledger, so a load changes it only by one INSERT
//! at the end: on Redshift, INSERT shares a table and UPDATE needs it exclusively, and two loads that did both would wait for
//! each other.

use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::batch::LoadBatch;
use crate::warehouse::batch::LoadCounts;
use crate::warehouse::ddl::definitions;
use crate::warehouse::dialect::CatalogQuestion;
use crate::warehouse::selection::Row;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::JoinKind;
use crate::warehouse::sql::Rows;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::sql::TableName;
use crate::warehouse::statement::Parameter;
use crate::warehouse::statement::Statement;
use crate::warehouse::table::BATCH_COLUMN;
use crate::warehouse::table::WRITTEN_WHOLE;
use crate::warehouse::target::Target;

/// The ledger's table.
pub const LEDGER_TABLE: &str = "_etalon_ledger";
/// The work table of a load's batches.
const LOAD_TABLE: &str = "_etalon_load";
/// The work table of the batches whose rows a later version of their source has replaced.
const REPLACED_TABLE: &str = "_etalon_replaced";
/// The work table of the earlier versions of the load's objects.
const VERSIONS_TABLE: &str = "_etalon_versions";

/// Inputs in one question: its text stays far below what a statement may have.
const INPUTS_AT_ONCE: usize = 1000;

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// What was loaded.
    pub batch: LoadBatch,
    /// What became of its rows. They balance, a batch each.
    pub counts: LoadCounts,
    /// Whether [`LoadCounts::removed`] was counted: an older Etalon did not, and it is 0.
    pub counts_removed: bool,
    /// Whether the rows that lost in its load are kept, so that they come back when the winning rows are removed.
    pub keeps_beaten: bool,
    /// Keys of the rows that the load has removed, and of deletes that it has ended, which no row had after it: counted at one batch
    /// of a load. 0 where an older Etalon did not count them.
    pub bared: u64,
    /// How rows were written, in the words of [`Table::written`](crate::warehouse::Table::written); empty where an older Etalon did
    /// not say it.
    pub written: String,
    /// When it was loaded, in microseconds since 1970, UTC; the caller's clock.
    pub loaded_at: i64,
}

impl LedgerRow {
    /// Reads a row of what [`ledger`] or [`ledger_of`] selects.
    ///
    /// `Refused`, with the column, if somebody has written something else there.
    pub fn read(row: &Row<'_>) -> Result<Self, Error> {
        let read = || {
            let text = |column| row.text(column).map(str::to_owned);
            let counts = LoadCounts::read(row)?;
            let source_version = text("source_version")?;
            Ok(Self {
                batch: LoadBatch {
                    input: text("input")?,
                    batch: text("batch")?,
                    generation: row.number("generation")?,
                    source: text("source")?,
                    // An older Etalon did not keep it.
                    content: row.optional("content")?.map_or_else(|| source_version.clone(), str::to_owned),
                    source_version,
                    pipeline: row.optional("pipeline")?.unwrap_or_default().to_owned(),
                    fingerprint: text("fingerprint")?,
                    batch_time: row.instant("batch_time")?,
                    staged: counts.staged,
                    replaces_source: row.boolean("replaces_source")?,
                    replaces_generations: row.boolean("replaces_generations")?,
                    versions: Vec::new(),
                },
                counts,
                counts_removed: row.optional("removed")?.is_some(),
                keeps_beaten: row.optional("keeps_beaten")?.is_some() && row.boolean("keeps_beaten")?,
                bared: if row.optional("bared")?.is_some() { row.number("bared")? } else { 0 },
                written: row.optional("written")?.unwrap_or_default().to_owned(),
                loaded_at: row.instant("loaded_at")?,
            })
        };
        read().map_err(|error: Error| {
            Error::new(error.kind(), format!("a row of `{LEDGER_TABLE}` is not as Etalon writes it: {error}"))
        })
    }
}

impl LoadCounts {
    /// Reads a row of what [`Step::Counts`](crate::warehouse::Step::Counts) selects, or of the ledger.
    pub fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            staged: row.number("staged")?,
            inserted: row.number("inserted")?,
            updated: row.number("updated")?,
            unchanged: row.number("unchanged")?,
            deduplicated: row.number("deduplicated")?,
            superseded: row.number("superseded")?,
            deleted: row.number("deleted")?,
            removed: match row.optional("removed")? {
                Some(_) => row.number("removed")?,
                // An older Etalon did not count them.
                None => 0,
            },
        })
    }

    /// Reads a row of what [`Step::Counts`](crate::warehouse::Step::Counts) selects.
    ///
    /// `Refused` if the table lacks rows that the load has inserted.
    pub fn of_load(row: &Row<'_>, target: &Target) -> Result<Self, Error> {
        let counts = Self::read(row)?;
        // What is equal to the row that is there takes its place, too.
        let brought = counts.inserted + counts.updated + counts.unchanged;
        if row.optional(ARRIVED)?.is_none() {
            return Ok(counts);
        }
        let there: u64 = row.number(ARRIVED)?;
        if there == brought {
            return Ok(counts);
        }
        let message = format!(
            "table `{}` has {there} rows of batch {}, which has brought {brought}: {DROPPED}",
            target.name(),
            row.text("batch")?
        );
        Err(Error::new(ErrorKind::Refused, message))
    }
}

/// The columns of a batch, in order, and their types.
pub(crate) const BATCH: [(&str, Type); 10] = [
    ("input", Type::Varchar(128)),
    ("generation", Type::Bigint),
    ("batch", Type::Varchar(256)),
    ("source", Type::Varchar(4096)),
    ("source_version", Type::Varchar(1024)),
    ("fingerprint", Type::Varchar(128)),
    ("batch_time", Type::Timestamptz),
    ("replaces_source", Type::Boolean),
    ("replaces_generations", Type::Boolean),
    ("staged", Type::Bigint),
];

/// The outcomes of staged rows, which sum up to them.
pub(crate) const OUTCOMES: [&str; 6] = ["inserted", "updated", "unchanged", "deduplicated", "superseded", "deleted"];

/// What a ledger of an older Etalon lacks: it is added, and the rows that are there do not say it.
pub(crate) const ADDED: [(&str, Type); 6] = [
    ("pipeline", Type::Varchar(256)),
    ("content", Type::Varchar(1024)),
    ("removed", Type::Bigint),
    ("keeps_beaten", Type::Boolean),
    ("bared", Type::Bigint),
    ("written", Type::Varchar(1024)),
];
/// Those of them that a batch brings; the others tell of its load.
pub(crate) const ADDED_OF_BATCH: usize = 2;

/// How many rows of a batch the table has when the load has brought them, in the work table; NULL where they are not counted.
const ARRIVED: &str = "arrived";
/// The column of [`count_by_batch`] that counts.
pub(crate) const ROWS: &str = "rows_there";
/// What it means that they are not as many as were brought.
pub(crate) const DROPPED: &str =
    "a trigger or a rule changes what is loaded; remove it, or load into a table of its own that feeds the other";

/// The ledger of a target.
pub(crate) fn table(target: &Target) -> TableName {
    target.own_table(LEDGER_TABLE)
}

/// The work table of a load's batches.
pub(crate) fn load_table() -> TableName {
    TableName::work(LOAD_TABLE)
}

/// The work table of the earlier versions of the load's objects.
pub(crate) fn versions_table() -> TableName {
    TableName::work(VERSIONS_TABLE)
}

/// The work table of replaced batches.
pub(crate) fn replaced_table() -> TableName {
    TableName::work(REPLACED_TABLE)
}

/// The target's name, as all statements of a load have it.
pub(crate) fn target_name(target: &Target) -> Expr {
    Expr::Parameter { name: "target".to_owned(), value: target.name().to_owned(), ty: Type::Varchar(256) }
}

/// That a ledger row under an alias belongs to the target.
pub(crate) fn of_target(target: &Target, alias: &'static str) -> Expr {
    Expr::own(alias, "target").equal(target_name(target))
}

/// That a ledger row under an alias is the one of a batch.
pub(crate) fn row_of(target: &Target, alias: &'static str, batch: Expr) -> Expr {
    Expr::All(vec![of_target(target, alias), Expr::own(alias, "batch").equal(batch)])
}

/// Creates the ledger, unless it is there.
pub(crate) fn create(target: &Target) -> Command {
    let outcomes = OUTCOMES.map(|name| (name, Type::Bigint));
    let columns = [("target", Type::Varchar(256))].into_iter().chain(BATCH);
    let columns: Vec<(&'static str, Type)> =
        columns.chain([("loaded_at", Type::Timestamptz)]).chain(outcomes).collect();
    Command::CreateTable(CreateTable {
        if_absent: true,
        primary_key: ["target", "batch"].map(Identifier::own).to_vec(),
        // They are there as indexes: a load asks for its inputs, and for the batches of its sources.
        unique: vec![
            ["target", "input", "generation", "batch"].map(Identifier::own).to_vec(),
            ["target", "source", "batch"].map(Identifier::own).to_vec(),
        ],
        ..CreateTable::new(table(target), [definitions(&columns, true), definitions(&ADDED, false)].concat())
    })
}

/// Selects the names of the columns that the ledger has; nothing where there is no ledger.
pub fn ask_columns(target: &Target) -> Statement {
    let CatalogQuestion { sql, is_by_schema } = target.dialect.columns;
    let schema = target.table.schema.as_ref().map(Identifier::as_str).unwrap_or_default();
    let values = is_by_schema.then_some(("schema", schema)).into_iter().chain([("ledger", LEDGER_TABLE)]);
    let parameters = values.map(|(name, value)| Parameter { name: name.to_owned(), value: value.to_owned() });
    // Parameters of one name have one value in all questions that are asked at once.
    let sql = sql.replace(":table", ":ledger");
    Statement { sql, parameters: parameters.collect(), what: "ask for the ledger's columns" }
}

/// Adds to a ledger of these columns what one of an older Etalon lacks.
///
/// `Refused` where it is of a newer one.
pub fn migrate(target: &Target, present: &[String]) -> Result<Vec<Statement>, Error> {
    let known = ["target", "loaded_at"].into_iter().chain(BATCH.map(|(name, _)| name)).chain(OUTCOMES);
    let known: Vec<&str> = known.chain(ADDED.map(|(name, _)| name)).collect();
    if let Some(newer) = present.iter().find(|name| !known.contains(&name.as_str())) {
        let message = format!(
            "`{LEDGER_TABLE}` was written by a newer Etalon: it has the column `{newer}`; load with that Etalon"
        );
        return Err(Error::new(ErrorKind::Refused, message));
    }
    // It is created whole where it is not there.
    let lacks = |name: &str| !present.is_empty() && !present.iter().any(|there| there == name);
    let lacking = ADDED.into_iter().filter(|(name, _)| lacks(name)).flat_map(|column| definitions(&[column], false));
    let add =
        |column| Command::AddColumn(table(target), column).statement("add a column to the ledger", target.dialect);
    Ok(lacking.map(add).collect())
}

/// Creates the work table of a load's batches, with outcomes to come.
pub(crate) fn create_load() -> Command {
    let outcomes = OUTCOMES.map(|name| (name, Type::Bigint));
    let arrived = definitions(&[(ARRIVED, Type::Bigint)], false);
    let columns =
        [definitions(&BATCH, true), definitions(&ADDED, false), definitions(&outcomes, false), arrived].concat();
    Command::CreateTable(CreateTable {
        temporary: true,
        primary_key: vec![Identifier::own("batch")],
        ..CreateTable::new(load_table(), columns)
    })
}

/// Selects 1 where no input of the load is in the ledger in its generation.
pub(crate) fn guard_not_loaded(target: &Target) -> Command {
    let same = ["input", "generation"].map(|name| Expr::own("b", name).equal(Expr::own("l", name)));
    let loaded = Select::from(&table(target), "l")
        .column(Expr::no_rows(), "guard")
        .join(JoinKind::Inner, Source::Table(load_table()), "b", Expr::All(same.to_vec()))
        .filter(of_target(target, "l"));
    Command::Select(loaded)
}

/// Selects 1 where the ledger has no run with a later batch time.
pub(crate) fn guard_no_later_run(target: &Target, batch_time: String) -> Command {
    let run = Expr::Parameter { name: "run_time".to_owned(), value: batch_time, ty: Type::Timestamptz };
    let later = Expr::All(vec![of_target(target, "l"), run.less(Expr::own("l", "batch_time"))]);
    Command::Select(Select::from(&table(target), "l").column(Expr::no_rows(), "guard").filter(later))
}

/// Selects 1 where the ledger has no rows of other pipelines. Rows of an older ledger do not say whose they are.
pub(crate) fn guard_own(target: &Target, pipeline: &str) -> Command {
    let others = Expr::own("l", "pipeline").differs(own_pipeline(pipeline));
    let filter = Expr::All(vec![of_target(target, "l"), others]);
    Command::Select(Select::from(&table(target), "l").column(Expr::no_rows(), "guard").filter(filter))
}

/// Selects the names of the pipelines that the ledger has rows of.
pub(crate) fn pipelines(target: &Target) -> Command {
    let pipeline = Expr::own("l", "pipeline");
    let named = Expr::All(vec![of_target(target, "l"), pipeline.clone().present()]);
    let mut select = Select::from(&table(target), "l").columns([pipeline.clone()]).filter(named);
    select.group_by = vec![pipeline.clone()];
    select.order_by = vec![pipeline.bytes()];
    Command::Select(select)
}

fn own_pipeline(pipeline: &str) -> Expr {
    Expr::Parameter { name: "pipeline".to_owned(), value: pipeline.to_owned(), ty: Type::Varchar(256) }
}

/// Notes, at one batch of a load that takes the place of all rows, how many rows there are.
pub(crate) fn note_all_removed(target: &Target, batch: &str) -> Command {
    note("removed", Select::from(&target.table, "t").column(Expr::CountRows, "removed"), batch)
}

/// Notes, at one batch of the load, how many keys of removed rows are in no row any more.
pub(crate) fn note_bared(count: Select, batch: &str) -> Command {
    note("bared", count, batch)
}

/// Takes rows that have come back from those that are told as removed, at one batch of the load.
pub(crate) fn note_returned(returned: Select, batch: &str) -> Command {
    let load = load_table();
    let removed = || Expr::at(&load, &Identifier::own("removed")).or_zero();
    let returned_rows = || Expr::own("c", "returned");
    // Where a delete has gone, a row comes back though none was removed.
    let is_more = removed().less(returned_rows());
    let left = Expr::case(is_more, Expr::Number(0), removed().minus(returned_rows()));
    Command::Update {
        set: vec![(Identifier::own("removed"), left)],
        from: Some((Source::Selects(vec![returned]), Identifier::own("c"))),
        filter: Expr::at(&load, &Identifier::own("batch")).equal(first_batch(batch)),
        table: load,
    }
}

/// Notes a count in a column at one batch of the load.
fn note(column: &'static str, count: Select, batch: &str) -> Command {
    let load = load_table();
    Command::Update {
        set: vec![(Identifier::own(column), Expr::own("c", column))],
        from: Some((Source::Selects(vec![count]), Identifier::own("c"))),
        filter: Expr::at(&load, &Identifier::own("batch")).equal(first_batch(batch)),
        table: load,
    }
}

fn first_batch(batch: &str) -> Expr {
    Expr::Parameter { name: "first_batch".to_owned(), value: batch.to_owned(), ty: Type::Varchar(256) }
}

/// Writes the load's batches into the ledger, with their outcomes.
pub(crate) fn enter(target: &Target, loaded_at: String) -> Command {
    let loaded_at = Expr::Parameter { name: "loaded_at".to_owned(), value: loaded_at, ty: Type::Timestamptz };
    let written =
        Expr::Parameter { name: "written".to_owned(), value: target.written.clone(), ty: Type::Varchar(1024) };
    let names = ["target"].into_iter().chain(BATCH.map(|(name, _)| name)).chain(["loaded_at"]).chain(OUTCOMES);
    let names = names.chain(ADDED.map(|(name, _)| name));
    let values = [target_name(target)]
        .into_iter()
        .chain(BATCH.map(|(name, _)| Expr::own("b", name)))
        .chain([loaded_at])
        .chain(OUTCOMES.map(|name| Expr::own("b", name)))
        .chain(ADDED[..ADDED_OF_BATCH].iter().map(|(name, _)| Expr::own("b", name)))
        .chain([Expr::own("b", "removed").or_zero(), Expr::Boolean(target.keeps_beaten())])
        .chain([Expr::own("b", "bared").or_zero(), written]);
    Command::Insert {
        into: table(target),
        columns: names.map(Identifier::own).collect(),
        rows: Rows::Select(Box::new(Select::from(&load_table(), "b").columns(values))),
    }
}

/// Creates the work table of replaced batches.
pub(crate) fn create_replaced() -> Command {
    Command::CreateTable(CreateTable {
        temporary: true,
        ..CreateTable::new(replaced_table(), definitions(&[("batch", Type::Varchar(256))], true))
    })
}

/// Creates the work table of the earlier versions of the load's objects, and fills it.
pub(crate) fn note_versions(inputs: &[&str]) -> Vec<Command> {
    let column = ("input", Type::Varchar(128));
    let create = Command::CreateTable(CreateTable {
        temporary: true,
        ..CreateTable::new(versions_table(), definitions(&[column], true))
    });
    // Parameters of one name have one value in a load.
    let row = |(number, input): (usize, &&str)| {
        vec![Expr::Parameter { name: format!("c{number}"), value: (*input).to_owned(), ty: column.1 }]
    };
    let rows: Vec<Vec<Expr>> = inputs.iter().enumerate().map(row).collect();
    let insert = |rows: &[Vec<Expr>]| Command::Insert {
        into: versions_table(),
        columns: vec![Identifier::own(column.0)],
        rows: Rows::Values(rows.to_vec()),
    };
    [create].into_iter().chain(rows.chunks(INPUTS_AT_ONCE).map(insert)).collect()
}

/// That an input is one of some; the parameters' names begin so.
fn any_of(input: &Expr, prefix: &str, inputs: &[&str]) -> Expr {
    let is = |(number, one): (usize, &&str)| {
        let one =
            Expr::Parameter { name: format!("{prefix}{number}"), value: (*one).to_owned(), ty: Type::Varchar(128) };
        input.clone().equal(one)
    };
    Expr::Any(inputs.iter().enumerate().map(is).collect())
}

/// Finds the batches of which others have taken the place: a later version of the same source, loaded with
/// `on_overwrite: replace`, or a later generation of the same input, loaded by a backfill.
///
/// Later is the greater batch time, then the greater version: one order for every order of arrival, so that an old version
/// that arrives late is replaced at once. Only the sources of this load are looked at: the others were, when they came.
///
/// Rows of an older ledger do not say whose they are. Those of the earlier versions, where these were noted, are the pipeline's.
pub(crate) fn find_replaced(target: &Target, noted: Option<&str>) -> Command {
    let of_load = Select::from(&load_table(), "b").columns([Expr::own("b", "source")]);
    Command::Insert {
        into: replaced_table(),
        columns: vec![Identifier::own("batch")],
        rows: Rows::Select(Box::new(replaced(target, &of_load, noted))),
    }
}

/// Selects the batches that rows of a table came with, of which others have taken the place: loads that do not keep what is beaten
/// do not look at what was kept before.
pub(crate) fn replaced_since(target: &Target, kept: &TableName) -> Select {
    let kept = Select::from(kept, "q").columns([Expr::of("q", &Identifier::own(BATCH_COLUMN))]);
    let of_kept = Expr::All(vec![of_target(target, "a"), Expr::own("a", "batch").among(kept)]);
    replaced(target, &Select::from(&table(target), "a").columns([Expr::own("a", "source")]).filter(of_kept), None)
}

/// Selects the batches that rows of a table beside the target came with, and that a later run has replaced with the whole target: a
/// run does not look at what is kept beside.
pub(crate) fn of_earlier_runs(target: &Target, kept: &TableName) -> Select {
    let batches = Select::from(kept, "q").columns([Expr::of("q", &Identifier::own(BATCH_COLUMN))]);
    let is_run = Expr::own("n", "written").equal(Expr::Word(WRITTEN_WHOLE));
    let later =
        Expr::All(vec![of_target(target, "n"), is_run, Expr::own("a", "loaded_at").less(Expr::own("n", "loaded_at"))]);
    let mut select = Select::from(&table(target), "a")
        .columns([Expr::own("a", "batch")])
        .join(JoinKind::Inner, Source::Table(table(target)), "n", later)
        .filter(Expr::All(vec![of_target(target, "a"), Expr::own("a", "batch").among(batches)]));
    select.group_by = vec![Expr::own("a", "batch")];
    select
}

/// Whether a row of the ledger tells of a later version of an object than another row, and takes its place.
pub(crate) fn is_later_version(new: &'static str, old: &'static str) -> Expr {
    let (new, old) = (|name| Expr::own(new, name), |name| Expr::own(old, name));
    let version = |version: Expr| version.bytes();
    let later = Expr::Any(vec![
        old("batch_time").less(new("batch_time")),
        Expr::All(vec![
            old("batch_time").equal(new("batch_time")),
            version(old("source_version")).less(version(new("source_version"))),
        ]),
    ]);
    // Another pipeline may bring an object of the same name.
    let same_pipeline = old("pipeline").equal(new("pipeline"));
    Expr::All(vec![new("replaces_source"), same_pipeline, new("input").differs(old("input")), later])
}

/// Selects the batches of some sources of which others have taken the place.
fn replaced(target: &Target, sources: &Select, noted: Option<&str>) -> Select {
    let same_source = Expr::All(vec![
        // Where trailing blanks do not count, two objects may differ in them alone.
        Expr::own("n", "source").equal(Expr::own("o", "source")),
        Expr::Call("octet_length", vec![Expr::own("n", "source")])
            .equal(Expr::Call("octet_length", vec![Expr::own("o", "source")])),
    ]);
    let (new, old) = (|name| Expr::own("n", name), |name| Expr::own("o", name));
    let another = is_later_version("n", "o");
    // An input is of one pipeline.
    let again = Expr::All(vec![
        new("replaces_generations"),
        new("input").equal(old("input")),
        old("generation").less(new("generation")),
    ]);
    let of_sources = || of_sources(target, sources, noted);
    let mut found = Select { from: Some((of_sources(), Identifier::own("o"))), ..Select::default() };
    found = found
        .columns([old("batch")])
        .join(JoinKind::Inner, of_sources(), "n", same_source)
        .filter(Expr::Any(vec![another, again]));
    found.group_by = vec![old("batch")];
    found
}

/// The batches of some sources in the ledger, and those of the load.
fn of_sources(target: &Target, sources: &Select, noted: Option<&str>) -> Source {
    let names = [
        "input",
        "generation",
        "batch",
        "source",
        "source_version",
        "batch_time",
        "replaces_source",
        "replaces_generations",
    ];
    let of = |alias: &'static str| names.map(|name| Expr::own(alias, name));
    let mut pipeline = Expr::own("l", "pipeline");
    if let Some(noted) = noted {
        let versions = Select::from(&versions_table(), "v").columns([Expr::own("v", "input")]);
        let is_noted = Expr::All(vec![pipeline.clone().absent(), Expr::own("l", "input").among(versions)]);
        pipeline = Expr::case(is_noted, own_pipeline(noted), pipeline);
    }
    let earlier = Expr::All(vec![of_target(target, "l"), Expr::own("l", "source").among(sources.clone())]);
    Source::Selects(vec![
        Select::from(&table(target), "l").columns(of("l")).column(pipeline, "pipeline").filter(earlier),
        Select::from(&load_table(), "b").columns(of("b")).columns([Expr::own("b", "pipeline")]),
    ])
}

/// Notes, at one batch of the load, how many rows of earlier loads are about to be removed.
pub(crate) fn note_removed(target: &Target, batch: &str) -> Command {
    let name = Identifier::own(BATCH_COLUMN);
    let own = Expr::own("b", "batch").equal(Expr::own("r", "batch"));
    let count = Select::from(&target.table, "t")
        .column(Expr::CountRows, "removed")
        .join(
            JoinKind::Inner,
            Source::Table(replaced_table()),
            "r",
            Expr::own("r", "batch").equal(Expr::of("t", &name)),
        )
        .join(JoinKind::Left, Source::Table(load_table()), "b", own)
        .filter(Expr::own("b", "batch").absent());
    note("removed", count, batch)
}

/// Deletes the rows that came with replaced batches.
pub(crate) fn delete_replaced(from: &TableName) -> Command {
    let replaced = Select::from(&replaced_table(), "r").columns([Expr::own("r", "batch")]);
    Command::Delete { from: from.clone(), using: None, filter: Some(Expr::bare(BATCH_COLUMN).among(replaced)) }
}

/// Selects 1 where the outcomes of every batch of the load sum up to its staged rows.
pub(crate) fn guard_balance() -> Command {
    let of = |name| Expr::own("b", name);
    let sum = OUTCOMES.map(of).into_iter().reduce(Expr::plus).unwrap_or(Expr::Number(0));
    let wrong = Expr::Any(vec![
        // One that was not counted at all.
        of("inserted").absent(),
        of("staged").differs(sum),
        of("deduplicated").less(Expr::Number(0)),
    ]);
    Command::Select(Select::from(&load_table(), "b").column(Expr::no_rows(), "guard").filter(wrong))
}

/// Notes how many rows of each batch the table has, where something may have kept some out of it.
pub(crate) fn count_arrived(target: &Target) -> Command {
    let (load, name) = (load_table(), Identifier::own(BATCH_COLUMN));
    let where_counted = |conditions: Vec<Expr>| {
        let counted = target.dialect.drops_rows.map(Expr::Condition);
        Expr::All(conditions.into_iter().chain(counted).collect())
    };
    let own = Select::from(&load, "b").columns([Expr::own("b", "batch")]);
    let mut there = Select::from(&target.table, "t").columns([Expr::of("t", &name)]).column(Expr::CountRows, ARRIVED);
    there = there.filter(where_counted(vec![Expr::of("t", &name).among(own)]));
    there.group_by = vec![Expr::of("t", &name)];
    let on = Expr::of("t", &name).equal(Expr::own("b", "batch"));
    let counts = Select::from(&load, "b")
        .columns([Expr::own("b", "batch")])
        .column(Expr::own("t", ARRIVED).or_zero(), ARRIVED)
        .join(JoinKind::Left, Source::Selects(vec![there]), "t", on);
    let this = Expr::at(&load, &Identifier::own("batch")).equal(Expr::own("c", "batch"));
    Command::Update {
        set: vec![(Identifier::own(ARRIVED), Expr::own("c", ARRIVED))],
        from: Some((Source::Selects(vec![counts]), Identifier::own("c"))),
        filter: where_counted(vec![this]),
        table: load,
    }
}

/// Selects 1 where the table has all rows of every batch that were counted.
pub(crate) fn guard_arrived() -> Command {
    let of = |name| Expr::own("b", name);
    let brought = of("inserted").plus(of("updated")).plus(of("unchanged"));
    let wrong = Expr::All(vec![of(ARRIVED).present(), of(ARRIVED).differs(brought)]);
    Command::Select(Select::from(&load_table(), "b").column(Expr::no_rows(), "guard").filter(wrong))
}

/// Selects the counts of the load.
pub(crate) fn counts() -> Command {
    let names = ["batch", "staged"].into_iter().chain(OUTCOMES);
    let mut select = Select::from(&load_table(), "b").columns(names.map(|name| Expr::own("b", name)));
    select = select.column(Expr::own("b", "removed").or_zero(), "removed").columns([Expr::own("b", ARRIVED)]);
    select.order_by = vec![Expr::own("b", "batch").bytes()];
    Command::Select(select)
}

/// Selects something where the target has any row; it fails as one of a missing table where there is none, and where the
/// table is not one that Etalon has made.
pub fn any_row(target: &Target) -> Statement {
    let column = if target.lineage { Identifier::own(BATCH_COLUMN).to_string() } else { "1 AS one".to_owned() };
    Statement {
        sql: format!("SELECT {column} FROM {} LIMIT 1", target.table),
        parameters: Vec::new(),
        what: "ask whether the table has rows",
    }
}

/// Forgets all loads of a target, so that everything is loaded again: for a table that is gone.
pub fn forget(target: &Target) -> Statement {
    let of_target = Expr::bare("target").equal(target_name(target));
    let delete = Command::Delete { from: table(target), using: None, filter: Some(of_target) };
    delete.statement("forget the loads of a table that is gone", target.dialect)
}

/// Selects the ledger rows of a target in the order of loading.
///
/// [`LedgerRow::read`] reads them.
pub fn ledger(target: &Target) -> Statement {
    let select = rows(target).filter(of_target(target, "l"));
    Command::Select(select).statement("list what was loaded", target.dialect)
}

/// Selects the ledger rows of inputs, in all their generations, as [`ledger`] does; several statements where there are many.
pub fn ledger_of(target: &Target, inputs: &[&str]) -> Vec<Statement> {
    let of = |inputs: &[&str]| {
        let any = any_of(&Expr::own("l", "input"), "v", inputs);
        let select = rows(target).filter(Expr::All(vec![of_target(target, "l"), any]));
        Command::Select(select).statement("list what was loaded of some inputs", target.dialect)
    };
    inputs.chunks(INPUTS_AT_ONCE).map(of).collect()
}

/// Selects the ledger rows of the objects that have, or had, the contents of one of these batches, as [`ledger`] does, whichever
/// pipeline has loaded them.
pub fn ledger_akin(target: &Target, batches: &[LoadBatch]) -> Vec<Statement> {
    let digests: Vec<&str> = batches.iter().flat_map(LoadBatch::digests).collect();
    let of = |digests: &[&str]| {
        // A row without its content is not found by it.
        let is = |column: &'static str, prefix| any_of(&Expr::own("s", column), prefix, digests);
        let is_equal = Expr::Any(vec![is("content", "v"), is("source_version", "w")]);
        let alike = Expr::All(vec![of_target(target, "s"), is_equal]);
        let sources = Select::from(&table(target), "s").columns([Expr::own("s", "source")]).filter(alike);
        let akin = Expr::All(vec![of_target(target, "l"), Expr::own("l", "source").among(sources)]);
        Command::Select(rows(target).filter(akin)).statement("list what was loaded of equal contents", target.dialect)
    };
    // Each is asked for in two columns.
    digests.chunks(INPUTS_AT_ONCE / 2).map(of).collect()
}

/// Selects those of some batches of which the target has rows.
pub fn brought(target: &Target, batches: &[&str]) -> Vec<Statement> {
    let name = Expr::of("t", &Identifier::own(BATCH_COLUMN));
    let of = |batches: &[&str]| {
        let mut select = Select::from(&target.table, "t").columns([name.clone()]).filter(any_of(&name, "b", batches));
        select.group_by = vec![name.clone()];
        Command::Select(select).statement("ask of which batches the table has rows", target.dialect)
    };
    batches.chunks(INPUTS_AT_ONCE).map(of).collect()
}

/// Selects how many rows of each batch the target has, as `rows`.
pub fn count_by_batch(target: &Target) -> Statement {
    let name = Expr::of("t", &Identifier::own(BATCH_COLUMN));
    let mut select = Select::from(&target.table, "t").columns([name.clone()]).column(Expr::CountRows, ROWS);
    select.group_by = vec![name];
    Command::Select(select).statement("count the rows of each batch", target.dialect)
}

/// All ledger rows, of whichever target.
fn rows(target: &Target) -> Select {
    let columns = BATCH.into_iter().chain([("loaded_at", Type::Timestamptz)]);
    let columns = columns.chain(OUTCOMES.map(|name| (name, Type::Bigint))).chain(ADDED);
    let mut select = columns.fold(Select::from(&table(target), "l"), |select, (name, ty)| match ty {
        Type::Timestamptz => select.column(Expr::InstantText(Box::new(Expr::own("l", name))), name),
        _ => select.columns([Expr::own("l", name)]),
    });
    select.order_by =
        ["loaded_at", "batch_time", "source", "input", "generation"].map(|name| Expr::own("l", name)).to_vec();
    select
}

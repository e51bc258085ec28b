//! Presence: a few numbers of a table and its ledger, which show whether somebody has changed one of them by hand.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::error::Error;
use crate::types::Type;
use crate::warehouse::batch::LoadCounts;
use crate::warehouse::ledger;
use crate::warehouse::ledger::LedgerRow;
use crate::warehouse::selection::Row;
use crate::warehouse::selection::Selection;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::JoinKind;
use crate::warehouse::sql::Select;
use crate::warehouse::sql::Source;
use crate::warehouse::standing::standing;
use crate::warehouse::statement::Statement;
use crate::warehouse::table::BATCH_COLUMN;
use crate::warehouse::table::Table;
use crate::warehouse::table::WRITTEN_WHOLE;
use crate::warehouse::table::WriteMode;
use crate::warehouse::target::Target;

/// What the ledger has of a table, and whether the table has rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    /// Whether the table has rows; `None` if there is no table.
    pub has_rows: Option<bool>,
    /// Rows of the ledger.
    pub loads: u64,
    /// Rows that were inserted, and those that were removed.
    pub inserted: u64,
    /// Rows that loads have removed.
    pub removed: u64,
    /// Rows of the ledger that do not say how many rows were removed: a delete whose key may not have been in the table, or a
    /// row of an older Etalon.
    pub uncertain: u64,
    /// Rows that the last load has inserted.
    pub inserted_last: u64,
}

impl Presence {
    /// What some ledger rows tell.
    pub fn of(rows: &[LedgerRow], has_rows: Option<bool>) -> Self {
        let sum = |of: fn(&LoadCounts) -> u64| rows.iter().map(|row| of(&row.counts)).sum::<u64>();
        let last = rows.iter().map(|row| row.loaded_at).max();
        let is_uncertain = |row: &&LedgerRow| row.counts.deleted > 0 || (row.batch.replaces() && !row.counts_removed);
        Self {
            has_rows,
            loads: rows.len() as u64,
            inserted: sum(|counts| counts.inserted),
            removed: sum(|counts| counts.removed),
            uncertain: rows.iter().filter(is_uncertain).count() as u64,
            inserted_last: rows.iter().filter(|row| Some(row.loaded_at) == last).map(|row| row.counts.inserted).sum(),
        }
    }

    /// Reads what [`presence`] selects.
    pub fn read(row: &Row<'_>, has_rows: Option<bool>) -> Result<Self, Error> {
        Ok(Self {
            has_rows,
            loads: row.number("loads")?,
            inserted: row.number("inserted")?,
            removed: row.number("removed")?,
            uncertain: row.number("uncertain")?,
            inserted_last: row.number("inserted_last")?,
        })
    }

    /// Whether the table has rows, and the ledger knows no load.
    pub fn is_unknown(&self) -> bool {
        self.loads == 0 && self.has_rows == Some(true)
    }

    /// Says how a table that has rows according to its ledger has none: it is gone, or empty.
    pub fn lost(&self, whole_runs: bool) -> Option<&'static str> {
        let must_have_rows = match whole_runs {
            true => self.inserted_last > 0,
            false => self.uncertain == 0 && self.inserted > self.removed,
        };
        match self.has_rows {
            _ if self.loads == 0 => None,
            None => Some("gone"),
            Some(false) if must_have_rows => Some("empty"),
            Some(_) => None,
        }
    }
}

/// Selects the numbers of a target's [`Presence`], but for whether it has rows.
pub fn presence(target: &Target) -> Statement {
    let of = |name| Expr::own("l", name);
    let one_where = |condition| Expr::case(condition, Expr::Number(1), Expr::Number(0)).sum().or_zero();
    let last =
        Select::from(&ledger::table(target), "m").column(Expr::Call("max", vec![Expr::own("m", "loaded_at")]), "last");
    let last = Expr::Scalar(Box::new(last.filter(ledger::of_target(target, "m"))));
    let replaces = Expr::Any(vec![of("replaces_source"), of("replaces_generations")]);
    let is_uncertain =
        Expr::Any(vec![Expr::Number(0).less(of("deleted")), Expr::All(vec![replaces, of("removed").absent()])]);
    let is_last = Expr::case(of("loaded_at").equal(last), of("inserted"), Expr::Number(0));
    let select = Select::from(&ledger::table(target), "l")
        .column(Expr::CountRows, "loads")
        .column(of("inserted").sum().or_zero(), "inserted")
        .column(of("removed").sum().or_zero(), "removed")
        .column(one_where(is_uncertain), "uncertain")
        .column(is_last.sum().or_zero(), "inserted_last");
    Command::Select(select.filter(ledger::of_target(target, "l")))
        .statement("ask what the ledger tells of the table", target.dialect)
}

/// An object of which the table has not the rows that the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unlike {
    /// The object.
    pub source: String,
    /// The rows that the ledger says.
    pub expected: u64,
    /// The rows that are there.
    pub there: u64,
}

/// Reads what [`count_by_batch`](crate::warehouse::count_by_batch) selects.
pub fn by_batch(selected: &Selection) -> Result<BTreeMap<String, u64>, Error> {
    selected.rows().map(|row| Ok((row.text(BATCH_COLUMN)?.to_owned(), row.number(ledger::ROWS)?))).collect()
}

/// The objects of which the table has not the rows that the ledger says, with `there` rows of each batch. What was appended stays
/// as it is as long as nothing is written otherwise; else only the last load is known for sure, since later ones take rows away.
pub fn unlike(rows: &[LedgerRow], table: &Table, there: &BTreeMap<String, u64>) -> Vec<Unlike> {
    let last = rows.iter().map(|row| row.loaded_at).max();
    let is_append = |row: &&LedgerRow| table.write == WriteMode::Append && row.written == table.written();
    let merged = rows.iter().filter(|row| !is_append(row)).map(|row| row.loaded_at).max();
    let is_sure = |row: &&LedgerRow| Some(row.loaded_at) == last || Some(row.loaded_at) > merged;
    let mut found: BTreeMap<&str, Unlike> = BTreeMap::new();
    for row in standing(rows).into_iter().filter(is_sure) {
        let LedgerRow { batch, counts, .. } = row;
        let of = found.entry(&batch.source).or_insert_with(|| Unlike {
            source: batch.source.clone(),
            expected: 0,
            there: 0,
        });
        of.expected += counts.inserted + counts.updated + counts.unchanged;
        of.there += there.get(&batch.batch).copied().unwrap_or_default();
    }
    found.into_values().filter(|of| of.expected != of.there).collect()
}

/// What another pipeline has loaded into a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineLoads {
    /// The pipeline.
    pub pipeline: String,
    /// When it has loaded first, in microseconds since 1970, and last.
    pub times: (i64, i64),
    /// Whether both have loaded an object, of one name and with the same contents, whose rows no later version of it has taken away
    /// from this pipeline.
    pub shares: bool,
}

impl PipelineLoads {
    /// What some ledger rows tell of each pipeline, beside one of them.
    pub fn of(rows: &[LedgerRow], own: &str) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let brings = |row: &LedgerRow| row.counts.inserted > 0;
        let is_own = |row: &LedgerRow| row.batch.pipeline == own;
        let of_own: BTreeSet<_> = rows.iter().filter(|row| is_own(row) && brings(row)).flat_map(objects).collect();
        let stand = standing(rows).into_iter().filter(|row| !is_own(row) && brings(row));
        let shared = stand.filter(|row| objects(row).any(|object| of_own.contains(&object)));
        let shared: BTreeSet<&str> = shared.map(|row| row.batch.pipeline.as_str()).collect();
        for row in rows {
            let (pipeline, at) = (&row.batch.pipeline, row.loaded_at);
            match all.iter_mut().find(|loads| loads.pipeline == *pipeline) {
                Some(loads) => {
                    loads.times = (loads.times.0.min(at), loads.times.1.max(at));
                }
                None => all.push(Self {
                    pipeline: pipeline.clone(),
                    times: (at, at),
                    shares: shared.contains(pipeline.as_str()),
                }),
            }
        }
        all
    }

    /// Reads a row of what [`pipeline_loads`] selects.
    pub fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            pipeline: row.optional("pipeline")?.unwrap_or_default().to_owned(),
            times: (row.instant("began")?, row.instant("ended")?),
            shares: row.number::<u64>("shared")? > 0,
        })
    }
}

/// The object that a ledger row tells of, by each of its digests.
fn objects(row: &LedgerRow) -> impl Iterator<Item = (&str, &str)> {
    row.batch.digests().map(|digest| (row.batch.source.as_str(), digest))
}

/// Selects what each pipeline has loaded into a target, beside one of them, a row each.
pub fn pipeline_loads(target: &Target, own: &str) -> Statement {
    // As in `LoadBatch::digests`.
    let digests = |alias| ["content", "source_version"].map(|name| Expr::own(alias, name));
    let equal = |one: Expr| digests("l").map(|other| one.clone().equal(other));
    let of = |name| Expr::own("l", name);
    let own = Expr::Parameter { name: "own".to_owned(), value: own.to_owned(), ty: Type::Varchar(256) };
    let brings = |alias| Expr::Number(0).less(Expr::own(alias, "inserted"));
    let shared = Expr::All(vec![
        ledger::of_target(target, "m"),
        Expr::own("m", "pipeline").equal(own),
        Expr::own("m", "pipeline").differs(of("pipeline")),
        Expr::own("m", "source").equal(of("source")),
        Expr::Any(digests("m").into_iter().flat_map(equal).collect()),
        brings("m"),
        brings("l"),
    ]);
    let time = |function| Expr::InstantText(Box::new(Expr::Call(function, vec![of("loaded_at")])));
    let is_shared = Expr::All(vec![Expr::own("m", "batch").present(), Expr::own("n", "batch").absent()]);
    let is_shared = Expr::case(is_shared, Expr::Number(1), Expr::Number(0));
    let version = vec![Expr::own("n", "source").equal(of("source")), ledger::is_later_version("n", "l")];
    let run = vec![
        Expr::own("n", "written").equal(Expr::Word(WRITTEN_WHOLE)),
        of("loaded_at").less(Expr::own("n", "loaded_at")),
    ];
    // As in `standing`.
    let later = Expr::All(vec![ledger::of_target(target, "n"), Expr::Any(vec![Expr::All(version), Expr::All(run)])]);
    let mut select = Select::from(&ledger::table(target), "l")
        .columns([of("pipeline")])
        .column(time("min"), "began")
        .column(time("max"), "ended")
        .column(is_shared.sum().or_zero(), "shared")
        .join(JoinKind::Left, Source::Table(ledger::table(target)), "m", shared)
        .join(JoinKind::Left, Source::Table(ledger::table(target)), "n", later)
        .filter(ledger::of_target(target, "l"));
    select.group_by = vec![of("pipeline")];
    Command::Select(select).statement("ask which pipelines have loaded the table", target.dialect)
}

//! By hand: finds changes that somebody has made in a warehouse without Etalon. If a load would then double or hide rows, it is
//! refused.
//!
//! A run on one machine checks before anything is read, and every load checks before it is submitted.

use std::collections::BTreeSet;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Resolved;
use etalon_core::protocol::Unit;
use etalon_core::warehouse::{BATCH_COLUMN, LEDGER_TABLE, Presence, WriteMode};

use crate::held::title;

/// That a table has rows of which no ledger tells.
pub(crate) fn unknown(pipeline: &Resolved) -> Error {
    let fact = format!(
        "table `{}` has rows, and the ledger knows no load of it, so that everything would be loaded twice; bring \
         the ledger's rows back; if the table was renamed, give it its old name back; or drop the table: a run then loads what \
         the source still has",
        pipeline.table_name()
    );
    Error::new(ErrorKind::Refused, fact)
}

/// That the ledger has rows of a table, and the table has none; `way_out` says how everything is loaded again.
pub(crate) fn lost(pipeline: &Resolved, presence: &Presence, way_out: &str) -> Option<Error> {
    let state = presence.lost(pipeline.whole_runs())?;
    let fact = format!(
        "table `{}` is {state}, and the ledger has rows of it; bring it back, or load everything again: {way_out}",
        pipeline.table_name()
    );
    Some(Error::new(ErrorKind::Refused, fact))
}

/// Whether rows that are appended may be there already without anybody seeing it but by their lineage.
pub(crate) fn may_double(pipeline: &Resolved) -> bool {
    pipeline.table().write == WriteMode::Append && pipeline.table().lineage
}

/// How somebody removes the rows of an input from the table and from its ledger, if rows tell what has brought them: nothing is said
/// to be loaded any more that is not there.
pub(crate) fn unload(pipeline: &Resolved, input: &str) -> Option<String> {
    let table = pipeline.table();
    let schema = table.schema.as_ref().map_or_else(String::new, |schema| format!("{schema}."));
    let (name, ledger) = (pipeline.table_name(), format!("{schema}{LEDGER_TABLE}"));
    let is_it = format!("input = '{input}' and \"target\" = '{name}'");
    table.lineage.then(|| {
        format!(
            "`delete from {name} where {BATCH_COLUMN} in (select batch from {ledger} where {is_it})`, then `delete from {ledger} where \
             {is_it}`"
        )
    })
}

/// That the table has rows of units which the ledger does not know: they would be there twice. `there` are the batches of
/// which it has some.
pub(crate) fn doubled(pipeline: &Resolved, units: &[&Unit], there: &BTreeSet<String>) -> Option<Error> {
    let has = |unit: &&&Unit| unit.batches().any(|batch| there.contains(&batch.batch));
    let mut found: Vec<String> = units.iter().filter(has).map(|unit| title(unit)).collect();
    found.sort();
    let first = found.first()?;
    let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
    let (name, quoted) = (pipeline.table_name(), there.iter().map(|batch| format!("'{batch}'")).collect::<Vec<_>>());
    let fact = format!(
        "table `{name}` has rows of {first}{more}, and the ledger knows no load of them, so that they would be there twice; bring \
         the ledger's rows back, or remove those of the table and run again: `delete from {name} where {BATCH_COLUMN} in ({})`",
        quoted.join(", ")
    );
    Some(Error::new(ErrorKind::Refused, fact))
}

//! Standing: which loads still have their rows in a table, according to its ledger.

use std::collections::BTreeMap;

use crate::warehouse::batch::LoadCounts;
use crate::warehouse::ledger::LedgerRow;
use crate::warehouse::table::WRITTEN_WHOLE;

/// The ledger rows from the last load on that has replaced the whole table. Rows of an older Etalon do not say that they have.
pub fn since_whole_run(rows: &[LedgerRow]) -> impl Iterator<Item = &LedgerRow> {
    let whole = rows.iter().filter(|row| row.written == WRITTEN_WHOLE).map(|row| row.loaded_at).max();
    rows.iter().filter(move |row| whole.is_none_or(|whole| row.loaded_at >= whole))
}

/// The ledger rows whose place no later one has taken, in their order: neither a run that has replaced the whole table, nor a later
/// version of their source, nor a later generation of their input. A load finds by the same rule which rows it removes.
pub fn standing(rows: &[LedgerRow]) -> Vec<&LedgerRow> {
    let mut versions: BTreeMap<(&str, &str), Vec<&LedgerRow>> = BTreeMap::new();
    let mut generations: BTreeMap<&str, u32> = BTreeMap::new();
    for row in rows {
        let batch = &row.batch;
        if batch.replaces_source {
            versions.entry((&batch.pipeline, &batch.source)).or_default().push(row);
        }
        if batch.replaces_generations {
            let last = generations.entry(&batch.input).or_default();
            *last = batch.generation.max(*last);
        }
    }
    let is_before = |one: &LedgerRow, other: &LedgerRow| {
        let (time, later) = (one.batch.batch_time, other.batch.batch_time);
        time < later || (time == later && one.batch.source_version < other.batch.source_version)
    };
    let stands = |row: &&LedgerRow| {
        let batch = &row.batch;
        let later = versions.get(&(batch.pipeline.as_str(), batch.source.as_str())).into_iter().flatten();
        let mut later = later.filter(|other| other.batch.input != batch.input);
        let is_again = generations.get(batch.input.as_str()).is_some_and(|last| batch.generation < *last);
        !is_again && !later.any(|other| is_before(row, other))
    };
    since_whole_run(rows).filter(stands).collect()
}

/// The ledger rows, in the order of loading, from the last load on that has removed as many rows as there were: where whole runs
/// are loaded, these are all that the table has. What was appended before or after stands beside a run.
pub fn since_all_were_replaced<'a, 'b>(rows: &'b [&'a LedgerRow]) -> &'b [&'a LedgerRow] {
    let (mut first, mut at, mut there) = (0, 0, 0);
    for load in rows.chunk_by(|one, next| one.loaded_at == next.loaded_at) {
        let sum = |of: fn(&LoadCounts) -> u64| load.iter().map(|row| of(&row.counts)).sum::<u64>();
        let removed = sum(|counts| counts.removed);
        if there > 0 && removed >= there {
            first = at;
        }
        there = there.saturating_sub(removed) + sum(|counts| counts.inserted);
        at += load.len();
    }
    rows.get(first..).unwrap_or_default()
}

#[cfg(test)]
pub(in crate::warehouse) mod tests {
    use super::*;
    use crate::warehouse::batch::LoadBatch;

    /// A ledger row: pipeline, source, content, when it was loaded.
    pub(in crate::warehouse) fn row(pipeline: &str, source: &str, content: &str, at: i64) -> LedgerRow {
        let batch = LoadBatch {
            input: format!("{pipeline} {source} {content}"),
            batch: format!("{pipeline} {source} {content}"),
            generation: 0,
            source: source.to_owned(),
            source_version: content.to_owned(),
            content: content.to_owned(),
            pipeline: pipeline.to_owned(),
            fingerprint: String::new(),
            batch_time: at,
            staged: 1,
            replaces_source: false,
            replaces_generations: false,
            versions: Vec::new(),
        };
        let counts = LoadCounts { staged: 1, inserted: 1, ..LoadCounts::default() };
        LedgerRow {
            batch,
            counts,
            counts_removed: true,
            keeps_beaten: false,
            bared: 0,
            written: String::new(),
            loaded_at: at,
        }
    }

    pub(in crate::warehouse) fn replacing(row: LedgerRow) -> LedgerRow {
        LedgerRow { batch: LoadBatch { replaces_source: true, ..row.batch }, ..row }
    }

    fn removing(row: LedgerRow, removed: u64) -> LedgerRow {
        LedgerRow { counts: LoadCounts { removed, ..row.counts }, ..row }
    }

    #[test]
    fn a_later_version_or_generation_takes_the_place_of_rows() {
        let again = |row: LedgerRow| LedgerRow {
            batch: LoadBatch { generation: 1, replaces_generations: true, ..row.batch },
            ..row
        };
        let rows = [
            row("p", "a", "1", 1),
            replacing(row("p", "a", "2", 2)),
            row("q", "a", "1", 1),
            row("p", "b", "1", 3),
            again(row("p", "b", "1", 3)),
            row("p", "c", "1", 4),
        ];
        let stands: Vec<(&str, u32)> =
            standing(&rows).iter().map(|row| (row.batch.input.as_str(), row.batch.generation)).collect();
        assert_eq!(stands, [("p a 2", 0), ("q a 1", 0), ("p b 1", 1), ("p c 1", 0)]);
    }

    #[test]
    fn a_run_takes_the_place_of_all_rows_and_what_is_appended_of_none() {
        let of = |rows: &[LedgerRow]| {
            let rows: Vec<&LedgerRow> = rows.iter().collect();
            since_all_were_replaced(&rows).iter().map(|row| row.batch.source.clone()).collect::<String>()
        };
        let appended = [row("p", "a", "1", 1), row("p", "b", "1", 2)];
        assert_eq!(of(&appended), "ab");
        let [a, b] = appended;
        let run = [a.clone(), b.clone(), removing(row("p", "c", "1", 3), 2), row("p", "d", "1", 3)];
        assert_eq!(of(&run), "cd");
        let runs = [a.clone(), removing(b.clone(), 1), removing(row("p", "c", "1", 3), 1)];
        assert_eq!(of(&runs), "c");
        let after = [a, removing(b, 1), row("p", "c", "1", 3)];
        assert_eq!(of(&after), "bc", "one that was appended after a run stands beside it");
    }
}

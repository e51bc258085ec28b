//! Standing: what a table contains according to its ledger: which loads still have their rows in it, and whether rows that are
//! about to be appended are among them.

use std::collections::{BTreeMap, BTreeSet};

use crate::warehouse::batch::{LoadBatch, LoadCounts};
use crate::warehouse::ledger::LedgerRow;
use crate::warehouse::presence::PipelineLoads;

/// The ledger rows whose place no later one has taken, in their order: neither a later version of their source, nor a later
/// generation of their input. A load finds by the same rule which rows it removes.
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
    rows.iter().filter(stands).collect()
}

/// Whether a batch takes the place of another.
fn replaces(new: &LoadBatch, old: &LoadBatch) -> bool {
    let is_one = new.pipeline == old.pipeline && new.source == old.source;
    let order = |batch: &LoadBatch| (batch.batch_time, batch.source_version.clone());
    let another = new.replaces_source && is_one && new.input != old.input && order(old) < order(new);
    another || (new.replaces_generations && new.input == old.input && old.generation < new.generation)
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

/// What a table has, by the contents of the objects that its rows came from.
#[derive(Debug, Default)]
pub struct Contents {
    /// The ledger rows that have brought rows which are there still, by each digest.
    rows: BTreeMap<String, Vec<LedgerRow>>,
    /// The digests of what each object has, or had.
    of_source: BTreeMap<String, BTreeSet<String>>,
    /// What each pipeline has loaded.
    pipelines: Vec<PipelineLoads>,
}

impl Contents {
    /// What a table has by its ledger rows, and by what each pipeline has loaded beside the one that loads now.
    pub fn new(ledger: &[LedgerRow], pipelines: Vec<PipelineLoads>) -> Self {
        let mut contents = Self { pipelines, ..Self::default() };
        standing(ledger).into_iter().for_each(|row| contents.insert(row.clone()));
        contents
    }

    /// Adds what is about to be appended, in place of what it replaces.
    pub fn add(&mut self, batch: LoadBatch) {
        let digests = self.of_source.get(&batch.source).filter(|_| batch.replaces());
        for digest in digests.into_iter().flatten() {
            if let Some(rows) = self.rows.get_mut(digest) {
                rows.retain(|row| !replaces(&batch, &row.batch));
            }
        }
        let counts = LoadCounts { staged: batch.staged, inserted: batch.staged, ..LoadCounts::default() };
        self.insert(LedgerRow { batch, counts, counts_removed: true, keeps_beaten: false, loaded_at: i64::MAX });
    }

    fn insert(&mut self, row: LedgerRow) {
        if row.counts.inserted == 0 {
            return;
        }
        for digest in row.batch.digests() {
            self.of_source.entry(row.batch.source.clone()).or_default().insert(digest.to_owned());
            self.rows.entry(digest.to_owned()).or_default().push(row.clone());
        }
    }

    /// Whether an object of the same name and contents was loaded by another pipeline: only then it matters what the pipelines
    /// have loaded.
    pub fn has_of_others(ledger: &[LedgerRow], pipeline: &str, batches: &[LoadBatch]) -> bool {
        let is_one = |row: &LedgerRow, batch: &LoadBatch| {
            let is_equal = || row.batch.digests().any(|digest| batch.digests().any(|other| other == digest));
            row.batch.source == batch.source && row.batch.pipeline != pipeline && is_equal()
        };
        ledger.iter().any(|row| batches.iter().any(|batch| is_one(row, batch)))
    }

    /// The ledger row by which the table has the rows of some batches already, if it is so: equal contents were loaded by the
    /// pipeline under another name, or under the same one by a pipeline that most likely was renamed since.
    pub fn doubled(&self, pipeline: &str, batches: &[LoadBatch]) -> Option<&LedgerRow> {
        let brings = |batch: &&LoadBatch| batch.staged > 0 && !batch.replaces_generations;
        batches.iter().filter(brings).find_map(|batch| {
            let alike = batch.digests().filter_map(|digest| self.rows.get(digest)).flatten();
            alike.into_iter().find(|row| {
                let by = row.batch.pipeline.as_str();
                let is_own = by.is_empty() || by == pipeline;
                let is_one = || row.batch.source == batch.source && self.is_renamed(by, pipeline);
                row.batch.input != batch.input && (is_own || is_one())
            })
        })
    }

    /// Whether a pipeline has most likely become another one: it has loaded nothing since that one has begun, and nothing was
    /// loaded by both.
    fn is_renamed(&self, from: &str, to: &str) -> bool {
        let of = |name: &str| self.pipelines.iter().find(|loads| loads.pipeline == name);
        let is_before = match (of(from), of(to)) {
            (Some(from), Some(to)) => from.times.1 < to.times.0,
            _ => true,
        };
        is_before && !of(from).is_some_and(|loads| loads.shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ledger row: pipeline, source, content, when it was loaded.
    fn row(pipeline: &str, source: &str, content: &str, at: i64) -> LedgerRow {
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
        LedgerRow { batch, counts, counts_removed: true, keeps_beaten: false, loaded_at: at }
    }

    fn replacing(row: LedgerRow) -> LedgerRow {
        LedgerRow { batch: LoadBatch { replaces_source: true, ..row.batch }, ..row }
    }

    fn removing(row: LedgerRow, removed: u64) -> LedgerRow {
        LedgerRow { counts: LoadCounts { removed, ..row.counts }, ..row }
    }

    fn found(pipeline: &str, source: &str, content: &str, ledger: &[LedgerRow]) -> Option<String> {
        let new = row(pipeline, source, content, 99).batch;
        let contents = Contents::new(ledger, PipelineLoads::of(ledger, pipeline));
        contents.doubled(pipeline, &[new]).map(|row| row.batch.input.clone())
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

    #[test]
    fn equal_contents_of_another_name_double_rows() {
        let ledger = [row("p", "a", "1", 1)];
        assert_eq!(found("p", "b", "1", &ledger).as_deref(), Some("p a 1"));
        assert_eq!(found("p", "b", "2", &ledger), None);
        assert_eq!(found("p", "a", "1", &ledger), None, "it is the input itself, and guarded by its name");
        let replaced = [row("p", "a", "1", 1), replacing(row("p", "a", "2", 2))];
        assert_eq!(found("p", "b", "1", &replaced), None, "they are not there any more");
        let mut empty = row("p", "a", "1", 1);
        empty.counts.inserted = 0;
        assert_eq!(found("p", "b", "1", &[empty]), None);
    }

    #[test]
    fn a_store_with_digests_of_its_own_knows_copies_by_either() {
        let stored = |content: &str| {
            let mut row = row("p", "a", "crc", 1);
            row.batch.content = content.to_owned();
            row
        };
        assert!(found("p", "b.gz", "xxh", &[stored("xxh")]).is_some(), "a compressed copy has the digest of the bytes");
        assert!(found("p", "b", "crc", &[stored("crc")]).is_some(), "an older Etalon knew the version alone");
        assert!(found("p", "b", "crc", &[stored("xxh")]).is_some(), "an equal object has the same version");
        assert!(found("p", "b", "other", &[stored("xxh")]).is_none());
    }

    #[test]
    fn a_renamed_pipeline_does_not_double_what_it_has_loaded() {
        let p = row("p", "a", "1", 1);
        assert!(found("q", "a", "1", std::slice::from_ref(&p)).is_some());
        assert_eq!(found("q", "b", "1", std::slice::from_ref(&p)), None, "two pipelines have files of one content");
        let begun = [p.clone(), row("q", "c", "3", 5)];
        assert!(found("q", "a", "1", &begun).is_some(), "also where it has loaded others since");
        let side_by_side = [p.clone(), row("q", "c", "3", 5), row("p", "d", "4", 6)];
        assert_eq!(found("q", "a", "1", &side_by_side), None);
        let both = [p.clone(), row("p", "b", "2", 2), row("q", "b", "2", 5)];
        assert_eq!(found("q", "a", "1", &both), None, "somebody wants the rows of both");
        // The ledger was changed by hand to say that they are this pipeline's.
        let mut adopted = p;
        adopted.batch.pipeline = "q".to_owned();
        assert!(found("q", "a", "1", &[adopted]).is_some());
    }

    #[test]
    fn what_is_loaded_together_is_compared_too() {
        let mut contents = Contents::default();
        contents.add(row("p", "a", "1", 1).batch);
        assert!(contents.doubled("p", &[row("p", "b", "1", 1).batch]).is_some());
        assert!(contents.doubled("q", &[row("q", "b", "1", 1).batch]).is_none());
        contents.add(replacing(row("p", "a", "2", 2)).batch);
        assert!(contents.doubled("p", &[row("p", "b", "1", 1).batch]).is_none(), "its rows go in the same load");
    }
}

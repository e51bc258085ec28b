//! Contents: what a table has, by the contents of the objects that its rows came from: whether rows that are about to be appended
//! are there already.

use std::collections::BTreeMap;

use crate::warehouse::batch::LoadBatch;
use crate::warehouse::ledger::LedgerRow;
use crate::warehouse::presence::PipelineLoads;
use crate::warehouse::standing::standing;

/// What a table has, by the contents of the objects that its rows came from.
#[derive(Debug, Default)]
pub struct Contents {
    /// What has brought rows that are there still, by each digest.
    batches: BTreeMap<String, Vec<LoadBatch>>,
    /// What each pipeline has loaded.
    pipelines: Vec<PipelineLoads>,
}

/// What is about to be appended together.
#[derive(Debug)]
pub struct Appended {
    /// What is brought.
    pub batches: Vec<LoadBatch>,
    /// Whether it is held where the table has its rows; else somebody wants it as it is.
    pub is_asked: bool,
}

/// What a load takes the place of: what it brings that replaces rows, by the name of the object.
type Replacing<'a> = BTreeMap<&'a str, Vec<&'a LoadBatch>>;

impl Contents {
    /// What a table has by its ledger rows, and by what each pipeline has loaded beside the one that loads now. Also rows that were
    /// all duplicates of another object's are there: a copy that comes later is held as one that comes in the same load is.
    pub fn new(ledger: &[LedgerRow], pipelines: Vec<PipelineLoads>) -> Self {
        let mut batches: BTreeMap<String, Vec<LoadBatch>> = BTreeMap::new();
        for LedgerRow { batch, .. } in standing(ledger).into_iter().filter(|row| row.batch.staged > 0) {
            for digest in batch.digests() {
                batches.entry(digest.to_owned()).or_default().push(batch.clone());
            }
        }
        Self { batches, pipelines }
    }

    /// For each part of a load, in the order in which they come, what has brought its rows already, if something has: equal contents
    /// were loaded by the pipeline under another name, or under the same one by a pipeline that most likely was renamed since.
    /// Such a part is to be held.
    ///
    /// Rows that the load removes do not count, whatever comes first: two files may have changed their contents with each other.
    /// What is held removes nothing, so that its earlier rows count, and by them more may be held.
    pub fn doubled<'a>(&'a self, pipeline: &str, load: &'a [Appended]) -> Vec<Option<&'a LoadBatch>> {
        let mut doubled: Vec<Option<&LoadBatch>> = vec![None; load.len()];
        loop {
            let mut replacing = Replacing::new();
            let taken = load.iter().zip(&doubled).filter(|(_, doubled)| doubled.is_none());
            for batch in taken.flat_map(|(part, _)| &part.batches).filter(|batch| batch.replaces()) {
                replacing.entry(&batch.source).or_default().push(batch);
            }
            let goes = |old: &LoadBatch| {
                replacing.get(old.source.as_str()).into_iter().flatten().any(|new| replaces(new, old))
            };
            let mut before: BTreeMap<&str, Vec<&LoadBatch>> = BTreeMap::new();
            let mut stays = false;
            for (part, doubled) in load.iter().zip(&mut doubled).filter(|(_, doubled)| doubled.is_none()) {
                let brought = || part.batches.iter().filter(|batch| batch.staged > 0 && !goes(batch));
                let alike = |digest: &str| {
                    let there = self.batches.get(digest).into_iter().flatten().filter(|batch| !goes(batch));
                    there.chain(before.get(digest).into_iter().flatten().copied())
                };
                let asked = brought().filter(|batch| part.is_asked && !batch.replaces_generations);
                let found = asked.filter_map(|batch| {
                    batch.digests().flat_map(alike).find(|other| self.is_double(pipeline, batch, other))
                });
                *doubled = found.into_iter().next();
                if doubled.is_some() {
                    stays |= part.batches.iter().any(LoadBatch::replaces);
                    continue;
                }
                for batch in brought() {
                    batch.digests().for_each(|digest| before.entry(digest).or_default().push(batch));
                }
            }
            if !stays {
                return doubled;
            }
        }
    }

    /// Whether rows of equal contents are those of a batch.
    fn is_double(&self, pipeline: &str, batch: &LoadBatch, other: &LoadBatch) -> bool {
        let by = other.pipeline.as_str();
        let is_own = by.is_empty() || by == pipeline;
        let is_one = || other.source == batch.source && self.is_renamed(by, pipeline);
        other.input != batch.input && (is_own || is_one())
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

/// Whether a batch takes the place of another.
fn replaces(new: &LoadBatch, old: &LoadBatch) -> bool {
    let is_one = new.pipeline == old.pipeline && new.source == old.source;
    let order = |batch: &LoadBatch| (batch.batch_time, batch.source_version.clone());
    let another = new.replaces_source && is_one && new.input != old.input && order(old) < order(new);
    another || (new.replaces_generations && new.input == old.input && old.generation < new.generation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warehouse::batch::LoadCounts;
    use crate::warehouse::standing::tests::{replacing, row};

    fn found(pipeline: &str, source: &str, content: &str, ledger: &[LedgerRow]) -> Option<String> {
        let contents = Contents::new(ledger, PipelineLoads::of(ledger, pipeline));
        held(&contents, pipeline, vec![row(pipeline, source, content, 99)]).remove(0)
    }

    /// The input by which each row of a load is held, if it is.
    fn held(contents: &Contents, pipeline: &str, load: Vec<LedgerRow>) -> Vec<Option<String>> {
        let part = |row: LedgerRow| Appended { batches: vec![row.batch], is_asked: true };
        let load: Vec<Appended> = load.into_iter().map(part).collect();
        contents.doubled(pipeline, &load).into_iter().map(|held| Some(held?.input.clone())).collect()
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
        empty.batch.staged = 0;
        empty.counts = LoadCounts::default();
        assert_eq!(found("p", "b", "1", &[empty]), None);
        let mut duplicates = row("p", "a", "1", 1);
        duplicates.counts = LoadCounts { staged: 1, deduplicated: 1, ..LoadCounts::default() };
        assert!(
            found("p", "b", "1", &[duplicates]).is_some(),
            "its rows are there, since another object has brought them"
        );
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
        let replaced = [p.clone(), row("p", "b", "2", 2), replacing(row("p", "b", "3", 3)), row("q", "b", "2", 5)];
        assert!(found("q", "a", "1", &replaced).is_some(), "only one has the rows that both have loaded");
        let mut cut = row("q", "b", "2", 5);
        cut.batch.content = "of many tasks".to_owned();
        assert_eq!(found("q", "a", "1", &[p.clone(), row("p", "b", "2", 2), cut]), None, "by either digest");
        // The ledger was changed by hand to say that they are this pipeline's.
        let mut adopted = p;
        adopted.batch.pipeline = "q".to_owned();
        assert!(found("q", "a", "1", &[adopted]).is_some());
    }

    #[test]
    fn what_is_loaded_together_is_compared_too() {
        let contents = Contents::default();
        let [a, b] = ["a", "b"].map(|source| row("p", source, "1", 1));
        let of_a = Some("p a 1".to_owned());
        assert_eq!(held(&contents, "p", vec![a.clone(), b.clone()]), [None, of_a.clone()]);
        let gone = replacing(row("p", "a", "2", 2));
        assert_eq!(
            held(&contents, "p", vec![a.clone(), gone, b.clone()]),
            [None, None, None],
            "its rows go in the same load"
        );
        let asked_for = |row: LedgerRow| Appended { batches: vec![row.batch], is_asked: false };
        let load = [a, b].map(asked_for);
        assert_eq!(contents.doubled("p", &load), [None; 2]);
    }

    #[test]
    fn files_change_their_contents_with_each_other() {
        let ledger = ["a1", "b2", "c3"].map(|is| row("p", &is[..1], &is[1..], 1));
        let contents = Contents::new(&ledger, Vec::new());
        let by = |load: &[&str]| {
            let load = load.iter().map(|is| replacing(row("p", &is[..1], &is[1..], 2))).collect();
            let shown = |held: Option<String>| held.map_or_else(|| "-".to_owned(), |by| by[2..].replace(' ', ""));
            held(&contents, "p", load).into_iter().map(shown).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(by(&["a2", "b1"]), "- -");
        assert_eq!(by(&["a2", "b3", "c1"]), "- - -");
        assert_eq!(by(&["b1", "a2"]), "- -", "whatever comes first");
        assert_eq!(by(&["a2", "b3"]), "b2 c3", "what is held removes nothing, so that its rows count again");
        assert_eq!(by(&["a2", "b4", "c2"]), "- - a2");
        assert_eq!(by(&["a3", "d1", "b3"]), "c3 a1 c3");
    }
}

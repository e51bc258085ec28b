//! Contents: what a table has, by the contents of the objects that its rows came from: whether rows that are about to be appended
//! are there already.

use std::collections::{BTreeMap, BTreeSet};

use crate::warehouse::batch::LoadBatch;
use crate::warehouse::ledger::LedgerRow;
use crate::warehouse::presence::PipelineLoads;
use crate::warehouse::standing::standing;

/// What a table has, by the contents of the objects that its rows came from.
#[derive(Debug, Default)]
pub struct Contents {
    /// What has brought rows that are there still, by each digest.
    batches: BTreeMap<String, Vec<LoadBatch>>,
    /// What has brought rows that are not there any more, by each digest.
    past: BTreeMap<String, Vec<LoadBatch>>,
    /// What each pipeline has loaded.
    pipelines: Vec<PipelineLoads>,
}

/// What is about to be appended together.
#[derive(Debug, Default)]
pub struct Appended {
    /// What is brought.
    pub batches: Vec<LoadBatch>,
    /// What earlier versions of its objects would have brought, of which none was loaded: they were held, and most likely as copies.
    pub was: Vec<LoadBatch>,
    /// Whether it is held where the table has its rows; else somebody wants it as it is.
    pub is_asked: bool,
}

/// That rows would be in the table twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Double<'a> {
    /// What has brought them.
    pub by: &'a LoadBatch,
    /// Whether an earlier version of the object had these contents, and it has others now: a file got another name, and then grew.
    pub was: bool,
}

/// What parts of a load bring, by each digest.
type Brought<'a> = BTreeMap<&'a str, Vec<&'a LoadBatch>>;

/// What a load brings that takes the place of rows, by the name of the object.
#[derive(Debug)]
struct Replacing<'a> {
    by_source: BTreeMap<&'a str, Vec<&'a LoadBatch>>,
    /// Whatever of the load brings rows.
    loaded: Vec<&'a LoadBatch>,
}

impl<'a> Replacing<'a> {
    fn of<'d>(parts: impl Iterator<Item = (&'a Appended, &'d Option<Double<'d>>)>) -> Self {
        let mut by_source: BTreeMap<&str, Vec<&LoadBatch>> = BTreeMap::new();
        let batches: Vec<&LoadBatch> = parts.flat_map(|(part, _)| &part.batches).collect();
        for batch in batches.iter().filter(|batch| batch.replaces()) {
            by_source.entry(&batch.source).or_default().push(batch);
        }
        Self { by_source, loaded: batches.into_iter().filter(|batch| batch.staged > 0).collect() }
    }

    /// Whether rows of a batch go with the load.
    fn removes(&self, old: &LoadBatch) -> bool {
        self.by_source.get(old.source.as_str()).into_iter().flatten().any(|new| replaces(new, old))
    }
}

impl Appended {
    /// The batches that bring rows, which stay after the load.
    fn brought<'a>(&'a self, replacing: &Replacing<'_>) -> impl Iterator<Item = &'a LoadBatch> {
        self.batches.iter().filter(|batch| batch.staged > 0 && !replacing.removes(batch))
    }

    fn bring<'a>(&'a self, replacing: &Replacing<'_>, brought: &mut Brought<'a>) {
        for batch in self.brought(replacing) {
            batch.digests().for_each(|digest| brought.entry(digest).or_default().push(batch));
        }
    }
}

impl Contents {
    /// What a table has by its ledger rows, and by what each pipeline has loaded beside the one that loads now. Also rows that were
    /// all duplicates of another object's are there: a copy that comes later is held as one that comes in the same load is.
    pub fn new(ledger: &[LedgerRow], pipelines: Vec<PipelineLoads>) -> Self {
        let standing = standing(ledger);
        let is_there: BTreeSet<&str> = standing.iter().map(|row| row.batch.batch.as_str()).collect();
        let past = ledger.iter().filter(|row| !is_there.contains(row.batch.batch.as_str())).collect();
        let by_digest = |rows: Vec<&LedgerRow>| {
            let mut batches: BTreeMap<String, Vec<LoadBatch>> = BTreeMap::new();
            for LedgerRow { batch, .. } in rows.into_iter().filter(|row| row.batch.staged > 0) {
                for digest in batch.digests() {
                    batches.entry(digest.to_owned()).or_default().push(batch.clone());
                }
            }
            batches
        };
        Self { batches: by_digest(standing), past: by_digest(past), pipelines }
    }

    /// For each part of a load, in the order in which they come, what has brought its rows already, if something has: equal contents
    /// were loaded by the pipeline under another name, or under the same one by a pipeline that most likely was renamed since.
    /// Such a part is to be held.
    ///
    /// So is a part whose object was never loaded and had such contents before: it was a copy, and a copy that grows has the rows of
    /// its original still. The original may have grown, too: what it has brought last counts as its rows of before.
    ///
    /// Rows that the load removes do not count, whatever comes first: two files may have changed their contents with each other.
    /// What is held removes nothing, so that its earlier rows count, and by them more may be held.
    pub fn doubled<'a>(&'a self, pipeline: &str, load: &'a [Appended]) -> Vec<Option<Double<'a>>> {
        let mut doubled: Vec<Option<Double<'_>>> = vec![None; load.len()];
        loop {
            let replacing = Replacing::of(load.iter().zip(&doubled).filter(|(_, doubled)| doubled.is_none()));
            let mut brought = Brought::new();
            let mut stays = false;
            for (part, doubled) in load.iter().zip(&mut doubled).filter(|(_, doubled)| doubled.is_none()) {
                *doubled = self.double(pipeline, part, &replacing, &brought);
                match doubled {
                    Some(_) => stays |= part.batches.iter().any(LoadBatch::replaces),
                    None => part.bring(&replacing, &mut brought),
                }
            }
            if !stays {
                break;
            }
        }
        // What was held because of something that was held itself afterwards is not there twice.
        while let Some(freed) = (0..load.len()).find(|&at| self.is_single(pipeline, load, &doubled, at)) {
            doubled[freed] = None;
        }
        doubled
    }

    /// Whether a held part would double nothing of what is loaded.
    fn is_single(&self, pipeline: &str, load: &[Appended], doubled: &[Option<Double<'_>>], at: usize) -> bool {
        let Some(part) = load.get(at).filter(|_| doubled.get(at).is_some_and(Option::is_some)) else { return false };
        let loaded = || load.iter().zip(doubled).filter(|(_, doubled)| doubled.is_none());
        let replacing = Replacing::of(loaded().chain([(part, &None)]));
        let mut brought = Brought::new();
        loaded().for_each(|(part, _)| part.bring(&replacing, &mut brought));
        self.double(pipeline, part, &replacing, &brought).is_none()
    }

    /// What has brought the rows of a part already, if something has: in the table, or earlier in the load.
    fn double<'a>(
        &'a self,
        pipeline: &str,
        part: &'a Appended,
        replacing: &Replacing<'_>,
        brought: &Brought<'a>,
    ) -> Option<Double<'a>> {
        if !part.is_asked {
            return None;
        }
        let alike = |digest: &str| {
            let there = self.batches.get(digest).into_iter().flatten().filter(|batch| !replacing.removes(batch));
            there.chain(brought.get(digest).into_iter().flatten().copied())
        };
        let mut new = part.brought(replacing).filter(|batch| !batch.replaces_generations).peekable();
        new.peek()?;
        let mut now = new
            .filter_map(|batch| batch.digests().flat_map(alike).find(|other| self.is_double(pipeline, batch, other)));
        let mut before = part.was.iter().filter(|batch| batch.staged > 0).filter_map(|batch| {
            let is_other = |other: &&LoadBatch| other.source != batch.source || other.pipeline != batch.pipeline;
            let past = |digest: &str| {
                let replaced = self.batches.get(digest).into_iter().chain(self.past.get(digest)).flatten();
                replaced.filter(|batch| self.has_rows(replacing, batch)).chain(alike(digest))
            };
            let mut alike = batch.digests().flat_map(past).filter(is_other);
            alike.find(|other| self.is_double(pipeline, batch, other))
        });
        let now = now.next().map(|by| Double { by, was: false });
        now.or_else(|| before.next().map(|by| Double { by, was: true }))
    }

    /// Whether an object has rows in the table after a load, whichever version has brought them.
    fn has_rows(&self, replacing: &Replacing<'_>, of: &LoadBatch) -> bool {
        let is_one = |batch: &LoadBatch| batch.source == of.source && batch.pipeline == of.pipeline;
        let stays = |batch: &LoadBatch| is_one(batch) && !replacing.removes(batch);
        replacing.loaded.iter().any(|batch| is_one(batch)) || self.batches.values().flatten().any(stays)
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
        let part = |row: LedgerRow| Appended { batches: vec![row.batch], is_asked: true, ..Appended::default() };
        let load: Vec<Appended> = load.into_iter().map(part).collect();
        contents.doubled(pipeline, &load).into_iter().map(|held| Some(held?.by.input.clone())).collect()
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
        let asked_for = |row: LedgerRow| Appended { batches: vec![row.batch], ..Appended::default() };
        let load = [a, b].map(asked_for);
        assert_eq!(contents.doubled("p", &load), [None; 2]);
    }

    #[test]
    fn a_copy_that_grows_has_the_rows_of_its_original() {
        let ledger = [row("p", "a", "1", 1)];
        let grown = |was: LedgerRow, is_asked: bool, ledger: &[LedgerRow]| {
            let contents = Contents::new(ledger, PipelineLoads::of(ledger, &was.batch.pipeline));
            let (pipeline, source) = (was.batch.pipeline.clone(), was.batch.source.clone());
            let load =
                [Appended { batches: vec![row(&pipeline, &source, "12", 9).batch], was: vec![was.batch], is_asked }];
            contents.doubled(&pipeline, &load).remove(0).map(|held| (held.by.input.clone(), held.was))
        };
        let by_a = Some(("p a 1".to_owned(), true));
        assert_eq!(grown(row("p", "b", "1", 2), true, &ledger), by_a);
        assert_eq!(grown(row("p", "b", "1", 2), false, &ledger), None, "somebody wants it beside the original");
        assert_eq!(grown(row("p", "b", "2", 2), true, &ledger), None, "it was no copy");
        let replaced = [row("p", "a", "1", 1), replacing(row("p", "a", "2", 2))];
        assert_eq!(grown(row("p", "b", "1", 2), true, &replaced), by_a, "the original may have grown, too");
        let mut emptied = replacing(row("p", "a", "2", 2));
        emptied.batch.staged = 0;
        assert_eq!(
            grown(row("p", "b", "1", 2), true, &[row("p", "a", "1", 1), emptied]),
            None,
            "the original has no rows"
        );
        let back = [row("p", "b", "1", 1)];
        assert_eq!(grown(row("p", "b", "1", 2), true, &back), None, "they are its own");
        assert_eq!(grown(row("q", "a", "1", 2), true, &ledger), by_a, "what another pipeline has loaded as it was");
        let mut empty = row("p", "b", "1", 2);
        empty.batch.staged = 0;
        assert_eq!(grown(empty, true, &ledger), None);
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

    #[test]
    fn what_is_held_because_of_something_that_is_held_itself_is_loaded() {
        let contents = Contents::new(&[row("p", "a", "1", 1)], Vec::new());
        let part = |source: &str, was: Vec<LedgerRow>| Appended {
            batches: vec![replacing(row("p", source, "2", 2)).batch],
            was: was.into_iter().map(|row| row.batch).collect(),
            is_asked: true,
        };
        // `b` was a copy of `a`; then both get the same contents. One of them is loaded, and takes the place of the original.
        let load = [part("b", vec![row("p", "b", "1", 1)]), part("a", Vec::new())];
        let held = contents.doubled("p", &load).into_iter().map(|held| held.is_some()).collect::<Vec<_>>();
        assert_eq!(held, [true, false]);
    }
}

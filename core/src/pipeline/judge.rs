//! Judge: decides by the receipts of all its tasks whether a unit may be loaded, and makes the unit.

use std::collections::BTreeMap;

use super::Pipeline;
use super::file::OnOverwrite;
use crate::plan::InputPlan;
use crate::protocol::{Member, Unit, UnitBatch, UnitState};
use crate::receipt::{Counts, Receipt};
use crate::warehouse::WriteMode;

/// Whether a unit may be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Load,
    /// It is staged, not loaded, and waits for a decision: the reasons.
    Held(Vec<String>),
}

/// An input whose tasks are all done.
#[derive(Debug, Clone)]
pub struct Input {
    /// How it was planned.
    pub plan: InputPlan,
    /// The receipts of its tasks, in their order.
    pub receipts: Vec<Receipt>,
    /// Whether an earlier version of its object is loaded, or waits for its load.
    pub overwrites_loaded: bool,
    /// Whether that version has brought rows.
    pub overwrites_rows: bool,
    /// Whether that version has the same bytes, compressed anew.
    pub overwrites_same: bool,
}

impl Input {
    /// An input of which nobody has looked yet whether it overwrites another.
    pub fn new(plan: InputPlan, receipts: Vec<Receipt>) -> Self {
        Self { plan, receipts, overwrites_loaded: false, overwrites_rows: false, overwrites_same: false }
    }

    /// Whether an object that was loaded has the same bytes, though its version is another.
    pub fn has_bytes_of(&self, loaded: &Member) -> bool {
        let content = self.receipts.iter().find_map(|receipt| receipt.content.as_ref());
        let version = &self.plan.source_version;
        *version != loaded.source_version
            && content.unwrap_or(version) == loaded.content.as_ref().unwrap_or(&loaded.source_version)
    }
}

impl Pipeline {
    /// Judges a unit by the receipts of all its tasks.
    pub fn judge(&self, receipts: &[Receipt]) -> Verdict {
        let mut held = failures(receipts);
        held.extend(self.over_limits(receipts));
        let is_empty = receipts.iter().all(|receipt| receipt.counts.staged == 0);
        if self.table.write == (WriteMode::Replace { allow_empty: false }) && is_empty {
            held.push("a run without rows would leave the table empty; say `allow_empty: true` if it may".to_owned());
        }
        if held.is_empty() { Verdict::Load } else { Verdict::Held(held) }
    }

    fn over_limits(&self, receipts: &[Receipt]) -> Vec<String> {
        let read: u64 = receipts.iter().map(|receipt| receipt.counts.read).sum();
        let rejected: u64 = receipts.iter().map(|receipt| receipt.counts.quarantined).sum();
        // A wrong format is no success, however few its records are, and whatever else a run has read.
        let wholly: Vec<String> = by_source(receipts).into_iter().filter_map(nothing_fits).collect();
        if !wholly.is_empty() {
            return wholly;
        }
        let limits = &self.limits;
        if rejected < limits.at_least {
            return Vec::new();
        }
        let is_over =
            |part: u64, of: u64| u128::from(part) * 1_000_000 > u128::from(of) * u128::from(limits.rejects_ppm);
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = |part: u64, of: u64| format!("{:.2}%", part as f64 * 100.0 / of.max(1) as f64);
        let limit = f64::from(limits.rejects_ppm) / 10_000.0;
        let place = place(receipts);
        let bytes: u64 = receipts.iter().map(|receipt| receipt.coverage.records).sum();
        let rejected_bytes: u64 = receipts.iter().map(|receipt| receipt.quarantined_bytes).sum();
        if is_over(rejected, read) {
            let share = share(rejected, read);
            vec![format!("{place}{rejected} of {read} records were rejected ({share}); the limit is {limit}%")]
        } else if is_over(rejected_bytes, bytes) {
            let share = share(rejected_bytes, bytes);
            vec![format!(
                "{place}{rejected} of {read} records were rejected, which have {rejected_bytes} of {bytes} bytes ({share}); the \
                 limit is {limit}%"
            )]
        } else {
            Vec::new()
        }
    }

    /// Makes the unit of one input, or of those of a run, when the receipts of all their tasks are there, in their order. The
    /// unit has its state.
    pub fn unit(&self, name: String, inputs: &[Input]) -> Unit {
        let receipts: Vec<Receipt> = inputs.iter().flat_map(|input| input.receipts.clone()).collect();
        let redrives = inputs.iter().any(|input| input.plan.redrives.is_some());
        let mut reasons = match self.judge(&receipts) {
            // Of records that were rejected once, many may be rejected again.
            _ if redrives => failures(&receipts),
            Verdict::Load => Vec::new(),
            Verdict::Held(reasons) => reasons,
        };
        for Input { plan, .. } in inputs.iter().filter(|input| self.refuses_same(input)) {
            reasons.push(format!(
                "{} was loaded before with the same contents, and is compressed anew: nothing in it is new; say \
                 `on_overwrite: replace`, or discard it (a release loads its rows once more)",
                plan.source
            ));
        }
        for Input { plan, .. } in inputs.iter().filter(|input| self.refuses_version(input)) {
            reasons.push(format!(
                "{} was loaded before, and its contents have changed since; say `on_overwrite: replace` or `add` \
                 (a release keeps the rows of the version before, too)",
                plan.source
            ));
        }
        for Input { plan, .. } in inputs.iter().filter(|input| self.refuses_emptiness(input)) {
            reasons.push(format!(
                "{} has no records any more, and the rows of its earlier version would go; say `allow_empty: true` if they \
                 may, or release it",
                plan.source
            ));
        }
        if inputs.iter().any(|input| input.plan.fingerprint != self.fingerprint) {
            reasons.push("its inputs were planned with different pipeline files".to_owned());
        }
        let mut counts = Counts::default();
        receipts.iter().for_each(|receipt| counts.add(receipt.counts));
        let incomplete = receipts.iter().any(|receipt| receipt.incomplete.is_some());
        let unread = receipts.iter().any(|receipt| receipt.unread);
        Unit {
            name,
            pipeline: self.name.clone(),
            fingerprint: self.fingerprint.clone(),
            counts,
            members: inputs.iter().map(|input| self.member(input)).collect(),
            released: false,
            state: if reasons.is_empty() {
                UnitState::Pending
            } else {
                UnitState::Held { reasons, incomplete, unread }
            },
        }
    }

    /// Whether an input is a new version of an object of which only one version may be loaded.
    fn refuses_version(&self, input: &Input) -> bool {
        let is_other = self.is_new_version(input) && input.overwrites_loaded && !input.overwrites_same;
        is_other && self.on_overwrite == OnOverwrite::Fail
    }

    /// Whether an input is a new version of an object that is loaded with the same bytes, whose rows would be there twice.
    fn refuses_same(&self, input: &Input) -> bool {
        self.is_new_version(input) && input.overwrites_same && self.on_overwrite != OnOverwrite::Replace
    }

    /// Whether an input is a version without records that would replace rows.
    fn refuses_emptiness(&self, input: &Input) -> bool {
        let is_empty = input.receipts.iter().all(|receipt| receipt.counts.read == 0 && receipt.incomplete.is_none());
        let replaces = self.is_new_version(input) && self.on_overwrite == OnOverwrite::Replace;
        replaces && is_empty && input.overwrites_rows && !self.allow_empty
    }

    /// Whether an input is met for the first time. A whole run takes the place of all rows, also of those that an earlier
    /// version of an object brought.
    fn is_new_version(&self, input: &Input) -> bool {
        !self.whole_runs && !input.plan.backfills && input.plan.redrives.is_none()
    }

    fn member(&self, Input { plan, receipts, .. }: &Input) -> Member {
        let batch = |receipt: &Receipt| UnitBatch {
            batch: receipt.batch.clone(),
            staged: receipt.counts.staged,
            parts: receipt.parts.clone(),
        };
        let replaces = plan.overwrites && !self.whole_runs && self.on_overwrite == OnOverwrite::Replace;
        Member {
            input: plan.input.clone(),
            generation: plan.generation,
            source: plan.source.clone(),
            source_version: plan.source_version.clone(),
            // Of what is compressed one task reads all, though its name may have had it cut.
            content: receipts.iter().find_map(|receipt| receipt.content.clone()),
            size: plan.size,
            fingerprint: plan.fingerprint.clone(),
            batch_time: plan.batch_time,
            replaces_source: replaces && plan.redrives.is_none(),
            replaces_generations: plan.backfills && !self.whole_runs,
            redrives: plan.redrives,
            batches: receipts.iter().map(batch).collect(),
        }
    }
}

/// Records of an object: read, rejected, and without any declared field.
#[derive(Debug, Clone, Copy, Default)]
struct OfSource {
    read: u64,
    rejected: u64,
    strange: u64,
}

fn by_source(receipts: &[Receipt]) -> BTreeMap<&str, OfSource> {
    let mut sums: BTreeMap<&str, OfSource> = BTreeMap::new();
    for receipt in receipts {
        let sum = sums.entry(&receipt.source).or_default();
        sum.read += receipt.counts.read;
        sum.rejected += receipt.counts.quarantined;
        sum.strange += receipt.strange_records;
    }
    sums
}

/// That all records of an object were rejected, or have none of the declared fields, where it is so.
fn nothing_fits((source, OfSource { read, rejected, strange }): (&str, OfSource)) -> Option<String> {
    let one_or_all = |one: &str, all: &str| if read == 1 { one.to_owned() } else { format!("{all} {read} records") };
    if read == 0 || rejected.max(strange) < read {
        return None;
    }
    Some(if rejected == read {
        let were = if read == 1 { "was" } else { "were" };
        format!("{source}: {} {were} rejected", one_or_all("its only record", "all its"))
    } else {
        let (records, have) = (one_or_all("its only record", "all its"), if read == 1 { "has" } else { "have" });
        format!("{source}: {records} {have} none of the fields that the pipeline declares")
    })
}

/// What keeps a unit from being loaded, however many of its records are right.
fn failures(receipts: &[Receipt]) -> Vec<String> {
    let mut held = Vec::new();
    for receipt in receipts {
        if let Some(incomplete) = &receipt.incomplete {
            held.push(format!("{}: {incomplete}", receipt.source));
        }
        for (check, rows) in &receipt.failed_checks {
            let count = if *rows == 1 { "1 row" } else { &format!("{rows} rows") };
            held.push(format!("{}: {check} fails for {count}, and the pipeline lets none fail it", receipt.source));
        }
    }
    held
}

/// The object that is judged, where it is one.
fn place(receipts: &[Receipt]) -> String {
    let mut sources = receipts.iter().map(|receipt| &receipt.source);
    let first = sources.next();
    match first {
        Some(first) if sources.all(|source| source == first) => format!("{first}: "),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Object;
    use crate::receipt::Coverage;

    fn pipeline(limits: &str) -> Pipeline {
        let text = format!(
            "etalon: 1\npipeline: things\nsource:\n  files: in/*.csv\n  format: csv\n  fields: {{ id: integer }}\n\
             columns:\n  id: {{}}\n{limits}target: {{ table: things, write: append }}\n"
        );
        Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}")).0
    }

    /// The unit of one object with so many records and rejects.
    fn unit(pipeline: &Pipeline, read: u64, quarantined: u64) -> Unit {
        let object = Object { name: "in/a.csv".to_owned(), version: "v".to_owned(), size: 9 };
        let plan = pipeline.plan(&object, 0);
        let task = plan.tasks().remove(0);
        let counts = Counts { read, staged: read - quarantined, quarantined, ..Counts::default() };
        let receipts =
            vec![Receipt { counts, incomplete: None, unread: false, ..pipeline.unread(&task, String::new()) }];
        pipeline.unit("u".to_owned(), &[Input::new(plan, receipts)])
    }

    fn reasons(unit: &Unit) -> Vec<String> {
        match &unit.state {
            UnitState::Held { reasons, .. } => reasons.clone(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn without_a_word_the_limits_are_a_tenth_and_a_hundred() {
        let usual = pipeline("");
        assert_eq!(unit(&usual, 1000, 100).state, UnitState::Pending, "not more than the share");
        assert_eq!(unit(&usual, 900, 99).state, UnitState::Pending, "not so many");
        assert_eq!(
            reasons(&unit(&usual, 900, 100)),
            ["in/a.csv: 100 of 900 records were rejected (11.11%); the limit is 10%"]
        );
        assert_eq!(unit(&pipeline("limits: none\n"), 900, 899).state, UnitState::Pending, "no number is too many");
        let own = pipeline("limits: { rejects: 50%, at_least: 2 }\n");
        assert_eq!(unit(&own, 900, 100).state, UnitState::Pending);
        assert_eq!(reasons(&unit(&own, 3, 2)).len(), 1);
    }

    #[test]
    fn few_rejects_with_many_bytes_are_too_many() {
        let held = |limits: &str, quarantined_bytes| {
            let pipeline = pipeline(limits);
            let object = Object { name: "in/a.csv".to_owned(), version: "v".to_owned(), size: 9 };
            let task = pipeline.plan(&object, 0).tasks().remove(0);
            let counts = Counts { read: 300, staged: 299, quarantined: 1, ..Counts::default() };
            let coverage = Coverage { total: 9000, records: 9000, ..Coverage::default() };
            let unread = pipeline.unread(&task, String::new());
            let receipt = Receipt { counts, coverage, quarantined_bytes, incomplete: None, unread: false, ..unread };
            match pipeline.judge(&[receipt]) {
                Verdict::Held(reasons) => reasons,
                Verdict::Load => Vec::new(),
            }
        };
        let reason =
            "in/a.csv: 1 of 300 records were rejected, which have 5000 of 9000 bytes (55.56%); the limit is 10%";
        assert_eq!(held("limits: { rejects: 10% }\n", 5000), [reason]);
        assert_eq!(held("limits: { rejects: 10% }\n", 900), [""; 0], "not more than the share");
        assert_eq!(held("", 5000), [""; 0], "not so many");
        assert_eq!(held("limits: none\n", 5000), [""; 0]);
    }

    #[test]
    fn a_version_without_records_does_not_take_the_place_of_rows_unasked() {
        let judged = |source: &str, allow: &str, overwrites_rows| {
            let text = format!(
                "etalon: 1\npipeline: things\nsource:\n  files: in/*.csv\n  format: csv\n{source}  fields: {{ id: integer }}\n\
                 columns:\n  id: {{}}\ntarget: {{ table: things, write: append{allow} }}\n"
            );
            let pipeline = Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}")).0;
            let object = Object { name: "in/a.csv".to_owned(), version: "v".to_owned(), size: 9 };
            let plan = InputPlan { overwrites: true, ..pipeline.plan(&object, 0) };
            let unread = pipeline.unread(&plan.tasks().remove(0), String::new());
            let receipts = vec![Receipt { incomplete: None, unread: false, ..unread }];
            let input =
                Input { plan, receipts, overwrites_loaded: overwrites_rows, overwrites_rows, overwrites_same: false };
            pipeline.unit("u".to_owned(), &[input]).is_held()
        };
        let replace = "  on_overwrite: replace\n";
        assert!(judged(replace, "", true));
        assert!(!judged(replace, ", allow_empty: true", true) && !judged(replace, "", false));
        assert!(!judged("  on_overwrite: add\n", "", true));
    }

    #[test]
    fn where_no_record_has_a_declared_field_nothing_is_loaded() {
        let pipeline = pipeline("limits: none\n");
        let object = Object { name: "in/a.jsonl".to_owned(), version: "v".to_owned(), size: 9 };
        let task = pipeline.plan(&object, 0).tasks().remove(0);
        let receipt = |read, strange_records| {
            let counts = Counts { read, staged: read, ..Counts::default() };
            let unread = pipeline.unread(&task, String::new());
            Receipt { counts, strange_records, incomplete: None, unread: false, ..unread }
        };
        assert_eq!(pipeline.judge(&[receipt(3, 2)]), Verdict::Load);
        assert_eq!(pipeline.judge(&[receipt(3, 3), receipt(2, 1)]), Verdict::Load, "another range has some");
        let held = "in/a.jsonl: all its 3 records have none of the fields that the pipeline declares";
        assert_eq!(pipeline.judge(&[receipt(3, 3)]), Verdict::Held(vec![held.to_owned()]));
    }

    #[test]
    fn where_every_record_was_rejected_nothing_is_loaded() {
        assert_eq!(reasons(&unit(&pipeline("limits: none\n"), 3, 3)).len(), 1, "whatever the limits say");
        assert_eq!(reasons(&unit(&pipeline(""), 3, 3)), ["in/a.csv: all its 3 records were rejected"]);
        assert_eq!(reasons(&unit(&pipeline(""), 1, 1)), ["in/a.csv: its only record was rejected"]);
        assert_eq!(unit(&pipeline(""), 0, 0).state, UnitState::Pending, "an object without records is whole");
    }
}

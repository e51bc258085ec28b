//! `etalon run`: loads what is new. It is the main job.

use std::collections::BTreeMap;
use std::time::Instant;

use clap::Args;
use etalon_core::diagnostic::Code;
use etalon_core::pipeline::Resolved;
use etalon_core::protocol as asked;
use etalon_core::protocol::prefix;
use etalon_core::warehouse::{LoadCounts, WriteMode};
use etalon_driver::judge::REFUSED;
use etalon_driver::land::{Asked, LandReport};
use etalon_driver::local::{LocalDisk, SystemClock};
use etalon_driver::report::{HeldReport, OnlyCopy, Replaced, RunReport, RunState};
use etalon_driver::run::{self, RunOptions, World};
use serde::Serialize;

use super::Verb;
use super::elsewhere::{self, Unfinished};
use crate::arguments::{Destination, Source, Work, Written};
use crate::failure::Failure;
use crate::input::Found;
use crate::loaded::Loaded;
use crate::output::Output;
use crate::progress::Bar;
use crate::remote::Remote;
use crate::view::{Sums, Table, View, how_many, thousands, unknown_rejects};

/// Run a pipeline: read, check and load what is new
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    work: Work,
    /// Also load what another pipeline has loaded into the table
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    written: Written,
}

impl Verb for Run {
    const NAME: &'static str = "run";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        let (batch_time, workers) = (self.work.batch_time, self.work.threads);
        let options = RunOptions { batch_time, workers, again: self.again, ..RunOptions::default() };
        let begun = Instant::now();
        if let Some((remote, _)) = self.destination.remote(&self.source.file, output)? {
            self.destination.excludes("--from", !self.source.from.is_empty())?;
            self.destination.excludes("--threads", self.work.threads.is_some())?;
            self.destination.excludes("--again", self.again)?;
            let work = asked::Work::Prefix(String::new());
            return Ok(Ran::elsewhere(
                elsewhere::carry_out(&remote, work, self.work.batch_time, output)?,
                &remote,
                begun,
            ));
        }
        let loaded = self.source.file.load(output)?;
        let found = self.source.find(&loaded, Some(Asked::New), output)?;
        carry_out(asked::Work::Prefix(String::new()), begun, &loaded, found, &self.destination, &options, output)
    }
}

/// Does work with a pipeline, over the objects that were found.
pub(super) fn carry_out(
    work: asked::Work,
    begun: Instant,
    loaded: &Loaded,
    found: Found,
    destination: &Destination,
    options: &RunOptions,
    output: Output,
) -> Result<Ran, Failure> {
    let store = loaded.store_for_run(destination)?;
    // Whoever waits finds what is left when the other has ended.
    let alone = store.lock_run(|| output.note("another run is at work; this one waits until it has ended"))?;
    // What lands is written through at once: the cursor must not be there before what it names.
    let taken = found.take(loaded, &store)?;
    let options = RunOptions { links: taken.links()?, ..options.clone() };
    let mut warehouse = destination.open(&loaded.state())?;
    let bar = Bar::new(output);
    let world = World {
        source: &taken.input,
        store: alone.disk(),
        warehouse: &mut warehouse,
        clock: &SystemClock,
        progress: &bar,
    };
    let ended = pollster::block_on(run::run(&loaded.pipeline, &loaded.text, work, &taken.objects, world, &options));
    bar.clear();
    alone.end()?;
    Ok(Ran {
        landed: taken.landed.as_ref().map(Arrived::of),
        failed: taken.failed,
        ..Ran::new(ended?, &loaded.pipeline, begun, quarantine(&store))
    })
}

/// What a run did.
#[derive(Debug, Serialize)]
pub(super) struct Ran {
    #[serde(flatten)]
    report: RunReport,
    /// What has landed, where the source is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    landed: Option<Arrived>,
    /// Why the source was not read.
    #[serde(skip)]
    failed: Option<Failure>,
    #[serde(skip)]
    seconds: f64,
    /// The folder of the quarantine, for people.
    #[serde(skip)]
    quarantine: String,
    /// Whether what is held may be released.
    #[serde(skip)]
    can_be_released: bool,
    /// Whether nobody decides about it: it is in a folder of its own.
    #[serde(skip)]
    is_staged: bool,
    /// What functions are still at work with.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<Unfinished>,
}

/// The folder of the quarantine in a store.
pub(super) fn quarantine(store: &LocalDisk) -> String {
    store.path("quarantine").display().to_string()
}

/// What has landed.
#[derive(Debug, Serialize)]
pub(super) struct Arrived {
    windows: Vec<String>,
    rows: u64,
    bytes: u64,
    /// Why something is not landed yet.
    waits_for: Option<String>,
    /// What somebody should look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Arrived {
    fn of(report: &LandReport) -> Self {
        Self {
            windows: report.windows.iter().map(|window| window.name.clone()).collect(),
            rows: report.windows.iter().map(|window| window.rows).sum(),
            bytes: report.windows.iter().map(|window| window.object().size).sum(),
            waits_for: report.waits_for.clone(),
            notes: report.notes.clone(),
        }
    }
}

impl Ran {
    /// What was done; `quarantine` is where the rejects are, for people.
    pub(super) fn new(report: RunReport, pipeline: &Resolved, begun: Instant, quarantine: String) -> Self {
        assert!(report.balance(), "every record and every byte is accounted for");
        // A load that would leave the table empty is refused, whoever asks for it.
        let is_empty = report.held.iter().all(|held| held.counts.staged == 0);
        let would_empty = pipeline.table().write == WriteMode::Replace { allow_empty: false } && is_empty;
        Self {
            report,
            landed: None,
            failed: None,
            seconds: begun.elapsed().as_secs_f64(),
            quarantine,
            can_be_released: !would_empty,
            is_staged: false,
            unfinished: None,
        }
    }

    /// The same, where the source may not have been read.
    pub(super) fn after(self, failed: Option<Failure>) -> Self {
        Self { failed, ..self }
    }

    /// What was staged, and is loaded by nobody here.
    pub(super) fn staged(report: RunReport, pipeline: &Resolved, begun: Instant, quarantine: String) -> Self {
        Self { is_staged: true, ..Self::new(report, pipeline, begun, quarantine) }
    }

    /// What was done where the pipeline is deployed.
    pub(super) fn elsewhere(done: elsewhere::Done, remote: &Remote, begun: Instant) -> Self {
        let quarantine = remote.url(prefix::QUARANTINE.text);
        Self { unfinished: done.unfinished, ..Self::new(done.report, remote.pipeline(), begun, quarantine) }
    }

    fn sums(&self) -> Sums {
        let report = &self.report;
        let mut sums = Sums::default();
        let before = report.inputs.iter().filter(|input| input.loaded_before).count() as u64;
        let discarded = report.inputs.iter().filter(|input| input.discarded).count() as u64;
        let held = report.inputs.iter().filter(|input| input.held_before).count() as u64;
        let reloaded = report.inputs.iter().filter(|input| input.reloaded).count() as u64;
        let left = report.inputs.iter().filter(|input| input.not_looked_at).count() as u64;
        let inputs = report.inputs.len() as u64;
        let new = inputs - before - reloaded - discarded - held - left;
        let mut parts = vec![("new", new), ("loaded before", before)];
        parts.extend((reloaded > 0).then_some(("reloaded", reloaded)));
        parts.extend((held > 0).then_some(("held before", held)));
        parts.extend((discarded > 0).then_some(("discarded", discarded)));
        parts.extend((left > 0).then_some(("not looked at", left)));
        if inputs > 0 {
            sums.push("inputs", inputs, parts);
        }
        if new + reloaded == 0 && report.counts.read == 0 {
            return sums;
        }
        let counts = &report.counts;
        let filtered = counts.filtered_false + counts.filtered_null;
        let parts = vec![("staged", counts.staged), ("filtered", filtered), ("quarantined", counts.quarantined)];
        sums.push("read", counts.read, parts);
        if let Some(load) = &report.load {
            let mut parts = outcomes(load);
            parts.extend((report.not_loaded > 0).then_some(("not loaded", report.not_loaded)));
            sums.push("staged", load.staged + report.not_loaded, parts);
        }
        let coverage = &report.coverage;
        let parts = vec![
            ("header", coverage.header),
            ("records", coverage.records),
            ("blank", coverage.blank),
            ("comments", coverage.comments),
            ("skipped", coverage.skipped),
        ];
        sums.push("bytes", coverage.total, parts);
        sums
    }

    /// What is counted beside the sums: a heading, and what of it how often.
    fn counted(&self) -> [(&'static str, Vec<(&str, u64)>); 3] {
        let report = &self.report;
        let undeclared = report.undeclared_records;
        [
            ("undeclared", if undeclared > 0 { vec![("records", undeclared)] } else { Vec::new() }),
            ("rejects", by_name(&report.reasons)),
            ("warnings", by_name(&report.warnings)),
        ]
    }
}

fn by_name(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    counts.iter().map(|(name, &count)| (name.as_str(), count)).collect()
}

/// What became of staged rows; few pipelines have deletes.
pub(super) fn outcomes(load: &LoadCounts) -> Vec<(&'static str, u64)> {
    let mut parts = vec![
        ("inserted", load.inserted),
        ("updated", load.updated),
        ("unchanged", load.unchanged),
        ("deduplicated", load.deduplicated),
        ("superseded", load.superseded),
    ];
    parts.extend((load.deleted > 0).then_some(("deleted", load.deleted)));
    parts
}

impl View for Ran {
    fn table(&self) -> Table {
        let mut table = self.sums().table();
        for (of, counted) in self.counted() {
            for (part, count) in counted {
                table.push([of, part, &count.to_string()].map(|cell| Some(cell.to_owned())).to_vec());
            }
        }
        // With each reason the rows that wait.
        for held in &self.report.held {
            for reason in &held.reasons {
                table
                    .push(["held", reason, &held.counts.staged.to_string()].map(|cell| Some(cell.to_owned())).to_vec());
            }
        }
        table
    }

    fn page(&self) -> String {
        let report = &self.report;
        let state = match &report.state {
            _ if self.unfinished.is_some() => "at work",
            RunState::Loaded => "loaded",
            RunState::Staged => "staged",
            RunState::NothingNew => "nothing new",
            RunState::Held(_) => "HELD: staged, not loaded",
        };
        let mut page = format!("{} -> {}: {state}, {:.1} s\n", report.pipeline, report.table, self.seconds);
        page.push_str(&self.sums().text("  "));
        for (of, counted) in self.counted().iter().filter(|(_, counted)| !counted.is_empty()) {
            page.push_str(match *of {
                "undeclared" => "  records with fields that are not declared:\n",
                "rejects" => "  reasons of rejects:\n",
                _ => "  warnings:\n",
            });
            let width = counted.iter().map(|(_, count)| thousands(*count).len()).max().unwrap_or_default();
            for (part, count) in counted {
                let meaning = Code::ALL.iter().find(|code| part.starts_with(code.text()));
                let meaning =
                    meaning.map(|code| format!("  ({})", code.meaning().trim_end_matches('.'))).unwrap_or_default();
                page.push_str(&format!("    {:>width$}  {part}{meaning}\n", thousands(*count)));
            }
        }
        page
    }

    fn notes(&self) -> Vec<String> {
        let report = &self.report;
        let mut notes = Vec::new();
        if let Some(landed) = &self.landed {
            let windows = how_many(landed.windows.len() as u64, "window");
            let (rows, bytes) = (how_many(landed.rows, "row"), how_many(landed.bytes, "byte"));
            notes.push(format!("landed {windows} of the source: {rows}, {bytes}"));
            notes.extend(landed.waits_for.clone());
            notes.extend(landed.notes.iter().cloned());
        }
        if !report.quarantine.is_empty() {
            notes.push(format!("the rejects, with all their reasons: {}", self.quarantine));
        }
        let counts = &report.counts;
        if report.load.is_some() && counts.quarantined.saturating_mul(MANY) > counts.read {
            let [rejected, read] = [counts.quarantined, counts.read].map(thousands);
            notes.push(format!("{rejected} of {read} records were rejected: `etalon rejects show` says why"));
        }
        notes.extend(report.replaced.and_then(looked_at));
        notes.extend(unknown_rejects(report.unknown_rejects));
        match report.load.map_or(0, |load| load.removed) {
            0 => {}
            n => notes.push(format!("removed {} that earlier loads had brought", how_many(n, "row"))),
        }
        notes.extend(report.only_copies.iter().map(OnlyCopy::words));
        notes.extend(report.copies_loaded.iter().map(|source| {
            format!(
                "{source} was held as a copy, and is loaded now, since the table does not have the rows of its original any more; if that \
                 one has only grown, these rows are there twice"
            )
        }));
        notes.extend(set_back(report.set_back));
        let stay = if report.set_back > 0 { "" } else { ", and stay as they are" };
        notes.extend(report.gone.iter().map(|source| {
            format!("{source} is no longer among the source's files: its rows were not loaded again{stay}")
        }));
        notes.extend(report.earlier_versions.iter().map(|source| {
            format!(
                "{source} was loaded before in another version: those rows were not loaded again, and stay as they are"
            )
        }));
        notes.extend(report.lost.iter().map(|source| {
            format!(
                "{source}: rows that it had brought are LOST: the table does not have them any more, and the source does not have \
                 the file any more as it was then"
            )
        }));
        if report.load.is_some() && !report.other_pipelines.is_empty() {
            let others: Vec<&str> = report.other_pipelines.iter().map(String::as_str).collect();
            let others = others.join(", ");
            notes.push(format!("table {} has rows of other pipelines too: {others}", report.table));
        }
        match report.out_of_date {
            0 => {}
            1 => notes.push(format!("{CHANGED} 1 file was loaded; it was not loaded again: `etalon reload` does it")),
            n => notes.push(format!(
                "{CHANGED} {} files were loaded; they were not loaded again: `etalon reload` does it",
                thousands(n)
            )),
        }
        if let Some(decision) = &report.decision {
            if decision.units.is_empty() && decision.left.is_empty() {
                let nothing = match decision.decision.as_str() {
                    "release" => "nothing to release: no file is held",
                    "discard" => "nothing to discard: every file that was read has been loaded, or discarded before",
                    _ => "nothing to undiscard: no file is discarded",
                };
                notes.push(nothing.to_owned());
            }
            let done = match decision.decision.as_str() {
                "release" => "released",
                "discard" => "discarded",
                _ => "held again",
            };
            notes.extend(decision.sources.iter().map(|source| format!("{source}: {done}")));
            notes.extend(decision.left.iter().cloned());
        }
        notes
    }

    /// As long as anything is held, somebody has to decide.
    fn end(&self) -> Result<(), Failure> {
        if let Some(unfinished) = &self.unfinished {
            return Err(unfinished.failure());
        }
        if let Some(failure) = &self.failed {
            return Err(failure
                .clone()
                .with_help("what has landed before was read all the same; the next run asks the source again"));
        }
        let held = &self.report.held;
        if held.is_empty() {
            return Ok(());
        }
        let reasons = held.iter().flat_map(|held| {
            let size = size_of(held, &self.report.held);
            held.reasons.iter().map(move |reason| format!("{reason} ({size})"))
        });
        let is_refused = held.iter().any(|held| held.reasons.iter().any(|reason| reason.starts_with(REFUSED)));
        let can_be_released = self.can_be_released && held.iter().any(|held| !held.incomplete);
        let decide = if can_be_released { "`etalon release`, `etalon discard`" } else { "`etalon discard`" };
        let help = match self.is_staged {
            true => "fix the pipeline or the data, and stage into another folder".to_owned(),
            false if is_refused && can_be_released => format!(
                "fix the pipeline or the data and run again; if you have mended the table, `etalon release` tries again; or decide: \
                 {decide}"
            ),
            false => format!("fix the pipeline or the data and run again, or decide: {decide}"),
        };
        Err(Failure::held(&reasons.collect::<Vec<_>>(), &help, self.report.load.is_some()))
    }
}

/// What is to be said where older records have updated rows, and nothing tells which is newer.
pub(super) fn set_back(rows: u64) -> Option<String> {
    (rows > 0).then(|| {
        format!(
            "the target has no `order_by`, so that what is loaded last stays: older records have updated {}, also where a later file had brought \
             newer ones; name the column that tells which is newer (`order_by`), and `etalon reload`",
            how_many(rows, "row")
        )
    })
}

/// What is to be said of the rows of earlier versions.
fn looked_at(Replaced { expected, missing, keys, otherwise }: Replaced) -> Option<String> {
    if otherwise > 0 {
        let rows = how_many(otherwise, "row");
        return Some(format!(
            "what was removed was loaded when the pipeline wrote the table otherwise, and had taken the place of up to {rows} of other \
             files, which do not come back: `etalon reload` reads the files again"
        ));
    }
    if missing > 0 {
        let (were, rows) = (if missing == 1 { "was" } else { "were" }, how_many(expected, "row"));
        return Some(format!(
            "of {rows} that earlier versions had brought {} {were} not found by _etalon_batch: removed by hand, or there still \
             beside the new ones",
            thousands(missing)
        ));
    }
    (keys > 0).then(|| {
        let (have, they) = if keys == 1 { ("has", "it") } else { ("have", "them") };
        format!(
            "up to {} of what was removed {have} no row any more though another file has {they}: `etalon reload` reads the files \
             again",
            how_many(keys, "key")
        )
    })
}

/// How much is held of a unit, and which of several versions it is, by the name that a decision about it alone takes.
pub(super) fn size_of(held: &HeldReport, all: &[HeldReport]) -> String {
    let size = format!("{}, {}", how_many(held.bytes, "byte"), how_many(held.counts.staged, "row"));
    match all.iter().filter(|other| other.title == held.title).count() {
        1 => size,
        _ => format!("{}, {size}", held.named),
    }
}

/// Rejects are many where more than one record of so many is one: the share from which larger files are held.
const MANY: u64 = 10;
const CHANGED: &str = "the pipeline has changed since";

//! `etalon rejects`: what lies in quarantine, and sending it through a mended pipeline again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use etalon_driver::local::{LocalDisk, SystemClock};
use etalon_driver::rejects::{self, Forecast, InputRejects, Kept, Redriven, State};
use serde::Serialize;

use super::Loaded;
use crate::failure::Failure;
use crate::output::{Form, Output, clean, table, thousands};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Count the rejects of each input, by reason and by what has become of them
    Ls(Ls),
    /// Show rejected records, with their places and everything that is wrong with them
    Show(Show),
    /// Send the open rejects through the pipeline again, and load what passes
    Redrive(Redrive),
    /// Leave open rejects as they are, for good
    Discard(Discard),
}

#[derive(Debug, Args)]
pub(crate) struct Ls {
    /// The pipeline file
    pipeline: PathBuf,
    /// How to write the counts
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The pipeline file
    pipeline: PathBuf,
    /// Only rejects of this input
    #[arg(long)]
    source: Option<String>,
    /// Only rejects with a reason that begins so: a code, or a code and what it happened to
    #[arg(long)]
    reason: Option<String>,
    /// Only rejects of which this has become
    #[arg(long, value_enum, default_value = "open")]
    state: Wanted,
    /// At most so many records
    #[arg(long, default_value = "20")]
    limit: usize,
    /// How to write the records
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// The pipeline file
    pipeline: PathBuf,
    /// Say how many would pass, and change nothing
    #[arg(long)]
    plan: bool,
    /// The warehouse: a SQLite file, or postgres://user@host/database with the password in PGPASSWORD; warehouse.db in the
    /// folder .etalon beside the pipeline file, if not given
    #[arg(long)]
    to: Option<String>,
    /// How to write what was done
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Discard {
    /// The pipeline file
    pipeline: PathBuf,
    /// Only rejects of this input
    #[arg(long)]
    source: Option<String>,
    /// Only rejects with a reason that begins so: a code, or a code and what it happened to
    #[arg(long)]
    reason: Option<String>,
}

/// Which rejects are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wanted {
    Open,
    Redriven,
    Discarded,
    All,
}

pub(crate) fn run(command: &Command, output: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Ls(arguments) => ls(arguments, output),
        Command::Show(arguments) => show(arguments, output),
        Command::Redrive(arguments) => redrive(arguments, output),
        Command::Discard(arguments) => discard(arguments, output),
    }
}

fn read(loaded: &Loaded) -> Result<Vec<InputRejects>, Failure> {
    Ok(pollster::block_on(rejects::read(&LocalDisk::new(loaded.state()), &loaded.pipeline))?)
}

/// How many rejects there are, and what has become of them.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counts {
    quarantined: u64,
    open: u64,
    redriven: u64,
    discarded: u64,
}

impl Counts {
    fn add(&mut self, state: State) {
        self.quarantined += 1;
        match state {
            State::Open => self.open += 1,
            State::Redriven => self.redriven += 1,
            State::Discarded => self.discarded += 1,
        }
    }
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    source: &'a str,
    version: &'a str,
    #[serde(flatten)]
    counts: Counts,
    /// A record with two reasons counts for both.
    reasons: BTreeMap<String, Counts>,
}

fn ls(arguments: &Ls, output: &mut Output) -> Result<(), Failure> {
    let loaded = super::load(&arguments.pipeline, output)?;
    let inputs = read(&loaded)?;
    let mut listed = Vec::new();
    for input in inputs.iter().filter(|input| !input.rejects.is_empty()) {
        let mut counts = Counts::default();
        let mut reasons: BTreeMap<String, Counts> = BTreeMap::new();
        for kept in &input.rejects {
            counts.add(kept.state);
            for reason in &kept.reject.reasons {
                reasons.entry(format!("{} {}", reason.code, reason.subject)).or_default().add(kept.state);
            }
        }
        listed.push(Listed { source: &input.plan.source, version: &input.plan.source_version, counts, reasons });
    }
    if arguments.output == Form::Json {
        return output.json(&listed);
    }
    let cells = |source: &str, reason: &str, counts: &Counts| -> Vec<Option<String>> {
        let numbers = [counts.quarantined, counts.open, counts.redriven, counts.discarded].map(thousands);
        [source.to_owned(), reason.to_owned()].into_iter().chain(numbers).map(Some).collect()
    };
    let mut rows = Vec::new();
    for input in &listed {
        rows.push(cells(input.source, "(records)", &input.counts));
        rows.extend(input.reasons.iter().map(|(reason, counts)| cells("", reason, counts)));
    }
    let header = ["source", "reason", "quarantined", "open", "redriven", "discarded"].map(str::to_owned);
    output.data(&table(&header, &[false, false, true, true, true, true], &rows))
}

/// Whether a reject is of a source and has a reason, where these are said.
fn is_of(kept: &etalon_core::reject::Reject, source: Option<&str>, reason: Option<&str>) -> bool {
    let has = |wanted: &str| kept.reasons.iter().any(|one| format!("{} {}", one.code, one.subject).starts_with(wanted));
    source.is_none_or(|source| kept.source == source) && reason.is_none_or(has)
}

fn show(arguments: &Show, output: &mut Output) -> Result<(), Failure> {
    let loaded = super::load(&arguments.pipeline, output)?;
    let inputs = read(&loaded)?;
    let is_wanted = |kept: &&Kept| {
        let state = match arguments.state {
            Wanted::All => true,
            Wanted::Open => kept.state == State::Open,
            Wanted::Redriven => kept.state == State::Redriven,
            Wanted::Discarded => kept.state == State::Discarded,
        };
        state && is_of(&kept.reject, arguments.source.as_deref(), arguments.reason.as_deref())
    };
    let all: Vec<&Kept> = inputs.iter().flat_map(|input| &input.rejects).filter(is_wanted).collect();
    let shown = all.get(..arguments.limit.min(all.len())).unwrap_or(&all);
    if arguments.output == Form::Json {
        return output.json(&shown);
    }
    let mut text = String::new();
    for Kept { state, reject, .. } in shown {
        let state = match state {
            State::Open => "",
            State::Redriven => " (redriven)",
            State::Discarded => " (discarded)",
        };
        text.push_str(&format!("{} at byte {}{state}\n", reject.source, reject.place.offset));
        match (&reject.raw, &reject.raw_base64) {
            (Some(raw), _) => text.push_str(&format!("    {}\n", clean(raw))),
            (_, Some(raw)) => text.push_str(&format!("    in base 64: {}\n", clean(raw))),
            _ => {
                for (name, value) in &reject.fields {
                    text.push_str(&format!(
                        "    {name}: {}\n",
                        value.as_deref().map_or_else(|| "NULL".to_owned(), clean)
                    ));
                }
            }
        }
        for reason in &reject.reasons {
            text.push_str(&format!("    {} {}: {}\n", reason.code, reason.subject, reason.message));
        }
    }
    output.data(&text)?;
    if shown.len() < all.len() {
        output.note(&format!("{} of {} are shown; --limit shows more", shown.len(), all.len()));
    }
    Ok(())
}

fn redrive(arguments: &Redrive, output: &mut Output) -> Result<(), Failure> {
    let loaded = super::load(&arguments.pipeline, output)?;
    let inputs = read(&loaded)?;
    let source = source(&loaded, &inputs);
    if arguments.plan {
        let forecast = pollster::block_on(rejects::forecast(&loaded.pipeline, &inputs, &source))?;
        return if arguments.output == Form::Json { output.json(&forecast) } else { output.data(&foretold(&forecast)) };
    }
    let store = LocalDisk::new(loaded.state());
    let mut warehouse = super::open_warehouse(arguments.to.as_deref(), &loaded.state())?;
    let redrive = rejects::redrive(&loaded.pipeline, &loaded.text, &source, &store, &mut warehouse, &SystemClock);
    let redriven = pollster::block_on(redrive)?;
    if arguments.output == Form::Json {
        output.json(&redriven)?;
    } else {
        output.data(&done(&redriven))?;
    }
    for source in &redriven.waiting {
        output.note(&format!("{source} is not loaded, so that its rejects wait: run the pipeline first"));
    }
    for reason in &redriven.held {
        output.note(&format!("held: {reason}"));
    }
    if redriven.held.is_empty() { Ok(()) } else { Err(Failure::Unwanted) }
}

/// The files that were read: relative to the pipeline file, or to where the command is called, as `--from` has them.
fn source(loaded: &Loaded, inputs: &[InputRejects]) -> LocalDisk {
    let beside = LocalDisk::new(&loaded.folder);
    let are_beside = inputs.iter().all(|input| beside.path(&input.plan.source).is_file());
    if are_beside { beside } else { LocalDisk::new(".") }
}

fn foretold(forecast: &Forecast) -> String {
    let rows: Vec<Vec<Option<String>>> = forecast
        .reasons
        .iter()
        .map(|(reason, (open, pass))| vec![Some(reason.clone()), Some(thousands(*open)), Some(thousands(*pass))])
        .collect();
    let header = ["reason", "open", "would pass"].map(str::to_owned);
    let n = thousands;
    format!(
        "open {} = {} would pass + {} would be filtered + {} would be rejected again\n{}",
        n(forecast.open),
        n(forecast.pass),
        n(forecast.filtered),
        n(forecast.fail),
        if rows.is_empty() { String::new() } else { table(&header, &[false, true, true], &rows) }
    )
}

fn done(redriven: &Redriven) -> String {
    let (counts, n) = (&redriven.counts, thousands);
    let mut text = format!(
        "redriven {} = {} staged + {} filtered + {} rejected again\n",
        n(counts.read),
        n(counts.staged),
        n(counts.filtered_false + counts.filtered_null),
        n(counts.quarantined)
    );
    if let Some(load) = &redriven.load {
        text.push_str(&format!(
            "staged {} = {} inserted + {} updated + {} unchanged + {} deduplicated + {} superseded + {} deleted\n",
            n(load.staged),
            n(load.inserted),
            n(load.updated),
            n(load.unchanged),
            n(load.deduplicated),
            n(load.superseded),
            n(load.deleted)
        ));
    }
    text
}

fn discard(arguments: &Discard, output: &mut Output) -> Result<(), Failure> {
    let loaded = super::load(&arguments.pipeline, output)?;
    let store = LocalDisk::new(loaded.state());
    let chosen =
        |reject: &etalon_core::reject::Reject| is_of(reject, arguments.source.as_deref(), arguments.reason.as_deref());
    let count = pollster::block_on(rejects::discard(&loaded.pipeline, &store, chosen))?;
    output.data(&format!("discarded {}\n", thousands(count)))
}

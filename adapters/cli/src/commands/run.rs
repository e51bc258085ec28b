//! `etalon run`: the main job.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use etalon_core::diagnostic::Code;
use etalon_core::value::datetime::{Fraction, parse_timestamptz};
use etalon_driver::local::{LocalDisk, SystemClock};
use etalon_driver::report::{RunReport, RunState};
use etalon_driver::run::{self, RunOptions, World};

use crate::failure::Failure;
use crate::output::{Form, Output, thousands};
use crate::progress::Bar;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The pipeline file
    pipeline: PathBuf,
    /// Files to read in place of the pipeline's source: paths or globs
    #[arg(long)]
    from: Vec<String>,
    /// The warehouse: a SQLite file, or postgres://user@host/database with the password in PGPASSWORD; warehouse.db in the
    /// folder .etalon beside the pipeline file, if not given
    #[arg(long)]
    to: Option<String>,
    /// What batch_time() is: a timestamp with its offset; the time of the first run over an input, if not given
    #[arg(long)]
    batch_time: Option<String>,
    /// Threads to work with; the machine's cores, if not given
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// How to write the summary
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

impl Arguments {
    /// A run of a pipeline with nothing else said.
    pub(crate) fn of(pipeline: PathBuf, from: Vec<String>, to: Option<String>, output: Form) -> Self {
        Self { pipeline, from, to, batch_time: None, threads: None, output }
    }
}

pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    carry_out(arguments, false, output)
}

/// Runs a pipeline; `release` loads also what would be held.
pub(crate) fn carry_out(arguments: &Arguments, release: bool, output: &mut Output) -> Result<(), Failure> {
    let begun = Instant::now();
    let loaded = super::load(&arguments.pipeline, output)?;
    let (source, objects) = loaded.objects(&arguments.from)?;
    let batch_time = arguments.batch_time.as_deref().map(batch_time).transpose()?;
    let state = loaded.state();
    let store = LocalDisk::new(&state);
    let mut warehouse = super::open_warehouse(arguments.to.as_deref(), &state)?;
    let bar = Bar::new();
    let world =
        World { source: &source, store: &store, warehouse: &mut warehouse, clock: &SystemClock, progress: &bar };
    let options = RunOptions { batch_time, workers: arguments.threads, release };
    let ended = pollster::block_on(run::run(&loaded.pipeline, &loaded.text, &objects, world, &options));
    bar.clear();
    tell(&ended?, begun, &state, arguments.output, output)
}

/// What `--batch-time` says.
pub(crate) fn batch_time(text: &str) -> Result<i64, Failure> {
    parse_timestamptz(text.as_bytes(), Fraction::Exact, true)
        .map_err(|fault| Failure::World(format!("--batch-time: {}", fault.message)))
}

/// Tells what a run did; `store` is the folder of its quarantine. A run that is held is a failure.
pub(crate) fn tell(
    report: &RunReport,
    begun: Instant,
    store: &Path,
    form: Form,
    output: &mut Output,
) -> Result<(), Failure> {
    if form == Form::Json {
        output.json(report)?;
    } else {
        output.data(&summary(report, begun.elapsed().as_secs_f64()))?;
        if !report.quarantine.is_empty() {
            output.note(&format!("the rejects, with all their reasons: {}", store.join("quarantine").display()));
        }
    }
    assert!(report.balance(), "every record and every byte is accounted for");
    match &report.state {
        RunState::Held(reasons) => {
            for reason in reasons {
                output.note(&format!("held: {reason}"));
            }
            output.note("nothing was loaded; mend the pipeline or the data and run again, or decide: etalon release, etalon discard");
            Err(Failure::Unwanted)
        }
        RunState::Loaded | RunState::Staged | RunState::NothingNew => Ok(()),
    }
}

/// The report for people: every sum is written out, so that it can be checked by eye.
fn summary(report: &RunReport, seconds: f64) -> String {
    use std::fmt::Write;
    let n = thousands;
    let mut text = String::new();
    let state = match &report.state {
        RunState::Loaded => "loaded",
        RunState::Staged => "staged",
        RunState::NothingNew => "nothing new",
        RunState::Held(_) => "HELD: staged, not loaded",
    };
    let _ = writeln!(text, "{} -> {}: {state}, {seconds:.1} s", report.pipeline, report.table);
    let before = report.inputs.iter().filter(|input| input.loaded_before).count();
    let discarded = report.inputs.iter().filter(|input| input.discarded && !input.loaded_before).count();
    let inputs = report.inputs.len();
    let new = inputs - before - discarded;
    let _ = write!(text, "  inputs  {inputs} = {new} new + {before} loaded before");
    text.push_str(&if discarded > 0 { format!(" + {discarded} discarded\n") } else { "\n".to_owned() });
    if new == 0 {
        return text;
    }
    let counts = &report.counts;
    let filtered = counts.filtered_false + counts.filtered_null;
    let _ = writeln!(
        text,
        "  read    {} = {} staged + {} filtered + {} quarantined",
        n(counts.read),
        n(counts.staged),
        n(filtered),
        n(counts.quarantined)
    );
    if let Some(load) = &report.load {
        let _ = writeln!(
            text,
            "  staged  {} = {} inserted + {} updated + {} unchanged + {} deduplicated + {} superseded{}",
            n(load.staged),
            n(load.inserted),
            n(load.updated),
            n(load.unchanged),
            n(load.deduplicated),
            n(load.superseded),
            // Few pipelines have deletes.
            if load.deleted > 0 { format!(" + {} deleted", n(load.deleted)) } else { String::new() }
        );
    }
    let coverage = &report.coverage;
    let _ = writeln!(
        text,
        "  bytes   {} = {} header + {} records + {} blank + {} comments + {} skipped",
        n(coverage.total),
        n(coverage.header),
        n(coverage.records),
        n(coverage.blank),
        n(coverage.comments),
        n(coverage.skipped)
    );
    if report.undeclared_records > 0 {
        let _ = writeln!(text, "  records with fields that are not declared: {}", n(report.undeclared_records));
    }
    for (title, counted) in [("reasons of rejects", &report.reasons), ("warnings", &report.warnings)] {
        if counted.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  {title}:");
        let width = counted.values().map(|&count| n(count).len()).max().unwrap_or_default();
        for (reason, &count) in counted {
            let meaning = Code::ALL.iter().find(|code| reason.starts_with(code.text()));
            let meaning =
                meaning.map(|code| format!("  ({})", code.meaning().trim_end_matches('.'))).unwrap_or_default();
            let _ = writeln!(text, "    {:>width$}  {reason}{meaning}", n(count));
        }
    }
    text
}

//! `etalon-sandbox run`: a pipeline on a cloud of this machine, from its files to rows in the warehouse, and what that took.
//!
//! `etalon sandbox run` calls it. Data goes to standard output, everything else to standard error; exit codes are those of
//! `etalon`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::UnitState;
use etalon_core::receipt::Counts;
use etalon_core::spec::Location;
use etalon_core::warehouse::LoadCounts;
use etalon_driver::local::LocalDisk;
use etalon_driver::ports::Objects;
use etalon_sandbox::cloud::{Cloud, Counterparts, Programs, Settings};
use serde_json::json;

/// What the names of buckets, queues and functions begin with.
const NAME: &str = "sandbox";
/// A mebibyte.
const MIB: f64 = 1024.0 * 1024.0;

/// A pipeline's whole path on this machine: S3, SQS, EventBridge and Redshift are stand-ins, the functions are the real ones.
#[derive(Debug, Parser)]
#[command(name = "etalon-sandbox", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deploy a pipeline, run it once over its files, and tell what it took. It needs PostgreSQL and Python's moto
    Run(Run),
}

#[derive(Debug, clap::Args)]
struct Run {
    /// The pipeline file
    pipeline: PathBuf,
    /// Files to read in place of the pipeline's source
    #[arg(long)]
    from: Vec<PathBuf>,
    /// The value of a placeholder of the pipeline file
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// How long the run may take, in seconds
    #[arg(long, default_value_t = 900)]
    patience: u64,
    /// Tasks at work at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1000))]
    transforms: u16,
    /// Leave everything there until Enter is pressed
    #[arg(long)]
    stay: bool,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Run(arguments) = Arguments::parse().command;
    match run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            note(&format!("error: {error}"));
            ExitCode::from(3)
        }
    }
}

#[expect(clippy::print_stderr, reason = "it is what people read")]
fn note(line: &str) {
    eprintln!("{line}");
}

async fn run(arguments: Run) -> Result<ExitCode, Error> {
    let path = &arguments.pipeline;
    let text = fs::read_to_string(path).map_err(|error| file(path, &error))?;
    let pipeline = match Pipeline::compile(&text) {
        Ok((pipeline, _)) => pipeline,
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                note(diagnostic.render(&path.display().to_string(), &text).trim_end());
            }
            return Ok(ExitCode::from(2));
        }
    };
    let counterparts = Counterparts::start().map_err(missing)?;
    let settings = Settings {
        variables: arguments.variables.iter().cloned().collect(),
        transforms: usize::from(arguments.transforms),
        ..Settings::new(NAME, &text, Programs::find()?)
    };
    let inputs = inputs(&arguments, &pipeline, &settings).await?;
    let cloud = Cloud::start(Arc::new(counterparts), settings).await?;
    let mut bytes = 0;
    for (name, content) in inputs {
        bytes += content.len();
        cloud.upload(&name, content).await?;
    }
    note(&format!("S3, SQS, EventBridge: {}; Redshift: {}", cloud.endpoint(), cloud.database_url()));
    let begun = Instant::now();
    let outcome = cloud.event(&json!({ "run": "sandbox" })).await?;
    if let Err(failure) = outcome.result {
        note(&format!("extract failed: {}", failure.message));
    }
    let settled = cloud.settle(Duration::from_secs(arguments.patience)).await;
    let seconds = begun.elapsed().as_secs_f64();
    let is_wanted = report(&cloud, bytes, seconds).await?;
    if arguments.stay {
        note("everything stays until Enter is pressed");
        // Whatever is read, or if nothing can be, it is the end.
        let _ = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await;
    }
    settled?;
    Ok(if is_wanted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The names of objects below the source, and their bytes.
async fn inputs(arguments: &Run, pipeline: &Pipeline, settings: &Settings) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut inputs = Vec::new();
    for path in &arguments.from {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        inputs.push((name, fs::read(path).map_err(|error| file(path, &error))?));
    }
    let Location::Files(files) = &pipeline.location else {
        if inputs.is_empty() {
            return Err(refused("the source is in S3; give files with --from"));
        }
        return Ok(inputs);
    };
    let patterns = files.iter().map(|file| settings.resolve(&file.text)).collect::<Result<Vec<_>, _>>()?;
    if !inputs.is_empty() {
        // They take the place of what the first pattern means.
        let folder = patterns.first().and_then(|pattern| pattern.rsplit_once('/')).map(|(folder, _)| folder.to_owned());
        for (name, _) in &mut inputs {
            *name = folder.iter().map(String::as_str).chain([name.as_str()]).collect::<Vec<_>>().join("/");
        }
        return Ok(inputs);
    }
    let disk = LocalDisk::new(arguments.pipeline.parent().unwrap_or_else(|| Path::new(".")));
    for object in disk.find(&patterns)? {
        let content = disk.get(&object.name).await?;
        inputs.push((object.name, content));
    }
    match inputs.is_empty() {
        true => Err(refused(&format!("no file matches {}", patterns.join(", ")))),
        false => Ok(inputs),
    }
}

/// Tells what came of everything, and whether it is as wanted.
async fn report(cloud: &Cloud, bytes: usize, seconds: f64) -> Result<bool, Error> {
    let mut counts = Counts::default();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let receipts = cloud.receipts().await?;
    for receipt in &receipts {
        counts.add(receipt.counts);
        for (reason, count) in &receipt.reasons {
            *reasons.entry(reason.clone()).or_default() += count;
        }
    }
    let mut text = String::new();
    let filtered = counts.filtered_false + counts.filtered_null;
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!(
        "{} rows, {:.1} MiB in {seconds:.1} s: {:.0} rows/s, {} tasks",
        counts.read,
        bytes as f64 / MIB,
        counts.read as f64 / seconds,
        receipts.len(),
    ));
    line(format!(
        "read {} = {} staged + {filtered} filtered + {} quarantined",
        counts.read, counts.staged, counts.quarantined
    ));
    for (reason, count) in reasons {
        line(format!("  {reason}: {count}"));
    }
    let mut loaded = LoadCounts::default();
    let ledger = cloud.ledger()?;
    for row in &ledger {
        loaded.add(row.counts);
    }
    line(format!(
        "staged {} = {} inserted + {} updated + {} unchanged + {} deduplicated + {} superseded; {} ledger rows",
        loaded.staged,
        loaded.inserted,
        loaded.updated,
        loaded.unchanged,
        loaded.deduplicated,
        loaded.superseded,
        ledger.len(),
    ));
    line(format!(
        "{:<10}{:>12}{:>8}{:>7}{:>10}{:>10}{:>12}{:>10}",
        "function", "invocations", "errors", "cold", "CPU s", "peak MiB", "billed s", "messages"
    ));
    for stage in cloud.stages() {
        let totals = stage.function.totals();
        line(format!(
            "{:<10}{:>12}{:>8}{:>7}{:>10.2}{:>10.1}{:>12.2}{:>10}",
            stage.step,
            totals.invocations,
            totals.errors,
            totals.cold_starts,
            totals.cpu.as_secs_f64(),
            totals.memory_peak as f64 / MIB,
            totals.billed_ms as f64 / 1e3,
            stage.polled().done,
        ));
    }
    for ((service, operation), count) in cloud.requests() {
        line(format!("  {service} {operation}: {count}"));
    }
    let letters = cloud.dead_letters().await?;
    for letter in &letters {
        line(format!("dead letter of {}: {}", letter.step, letter.reason()));
    }
    let mut held = false;
    for unit in cloud.units().await? {
        if let UnitState::Held { reasons } = unit.state {
            held = true;
            line(format!("held: {}", reasons.join("; ")));
        }
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("standard output: {error}")))?;
    Ok(letters.is_empty() && !held)
}

/// What a machine lacks, and how it comes there.
fn missing(error: io::Error) -> Error {
    if error.kind() != io::ErrorKind::NotFound {
        return Error::new(ErrorKind::Unavailable, error.to_string());
    }
    let help = "moto_server comes by `pip install 'moto[server]'`, PostgreSQL by `apt install postgresql`";
    Error::new(ErrorKind::NotFound, format!("the sandbox needs {error}, and it is not on this machine; {help}"))
}

fn file(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::NotFound, format!("{}: {error}", path.display()))
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::Refused, message)
}

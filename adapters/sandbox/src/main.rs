//! `etalon-sandbox run`: runs a pipeline on a stand-in for AWS on this machine, from its files to rows in the warehouse, and
//! reports what that took.
//!
//! `etalon sandbox run` calls it. Data goes to standard output, everything else to standard error; exit codes are those of
//! `etalon`.

mod report;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Placeholder};
use etalon_core::source::Location;
use etalon_core::spec::Filled;
use etalon_driver::local::LocalDisk;
use etalon_driver::ports::{Objects, Quiet};
use etalon_sandbox::cloud::{Cloud, Counterparts, Programs, Settings};
use serde_json::json;

/// What the names of buckets, queues and functions begin with.
const NAME: &str = "sandbox";
/// The exit code of wrong arguments, as `etalon` has it.
const WRONG_ARGUMENTS: u8 = 64;

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
    /// The value of a `${NAME}` or a `${secret:NAME}` of the pipeline file
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
    let Command::Run(arguments) = match Arguments::try_parse() {
        Ok(arguments) => arguments.command,
        Err(told) => {
            // There is nobody left to tell if this fails.
            let _ = told.print();
            return if told.use_stderr() { ExitCode::from(WRONG_ARGUMENTS) } else { ExitCode::SUCCESS };
        }
    };
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
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let manifest = pipeline.location().api().and_then(|api| api.file()).map(|file| folder.join(&file.text));
    let read = |path: PathBuf| fs::read_to_string(&path).map_err(|error| file(&path, &error));
    let is_secret = |name: &str| {
        let asked = pipeline.location().placeholders().chain(pipeline.placeholders());
        asked.into_iter().any(|asked| asked == Placeholder::Secret(name))
    };
    let (secrets, variables) = arguments.variables.iter().cloned().partition(|(name, _)| is_secret(name));
    let mut settings = Settings {
        variables,
        secrets,
        manifest: manifest.map(read).transpose()?,
        ..Settings::new(NAME, &text, Programs::find()?)
    };
    settings.sizes.transforms_max = usize::from(arguments.transforms);
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
    let is_wanted = report::report(&cloud, bytes, seconds).await?;
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
    if pipeline.location().lands() {
        return match arguments.from.is_empty() {
            true => Ok(inputs),
            false => Err(refused("the source is no store; leave --from out")),
        };
    }
    for path in &arguments.from {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        inputs.push((name, fs::read(path).map_err(|error| file(path, &error))?));
    }
    let Location::Files(files) = pipeline.location().resolve(|asked| settings.value(asked))? else {
        if inputs.is_empty() {
            return Err(refused("the source is in S3; give files with --from"));
        }
        return Ok(inputs);
    };
    let patterns: Vec<String> = files.iter().map(|file| file.reveal().to_owned()).collect();
    if !inputs.is_empty() {
        // They take the place of what the first pattern means.
        let folder = patterns.first().and_then(|pattern| pattern.rsplit_once('/')).map(|(folder, _)| folder.to_owned());
        for (name, _) in &mut inputs {
            *name = folder.iter().map(String::as_str).chain([name.as_str()]).collect::<Vec<_>>().join("/");
        }
        return Ok(inputs);
    }
    let folder = arguments.pipeline.parent().unwrap_or_else(|| Path::new("."));
    let disk = LocalDisk::new(folder);
    for object in disk.find(folder, &patterns, &Quiet)? {
        let content = disk.get(&object.name).await?;
        inputs.push((object.name, content));
    }
    match inputs.is_empty() {
        true => Err(refused(&format!(
            "no file matches {}",
            files.iter().map(Filled::to_string).collect::<Vec<_>>().join(", ")
        ))),
        false => Ok(inputs),
    }
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

//! The `etalon` command: reads arguments, calls the driver, speaks to people.
//!
//! Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 held or failed (too many
//! rejects, a case that differs), 2 the pipeline is wrong, 3 the world is wrong, 70 a fault of this program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod commands;
mod failure;
mod output;
mod progress;
mod sample;

use commands::{check, held, preview, query, rejects, run, sandbox, schema, stage, test};
use failure::Failure;
use output::Output;

/// ETL pipelines in one YAML file: on a laptop into an embedded warehouse, on AWS into Redshift.
#[derive(Debug, Parser)]
#[command(name = "etalon", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a pipeline: read, check and load what is new
    Run(run::Arguments),
    /// Read, check and stage, and load nothing: parts, rejects and receipts in a folder
    Stage(stage::Arguments),
    /// Look at rejected records, and send them through again when their cause is mended
    #[command(subcommand)]
    Rejects(rejects::Command),
    /// Load what a run held, as it is
    Release(held::Arguments),
    /// Leave what a run held out for good
    Discard(held::Arguments),
    /// Check a pipeline file and say everything that is wrong with it
    Check(check::Arguments),
    /// Show the first rows, typed, and the rejects among them
    Preview(preview::Arguments),
    /// Put SQL to the embedded warehouse
    Query(query::Arguments),
    /// Run golden cases: folders with a pipeline, its input and what must come out
    Test(test::Arguments),
    /// Print the JSON Schema of the pipeline file
    Schema,
    /// Run a pipeline's whole path on this machine: the real functions, with stand-ins for S3, SQS and Redshift
    Sandbox(sandbox::Arguments),
    /// Write a sample: a web shop's orders, a few of them broken in many ways, and their pipeline
    Sample(sample::Arguments),
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let mut output = Output::standard();
        output.note(&format!("etalon: a fault of this program, please report it: {panic}"));
    }));
    let arguments = Arguments::parse();
    let ended = std::panic::catch_unwind(|| dispatch(arguments.command));
    match ended {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            Output::standard().failure(&failure);
            ExitCode::from(failure.code())
        }
        Err(_) => ExitCode::from(70),
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    let mut output = Output::standard();
    match command {
        Command::Sandbox(arguments) => return sandbox::run(&arguments),
        Command::Run(arguments) => run::run(&arguments, &mut output),
        Command::Stage(arguments) => stage::run(&arguments, &mut output),
        Command::Rejects(command) => rejects::run(&command, &mut output),
        Command::Release(arguments) => held::release(&arguments, &mut output),
        Command::Discard(arguments) => held::discard(&arguments, &mut output),
        Command::Check(arguments) => check::run(&arguments, &mut output),
        Command::Preview(arguments) => preview::run(&arguments, &mut output),
        Command::Query(arguments) => query::run(&arguments, &mut output),
        Command::Test(arguments) => test::run(&arguments, &mut output),
        Command::Schema => schema::run(&mut output),
        Command::Sample(arguments) => sample::run(&arguments, &mut output),
    }?;
    Ok(ExitCode::SUCCESS)
}

//! The verbs, one file each. To add a verb, add a file, its `mod` line here, and its line in the list.

use clap::{ArgMatches, Args, Command};

use crate::failure::{EXIT_CODES, Failure};
use crate::form::Form;
use crate::output::Output;
use crate::view::{View, written};

mod elsewhere;
mod run;
mod stage;
mod rejects;
mod decision;
mod release;
mod discard;
mod undiscard;
mod reload;
mod status;
mod backfill;
mod dlq;
mod doctor;
mod state;
mod init;
mod check;
mod explain;
mod preview;
mod query;
mod test;
mod schema;
mod connector;
mod cost;
mod sandbox;
mod sample;

/// The verbs, in the order in which the help lists them.
const VERBS: &[Entry] = &[
    verb::<run::Run>(),
    verb::<stage::Stage>(),
    rejects::GROUP,
    verb::<release::Release>(),
    verb::<discard::Discard>(),
    verb::<undiscard::Undiscard>(),
    verb::<reload::Reload>(),
    verb::<status::Status>(),
    verb::<backfill::Backfill>(),
    dlq::GROUP,
    verb::<doctor::Doctor>(),
    state::GROUP,
    verb::<init::Init>(),
    verb::<check::Check>(),
    verb::<explain::Explain>(),
    verb::<preview::Preview>(),
    verb::<query::Query>(),
    verb::<test::Test>(),
    verb::<schema::Schema>(),
    connector::GROUP,
    verb::<cost::Cost>(),
    verb::<sandbox::Sandbox>(),
    verb::<sample::Sample>(),
];

/// What the command can do: its arguments are the fields, what the help says of it is the comment above the type.
trait Verb: Args {
    /// Its word on the command line.
    const NAME: &'static str;
    /// What it finds.
    type Found: View;

    /// Does it.
    fn carry_out(&self, output: Output) -> Result<Self::Found, Failure>;
}

/// A line of the list.
#[derive(Clone, Copy)]
enum Entry {
    Verb { name: &'static str, arguments: fn(Command) -> Command, carry_out: fn(&ArgMatches, Output) -> Done },
    Group { name: &'static str, about: &'static str, verbs: &'static [Self] },
}

type Done = Result<(), Failure>;

const fn verb<V: Verb>() -> Entry {
    Entry::Verb { name: V::NAME, arguments: V::augment_args, carry_out: carried_out::<V> }
}

fn carried_out<V: Verb>(matches: &ArgMatches, output: Output) -> Done {
    let verb = V::from_arg_matches(matches).map_err(|error| Failure::usage(&error))?;
    let found = verb.carry_out(output)?;
    output.data(&written(&found, output.form())?)?;
    found.notes().iter().for_each(|note| output.note(note));
    found.end()
}

/// The command line.
pub(crate) fn command() -> Command {
    let codes: String = EXIT_CODES.iter().map(|(code, meaning)| format!("\n  {code:<3}  {meaning}")).collect();
    let command = Command::new("etalon")
        .version(env!("CARGO_PKG_VERSION"))
        .about("ETL pipelines in one YAML file: on a laptop into an embedded warehouse, on AWS into Redshift")
        .after_help(format!("Exit codes:{codes}"));
    with(command, VERBS).disable_help_subcommand(false)
}

fn with(command: Command, verbs: &[Entry]) -> Command {
    let command = command.disable_help_subcommand(true).subcommand_required(true).arg_required_else_help(true);
    command.subcommands(verbs.iter().map(|entry| match entry {
        Entry::Verb { name, arguments, .. } => arguments(Command::new(*name)),
        Entry::Group { name, about, verbs } => with(Command::new(*name).about(*about), verbs),
    }))
}

/// The form that was asked for; a verb without `--output` has one form only.
pub(crate) fn form(matches: &ArgMatches) -> Form {
    match matches.subcommand() {
        Some((_, below)) => form(below),
        None => matches.try_get_one::<Form>("output").ok().flatten().copied().unwrap_or_default(),
    }
}

/// Carries out the verb that was asked for.
pub(crate) fn carry_out(matches: &ArgMatches, output: Output) -> Done {
    carry_out_one_of(VERBS, matches, output)
}

fn carry_out_one_of(verbs: &[Entry], matches: &ArgMatches, output: Output) -> Done {
    for entry in verbs {
        match (entry, matches.subcommand()) {
            (Entry::Verb { name, carry_out, .. }, Some((asked, below))) if *name == asked => {
                return carry_out(below, output);
            }
            (Entry::Group { name, verbs, .. }, Some((asked, below))) if *name == asked => {
                return carry_out_one_of(verbs, below, output);
            }
            _ => {}
        }
    }
    unreachable!("clap accepts the verbs of the list only, and wants one")
}

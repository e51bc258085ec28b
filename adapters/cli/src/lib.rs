//! The `etalon` command: it parses arguments, runs a verb, prints the verb's result (its view), and gives an exit code.
//!
//! A verb's view goes to standard output, everything else to standard error. `failure` lists the exit codes.

use std::process::ExitCode;

mod arguments;
mod verbs;
mod warehouse;
mod input;
mod loaded;
mod remote;
mod lines;
mod view;
mod form;
mod progress;
mod output;
mod failure;
mod bug;

use failure::Failure;
use form::Form;
use output::Output;

/// The command: its arguments are those of the process.
pub fn main() -> ExitCode {
    bug::end_with(failure::BUG, |panic| tell(&Failure::bug(panic), asked_form()));
    match verbs::command().try_get_matches() {
        Ok(matches) => {
            let form = verbs::form(&matches);
            match verbs::carry_out(&matches, Output::new(form)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => end(&failure, form),
            }
        }
        // Help and version come as errors that go to standard output.
        Err(help) if !help.use_stderr() => match Output::new(Form::Table).data(&help.to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => end(&failure, Form::Table),
        },
        Err(error) => end(&Failure::usage(&error), asked_form()),
    }
}

fn end(failure: &Failure, form: Form) -> ExitCode {
    tell(failure, form);
    ExitCode::from(failure.exit_code())
}

fn tell(failure: &Failure, form: Form) {
    Output::new(form).tell(&failure.told(form));
}

/// The form that the arguments ask for, where they could not be read, or not yet.
fn asked_form() -> Form {
    let arguments: Vec<_> = std::env::args_os().collect();
    let is_asked = arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    if is_asked { Form::Json } else { Form::Table }
}

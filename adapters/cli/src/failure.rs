//! Failure: why a command failed, its exit code, and how it is reported.

use std::fmt::Write;
use std::path::Path;

use etalon_core::diagnostic::{Diagnostic, Severity};
use etalon_core::error::Error;
use serde::Serialize;

use crate::form::{Form, unbroken};

/// What each exit code means. The first is no failure.
pub(crate) const EXIT_CODES: [(u8, &str); 7] = [
    (0, "done"),
    (UNWANTED, "held: staged, and waiting for a decision; or a case of `etalon test` differs"),
    (PIPELINE, "the pipeline is wrong"),
    (ENVIRONMENT, "environment: file, disk, network, warehouse"),
    (ARGUMENTS, "wrong arguments"),
    (BUG, "a bug in Etalon; please report it"),
    (INTERRUPTED, "interrupted with Ctrl-C"),
];

const UNWANTED: u8 = 1;
const PIPELINE: u8 = 2;
const ENVIRONMENT: u8 = 3;
/// `EX_USAGE` of `sysexits.h`.
const ARGUMENTS: u8 = 64;
/// `EX_SOFTWARE` of `sysexits.h`.
pub(crate) const BUG: u8 = 70;
/// As a shell tells it of a program that SIGINT has ended.
const INTERRUPTED: u8 = 130;

/// Why a command did not do what was asked.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    exit_code: u8,
    /// What is wrong; the author of a pipeline file gets all mistakes at once.
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    severity: Severity,
    /// Of a diagnostic its code; otherwise a word for the exit code.
    code: String,
    message: String,
    file: Option<String>,
    place: Option<Place>,
    help: Option<String>,
    /// As people read it.
    #[serde(skip)]
    shown: String,
}

/// Where in a pipeline file; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, Serialize)]
struct Place {
    line: usize,
    column: usize,
}

impl Problem {
    /// A problem that has no place in a file.
    fn new(code: &str, message: String) -> Self {
        let shown = format!("error: {message}\n");
        Self { severity: Severity::Error, code: code.to_owned(), message, file: None, place: None, help: None, shown }
    }

    /// A mistake or a doubt about a pipeline file.
    pub(crate) fn of(diagnostic: &Diagnostic, file: &Path, text: &str) -> Self {
        let file = file.display().to_string();
        let (line, column) = diagnostic.place(text);
        Self {
            severity: diagnostic.severity,
            code: diagnostic.code.to_string(),
            message: diagnostic.message.clone(),
            place: Some(Place { line, column }),
            help: diagnostic.help.clone(),
            shown: diagnostic.render(&file, text),
            file: Some(file),
        }
    }

    /// As people read it, or as one line of JSON.
    pub(crate) fn told(&self, form: Form) -> String {
        if form != Form::Json {
            return self.shown.clone();
        }
        one_line(self)
    }
}

impl Failure {
    /// Something was staged and not loaded: the reasons, and what to do about them. The rest may be loaded.
    pub(crate) fn held(reasons: &[String], help: &str, rest_is_loaded: bool) -> Self {
        let held = |reason: &String| {
            let shown = format!("held: {}\n", unbroken(reason));
            Problem { shown, help: Some(help.to_owned()), ..Problem::new("held", reason.clone()) }
        };
        let mut problems: Vec<Problem> = reasons.iter().map(held).collect();
        if let Some(last) = problems.last_mut() {
            let rest = if rest_is_loaded { "the rest was loaded" } else { "nothing was loaded" };
            last.shown.push_str(&format!("{rest}; {help}\n"));
        }
        Self { exit_code: UNWANTED, problems }
    }

    /// Cases differ from what is expected; which ones is the result.
    pub(crate) fn differs(message: String) -> Self {
        let problem = Problem { shown: String::new(), ..Problem::new("differs", message) };
        Self { exit_code: UNWANTED, problems: vec![problem] }
    }

    /// The pipeline file is wrong.
    pub(crate) fn pipeline(file: &Path, text: &str, diagnostics: &[Diagnostic]) -> Self {
        let problems = diagnostics.iter().map(|diagnostic| Problem::of(diagnostic, file, text)).collect();
        Self { exit_code: PIPELINE, problems }
    }

    /// The pipeline file is not even text.
    pub(crate) fn no_text(file: &Path, at: usize) -> Self {
        let problem = Problem::new("pipeline", format!("{}: not UTF-8 at byte {at}", file.display()));
        Self { exit_code: PIPELINE, problems: vec![Problem { file: Some(file.display().to_string()), ..problem }] }
    }

    /// A file, a disk, a network or a warehouse did not do its part.
    pub(crate) fn environment(message: String) -> Self {
        Self { exit_code: ENVIRONMENT, problems: vec![Problem::new("environment", message)] }
    }

    /// A file could not be read or written.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        let mut failure = Self::environment(format!("{}: {error}", path.display()));
        failure.problems.iter_mut().for_each(|problem| problem.file = Some(path.display().to_string()));
        failure
    }

    /// The arguments are wrong.
    pub(crate) fn arguments(message: String) -> Self {
        Self { exit_code: ARGUMENTS, problems: vec![Problem::new("arguments", message)] }
    }

    /// What clap found wrong, in its own words for people.
    pub(crate) fn usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let (message, help) = text.trim_end().split_once("\n\n").unwrap_or_else(|| (text.trim_end(), ""));
        let problem = Problem::new("arguments", message.trim_start_matches("error: ").to_owned());
        let help = Some(help.to_owned()).filter(|help| !help.is_empty());
        Self { exit_code: ARGUMENTS, problems: vec![Problem { help, shown: text.clone(), ..problem }] }
    }

    /// A program that was called ended with a code of its own, and has said why.
    pub(crate) fn program(exit_code: u8) -> Self {
        Self { exit_code, problems: Vec::new() }
    }

    /// Somebody has pressed Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupted() -> Self {
        let message = "interrupted; what was finished is kept, and nothing is half loaded".to_owned();
        let failure = Self { exit_code: INTERRUPTED, problems: vec![Problem::new("interrupted", message)] };
        failure.with_help("the same command goes on from there")
    }

    /// A panic: a bug in Etalon.
    pub(crate) fn bug(panic: &str) -> Self {
        let failure = Self { exit_code: BUG, problems: vec![Problem::new("bug", panic.to_owned())] };
        failure.with_help("this is a bug in Etalon; please report it")
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn with_help(mut self, help: &str) -> Self {
        for problem in &mut self.problems {
            problem.help = Some(help.to_owned());
            // Writing to a string cannot fail.
            let _ = writeln!(problem.shown, "  help: {help}");
        }
        self
    }

    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// As people read it, or as JSON: each warning on a line, and on the last line the first error, with the others in a list.
    pub(crate) fn told(&self, form: Form) -> String {
        #[derive(Serialize)]
        struct Told<'a> {
            exit_code: u8,
            #[serde(flatten)]
            first: &'a Problem,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            others: &'a [&'a Problem],
        }
        if form != Form::Json {
            // A blank line sets diagnostics apart, which have several lines each.
            let between = if self.exit_code == PIPELINE { "\n" } else { "" };
            return self.problems.iter().map(|problem| problem.shown.as_str()).collect::<Vec<_>>().join(between);
        }
        let (warnings, errors): (Vec<&Problem>, Vec<&Problem>) =
            self.problems.iter().partition(|problem| problem.severity == Severity::Warning);
        let mut lines: String = warnings.iter().map(one_line).collect();
        if let [first, others @ ..] = errors.as_slice() {
            lines.push_str(&one_line(&Told { exit_code: self.exit_code, first, others }));
        }
        lines
    }
}

/// A value as one line of JSON.
fn one_line(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"message\":\"{error}\"}}"));
    format!("{text}\n")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::environment(error.to_string())
    }
}

//! Output: what a command found goes to standard output, everything else to standard error.

use std::io::{self, Write};

use crate::failure::Failure;
use crate::form::Form;

/// Where a command writes, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    form: Form,
}

impl Output {
    /// The standard streams.
    pub(crate) fn new(form: Form) -> Self {
        Self { form }
    }

    /// The form that was asked for.
    pub(crate) fn form(self) -> Form {
        self.form
    }

    /// Writes to standard output. A reader that has gone away ends the program quietly, as it does other tools.
    pub(crate) fn data(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            done => done.map_err(|error| Failure::environment(format!("standard output: {error}"))),
        }
    }

    /// Writes a line for people to standard error; programs have all they need in the document.
    pub(crate) fn note(self, line: &str) {
        if self.form != Form::Json {
            self.tell(&format!("{line}\n"));
        }
    }

    /// Writes to standard error.
    pub(crate) fn tell(self, text: &str) {
        // There is nobody left to tell if this fails.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

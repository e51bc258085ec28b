//! Output: the result of a command goes to standard output, everything else to standard error.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::failure::Failure;
use crate::form::{Form, unbroken};

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
        let text = if self.form == Form::Table { escaped(text) } else { Cow::Borrowed(text) };
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            done => done.map_err(|error| Failure::environment(format!("standard output: {error}"))),
        }
    }

    /// Writes a line for people to standard error; programs have all they need in the document.
    pub(crate) fn note(self, line: &str) {
        if self.form != Form::Json {
            self.tell(&format!("{}\n", unbroken(line)));
        }
    }

    /// Writes to standard error.
    pub(crate) fn tell(self, text: &str) {
        // There is nobody left to tell if this fails.
        let _ = io::stderr().write_all(escaped(text).as_bytes());
    }
}

/// A text of lines for people. What a terminal would obey is written out: the name of a file may hold anything.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if is_obeyed(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_that_it_would_obey() {
        assert_eq!(escaped("a\u{1b}[31m.csv\tb\r\n\u{9b}"), "a\\u{1b}[31m.csv\tb\\r\n\\u{9b}");
    }
}

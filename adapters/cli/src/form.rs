//! Form: the form in which results and failures are written: text, CSV or JSON.

use std::borrow::Cow;

use clap::ValueEnum;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Form {
    /// For people
    #[default]
    Table,
    /// One JSON document; errors are JSON too, on standard error
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// A text that stands on one line: the name of a file may hold line ends, and would make a line of its own.
pub(crate) fn unbroken(text: &str) -> Cow<'_, str> {
    if text.contains('\n') { Cow::Owned(text.replace('\n', "\\n")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_makes_no_line_of_its_own() {
        assert_eq!(unbroken("a\nheld: b"), "a\\nheld: b");
        assert_eq!(unbroken("a.csv"), "a.csv");
    }
}

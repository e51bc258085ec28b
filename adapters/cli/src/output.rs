//! Output: data on standard output, notes on standard error, tables that can be read without colour.

use std::io::{self, Write};

use clap::ValueEnum;

use crate::failure::Failure;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// Where a command writes.
#[derive(Debug)]
pub(crate) struct Output {
    data: io::Stdout,
    notes: io::Stderr,
}

impl Output {
    /// The standard streams.
    pub(crate) fn standard() -> Self {
        Self { data: io::stdout(), notes: io::stderr() }
    }

    /// Writes data. A reader that has gone away ends the program quietly, as it does other tools.
    pub(crate) fn data(&mut self, text: &str) -> Result<(), Failure> {
        match self.data.write_all(text.as_bytes()).and_then(|()| self.data.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            done => done.map_err(|error| Failure::World(format!("standard output: {error}"))),
        }
    }

    /// Writes a line for people.
    pub(crate) fn note(&mut self, line: &str) {
        // There is nobody left to tell if this fails.
        let _ = writeln!(self.notes, "{line}");
    }

    /// Says why a command did not do what was asked, unless everything has been said.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        match failure {
            Failure::Unwanted => {}
            Failure::Pipeline(text) => self.note(text.trim_end()),
            Failure::World(text) => self.note(&format!("error: {text}")),
        }
    }

    /// Writes a value as JSON.
    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::World(error.to_string()))?;
        self.data(&format!("{text}\n"))
    }
}

/// Rows as a table for people: a header, a rule, numbers to the right, NULL as nothing.
pub(crate) fn table(header: &[String], numeric: &[bool], rows: &[Vec<Option<String>>]) -> String {
    let shown = |cell: &Option<String>| clean(cell.as_deref().unwrap_or_default());
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().map(|row| shown(&row[column]).chars().count());
            cells.chain([name.chars().count()]).max().unwrap_or_default()
        })
        .collect();
    let line = |cells: Vec<String>| {
        let padded = cells.into_iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if numeric[column] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut text = line(header.to_vec());
    text.push_str(&line(widths.iter().map(|&width| "-".repeat(width)).collect()));
    for row in rows {
        text.push_str(&line(row.iter().map(shown).collect()));
    }
    text
}

/// A text in one line, without control characters, cut to sixty characters.
pub(crate) fn clean(text: &str) -> String {
    const WIDTH: usize = 60;
    let visible: String = text.chars().take(WIDTH + 1).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if visible.chars().count() > WIDTH {
        let cut: String = visible.chars().take(WIDTH - 1).collect();
        format!("{cut}…")
    } else {
        visible
    }
}

/// A whole number with thousands set apart.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn a_table_lines_up() {
        let rows = [vec![Some("1".to_owned()), Some("Ada".to_owned())], vec![Some("12".to_owned()), None]];
        let text = table(&["id".to_owned(), "name".to_owned()], &[true, false], &rows);
        assert_eq!(text, "id  name\n--  ----\n 1  Ada\n12\n");
    }
}

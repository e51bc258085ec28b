//! View: the result of a verb as a value, and the only place that writes it: as a table for people, as CSV, as JSON.

use std::fmt::Write;

use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use etalon_core::types::Type;

use crate::failure::Failure;
use crate::form::Form;

/// What a verb found. Its serialized form is what `--output json` writes.
pub(crate) trait View: Serialize {
    /// The rows: what `--output csv` writes.
    fn table(&self) -> Table;

    /// What people read on standard output.
    fn page(&self) -> String {
        self.table().text()
    }

    /// What people should know beside it, a line each, on standard error. JSON has all of it in the document.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether it is as wanted; if not, why.
    fn end(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// A view as it is written on standard output.
pub(crate) fn written(view: &impl View, form: Form) -> Result<String, Failure> {
    match form {
        Form::Table => Ok(view.page()),
        Form::Csv => Ok(view.table().csv()),
        Form::Json => json(view),
    }
}

/// A value as JSON, with a line end.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::environment(format!("the result cannot be written as JSON: {error}")))?;
    Ok(format!("{text}\n"))
}

/// Rows with named columns. Serialized it is a list of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Option<String>>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name in CSV and JSON.
    pub(crate) name: String,
    /// Its heading for people.
    pub(crate) heading: String,
    /// What its values are.
    pub(crate) kind: Kind,
}

/// What the values of a column are: how JSON writes them, and on which side people see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Texts, and everything that JSON has no form of its own for: dates, intervals.
    Text,
    /// Names that another command takes, which are never cut.
    Name,
    /// Numbers, with all their digits.
    Number,
    /// Whole numbers, which people see with their thousands set apart.
    Count,
    /// `true` or `false`.
    Boolean,
    /// JSON.
    Document,
}

impl From<Type> for Kind {
    fn from(ty: Type) -> Self {
        match ty {
            Type::Boolean => Self::Boolean,
            Type::Super => Self::Document,
            ty if ty.is_number() => Self::Number,
            _ => Self::Text,
        }
    }
}

impl Column {
    /// A column whose heading is its name.
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        let name = name.into();
        Self { heading: name.clone(), name, kind }
    }
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row: a cell for each column; NULL is `None`.
    pub(crate) fn push(&mut self, row: Vec<Option<String>>) {
        assert_eq!(row.len(), self.columns.len(), "a row has a cell for each column");
        self.rows.push(row);
    }

    /// As people read it: a heading, a rule, numbers to the right, NULL as nothing.
    pub(crate) fn text(&self) -> String {
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().zip(&self.columns).map(|(cell, column)| shown(cell, column.kind)).collect())
            .collect();
        let width = |at: usize, column: &Column| {
            let cells = cells.iter().map(|row| row[at].chars().count());
            cells.chain([column.heading.chars().count()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = self.columns.iter().enumerate().map(|(at, column)| width(at, column)).collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).zip(&self.columns).map(|((cell, &width), column)| {
                let is_right = matches!(column.kind, Kind::Number | Kind::Count);
                if is_right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
        };
        let headings: Vec<String> = self.columns.iter().map(|column| column.heading.clone()).collect();
        let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        [headings, rules].iter().chain(&cells).map(|cells| line(cells)).collect()
    }

    /// As RFC 4180 has it: NULL is nothing, an empty text is quoted.
    fn csv(&self) -> String {
        let header: Vec<Option<String>> = self.columns.iter().map(|column| Some(column.name.clone())).collect();
        std::iter::once(&header).chain(&self.rows).map(|row| etalon_driver::cases::csv_line(row)).collect()
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows.len()))?;
        for row in &self.rows {
            rows.serialize_element(&JsonRow(row, &self.columns))?;
        }
        rows.end()
    }
}

/// A row of a table as a JSON object.
struct JsonRow<'a>(&'a [Option<String>], &'a [Column]);

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(self.0.len()))?;
        for (cell, column) in self.0.iter().zip(self.1) {
            match cell {
                None => row.serialize_entry(&column.name, &())?,
                Some(text) if is_json(text, column.kind) => {
                    let raw: &RawValue = serde_json::from_str(text).map_err(S::Error::custom)?;
                    row.serialize_entry(&column.name, raw)?;
                }
                Some(text) => row.serialize_entry(&column.name, text)?,
            }
        }
        row.end()
    }
}

/// Whether a value stands in JSON as it is written; `NaN` is no number there, and becomes a text.
fn is_json(text: &str, kind: Kind) -> bool {
    match kind {
        Kind::Text | Kind::Name => false,
        Kind::Boolean => matches!(text, "true" | "false"),
        Kind::Number | Kind::Count => is_number(text),
        Kind::Document => serde_json::from_str::<&RawValue>(text).is_ok(),
    }
}

/// Whether a text is a number as JSON writes it (RFC 8259, 6).
pub(crate) fn is_number(text: &str) -> bool {
    let is_begun = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    is_begun && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// A cell as people see it.
fn shown(cell: &Option<String>, kind: Kind) -> String {
    match (cell, kind) {
        (None, _) => String::new(),
        (Some(text), Kind::Count) => text.parse().map_or_else(|_| text.clone(), thousands),
        (Some(text), Kind::Name) => text.clone(),
        (Some(text), _) => clean(text),
    }
}

/// Sums that are written out, so that people can check them by eye: `read  3 = 2 staged + 0 filtered + 1 quarantined`.
#[derive(Debug, Default)]
pub(crate) struct Sums(Vec<Sum>);

/// A name, its number, and the named numbers that add up to it.
type Sum = (&'static str, u64, Vec<(&'static str, u64)>);

impl Sums {
    /// Adds a sum: what it is of, its total, its parts.
    pub(crate) fn push(&mut self, name: &'static str, total: u64, parts: Vec<(&'static str, u64)>) {
        self.0.push((name, total, parts));
    }

    /// A line for each sum.
    pub(crate) fn text(&self, indent: &str) -> String {
        let width = self.0.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
        let mut text = String::new();
        for (name, total, parts) in &self.0 {
            let parts: Vec<String> =
                parts.iter().map(|(part, count)| format!("{} {part}", thousands(*count))).collect();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{indent}{name:<width$}  {} = {}", thousands(*total), parts.join(" + "));
        }
        text
    }

    /// A row for each number: what it is of, which part, how many.
    pub(crate) fn table(&self) -> Table {
        let kinds = [("of", Kind::Text), ("part", Kind::Text), ("count", Kind::Count)];
        let mut table = Table::new(kinds.map(|(name, kind)| Column::new(name, kind)).to_vec());
        for (name, total, parts) in &self.0 {
            for (part, count) in std::iter::once(&("total", *total)).chain(parts) {
                table.push(vec![Some((*name).to_owned()), Some((*part).to_owned()), Some(count.to_string())]);
            }
        }
        table
    }
}

/// Most characters of a value that people see.
const WIDTH: usize = 60;

/// A text in one line, cut to sixty characters; what cannot be seen is written out: `\n`, `\t`, `\u{0}`.
pub(crate) fn clean(text: &str) -> String {
    let mut line = String::new();
    let mut characters = 0;
    for c in text.chars() {
        let escaped = if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        characters += escaped.chars().count();
        if characters > WIDTH {
            let kept: String = line.chars().take(WIDTH - 1).collect();
            return format!("{kept}…");
        }
        line.push_str(&escaped);
    }
    line
}

/// A number of things, in words: `1 row`, `1,200 rows`.
pub(crate) fn how_many(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
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

/// That the rejects of some files are in no quarantine that is known here.
pub(crate) fn unknown_rejects(files: u64) -> Option<String> {
    let of = how_many(files, "file");
    (files > 0).then(|| {
        format!(
            "{of} loaded by another state folder than this one, or before it was lost: the rejects are not here; `etalon \
             reload` reads the files again"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, Kind)], rows: &[&[Option<&str>]]) -> Table {
        let mut table = Table::new(columns.iter().map(|(name, kind)| Column::new(*name, *kind)).collect());
        for row in rows {
            table.push(row.iter().map(|cell| cell.map(str::to_owned)).collect());
        }
        table
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn a_table_lines_up() {
        let people =
            table(&[("id", Kind::Number), ("name", Kind::Text)], &[&[Some("1"), Some("Ada")], &[Some("12"), None]]);
        assert_eq!(people.text(), "id  name\n--  ----\n 1  Ada\n12\n");
        assert_eq!(people.csv(), "id,name\n1,Ada\n12,\n");
    }

    #[test]
    fn what_cannot_be_seen_is_written_out_and_long_texts_are_cut() {
        assert_eq!(clean("two\nlines\tand\u{0}"), "two\\nlines\\tand\\u{0}");
        assert_eq!(clean(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(clean(&"é".repeat(61)), format!("{}…", "é".repeat(59)));
        assert_eq!(clean(&format!("{}\n", "a".repeat(59))), format!("{}…", "a".repeat(59)));
    }

    #[test]
    fn values_are_what_they_are_in_json_with_all_their_digits() {
        let columns = [("n", Kind::Number), ("b", Kind::Boolean), ("d", Kind::Document), ("t", Kind::Text)];
        let given = table(
            &columns,
            &[
                &[Some("12345678901234567890.10"), Some("true"), Some("{\"a\": [1.0]}"), Some("7")],
                &[Some("NaN"), None, Some("not JSON"), Some("")],
            ],
        );
        assert_eq!(
            serde_json::to_string(&given).unwrap(),
            r#"[{"n":12345678901234567890.10,"b":true,"d":{"a": [1.0]},"t":"7"},{"n":"NaN","b":null,"d":"not JSON","t":""}]"#
        );
    }

    #[test]
    fn sums_line_up_and_have_a_row_for_each_number() {
        let mut sums = Sums::default();
        sums.push("read", 1002, vec![("staged", 1000), ("quarantined", 2)]);
        sums.push("bytes", 7, vec![("records", 7)]);
        assert_eq!(sums.text("  "), "  read   1,002 = 1,000 staged + 2 quarantined\n  bytes  7 = 7 records\n");
        assert_eq!(
            sums.table().csv(),
            "of,part,count\nread,total,1002\nread,staged,1000\nread,quarantined,2\nbytes,total,7\nbytes,records,7\n"
        );
    }
}

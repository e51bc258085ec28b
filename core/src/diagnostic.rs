//! Diagnostic: a mistake in a pipeline file, with its place; and how it is shown.
//!
//! A diagnostic is data. `message` states a fact; `help` gives advice; the span is bytes of the file.

mod code;
mod render;
mod example;
mod row_example;
mod page;

use serde::Serialize;

pub use code::Code;
pub use example::{EXAMPLES, Example};
pub use page::reference;
pub use row_example::{ROW_EXAMPLES, RowExample};

/// A range of bytes in the pipeline file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Whether a pipeline with this diagnostic can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but its author may not mean what it says.
    Warning,
}

/// One mistake, or one doubt, about a pipeline file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What kind of mistake; each has a page in the reference.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// The fact, in one line without a full stop.
    pub message: String,
    /// The characters that are wrong.
    pub span: Span,
    /// Other places that explain it, each with a short word.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
    /// The fault that each row would have, of a constant that always faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Code>,
}

/// Another place that explains a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The characters.
    pub span: Span,
    /// What they have to do with it.
    pub message: String,
}

impl Diagnostic {
    /// A mistake that keeps the pipeline from running.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        let message = one_line(message.into());
        Self { code, severity: Severity::Error, message, span, labels: Vec::new(), help: None, fault: None }
    }

    /// A doubt that its author should know of.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(one_line(help.into()));
        self
    }

    /// Adds `did you mean …?` where a known name is near.
    #[must_use]
    pub(crate) fn with_nearest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(wrong, known) {
            Some(near) => {
                let help = format!("did you mean `{near}`?");
                self.with_help(help)
            }
            None => self,
        }
    }

    /// Points at another place that explains it.
    #[must_use]
    pub(crate) fn with_label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: one_line(message.into()) });
        self
    }

    /// The line and column where it begins, both from 1; columns count characters.
    pub fn place(&self, source: &str) -> (usize, usize) {
        render::place(self.span.start, source)
    }

    /// Shows the diagnostic as text without colour: code, message, place, the line with carets, help.
    pub fn render(&self, file: &str, source: &str) -> String {
        render::render(self, file, source)
    }
}

/// Most characters of a message: a text of the file that it quotes can be long.
const MESSAGE_CHARACTERS_MAX: usize = 400;

/// The text in one line, whatever it quotes.
fn one_line(text: String) -> String {
    if !text.contains(char::is_control) && text.len() <= MESSAGE_CHARACTERS_MAX {
        return text;
    }
    let mut line = String::with_capacity(MESSAGE_CHARACTERS_MAX);
    for (count, c) in text.chars().enumerate() {
        if count == MESSAGE_CHARACTERS_MAX {
            line.push('…');
            break;
        }
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// Nobody mistypes a name of more characters.
const NEAR_CHARS_MAX: usize = 256;

/// The known name nearest to `wrong` by edit distance, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let length = wrong.chars().count();
    // Of a name, something is left.
    let limit = length.div_ceil(3).min(3).min(length.saturating_sub(1));
    // Each character that one has more is an edit; so the work grows with names that are near, and with no others.
    let may_be_near = |name: &&str| length <= NEAR_CHARS_MAX && name.chars().count().abs_diff(length) <= limit;
    known
        .into_iter()
        .filter(may_be_near)
        .map(|name| (distance(&wrong, &name.to_lowercase()), name))
        .filter(|&(distance, _)| distance <= limit)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// Edits (insert, remove, replace, swap of neighbours) from one text to another; optimal string alignment.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let replace = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["customer", "currency", "coupon"];
        assert_eq!(nearest("custmoer", known), Some("customer"));
        assert_eq!(nearest("Curency", known), Some("currency"));
        assert_eq!(nearest("id", known), None);
        assert_eq!((nearest("b", ["a"]), nearest("b", ["a", "B"])), (None, Some("B")));
    }

    /// Edit by edit these two would take 10^12 steps.
    #[test]
    fn a_name_of_a_megabyte_is_near_to_none() {
        let (wrong, known) = ("a".repeat(1 << 20), format!("b{}", "a".repeat((1 << 20) - 1)));
        assert_eq!(nearest(&wrong, [known.as_str()]), None);
        assert_eq!(nearest("a", [known.as_str()]), None);
    }
}

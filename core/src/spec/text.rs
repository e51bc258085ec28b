//! Text: a text of the file as YAML reads it, and the places of the characters by which it was written.

use crate::diagnostic::Span;

/// A text of the file, as YAML means it, that knows the place of each of its characters in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text without YAML's quotes, escapes and folds.
    pub text: String,
    /// The whole scalar in the file, with its quotes.
    pub span: Span,
    /// Runs of the text, ascending, without gaps; empty only for an empty text.
    runs: Vec<Run>,
}

/// A part of a text that is written in one way.
///
/// Where it has as many bytes in the text as in the file, both are the same characters. Otherwise it is one escape or one
/// fold, and has only its place as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// Where it begins in the text; it ends where the next begins.
    start: usize,
    /// Its characters in the file.
    file: Span,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
    /// Under `|` or `>`.
    Block,
}

impl Text {
    /// An empty text, where one is missing.
    pub(crate) fn empty(span: Span) -> Self {
        Self { text: String::new(), span, runs: Vec::new() }
    }

    /// A text for which something else is written in a place.
    pub(crate) fn meaning(text: &str, span: Span) -> Self {
        Self { text: text.to_owned(), span, runs: vec![Run { start: 0, file: span }] }
    }

    /// A range of bytes of the text, as a text of its own.
    pub(crate) fn part(&self, within: Span) -> Self {
        let text = self.text.get(within.start..within.end).unwrap_or_default().to_owned();
        let mut runs = Vec::new();
        for (at, run) in self.runs.iter().enumerate() {
            let end = self.runs.get(at + 1).map_or(self.text.len(), |next| next.start);
            let (start, stop) = (run.start.max(within.start), end.min(within.end));
            if start < stop {
                let is_verbatim = end - run.start == run.file.end - run.file.start;
                let file = Span::new(run.file.start + start - run.start, run.file.start + stop - run.start);
                runs.push(Run { start: start - within.start, file: if is_verbatim { file } else { run.file } });
            }
        }
        Self { text, span: self.span_of(within), runs }
    }

    /// The place in the file of a range of bytes of the text.
    pub fn span_of(&self, within: Span) -> Span {
        let start = self.place(within.start).0;
        let end = match within.end.checked_sub(1) {
            Some(last) if within.start < within.end => self.place(last.min(self.text.len().saturating_sub(1))).1,
            _ => start,
        };
        Span::new(start, end.max(start))
    }

    /// The place in the file of the byte of the text at `at`: where it, or what it is part of, begins and ends.
    fn place(&self, at: usize) -> (usize, usize) {
        let next = self.runs.partition_point(|run| run.start <= at);
        let Some(run) = next.checked_sub(1).and_then(|index| self.runs.get(index)) else {
            return (self.span.start, self.span.start);
        };
        let length = self.runs.get(next).map_or(self.text.len(), |run| run.start) - run.start;
        let within = at - run.start;
        if within >= length {
            (run.file.end, run.file.end)
        } else if length == run.file.end - run.file.start {
            (run.file.start + within, run.file.start + within + 1)
        } else {
            (run.file.start, run.file.end)
        }
    }
}

/// The text `value` that the file writes from `span.start` in a style.
///
/// The parser tells what a scalar means and about where it stands; this walks along both and finds which characters mean
/// which. A text that cannot be followed has one place as a whole.
pub(super) fn align(source: &str, span: Span, value: &str, style: Style) -> Text {
    let mut walk = Walk { source, value, style, start: span.start, at: span.start, done: 0, runs: Vec::new() };
    let end = walk.walk();
    // The parser's span of a quoted scalar reaches over the blanks after it, that of a block over the next line's indent.
    let trimmed = span.start + source.get(span.start..span.end).unwrap_or_default().trim_end().len();
    match end {
        Some(end) => Text { text: value.to_owned(), span: Span::new(span.start, end), runs: walk.runs },
        None => {
            let span = Span::new(span.start, trimmed);
            Text { text: value.to_owned(), span, runs: vec![Run { start: 0, file: span }] }
        }
    }
}

/// The characters of a span as a text without quotes; each line end with the blanks around it is one blank.
pub(super) fn verbatim(source: &str, span: Span) -> Text {
    let written = source.get(span.start..span.end).unwrap_or_default();
    let mut value = String::with_capacity(written.len());
    let mut rest = written;
    while !rest.is_empty() {
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        let (run, after) = rest.split_at(blanks);
        value.push_str(if run.contains(['\n', '\r']) { " " } else { run });
        let word = after.find(is_blank).unwrap_or(after.len());
        value.push_str(after.get(..word).unwrap_or_default());
        rest = after.get(word..).unwrap_or_default();
    }
    align(source, span, &value, Style::Plain)
}

/// What separates words in YAML, and what folding changes.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

struct Walk<'a> {
    source: &'a str,
    value: &'a str,
    style: Style,
    /// Where the scalar begins in the file.
    start: usize,
    /// The next byte of the file.
    at: usize,
    /// The next byte of the value.
    done: usize,
    runs: Vec<Run>,
}

impl Walk<'_> {
    /// Walks to the end; returns where the scalar ends in the file.
    fn walk(&mut self) -> Option<usize> {
        let quote = match self.style {
            Style::Single => Some('\''),
            Style::Double => Some('"'),
            Style::Plain | Style::Block => None,
        };
        if let Some(quote) = quote {
            self.rest().starts_with(quote).then_some(())?;
            self.at += 1;
        }
        let mut continued = false;
        loop {
            if quote.is_none() && self.done == self.value.len() {
                return Some(self.written_end());
            }
            let blanks = self.rest().len() - self.rest().trim_start_matches(is_blank).len();
            let folded = self.folded(blanks, continued);
            continued = false;
            if blanks > 0 || folded > 0 {
                self.push(folded, blanks)?;
                continue;
            }
            let next = self.rest().chars().next()?;
            match (self.style, next) {
                (Style::Single, '\'') if self.rest().starts_with("''") => self.push(1, 2)?,
                (Style::Single, '\'') | (Style::Double, '"') => {
                    return (self.done == self.value.len()).then_some(self.at + 1);
                }
                (Style::Double, '\\') => {
                    let escaped = self.rest().chars().nth(1)?;
                    if matches!(escaped, '\n' | '\r') {
                        self.at += if self.rest().starts_with("\\\r\n") { 3 } else { 2 };
                        continued = true;
                    } else {
                        let meant = self.value.get(self.done..)?.chars().next()?;
                        let digits = match escaped {
                            'x' => 2,
                            // Two escapes as JSON has them mean one character.
                            'u' if meant > '\u{FFFF}' => 4 + 6,
                            'u' => 4,
                            'U' => 8,
                            _ => 0,
                        };
                        self.push(meant.len_utf8(), 1 + escaped.len_utf8() + digits)?;
                    }
                }
                _ => {
                    self.value.get(self.done..)?.starts_with(next).then_some(())?;
                    self.push(next.len_utf8(), next.len_utf8())?;
                }
            }
        }
    }

    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// How many bytes of the value the next blanks of the file mean.
    fn folded(&self, blanks: usize, continued: bool) -> usize {
        // Only between double quotes can a blank that is escaped stand beside one that is not; elsewhere the blanks of the
        // value are those of the file.
        if self.style != Style::Double {
            let value = self.value.get(self.done..).unwrap_or_default();
            return value.len() - value.trim_start_matches(is_blank).len();
        }
        let written = self.rest().get(..blanks).unwrap_or_default();
        let breaks = written.matches('\n').count() + written.matches('\r').count() - written.matches("\r\n").count();
        match breaks {
            _ if continued => breaks,
            0 => blanks,
            1 => 1,
            _ => breaks - 1,
        }
    }

    /// The next `meant` bytes of the value are the next `written` bytes of the file.
    fn push(&mut self, meant: usize, written: usize) -> Option<()> {
        let file = Span::new(self.at, self.at + written);
        let value = self.value.get(self.done..self.done + meant)?;
        if meant > 0 {
            let verbatim = self.source.get(file.start..file.end)? == value;
            match self.runs.last_mut() {
                Some(last)
                    if verbatim
                        && last.file.end == file.start
                        && last.file.end - last.file.start == self.done - last.start =>
                {
                    last.file.end = file.end;
                }
                _ => self.runs.push(Run { start: self.done, file }),
            }
        }
        self.at = file.end;
        self.done += meant;
        Some(())
    }

    /// The end of what was walked over, without blanks at its end.
    fn written_end(&self) -> usize {
        let walked = self.source.get(self.start..self.at).unwrap_or_default();
        self.start + walked.trim_end_matches(is_blank).len()
    }
}

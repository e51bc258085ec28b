//! Renders a diagnostic as text: code and fact, place, the lines with carets, advice.
//!
//! Lines and columns begin at 1; columns count characters. Carets lie under what a terminal shows: a tab is shown as four
//! blanks, an East Asian wide character or an emoji takes two cells, a combining mark takes none.

use std::fmt::Write;

use super::{Diagnostic, Severity, Span};

/// Most cells of a source line that are shown; a longer one is cut around its first caret.
const LINE_CELLS_MAX: usize = 120;
/// Cells shown before the first caret of a line that is cut.
const CELLS_BEFORE_CARET: usize = 40;
/// Most lines of a span that are shown; of a longer one, its first lines and its last.
const SPAN_LINES_MAX: usize = 4;
/// What a tab is shown as.
const TAB: &str = "    ";

pub(super) fn render(diagnostic: &Diagnostic, file: &str, source: &str) -> String {
    let lines = Lines::new(source);
    let mut marks = Vec::new();
    lines.mark(diagnostic.span, '^', "", &mut marks);
    for label in &diagnostic.labels {
        lines.mark(label.span, '-', &label.message, &mut marks);
    }
    // Stable: on one line the main place stands before the others.
    marks.sort_by_key(|mark| mark.line);

    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (line, column) = lines.place(diagnostic.span.start);
    let gutter = marks.iter().map(|mark| mark.line + 1).max().unwrap_or(1).to_string().len();
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "{severity}[{}]: {}", diagnostic.code, diagnostic.message);
    let _ = writeln!(text, "{:gutter$}--> {file}:{line}:{column}", "");
    let _ = writeln!(text, "{:gutter$} |", "");
    let mut shown: Option<usize> = None;
    for (index, mark) in marks.iter().enumerate() {
        if shown.is_some_and(|shown| mark.line > shown + 1) {
            text.push_str("...\n");
        }
        let first_cell =
            marks.iter().skip(index).take_while(|other| other.line == mark.line).map(|mark| mark.start).min();
        let view = View::new(lines.text(mark.line), first_cell.unwrap_or(0));
        if shown != Some(mark.line) {
            let _ = writeln!(text, "{}", format!("{:>gutter$} | {}", mark.line + 1, view.text).trim_end());
            shown = Some(mark.line);
        }
        let (start, end) = (view.cell(mark.start), view.cell(mark.end));
        let carets = mark.sign.to_string().repeat(end.saturating_sub(start).max(1));
        let _ = writeln!(text, "{}", format!("{:gutter$} | {:start$}{carets} {}", "", "", mark.message).trim_end());
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "{:gutter$} = help: {help}", "");
    }
    text
}

/// Line and column of a byte, from 1.
pub(super) fn place(at: usize, source: &str) -> (usize, usize) {
    Lines::new(source).place(at)
}

/// A part of a line that is pointed at.
struct Mark<'a> {
    /// The line, from 0.
    line: usize,
    /// The bytes of the line.
    start: usize,
    end: usize,
    sign: char,
    message: &'a str,
}

/// The lines of a file.
struct Lines<'a> {
    source: &'a str,
    /// Where each begins.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(source: &'a str) -> Self {
        let starts = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { source, starts }
    }

    fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at).saturating_sub(1)
    }

    fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.source.len())
    }

    /// A line without its line end.
    fn text(&self, line: usize) -> &'a str {
        let end = self.starts.get(line + 1).copied().unwrap_or(self.source.len());
        self.source.get(self.start(line)..end).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }

    /// Line and column of a byte, from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line_of(at.min(self.source.len()));
        let start = self.start(line);
        let column = self.text(line).char_indices().take_while(|&(offset, _)| start + offset < at).count();
        (line + 1, column + 1)
    }

    /// Marks each line of a span.
    fn mark(&self, span: Span, sign: char, message: &'a str, marks: &mut Vec<Mark<'a>>) {
        let start = span.start.min(self.source.len());
        let end = span.end.clamp(start, self.source.len());
        let first = self.line_of(start);
        // A span that ends at the start of a line does not reach into it.
        let last = self.line_of(if end > start { end - 1 } else { end });
        for line in first..=last {
            let skipped = last - first >= SPAN_LINES_MAX && line > first + 1 && line < last;
            let text = self.text(line);
            let indent = text.len() - text.trim_start().len();
            let from = if line == first { start - self.start(line) } else { indent };
            let to = if line == last { end - self.start(line) } else { text.len() };
            let is_blank = line != first && line != last && indent == text.len();
            if skipped || is_blank {
                continue;
            }
            let message = if line == last { message } else { "" };
            marks.push(Mark { line, start: from, end: to.max(from), sign, message });
        }
    }
}

/// A line as it is shown.
struct View {
    text: String,
    /// The byte of the line and the cell at which each shown character begins; ends with the end.
    cells: Vec<(usize, usize)>,
}

impl View {
    /// Shows a line, if it is long the part around the byte `focus`.
    fn new(line: &str, focus: usize) -> Self {
        let width: usize = line.chars().map(cells_of).sum();
        let before: usize = line.char_indices().take_while(|&(at, _)| at < focus).map(|(_, c)| cells_of(c)).sum();
        let skip = if width <= LINE_CELLS_MAX { 0 } else { before.saturating_sub(CELLS_BEFORE_CARET) };
        let mut view = Self { text: String::new(), cells: Vec::new() };
        let (mut passed, mut cell) = (0, 0);
        if skip > 0 {
            view.text.push('…');
            cell = 1;
        }
        for (at, c) in line.char_indices() {
            if passed >= skip {
                if cell >= LINE_CELLS_MAX && width > LINE_CELLS_MAX {
                    view.cells.push((at, cell));
                    view.text.push('…');
                    return view;
                }
                view.cells.push((at, cell));
                match c {
                    '\t' => view.text.push_str(TAB),
                    _ if c.is_control() => view.text.push(char::REPLACEMENT_CHARACTER),
                    _ => view.text.push(c),
                }
                cell += cells_of(c);
            }
            passed += cells_of(c);
        }
        view.cells.push((line.len(), cell));
        view
    }

    /// The cell at which a byte of the line is shown, or the nearest that is.
    fn cell(&self, byte: usize) -> usize {
        let next = self.cells.partition_point(|&(at, _)| at < byte);
        self.cells.get(next).or_else(|| self.cells.last()).map_or(0, |&(_, cell)| cell)
    }
}

/// How many cells of a terminal a character takes.
fn cells_of(c: char) -> usize {
    match u32::from(c) {
        0x09 => TAB.len(),
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::*;

    fn shown(source: &str, wrong: &str) -> String {
        let start = source.find(wrong).unwrap();
        let span = Span::new(start, start + wrong.len());
        render(&Diagnostic::error(Code::UnknownName, span, "wrong"), "p.yaml", source)
    }

    #[test]
    fn carets_lie_under_what_is_shown() {
        let check = |source: &str, wrong: &str, line: &str, carets: &str| {
            let text = shown(source, wrong);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!((lines[3], lines[4]), (line, carets), "{text}");
        };
        check("a: wrong", "wrong", "1 | a: wrong", "  |    ^^^^^");
        check("a:\twrong", "wrong", "1 | a:    wrong", "  |       ^^^^^");
        check("名前: wrong", "wrong", "1 | 名前: wrong", "  |       ^^^^^");
        check("e\u{301}: wrong", "wrong", "1 | e\u{301}: wrong", "  |    ^^^^^");
        check("a: 名前 b", "名前", "1 | a: 名前 b", "  |    ^^^^");
        check("a: b\r\nc: d\r\n", "c", "2 | c: d", "  | ^");
    }

    #[test]
    fn columns_count_characters() {
        assert!(shown("名前: wrong", "wrong").contains("p.yaml:1:5"));
        assert!(shown("a: b\n\tc: wrong", "wrong").contains("p.yaml:2:5"));
    }

    #[test]
    fn a_span_over_lines_is_marked_on_each() {
        let text = shown("a: >\n  one\n  two\nb: c\n", "one\n  two");
        assert_eq!(text, "error[E202]: wrong\n --> p.yaml:2:3\n  |\n2 |   one\n  |   ^^^\n3 |   two\n  |   ^^^\n");
        let text = shown("a: >\n  1\n  2\n  3\n  4\n  5\n  6\n", "1\n  2\n  3\n  4\n  5\n  6");
        assert_eq!(
            text,
            "error[E202]: wrong\n --> p.yaml:2:3\n  |\n2 |   1\n  |   ^\n3 |   2\n  |   ^\n...\n7 |   6\n  |   ^\n"
        );
    }

    #[test]
    fn labels_and_advice_follow() {
        let source = "a: 1\nb: 2\nc: 3\na: 4\n";
        let diagnostic = Diagnostic::error(Code::DuplicateKey, Span::new(15, 16), "the key `a` stands twice")
            .with_label(Span::new(0, 1), "it stands here first")
            .with_help("remove one");
        assert_eq!(
            render(&diagnostic, "p.yaml", source),
            "error[E102]: the key `a` stands twice\n --> p.yaml:4:1\n  |\n1 | a: 1\n  | - it stands here first\n...\n\
             4 | a: 4\n  | ^\n  = help: remove one\n"
        );
    }

    #[test]
    fn the_end_of_the_file_is_a_place() {
        let diagnostic = Diagnostic::error(Code::Yaml, Span::new(5, 5), "more is wanted");
        assert_eq!(
            render(&diagnostic, "p.yaml", "a: b\n"),
            "error[E101]: more is wanted\n --> p.yaml:2:1\n  |\n2 |\n  | ^\n"
        );
        assert_eq!(
            render(&diagnostic, "p.yaml", ""),
            "error[E101]: more is wanted\n --> p.yaml:1:1\n  |\n1 |\n  | ^\n"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_its_caret() {
        let source = format!("{} wrong {}", "a".repeat(500), "b".repeat(500));
        let text = shown(&source, "wrong");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[3].chars().count() < LINE_CELLS_MAX + 10, "{text}");
        let caret = lines[4].find('^').unwrap();
        assert_eq!(lines[3].chars().skip(caret).take(5).collect::<String>(), "wrong", "{text}");
    }
}

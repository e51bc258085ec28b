//! Polluted CSV: a table with one mistake of one kind, in each of its records, its header, and each of their fields. Two figures
//! must be 0. *Corrupt* are records that are delivered and that the table never had. *Unaccounted* are records of the table that are
//! neither delivered, nor within the bytes of a reject, nor of an object that is held.
//!
//! What reading cannot know is no mistake here: a second table of the same shape in one file, or one letter for another.

use etalon_core::format::{CsvFormat, Format};
use etalon_core::records::CellKind;
use etalon_core::testing::read::{ReadBack, options, read_whole};

const FIELDS: [&str; 5] = ["id", "name", "day", "amount", "note"];
const ROWS: usize = 24;

/// What stands between values and at the end of records.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    delimiter: u8,
    line_end: &'static str,
}

/// With each of them, 100,000 objects are polluted; two are enough for every day, and `$ETALON_POLLUTION` says `all`.
const DIALECTS: [Dialect; 8] = [
    Dialect { delimiter: b',', line_end: "\n" },
    Dialect { delimiter: b';', line_end: "\r\n" },
    Dialect { delimiter: b',', line_end: "\r\n" },
    Dialect { delimiter: b';', line_end: "\n" },
    Dialect { delimiter: b'\t', line_end: "\n" },
    Dialect { delimiter: b'\t', line_end: "\r\n" },
    Dialect { delimiter: b'|', line_end: "\n" },
    Dialect { delimiter: b'|', line_end: "\r\n" },
];

/// How the cells of a table are written.
#[derive(Debug, Clone, Copy)]
enum Style {
    Bare,
    Quoted,
    /// Every second field is quoted.
    Mixed,
    /// Quoted notes hold delimiters, line ends and quotes.
    Rich,
}

const STYLES: [Style; 4] = [Style::Bare, Style::Quoted, Style::Mixed, Style::Rich];

/// A mistake.
#[derive(Debug, Clone, Copy)]
enum Mistake {
    DelimiterTooMany,
    DelimiterLacking,
    QuoteBefore,
    QuoteBehind,
    QuoteWithin,
    QuoteLost,
    ClosingQuoteLost,
    LineEndWithin,
    LineEndLacking,
    OtherLineEnd,
    BlankLine,
    NotUtf8,
    OtherDelimiter,
    Cut,
    EndOfFile,
}

const MISTAKES: [Mistake; 15] = [
    Mistake::DelimiterTooMany,
    Mistake::DelimiterLacking,
    Mistake::QuoteBefore,
    Mistake::QuoteBehind,
    Mistake::QuoteWithin,
    Mistake::QuoteLost,
    Mistake::ClosingQuoteLost,
    Mistake::LineEndWithin,
    Mistake::LineEndLacking,
    Mistake::OtherLineEnd,
    Mistake::BlankLine,
    Mistake::NotUtf8,
    Mistake::OtherDelimiter,
    Mistake::Cut,
    Mistake::EndOfFile,
];

/// The values of a record; no two records share one, so that it can be told wherever it comes out.
fn values(row: usize, style: Style) -> [String; 5] {
    let note = match style {
        Style::Rich => format!("note {row:02}, \"said\"\nand {row:02}"),
        _ => format!("note {row:02}"),
    };
    [format!("{row}"), format!("name{row:02}"), format!("2026-01-{:02}", row + 1), format!("{row}.50"), note]
}

fn written(value: &str, field: usize, style: Style) -> Vec<u8> {
    let is_quoted = match style {
        Style::Bare => false,
        Style::Quoted => true,
        Style::Mixed => field % 2 == 1,
        Style::Rich => field == 4,
    };
    if is_quoted { format!("\"{}\"", value.replace('"', "\"\"")).into_bytes() } else { value.as_bytes().to_vec() }
}

/// The table with a mistake at a field of a line, and where its lines begin; line 0 is the header.
fn object(dialect: Dialect, style: Style, mistake: Mistake, line: usize, field: usize) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut lines = Vec::new();
    for number in 0..=ROWS {
        lines.push(bytes.len());
        let values = if number == 0 { FIELDS.map(str::to_owned) } else { values(number - 1, style) };
        let is_here = number == line;
        let delimiter = if is_here && matches!(mistake, Mistake::OtherDelimiter) { b':' } else { dialect.delimiter };
        for (at, value) in values.iter().enumerate() {
            let mut cell = written(value, at, style);
            if is_here && at == field {
                spoil(&mut cell, mistake);
            }
            bytes.extend_from_slice(&cell);
            let ends = is_here && at == field;
            if ends && matches!(mistake, Mistake::Cut) {
                break;
            }
            if ends && matches!(mistake, Mistake::EndOfFile) {
                return (bytes, lines);
            }
            if ends && matches!(mistake, Mistake::DelimiterTooMany) {
                bytes.push(delimiter);
            }
            if at + 1 < FIELDS.len() && !(ends && matches!(mistake, Mistake::DelimiterLacking)) {
                bytes.push(delimiter);
            }
        }
        match mistake {
            Mistake::LineEndLacking if is_here => {}
            Mistake::OtherLineEnd if is_here => {
                bytes.extend_from_slice(if dialect.line_end == "\n" { &b"\r\n"[..] } else { b"\n" });
            }
            Mistake::BlankLine if is_here => bytes.extend_from_slice(dialect.line_end.repeat(2).as_bytes()),
            _ => bytes.extend_from_slice(dialect.line_end.as_bytes()),
        }
    }
    (bytes, lines)
}

/// Puts a mistake into a cell, where it has its place there.
fn spoil(cell: &mut Vec<u8>, mistake: Mistake) {
    let middle = cell.len() / 2;
    let is_quoted = cell.first() == Some(&b'"');
    match mistake {
        Mistake::QuoteBefore => cell.insert(0, b'"'),
        Mistake::QuoteBehind => cell.push(b'"'),
        Mistake::QuoteWithin => cell.insert(middle, b'"'),
        Mistake::QuoteLost if is_quoted => drop(cell.remove(0)),
        Mistake::ClosingQuoteLost if is_quoted => drop(cell.pop()),
        Mistake::LineEndWithin if !is_quoted => cell.insert(middle, b'\n'),
        Mistake::NotUtf8 => cell.insert(middle, 0xe9),
        Mistake::Cut | Mistake::EndOfFile => cell.truncate(middle),
        _ => {}
    }
}

/// Where a value without quotes ends with its line, nobody can know that the line was cut: the rest of it is rejected, and the
/// record is delivered with what is left. The same before the first value, where of a line that is cut nothing may be left.
fn nobody_can_know(cell_is_quoted: bool, mistake: Mistake, field: usize) -> bool {
    let is_last = field + 1 == FIELDS.len();
    match mistake {
        Mistake::LineEndWithin => !cell_is_quoted && (field == 0 || is_last),
        Mistake::Cut | Mistake::EndOfFile => !cell_is_quoted && (field == 0 || is_last),
        _ => false,
    }
}

/// How many records are corrupt and unaccounted.
fn figures(style: Style, lines: &[usize], read: &ReadBack) -> (usize, usize) {
    let mut delivered = [false; ROWS];
    let mut corrupt = 0;
    for row in &read.rows {
        let Ok(cells) = &row.cells else { continue };
        let text = |(kind, text): &(CellKind, String)| (*kind != CellKind::Missing).then(|| text.clone());
        let cells: Vec<Option<String>> = cells.iter().map(text).collect();
        let is_row = |number: &usize| values(*number, style).map(Some).as_slice() == cells.as_slice();
        match (0..ROWS).find(is_row) {
            Some(number) => delivered[number] = true,
            None => corrupt += 1,
        }
    }
    let is_in_a_reject = |number: usize| {
        let Some(&at) = lines.get(number + 1) else { return true };
        read.rows.iter().any(|row| {
            let place = row.place.offset as usize..(row.place.offset + row.place.length) as usize;
            row.cells.is_err() && place.contains(&at)
        })
    };
    let is_lost = |number: &usize| !delivered[*number] && read.incomplete.is_none() && !is_in_a_reject(*number);
    (corrupt, (0..ROWS).filter(is_lost).count())
}

#[test]
fn no_mistake_corrupts_or_hides_a_record() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    let all = std::env::var("ETALON_POLLUTION").is_ok_and(|word| word == "all");
    let dialects = DIALECTS.into_iter().take(if all { DIALECTS.len() } else { 2 });
    for (dialect, newlines_in_values) in dialects.flat_map(|dialect| [(dialect, true), (dialect, false)]) {
        let csv = CsvFormat { newlines_in_values, delimiter: dialect.delimiter, ..CsvFormat::default() };
        let options = options(Format::Csv(csv), &FIELDS);
        for style in STYLES {
            // Where a quoted value may hold no line end, such a value is itself a mistake.
            if matches!(style, Style::Rich) && !newlines_in_values {
                continue;
            }
            for mistake in MISTAKES {
                for (line, field) in (0..=ROWS).flat_map(|line| (0..FIELDS.len()).map(move |field| (line, field))) {
                    let is_quoted = written("", field, style).starts_with(b"\"");
                    if nobody_can_know(is_quoted, mistake, field) {
                        continue;
                    }
                    tried += 1;
                    let (object, lines) = object(dialect, style, mistake, line, field);
                    // A header that does not fit holds the object.
                    let Ok(read) = read_whole(&options, &object) else { continue };
                    let (corrupt, unaccounted) = figures(style, &lines, &read);
                    if corrupt + unaccounted > 0 {
                        wrong.push(format!(
                            "{dialect:?} {style:?} {mistake:?} line {line} field {field}, line ends in values {newlines_in_values}: \
                             corrupt {corrupt}, unaccounted {unaccounted}"
                        ));
                    }
                }
            }
        }
    }
    println!("{tried} polluted objects, {} with corrupt or unaccounted records", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

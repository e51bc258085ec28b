//! Laws of the pipeline file.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::diagnostic::{Diagnostic, Span};
use crate::pipeline::file::Spec;
use crate::spec::Text;

/// Reading any text ends without a panic; every place that is reported lies in the file, between characters; every
/// diagnostic can be shown; every text that is read maps back to the characters that wrote it.
pub fn any_file_is_read_or_refused(source: &str) {
    let (spec, diagnostics) = Spec::parse(source);
    assert!(spec.is_some() || !diagnostics.is_empty(), "a file is refused without a word");
    for diagnostic in &diagnostics {
        places_lie_in_the_file(diagnostic, source);
        let shown = diagnostic.render("p.yaml", source);
        assert!(shown.contains(diagnostic.code.text()));
        assert!(!diagnostic.message.contains('\n') && !diagnostic.message.ends_with('.'), "{:?}", diagnostic.message);
    }
    if let Some(spec) = &spec {
        each_text(spec, &mut |text| text_maps_back(text, source));
    }
}

fn places_lie_in_the_file(diagnostic: &Diagnostic, source: &str) {
    for span in diagnostic.labels.iter().map(|label| label.span).chain([diagnostic.span]) {
        assert!(source.get(span.start..span.end).is_some(), "{span:?} is no part of the file: {diagnostic:?}");
    }
}

/// Each character of a text that is no blank has a place, and what stands there means that character.
pub fn text_maps_back(text: &Text, source: &str) {
    for (at, c) in text.text.char_indices() {
        let span = text.span_of(Span::new(at, at + c.len_utf8()));
        assert!(
            text.span.start <= span.start && span.end <= text.span.end || c.is_whitespace(),
            "{c:?} lies outside its text"
        );
        let written = source.get(span.start..span.end);
        assert!(written.is_some(), "{c:?} of {text:?} has no place in the file");
        let written = written.unwrap_or_default();
        assert!(c.is_whitespace() || means(written, c), "{c:?} of {:?} is not written as {written:?}", text.text);
    }
}

/// Whether `written` is a way to write `c`: itself, a doubled quote, or an escape of YAML 1.2 (5.7).
fn means(written: &str, c: char) -> bool {
    let Some(escape) = written.strip_prefix('\\').filter(|escape| !escape.is_empty()) else {
        return written.chars().eq([c]) || (c == '\'' && written == "''");
    };
    let number = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) == Some(c);
    let pair = |digits: &str| {
        let (high, low) = digits.split_once("\\u")?;
        let units = [u16::from_str_radix(high, 16).ok()?, u16::from_str_radix(low, 16).ok()?];
        String::from_utf16(&units).ok()
    };
    match escape.split_at(1) {
        ("u", digits) if digits.contains('\\') => pair(digits).is_some_and(|meant| meant.chars().eq([c])),
        ("x" | "u" | "U", digits) => number(digits),
        (letter, "") => {
            let named = "0abtnvfre\"/\\N_LP"
                .find(letter)
                .and_then(|at| "\0\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}\"/\\\u{85}\u{a0}\u{2028}\u{2029}".chars().nth(at));
            named == Some(c)
        }
        _ => false,
    }
}

/// Calls `visit` with every text of a spec that knows its place.
fn each_text(spec: &Spec, visit: &mut impl FnMut(&Text)) {
    spec.source.location.texts().into_iter().for_each(&mut *visit);
    spec.filter.iter().for_each(&mut *visit);
    for column in spec.columns.iter().filter_map(|item| item.value.as_ref()) {
        [&column.from, &column.matches, &column.min, &column.max].into_iter().flatten().for_each(&mut *visit);
        column.one_of.iter().for_each(&mut *visit);
    }
    spec.checks.iter().filter_map(|item| item.value.as_ref()?.check.as_ref()).for_each(&mut *visit);
    spec.target.delete_when.iter().for_each(&mut *visit);
    visit(&spec.target.table);
}

/// How a text is written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes, on one line.
    Plain,
    /// Without quotes, each word on a line of its own.
    PlainLines,
    /// `'…'`.
    Single,
    /// `'…'`, each word on a line of its own.
    SingleLines,
    /// `"…"`.
    Double,
    /// `"…"`, every character as an escape.
    Escaped,
    /// `"…"`, with a line end that means nothing after each character.
    Continued,
    /// Under `|`.
    Literal,
    /// Under `>`, each word on a line of its own.
    Folded,
}

/// Texts for a pipeline file, and how each is written.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The description.
    pub description: (String, Style),
    /// `where`.
    pub filter: (String, Style),
    /// A column's `from`.
    pub from: (String, Style),
    /// A column's `matches`.
    pub matches: (String, Style),
    /// A column's `one_of`.
    pub one_of: Vec<(String, Style)>,
    /// A check's condition.
    pub check: (String, Style),
}

/// Samples with all that is special in YAML and in SQL.
pub fn sample() -> impl Strategy<Value = Sample> {
    let text = || (written_text(), style());
    (text(), text(), text(), text(), vec(text(), 1..4), text()).prop_map(
        |(description, filter, from, matches, mut one_of, check)| {
            one_of.sort_by(|left, right| left.0.cmp(&right.0));
            one_of.dedup_by(|left, right| left.0 == right.0);
            Sample { description, filter, from, matches, one_of, check }
        },
    )
}

fn style() -> impl Strategy<Value = Style> {
    use Style::{Continued, Double, Escaped, Folded, Literal, Plain, PlainLines, Single, SingleLines};
    proptest::sample::select(vec![Plain, PlainLines, Single, SingleLines, Double, Escaped, Continued, Literal, Folded])
}

/// Texts that are not blank and hold no placeholder.
fn written_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z_]{1,6}",
        2 => Just(" ".to_owned()),
        2 => proptest::sample::select(vec![
            "'", "\"", "\\", "(", ")", "[", "]", "{", "}", ",", ":", ": ", " #", "#", "::", "-", "- ", "?", "*", "&", "!", "|",
            ">", "%", "@", "`", "=", "  ", "\n", "\n\n", "\t", "é", "名前", "😀", "\u{a0}", "no", "1.10", "~",
        ])
        .prop_map(str::to_owned),
    ];
    vec(piece, 1..12).prop_map(|pieces| pieces.concat()).prop_filter("is not blank", |text| !text.trim().is_empty())
}

/// A text written in any style reads back as itself.
pub fn a_written_spec_reads_back(sample: &Sample) {
    let source = write_file(sample);
    let (spec, diagnostics) = Spec::parse(&source);
    let errors: Vec<_> =
        diagnostics.iter().filter(|found| found.severity == crate::diagnostic::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}\n{source}");
    let Some(spec) = spec else { unreachable!("a file without errors has a spec") };
    let same = |read: Option<&Text>, sample: &(String, Style)| {
        assert_eq!(read.map(|text| text.text.as_str()), Some(sample.0.as_str()), "{source}");
    };
    assert_eq!(spec.description.as_deref(), Some(sample.description.0.as_str()), "{source}");
    same(spec.filter.as_ref(), &sample.filter);
    let column = spec.columns.first().and_then(|item| item.value.as_ref());
    same(column.and_then(|column| column.from.as_ref()), &sample.from);
    same(column.and_then(|column| column.matches.as_ref()), &sample.matches);
    let one_of = column.map_or(&[][..], |column| column.one_of.as_slice());
    assert_eq!(one_of.len(), sample.one_of.len(), "{source}");
    one_of.iter().zip(&sample.one_of).for_each(|(read, sample)| same(Some(read), sample));
    same(spec.checks.first().and_then(|item| item.value.as_ref()?.check.as_ref()), &sample.check);
    each_text(&spec, &mut |text| text_maps_back(text, &source));
}

fn write_file(sample: &Sample) -> String {
    let one_of: String = sample.one_of.iter().map(|text| format!("      - {}\n", write_text(text, 8))).collect();
    format!(
        "etalon: 1\npipeline: orders\ndescription: {}\nsource: {{ files: a.csv, format: csv, fields: {{ id: }} }}\nwhere: {}\n\
         columns:\n  id:\n    from: {}\n    matches: {}\n    one_of:\n{one_of}checks:\n  rule: {}\n\
         target: {{ table: t, write: append }}\n",
        write_text(&sample.description, 2),
        write_text(&sample.filter, 2),
        write_text(&sample.from, 6),
        write_text(&sample.matches, 6),
        write_text(&sample.check, 4),
    )
}

/// Writes a text in a style; in double quotes where YAML cannot write it so.
fn write_text((text, style): &(String, Style), indent: usize) -> String {
    let margin = " ".repeat(indent);
    // Only words between single blanks can stand on lines of their own.
    let words: Vec<&str> = text.split(' ').collect();
    let foldable = !text.contains(['\n', '\t']) && words.iter().all(|word| !word.is_empty());
    let lines = words.join(&format!("\n{margin}"));
    let end = match text.len() - text.trim_end_matches('\n').len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    match style {
        Style::Plain if is_plain(text) => text.clone(),
        Style::PlainLines if is_plain(text) && foldable => lines,
        Style::Single if !text.contains('\n') => format!("'{}'", text.replace('\'', "''")),
        Style::SingleLines if foldable => format!("'{}'", lines.replace('\'', "''")),
        Style::Escaped => {
            format!("\"{}\"", text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect::<String>())
        }
        Style::Continued => {
            let each = text.chars().map(|c| format!("{}\\\n{margin}", double(c)));
            format!("\"{}\"", each.collect::<String>())
        }
        // The indentation indicator counts from the key's indentation, which is two less.
        Style::Literal => {
            format!("|2{end}\n{margin}{}", text.trim_end_matches('\n').replace('\n', &format!("\n{margin}")))
                + &"\n".repeat((text.len() - text.trim_end_matches('\n').len()).saturating_sub(usize::from(end != "-")))
        }
        Style::Folded if foldable => format!(">-\n{margin}{lines}"),
        _ => format!("\"{}\"", text.chars().map(double).collect::<String>()),
    }
}

/// A character as it stands between double quotes.
fn double(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        ' ' => "\\ ".to_owned(),
        _ => c.to_string(),
    }
}

/// Whether a text can stand without quotes.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric())
        && !text.ends_with([' ', ':'])
        && !text.contains(['\n', '\t'])
        && !text.contains(": ")
        && !text.contains(" #")
}

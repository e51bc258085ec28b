//! CSV and JSON cases that were written for other readers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use etalon_core::diagnostic::Code;
use etalon_core::format::CsvFormat;
use etalon_core::format::Format;
use etalon_core::format::JsonlFormat;
use etalon_core::testing::read::Row;
use etalon_core::testing::read::options;
use etalon_core::testing::read::read_whole;
use serde_json::Value;

/// The rows of a CSV text, whatever their width: each width is read by itself, so that a ragged file can be compared.
///
/// Quotes within a bare field are kept, since nearly all readers keep them.
fn rows(text: &[u8], format: &CsvFormat) -> Result<Vec<Vec<String>>, String> {
    let format = CsvFormat { header: false, keep_stray_quotes: true, ..format.clone() };
    let mut rows: BTreeMap<u64, Result<Vec<String>, String>> = BTreeMap::new();
    for width in 1..=40 {
        let names: Vec<String> = (0..width).map(|column| format!("c{column}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for row in read_whole(&options(Format::Csv(format.clone()), &names), text)?.rows {
            match row.cells {
                Ok(cells) => {
                    rows.insert(row.place.offset, Ok(cells.into_iter().map(|(_, text)| text).collect()));
                }
                Err((code, _)) => {
                    rows.entry(row.place.offset).or_insert_with(|| Err(code.to_string()));
                }
            }
        }
    }
    rows.into_values().collect()
}

/// The cases of a set that mean something else here on purpose, each with the reason.
type Differences = &'static [(&'static str, &'static str)];

fn compare(
    name: &str,
    expected: &[Vec<String>],
    found: &Result<Vec<Vec<String>>, String>,
    differences: Differences,
    wrong: &mut Vec<String>,
) -> bool {
    if found.as_deref() == Ok(expected) {
        return true;
    }
    if !differences.iter().any(|(case, _)| *case == name) {
        wrong.push(format!("{name}: {found:?}, expected {expected:?}"));
    }
    false
}

fn texts(rows: &Value) -> Option<Vec<Vec<String>>> {
    let text = |cell: &Value| cell.as_str().map(str::to_owned);
    rows.as_array()?.iter().map(|row| row.as_array()?.iter().map(text).collect()).collect()
}

fn lines(path: PathBuf) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn csv_spectrum(corpora: &Path) {
    let mut right = 0;
    for entry in fs::read_dir(corpora.join("csv/spectrum/csvs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let json = corpora.join(format!("csv/spectrum/json/{name}.json"));
        let expected: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
        let mut expected = match expected {
            Value::Array(rows) => rows,
            row => vec![row],
        };
        let mut found = rows(&fs::read(&path).unwrap(), &CsvFormat::default()).unwrap();
        let header = found.remove(0);
        let mut found: Vec<Value> = found
            .into_iter()
            .map(|row| Value::Object(header.iter().cloned().zip(row.into_iter().map(Value::String)).collect()))
            .collect();
        if name == "location_coordinates" {
            // The set's own JSON has another phone number than its CSV.
            for row in expected.iter_mut().chain(&mut found) {
                row["Contact Phone Number"] = Value::Null;
            }
        }
        assert_eq!(found, expected, "{name}");
        right += 1;
    }
    println!("csv-spectrum: {right} right");
    assert!(right > 0);
}

const PYTHON: Differences = &[
    ("\"a\" \"b\"", "text after a closing quote is a reject, not joined to the text in the quotes"),
    ("\"a\"b", "text after a closing quote is a reject, not joined to the text in the quotes"),
    ("\"ab\"c", "text after a closing quote is a reject, not joined to the text in the quotes"),
    ("a,\"b,c\"\\", "text after a closing quote is a reject, an escape too"),
    ("^", "an escape with nothing behind it is a reject"),
    ("a,\"", "a quote that is never closed is a reject, not a field"),
    ("\"a", "a quote that is never closed is a reject, not a field"),
];

pub(crate) fn python_csv(corpora: &Path) {
    let (mut right, mut different, mut refused) = (0, 0, 0);
    let mut wrong = Vec::new();
    for case in lines(corpora.join("csv/python-csv.jsonl")) {
        let options = &case["options"];
        let supported =
            ["dialect", "delimiter", "quotechar", "doublequote", "strict", "skipinitialspace", "lineterminator"];
        let is_supported = options.as_object().unwrap().iter().all(|(key, value)| match key.as_str() {
            "escapechar" => value.is_null() || value.as_str().is_some_and(|text| text.len() == 1),
            "skipinitialspace" => value == &Value::Bool(false),
            "quoting" => value == 0,
            key => supported.contains(&key),
        });
        // Without an expectation, or with an empty one for a text that has rows, the case is about an error or about how
        // Python takes the text apart into lines before it reads.
        let (Some(expected), Some(input)) = (texts(&case["expect"]), case["input"].as_array()) else {
            refused += 1;
            continue;
        };
        let input: String = input.iter().filter_map(Value::as_str).collect();
        let is_about_errors = expected.iter().all(Vec::is_empty) && !input.is_empty();
        if case["kind"] != "read" || !is_supported || is_about_errors {
            refused += 1;
            continue;
        }
        let character = |key: &str| options[key].as_str().and_then(|text| text.bytes().next());
        let format = CsvFormat {
            delimiter: character("delimiter").unwrap_or(b','),
            quote: if options.get("quotechar").is_some_and(Value::is_null) {
                None
            } else {
                character("quotechar").or(Some(b'"'))
            },
            escape: character("escapechar"),
            ..CsvFormat::default()
        };
        let expected: Vec<_> = expected.into_iter().filter(|row| !row.is_empty()).collect();
        let found = rows(input.as_bytes(), &format);
        match compare(&input, &expected, &found, PYTHON, &mut wrong) {
            true => right += 1,
            false => different += 1,
        }
    }
    println!("python-csv: {right} right, {different} different, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right > 0);
}

const PAPAPARSE: Differences = &[
    ("Quoted field has no closing quote", "a quote that is never closed is a reject, not a field"),
    (
        "Quoted field has invalid trailing quote after delimiter with a valid closer",
        "text after a closing quote is a reject",
    ),
    ("Quoted field has invalid trailing quote after delimiter", "text after a closing quote is a reject"),
    ("Quoted field has invalid trailing quote before delimiter", "text after a closing quote is a reject"),
    ("Quoted field has invalid trailing quote after new line", "text after a closing quote is a reject"),
    ("Two rows, just \\r", "lines that end in a CR alone hold the object"),
    ("Mixed slash n and slash r should choose first as precident", "a blank line at the end is no row"),
    (
        "Quoted fields with spaces between closing quote and next delimiter",
        "text after a closing quote is a reject, blanks too",
    ),
    (
        "Quoted fields with spaces between closing quote and next new line",
        "text after a closing quote is a reject, blanks too",
    ),
    ("Quoted fields with spaces after closing quote", "text after a closing quote is a reject, blanks too"),
    (
        "Quoted fields with spaces between closing quote and next delimiter and contains delimiter",
        "text after a closing quote is a reject, blanks too",
    ),
    (
        "Quoted fields with spaces between closing quote and newline and contains newline",
        "text after a closing quote is a reject, blanks too",
    ),
];

pub(crate) fn papaparse(corpora: &Path) {
    let (mut right, mut different, mut refused) = (0, 0, 0);
    let mut wrong = Vec::new();
    for case in lines(corpora.join("csv/papaparse.jsonl")) {
        let nothing = serde_json::Map::new();
        let config = case["config"].as_object().unwrap_or(&nothing);
        let ascii = |value: &Value| value.as_str().filter(|text| text.len() == 1).map(|text| text.as_bytes()[0]);
        let mut format = CsvFormat::default();
        // What its configuration means here: guessed delimiters, escape characters, types, previews and functions have no
        // counterpart, nor has a limit on the number of rows.
        let is_supported = config.iter().all(|(key, value)| match key.as_str() {
            "delimiter" => ascii(value).filter(|&byte| byte != b'\n').is_some_and(|byte| {
                format.delimiter = byte;
                true
            }),
            "quoteChar" => ascii(value).is_some_and(|byte| {
                format.quote = Some(byte);
                true
            }),
            "comments" => match value {
                Value::Bool(true) => {
                    format.comment = Some(b'#');
                    true
                }
                value => ascii(value).is_some_and(|byte| {
                    format.comment = Some(byte);
                    true
                }),
            },
            "skipFirstNLines" => value.as_u64().is_some_and(|lines| {
                format.skip_lines = lines;
                true
            }),
            "newline" => value != "\r",
            "skipEmptyLines" => value == &Value::Bool(true),
            _ => false,
        });
        let name = case["description"].as_str().unwrap_or_default();
        let is_guessed = name.contains("guess");
        let (Some(expected), Some(input)) = (texts(&case["expected"]["data"]), case["input"].as_str()) else {
            refused += 1;
            continue;
        };
        if !is_supported
            || is_guessed
            || !case["suite"].as_str().is_some_and(|suite| suite.ends_with("PARSER_TESTS") || suite == "PARSE_TESTS")
        {
            refused += 1;
            continue;
        }
        // Blank lines are no rows here.
        let expected: Vec<_> = expected.into_iter().filter(|row| row != &[""]).collect();
        let found = rows(input.as_bytes(), &format);
        match compare(name, &expected, &found, PAPAPARSE, &mut wrong) {
            true => right += 1,
            false => different += 1,
        }
    }
    println!("papaparse: {right} right, {different} different, {refused} refused");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right > 0);
}

pub(crate) fn json_test_suite(corpora: &Path) {
    let (mut accepted, mut rejected) = (0, 0);
    let mut wrong = Vec::new();
    for entry in fs::read_dir(corpora.join("json/JSONTestSuite")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        // A line end within the case makes several lines of it, none of which is the case: it then says only that the
        // neighbours survive. A line end after it is the line's own.
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let is_one_line = !line.contains(&b'\n');
        let good = b"{\"good\":1}\n";
        let outcome =
            read_whole(&options(Format::Jsonl(JsonlFormat), &["good"]), &[good, line, b"\n", good].concat()).unwrap();
        let is_good =
            |row: Option<&Row>| row.is_some_and(|row| row.cells.as_ref().is_ok_and(|cells| cells[0].1 == "1"));
        assert!(is_good(outcome.rows.first()) && is_good(outcome.rows.last()), "{name}: a neighbour did not survive");
        if !is_one_line {
            continue;
        }
        let between = &outcome.rows[1..outcome.rows.len() - 1];
        let is_legal = match between {
            // A blank line is no record: it is neither delivered nor lost.
            [] => line.trim_ascii().is_empty().then_some(false),
            [row] => Some(matches!(&row.cells, Ok(_) | Err((Code::NotAnObject, _)))),
            _ => None,
        };
        match (name.as_bytes()[0], is_legal) {
            (b'y' | b'i', Some(true)) => accepted += 1,
            (b'n' | b'i', Some(false)) => rejected += 1,
            _ => wrong.push(name),
        }
    }
    println!("JSONTestSuite: {accepted} accepted, {rejected} rejected");
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(accepted > 0 && rejected > 0);
}

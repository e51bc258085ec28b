//! Whole tasks in memory: accounting, the same bytes, cuts.

use etalon_core::pipeline::Pipeline;
use etalon_core::testing::pipeline as law;
use proptest::prelude::*;

/// Cells that are good, bad in many ways, or strange.
const CELLS: [&str; 24] = [
    "1",
    "7",
    "42",
    "-3",
    "2147483648",
    "x",
    "",
    "1.50",
    "12.345",
    "999999.99",
    "99999.999",
    " 2 ",
    "2026-01-31",
    "2026-02-30",
    "\"quoted\"",
    "\"two\nlines\"",
    "\"\"",
    "skip",
    "x\u{e9}y",
    "too long a name",
    "\"open",
    "a\"b",
    "\"a\"b",
    "#",
];

/// The first bytes of objects of other kinds.
const FOREIGN: &[&[u8]] = &[b"PAR1\0", b"PK\x03\x04", b"\xff\xfe"];

/// Objects made of lines of about four cells, with some bytes that are no text.
fn objects() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::collection::vec(prop::sample::select(&CELLS[..]), 3..=5).prop_map(|cells| cells.join(","));
    let good = (0..2000_i32, 0..99_999_u32)
        .prop_map(|(id, cents)| format!("{id},{}.{:02},2026-01-31,name", cents / 100, cents % 100));
    let end = prop::sample::select(&["\n", "\r\n", "\n\n", "\n", "\n"][..]);
    let lines = prop::collection::vec((prop_oneof![2 => good, 1 => line], end), 0..40);
    // Now and then the object is of another kind: its lines end otherwise, or it is no text.
    let kind = prop_oneof![
        20 => Just((None, &b""[..])),
        1 => Just((Some("\r"), &b""[..])),
        1 => prop::sample::select(FOREIGN).prop_map(|first| (None, first)),
    ];
    (kind, lines, any::<bool>(), prop::option::of(0..200_usize)).prop_map(|((only, first), lines, ended, damage)| {
        let lines = lines.iter().flat_map(|(line, end)| [line.as_bytes(), only.unwrap_or(end).as_bytes()].concat());
        let mut bytes: Vec<u8> = first.iter().copied().chain(lines).collect();
        if !ended {
            bytes.truncate(bytes.len().saturating_sub(1));
        }
        if let Some(byte) = damage.and_then(|at| bytes.get_mut(at)) {
            *byte = 0xff;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn what_is_left_out_is_counted_by_why(ids in prop::collection::vec(prop::option::of(-2..9_i32), 0..30)) {
        law::what_is_left_out_is_counted_by_why(&ids);
    }

    #[test]
    fn every_record_and_every_byte_is_accounted_for(bytes in objects(), newlines in any::<bool>()) {
        law::every_record_and_every_byte_is_accounted_for(&bytes, newlines);
    }

    #[test]
    fn any_chunking_stages_the_same_bytes(bytes in objects(), pushes in prop::collection::vec(1..200_usize, 1..8)) {
        law::any_chunking_stages_the_same_bytes(&bytes, &pushes);
    }

    #[test]
    fn any_cut_stages_the_same_rows(bytes in objects(), cuts in prop::collection::vec(any::<u64>(), 0..6)) {
        law::any_cut_stages_the_same_rows(&bytes, &cuts);
    }

    #[test]
    fn records_read_again_become_what_they_became(bytes in objects(), mask in any::<u64>()) {
        law::records_read_again_become_what_they_became(&bytes, mask);
    }

    #[test]
    fn what_is_delivered_fits(bytes in objects()) {
        law::what_is_delivered_fits(&bytes);
    }
}

#[test]
fn chunks_of_any_size_stage_the_same_large_part() {
    let bytes: String =
        (0..40_000).map(|id| format!("{},{}.{:02},2026-01-31,name{}\n", id, id % 1000, id % 100, id % 77)).collect();
    law::any_chunking_stages_the_same_bytes(bytes.as_bytes(), &[1_000, 70_001, 3]);
}

#[test]
fn what_cannot_change_output_bytes_is_not_in_the_fingerprint() {
    let text = law::PIPELINE.replace("NEWLINES", "true");
    let fingerprint = |text: &str| Pipeline::compile(text).unwrap().0.fingerprint().to_owned();
    let first = fingerprint(&text);
    assert_eq!(first, fingerprint(&text.replace("etalon: 1", "etalon: 1\ndescription: other words")));
    assert_eq!(first, fingerprint(&format!("{text}limits: {{ rejects: 5% }}\n")));
    assert_eq!(first, fingerprint(&text.replace("table: laws", "table: other.place")));
    assert_ne!(first, fingerprint(&text.replace("'skip'", "'other'")));
    assert_ne!(first, fingerprint(&text.replace("amount < 1000", "amount < 1001")));
    assert_ne!(first, fingerprint(&text.replace("day: date", "day: { type: date, sensitive: true }")));
}

/// The texts between backticks of a cell.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The code of the reject of a record with this text, if it is one; the field is declared as `field` says, and `checks` follow.
fn code_of(field: &str, text: &str, checks: &str) -> Option<String> {
    let file = format!(
        "etalon: 1\npipeline: values\nsource: {{ files: v.csv, format: csv, fields: {{ v: {{ {field} }} }} }}\n\
         columns: {{ v: }}\n{checks}target: {{ table: values, write: append }}\n"
    );
    let (pipeline, _) = Pipeline::compile(&file).unwrap_or_else(|wrong| panic!("{field}: {wrong:#?}"));
    let bytes = format!("v\n\"{}\"\n", text.replace('"', "\"\"")).into_bytes();
    let staged = law::run(&pipeline, &bytes, std::slice::from_ref(&(0..bytes.len() as u64)), &[usize::MAX]);
    let line = staged.iter().find_map(|staged| staged.quarantine.lines().next())?;
    let at = line.find(r#""code":""#).unwrap() + 8;
    Some(line[at..at + 4].to_owned())
}

/// The rows of tables of the page, without those of headings.
fn rows_of(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `") && !line.starts_with("| `ambiguous`"));
    rows.map(|line| line.split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_page_of_values_says_what_a_field_takes() {
    let page = include_str!("../../../docs/reference/values.md");
    let (types, _) = page.split_once("## Patterns").unwrap();
    let rows = rows_of(types);
    assert_eq!(rows.len(), 9);
    for row in rows {
        let &[_, types, taken, not_taken, codes, _] = row.as_slice() else { panic!("{row:?}") };
        for ty in quoted(types) {
            let ty = &format!("type: \"{ty}\"");
            for text in quoted(taken) {
                assert_eq!(code_of(ty, text, ""), None, "{text} as {ty}");
            }
            for text in quoted(not_taken) {
                let code = code_of(ty, text, "").unwrap_or_else(|| panic!("{text} as {ty} is taken"));
                assert!(codes.contains(&code), "{text} as {ty}: {code}");
            }
        }
    }
}

#[test]
fn the_page_of_values_says_what_each_word_of_patterns_takes() {
    let page = include_str!("../../../docs/reference/values.md");
    let (_, page) = page.split_once("## Patterns").unwrap();
    let (patterns, zones) = page.split_once("## Time zones").unwrap();
    let mut words = Vec::new();
    for row in rows_of(patterns) {
        let &[_, word, _, pattern, taken, not_taken, _] = row.as_slice() else { panic!("{row:?}") };
        words.extend(quoted(word));
        let (pattern, word) = (quoted(pattern)[0], quoted(word)[0]);
        assert!(pattern.contains(word), "{row:?}");
        let field = match word {
            "OF" | "TZH" | "TZM" => format!("type: timestamptz, format: '{pattern}'"),
            _ => format!("type: timestamp, format: '{pattern}'"),
        };
        for text in quoted(taken) {
            assert_eq!(code_of(&field, text, ""), None, "{text} as {pattern}");
        }
        for text in quoted(not_taken) {
            assert!(code_of(&field, text, "").is_some(), "{text} as {pattern} is taken");
        }
    }
    // A wrong pattern is told the words that there are.
    let wrong = law::PIPELINE.replace("day: date", "day: { type: date, format: X }").replace("NEWLINES", "true");
    let wrong = Pipeline::compile(&wrong).unwrap_err();
    let help = wrong.iter().find_map(|diagnostic| diagnostic.help.clone()).unwrap();
    let (_, known) = help.split_once("of the words ").unwrap();
    let (known, _) = known.split_once(';').unwrap();
    let mut known: Vec<&str> = known.split(' ').filter(|word| *word != "and").collect();
    words.sort_unstable();
    known.sort_unstable();
    assert_eq!(words, known);

    let head = zones.lines().find(|line| line.starts_with("| `ambiguous`")).unwrap();
    let times = quoted(head);
    for row in rows_of(zones) {
        let &[_, word, twice, never, _] = row.as_slice() else { panic!("{row:?}") };
        for (time, becomes) in [(times[1], twice), (times[2], never)] {
            let zone = format!("{{ name: Europe/Berlin, ambiguous: {} }}", quoted(word)[0]);
            let field = format!("type: timestamptz, timezone: {zone}");
            let (same, code) = match quoted(becomes).first() {
                Some(instant) => (format!("checks: {{ same: \"v = '{instant}'\" }}\n"), None),
                None => (String::new(), Some(becomes.to_owned())),
            };
            assert_eq!(code_of(&field, time, &same), code, "{row:?}");
        }
    }
}

/// What is wrong with the parts of a window, each with its place.
#[test]
fn wrong_parts_of_a_window_are_told_with_their_place() {
    let told = |kind: &str, split: &str| {
        let text = format!(
            "etalon: 1\npipeline: p\nsource:\n  {kind}: {{ url: '{kind}://h/d', table: t, split: {{ {split} }} }}\n  fields: {{ id: bigint }}\n\
             columns: {{ id: required }}\ntarget: {{ table: t, write: replace }}\n"
        );
        match Pipeline::compile(&text) {
            Ok(_) => String::new(),
            Err(wrong) => wrong.iter().map(|one| one.render("p.yaml", &text)).collect(),
        }
    };
    for (kind, split, fact, place) in [
        ("postgres", "by: id, into: 1", "`into` is a whole number from 2 to 64, not `1`", "^"),
        ("postgres", "by: id, into: 65", "`into` is a whole number from 2 to 64, not `65`", "^^"),
        ("mysql", "by: id, into: some", "`into` is a whole number from 2 to 64, not `some`", "^^^^"),
        ("mysql", "into: 4", "key `by`", "^^^^^"),
        ("mysql", "by: id, into: 4, connections: 2", "unknown key `connections`", "^^^^^^^^^^^"),
        ("postgres", "by: id, into: 4, connections: 5", "`connections` is 5, and there are 4 parts", "^"),
        ("postgres", "by: id, into: 4, connections: 0", "`connections` is a whole number from 1 to 16, not `0`", "^"),
    ] {
        let told = told(kind, split);
        assert!(told.contains(fact) && told.contains(place), "{kind}: {split}: {told}");
    }
    for (kind, split) in [("postgres", "by: id, into: 8, connections: 8"), ("mysql", "by: id, into: 64")] {
        assert_eq!(told(kind, split), "", "{kind}: {split}");
    }
}

//! The laws of reading, and a second, simple CSV scanner to compare with.

use std::io::Write;
use std::ops::Range;

use flate2::write::GzEncoder;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop;

use crate::diagnostic::Code;
use crate::format::Contract;
use crate::format::CsvFormat;
use crate::format::ENCODINGS;
use crate::format::Format;
use crate::format::JsonlFormat;
use crate::format::ReadOptions;
use crate::format::ReadStep;
use crate::format::Reader;
use crate::format::{Compression, Expansion};
use crate::receipt::Coverage;
use crate::records::CellKind;
use crate::reject::Place;

/// A record as it was read: its cells as text, or the code and the fact for which it was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it lies.
    pub place: Place,
    /// Its bytes; of a reject only the first.
    pub raw: Vec<u8>,
    /// What was made of it.
    pub cells: Result<Vec<(CellKind, String)>, (Code, String)>,
}

/// Everything that came out of reading a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// Records and rejects in the order of their places.
    pub rows: Vec<Row>,
    /// What the bytes turned out to be.
    pub coverage: Coverage,
    /// Why the object is incomplete, if it is.
    pub incomplete: Option<String>,
    /// How many records had undeclared fields.
    pub undeclared_records: u64,
}

/// Options for tests: the format, and fields by these names.
pub fn options(format: Format, fields: &[&str]) -> ReadOptions {
    ReadOptions {
        format,
        compression: Some(Compression::None),
        compression_by_name: Compression::None,
        expansion: Expansion::default(),
        encoding: None,
        fields: fields.iter().map(|&name| name.to_owned()).collect(),
        optional: Vec::new(),
        contract: Contract::Ignore,
        batch_rows_max: 1000,
        record_bytes_max: 1 << 20,
        chunk_bytes: 1 << 16,
    }
}

/// Reads a range of an object, pushing as many bytes at a time as `pushes` says, over and over. The error is that of a held
/// object.
///
/// # Panics
///
/// If a promise of the reader is broken that holds for every input.
pub fn read(options: &ReadOptions, object: &[u8], range: Range<u64>, pushes: &[usize]) -> Result<ReadBack, String> {
    let mut reader = Reader::new(options.clone(), object.len() as u64, range);
    let mut pushes = pushes.iter().copied().cycle();
    let mut outcome =
        ReadBack { rows: Vec::new(), coverage: Coverage::default(), incomplete: None, undeclared_records: 0 };
    loop {
        match reader.step().map_err(|error| error.to_string())? {
            ReadStep::NeedsData(needed) => {
                assert!(needed.start < needed.end && needed.end <= object.len() as u64, "{needed:?}");
                assert!(
                    needed.end - needed.start
                        <= 2 * options.chunk_bytes.max(options.record_bytes_max).max(1 << 16) as u64
                );
                let count = pushes.next().unwrap_or(usize::MAX).max(1);
                let needed = needed.start as usize..needed.end as usize;
                let bytes = &object[needed];
                reader.push(&bytes[..count.min(bytes.len())]);
            }
            ReadStep::Records(records) => {
                let count = records.len() + records.rejects.len();
                assert!(count > 0 && count <= options.batch_rows_max.max(1), "a batch of {count}");
                outcome.undeclared_records += records.undeclared_records;
                let first = outcome.rows.len();
                for row in 0..records.len() {
                    let text = |field| {
                        let cell = records.cell(row, field);
                        (cell.kind(), String::from_utf8(records.bytes(cell).to_vec()).expect("cells are UTF-8"))
                    };
                    let cells = Ok((0..records.fields).map(text).collect());
                    outcome.rows.push(Row { place: records.places[row], raw: records.raw(row).to_vec(), cells });
                }
                for reject in records.rejects {
                    let cells = Err((reject.reason.code, reject.reason.message));
                    outcome.rows.push(Row { place: reject.place, raw: reject.raw, cells });
                }
                outcome.rows[first..].sort_by_key(|row| row.place);
            }
            ReadStep::Finished { coverage, incomplete } => {
                outcome.coverage = coverage;
                outcome.incomplete = incomplete;
                break;
            }
        }
    }
    assert!(outcome.coverage.balance(), "{:?}", outcome.coverage);
    let of_records: u64 = outcome.rows.iter().map(|row| row.place.length).sum();
    assert_eq!(outcome.coverage.records, of_records);
    for pair in outcome.rows.windows(2) {
        assert!(pair[0].place.offset + pair[0].place.length <= pair[1].place.offset, "{pair:?}");
    }
    for row in &outcome.rows {
        assert!(row.place.length > 0);
        if options.compression == Some(Compression::None) && options.encoding.is_none() {
            let start = row.place.offset as usize;
            assert!(object[start..start + row.place.length as usize].starts_with(&row.raw), "{row:?}");
        }
    }
    Ok(outcome)
}

/// Reads a whole object in one push.
pub fn read_whole(options: &ReadOptions, object: &[u8]) -> Result<ReadBack, String> {
    read(options, object, 0..object.len() as u64, &[usize::MAX])
}

/// However the bytes arrive, the same records are read, and they tile the bytes.
pub fn any_chunking_reads_the_same_records(options: &ReadOptions, object: &[u8], pushes: &[usize], chunk_bytes: usize) {
    let whole = read_whole(&ReadOptions { chunk_bytes: 1 << 24, ..options.clone() }, object);
    let chunked = read(&ReadOptions { chunk_bytes, ..options.clone() }, object, 0..object.len() as u64, pushes);
    assert_eq!(chunked, whole);
    if let Ok(whole) = whole
        && options.compression == Some(Compression::None)
    {
        assert_eq!(whole.coverage.total, object.len() as u64);
        let is_open = whole.rows.last().is_some_and(|row| matches!(&row.cells, Err((Code::Unclosed, _))));
        assert!(whole.incomplete.is_none() || is_open, "{:?}", whole.incomplete);
    }
}

/// However an object is cut into ranges, the same records are read, and the ranges tile the bytes.
pub fn any_cut_reads_the_same_records(options: &ReadOptions, object: &[u8], cuts: &[u64], chunk_bytes: usize) {
    let size = object.len() as u64;
    let whole = read_whole(options, object);
    let mut bounds: Vec<u64> = cuts.iter().map(|&cut| if size == 0 { 0 } else { cut % (size + 1) }).collect();
    bounds.extend([0, size]);
    bounds.sort_unstable();
    let options = ReadOptions { chunk_bytes, ..options.clone() };
    let parts: Result<Vec<ReadBack>, String> =
        bounds.windows(2).map(|pair| read(&options, object, pair[0]..pair[1], &[usize::MAX, 7])).collect();
    match (whole, parts) {
        (Ok(whole), Ok(parts)) => {
            let mut joined =
                ReadBack { rows: Vec::new(), coverage: Coverage::default(), incomplete: None, undeclared_records: 0 };
            for part in parts {
                joined.rows.extend(part.rows);
                joined.coverage.add(part.coverage);
                joined.incomplete = joined.incomplete.or(part.incomplete);
                joined.undeclared_records += part.undeclared_records;
            }
            assert_eq!(joined, whole);
        }
        (Err(whole), Err(part)) => assert_eq!(part, whole),
        (whole, parts) => panic!("{whole:?} in one, {parts:?} in parts"),
    }
}

/// A compressed object reads as what it was compressed from, in however many members; cut short it says so, and nothing
/// of what came out before is lost.
pub fn gzip_reads_the_same_records(options: &ReadOptions, object: &[u8], members: &[usize], kept: usize) {
    let mut stored = Vec::new();
    let mut rest = object;
    for &length in members.iter().chain([&usize::MAX]) {
        let (member, after) = rest.split_at(length.min(rest.len()));
        let mut encoder = GzEncoder::new(&mut stored, flate2::Compression::fast());
        encoder.write_all(member).unwrap();
        encoder.finish().unwrap();
        rest = after;
    }
    let plain = read_whole(options, object);
    let zipped = ReadOptions { compression: Some(Compression::Gzip), chunk_bytes: 100, ..options.clone() };
    let all = 0..stored.len() as u64;
    assert_eq!(read(&zipped, &stored, all, &[5, 1, 100]), plain);

    // What decodes to more than it may breaks off exactly there.
    let bytes = (kept % (object.len() + 1)) as u64;
    let bounded = ReadOptions { expansion: Expansion { bytes, ..Expansion::default() }, ..zipped.clone() };
    let whole = read_whole(&bounded, &stored);
    assert_eq!(read(&bounded, &stored, 0..stored.len() as u64, &[5, 1, 100]), whole);
    if let Ok(outcome) = whole {
        let is_over = outcome.incomplete.as_ref().is_some_and(|why| why.contains("stored bytes decode to more than"));
        assert_eq!(is_over, bytes < object.len() as u64);
        assert_eq!(outcome.coverage.total, bytes.min(object.len() as u64));
    }

    let short = &stored[..kept % stored.len()];
    let whole = read_whole(&zipped, short);
    assert_eq!(read(&zipped, short, 0..short.len() as u64, &[3, 64]), whole);
    if let (Ok(short), Ok(plain)) = (whole, plain) {
        assert!(short.coverage.total as usize <= object.len());
        // Where a cut falls between two members, what is left is whole, and its last record another.
        let is_damaged = short.incomplete.as_ref().is_some_and(|why| why.contains("gzip"));
        let uncertain = usize::from(!is_damaged);
        let kept = short.rows.len().saturating_sub(uncertain);
        for (short, plain) in short.rows.iter().zip(&plain.rows).take(kept) {
            let is_truncated = matches!(&short.cells, Err((Code::Truncated, _)));
            assert!(is_truncated || short == plain || short.place == plain.place, "{short:?} of {plain:?}");
        }
        for stray in [&b"\0\0"[..], b"x", &stored[..1]] {
            let outcome = read_whole(&zipped, &[&stored, stray].concat()).unwrap();
            assert!(outcome.incomplete.is_some(), "{stray:?} behind the last member");
            assert_eq!(outcome.coverage.total, plain.coverage.total);
        }
    }
}

/// A text in two-byte units reads as the text in UTF-8, however its bytes come.
pub fn utf16_reads_the_same_records(
    options: &ReadOptions,
    text: &str,
    big: bool,
    pushes: &[usize],
    chunk_bytes: usize,
) {
    let mark = [if big { 0xfeff_u16.to_be_bytes() } else { 0xfeff_u16.to_le_bytes() }];
    let text = text.trim_start_matches('\u{feff}');
    let units = text.encode_utf16().map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    let stored: Vec<u8> = mark.into_iter().chain(units).flatten().collect();
    let encoding = ENCODINGS.0.iter().find_map(|&(word, _, encoding)| encoding.filter(|_| word == "utf-16"));
    let wide = ReadOptions { encoding, chunk_bytes, ..options.clone() };
    assert_eq!(read(&wide, &stored, 0..stored.len() as u64, pushes), read_whole(options, text.as_bytes()));
}

/// A line is a record exactly where `serde_json` reads an object from it, but for keys that stand twice; and the values are
/// those.
pub fn json_agrees_with_serde_json(line: &[u8]) {
    let nested = line.iter().filter(|&&byte| byte == b'[' || byte == b'{').count();
    if line.contains(&b'\n') || nested > 100 || line.starts_with(b"\xef\xbb\xbf") {
        return;
    }
    let fields = ["a", "b", "ä", "a\nb"];
    // Before it stands another line, so that the object is read whatever the line begins with.
    let object = [b"{}\n", line].concat();
    let oracle = serde_json::from_slice::<serde_json::Value>(line);
    let outcome = match read_whole(&options(Format::Jsonl(JsonlFormat), &fields), &object) {
        Ok(outcome) => outcome,
        Err(held) => return assert!(held.contains("first bytes") && oracle.is_err(), "{held}"),
    };
    let Some(row) = outcome.rows.get(1) else {
        return assert!(line.trim_ascii().is_empty() || line.iter().all(|byte| b" \t\r".contains(byte)));
    };
    match (&row.cells, oracle) {
        (Ok(cells), Ok(serde_json::Value::Object(object))) => {
            for (name, (kind, text)) in fields.iter().zip(cells) {
                let value = object.get(*name);
                match kind {
                    CellKind::Missing => assert_eq!(value, None),
                    CellKind::Quoted => assert_eq!(value.and_then(|value| value.as_str()), Some(text.as_str())),
                    _ => assert_eq!(value, Some(&serde_json::from_str(text).unwrap()), "{text}"),
                }
            }
        }
        (Err((Code::DuplicateField, _)), Ok(serde_json::Value::Object(_))) => {}
        (Err((Code::NotAnObject, _)), Ok(value)) => assert!(!value.is_object()),
        (Err((Code::NotUtf8, _)), _) => assert!(std::str::from_utf8(line).is_err()),
        // A number beyond a double is one all the same; it is kept as it is written.
        (Ok(_) | Err((Code::NotAnObject, _)), Err(error)) if error.to_string().contains("out of range") => {}
        (Err((Code::MalformedJson, _)), Err(_)) => {}
        (mine, oracle) => panic!("{mine:?}, and serde_json has {oracle:?}"),
    }
}

/// The scanner and its plain twin, which looks at one byte after the other, find the same records.
pub fn csv_agrees_with_its_plain_twin(csv: &CsvFormat, object: &[u8]) {
    let csv = CsvFormat { header: false, skip_lines: 0, ..csv.clone() };
    let outcome = match read_whole(&options(Format::Csv(csv.clone()), &["a", "b", "c"]), object) {
        Ok(outcome) => outcome,
        Err(held) if held.contains("carriage return") => return assert!(is_without_line_ends(&csv, object), "{held}"),
        Err(held) => return assert!(held.contains("first bytes"), "{held}"),
    };
    assert!(!is_without_line_ends(&csv, object));
    let found: Vec<(u64, Option<Vec<String>>)> = outcome
        .rows
        .into_iter()
        .map(|row| {
            let cells = row.cells.ok().map(|cells| cells.into_iter().map(|(_, text)| text).collect());
            (row.place.length, cells)
        })
        .collect();
    assert_eq!(found, plain_csv(&csv, object));
}

/// Whether there is a carriage return outside of quotes, other than as the last byte, and no line end.
fn is_without_line_ends(csv: &CsvFormat, object: &[u8]) -> bool {
    let object = object.strip_prefix(b"\xef\xbb\xbf").unwrap_or(object);
    let quotes = |until: usize| object[..until].iter().filter(|&&byte| Some(byte) == csv.quote).count();
    let is_bare = |at: usize| quotes(at).is_multiple_of(2);
    let is_line_end = |at: usize| object[at] == b'\n' && (is_bare(at) || !csv.newlines_in_values);
    !(0..object.len()).any(is_line_end)
        && (0..object.len().saturating_sub(1)).any(|at| object[at] == b'\r' && is_bare(at))
}

/// The records of an object with three fields: their lengths, and their fields where nothing is wrong.
fn plain_csv(csv: &CsvFormat, object: &[u8]) -> Vec<(u64, Option<Vec<String>>)> {
    let object = object.strip_prefix(b"\xef\xbb\xbf").unwrap_or(object);
    let mut rows = Vec::new();
    let mut at = 0;
    while at < object.len() {
        let start = at;
        if Some(object[at]) == csv.comment {
            at = object[at..].iter().position(|&byte| byte == b'\n').map_or(object.len(), |end| at + end + 1);
            continue;
        }
        let mut fields: Vec<Vec<u8>> = Vec::new();
        let mut is_good = true;
        loop {
            let mut field = Vec::new();
            let is_quoted = at < object.len() && Some(object[at]) == csv.quote;
            if is_quoted {
                at += 1;
                loop {
                    let Some(&byte) = object.get(at) else {
                        is_good = false;
                        break;
                    };
                    if byte == b'\n' && !csv.newlines_in_values {
                        is_good = false;
                        break;
                    }
                    if Some(byte) == csv.escape {
                        let count = escaped(csv, object, at).unwrap_or_default();
                        field.extend(&object[at + 1..at + 1 + count]);
                        at += 1 + count;
                        continue;
                    }
                    at += 1;
                    if Some(byte) != csv.quote {
                        field.push(byte);
                    } else if object.get(at) == Some(&byte) {
                        field.push(byte);
                        at += 1;
                    } else {
                        break;
                    }
                }
                let rest = &object[at..];
                let is_closed = rest.is_empty()
                    || rest == b"\r"
                    || rest.starts_with(b"\n")
                    || rest.starts_with(b"\r\n")
                    || rest[0] == csv.delimiter;
                is_good &= is_closed;
            }
            let bare = at;
            let mut text = Vec::new();
            let mut ends_in_escaped = false;
            while at < object.len() && object[at] != csv.delimiter && object[at] != b'\n' {
                ends_in_escaped = Some(object[at]) == csv.escape;
                if ends_in_escaped {
                    is_good &= escaped(csv, object, at).is_some();
                    let count = escaped(csv, object, at).unwrap_or_default();
                    text.extend(&object[at + 1..at + 1 + count]);
                    at += 1 + count;
                } else {
                    is_good &= csv.keep_stray_quotes || Some(object[at]) != csv.quote;
                    text.push(object[at]);
                    at += 1;
                }
            }
            let mut end = at;
            if (at == object.len() || object[at] == b'\n') && text.ends_with(b"\r") && !ends_in_escaped {
                text.pop();
                end -= 1;
            }
            if !is_quoted {
                let is_null = csv.nulls.iter().any(|null| null.as_bytes() == &object[bare..end]);
                field = if is_null { object[bare..end].to_vec() } else { text };
            }
            fields.push(field);
            at += 1;
            if at > object.len() || object[at - 1] == b'\n' {
                break;
            }
        }
        at = at.min(object.len());
        let raw = &object[start..at];
        if matches!(raw, b"\n" | b"\r\n" | b"\r") {
            continue;
        }
        is_good &= fields.len() == 3 && std::str::from_utf8(raw).is_ok();
        let texts = fields.into_iter().map(|field| String::from_utf8_lossy(&field).into_owned()).collect();
        rows.push(((at - start) as u64, is_good.then_some(texts)));
    }
    rows
}

/// How many bytes behind an escape are text; `None`: it stands at the end of a line or of the object.
fn escaped(csv: &CsvFormat, object: &[u8], at: usize) -> Option<usize> {
    match &object[at + 1..] {
        [b'\n', ..] | [b'\r', b'\n', ..] if !csv.newlines_in_values => None,
        [b'\r', b'\n', ..] => Some(2),
        [] => None,
        _ => Some(1),
    }
}

/// Options and an object, out of one run of bytes: the first two decide.
pub fn csv_options_of(input: &[u8]) -> (ReadOptions, &[u8]) {
    let (&first, rest) = input.split_first().unwrap_or((&0, &[]));
    let (&second, object) = rest.split_first().unwrap_or((&0, &[]));
    let is_set = |bit: u32| (u16::from(second) << 8 | u16::from(first)) >> bit & 1 == 1;
    let csv = CsvFormat {
        header: is_set(0),
        delimiter: if is_set(1) { b',' } else { b'|' },
        quote: (!is_set(2)).then_some(b'"'),
        escape: is_set(8).then_some(b'\\'),
        keep_stray_quotes: is_set(9),
        comment: is_set(3).then_some(b'#'),
        skip_lines: u64::from(is_set(4)),
        nulls: vec!["\\N".to_owned()],
        quoted_nulls: false,
        fill_record: false,
        newlines_in_values: is_set(5),
    };
    let bounds = ReadOptions {
        batch_rows_max: if is_set(6) { 2 } else { 1000 },
        record_bytes_max: if is_set(7) { 20 } else { 1 << 20 },
        ..options(Format::Csv(csv), &["a", "b", "c"])
    };
    (bounds, object)
}

/// Bytes that look like CSV, as seen by someone malicious.
pub fn csv_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"a"[..],
        b"bb",
        b",",
        b",",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\"",
        b"\"",
        b"\"\"",
        b"\\",
        b"\\N",
        b"\r",
        b"#",
        b"\xc3\xa4",
        b"\xff",
        b"",
        b"a,b,c\n",
        b"1,\"x\ny\",\"\"\n",
        b"0123456789012345678901234567890123456789012345678901234567890123456789",
    ]);
    (any::<bool>(), prop::collection::vec(piece, 0..60)).prop_map(|(mark, pieces)| {
        let mark: &[u8] = if mark { b"\xef\xbb\xbf" } else { b"" };
        [mark, &pieces.concat()].concat()
    })
}

/// Lines that look like JSON.
pub fn json_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"a\"",
        b"\"b\"",
        b"\"",
        b"\\",
        b"\\u00e4",
        b"\\ud83d\\ude00",
        b"\\ud800",
        b"1",
        b"-0.5e3",
        b"true",
        b"null",
        b" ",
        b"\r",
        b"\x01",
        b"\xff",
        b"\xc3\xa4",
        b"{\"a\":1,\"b\":\"x\"}",
        b"{\"a\":{\"b\":[1,2,null]}}",
        b"\"a\":",
        b"\"a\":\"\",",
        b"{\"a\":\"0123456789012345678901234567890123456789\\n\"",
        b"\"\\u0061\":2",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// CSV formats.
pub fn csv_format() -> impl Strategy<Value = CsvFormat> {
    (any::<[bool; 6]>(), 0..3_u64).prop_map(
        |([header, quote, escape, keep_stray_quotes, comment, newlines_in_values], skip_lines)| CsvFormat {
            header,
            delimiter: b',',
            quote: quote.then_some(b'"'),
            escape: escape.then_some(b'\\'),
            keep_stray_quotes,
            comment: comment.then_some(b'#'),
            skip_lines,
            nulls: vec!["\\N".to_owned()],
            quoted_nulls: false,
            fill_record: false,
            newlines_in_values,
        },
    )
}

//! The fingerprints of ten files, pinned.
//!
//! A fingerprint is part of the name of every batch. Where one changes, each object that was read with that file has a name
//! that is not known, so no change of the code may change one by the way: neither another name for a type in it, nor
//! another order of its rows. Where other bytes are meant, the engine's epoch is raised, and all ten change.

use std::fmt::Write as _;

use etalon_core::pipeline::Pipeline;

/// Files by what they say that the others do not, and their fingerprints.
const FILES: [(&str, &str, &str); 10] = [
    (
        "as little as can be said",
        "
etalon: 1
pipeline: least
source:
  files: a.csv
  format: csv
  fields:
    id: bigint
columns:
  id:
target: { table: a, write: append }
",
        "79c884b5154dc45fc4bd7fdaa25435e3",
    ),
    (
        "every option of CSV",
        r##"
etalon: 1
pipeline: separated
source:
  files: a.csv
  format:
    csv:
      header: false
      delimiter: ";"
      quote: "'"
      escape: "\\"
      stray_quotes: keep
      comment: "#"
      skip_lines: 2
      nulls: ["", "NULL"]
      quoted_nulls: true
      fill_record: true
      newlines_in_values: false
  fields:
    id: bigint
    name:
columns:
  id:
  name: varchar(20)
target: { table: a, write: append }
"##,
        "8c9d5e9589911aaa77e311874e42632b",
    ),
    (
        "JSON Lines of a prefix in S3, compressed, with a contract",
        "
etalon: 1
pipeline: lines
source:
  s3: s3://bucket/prefix/
  format: jsonl
  compression: gzip
  contract: quarantine
  on_overwrite: replace
  fields:
    id: bigint
    at: { type: timestamptz, name: happened_at, format: epoch_millis }
columns:
  id:
  at: timestamptz required
target: { table: events, write: append }
",
        "2253f831c1f5a3579ea13454cb2c569c",
    ),
    (
        "characters that are not UTF-8",
        "
etalon: 1
pipeline: encoded
source:
  files: '*.csv'
  format: csv
  encoding: windows-1252
  fields:
    id: bigint
columns:
  id:
target: { table: a, write: append }
",
        "4f79c3eddfaa7ddfbf65d221053615d0",
    ),
    (
        "formats of fields, and one that is sensitive",
        "
etalon: 1
pipeline: written
source:
  files: a.csv
  format: csv
  fields:
    day: { type: date, format: DD.MM.YYYY }
    at: { type: timestamptz, format: 'YYYY-MM-DD HH24:MI:SS', timezone: UTC }
    price: { type: 'decimal(12,2)', format: { decimal: ',', thousands: '.' } }
    paid: { type: boolean, format: { true: [yes, y], false: no } }
    mail: { type: text, sensitive: true }
columns:
  day:
  at:
  price:
  paid:
  mail: varchar(100)
target: { table: a, write: append }
",
        "f29421b06f75c8afc6482310b9397107",
    ),
    (
        "expressions: rows that are kept, mappings, checks",
        "
etalon: 1
pipeline: computed
source:
  files: a.csv
  format: csv
  fields:
    id: bigint
    name:
    amount: decimal(12,2)
where: id > 0 and name is not null
columns:
  id: required
  name: { from: 'upper(trim(name))', type: varchar(64), required: true }
  cents: { from: 'cast(amount * 100 as bigint)', type: bigint }
checks:
  positive: cents >= 0
  cheap: { check: cents < 100000, on_fail: warn }
target: { table: a, write: append }
",
        "32a9f12636fe3224bdfa361e534de065",
    ),
    (
        "rules of columns",
        "
etalon: 1
pipeline: ruled
source:
  files: a.csv
  format: csv
  fields:
    code:
    amount: integer
columns:
  code: { type: char(3), one_of: [EUR, USD], matches: '^[A-Z]+$' }
  amount: { min: 0, max: 1000 }
target: { table: a, write: append }
",
        "443d55b606bdb121ee9c4a96328da9a6",
    ),
    (
        "one row of a key, loaded instead of what is there, without lineage",
        "
etalon: 1
pipeline: snapshot
source:
  files: a.csv
  format: csv
  fields:
    id: bigint
    at: timestamp
columns:
  id: required
  at: required
dedupe: { key: id, order_by: at, keep: first }
limits: { rejects: 5%, at_least: 10 }
target: { table: a, write: replace, allow_empty: true, lineage: false }
",
        "ed9e27d6045b6e6bc2853605c462d0bf",
    ),
    (
        "versions with deletes, staged as CSV",
        "
etalon: 1
pipeline: versions
source:
  files: a.csv
  format: csv
  fields:
    id: bigint
    at: timestamp
    is_gone: boolean
columns:
  id: required
  at: required
  is_gone: required
target: { table: a, write: merge, key: id, order_by: at, delete_when: is_gone }
stage: csv
",
        "a83103d518e7e93f7f8b399b4c7f6294",
    ),
    (
        "everything that changes no output bytes",
        "
etalon: 1
pipeline: described
description: The same bytes as without all this.
source:
  files: [a.csv, 'b/*.csv']
  format: csv
  on_overwrite: add
  fields:
    id: bigint
columns:
  id: required
limits: none
target: { table: analytics.a, write: merge, key: id, sort_key: id, dist_key: id }
",
        "22e83dff27ce94b7e54df41bd5886655",
    ),
];

#[test]
fn no_change_of_the_code_changes_a_fingerprint() {
    let mut pinned = String::new();
    let mut found = String::new();
    for (says, file, fingerprint) in FILES {
        let (pipeline, _) = Pipeline::compile(file).unwrap_or_else(|wrong| panic!("{says}: {wrong:?}"));
        writeln!(pinned, "{fingerprint} {says}").unwrap();
        writeln!(found, "{} {says}", pipeline.fingerprint()).unwrap();
    }
    assert_eq!(found, pinned, "another fingerprint is another name for every batch of such a file");
}

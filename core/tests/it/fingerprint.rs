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
        "73ae7c4f98b56288c0f9f97e319c6ee8",
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
        "00af03e7a0e6db46f3f10e14233c1d10",
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
        "998d4226a2710eda6ef9c92b23369caa",
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
        "4724d541fb6f557bb674c1db60db9eca",
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
        "80381e6726e428537facb88fabc4ba1c",
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
        "cdbbabd34452dbb61d3edcc3b97e74e2",
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
        "9de95c10a0d39b2db45478b1c14608cc",
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
        "2e765efa1b5cf63ceeb3c7a48af609d7",
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
        "141346e51f94527c3279d14451fa731b",
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
        "ee2e9a3287a0de0843940fda07993945",
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

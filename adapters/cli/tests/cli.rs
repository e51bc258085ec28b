//! The command as a user calls it: what it prints, keeps and returns.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod command;

use std::fs;

use serde_json::Value;

use command::{done, etalon, json};

const PIPELINE: &str = "\
etalon: 1
pipeline: people
source:
  files: people*.csv
  format: csv
  fields: { id: integer, name: , born: date }
columns:
  id: required
  name: varchar(20)
  born: date
limits: { rejects: 50% }
target: { table: people, write: merge, key: id, order_by: id }
";

fn people(rows: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("people.yaml"), PIPELINE).unwrap();
    fs::write(folder.path().join("people.csv"), format!("id,name,born\n{rows}")).unwrap();
    folder
}

#[test]
fn a_run_finds_exactly_what_the_sample_planted() {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["sample", ".", "--rows", "20000"], 0);
    let planted = json(&fs::read_to_string(folder.path().join("planted.json")).unwrap());
    let report = json(&done(folder.path(), &["run", "orders.yaml", "--output", "json"], 0));
    assert_eq!(report["counts"]["read"], planted["read"]);
    assert_eq!(report["counts"]["staged"], planted["staged"]);
    assert_eq!(report["counts"]["filtered_false"], planted["filtered"]);
    assert_eq!(report["counts"]["quarantined"], planted["quarantined"]);
    assert_eq!(report["reasons"], planted["reasons"]);
    assert_eq!(report["load"]["deduplicated"], planted["deduplicated"]);
    assert!(planted["reasons"].as_object().unwrap().len() >= 15);

    let quarantine = folder.path().join(".etalon/quarantine");
    let lines: usize = fs::read_dir(quarantine)
        .unwrap()
        .flat_map(|batch| fs::read_dir(batch.unwrap().path()).unwrap())
        .map(|piece| fs::read_to_string(piece.unwrap().path()).unwrap().lines().count())
        .sum();
    assert_eq!(planted["quarantined"], lines, "each rejected record is one line of quarantine");
}

#[test]
fn running_twice_changes_nothing() {
    let folder = people("1,Ada,1815-12-10\n2,Grace,1906-12-09\n");
    done(folder.path(), &["run", "people.yaml", "--batch-time", "2026-01-01T00:00:00Z"], 0);
    let query = ["query", "people.yaml", "select * from people order by id", "--output", "csv"];
    let before = done(folder.path(), &query, 0);
    let report = json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], 0));
    assert_eq!(report["state"]["state"], "nothing_new");
    assert_eq!(done(folder.path(), &query, 0), before);
    assert!(
        before.starts_with("id,name,born,_etalon_batch,_etalon_offset,_etalon_time\n1,Ada,1815-12-10,"),
        "{before}"
    );
}

#[test]
fn a_second_file_is_added_and_an_overwritten_one_is_held() {
    let folder = people("1,Ada,1815-12-10\n");
    done(folder.path(), &["run", "people.yaml"], 0);
    fs::write(folder.path().join("people2.csv"), "id,name,born\n2,Grace,1906-12-09\n1,Ada Lovelace,1815-12-10\n")
        .unwrap();
    let report = json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], 0));
    assert_eq!((&report["load"]["inserted"], &report["load"]["updated"]), (&Value::from(1), &Value::from(1)));

    fs::write(folder.path().join("people.csv"), "id,name,born\n1,A. Lovelace,1815-12-10\n").unwrap();
    let output = etalon(folder.path(), &["run", "people.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("people.csv was loaded before, and its bytes are others now"), "{told}");

    let pipeline = PIPELINE.replace("  format: csv", "  format: csv\n  on_overwrite: replace");
    fs::write(folder.path().join("people.yaml"), pipeline).unwrap();
    done(folder.path(), &["run", "people.yaml"], 0);
    let names =
        done(folder.path(), &["query", "people.yaml", "select name from people order by id", "--output", "csv"], 0);
    assert_eq!(names.lines().count(), 3, "{names}");
}

#[test]
fn a_run_takes_the_place_of_all_rows() {
    let folder = people("1,Ada,1815-12-10\n");
    let pipeline = PIPELINE.replace("write: merge, key: id, order_by: id", "write: replace");
    fs::write(folder.path().join("people.yaml"), &pipeline).unwrap();
    let run = |code| json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], code));
    let ids =
        || done(folder.path(), &["query", "people.yaml", "select id from people order by id", "--output", "csv"], 0);
    run(0);
    fs::write(folder.path().join("people2.csv"), "id,name,born\n2,Grace,1906-12-09\n").unwrap();
    // The object that was loaded before is part of the run again.
    assert_eq!(run(0)["load"]["inserted"], 2);
    assert_eq!(ids(), "id\n1\n2\n");
    assert_eq!(run(0)["load"], Value::Null);
    fs::write(folder.path().join("people.csv"), "id,name,born\n3,Edsger,1930-05-11\n").unwrap();
    run(0);
    assert_eq!(ids(), "id\n2\n3\n");
    for file in ["people.csv", "people2.csv"] {
        fs::write(folder.path().join(file), format!("id,name,born\nx,{file},1930-05-11\n")).unwrap();
    }
    fs::write(folder.path().join("people.yaml"), pipeline.replace("50%", "100%")).unwrap();
    let report = run(1);
    assert!(report["state"].to_string().contains("would leave the table empty"), "{report}");
    assert_eq!(ids(), "id\n2\n3\n");
    let pipeline = pipeline.replace("50%", "100%").replace("write: replace", "write: replace, allow_empty: true");
    fs::write(folder.path().join("people.yaml"), pipeline).unwrap();
    run(0);
    assert_eq!(ids(), "id\n");
}

#[test]
fn versions_follow_each_other_and_a_delete_ends_the_last() {
    let folder = people("1,Ada,1815-12-10\n");
    let pipeline = PIPELINE
        .replace("write: merge, key: id, order_by: id", "write: scd2, key: id, order_by: born, delete_when: name = ''")
        .replace("  born: date\nlimits", "  born: required\nlimits");
    fs::write(folder.path().join("people.yaml"), pipeline.replace("  format: csv", "  format: { csv: { nulls: [] } }"))
        .unwrap();
    done(folder.path(), &["run", "people.yaml"], 0);
    let late = "id,name,born\n1,,1852-11-27\n1,Ada Lovelace,1835-07-08\n";
    fs::write(folder.path().join("people2.csv"), late).unwrap();
    let report = json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], 0));
    assert_eq!((&report["load"]["inserted"], &report["load"]["deleted"]), (&Value::from(1), &Value::from(1)));
    let sql = "select name, valid_from, valid_to, is_current from people order by valid_from";
    assert_eq!(
        done(folder.path(), &["query", "people.yaml", sql, "--output", "csv"], 0),
        "name,valid_from,valid_to,is_current\n\
         Ada,1815-12-10,1835-07-08,false\n\
         Ada Lovelace,1835-07-08,1852-11-27,false\n"
    );
}

#[test]
fn too_many_rejects_hold_the_run_and_a_mended_pipeline_loads_it() {
    let folder = people("1,Ada,1815-12-10\nx,Grace,1906-12-09\ny,Edsger,1930-05-11\n");
    let report = json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], 1));
    assert_eq!(report["state"]["state"], "held");
    assert_eq!(report["load"], Value::Null);
    assert_eq!(report["counts"]["quarantined"], 2);
    fs::write(folder.path().join("people.yaml"), PIPELINE.replace("50%", "70%")).unwrap();
    let report = json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], 0));
    assert_eq!(report["load"]["inserted"], 1);
}

#[test]
fn a_missing_column_of_the_header_holds_the_object_with_one_sentence() {
    let folder = people("");
    fs::write(folder.path().join("people.csv"), "id,nam\n1,Ada\n").unwrap();
    let output = etalon(folder.path(), &["run", "people.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("name") && told.contains("born") && told.contains("held: people.csv"), "{told}");
}

#[test]
fn a_truncated_gzip_is_held_and_the_whole_one_loads() {
    use std::io::Write;
    let folder = people("");
    let text: String = (0..5000).map(|id| format!("{id},name {id},2000-01-01\n")).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(format!("id,name,born\n{text}").as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    let pipeline = PIPELINE.replace("people*.csv", "people.csv.gz");
    fs::write(folder.path().join("people.yaml"), pipeline).unwrap();
    fs::write(folder.path().join("people.csv.gz"), &bytes[..bytes.len() / 2]).unwrap();
    let report = json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], 1));
    assert_eq!(report["reasons"]["R409 record"], 1);
    fs::write(folder.path().join("people.csv.gz"), &bytes).unwrap();
    let report = json(&done(folder.path(), &["run", "people.yaml", "--output", "json"], 0));
    assert_eq!(report["load"]["inserted"], 5000);
}

#[test]
fn exit_codes_tell_who_is_wrong() {
    let folder = people("1,Ada,1815-12-10\n");
    done(folder.path(), &["check", "people.yaml"], 0);
    done(folder.path(), &["check", "nothing.yaml"], 3);
    done(folder.path(), &["run", "people.yaml", "--from", "nothing.csv"], 3);
    done(folder.path(), &["query", "people.yaml", "select 1"], 3);
    fs::write(folder.path().join("people.yaml"), PIPELINE.replace("born: date\nlimits", "born: dat\nlimits")).unwrap();
    let diagnostics = json(&done(folder.path(), &["check", "people.yaml", "--output", "json"], 2));
    assert_eq!(diagnostics[0]["code"], "E109");
    assert_eq!((&diagnostics[0]["line"], &diagnostics[0]["column"]), (&Value::from(10), &Value::from(9)));
    done(folder.path(), &["run", "people.yaml"], 2);
}

#[test]
fn preview_shows_typed_rows_and_keeps_nothing() {
    let folder = people("1,Ada,1815-12-10\nx,Grace,1906-12-09\n2,,1930-05-11\n");
    let output = etalon(folder.path(), &["preview", "people.yaml"]);
    let rows = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        rows,
        "id integer  name varchar(20)  born date\n\
         ----------  ----------------  ----------\n         \
         1  Ada               1815-12-10\n         \
         2                    1930-05-11\n"
    );
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("people.csv at byte 30: R301 column id: \"x\" is not a whole number for integer"), "{told}");
    assert!(!folder.path().join(".etalon").exists());
}

#[test]
fn a_case_fails_where_it_differs_and_says_where() {
    let folder = people("1,Ada,1815-12-10\n");
    fs::rename(folder.path().join("people.yaml"), folder.path().join("pipeline.yaml")).unwrap();
    done(folder.path(), &["test", "--update"], 0);
    assert!(done(folder.path(), &["test"], 0).ends_with("1 passed, 0 failed\n"));
    let expected = folder.path().join("expected/rows.csv");
    let text = fs::read_to_string(&expected).unwrap().replace("Ada", "Eve");
    fs::write(&expected, text).unwrap();
    let told = done(folder.path(), &["test"], 1);
    assert!(
        told.contains("expected/rows.csv, line 2\n    expected: 1,Eve,1815-12-10\n    found:    1,Ada,1815-12-10"),
        "{told}"
    );
}

#[test]
fn the_schema_is_a_json_schema() {
    let folder = tempfile::tempdir().unwrap();
    let schema = json(&done(folder.path(), &["schema"], 0));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

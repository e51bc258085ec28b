//! The command as a user calls it: what it prints, keeps and returns.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod command;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

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
limits: { rejects: 60% }
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
    assert!(told.contains("people.csv was loaded before, and its contents have changed since"), "{told}");

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
    fs::write(folder.path().join("people.yaml"), pipeline.replace("60%", "100%")).unwrap();
    let report = run(1);
    assert!(report["state"].to_string().contains("would leave the table empty"), "{report}");
    assert_eq!(ids(), "id\n2\n3\n");
    let pipeline = pipeline.replace("60%", "100%").replace("write: replace", "write: replace, allow_empty: true");
    fs::write(folder.path().join("people.yaml"), pipeline).unwrap();
    // That every record was rejected is no success, also where the table may be empty; somebody decides.
    run(1);
    assert_eq!(ids(), "id\n2\n3\n");
    done(folder.path(), &["release", "people.yaml"], 0);
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
    fs::write(folder.path().join("people.yaml"), PIPELINE.replace("60%", "70%")).unwrap();
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

/// What a command says on standard error, and its exit code.
fn told(folder: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = etalon(folder, arguments);
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[test]
fn exit_codes_tell_what_is_wrong() {
    let folder = people("1,Ada,1815-12-10\n");
    let folder = folder.path();
    done(folder, &["check", "people.yaml"], 0);
    done(folder, &["check", "nothing.yaml"], 3);
    done(folder, &["run", "people.yaml", "--from", "nothing.csv"], 3);
    done(folder, &["query", "people.yaml", "select 1"], 3);
    fs::write(folder.join("people.yaml"), PIPELINE.replace("born: date\nlimits", "born: dat\nlimits")).unwrap();
    let diagnostics = json(&done(folder, &["check", "people.yaml", "--output", "json"], 2));
    assert_eq!(diagnostics[0]["code"], "E109");
    assert_eq!(diagnostics[0]["place"], json!({ "line": 10, "column": 9 }));
    done(folder, &["run", "people.yaml"], 2);
    fs::write(folder.join("people.yaml"), b"\xff").unwrap();
    assert_eq!(
        told(folder, &["run", "people.yaml"]),
        ("error: people.yaml: not UTF-8 at byte 0\n".to_owned(), Some(2))
    );
    for wrong in [
        &["run"][..],
        &["run", "people.yaml", "--thread", "2"],
        &["run", "people.yaml", "--threads", "0"],
        &["run", "people.yaml", "--batch-time", "yesterday"],
        &["run", "people.yaml", "--output", "yaml"],
        &["query", "select 1"],
        &["query", "people.yaml", "select 1", "--to", "people.db"],
        &["jump"],
        &["rejects"],
        &[],
    ] {
        assert_eq!(told(folder, wrong).1, Some(64), "{wrong:?}");
    }
    assert_eq!(
        told(folder, &["query", "nope.yaml", "select 1"]),
        ("error: nope.yaml: there is no such file\n".to_owned(), Some(3))
    );
    assert!(told(folder, &["run", "people.yaml", "--threads", "0"]).0.contains("it must be at least 1"));
    assert!(done(folder, &["help", "run"], 0).contains("--threads"));
    let explained = json(&done(folder, &["explain", "r331", "--output", "json"], 0));
    assert!(
        explained["code"] == "R331"
            && explained["text"].as_str().unwrap().contains("Give no such value to a column of the `key`")
    );
    assert!(done(folder, &["--help"], 0).contains("64   wrong arguments"));
    assert!(done(folder, &["--version"], 0).starts_with("etalon 0."));
}

#[test]
fn an_error_is_one_object_where_json_is_asked_for() {
    let folder = people("x,Ada,1815-12-10\n");
    let folder = folder.path();
    let error = |arguments: &[&str], code: i32| {
        let (told, ended) = told(folder, &[arguments, &["--output", "json"]].concat());
        assert_eq!(ended, Some(code), "{told}");
        let error = json(&told);
        assert_eq!(error["exit_code"], code);
        error
    };
    let held = error(&["run", "people.yaml"], 1);
    assert_eq!((&held["code"], &held["severity"]), (&json!("held"), &json!("error")));
    assert_eq!(held["message"], "people.csv: its only record was rejected (30 bytes, 0 rows)");
    assert!(held["help"].as_str().unwrap().contains("etalon release"), "{held}");
    let missing = error(&["run", "nothing.yaml"], 3);
    assert_eq!((&missing["code"], &missing["file"]), (&json!("environment"), &json!("nothing.yaml")));
    let arguments = error(&["run", "people.yaml", "--thread", "2"], 64);
    assert_eq!(arguments["message"], "unexpected argument '--thread' found");
    assert!(arguments["help"].as_str().unwrap().contains("--threads"), "{arguments}");
    fs::write(folder.join("people.yaml"), PIPELINE.replace(": date", ": dat")).unwrap();
    for verb in ["run", "check", "preview"] {
        let wrong = error(&[verb, "people.yaml"], 2);
        assert_eq!((&wrong["code"], &wrong["file"]), (&json!("E109"), &json!("people.yaml")));
        assert_eq!(wrong["place"], json!({ "line": 6, "column": 40 }));
        assert_eq!(wrong["help"], "did you mean `date`?");
        assert_eq!(wrong["others"][0]["place"], json!({ "line": 10, "column": 9 }));
    }
}

#[test]
fn an_option_may_stand_anywhere() {
    let folder = people("1,Ada,1815-12-10\n");
    let folder = folder.path();
    done(folder, &["run", "--threads", "1", "people.yaml", "--to", "people.db"], 0);
    let sql = "select name from people";
    for arguments in [
        ["query", "people.db", "--output", "csv", sql],
        ["query", "--output", "csv", "people.db", sql],
        ["query", "people.db", sql, "--output", "csv"],
    ] {
        assert_eq!(done(folder, &arguments, 0), "name\nAda\n");
    }
    for arguments in
        [["query", "--to", "people.db", "--output=csv", sql], ["query", sql, "--to", "people.db", "--output=csv"]]
    {
        assert_eq!(done(folder, &arguments, 0), "name\nAda\n");
    }
}

#[test]
fn every_form_is_written_by_every_verb_with_a_result() {
    let folder = people("1,Ada,1815-12-10\nx,Grace,1906-12-09\n");
    let folder = folder.path();
    let case = folder.join("case");
    fs::create_dir(&case).unwrap();
    fs::copy(folder.join("people.csv"), case.join("people.csv")).unwrap();
    fs::copy(folder.join("people.yaml"), case.join("pipeline.yaml")).unwrap();
    for (arguments, csv) in [
        (&["check", "people.yaml"][..], "column,type,required\nid,integer,true\n"),
        (&["preview", "people.yaml"], "id,name,born\n1,Ada,1815-12-10\n"),
        (&["stage", "people.yaml", "--to", "staged"], "of,part,count\ninputs,total,1\n"),
        (&["run", "people.yaml"], "of,part,count\ninputs,total,1\n"),
        (&["release", "people.yaml"], "of,part,count\n"),
        (&["discard", "people.yaml"], "of,part,count\n"),
        (&["query", "people.yaml", "select 1 as one"], "one\n1\n"),
        (
            &["rejects", "ls", "people.yaml"],
            "source,reason,quarantined,open,redriven,discarded\npeople.csv,(records),1,",
        ),
        (
            &["rejects", "show", "people.yaml"],
            "source,line,offset,state,code,subject,message\npeople.csv,3,30,open,R301,",
        ),
        (&["rejects", "redrive", "people.yaml", "--plan"], "of,part,count\nopen,total,1\n"),
        (&["rejects", "redrive", "people.yaml"], "of,part,count\nredriven,total,0\n"),
        (&["rejects", "discard", "people.yaml"], "discarded\n1\n"),
        (&["test", "case", "--update"], "case,result,file,line\ncase,updated,,\n"),
        (&["test", "case"], "case,result,file,line\ncase,passed,,\n"),
        (&["sample", "sample", "--rows", "10"], "file,bytes\nsample/orders.csv,"),
    ] {
        let written = |form: &str| done(folder, &[arguments, &["--output", form]].concat(), 0);
        assert!(written("csv").starts_with(csv), "{arguments:?}\n{}", written("csv"));
        assert!(!json(&written("json")).is_null(), "{arguments:?}");
        written("table");
    }
    // What has one form says so.
    assert_eq!(told(folder, &["schema", "--output", "json"]).1, Some(64));
}

#[test]
fn numbers_are_numbers_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["sample", ".", "--rows", "200"], 0);
    done(folder, &["run", "orders.yaml"], 0);
    let sql = "select order_id, amount, ordered_on, coupon, count(*) as n, sum(amount) as total from analytics.orders \
               group by order_id, amount, ordered_on, coupon order by order_id limit 1";
    let rows = json(&done(folder, &["query", "orders.yaml", sql, "--output", "json"], 0));
    let row = &rows[0];
    assert!(row["order_id"].is_u64() && row["amount"].is_f64() && row["n"] == 1, "{row}");
    assert_eq!(row["amount"], row["total"]);
    assert!(row["ordered_on"].is_string() && (row["coupon"].is_string() || row["coupon"].is_null()), "{row}");
    let twice = told(folder, &["query", "orders.yaml", "select 1 as n, 2 as n", "--output", "json"]);
    assert!(twice.1 == Some(64) && twice.0.contains("two columns of the answer are named `n`"), "{twice:?}");
    let seen = json(&done(folder, &["preview", "orders.yaml", "--output", "json"], 0));
    assert!(seen["rows"][0]["order_id"].is_u64() && seen["rows"][0]["amount"].is_f64(), "{seen}");
}

#[test]
fn a_sample_takes_the_place_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["sample", ".", "--rows", "10"], 0);
    done(folder, &["sample", ".", "--rows", "10"], 0);
    fs::write(folder.join("orders.csv"), "mine").unwrap();
    done(folder, &["sample", ".", "--rows", "10"], 3);
    assert_eq!(fs::read_to_string(folder.join("orders.csv")).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn the_name_of_a_file_does_nothing_to_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["sample", ".", "--rows", "10"], 0);
    fs::write(folder.join("\u{1b}[31m.csv"), "x\n").unwrap();
    let output = etalon(folder, &["run", "orders.yaml", "--from", "*31m.csv"]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("\\u{1b}[31m.csv") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn the_sample_raises_no_warning() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["sample", "."], 0);
    assert_eq!(done(folder, &["check", "orders.yaml", "--output", "json"], 0), "[]\n");
    let (told, code) = told(folder, &["run", "orders.yaml"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        told,
        "table `analytics.orders` is created\nthe rejects, with all their reasons: ./.etalon/quarantine\n"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_the_reason() {
    let folder = people("1,Ada,1815-12-10\n");
    let folder = folder.path();
    let run = |from: &str| {
        let (told, code) = told(folder, &["run", "people.yaml", "--from", from]);
        assert_eq!(code, Some(3), "{told}");
        told
    };
    assert!(run(".").contains("this is a folder; name a file in it, or a glob such as `*.csv`"), "{}", run("."));
    assert!(run("nothing.csv").ends_with("nothing.csv: there is no such file\n"), "{}", run("nothing.csv"));
    assert_eq!(run("nothing*.csv"), "error: no file matches nothing*.csv\n");
}

#[cfg(unix)]
#[test]
fn a_file_in_a_folder_that_is_closed_is_told_as_such() {
    use std::os::unix::fs::PermissionsExt;
    let folder = people("1,Ada,1815-12-10\n");
    let folder = folder.path();
    let closed = folder.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::copy(folder.join("people.csv"), closed.join("people.csv")).unwrap();
    let permit = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    permit(&closed, 0o0);
    // Nothing is closed to root, who calls the command as somebody else.
    let is_root = fs::read_dir(&closed).is_ok();
    permit(folder, 0o755);
    let etalon = folder.join("etalon");
    fs::copy(env!("CARGO_BIN_EXE_etalon"), &etalon).unwrap();
    for from in ["closed/people.csv", "closed/*.csv"] {
        let mut command = if is_root { Command::new("setpriv") } else { Command::new(&etalon) };
        if is_root {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&etalon);
        }
        let output = command.args(["preview", "people.yaml", "--from", from]).current_dir(folder).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains("closed") && told.contains("Permission denied"), "{told}");
    }
    permit(&closed, 0o755);
}

#[test]
fn a_held_run_offers_what_can_be_done() {
    let folder = people("x,Ada,1815-12-10\n");
    let folder = folder.path();
    assert!(told(folder, &["run", "people.yaml"]).0.contains("or decide: `etalon release`, `etalon discard`"));
    let pipeline = PIPELINE.replace("write: merge, key: id, order_by: id", "write: replace");
    fs::write(folder.join("people.yaml"), pipeline).unwrap();
    // A release would be refused, since it would leave the table empty.
    assert!(told(folder, &["run", "people.yaml"]).0.ends_with("run again, or decide: `etalon discard`\n"));
}

#[test]
fn preview_shows_typed_rows_and_keeps_nothing() {
    let folder = people("1,Ada,1815-12-10\nx,Grace,1906-12-09\n2,,1930-05-11\n3,\"Ada\nLovelace\",1815-12-10\n");
    let output = etalon(folder.path(), &["preview", "people.yaml"]);
    let rows = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        rows,
        "id integer  name varchar(20)  born date\n\
         ----------  ----------------  ----------\n         \
         1  Ada               1815-12-10\n         \
         2                    1930-05-11\n         \
         3  Ada\\nLovelace     1815-12-10\n"
    );
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("people.csv, line 3 (byte 30): R301 column id: \"x\" is not a whole number for integer"),
        "{told}"
    );
    assert!(!folder.path().join(".etalon").exists());
}

#[test]
fn preview_masks_what_is_sensitive() {
    let folder = people("1,Ada,1815-12-10\nx,Grace,1906-12-09\n2,,1930-05-11\n");
    let pipeline = PIPELINE.replace("name: ,", "name: { sensitive: true },");
    assert_ne!(pipeline, PIPELINE);
    fs::write(folder.path().join("people.yaml"), pipeline).unwrap();
    for form in ["table", "json", "csv"] {
        let output = etalon(folder.path(), &["preview", "people.yaml", "--output", form]);
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(told.contains("(masked)") && !told.contains("Ada") && !told.contains("Grace"), "{told}");
    }
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
fn the_streams_of_a_connector_are_listed_and_what_is_refused_is_said() {
    let manifest = "
type: DeclarativeSource
definitions:
  people: &people
    name: people
    retriever:
      requester: { type: HttpRequester, url_base: https://api.example, path: people, speed: high }
      record_selector: { extractor: { field_path: [] } }
streams:
  - *people
  - name: notes
    retriever:
      requester: { type: HttpRequester, url_base: https://api.example, path: \"notes/{{ stream_slice.of }}\" }
      record_selector: { extractor: { field_path: [] } }
      partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs: [{ stream: *people, parent_key: id, partition_field: of }]
  - name: jobs
    retriever: { type: OtherRetriever }
";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("manifest.yaml"), manifest).unwrap();
    let output = etalon(folder.path(), &["connector", "ls", "manifest.yaml"]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let lines: Vec<Vec<&str>> = out.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["people", "whole"]);
    assert_eq!(lines[1], ["notes", "whole", "people"]);
    assert_eq!(lines[2], ["jobs", "refused", "the", "component", "`OtherRetriever`"]);
    assert!(err.contains("3 streams, 1 of them refused"), "{err}");
    assert!(err.contains("the field `speed` of `HttpRequester`"), "{err}");

    let listed = json(&done(folder.path(), &["connector", "ls", "manifest.yaml", "--output", "json"], 0));
    assert_eq!(listed[2]["missing"], json!(["the component `OtherRetriever`"]));
    fs::write(folder.path().join("manifest.yaml"), "type: [").unwrap();
    done(folder.path(), &["connector", "ls", "manifest.yaml"], 3);
}

/// A server on this machine that answers each request with what `answer` makes of its first line.
fn served(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let first = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let body = answer(&first);
            let length = body.len();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        }
    });
    address
}

#[test]
fn a_stream_of_a_connector_is_read_and_loaded() {
    let manifest = "
type: DeclarativeSource
streams:
  - name: people
    retriever:
      requester:
        type: HttpRequester
        url_base: \"{{ config['base'] }}\"
        path: people
        authenticator: { type: BearerAuthenticator, api_token: \"{{ config['token'] }}\" }
      record_selector: { extractor: { field_path: [people] } }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement, page_size: 2, start_from_page: 1 }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: seen
      datetime_format: \"%Y-%m-%d\"
      start_datetime: \"2026-01-01\"
      end_datetime: \"2026-02-01\"
";
    let base = served(|line| {
        let people = if line.contains("page=2") {
            json!([{"id": 3, "name": "Eve", "seen": "2026-01-03"}])
        } else {
            json!([{"id": 1, "name": "Ada", "seen": "2026-01-01"}, {"id": 2, "name": "Zo\u{e9}", "seen": "2026-01-02"}])
        };
        json!({ "people": people }).to_string()
    });
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("manifest.yaml", manifest);
    write("config.json", &json!({"base": base, "token": "hunter2"}).to_string());
    let read = ["connector", "read", "manifest.yaml", "people", "--config", "config.json", "--to", "people.jsonl"];
    let refused = |read: &[&str]| {
        let output = etalon(folder.path(), read);
        assert_eq!(output.status.code(), Some(3));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!told.contains("hunter2"), "{told}");
        told
    };
    let told = refused(&read);
    assert!(told.contains("is an address of this machine or of a private network"), "{told}");
    assert!(!folder.path().join("people.jsonl").exists());

    let read = [&read[..], &["--allow-private", "--state", "state.json", "--output", "json"]].concat();
    let found = json(&done(folder.path(), &read, 0));
    assert_eq!((&found["pages"], &found["records"]), (&json!(2), &json!(3)));
    let state = json(&fs::read_to_string(folder.path().join("state.json")).unwrap());
    assert_eq!((&state["state"], &state["stream"]), (&json!({"seen": "2026-01-03"}), &json!("people")));
    assert!(!state.to_string().contains("hunter2"), "{state}");
    let again = refused(&read);
    assert!(again.contains("people.jsonl: there is such a file"), "{again}");

    // The state of something else is refused; a secret is none, and a state that says nothing is taken.
    let others = |config: &str, state: &str| {
        let read = ["connector", "read", "manifest.yaml", "people", "--config", config, "--to", "more.json"];
        [&read[..], &["--allow-private", "--state", state]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    write("other.json", &json!({"base": base, "token": "hunter2", "account": 2}).to_string());
    write("rotated.json", &json!({"base": base, "token": "hunter3"}).to_string());
    write("strange.json", &json!({"stream": "orders", "hosts": [], "config": "", "state": {}}).to_string());
    write("bare.json", &json!({"seen": "2026-01-02"}).to_string());
    for (config, state, expected) in [
        ("other.json", "state.json", "state.json: the state is of another configuration"),
        ("config.json", "strange.json", "strange.json: the state is of the stream `orders`"),
    ] {
        let read = others(config, state);
        let told = refused(&read.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(told.contains(expected), "{told}");
    }
    for (state, expected) in [("state.json", ""), ("bare.json", "does not say whose it is")] {
        let read = others("rotated.json", state);
        let output = etalon(folder.path(), &read.iter().map(String::as_str).collect::<Vec<_>>());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && told.contains(expected), "{told}");
        fs::remove_file(folder.path().join("more.json")).unwrap();
    }
    // Four files.
    for (config, state) in [
        ("config.json", "more.json"),
        ("config.json", "./more.json"),
        ("other.json", "./other.json"),
        ("other.json", "manifest.yaml"),
    ] {
        let read = others(config, state);
        done(folder.path(), &read.iter().map(String::as_str).collect::<Vec<_>>(), 64);
        assert!(!folder.path().join("more.json").exists());
    }

    write(
        "people.yaml",
        "
etalon: 1
pipeline: people
source: { files: \"people*.jsonl\", format: jsonl, fields: { id: integer, name: , seen: date } }
columns:
  id: required
  name: varchar(20)
  seen: date required
target: { table: people, write: merge, key: id, order_by: seen }
",
    );
    done(folder.path(), &["run", "people.yaml"], 0);
    let rows =
        done(folder.path(), &["query", "people.yaml", "select id, name from people order by id", "--output", "csv"], 0);
    assert_eq!(rows, "id,name\n1,Ada\n2,Zo\u{e9}\n3,Eve\n");
}

#[test]
fn the_schema_is_a_json_schema() {
    let folder = tempfile::tempdir().unwrap();
    let schema = json(&done(folder.path(), &["schema"], 0));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

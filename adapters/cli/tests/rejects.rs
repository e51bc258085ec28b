//! Rejects as a user meets them: listed, shown, sent through a mended pipeline, and never twice.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod command;

use std::fs;
use std::path::Path;

use serde_json::Value;

use command::{done, etalon, json};

const PIPELINE: &str = "\
etalon: 1
pipeline: people
source:
  files: people*.csv
  format: csv
  fields: { id: integer, name: , born: date, pin: { sensitive: true } }
where: name is distinct from 'nobody'
columns:
  id: required
  name: varchar(5)
  born: date
  pin: { from: \"right(pin, 2)\", type: varchar(2) }
target: { table: people, write: append }
";

/// Six records: one good, four that are rejected for three reasons, one of them for two at once.
const PEOPLE: &str = "\
id,name,born,pin
1,Ada,1815-12-10,1111
2,Grace Hopper,1906-12-09,2222
3,Edsger W. Dijkstra,1930-05-11,3333
4,nobody,1900-01-01,4444
x,Barbara Liskov,1939-11-07,5555
6,Tony,1934-02-30,6666
";

fn people() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("people.yaml"), PIPELINE).unwrap();
    fs::write(folder.path().join("people.csv"), PEOPLE).unwrap();
    folder
}

fn mend(folder: &Path, from: &str, to: &str) {
    let path = folder.join("people.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(path, text.replace(from, to)).unwrap();
}

/// quarantined, open, redriven, discarded
fn counts(folder: &Path) -> [u64; 4] {
    let listed = json(&done(folder, &["rejects", "ls", "people.yaml", "--output", "json"], 0));
    let sum = |what: &str| listed.as_array().unwrap().iter().map(|input| input[what].as_u64().unwrap()).sum();
    let counts = ["quarantined", "open", "redriven", "discarded"].map(sum);
    assert_eq!(counts[1], counts[0] - counts[2] - counts[3], "open = quarantined - redriven - discarded");
    counts
}

fn names(folder: &Path) -> String {
    done(folder, &["query", "people.yaml", "select id, name from people order by id", "--output", "csv"], 0)
}

const REDRIVE: [&str; 5] = ["rejects", "redrive", "people.yaml", "--output", "json"];

#[test]
fn a_mended_pipeline_loads_what_passes_once() {
    let folder = people();
    let folder = folder.path();
    done(folder, &["run", "people.yaml"], 0);
    assert_eq!(counts(folder), [4, 4, 0, 0]);

    // Nothing was mended: nothing would pass, and nothing is done.
    let nothing = json(&done(folder, &REDRIVE, 0));
    assert_eq!((&nothing["counts"]["read"], &nothing["load"]), (&Value::from(0), &Value::Null));
    assert_eq!(nothing["open"], 4);
    let output = etalon(folder, &["rejects", "redrive", "people.yaml"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "4 open, none would pass; nothing was done\n");

    mend(folder, "varchar(5)", "varchar(40)");
    let plan = json(&done(folder, &["rejects", "redrive", "people.yaml", "--plan", "--output", "json"], 0));
    assert_eq!((plan["open"].as_u64(), plan["pass"].as_u64(), plan["fail"].as_u64()), (Some(4), Some(2), Some(2)));
    let too_long = plan["reasons"].as_object().unwrap().iter().find(|(reason, _)| reason.contains("name")).unwrap().1;
    assert_eq!(*too_long, serde_json::json!([3, 2]));
    assert_eq!(counts(folder), [4, 4, 0, 0], "a plan changes nothing");

    // What is rejected on the way to one warehouse is no reject of another.
    let redriven = json(&done(folder, &[&REDRIVE[..], &["--to", "other.db"]].concat(), 0));
    assert_eq!((&redriven["open"], &redriven["counts"]["read"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(counts(folder), [4, 4, 0, 0]);
}

#[test]
fn what_passes_is_loaded_once_and_what_fails_again_stays_open_once() {
    let folder = people();
    let folder = folder.path();
    mend(folder, "varchar(5)", "varchar(40)");
    mend(folder, "columns:\n", "checks: { short: length(name) < 6 }\ncolumns:\n");
    done(folder, &["run", "people.yaml"], 0);
    assert_eq!(names(folder), "id,name\n1,Ada\n");
    assert_eq!(counts(folder), [4, 4, 0, 0]);

    mend(folder, "length(name) < 6", "length(name) < 60");
    let redriven = json(&done(folder, &REDRIVE, 0));
    assert_eq!(redriven["counts"]["read"], 4, "a redrive reads what it marks");
    assert_eq!((&redriven["counts"]["staged"], &redriven["counts"]["quarantined"]), (&2.into(), &2.into()));
    assert_eq!(redriven["load"]["inserted"], 2);
    let loaded = "id,name\n1,Ada\n2,Grace Hopper\n3,Edsger W. Dijkstra\n";
    assert_eq!(names(folder), loaded);
    assert_eq!(counts(folder), [6, 2, 4, 0]);

    // Redriving twice adds nothing, and so does running.
    for _ in 0..2 {
        let again = json(&done(folder, &REDRIVE, 0));
        assert_eq!((&again["counts"]["read"], &again["load"]), (&Value::from(0), &Value::Null));
        done(folder, &["run", "people.yaml"], 0);
    }
    assert_eq!(names(folder), loaded);
    assert_eq!(counts(folder), [6, 2, 4, 0]);

    // What passes after another change goes into the next generation; what `where` leaves out is redriven too.
    mend(folder, "'nobody'", "'Tony'");
    mend(folder, "born: date, pin", "born: , pin");
    mend(folder, "born: date\n", "born: { from: \"case when born ~ '30$' then null else born::date end\" }\n");
    let redriven = json(&done(folder, &REDRIVE, 0));
    assert_eq!((&redriven["counts"]["read"], &redriven["counts"]["filtered_false"]), (&2.into(), &1.into()));
    assert_eq!(counts(folder), [7, 1, 6, 0]);

    assert_eq!(done(folder, &["rejects", "discard", "people.yaml"], 0), "discarded 1\n");
    assert_eq!(done(folder, &["rejects", "discard", "people.yaml"], 0), "discarded 0\n");
    assert_eq!(counts(folder), [7, 0, 6, 1]);
    assert_eq!(names(folder), loaded);
    let ledger = "select sum(staged), count(*), max(generation) from _etalon_ledger";
    assert_eq!(done(folder, &["query", "people.yaml", ledger, "--output", "csv"], 0).lines().last(), Some("3,3,2"));
}

#[test]
fn rejects_are_shown_with_every_reason_and_without_secrets() {
    let folder = people();
    let folder = folder.path();
    done(folder, &["run", "people.yaml"], 0);
    let shown = done(folder, &["rejects", "show", "people.yaml"], 0);
    assert!(shown.contains("people.csv, line 3 (byte 39)\n"), "{shown}");
    assert!(shown.contains("name: Grace Hopper") && shown.contains("pin: (masked)"), "{shown}");
    let liskov = json(&done(folder, &["rejects", "show", "people.yaml", "--reason", "R301", "--output", "json"], 0));
    assert_eq!(liskov.as_array().unwrap().len(), 1);
    assert_eq!(liskov[0]["reasons"].as_array().unwrap().len(), 2);
    for arguments in [["rejects", "show"], ["rejects", "ls"], ["rejects", "redrive"]] {
        for form in ["table", "json"] {
            let arguments = [&arguments[..], &["people.yaml", "--output", form]].concat();
            let output = etalon(folder, &arguments);
            let told = [output.stdout, output.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(["2222", "3333", "5555", "6666"].iter().all(|pin| !told.contains(pin)), "{told}");
        }
    }
    let counted = done(folder, &["rejects", "ls", "people.yaml"], 0);
    assert!(
        counted.lines().any(|line| line.split_whitespace().eq("people.csv (records) 4 4 0 0".split(' '))),
        "{counted}"
    );
    done(folder, &["rejects", "ls", "nothing.yaml"], 3);
}

#[test]
fn a_reason_and_an_input_that_nothing_has_are_told() {
    let folder = people();
    let folder = folder.path();
    done(folder, &["run", "people.yaml"], 0);
    let told = |arguments: &[&str], code: i32| {
        let output = etalon(folder, arguments);
        assert_eq!(output.status.code(), Some(code));
        String::from_utf8(output.stderr).unwrap()
    };
    for verb in ["show", "discard"] {
        assert_eq!(
            told(&["rejects", verb, "people.yaml", "--reason", "XX"], 64),
            "error: --reason XX: there is no such reason\n  help: there is: R301 column id, R303 column born, R306 column name\n"
        );
        assert_eq!(
            told(&["rejects", verb, "people.yaml", "--source", "x.csv"], 64),
            "error: --source x.csv: there is no such input with rejects\n  help: there is: people.csv\n"
        );
    }
    assert_eq!(counts(folder), [4, 4, 0, 0]);
    assert_eq!(
        told(&["rejects", "show", "people.yaml", "--state", "discarded"], 0),
        "no reject matches; `--state all` shows what was redriven or discarded\n"
    );
}

#[test]
fn bytes_that_changed_are_not_redriven() {
    let folder = people();
    let folder = folder.path();
    done(folder, &["run", "people.yaml"], 0);
    fs::write(folder.join("people.csv"), PEOPLE.replace("Ada", "Eve")).unwrap();
    let output = etalon(folder, &REDRIVE);
    assert_eq!(output.status.code(), Some(0), "it was rejected by this very pipeline");
    mend(folder, "varchar(5)", "varchar(40)");
    let output = etalon(folder, &REDRIVE);
    assert_eq!(output.status.code(), Some(0));
    let redriven: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(redriven["waiting"], serde_json::json!(["people.csv"]));
    // They stay open, so that they can be sent again when the bytes are back.
    assert_eq!(counts(folder), [4, 4, 0, 0]);
}

#[test]
fn a_held_run_is_released_or_discarded_by_somebody() {
    for releases in [true, false] {
        let folder = people();
        let folder = folder.path();
        mend(folder, "target:", "limits: { rejects: 10%, at_least: 1 }\ntarget:");
        done(folder, &["run", "people.yaml"], 1);
        if releases {
            let report = json(&done(folder, &["release", "people.yaml", "--output", "json"], 0));
            assert_eq!(report["load"]["inserted"], 1);
            assert_eq!(names(folder), "id,name\n1,Ada\n");
        } else {
            let report = json(&done(folder, &["discard", "people.yaml", "--output", "json"], 0));
            assert_eq!(report["decision"]["sources"], serde_json::json!(["people.csv"]));
        }
        // Decided is decided.
        let report = json(&done(folder, &["run", "people.yaml", "--output", "json"], 0));
        assert_eq!(report["state"]["state"], "nothing_new");
        assert_eq!(report["inputs"][0]["discarded"], !releases);
        let report = json(&done(folder, &["discard", "people.yaml", "--output", "json"], 0));
        assert_eq!(report["decision"]["units"], serde_json::json!([]));
    }
}

#[test]
fn rejects_of_a_file_that_was_discarded_come_back_with_it_and_with_the_reason() {
    let folder = people();
    let folder = folder.path();
    mend(folder, "target:", "limits: { rejects: 10%, at_least: 2 }\ntarget:");
    let said = |arguments: &[&str], code: i32| {
        let output = etalon(folder, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    };
    let reason = "4 of 6 records were rejected";
    assert!(said(&["run", "people.yaml"], 1).contains(reason));
    said(&["discard", "people.yaml"], 0);
    let note = "people.csv was discarded, with the rejects; `etalon undiscard` brings it back\n";
    assert_eq!(said(&["rejects", "ls", "people.yaml"], 0), note);
    assert_eq!(said(&["rejects", "show", "people.yaml"], 0), note);
    assert_eq!(said(&["rejects", "redrive", "people.yaml"], 0), format!("no reject is open; nothing was done\n{note}"));
    let undiscarded = said(&["undiscard", "people.yaml"], 1);
    assert!(undiscarded.contains(reason), "{undiscarded}");
    assert_eq!(counts(folder), [4, 4, 0, 0]);
}

/// The state folder without the warehouse, as a backup of yesterday gives it back.
fn put_back(state: &Path, backup: &Path) {
    for entry in fs::read_dir(state).unwrap().map(Result::unwrap) {
        let is_warehouse = entry.file_name().to_string_lossy().starts_with("warehouse.db");
        match entry.file_type().unwrap().is_dir() {
            true => fs::remove_dir_all(entry.path()).unwrap(),
            false if !is_warehouse => fs::remove_file(entry.path()).unwrap(),
            false => {}
        }
    }
    copy_all(backup, state);
}

/// Copies what is in a folder, but for a warehouse.
fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &there);
        } else if !entry.file_name().to_string_lossy().starts_with("warehouse.db") {
            fs::copy(entry.path(), there).unwrap();
        }
    }
}

#[test]
fn an_older_copy_of_the_state_folder_doubles_nothing() {
    let people = people();
    let folder = people.path();
    let (state, backup) = (folder.join(".etalon"), folder.join("backup"));
    let rows = || done(folder, &["query", "people.yaml", "select id from people order by id", "--output", "csv"], 0);
    mend(folder, "target:", "limits: { rejects: 10%, at_least: 1 }\ntarget:");
    done(folder, &["run", "people.yaml"], 1);
    copy_all(&state, &backup);

    // What was held in the copy has been released since.
    done(folder, &["release", "people.yaml"], 0);
    assert_eq!(rows(), "id\n1\n");
    put_back(&state, &backup);
    done(folder, &["run", "people.yaml"], 0);
    done(folder, &["release", "people.yaml"], 0);
    assert_eq!(rows(), "id\n1\n");

    // What was sent again since is open in the copy.
    fs::remove_dir_all(&backup).unwrap();
    copy_all(&state, &backup);
    mend(folder, "varchar(5)", "varchar(20)");
    done(folder, &["rejects", "redrive", "people.yaml"], 0);
    let after = rows();
    assert_eq!(after, "id\n1\n2\n3\n");
    put_back(&state, &backup);
    let output = etalon(folder, &["rejects", "redrive", "people.yaml"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("as if it were an older copy"), "{told}");
    assert_eq!(rows(), after);
    done(folder, &["reload", "people.yaml", "people.csv"], 1);
    done(folder, &["release", "people.yaml"], 0);
    assert_eq!(rows(), after);
}

#[test]
fn a_file_that_a_reload_was_not_asked_for_is_not_called_discarded() {
    let people = people();
    let folder = people.path();
    fs::write(folder.join("people-2.csv"), "id,name,born,pin\n7,Eve,1900-01-01,1\n").unwrap();
    let told = done(folder, &["reload", "people.yaml", "people-2.csv", "--output", "json"], 0);
    let inputs = json(&told)["inputs"].clone();
    let of = |name: &str| inputs.as_array().unwrap().iter().find(|input| input["source"] == name).cloned().unwrap();
    assert_eq!(
        (&of("people.csv")["discarded"], &of("people.csv")["not_looked_at"]),
        (&Value::Bool(false), &Value::Bool(true))
    );
}

#[test]
fn a_reject_has_the_line_that_an_editor_shows_whatever_the_file_is_encoded_in() {
    let text = "id,name\n1,Zoë\n2,Åsa\nx,Ada\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let wide = || [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes));
    let latin = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap());
    let files = [
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-8", gzip.finish().unwrap()),
        ("utf-16", wide().collect()),
        ("windows-1252", latin.collect()),
    ];
    for (encoding, bytes) in files {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("p.csv"), bytes).unwrap();
        let pipeline = format!(
            "etalon: 1\npipeline: p\nsource: {{ files: p.csv, format: csv, encoding: {encoding}, \
             fields: {{ id: integer, name: }} }}\ncolumns: {{ id: required, name: varchar(9) }}\n\
             target: {{ table: p, write: append }}\n"
        );
        fs::write(folder.join("p.yaml"), pipeline).unwrap();
        done(folder, &["run", "p.yaml"], 0);
        let shown = json(&done(folder, &["rejects", "show", "p.yaml", "--output", "json"], 0));
        assert_eq!(shown[0]["line"], 4, "{encoding}: {shown}");
    }
}

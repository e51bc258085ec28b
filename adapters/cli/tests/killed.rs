//! A run that is killed, at whatever moment, and run again leaves what an undisturbed one leaves: the same table, ledger and
//! quarantine, and nothing else. So does a redrive.
//!
//! `ETALON_KILLS` says how often.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it did")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const RUN: [&str; 4] = ["run", "orders.yaml", "--batch-time", "2026-01-01T00:00:00Z"];
const REDRIVE: [&str; 3] = ["rejects", "redrive", "orders.yaml"];

fn etalon(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etalon"));
    command.current_dir(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn done(folder: &Path, arguments: &[&str]) {
    let status = etalon(folder, arguments).status().unwrap();
    assert_eq!(status.code(), Some(0), "{arguments:?}");
}

/// What a run has left: table and ledger without the time of loading, and every file but the warehouse.
fn left(folder: &Path) -> BTreeMap<String, String> {
    let mut left = BTreeMap::new();
    for query in [
        "select * from analytics.orders order by order_id",
        "select target, input, generation, batch, source, source_version, fingerprint, batch_time, replaces_source, \
         staged, inserted, updated, unchanged, deduplicated, superseded from _etalon_ledger order by batch",
    ] {
        let output = etalon(folder, &["query", "orders.yaml", query, "--output", "csv"])
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        left.insert(query.to_owned(), String::from_utf8(output.stdout).unwrap());
    }
    let mut folders = vec![folder.join(".etalon")];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            // What was being written has no name yet and is looked at by nobody.
            let is_nameless = name.contains("/.writing-") || name.ends_with("/.lock");
            if path.is_dir() {
                folders.push(path);
            } else if !is_nameless && !name.contains("warehouse.db") {
                left.insert(name, String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
            }
        }
    }
    left
}

/// A folder with a pipeline, and three files of orders.
fn orders() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["sample", ".", "--rows", "2000"]);
    let file = |name: &str| folder.path().join(name);
    // The same orders again in other files: every row of them meets one that is there.
    for name in ["orders-2.csv", "orders-3.csv"] {
        fs::copy(file("orders.csv"), file(name)).unwrap();
    }
    let pipeline = fs::read_to_string(file("orders.yaml")).unwrap();
    fs::write(file("orders.yaml"), pipeline.replace("files: orders.csv", "files: orders*.csv")).unwrap();
    folder
}

/// The pipeline after its mistake was found: coupons may be longer, and currencies others.
fn mend(folder: &Path) {
    let path = folder.join("orders.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let mended = text.replace("[EUR, USD, GBP]", "[EUR, USD, GBP, XXX, BTC, CHF, JPY, XAU]");
    assert_ne!(text, mended);
    fs::write(path, mended).unwrap();
}

fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    folder
}

#[test]
fn an_interrupted_run_says_what_is_kept_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["sample", ".", "--rows", "400000"]);
    let run = etalon(folder, &RUN).stderr(Stdio::piped()).spawn().unwrap();
    while fs::read_dir(folder.join(".etalon/plans")).is_err() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    let ended = run.wait_with_output().unwrap();
    assert_eq!(
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()),
        (
            Some(130),
            "error: interrupted; what was finished is kept, and nothing is half loaded\n  \
             help: the same command goes on from there\n"
        )
    );
    done(folder, &RUN);
}

#[test]
fn a_killed_run_is_ended_by_running_it_again() {
    let kills: u32 = std::env::var("ETALON_KILLS").map_or(8, |text| text.parse().unwrap());
    let mut chance = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    let mut below = |bound: u128| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        Duration::from_micros(u64::try_from(u128::from(chance >> 11) % bound.max(1)).unwrap())
    };

    let given = orders();
    let undisturbed = copy(given.path());
    let begun = Instant::now();
    done(undisturbed.path(), &RUN);
    let run_takes = begun.elapsed().as_micros();
    let after_run = left(undisturbed.path());
    mend(undisturbed.path());
    let begun = Instant::now();
    done(undisturbed.path(), &REDRIVE);
    let redrive_takes = begun.elapsed().as_micros();
    let after_redrive = left(undisturbed.path());
    assert_ne!(after_run, after_redrive, "the redrive loads something");

    let (mut killed, mut worlds) = (0, 0);
    while killed < kills {
        worlds += 1;
        let folder = copy(given.path());
        for (arguments, takes, wanted) in
            [(&RUN[..], run_takes, &after_run), (&REDRIVE[..], redrive_takes, &after_redrive)]
        {
            if arguments == REDRIVE {
                mend(folder.path());
            }
            for _ in 0..2 {
                let mut run = etalon(folder.path(), arguments).spawn().unwrap();
                std::thread::sleep(below(takes * 11 / 10));
                run.kill().unwrap();
                killed += u32::from(run.wait().unwrap().signal() == Some(9));
            }
            done(folder.path(), arguments);
            // Once more, to remove what a run leaves that is killed after its load.
            done(folder.path(), &RUN);
            let found = left(folder.path());
            for (name, text) in wanted {
                assert_eq!(found.get(name), Some(text), "{name} differs after a kill");
            }
            assert_eq!(found.len(), wanted.len(), "files that nobody needs: {:?}", found.keys());
        }
        assert!(worlds < 20 * kills + 20, "runs end before they can be killed");
    }
    println!("killed {killed} times in {worlds} folders; each came to the same table, ledger and quarantine");
}

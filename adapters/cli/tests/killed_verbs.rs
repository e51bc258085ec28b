//! Every verb that writes, killed at whatever moment and called again, into SQLite and into a real PostgreSQL: what is left is
//! what the verb leaves when nobody disturbs it. Nothing is lost, nothing is there twice, and nothing lies about.
//!
//! `ETALON_KILLS` says how often each verb is killed in SQLite; in PostgreSQL it is a fifth of that.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use etalon_golden::postgres::Server;
use libtest_mimic::{Arguments, Trial};

/// A verb, and what was done before it; `mend` is the pipeline file mended, everything else the command.
struct Verb {
    name: &'static str,
    arguments: &'static [&'static str],
    /// How it ends: 1 where something is held then.
    code: i32,
    before: &'static [(&'static [&'static str], i32)],
}

const RUN: &[&str] = &["run", "things.yaml"];
const RELEASE: &[&str] = &["release", "things.yaml"];
const DISCARD: &[&str] = &["discard", "things.yaml"];
const MEND: &[&str] = &[];

const VERBS: [Verb; 7] = [
    Verb { name: "run", arguments: RUN, code: 1, before: &[] },
    Verb { name: "release", arguments: RELEASE, code: 0, before: &[(RUN, 1)] },
    Verb { name: "discard", arguments: DISCARD, code: 0, before: &[(RUN, 1)] },
    Verb { name: "undiscard", arguments: &["undiscard", "things.yaml"], code: 1, before: &[(RUN, 1), (DISCARD, 0)] },
    Verb {
        name: "redrive",
        arguments: &["rejects", "redrive", "things.yaml"],
        code: 0,
        before: &[(RUN, 1), (RELEASE, 0), (MEND, 0)],
    },
    Verb {
        name: "reject_discard",
        arguments: &["rejects", "discard", "things.yaml"],
        code: 0,
        before: &[(RUN, 1), (RELEASE, 0)],
    },
    Verb {
        name: "reload",
        arguments: &["reload", "things.yaml"],
        code: 0,
        before: &[(RUN, 1), (RELEASE, 0), (MEND, 0)],
    },
];

const PIPELINE: &str = "\
etalon: 1
pipeline: things
source:
  files: in/*.csv
  format: csv
  on_overwrite: replace
  fields: { id: integer, n: , name: }
columns:
  id: { required: true }
  n: { from: cast(n as integer), type: integer, required: true }
  name: { type: varchar(20) }
limits: { rejects: 20%, at_least: 2 }
target: { table: things, write: append }
";

const TABLE: &str = "select t.id, t.n, t.name, l.source, t._etalon_offset from things t join _etalon_ledger l \
                     on l.batch = t._etalon_batch order by l.source, t._etalon_offset";
/// A reload that loaded and was then killed loads once more.
const LEDGER: &str =
    "select distinct source, fingerprint, staged, replaces_source from _etalon_ledger order by 1, 2, 3";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_required = std::env::var_os("ETALON_REQUIRE_COUNTERPARTS").is_some();
    let kills: u32 = std::env::var("ETALON_KILLS").map_or(5, |text| text.parse().unwrap());
    let server = Server::start().map(Arc::new);
    let mut trials = Vec::new();
    for verb in &VERBS {
        let name = format!("{}_in_sqlite", verb.name);
        trials.push(Trial::test(name, move || Place::Sqlite.kill(verb, kills)));
        let name = format!("{}_in_postgres", verb.name);
        trials.push(match server.clone() {
            Some(server) => {
                Trial::test(name, move || Place::Postgres(&server, verb.name).kill(verb, kills.div_ceil(5)))
            }
            None if is_required => Trial::test(name, || Err("absent: PostgreSQL".into())),
            None => Trial::test(name, || Ok(())).with_kind("absent: PostgreSQL").with_ignored_flag(true),
        });
    }
    // A trial measures how long a verb takes.
    libtest_mimic::run(&Arguments { test_threads: Some(1), ..arguments }, trials).exit_code()
}

/// Where rows go.
enum Place<'a> {
    Sqlite,
    /// A database of this name.
    Postgres(&'a Server, &'a str),
}

impl Place<'_> {
    fn kill(&self, verb: &Verb, kills: u32) -> Result<(), libtest_mimic::Failed> {
        let given = tempfile::tempdir().unwrap();
        things(given.path());
        self.restore("template0");
        for (arguments, code) in verb.before {
            if *arguments == MEND {
                mend(given.path());
            } else {
                self.done(given.path(), arguments, *code)?;
            }
        }
        self.keep();
        let undisturbed = copy(given.path());
        let begun = Instant::now();
        self.done(undisturbed.path(), verb.arguments, verb.code)?;
        let takes = u64::try_from(begun.elapsed().as_micros()).unwrap();
        let wanted = self.left(undisturbed.path(), verb)?;

        let (mut killed, mut worlds, mut chance) = (0, 0_u64, 0x9e37_79b9_7f4a_7c15_u64);
        while killed < kills {
            worlds += 1;
            assert!(worlds < 20 * u64::from(kills) + 20, "{} ends before it can be killed", verb.name);
            let folder = copy(given.path());
            self.restore("kept");
            let mut after = String::new();
            for _ in 0..2 {
                chance = chance.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(worlds);
                let wait = (chance >> 33) % (takes * 11 / 10);
                let mut process = self.etalon(folder.path(), verb.arguments).stdout(Stdio::null()).spawn().unwrap();
                std::thread::sleep(Duration::from_micros(wait));
                process.kill().unwrap();
                if process.wait().unwrap().signal() == Some(9) {
                    killed += 1;
                    write!(after, " {wait} us").unwrap();
                }
            }
            let found =
                self.done(folder.path(), verb.arguments, verb.code).and_then(|()| self.left(folder.path(), verb));
            let found = found.map_err(|wrong| format!("killed after{after}: {wrong}"))?;
            if found != wanted {
                return Err(format!("killed after{after} there is\n{found}\nand must be\n{wanted}").into());
            }
        }
        println!("{}: killed {killed} times in {worlds} worlds; it takes {takes} us", verb.name);
        Ok(())
    }

    fn etalon(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_etalon"));
        command.current_dir(folder).args(arguments).stderr(Stdio::null());
        if let Self::Postgres(server, database) = self {
            command.args(["--to", &server.url(database)]);
        }
        command
    }

    fn said(&self, folder: &Path, arguments: &[&str], code: i32) -> Result<String, String> {
        let output = self.etalon(folder, arguments).stderr(Stdio::piped()).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        if output.status.code() == Some(code) {
            return Ok(out);
        }
        Err(format!("{arguments:?} ended with {} and not with {code}:\n{out}{err}", output.status))
    }

    fn done(&self, folder: &Path, arguments: &[&str], code: i32) -> Result<(), String> {
        self.said(folder, arguments, code).map(drop)
    }

    /// What is in the warehouse, what is held, what has become of rejects, and what lies in the store that is not to stay.
    fn left(&self, folder: &Path, verb: &Verb) -> Result<String, String> {
        let mut left = String::new();
        for query in [TABLE, LEDGER] {
            let named: &[&str] = if matches!(self, Self::Sqlite) { &["query", "things.yaml"] } else { &["query"] };
            left += &self.said(folder, &[named, &[query, "--output", "csv"]].concat(), 0)?;
        }
        left += &self.said(folder, &["rejects", "ls", "things.yaml", "--output", "csv"], 0)?;
        let report = self.said(folder, &["run", "things.yaml", "--output", "json"], verb.code)?;
        let report: serde_json::Value = serde_json::from_str(&report).map_err(|error| error.to_string())?;
        for held in report["held"].as_array().into_iter().flatten() {
            writeln!(left, "held: {} {}", held["sources"], held["counts"]).unwrap();
        }
        writeln!(left, "{}", report["state"]["state"]).unwrap();
        let mut names = BTreeSet::new();
        below(&folder.join(".etalon"), &mut names);
        for prefix in ["/pending/", "/loads/", "/staged/"] {
            let count = names.iter().filter(|name| name.contains(prefix)).count();
            writeln!(left, "{prefix}: {count}").unwrap();
        }
        Ok(left)
    }

    /// Keeps the database as it is now.
    fn keep(&self) {
        self.clone_database("", "kept");
    }

    /// Makes the database what another is.
    fn restore(&self, from: &str) {
        let from = if from == "kept" { self.kept() } else { from.to_owned() };
        self.clone_database(&from, "");
    }

    fn kept(&self) -> String {
        if let Self::Postgres(_, database) = self { format!("{database}_kept") } else { String::new() }
    }

    /// Makes a database of another; one without a name is that of the trial.
    fn clone_database(&self, from: &str, to: &str) {
        let Self::Postgres(server, database) = self else { return };
        let from = if from.is_empty() { (*database).to_owned() } else { from.to_owned() };
        let to = if to.is_empty() { (*database).to_owned() } else { self.kept() };
        // Who was killed may still be connected for a moment.
        assert!(server.psql(&format!("drop database if exists \"{to}\" with (force)")).0);
        let is_made = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            server.psql(&format!("create database \"{to}\" template \"{from}\"")).0
        });
        assert!(is_made, "database {to}");
    }
}

/// A folder with a pipeline, and files of which one is held, one is clean and one has a few rejects.
fn things(folder: &Path) {
    fs::create_dir(folder.join("in")).unwrap();
    fs::write(folder.join("things.yaml"), PIPELINE).unwrap();
    for (name, rejected_one_in) in [("a", 50), ("b", 3), ("c", 100_000)] {
        let mut text = "id,n,name\n".to_owned();
        for id in 0..500 {
            let wrong = if id % rejected_one_in == 1 { "x" } else { "" };
            writeln!(text, "{id},{wrong}{},{name}{id}", id * 7 % 11).unwrap();
        }
        fs::write(folder.join(format!("in/{name}.csv")), text).unwrap();
    }
}

/// The pipeline after the cause of its rejects was found.
fn mend(folder: &Path) {
    let mended = PIPELINE.replace("cast(n as integer)", "\"cast(replace(n, 'x', '') as integer)\"");
    assert_ne!(mended, PIPELINE);
    fs::write(folder.join("things.yaml"), mended).unwrap();
}

fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_all(from, folder.path());
    folder
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_all(&path, &place);
        } else {
            fs::copy(&path, &place).unwrap();
        }
    }
}

/// The names of all files below a folder.
fn below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, names);
        } else if !path.display().to_string().contains("/.writing-") {
            // What was being written has no name yet and is looked at by nobody.
            names.insert(path.display().to_string());
        }
    }
}

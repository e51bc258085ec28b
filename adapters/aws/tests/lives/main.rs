//! Lives: those of `golden/lives`, into SQLite and PostgreSQL on one machine, and into PostgreSQL by the loops of the functions,
//! with what they read and keep in S3. The words of the command are told by its own test of the same lives.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod place;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use etalon_core::protocol::Work;
use etalon_driver::cases::csv_line;
use etalon_sandbox::counterpart;
use etalon_sandbox::moto::Moto;
use etalon_sandbox::postgres::Server;

use place::{Place, World};

/// Set for the process that runs the tests, with the environment by which the ports find the stand-in of S3.
const INNER: &str = "ETALON_TEST_INNER";

/// What is left out everywhere, since it is the command's alone.
const OF_THE_COMMAND: &[(&str, &str)] = &[
    ("another-table-for-a-day", "each table has a store of its own by the command"),
    ("column-altered-by-hand", "several statements by hand are one step"),
    ("compressed-anew", "versions are those of the stand-in, and no digests of what is decompressed"),
    ("equal-contents", "versions are those of the stand-in, and no digests of what is decompressed"),
    ("last-load-wins", "what is told is told by the command"),
    ("released-by-an-older-folder", "who has two folders of the state is the command"),
    ("gone-with-a-run-and-its-state", "who looks for a state that is gone is the command"),
    ("receipt-gone", "who looks for receipts that are gone is the command"),
];

/// What is left out in S3, and why.
const NOT_IN_S3: &[(&str, &str)] = &[
    ("another-table", "who holds the store against the ledger of another table is the command"),
    ("append-becomes-replace", "who compares the ledger's loads with a run is the command"),
    ("ledger-row-gone", "who looks whether the table has rows is the command"),
    ("append-becomes-merge", "a load that the table refuses is tried again until somebody mends the table"),
    ("discarded-copy-is-all-there-is", "who looks whether the table is there is the command"),
    ("folder-renamed", "equal contents are told by the command"),
    ("ledger-gone", "who looks whether the table has rows is the command"),
    ("ledger-of-another-etalon", "the ledger is made by hand for the command's store"),
    ("renamed-with-new-contents", "another pipeline's rows are told by the command"),
    ("two-folders-one-name", "who holds two stores against one ledger is the command"),
    ("pipeline-renamed", "another pipeline's rows are told by the command"),
    ("renamed-and-nothing-else", "who holds the store against a ledger that was changed by hand is the command"),
    ("replace-beside-another", "a load that the table refuses is tried again until somebody mends the table"),
    ("replace-from-two-folders", "who holds two stores against one ledger is the command"),
    ("table-emptied", "who looks whether the table has rows is the command"),
    ("table-gone", "who looks whether the table is there is the command"),
    ("table-gone-and-a-file-too", "who looks whether the table is there is the command"),
    ("table-gone-and-its-deletes", "who looks whether the table is there is the command"),
    ("warehouse-gone-and-a-file-too", "who looks whether the table is there is the command"),
];

fn main() -> ExitCode {
    let tests: &[counterpart::Test<Server>] = &[("lives_in_every_place", lives_in_every_place)];
    if std::env::var_os(INNER).is_some() {
        return counterpart::main(Server::start, tests);
    }
    // A process's own environment is not to be changed, so that the tests run in another one.
    let run = || -> io::Result<ExitCode> {
        let moto = Moto::start()?;
        let mut inner = Command::new(std::env::current_exe()?);
        let status = inner.args(std::env::args_os().skip(1)).envs(moto.environment()).env(INNER, "1").status()?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    };
    run().unwrap_or_else(|error| counterpart::main(|| Err(error), tests))
}

fn lives_in_every_place(server: &Server) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/lives");
    let mut lives: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    lives.retain(|life| life.join("life.txt").is_file());
    lives.sort();
    let mut table = vec![["", "SQLite", "PostgreSQL", "S3"].map(str::to_owned)];
    let mut wrong = Vec::new();
    for (number, life) in lives.iter().enumerate() {
        let name = life.file_name().unwrap().to_string_lossy().into_owned();
        let mut row = vec![name.clone()];
        for place in [Place::Sqlite, Place::Postgres, Place::S3] {
            let in_s3 = NOT_IN_S3.iter().filter(|_| place == Place::S3);
            let left_out = OF_THE_COMMAND.iter().chain(in_s3).find(|(left, _)| *left == name);
            let ended = match left_out {
                Some((_, why)) => Err(Stop::LeftOut((*why).to_owned())),
                None => {
                    let title = format!("life-{number}-{}", place.title());
                    runtime.block_on(async {
                        let world = World::new(place, &title, server).await;
                        Life::new(life, world).live().await
                    })
                }
            };
            row.push(match ended {
                Ok(()) => "right".to_owned(),
                Err(Stop::LeftOut(why)) => format!("- {why}"),
                Err(Stop::Wrong(what)) => {
                    wrong.push(format!("{name} in {}: {what}", place.title()));
                    "WRONG".to_owned()
                }
            });
        }
        table.push(row.try_into().unwrap());
    }
    for [name, sqlite, postgres, s3] in &table {
        println!("{name:<42} {sqlite:<8} {postgres:<11} {s3}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Why a life has ended early.
#[derive(Debug)]
enum Stop {
    /// It has a step that this test does not take.
    LeftOut(String),
    /// What is there is not what must be.
    Wrong(String),
}

/// A life that is lived.
struct Life {
    files: BTreeMap<String, Vec<u8>>,
    steps: String,
    world: World,
}

impl Life {
    fn new(life: &Path, world: World) -> Self {
        let mut files = BTreeMap::new();
        read_all(life, "", &mut files);
        let steps = String::from_utf8(files.remove("life.txt").unwrap()).unwrap();
        Self { files, steps, world }
    }

    async fn live(mut self) -> Result<(), Stop> {
        for (name, bytes) in std::mem::take(&mut self.files) {
            self.world.put(&name, &bytes).await;
        }
        let steps = std::mem::take(&mut self.steps);
        let lines: Vec<&str> = steps.lines().collect();
        let is_command_alone = |line: &&&str| {
            let word = line.split(' ').next().unwrap_or_default();
            // How files are spelt, and which version has which digits, is the command's.
            let is_spelt = word == "$" && (line.contains(" ./") || line.contains('@'));
            matches!(word, "embedded" | "link" | "in") || line.contains(" --") || is_spelt
        };
        if let Some(line) = lines.iter().find(is_command_alone) {
            return Err(Stop::LeftOut(format!("`{line}`")));
        }
        let mut at = 0;
        while let Some(line) = lines.get(at).copied() {
            at += 1;
            let indented: Vec<&str> =
                lines.iter().skip(at).take_while(|line| line.starts_with("  ")).map(|line| line.trim()).collect();
            at += indented.len();
            self.step(line, &indented).await.map_err(|stop| match stop {
                Stop::Wrong(what) => Stop::Wrong(format!("line {at}: {line}: {what}")),
                left => left,
            })?;
        }
        Ok(())
    }

    async fn step(&mut self, line: &str, indented: &[&str]) -> Result<(), Stop> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "copy" => {
                let (from, to) = rest.split_once(' ').unwrap();
                let bytes = self.world.file(from);
                self.world.put(to, &bytes).await;
            }
            "remove" => self.world.remove(rest).await,
            "move" => {
                let (from, to) = rest.split_once(' ').unwrap();
                for name in self.world.names() {
                    let Some(rest) = name.strip_prefix(from) else { continue };
                    let bytes = self.world.file(&name);
                    self.world.remove(&name).await;
                    self.world.put(&format!("{to}{rest}"), &bytes).await;
                }
            }
            "sql" => self.world.sql(rest).map_err(Stop::Wrong)?,
            "sqlite" if self.world.place() == Place::Sqlite && rest.starts_with("pragma") => {
                for statement in rest.split("; ") {
                    self.world.sql(statement).map_err(Stop::Wrong)?;
                }
            }
            "sqlite" if self.world.place() == Place::Sqlite => self.world.sql(rest).map_err(Stop::Wrong)?,
            "postgres" if self.world.place() != Place::Sqlite => self.world.sql(rest).map_err(Stop::Wrong)?,
            "$" => self.command(rest).await?,
            "rows" => {
                let rows = self.world.rows(rest).map_err(Stop::Wrong)?;
                let rows: Vec<String> = rows.iter().map(|row| csv_line(row).trim_end().to_owned()).collect();
                if rows != indented {
                    return Err(Stop::Wrong(format!("there are {rows:?}")));
                }
            }
            // What the command says is the command's.
            "" | "#" | "says" | "not" | "sqlite" | "postgres" => {}
            _ => return Err(Stop::Wrong("no such step".to_owned())),
        }
        Ok(())
    }

    async fn command(&mut self, line: &str) -> Result<(), Stop> {
        let (code, rest) = match line.split_once(' ') {
            Some((code, rest)) if code.parse::<i32>().is_ok() => (code.parse().unwrap(), rest),
            _ => (0, line),
        };
        let words: Vec<&str> = rest.split(' ').skip(1).collect();
        let names = |from: usize| words[from..].iter().map(|&name| name.to_owned()).collect::<Vec<String>>();
        let (file, work) = match words.as_slice() {
            ["run", file] => (*file, Work::Prefix(String::new())),
            ["reload", file, ..] => (*file, Work::Reload(names(2))),
            ["release", file, ..] => (*file, Work::Release(names(2))),
            ["discard", file, ..] => (*file, Work::Discard(names(2))),
            ["undiscard", file, ..] => (*file, Work::Undiscard(names(2))),
            ["rejects", "redrive", file, ..] => (*file, Work::Redrive(names(3))),
            // They change nothing.
            ["rejects" | "check" | "status" | "query", ..] => return Ok(()),
            _ => return Err(Stop::LeftOut(format!("`{line}`"))),
        };
        let (ended, said) = self.world.call(file, work).await;
        if ended == code { Ok(()) } else { Err(Stop::Wrong(format!("it ended with {ended}: {said}"))) }
    }
}

fn read_all(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            read_all(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

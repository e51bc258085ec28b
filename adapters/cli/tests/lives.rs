//! Lives: what a user does with a pipeline over some days, by the command, into SQLite and into a real PostgreSQL. Their form
//! is in `golden/lives/README.md`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail, and says what it saw")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use etalon_golden::postgres::Server;
use libtest_mimic::{Arguments, Trial};

/// The verbs that take a warehouse.
const VERBS: [&str; 10] =
    ["run", "check", "status", "release", "discard", "undiscard", "reload", "redrive", "query", "ls"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let server = Server::start().map(Arc::new);
    let is_required = std::env::var_os("ETALON_REQUIRE_COUNTERPARTS").is_some();
    let mut trials = Vec::new();
    for life in lives() {
        let name = life.file_name().unwrap().to_string_lossy().into_owned();
        let folder = life.clone();
        trials.push(Trial::test(format!("{name}_in_sqlite"), move || Life::new(&folder, None).live()));
        if fs::read_to_string(life.join("life.txt")).unwrap().starts_with("embedded\n") {
            continue;
        }
        let trial = format!("{name}_in_postgres");
        trials.push(match server.clone() {
            Some(server) => Trial::test(trial, move || Life::new(&life, Some(&server)).live()),
            None if is_required => Trial::test(trial, || Err("absent: PostgreSQL".into())),
            None => Trial::test(trial, || Ok(())).with_kind("absent: PostgreSQL").with_ignored_flag(true),
        });
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn lives() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden");
    let folders = ["lives", "upgrade/v1"].map(|folder| fs::read_dir(golden.join(folder)).unwrap());
    let folders = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut lives: Vec<PathBuf> = folders.filter(|path| path.join("life.txt").is_file()).collect();
    lives.sort();
    assert!(!lives.is_empty());
    lives
}

/// A life that is lived.
struct Life<'a> {
    steps: String,
    folder: tempfile::TempDir,
    /// Where commands are called.
    here: PathBuf,
    server: Option<(&'a Server, String)>,
    /// Whether the warehouse is the one of the state folder.
    is_embedded: bool,
    /// What the last command said.
    said: String,
}

impl<'a> Life<'a> {
    fn new(life: &Path, server: Option<&'a Server>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_all(life, folder.path());
        let name = life.file_name().unwrap().to_string_lossy().replace('-', "_");
        Self {
            steps: fs::read_to_string(life.join("life.txt")).unwrap(),
            here: folder.path().to_owned(),
            folder,
            server: server.map(|server| {
                server.database(&name);
                (server, name)
            }),
            is_embedded: false,
            said: String::new(),
        }
    }

    fn live(mut self) -> Result<(), libtest_mimic::Failed> {
        let steps = std::mem::take(&mut self.steps);
        let lines: Vec<&str> = steps.lines().collect();
        let mut at = 0;
        while let Some(line) = lines.get(at).copied() {
            at += 1;
            let indented = lines.iter().skip(at).take_while(|line| line.starts_with("  ")).map(|line| line.trim());
            let indented: Vec<&str> = indented.collect();
            at += indented.len();
            self.step(line, &indented).map_err(|wrong| format!("line {at}: {line}\n{wrong}"))?;
        }
        Ok(())
    }

    fn step(&mut self, line: &str, indented: &[&str]) -> Result<(), String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let path = |name: &str| self.folder.path().join(name);
        match word {
            "" | "#" => Ok(()),
            "copy" => {
                let (from, to) = rest.split_once(' ').ok_or("copy FROM TO")?;
                if path(from).is_dir() {
                    copy_all(&path(from), &path(to));
                    return Ok(());
                }
                fs::copy(path(from), path(to)).map(drop).map_err(|error| error.to_string())
            }
            "remove" => fs::remove_file(path(rest)).map_err(|error| error.to_string()),
            "embedded" => {
                self.is_embedded = true;
                Ok(())
            }
            "move" => {
                let (from, to) = rest.split_once(' ').ok_or("move FROM TO")?;
                fs::rename(path(from), path(to)).map_err(|error| error.to_string())
            }
            #[cfg(unix)]
            "link" => {
                let (to, name) = rest.split_once(' ').ok_or("link TO NAME")?;
                std::os::unix::fs::symlink(to, path(name)).map_err(|error| error.to_string())
            }
            "in" => {
                self.here = path(rest);
                Ok(())
            }
            "sql" => self.sql(rest),
            "sqlite" if self.server.is_none() => self.sql(rest),
            "postgres" if self.server.is_some() => self.sql(rest),
            "sqlite" | "postgres" => Ok(()),
            "lose" => {
                remove_folders(&path(".etalon"), rest);
                Ok(())
            }
            "$" => self.command(rest),
            "says" if self.said.contains(rest) => Ok(()),
            "not" if !self.said.contains(rest) => Ok(()),
            "says" | "not" => Err(format!("it said:\n{}", self.said)),
            "rows" => {
                let arguments = ["query", rest, "--output", "csv"].map(str::to_owned).to_vec();
                let (code, said) = self.etalon(arguments);
                let rows: Vec<&str> = said.lines().skip(1).collect();
                if code == 0 && rows == indented { Ok(()) } else { Err(format!("there are:\n{said}")) }
            }
            _ => Err("no such step".to_owned()),
        }
    }

    fn command(&mut self, line: &str) -> Result<(), String> {
        let (code, rest) = match line.split_once(' ') {
            Some((code, rest)) if code.parse::<i32>().is_ok() => (code.parse().unwrap(), rest),
            _ => (0, line),
        };
        let here = self.here.to_string_lossy().into_owned();
        let arguments = rest.split(' ').skip(1).map(|argument| argument.replace("$PWD", &here)).collect();
        let (ended, said) = self.etalon(arguments);
        self.said = said;
        if ended == code { Ok(()) } else { Err(format!("it ended with {ended}:\n{}", self.said)) }
    }

    fn etalon(&self, mut arguments: Vec<String>) -> (i32, String) {
        let file = |folder: &str| self.folder.path().join(folder).join("warehouse.db").to_string_lossy().into_owned();
        let is_query = arguments.first().is_some_and(|verb| verb == "query");
        if arguments.iter().any(|argument| VERBS.contains(&argument.as_str())) && (is_query || !self.is_embedded) {
            let place = match &self.server {
                Some((server, database)) => server.url(database),
                None => file(if self.is_embedded { ".etalon" } else { "" }),
            };
            arguments.extend(["--to".to_owned(), place]);
        }
        let output = Command::new(env!("CARGO_BIN_EXE_etalon")).current_dir(&self.here).args(&arguments).output();
        let output = output.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout) + &text(&output.stderr))
    }

    fn sql(&self, statement: &str) -> Result<(), String> {
        match &self.server {
            Some((server, database)) => {
                let (done, said) = server.psql_in(database, statement);
                if done { Ok(()) } else { Err(said.join("\n")) }
            }
            None => {
                let connection = rusqlite::Connection::open(self.folder.path().join("warehouse.db"));
                let done = connection.and_then(|connection| connection.execute_batch(statement));
                done.map_err(|error| error.to_string())
            }
        }
    }
}

/// Removes every folder of a name below one.
fn remove_folders(below: &Path, name: &str) {
    for entry in fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        if entry.file_name().is_some_and(|file| file == name) {
            fs::remove_dir_all(&entry).unwrap();
        } else {
            remove_folders(&entry, name);
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let place = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy_all(&entry, &place);
        } else {
            fs::copy(&entry, &place).unwrap();
        }
    }
}

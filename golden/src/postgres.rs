//! Postgres: a private PostgreSQL for tests, in a temporary folder, gone at the end.
//!
//! On the socket in its folder it trusts everybody; on a port of this machine it asks for passwords. Where PostgreSQL is
//! missing, a test says `absent` and is not counted as passed; if `$ETALON_REQUIRE_COUNTERPARTS` is set, it fails.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says what it saw"
)]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};

/// A test that needs a server, and its name.
pub type Test = (&'static str, fn(&Server));

/// Runs tests that need a server; the `main` of a test without a harness.
pub fn main(tests: &[Test]) -> ExitCode {
    // Wrong arguments end the program, and must not leave a server behind.
    let arguments = Arguments::from_args();
    let is_required = std::env::var_os("ETALON_REQUIRE_COUNTERPARTS").is_some();
    let server = Server::start().map(Arc::new);
    let trial = |&(name, test): &Test| match server.clone() {
        Some(server) => Trial::test(name, move || {
            test(&server);
            Ok(())
        }),
        None if is_required => Trial::test(name, || Err("absent: PostgreSQL".into())),
        None => Trial::test(name, || Ok(())).with_kind("absent: PostgreSQL").with_ignored_flag(true),
    };
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}

/// A private PostgreSQL; it ends with its value.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Server {
    /// Starts a server; `None` where there is no PostgreSQL.
    pub fn start() -> Option<Self> {
        programs()?;
        let folder = folder("");
        let made = program(&folder, "initdb")
            .args(["-U", "etalon", "--auth-local=trust", "--auth-host=md5", "-E", "UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "-D"])
            .arg(folder.join("data"))
            .status();
        assert!(made.unwrap().success(), "initdb");
        Some(Self::serve(folder))
    }

    /// Starts a replica of this server, which replays what is written here.
    pub fn replica(&self) -> Self {
        let folder = folder("-replica");
        let made = program(&folder, "pg_basebackup")
            .args(["-U", "etalon", "-p", &self.port.to_string(), "-c", "fast", "--no-sync", "-R", "-h"])
            .arg(&self.folder)
            .arg("-D")
            .arg(folder.join("data"))
            .status();
        assert!(made.unwrap().success(), "pg_basebackup");
        Self::serve(folder)
    }

    /// Starts a server over the data of a folder.
    fn serve(folder: PathBuf) -> Self {
        // Free a moment ago; whoever takes it in between makes the start fail, and the test with it.
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap().port();
        let settings = ["listen_addresses=127.0.0.1", "fsync=off", "timezone=UTC", "datestyle=ISO, MDY"];
        let process = program(&folder, "postgres")
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(&folder)
            .args(["-p", &port.to_string()])
            .args(settings.iter().chain(&["max_connections=20"]).flat_map(|setting| ["-c", setting]))
            .spawn()
            .unwrap();
        let server = Self { folder, port, process };
        let since = Instant::now();
        while !server.psql("select 1").0 {
            assert!(since.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    /// The URL of a database, through the socket that trusts everybody.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://etalon@/{database}?host={}&port={}", self.folder.display(), self.port)
    }

    /// The port of this machine where passwords are asked for.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates a database of a name and gives its URL.
    pub fn database(&self, name: &str) -> String {
        assert!(self.psql(&format!("create database \"{name}\"")).0, "create database {name}");
        self.url(name)
    }

    /// Runs a script; whether it succeeded, and its lines.
    pub fn psql(&self, script: &str) -> (bool, Vec<String>) {
        self.psql_in("postgres", script)
    }

    /// Runs a script in a database.
    pub fn psql_in(&self, database: &str, script: &str) -> (bool, Vec<String>) {
        let mut psql = Command::new("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "etalon", "-d", database, "-h"])
            .arg(&self.folder)
            .args(["-p", &self.port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = psql.stdin.take().unwrap();
        let script = script.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
        let output = psql.wait_with_output().unwrap();
        // A script that is not read to its end shows in psql's status.
        let _ = writer.join().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        if !output.status.success() && !output.stderr.is_empty() {
            println!("{}", String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default());
        }
        (output.status.success(), lines)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An interrupt is PostgreSQL's fast shutdown.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder of this process, which belongs to whom its programs run as.
fn folder(what: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("etalon-postgres-{}{what}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    if is_root() {
        let (user, group) = (output("id", &["-u", "nobody"]), output("id", &["-g", "nobody"]));
        std::os::unix::fs::chown(&folder, user.trim().parse().ok(), group.trim().parse().ok()).unwrap();
    }
    folder
}

/// A program of PostgreSQL in a folder. PostgreSQL refuses to run as root.
fn program(folder: &Path, name: &str) -> Command {
    // What a client does may stand elsewhere.
    let there = programs().map(|folder| folder.join(name)).filter(|path| path.is_file());
    let path = there.unwrap_or_else(|| PathBuf::from(name));
    let mut command = Command::new(if is_root() { Path::new("setpriv") } else { &path });
    if is_root() {
        command.args(["--reuid=nobody", "--regid", output("id", &["-g", "nobody"]).trim(), "--clear-groups"]);
        command.arg(&path);
    }
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn is_root() -> bool {
    output("id", &["-u"]).trim() == "0"
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let known = (15..=18).map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let has_all = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    let has_psql = std::env::split_paths(&path).any(|folder: PathBuf| Path::is_file(&folder.join("psql")));
    std::env::split_paths(&path).chain(known).find(has_all).filter(|_| has_psql)
}

/// What a program prints.
fn output(program: &str, arguments: &[&str]) -> String {
    String::from_utf8(Command::new(program).args(arguments).output().unwrap().stdout).unwrap()
}

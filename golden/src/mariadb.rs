//! MariaDB: a private MariaDB for tests, in a temporary folder, gone at the end.
//!
//! Through the socket in its folder `root` needs no password. Its system has a time zone behind UTC, and its sessions have UTC: a
//! time that it takes from its system is told from one that it takes from a session. Where MariaDB is missing, a test says `absent`
//! and is not counted as passed; if `$ETALON_REQUIRE_COUNTERPARTS` is set, it fails.

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
    let mut arguments = Arguments::from_args();
    // What is open anywhere on a server holds back whoever reads of it: one test at a time.
    arguments.test_threads = Some(1);
    let is_required = std::env::var_os("ETALON_REQUIRE_COUNTERPARTS").is_some();
    let server = Server::start(&[]).map(Arc::new);
    let trial = |&(name, test): &Test| match server.clone() {
        Some(server) => Trial::test(name, move || {
            test(&server);
            Ok(())
        }),
        None if is_required => Trial::test(name, || Err("absent: MariaDB".into())),
        None => Trial::test(name, || Ok(())).with_kind("absent: MariaDB").with_ignored_flag(true),
    };
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}

/// A private MariaDB; it ends with its value.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Server {
    /// Starts a server with more settings, such as `--ssl-cert=…`; `None` where there is no MariaDB.
    pub fn start(settings: &[String]) -> Option<Self> {
        let (server, install) = (program("mariadbd")?, program("mariadb-install-db")?);
        // Free a moment ago; whoever takes it in between makes the start fail, and the test with it.
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap().port();
        let folder = std::env::temp_dir().join(format!("etalon-mariadb-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let data = format!("--datadir={}", folder.join("data").display());
        // MariaDB refuses to run as root.
        let root = output("id", &["-u"]).trim() == "0";
        if root {
            let (user, group) = (output("id", &["-u", "nobody"]), output("id", &["-g", "nobody"]));
            std::os::unix::fs::chown(&folder, user.trim().parse().ok(), group.trim().parse().ok()).unwrap();
        }
        let run = |program: &Path| {
            let mut command = match root {
                true => Command::new("setpriv"),
                false => Command::new(program),
            };
            if root {
                command.args(["--reuid=nobody", "--regid", output("id", &["-g", "nobody"]).trim(), "--clear-groups"]);
                command.arg(program);
            }
            command.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.args(["--no-defaults", &data]);
            command
        };
        let made = run(&install).args(["--auth-root-authentication-method=normal", "--skip-test-db"]).status();
        assert!(made.unwrap().success(), "mariadb-install-db");
        let process = run(&server)
            .env("TZ", "America/New_York")
            .arg(format!("--socket={}", folder.join("socket").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .arg(format!("--log-error={}", folder.join("log").display()))
            .arg(format!("--port={port}"))
            .args([
                "--bind-address=127.0.0.1",
                "--default-time-zone=+00:00",
                "--character-set-server=utf8mb4",
                "--innodb-flush-log-at-trx-commit=0",
            ])
            .args(["--innodb-buffer-pool-size=64M", "--max-connections=200"])
            .args(settings)
            .spawn()
            .unwrap();
        let server = Self { folder, port, process };
        let since = Instant::now();
        while !server.sql("", "select 1").0 {
            assert!(since.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(server)
    }

    /// The URL of a database, through the socket, as the user that may do everything.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@/{database}?socket={}", self.folder.join("socket").display())
    }

    /// The port of this machine where passwords are asked for.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates a database of a name and gives its URL.
    pub fn database(&self, name: &str) -> String {
        assert!(self.sql("", &format!("create database `{name}`")).0, "create database {name}");
        self.url(name)
    }

    /// Runs a script in a database; whether it succeeded, and its lines.
    pub fn sql(&self, database: &str, script: &str) -> (bool, Vec<String>) {
        let mut client = Command::new("mariadb")
            .args([
                "--no-defaults",
                "--batch",
                "--skip-column-names",
                "--default-character-set=utf8mb4",
                "-uroot",
                "-S",
            ])
            .arg(self.folder.join("socket"))
            .args((!database.is_empty()).then_some(database))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = client.stdin.take().unwrap();
        let script = script.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
        let output = client.wait_with_output().unwrap();
        // A script that is not read to its end shows in the client's status.
        let _ = writer.join().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        if !output.status.success() && !output.stderr.is_empty() && !database.is_empty() {
            println!("{}", String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default());
        }
        (output.status.success(), lines)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether tests that need it are to run: it is there, or must be.
pub fn is_there() -> bool {
    program("mariadbd").is_some() || std::env::var_os("ETALON_REQUIRE_COUNTERPARTS").is_some()
}

/// A program of MariaDB's, where there is one.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let known = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from);
    let is_there = |name: &str| {
        let mut folders = std::env::split_paths(&path).chain(known.clone());
        folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()))
    };
    is_there("mariadb").and_then(|_| is_there(name))
}

/// What a program prints.
fn output(program: &str, arguments: &[&str]) -> String {
    String::from_utf8(Command::new(program).args(arguments).output().unwrap().stdout).unwrap()
}

//! Postgres: a private PostgreSQL in a temporary folder, gone at the end.
//!
//! On the socket in its folder it trusts everybody; on a port of this machine it asks for passwords. A shell stands between
//! the server and its owner and waits on a pipe: when the owner ends, however it ends, the pipe closes, the shell stops the
//! server and removes the folder.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_postgres::client::Address;
use etalon_postgres::client::Client;
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to start.
const START_WAIT: Duration = Duration::from_secs(60);
/// How often it is looked whether a server answers.
const LOOK: Duration = Duration::from_millis(20);
/// The name of the user that owns everything.
const USER: &str = "etalon";
/// The names of the files in the folder while the server is to be stopped, and while it is.
const STOPPED: &str = "stopped";
const RESTS: &str = "rests";
/// Runs a server until it ends or the pipe closes; one that is stopped runs again when it is no longer. `$1` is the folder, what
/// follows is the server.
const KEEPER: &str = r#"folder=$1; shift; exec 3<&0
(read -r _ <&3; touch "$folder/end"
while [ -d "$folder" ]; do kill -INT "$(head -n 1 "$folder/data/postmaster.pid")" 2>/dev/null; sleep 0.1; done) 2>/dev/null &
while [ ! -e "$folder/end" ]; do
  "$@" & wait $!
  [ -e "$folder/stopped" ] || break
  touch "$folder/rests"
  while [ -e "$folder/stopped" ] && [ ! -e "$folder/end" ]; do sleep 0.02; done
  rm -f "$folder/rests"
done; rm -rf "$folder""#;

/// A private PostgreSQL; it ends with its value.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    keeper: Child,
}

impl Server {
    /// Starts a server; `NotFound` where there is no PostgreSQL on this machine.
    pub fn start() -> io::Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let bin = programs().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "PostgreSQL"))?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("etalon-postgres-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let data = folder.join("data");
        // PostgreSQL refuses to run as root.
        let mut user = Vec::new();
        if output("id", &["-u"])? == "0" {
            let group = output("id", &["-g", "nobody"])?;
            let number = output("id", &["-u", "nobody"])?;
            std::os::unix::fs::chown(&folder, number.parse().ok(), group.parse().ok())?;
            user.extend(["setpriv", "--reuid=nobody", "--clear-groups"].map(str::to_owned));
            user.push(format!("--regid={group}"));
        }
        let program = |name: &str| {
            let mut words = user.clone();
            words.push(bin.join(name).display().to_string());
            words
        };
        let initdb = program("initdb");
        let made = Command::new(initdb.first().map_or("initdb", String::as_str))
            .args(initdb.iter().skip(1))
            .args(["-U", USER, "--auth-local=trust", "--auth-host=md5", "-E", "UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "-D"])
            .arg(&data)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !made.success() {
            let _ = fs::remove_dir_all(&folder);
            return Err(io::Error::other("initdb does not make a PostgreSQL"));
        }
        // Free a moment ago; whoever takes it in between makes the start fail.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let settings =
            ["listen_addresses=127.0.0.1", "fsync=off", "timezone=UTC", "datestyle=ISO, MDY", "max_connections=40"];
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&folder)
            .args(program("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .args(["-p", &port.to_string()])
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self { folder, port, keeper };
        let since = Instant::now();
        while server.connect("postgres").is_err() {
            if server.keeper.try_wait()?.is_some() || since.elapsed() > START_WAIT {
                return Err(io::Error::other("PostgreSQL does not start"));
            }
            std::thread::sleep(LOOK);
        }
        Ok(server)
    }

    /// Stops the server as a failure of its machine does: all connections are cut, and what was not committed is undone.
    pub fn stop(&self) -> io::Result<()> {
        fs::write(self.folder.join(STOPPED), b"")?;
        let known = fs::read_to_string(self.folder.join("data").join("postmaster.pid"))?;
        let process = known.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
        let process = process.ok_or_else(|| io::Error::other("the process of PostgreSQL is not known"))?;
        // PostgreSQL's immediate shutdown: no checkpoint is made, and the next start recovers from the log.
        kill_process(process, Signal::QUIT)?;
        let since = Instant::now();
        while !self.folder.join(RESTS).exists() {
            if since.elapsed() > START_WAIT {
                return Err(io::Error::other("PostgreSQL does not stop"));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Starts the server that was stopped, and waits until it answers.
    pub fn start_again(&self) -> io::Result<()> {
        let since = Instant::now();
        fs::remove_file(self.folder.join(STOPPED))?;
        while self.connect("postgres").is_err() {
            if since.elapsed() > START_WAIT {
                return Err(io::Error::other("PostgreSQL does not start again"));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// The URL of a database, through the socket that trusts everybody.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@/{database}?host={}&port={}", self.folder.display(), self.port)
    }

    /// The folder of the socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The port of this machine where passwords are asked for.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Creates a database of a name and gives its URL.
    pub fn database(&self, name: &str) -> Result<String, Error> {
        let created = self
            .connect("postgres")
            .map(|mut connection| connection.run(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")), &[]));
        match created {
            Ok(Ok(_)) => Ok(self.url(name)),
            Ok(Err(trouble)) => Err(unavailable(&format!("database {name} is not created: {trouble:?}"))),
            Err(error) => Err(error),
        }
    }

    fn connect(&self, database: &str) -> Result<Client, Error> {
        connect(&self.url(database))
    }
}

/// Connects to the PostgreSQL of a URL.
pub(crate) fn connect(url: &str) -> Result<Client, Error> {
    let address = Address::parse(url, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    Client::open(&address).map_err(|trouble| unavailable(&format!("{address}: {trouble:?}")))
}

impl Drop for Server {
    fn drop(&mut self) {
        // The shell reads the end of its pipe, and interrupts the server: a fast shutdown.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn unavailable(fact: &str) -> Error {
    Error::new(ErrorKind::Unavailable, fact)
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let known = (15..=18).map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let has_all = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    std::env::split_paths(&path).chain(known).find(has_all)
}

/// What a program prints.
fn output(program: &str, arguments: &[&str]) -> io::Result<String> {
    let printed = Command::new(program).args(arguments).output()?.stdout;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

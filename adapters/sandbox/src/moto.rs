//! Moto: a stand-in for S3, SQS, EventBridge and Secrets Manager, on a free port of this machine.
//!
//! `pip install 'moto[server]'` brings it. It keeps everything in memory, and ends with its value or with this process,
//! however that ends: a shell that waits for the end of a pipe watches over it.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The server's command.
const PROGRAM: &str = "moto_server";
/// What stands before the address in the line that the server prints once it listens.
const LISTENING: &str = "Running on ";
/// What stands before the server's process in the first line.
const PROCESS: &str = "process ";
/// Ends the server when nobody holds the other end of the shell's input any more.
const WATCH: &str = r#""$0" -H 127.0.0.1 -p 0 & server=$!; echo "process $server" >&2; exec 2>&-
read -r _; kill -KILL $server; wait"#;

/// A running stand-in.
#[derive(Debug)]
pub struct Moto {
    url: String,
    process: Option<Pid>,
    watch: Child,
}

impl Moto {
    /// Starts one that nothing is in; `NotFound` where there is no `moto_server`.
    pub fn start() -> io::Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = find(&path, PROGRAM).ok_or_else(|| Error::new(ErrorKind::NotFound, PROGRAM))?;
        let mut watch = Command::new("sh")
            .args([OsStr::new("-c"), OsStr::new(WATCH), program.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let words = watch.stderr.take().map(BufReader::new);
        // From here on the process ends with its value.
        let mut moto = Self { url: String::new(), process: None, watch };
        let mut words = words.ok_or_else(|| Error::other("a server without words"))?;
        let mut told = String::new();
        while moto.url.is_empty() {
            let mut line = String::new();
            if words.read_line(&mut line)? == 0 {
                return Err(Error::other(format!("{PROGRAM} does not start: {told}")));
            }
            if let Some(process) = line.strip_prefix(PROCESS) {
                moto.process = process.trim().parse().ok().and_then(Pid::from_raw);
            }
            if let Some((_, url)) = line.split_once(LISTENING) {
                moto.url = url.trim().to_owned();
            }
            told.push_str(&line);
        }
        // Every call is logged; a pipe that nobody reads would stop the server.
        std::thread::spawn(move || io::copy(&mut words.by_ref(), &mut io::sink()));
        Ok(moto)
    }

    /// Where it answers: `http://127.0.0.1:…`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets it stand still: it takes connections and requests, and answers nothing until [`Moto::thaw`]. Then it does what it was
    /// asked for, whether anybody still waits or not.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let process = self.process.ok_or_else(|| Error::other("the process of the server is not known"))?;
        Ok(kill_process(process, signal)?)
    }

    /// The environment by which a program that uses AWS uses this instead.
    pub fn environment(&self) -> [(&'static str, &str); 4] {
        [
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_REGION", "us-east-1"),
            // It takes any.
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // Nothing is to be done about a shell that is gone already.
        let _ = self.watch.wait();
    }
}

/// A command in the folders of a path.
fn find(path: &OsStr, program: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

//! Socket: a connection to a server that must answer in time until it has let the caller in.
//!
//! A server that takes a call and then says nothing would be waited for without end. So all reads of a log-in together have a
//! limit, `connect_timeout`, as in libpq; a statement may take as long as it takes.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

/// What the system gives to read and write.
pub(super) trait Wire: Read + Write + Send {
    /// How long a read may take; `None` is without end.
    fn wait(&self, most: Option<Duration>) -> io::Result<()>;
}

impl Wire for TcpStream {
    fn wait(&self, most: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(most)
    }
}

#[cfg(unix)]
impl Wire for std::os::unix::net::UnixStream {
    fn wait(&self, most: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(most)
    }
}

/// Ends the limit of a socket, wherever that has gone.
#[derive(Debug, Clone, Default)]
pub(super) struct Limit(Arc<AtomicBool>);

impl Limit {
    /// From now on the server may take its time.
    pub(super) fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection, with a limit until it is used.
pub(super) struct Socket {
    wire: Box<dyn Wire>,
    begun: Instant,
    most: Duration,
    limit: Limit,
    is_limited: bool,
}

impl Socket {
    /// A socket whose reads end `most` after `begun`.
    pub(super) fn new(wire: impl Wire + 'static, begun: Instant, most: Duration) -> Self {
        Self { wire: Box::new(wire), begun, most, limit: Limit::default(), is_limited: true }
    }

    /// What ends the limit.
    pub(super) fn limit(&self) -> Limit {
        self.limit.clone()
    }

    fn late(&self) -> io::Error {
        let fact = format!("the server has let nobody in within {} s (connect_timeout)", self.most.as_secs());
        io::Error::new(io::ErrorKind::TimedOut, fact)
    }
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.is_limited {
            return self.wire.read(bytes);
        }
        if self.limit.0.load(Ordering::Relaxed) {
            self.is_limited = false;
            self.wire.wait(None)?;
            return self.wire.read(bytes);
        }
        let left = self.most.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero());
        self.wire.wait(Some(left.ok_or_else(|| self.late())?))?;
        self.wire.read(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.late(),
            _ => error,
        })
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wire.flush()
    }
}

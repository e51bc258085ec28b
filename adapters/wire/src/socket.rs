//! Socket: a connection to a server with time limits, over TCP or through a socket of this machine.
//!
//! A client would wait for ever for a server that accepts a connection and then sends nothing. So all reads of a log-in
//! together have a limit, `connect_timeout`, as in libpq. A statement has no limit unless the caller sets how long its server
//! may be silent; TCP's keepalive notices a host that is gone.

use std::fmt;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crate::trouble::Trouble;

/// What the system gives to read and write.
trait Wire: Read + Write + Send {
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

/// So long nothing has come when a host is asked whether it is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// So long later it is asked again.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
/// So often, and then it is gone.
const KEEPALIVE_TIMES: u32 = 4;

/// Has a host that is gone noticed.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    #[cfg(unix)]
    let keepalive = keepalive.with_retries(KEEPALIVE_TIMES);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// How long a server may be silent, wherever its socket has gone: in milliseconds.
#[derive(Debug, Clone)]
pub struct Limit(Arc<AtomicU64>);

/// As long as the log-in may take.
const LOG_IN: u64 = u64::MAX;
const WITHOUT_END: u64 = 0;

impl Default for Limit {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(LOG_IN)))
    }
}

impl Limit {
    /// The log-in is over. From now on the server may be silent for so long; without end, if not said.
    pub fn silence(&self, most: Option<Duration>) {
        let most = most.and_then(|most| u64::try_from(most.as_millis()).ok()).unwrap_or(WITHOUT_END);
        self.0.store(most, Ordering::Relaxed);
    }
}

/// A connection, with a limit.
pub struct Socket {
    wire: Box<dyn Wire>,
    begun: Instant,
    most: Duration,
    limit: Limit,
    /// The limit that the wire has.
    set: u64,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

impl Socket {
    /// Tries the addresses of a host in turn; each has the whole limit.
    pub fn call(host: &str, port: u16, most: Duration) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for found in (host, port).to_socket_addrs()? {
            let begun = Instant::now();
            match TcpStream::connect_timeout(&found, most) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    keep_alive(&stream)?;
                    return Ok(Self::new(stream, begun, most));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Connects to a socket of this machine.
    #[cfg(unix)]
    pub fn open(path: &Path, most: Duration) -> Result<Self, Trouble> {
        let begun = Instant::now();
        Ok(Self::new(std::os::unix::net::UnixStream::connect(path)?, begun, most))
    }

    /// Refuses: there are no sockets in folders here.
    #[cfg(not(unix))]
    pub fn open(path: &Path, _most: Duration) -> Result<Self, Trouble> {
        let path = path.display();
        Err(Trouble::Refused(format!(
            "{path} is in a folder, and this system has no Unix sockets; give the name of a host"
        )))
    }

    /// A socket whose reads end `most` after `begun`.
    fn new(wire: impl Wire + 'static, begun: Instant, most: Duration) -> Self {
        Self { wire: Box::new(wire), begun, most, limit: Limit::default(), set: LOG_IN }
    }

    /// What changes the limit.
    pub fn limit(&self) -> Limit {
        self.limit.clone()
    }

    fn late(&self) -> io::Error {
        let fact = format!("the server has let nobody in within {} s (connect_timeout)", self.most.as_secs());
        io::Error::new(io::ErrorKind::TimedOut, fact)
    }

    /// Reads, and tells a limit that is over in the words of `late`.
    fn read_within(&mut self, bytes: &mut [u8], late: impl FnOnce(&Self) -> io::Error) -> io::Result<usize> {
        self.wire.read(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => late(self),
            _ => error,
        })
    }
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let limit = self.limit.0.load(Ordering::Relaxed);
        if limit == LOG_IN {
            let left = self.most.checked_sub(self.begun.elapsed()).filter(|left| !left.is_zero());
            self.wire.wait(Some(left.ok_or_else(|| self.late())?))?;
            return self.read_within(bytes, Self::late);
        }
        let most = Some(Duration::from_millis(limit)).filter(|_| limit != WITHOUT_END);
        if self.set != limit {
            self.wire.wait(most)?;
            self.set = limit;
        }
        // The system says it where keepalive has noticed that the host is gone.
        self.read_within(bytes, |_| {
            let silent = most.map(|most| format!("the server has said nothing for {} s", most.as_secs()));
            let fact = silent.unwrap_or_else(|| "the server is not there any more".to_owned());
            io::Error::new(io::ErrorKind::TimedOut, fact)
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_may_be_silent_for_so_long() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        keep_alive(&stream).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut socket = Socket::new(stream, Instant::now(), Duration::from_millis(40));
        let mut bytes = [0; 8];
        let told = |read: io::Result<usize>| read.map_err(|error| error.to_string());
        let late = "the server has let nobody in within 0 s (connect_timeout)";
        assert_eq!(told(socket.read(&mut bytes)), Err(late.to_owned()));
        socket.limit().silence(Some(Duration::from_millis(30)));
        server.write_all(b"Z").unwrap();
        assert_eq!(told(socket.read(&mut bytes)), Ok(1));
        assert_eq!(told(socket.read(&mut bytes)), Err("the server has said nothing for 0 s".to_owned()));
        socket.limit().silence(None);
        server.write_all(b"ZZ").unwrap();
        assert_eq!(told(socket.read(&mut bytes)), Ok(2));
    }
}

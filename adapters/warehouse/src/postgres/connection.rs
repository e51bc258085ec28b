//! Connection: PostgreSQL's protocol over a blocking socket. Statements go one at a time, with parameters apart from their
//! text, and rows come in through COPY.
//!
//! The messages are `postgres-protocol`'s; here is the little that stands between them when nothing happens at once.

use std::fmt;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::net::ToSocketAddrs;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::IsNull;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl;
use postgres_protocol::message::backend::ErrorFields;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use super::address::Address;
use super::address::Encryption;
use super::address::Host;

/// How long a host may take to answer a call.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Bytes that are asked of the socket at a time.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of a message of COPY.
const COPY_BYTES: usize = 256 * 1024;
/// The formats of values.
const TEXT: i16 = 0;
const BINARY: i16 = 1;

/// A socket.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// The server is not reached, or is gone.
    Io(io::Error),
    /// The server says no.
    Server(Box<ServerError>),
    /// What is asked for cannot be.
    Refused(String),
}

/// An error of the server, in its words.
#[derive(Debug, Default)]
pub struct ServerError {
    /// Five characters of the SQL standard.
    pub state: String,
    /// What is wrong.
    pub message: String,
    /// More of it.
    pub detail: Option<String>,
    /// What may help.
    pub hint: Option<String>,
    /// In which statement, line and column it happened.
    pub context: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for more in [&self.detail, &self.context, &self.hint].into_iter().flatten() {
            write!(f, "; {}", more.replace('\n', ", ").trim_end_matches('.'))?;
        }
        Ok(())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a statement gives.
#[derive(Debug, Default)]
pub struct Rows {
    /// What the rows consist of; nothing where the statement selects nothing.
    pub columns: Vec<Column>,
    /// The values as the server sent them; NULL is `None`.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    /// How many rows the statement has given, or changed; `None` where it is not about rows.
    pub count: Option<u64>,
}

/// A column of what a statement gives.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The number of its type.
    pub type_number: u32,
    /// What stands in the parentheses of its type, as the server counts it; -1 where nothing does.
    pub modifier: i32,
}

/// A connection that is ready for statements.
pub struct Connection {
    stream: Box<dyn Stream>,
    received: BytesMut,
    chunk: Vec<u8>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut out = BytesMut::new();
        frontend::terminate(&mut out);
        // A server that does not hear it notices that the socket is closed.
        let _ = self.stream.write_all(&out);
    }
}

impl Connection {
    /// Calls a server and says who asks.
    pub fn open(address: &Address) -> Result<Self, Trouble> {
        if address.encryption == Encryption::Required {
            let fact = "sslmode asks for an encrypted connection, which this build of etalon does not make; \
                        use a tunnel (ssh -L) or a socket, and sslmode=disable";
            return Err(Trouble::Refused(fact.to_owned()));
        }
        let stream: Box<dyn Stream> = match &address.host {
            Host::Name(host) => Box::new(call(host, address.port)?),
            Host::Folder(folder) => Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{}", address.port)))?),
        };
        let mut connection = Self { stream, received: BytesMut::new(), chunk: vec![0; READ_BYTES] };
        connection.start(address)?;
        Ok(connection)
    }

    fn start(&mut self, address: &Address) -> Result<(), Trouble> {
        let settings = [
            ("user", address.user.as_str()),
            ("database", &address.database),
            ("application_name", "etalon"),
            ("client_encoding", "UTF8"),
            ("timezone", "UTC"),
            ("datestyle", "ISO, MDY"),
        ];
        self.send(|out| frontend::startup_message(settings, out))?;
        loop {
            match self.receive()? {
                Message::AuthenticationOk => {}
                Message::AuthenticationCleartextPassword => {
                    let is_local = match &address.host {
                        Host::Folder(_) => true,
                        Host::Name(host) => matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1"),
                    };
                    if !is_local {
                        let fact =
                            "the server asks for the password in clear text over a connection that is not encrypted";
                        return Err(Trouble::Refused(fact.to_owned()));
                    }
                    let password = password(address)?;
                    self.send(|out| frontend::password_message(password, out))?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(address.user.as_bytes(), password(address)?, body.salt());
                    self.send(|out| frontend::password_message(hash.as_bytes(), out))?;
                }
                Message::AuthenticationSasl(body) => {
                    if !body.mechanisms().any(|mechanism| Ok(mechanism == sasl::SCRAM_SHA_256))? {
                        return Err(Trouble::Refused("the server asks for an unknown kind of password".to_owned()));
                    }
                    self.prove(password(address)?)?;
                }
                Message::ReadyForQuery(_) => return Ok(()),
                Message::BackendKeyData(_) => {}
                _ => {
                    return Err(Trouble::Refused("the server asks for an unknown way of saying who one is".to_owned()));
                }
            }
        }
    }

    /// Proves that the password is known, without saying it.
    fn prove(&mut self, password: &[u8]) -> Result<(), Trouble> {
        let mut scram = sasl::ScramSha256::new(password, sasl::ChannelBinding::unsupported());
        self.send(|out| frontend::sasl_initial_response(sasl::SCRAM_SHA_256, scram.message(), out))?;
        loop {
            match self.receive()? {
                Message::AuthenticationSaslContinue(body) => {
                    scram.update(body.data())?;
                    self.send(|out| frontend::sasl_response(scram.message(), out))?;
                }
                Message::AuthenticationSaslFinal(body) => return Ok(scram.finish(body.data())?),
                _ => return Err(unexpected()),
            }
        }
    }

    /// Runs a statement with parameters, which are texts. Values come as texts.
    pub fn run(&mut self, sql: &str, parameters: &[&str]) -> Result<Rows, Trouble> {
        self.run_in(sql, parameters, |_| false)
    }

    /// Runs a statement; values of the types that are chosen come in their binary form.
    pub fn run_in(
        &mut self,
        sql: &str,
        parameters: &[&str],
        is_binary: impl Fn(&Column) -> bool,
    ) -> Result<Rows, Trouble> {
        self.send(|out| {
            frontend::parse("", sql, [], out)?;
            frontend::describe(b'S', "", out)?;
            frontend::sync(out);
            Ok(())
        })?;
        let mut columns = Vec::new();
        self.until_ready(|message| {
            if let Message::RowDescription(body) = message {
                let column = |field: postgres_protocol::message::backend::Field<'_>| {
                    Ok(Column {
                        name: field.name().to_owned(),
                        type_number: field.type_oid(),
                        modifier: field.type_modifier(),
                    })
                };
                columns = body.fields().map(column).collect()?;
            }
            Ok(())
        })?;
        let formats: Vec<i16> = columns.iter().map(|column| if is_binary(column) { BINARY } else { TEXT }).collect();
        self.send(|out| {
            let write = |value: &&str, out: &mut BytesMut| {
                out.extend_from_slice(value.as_bytes());
                Ok(IsNull::No)
            };
            let bound = frontend::bind("", "", [TEXT], parameters, write, formats, out);
            bound.map_err(|error| match error {
                frontend::BindError::Conversion(error) => io::Error::other(error),
                frontend::BindError::Serialization(error) => error,
            })?;
            frontend::execute("", 0, out)?;
            frontend::sync(out);
            Ok(())
        })?;
        let mut rows = Vec::new();
        let mut count = None;
        self.until_ready(|message| {
            match message {
                Message::DataRow(body) => {
                    let bytes = body.buffer();
                    let value = |range: Option<std::ops::Range<usize>>| {
                        Ok(range.and_then(|range| bytes.get(range)).map(<[u8]>::to_vec))
                    };
                    rows.push(body.ranges().map(value).collect()?);
                }
                Message::CommandComplete(body) => count = count_of(body.tag()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(Rows { columns, rows, count })
    }

    /// Runs a `COPY … FROM STDIN`; `rows` appends what there is next and says whether it was the last. Gives the number of
    /// rows that the server took. An error of `rows` ends the statement, and is given back.
    pub fn copy_in<E>(
        &mut self,
        sql: &str,
        mut rows: impl FnMut(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<Result<u64, E>, Trouble> {
        self.send(|out| frontend::query(sql, out))?;
        loop {
            match self.receive()? {
                Message::CopyInResponse(_) => break,
                Message::ReadyForQuery(_) => return Err(unexpected()),
                _ => {}
            }
        }
        let mut failure = None;
        let mut is_last = false;
        let mut out = Vec::with_capacity(COPY_BYTES * 2);
        while !is_last && failure.is_none() {
            // A message is a letter, the length of the rest, and the rows.
            out.clear();
            out.extend_from_slice(b"d\0\0\0\0");
            while out.len() < COPY_BYTES && !is_last && failure.is_none() {
                match rows(&mut out) {
                    Ok(last) => is_last = last,
                    Err(error) => failure = Some(error),
                }
            }
            let length = u32::try_from(out.len() - 1).map_err(|_| io::Error::other("a row is too long"))?;
            if let Some(place) = out.get_mut(1..5) {
                place.copy_from_slice(&length.to_be_bytes());
            }
            if failure.is_none() {
                self.stream.write_all(&out)?;
            }
        }
        let has_failed = failure.is_some();
        self.send(|out| {
            if has_failed {
                frontend::copy_fail("the rows did not come", out)
            } else {
                frontend::copy_done(out);
                Ok(())
            }
        })?;
        let mut count = 0;
        let done = self.until_ready(|message| {
            if let Message::CommandComplete(body) = message {
                count = count_of(body.tag()?).unwrap_or_default();
            }
            Ok(())
        });
        match failure {
            Some(error) => Ok(Err(error)),
            None => done.map(|()| Ok(count)),
        }
    }

    /// Looks at messages until the server waits for the next statement. The first error is the answer.
    fn until_ready(&mut self, mut look: impl FnMut(&Message) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let mut first = Ok(());
        loop {
            match self.receive() {
                Ok(Message::ReadyForQuery(_)) => return first,
                Ok(message) => {
                    let seen = look(&message);
                    first = first.and(seen);
                }
                Err(trouble @ Trouble::Server(_)) => first = first.and(Err(trouble)),
                Err(gone) => return first.and(Err(gone)),
            }
        }
    }

    fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Result<(), Trouble> {
        let mut out = BytesMut::new();
        write(&mut out)?;
        self.stream.write_all(&out)?;
        self.stream.flush()?;
        Ok(())
    }

    /// The next message that is an answer.
    fn receive(&mut self) -> Result<Message, Trouble> {
        loop {
            match Message::parse(&mut self.received)? {
                Some(Message::ErrorResponse(body)) => {
                    return Err(Trouble::Server(Box::new(server_error(body.fields())?)));
                }
                Some(Message::NoticeResponse(_) | Message::ParameterStatus(_) | Message::NotificationResponse(_)) => {}
                Some(message) => return Ok(message),
                None => {
                    let count = match self.stream.read(&mut self.chunk) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        read => read?,
                    };
                    if count == 0 {
                        let fact = "the server has closed the connection";
                        return Err(Trouble::Io(io::Error::new(io::ErrorKind::UnexpectedEof, fact)));
                    }
                    self.received.extend_from_slice(self.chunk.get(..count).unwrap_or_default());
                }
            }
        }
    }
}

/// The rows that a statement says it was about: `INSERT 0 7`, `SELECT 7`.
fn count_of(tag: &str) -> Option<u64> {
    tag.rsplit(' ').next().and_then(|rows| rows.parse().ok())
}

/// Tries the addresses of a host in turn.
fn call(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_WAIT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn password(address: &Address) -> Result<&[u8], Trouble> {
    let fact = "the server asks for a password; say it in PGPASSWORD";
    address.password.as_deref().map(str::as_bytes).ok_or_else(|| Trouble::Refused(fact.to_owned()))
}

fn unexpected() -> Trouble {
    Trouble::Io(io::Error::new(io::ErrorKind::InvalidData, "the server gives an answer that was not asked for"))
}

fn server_error(mut fields: ErrorFields<'_>) -> io::Result<ServerError> {
    let mut error = ServerError::default();
    while let Some(field) = fields.next()? {
        let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => error.state = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'W' => error.context = Some(text),
            _ => {}
        }
    }
    Ok(error)
}

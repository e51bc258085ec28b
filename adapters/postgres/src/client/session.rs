//! Session: PostgreSQL's protocol over a blocking socket. Statements go one at a time, with parameters apart from their
//! text, and rows come in through COPY.
//!
//! `postgres-protocol` encodes and decodes the messages; this file has the exchange of messages, one at a time.

use std::fmt;
use std::io;
use std::io::Read;
use std::io::Write;
use std::time::Duration;

use bytes::BytesMut;
use etalon_wire::Limit;
use etalon_wire::Socket;
use etalon_wire::is_local;
use etalon_wire::tls;
use etalon_wire::tls::Check;
use etalon_wire::tls::Words;
use fallible_iterator::FallibleIterator;
use postgres_protocol::IsNull;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl;
use postgres_protocol::authentication::sasl::ChannelBinding;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use crate::client::address::Address;
use crate::client::address::Binding;
use crate::client::address::Host;
use crate::client::address::SslMode;
use crate::client::trouble::Trouble;
use crate::client::trouble::server_error;

/// What a server says whose rules (`pg_hba.conf`) let nobody in who comes like this.
const NOT_LET_IN: &str = "28000";
const UNSUPPORTED: &str = "the server asks for an authentication method that etalon does not support: \
                           it proves a password by SCRAM-SHA-256, MD5 or in clear text";
/// Bytes that are asked of the socket at a time.
const READ_BYTES: usize = 64 * 1024;
/// The most bytes of a message: a row has them all. What says that it has more is no message of a PostgreSQL.
const MESSAGE_BYTES_MAX: u32 = 256 << 20;
/// Bytes of a message of COPY.
const COPY_BYTES: usize = 256 * 1024;
/// The formats of values.
const TEXT: i16 = 0;
const BINARY: i16 = 1;

/// What its address calls what is said of certificates.
const WORDS: Words = Words { roots: "sslrootcert", authority_alone: "sslmode=verify-ca" };

/// A socket.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

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
pub struct Client {
    stream: Box<dyn Stream>,
    limit: Limit,
    received: BytesMut,
    chunk: Vec<u8>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut out = BytesMut::new();
        frontend::terminate(&mut out);
        // A server that does not hear it notices that the socket is closed.
        let _ = self.stream.write_all(&out);
    }
}

impl Client {
    /// Calls a server and says who asks, encrypted as `sslmode` says.
    pub fn open(address: &Address) -> Result<Self, Trouble> {
        let host = match &address.host {
            Host::Name(host) => host,
            // Whoever reads a socket of this machine can read its memory: libpq does not encrypt there either.
            Host::Folder(folder) => {
                let path = folder.join(format!(".s.PGSQL.{}", address.port));
                let socket = Socket::open(&path, address.connect_wait)?;
                let limit = socket.limit();
                return Self::start(Box::new(socket), &limit, address, None);
            }
        };
        let plain = || {
            let socket = Socket::call(host, address.port, address.connect_wait)?;
            let limit = socket.limit();
            Self::start(Box::new(socket), &limit, address, None)
        };
        let encrypted = |check: &Check| match agree(Socket::call(host, address.port, address.connect_wait)?)? {
            None => Err(Refused::NotOffered),
            Some(socket) => {
                let limit = socket.limit();
                let stream =
                    tls::greet(socket, host, check, WORDS).map_err(|trouble| Refused::Handshake(trouble.into()))?;
                let end_point = tls::end_point(&stream);
                Ok(Self::start(Box::new(stream), &limit, address, Some(end_point))?)
            }
        };
        let mode = address.encryption.mode;
        let check = address.encryption.check();
        match mode {
            SslMode::Disable => plain(),
            SslMode::Allow => match plain() {
                Err(Trouble::Server(refused)) if refused.state == NOT_LET_IN => match encrypted(&check) {
                    Err(Refused::NotOffered) => Err(Trouble::Server(refused)),
                    ended => ended.map_err(|refused| refused.trouble(address)),
                },
                ended => ended,
            },
            SslMode::Prefer => match encrypted(&check) {
                Err(Refused::NotOffered) => plain(),
                Err(Refused::Handshake(trouble)) => plain().map_err(|_| trouble),
                Err(Refused::Other(Trouble::Server(refused))) if refused.state == NOT_LET_IN => {
                    plain().map_err(|_| Trouble::Server(refused))
                }
                ended => ended.map_err(|refused| refused.trouble(address)),
            },
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                encrypted(&check).map_err(|refused| refused.trouble(address))
            }
        }
    }

    /// Says who asks. `encryption` is there where the stream is encrypted, and has the hash of the server's certificate, if it
    /// has one.
    fn start(
        stream: Box<dyn Stream>,
        limit: &Limit,
        address: &Address,
        encryption: Option<Option<Vec<u8>>>,
    ) -> Result<Self, Trouble> {
        let received = BytesMut::new();
        let mut client = Self { stream, limit: limit.clone(), received, chunk: vec![0; READ_BYTES] };
        client.log_in(address, encryption)?;
        client.may_be_silent(None);
        Ok(client)
    }

    /// Says how long the server may be silent from now on; without end, if not said.
    pub fn may_be_silent(&self, most: Option<Duration>) {
        self.limit.silence(most);
    }

    fn log_in(&mut self, address: &Address, encryption: Option<Option<Vec<u8>>>) -> Result<(), Trouble> {
        let mut settings = vec![
            ("user", address.user.as_str()),
            ("database", &address.database),
            ("application_name", &address.application),
            ("client_encoding", "UTF8"),
            ("datestyle", "ISO, MDY"),
        ];
        settings.extend((!address.keeps_zone).then_some(("timezone", "UTC")));
        self.send(|out| frontend::startup_message(settings, out))?;
        let refused = |fact: &str| Err(Trouble::Refused(fact.to_owned()));
        let mut is_bound = false;
        loop {
            match self.receive()? {
                Message::AuthenticationOk if address.encryption.binding == Binding::Require && !is_bound => {
                    return refused(
                        "channel_binding=require, but the server authenticates without SCRAM-SHA-256-PLUS, which binds the \
                         password to its certificate",
                    );
                }
                Message::AuthenticationOk => {}
                Message::AuthenticationCleartextPassword => {
                    let is_local = match &address.host {
                        Host::Folder(_) => true,
                        Host::Name(host) => is_local(host),
                    };
                    if !is_local && encryption.is_none() {
                        return refused(
                            "the server asks for the password in clear text over a connection that is not encrypted; \
                             say sslmode=verify-full, and let the server offer TLS",
                        );
                    }
                    let password = password(address)?;
                    self.send(|out| frontend::password_message(password, out))?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(address.user.as_bytes(), password(address)?, body.salt());
                    self.send(|out| frontend::password_message(hash.as_bytes(), out))?;
                }
                Message::AuthenticationSasl(body) => {
                    let offered: Vec<String> = body.mechanisms().map(|name| Ok(name.to_owned())).collect()?;
                    let offers = |name: &str| offered.iter().any(|mechanism| mechanism == name);
                    let end_point = match (&encryption, address.encryption.binding) {
                        (Some(Some(hash)), Binding::Prefer | Binding::Require) => Some(hash.clone()),
                        _ => None,
                    };
                    let (mechanism, binding) = match end_point {
                        Some(hash) if offers(sasl::SCRAM_SHA_256_PLUS) => {
                            is_bound = true;
                            (sasl::SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(hash))
                        }
                        // The server sees from it whether somebody in between has taken the offer away.
                        Some(_) => (sasl::SCRAM_SHA_256, ChannelBinding::unrequested()),
                        None => (sasl::SCRAM_SHA_256, ChannelBinding::unsupported()),
                    };
                    if !offers(mechanism) {
                        return refused(UNSUPPORTED);
                    }
                    self.prove(password(address)?, mechanism, binding)?;
                }
                Message::ReadyForQuery(_) => return Ok(()),
                Message::BackendKeyData(_) => {}
                _ => return refused(UNSUPPORTED),
            }
        }
    }

    /// Proves that the password is known, without saying it.
    fn prove(&mut self, password: &[u8], mechanism: &str, binding: ChannelBinding) -> Result<(), Trouble> {
        let mut scram = sasl::ScramSha256::new(password, binding);
        self.send(|out| frontend::sasl_initial_response(mechanism, scram.message(), out))?;
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
            match self.receive() {
                Ok(Message::CopyInResponse(_)) => break,
                Ok(Message::ReadyForQuery(_)) => return Err(unexpected()),
                Ok(_) => {}
                Err(trouble @ Trouble::Server(_)) => return self.until_ready(|_| Ok(())).and(Err(trouble)),
                Err(gone) => return Err(gone),
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

    /// Begins a `COPY … TO STDOUT`.
    pub fn copy_out(&mut self, sql: &str) -> Result<(), Trouble> {
        self.send(|out| frontend::query(sql, out))?;
        loop {
            match self.receive() {
                Ok(Message::CopyOutResponse(_)) => return Ok(()),
                Ok(Message::ReadyForQuery(_)) => return Err(unexpected()),
                Ok(_) => {}
                Err(trouble @ Trouble::Server(_)) => return self.until_ready(|_| Ok(())).and(Err(trouble)),
                Err(gone) => return Err(gone),
            }
        }
    }

    /// Gives some of the rows that come, each by itself, and says whether there may be more. An error of the server is the
    /// end: what has come is not all.
    pub fn copied(&mut self, mut row: impl FnMut(&[u8])) -> Result<bool, Trouble> {
        let mut bytes = 0;
        while bytes < COPY_BYTES {
            match self.receive() {
                Ok(Message::CopyData(body)) => {
                    bytes += body.data().len();
                    row(body.data());
                }
                Ok(Message::CopyDone) => return self.until_ready(|_| Ok(())).map(|()| false),
                Ok(Message::ReadyForQuery(_)) => return Err(unexpected()),
                Ok(_) => {}
                Err(trouble @ Trouble::Server(_)) => return self.until_ready(|_| Ok(())).and(Err(trouble)),
                Err(gone) => return Err(gone),
            }
        }
        Ok(true)
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
                    is_bounded(&self.received)?;
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

/// Whether the message that has begun to come can be one: a letter, and the length of the rest.
fn is_bounded(received: &[u8]) -> io::Result<()> {
    let length = received.get(1..5).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
    match length.filter(|length| *length > MESSAGE_BYTES_MAX) {
        None => Ok(()),
        Some(length) => {
            let fact = format!(
                "the server begins a message of {length} bytes, and {MESSAGE_BYTES_MAX} are the most that a row may have; if no row is \
                 that large, what comes is garbled on the way"
            );
            Err(io::Error::new(io::ErrorKind::InvalidData, fact))
        }
    }
}

/// The rows that a statement says it was about: `INSERT 0 7`, `SELECT 7`.
fn count_of(tag: &str) -> Option<u64> {
    tag.rsplit(' ').next().and_then(|rows| rows.parse().ok())
}

/// Why there is no encrypted connection.
enum Refused {
    /// The server does not speak TLS.
    NotOffered,
    /// It is not believed, or does not agree on how to encrypt.
    Handshake(Trouble),
    /// What has nothing to do with it.
    Other(Trouble),
}

impl<T: Into<Trouble>> From<T> for Refused {
    fn from(trouble: T) -> Self {
        Self::Other(trouble.into())
    }
}

impl Refused {
    fn trouble(self, address: &Address) -> Trouble {
        match self {
            Self::NotOffered => Trouble::Refused(format!(
                "sslmode={} asks for an encrypted connection, and the server at {} does not offer TLS; let it (`ssl = on` in \
                 its postgresql.conf), or go through a tunnel (ssh -L) with sslmode=disable",
                address.encryption.mode.word(),
                address.server()
            )),
            Self::Handshake(trouble) | Self::Other(trouble) => trouble,
        }
    }
}

/// Asks a server to speak TLS; `None` where it does not.
fn agree(mut socket: Socket) -> Result<Option<Socket>, Trouble> {
    let mut out = BytesMut::new();
    frontend::ssl_request(&mut out);
    socket.write_all(&out)?;
    // One byte and no more: what came after it would be somebody else's.
    let mut answer = [0];
    socket.read_exact(&mut answer)?;
    match &answer {
        b"S" => Ok(Some(socket)),
        b"N" => Ok(None),
        _ => {
            let fact = "what listens there is not PostgreSQL: it does not answer the request for TLS";
            Err(Trouble::Io(io::Error::new(io::ErrorKind::InvalidData, fact)))
        }
    }
}

fn password(address: &Address) -> Result<&[u8], Trouble> {
    let fact = "the server asks for a password; give it in the variable PGPASSWORD";
    address.password.as_deref().map(str::as_bytes).ok_or_else(|| Trouble::Refused(fact.to_owned()))
}

fn unexpected() -> Trouble {
    Trouble::Io(io::Error::new(io::ErrorKind::InvalidData, "the server gives an answer that was not asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_bounds() {
        assert!(is_bounded(b"").is_ok());
        assert!(is_bounded(b"D\x0f\xff\xff\xff").is_ok());
        let told = is_bounded(b"D\x7f\xff\xff\xff").unwrap_err().to_string();
        assert!(told.starts_with("the server begins a message of 2147483647 bytes"), "{told}");
    }
}

//! Session: the protocol of MySQL over a blocking socket. Statements go one at a time, and rows come as texts.
//!
//! The packets and the proofs of passwords are `mysql_common`'s; here is the little that stands between them when nothing
//! happens at once.

use std::collections::HashMap;
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
use etalon_wire::tls::Words;
use mysql_common::auth::plugins::AuthProc;
use mysql_common::auth::plugins::ChallengeResponsePlugin;
use mysql_common::auth::plugins::Context;
use mysql_common::auth::plugins::Error as AuthError;
use mysql_common::auth::plugins::Response;
use mysql_common::constants::CapabilityFlags;
use mysql_common::io::ParseBuf;
use mysql_common::packets::AuthPlugin;
use mysql_common::packets::AuthSwitchRequest;
use mysql_common::packets::HandshakePacket;
use mysql_common::packets::HandshakeResponse;
use mysql_common::packets::SslRequest;
use mysql_common::proto::MySerialize;
use mysql_common::proto::sync_framed::MySyncFramed;

use crate::client::address::Address;
use crate::client::address::Host;
use crate::client::address::SslMode;
use crate::client::trouble::ServerError;
use crate::client::trouble::Trouble;

/// The most bytes of a packet: a row has them all.
const PACKET_BYTES_MAX: usize = 256 << 20;
/// Bytes that are asked of the socket at a time, at first.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of rows that are given at once.
const ROWS_BYTES: usize = 256 * 1024;
/// The collation of a session, `utf8mb4_general_ci`, which every version has.
const UTF8MB4: u8 = 45;
/// What its address calls what is said of certificates.
const WORDS: Words = Words { roots: "ssl-ca", authority_alone: "ssl-mode=verify_ca" };

// What a packet begins with.
const OK: u8 = 0x00;
const MORE: u8 = 0x01;
const FILE: u8 = 0xfb;
const EOF: u8 = 0xfe;
const ERROR: u8 = 0xff;
/// The most bytes of a packet that begins with [`EOF`] and is one, not a row whose first value is longer than any text.
const EOF_BYTES_MAX: usize = 8;

// Commands.
const QUIT: u8 = 1;
const QUERY: u8 = 3;

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
}

/// A column of what a statement gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The number of its type.
    pub type_number: u8,
    /// The number of its collation; 63 is that of bytes.
    pub collation: u16,
    /// How long its values are at most.
    pub length: u32,
    /// What else is said of it, a bit each.
    pub flags: u16,
    /// How many digits it shows behind the point of a number or of a second.
    pub decimals: u8,
}

/// A connection that is ready for statements.
pub struct Client {
    framed: MySyncFramed<Box<dyn Stream>>,
    limit: Limit,
    packet: Vec<u8>,
    /// How many columns the rows have that are to come.
    columns: usize,
    /// What these columns are called.
    names: Vec<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A server that does not hear it notices that the socket is closed.
        let _ = self.command(QUIT, "");
    }
}

/// What a proof of a password is made of.
struct Proof<'a> {
    password: &'a [u8],
    nonce: &'a [u8],
    is_encrypted: bool,
    is_socket: bool,
}

impl Context for &Proof<'_> {
    fn pass(&self) -> &[u8] {
        self.password
    }

    fn is_ipc_transport(&self) -> bool {
        self.is_socket
    }

    fn is_tls_transport(&self) -> bool {
        self.is_encrypted
    }

    fn scramble(&self) -> &[u8] {
        self.nonce
    }

    fn server_key_pem(&self) -> Option<&[u8]> {
        None
    }
}

impl Client {
    /// Calls a server and says who asks, encrypted as `ssl-mode` says.
    pub fn open(address: &Address) -> Result<Self, Trouble> {
        let socket = match &address.host {
            Host::Name(host, port) => Socket::call(host, *port, address.connect_wait)?,
            Host::Socket(path) => Socket::open(path, address.connect_wait)?,
        };
        let limit = socket.limit();
        let buffer = || BytesMut::with_capacity(READ_BYTES);
        let mut framed = MySyncFramed::construct(buffer(), buffer(), Default::default(), socket);
        framed.codec_mut().max_allowed_packet = PACKET_BYTES_MAX;
        let mut packet = Vec::new();
        receive(&mut framed, &mut packet)?;
        let greeting: HandshakePacket<'_> = ParseBuf(&packet).parse(()).map_err(|_| strange("its greeting"))?;
        let greeting = greeting.into_owned();
        let wanted = CapabilityFlags::CLIENT_PROTOCOL_41
            | CapabilityFlags::CLIENT_SECURE_CONNECTION
            | CapabilityFlags::CLIENT_LONG_PASSWORD
            | CapabilityFlags::CLIENT_LONG_FLAG
            | CapabilityFlags::CLIENT_TRANSACTIONS
            | CapabilityFlags::CLIENT_PLUGIN_AUTH
            | CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
            | CapabilityFlags::CLIENT_CONNECT_ATTRS
            | CapabilityFlags::CLIENT_CONNECT_WITH_DB;
        let mut capabilities = wanted & greeting.capabilities();
        let offers_tls = greeting.capabilities().contains(CapabilityFlags::CLIENT_SSL);
        // Whoever reads a socket of this machine can read its memory.
        let wants_tls = match (&address.host, address.encryption.mode) {
            (Host::Socket(_), _) | (_, SslMode::Disabled) => false,
            (_, SslMode::Preferred) => offers_tls,
            (_, mode) if !offers_tls => {
                return Err(Trouble::Refused(format!(
                    "ssl-mode={} asks for an encrypted connection, and the server at {} does not offer TLS; let it (`ssl_cert` \
                     and `ssl_key` in its configuration), or go through a tunnel (ssh -L) with ssl-mode=disabled",
                    mode.word(),
                    address.server()
                )));
            }
            _ => true,
        };
        let framed = match (&address.host, wants_tls) {
            (Host::Name(host, _), true) => {
                capabilities |= CapabilityFlags::CLIENT_SSL;
                let request = SslRequest::new(capabilities, packet_bytes_max(), UTF8MB4);
                send(&mut framed, &request)?;
                let (received, out, codec, socket) = framed.destruct();
                // What came before the handshake would be somebody else's.
                if !received.is_empty() {
                    return Err(strange("what it says before TLS begins"));
                }
                let stream: Box<dyn Stream> = Box::new(tls::greet(socket, host, &address.encryption.check(), WORDS)?);
                MySyncFramed::construct(received, out, codec, stream)
            }
            _ => {
                let (received, out, codec, socket) = framed.destruct();
                let stream: Box<dyn Stream> = Box::new(socket);
                MySyncFramed::construct(received, out, codec, stream)
            }
        };
        let mut client = Self { framed, limit, packet, columns: 0, names: Vec::new() };
        client.log_in(address, &greeting, capabilities, wants_tls)?;
        client.may_be_silent(None);
        Ok(client)
    }

    /// Says how long the server may be silent from now on; without end, if not said.
    pub fn may_be_silent(&self, most: Option<Duration>) {
        self.limit.silence(most);
    }

    fn log_in(
        &mut self,
        address: &Address,
        greeting: &HandshakePacket<'_>,
        capabilities: CapabilityFlags,
        is_encrypted: bool,
    ) -> Result<(), Trouble> {
        let mut nonce = greeting.nonce();
        let password = address.password.as_deref().unwrap_or_default().as_bytes();
        let is_socket = matches!(address.host, Host::Socket(_));
        let is_here = match &address.host {
            Host::Name(host, _) => is_local(host),
            Host::Socket(_) => true,
        };
        // A password is neither sent as it is nor by a key that anybody could have put there where somebody may listen.
        let is_overheard = !is_encrypted && !is_here;
        let mut plugin = greeting.auth_plugin().unwrap_or(AuthPlugin::MysqlNativePassword).into_owned();
        // A plugin of the server that nobody here knows is that of another user, perhaps: the server switches to the user's.
        if plugin.init().is_err() || matches!(plugin, AuthPlugin::MysqlClearPassword | AuthPlugin::MysqlOldPassword) {
            plugin = AuthPlugin::MysqlNativePassword;
        }
        let mut procedure = begun(&plugin, is_overheard)?;
        let proof = Proof { password, nonce: &nonce, is_encrypted, is_socket };
        let answer = proved(procedure.run(&proof, &nonce), &plugin)?;
        let user = (!address.user.is_empty()).then_some(address.user.as_bytes());
        let response = HandshakeResponse::new(
            Some(answer.data().unwrap_or_default()),
            greeting.server_version_parsed().unwrap_or((5, 7, 0)),
            user,
            Some(address.database.as_bytes()),
            Some(plugin.borrow()),
            capabilities,
            capabilities
                .contains(CapabilityFlags::CLIENT_CONNECT_ATTRS)
                .then(|| HashMap::from([("program_name".to_owned(), "etalon".to_owned())])),
            packet_bytes_max(),
        );
        send(&mut self.framed, &response)?;
        loop {
            receive(&mut self.framed, &mut self.packet)?;
            match self.packet.split_first() {
                Some((&OK, _)) => return Ok(()),
                Some((&EOF, [])) => {
                    return Err(unsupported("mysql_old_password"));
                }
                Some((&EOF, _)) => {
                    let switch: AuthSwitchRequest<'_> =
                        ParseBuf(&self.packet).parse(()).map_err(|_| strange("how it proves users"))?;
                    plugin = switch.auth_plugin().into_owned();
                    nonce = switch.plugin_data().to_vec();
                    procedure = begun(&plugin, is_overheard)?;
                    let proof = Proof { password, nonce: &nonce, is_encrypted, is_socket };
                    let answer = proved(procedure.run(&proof, &nonce), &plugin)?;
                    send_bytes(&mut self.framed, answer.data().unwrap_or_default())?;
                }
                Some((&MORE, challenge)) => {
                    let proof = Proof { password, nonce: &nonce, is_encrypted, is_socket };
                    let answer = proved(procedure.run(&proof, challenge), &plugin)?;
                    if is_overheard && answer.data().is_some() {
                        return Err(overheard());
                    }
                    if let Some(data) = answer.data() {
                        send_bytes(&mut self.framed, data)?;
                    }
                }
                _ => return Err(strange("how it proves users")),
            }
        }
    }

    /// Runs a statement.
    pub fn run(&mut self, sql: &str) -> Result<Rows, Trouble> {
        let columns = self.begin(sql)?;
        let mut rows = Vec::new();
        let mut has_more = !columns.is_empty();
        while has_more {
            has_more = self.rows(|row| rows.push(row.iter().map(|value| value.map(<[u8]>::to_vec)).collect()))?;
        }
        Ok(Rows { columns, rows })
    }

    /// What the columns of the last statement are called.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Begins a statement. Gives the columns of its rows; none where it selects nothing.
    pub fn begin(&mut self, sql: &str) -> Result<Vec<Column>, Trouble> {
        self.command(QUERY, sql)?;
        receive(&mut self.framed, &mut self.packet)?;
        let count = match self.packet.first() {
            Some(&OK) => 0,
            Some(&FILE) => return Err(strange("a request for a file of this machine")),
            _ => ParseBuf(&self.packet).checked_eat_lenenc_int().ok_or_else(|| strange("a count of columns"))?,
        };
        let mut columns = Vec::new();
        self.names.clear();
        for _ in 0..count {
            receive(&mut self.framed, &mut self.packet)?;
            let (column, name) = column(&self.packet).ok_or_else(|| strange("a column"))?;
            columns.push(column);
            self.names.push(name);
        }
        if count > 0 {
            receive(&mut self.framed, &mut self.packet)?;
        }
        self.columns = columns.len();
        Ok(columns)
    }

    /// Gives some of the rows that come, each by itself, and says whether there may be more. An error of the server is the
    /// end: what has come is not all.
    pub fn rows(&mut self, mut row: impl FnMut(&[Option<&[u8]>])) -> Result<bool, Trouble> {
        let mut bytes = 0;
        while bytes < ROWS_BYTES {
            receive(&mut self.framed, &mut self.packet)?;
            if self.packet.first() == Some(&EOF) && self.packet.len() <= EOF_BYTES_MAX {
                return Ok(false);
            }
            bytes += self.packet.len();
            let mut rest = ParseBuf(&self.packet);
            let mut values = Vec::with_capacity(self.columns);
            for _ in 0..self.columns {
                values.push(value(&mut rest).ok_or_else(|| strange("a row"))?);
            }
            row(&values);
        }
        Ok(true)
    }

    fn command(&mut self, command: u8, words: &str) -> Result<(), Trouble> {
        self.framed.codec_mut().reset_seq_id();
        let mut packet = Vec::with_capacity(words.len() + 1);
        packet.push(command);
        packet.extend_from_slice(words.as_bytes());
        send_bytes(&mut self.framed, &packet)
    }
}

/// The next packet. The error is the server's, if it is one.
fn receive<T: Read>(framed: &mut MySyncFramed<T>, packet: &mut Vec<u8>) -> Result<(), Trouble> {
    packet.clear();
    if !framed.next_packet(packet)? {
        let fact = "the server has closed the connection";
        return Err(Trouble::Io(io::Error::new(io::ErrorKind::UnexpectedEof, fact)));
    }
    match packet.first() {
        Some(&ERROR) => Err(Trouble::Server(ServerError::read(packet))),
        Some(_) => Ok(()),
        None => Err(strange("an empty packet")),
    }
}

fn send<T: Write>(framed: &mut MySyncFramed<T>, packet: &impl MySerialize) -> Result<(), Trouble> {
    let mut bytes = Vec::new();
    packet.serialize(&mut bytes);
    send_bytes(framed, &bytes)
}

fn send_bytes<T: Write>(framed: &mut MySyncFramed<T>, mut bytes: &[u8]) -> Result<(), Trouble> {
    Ok(framed.send(&mut bytes)?)
}

fn packet_bytes_max() -> u32 {
    u32::try_from(PACKET_BYTES_MAX).unwrap_or(u32::MAX)
}

/// A column and what it is called: six names, of which that is the fifth, and twelve bytes about it.
fn column(packet: &[u8]) -> Option<(Column, String)> {
    let mut rest = ParseBuf(packet);
    for _ in 0..4 {
        rest.checked_eat_lenenc_str()?;
    }
    let name = String::from_utf8_lossy(rest.checked_eat_lenenc_str()?).into_owned();
    rest.checked_eat_lenenc_str()?;
    rest.checked_eat_u8()?;
    let column = Column {
        collation: rest.checked_eat_u16_le()?,
        length: rest.checked_eat_u32_le()?,
        type_number: rest.checked_eat_u8()?,
        flags: rest.checked_eat_u16_le()?,
        decimals: rest.checked_eat_u8()?,
    };
    Some((column, name))
}

/// A value of a row: a text with its length, or a byte that stands for NULL.
fn value<'a>(rest: &mut ParseBuf<'a>) -> Option<Option<&'a [u8]>> {
    match rest.0.split_first() {
        Some((&FILE, after)) => {
            rest.0 = after;
            Some(None)
        }
        _ => rest.checked_eat_lenenc_str().map(Some),
    }
}

/// A procedure that proves a password.
fn begun(plugin: &AuthPlugin<'_>, is_overheard: bool) -> Result<AuthProc, Trouble> {
    match plugin {
        AuthPlugin::MysqlOldPassword => return Err(unsupported("mysql_old_password")),
        AuthPlugin::MysqlClearPassword | AuthPlugin::Sha256Password if is_overheard => return Err(overheard()),
        _ => {}
    }
    plugin.init().map_err(|_| unsupported(&String::from_utf8_lossy(plugin.as_bytes())))
}

fn proved(answer: Result<Response, AuthError>, plugin: &AuthPlugin<'_>) -> Result<Response, Trouble> {
    answer.map_err(|error| match error {
        AuthError::FeatureRequired(_) => unsupported(&String::from_utf8_lossy(plugin.as_bytes())),
        error => Trouble::Refused(format!("the server's proof of the password is not understood: {error}")),
    })
}

fn unsupported(plugin: &str) -> Trouble {
    Trouble::Refused(format!(
        "the server proves this user by `{plugin}`, which etalon does not support: it proves a password by \
         caching_sha2_password, mysql_native_password, or in clear text over TLS"
    ))
}

fn overheard() -> Trouble {
    let fact = "the server asks for the password itself over a connection that is not encrypted; say ssl-mode=verify_identity, \
                and let the server offer TLS";
    Trouble::Refused(fact.to_owned())
}

/// An answer that no MySQL gives.
fn strange(what: &str) -> Trouble {
    let fact = format!("{what} is not understood; is it a MySQL that listens there?");
    Trouble::Io(io::Error::new(io::ErrorKind::InvalidData, fact))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_texts_and_nulls() {
        let mut rest = ParseBuf(b"\x011\xfb\x00\x02a");
        assert_eq!(value(&mut rest), Some(Some(&b"1"[..])));
        assert_eq!(value(&mut rest), Some(None));
        assert_eq!(value(&mut rest), Some(Some(&b""[..])));
        assert_eq!(value(&mut rest), None);
    }

    #[test]
    fn a_column_has_a_type() {
        let mut packet = b"\x03def\x00\x00\x00\x01a\x01a\x0c".to_vec();
        packet.extend([63, 0, 20, 0, 0, 0, 8, 32, 0, 0, 0, 0]);
        let expected = Column { type_number: 8, collation: 63, length: 20, flags: 32, decimals: 0 };
        assert_eq!(column(&packet), Some((expected, "a".to_owned())));
        assert_eq!(column(&packet[..12]), None);
    }

    #[test]
    fn a_password_is_not_said_where_somebody_may_listen() {
        let told = |plugin: &AuthPlugin<'_>, is_overheard| match begun(plugin, is_overheard) {
            Ok(_) => None,
            Err(Trouble::Refused(fact)) => Some(fact.split(';').next().unwrap_or_default().to_owned()),
            Err(other) => Some(format!("{other:?}")),
        };
        let said = "the server asks for the password itself over a connection that is not encrypted";
        assert_eq!(told(&AuthPlugin::MysqlClearPassword, true).as_deref(), Some(said));
        assert_eq!(told(&AuthPlugin::MysqlClearPassword, false), None);
        assert_eq!(told(&AuthPlugin::MysqlNativePassword, true), None);
        let other = AuthPlugin::Other(b"kerberos".as_slice().into());
        assert!(told(&other, false).is_some_and(|fact| fact.contains("`kerberos`")));
    }
}

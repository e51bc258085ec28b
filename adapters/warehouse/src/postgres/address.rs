//! Address: where a PostgreSQL is and who asks, from a URL as libpq reads it.
//!
//! ```text
//! postgres://user:password@host:5432/database?sslmode=disable
//! postgresql:///database?host=/var/run/postgresql&user=etalon
//! ```
//!
//! What the URL leaves out is taken from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` and `PGSSLMODE`. A
//! password in the environment, unlike one in an argument, is not seen in the list of processes.

use std::fmt;
use std::path::PathBuf;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;

const PORT: u16 = 5432;

/// Where a PostgreSQL is, and who asks. It prints without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Where the server is.
    pub host: Host,
    /// Its port, also the number of a socket.
    pub port: u16,
    /// Who asks.
    pub user: String,
    /// What proves it, where the server wants a proof.
    pub password: Option<String>,
    /// The database.
    pub database: String,
    /// Whether the connection must be encrypted.
    pub encryption: Encryption,
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// By name or number, over TCP.
    Name(String),
    /// Through a socket in a folder of this machine.
    Folder(PathBuf),
}

/// Whether the connection must be encrypted: `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// It is not: `disable`, and also `allow` and `prefer`, which promise nothing.
    Off,
    /// It must be: `require`, `verify-ca`, `verify-full`.
    Required,
}

/// Whether a text is the URL of a PostgreSQL.
pub(crate) fn is_address(text: &str) -> bool {
    after_scheme(text).is_some()
}

fn after_scheme(text: &str) -> Option<&str> {
    ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme))
}

impl Address {
    /// Reads a URL. `environment` gives variables by name. No error repeats the URL, which may hold a password.
    pub fn parse(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let rest = after_scheme(url).ok_or_else(|| wrong("it does not begin with postgres:// or postgresql://"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, location) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        let (host, port) = split_port(location)?;
        let mut parts = Parts::default();
        parts.set("host", host)?;
        parts.set("port", port)?;
        parts.set("user", user)?;
        parts.set("password", password.unwrap_or_default())?;
        parts.set("dbname", database)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parts.set(name, value)?;
        }
        parts.address(environment)
    }
}

/// What the URL says, decoded.
#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    encryption: Option<String>,
}

impl Parts {
    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let place = match name {
            "host" => &mut self.host,
            "port" => &mut self.port,
            "user" => &mut self.user,
            "password" => &mut self.password,
            "dbname" => &mut self.database,
            "sslmode" => &mut self.encryption,
            // Names of programs are for the server's log; Etalon gives its own.
            "application_name" | "connect_timeout" => return Ok(()),
            _ => return Err(wrong(&format!("it has the unknown option `{}`", decode(name)?))),
        };
        if !value.is_empty() {
            *place = Some(decode(value)?);
        }
        Ok(())
    }

    fn address(self, environment: impl Fn(&str) -> Option<String>) -> Result<Address, Error> {
        let or = |given: Option<String>, variable: &str| given.or_else(|| environment(variable));
        let host = or(self.host, "PGHOST").unwrap_or_else(|| "localhost".to_owned());
        let host = if host.starts_with('/') { Host::Folder(host.into()) } else { Host::Name(host) };
        let port = match or(self.port, "PGPORT") {
            None => PORT,
            Some(port) => port.parse().map_err(|_| wrong(&format!("`{port}` is no port")))?,
        };
        let user = or(self.user, "PGUSER").or_else(|| environment("USER"));
        let user = user.ok_or_else(|| wrong("it does not say the user: postgres://user@host/database"))?;
        let encryption = match or(self.encryption, "PGSSLMODE").as_deref() {
            None | Some("disable" | "allow" | "prefer") => Encryption::Off,
            Some("require" | "verify-ca" | "verify-full") => Encryption::Required,
            Some(other) => return Err(wrong(&format!("`{other}` is no sslmode"))),
        };
        Ok(Address {
            host,
            port,
            password: or(self.password, "PGPASSWORD"),
            database: or(self.database, "PGDATABASE").unwrap_or_else(|| user.clone()),
            user,
            encryption,
        })
    }
}

/// `host:port`, where the host may be `[::1]`.
fn split_port(location: &str) -> Result<(&str, &str), Error> {
    if let Some(rest) = location.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(|| wrong("its host lacks a closing `]`"))?;
        return Ok((host, rest.strip_prefix(':').unwrap_or_default()));
    }
    if location.contains(',') {
        return Err(wrong("it names several hosts, and one is taken"));
    }
    Ok(location.split_once(':').unwrap_or((location, "")))
}

/// A text without its `%` signs.
fn decode(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            #[expect(clippy::cast_possible_truncation, reason = "two hexadecimal digits are a byte")]
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(wrong("a `%` in it is not followed by two hexadecimal digits; write `%25` for itself")),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(wrong("what its `%` signs stand for is no text")),
    }
}

fn wrong(fact: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("the address of the PostgreSQL is not understood: {fact}"))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, database, .. } = self;
        match host {
            Host::Name(host) if host.contains(':') => write!(f, "postgres://{user}@[{host}]:{port}/{database}"),
            Host::Name(host) => write!(f, "postgres://{user}@{host}:{port}/{database}"),
            Host::Folder(folder) => {
                write!(f, "postgres://{user}@/{database}?host={}&port={port}", folder.display())
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address, String> {
        let environment = |name: &str| (name == "USER").then(|| "ada".to_owned());
        Address::parse(url, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn a_url_is_read_as_libpq_does() {
        let address = read("postgres://u%40x:p%3A%2f@db.example:6543/shop?sslmode=disable").unwrap();
        assert_eq!(address.password.as_deref(), Some("p:/"));
        assert_eq!((address.user.as_str(), address.port), ("u@x", 6543));
        assert_eq!(format!("{address} {address:?}").matches("p:/").count(), 0);
        assert_eq!(address.to_string(), "postgres://u@x@db.example:6543/shop");
        assert_eq!(read("postgresql://").unwrap().to_string(), "postgres://ada@localhost:5432/ada");
        assert_eq!(read("postgres://[::1]:1/d").unwrap().to_string(), "postgres://ada@[::1]:1/d");
        let socket = read("postgres:///d?host=/tmp/s&user=bob&password=x").unwrap();
        assert_eq!(socket.host, Host::Folder("/tmp/s".into()));
        assert_eq!(read("postgres://%2Ftmp%2Fs/d").unwrap().host, Host::Folder("/tmp/s".into()));
        assert_eq!(read("postgres://h/d?sslmode=require").unwrap().encryption, Encryption::Required);
    }

    #[test]
    fn a_url_that_is_none_is_refused_without_being_repeated() {
        for url in [
            "mysql://u:secret@h/d",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret%zz@h/d",
            "postgres://u:secret@h/d?sslmode=maybe",
            "postgres://u:secret@h/d?what=1",
            "postgres://u:secret@a,b/d",
            "postgres://u:secret@[::1/d",
        ] {
            let error = read(url).unwrap_err();
            assert!(error.starts_with("the address of the PostgreSQL is not understood: "), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

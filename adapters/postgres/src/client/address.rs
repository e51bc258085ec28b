//! Address: where a PostgreSQL is and who asks, from a URL as libpq reads it.
//!
//! ```text
//! postgres://user:password@host:5432/database?sslmode=disable
//! postgresql:///database?host=/var/run/postgresql&user=etalon
//! ```
//!
//! What the URL leaves out is taken from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE`, `PGSSLROOTCERT`,
//! `PGCHANNELBINDING`, `PGCONNECT_TIMEOUT` and `PGAPPNAME`. A password in the environment, unlike one in an argument, is not
//! seen in the list of processes.
//!
//! | `sslmode` | encrypted | the server's certificate is checked |
//! |---|---|---|
//! | `disable` | never | |
//! | `allow` | where the server lets nobody in otherwise | no |
//! | `prefer` (where nothing is said) | where the server offers it | no |
//! | `require` | always | no; with `sslrootcert`, as `verify-ca` |
//! | `verify-ca` | always | by the authority that signed it |
//! | `verify-full` | always | and by the name of the host |
//!
//! `connect_timeout` is the number of seconds, from 1, that each address of the host has, from the call to the end of the log-in;
//! 30 where nothing is said. libpq would wait without end there.
//!
//! The authorities are those of the file `sslrootcert`, or those that the system trusts (`system`, or nothing said).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_wire::choice;
use etalon_wire::split_port;
use etalon_wire::tls::Check;
use etalon_wire::tls::Roots;

const PORT: u16 = 5432;
/// How long a server may take to let somebody in, where nobody says.
const CONNECT_WAIT: Duration = Duration::from_secs(30);

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
    /// Whether the connection is encrypted, and what is checked.
    pub encryption: Encryption,
    /// How long an address of the host may take until the server has let the user in.
    pub connect_wait: Duration,
    /// What the server calls the connection in its log.
    pub application: String,
    /// Whether the session has the time zone that the server has for the user, not UTC.
    pub keeps_zone: bool,
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// By name or number, over TCP.
    Name(String),
    /// Through a socket in a folder of this machine.
    Folder(PathBuf),
}

/// Whether a connection is encrypted, and what is checked of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// Whether it is encrypted.
    pub mode: SslMode,
    /// Whose certificates are believed; `None` where nobody says.
    pub roots: Option<Roots>,
    /// Whether a password is bound to the server's certificate.
    pub binding: Binding,
}

/// Whether a connection is encrypted: `sslmode`, as libpq means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disable,
    /// Where the server lets nobody in otherwise.
    Allow,
    /// Where the server offers it.
    Prefer,
    /// Always.
    Require,
    /// Always, to a server whose certificate a known authority has signed.
    VerifyCa,
    /// And which is for the name of the host.
    VerifyFull,
}

/// Whether a password is bound to the server's certificate, so that it is of no use to whoever stands between: `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// Never.
    Disable,
    /// Where the server offers it.
    Prefer,
    /// Always.
    Require,
}

const SSL_MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];
const BINDINGS: [(&str, Binding); 3] =
    [("disable", Binding::Disable), ("prefer", Binding::Prefer), ("require", Binding::Require)];

impl SslMode {
    /// Its word.
    pub fn word(self) -> &'static str {
        SSL_MODES.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }
}

impl Encryption {
    /// What is checked of the server's certificate.
    pub(super) fn check(&self) -> Check {
        let roots = || self.roots.clone().unwrap_or(Roots::System);
        match (self.mode, &self.roots) {
            (SslMode::VerifyFull, _) => Check::AuthorityAndName(roots()),
            (SslMode::VerifyCa, _) | (SslMode::Require, Some(_)) => Check::Authority(roots()),
            _ => Check::Nothing,
        }
    }
}

/// What the URL of a PostgreSQL begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

fn after_scheme(text: &str) -> Option<&str> {
    SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme))
}

impl Address {
    /// The server, for people.
    pub fn server(&self) -> String {
        match &self.host {
            Host::Name(host) => format!("{host}, port {}", self.port),
            Host::Folder(folder) => format!("{}, socket {}", folder.display(), self.port),
        }
    }

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
        let (host, port) = split_port(location).map_err(|fact| wrong(&fact))?;
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
    mode: Option<String>,
    roots: Option<String>,
    binding: Option<String>,
    connect_wait: Option<String>,
    application: Option<String>,
}

impl Parts {
    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let place = match name {
            "host" => &mut self.host,
            "port" => &mut self.port,
            "user" => &mut self.user,
            "password" => &mut self.password,
            "dbname" => &mut self.database,
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.roots,
            "channel_binding" => &mut self.binding,
            "connect_timeout" => &mut self.connect_wait,
            "application_name" => &mut self.application,
            "sslcert" | "sslkey" => {
                return Err(wrong(&format!(
                    "it has `{name}`, and certificates of clients are not supported; use a password"
                )));
            }
            _ => {
                let known = "sslmode, sslrootcert, channel_binding, connect_timeout, application_name";
                return Err(wrong(&format!("it has the unknown option `{}`; known are {known}", decode(name)?)));
            }
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
            Some(port) => {
                port.parse().map_err(|_| wrong(&format!("`{port}` is not a port, a number from 0 to 65535")))?
            }
        };
        let user = or(self.user, "PGUSER").or_else(|| environment("USER"));
        let user = user.ok_or_else(|| wrong("it names no user: postgres://user@host/database"))?;
        let roots = or(self.roots, "PGSSLROOTCERT").map(|roots| match roots.as_str() {
            "system" => Roots::System,
            _ => Roots::File(roots.into()),
        });
        let mode = match or(self.mode, "PGSSLMODE") {
            Some(word) => choice("sslmode", &word, &SSL_MODES).map_err(|fact| wrong(&fact))?,
            None if roots == Some(Roots::System) => SslMode::VerifyFull,
            None => SslMode::Prefer,
        };
        if roots == Some(Roots::System) && mode != SslMode::VerifyFull {
            let fact =
                "anybody can have a certificate of an authority that a system trusts, so that its name must be checked";
            return Err(wrong(&format!(
                "sslrootcert=system needs sslmode=verify-full, and it has {}: {fact}",
                mode.word()
            )));
        }
        let binding = match or(self.binding, "PGCHANNELBINDING") {
            Some(word) => choice("channel_binding", &word, &BINDINGS).map_err(|fact| wrong(&fact))?,
            None => Binding::Prefer,
        };
        let connect_wait = match or(self.connect_wait, "PGCONNECT_TIMEOUT") {
            None => CONNECT_WAIT,
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => {
                    return Err(wrong(&format!(
                        "connect_timeout is `{text}`, which is not a number of seconds from 1"
                    )));
                }
                Ok(seconds) => Duration::from_secs(seconds),
            },
        };
        let encryption = Encryption { mode, roots, binding };
        Ok(Address {
            host,
            port,
            password: or(self.password, "PGPASSWORD"),
            database: or(self.database, "PGDATABASE").unwrap_or_else(|| user.clone()),
            user,
            encryption,
            connect_wait,
            application: or(self.application, "PGAPPNAME").unwrap_or_else(|| "etalon".to_owned()),
            keeps_zone: false,
        })
    }
}

/// A text without its `%` signs.
fn decode(text: &str) -> Result<String, Error> {
    etalon_wire::decode(text).map_err(|fact| wrong(&fact))
}

fn wrong(fact: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("the address of PostgreSQL cannot be read: {fact}"))
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
    }

    #[test]
    fn what_is_checked_is_what_libpq_checks() {
        let check = |options: &str| read(&format!("postgres://h/d?{options}")).unwrap().encryption.check();
        let file = || Roots::File("/r.crt".into());
        for options in ["", "sslmode=disable", "sslmode=allow", "sslmode=prefer", "sslmode=require"] {
            assert_eq!(check(options), Check::Nothing, "{options}");
        }
        assert_eq!(check("sslmode=require&sslrootcert=/r.crt"), Check::Authority(file()));
        assert_eq!(check("sslmode=verify-ca"), Check::Authority(Roots::System));
        assert_eq!(check("sslmode=verify-full&sslrootcert=%2Fr.crt"), Check::AuthorityAndName(file()));
        assert_eq!(check("sslrootcert=system"), Check::AuthorityAndName(Roots::System));
        let told = |name: &str| match name {
            "PGSSLMODE" => Some("verify-ca".to_owned()),
            "PGSSLROOTCERT" => Some("/r.crt".to_owned()),
            "PGCHANNELBINDING" => Some("require".to_owned()),
            _ => None,
        };
        let address = Address::parse("postgres://u@h/d", told).unwrap();
        assert_eq!(address.encryption.check(), Check::Authority(file()));
        assert_eq!(address.encryption.binding, Binding::Require);
        assert_eq!(read("postgres://h/d").unwrap().encryption.mode, SslMode::Prefer);
    }

    #[test]
    fn a_url_that_is_none_is_refused_without_being_repeated() {
        for url in [
            "mysql://u:secret@h/d",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret%zz@h/d",
            "postgres://u:secret@h/d?sslmode=maybe",
            "postgres://u:secret@h/d?sslmode=require&sslrootcert=system",
            "postgres://u:secret@h/d?channel_binding=yes",
            "postgres://u:secret@h/d?sslcert=me.crt",
            "postgres://u:secret@h/d?connect_timeout=0",
            "postgres://u:secret@h/d?what=1",
            "postgres://u:secret@a,b/d",
            "postgres://u:secret@[::1/d",
        ] {
            let error = read(url).unwrap_err();
            assert!(error.starts_with("the address of PostgreSQL cannot be read: "), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

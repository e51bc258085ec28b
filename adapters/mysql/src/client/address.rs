//! Address: where a MySQL is and who asks, from a URL.
//!
//! ```text
//! mysql://user:password@host:3306/database?ssl-mode=verify_identity
//! mariadb://user@/database?socket=/run/mysqld/mysqld.sock
//! ```
//!
//! A password that the URL leaves out is taken from `MYSQL_PWD`, as MySQL's programs do: unlike one in an argument, it is not
//! seen in the list of processes. The words of `ssl-mode` are those of MySQL's programs, in any letter case:
//!
//! | `ssl-mode` | encrypted | the server's certificate is checked |
//! |---|---|---|
//! | `disabled` | never | |
//! | `preferred` (where nothing is said) | where the server offers it | no |
//! | `required` | always | no; with `ssl-ca`, as `verify_ca` |
//! | `verify_ca` | always | by the authority that signed it |
//! | `verify_identity` | always | and by the name of the host |
//!
//! `connect_timeout` is the number of seconds, from 1, that each address of the host has, from the call to the end of the log-in;
//! 30 where nothing is said. The authorities are those of the file `ssl-ca`, or those that the system trusts.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_wire::choice;
use etalon_wire::decode;
use etalon_wire::split_port;
use etalon_wire::tls::Check;
use etalon_wire::tls::Roots;

const PORT: u16 = 3306;
/// How long a server may take to let somebody in, where nobody says.
const CONNECT_WAIT: Duration = Duration::from_secs(30);
/// What the URL begins with.
const SCHEMES: [&str; 2] = ["mysql://", "mariadb://"];

/// Where a MySQL is, and who asks. It prints without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Where the server is.
    pub host: Host,
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
}

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// By name or number and a port, over TCP.
    Name(String, u16),
    /// Through a socket of this machine.
    Socket(PathBuf),
}

/// Whether a connection is encrypted, and what is checked of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// Whether it is encrypted.
    pub mode: SslMode,
    /// Whose certificates are believed; `None` where nobody says.
    pub roots: Option<Roots>,
}

/// Whether a connection is encrypted: `ssl-mode`, as MySQL's programs mean it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disabled,
    /// Where the server offers it.
    Preferred,
    /// Always.
    Required,
    /// Always, to a server whose certificate a known authority has signed.
    VerifyCa,
    /// And which is for the name of the host.
    VerifyIdentity,
}

const SSL_MODES: [(&str, SslMode); 5] = [
    ("disabled", SslMode::Disabled),
    ("preferred", SslMode::Preferred),
    ("required", SslMode::Required),
    ("verify_ca", SslMode::VerifyCa),
    ("verify_identity", SslMode::VerifyIdentity),
];

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
            (SslMode::VerifyIdentity, _) => Check::AuthorityAndName(roots()),
            (SslMode::VerifyCa, _) | (SslMode::Required, Some(_)) => Check::Authority(roots()),
            _ => Check::Nothing,
        }
    }
}

impl Address {
    /// Reads a URL. `environment` gives variables by name. No error repeats the URL, which may hold a password.
    pub fn parse(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        read(url, environment)
            .map_err(|fact| Error::new(ErrorKind::Refused, format!("the address of MySQL cannot be read: {fact}")))
    }

    /// The server, for people.
    pub fn server(&self) -> String {
        match &self.host {
            Host::Name(host, port) => format!("{host}, port {port}"),
            Host::Socket(path) => path.display().to_string(),
        }
    }
}

fn read(url: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Address, String> {
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or("it does not begin with mysql:// or mariadb://")?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, location) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let (host, port) = split_port(location)?;
    let (mut mode, mut roots, mut socket, mut connect_wait) = (SslMode::Preferred, None, None, CONNECT_WAIT);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value)?;
        match name {
            "ssl-mode" => mode = choice(name, &value.to_ascii_lowercase(), &SSL_MODES)?,
            "ssl-ca" => roots = Some(Roots::File(value.into())),
            "socket" => socket = Some(PathBuf::from(value)),
            "connect_timeout" => match value.parse() {
                Ok(0) | Err(_) => return Err(format!("{name} is `{value}`, which is not a number of seconds from 1")),
                Ok(seconds) => connect_wait = Duration::from_secs(seconds),
            },
            "ssl-cert" | "ssl-key" => {
                return Err(format!("it has `{name}`, and certificates of clients are not supported; use a password"));
            }
            _ => {
                let known = "ssl-mode, ssl-ca, socket, connect_timeout";
                return Err(format!("it has the unknown option `{}`; known are {known}", decode(name)?));
            }
        }
    }
    let port = match port {
        "" => PORT,
        port => {
            port.parse().map_err(|_| format!("`{}` is not a port, a number from 0 to 65535", port.escape_debug()))?
        }
    };
    let host = match (socket, decode(host)?) {
        (Some(path), _) => Host::Socket(path),
        (None, host) if host.is_empty() => Host::Name("localhost".to_owned(), port),
        (None, host) => Host::Name(host, port),
    };
    let given = |text: &str| Ok::<_, String>(Some(decode(text)?).filter(|text| !text.is_empty()));
    let user = given(user)?.or_else(|| environment("USER"));
    Ok(Address {
        host,
        user: user.ok_or("it names no user: mysql://user@host/database")?,
        password: given(password)?.or_else(|| environment("MYSQL_PWD")),
        database: given(database)?.ok_or("it names no database: mysql://user@host/database")?,
        encryption: Encryption { mode, roots },
        connect_wait,
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, user, database, .. } = self;
        match host {
            Host::Name(host, port) if host.contains(':') => write!(f, "mysql://{user}@[{host}]:{port}/{database}"),
            Host::Name(host, port) => write!(f, "mysql://{user}@{host}:{port}/{database}"),
            Host::Socket(path) => write!(f, "mysql://{user}@/{database}?socket={}", path.display()),
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
    fn a_url_says_where_and_who() {
        let address = read("mysql://u%40x:p%3A%2f@db.example:6543/shop?ssl-mode=DISABLED").unwrap();
        assert_eq!(address.password.as_deref(), Some("p:/"));
        assert_eq!(address.host, Host::Name("db.example".to_owned(), 6543));
        assert_eq!(format!("{address} {address:?}").matches("p:/").count(), 0);
        assert_eq!(address.to_string(), "mysql://u@x@db.example:6543/shop");
        assert_eq!(read("mariadb:///d").unwrap().to_string(), "mysql://ada@localhost:3306/d");
        assert_eq!(read("mysql://u@[::1]:1/d").unwrap().to_string(), "mysql://u@[::1]:1/d");
        assert_eq!(read("mysql://u@/d?socket=/run/s").unwrap().host, Host::Socket("/run/s".into()));
    }

    #[test]
    fn what_is_checked_is_what_mysql_checks() {
        let check = |options: &str| read(&format!("mysql://h/d?{options}")).unwrap().encryption.check();
        let file = || Roots::File("/r.crt".into());
        for options in ["", "ssl-mode=disabled", "ssl-mode=preferred", "ssl-mode=required"] {
            assert_eq!(check(options), Check::Nothing, "{options}");
        }
        assert_eq!(check("ssl-mode=required&ssl-ca=/r.crt"), Check::Authority(file()));
        assert_eq!(check("ssl-mode=VERIFY_CA"), Check::Authority(Roots::System));
        assert_eq!(check("ssl-mode=verify_identity&ssl-ca=/r.crt"), Check::AuthorityAndName(file()));
    }

    #[test]
    fn what_cannot_be_read_is_told_without_the_password() {
        for (url, fact) in [
            ("postgres://u:secret@h/d", "it does not begin with mysql:// or mariadb://"),
            ("mysql://u:secret@h", "it names no database: mysql://user@host/database"),
            ("mysql://u:secret@h:x/d", "`x` is not a port, a number from 0 to 65535"),
            ("mysql://u:secret@h,i/d", "it names several hosts, and etalon takes one"),
            (
                "mysql://u:secret@h/d?sslmode=require",
                "it has the unknown option `sslmode`; known are ssl-mode, ssl-ca, socket, connect_timeout",
            ),
            (
                "mysql://u:secret@h/d?ssl-mode=on",
                "ssl-mode is `on`, and not one of disabled, preferred, required, verify_ca, verify_identity",
            ),
            (
                "mysql://u:secret@h/d?ssl-key=k",
                "it has `ssl-key`, and certificates of clients are not supported; use a password",
            ),
            (
                "mysql://u:secret@h/d?connect_timeout=0",
                "connect_timeout is `0`, which is not a number of seconds from 1",
            ),
        ] {
            assert_eq!(read(url).unwrap_err(), format!("the address of MySQL cannot be read: {fact}"));
        }
    }
}

//! Address: what the addresses of databases have in common, and how a database that is read is reached beside what its URL says.

use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

/// So long a server that is read may be silent: it ends statements earlier by itself, as the settings of a landing say.
const SILENT_MAX: Duration = Duration::from_secs(61 * 60);

/// How a source is reached, beside what its URL says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// A file with the certificates of the authorities that are believed, where the URL names none.
    pub roots: Option<PathBuf>,
    /// When no answer is waited for any more.
    pub ends: Option<Instant>,
}

impl Reach {
    /// How long a server may take to let somebody in.
    pub fn to_open(&self, most: Duration) -> Duration {
        self.ends.map_or(most, |ends| most.min(left(ends)))
    }

    /// How long the server may be silent from now on.
    pub fn to_answer(&self) -> Duration {
        self.to_open(SILENT_MAX)
    }
}

/// The time until then; a wait of nothing is none that the system takes.
fn left(ends: Instant) -> Duration {
    ends.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// Whether nobody stands between here and a host.
pub fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// `host:port`, where the host may be `[::1]`. The error is a fact about the address.
pub fn split_port(location: &str) -> Result<(&str, &str), String> {
    if let Some(rest) = location.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("its host lacks a closing `]`")?;
        return Ok((host, rest.strip_prefix(':').unwrap_or_default()));
    }
    if location.contains(',') {
        return Err("it names several hosts, and etalon takes one".to_owned());
    }
    Ok(location.split_once(':').unwrap_or((location, "")))
}

/// A text without its `%` signs. The error is a fact about the address.
pub fn decode(text: &str) -> Result<String, String> {
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
            _ => {
                return Err("a `%` in it is not followed by two hexadecimal digits; write `%25` for itself".to_owned());
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err("its percent-encoded bytes are not UTF-8".to_owned()),
    }
}

/// The value of a word. The error is a fact about the address.
pub fn choice<T: Copy>(option: &str, word: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(known, _)| *known == word).map(|&(_, value)| value);
    found.ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("{option} is `{word}`, and not one of {}", known.join(", "))
    })
}

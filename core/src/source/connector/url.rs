//! URL: addresses as Python's `urllib` and `requests` join, complete and write them, and the host that an address names.

use serde_json::{Map, Value};

use super::python;
use super::template::quote;

/// An address, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(url: &'a str) -> Self {
        let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        let split = rest.split_once(':').filter(|(scheme, _)| is_scheme(scheme));
        let (scheme, rest) = split.unwrap_or(("", rest));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        Self { scheme, authority, path, query, fragment }
    }

    /// The name or address of the host, without user, port and brackets, in small letters.
    pub(super) fn host(self) -> Option<String> {
        let authority = self.authority?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        (!host.is_empty()).then(|| host.to_ascii_lowercase())
    }

    fn write(self) -> String {
        let mut url = String::new();
        if !self.scheme.is_empty() {
            url.push_str(&format!("{}:", self.scheme));
        }
        if let Some(authority) = self.authority {
            url.push_str(&format!("//{authority}"));
            if !self.path.is_empty() && !self.path.starts_with('/') {
                url.push('/');
            }
        }
        url.push_str(self.path);
        if let Some(query) = self.query.filter(|query| !query.is_empty()) {
            url.push_str(&format!("?{query}"));
        }
        if let Some(fragment) = self.fragment.filter(|fragment| !fragment.is_empty()) {
            url.push_str(&format!("#{fragment}"));
        }
        url
    }
}

/// The address that `path` means seen from `base`, which is a folder: RFC 3986, 5.2.
pub(super) fn join(base: &str, path: &str) -> String {
    let base = if base.ends_with('/') { base.to_owned() } else { format!("{base}/") };
    let (base, target) = (Parts::of(&base), Parts::of(path));
    if !target.scheme.is_empty() && target.scheme != base.scheme {
        return path.to_owned();
    }
    if target.authority.is_some() {
        return Parts { scheme: base.scheme, ..target }.write();
    }
    if target.path.is_empty() {
        let query = target.query.or(base.query);
        return Parts { query, fragment: target.fragment, ..base }.write();
    }
    let folder = base.path.rfind('/').map_or("/", |at| &base.path[..=at]);
    let whole = if target.path.starts_with('/') { target.path.to_owned() } else { format!("{folder}{}", target.path) };
    let whole = without_dots(&whole);
    Parts { path: &whole, query: target.query, fragment: target.fragment, ..base }.write()
}

/// The address that a redirect of `from` leads to; `None` if it is on another server or would give up encryption.
pub(super) fn redirected(from: &str, location: &str) -> Option<String> {
    let base = Parts::of(from);
    let folder = base.path.rfind('/').map_or("/", |at| &base.path[..=at]);
    let folder = Parts { path: folder, query: None, fragment: None, ..base }.write();
    let to = join(&folder, location.trim());
    let target = Parts::of(&to);
    let is_same = target.authority.map(str::to_ascii_lowercase) == base.authority.map(str::to_ascii_lowercase);
    let is_as_safe = target.scheme == base.scheme || (base.scheme, target.scheme) == ("http", "https");
    (plain_host(&to).is_some() && is_same && is_as_safe).then(|| requoted(&to))
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    for (at, segment) in segments.iter().enumerate() {
        let is_last = at + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            // Python leaves out empty segments between others.
            "" if at > 0 && !is_last => {}
            segment => kept.push(segment),
        }
    }
    kept.join("/")
}

/// The address with the parameters in its query. Those that its query has with the same value are there already.
pub(super) fn with_query(url: &str, parameters: &Map<String, Value>) -> Result<String, String> {
    let parts = Parts::of(url.trim_start());
    if !matches!(parts.scheme, "http" | "https") || parts.host().is_none() {
        return Err("the address of the request is no `http` or `https` address with a host".to_owned());
    }
    let there: Vec<(String, String)> = parts.query.map(pairs).unwrap_or_default();
    let is_there = |name: &str, value: &Value| {
        let first = there.iter().find(|(known, _)| known == name);
        first.is_some_and(|(_, known)| *known == python::text(value))
    };
    let mut added = Map::new();
    for (name, value) in parameters.iter().filter(|(name, value)| !is_there(name, value)) {
        added.insert(name.clone(), value.clone());
    }
    let encoded = form(&added);
    let query = match parts.query.filter(|query| !query.is_empty()) {
        Some(query) if encoded.is_empty() => query.to_owned(),
        Some(query) => format!("{query}&{encoded}"),
        None => encoded,
    };
    let path = if parts.path.is_empty() { "/" } else { parts.path };
    // Who writes addresses for the reference writes hosts in small letters, leaves out a port that is not said, and goes no way up
    // again.
    let authority =
        parts.authority.map(|authority| authority.strip_suffix(':').unwrap_or(authority).to_ascii_lowercase());
    let path = upwards(path);
    Ok(requoted(&Parts { authority: authority.as_deref(), path: &path, query: Some(&query), ..parts }.write()))
}

/// The path without `.` and `..`: RFC 3986, 5.2.4; empty segments stay.
fn upwards(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| *segment != ".") {
        if segment != ".." {
            kept.push(segment);
        } else if kept.len() > 1 {
            kept.pop();
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    kept.join("/")
}

/// The parameters as a form: `a=1&b=2`. Nulls are left out, a list repeats its name.
pub(super) fn form(parameters: &Map<String, Value>) -> String {
    let mut pairs = Vec::new();
    for (name, value) in parameters {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items.iter().filter(|item| !item.is_null()) {
            pairs.push(format!("{}={}", quote(name, "", true), quote(&python::text(item), "", true)));
        }
    }
    pairs.join("&")
}

/// A text as it stands in a query.
pub(super) fn quoted(text: &str) -> String {
    quote(text, "", false)
}

/// The pairs of a query whose values are not empty, decoded.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| unquoted(&text.replace('+', " "));
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (decode(name), decode(value)));
    query.split('&').filter_map(pair).filter(|(_, value)| !value.is_empty()).collect()
}

fn unquoted(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| b == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The address with escapes for what cannot stand in one, and without those that nothing needs.
pub(super) fn requoted(url: &str) -> String {
    let mut plain = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        let hex = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(b) if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => plain.push(b.into()),
            Some(_) => plain.push_str(&rest[at..at + 3].to_ascii_uppercase()),
            None => plain.push_str("%25"),
        }
        rest = &rest[at + if hex.is_some() { 3 } else { 1 }..];
    }
    plain.push_str(rest);
    quote(&plain, "!#$%&'()*+,/:;=?@[]~", false)
}

/// Whether a host is an address that only a machine or its own network knows.
pub fn is_private(host: &str) -> bool {
    // A name may end with the dot of the root.
    let host = host.trim_end_matches('.');
    if is_loopback(host) {
        return true;
    }
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return is_private_v4(address);
    }
    if let Ok(address) = host.parse::<std::net::Ipv6Addr>() {
        return is_private_v6(address);
    }
    // Other ways to write an address: `2130706433`, `0x7f.1`, `127.1`.
    let is_number =
        |part: &str| !part.is_empty() && (part.starts_with("0x") || part.bytes().all(|b| b.is_ascii_digit()));
    host.split('.').all(is_number) || [".local", ".internal", ".localdomain"].iter().any(|end| host.ends_with(end))
}

/// What the registry of special-purpose addresses (RFC 6890) has that no server of the internet has.
fn is_private_v4(address: std::net::Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        // This network, and what stands for anything.
        || a == 0
        // Networks behind a carrier's addresses.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        // Benchmarks.
        || (a == 198 && (b == 18 || b == 19))
        // Many receivers, what is kept for later, and all receivers.
        || a >= 224
}

fn is_private_v6(address: std::net::Ipv6Addr) -> bool {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_private_v4(std::net::Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // `::a.b.c.d`, with what is unspecified and this machine, and `::ffff:a.b.c.d`.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => v4(high, low) || (high == 0 && low <= 1),
        // What a translator makes of them (RFC 6052), and what is carried through another network (RFC 3056).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => v4(high, low),
        [0x64, 0xff9b, 1, ..] => true,
        // Unique local, link local, many receivers.
        [first, ..] => (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80 || (first & 0xff00) == 0xff00,
    }
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host of an address, if no reader of addresses could take another for it.
pub(super) fn plain_host(address: &str) -> Option<String> {
    let authority = Parts::of(address).authority?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    authority.chars().all(is_plain).then(|| Parts::of(address).host()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_joined_as_urllib_joins_them() {
        for (base, path, joined) in [
            ("https://h/api", "users", "https://h/api/users"),
            ("https://h/api/", "users?x=1", "https://h/api/users?x=1"),
            ("https://h", "../up", "https://h/up"),
            ("https://h/a/b", "../c", "https://h/a/c"),
            ("https://h/a", "https://other/x?y=1", "https://other/x?y=1"),
            ("https://h/a", "//other/x", "https://other/x"),
            ("https://h/a", "?q=1", "https://h/a/?q=1"),
        ] {
            assert_eq!(join(base, path), joined);
        }
    }

    #[test]
    fn a_query_is_completed_and_written_as_requests_writes_it() {
        let parameters = json!({"page": "2", "q": "a b&c", "ids": ["1", "2"], "none": null});
        let url = with_query("https://h/x y?page=2&e=%7Ea", parameters.as_object().unwrap());
        assert_eq!(url.as_deref(), Ok("https://h/x%20y?page=2&e=~a&q=a+b%26c&ids=1&ids=2"));
        assert_eq!(with_query("https://h", &Map::new()).as_deref(), Ok("https://h/"));
        let moved = with_query("https://Api.Example:8443/a/./b/../C%2fd//e/..", &Map::new());
        assert_eq!(moved.as_deref(), Ok("https://api.example:8443/a/C%2Fd//"));
        assert_eq!(with_query("https://h:/x", &Map::new()).as_deref(), Ok("https://h/x"));
        assert!(with_query("file:///etc/passwd", &Map::new()).is_err());
    }

    #[test]
    fn the_host_is_what_comes_after_the_user() {
        for (url, host) in [
            ("https://a.example:443/x", "a.example"),
            ("https://a.example@evil.example/x", "evil.example"),
            ("http://[::1]:80/", "::1"),
            ("https://A.Example?x", "a.example"),
        ] {
            assert_eq!(Parts::of(url).host().as_deref(), Some(host));
        }
    }

    #[test]
    fn private_addresses_are_known_however_they_are_written() {
        for host in [
            "127.0.0.1",
            "localhost",
            "10.1.2.3",
            "169.254.169.254",
            "::1",
            "::ffff:10.0.0.1",
            "fd00::1",
            "2130706433",
            "0x7f.1",
            "metadata.google.internal",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "192.0.0.8",
            "198.19.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "localhost.",
            "10.0.0.1.",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(is_private(host), "{host}");
        }
        for host in ["api.example.com", "8.8.8.8", "100.128.0.1", "198.20.0.1", "2606:4700::1", "64:ff9b::8.8.8.8"] {
            assert!(!is_private(host), "{host}");
        }
        assert_eq!(plain_host("https://evil.example\\@good.example/"), None);
        assert_eq!(plain_host("https://user@good.example/"), None);
    }

    #[test]
    fn a_redirect_stays_on_its_server_and_keeps_encryption() {
        for (from, location, to) in [
            ("https://h/a/b?x=1", "c", Some("https://h/a/c")),
            ("https://h/a", "/c?y=2", Some("https://h/c?y=2")),
            ("http://h/a", "https://H/a", Some("https://H/a")),
            ("https://h/a", "http://h/a", None),
            ("https://h/a", "https://other/a", None),
            ("https://h/a", "//other/a", None),
            ("https://h:8443/a", "https://h/a", None),
            ("https://h/a", "file:///etc/passwd", None),
        ] {
            assert_eq!(redirected(from, location).as_deref(), to, "{from} {location}");
        }
    }
}

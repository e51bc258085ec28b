//! Cookie: what a server asks to be told again with the next requests of a requester, as the reference's sessions do it. A cookie goes
//! back to no other host than the one that has set it, and never where others can read it. It is as secret as a token, and lasts as
//! long as the walk.

use super::time::{Moment, SECOND};
use super::url::{Parts, is_loopback, plain_host};

/// Most cookies of a walk; the oldest goes first.
const COOKIES_MAX: usize = 200;
/// Most bytes of a cookie.
const COOKIE_BYTES_MAX: usize = 4096;
/// Bytes from which on a cookie is hidden. A shorter one is a setting, such as a language, and no proof.
const HIDDEN_BYTES_MIN: usize = 8;
/// So many cookies are kept from being told, those that came last: some servers set another one with each answer.
const HIDDEN_MAX: usize = 20;
/// How servers write when a cookie ends.
const TIMES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT"];

/// The cookies of a walk.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Cookie>,
    hidden: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Cookie {
    /// Whose requests are told it.
    owner: String,
    host: String,
    path: String,
    name: String,
    /// `None`: it is told by its name alone.
    value: Option<String>,
    /// Whether only a request over TLS is told it.
    is_secure: bool,
    /// Microseconds since 1970; `None`: it lasts as long as the walk.
    ends: Option<i64>,
}

impl Jar {
    /// Takes what the headers of a response to a request of `owner` set. `now`: microseconds since 1970.
    pub(super) fn take(&mut self, owner: &str, url: &str, headers: &[(String, String)], now: i64) {
        let Some(host) = plain_host(url) else { return };
        let set = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        for cookie in set.filter_map(|(_, value)| Cookie::read(owner, &host, Parts::of(url).path, value, now)) {
            let is_same = |known: &Cookie| {
                (&known.owner, &known.host, &known.path, &known.name)
                    == (&cookie.owner, &cookie.host, &cookie.path, &cookie.name)
            };
            let place = self.cookies.iter().position(is_same);
            let is_over = cookie.ends.is_some_and(|ends| ends <= now);
            let told = cookie.value.as_ref().unwrap_or(&cookie.name);
            if told.len() >= HIDDEN_BYTES_MIN && !self.hidden.contains(told) {
                self.hidden.push(told.clone());
            }
            match place {
                Some(place) if is_over => _ = self.cookies.remove(place),
                Some(place) => self.cookies[place] = cookie,
                None if is_over => {}
                None => self.cookies.push(cookie),
            }
        }
        let many = self.cookies.len().saturating_sub(COOKIES_MAX);
        self.cookies.drain(..many);
        let many = self.hidden.len().saturating_sub(HIDDEN_MAX);
        self.hidden.drain(..many);
    }

    /// What a request of `owner` to this address says in the header `Cookie`.
    pub(super) fn header(&self, owner: &str, url: &str, now: i64) -> Option<String> {
        let host = plain_host(url)?;
        let parts = Parts::of(url);
        let is_encrypted = parts.scheme == "https";
        if !is_encrypted && !is_loopback(&host) {
            return None;
        }
        let path = if parts.path.is_empty() { "/" } else { parts.path };
        let mut told: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.owner == owner && cookie.host == host)
            .filter(|cookie| cookie.ends.is_none_or(|ends| ends > now) && (is_encrypted || !cookie.is_secure))
            .filter(|cookie| is_below(path, &cookie.path))
            .collect();
        told.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let told: Vec<String> = told.iter().map(|cookie| cookie.told()).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// Whether a cookie of this name is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|cookie| cookie.name == name)
    }

    /// The values that nobody may see.
    pub(super) fn hidden(&self) -> &[String] {
        &self.hidden
    }
}

impl Cookie {
    /// RFC 6265, 5.2. `None`: it is none, or one for other hosts.
    fn read(owner: &str, host: &str, path: &str, text: &str, now: i64) -> Option<Self> {
        if text.len() > COOKIE_BYTES_MAX || text.contains(|c: char| c.is_control() && c != '\t') {
            return None;
        }
        let mut parts = text.split(';').map(str::trim);
        let pair = parts.next()?;
        let (name, value) =
            pair.split_once('=').map_or((pair, None), |(name, value)| (name.trim(), Some(value.trim())));
        if name.is_empty() {
            return None;
        }
        let folder = path.rfind('/').map_or("", |at| &path[..at]);
        let mut cookie = Self {
            owner: owner.to_owned(),
            host: host.to_owned(),
            path: if folder.is_empty() { "/".to_owned() } else { folder.to_owned() },
            name: name.to_owned(),
            value: value.map(ToOwned::to_owned),
            is_secure: false,
            ends: None,
        };
        let mut seconds = None;
        for part in parts {
            let (key, said) = part.split_once('=').map_or((part, ""), |(key, said)| (key.trim(), said.trim()));
            match key.to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = said.trim_start_matches('.').to_ascii_lowercase();
                    let is_own = host == domain || host.ends_with(&format!(".{domain}"));
                    if !domain.is_empty() && !is_own {
                        return None;
                    }
                }
                "path" if said.starts_with('/') => said.clone_into(&mut cookie.path),
                "secure" => cookie.is_secure = true,
                "max-age" => seconds = said.parse::<i64>().ok(),
                "expires" => {
                    let ends = TIMES.iter().find_map(|format| Moment::strptime(said, format));
                    cookie.ends = ends.map(|ends| ends.micros);
                }
                _ => {}
            }
        }
        // What lasts so many seconds says more than a time does.
        let ends = seconds.map(|seconds| now.saturating_add(seconds.saturating_mul(SECOND)));
        cookie.ends = ends.or(cookie.ends);
        Some(cookie)
    }
}

impl Cookie {
    /// As it is told its host.
    fn told(&self) -> String {
        self.value.as_ref().map_or_else(|| self.name.clone(), |value| format!("{}={value}", self.name))
    }
}

/// Whether a path is this one, or below it (RFC 6265, 5.1.4).
fn is_below(path: &str, of: &str) -> bool {
    let rest = path.strip_prefix(of);
    rest.is_some_and(|rest| rest.is_empty() || of.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_709_294_400 * SECOND;

    /// What is told at an address after these were set at `https://h.example/a/b`.
    fn told(set: &[&str], url: &str) -> String {
        let mut jar = Jar::default();
        for text in set {
            jar.take("", "https://h.example/a/b?x=/q/", &[("Set-Cookie".to_owned(), (*text).to_owned())], NOW);
        }
        jar.header("", url, NOW + SECOND).unwrap_or_default()
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path() {
        let sid = ["sid=abc; HttpOnly; SameSite=Lax"];
        assert_eq!(told(&sid, "https://h.example/a/c?page=2"), "sid=abc");
        assert_eq!(told(&sid, "https://h.example/a"), "sid=abc");
        for other in ["https://h.example/ab", "https://other.example/a/c", "https://sub.h.example/a/c"] {
            assert_eq!(told(&sid, other), "", "{other}");
        }
        assert_eq!(told(&["sid=abc; Path=/"], "https://h.example"), "sid=abc");
        // The longer path comes first, and what is set again is replaced.
        assert_eq!(told(&["b=1; path=/", "a=2", "b=3; path=/"], "https://h.example/a/c"), "a=2; b=3");
        // Another domain sets none, and a wider one is this host's only.
        assert_eq!(told(&["sid=abc; Domain=other.example; Path=/"], "https://h.example/"), "");
        assert_eq!(told(&["sid=abc; Domain=.example; Path=/"], "https://h.example/"), "sid=abc");
        assert_eq!(told(&["sid=abc; Domain=.example; Path=/"], "https://g.example/"), "");
    }

    #[test]
    fn a_cookie_ends_and_is_not_told_in_the_clear() {
        let url = "https://h.example/a/c";
        assert_eq!(told(&["a=1; Max-Age=1"], url), "");
        assert_eq!(told(&["a=1; Max-Age=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT"], url), "a=1");
        assert_eq!(told(&["a=1", "a=; Expires=Wed, 21-Oct-2015 07:28:00 GMT"], url), "");
        assert_eq!(told(&["a=1"], "http://h.example/a/c"), "");
        assert_eq!(told(&["bare; Path=/", "a="], url), "a=; bare");
        for none in ["", "=v", "a=\u{1}"] {
            assert_eq!(told(&[none], url), "", "{none:?}");
        }
        let mut jar = Jar::default();
        jar.take("", "http://localhost/", &[("set-cookie".to_owned(), "a=1; Secure".to_owned())], NOW);
        jar.take("", "http://localhost/", &[("set-cookie".to_owned(), "b=long enough".to_owned())], NOW);
        assert_eq!(jar.header("", "http://localhost/", NOW).as_deref(), Some("b=long enough"));
        // It is the requester's own.
        assert_eq!(jar.header("other", "http://localhost/", NOW), None);
        assert_eq!(jar.hidden(), ["long enough"]);
    }

    #[test]
    fn cookies_do_not_grow_without_end() {
        let mut jar = Jar::default();
        for number in 0..5000 {
            let set = format!("c{number}=value-number-{number}");
            jar.take("", "https://h.example/", &[("set-cookie".to_owned(), set)], NOW);
        }
        assert_eq!((jar.cookies.len(), jar.hidden.len()), (COOKIES_MAX, HIDDEN_MAX));
        jar.take("", "https://h.example/", &[("set-cookie".to_owned(), format!("a={}", "x".repeat(5000)))], NOW);
        assert_eq!(jar.cookies.len(), COOKIES_MAX);
    }
}

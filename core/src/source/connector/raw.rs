//! Raw: a response as it came, for whoever looks later at what a server said. What proves who asked is not in it, nor is any other secret
//! that is known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Map, Value, json};

use super::config::{self, MASK};
use super::request::Request;
use super::response::Response;

/// Most bytes of a body that is kept.
pub const RAW_BYTES_MAX: usize = 16 << 20;
/// Most bytes of the program that looks for secrets.
const PATTERN_BYTES_MAX: usize = 64 << 20;

/// A response, with what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The method and the address.
    pub asked: String,
    /// The body of the request.
    pub sent: Option<String>,
    /// The status of the response.
    pub status: u16,
    /// Its headers, without cookies.
    pub headers: Vec<(String, String)>,
    /// Its body; `None`: it has more than [`RAW_BYTES_MAX`] bytes.
    pub body: Option<Vec<u8>>,
}

impl Raw {
    /// It as a line that is the one of this number, and came at this time, in microseconds since 1970. A body that is no text is written
    /// in base64.
    pub fn line(&self, number: u64, at: i64) -> Value {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        let headers: Map<String, Value> = headers.collect();
        let mut line =
            json!({"response": number, "asked": self.asked, "at": at, "status": self.status, "headers": headers});
        if let Value::Object(line) = &mut line {
            if let Some(sent) = &self.sent {
                line.insert("sent".to_owned(), sent.clone().into());
            }
            let (key, value) = match &self.body {
                None => ("is_too_large", true.into()),
                Some(body) => match std::str::from_utf8(body) {
                    Ok(text) => ("body", text.into()),
                    Err(_) => ("body_base64", STANDARD.encode(body).into()),
                },
            };
            line.insert(key.to_owned(), value);
        }
        line
    }
}

/// Finds secrets in bodies, all of them at once: there are many ways to write each.
#[derive(Debug, Default)]
pub(super) struct Hider {
    secrets: Vec<String>,
    pattern: Option<Regex>,
}

impl Hider {
    /// A response without these secrets.
    pub(super) fn raw(&mut self, secrets: Vec<String>, request: &Request, response: &Response) -> Raw {
        if self.secrets != secrets {
            self.pattern = pattern(&secrets);
            self.secrets = secrets;
        }
        let is_kept = response.body.len() <= RAW_BYTES_MAX;
        let is_cookie = |name: &str| name.eq_ignore_ascii_case("set-cookie");
        let headers = response.headers.iter().filter(|(name, _)| !is_cookie(name));
        Raw {
            asked: format!("{} {}", request.method, self.text(&request.url)),
            sent: request.body.as_deref().map(|body| self.text(body)),
            status: response.status,
            headers: headers.map(|(name, value)| (name.clone(), self.text(value))).collect(),
            body: is_kept.then(|| self.masked(&response.body)),
        }
    }

    fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.masked(text.as_bytes())).into_owned()
    }

    fn masked(&self, bytes: &[u8]) -> Vec<u8> {
        match &self.pattern {
            Some(pattern) => pattern.replace_all(bytes, MASK.as_bytes()).into_owned(),
            // A pattern that is too large is none: what cannot be looked through is not kept.
            None if !self.secrets.is_empty() => MASK.into(),
            None => bytes.to_vec(),
        }
    }
}

/// What finds secrets, however they are written; `None`: there are none, or too many.
fn pattern(secrets: &[String]) -> Option<Regex> {
    let mut written: Vec<String> = secrets.iter().flat_map(|secret| config::written(secret)).collect();
    if written.is_empty() {
        return None;
    }
    // Of two that begin at one place the first is taken.
    config::longest_first(&mut written);
    let all: Vec<String> = written.iter().map(|secret| regex::escape(secret)).collect();
    RegexBuilder::new(&all.join("|")).size_limit(PATTERN_BYTES_MAX).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Some("key=s3cret".to_owned()),
        }
    }

    #[test]
    fn no_secret_is_in_it_and_cookies_are_not() {
        let mut hider = Hider::default();
        let headers =
            [("X-Echo", "s3cret!"), ("Set-Cookie", "a=1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let response = Response::new(200, headers.to_vec(), b"{\"echo\": \"Bearer s3cret\", \"bytes\": \xff}".to_vec());
        let raw = hider.raw(vec!["s3cret".to_owned()], &request("https://h/a?key=s3cret"), &response);
        assert_eq!(raw.asked, "GET https://h/a?key=***");
        assert_eq!(raw.sent.as_deref(), Some("key=***"));
        assert_eq!(raw.headers, [("X-Echo".to_owned(), "***!".to_owned())]);
        assert_eq!(raw.body.as_deref(), Some(&b"{\"echo\": \"Bearer ***\", \"bytes\": \xff}"[..]));
        let line = raw.line(3, 7);
        assert_eq!((&line["response"], &line["at"], &line["status"]), (&json!(3), &json!(7), &json!(200)));
        assert!(line["body_base64"].is_string() && line.get("body").is_none());
        // One that comes later is looked for, too.
        let raw = hider.raw(vec!["s3cret".to_owned(), "Bearer".to_owned()], &request("https://h"), &response);
        assert!(raw.body.is_some_and(|body| body.starts_with(b"{\"echo\": \"*** ***\"")));
        let large = Response::new(200, Vec::new(), vec![b'a'; RAW_BYTES_MAX + 1]);
        let raw = hider.raw(Vec::new(), &request("https://h"), &large);
        assert_eq!((raw.body.as_ref(), &raw.line(0, 0)["is_too_large"]), (None, &json!(true)));
    }
}

//! Response: what a server answers.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::python;

/// Most bytes of a response.
pub const RESPONSE_BYTES_MAX: usize = 64 << 20;

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// Headers, as they came.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The address that was asked; the walk fills it in.
    pub(super) url: String,
}

impl Response {
    /// A response with this status, these headers and this body.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { status, headers, body, url: String::new() }
    }

    /// Whether the server did what it was asked for.
    pub(super) fn is_ok(&self) -> bool {
        self.status < 400
    }

    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The headers as a mapping.
    pub(super) fn header_map(&self) -> Value {
        self.headers
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect::<Map<_, _>>()
            .into()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The address that was asked, without what may be secret in its query.
    pub(super) fn url_without_query(&self) -> String {
        self.url.split(['?', '#']).next().unwrap_or_default().to_owned()
    }

    /// The header `Link` by relation: `{next: {url: …, rel: next}}`.
    pub(super) fn links(&self) -> Value {
        let mut links = Map::new();
        for link in split_links(self.header("link").unwrap_or_default()) {
            let Some((url, rest)) = link.split_once('>') else { continue };
            let mut entry = Map::new();
            entry.insert("url".to_owned(), url.trim().trim_start_matches('<').into());
            for (name, value) in rest.split(';').filter_map(|part| part.split_once('=')) {
                entry.insert(name.trim().to_owned(), value.trim().trim_matches(['"', '\'']).into());
            }
            let key = entry.get("rel").or_else(|| entry.get("url")).map(python::text).unwrap_or_default();
            links.insert(key, Value::Object(entry));
        }
        Value::Object(links)
    }
}

/// The links of a header, which commas divide that stand outside of `<…>`.
fn split_links(header: &str) -> impl Iterator<Item = &str> {
    header.split('<').skip(1).map(|link| link.trim_end().trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn links_are_found_by_their_relation() {
        let header = "<https://h/x?a=1,2>; rel=\"next\", <https://h/y>; rel=prev";
        let response = Response::new(200, vec![("Link".to_owned(), header.to_owned())], Vec::new());
        let links = response.links();
        assert_eq!(
            (&links["next"]["url"], &links["prev"]["url"]),
            (&json!("https://h/x?a=1,2"), &json!("https://h/y"))
        );
    }
}

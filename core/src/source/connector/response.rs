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

/// Headers by their names, whose case means nothing: a client may give them in small letters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Headers {
    by_name: Map<String, Value>,
    links: Option<Value>,
}

impl Headers {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        if let Some(links) = self.links.as_ref().filter(|_| name == "link") {
            return Some(links);
        }
        let alike = || self.by_name.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.by_name.get(name).or_else(alike)
    }

    /// As a mapping.
    pub(super) fn merged(&self) -> Value {
        let mut all = self.by_name.clone();
        all.extend(self.links.clone().map(|links| ("link".to_owned(), links)));
        Value::Object(all)
    }
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

    /// The headers as templates name them.
    pub(super) fn header_map(&self) -> Headers {
        let entry = |(name, value): &(String, String)| (name.clone(), Value::String(value.clone()));
        Headers { by_name: self.headers.iter().map(entry).collect(), links: None }
    }

    /// The same where the next page is looked for: `link`, written so, is what the header `Link` says by relation.
    pub(super) fn header_map_with_links(&self) -> Headers {
        Headers { links: Some(self.links()), ..self.header_map() }
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
    fn headers_are_found_whatever_the_case_of_their_names() {
        let headers = ["x-next", "link"].map(|name| (name.to_owned(), "<https://h/2>; rel=next".to_owned()));
        let response = Response::new(200, headers.to_vec(), Vec::new());
        let plain = response.header_map();
        assert!(plain.get("X-Next") == plain.get("x-next") && plain.get("LINK") == plain.get("x-next"));
        assert_eq!(plain.get("next"), None);
        // Where a page is looked for, `link` has the relations, and another spelling the text.
        let paging = response.header_map_with_links();
        assert_eq!(paging.get("link").map(|links| &links["next"]["url"]), Some(&json!("https://h/2")));
        assert_eq!(paging.get("Link"), Some(&json!("<https://h/2>; rel=next")));
        let without = Response::new(200, Vec::new(), Vec::new()).header_map_with_links();
        assert_eq!((without.get("link"), without.get("Link")), (Some(&json!({})), None));
    }

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

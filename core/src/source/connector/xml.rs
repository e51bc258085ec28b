//! XML: a document as the mapping that Python's `xmltodict` makes of it, which manifests are written for.
//!
//! An element is its text, or a mapping: its attributes as `@name`, its elements by their names, several of one name as a list,
//! and its text, if it has any, as `#text`. Blanks around a text are no part of it; an element with nothing in it is null.
//! Entities that a document declares itself are refused: they can grow without end.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

/// Most elements inside each other.
const DEPTH_MAX: usize = 200;

/// An element that is being read.
#[derive(Debug, Default)]
struct Element {
    name: String,
    entries: Map<String, Value>,
    text: String,
}

impl Element {
    /// `None`: an attribute is not well formed, or stands twice.
    fn of(start: &BytesStart<'_>) -> Option<Self> {
        let mut entries = Map::new();
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            entries.insert(format!("@{}", attribute.key.as_ref()), value.into_owned().into());
        }
        Some(Self { name: start.name().as_ref().to_owned(), entries, text: String::new() })
    }

    /// What it is, after its end.
    fn value(mut self) -> Value {
        let text = self.text.trim();
        let text = (!text.is_empty()).then(|| Value::from(text));
        match (self.entries.is_empty(), text) {
            (true, text) => text.unwrap_or(Value::Null),
            (false, Some(text)) => {
                push(&mut self.entries, "#text".to_owned(), text);
                Value::Object(self.entries)
            }
            (false, None) => Value::Object(self.entries),
        }
    }
}

fn push(entries: &mut Map<String, Value>, name: String, value: Value) {
    match entries.get_mut(&name) {
        Some(Value::Array(items)) => items.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
        None => _ = entries.insert(name, value),
    }
}

/// The document: `{root: …}`. `None` if it is not well formed, declares entities, or is too deep.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    let mut is_begun = false;
    loop {
        let event = reader.read_event().ok()?;
        let is_outside = open.len() == 1;
        match event {
            Event::Start(start) | Event::Empty(start) if is_outside && is_begun => {
                // A second root.
                drop(start);
                return None;
            }
            Event::Start(start) => {
                is_begun = true;
                open.push(Element::of(&start).filter(|_| open.len() <= DEPTH_MAX)?);
            }
            Event::Empty(start) => {
                is_begun = true;
                let element = Element::of(&start)?;
                push(&mut open.last_mut()?.entries, element.name.clone(), element.value());
            }
            Event::End(_) => {
                let element = open.pop().filter(|_| !open.is_empty())?;
                push(&mut open.last_mut()?.entries, element.name.clone(), element.value());
            }
            Event::Text(text) if is_outside => {
                if !text.xml10_content().trim_start_matches('\u{feff}').trim().is_empty() {
                    return None;
                }
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) if !is_outside => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) if !is_outside => {
                let text = &mut open.last_mut()?.text;
                match reference.resolve_char_ref().ok()? {
                    Some(c) => text.push(c),
                    None => text.push_str(quick_xml::escape::resolve_predefined_entity(&reference)?),
                }
            }
            Event::CData(_) | Event::GeneralRef(_) => return None,
            Event::DocType(declared) => {
                if declared.contains("<!ENTITY") {
                    return None;
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let root = open.pop().filter(|_| open.is_empty() && is_begun)?;
    Some(Value::Object(root.entries))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_the_mapping_that_xmltodict_makes() {
        for (text, value) in [
            ("<a/>", json!({"a": null})),
            ("<?xml version='1.0'?>\n<!DOCTYPE a>\n<!-- c -->\n<a>\n x &amp; &#65;\n</a>\n", json!({"a": "x & A"})),
            ("<a b='1' c='&lt;'/>", json!({"a": {"@b": "1", "@c": "<"}})),
            ("<a b='1'> t </a>", json!({"a": {"@b": "1", "#text": "t"}})),
            ("<a><b>1</b><c/><b>2</b><b/></a>", json!({"a": {"b": ["1", "2", null], "c": null}})),
            ("<a>x<b>1</b>y</a>", json!({"a": {"b": "1", "#text": "xy"}})),
            ("<n:a xmlns:n='u'><n:b><![CDATA[<i> ]]></n:b></n:a>", json!({"n:a": {"@xmlns:n": "u", "n:b": "<i>"}})),
        ] {
            assert_eq!(read(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_document_or_grows_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
        let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        for text in
            ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "<a b='1' b='2'/>", "<a>&unknown;</a>", bomb, &deep]
        {
            assert_eq!(read(text), None, "{text:.40}");
        }
    }
}

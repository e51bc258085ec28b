//! JSON in a text: whether it is well formed, and the values in it, as they are written. [`Tree`] is the form that `jsonb`
//! gives them.

mod change;
mod number;
mod scan;
mod string;
mod tree;

pub use change::Change;
pub use string::write_string;
pub use tree::Style;
pub use tree::Tree;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;
use scan::Passed;
use scan::Walk;
use string::check_escapes;
use string::text_of;
use string::unescape;

/// A JSON text that is well formed, or a value in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The text, if it is one JSON value with blanks around it.
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        Walk::new(text).whole(&mut |_| {}).ok_or_else(|| no_json(text))
    }

    /// The value in a text that is known to be JSON.
    pub fn new(text: &'a str) -> Self {
        Self(text.trim_matches([' ', '\t', '\n', '\r']))
    }

    /// The value as it is written.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// Whether it is an array.
    pub(crate) fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// What it is: `object`, `array`, `string`, `number`, `boolean` or `null`.
    pub fn kind(self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ => "number",
        }
    }

    /// The same value, if every escape in it is a character. PostgreSQL asks that of the whole of a `json` before it takes a
    /// value out of it.
    pub(crate) fn readable(self) -> Result<Self, Fault> {
        check_escapes(self.0).map(|()| self)
    }

    /// How many elements an array has, or members an object.
    pub fn len(self) -> usize {
        let mut count = 0;
        self.each(&mut |_, _| count += 1);
        count
    }

    /// Whether it has no parts.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The element of an array at a place, counted from 0, or from -1 at its end.
    pub fn element(self, place: i64) -> Option<Self> {
        let length = if place < 0 { i64::try_from(self.len()).ok()? } else { 0 };
        let wanted = length.checked_add(place)?;
        let (mut at, mut found) = (0, None);
        self.each(&mut |_, value| {
            if at == wanted {
                found = Some(value);
            }
            at += 1;
        });
        found.filter(|_| self.is_array())
    }

    /// The member of an object with that name; the last one, if several have it.
    pub fn member(self, name: &str) -> Option<Self> {
        let mut found = None;
        self.each(&mut |key, value| {
            let is_it = match key {
                Some(key) if !key.contains('\\') => key.get(1..key.len().saturating_sub(1)) == Some(name),
                Some(key) => text_of(key).is_ok_and(|key| key == name),
                None => false,
            };
            if is_it {
                found = Some(value);
            }
        });
        found
    }

    /// The value that one step of a path leads to: the name of a member, or the place of an element.
    pub fn step(self, step: &str) -> Option<Self> {
        match self.is_array() {
            true => change::place(step).and_then(|place| self.element(place.into())),
            false => self.member(step),
        }
    }

    /// The order of two values as `jsonb` has it, or a fault if one cannot be a `jsonb`.
    pub fn order(self, other: Self) -> Result<std::cmp::Ordering, Fault> {
        Ok(Tree::parse(self.0)?.order(&Tree::parse(other.0)?))
    }

    /// Appends the value as PostgreSQL's `jsonb` prints it: of several members of one name the last, short names first, a
    /// blank behind colons and commas, numbers without exponents.
    pub(crate) fn write_normal(self, out: &mut String) -> Result<(), Fault> {
        Tree::parse(self.0)?.write(Style::Normal, out)
    }

    /// Appends the value as it is written, without the blanks around its parts.
    pub(crate) fn write_compact(self, out: &mut String) {
        let mut in_string = false;
        let mut is_escaped = false;
        out.extend(self.0.chars().filter(|&char| {
            let is_blank = !in_string && matches!(char, ' ' | '\t' | '\n' | '\r');
            in_string ^= char == '"' && !is_escaped;
            is_escaped = char == '\\' && !is_escaped;
            !is_blank
        }));
    }

    /// Whether a string in it, or a name, has more bytes than that.
    pub(crate) fn has_string_over(self, bytes_max: usize) -> bool {
        if self.0.len() <= bytes_max {
            return false;
        }
        let over = |quoted: &str| quoted.len() > bytes_max && text_of(quoted).is_ok_and(|text| text.len() > bytes_max);
        let mut is_over = false;
        // The walk cannot fail: the value is known to be JSON.
        let _ = Walk::new(self.0).whole(&mut |passed| {
            let is_long = passed.value.kind() == "string" && over(passed.value.0);
            is_over = is_over || is_long || passed.name.is_some_and(over);
        });
        is_over
    }

    /// Appends what SQL takes for the value: a string without its quotes, everything else as it is written. `false` is
    /// NULL.
    pub fn print(self, out: &mut String) -> Result<bool, Fault> {
        match self.0 {
            "null" => return Ok(false),
            text if text.starts_with('"') => unescape(text, out)?,
            text => out.push_str(text),
        }
        Ok(true)
    }

    fn each(self, f: &mut dyn FnMut(Option<&'a str>, Self)) {
        let mut pass = |passed: Passed<'a>| {
            if passed.depth == 1 {
                f(passed.name, passed.value);
            }
        };
        // The walk cannot fail: the value is known to be JSON.
        let _ = Walk::new(self.0).whole(&mut pass);
    }
}

/// The fault of a text that is no JSON.
fn no_json(text: &str) -> Fault {
    Fault::new(Code::NotJson, format!("{} is no JSON", quote(text.as_bytes())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn only_json_is_json() {
        for text in ["1", " [ ] ", "{}", r#"{"a":[1,-0.5e+3,"x\u00e9",null,true]}"#, "\"\u{7f}\""] {
            assert!(Json::parse(text).is_ok(), "{text}");
        }
        let deep = "[".repeat(100_000);
        for text in
            ["", "[1,]", "{a:1}", "01", "1.", "[1] 2", "\"\t\"", r#""\x""#, "nul", "{\"a\"}", "+1", deep.as_str()]
        {
            assert!(Json::parse(text).is_err(), "{}", text.get(..9).unwrap_or(text));
        }
    }

    #[test]
    fn the_compact_form_has_no_blanks() {
        let mut out = String::new();
        Json::new(r#"{ "a b" : [ 1, "\\\" ," ] }"#).write_compact(&mut out);
        assert_eq!(out, r#"{"a b":[1,"\\\" ,"]}"#);
    }

    #[test]
    fn long_strings_are_found() {
        assert!(Json::new(r#"{"a": ["xxxx"]}"#).has_string_over(3));
        assert!(Json::new(r#"{"aaaa": [0]}"#).has_string_over(3));
        assert!(!Json::new(r#"{"a": ["\u0041xx", 12345]}"#).has_string_over(3));
    }

    #[test]
    fn values_are_found_as_written() {
        let json = Json::parse(r#"{"a": [1.50, {"b" : "x\ud83d\ude00\n"}], "a\u0062": 2, "d": 1, "d": null}"#).unwrap();
        assert_eq!(json.member("a").unwrap().element(-2).unwrap().text(), "1.50");
        let mut out = String::new();
        json.member("a").and_then(|a| a.element(1)).and_then(|b| b.member("b")).unwrap().print(&mut out).unwrap();
        assert_eq!(out, "x😀\n");
        assert_eq!(json.member("ab").map(Json::text), Some("2"));
        assert_eq!(json.member("d").unwrap().print(&mut out), Ok(false));
        assert_eq!((json.len(), json.element(0), json.member("x")), (4, None, None));
    }
}

//! JSON in a text: whether it is well formed, and the values in it, as they are written.

use crate::column::Fault;
use crate::diagnostic::Code;

use super::text::quote;

/// The deepest nesting.
const DEPTH_MAX: usize = 500;

/// A JSON text that is well formed, or a value in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// The text, if it is one JSON value with blanks around it.
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        let mut walk = Walk { text, place: 0 };
        match walk.value(0, &mut |_, _| {}).filter(|_| walk.blanks().peek().is_none()) {
            Some(value) => Ok(value),
            None => Err(Fault::new(Code::NotJson, format!("{} is no JSON", quote(text.as_bytes())))),
        }
    }

    /// The value as it is written.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.0.starts_with('{')
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
        let length = i64::try_from(self.len()).ok()?;
        let wanted = if place < 0 { length.checked_add(place)? } else { place };
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
        let mut buffer = String::new();
        self.each(&mut |key, value| {
            let is_it = match key {
                Some(key) if !key.contains('\\') => key.get(1..key.len().saturating_sub(1)) == Some(name),
                Some(key) => {
                    buffer.clear();
                    unescape(key, &mut buffer).is_ok() && buffer == name
                }
                None => false,
            };
            if is_it {
                found = Some(value);
            }
        });
        found
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
        Walk { text: self.0, place: 0 }.value(0, f);
    }
}

/// A walk over a text. Every step is `None` where the text is no JSON.
struct Walk<'a> {
    text: &'a str,
    place: usize,
}

impl<'a> Walk<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.place += 1)
    }

    fn blanks(&mut self) -> &mut Self {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.place += 1;
        }
        self
    }

    /// Walks over a value; `f` gets its elements, or its members with their names in quotes.
    fn value(&mut self, depth: usize, f: &mut dyn FnMut(Option<&'a str>, Json<'a>)) -> Option<Json<'a>> {
        let start = self.blanks().place;
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => self.list(b'}', depth, true, f)?,
            b'[' => self.list(b']', depth, false, f)?,
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => {
                let rest = self.text.get(start..)?;
                let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?;
                self.place += word.len();
            }
        }
        self.text.get(start..self.place).map(Json)
    }

    fn list(
        &mut self,
        close: u8,
        depth: usize,
        is_object: bool,
        f: &mut dyn FnMut(Option<&'a str>, Json<'a>),
    ) -> Option<()> {
        self.place += 1;
        if self.blanks().eat(close).is_some() {
            return Some(());
        }
        loop {
            let mut name = None;
            if is_object {
                let start = self.blanks().place;
                self.string()?;
                name = Some(self.text.get(start..self.place)?);
                self.blanks().eat(b':')?;
            }
            let value = self.value(depth + 1, &mut |_, _| {})?;
            f(name, value);
            if self.blanks().eat(close).is_some() {
                return Some(());
            }
            self.eat(b',')?;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            match self.peek()? {
                b'"' => return self.eat(b'"'),
                b'\\' => {
                    self.place += 1;
                    let digits = match self.peek()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 0,
                        b'u' => 4,
                        _ => return None,
                    };
                    self.place += 1;
                    for _ in 0..digits {
                        self.peek().filter(u8::is_ascii_hexdigit)?;
                        self.place += 1;
                    }
                }
                0..=31 => return None,
                _ => self.place += 1,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.place += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.place += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.place;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.place += 1;
        }
        (self.place > start).then_some(())
    }
}

/// Appends a string in quotes without them and with its escapes resolved.
fn unescape(quoted: &str, out: &mut String) -> Result<(), Fault> {
    let mut chars = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        let char = match chars.next() {
            Some('b') => '\x08',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let unit = |chars: &mut std::str::Chars<'_>| {
                    chars.by_ref().take(4).fold(0, |unit, digit| unit * 16 + digit.to_digit(16).unwrap_or(0))
                };
                let first = unit(&mut chars);
                let code = match first {
                    0xd800..=0xdbff if chars.as_str().starts_with("\\u") => {
                        chars.nth(1);
                        let second = unit(&mut chars).wrapping_sub(0xdc00);
                        if second < 0x400 { 0x1_0000 + ((first - 0xd800) << 10) + second } else { first }
                    }
                    _ => first,
                };
                let char = char::from_u32(code).filter(|&char| char != '\0');
                char.ok_or_else(|| Fault::new(Code::NotJson, "an escape in the JSON is no character"))?
            }
            Some(other) => other,
            None => return Ok(()),
        };
        out.push(char);
    }
    Ok(())
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

//! JSON in a text: whether it is well formed, and the values in it, as they are written or in one normal form.

use std::fmt::Write;

use crate::column::Fault;
use crate::diagnostic::Code;

use super::text::quote;
use crate::types::SUPER_BYTES_MAX;

/// The deepest nesting: that of Redshift's `super`.
const DEPTH_MAX: usize = 1000;

/// Most digits of a number before and after the point: those of PostgreSQL's `numeric`.
const DIGITS_MAX: (i64, i64) = (131_072, 16_383);

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

    /// The value in a text that is known to be JSON.
    pub fn new(text: &'a str) -> Self {
        Self(text.trim_matches([' ', '\t', '\n', '\r']))
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

    /// The value that one step of a path leads to: the name of a member, or the place of an element.
    pub fn step(self, step: &str) -> Option<Self> {
        match self.is_array() {
            true => step.trim_ascii_start().parse().ok().and_then(|place| self.element(place)),
            false => self.member(step),
        }
    }

    /// Whether two values mean the same: members in any order, numbers by their value.
    pub fn is_same(self, other: Self) -> bool {
        let meaning = |json: Self| {
            let mut out = String::new();
            json.write(&mut out, true).map(|()| out)
        };
        self.0 == other.0 || matches!((meaning(self), meaning(other)), (Ok(one), Ok(two)) if one == two)
    }

    /// Whether everything in the other value stands at its place in this one, as PostgreSQL's `@>` has it: members may be
    /// more, elements may be more and in any order, and an array holds a value that is none.
    pub fn contains(self, other: Self) -> bool {
        match (self.kind(), other.kind()) {
            ("object", "object") => {
                let mut holds = true;
                other.each(&mut |name, _| {
                    let mut key = String::new();
                    let is_read = unescape(name.unwrap_or_default(), &mut key).is_ok();
                    // Of several members of one name the last counts.
                    let pair = self.member(&key).zip(other.member(&key));
                    let is_there =
                        |(found, wanted): (Self, Self)| found.kind() == wanted.kind() && found.contains(wanted);
                    holds = holds && is_read && pair.is_some_and(is_there);
                });
                holds
            }
            ("array", "array") => {
                let mut holds = true;
                other.each(&mut |_, wanted| {
                    let mut is_there = false;
                    self.each(&mut |_, found| {
                        is_there = is_there || (found.kind() == wanted.kind() && found.contains(wanted));
                    });
                    holds = holds && is_there;
                });
                holds
            }
            ("array", "object") => false,
            ("array", _) => {
                let mut is_there = false;
                self.each(&mut |_, found| is_there = is_there || found.is_same(other));
                is_there
            }
            _ => self.is_same(other),
        }
    }

    /// Appends the value as PostgreSQL's `jsonb` prints it: of several members of one name the last, short names first, a
    /// blank behind colons and commas, numbers without exponents.
    pub fn write_normal(self, out: &mut String) -> Result<(), Fault> {
        self.write(out, false)
    }

    /// Appends the value as it is written, without the blanks around its parts.
    pub fn write_compact(self, out: &mut String) {
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
    pub fn has_string_over(self, bytes_max: usize) -> bool {
        if self.0.len() <= bytes_max {
            return false;
        }
        let mut is_over = false;
        let over = |quoted: &str| {
            let mut text = String::new();
            quoted.len() > bytes_max && unescape(quoted, &mut text).is_ok() && text.len() > bytes_max
        };
        self.each(&mut |name, value| {
            is_over = is_over || name.is_some_and(over) || value.has_string_over(bytes_max);
        });
        is_over || (self.kind() == "string" && over(self.0))
    }

    /// The normal form; with `by_value`, numbers that are equal are written alike.
    fn write(self, out: &mut String, by_value: bool) -> Result<(), Fault> {
        // A short number may have an exponent that makes it long.
        if out.len() > SUPER_BYTES_MAX {
            return Err(Fault::new(Code::ResultTooLong, format!("a super has at most {SUPER_BYTES_MAX} bytes")));
        }
        match self.kind() {
            "object" => {
                let mut members = Vec::new();
                let mut wrong = Ok(());
                self.each(&mut |name, value| {
                    let mut text = String::new();
                    if let Err(fault) = unescape(name.unwrap_or_default(), &mut text) {
                        wrong = Err(fault);
                    }
                    members.push((text, value));
                });
                wrong?;
                members.reverse();
                members.sort_by(|(one, _), (two, _)| (one.len(), one).cmp(&(two.len(), two)));
                members.dedup_by(|(one, _), (two, _)| one == two);
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    write_string(name, out);
                    out.push_str(": ");
                    value.write(out, by_value)?;
                }
                out.push('}');
            }
            "array" => {
                let mut elements = Vec::new();
                self.each(&mut |_, value| elements.push(value));
                out.push('[');
                for (at, value) in elements.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    value.write(out, by_value)?;
                }
                out.push(']');
            }
            "string" => {
                let mut text = String::new();
                unescape(self.0, &mut text)?;
                write_string(&text, out);
            }
            "number" => write_number(self.0, out, by_value)?,
            _ => out.push_str(self.0),
        }
        Ok(())
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

/// Appends a text as a string of JSON, escaped where it must be.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// Appends a number without an exponent and, if `by_value`, without zeros at its end.
fn write_number(text: &str, out: &mut String, by_value: bool) -> Result<(), Fault> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    // An exponent that is no number of 64 bits leads out of every range.
    let beyond = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.parse::<i64>().map_or(beyond, |exponent| exponent.clamp(i64::MIN / 2, i64::MAX / 2));
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX / 4);
    let point = length(whole).saturating_add(exponent);
    let scale = length(fraction).saturating_sub(exponent).max(0);
    let (digits, point, scale) = match is_zero {
        true => ("0", 1, scale.min(DIGITS_MAX.1)),
        false => (digits.as_str(), point, scale),
    };
    if point > DIGITS_MAX.0 || scale > DIGITS_MAX.1 {
        return Err(Fault::new(
            Code::OutOfRange,
            format!("the number {} in the JSON is out of range", quote(text.as_bytes())),
        ));
    }
    let digit =
        |at: i64| usize::try_from(at).ok().and_then(|at| digits.as_bytes().get(at)).map_or('0', |&digit| digit.into());
    let mut number: String = (0..point.max(0)).map(digit).collect();
    let kept = number.trim_start_matches('0').len();
    number = if kept == 0 { "0".to_owned() } else { number.split_off(number.len() - kept) };
    if scale > 0 {
        number.push('.');
        number.extend((point..point + scale).map(digit));
    }
    if by_value && scale > 0 {
        number.truncate(number.trim_end_matches('0').trim_end_matches('.').len());
    }
    out.push_str(if negative && !is_zero { "-" } else { "" });
    out.push_str(&number);
    Ok(())
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
    fn the_normal_form_is_that_of_jsonb() {
        for (text, wanted) in [
            (
                r#" {"bb":1, "a" : [1,2.50,{}],"c":null,"a":"x\u00e9\/\u0001"} "#,
                r#"{"a": "xé/\u0001", "c": null, "bb": 1}"#,
            ),
            (
                "[1e3, 1.5E-3, 10.20e1, -0, -0.00, 0e5, 0.0e-2, 12e-1, -1E+0]",
                "[1000, 0.0015, 102.0, 0, 0.00, 0, 0.000, 1.2, -1]",
            ),
            ("[ ]", "[]"),
        ] {
            let mut out = String::new();
            Json::parse(text).unwrap().write_normal(&mut out).unwrap();
            assert_eq!(out, wanted);
        }
        for text in ["1e131073", "1e-16384", "-1e99999999999999999999", r#""\ud800""#, r#"{"\u0000": 1}"#] {
            assert!(Json::parse(text).unwrap().write_normal(&mut String::new()).is_err(), "{text}");
        }
        let mut out = String::new();
        Json::new(r#"{ "a b" : [ 1, "\\\" ," ] }"#).write_compact(&mut out);
        assert_eq!(out, r#"{"a b":[1,"\\\" ,"]}"#);
    }

    #[test]
    fn values_are_the_same_by_what_they_mean() {
        for (one, two, wanted) in [
            (r#"{"a":1,"b":[1.0]}"#, r#"{"b": [1], "a": 10e-1}"#, true),
            ("[1,2]", "[2,1]", false),
            (r#""\u0061""#, r#""a""#, true),
            ("1", r#""1""#, false),
            ("0.0", "-0e9", true),
        ] {
            assert_eq!(Json::new(one).is_same(Json::new(two)), wanted, "{one} {two}");
        }
        assert!(Json::new(r#"{"a": ["xxxx"]}"#).has_string_over(3));
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

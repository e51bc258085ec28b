//! Python: what texts and values mean in the language of the manifests' first interpreter. A template gives a text, and the
//! text means what Python's `ast.literal_eval` makes of it; a value becomes text as `str` writes it.

use serde_json::{Map, Number, Value};

/// Most lists, tuples and dictionaries inside each other in a literal.
const DEPTH_MAX: usize = 32;

/// What a text means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Literal {
    /// The value.
    pub(super) value: Value,
    /// Whether it is a tuple, which is written otherwise than a list.
    pub(super) is_tuple: bool,
}

impl From<Value> for Literal {
    fn from(value: Value) -> Self {
        Self { value, is_tuple: false }
    }
}

impl Literal {
    /// The text as it stands.
    pub(super) fn text(text: &str) -> Self {
        Value::String(text.to_owned()).into()
    }

    /// As `str` writes it.
    pub(super) fn to_text(&self) -> String {
        match &self.value {
            Value::Array(items) if self.is_tuple => {
                let items: Vec<String> = items.iter().map(repr).collect();
                format!("({}{})", items.join(", "), if items.len() == 1 { "," } else { "" })
            }
            value => text(value),
        }
    }
}

/// A value as `str` writes it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => repr(value),
    }
}

/// A value as `repr` writes it.
pub(super) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or_default()),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| format!("{}: {}", quoted(key), repr(value));
            format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A float as `repr` writes it: the shortest digits, with an exponent below 1e-4 and from 1e16.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..16).contains(&exponent) {
        return format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    let plain = value.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// What `float` makes of a text.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    without_underscores(text).and_then(|plain| plain.parse().ok())
}

/// What `int` makes of a text, in a base; in base 0 the text says it.
pub(super) fn integer(text: &str, base: u32) -> Option<i64> {
    let text = text.trim();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixed =
        |prefix: &str| digits.get(..2).filter(|start| start.eq_ignore_ascii_case(prefix)).map(|_| &digits[2..]);
    let (base, digits) = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .filter(|(_, own)| base == 0 || base == *own)
        .find_map(|(prefix, own)| Some((own, prefixed(prefix)?)))
        .unwrap_or((base, digits));
    let is_zero = digits.bytes().all(|b| matches!(b, b'0' | b'_'));
    let base = match base {
        0 if digits.starts_with('0') && !is_zero => return None,
        0 => 10,
        base => base,
    };
    let plain =
        without_underscores(digits).filter(|plain| (2..=36).contains(&base) && !plain.starts_with(['+', '-']))?;
    let size = i128::from_str_radix(&plain, base).ok()?;
    i64::try_from(if is_negative { -size } else { size }).ok()
}

/// Digits without the underscores that may stand between two of them.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let is_between = |at: usize| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    let is_right = bytes.iter().enumerate().all(|(at, b)| *b != b'_' || is_between(at));
    is_right.then(|| text.replace('_', ""))
}

/// Whether `if` takes it.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// What `ast.literal_eval` makes of a text; `None`: it is no literal, and stays a text.
pub(super) fn literal(text: &str) -> Option<Literal> {
    let text = text.trim_start_matches([' ', '\t']);
    // What begins like no literal is most texts.
    let first = text.chars().next()?;
    if !(first.is_ascii_digit() || "+-.([{'\"TFNrRbBuU".contains(first)) {
        return None;
    }
    let mut parser = Literals { rest: text, depth: 0 };
    let value = parser.expression()?;
    parser.blank(false);
    parser.rest = parser.rest.trim_start_matches(['\n', '\r', ' ', '\t']);
    parser.rest.is_empty().then_some(value)
}

struct Literals<'a> {
    rest: &'a str,
    depth: usize,
}

impl Literals<'_> {
    /// A value, or values with commas between them, which are a tuple without brackets.
    fn expression(&mut self) -> Option<Literal> {
        let first = self.value(false)?;
        if !self.takes(',', false) {
            return Some(first);
        }
        let mut items = vec![first.value];
        while !self.rest.is_empty() && !self.rest.starts_with('\n') {
            items.push(self.value(false)?.value);
            if !self.takes(',', false) {
                break;
            }
        }
        Some(Literal { value: Value::Array(items), is_tuple: true })
    }

    /// Blanks and a comment; between brackets also line breaks.
    fn blank(&mut self, in_brackets: bool) {
        loop {
            self.rest =
                self.rest.trim_start_matches(|c| matches!(c, ' ' | '\t') || (in_brackets && "\r\n".contains(c)));
            if !self.rest.starts_with('#') {
                return;
            }
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
            if !in_brackets {
                return;
            }
        }
    }

    fn takes(&mut self, wanted: char, in_brackets: bool) -> bool {
        self.blank(in_brackets);
        let taken = self.rest.strip_prefix(wanted);
        self.rest = taken.unwrap_or(self.rest);
        self.blank(in_brackets);
        taken.is_some()
    }

    fn value(&mut self, in_brackets: bool) -> Option<Literal> {
        self.blank(in_brackets);
        let first = self.rest.chars().next()?;
        match first {
            '[' => Some(Value::Array(self.items('[', ']')?.0).into()),
            '(' => {
                let (mut items, has_comma) = self.items('(', ')')?;
                if items.len() == 1 && !has_comma {
                    return items.pop().map(Literal::from);
                }
                Some(Literal { value: Value::Array(items), is_tuple: true })
            }
            '{' => self.dictionary(),
            '+' | '-' => {
                self.rest = &self.rest[1..];
                self.blank(in_brackets);
                // A sign of a sign is no literal.
                if self.rest.starts_with(['+', '-']) {
                    return None;
                }
                let Literal { value: Value::Number(number), .. } = self.value(in_brackets)? else { return None };
                if first == '+' {
                    return Some(Value::Number(number).into());
                }
                let negated = match number.as_i64() {
                    Some(integer) => Some(Number::from(integer.checked_neg()?)),
                    None if number.is_u64() => None,
                    None => Number::from_f64(-number.as_f64()?),
                };
                negated.map(|number| Value::Number(number).into())
            }
            c if c.is_ascii_digit() || c == '.' => self.number(),
            _ => self.word(in_brackets),
        }
    }

    /// The values between two brackets, and whether a comma follows the last.
    fn items(&mut self, open: char, close: char) -> Option<(Vec<Value>, bool)> {
        self.open(open)?;
        let (mut items, mut has_comma) = (Vec::new(), false);
        while !self.takes(close, true) {
            if !items.is_empty() && !has_comma {
                return None;
            }
            items.push(self.value(true)?.value);
            has_comma = self.takes(',', true);
        }
        self.depth -= 1;
        Some((items, has_comma))
    }

    fn open(&mut self, open: char) -> Option<()> {
        self.depth += 1;
        self.rest = self.rest.strip_prefix(open)?;
        (self.depth <= DEPTH_MAX).then_some(())
    }

    /// `{key: value, …}`, or a set, which becomes a list.
    fn dictionary(&mut self) -> Option<Literal> {
        self.open('{')?;
        let (mut map, mut set, mut has_comma) = (Map::new(), Vec::new(), true);
        while !self.takes('}', true) {
            if !has_comma {
                return None;
            }
            let key = self.value(true)?.value;
            if self.takes(':', true) {
                let value = self.value(true)?.value;
                map.insert(text(&key), value);
            } else {
                set.push(key);
            }
            has_comma = self.takes(',', true);
        }
        self.depth -= 1;
        match (map.is_empty(), set.is_empty()) {
            (_, true) => Some(Value::Object(map).into()),
            (true, false) => Some(Value::Array(set).into()),
            (false, false) => None,
        }
    }

    fn number(&mut self) -> Option<Literal> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
        let mut end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let has_prefix = |prefixes: &[&str]| prefixes.iter().any(|prefix| self.rest.starts_with(prefix));
        let radix = match () {
            () if has_prefix(&["0x", "0X"]) => 16,
            () if has_prefix(&["0o", "0O"]) => 8,
            () if has_prefix(&["0b", "0B"]) => 2,
            () => 10,
        };
        if radix == 10 && self.rest[..end].ends_with(['e', 'E']) && self.rest[end..].starts_with(['+', '-']) {
            end += 1 + self.rest[end + 1..].find(|c: char| !is_part(c)).unwrap_or(self.rest.len() - end - 1);
        }
        let word = &self.rest[..end];
        // An underscore stands between two digits.
        let bytes = word.as_bytes();
        let is_between = |at: usize| {
            let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_hexdigit);
            is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))
        };
        if word.bytes().enumerate().any(|(at, b)| b == b'_' && radix == 10 && !is_between(at)) {
            return None;
        }
        let plain = word.replace('_', "");
        let number = if radix != 10 {
            Number::from(u64::from_str_radix(&plain[2..], radix).ok()?)
        } else if plain.bytes().all(|b| b.is_ascii_digit()) {
            if plain.starts_with('0') && plain.bytes().any(|b| b != b'0') {
                return None;
            }
            Number::from(plain.parse::<u64>().ok()?)
        } else {
            let is_float = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
            if !plain.bytes().all(is_float) {
                return None;
            }
            Number::from_f64(plain.parse().ok()?)?
        };
        self.rest = &self.rest[end..];
        Some(Value::Number(number).into())
    }

    fn word(&mut self, in_brackets: bool) -> Option<Literal> {
        for (word, value) in [("True", Value::Bool(true)), ("False", Value::Bool(false)), ("None", Value::Null)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                    return None;
                }
                self.rest = rest;
                return Some(value.into());
            }
        }
        let mut joined = self.string()?;
        // Strings beside each other are one.
        loop {
            self.blank(in_brackets);
            match self.string() {
                Some(more) => joined.push_str(&more),
                None => return Some(Value::String(joined).into()),
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let (is_raw, body) = match self.rest.as_bytes() {
            [b'r' | b'R', b'\'' | b'"', ..] => (true, &self.rest[1..]),
            [b'u' | b'U', b'\'' | b'"', ..] => (false, &self.rest[1..]),
            [b'\'' | b'"', ..] => (false, self.rest),
            _ => return None,
        };
        let quote = &body[..1];
        let triple = quote.repeat(3);
        let mark = if body.starts_with(&triple) { triple.as_str() } else { quote };
        let mut chars = body[mark.len()..].char_indices();
        let mut out = String::new();
        let content = &body[mark.len()..];
        while let Some((at, c)) = chars.next() {
            if content[at..].starts_with(mark) {
                self.rest = &content[at + mark.len()..];
                return Some(out);
            }
            if c == '\n' && mark.len() == 1 {
                return None;
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let (_, escaped) = chars.next()?;
            if is_raw {
                out.extend(['\\', escaped]);
                continue;
            }
            let mut digits = |count: usize| -> Option<char> {
                let digits: String = chars.by_ref().take(count).map(|(_, c)| c).collect();
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
            };
            match escaped {
                '\n' => {}
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'a' => out.push('\u{7}'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'v' => out.push('\u{b}'),
                // Up to three digits of base 8.
                '0'..='7' => {
                    let start = at + 1;
                    let count = content[start..].bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                    out.push(char::from_u32(u32::from_str_radix(&content[start..start + count], 8).ok()?)?);
                    for _ in 1..count {
                        chars.next();
                    }
                }
                // A name of a character.
                'N' => return None,
                '\\' | '\'' | '"' => out.push(escaped),
                'x' => out.push(digits(2)?),
                'u' => out.push(digits(4)?),
                'U' => out.push(digits(8)?),
                other => out.extend(['\\', other]),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meaning(text: &str) -> Value {
        literal(text).map_or_else(|| Value::String(text.to_owned()), |literal| literal.value)
    }

    #[test]
    fn a_text_means_its_literal_and_else_itself() {
        for (text, value) in [
            ("7", json!(7)),
            ("007", json!("007")),
            ("000", json!(0)),
            ("-3", json!(-3)),
            ("--5", json!("--5")),
            ("+-5", json!("+-5")),
            ("'\\101\\a\\b'", json!("A\u{7}\u{8}")),
            ("'\\0x'", json!("\0x")),
            ("1_000", json!(1000)),
            ("1__0", json!("1__0")),
            ("1e3", json!(1000.0)),
            ("1.5", json!(1.5)),
            ("2024-10-10", json!("2024-10-10")),
            ("[1, 'a', None]", json!([1, "a", null])),
            ("{'a': [True]}", json!({"a": [true]})),
            ("(1, 2)", json!([1, 2])),
            ("('a')", json!("a")),
            ("'it''s'", json!("its")),
            ("\"\"\"{\"a\": 1}\"\"\"", json!("{\"a\": 1}")),
            ("True", json!(true)),
            ("Trueish", json!("Trueish")),
            ("true", json!("true")),
            ("a b", json!("a b")),
            ("12 monkeys", json!("12 monkeys")),
            ("5 # five", json!(5)),
            ("", json!("")),
            ("[1,", json!("[1,")),
            ("0x1F", json!(31)),
            ("123456789012345678901234567890", json!("123456789012345678901234567890")),
        ] {
            assert_eq!(meaning(text), value, "{text}");
        }
    }

    #[test]
    fn texts_are_numbers_as_python_reads_them() {
        for (text, base, found) in [
            (" 12 ", 10, Some(12)),
            ("-1_000", 10, Some(-1000)),
            ("1__0", 10, None),
            ("0x1f", 16, Some(31)),
            ("0x1f", 0, Some(31)),
            ("1f", 16, Some(31)),
            ("010", 0, None),
            ("010", 10, Some(10)),
            ("+-1", 10, None),
            ("z", 36, Some(35)),
            ("", 10, None),
        ] {
            assert_eq!(integer(text, base), found, "{text} {base}");
        }
        assert_eq!([number("1_0.5"), number("1_"), number(" 2 ")], [Some(10.5), None, Some(2.0)]);
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        assert_eq!(text(&json!({"a": [1, 1.0, true, null, "it's"]})), "{'a': [1, 1.0, True, None, \"it's\"]}");
        assert_eq!([float(1e16), float(1e-5), float(123.0), float(0.1)], ["1e+16", "1e-05", "123.0", "0.1"]);
        assert_eq!(literal("1,2").map(|literal| literal.to_text()), Some("(1, 2)".to_owned()));
    }
}

//! YAML: a connector manifest as a tree of JSON values. Manifests are written for YAML 1.1, with anchors, merge keys and
//! typed scalars, so the reader of pipeline files, which refuses all of them, is not for them.
//!
//! A manifest comes from elsewhere: its size, its depth and what its aliases grow to are bounded.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Number, Value};

/// Most bytes of a manifest; the largest public one has 1.2 MB.
const MANIFEST_BYTES_MAX: usize = 8 << 20;
/// Most lists and mappings inside each other.
const DEPTH_MAX: usize = 64;
/// Most values, each counted as often as aliases repeat it.
const VALUES_MAX: usize = 2_000_000;

/// Reads a manifest; the error is a sentence.
pub(super) fn read(source: &str) -> Result<Value, String> {
    if source.len() > MANIFEST_BYTES_MAX {
        return Err(format!("the manifest has {} bytes; at most {MANIFEST_BYTES_MAX} are read", source.len()));
    }
    let mut reader = Reader { parser: Parser::new_from_str(source), anchors: BTreeMap::new(), values: 0 };
    loop {
        match reader.next()? {
            Event::StreamEnd => return Ok(Value::Null),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            event => return reader.value(event, 0),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: BTreeMap<usize, Value>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        match self.parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => {
                let at = error.marker();
                Err(format!("line {}, column {}: {}", at.line(), at.col() + 1, error.info()))
            }
            None => Ok(Event::StreamEnd),
        }
    }

    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Value, String> {
        if depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} lists and mappings are inside each other"));
        }
        self.count(1)?;
        let (anchor, value) = match event {
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().ok_or("an alias stands inside its own anchor")?;
                self.count(size(&value))?;
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                (anchor, if is_text { Value::String(text.into_owned()) } else { scalar(&text) })
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.value(event, depth + 1)?),
                    }
                }
                (anchor, Value::Array(items))
            }
            Event::MappingStart(anchor, _) => (anchor, Value::Object(self.mapping(depth)?)),
            other => return Err(format!("{other:?} stands where a value is expected")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    /// The entries of a mapping. Its own keys win over those that `<<` merges into it.
    fn mapping(&mut self, depth: usize) -> Result<Map<String, Value>, String> {
        let mut own = Map::new();
        let mut merged = Map::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => break,
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err("a key is a list, a mapping or an alias".to_owned()),
            };
            self.count(1)?;
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if key != "<<" {
                own.insert(key, value);
                continue;
            }
            for map in if let Value::Array(maps) = value { maps } else { vec![value] } {
                let Value::Object(map) = map else {
                    return Err("`<<` merges what is no mapping".to_owned());
                };
                for (key, value) in map {
                    merged.entry(key).or_insert(value);
                }
            }
        }
        for (key, value) in merged {
            own.entry(key).or_insert(value);
        }
        Ok(own)
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values += values;
        if self.values > VALUES_MAX {
            return Err(format!("the manifest has more than {VALUES_MAX} values"));
        }
        Ok(())
    }
}

/// The number of values in it.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// What a scalar without quotes means in YAML 1.1. A date stays a text: no field of a manifest is one.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    integer(text).or_else(|| float(text)).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// `[-+]?0b[01_]+ | [-+]?0[0-7_]+ | [-+]?(0|[1-9][0-9_]*) | [-+]?0x[0-9a-fA-F_]+`
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.starts_with('_') || digits.is_empty() {
        return None;
    }
    let plain = digits.replace('_', "");
    let (radix, plain) = match plain.as_bytes() {
        [b'0', b'b', ..] => (2, &plain[2..]),
        [b'0', b'x', ..] => (16, &plain[2..]),
        [b'0', _, ..] => (8, &plain[1..]),
        _ => (10, plain.as_str()),
    };
    if !plain.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(plain, radix).ok()?;
    let value = if negative { -value } else { value };
    i64::try_from(value).map(Value::from).or_else(|_| u64::try_from(value).map(Value::from)).ok()
}

/// `[-+]?([0-9][0-9_]*)\.[0-9_]*([eE][-+][0-9]+)?`: YAML 1.1 wants a point, and a sign in the exponent.
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.')?;
    let are_digits = |digits: &str| digits.chars().all(|c| c.is_ascii_digit() || c == '_');
    if !are_digits(whole) || !are_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if exponent.is_some_and(|exponent| !exponent.starts_with(['-', '+'])) {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_mean_what_yaml_1_1_says() {
        let file = "a: yes\nb: 'yes'\nc: 007\nd: 1_000\ne: 1.5\nf: 1e5\ng: 2024-01-01\nh: ~\ni: 12:30\nj: -3\n";
        let expected = json!({"a": true, "b": "yes", "c": 7, "d": 1000, "e": 1.5, "f": "1e5", "g": "2024-01-01",
            "h": null, "i": "12:30", "j": -3});
        assert_eq!(read(file), Ok(expected));
    }

    #[test]
    fn a_merge_key_gives_what_the_mapping_does_not_say() {
        let file = "base: &base {a: 1, b: 2}\nmine: {<<: *base, b: 3}\n";
        assert_eq!(read(file), Ok(json!({"base": {"a": 1, "b": 2}, "mine": {"b": 3, "a": 1}})));
    }

    #[test]
    fn aliases_that_grow_without_end_are_refused() {
        let mut file = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let of = format!("*a{}, ", level - 1).repeat(10);
            file.push_str(&format!("a{level}: &a{level} [{of}]\n"));
        }
        assert!(read(&file).unwrap_err().contains("more than"));
    }
}

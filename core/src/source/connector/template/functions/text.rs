//! Text: what templates do with texts: the methods of Python's `str`, ways to write a value, and digests.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;
use sha2::Digest as _;

use super::{join, other};
use crate::source::connector::python;
use crate::source::connector::template::evaluate::{Given, bounded};
use crate::source::connector::template::{Datum, Wrong};

/// What a regular expression of a manifest may grow to, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;

pub(super) fn replace<'a>(text: &str, old: &str, new: &str) -> Result<Datum<'a>, Wrong> {
    bounded((text.len() / old.len().max(1) + 1).saturating_mul(new.len()))?;
    Ok(Datum::text_of(text.replace(old, new)))
}

pub(super) fn strip(text: &str, chars: Option<&str>, start: bool, end: bool) -> String {
    let is_stripped = |c: char| chars.map_or_else(|| c.is_whitespace(), |chars| chars.contains(c));
    let text = if start { text.trim_start_matches(is_stripped) } else { text };
    if end { text.trim_end_matches(is_stripped).to_owned() } else { text.to_owned() }
}

pub(super) fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
        .unwrap_or_default()
}

pub(super) fn title(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphabetic();
    }
    out
}

pub(super) fn regex(pattern: &str) -> Result<Regex, Wrong> {
    let built = regex::RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|_| other(format!("the regular expression `{pattern}` cannot be read")))
}

/// JSON with a blank after `,` and `:`, as Python writes it, and with escapes for what is not ASCII.
pub(in crate::source::connector) fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| format!("{}: {}", escaped(key), spaced(value));
            format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => escaped(text),
        Value::Number(number) if number.is_f64() => python::float(number.as_f64().unwrap_or_default()),
        scalar => scalar.to_string(),
    }
}

/// With the keys of every mapping in order.
pub(in crate::source::connector) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries: BTreeMap<_, _> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

fn escaped(text: &str) -> String {
    let json = Value::String(text.to_owned()).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Percent-encodes what is neither a letter, a digit nor `_.-~`, nor in `safe`; a blank may become `+`.
pub(in crate::source::connector) fn quote(text: &str, safe: &str, is_plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b' ' if is_plus => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) || safe.as_bytes().contains(&b) => {
                out.push(b.into())
            }
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn hash<'a>(of: &Datum<'a>, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let mut text = of.to_text();
    if let Some(salt) = given.get(1, "salt").filter(|salt| salt.is_true()) {
        text.push_str(&salt.to_text());
    }
    Ok(Datum::text_of(match given.get(0, "hash_type").and_then(Datum::as_str).unwrap_or("md5") {
        "md5" => hex(&md5::Md5::digest(&text)),
        "sha1" => hex(&sha1::Sha1::digest(&text)),
        "sha256" => hex(&sha2::Sha256::digest(&text)),
        "sha512" => hex(&sha2::Sha512::digest(&text)),
        name => return Err(other(format!("there is no hash `{name}`"))),
    }))
}

/// RFC 2104: `H(key ^ opad, H(key ^ ipad, message))`.
pub(super) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let short = if key.len() > block.len() { sha2::Sha256::digest(key).to_vec() } else { key.to_vec() };
    block[..short.len()].copy_from_slice(&short);
    let inner = sha2::Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(message).finalize();
    sha2::Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

pub(super) fn text_method<'a>(text: &str, name: &str, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let chars = || given.get(0, "chars").and_then(Datum::as_str);
    let starts = |text: &str, parts: &Datum<'_>, starts: bool| -> Result<bool, Wrong> {
        let fits = |part: &str| if starts { text.starts_with(part) } else { text.ends_with(part) };
        match parts.as_str() {
            Some(part) => Ok(fits(part)),
            None => Ok(parts.items()?.iter().filter_map(Datum::as_str).any(fits)),
        }
    };
    Ok(match name {
        "split" => {
            let count =
                given.get(1, "maxsplit").and_then(Datum::as_integer).and_then(|count| usize::try_from(count).ok());
            let parts: Vec<String> = match (given.get(0, "sep").filter(|sep| !sep.is_none()), count) {
                (None, None) => text.split_whitespace().map(ToOwned::to_owned).collect(),
                (None, Some(count)) => {
                    text.trim_start().splitn(count + 1, char::is_whitespace).map(ToOwned::to_owned).collect()
                }
                (Some(separator), count) => {
                    let separator = separator.as_str().ok_or(Wrong::Type)?;
                    if separator.is_empty() {
                        return Err(other("the separator of `split` is empty"));
                    }
                    match count {
                        Some(count) => text.splitn(count + 1, separator).map(ToOwned::to_owned).collect(),
                        None => text.split(separator).map(ToOwned::to_owned).collect(),
                    }
                }
            };
            Value::Array(parts.into_iter().map(Value::String).collect()).into()
        }
        "join" => {
            let items = given.get(0, "iterable").ok_or(Wrong::Type)?.items()?;
            if items.iter().any(|item| item.as_str().is_none()) {
                return Err(Wrong::Type);
            }
            join(text, &items)?
        }
        "format" => format(text, given)?,
        "replace" => replace(text, given.text(0, "old")?, given.text(1, "new")?)?,
        "strip" => Datum::text_of(strip(text, chars(), true, true)),
        "lstrip" => Datum::text_of(strip(text, chars(), true, false)),
        "rstrip" => Datum::text_of(strip(text, chars(), false, true)),
        "lower" => Datum::text_of(text.to_lowercase()),
        "upper" => Datum::text_of(text.to_uppercase()),
        "title" => Datum::text_of(title(text)),
        "capitalize" => Datum::text_of(capitalized(text)),
        "startswith" | "endswith" => {
            Value::Bool(starts(text, given.get(0, "prefix").ok_or(Wrong::Type)?, name == "startswith")?).into()
        }
        "find" | "index" => {
            let found = text.find(given.text(0, "sub")?).map(|at| text[..at].chars().count());
            match found {
                Some(at) => Value::from(at).into(),
                None if name == "find" => Value::from(-1).into(),
                None => return Err(other("a part is not in its text")),
            }
        }
        "count" => Value::from(text.matches(given.text(0, "sub")?).count()).into(),
        "isdigit" => Value::Bool(!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).into(),
        "zfill" => {
            let width = given.get(0, "width").and_then(Datum::as_integer).ok_or(Wrong::Type)?;
            let width = usize::try_from(width).unwrap_or_default();
            bounded(width)?;
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            let missing = width.saturating_sub(text.chars().count());
            Datum::text_of(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        _ => return Err(Wrong::Undefined(format!("there is no `{name}` of a text"))),
    })
}

/// `str.format` with `{}`, `{0}` and `{name}`; anything finer is said to be missing.
fn format<'a>(text: &str, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let mut out = String::new();
    let (mut rest, mut next) = (text, 0);
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let mark = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(mark) {
            out.push_str(mark);
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| mark == "{").ok_or_else(|| other("a bracket of `format` stands alone"))?;
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let place = if field.is_empty() { Some(next) } else { field.parse().ok() };
        next += usize::from(field.is_empty());
        let datum = match place {
            Some(place) => given.positional.get(place),
            None => given.named.iter().find(|(name, _)| *name == field).map(|(_, datum)| datum),
        };
        out.push_str(&datum.ok_or_else(|| other(format!("`format` has nothing for `{{{field}}}`")))?.to_text());
        bounded(out.len())?;
    }
    out.push_str(rest);
    Ok(Datum::text_of(out))
}

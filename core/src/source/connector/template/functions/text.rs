//! Text: what templates do with texts: the methods of Python's `str`, ways to write a value, and digests.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;
use sha2::Digest as _;

use super::format::{format, widened};
use super::{join, other};
use crate::source::connector::python;
use crate::source::connector::template::evaluate::{Given, bounded};
use crate::source::connector::template::{Datum, Wrong};

/// What a regular expression of a manifest may grow to, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// `str.replace`; without a count, or with one below nothing, all are replaced.
pub(super) fn replace<'a>(text: &str, old: &str, new: &str, count: Option<&Datum<'_>>) -> Result<Datum<'a>, Wrong> {
    bounded((text.len() / old.len().max(1) + 1).saturating_mul(new.len()))?;
    let count = match count.filter(|count| !count.is_none()) {
        Some(count) => usize::try_from(count.as_integer().ok_or(Wrong::Type)?).ok(),
        None => None,
    };
    Ok(Datum::text_of(match count {
        Some(count) => text.replacen(old, new, count),
        None => text.replace(old, new),
    }))
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

/// Jinja's `title`: a word begins behind a blank, `-` or an opening bracket.
pub(super) fn words_capitalized(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = !(c.is_whitespace() || "-({[<".contains(c));
    }
    out
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

/// Whether Python's regular expression can be read.
pub(super) fn is_regex(pattern: &str) -> bool {
    regex(pattern).is_ok()
}

pub(super) fn regex(pattern: &str) -> Result<Regex, Wrong> {
    let pattern = &absolute_ends(pattern);
    let built = regex::RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|_| other(format!("the regular expression `{pattern}` cannot be read")))
}

/// `\Z` of Python is `\z` here.
fn absolute_ends(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == '\\' {
            out.extend(chars.next().map(|escaped| if escaped == 'Z' { 'z' } else { escaped }));
        }
    }
    out
}

/// A text in which what a regular expression finds is replaced, as `re.sub` does it: `\1`, `\g<1>` and `\g<name>` are groups.
pub(super) fn regex_replace(text: &str, pattern: &str, replacement: &str) -> Result<String, Wrong> {
    enum Piece {
        Text(String),
        Group(usize),
    }
    let regex = regex(pattern)?;
    let unknown = || other("a replacement names a group that is not there");
    let mut pieces = Vec::new();
    let mut rest = replacement;
    while let Some(at) = rest.find('\\') {
        pieces.push(Piece::Text(rest[..at].to_owned()));
        rest = &rest[at + 1..];
        let escaped = rest.chars().next().ok_or_else(|| other("a replacement ends with a backslash"))?;
        if let Some(named) = rest.strip_prefix("g<") {
            let (name, after) = named.split_once('>').ok_or_else(unknown)?;
            let known = || regex.capture_names().position(|known| known == Some(name));
            pieces.push(Piece::Group(name.parse().ok().or_else(known).ok_or_else(unknown)?));
            rest = after;
        } else if escaped.is_ascii_digit() && escaped != '0' {
            let end = if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
            pieces.push(Piece::Group(rest[..end].parse().map_err(|_| unknown())?));
            rest = &rest[end..];
        } else {
            let known = [('n', "\n"), ('t', "\t"), ('r', "\r"), ('\\', "\\")];
            let meant = known.iter().find(|(known, _)| *known == escaped).map(|(_, meant)| (*meant).to_owned());
            if meant.is_none() && escaped.is_ascii_alphanumeric() {
                return Err(other(format!("a replacement has the escape `\\{escaped}`")));
            }
            pieces.push(Piece::Text(meant.unwrap_or_else(|| format!("\\{escaped}"))));
            rest = &rest[escaped.len_utf8()..];
        }
    }
    pieces.push(Piece::Text(rest.to_owned()));
    if pieces.iter().any(|piece| matches!(piece, Piece::Group(group) if *group >= regex.captures_len())) {
        return Err(unknown());
    }
    let replaced = regex.replace_all(text, |found: &regex::Captures<'_>| {
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Group(group) => found.get(*group).map_or("", |group| group.as_str()),
            })
            .collect::<String>()
    });
    Ok(replaced.into_owned())
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

/// The hashes that `hash` knows.
pub(super) const HASHES: [&str; 6] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

pub(super) fn hash<'a>(of: &Datum<'a>, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let mut text = of.to_text();
    if let Some(salt) = given.get(1, "salt").filter(|salt| salt.is_true()) {
        text.push_str(&salt.to_text());
    }
    Ok(Datum::text_of(match given.get(0, "hash_type").and_then(Datum::as_str).unwrap_or("md5") {
        "md5" => hex(&md5::Md5::digest(&text)),
        "sha1" => hex(&sha1::Sha1::digest(&text)),
        "sha224" => hex(&sha2::Sha224::digest(&text)),
        "sha256" => hex(&sha2::Sha256::digest(&text)),
        "sha384" => hex(&sha2::Sha384::digest(&text)),
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
    // The part of the text that two arguments say, and how many characters are before it; `None`: it begins behind the text's end.
    let part = || -> Result<Option<(usize, &str)>, Wrong> {
        let length = i64::try_from(text.chars().count()).map_err(|_| Wrong::Type)?;
        let bound = |at, name, missing: i64| -> Result<i64, Wrong> {
            let Some(said) = given.get(at, name).filter(|said| !said.is_none()) else { return Ok(missing) };
            let said = said.as_integer().ok_or(Wrong::Type)?;
            Ok(if said < 0 { said.saturating_add(length).max(0) } else { said })
        };
        let (start, end) = (bound(1, "start", 0)?, bound(2, "end", length)?.min(length));
        if start > length || start > end {
            return Ok(None);
        }
        let at = |place: i64| {
            let place = usize::try_from(place).unwrap_or_default();
            text.char_indices().nth(place).map_or(text.len(), |(at, _)| at)
        };
        Ok(Some((usize::try_from(start).unwrap_or_default(), &text[at(start)..at(end)])))
    };
    let is_all = |is: fn(char) -> bool| -> Datum<'a> { Value::Bool(!text.is_empty() && text.chars().all(is)).into() };
    let aligned = |align: char| -> Result<Datum<'a>, Wrong> {
        let width = given.get(0, "width").and_then(Datum::as_integer).ok_or(Wrong::Type)?;
        let width = usize::try_from(width).unwrap_or_default();
        bounded(width)?;
        let fill = given.get(1, "fillchar").map_or(Some(" "), Datum::as_str).ok_or(Wrong::Type)?;
        let mut fills = fill.chars();
        let (Some(fill), None) = (fills.next(), fills.next()) else { return Err(Wrong::Type) };
        Ok(Datum::text_of(widened(text, fill, align, width)))
    };
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
                    let (mut parts, mut rest) = (Vec::new(), text.trim_start());
                    while parts.len() < count && !rest.is_empty() {
                        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                        parts.push(rest[..end].to_owned());
                        rest = rest[end..].trim_start();
                    }
                    parts.extend(Some(rest.to_owned()).filter(|rest| !rest.is_empty()));
                    parts
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
        "rsplit" => {
            let count =
                given.get(1, "maxsplit").and_then(Datum::as_integer).and_then(|count| usize::try_from(count).ok());
            let mut parts: Vec<String> = match given.get(0, "sep").filter(|sep| !sep.is_none()) {
                None => {
                    let (mut parts, mut rest) = (Vec::new(), text.trim_end());
                    while count.is_none_or(|count| parts.len() < count) && !rest.is_empty() {
                        let start = rest.char_indices().rev().find(|(_, c)| c.is_whitespace());
                        let start = start.map_or(0, |(at, c)| at + c.len_utf8());
                        parts.push(rest[start..].to_owned());
                        rest = rest[..start].trim_end();
                    }
                    parts.extend(Some(rest.to_owned()).filter(|rest| !rest.is_empty()));
                    parts
                }
                Some(separator) => {
                    let separator = separator.as_str().ok_or(Wrong::Type)?;
                    if separator.is_empty() {
                        return Err(other("the separator of `rsplit` is empty"));
                    }
                    match count {
                        Some(count) => text.rsplitn(count + 1, separator).map(ToOwned::to_owned).collect(),
                        None => text.rsplit(separator).map(ToOwned::to_owned).collect(),
                    }
                }
            };
            parts.reverse();
            Value::Array(parts.into_iter().map(Value::String).collect()).into()
        }
        "splitlines" => {
            let lines = text.replace("\r\n", "\n").replace('\r', "\n");
            Value::Array(lines.split_terminator('\n').map(Value::from).collect()).into()
        }
        "partition" | "rpartition" => {
            let separator = given.text(0, "sep")?;
            let found = if name == "partition" { text.split_once(separator) } else { text.rsplit_once(separator) };
            let parts = match found {
                Some((before, after)) => [before, separator, after],
                None if name == "partition" => [text, "", ""],
                None => ["", "", text],
            };
            Value::Array(parts.map(Value::from).into()).into()
        }
        "removeprefix" => Datum::text_of(text.strip_prefix(given.text(0, "prefix")?).unwrap_or(text)),
        "removesuffix" => Datum::text_of(text.strip_suffix(given.text(0, "suffix")?).unwrap_or(text)),
        "ljust" => aligned('<')?,
        "rjust" => aligned('>')?,
        "join" => {
            let items = given.get(0, "iterable").ok_or(Wrong::Type)?.items()?;
            if items.iter().any(|item| item.as_str().is_none()) {
                return Err(Wrong::Type);
            }
            join(text, &items)?
        }
        "format" => format(text, given)?,
        "replace" => replace(text, given.text(0, "old")?, given.text(1, "new")?, given.get(2, "count"))?,
        "strip" => Datum::text_of(strip(text, chars(), true, true)),
        "lstrip" => Datum::text_of(strip(text, chars(), true, false)),
        "rstrip" => Datum::text_of(strip(text, chars(), false, true)),
        "lower" => Datum::text_of(text.to_lowercase()),
        "upper" => Datum::text_of(text.to_uppercase()),
        "title" => Datum::text_of(title(text)),
        "capitalize" => Datum::text_of(capitalized(text)),
        "startswith" | "endswith" => {
            let wanted = given.get(0, "prefix").ok_or(Wrong::Type)?;
            match part()? {
                Some((_, text)) => Value::Bool(starts(text, wanted, name == "startswith")?).into(),
                None => Value::Bool(false).into(),
            }
        }
        "find" | "index" | "rfind" | "rindex" => {
            let wanted = given.text(0, "sub")?;
            let found = part()?.and_then(|(before, text)| {
                let at = if name.starts_with('r') { text.rfind(wanted) } else { text.find(wanted) };
                at.map(|at| before + text[..at].chars().count())
            });
            match found {
                Some(at) => Value::from(at).into(),
                None if name.ends_with("find") => Value::from(-1).into(),
                None => return Err(other("a part is not in its text")),
            }
        }
        "count" => {
            let wanted = given.text(0, "sub")?;
            Value::from(part()?.map_or(0, |(_, text)| text.matches(wanted).count())).into()
        }
        "isdigit" => is_all(|c| c.is_ascii_digit()),
        "isnumeric" => is_all(char::is_numeric),
        "isalpha" => is_all(char::is_alphabetic),
        "isalnum" => is_all(char::is_alphanumeric),
        "isspace" => is_all(char::is_whitespace),
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

//! Functions of the reference. One that is not here is unknown.

use super::Answer;
use super::Stop;
use super::Value;
use super::number;
use super::number::Rounding;
use super::text;
use crate::diagnostic::Code;
use crate::types::Type;

/// A call; no argument of a strict function is NULL.
pub(super) fn call(name: &str, arguments: &[Value], types: &[Type], ty: Type) -> Answer {
    let chars = |at: usize| text(&arguments[at]).chars().collect::<Vec<char>>();
    let number = |at: usize| match arguments.get(at) {
        Some(Value::Whole(number)) => *number,
        _ => 0,
    };
    let of = |chars: &[char]| Ok(Value::Text(chars.iter().collect()));
    let length = |chars: &[char]| i128::try_from(chars.len()).unwrap_or(0);
    let at = |place: i128, chars: &[char]| usize::try_from(place.clamp(0, length(chars))).unwrap_or(0);
    match (name, arguments) {
        ("length", _) => Ok(Value::Whole(length(&chars(0)))),
        ("octet_length", _) => Ok(Value::Whole(text(&arguments[0]).len().try_into().unwrap_or(0))),
        ("reverse", _) => Ok(Value::Text(text(&arguments[0]).chars().rev().collect())),
        ("upper", _) => Ok(Value::Text(chars(0).into_iter().map(|char| one(char, char.to_uppercase())).collect())),
        ("lower", _) => Ok(Value::Text(chars(0).into_iter().map(|char| one(char, char.to_lowercase())).collect())),
        ("initcap", _) => {
            let mut before = ' ';
            let cased = chars(0).into_iter().map(|char| {
                let before = std::mem::replace(&mut before, char);
                let is_other_number = before.is_numeric() && !before.is_alphabetic() && !before.is_ascii_digit();
                let starts = !before.is_alphanumeric() || (is_other_number && !is_digit(before));
                if starts { one(char, char.to_uppercase()) } else { one(char, char.to_lowercase()) }
            });
            Ok(Value::Text(cased.collect()))
        }
        ("repeat", _) => {
            let times = usize::try_from(number(1)).unwrap_or(0);
            match text(&arguments[0]).len().saturating_mul(times) > 1 << 20 {
                true => Err(Stop::Fault(Code::ResultTooLong)),
                false => Ok(Value::Text(text(&arguments[0]).repeat(times))),
            }
        }
        ("concat", values) => {
            let known = values.iter().filter(|value| **value != Value::Null);
            Ok(Value::Text(known.map(text).collect()))
        }
        ("btrim" | "ltrim" | "rtrim", _) => {
            let set = if arguments.len() > 1 { chars(1) } else { vec![' '] };
            let mut kept = chars(0);
            while name != "ltrim" && kept.last().is_some_and(|char| set.contains(char)) {
                kept.pop();
            }
            while name != "rtrim" && kept.first().is_some_and(|char| set.contains(char)) {
                kept.remove(0);
            }
            of(&kept)
        }
        ("left", _) => {
            let chars = chars(0);
            let count = if number(1) < 0 { length(&chars) + number(1) } else { number(1) };
            of(&chars[..at(count, &chars)])
        }
        ("right", _) => {
            let chars = chars(0);
            let skipped = if number(1) < 0 { -number(1) } else { length(&chars) - number(1) };
            of(&chars[at(skipped, &chars)..])
        }
        ("substring", [_, Value::Whole(from), rest @ ..]) => {
            let chars = chars(0);
            let end = match rest {
                [Value::Whole(..0)] => return Err(Stop::Fault(Code::NegativeLength)),
                [Value::Whole(count)] => from + count - 1,
                _ => length(&chars),
            };
            let (start, end) = (at(from - 1, &chars), at(end, &chars));
            of(chars.get(start..end).unwrap_or_default())
        }
        ("lpad" | "rpad", _) => {
            let (chars, wanted) = (chars(0), usize::try_from(number(1)).unwrap_or(0));
            let fill = if arguments.len() > 2 { self::chars(&arguments[2]) } else { vec![' '] };
            if wanted > 1 << 18 {
                return super::unknown("a very long text");
            }
            let mut filled = chars.get(..wanted).unwrap_or(&chars).to_vec();
            let missing = if fill.is_empty() { 0 } else { wanted - filled.len() };
            let fill: Vec<char> = fill.into_iter().cycle().take(missing).collect();
            let place = if name == "lpad" { 0 } else { filled.len() };
            filled.splice(place..place, fill);
            of(&filled)
        }
        ("split_part", _) => {
            let (whole, delimiter) = (text(&arguments[0]), text(&arguments[1]));
            let parts: Vec<&str> = match (whole.is_empty(), delimiter.is_empty()) {
                (true, _) => Vec::new(),
                (_, true) => vec![whole],
                _ => whole.split(delimiter).collect(),
            };
            // From the end, overlapping delimiters cut elsewhere.
            let from_end: Vec<&str> = match delimiter.is_empty() {
                true => parts.clone(),
                false => whole.rsplit(delimiter).filter(|_| !whole.is_empty()).collect(),
            };
            let part = match number(2) {
                0 => return Err(Stop::Fault(Code::BadArgument)),
                place @ 1.. => parts.get(usize::try_from(place - 1).unwrap_or(usize::MAX)),
                place => from_end.get(usize::try_from(-place - 1).unwrap_or(usize::MAX)),
            };
            Ok(Value::Text((*part.unwrap_or(&"")).to_owned()))
        }
        ("replace", _) => match text(&arguments[1]) {
            "" => Ok(arguments[0].clone()),
            old => Ok(Value::Text(text(&arguments[0]).replace(old, text(&arguments[2])))),
        },
        ("strpos", _) => {
            let (chars, wanted) = (chars(0), chars(1));
            let found = (0..=chars.len()).find(|&start| chars[start..].starts_with(&wanted));
            Ok(Value::Whole(found.map_or(0, |start| i128::try_from(start + 1).unwrap_or(0))))
        }
        ("starts_with", _) => Ok(Value::Boolean(chars(0).starts_with(&chars(1)))),
        ("abs", [Value::Whole(value)]) => number::fit(value.abs(), ty),
        ("abs", [Value::Exact(value)]) => value.abs().bounded(),
        ("abs", [Value::Real(value)]) => Ok(Value::Real(value.abs())),
        ("abs", [Value::Double(value)]) => Ok(Value::Double(value.abs())),
        ("sign", [Value::Exact(value)]) => Ok(Value::Exact(number::Exact::whole(value.sign()))),
        ("sign", [Value::Double(value)]) => Ok(Value::Double(match value.partial_cmp(&0.0) {
            Some(std::cmp::Ordering::Greater) => 1.0,
            Some(std::cmp::Ordering::Less) => -1.0,
            // PostgreSQL has no third answer: neither greater nor less is zero.
            _ => 0.0,
        })),
        ("mod", [left, right]) => number::arithmetic(crate::expr::tree::Binary::Modulo, left, right, ty),
        ("round", [Value::Double(value)]) => Ok(Value::Double(value.round_ties_even())),
        ("trunc", [Value::Double(value)]) => Ok(Value::Double(value.trunc())),
        ("ceil", [Value::Double(value)]) => Ok(Value::Double(value.ceil())),
        ("floor", [Value::Double(value)]) => Ok(Value::Double(value.floor())),
        ("round" | "trunc" | "ceil" | "floor", [Value::Exact(value), rest @ ..]) => {
            let digits = match rest {
                [Value::Whole(digits)] => i64::try_from(*digits).unwrap_or(0),
                _ => 0,
            };
            let how = match name {
                "round" => Rounding::HalfAway,
                "trunc" => Rounding::Cut,
                "ceil" => Rounding::Up,
                _ => Rounding::Down,
            };
            if digits > 38 { Err(Stop::Fault(Code::OutOfRange)) } else { value.rounded(digits, how).bounded() }
        }
        ("sqrt", [Value::Double(value)]) if *value < 0.0 => Err(Stop::Fault(Code::BadPower)),
        ("sqrt", [Value::Double(value)]) => Ok(Value::Double(value.sqrt())),
        ("date_trunc", [Value::Text(unit), Value::Moment(micros)]) if unit == "hour" => {
            Ok(Value::Moment(micros - micros.rem_euclid(3_600_000_000)))
        }
        _ => super::unknown(&format!("{name}({types:?})")),
    }
}

fn chars(value: &Value) -> Vec<char> {
    text(value).chars().collect()
}

/// The letter in another case, where that is one letter.
fn one(char: char, cased: impl Iterator<Item = char> + Clone) -> char {
    match (cased.clone().count(), cased.clone().next()) {
        (1, Some(cased)) => cased,
        _ => char,
    }
}

/// Whether a character is a digit of some script.
fn is_digit(char: char) -> bool {
    regex::Regex::new(r"^\d$").is_ok_and(|digit| digit.is_match(&char.to_string()))
}

//! Functions: what a template may call. Those of manifests, and those of Jinja and of Python that manifests use.
//!
//! The lists of names are what parsing knows; a test holds that each name does something.

mod format;
mod text;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::evaluate::{Evaluation, Given, are_equal, bounded, float, order};
use super::parse::Comparison;
use super::{Datum, Wrong};
use crate::source::connector::python;
use crate::source::connector::time::{DAY, Moment, Span};
use crate::value::datetime::zone::Zone;
use text::{
    HASHES, capitalized, hash, hex, hmac_sha256, is_regex, regex, regex_replace, replace, strip, text_method,
    words_capitalized,
};

pub(in crate::source::connector) use text::{quote, sorted, spaced};

/// What the arguments of a call are called, in their order; of what is not here, any may be given.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("base64binascii_decode", &[]),
    ("base64decode", &[]),
    ("base64encode", &[]),
    ("abs", &[]),
    ("camel_case_to_snake_case", &["value"]),
    ("capitalize", &[]),
    ("d", &["default_value", "boolean"]),
    ("date", &[]),
    ("day_delta", &["num_days", "format"]),
    ("default", &["default_value", "boolean"]),
    ("duration", &["datestring"]),
    ("endswith", &["prefix", "start", "end"]),
    ("find", &["sub", "start", "end"]),
    ("first", &[]),
    ("float", &["default"]),
    ("format_datetime", &["dt", "format", "input_format"]),
    ("generate_uuid", &[]),
    ("get", &["key", "default"]),
    ("hash", &["hash_type", "salt"]),
    ("hmac", &["key", "hash_type"]),
    ("index", &["sub", "start", "end"]),
    ("int", &["default", "base"]),
    ("isalnum", &[]),
    ("isalpha", &[]),
    ("isdigit", &[]),
    ("isnumeric", &[]),
    ("isoformat", &["sep", "timespec"]),
    ("isoweekday", &[]),
    ("isspace", &[]),
    ("items", &[]),
    ("keys", &[]),
    ("last", &[]),
    ("length", &[]),
    ("list", &[]),
    ("ljust", &["width", "fillchar"]),
    ("lower", &[]),
    ("lstrip", &["chars"]),
    ("now_utc", &[]),
    ("partition", &["sep"]),
    ("regex_replace", &["regex", "replacement"]),
    ("regex_search", &["regex"]),
    ("removeprefix", &["prefix"]),
    ("removesuffix", &["suffix"]),
    ("reverse", &[]),
    ("rfind", &["sub", "start", "end"]),
    ("rindex", &["sub", "start", "end"]),
    ("rjust", &["width", "fillchar"]),
    ("round", &["precision", "method"]),
    ("rpartition", &["sep"]),
    ("rsplit", &["sep", "maxsplit"]),
    ("rstrip", &["chars"]),
    ("sanitize_url", &["value"]),
    ("sort", &["reverse", "case_sensitive", "attribute"]),
    ("split", &["sep", "maxsplit"]),
    ("splitlines", &[]),
    ("startswith", &["prefix", "start", "end"]),
    ("str_to_datetime", &["s"]),
    ("strftime", &["format"]),
    ("string", &[]),
    ("strip", &["chars"]),
    ("sum", &["attribute", "start"]),
    ("timestamp", &["dt"]),
    ("title", &[]),
    ("today_utc", &[]),
    ("today_with_timezone", &["timezone"]),
    ("tojson", &[]),
    ("total_seconds", &[]),
    ("trim", &["chars"]),
    ("unique", &["case_sensitive", "attribute"]),
    ("upper", &[]),
    ("urlencode", &[]),
    ("values", &[]),
    ("weekday", &[]),
    ("zfill", &["width"]),
];

/// The filters that are called otherwise than the function or the method of their name.
const FILTER_PARAMETERS: &[(&str, &[&str])] = &[
    ("count", &[]),
    ("join", &["d", "attribute"]),
    ("max", &["case_sensitive", "attribute"]),
    ("min", &["case_sensitive", "attribute"]),
    ("replace", &["old", "new", "count"]),
];

/// What of a call nobody has: an argument that is not looked at, or a constant that cannot be obeyed. `constant`: an argument by its
/// place, if it is a constant text; `of`: what the method or filter is of, if that is one.
pub(super) fn call_lacks<'t>(
    name: &str,
    is_filter: bool,
    positional: usize,
    named: &[&str],
    of: Option<&str>,
    constant: &dyn Fn(usize, &str) -> Option<&'t str>,
) -> Option<String> {
    let own = if is_filter { FILTER_PARAMETERS } else { &[] };
    let known = own.iter().chain(PARAMETERS).find(|(known, _)| *known == name);
    if let Some((_, parameters)) = known {
        if positional > parameters.len() {
            return Some(format!("an argument {} of `{name}`", parameters.len() + 1));
        }
        if let Some(unknown) = named.iter().find(|named| !parameters.contains(named)) {
            return Some(format!("the argument `{unknown}` of `{name}`"));
        }
    }
    match name {
        "regex_search" | "regex_replace" => {
            let pattern = constant(0, "regex").filter(|pattern| !is_regex(pattern))?;
            Some(format!("the regular expression `{pattern}`"))
        }
        "hash" => {
            let hash = constant(0, "hash_type").filter(|hash| !HASHES.contains(hash))?;
            Some(format!("the hash `{hash}`"))
        }
        "format" => format::lacks(of?),
        "replace" => {
            let unknown = named.iter().find(|named| !REPLACED.contains(named))?;
            Some(format!("the argument `{unknown}` of `replace`"))
        }
        _ => None,
    }
}

/// What `replace` has by name: of a text, and of a time.
const REPLACED: &[&str] = &["old", "new", "count", "year", "month", "day", "hour", "minute", "second", "microsecond"];

/// The functions.
pub(super) const FUNCTIONS: &[&str] = &[
    "camel_case_to_snake_case",
    "day_delta",
    "duration",
    "format_datetime",
    "generate_uuid",
    "max",
    "min",
    "now_utc",
    "sanitize_url",
    "str_to_datetime",
    "timestamp",
    "today_utc",
    "today_with_timezone",
];

/// The filters.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "base64binascii_decode",
    "base64decode",
    "base64encode",
    "capitalize",
    "count",
    "d",
    "default",
    "first",
    "float",
    "hash",
    "hmac",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
];

/// The tests.
pub(super) const TESTS: &[&str] = &[
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "boolean",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "string",
    "true",
    "undefined",
];

/// The methods.
pub(super) const METHODS: &[&str] = &[
    "capitalize",
    "count",
    "date",
    "endswith",
    "find",
    "format",
    "get",
    "index",
    "isalnum",
    "isalpha",
    "isdigit",
    "isnumeric",
    "isoformat",
    "isoweekday",
    "isspace",
    "items",
    "join",
    "keys",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strftime",
    "strip",
    "timestamp",
    "title",
    "total_seconds",
    "upper",
    "values",
    "weekday",
    "zfill",
];

fn other(message: impl Into<String>) -> Wrong {
    Wrong::Other(message.into())
}

/// Calls a function.
pub(super) fn function<'a>(eval: &mut Evaluation<'a>, name: &str, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let now = Moment::utc(eval.scope.now);
    Ok(match name {
        "now_utc" => Datum::Moment(now),
        "today_utc" => Datum::Day(now.midnight()),
        "today_with_timezone" => {
            let name = given.text(0, "timezone")?;
            let zone = Zone::find(name).ok_or_else(|| other(format!("there is no time zone `{name}`")))?;
            let local = zone.local(now.micros).ok_or_else(|| other("it leaves the calendar"))?;
            Datum::Day(Moment::utc(local).midnight())
        }
        "timestamp" => {
            let of = given.get(0, "dt").ok_or(Wrong::Type)?;
            match of.as_float() {
                Some(number) => return int(number),
                None => return float(to_moment(of)?.seconds()),
            }
        }
        "str_to_datetime" => {
            let moment = to_moment(given.get(0, "s").ok_or(Wrong::Type)?)?;
            Datum::Moment(Moment::utc(moment.micros))
        }
        "day_delta" => {
            let days = given.get(0, "num_days").ok_or(Wrong::Type)?;
            let far = || other("it leaves the calendar");
            let span = match (days.as_integer(), days.as_float()) {
                (Some(days), _) => days.checked_mul(DAY).ok_or_else(far)?,
                #[expect(clippy::cast_possible_truncation, reason = "its size was looked at")]
                (None, Some(days)) if days.abs() < 1e7 => (days * 86_400e6).round_ties_even() as i64,
                (None, Some(_)) => return Err(far()),
                (None, None) => return Err(Wrong::Type),
            };
            let format = match given.get(1, "format") {
                Some(format) => format.as_str().ok_or(Wrong::Type)?,
                None => "%Y-%m-%dT%H:%M:%S.%f%z",
            };
            Datum::text_of(now.plus(Span::micros(span)).ok_or_else(far)?.format(format))
        }
        "duration" => {
            let text = given.text(0, "datestring")?;
            Datum::Span(Span::parse(text).ok_or_else(|| other(format!("`{text}` is no duration")))?)
        }
        "format_datetime" => format_datetime(given)?,
        "max" | "min" => {
            let items =
                if given.positional.len() == 1 { given.positional[0].items()? } else { given.positional.clone() };
            return extreme(eval, items, name == "max");
        }
        "sanitize_url" => Datum::text_of(quote(given.text(0, "value")?, "", true)),
        "camel_case_to_snake_case" => {
            let mut out = String::new();
            for (at, c) in given.text(0, "value")?.char_indices() {
                if c.is_ascii_uppercase() && at > 0 {
                    out.push('_');
                }
                out.extend(c.to_lowercase());
            }
            Datum::text_of(out)
        }
        "generate_uuid" => {
            let bits = (eval.scope.chance & !(0xF << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
            let hex = format!("{bits:032x}");
            Datum::text_of(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
        }
        name => unreachable!("`{name}` was found missing when the template was parsed"),
    })
}

/// A moment, or the moment that a text of ISO 8601 means.
fn to_moment(datum: &Datum<'_>) -> Result<Moment, Wrong> {
    match datum {
        Datum::Moment(moment) => Ok(*moment),
        datum => {
            let text = datum.as_str().ok_or(Wrong::Type)?;
            Moment::iso_parse(text).ok_or_else(|| other("a text is no time of ISO 8601"))
        }
    }
}

fn format_datetime<'a>(given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let of = given.get(0, "dt").ok_or(Wrong::Type)?;
    let format = given.text(1, "format")?;
    let input = given.get(2, "input_format").and_then(Datum::as_str);
    let moment = match of {
        Datum::Moment(moment) => return Ok(Datum::text_of(moment.format(format))),
        Datum::Undefined => return Err(Wrong::Undefined("a time that is undefined".to_owned())),
        of => match (of.as_integer(), input) {
            (Some(number), input) => Moment::parse(&number.to_string(), input.unwrap_or("%s")),
            (None, Some(input)) => Moment::strptime(of.as_str().ok_or(Wrong::Type)?, input),
            (None, None) => {
                let moment = to_moment(of)?;
                Some(Moment::utc(moment.micros))
            }
        },
    };
    let moment = moment.ok_or_else(|| other("a text is no time in the format that is said"))?;
    Ok(Datum::text_of(Moment { offset: moment.offset.or(Some(0)), ..moment }.write(format)))
}

/// The integer that a float is cut to.
fn int<'a>(number: f64) -> Result<Datum<'a>, Wrong> {
    if number.abs() >= 9e18 {
        return Err(other("it computes a number of more than 64 bits"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "its size was looked at, and `int` cuts")]
    let integer = number.trunc() as i64;
    Ok(Value::from(integer).into())
}

fn extreme<'a>(eval: &mut Evaluation<'a>, items: Vec<Datum<'a>>, is_max: bool) -> Result<Datum<'a>, Wrong> {
    eval.spend(items.len())?;
    let mut items = items.into_iter();
    let mut best = items.next().ok_or_else(|| other("there is no greatest of nothing"))?;
    for item in items {
        let ordering = order(&item, &best)?;
        if if is_max { ordering.is_gt() } else { ordering.is_lt() } {
            best = item;
        }
    }
    Ok(best)
}

/// Whether a test holds.
pub(super) fn test<'a>(
    eval: &mut Evaluation<'a>,
    name: &str,
    of: &Datum<'a>,
    with: Option<&Datum<'a>>,
) -> Result<bool, Wrong> {
    let with = || with.ok_or(Wrong::Type);
    let json = of.json();
    let is = |holds: fn(&Value) -> bool| json.as_deref().is_some_and(holds);
    let integer = || of.as_integer().ok_or(Wrong::Type);
    let comparison = match name {
        "defined" => return Ok(*of != Datum::Undefined),
        "undefined" => return Ok(*of == Datum::Undefined),
        "none" => return Ok(of.is_none()),
        "true" => return Ok(is(|value| *value == Value::Bool(true))),
        "false" => return Ok(is(|value| *value == Value::Bool(false))),
        "boolean" => return Ok(is(Value::is_boolean)),
        "string" => return Ok(is(Value::is_string)),
        "number" => return Ok(is(|value| value.is_number() || value.is_boolean())),
        "integer" => return Ok(is(|value| value.is_i64() || value.is_u64())),
        "float" => return Ok(is(Value::is_f64)),
        "mapping" => return Ok(is(Value::is_object)),
        "sequence" | "iterable" => {
            return Ok(
                *of == Datum::Undefined || is(|value| value.is_array() || value.is_object() || value.is_string())
            );
        }
        "even" => return Ok(integer()? % 2 == 0),
        "odd" => return Ok(integer()? % 2 != 0),
        "divisibleby" => return Ok(integer()?.checked_rem(with()?.as_integer().ok_or(Wrong::Type)?) == Some(0)),
        "eq" | "equalto" | "==" => Comparison::Equal,
        "ne" | "!=" => Comparison::Unequal,
        "lt" | "lessthan" | "<" => Comparison::Less,
        "le" | "<=" => Comparison::LessOrEqual,
        "gt" | "greaterthan" | ">" => Comparison::Greater,
        "ge" | ">=" => Comparison::GreaterOrEqual,
        "in" => Comparison::In,
        name => unreachable!("`{name}` was found missing when the template was parsed"),
    };
    eval.compare(comparison, of, with()?)
}

/// Applies a filter.
pub(super) fn filter<'a>(
    eval: &mut Evaluation<'a>,
    name: &str,
    of: Datum<'a>,
    given: &Given<'a>,
) -> Result<Datum<'a>, Wrong> {
    Ok(match name {
        "default" | "d" => {
            let by_truth = given.get(1, "boolean").is_some_and(Datum::is_true);
            if of == Datum::Undefined || (by_truth && !of.is_true()) {
                given.get(0, "default_value").cloned().unwrap_or_else(|| Datum::text_of(""))
            } else {
                of
            }
        }
        "string" => match of.as_str() {
            Some(_) => of,
            None => {
                let json = dumped(&of)?;
                Datum::text_of(format!("\"\"\"{}\"\"\"", spaced(&json)))
            }
        },
        // Jinja sorts the keys, and writes what could end a script as escapes.
        "tojson" => {
            let value = dumped(&of)?;
            let mut json = spaced(&sorted(&value));
            for (character, escape) in [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("'", "\\u0027")] {
                json = json.replace(character, escape);
            }
            Datum::text_of(json)
        }
        "hash" => hash(&of, given)?,
        "hmac" => {
            if given.get(1, "hash_type").is_some_and(|ty| ty.as_str() != Some("sha256")) {
                return Err(other("`hmac` knows `sha256` only"));
            }
            let key = given.get(0, "key").ok_or(Wrong::Type)?.to_text();
            Datum::text_of(hex(&hmac_sha256(key.as_bytes(), of.to_text().as_bytes())))
        }
        "base64binascii_decode" if !encodable(&of)?.is_ascii() => {
            return Err(other("a text has other letters than ASCII"));
        }
        "base64encode" | "base64binascii_decode" => Datum::text_of(STANDARD.encode(encodable(&of)?)),
        "base64decode" => {
            let bytes = STANDARD.decode(encodable(&of)?).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            Datum::text_of(text.ok_or_else(|| other("a text is no base64 of a text"))?)
        }
        "regex_search" => {
            let (text, regex) = (of.as_str().ok_or(Wrong::Type)?, regex(given.text(0, "regex")?)?);
            let found = regex.captures(text).and_then(|found| found.get(1).map(|group| group.as_str().to_owned()));
            Datum::text_of(found.unwrap_or_default())
        }
        "regex_replace" => {
            let text = of.as_str().ok_or(Wrong::Type)?;
            let replaced = regex_replace(text, given.text(0, "regex")?, given.text(1, "replacement")?)?;
            bounded(replaced.len())?;
            Datum::text_of(replaced)
        }
        "int" => {
            if of == Datum::Undefined {
                return Err(Wrong::Undefined("a number that is undefined".to_owned()));
            }
            let default = given.get(0, "default").cloned().unwrap_or_else(|| Value::from(0).into());
            let base = match given.get(1, "base") {
                Some(base) => base.as_integer().and_then(|base| u32::try_from(base).ok()).ok_or(Wrong::Type)?,
                None => 10,
            };
            let parsed = match of.as_str() {
                Some(text) => python::integer(text, base),
                None => of.as_integer(),
            };
            match (parsed, of.as_str().map_or_else(|| of.as_float(), python::number)) {
                (Some(integer), _) => Value::from(integer).into(),
                (None, Some(number)) if number.is_finite() => return int(number),
                (None, _) => default,
            }
        }
        "float" => {
            if of == Datum::Undefined {
                return Err(Wrong::Undefined("a number that is undefined".to_owned()));
            }
            match of.as_str().map_or_else(|| of.as_float(), python::number) {
                Some(number) => return float(number),
                None => given.get(0, "default").cloned().map_or_else(|| float(0.0), Ok)?,
            }
        }
        "abs" => match (of.as_integer(), of.as_float()) {
            (Some(integer), _) => Value::from(integer.checked_abs().ok_or(Wrong::Type)?).into(),
            (None, Some(number)) => return float(number.abs()),
            (None, None) => return Err(Wrong::Type),
        },
        "round" => return round(&of, given),
        "length" | "count" => match of.as_str() {
            Some(text) => Value::from(text.chars().count()).into(),
            None => Value::from(of.items()?.len()).into(),
        },
        "lower" => Datum::text_of(of.to_text().to_lowercase()),
        "upper" => Datum::text_of(of.to_text().to_uppercase()),
        "title" => Datum::text_of(words_capitalized(&of.to_text())),
        "capitalize" => Datum::text_of(capitalized(&of.to_text())),
        "trim" => {
            let text = of.to_text();
            Datum::text_of(strip(&text, given.get(0, "chars").and_then(Datum::as_str), true, true))
        }
        "replace" => {
            let text = of.to_text();
            let (old, new) = (given.get(0, "old"), given.get(1, "new"));
            let (old, new) = (old.ok_or(Wrong::Type)?.to_text(), new.ok_or(Wrong::Type)?.to_text());
            replace(&text, &old, &new, given.get(2, "count"))?
        }
        "urlencode" => match of.json().as_deref() {
            Some(Value::Object(map)) => {
                let entry = |(key, value): (&String, &Value)| {
                    format!("{}={}", quote(key, "", true), quote(&python::text(value), "", true))
                };
                Datum::text_of(map.iter().map(entry).collect::<Vec<_>>().join("&"))
            }
            Some(Value::Array(items)) => {
                let mut pairs = Vec::new();
                for item in items {
                    let pair = Datum::from(item).items()?;
                    let [key, value] = pair.as_slice() else { return Err(other("a pair of `urlencode` is none")) };
                    pairs.push(format!("{}={}", quote(&key.to_text(), "", true), quote(&value.to_text(), "", true)));
                }
                Datum::text_of(pairs.join("&"))
            }
            _ => Datum::text_of(quote(&of.to_text(), "/", false)),
        },
        "join" => {
            let separator = given.get(0, "d").map(Datum::to_text).unwrap_or_default();
            let attribute = given.get(1, "attribute").and_then(Datum::as_str);
            let mut items = of.items()?;
            if let Some(attribute) = attribute {
                items = items.iter().map(|item| attribute_of(item, attribute)).collect::<Result<_, _>>()?;
            }
            join(&separator, &items)?
        }
        "list" => list(of.items()?),
        "items" => entries(&of)?,
        "first" => of.items()?.into_iter().next().unwrap_or(Datum::Undefined),
        "last" => of.items()?.pop().unwrap_or(Datum::Undefined),
        "reverse" => {
            let mut items = of.items()?;
            items.reverse();
            match of.as_str() {
                Some(_) => join("", &items)?,
                None => list(items),
            }
        }
        "max" | "min" => {
            let keyed = keyed(of.items()?, given, 0)?;
            eval.spend(keyed.len())?;
            let mut keyed = keyed.into_iter();
            let Some((mut key, mut best)) = keyed.next() else { return Ok(Datum::Undefined) };
            for (other, item) in keyed {
                let ordering = order(&other, &key)?;
                if if name == "max" { ordering.is_gt() } else { ordering.is_lt() } {
                    (key, best) = (other, item);
                }
            }
            best
        }
        "sum" => {
            let attribute = given.get(0, "attribute").filter(|attribute| !attribute.is_none());
            let attribute = attribute.map(|attribute| attribute.as_str().ok_or(Wrong::Type)).transpose()?;
            let start = given.get(1, "start");
            let start_float = start.map_or(Some(0.0), Datum::as_float).ok_or(Wrong::Type)?;
            let mut sum = (start.map_or(Some(0), Datum::as_integer), start_float);
            for item in of.items()? {
                let item = attribute.map_or_else(|| Ok(item.clone()), |attribute| attribute_of(&item, attribute))?;
                sum.0 = sum.0.zip(item.as_integer()).and_then(|(sum, item)| sum.checked_add(item));
                sum.1 += item.as_float().ok_or(Wrong::Type)?;
            }
            match sum.0 {
                Some(integer) => Value::from(integer).into(),
                None => return float(sum.1),
            }
        }
        "sort" => {
            let mut keyed = keyed(of.items()?, given, 1)?;
            eval.spend(keyed.len() * 8)?;
            let is_reverse = given.get(0, "reverse").is_some_and(Datum::is_true);
            let mut wrong = None;
            keyed.sort_by(|(left, _), (right, _)| {
                let ordering = order(left, right).unwrap_or_else(|error| {
                    wrong = Some(error);
                    std::cmp::Ordering::Equal
                });
                // What is equal stays in its order, also backwards.
                if is_reverse { ordering.reverse() } else { ordering }
            });
            if let Some(wrong) = wrong {
                return Err(wrong);
            }
            list(keyed.into_iter().map(|(_, item)| item).collect())
        }
        "unique" => {
            let mut unique: Vec<(Datum<'a>, Datum<'a>)> = Vec::new();
            for (key, item) in keyed(of.items()?, given, 0)? {
                eval.spend(unique.len())?;
                if !unique.iter().any(|(known, _)| are_equal(known, &key)) {
                    unique.push((key, item));
                }
            }
            list(unique.into_iter().map(|(_, item)| item).collect())
        }
        "map" | "select" | "reject" | "selectattr" | "rejectattr" if !of.is_true() => list(Vec::new()),
        "map" => {
            let items = of.items()?;
            eval.spend(items.len())?;
            let attribute = given.named.iter().find(|(name, _)| *name == "attribute").map(|(_, value)| value);
            if let Some(attribute) = attribute {
                let attribute = attribute.as_str().ok_or(Wrong::Type)?;
                let default = given.named.iter().find(|(name, _)| *name == "default").map(|(_, value)| value.clone());
                let mapped = items.iter().map(|item| match (attribute_of(item, attribute)?, &default) {
                    (Datum::Undefined, Some(default)) => Ok(default.clone()),
                    (found, _) => Ok(found),
                });
                return Ok(list(mapped.collect::<Result<_, Wrong>>()?));
            }
            let name = given.text(0, "name")?;
            if !FILTERS.contains(&name) {
                return Err(other(format!("there is no filter `{name}`")));
            }
            let rest = Given { positional: given.positional[1..].to_vec(), named: given.named.clone() };
            let mapped: Result<Vec<_>, _> = items.into_iter().map(|item| filter(eval, name, item, &rest)).collect();
            list(mapped?)
        }
        "select" | "reject" | "selectattr" | "rejectattr" => select(eval, name, &of, given)?,
        name => unreachable!("`{name}` was found missing when the template was parsed"),
    })
}

/// The text that can be encoded.
fn encodable<'d>(of: &'d Datum<'_>) -> Result<&'d str, Wrong> {
    match of {
        Datum::Undefined => Err(Wrong::Undefined("a text that is undefined".to_owned())),
        of => of.as_str().ok_or_else(|| other("what is to be encoded is no text")),
    }
}

/// What `json.dumps` takes: neither what is undefined, nor a time, nor a slice.
fn dumped<'d>(of: &'d Datum<'_>) -> Result<std::borrow::Cow<'d, Value>, Wrong> {
    match of {
        Datum::Slice(_) => Err(Wrong::Type),
        of => of.json().ok_or(Wrong::Type),
    }
}

/// Python's `round`, which rounds the digits that the number has; `ceil` and `floor` scale it.
fn round<'a>(of: &Datum<'a>, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let digits = given.get(0, "precision").map_or(Some(0), Datum::as_integer).ok_or(Wrong::Type)?;
    let method = given.get(1, "method").map_or(Some("common"), Datum::as_str).ok_or(Wrong::Type)?;
    let value = of.as_float().ok_or(Wrong::Type)?;
    let scale = 10_f64.powi(i32::try_from(digits.clamp(-330, 330)).unwrap_or_default());
    match (method, of.as_integer()) {
        ("common", Some(integer)) if digits >= 0 => Ok(Value::from(integer).into()),
        ("common", Some(_)) => int((value * scale).round_ties_even() / scale),
        ("common", None) if digits < 0 => float((value * scale).round_ties_even() / scale),
        ("common", None) => {
            let digits = usize::try_from(digits.min(330)).unwrap_or_default();
            float(format!("{value:.digits$}").parse().map_err(|_| Wrong::Type)?)
        }
        ("ceil", _) => float((value * scale).ceil() / scale),
        ("floor", _) => float((value * scale).floor() / scale),
        _ => Err(other("the method of `round` is `common`, `ceil` or `floor`")),
    }
}

/// Items with what they are compared by: an attribute if one is said, without regard to case unless that is said. `place`: of the
/// argument about case; the attribute is the next.
fn keyed<'a>(items: Vec<Datum<'a>>, given: &Given<'a>, place: usize) -> Result<Vec<(Datum<'a>, Datum<'a>)>, Wrong> {
    let sees_case = given.get(place, "case_sensitive").is_some_and(Datum::is_true);
    let attribute = given.get(place + 1, "attribute").filter(|attribute| !attribute.is_none());
    let attribute = attribute.map(|attribute| attribute.as_str().ok_or(Wrong::Type)).transpose()?;
    let folded = |datum: Datum<'a>| match datum.as_str() {
        Some(text) if !sees_case => Datum::text_of(text.to_lowercase()),
        _ => datum,
    };
    let key = |item: &Datum<'a>| -> Result<Datum<'a>, Wrong> {
        let Some(attribute) = attribute else { return Ok(folded(item.clone())) };
        // Several stand behind commas.
        if attribute.contains(',') {
            let parts = attribute.split(',').map(|part| Ok(folded(attribute_of(item, part)?).into_json()));
            return Ok(Value::Array(parts.collect::<Result<_, Wrong>>()?).into());
        }
        Ok(folded(attribute_of(item, attribute)?))
    };
    items.into_iter().map(|item| Ok((key(&item)?, item))).collect()
}

/// The items of which a test holds, or does not.
fn select<'a>(eval: &mut Evaluation<'a>, name: &str, of: &Datum<'a>, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let by_attribute = name.ends_with("attr");
    let skipped = usize::from(by_attribute);
    let attribute = if by_attribute { Some(given.text(0, "attribute")?) } else { None };
    let test_name = given.positional.get(skipped).map(|name| name.as_str().ok_or(Wrong::Type)).transpose()?;
    if let Some(name) = test_name.filter(|name| !TESTS.contains(name)) {
        return Err(other(format!("there is no test `{name}`")));
    }
    let mut selected = Vec::new();
    for item in of.items()? {
        eval.spend(1)?;
        let tested = attribute.map_or_else(|| Ok(item.clone()), |attribute| attribute_of(&item, attribute))?;
        let holds = match test_name {
            Some(name) => test(eval, name, &tested, given.positional.get(skipped + 1))?,
            None => tested.is_true(),
        };
        if holds == name.starts_with("select") {
            selected.push(item);
        }
    }
    Ok(list(selected))
}

/// `a.b.0` of an item, as filters with an attribute take it.
fn attribute_of<'a>(item: &Datum<'a>, path: &str) -> Result<Datum<'a>, Wrong> {
    path.split('.').try_fold(item.clone(), |item, part| match part.parse::<i64>() {
        Ok(index) => item.item(&Value::from(index).into()),
        Err(_) => item.item(&Datum::text_of(part)),
    })
}

fn list(items: Vec<Datum<'_>>) -> Datum<'static> {
    Value::Array(items.into_iter().map(Datum::into_json).collect()).into()
}

/// The entries of a mapping, each as `[key, value]`.
fn entries<'a>(of: &Datum<'a>) -> Result<Datum<'a>, Wrong> {
    match of.json().as_deref() {
        Some(Value::Object(map)) => {
            let entry = |(key, value): (&String, &Value)| Value::Array(vec![key.clone().into(), value.clone()]);
            Ok(Value::Array(map.iter().map(entry).collect()).into())
        }
        None if *of == Datum::Undefined => Ok(Value::Array(Vec::new()).into()),
        _ => Err(Wrong::Type),
    }
}

fn join<'a>(separator: &str, items: &[Datum<'_>]) -> Result<Datum<'a>, Wrong> {
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(&item.to_text());
        bounded(out.len())?;
    }
    Ok(Datum::text_of(out))
}

/// Calls a method.
pub(super) fn method<'a>(
    eval: &mut Evaluation<'a>,
    of: &Datum<'a>,
    name: &str,
    given: &Given<'a>,
) -> Result<Datum<'a>, Wrong> {
    match of {
        Datum::Moment(moment) | Datum::Day(moment) => match name {
            "strftime" => return Ok(Datum::text_of(moment.format(given.text(0, "format")?))),
            "isoformat" if matches!(of, Datum::Day(_)) => return Ok(Datum::text_of(moment.format("%Y-%m-%d"))),
            "isoformat" => {
                let said = |at, name| given.get(at, name).map(|said| said.as_str().ok_or(Wrong::Type)).transpose();
                let separator = said(0, "sep")?.unwrap_or("T");
                let unit = said(1, "timespec")?.unwrap_or("auto");
                let mut characters = separator.chars();
                let (Some(separator), None) = (characters.next(), characters.next()) else { return Err(Wrong::Type) };
                let text = moment.iso_to(separator, unit).ok_or_else(|| other("there is no such unit of time"))?;
                return Ok(Datum::text_of(text));
            }
            "timestamp" => return float(moment.seconds()),
            "date" => return Ok(Datum::Day(moment.midnight())),
            "replace" => {
                let fields =
                    given.named.iter().map(|(name, value)| Ok((*name, value.as_integer().ok_or(Wrong::Type)?)));
                let fields = fields.collect::<Result<Vec<_>, Wrong>>()?;
                let replaced = moment.with(fields).ok_or_else(|| other("there is no such time"))?;
                return Ok(if matches!(of, Datum::Day(_)) { Datum::Day(replaced) } else { Datum::Moment(replaced) });
            }
            "weekday" => return Ok(Value::from(moment.weekday()).into()),
            "isoweekday" => return Ok(Value::from(moment.weekday() + 1).into()),
            _ => {}
        },
        Datum::Span(span) if name == "total_seconds" => return float(span.micros as f64 / 1e6),
        _ => {}
    }
    if let Some(text) = of.as_str() {
        return text_method(text, name, given);
    }
    let missing = || Wrong::Undefined(format!("there is no `{name}` of this value"));
    let json = of.json().ok_or_else(missing)?;
    match (json.as_ref(), name) {
        (Value::Object(_), "get") => {
            let key = given.get(0, "key").ok_or(Wrong::Type)?;
            let found = key.as_str().map_or(Datum::Undefined, |key| of.entry(key));
            Ok(match found {
                Datum::Undefined => given.get(1, "default").cloned().unwrap_or_else(|| Value::Null.into()),
                found => found,
            })
        }
        (Value::Object(map), "keys") => Ok(Value::Array(map.keys().map(|key| key.clone().into()).collect()).into()),
        (Value::Object(map), "values") => Ok(Value::Array(map.values().cloned().collect()).into()),
        (Value::Object(_), "items") => entries(of),
        (Value::Array(items), "index" | "count") => {
            let wanted = given.get(0, "value").ok_or(Wrong::Type)?;
            eval.spend(items.len())?;
            let mut places = items.iter().enumerate().filter(|(_, item)| are_equal(&Datum::from(*item), wanted));
            match name {
                "count" => Ok(Value::from(places.count()).into()),
                _ => Ok(Value::from(places.next().ok_or_else(|| other("an item is not in its list"))?.0).into()),
            }
        }
        _ => Err(missing()),
    }
}

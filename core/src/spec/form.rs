//! Form: what a text of the file must look like in its place, and the values that it stands for.
//!
//! Each reader here returns the value or the fault; the check of a file's form and its lowering both use them.

use super::FORMAT_VERSION;
use super::Schedule;
use super::text::Text;
use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::types::Type;

/// Most bytes of a name in the warehouse.
const NAME_BYTES_MAX: usize = 127;
/// Most characters of a pipeline's name.
const PIPELINE_NAME_MAX: usize = 64;

/// What a text must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The version of the file format.
    Version,
    /// A pipeline's name.
    PipelineName,
    /// A field's name: any text.
    FieldName,
    /// A column's name.
    ColumnName,
    /// A check's name.
    CheckName,
    /// Any text.
    Text,
    /// A SQL expression; only the stage after this one can read it.
    Expression,
    /// A regular expression; only the stage after this one can read it.
    Regex,
    /// `true` or `false`.
    Boolean,
    /// A whole number, 0 or more.
    Whole,
    /// A percentage.
    Share,
    /// One of a few words, each with what it means.
    Choice(&'static [(&'static str, &'static str)]),
    /// A type.
    Type,
    /// A type that a column can have.
    ColumnType,
    /// A type, `required`, or both.
    ColumnShort,
    /// One ASCII character.
    Character,
    /// One ASCII character or `none`.
    CharacterOrNone,
    /// A path or glob.
    Path,
    /// `s3://bucket/prefix`.
    S3,
    /// `schema.table` or `table`.
    Table,
    /// A schedule.
    Schedule,
}

/// A column in short.
#[derive(Debug)]
pub(super) struct ColumnShort {
    /// Its type, and where that stands in the text.
    pub(super) ty: Option<(Type, Span)>,
    /// Whether a row without a value is rejected.
    pub(super) required: bool,
}

/// Why a text has not the form of its place.
#[derive(Debug)]
pub(super) struct Fault {
    code: Code,
    message: String,
    /// The bytes of the text that are wrong, where that is not all of it.
    within: Option<Span>,
    help: Option<String>,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), within: None, help: None }
    }

    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn within(mut self, start: usize, end: usize) -> Self {
        self.within = Some(Span::new(start, end));
        self
    }

    /// The fault as a diagnostic about a text of the file.
    pub(super) fn of(self, text: &Text) -> Diagnostic {
        let span = self.within.map_or(text.span, |within| text.span_of(within));
        let mut diagnostic = Diagnostic::error(self.code, span, self.message);
        diagnostic.help = self.help;
        diagnostic
    }
}

impl Form {
    /// Whether a text has this form; if not, why. `key` is what the text is the value of.
    pub(super) fn check(self, key: &str, text: &str) -> Result<(), Fault> {
        placeholders(self, text)?;
        match self {
            Self::Version => version(text),
            Self::PipelineName => pipeline_name(text),
            Self::FieldName => field_name(text),
            Self::ColumnName => column_name(text),
            Self::CheckName => check_name(text),
            Self::Text => Ok(()),
            Self::Expression | Self::Regex if text.trim().is_empty() => {
                Err(Fault::new(Code::WrongValue, format!("`{key}` is an empty text; {} is wanted", self.noun())))
            }
            Self::Expression | Self::Regex => Ok(()),
            Self::Boolean => boolean(key, text).map(drop),
            Self::Whole => whole(key, text).map(drop),
            Self::Share => share(key, text).map(drop),
            Self::Choice(words) => choice(key, text, words),
            Self::Type => field_type(text).map(drop),
            Self::ColumnType => column_type(text).map(drop),
            Self::ColumnShort => column_short(text).map(drop),
            Self::Character => character(key, text).map(drop),
            Self::CharacterOrNone => character_or_none(key, text).map(drop),
            Self::Path if text.trim().is_empty() => Err(Fault::new(Code::WrongValue, "a path is an empty text")),
            Self::Path => Ok(()),
            Self::S3 => s3(text),
            Self::Table => table(text),
            Self::Schedule => schedule(text).map(drop),
        }
    }

    /// What people call a text of this form.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Version => "a version",
            Self::PipelineName | Self::FieldName | Self::CheckName => "a name",
            Self::ColumnName => "a column's name",
            Self::Text => "a text",
            Self::Expression => "a SQL expression",
            Self::Regex => "a regular expression",
            Self::Boolean => "`true` or `false`",
            Self::Whole => "a whole number",
            Self::Share => "a percentage such as `1%`",
            Self::Choice(_) => "a word",
            Self::Type | Self::ColumnType => "a type",
            Self::ColumnShort => "a type, `required` or both",
            Self::Character => "one ASCII character",
            Self::CharacterOrNone => "one ASCII character or `none`",
            Self::Path => "a path",
            Self::S3 => "an address such as `s3://bucket/prefix`",
            Self::Table => "a table's name",
            Self::Schedule => "a schedule",
        }
    }

    /// A regular expression for the texts of this form that an editor can check, where one tells something.
    pub(super) fn pattern(self) -> Option<&'static str> {
        match self {
            Self::PipelineName => Some("^[a-z][a-z0-9_-]{0,63}$"),
            Self::ColumnName => Some("^[a-z_][a-z0-9_]{0,126}$"),
            Self::CheckName => Some("^[A-Za-z_][A-Za-z0-9_]{0,126}$"),
            Self::Share => Some("^[0-9]{1,3}(\\.[0-9]{1,4})?\\s*%$"),
            Self::S3 => Some("^(s3://|\\$\\{)"),
            Self::Schedule => Some("^(rate\\(.+\\)|cron\\(.+\\)|object-created)$"),
            _ => None,
        }
    }
}

fn version(text: &str) -> Result<(), Fault> {
    if text == FORMAT_VERSION.to_string() {
        return Ok(());
    }
    let fault =
        Fault::new(Code::FormatVersion, format!("`{text}` is not a version of the file format that this Etalon reads"));
    Err(fault.with_help(format!("this Etalon reads version {FORMAT_VERSION}")))
}

fn pipeline_name(text: &str) -> Result<(), Fault> {
    let first = text.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
    if first && rest && text.len() <= PIPELINE_NAME_MAX {
        return Ok(());
    }
    Err(Fault::new(Code::Name, format!("`{text}` cannot be a pipeline's name")).with_help(format!(
        "it begins with a small letter and has small letters, digits, `-` and `_`, {PIPELINE_NAME_MAX} characters at most"
    )))
}

fn field_name(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::new(Code::Name, "a field's name is empty"));
    }
    if text.len() > NAME_BYTES_MAX {
        let message = format!("a field's name has {} bytes; {NAME_BYTES_MAX} are the most", text.len());
        return Err(Fault::new(Code::Name, message));
    }
    if text.contains(char::is_control) {
        return Err(Fault::new(Code::Name, "a field's name has a control character"));
    }
    Ok(())
}

/// Names that every table of PostgreSQL and Redshift has already.
const SYSTEM_COLUMNS: [&str; 7] = ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

fn column_name(text: &str) -> Result<(), Fault> {
    let wrong = |why: &str| Fault::new(Code::Name, format!("`{text}` cannot be a column's name: {why}"));
    if SYSTEM_COLUMNS.contains(&text) {
        return Err(wrong("every table has a system column of that name"));
    }
    if text.starts_with("_etalon_") {
        return Err(wrong("`_etalon_` begins the names of Etalon's own columns"));
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(wrong(&format!("it has {} bytes, {NAME_BYTES_MAX} are the most", text.len())));
    }
    if is_identifier(text) && text.chars().all(|c| !c.is_ascii_uppercase()) {
        return Ok(());
    }
    let meant: String = text
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
        .collect();
    let fault = wrong("it begins with a small letter or `_` and has small letters, digits and `_`");
    let says_something = meant.contains(|c: char| c.is_ascii_alphanumeric());
    Err(if is_identifier(&meant) && says_something { fault.with_help(format!("write `{meant}`")) } else { fault })
}

fn check_name(text: &str) -> Result<(), Fault> {
    if is_identifier(text) && text.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(Fault::new(Code::Name, format!("`{text}` cannot be a check's name")).with_help(format!(
        "it begins with a letter or `_` and has letters, digits and `_`, {NAME_BYTES_MAX} characters at most"
    )))
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `true` or `false`.
pub(super) fn boolean(key: &str, text: &str) -> Result<bool, Fault> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => {
            let fault = Fault::new(Code::WrongValue, format!("`{key}` is `true` or `false`, not `{text}`"));
            Err(match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" | "1" => fault.with_help("write `true`"),
                "false" | "no" | "off" | "n" | "0" => fault.with_help("write `false`"),
                _ => fault,
            })
        }
    }
}

/// A whole number, 0 or more.
pub(super) fn whole(key: &str, text: &str) -> Result<u64, Fault> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(number),
        _ if digits => Err(Fault::new(Code::WrongValue, format!("`{key}` is too great a number"))),
        _ => Err(Fault::new(Code::WrongValue, format!("`{key}` is a whole number, 0 or more, not `{text}`"))),
    }
}

/// A percentage, in millionths.
pub(super) fn share(key: &str, text: &str) -> Result<u32, Fault> {
    let wrong = || {
        Fault::new(Code::WrongValue, format!("`{key}` is a percentage from 0% to 100%, not `{text}`"))
            .with_help("write `1%` or `0.5%`; four digits after the point at most")
    };
    let number = text.strip_suffix('%').ok_or_else(wrong)?.trim_end();
    let (units, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits =
        |text: &str, most: usize| !text.is_empty() && text.len() <= most && text.chars().all(|c| c.is_ascii_digit());
    if !is_digits(units, 3) || !is_digits(fraction, 4) {
        return Err(wrong());
    }
    let ppm = format!("{units}{fraction:0<4}").parse::<u32>().map_err(|_| wrong())?;
    if ppm <= 1_000_000 { Ok(ppm) } else { Err(wrong()) }
}

fn choice(key: &str, text: &str, words: &[(&str, &str)]) -> Result<(), Fault> {
    if words.iter().any(|&(word, _)| word == text) {
        return Ok(());
    }
    let fault = Fault::new(Code::WrongValue, format!("`{text}` is not a value of `{key}`"));
    Err(match nearest(text, words.iter().map(|&(word, _)| word)) {
        Some(near) => fault.with_help(format!("did you mean `{near}`?")),
        None => fault.with_help(match words {
            [(only, _)] => format!("the only value is `{only}`"),
            _ => format!("the values are {}", list(words.iter().map(|&(word, _)| word))),
        }),
    })
}

/// Names between back quotes, with commas.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The type of a field.
pub(super) fn field_type(text: &str) -> Result<Type, Fault> {
    match any_type(text)? {
        Type::Time => {
            Err(Fault::new(Code::UnknownType, "a field cannot be a `time`, which Redshift's tables seldom hold")
                .with_help("declare it as text, and cast it in an expression: `name::time`"))
        }
        ty => Ok(ty),
    }
}

/// The type of a column.
pub(super) fn column_type(text: &str) -> Result<Type, Fault> {
    match any_type(text)? {
        Type::Text => Err(Fault::new(Code::UnknownType, "a column cannot be a `text` without a length")
            .with_help("write `varchar(n)`, n being the most bytes")),
        Type::Time => Err(Fault::new(Code::UnknownType, "a column cannot be a `time`")
            .with_help("write `varchar(15)`, or a timestamp")),
        ty => Ok(ty),
    }
}

fn any_type(text: &str) -> Result<Type, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(Code::UnknownType, "the type is an empty text"));
    }
    Type::parse(text).map_err(|error| {
        let fault = Fault::new(Code::UnknownType, error.message);
        match error.help {
            Some(help) => fault.with_help(help),
            None => fault,
        }
    })
}

/// A column in short: `timestamptz required`, `required`, `decimal(12,2)`.
pub(super) fn column_short(text: &str) -> Result<ColumnShort, Fault> {
    let trimmed = text.trim();
    let (ty, required) = match trimmed.strip_suffix("required") {
        Some("") => ("", true),
        Some(before) if before.ends_with([' ', '\t', '\n', ')']) => (before.trim_end(), true),
        _ => (trimmed, false),
    };
    if ty.is_empty() && required {
        return Ok(ColumnShort { ty: None, required });
    }
    let start = text.len() - text.trim_start().len();
    let place = Span::new(start, start + ty.len());
    let column = column_type(ty).map_err(|fault| {
        // An expression or a field's name is what is likely to stand here by mistake.
        let name = ty.split('(').next().unwrap_or_default();
        let is_type = Type::parse(name).is_ok() || Type::parse(&format!("{name}(1)")).is_ok();
        let near = any_type(name).is_err_and(|fault| fault.help.is_some_and(|help| help.starts_with("did you mean")));
        let fault = if is_type || near {
            fault
        } else {
            let help =
                format!("in short a column is a type, `required` or both; for its value write `{{ from: {ty} }}`");
            Fault::new(Code::UnknownType, format!("`{ty}` is not a type")).with_help(help)
        };
        fault.within(place.start, place.end)
    })?;
    Ok(ColumnShort { ty: Some((column, place)), required })
}

/// One ASCII character that can stand between values.
pub(super) fn character(key: &str, text: &str) -> Result<u8, Fault> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
        _ => {
            let fault = Fault::new(Code::WrongValue, format!("`{key}` is one ASCII character, not `{text}`"));
            Err(match text {
                "\\t" | "tab" => fault.with_help("between double quotes, \"\\t\" is a tab"),
                _ => fault,
            })
        }
    }
}

/// One ASCII character, or `none`.
pub(super) fn character_or_none(key: &str, text: &str) -> Result<Option<u8>, Fault> {
    if text == "none" { Ok(None) } else { character(key, text).map(Some) }
}

fn s3(text: &str) -> Result<(), Fault> {
    let wrong =
        |why: &str| Fault::new(Code::WrongValue, format!("`s3` is {why}")).with_help("write `s3://bucket/prefix/`");
    // What a placeholder stands for is not known here.
    let resolved = without_placeholders(text);
    if text.starts_with("${") {
        return Ok(());
    }
    let Some(address) = resolved.strip_prefix("s3://") else {
        return Err(wrong("an address that begins with `s3://`"));
    };
    let bucket = address.split('/').next().unwrap_or_default();
    let known = bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'));
    let whole = !text.contains("${");
    if bucket.is_empty() || !known || whole && !(3..=63).contains(&bucket.len()) {
        return Err(wrong(&format!("an address without a bucket's name: `{bucket}` is none")));
    }
    if address.contains(['*', '?']) {
        return Err(Fault::new(Code::WrongValue, "`s3` is a prefix, which has no `*` and no `?`"));
    }
    Ok(())
}

fn table(text: &str) -> Result<(), Fault> {
    let resolved = without_placeholders(text);
    let parts: Vec<&str> = resolved.split('.').collect();
    if parts.len() > 2 {
        return Err(Fault::new(
            Code::Name,
            format!("`{text}` has {} parts; a table is `schema.table` or `table`", parts.len()),
        ));
    }
    let is_name = |part: &&str| part.len() <= NAME_BYTES_MAX && is_identifier(part);
    match parts.iter().find(|part| !is_name(part)) {
        None => Ok(()),
        Some(_) => Err(Fault::new(Code::Name, format!("`{text}` cannot be a table's name")).with_help(
            "a table is `schema.table` or `table`: letters, digits and `_`, beginning with a letter or `_`",
        )),
    }
}

/// When a pipeline runs.
pub(super) fn schedule(text: &str) -> Result<Schedule, Fault> {
    let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if text == "object-created" {
        return Ok(Schedule::ObjectCreated);
    }
    if let Some(rate) = inside("rate") {
        let words: Vec<&str> = rate.split_whitespace().collect();
        let fits = match words.as_slice() {
            ["1", unit] => ["minute", "hour", "day"].contains(unit),
            [number, unit] => {
                number.parse::<u32>().is_ok_and(|number| number > 1)
                    && number.chars().all(|c| c.is_ascii_digit())
                    && ["minutes", "hours", "days"].contains(unit)
            }
            _ => false,
        };
        if fits {
            return Ok(Schedule::Rate(text.to_owned()));
        }
        return Err(Fault::new(Code::WrongValue, format!("`{text}` is not a rate")).with_help(
            "write `rate(1 hour)` or `rate(15 minutes)`: minute, hour or day, with an `s` after any number but 1",
        ));
    }
    if let Some(cron) = inside("cron") {
        let count = cron.split_whitespace().count();
        if count == 6 {
            return Ok(Schedule::Cron(text.to_owned()));
        }
        return Err(Fault::new(Code::WrongValue, format!("`{text}` has {count} parts; a cron schedule has 6"))
            .with_help("minutes, hours, day of month, month, day of week, year: `cron(0 6 * * ? *)`"));
    }
    Err(Fault::new(Code::WrongValue, format!("`{text}` is not a schedule"))
        .with_help("write `rate(15 minutes)`, `cron(0 6 * * ? *)` or `object-created`"))
}

/// `${NAME}` and `${secret:name}` stand only where they are resolved: in `files`, `s3` and `table`.
fn placeholders(form: Form, text: &str) -> Result<(), Fault> {
    let allowed = matches!(form, Form::Path | Form::S3 | Form::Table);
    for (start, end, fits) in each_placeholder(text) {
        let written = text.get(start..end).unwrap_or_default();
        if allowed && !fits {
            return Err(Fault::new(Code::Placeholder, format!("`{written}` is not a placeholder"))
                .within(start, end)
                .with_help("write `${NAME}` or `${secret:name}`; `$$` is a `$` itself"));
        }
        // A `${` that is no placeholder is nothing special elsewhere: a regular expression may have one.
        if !allowed && fits {
            return Err(Fault::new(Code::Placeholder, format!("`{written}` stands where nothing is put in its place"))
                .within(start, end)
                .with_help("`${…}` can stand in `files`, `s3` and `table` only"));
        }
    }
    Ok(())
}

/// Each `${…}` of a text: where it begins and ends, and whether it is well formed.
fn each_placeholder(text: &str) -> Vec<(usize, usize, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(dollar) = text.get(at..).and_then(|rest| rest.find('$')) {
        let start = at + dollar;
        let rest = text.get(start..).unwrap_or_default();
        if rest.starts_with("$$") {
            at = start + 2;
        } else if let Some(inside) = rest.strip_prefix("${") {
            let length = inside.find('}');
            let end = length.map_or(text.len(), |length| start + 2 + length + 1);
            let name = length.and_then(|length| inside.get(..length)).unwrap_or_default();
            found.push((start, end, length.is_some() && is_placeholder(name)));
            at = end;
        } else {
            at = start + 1;
        }
    }
    found
}

fn is_placeholder(name: &str) -> bool {
    match name.strip_prefix("secret:") {
        Some(secret) => {
            let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '=' | '.' | '@' | '-');
            !secret.is_empty() && secret.chars().all(known)
        }
        None => is_identifier(name),
    }
}

/// The text with a letter in place of each placeholder.
fn without_placeholders(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, _) in each_placeholder(text) {
        result.push_str(text.get(at..start).unwrap_or_default());
        result.push('x');
        at = end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

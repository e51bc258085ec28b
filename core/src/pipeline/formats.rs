//! The declared format of a field: what it says, and whether it goes with the field's type.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::spec::FieldFormat as Said;
use crate::transform::decode::FieldFormat;
use crate::types::Type;
use crate::value::format::{Epoch, Pattern, Separators, Words};

/// Why a format is wrong.
#[derive(Debug)]
pub(super) struct Wrong {
    code: Code,
    message: String,
    help: &'static str,
}

impl Wrong {
    /// The diagnostic about a place.
    pub(super) fn at(self, span: Span) -> Diagnostic {
        Diagnostic::error(self.code, span, self.message).with_help(self.help)
    }
}

/// What the format of a field of a type means. `utc`: the field's texts without an offset are UTC.
pub(super) fn field_format(said: &Said, ty: Type, utc: bool, in_json: bool) -> Result<FieldFormat, Wrong> {
    match said {
        Said::Text(text) => by_text(text, ty, utc),
        Said::Detail { decimal, thousands, yes, no } => {
            let (numbers, words) = (decimal.is_some() || thousands.is_some(), !yes.is_empty() || !no.is_empty());
            match (numbers, words) {
                (true, false) if ty.is_number() => {
                    // A whole number has no fraction, and its point may be what stands between groups.
                    let usual = if ty.is_integer() && *thousands == Some(b'.') { b',' } else { b'.' };
                    let separators = Separators { decimal: decimal.unwrap_or(usual), thousands: *thousands };
                    check_separators(separators)?;
                    Ok(FieldFormat::Number { separators, in_strings: in_json })
                }
                (false, true) if ty == Type::Boolean => {
                    if yes.is_empty() || no.is_empty() {
                        let message = "words for true and for false are wanted, here are those for one".to_owned();
                        let help = "write `format: { true: [yes], false: [no] }`";
                        return Err(Wrong { code: Code::MissingKey, message, help });
                    }
                    if let Some(word) = yes.iter().find(|word| no.contains(word)) {
                        let message = format!("`{word}` stands for true and for false");
                        return Err(Wrong { code: Code::Conflict, message, help: "leave it out of one" });
                    }
                    Ok(FieldFormat::Words(Words { yes: yes.clone(), no: no.clone() }))
                }
                (true, false) => Err(misplaced(ty, "separators", "numbers have them")),
                (false, true) => Err(misplaced(ty, "words for true and false", "a boolean has them")),
                (true, true) => {
                    let message = "a format is about a number or about a boolean, not about both".to_owned();
                    Err(Wrong { code: Code::Conflict, message, help: "leave out what the field's type has not" })
                }
                (false, false) => {
                    let message = "the format says nothing".to_owned();
                    let help = "write `{ decimal: \",\", thousands: \".\" }` or `{ true: [yes], false: [no] }`";
                    Err(Wrong { code: Code::MissingKey, message, help })
                }
            }
        }
    }
}

fn by_text(text: &str, ty: Type, utc: bool) -> Result<FieldFormat, Wrong> {
    let is_timestamp = matches!(ty, Type::Timestamp | Type::Timestamptz);
    let epoch = match text {
        "rfc3339" if ty == Type::Timestamptz => return Ok(FieldFormat::Rfc3339),
        "rfc3339" => return Err(misplaced(ty, "format `rfc3339`", "`rfc3339` is a format of timestamptz")),
        "epoch_seconds" => Some(Epoch::Seconds),
        "epoch_millis" => Some(Epoch::Millis),
        _ => None,
    };
    if let Some(epoch) = epoch {
        let wrong = || misplaced(ty, &format!("format `{text}`"), "it is a format of timestamp and timestamptz");
        return is_timestamp.then_some(FieldFormat::Epoch(epoch)).ok_or_else(wrong);
    }
    let pattern = Pattern::parse(text).map_err(|message| Wrong {
        code: Code::WrongValue,
        message,
        help: "a format is `rfc3339`, `epoch_seconds`, `epoch_millis` or a pattern such as `DD.MM.YYYY HH24:MI:SS`; \
               other letters stand between double quotes",
    })?;
    match ty {
        Type::Date if pattern.has_time() => Err(misplaced(ty, "time of day", "declare it as a timestamp")),
        Type::Timestamptz if !utc => {
            let message = "a pattern has no offset, so that the instant is not known".to_owned();
            Err(Wrong { code: Code::Conflict, message, help: "say `timezone: UTC`, or declare it as a timestamp" })
        }
        Type::Date | Type::Timestamp | Type::Timestamptz => Ok(FieldFormat::Pattern(pattern)),
        _ => Err(misplaced(ty, "pattern", "a date and a timestamp have one")),
    }
}

fn check_separators(separators: Separators) -> Result<(), Wrong> {
    let help = "write `{ decimal: \",\", thousands: \".\" }`, say";
    let wrong = |message: String| Err(Wrong { code: Code::Conflict, message, help });
    if separators.thousands == Some(separators.decimal) {
        return wrong("`decimal` and `thousands` are the same character".to_owned());
    }
    for separator in [Some(separators.decimal), separators.thousands].into_iter().flatten() {
        if separator.is_ascii_alphanumeric() || matches!(separator, b'-' | b'+') {
            return wrong(format!("`{}` belongs to a number itself", char::from(separator)));
        }
    }
    Ok(())
}

fn misplaced(ty: Type, what: &str, help: &'static str) -> Wrong {
    Wrong { code: Code::Conflict, message: format!("a field of type {ty} has no {what}"), help }
}

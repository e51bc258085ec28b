//! The declared format of a field: what it says, and whether it goes with the field's type.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::pipeline::file::{Detail, FormatSpec, NamedFormat};
use crate::transform::decode::FieldFormat;
use crate::types::Type;
use crate::value::format::{Pattern, Separators, Words};

/// Why a format is wrong.
#[derive(Debug)]
pub(super) struct Wrong {
    code: Code,
    message: String,
    help: String,
}

impl Wrong {
    /// The diagnostic about a place.
    pub(super) fn at(self, span: Span) -> Diagnostic {
        Diagnostic::error(self.code, span, self.message).with_help(self.help)
    }
}

/// What the format of a field of a type means. `has_zone`: where the field's texts have no offset, their zone is said.
pub(super) fn field_format(said: &FormatSpec, ty: Type, has_zone: bool, in_json: bool) -> Result<FieldFormat, Wrong> {
    match said {
        FormatSpec::Named(format) => named(format, ty),
        FormatSpec::Pattern(text) => pattern(text, ty, has_zone),
        FormatSpec::Detail(detail) => detailed(detail, ty, in_json),
    }
}

fn named(format: &NamedFormat, ty: Type) -> Result<FieldFormat, Wrong> {
    if format.types.contains(&ty) {
        return Ok(format.format.clone());
    }
    let types: Vec<String> = format.types.iter().map(Type::to_string).collect();
    let help = format!("`{}` is a format of {}", format.name, types.join(" and "));
    Err(misplaced(ty, &format!("format `{}`", format.name), &help))
}

fn pattern(text: &str, ty: Type, has_zone: bool) -> Result<FieldFormat, Wrong> {
    let pattern = Pattern::parse(text).map_err(|message| Wrong {
        code: Code::WrongValue,
        message,
        help: format!(
            "a format is {} or a pattern such as `DD.MM.YYYY HH24:MI:SS`, of the words {}; other letters stand between \
             double quotes",
            NamedFormat::names(),
            Pattern::words()
        ),
    })?;
    match ty {
        Type::Date if pattern.has_time() => Err(misplaced(ty, "time of day", "declare it as a timestamp")),
        Type::Date | Type::Timestamp if pattern.has_offset() => {
            Err(misplaced(ty, "offset", "it would be dropped: declare it as a timestamptz, and cast it in the column"))
        }
        Type::Timestamptz if !has_zone && !pattern.has_offset() => {
            let message = "the pattern has no offset, so that the instant is not known".to_owned();
            let help = "say `timezone: UTC`, or its zone; or add the offset to the pattern, `OF`; or declare it as a timestamp".to_owned();
            Err(Wrong { code: Code::Conflict, message, help })
        }
        Type::Date | Type::Timestamp | Type::Timestamptz => Ok(FieldFormat::Pattern(pattern)),
        _ => Err(misplaced(ty, "pattern", "only dates and timestamps have a pattern")),
    }
}

fn detailed(detail: &Detail, ty: Type, in_json: bool) -> Result<FieldFormat, Wrong> {
    let Detail { decimal, says_decimal, thousands, yes, no } = detail;
    let wrong = |code, message: &str, help: &str| Wrong { code, message: message.to_owned(), help: help.to_owned() };
    let (numbers, words) = (*says_decimal || thousands.is_some(), !yes.is_empty() || !no.is_empty());
    match (numbers, words) {
        (true, false) if ty.is_number() => {
            // A whole number has no fraction, and its point may be what stands between groups.
            let is_free = ty.is_integer() && !says_decimal && *thousands == Some(*decimal);
            let decimal = if is_free { b',' } else { *decimal };
            let separators = Separators { decimal, thousands: *thousands };
            check_separators(separators)?;
            Ok(FieldFormat::Number { separators, in_strings: in_json })
        }
        (false, true) if ty == Type::Boolean => {
            if yes.is_empty() || no.is_empty() {
                let message = "`format` gives words for only one of `true` and `false`";
                return Err(wrong(Code::MissingKey, message, "write `format: { true: [yes], false: [no] }`"));
            }
            if let Some(word) = yes.iter().find(|word| no.contains(word)) {
                let message = format!("`{word}` means both true and false");
                return Err(wrong(Code::Conflict, &message, "take it out of one list"));
            }
            Ok(FieldFormat::Words(Words { yes: yes.clone(), no: no.clone() }))
        }
        (true, false) => Err(misplaced(ty, "separators", "only numbers have separators")),
        (false, true) => Err(misplaced(ty, "words for true and false", "only booleans have words")),
        (true, true) => {
            let message = "a format is about a number or about a boolean, not about both";
            Err(wrong(Code::Conflict, message, "leave out what the field's type has not"))
        }
        (false, false) => {
            let help = "write `{ decimal: \",\", thousands: \".\" }` or `{ true: [yes], false: [no] }`";
            Err(wrong(Code::MissingKey, "the format is empty", help))
        }
    }
}

fn check_separators(separators: Separators) -> Result<(), Wrong> {
    let help = "write `{ decimal: \",\", thousands: \".\" }`, say";
    let wrong = |message: String| Err(Wrong { code: Code::Conflict, message, help: help.to_owned() });
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

fn misplaced(ty: Type, what: &str, help: &str) -> Wrong {
    Wrong { code: Code::Conflict, message: format!("a field of type {ty} has no {what}"), help: help.to_owned() }
}

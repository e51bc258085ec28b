//! Placeholders: `${…}` in the texts that name the outside.
//!
//! ```text
//! text        = { "$$" | placeholder | any other character }
//! placeholder = "${" name "}"
//! name        = identifier | "secret:" secret
//! identifier  = (letter | "_") { letter | digit | "_" }          ASCII
//! secret      = character { character }                          ASCII letters and digits, and / _ + = . @ -
//! ```
//!
//! `$$` is a `$` itself. Values come from outside; here is only what they are put in place of.

use super::form::Fault;
use crate::diagnostic::{Code, Span};

/// What begins the name of a secret.
const SECRET: &str = "secret:";

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// A placeholder, or what begins as one.
    Placeholder {
        /// What stands between `${` and `}`, or after a `${` that is not closed.
        name: &'a str,
        /// Its bytes in the text.
        span: Span,
        /// Whether it is closed, and its name is one.
        fits: bool,
    },
}

/// The parts of a text, in order.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let start = at;
        let (piece, length) = if rest.starts_with("$$") {
            (Piece::Text("$"), 2)
        } else if let Some(inside) = rest.strip_prefix("${") {
            let closed = inside.find('}');
            let name = inside.get(..closed.unwrap_or(inside.len())).unwrap_or_default();
            let length = 2 + name.len() + usize::from(closed.is_some());
            let span = Span::new(start, start + length);
            (Piece::Placeholder { name, span, fits: closed.is_some() && is_name(name) }, length)
        } else {
            let dollar = usize::from(rest.starts_with('$'));
            let length = rest.get(dollar..).and_then(|rest| rest.find('$')).map_or(rest.len(), |next| dollar + next);
            (Piece::Text(rest.get(..length).unwrap_or_default()), length)
        };
        at += length;
        Some(piece)
    })
}

fn is_name(name: &str) -> bool {
    match name.strip_prefix(SECRET) {
        Some(secret) => {
            let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '=' | '.' | '@' | '-');
            !secret.is_empty() && secret.chars().all(is_known)
        }
        None => {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        }
    }
}

/// The names of the placeholders of a text, in order: `NAME`, `secret:name`.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Placeholder { name, fits: true, .. } => Some(name),
        Piece::Placeholder { .. } | Piece::Text(_) => None,
    })
}

/// The text with a letter in place of each placeholder, so that what stands around them can be checked.
pub(crate) fn without(text: &str) -> String {
    let pieces = pieces(text).map(|piece| match piece {
        Piece::Text(piece) => piece,
        Piece::Placeholder { .. } => "x",
    });
    pieces.collect()
}

/// Checks that the placeholders of a text are well formed, and that they stand where something is put in their place.
pub(super) fn check(text: &str, is_resolved: bool) -> Result<(), Fault> {
    for piece in pieces(text) {
        let Piece::Placeholder { span, fits, .. } = piece else { continue };
        let written = text.get(span.start..span.end).unwrap_or_default();
        if is_resolved && !fits {
            return Err(Fault::new(Code::Placeholder, format!("`{written}` is not a placeholder"))
                .within(span)
                .with_help("write `${NAME}` or `${secret:name}`; `$$` is a `$` itself"));
        }
        // A `${` that is no placeholder is nothing special elsewhere: a regular expression may have one.
        if !is_resolved && fits {
            return Err(Fault::new(Code::Placeholder, format!("`{written}` is not replaced here"))
                .within(span)
                .with_help("`${…}` is replaced in the addresses of the source and in the name of the table only"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_and_dollars_escaped() {
        assert_eq!(names("$${a}${b}/${secret:c}$").collect::<Vec<_>>(), ["b", "secret:c"]);
        assert_eq!(without("s3://${A}b/$$c"), "s3://xb/$c");
    }
}

//! Placeholders: `${…}` in the texts that name things outside of the file.
//!
//! ```text
//! text        = { "$$" | placeholder | any other character }
//! placeholder = "${" name "}"
//! name        = identifier | "secret:" secret
//! identifier  = (letter | "_") { letter | digit | "_" }          ASCII
//! secret      = character { character }                          ASCII letters and digits, and / _ + = . @ -
//! ```
//!
//! `$$` stands for a `$`. The values come from outside; this file only finds the places where they are put.

use std::fmt;

use super::form::Mismatch;
use super::text::Text;
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

/// What a `${…}` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder<'a> {
    /// `${NAME}`: the value of a variable.
    Variable(&'a str),
    /// `${secret:name}`: a secret, which nobody may see.
    Secret(&'a str),
}

impl<'a> Placeholder<'a> {
    fn of(name: &'a str) -> Self {
        name.strip_prefix(SECRET).map_or(Self::Variable(name), Self::Secret)
    }
}

impl fmt::Display for Placeholder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "${{{name}}}"),
            Self::Secret(name) => write!(f, "${{{SECRET}{name}}}"),
        }
    }
}

/// The placeholders of a text, in order.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    pieces(text).filter_map(|piece| match piece {
        Piece::Placeholder { name, fits: true, .. } => Some(Placeholder::of(name)),
        Piece::Placeholder { .. } | Piece::Text(_) => None,
    })
}

/// A text with the values of its placeholders. What is shown of it has no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Filled {
    text: String,
    shown: String,
}

impl Filled {
    /// The text with each placeholder's value in its place. `value` is asked for each, in order.
    pub(crate) fn new<E>(text: &str, mut value: impl FnMut(Placeholder<'_>) -> Result<String, E>) -> Result<Self, E> {
        let (mut filled, mut shown) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
        for piece in pieces(text) {
            match piece {
                Piece::Placeholder { name, fits: true, .. } => {
                    let asked = Placeholder::of(name);
                    let value = value(asked)?;
                    match asked {
                        Placeholder::Variable(_) => shown.push_str(&value),
                        Placeholder::Secret(_) => shown.push_str(&asked.to_string()),
                    }
                    filled.push_str(&value);
                }
                Piece::Placeholder { span, .. } => {
                    let written = text.get(span.start..span.end).unwrap_or_default();
                    filled.push_str(written);
                    shown.push_str(written);
                }
                Piece::Text(piece) => {
                    filled.push_str(piece);
                    shown.push_str(piece);
                }
            }
        }
        Ok(Self { text: filled, shown })
    }

    /// Whether a secret is in it.
    pub(crate) fn holds_secret(&self) -> bool {
        self.text != self.shown
    }

    /// The text itself, which nobody may show.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl Text {
    /// The text with each placeholder's value in its place. `value` is asked for each, in order.
    pub fn fill<E>(&self, value: impl FnMut(Placeholder<'_>) -> Result<String, E>) -> Result<Filled, E> {
        Filled::new(&self.text, value)
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
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
pub(super) fn check(text: &str, is_resolved: bool) -> Result<(), Mismatch> {
    for piece in pieces(text) {
        let Piece::Placeholder { span, fits, .. } = piece else { continue };
        let written = text.get(span.start..span.end).unwrap_or_default();
        if is_resolved && !fits {
            return Err(Mismatch::new(Code::Placeholder, format!("`{written}` is not a placeholder"))
                .within(span)
                .with_help("write `${NAME}` or `${secret:name}`; `$$` is a `$` itself"));
        }
        // A `${` that is no placeholder is nothing special elsewhere: a regular expression may have one.
        if !is_resolved && fits {
            return Err(Mismatch::new(Code::Placeholder, format!("`{written}` is not replaced here"))
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
    fn placeholders_are_resolved_and_dollars_escaped() {
        let fill = |text: &str| Filled::new(text, |asked| Ok::<_, ()>(asked.to_string().to_uppercase()));
        let filled = |text: &str| fill(text).map(|filled| filled.reveal().to_owned());
        assert_eq!(filled("a$$b$"), Ok("a$b$".to_owned()));
        assert_eq!(filled("x/${path}/${secret:key}"), Ok("x/${PATH}/${SECRET:KEY}".to_owned()));
        assert_eq!(filled("$a$$${b}$"), Ok("$a$${B}$".to_owned()));
        assert_eq!(filled("${a-b}${"), Ok("${a-b}${".to_owned()));
        let asked: Vec<_> = placeholders("$${a}${b}/${secret:c}$").collect();
        assert_eq!(asked, [Placeholder::Variable("b"), Placeholder::Secret("c")]);
        assert_eq!(Filled::new("${a}", |asked| Err::<String, _>(asked.to_string())), Err("${a}".to_owned()));
        assert_eq!(without("s3://${A}b/$$c"), "s3://xb/$c");
    }

    #[test]
    fn no_secret_is_shown() {
        let value = |asked: Placeholder<'_>| match asked {
            Placeholder::Variable(_) => Ok::<_, ()>("landing".to_owned()),
            Placeholder::Secret(_) => Ok("hush".to_owned()),
        };
        let filled = Filled::new("s3://${BUCKET}/${secret:prefix}/", value).unwrap();
        assert_eq!(filled.reveal(), "s3://landing/hush/");
        assert_eq!(filled.to_string(), "s3://landing/${secret:prefix}/");
        assert_eq!(format!("{filled:?}"), "\"s3://landing/${secret:prefix}/\"");
    }
}

//! Flavour: basic and extended regular expressions, written as advanced ones. They begin with `(?b)` and `(?e)`; the flags
//! `b` and `e` both stand for a basic one, as they do for PostgreSQL.

use super::invalid;
use crate::column::Fault;

/// The language of a pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::expr) enum Flavour {
    /// PostgreSQL's own, and what an expression is in without a flag.
    #[default]
    Advanced,
    /// That of `egrep`: a backslash takes the meaning of the next character, and gives it none.
    Extended,
    /// That of `grep`: parentheses and bounds are operators behind a backslash only.
    Basic,
}

impl Flavour {
    /// A pattern of this flavour as an advanced one.
    pub(super) fn advanced(self, pattern: &str) -> Result<String, Fault> {
        match self {
            Self::Advanced => Ok(pattern.to_owned()),
            Self::Extended => extended(pattern),
            Self::Basic => basic(pattern),
        }
    }
}

fn extended(pattern: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(pattern.len());
    let (mut rest, mut depth) = (pattern, 0_usize);
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        match char {
            '\\' => {
                rest = escaped(after, &mut out)?;
                continue;
            }
            '[' => {
                rest = bracket(rest, &mut out);
                continue;
            }
            '(' if after.starts_with('?') => return Err(invalid("quantifier operand invalid")),
            '(' => depth += 1,
            // Without a parenthesis before it, it stands for itself.
            ')' if depth == 0 => out.push('\\'),
            ')' => depth -= 1,
            // There is no shortest match, and a quantifier has nothing to repeat behind another.
            '*' | '+' | '?' | '}' if after.starts_with('?') => return Err(invalid("quantifier operand invalid")),
            _ => {}
        }
        out.push(char);
        rest = after;
    }
    Ok(out)
}

fn basic(pattern: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(pattern.len());
    // At the start of the pattern or of a group.
    let (mut rest, mut at_start) = (pattern, true);
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        let was_at_start = std::mem::take(&mut at_start);
        rest = match char {
            '[' => bracket(rest, &mut out),
            '\\' => {
                let next = after.chars().next().ok_or_else(|| invalid(r"invalid escape \ sequence"))?;
                match next {
                    '(' => at_start = true,
                    '<' => out.push_str("[[:<:]]"),
                    '>' => out.push_str("[[:>:]]"),
                    // A digit behind it is no part of the number.
                    '1'..='9' => out.extend(["(?:\\", next.encode_utf8(&mut [0; 4]), ")"]),
                    _ => {}
                }
                match next {
                    '(' | ')' | '{' | '}' => out.push(next),
                    '<' | '>' | '1'..='9' => {}
                    _ => {
                        escaped(after, &mut out)?;
                    }
                }
                &after[next.len_utf8()..]
            }
            _ => {
                let stands_for_itself = match char {
                    '*' => was_at_start,
                    '^' => !was_at_start || out.ends_with('^'),
                    '$' => !(after.is_empty() || after.starts_with("\\)")),
                    '(' | ')' | '{' | '}' | '|' | '+' | '?' => true,
                    _ => false,
                };
                at_start = char == '^' && was_at_start;
                if stands_for_itself {
                    out.push('\\');
                }
                out.push(char);
                after
            }
        };
    }
    Ok(out)
}

/// Appends the character behind a backslash, which stands for itself, and gives the rest.
fn escaped<'a>(after: &'a str, out: &mut String) -> Result<&'a str, Fault> {
    let char = after.chars().next().ok_or_else(|| invalid(r"invalid escape \ sequence"))?;
    if !char.is_alphanumeric() {
        out.push('\\');
    }
    out.push(char);
    Ok(&after[char.len_utf8()..])
}

/// Appends a bracket expression, in which a backslash stands for itself, and gives the rest.
fn bracket<'a>(text: &'a str, out: &mut String) -> &'a str {
    let mut chars = text.char_indices().peekable();
    chars.next();
    out.push('[');
    // A bracket that closes does not at the start, nor within `[:alpha:]`.
    let (mut is_first, mut within) = (true, None);
    while let Some((at, char)) = chars.next() {
        let next = chars.peek().map(|&(_, next)| next);
        out.push_str(if char == '\\' { r"\\" } else { text.get(at..at + char.len_utf8()).unwrap_or_default() });
        match (char, next) {
            ('^', _) if is_first && at == 1 => continue,
            ('[', Some(kind @ (':' | '.' | '='))) if within.is_none() => {
                within = Some(kind);
                out.push(kind);
                chars.next();
            }
            (kind, Some(']')) if within == Some(kind) => {
                within = None;
                out.push(']');
                chars.next();
            }
            (']', _) if !is_first && within.is_none() => return text.get(at + 1..).unwrap_or_default(),
            _ => {}
        }
        is_first = false;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_written_as_advanced_ones() {
        for (flavour, pattern, wanted) in [
            (Flavour::Basic, r"\(a*\)\1x", r"(a*)(?:\1)x"),
            (Flavour::Basic, r"*a\{2,3\}+?|(b)", r"\*a{2,3}\+\?\|\(b\)"),
            (Flavour::Basic, r"^*^a^b$c$", r"^\*\^a\^b\$c$"),
            (Flavour::Basic, r"\(^a$\)\<b\>\d", r"(^a$)[[:<:]]b[[:>:]]d"),
            (Flavour::Basic, r"[^]a\]x[[:alpha:]\]", r"[^]a\\]x[[:alpha:]\\]"),
            (Flavour::Extended, r"a\d\.)(b)", r"ad\.\)(b)"),
            (Flavour::Advanced, r"\d(?=x)", r"\d(?=x)"),
        ] {
            assert_eq!(flavour.advanced(pattern).as_deref().ok(), Some(wanted), "{pattern}");
        }
        for (flavour, pattern) in [
            (Flavour::Basic, "a\\"),
            (Flavour::Extended, "a\\"),
            (Flavour::Extended, "a*?"),
            (Flavour::Extended, "(?:a)"),
        ] {
            assert!(flavour.advanced(pattern).is_err(), "{pattern}");
        }
    }
}

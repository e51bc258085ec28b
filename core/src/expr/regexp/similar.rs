//! Similar: the patterns of `SIMILAR TO` and `substring(… similar …)`, rewritten as regular expressions the way PostgreSQL
//! does it.

use crate::column::Fault;
use crate::diagnostic::Code;

/// The regular expression that matches what an SQL pattern matches. `escape` makes the character after it literal.
pub(in crate::expr) fn regular(pattern: &str, escape: Option<char>) -> Result<String, Fault> {
    let mut out = String::from("^(?:");
    let mut in_brackets = false;
    let mut separators = 0;
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            _ if Some(char) == escape => match chars.next() {
                Some('"') if !in_brackets => {
                    // The part between two separators is what `substring` gives; the part before it is to be short.
                    out.push_str(match separators {
                        0 => "){1,1}?(",
                        1 => "){1,1}(?:",
                        _ => {
                            let fact =
                                "SQL regular expression may not contain more than two escape-double-quote separators";
                            return Err(Fault::new(Code::BadEscapeUse, fact));
                        }
                    });
                    separators += 1;
                }
                Some(literal) => out.extend(['\\', literal]),
                None => {}
            },
            '\\' => out.push_str(r"\\"),
            _ if in_brackets => {
                out.push(char);
                in_brackets = char != ']';
            }
            '[' => {
                out.push(char);
                in_brackets = true;
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '.' | '^' | '$' => out.extend(['\\', char]),
            _ => out.push(char),
        }
    }
    out.push_str(")$");
    Ok(out)
}

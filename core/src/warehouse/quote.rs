//! Quote: the one place where names and words become SQL text.
//!
//! Names are always quoted and in lower case, as Redshift folds them. Values of rows never come here: they are bound as
//! parameters. The only literals are words and numbers of Etalon itself.

use std::fmt;

use crate::error::Error;
use crate::error::ErrorKind;

/// Most bytes of a name; Redshift cuts longer ones.
pub const NAME_BYTES_MAX: usize = 127;

/// A name that is fit for SQL text. It prints with its quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier(String);

impl Identifier {
    /// Takes a name as a user writes it; ASCII letters become lower case.
    pub fn new(name: &str) -> Result<Self, Error> {
        let refuse = |fact: &str| {
            let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
            Err(Error::new(ErrorKind::Refused, format!("the name `{shown}` {fact}")))
        };
        if name.is_empty() {
            return Err(Error::new(ErrorKind::Refused, "a name is empty"));
        }
        if name.len() > NAME_BYTES_MAX {
            return refuse(&format!("has {} bytes, and a warehouse takes at most {NAME_BYTES_MAX}", name.len()));
        }
        if name.chars().any(char::is_control) {
            return refuse("has control characters");
        }
        Ok(Self(name.to_ascii_lowercase()))
    }

    /// A name that the warehouse module itself gives.
    pub(crate) fn own(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// A name that a warehouse gave.
    pub(crate) fn found(name: &str) -> Self {
        Self(name.chars().filter(|letter| !letter.is_control()).collect())
    }

    /// Joins names that have been checked, as `schema.table` for a warehouse without schemas.
    pub(crate) fn joined(parts: &[&Self], separator: &str) -> Self {
        Self(parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(separator))
    }

    /// The name without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A word of Etalon's own as a literal; the type keeps data out.
pub(crate) struct Word(pub(crate) &'static str);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_and_in_lower_case() {
        assert_eq!(Identifier::new("Order_ID").unwrap().to_string(), "\"order_id\"");
        assert_eq!(Identifier::new("a\"b'c;--").unwrap().to_string(), "\"a\"\"b'c;--\"");
        assert_eq!(Identifier::new("Größe").unwrap().to_string(), "\"größe\"");
        assert_eq!(Word("it's").to_string(), "'it''s'");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let wrong = |name: &str| Identifier::new(name).unwrap_err().to_string();
        assert_eq!(wrong(""), "a name is empty");
        assert_eq!(wrong("a\nb\0"), "the name `a\\nb\\0` has control characters");
        assert_eq!(
            wrong(&"é".repeat(64)),
            format!("the name `{}` has 128 bytes, and a warehouse takes at most 127", "é".repeat(40))
        );
    }
}

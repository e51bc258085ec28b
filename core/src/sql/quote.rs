//! Quote: the one place where names and words become SQL text.
//!
//! Names are always quoted and in lower case, as Redshift folds them. Values of rows are never written as SQL text: they are
//! bound as parameters. The only literals are words and numbers of Etalon itself.

use std::fmt;

use crate::error::Error;
use crate::error::ErrorKind;

/// Most bytes of a name; Redshift cuts longer ones.
pub(crate) const NAME_BYTES_MAX: usize = 127;

/// A name that is fit for SQL text. It prints with its quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identifier(String);

impl Identifier {
    /// Takes a name as a user writes it; ASCII letters become lower case.
    pub(crate) fn new(name: &str) -> Result<Self, Error> {
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
    pub(crate) fn as_str(&self) -> &str {
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

/// A text in a statement that is shown to people. What is run has parameters.
pub(crate) fn shown_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name of a database that is read, as that database has it: its letters stay as they are.
pub(crate) fn exact(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value that a database that is read gave as a bound, as a literal of it: a backslash means itself there.
pub(crate) fn bound(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name of a MySQL that is read.
pub(crate) fn backticked(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as a literal of a MySQL, in which a backslash begins an escape.
pub(crate) fn escaped(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A whole number as SQL has it: of what is none, its digits.
pub(crate) fn number(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    format!("{}{digits}", if text.starts_with('-') { "-" } else { "" })
}

/// A name that must stand in SQL text, since no parameter can stand there: an object's or a role's.
/// Whatever might end or escape the literal is refused, not quoted: Redshift takes a backslash for an escape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    /// `s3://bucket/key`.
    pub(crate) fn s3(text: &str) -> Result<Self, Error> {
        let parts = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let fits = |(bucket, key): (&str, &str)| {
            let in_bucket =
                |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || ".-".contains(letter);
            let in_key = |letter: char| letter.is_ascii_alphanumeric() || "/._=+@!:,~-".contains(letter);
            !bucket.is_empty() && bucket.chars().all(in_bucket) && !key.is_empty() && key.chars().all(in_key)
        };
        Self::checked(text, parts.is_some_and(fits), "is not the name of an object in S3")
    }

    /// `arn:aws:iam::123456789012:role/name`, several of them with commas between, or `default`.
    pub(crate) fn iam_role(text: &str) -> Result<Self, Error> {
        let is_role = |role: &str| {
            let parts: Vec<&str> = role.splitn(6, ':').collect();
            let ["arn", partition, "iam", "", account, name] = parts.as_slice() else { return false };
            let in_name = |letter: char| letter.is_ascii_alphanumeric() || "/._=+@-".contains(letter);
            partition.starts_with("aws")
                && partition.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')
                && account.len() == 12
                && account.chars().all(|letter| letter.is_ascii_digit())
                && name.strip_prefix("role/").is_some_and(|name| !name.is_empty() && name.chars().all(in_name))
        };
        Self::checked(text, text == "default" || text.split(',').all(is_role), "is not the ARN of a role")
    }

    fn checked(text: &str, fits: bool, fact: &str) -> Result<Self, Error> {
        if fits {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
        Err(Error::new(ErrorKind::Refused, format!("`{shown}` {fact} that COPY can be given")))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0)
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
    fn a_mysql_reads_a_quoted_text_as_it_was() {
        assert_eq!(backticked("a`b\"c"), "`a``b\"c`");
        assert_eq!(escaped("a'b\\'c"), "'a''b\\\\''c'");
        assert_eq!(
            [number("-12"), number("1; drop"), number("18446744073709551616")],
            ["-12", "1", "18446744073709551616"]
        );
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

    #[test]
    fn a_location_that_could_end_its_literal_is_refused() {
        for good in ["s3://acme/load/1.manifest", "s3://a.b-c/x=1/y+z"] {
            assert_eq!(Location::s3(good).unwrap().to_string(), format!("'{good}'"));
        }
        for wrong in
            ["", "s3://", "s3://a", "s3://a/", "s3:///k", "s3://A/k", "s3://a/k'", "s3://a/\\k", "s3://a/ü", "a/b"]
        {
            assert!(Location::s3(wrong).is_err(), "{wrong}");
        }
        let role = "arn:aws:iam::123456789012:role/etalon/load";
        for good in ["default", role, &format!("{role},{role}")] {
            assert_eq!(Location::iam_role(good).unwrap().to_string(), format!("'{good}'"));
        }
        for wrong in
            ["", "arn:aws:iam::1:role/x", "arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:role/x'"]
        {
            assert!(Location::iam_role(wrong).is_err(), "{wrong}");
        }
    }
}

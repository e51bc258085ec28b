//! S3: the objects of a bucket whose keys begin with a prefix. An object is named by its whole key.

use crate::diagnostic::Code;
use crate::error::{Error, ErrorKind};
use crate::spec::{Form, Hint, Keys, Mismatch, Text, placeholder};

use super::{Location, Names};

/// What the kind is called, in a pipeline file and in the identity of an input.
pub(crate) const KIND: &str = "s3";

pub(super) fn key(keys: &mut Keys<'_>) -> Option<Location> {
    keys.optional(KIND, Prefix, "The prefix of the objects: `s3://bucket/prefix`.").map(Location::S3)
}

/// `"s3://" bucket [ "/" prefix ]`, each part with or out of placeholders; the bucket has 3 to 63 small letters, digits,
/// `.` and `-`.
struct Prefix;

impl Form for Prefix {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "an address such as `s3://bucket/prefix`"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Text, Mismatch> {
        let wrong = |why: &str| {
            Mismatch::new(Code::WrongValue, format!("`s3` is {why}")).with_help("write `s3://bucket/prefix/`")
        };
        // What a placeholder stands for is not known here.
        if text.text.starts_with("${") {
            return Ok(text.clone());
        }
        let resolved = placeholder::without(&text.text);
        let Some(address) = resolved.strip_prefix("s3://") else {
            return Err(wrong("an address that begins with `s3://`"));
        };
        let bucket = address.split('/').next().unwrap_or_default();
        let is_known = bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'));
        let is_whole = placeholder::placeholders(&text.text).next().is_none();
        if bucket.is_empty() || !is_known || is_whole && !(3..=63).contains(&bucket.len()) {
            let help = "a bucket's name has 3 to 63 small letters, digits, `.` and `-`";
            return Err(
                Mismatch::new(Code::WrongValue, format!("`{bucket}` cannot be a bucket's name")).with_help(help)
            );
        }
        if address.contains(['*', '?']) {
            return Err(Mismatch::new(Code::WrongValue, "`s3` is a prefix, which has no `*` and no `?`"));
        }
        Ok(text.clone())
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^(s3://|\\$\\{)")
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// A place in S3: a bucket, and what the keys in it begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The bucket.
    pub bucket: String,
    /// The beginning of every key; may be empty.
    pub prefix: String,
}

impl Address {
    /// Reads `s3://bucket/prefix`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (bucket, prefix) = match text.strip_prefix("s3://") {
            Some(path) => path.split_once('/').unwrap_or((path, "")),
            None => ("", ""),
        };
        if bucket.is_empty() {
            return Err(Error::new(ErrorKind::Refused, format!("`{text}` is not `s3://bucket/prefix/`")));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// The objects of the place.
    pub fn names(&self) -> Names {
        Names::beginning(self.prefix.as_str())
    }
}

/// A key as a notification of S3 has it, or a listing that asks for it: the encoding of a form, with `+` for a space and `%XX` for a byte.
pub fn decode_key(key: &str) -> String {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match after {
            [high, low, ..] if *first == b'%' => digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_prefix() {
        let address = |text: &str| Address::parse(text).map(|address| (address.bucket, address.prefix));
        let place = |bucket: &str, prefix: &str| Ok((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(address("s3://landing"), place("landing", ""));
        assert_eq!(address("s3://landing/"), place("landing", ""));
        assert_eq!(address("s3://landing/orders/2026"), place("landing", "orders/2026"));
        assert_eq!(address("landing/orders").unwrap_err().to_string(), "`landing/orders` is not `s3://bucket/prefix/`");
        assert!(address("s3:///orders").is_err());
    }

    #[test]
    fn keys_of_notifications_are_decoded() {
        assert_eq!(decode_key("in/two+words%2Bplus%C3%A4.csv"), "in/two words+plusä.csv");
        assert_eq!(decode_key("100%+%zz%4"), "100% %zz%4");
    }
}

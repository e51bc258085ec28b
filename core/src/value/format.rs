//! Formats that a pipeline declares for its fields: days and times by a pattern, instants by a count since 1970, numbers
//! with other separators, booleans with other words. Each is strict: what it does not describe is a fault.

mod dates;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::Decimal;
use crate::value::Fraction;
use crate::value::text::quote;
use crate::value::trim;

pub(crate) use dates::Pattern;

/// A count of time since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// Seconds, with at most six digits after the point.
    Seconds,
    /// Milliseconds, with at most three.
    Millis,
    /// Microseconds, whole ones.
    Micros,
    /// Nanoseconds, a thousand of which are a microsecond.
    Nanos,
}

impl Epoch {
    /// Reads a count as microseconds since 1970.
    pub(crate) fn parse(self, text: &[u8]) -> Result<i64, Fault> {
        // At that scale the unscaled number counts microseconds, or nanoseconds.
        let (scale, what) = match self {
            Self::Seconds => (6, "seconds"),
            Self::Millis => (3, "milliseconds"),
            Self::Micros => (0, "microseconds"),
            Self::Nanos => (0, "nanoseconds"),
        };
        let excess = |text: &str| {
            Fault::new(
                Code::ExcessFraction,
                format!("{text} has a part of a microsecond, which a timestamp does not keep"),
            )
        };
        let units = Decimal::parse_as(text, 38, scale, Fraction::Exact).map_err(|fault| {
            let text = quote(text);
            match fault.code {
                Code::ExcessScale => excess(&text),
                Code::OutOfRange => out_of_range(&text),
                _ => Fault::new(Code::NotADatetime, format!("{text} is not a number of {what} since 1970")),
            }
        })?;
        let micros = match self {
            Self::Nanos if units % 1000 != 0 => return Err(excess(&quote(text))),
            Self::Nanos => units / 1000,
            _ => units,
        };
        let micros = i64::try_from(micros).map_err(|_| out_of_range(&quote(text)))?;
        // Nothing happens so far away: the count is one of a smaller unit.
        if !(YEAR_1..YEAR_10000).contains(&micros) {
            let message = format!("{} {what} since 1970 lead beyond the years 1 to 9999", quote(text));
            return Err(Fault::new(Code::DatetimeOutOfRange, message));
        }
        Ok(micros)
    }
}

/// Microseconds from 1970 to the beginning of these years.
const YEAR_1: i64 = -62_135_596_800_000_000;
const YEAR_10000: i64 = 253_402_300_800_000_000;

#[cold]
fn out_of_range(quoted: &str) -> Fault {
    Fault::new(Code::DatetimeOutOfRange, format!("{quoted} is out of range for a timestamp"))
}

/// What stands in a number beside its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Separators {
    /// Before the fraction.
    pub(crate) decimal: u8,
    /// Between groups of three digits, if there is anything. A number has it between all its groups, or nowhere.
    pub(crate) thousands: Option<u8>,
}

impl Separators {
    /// The number with a point and without separators, in `out`.
    pub(crate) fn plain<'a>(self, text: &[u8], out: &'a mut Vec<u8>) -> Result<&'a [u8], Fault> {
        out.clear();
        match self.write_plain(trim(text), out) {
            Some(()) => Ok(out),
            None => Err(self.not_written_so(text)),
        }
    }

    fn write_plain(self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let digits = match text {
            [sign @ (b'-' | b'+'), digits @ ..] => {
                out.push(*sign);
                digits
            }
            digits => digits,
        };
        let (whole, fraction) = match digits.iter().position(|byte| *byte == self.decimal) {
            Some(at) => (digits.get(..at)?, digits.get(at + 1..)?),
            None => (digits, &[][..]),
        };
        let grouped = self.thousands.filter(|separator| whole.contains(separator));
        // Nobody writes a group that is zero before another: `0.673` is a fraction in another notation.
        if grouped.is_some() && whole.first() == Some(&b'0') {
            return None;
        }
        for (at, byte) in whole.iter().enumerate() {
            // Counted from the right, every fourth byte of a grouped number is a separator, and no other.
            let from_right = whole.len() - 1 - at;
            match grouped {
                Some(separator) if from_right % 4 == 3 => (*byte == separator && at > 0).then_some(())?,
                _ if byte.is_ascii_digit() => out.push(*byte),
                _ => return None,
            }
        }
        let has_digits = !whole.is_empty() || !fraction.is_empty();
        if !has_digits || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        if !fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        Some(())
    }

    #[cold]
    fn not_written_so(self, text: &[u8]) -> Fault {
        let groups = match self.thousands {
            Some(thousands) => format!(" and `{}` between groups of three digits", char::from(thousands)),
            None => String::new(),
        };
        let decimal = char::from(self.decimal);
        Fault::new(
            Code::NotAValue,
            format!("{} is not a number with `{decimal}` before its fraction{groups}", quote(text)),
        )
    }
}

/// The words for true and false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// Those for true.
    pub(crate) yes: Vec<String>,
    /// Those for false.
    pub(crate) no: Vec<String>,
}

impl Words {
    /// Reads a word, exactly as it was declared; blanks around it are no part of it.
    pub(crate) fn parse(&self, text: &[u8]) -> Result<bool, Fault> {
        let is_one =
            |words: &[String]| words.iter().any(|word| word.as_bytes() == text || word.as_bytes() == trim(text));
        if is_one(&self.yes) {
            return Ok(true);
        }
        if is_one(&self.no) {
            return Ok(false);
        }
        let words: Vec<&str> = self.yes.iter().chain(&self.no).map(String::as_str).collect();
        Err(Fault::new(Code::NotAValue, format!("{} is none of {}", quote(text), words.join(", "))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn counts_since_1970_are_exact() {
        let read = |epoch: Epoch, text: &str| match epoch.parse(text.as_bytes()) {
            Ok(micros) => micros.to_string(),
            Err(fault) => fault.code.to_string(),
        };
        for (text, wanted) in [
            ("1767225600", "1767225600000000"),
            ("-1.5", "-1500000"),
            ("0.0000010", "1"),
            ("0.0000001", "R309"),
            ("1e30", "R303"),
            ("99999999999999", "R303"),
            ("1700000000123", "R303"),
            ("253402300799.999999", "253402300799999999"),
            ("253402300800", "R303"),
            ("-62135596800", "-62135596800000000"),
            ("-62135596801", "R303"),
            ("today", "R304"),
            ("NaN", "R304"),
        ] {
            assert_eq!(read(Epoch::Seconds, text), wanted, "{text}");
        }
        assert_eq!(read(Epoch::Millis, "1767225600001.25"), "1767225600001250");
        assert_eq!(read(Epoch::Micros, "1767225600000001"), "1767225600000001");
        assert_eq!(read(Epoch::Micros, "1767225600000001.5"), "R309");
        assert_eq!(read(Epoch::Nanos, "1767225600000001000"), "1767225600000001");
        assert_eq!(read(Epoch::Nanos, "-1000"), "-1");
        assert_eq!(read(Epoch::Nanos, "1767225600000001001"), "R309");
        assert_eq!(read(Epoch::Nanos, "99999999999999999999000"), "R303");
    }

    #[test]
    fn groups_of_digits_are_three() {
        let german = Separators { decimal: b',', thousands: Some(b'.') };
        let plain = |separators: Separators, text: &str| {
            let mut out = Vec::new();
            separators.plain(text.as_bytes(), &mut out).ok().map(|text| String::from_utf8(text.to_vec()).unwrap())
        };
        for (text, wanted) in [
            ("1.234.567,89", Some("1234567.89")),
            ("-1.234", Some("-1234")),
            ("1234,5", Some("1234.5")),
            (" 12 ", Some("12")),
            (",5", Some(".5")),
            ("1.23,4", None),
            ("12345.678", None),
            ("1234.567", None),
            (".234", None),
            ("1,2.345", None),
            ("1,2,3", None),
            ("", None),
            (",", None),
            ("-", None),
            ("1e5", None),
        ] {
            assert_eq!(plain(german, text).as_deref(), wanted, "{text}");
        }
        assert_eq!(plain(Separators { decimal: b',', thousands: None }, "1.5"), None);
    }
}

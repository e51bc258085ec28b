//! Show: shows values of PostgreSQL as the SQLite warehouse shows them, so that a query has the same result in both.

use etalon_core::types::Type;
use etalon_core::value::float::{print_double, print_real};
use etalon_core::warehouse::calendar;

/// Numbers of PostgreSQL's built-in types.
const BOOL: u32 = 16;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;
const BPCHAR: u32 = 1042;
const VARCHAR: u32 = 1043;
const DATE: u32 = 1082;
const TIMESTAMP: u32 = 1114;
const TIMESTAMPTZ: u32 = 1184;
const NUMERIC: u32 = 1700;
const JSONB: u32 = 3802;

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;
/// What the lengths of types are greater by than what was written.
const LENGTH_EXTRA: i32 = 4;

/// Whether a value is asked for in its binary form: its text would depend on settings, or lack digits.
pub(crate) fn is_binary(type_number: u32) -> bool {
    [FLOAT4, FLOAT8, DATE, TIMESTAMP, TIMESTAMPTZ].contains(&type_number)
}

/// The type that a column is declared with, where Etalon has it.
pub(crate) fn declared(type_number: u32, modifier: i32) -> Option<Type> {
    let length = u32::try_from(modifier - LENGTH_EXTRA).ok().filter(|_| modifier > LENGTH_EXTRA);
    Some(match type_number {
        BOOL => Type::Boolean,
        INT2 => Type::Smallint,
        INT4 => Type::Integer,
        INT8 => Type::Bigint,
        TEXT => Type::Text,
        FLOAT4 => Type::Real,
        FLOAT8 => Type::Double,
        BPCHAR => length.map_or(Type::Text, Type::Char),
        VARCHAR => length.map_or(Type::Text, Type::Varchar),
        JSONB => Type::Super,
        DATE => Type::Date,
        TIMESTAMP => Type::Timestamp,
        TIMESTAMPTZ => Type::Timestamptz,
        NUMERIC => match length.map(|both| (u8::try_from(both >> 16), u8::try_from(both & 0x7ff))) {
            Some((Ok(precision), Ok(scale))) => Type::Decimal { precision, scale },
            _ => Type::Numeric,
        },
        _ => return None,
    })
}

/// A value as it is shown.
pub(crate) fn show(bytes: Vec<u8>, type_number: u32) -> String {
    binary(&bytes, type_number).unwrap_or_else(|| match (type_number, bytes.as_slice()) {
        (BOOL, b"t") => "true".to_owned(),
        (BOOL, _) => "false".to_owned(),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

fn binary(bytes: &[u8], type_number: u32) -> Option<String> {
    let mut out = String::new();
    match type_number {
        FLOAT4 => return Some(print_real(f32::from_be_bytes(bytes.try_into().ok()?))),
        FLOAT8 => return Some(print_double(f64::from_be_bytes(bytes.try_into().ok()?))),
        DATE => match i32::from_be_bytes(bytes.try_into().ok()?) {
            i32::MAX => out.push_str("infinity"),
            i32::MIN => out.push_str("-infinity"),
            days => calendar::write_date(&mut out, days.saturating_add(EPOCH_DAYS)),
        },
        TIMESTAMP | TIMESTAMPTZ => match i64::from_be_bytes(bytes.try_into().ok()?) {
            i64::MAX => out.push_str("infinity"),
            i64::MIN => out.push_str("-infinity"),
            micros if type_number == TIMESTAMP => {
                calendar::write_timestamp(&mut out, micros.saturating_add(EPOCH_MICROS));
            }
            micros => calendar::write_timestamptz(&mut out, micros.saturating_add(EPOCH_MICROS)),
        },
        _ => return None,
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_that_of_its_number_and_modifier() {
        assert_eq!(declared(NUMERIC, (12 << 16 | 2) + 4), Some(Type::Decimal { precision: 12, scale: 2 }));
        assert_eq!(declared(NUMERIC, -1), Some(Type::Numeric));
        assert_eq!(declared(VARCHAR, 24), Some(Type::Varchar(20)));
        assert_eq!(declared(BPCHAR, 7), Some(Type::Char(3)));
        assert_eq!(declared(1, -1), None);
    }
}

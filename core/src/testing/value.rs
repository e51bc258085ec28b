//! The laws of single values: what is printed reads back, and no bytes make a parser panic.

use std::cmp::Ordering;

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop_oneof;

use crate::value::Decimal;
use crate::value::Fraction;
use crate::value::boolean;
use crate::value::datetime;
use crate::value::float;
use crate::value::integer;
use crate::value::json::Json;
use crate::value::json::Tree;
use crate::value::text;
use crate::value::wide::Fixed;
use crate::value::wide::Wide;

/// Decimals of any length and scale.
pub fn decimal() -> impl Strategy<Value = Decimal> {
    let limit = 10_i128.pow(38);
    let unscaled = prop_oneof![-limit + 1..limit, any::<i64>().prop_map(i128::from), -1000..1000_i128];
    (unscaled, 0..=38_u8).prop_map(|(unscaled, scale)| Decimal { unscaled, scale })
}

/// Days of the whole range.
pub fn day() -> impl Strategy<Value = i32> {
    prop_oneof![datetime::DAYS_MIN..=datetime::DAYS_MAX, -1000..30_000, -720_000..-719_000]
}

/// Microseconds of the whole range of timestamps.
pub fn micros() -> impl Strategy<Value = i64> {
    let today = -1_000_000_000_000_000..4_000_000_000_000_000_i64;
    prop_oneof![datetime::MICROS_MIN..=i64::MAX, today.clone(), today.prop_map(|micros| micros / 1_000_000 * 1_000_000)]
}

/// Text that looks like a value, or nearly.
pub fn value_text() -> impl Strategy<Value = Vec<u8>> {
    let word = "[ +-]?(19|20)?[0-9]{1,6}|[-/.:, +]|jan|Feb|BC|am|PM|T|Z|utc|j|y|m|d|dst|epoch|e|\\.[0-9]{1,9}|NaN|inf";
    let likely = proptest::collection::vec(word, 0..12).prop_map(|words| words.concat().into_bytes());
    prop_oneof![4 => likely, 1 => proptest::collection::vec(any::<u8>(), 0..40)]
}

/// JSON of every kind, as texts with blanks in free places.
pub fn json_text() -> impl Strategy<Value = String> {
    let scalar =
        "null|true|-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,3})?([eE][+-]?[0-9])?|\"([a-c é😀]|\\\\(n|\"|u00e9|/)){0,4}\"";
    let leaf = scalar.prop_map(|text| text);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = "\"[ab]{0,2}\"";
        let member = (name, " ?", inner.clone()).prop_map(|(name, blank, value)| format!("{name}{blank}:{value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|parts| format!("[ {}]", parts.join(","))),
            proptest::collection::vec(member, 0..4).prop_map(|parts| format!("{{{} }}", parts.join(", "))),
        ]
    })
}

/// The normal form of JSON, and its form without blanks, mean what it means, by this reader and by another; the normal form
/// is its own; and a value contains itself.
pub fn forms_of_json_mean_the_same(text: &str) {
    let json = Json::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    let (mut normal, mut compact, mut again) = (String::new(), String::new(), String::new());
    json.write_normal(&mut normal).unwrap();
    json.write_compact(&mut compact);
    Json::new(&normal).write_normal(&mut again).unwrap();
    assert_eq!(normal, again, "{text}");
    for form in [&normal, &compact] {
        let form = Json::parse(form).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        let (one, two) = (Tree::parse(text).unwrap(), Tree::parse(form.text()).unwrap());
        assert!(one.order(&two).is_eq(), "{text}: {form:?}");
        assert_eq!((one.contains(&two), two.contains(&one)), (Ok(true), Ok(true)), "{text}: {form:?}");
        let read = |json: Json<'_>| by_value(serde_json::from_str(json.text()).unwrap());
        assert_eq!(read(form), read(json), "{text}");
    }
}

/// Numbers by their value, and members by their names.
fn by_value(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) => Value::from(number.as_f64().map(|number| number + 0.0)),
        Value::Array(values) => values.into_iter().map(by_value).collect(),
        Value::Object(members) => {
            let sorted: std::collections::BTreeMap<_, _> =
                members.into_iter().map(|(name, value)| (name, by_value(value))).collect();
            sorted.into_iter().collect::<serde_json::Map<_, _>>().into()
        }
        value => value,
    }
}

/// A decimal that is printed reads back, scale and all; and `parse_as` agrees with `parse` and `rescale` on it.
pub fn a_printed_decimal_reads_back(decimal: Decimal, scale: u8) {
    let printed = decimal.print();
    assert_eq!(Decimal::parse(printed.as_bytes()), Ok(decimal));
    let scale = scale % 39;
    let rounded = Decimal::parse_as(printed.as_bytes(), 38, scale, Fraction::Round).ok();
    assert_eq!(rounded, decimal.rescale(scale).map(|decimal| decimal.unscaled), "{printed} at {scale}");
    let exact = Decimal::parse_as(printed.as_bytes(), 38, scale, Fraction::Exact).ok();
    assert_eq!(exact, decimal.rescale_exact(scale).map(|decimal| decimal.unscaled), "{printed} exactly at {scale}");
}

/// What a wide number is multiplied by, it can be divided by; and it is nearest to the square of its root.
pub fn wide_division_undoes_multiplication(left: u128, right: u128) {
    let (left, right) = (Wide::new(left), Wide::new(right | 1));
    let product = left.times(right);
    assert_eq!(product.over(right), left);
    assert_eq!(product.plus(right.minus(Wide::new(1))).over(right), left);
    assert_eq!(left.times(left).root(), left);
    assert_eq!(left.times(left).plus(left).root(), left);
    assert_eq!(left.times(left).plus(left).plus(Wide::new(1)).root(), left.plus(Wide::new(1)));
}

/// The exponential of a logarithm is the number, to 18 digits after the point.
pub fn an_exponential_undoes_a_logarithm(unscaled: u64, places: u8) {
    let (unscaled, unit) = (u128::from(unscaled) + 1, 10_u128.pow(u32::from(places % 19)));
    let found = Fixed::logarithm(unscaled, unit).exponential(10_u128.pow(18));
    // The unit divides the other, so that the number is whole at that scale.
    assert_eq!(found, i128::try_from(unscaled * (10_u128.pow(18) / unit)).ok(), "{unscaled} / {unit}");
}

/// Whole numbers that are printed read back.
pub fn a_printed_integer_reads_back(value: i64) {
    let printed = value.to_string();
    assert_eq!(integer::parse(printed.as_bytes(), i64::MIN, i64::MAX, "bigint"), Ok(value));
    let narrow = integer::parse(printed.as_bytes(), i64::from(i16::MIN), i64::from(i16::MAX), "smallint");
    assert_eq!(narrow.ok(), i16::try_from(value).ok().map(i64::from));
}

/// Floating-point numbers that are printed read back; there is one text for what is no number.
pub fn a_printed_float_reads_back(double: f64, real: f32) {
    let read = float::parse_double(float::print_double(double).as_bytes());
    assert!(read.as_ref().is_ok_and(|read| read.to_bits() == double.to_bits() || read.is_nan() && double.is_nan()));
    let read = float::parse_real(float::print_real(real).as_bytes());
    assert!(read.as_ref().is_ok_and(|read| read.to_bits() == real.to_bits() || read.is_nan() && real.is_nan()));
}

/// A day that is printed reads back, alone and with midnight, and is the day of its civil date.
pub fn a_printed_date_reads_back(days: i32) {
    let (year, month, day) = datetime::civil_from_days(days);
    assert_eq!(datetime::days_from_civil(year, month, day), Some(days));
    assert_eq!(datetime::parse_date(datetime::print_date(days).as_bytes()), Ok(days));
}

/// A timestamp that is printed reads back, with and without its zone and in the forms of ISO 8601 and RFC 3339.
pub fn a_printed_timestamp_reads_back(micros: i64) {
    let plain = datetime::print_timestamp(micros);
    assert_eq!(datetime::parse_timestamp(plain.as_bytes(), Fraction::Exact), Ok(micros));
    let zoned = datetime::print_timestamptz(micros);
    assert_eq!(datetime::parse_timestamptz(zoned.as_bytes(), Fraction::Exact, true), Ok(micros));
    assert_eq!(datetime::parse_timestamp(zoned.as_bytes(), Fraction::Exact), Ok(micros));
    // RFC 3339 has years of four digits and no others.
    if plain.find('-') == Some(4) && !plain.ends_with("BC") {
        let strict = plain.replace(' ', "T") + "Z";
        assert_eq!(datetime::parse_rfc3339(strict.as_bytes(), Fraction::Exact), Ok(micros));
        assert_eq!(datetime::parse_timestamptz(strict.as_bytes(), Fraction::Exact, true), Ok(micros));
    }
    let time = micros.rem_euclid(datetime::DAY_MICROS);
    assert_eq!(datetime::parse_time(datetime::print_time(time).as_bytes(), Fraction::Exact), Ok(time));
}

/// No bytes make a parser panic; what is read prints to a text that reads back; and blanks around a value are free.
pub fn any_bytes_are_a_value_or_a_fault(bytes: &[u8]) {
    let padded = [b" \t", bytes, b"\r\n "].concat();
    assert_eq!(boolean::parse(bytes).ok(), boolean::parse(&padded).ok());
    let whole = |bytes| integer::parse(bytes, i64::MIN, i64::MAX, "bigint").ok();
    assert_eq!(whole(bytes), whole(&padded));
    if let Some(value) = whole(bytes) {
        a_printed_integer_reads_back(value);
    }
    assert_eq!(Decimal::parse(bytes).ok(), Decimal::parse(&padded).ok());
    if let Ok(value) = Decimal::parse(bytes) {
        a_printed_decimal_reads_back(value, 2);
        let at_scale = Decimal::parse_as(bytes, 38, value.scale, Fraction::Exact);
        assert_eq!(at_scale, Ok(value.unscaled));
    }
    let (double, real) = (float::parse_double(bytes), float::parse_real(bytes));
    if let (Ok(double), Ok(real)) = (double, real) {
        a_printed_float_reads_back(double, real);
    }
    for fraction in [Fraction::Round, Fraction::Exact] {
        assert_eq!(datetime::parse_time(bytes, fraction).ok(), datetime::parse_time(&padded, fraction).ok());
        let timestamp = datetime::parse_timestamp(bytes, fraction).ok();
        assert_eq!(timestamp, datetime::parse_timestamp(&padded, fraction).ok());
        if let Some(micros) = timestamp {
            a_printed_timestamp_reads_back(micros);
        }
        let instant = datetime::parse_timestamptz(bytes, fraction, false).ok();
        assert_eq!(instant, datetime::parse_timestamptz(&padded, fraction, false).ok());
        if let Some(micros) = instant {
            a_printed_timestamp_reads_back(micros);
        }
        if let Ok(micros) = datetime::parse_rfc3339(bytes, fraction) {
            a_printed_timestamp_reads_back(micros);
        }
    }
    let date = datetime::parse_date(bytes).ok();
    assert_eq!(date, datetime::parse_date(&padded).ok());
    if let Some(days) = date {
        a_printed_date_reads_back(days);
    }
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| Json::parse(text).is_ok()) {
        let json = Json::new(text);
        let mut normal = String::new();
        if json.write_normal(&mut normal).is_ok() {
            assert!(Json::parse(&normal).is_ok_and(|normal| normal.order(json).is_ok_and(Ordering::is_eq)), "{normal}");
        }
    }
    let quoted = text::quote(bytes);
    assert!(quoted.starts_with('"') && quoted.ends_with('"') && !quoted.contains(char::is_control), "{quoted}");
}

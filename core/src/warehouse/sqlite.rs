//! Sqlite: how SQLite says a statement, and how it stores a value.
//!
//! | type | stored as |
//! |---|---|
//! | boolean | INTEGER, 0 or 1 |
//! | smallint, integer, bigint | INTEGER |
//! | decimal(p,s) | TEXT with all digits of the scale: `12.50`, `-0.05` |
//! | real, double precision | REAL; NaN, which SQLite would make NULL, is the text `NaN`, above all numbers as in PostgreSQL |
//! | date | TEXT, `2026-01-31` |
//! | timestamp | TEXT, `2026-01-31 23:59:59.500000` |
//! | timestamptz | TEXT in UTC, `2026-01-31T23:59:59.500000Z` |
//! | text of any kind | TEXT as it is |
//!
//! Days, timestamps and text order as they stand, in any tool. Years beyond 9999 are written `Y0010000`, and a year before
//! the year 1 as `!` and what it is after 10,000,001 BC (1 BC is `!9999999`): both forms order rightly among the others, and neither
//! is mistaken for a date by SQLite's functions. Decimals as text order by their digits, so the statements of a load
//! and the queries of people compare them under a collation that the driver registers; no table or index depends on it, and
//! any tool opens the file.

use std::cmp::Ordering;

/// The name of the collation that is [`compare_decimals`].
pub const DECIMAL_COLLATION: &str = "etalon_decimal";
/// How NaN is stored.
pub const NAN: &str = "NaN";

const DAY_MICROS: i64 = 86_400_000_000;
/// More than the years that any day of 32 bits, or microsecond of 64, can reach.
const YEARS: i64 = 10_000_000;

/// Appends a decimal with all digits of its scale.
pub fn write_decimal(out: &mut String, unscaled: i128, scale: u8) {
    let mut digits = [b'0'; 40];
    let mut start = digits.len();
    let mut rest = unscaled.unsigned_abs();
    let scale = usize::from(scale);
    // At least one digit stands before the point.
    while rest > 0 || digits.len() - start <= scale {
        let Some(digit) = start.checked_sub(1).and_then(|at| digits.get_mut(at)) else { break };
        // Most decimals are short, and division of 64 bits is far quicker.
        if let Ok(short) = u64::try_from(rest) {
            *digit = b'0' + (short % 10) as u8;
            rest = u128::from(short / 10);
        } else {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        start -= 1;
    }
    if unscaled < 0 {
        out.push('-');
    }
    let point = digits.len().saturating_sub(scale);
    for (at, &digit) in digits.iter().enumerate().skip(start) {
        if at == point {
            out.push('.');
        }
        out.push(char::from(digit));
    }
}

/// Appends a day, given as days since 1970-01-01.
pub fn write_date(out: &mut String, days: i32) {
    write_day(out, i64::from(days));
}

/// Appends a timestamp, given as microseconds since 1970-01-01.
pub fn write_timestamp(out: &mut String, micros: i64) {
    write_day(out, micros.div_euclid(DAY_MICROS));
    out.push(' ');
    write_time(out, micros.rem_euclid(DAY_MICROS));
}

/// Appends an instant in UTC, given as microseconds since 1970-01-01.
pub fn write_timestamptz(out: &mut String, micros: i64) {
    write_day(out, micros.div_euclid(DAY_MICROS));
    out.push('T');
    write_time(out, micros.rem_euclid(DAY_MICROS));
    out.push('Z');
}

/// Reads what [`write_timestamptz`] or [`write_timestamp`] wrote.
pub fn read_timestamp(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (day, time) = text.split_once(['T', ' '])?;
    let (clock, fraction) = time.split_once('.')?;
    let mut micros = fraction.parse::<i64>().ok().filter(|_| fraction.len() == 6)?;
    let mut parts = clock.split(':');
    for unit in [3_600_000_000, 60_000_000, 1_000_000_i64] {
        micros += parts.next()?.parse::<i64>().ok()?.checked_mul(unit)?;
    }
    read_day(day)?.checked_mul(DAY_MICROS)?.checked_add(micros)
}

/// Compares two decimals as numbers, with or without an exponent. Any other text stands after all numbers, by its bytes.
pub fn compare_decimals(left: &str, right: &str) -> Ordering {
    match (Parts::of(left), Parts::of(right)) {
        (Some(left), Some(right)) => match (left.negative, right.negative) {
            (false, false) => left.compare_magnitude(&right),
            (true, true) => right.compare_magnitude(&left),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        },
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

/// What counts of a decimal's text: `0.<whole><fraction>` times ten to a power, without zeros before or after.
struct Parts<'a> {
    /// Whether it is below zero.
    negative: bool,
    /// Zero has the least power and no digits.
    power: i64,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (negative, number) = match text.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, text),
        };
        let (number, exponent) = match number.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (number, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let mut whole = whole.trim_start_matches('0');
        let mut fraction = fraction.trim_end_matches('0');
        let mut power = i64::try_from(whole.len()).ok()?;
        if whole.is_empty() {
            let digits = fraction.trim_start_matches('0');
            power = -i64::try_from(fraction.len() - digits.len()).ok()?;
            fraction = digits;
        }
        if fraction.is_empty() {
            whole = whole.trim_end_matches('0');
        }
        if whole.is_empty() && fraction.is_empty() {
            return Some(Self { negative: false, power: i64::MIN, whole, fraction });
        }
        Some(Self { negative, power: power + i64::from(exponent), whole, fraction })
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.power.cmp(&other.power).then_with(|| {
            let digits = self.whole.bytes().chain(self.fraction.bytes());
            digits.cmp(other.whole.bytes().chain(other.fraction.bytes()))
        })
    }
}

/// Appends `year-month-day` of days since 1970-01-01, in the proleptic Gregorian calendar.
fn write_day(out: &mut String, days: i64) {
    // Years are counted from March, so that the leap day is the last of its year, and from a year that begins a cycle of
    // 400 years, 146,097 days.
    let from_march = days + 719_468;
    let (cycle, day) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year_of_cycle = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // Months from March have 31, 30, 31, 30, 31 days, twice over: 153 in five.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    match year {
        1..=9_999 => push_digits::<4>(out, year),
        10_000.. => {
            out.push('Y');
            push_digits::<7>(out, year);
        }
        _ => {
            out.push('!');
            push_digits::<7>(out, year + YEARS - 1);
        }
    }
    out.push('-');
    push_digits::<2>(out, month);
    out.push('-');
    push_digits::<2>(out, day_of_month);
}

fn read_day(text: &str) -> Option<i64> {
    let (text, shift) = match text.strip_prefix('!') {
        Some(rest) => (rest, YEARS - 1),
        None => (text.strip_prefix('Y').unwrap_or(text), 0),
    };
    let mut parts = text.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()?? - shift, parts.next()??, parts.next()??);
    if !(-YEARS..=YEARS).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The inverse of `write_day`.
    let from_march = if month <= 2 { year - 1 } else { year };
    let (cycle, year_of_cycle) = (from_march.div_euclid(400), from_march.rem_euclid(400));
    let month_from_march = if month <= 2 { month + 9 } else { month - 3 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    Some(cycle * 146_097 + year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year - 719_468)
}

fn write_time(out: &mut String, micros: i64) {
    push_digits::<2>(out, micros / 3_600_000_000);
    out.push(':');
    push_digits::<2>(out, micros / 60_000_000 % 60);
    out.push(':');
    push_digits::<2>(out, micros / 1_000_000 % 60);
    out.push('.');
    push_digits::<6>(out, micros % 1_000_000);
}

/// Appends the last `N` digits of a number that is not negative.
fn push_digits<const N: usize>(out: &mut String, number: i64) {
    let mut digits = [b'0'; N];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        #[expect(clippy::cast_possible_truncation, reason = "a remainder of ten is below ten")]
        let last = rest.rem_euclid(10) as u8;
        *digit += last;
        rest /= 10;
    }
    out.extend(digits.map(char::from));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn days_and_instants_have_fixed_forms() {
        let date = |days| text(|out| write_date(out, days));
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(20_484), "2026-01-31");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(-719_162), "0001-01-01");
        assert_eq!(date(-719_163), "!9999999-12-31");
        assert_eq!(date(2_932_897), "Y0010000-01-01");
        assert_eq!(text(|out| write_timestamp(out, -1)), "1969-12-31 23:59:59.999999");
        assert_eq!(text(|out| write_timestamptz(out, 86_400_000_000)), "1970-01-02T00:00:00.000000Z");
    }

    #[test]
    fn decimals_have_all_digits_of_their_scale() {
        let decimal = |unscaled, scale| text(|out| write_decimal(out, unscaled, scale));
        assert_eq!(decimal(1250, 2), "12.50");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(0, 0), "0");
        assert_eq!(decimal(0, 3), "0.000");
        assert_eq!(decimal(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
        assert_eq!(decimal(-7, 38), format!("-0.{}7", "0".repeat(37)));
    }

    #[test]
    fn what_is_no_time_does_not_read() {
        for wrong in ["", "1970-01-01", "1970-01-01 00:00:00", "1970-13-01 00:00:00.000000", "x-01-01T00:00:00.000000Z"]
        {
            assert_eq!(read_timestamp(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn dates_order_as_their_texts(left: i32, right in prop_oneof![any::<i32>(), -800_000..3_000_000]) {
            let date = |days| text(|out| write_date(out, days));
            prop_assert_eq!(date(left).cmp(&date(right)), left.cmp(&right));
        }

        #[test]
        fn instants_read_back_and_order_as_their_texts(left: i64, right: i64) {
            let (first, second) = (text(|out| write_timestamptz(out, left)), text(|out| write_timestamptz(out, right)));
            prop_assert_eq!(first.cmp(&second), left.cmp(&right));
            prop_assert_eq!(read_timestamp(&first), Some(left));
            prop_assert_eq!(read_timestamp(&text(|out| write_timestamp(out, left))), Some(left));
        }

        #[test]
        fn days_agree_with_another_calendar(julian in -1_930_999..5_373_484_i32) {
            let date = time::Date::from_julian_day(julian).unwrap();
            prop_assume!(date.year() >= 1);
            let form = time::macros::format_description!("[year]-[month]-[day]");
            prop_assert_eq!(text(|out| write_date(out, julian - 2_440_588)), date.format(&form).unwrap());
        }

        #[test]
        fn decimals_order_as_numbers(left: i64, right: i64, left_scale in 0..20_u8, right_scale in 0..20_u8) {
            let number = |unscaled: i64, scale: u8| i128::from(unscaled) * 10_i128.pow(u32::from(19 - scale));
            let decimal = |unscaled: i64, scale| text(|out| write_decimal(out, i128::from(unscaled), scale));
            prop_assert_eq!(
                compare_decimals(&decimal(left, left_scale), &decimal(right, right_scale)),
                number(left, left_scale).cmp(&number(right, right_scale))
            );
        }

        #[test]
        fn an_exponent_moves_the_point(unscaled: i64, scale in 0..20_u8, exponent in -30..30_i32) {
            let number = format!("{unscaled}e{exponent}");
            let decimal = text(|out| write_decimal(out, i128::from(unscaled), scale));
            prop_assert_eq!(compare_decimals(&decimal, &format!("{unscaled}E-{scale}")), Ordering::Equal);
            let expected = exponent.cmp(&-i32::from(scale));
            let expected = if unscaled < 0 { expected.reverse() } else { expected };
            let expected = if unscaled == 0 { Ordering::Equal } else { expected };
            prop_assert_eq!(compare_decimals(&number, &decimal), expected);
        }

        /// SQLite asks for a total order on every text.
        #[test]
        fn comparing_decimals_is_a_total_order(
            texts in prop::collection::vec("-?[0-9]{0,3}\\.?[0-9]{0,3}(e[+-]?[0-9])?|.{0,3}", 3),
        ) {
            let mut sorted = texts.clone();
            sorted.sort_by(|left, right| compare_decimals(left, right));
            let [first, second, third] = &sorted[..] else { return Ok(()) };
            for (left, right) in [(first, second), (second, third), (first, third)] {
                prop_assert_ne!(compare_decimals(left, right), Ordering::Greater);
                prop_assert_eq!(compare_decimals(left, right), compare_decimals(right, left).reverse());
            }
        }
    }
}

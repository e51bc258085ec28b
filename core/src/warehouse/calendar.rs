//! Calendar: days and instants as texts with fixed forms, so that any tool sorts them correctly as texts.
//!
//! | type | text |
//! |---|---|
//! | date | `2026-01-31` |
//! | timestamp | `2026-01-31 23:59:59.500000` |
//! | timestamptz | in UTC, `2026-01-31T23:59:59.500000Z` |
//!
//! Years beyond 9999 are written `Y0010000`, and a year before the year 1 as `!` and what it is after 10,000,001 BC (1 BC is
//! `!9999999`): both forms order rightly among the others, and neither is mistaken for a date by the functions of a warehouse.

const DAY_MICROS: i64 = 86_400_000_000;
/// More than the years that any day of 32 bits, or microsecond of 64, can reach.
const YEARS: i64 = 10_000_000;

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
pub(crate) fn read_timestamp(text: &str) -> Option<i64> {
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
    }
}

//! The laws of single values, over generated ones; other crates' answers; and PostgreSQL's, by example.

use etalon_core::column::Fault;
use etalon_core::value::Decimal;
use etalon_core::value::Fraction;
use etalon_core::value::boolean;
use etalon_core::value::datetime::*;
use etalon_core::value::float;
use etalon_core::value::integer;
use etalon_core::value::text;

mod laws {
    use etalon_core::testing::value;
    use etalon_core::value::Decimal;
    use etalon_core::value::datetime;
    use proptest::prelude::*;
    use rust_decimal::Decimal as Oracle;
    use rust_decimal::RoundingStrategy;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_printed_decimal_reads_back(decimal in value::decimal(), scale in any::<u8>()) {
            value::a_printed_decimal_reads_back(decimal, scale);
        }

        #[test]
        fn wide_division_undoes_multiplication(left in any::<u128>(), right in any::<u128>()) {
            value::wide_division_undoes_multiplication(left, right);
        }

        #[test]
        fn an_exponential_undoes_a_logarithm(unscaled in any::<u64>(), places in any::<u8>()) {
            value::an_exponential_undoes_a_logarithm(unscaled, places);
        }

        #[test]
        fn forms_of_json_mean_the_same(text in value::json_text()) {
            value::forms_of_json_mean_the_same(&text);
        }

        #[test]
        fn a_printed_integer_reads_back(number in any::<i64>()) {
            value::a_printed_integer_reads_back(number);
        }

        #[test]
        fn a_printed_float_reads_back(double in any::<u64>(), real in any::<u32>()) {
            value::a_printed_float_reads_back(f64::from_bits(double), f32::from_bits(real));
        }

        #[test]
        fn a_printed_date_reads_back(days in value::day()) {
            value::a_printed_date_reads_back(days);
        }

        #[test]
        fn a_printed_timestamp_reads_back(micros in value::micros()) {
            value::a_printed_timestamp_reads_back(micros);
        }

        #[test]
        fn any_bytes_are_a_value_or_a_fault(bytes in value::value_text()) {
            value::any_bytes_are_a_value_or_a_fault(&bytes);
        }

        #[test]
        fn rounding_agrees_with_rust_decimal(unscaled in any::<i64>(), scale in 0..=18_u8, at in 0..=9_u8) {
            let rounded = Decimal { unscaled: i128::from(unscaled), scale }.rescale(at).unwrap();
            let oracle = Oracle::new(unscaled, u32::from(scale))
                .round_dp_with_strategy(u32::from(at), RoundingStrategy::MidpointAwayFromZero);
            prop_assert_eq!(Oracle::from_i128_with_scale(rounded.unscaled, u32::from(at)), oracle);
        }

        #[test]
        fn days_agree_with_time(days in -4_371_587..=2_932_896_i32) {
            let (year, month, day) = datetime::civil_from_days(days);
            let date = time::Date::from_julian_day(days + 2_440_588).unwrap();
            prop_assert_eq!((date.year(), u32::from(u8::from(date.month())), u32::from(date.day())), (year, month, day));
        }

        #[test]
        fn rfc_3339_agrees_with_time(seconds in -62_135_596_800..253_402_300_800_i64, hours in -23..24_i8, minutes in 0..60_i8) {
            let offset = time::UtcOffset::from_hms(hours, if hours < 0 { -minutes } else { minutes }, 0).unwrap();
            let instant = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap().checked_to_offset(offset);
            prop_assume!(instant.is_some_and(|instant| (0..=9999).contains(&instant.year())));
            let text = instant.unwrap().format(&time::format_description::well_known::Rfc3339).unwrap();
            let read = datetime::parse_rfc3339(text.as_bytes(), datetime::Fraction::Exact);
            prop_assert_eq!(read, Ok(seconds * 1_000_000));
        }
    }
}

/// What a text gives, printed; or the SQLSTATE of its fault.
fn shown<T>(read: Result<T, Fault>, print: impl Fn(T) -> String) -> String {
    read.map_or_else(|fault| fault.code.sqlstate().unwrap_or_else(|| fault.code.text()).to_owned(), print)
}

#[track_caller]
fn check(read: impl Fn(&str) -> String, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "{text}");
    }
}

#[test]
fn booleans_as_postgresql_reads_them() {
    check(
        |text| shown(boolean::parse(text.as_bytes()), |value| value.to_string()),
        &[
            (" TrU\t", "true"),
            ("y", "true"),
            ("on", "true"),
            ("1", "true"),
            ("f", "false"),
            ("of", "false"),
            ("NO", "false"),
            ("o", "22P02"),
            ("", "22P02"),
            ("truee", "22P02"),
            ("10", "22P02"),
        ],
    );
}

#[test]
fn integers_as_postgresql_reads_them() {
    let smallint = |text: &str| integer::parse(text.as_bytes(), -32_768, 32_767, "smallint");
    check(
        |text| shown(smallint(text), |value| value.to_string()),
        &[
            (" -32768\n", "-32768"),
            ("+00000000000000000000000000007", "7"),
            ("32768", "22003"),
            ("99999999999999999999999", "22003"),
            ("1.0", "22P02"),
            ("0x1f", "22P02"),
            ("1_000", "22P02"),
            ("-", "22P02"),
            ("", "22P02"),
            ("1 2", "22P02"),
        ],
    );
    let least = integer::parse(b"-9223372036854775808", i64::MIN, i64::MAX, "bigint");
    assert_eq!(least, Ok(i64::MIN));
    assert_eq!(smallint("70000").unwrap_err().message.as_ref(), "\"70000\" is out of range for smallint");
}

#[test]
fn decimals_as_postgresql_reads_them() {
    check(
        |text| shown(Decimal::parse(text.as_bytes()), Decimal::print),
        &[
            (" .5 ", "0.5"),
            ("5.", "5"),
            ("-0012.340", "-12.340"),
            ("-0.0", "0.0"),
            ("1e10", "10000000000"),
            ("1.5E-3", "0.0015"),
            ("1.25e1", "12.5"),
            ("1e 5", "100000"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            ("100000000000000000000000000000000000000", "22003"),
            ("1e38", "22003"),
            ("NaN", "22003"),
            ("-Infinity", "22003"),
            (".", "22P02"),
            ("1e", "22P02"),
            ("1.2.3", "22P02"),
            ("--1", "22P02"),
            ("", "22P02"),
        ],
    );
    let put = |text: &str, fraction| Decimal::parse_as(text.as_bytes(), 5, 2, fraction);
    let print = |unscaled| Decimal { unscaled, scale: 2 }.print();
    check(
        |text| shown(put(text, Fraction::Round), print),
        &[
            ("1.005", "1.01"),
            ("-1.005", "-1.01"),
            ("1.00499999999999999999999999999999999999999999999999", "1.00"),
            ("0.005", "0.01"),
            ("0.0049", "0.00"),
            ("999.99", "999.99"),
            ("999.995", "22003"),
            ("1000", "22003"),
            ("1e-50", "0.00"),
        ],
    );
    check(
        |text| match put(text, Fraction::Exact) {
            Ok(unscaled) => print(unscaled),
            Err(fault) => fault.code.text().to_owned(),
        },
        &[
            ("1.5000000000000000000000000000000000000000000000", "1.50"),
            ("1.005", "R307"),
            ("1000", "R302"),
            ("x", "R301"),
        ],
    );
}

#[test]
fn floats_as_postgresql_reads_and_prints_them() {
    check(
        |text| shown(float::parse_double(text.as_bytes()), float::print_double),
        &[
            ("1", "1"),
            ("-0", "-0"),
            (" 1.50 ", "1.5"),
            ("1e14", "100000000000000"),
            ("123456789012345", "123456789012345"),
            ("1e15", "1e+15"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1.5e-7", "1.5e-07"),
            ("1e30", "1e+30"),
            ("1.2345678901234567e+100", "1.2345678901234567e+100"),
            // Halfway between two doubles, and two shortest texts at the same distance.
            ("1e23", "9.999999999999999e+22"),
            ("173986085977824.625", "173986085977824.62"),
            ("2.98023223876953125e-08", "2.9802322387695312e-08"),
            ("5e-324", "5e-324"),
            ("1e-400", "22003"),
            ("0e-400", "0"),
            ("1e309", "22003"),
            ("inf", "Infinity"),
            ("-INFINITY", "-Infinity"),
            ("nan", "NaN"),
            ("0x10", "16"),
            ("-0x.8P+3", "-4"),
            ("0x1g", "22P02"),
            ("0x", "22P02"),
            ("1e", "22P02"),
            (".", "22P02"),
            ("", "22P02"),
            ("1x", "22P02"),
        ],
    );
    check(
        |text| shown(float::parse_real(text.as_bytes()), float::print_real),
        &[
            ("100000", "100000"),
            ("1e6", "1e+06"),
            ("8589934592", "8.589935e+09"),
            ("310198.125", "310198.12"),
            ("1e39", "22003"),
            ("1e-46", "22003"),
        ],
    );
}

#[test]
fn dates_as_postgresql_reads_them() {
    check(
        |text| shown(parse_date(text.as_bytes()), print_date),
        &[
            ("1999-01-08", "1999-01-08"),
            ("January 8, 1999", "1999-01-08"),
            ("1/8/1999", "1999-01-08"),
            ("08/01/99", "1999-08-01"),
            ("1999-Jan-08", "1999-01-08"),
            ("08-Jan-1999", "1999-01-08"),
            ("19990108", "1999-01-08"),
            ("990108", "1999-01-08"),
            ("1999.008", "1999-01-08"),
            ("J2451187", "1999-01-08"),
            ("y1999m1d8", "1999-01-08"),
            ("January 8, 99 BC", "0099-01-08 BC"),
            ("Fri, 08 Jan 1999 04:05:06 +0100", "1999-01-08"),
            ("epoch", "1970-01-01"),
            ("4714-11-24 BC", "4714-11-24 BC"),
            ("4714-11-23 BC", "22008"),
            ("294276-12-31", "294276-12-31"),
            ("294277-01-01", "22008"),
            ("2026-02-29", "22008"),
            ("2026-13-01", "22008"),
            ("13/13/2026", "22008"),
            ("0000-01-01", "22008"),
            ("infinity", "22008"),
            ("today", "22007"),
            ("2026-01", "22007"),
            ("2026-01-01-", "2026-01-01"),
            ("", "22007"),
            ("ü", "22007"),
        ],
    );
    let zone = parse_date(b"2026-01-01 10:00 Europe/Nowhere").unwrap_err();
    assert!(zone.message.contains("unknown time zone"), "{}", zone.message);
}

#[test]
fn times_as_postgresql_reads_them() {
    check(
        |text| shown(parse_time(text.as_bytes(), Fraction::Round), print_time),
        &[
            ("04:05:06.789", "04:05:06.789"),
            ("04:05", "04:05:00"),
            ("040506", "04:05:06"),
            ("04:05 PM", "16:05:00"),
            ("12:00 am", "00:00:00"),
            ("13:00 pm", "22008"),
            ("04:05:06-08", "04:05:06"),
            ("24:00:00", "24:00:00"),
            ("23:59:60", "24:00:00"),
            ("24:00:01", "22008"),
            ("04:05:61", "22008"),
            ("23:59:59.9999999", "24:00:00"),
            ("allballs", "00:00:00"),
            ("2026-01-01", "22007"),
            ("", "22007"),
        ],
    );
}

#[test]
fn timestamps_as_postgresql_reads_them() {
    check(
        |text| shown(parse_timestamp(text.as_bytes(), Fraction::Round), print_timestamp),
        &[
            ("2026-01-31", "2026-01-31 00:00:00"),
            ("2026-01-31T23:59:59.5+02:00", "2026-01-31 23:59:59.5"),
            ("20260131T235959", "2026-01-31 23:59:59"),
            ("2026-01-31 24:00", "2026-02-01 00:00:00"),
            ("2026-12-31 23:59:60", "2027-01-01 00:00:00"),
            ("2026-01-31 00:00:00.1234565", "2026-01-31 00:00:00.123456"),
            ("2026-01-31 00:00:00.1234575", "2026-01-31 00:00:00.123458"),
            ("Jan 31 10:11:12 2026 BC", "2026-01-31 10:11:12 BC"),
            ("2026-01-31 25:00", "22008"),
            ("2026-01-31T", "22007"),
        ],
    );
    check(
        |text| shown(parse_timestamptz(text.as_bytes(), Fraction::Round, false), print_timestamptz),
        &[
            ("2026-01-31 10:00", "2026-01-31 10:00:00+00"),
            ("2026-01-31 10:00:00-08", "2026-01-31 18:00:00+00"),
            ("2026-01-31 10:00:00+0530", "2026-01-31 04:30:00+00"),
            ("2026-01-31 10:00:00 +05:30:15", "2026-01-31 04:29:45+00"),
            ("2026-01-31 10:00:00 UTC", "2026-01-31 10:00:00+00"),
            ("0001-01-01 00:00:00+01", "0001-12-31 23:00:00+00 BC"),
            ("2026-01-31 10:00:00+16", "22009"),
        ],
    );
}

#[test]
fn what_is_put_into_a_field_is_read_strictly() {
    let code = |read: Result<i64, Fault>| read.map_err(|fault| fault.code.text());
    assert_eq!(code(parse_timestamp(b"2026-01-31 00:00:00.1234567", Fraction::Exact)), Err("R309"));
    assert_eq!(code(parse_timestamp(b"1970-01-01 00:00:00.1234560000", Fraction::Exact)), Ok(123_456));
    assert_eq!(code(parse_timestamptz(b"2026-01-31 00:00:00", Fraction::Exact, true)), Err("R310"));
    assert_eq!(code(parse_timestamptz(b"1970-01-01 01:00:00+01", Fraction::Exact, true)), Ok(0));
    assert_eq!(code(parse_rfc3339(b"1970-01-01T00:00:00z", Fraction::Exact)), Ok(0));
    assert_eq!(code(parse_rfc3339(b"1970-01-01 00:00:00Z", Fraction::Exact)), Err("R304"));
    assert_eq!(code(parse_rfc3339(b"1970-01-01T00:00:00", Fraction::Exact)), Err("R304"));
    assert_eq!(code(parse_rfc3339(b"1970-02-30T00:00:00Z", Fraction::Exact)), Err("R303"));
    // A leap second is one only at the end of June or December in UTC.
    assert_eq!(code(parse_rfc3339(b"1972-07-01T00:59:60+01:00", Fraction::Exact)), Ok(78_796_800_000_000));
    assert_eq!(code(parse_rfc3339(b"1972-07-01T23:59:60Z", Fraction::Exact)), Err("R303"));
}

#[test]
fn text_that_fits_and_text_that_does_not() {
    assert_eq!(text::cut("aé", 2), "a");
    assert_eq!(text::fit("aé", 3), Ok("aé"));
    let code = |text, bytes| text::fit(text, bytes).map_err(|fault| fault.code.text());
    assert_eq!(code("ab  ", 3), Err("R308"));
    assert_eq!(code("abcd", 3), Err("R306"));
    assert_eq!(text::fit("abcd ", 3).unwrap_err().message.as_ref(), "\"abcd \" has 5 bytes, 3 at most are allowed");
    assert_eq!(text::quote(b"it's \"a\"\n\xff\xc3\xa9"), r#""it's \"a\"\n\xffé""#);
    assert_eq!(text::quote("é".repeat(61).as_bytes()), format!("\"{}…\"", "é".repeat(60)));
    for (bytes, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
        assert_eq!(text::base64(bytes.as_bytes()), encoded);
    }
}

#[test]
fn february_is_that_of_the_gregorian_calendar() {
    for year in -4712..=9999 {
        let is_leap = time::util::is_leap_year(year);
        assert_eq!(days_of_month(year, 2), 28 + u32::from(is_leap), "{year}");
        assert_eq!(days_from_civil(year, 2, 29).is_some(), is_leap, "{year}");
        let [last, march] = [(2, 28), (3, 1)].map(|(month, day)| days_from_civil(year, month, day).unwrap());
        assert_eq!(march - last, 1 + i32::from(is_leap), "{year}");
        assert_eq!(civil_from_days(march - 1), (year, 2, days_of_month(year, 2)), "{year}");
    }
    assert!(days_from_civil(2000, 2, 29).is_some() && days_from_civil(1900, 2, 29).is_none());
}

//! Borders: the last value before an end and the first behind it, and each counter of a task.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::ops::Range;

use etalon_core::expr::Expr;
use etalon_core::pipeline::Pipeline;
use etalon_core::receipt::Counts;
use etalon_core::testing::pipeline::run;
use etalon_core::value::show::show;

/// What a constant expression is: its value, or the code of its fault.
fn result(expression: &str) -> String {
    match Expr::compile(expression, &[]) {
        Ok((expr, _)) => show(&*expr.constant().unwrap().values, 0).unwrap(),
        Err(wrong) => wrong.iter().find_map(|one| one.fault).unwrap().to_string(),
    }
}

#[test]
fn centuries_end_with_their_last_year() {
    for (unit, day, wanted) in [
        ("century", "2000-12-31", "20"),
        ("century", "2001-01-01", "21"),
        ("century", "0100-12-31", "1"),
        ("century", "0101-01-01", "2"),
        ("century", "0001-12-31 BC", "-1"),
        ("century", "0100-01-01 BC", "-1"),
        ("century", "0101-12-31 BC", "-2"),
        ("millennium", "2000-12-31", "2"),
        ("millennium", "2001-01-01", "3"),
        ("decade", "1999-12-31", "199"),
        ("decade", "2000-01-01", "200"),
    ] {
        assert_eq!(result(&format!("extract({unit} from date '{day}')")), wanted, "{unit} of {day}");
    }
}

#[test]
fn a_local_time_before_the_first_is_out_of_range() {
    let local = |instant: &str| result(&format!("timestamptz '{instant}' at time zone 'America/New_York'"));
    assert_eq!(local("4714-11-24 04:56:02+00 BC"), "4714-11-24 00:00:00 BC");
    assert_eq!(local("4714-11-24 04:56:01.999999+00 BC"), "R303");
}

#[test]
fn counts_of_tasks_add_up() {
    let counts = Counts { read: 15, staged: 1, filtered_false: 2, filtered_null: 4, quarantined: 8 };
    let mut sum = counts;
    sum.add(counts);
    assert_eq!(sum, Counts { read: 30, staged: 2, filtered_false: 4, filtered_null: 8, quarantined: 16 });
    assert!(sum.balance());
}

/// Whether a field of a type takes a text. The column asks nothing more of it.
fn takes(ty: &str, text: &str) -> bool {
    let pipeline = format!(
        "{{etalon: 1, pipeline: borders, source: {{files: x.csv, format: {{csv: {{header: false}}}}, fields: {{x: '{ty}'}}}}, \
         columns: {{y: {{from: x is null}}}}, target: {{table: borders, write: append}}}}"
    );
    let (pipeline, _) = Pipeline::compile(&pipeline).unwrap();
    let staged = run(&pipeline, text.as_bytes(), &[Range { start: 0, end: text.len() as u64 }], &[usize::MAX]);
    let counts = staged[0].receipt.counts;
    assert_eq!((counts.read, counts.staged + counts.quarantined), (1, 1), "{ty} of {text}");
    counts.staged == 1
}

#[test]
fn a_field_takes_the_last_value_of_its_type_and_not_the_next() {
    for (ty, within, beyond) in [
        ("smallint", "32767", "32768"),
        ("smallint", "-32768", "-32769"),
        ("integer", "2147483647", "2147483648"),
        ("integer", "-2147483648", "-2147483649"),
        ("bigint", "9223372036854775807", "9223372036854775808"),
        ("bigint", "-9223372036854775808", "-9223372036854775809"),
        ("decimal(4,2)", "99.99", "100.00"),
        ("decimal(4,2)", "-99.99", "-100.00"),
        ("decimal(38,0)", "99999999999999999999999999999999999999", "100000000000000000000000000000000000000"),
        // A real is what is nearest; from the middle between the largest and the next it would be none.
        ("real", "3.4028235e38", "3.4028236e38"),
        ("double", "1.7976931348623157e308", "1.7976931348623159e308"),
        ("date", "294276-12-31", "294277-01-01"),
        // Bytes, not characters.
        ("varchar(3)", "abc", "abcd"),
        ("varchar(3)", "äb", "äbc"),
        ("varchar(3)", "€", "€a"),
        ("char(3)", "abc", "abcd"),
        ("char(3)", "äb", "äbc"),
    ] {
        assert!(takes(ty, within), "{ty} takes {within}");
        assert!(!takes(ty, beyond), "{ty} does not take {beyond}");
    }
}

/// Answers of PostgreSQL 15 that are easily missed: what is a value, and no quoted constant; what stands in quotes; what is cut.
#[test]
fn a_value_is_not_taken_for_a_constant() {
    for (expression, wanted) in [
        ("('1.5'::text || '')::interval day", "00:00:00"),
        ("'1:02'::text::interval minute to second", "01:02:00"),
        ("'1.5'::interval day", "1 day"),
        ("string_to_array('a,,b', ',')::text", "{a,\"\",b}"),
        ("('{ a , \"b c\" }'::text[])::text", "{a,\"b c\"}"),
        ("cardinality('x'::text::text[])", "R301"),
        ("to_json('x'::char(3))", "\"x  \""),
        ("to_jsonb('x'::char(3))", "\"x  \""),
        ("'[' || to_char(date '2024-02-29', '\"') || ']'", "[]"),
        ("'' like '%\\'", "f"),
        ("next_day(date '294276-12-31', 'mon')", "R303"),
    ] {
        assert_eq!(result(expression), wanted, "{expression}");
    }
}

/// Answers of PostgreSQL 15 that nobody would guess, and calls that it refuses.
#[test]
fn what_nobody_would_guess_is_postgresqls() {
    for (expression, wanted) in [
        ("'ab '::char(4) ~<~ 'ab '", "f"),
        ("pg_catalog.upper('a') || pg_catalog . lower('B')", "Ab"),
        ("make_date(day => 2, year => 2020, month := 1)", "2020-01-02"),
        ("make_timestamptz(2020, 1, 2, sec => 3.5, hour => 4, min => 5)", "2020-01-02 04:05:03.5+00"),
        ("make_timestamptz(2020, 1, 2, 4, 5, 3, timezone => 'UTC+2')", "2020-01-02 06:05:03+00"),
        ("json_array_element('[1, 2]'::json, element_index => 1)", "2"),
        ("'{\"a\": 1}'::jsonb || '{\"b\": 2}' || '{\"a\": 3}'", "{\"a\": 3, \"b\": 2}"),
        ("('{\"a\": 1}'::jsonb || null || '[2]') is null", "t"),
        ("'1'::jsonb || '2' || ' is text'::text", "[1, 2] is text"),
        ("date_trunc('hour', timestamptz '4714-11-24 00:00+00 BC', 'Asia/Tokyo')", "R303"),
        ("'infinity j 2451187'::date", "1999-01-08"),
        ("'AD H 20200105 epoch J2451187'::timestamp", "1989-09-13 10:59:28"),
        ("'20200105 epoch allballs'::timestamp", "2020-01-05 00:00:00"),
        ("'040506 j 2451187'::time", "04:05:06"),
        ("'J2451187.5 pm'::timestamp", "1999-01-08 12:00:00"),
        ("'J2451187.5 am'::timestamp", "1999-01-08 00:00:00"),
        ("'J2451187.75 pm'::timestamp", "R303"),
        ("'PT040506.5'::interval", "04:05:06"),
        ("'PT040506.9'::interval", "04:05:06.000001"),
        ("'PT04:05:06.9'::interval", "04:05:06.9"),
        ("timestamp 'infinity' at time zone 'nowhere'", "infinity"),
        ("true::name", "t"),
        ("'é'::char(3)::bytea", r"\xc3a92020"),
        ("timestamptz '1950-07-01 00:00+00' at time zone 'EST5EDT'", "1950-06-30 19:00:00"),
        ("timestamptz '1943-01-01 00:00+00' at time zone 'PST8PDT'", "1942-12-31 17:00:00"),
        ("timestamptz '1970-07-01 00:00+00' at time zone 'CST6CDT'", "1970-06-30 19:00:00"),
        ("decode('YQ==YQ==', 'base64')", r"\x6161"),
        ("width_bucket('b'::text, '{a,b}')", "2"),
        ("'{\"a\": 1, \"b\": 2}' - 'a'::text", "{\"b\": 2}"),
        ("substring('Thomas' for 2 from 3)", "om"),
        ("jsonb_array_element('[1, 2]', '1')", "2"),
        ("concat_ws('+', variadic array['a', null, 'b'])", "a+b"),
        ("num_nulls(variadic '{1,NULL}'::int[])", "1"),
        ("array['a', 'b'] && '{b}'", "t"),
    ] {
        assert_eq!(result(expression), wanted, "{expression}");
    }
    for wrong in [
        "'040506 m 1'::time",
        "'epoch d 3'::date",
        "jsonb_set('{}', '{a,', null)",
        "null::jsonb #> '{a,'",
        "'{}'::json || '{}'::json",
        "'a'::\"char\"::integer",
        "(timestamptz '2020-01-01' - timestamptz 'infinity') + null::interval",
        "'{}'::jsonb || '{}'::json",
        "+ interval '1 day'",
        "extract(dec from date '2020-01-01')",
        "interval minute '5'",
        "varchar('a')",
        "time(time '10:00')",
        "1::smallint::\"char\"",
        "bit_count('\\x00')",
        "null::float8 + ln(0::float8)",
    ] {
        assert!(Expr::compile(wrong, &[]).is_err(), "{wrong}");
    }
}

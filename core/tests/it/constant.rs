//! Constants that no row gets past: `check` refuses them with their place. Beside them what it cannot know, since some row may
//! get past it.

use etalon_core::expr::Expr;
use etalon_core::expr::Name;
use etalon_core::types::Type;

/// Expressions, each with the constant in it that no row gets past.
const REFUSED: &[(&str, &str)] = &[
    // Zones and offsets.
    ("ts at time zone 'Europe/Belrin'", "'Europe/Belrin'"),
    ("tz at time zone 'Mars/Base'", "'Mars/Base'"),
    ("timezone('nowhere', ts)", "'nowhere'"),
    ("date_trunc('day', tz, 'Europe/Pari')", "'Europe/Pari'"),
    ("make_timestamptz(n, 1, 1, 0, 0, 0, 'nowhere')", "'nowhere'"),
    ("ts at time zone interval '1 month'", "interval '1 month'"),
    // Units of time.
    ("date_trunc('dya', ts)", "'dya'"),
    ("date_trunc('timezone', ts)", "'timezone'"),
    ("extract(fortnight from ts)", "fortnight"),
    ("date_part('weak', day)", "'weak'"),
    ("extract(hour from day)", "hour"),
    ("date_bin('0 seconds', ts, ts)", "'0 seconds'"),
    ("date_bin('1 month', ts, ts)", "'1 month'"),
    ("dateadd('weak', n, ts)", "'weak'"),
    ("next_day(day, 'Funday')", "'Funday'"),
    // Patterns of dates and numbers.
    ("to_date(t, 'IYYY-MM')", "'IYYY-MM'"),
    ("to_timestamp(t, 'YYYY TZ')", "'YYYY TZ'"),
    ("to_char(n, '9.9.9')", "'9.9.9'"),
    ("to_char(d, '9PR9')", "'9PR9'"),
    ("to_number(t, '9EEEE')", "'9EEEE'"),
    ("to_char(span, 'TZH')", "'TZH'"),
    // Regular expressions and their options.
    ("t ~ '('", "'('"),
    ("t ~ 'a{2,1}'", "'a{2,1}'"),
    ("regexp_replace(t, '[z-a]', '')", "'[z-a]'"),
    ("regexp_replace(t, 'a', 'b', 'k')", "'k'"),
    ("regexp_count(t, 'a', 0)", "0"),
    ("regexp_instr(t, 'a', 1, 0)", "0"),
    ("regexp_substr(t, 'a', 1, 1, 'g')", "'g'"),
    ("t similar to 'a' escape 'ab'", "'ab'"),
    ("regexp_like(t, repeat('(a)', 20000))", "repeat('(a)', 20000)"),
    // Places, counts and divisors.
    ("split_part(t, ',', 0)", "0"),
    ("substring(t from 1 for -1)", "-1"),
    ("overlay(t placing 'a' from 0)", "0"),
    ("chr(-1)", "chr(-1)"),
    ("n / 0", "0"),
    ("n % 0", "0"),
    ("d / 0.00", "0.00"),
    ("div(d, 0)", "0"),
    ("span / 0", "0"),
    ("width_bucket(d, 0, 10, 0)", "0"),
    ("set_bit('ab'::bytea, n, 2)", "2"),
    ("make_date(n, 13, 1)", "13"),
    ("make_time(25, n, 0)", "25"),
    // Forms, encodings and methods.
    ("normalize(t, NFX)", "NFX"),
    ("encode(t::bytea, 'base65')", "'base65'"),
    ("decode(t, 'hexa')", "'hexa'"),
    ("convert_from(t::bytea, 'EBCDIC')", "'EBCDIC'"),
    ("format('%z', t)", "'%z'"),
    ("format('%3$s', t)", "'%3$s'"),
    // Values of a type.
    ("day > '2026-02-30'", "'2026-02-30'"),
    ("n = 'seven'", "'seven'"),
    ("ts + 'a week'", "'a week'"),
    ("n in (1, 'two')", "'two'"),
    ("coalesce(d, 'much')", "'much'"),
    ("json @> '{a}'", "'{a}'"),
    ("json @? '$.a['", "'$.a['"),
    // Escapes, paths, arrays of names, bounds, lengths.
    ("t like 'a' escape 'ab'", "'ab'"),
    ("t not ilike t escape 'ab'", "'ab'"),
    ("like_escape(t, 'ab')", "'ab'"),
    ("mod(n, 0)", "0"),
    ("mod(d, 0.00)", "0.00"),
    ("json #> '{a'", "'{a'"),
    ("json #>> 'a'", "'a'"),
    ("json #- '{{a}}'", "'{{a}}'"),
    ("json ?| '{a'", "'{a'"),
    ("jsonb_set(json, '{a', json)", "'{a'"),
    ("jsonb_insert(json, 'a', json, true)", "'a'"),
    ("json_object('{a,NULL}', t)", "'{a,NULL}'"),
    ("width_bucket(n, '{1,x}')", "'{1,x}'"),
    ("lpad(t, 2000000000)", "2000000000"),
    ("json_extract_path_text('{a', t)", "'{a'"),
];

/// What some row gets past, or what is a value of the row: it compiles.
const NOT_KNOWN: &[(&str, &str)] = &[
    ("split_part(t, ',', n)", "the place is the row's"),
    ("n / (n - n)", "it is zero in every row, which no constant says"),
    ("case when n > 0 then n / nullif(0, 0) end", "a divisor that is NULL makes NULL"),
    ("date_trunc(t, ts)", "the unit is the row's"),
    ("ts at time zone t", "the zone is the row's"),
    ("to_date(t, t)", "the pattern is the row's"),
    ("t ~ t", "the regular expression is the row's"),
    ("t::integer", "the text is the row's"),
    ("sqrt(d - 1)", "the row may be large enough"),
    ("to_date(t, '\"Q\"YYYY')", "the pattern may be met"),
    ("substring(t from -5)", "a place before the text counts from there"),
    ("repeat(t, 2000000)", "an empty text is short however often it is repeated"),
    ("mod(n, null)", "the remainder is NULL"),
    ("t like null escape 'ab'", "it is NULL"),
    ("json #> '{{a},{b}}'", "the elements are taken one by one"),
    ("date_trunc('dya', 'infinity'::timestamp)", "an infinite time is not cut"),
    ("date_part('dya', null::timestamp)", "it is NULL"),
    ("lpad(t, 2000000000, t)", "an empty text fills nothing up"),
    ("rpad(t, -1)", "a length below zero gives an empty text"),
];

#[test]
fn a_constant_that_no_row_gets_past_is_refused_at_its_place() {
    let scope = [
        ("n", Type::Integer),
        ("d", Type::Decimal { precision: 12, scale: 2 }),
        ("t", Type::Text),
        ("day", Type::Date),
        ("ts", Type::Timestamp),
        ("tz", Type::Timestamptz),
        ("span", Type::Interval),
        ("json", Type::Super),
    ]
    .map(|(name, ty)| Name { name: name.to_owned(), ty, nullable: true });
    let mut wrong = Vec::new();
    for (text, constant) in REFUSED {
        match Expr::compile(text, &scope) {
            Ok(_) => wrong.push(format!("{text} is not refused")),
            Err(found) if found.len() != 1 => wrong.push(format!("{text}: {found:?}")),
            Err(found) => {
                let span = found[0].span;
                let place = &text[span.start..span.end];
                if place != *constant {
                    wrong.push(format!("{text} is refused at {place}: {}", found[0].message));
                }
            }
        }
    }
    for (text, why) in NOT_KNOWN {
        if let Err(found) = Expr::compile(text, &scope) {
            wrong.push(format!("{text} is refused, though {why}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

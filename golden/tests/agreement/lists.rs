//! Lists: the words that the manual lists (fields, units, patterns, flags, escapes, forms of input), each with each value of
//! a few kinds. Nothing is drawn: a form with its lists stands for all that they make.

use std::collections::BTreeMap;

use etalon_core::diagnostic::Code;
use etalon_core::expr::Expr;
use etalon_core::testing::expression::{Row, scope};
use etalon_golden::postgres::Server;

use crate::judge::{answers, judge, refusal, show};

/// Forms with holes, and the list that fills each hole; `¦` stands between the words of a list.
const FORMS: &[(&str, &[&str])] = &[
    ("extract({} from {})", &[FIELDS, MOMENTS]),
    ("date_part('{}', {})", &[FIELDS, MOMENTS]),
    ("date_trunc('{}', {})", &[FIELDS, MOMENTS]),
    ("date_trunc('{}', {}, '{}')", &["hour¦day¦week¦month¦quarter¦century", ZONED, ZONES]),
    ("to_char({}, '{}')", &[MOMENTS, PATTERNS]),
    (
        "to_char({}, '{}{}')",
        &["timestamp '2024-02-09 03:04:05.678901'¦interval '-1 year -2 mons 3 days -04:05:06'", "FM¦fm¦TM", PATTERNS],
    ),
    ("to_char({}, '{}{}')", &["timestamp '2023-11-21 13:04:05.6'¦timestamp '0099-03-01'", PATTERNS, "TH¦th¦SP"]),
    ("to_char({}, '{}')", &[NUMBERS, DIGITS]),
    ("to_number('{}', '{}')", &[NUMERALS, DIGITS]),
    ("to_date('{}', '{}')", &[DATES, READ]),
    ("to_timestamp('{}', '{}')", &[DATES, READ]),
    (
        "to_timestamp('{}', '{}')",
        &[
            TIMES,
            "HH24:MI:SS¦HH12:MI:SS AM¦HH:MI am¦HH24MISS¦SSSS¦SSSSS¦HH24:MI:SS.MS¦HH24:MI:SS.US¦FF3¦HH24:MI:SS.FF6¦\
            HH24:MI:SS TZH:TZM¦HH24:MI TZ¦HH24:MI OF",
        ],
    ),
    (
        "{} at time zone '{}'",
        &[
            "timestamp '2024-07-01 12:00'¦timestamptz '2024-01-01 12:00+00'¦timetz '10:00+01'¦timestamp '2024-03-31 02:30'¦\
            timestamp '1890-01-01 00:00'",
            ZONES,
        ],
    ),
    ("'{}'::date", &[INPUTS]),
    ("'{}'::timestamp", &[INPUTS]),
    ("'{}'::timestamptz", &[INPUTS]),
    ("'{}'::time", &[INPUTS]),
    ("'{}'::timetz", &[INPUTS]),
    ("'{}'::interval", &[SPANS]),
    ("'{}'::{}", &[WORDS_BEFORE_NUMBERS, "date¦timestamp¦timestamptz¦time¦timetz"]),
    ("'P{}'::interval", &["T040506¦T040506.9¦T04:05:06.9¦20200102T040506.5¦20200102.5¦T0405.5¦2020-01.5¦T04.5:05"]),
    ("interval '{}' {}", &["1¦1.5¦-2¦1:02¦1 2¦1-2¦1 2:03:04¦", QUALIFIERS]),
    ("{} {} {}", &[UNTYPED, BETWEEN, UNTYPED]),
    ("{} {}", &["+¦-¦|/¦||/¦@¦~¦not", UNTYPED]),
    ("'{}'::boolean", &["t¦T¦true¦TRUE¦tru¦tr¦y¦yes¦ye¦on¦o¦of¦off¦f¦fals¦n¦no¦1¦0¦ true ¦¦2¦nein¦yess"]),
    ("'{}'::{}", &[NUMERALS, "smallint¦integer¦bigint¦numeric¦numeric(5,2)¦real¦double precision"]),
    ("'{}'::bytea", &["¦\\x¦\\x1¦\\xAb cD¦\\xzz¦a\\\\b¦a\\001b¦\\400¦\\12¦é¦\\x0G"]),
    (
        "E'{}'",
        &[
            "\\b¦\\f¦\\n¦\\r¦\\t¦\\0¦\\1¦\\101¦\\377¦\\x41¦\\x4¦\\xg¦\\u0041¦\\U0001F600¦\\u00¦\\ud83d\\ude00¦\\ud83d¦\\\\¦\
            \\''¦\\q¦\\u0000",
        ],
    ),
    ("U&'{}'", &["\\0041¦\\+01F600¦\\\\¦\\00¦d\\d83d\\de00¦\\d83d¦a''b¦\\+110000"]),
    ("U&'{}' uescape '{}'", &["!0041¦!!¦!+01F600", "!¦+¦a¦''¦!!"]),
    ("{}", &[LITERALS]),
    ("encode('{}'::bytea, '{}')", &["¦\\x00¦\\xdeadbeef00ff5c27¦\\x616263646566676869", "hex¦base64¦escape¦HEX¦none"]),
    ("decode('{}', '{}')", &["¦00ff¦0¦AAECAw==¦AA¦A A=¦a\\\\b\\001¦é", "hex¦base64¦escape"]),
    ("regexp_replace('{}', '{}', '{}', '{}')", &[SUBJECTS, EXPRESSIONS, "<\\&>¦[\\1]¦\\\\", "¦g¦gi"]),
    ("regexp_match('{}', '{}', '{}') is null", &[SUBJECTS, EXPRESSIONS, FLAGS]),
    ("'{}' ~ '{}'", &[SUBJECTS, EXPRESSIONS]),
    ("'{}' ~* '{}'", &[SUBJECTS, EXPRESSIONS]),
    ("regexp_count('{}', '{}')", &[SUBJECTS, EXPRESSIONS]),
    ("regexp_substr('{}', '{}')", &[SUBJECTS, EXPRESSIONS]),
    ("regexp_instr('{}', '{}')", &[SUBJECTS, EXPRESSIONS]),
    ("'{}' similar to '{}'", &[SUBJECTS, SIMILAR]),
    ("substring('{}' similar '{}' escape '#')", &[SUBJECTS, "%#\"b%#\"c%¦a#\"%#\"¦#\"%#\"¦%¦#\"a#\"#\"b#\""]),
    ("'{}' like '{}'", &[SUBJECTS, LIKES]),
    ("'{}' ilike '{}' escape '{}'", &[SUBJECTS, LIKES, "¦!¦\\¦ab"]),
    (
        "format('{}', 'a', 'b c', null, 7)",
        &[
            "%s¦%I¦%L¦%%¦%1$s %1$L¦%2$I¦%5$s¦%3$s|%3$L¦%3$I¦%10s|¦%-10s|¦%*s|¦%-*s|¦%2$*4$s|¦%¦%z¦%0$s¦%1$¦%s %s %s %s %s",
        ],
    ),
    ("'{}'::jsonb {} '{}'", &[JSON, "@?¦@@", PATHS]),
    ("jsonb_path_query_first('{}', '{}')", &[JSON, PATHS]),
    ("jsonb_path_query_array('{}', 'strict {}', '{\"x\": 1}', true)", &[JSON, PATHS]),
    (
        "'{}'::jsonb {}",
        &[
            JSON,
            "-> 0¦-> -1¦->> 1¦-> 'a'¦->> 'a'¦#> '{a,0}'¦#>> '{a,b}'¦- 'a'¦- 0¦- '{a,b}'::text[]¦#- '{a,0}'¦|| '{\"a\": 9}'¦\
            || '[9]'¦|| '9'¦@> '{\"a\": [1]}'¦<@ '[1, 2]'¦? 'a'¦?| array['a', 'z']¦?& array['a', 'b']¦= '[1]'¦< '[1]'",
        ],
    ),
    ("jsonb_set('{}', '{}', '7', {})", &[JSON, "{a}¦{a,0}¦{a,-1}¦{0}¦{z}¦{a,z}¦{}¦{9}", "true¦false"]),
    ("jsonb_insert('{}', '{}', '7', {})", &[JSON, "{a}¦{a,0}¦{a,-1}¦{0}¦{z}", "true¦false"]),
    ("jsonb_typeof('{}')", &[JSON]),
    ("{} {} {}", &[ARRAYS, "&&¦@>¦<@¦<¦<=¦>¦>=¦=¦<>", ARRAYS]),
    (
        "timestamptz '{}-{}-15 12:00+00' at time zone '{}'",
        &[
            "1900¦1918¦1919¦1920¦1942¦1943¦1945¦1950¦1966¦1967¦1974¦1990¦2007¦2030",
            "01¦04¦07¦10",
            "EST5EDT¦CST6CDT¦MST7MDT¦PST8PDT",
        ],
    ),
    ("decode('{}', 'base64')", &["YQ==YQ==¦YWE=YQ==¦YWFhYQ==YWFh¦YQ==Y¦YQ= =¦YQ=¦=¦Y===¦YQ==!¦YR=="]),
    ("'{}'::jsonb || '{}' || '{}'", &["[1]¦{\"a\": 1}¦2", "[3]¦{\"a\": 4, \"b\": 5}¦null", "[6]¦{\"b\": 7}"]),
    ("jsonb_array_length('{}')", &[JSON]),
    ("jsonb_pretty('{}')", &[JSON]),
    ("jsonb_strip_nulls('{}')", &[JSON]),
    ("{}('{}')", &["json_typeof¦json_array_length¦json_strip_nulls", JSON]),
    ("'{}'::json", &[TEXTS_OF_JSON]),
    ("'{}'::jsonb", &[TEXTS_OF_JSON]),
    ("normalize('é Å ﬁ ①', {})", &["NFC¦NFD¦NFKC¦NFKD"]),
    ("{}('  xxabxx é ', '{}')", &["btrim¦ltrim¦rtrim", "¦ ¦x ¦é "]),
    ("trim({} '{}' from 'xxabxx')", &["¦both¦leading¦trailing", "x¦¦xb"]),
    ("{} between {} {} and {}", &["2¦null", "¦symmetric", "1¦3¦null", "1¦3¦null"]),
    (
        "{} is {}",
        &[
            "true¦false¦null::boolean¦1 = 1",
            "true¦not true¦false¦not false¦unknown¦not unknown¦null¦not null¦distinct from true¦not distinct from null",
        ],
    ),
    ("{}({}, {})", &["round¦trunc", "12345.6789¦-0.5¦1e20¦'NaN'::numeric", "0¦2¦-2¦-5¦30¦2147483647¦-2147483648"]),
    (
        "{}({})",
        &[
            "round¦trunc¦ceil¦floor¦sign¦abs¦sqrt¦exp¦ln¦log¦cbrt¦scale¦min_scale¦trim_scale¦degrees¦radians",
            "0¦1¦2.5¦3.50¦-2.5¦-0.5¦0.5::float8¦-1.5::float8¦2.5::float8¦'NaN'::numeric¦'-Infinity'::float8¦1e-10¦\
            123456789012345.678",
        ],
    ),
    ("{} {} {}", &[OPERANDS, "+¦-¦*¦/¦%¦^¦=¦<¦<>¦is distinct from", OPERANDS]),
    ("make_interval({} => {})", &["years¦months¦weeks¦days¦hours¦mins¦secs", "1¦-1¦0¦100000¦2147483647"]),
    ("make_date({}, {}, {})", &["2024¦-44¦0¦10000", "2¦13¦0", "29¦30¦1"]),
    (
        "age({}, {})",
        &[
            "timestamp '2024-02-29'¦timestamp '2023-03-31 10:00'¦timestamp 'infinity'",
            "timestamp '2023-02-28 12:00'¦timestamp '2024-04-30'¦timestamp '2000-12-31'",
        ],
    ),
    (
        "date_bin('{}', {}, timestamp '2000-01-01')",
        &[
            "15 minutes¦1 day¦7 days¦1 month¦0¦-1 hour",
            "timestamp '2024-02-29 12:34:56'¦timestamp '1999-12-31 23:59:59.999999'",
        ],
    ),
    ("justify_{}(interval '{}')", &["days¦hours¦interval", SPANS]),
    (
        "{} {} interval '{}'",
        &[
            "date '2024-01-31'¦timestamp '2024-01-31 10:00'¦timestamptz '2024-03-30 10:00+00'¦time '23:00'¦timetz '01:00+05'¦\
            interval '1 mon'",
            "+¦-",
            "1 month¦1 year -1 day¦25 hours¦0.5 days¦1.5 months¦-1 week",
        ],
    ),
    ("interval '{}' {} {}", &["1 month¦1 year 5 days 03:00¦-1 day 12:00", "*¦/", "2¦0.5¦-1.5¦0¦3.7"]),
    (
        "(timestamp '{}', {}) overlaps (timestamp '2024-01-02', interval '1 day')",
        &["2024-01-01¦2024-01-02¦2024-01-04", "interval '1 day'¦interval '0'¦interval '3 days'¦timestamp '2024-01-03'"],
    ),
];

const FIELDS: &str = "century¦centuries¦c¦day¦days¦d¦decade¦decs¦dow¦doy¦epoch¦hour¦h¦hr¦hrs¦isodow¦isoyear¦julian¦microseconds¦us¦\
    usec¦usecond¦millennium¦mil¦mils¦milliseconds¦ms¦msec¦minute¦m¦min¦mins¦month¦mon¦mons¦quarter¦qtr¦second¦s¦sec¦\
    timezone¦timezone_hour¦timezone_minute¦timezone_h¦timezone_m¦week¦w¦year¦y¦yr¦yrs¦nonsense";

const MOMENTS: &str = "date '2024-02-29'¦date '0001-01-01 BC'¦timestamp '2024-02-29 13:04:05.678901'¦timestamp '1999-12-31 23:59:59.5'¦\
    timestamp '0044-03-15 00:00:00 BC'¦timestamp 'infinity'¦timestamptz '2001-02-16 20:38:40+00'¦\
    timestamptz '-infinity'¦time '13:04:05.6'¦timetz '13:04:05.6-05:30'¦\
    interval '1 year 2 mons 3 days 04:05:06.789'¦interval '-1 mon -1 day -00:00:01.5'";

const ZONED: &str =
    "timestamptz '2024-03-31 01:30+00'¦timestamptz '2024-10-27 00:30+00'¦timestamptz '1999-12-31 12:00'";

const WORDS_BEFORE_NUMBERS: &str = "AD H 20200105 epoch J2451187¦epoch j 2451187¦j 2451187 epoch¦infinity jd 2451187¦epoch d 3¦\
    -infinity s 6¦20200105 epoch allballs¦epoch allballs¦epoch y 2020 m 1 d 5¦040506 M 1¦y 2020 04:05:06¦04:05:06 j 2451187¦\
    y 2020 m 1 d 3 04:05:06¦2020-01-05 h 30¦2020-01-05 h 2147483647¦2020-01-05 s 75.5¦epoch J2451187-08";

const ARRAYS: &str =
    "array['a', 'b']¦array['b']¦array['b', null]¦'{}'::text[]¦'{{a},{b}}'::text[]¦null::text[]¦array['a', 'c']";

const ZONES: &str = "UTC¦utc¦Z¦Europe/Berlin¦europe/berlin¦America/New_York¦Asia/Kolkata¦Australia/Lord_Howe¦EST¦PST¦CEST¦+02¦-5:30¦\
    +02:30:15¦EST5EDT¦EST5EDT,M3.2.0,M11.1.0¦<+03>-3¦UTC+3¦GMT-2¦Nowhere/City¦¦25:00¦zulu";

const PATTERNS: &str = "HH¦HH12¦HH24¦MI¦SS¦MS¦US¦FF1¦FF2¦FF3¦FF4¦FF5¦FF6¦SSSS¦SSSSS¦AM¦am¦A.M.¦a.m.¦PM¦pm¦P.M.¦p.m.¦Y,YYY¦YYYY¦YYY¦YY¦Y¦\
    IYYY¦IYY¦IY¦I¦BC¦bc¦B.C.¦b.c.¦AD¦ad¦A.D.¦MONTH¦Month¦month¦MON¦Mon¦mon¦MM¦DAY¦Day¦day¦DY¦Dy¦dy¦DDD¦IDDD¦DD¦D¦ID¦\
    W¦WW¦IW¦CC¦J¦Q¦RM¦rm¦TZ¦tz¦TZH¦TZM¦OF¦\"text\"¦\\\"¦x¦YYYY-MM-DD HH24:MI:SS.US";

const NUMBERS: &str = "0¦5¦-5¦12.345¦-0.45¦1234567.891¦0.001¦-1e10::float8¦485¦3999¦4000¦0.5::float8¦'NaN'::numeric¦'Infinity'::float8¦\
    148.5::numeric¦12345678901234567890¦-7::bigint¦1.5::real";

const DIGITS: &str = "9¦99¦999¦0¦000¦0999¦9990¦999.99¦990.00¦FM999.99¦FM990.0¦9,999,999¦9G999¦999D99¦S999¦999S¦SG999¦999SG¦MI999¦\
    999MI¦PL999¦999PL¦999PR¦FM999PR¦L999¦999L¦RN¦rn¦FMRN¦999th¦999TH¦99V9¦99V99¦9.99EEEE¦9.999EEEE¦\"a\"999\"b\"¦\
    9 9 9¦FM9999999¦B9999¦9.9.9¦S9S¦999 ¦¦FM0009.9900¦MI9.9¦9-9";

const NUMERALS: &str = "0¦12¦-12¦+12¦ 12 ¦12.5¦-.5¦5.¦.¦1e3¦1E-3¦1e¦0x1F¦1_000¦1,234.5¦12-¦<12>¦$12¦NaN¦nan¦Infinity¦inf¦-inf¦-Infinity¦\
    1e400¦99999999999999999999¦32768¦2147483648¦9223372036854775808¦0.5¦1.5¦2.5¦-2.5¦999.995¦999.994¦¦ ¦abc¦1 2¦\
    00012¦CDLXXXV¦1st";

const DATES: &str = "2024-02-29¦20240229¦29.02.2024¦02/29/24¦29 Feb 2024¦29 February 2024¦29feb2024¦24-2-9¦2024-060¦2024-W09-4¦1 BC¦\
    44-03-15 BC¦2459000¦2024¦2024-13-01¦2024-02-30¦¦  2024-02-29¦2024 - 02 - 29¦II¦x¦-2024-01-01";

const READ: &str = "YYYY-MM-DD¦YYYYMMDD¦DD.MM.YYYY¦MM/DD/YY¦DD Mon YYYY¦DD Month YYYY¦DDmonYYYY¦YY-MM-DD¦YYYY-DDD¦IYYY-\"W\"IW-ID¦\
    Y BC¦YY-MM-DD BC¦J¦YYYY¦RM¦FXYYYY-MM-DD¦FXDD Mon YYYY¦YYY¦Y,YYY¦CC¦YYYY-MM-DD HH24:MI¦IYYY-IDDD¦Q¦DY";

const TIMES: &str = "13:04:05¦1:04:05 PM¦12:00:00 am¦130405¦47045¦13:04:05.6¦13:04:05.678901¦24:00:00¦13:60:00¦0:0:0¦5¦\
    13:04:05 +02:30¦13:04 CEST¦13:04 -05¦13:04 Z¦";

const INPUTS: &str = "2024-02-29¦2024-02-29 13:04:05.6789¦2024-02-29T13:04:05Z¦2024-02-29 13:04:05+02¦2024-02-29 13:04:05 +02:30¦\
    2024-02-29 13:04 Europe/Berlin¦20240229¦20240229T130405¦2024-060¦2024.060¦J2460370¦February 29, 2024¦\
    29 Feb 2024¦Feb 29 13:04:05 2024¦Thu Feb 29 13:04:05 2024¦02/29/2024¦2/29/24¦29/02/2024¦29.02.2024¦2024/02/29¦\
    24-02-29¦2024-2-9¦99-12-31¦1 Jan 44 BC¦0044-03-15 BC¦infinity¦-infinity¦epoch¦allballs¦now¦today¦tomorrow¦\
    yesterday¦13:04¦13:04:05 PM¦1:04 pm¦12:00 am¦130405¦T130405¦13:04:60¦24:00¦24:00:01¦13:04:05.1234567¦\
    13:04-05:30¦13:04 PST¦2024-02-30¦2023-02-29¦2024-13-01¦10000-01-01¦294276-12-31¦294277-01-01¦4713-01-01 BC¦\
    4714-11-23 BC¦¦ 2024-02-29 ¦2024-02-29 25:00¦2024-02-29 13:04:05 EST5EDT¦2024-02-29 13:04:05 xyz¦Feb 2024¦\
    2024 Feb¦2024-Feb-29¦29-Feb-24¦Feb-29-2024¦2024-02-29 13¦2024-02-29 1304¦20240229 130405¦2024-02-29 13:04:05 AD¦\
    y2024m2d29";

const SPANS: &str = "1 day¦1 days¦1d¦1 year 2 months¦1y2mon¦1-2¦-1-2¦1 2:03:04¦3:04¦3:04:05.678¦-3:04:05¦1:¦P1Y2M3DT4H5M6S¦P1.5Y¦\
    PT36H¦P0001-02-03T04:05:06¦P-1D¦P1W¦@ 1 minute ago¦1 day ago¦-1 day +2 hours¦1.5 days¦1.5 months¦1.5 years¦\
    0.5 weeks¦2 decades¦1 century¦1 millennium¦1000 ms¦1000 us¦1e3 seconds¦1 quarter¦1¦1.5¦¦x¦1 x¦infinity¦\
    1 day 1 day¦1 mon 1 mon¦2147483647 days¦2147483648 days¦178956970 years¦178956971 years¦25:61¦1 hour 90 min¦\
    10:20:30.4567891¦1 day 24:00:00¦ 1   day ¦1day2hours¦1,5 days";

const QUALIFIERS: &str = "year¦month¦day¦hour¦minute¦second¦year to month¦day to hour¦day to minute¦day to second¦hour to minute¦\
    hour to second¦minute to second¦second(2)¦(2)¦day to second(1)";

const LITERALS: &str = "1¦-1¦2147483647¦2147483648¦-2147483648¦9223372036854775807¦9223372036854775808¦1.50¦.5¦5.¦1e5¦1E-5¦1.5e+3¦\
    'a''b'¦'a' 'b'¦$$a'b$$¦$x$a$$b$x$¦true¦null¦TRUE¦date '2024-01-01'¦b'101'¦x'1F'¦n'abc'¦'a'\n'b'¦1 -- c\n¦\
    /* c */ 1¦/* a /* b */ c */ 1¦1::text¦(1)¦((1))¦- 5¦+5¦- -5¦not true¦1e¦1a¦0x1F¦1_000¦''¦int '7'¦float8 '1.5'¦\
    numeric '1.50'¦bool 't'¦text 'x'¦int4(7.5)¦float8(1)¦text(1)¦varchar(3) 'abcdef'¦cast('abc' as varchar(2))¦\
    'abc'::char(2)¦1::bool¦true::int¦1.5::int¦2.5::int¦-2.5::int¦0.5::float8::int¦1.5::float8::int¦array[1,2][1]¦\
    (array['a','b'])[2]¦row(1,2) = row(1,2)¦(1,2) < (1,3)¦1 in (1,null)¦2 in (1,null)¦2 not in (1,null)¦\
    case 1 when 1 then 'a' end¦case when null then 1 else 2 end¦coalesce(null, 1, 2.5)¦nullif(1, 1.0)¦\
    greatest(1, 2.5, null)¦least('a', 'b')¦1 between 0 and 2¦1 isnull¦null notnull¦'a' || 1¦1 || 'a'¦2 ^ 3 ^ 2¦\
    -2 ^ 2¦7 / 2¦-7 / 2¦7 % -3¦-7 % 3¦7.0 / 2¦1 / 3.0¦5 & 3¦5 | 3¦5 # 3¦~5¦1 << 4¦-16 >> 2¦|/ 25¦||/ 27¦@ -5¦\
    5 !~ 'a'¦1 <> 2¦1 != 2";

const SUBJECTS: &str = "¦abc¦aBc abc¦foobarbaz¦a.b*c¦x1y22z333¦línea uno\nline two¦  tab\there ¦(a)[b]{c}¦a\\\\b¦aaa";

const EXPRESSIONS: &str = "¦a¦b+¦a*¦a*?¦a{2}¦a{1,2}¦a{2,}¦a{,2}¦[abc]¦[^abc]¦[a-c]+¦[[:alpha:]]+¦[[:digit:]]+¦[[:space:]]¦[[:upper:]]¦\
    [[:lower:]]¦[[:punct:]]¦[[:alnum:]]+¦[[:xdigit:]]+¦[[:word:]]+¦[[:blank:]]¦[[:cntrl:]]¦[[:graph:]]+¦\
    [[:print:]]+¦[[:nope:]]¦[[:<:]]a¦c[[:>:]]¦[[.a.]]¦[[=a=]]¦\\d+¦\\D+¦\\s+¦\\S+¦\\w+¦\\W+¦\\m\\w¦\\w\\M¦\\ya¦\\Ya¦\
    \\Aa¦c\\Z¦^a¦c$¦^¦$¦(a)(b)¦(?:a)(b)¦(a|ab)(c|bcd)?¦(.)\\1¦a(?=b)¦a(?!b)¦(?<=a)b¦(?<!a)b¦\\.¦\\\\¦[\\d.]+¦\
    [\\w-]+¦[]a]¦[a¦(a¦a)¦*a¦a**¦+¦?¦{1}¦\\¦(?i)ABC¦(?n)^line¦(?x)a b c # d¦(?q)a.b¦***=a.b*c¦***:a.b¦\\x61¦\\u0061¦\
    \\U00000061¦\\t¦\\n¦\\e¦\\cA¦\\B¦\\141¦.¦.+¦a.c¦o+?¦(o+?)b¦(?:x|y)+¦(a*)*¦(a*)+¦x?y??";

const FLAGS: &str = "¦i¦c¦n¦p¦w¦x¦q¦s¦m¦e¦b¦t¦g¦z¦ic¦xn";

const SIMILAR: &str =
    "¦abc¦a%¦%b%¦_bc¦(a|x)%¦[a-c]+%¦a{3}¦a{1,}¦a*¦%[0-9]+%¦[^x]%¦\\%¦a\\_c¦(foo|bar)+baz¦%(b|c¦[[:alpha:]]*¦a.c¦a^b¦$";

const LIKES: &str = "¦%¦_¦abc¦a%¦%c¦_b_¦A%¦%\\%¦a!%¦!_bc¦%!¦\\¦%_%_%¦aBc%abc¦%\\\\%¦%é%";

const JSON: &str = "null¦1¦\"a\"¦true¦[]¦{}¦[1, 2.50, null, \"a\", [3]]¦{\"a\": [1, 2, {\"b\": null}], \"b\": \"x\"}¦\
    {\"a\": {\"b\": 1.0}, \"c\": null}";

const PATHS: &str = "$¦$.a¦$.\"a\"¦$.*¦$.**¦$.**{1}¦$.**{1 to 2}¦$.**{last}¦$[0]¦$[*]¦$[last]¦$[last - 1]¦$[0 to 1]¦$[0, 2]¦$.a[*].b¦\
    $[*] ? (@ > 1)¦$[*] ? (@ == \"a\")¦$.a[*] ? (@.b == null)¦$[*] ? (@ != 1)¦$[*] ? (exists (@.b))¦\
    $[*] ? (@ like_regex \"^a\")¦$[*] ? (@ like_regex \"A\" flag \"i\")¦$[*] ? (@ starts with \"a\")¦\
    $[*] ? ((@ > 1) is unknown)¦$[*] ? (@ > 1 && @ < 3 || !(@ == 1))¦$.type()¦$.size()¦$[*].type()¦$[*].double()¦\
    $.a.size()¦$[*].ceiling()¦$[*].floor()¦$[*].abs()¦$.keyvalue()¦$.keyvalue().key¦$[*].datetime()¦$ + 1¦-$¦+$¦\
    $ * 2¦$[0] / 0¦$[0] % 2¦$ == 1¦$ > 0¦$.a == 1¦1 + 2 * 3¦(1 + 2) * 3¦\"abc\"¦null¦true¦$.x.y¦$[9]¦$[-1]¦\
    $.a[0 to last]¦strict $.z¦lax $.z¦$..a¦$.¦@¦$[*] ? (@.type() == \"number\")¦$\"a\"¦$.a ? (@.size() > 1)";

const TEXTS_OF_JSON: &str = "¦ ¦null¦nul¦true¦TRUE¦1¦-1¦+1¦01¦1.¦.5¦1.50¦1e5¦1E+5¦1e¦-0¦-¦1e400¦\"a\"¦\"a¦\"\\u0041\"¦\"\\u00\"¦\
    \"\\ud83d\\ude00\"¦\"\\ud83d\"¦\"\\u0000\"¦\"\\n\\t\\/\\b\\f\\r\"¦\"\\x\"¦\"\t\"¦[]¦[1,]¦[,1]¦[1 2]¦[1¦1]¦{}¦\
    {\"a\":1}¦{\"a\":1,}¦{a:1}¦{\"a\" 1}¦{\"a\":1,\"a\":2}¦{\"b\":1,\"a\":2}¦{1:2}¦  [1 , 2 ]  ¦[1] x¦''a''¦NaN¦\
    Infinity¦/* c */ 1¦{\"a\":{\"b\":[1,{\"c\":null}]}}¦\u{feff}1";

const OPERANDS: &str = "1¦0¦-3¦32767::smallint¦2147483647¦9223372036854775807¦1.5¦-0.00¦1e30¦'NaN'::numeric¦2.5::float8¦\
    '-Infinity'::float8¦1.5::real¦'7'¦null";

/// Quoted texts and NULL, which say no type.
const UNTYPED: &str = "'1'¦null¦'{}'¦'a'";

const BETWEEN: &str = "+¦-¦*¦/¦%¦^¦||¦=¦<>¦<¦<=¦~¦~*¦!~¦!~*¦&¦|¦#¦<<¦>>¦^@¦->¦->>¦#>¦#>>¦@>¦<@¦?¦?|¦?&¦#-¦@?¦@@¦~<~¦~>=~¦like¦\
    ilike¦is distinct from";

pub(crate) fn every_listed_word_agrees(server: &Server) {
    let expressions: Vec<String> = FORMS.iter().flat_map(|(form, lists)| filled(form, lists)).collect();
    let rows = [Row { n: None, big: None, d: None, f: None, t: None, b: None, day: None }];
    let answers = answers(server, "lists", &rows, &expressions);
    assert_eq!(answers.len(), expressions.len(), "an answer for each expression");

    let mut tally = BTreeMap::new();
    let mut differences = Vec::new();
    for (text, answer) in expressions.iter().zip(&answers) {
        let found = Expr::compile(text, &scope());
        let is_left_out =
            matches!(&found, Err(wrong) if wrong.iter().any(|diagnostic| diagnostic.code == Code::NotScalar));
        match (found, refusal(answer)) {
            _ if is_left_out => *tally.entry("not the same in every run").or_default() += 1,
            (Ok(_), Some(state)) => differences.push(format!("{text}\n    is compiled\n    PostgreSQL: {state}")),
            (Err(_), Some(_)) => *tally.entry("refused by both").or_default() += 1,
            (Err(_), _) if answer.planned.is_err() => *tally.entry("refused by both").or_default() += 1,
            _ if last_digit(text) => *tally.entry("a last digit is that of a C library").or_default() += 1,
            (_, None) => judge(text, &rows, answer, &mut tally, &mut differences),
        }
    }
    println!("PostgreSQL: {} expressions of {} forms: {tally:?}", expressions.len(), FORMS.len());
    show(&differences);
}

/// Whether an expression asks for a cube root, whose last digit the page of differences leaves to the C library.
fn last_digit(text: &str) -> bool {
    text.starts_with("cbrt(") || text.starts_with("||/")
}

/// A form with each of its holes filled by each word of its list.
fn filled(form: &str, lists: &[&str]) -> Vec<String> {
    let mut made = vec![String::new()];
    let mut parts = form.split("{}");
    let first = parts.next().unwrap_or_default();
    made[0].push_str(first);
    for (part, list) in parts.zip(lists) {
        made =
            made.iter().flat_map(|before| list.split('¦').map(move |word| format!("{before}{word}{part}"))).collect();
    }
    made
}

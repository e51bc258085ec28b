//! Types: every type of PostgreSQL with its bounds and NULL, into the embedded warehouse and into a PostgreSQL: it arrives
//! exactly, or its row is rejected and says so.

use etalon_golden::postgres::Server;

use crate::source::{etalon, folder_with};

/// A type, the field and the column that take it, values as SQL, and what arrives; `None`: the row is rejected.
type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, Option<&'static str>)]);

#[rustfmt::skip]
const TYPES: &[Row] = &[
    ("boolean", "boolean", "boolean", &[("true", Some("true")), ("false", Some("false"))]),
    ("smallint", "smallint", "smallint", &[("-32768", Some("-32768")), ("32767", Some("32767"))]),
    ("integer", "integer", "integer", &[("-2147483648", Some("-2147483648")), ("2147483647", Some("2147483647"))]),
    ("bigint", "bigint", "bigint", &[("-9223372036854775808", Some("-9223372036854775808")), ("9223372036854775807", Some("9223372036854775807"))]),
    ("bigint", "smallint", "smallint", &[("32767", Some("32767")), ("32768", None)]),
    ("oid", "bigint", "bigint", &[("4294967295", Some("4294967295"))]),
    ("numeric(38,10)", "decimal(38,10)", "decimal(38,10)", &[("9999999999999999999999999999.9999999999", Some("9999999999999999999999999999.9999999999")), ("-0.0000000001", Some("-0.0000000001")), ("'NaN'", None)]),
    ("numeric", "decimal(38,10)", "decimal(38,10)", &[("1.5", Some("1.5000000000")), ("1e30", None), ("0.00000000001", None), ("'Infinity'", None), ("'NaN'", None)]),
    ("numeric", "text", "varchar(200)", &[("12345678901234567890123456789012345678901234567890.00000000000000000000000000000000000000000000000001", Some("12345678901234567890123456789012345678901234567890.00000000000000000000000000000000000000000000000001")), ("'-Infinity'", Some("-Infinity"))]),
    ("real", "real", "real", &[("3.4028235e38", Some("3.4028235e+38")), ("1e-45", Some("1e-45")), ("0.1", Some("0.1"))]),
    ("double precision", "double precision", "double precision", &[("1.7976931348623157e308", Some("1.7976931348623157e+308")), ("5e-324", Some("5e-324")), ("0.1", Some("0.1")), ("1e22", Some("1e+22"))]),
    ("money", "decimal(19,2)", "decimal(19,2)", &[("'-92233720368547758.08'", Some("-92233720368547758.08")), ("'1234.5'", Some("1234.50"))]),
    ("text", "text", "varchar(100)", &[("'a,\"b\"'", Some("a,\"b\"")), ("''", Some("")), ("'\\N'", Some("\\N")), ("E'line\\r\\nend\\t\\\\.'", Some("line\r\nend\t\\.")), ("'äöü😀'", Some("äöü😀")), ("' blanks '", Some(" blanks "))]),
    ("varchar(5)", "text", "varchar(20)", &[("'äöüßé'", Some("äöüßé"))]),
    ("char(5)", "text", "varchar(5)", &[("'ab'", Some("ab   "))]),
    ("name", "text", "varchar(64)", &[("'n'", Some("n"))]),
    ("\"char\"", "text", "varchar(1)", &[("'x'", Some("x"))]),
    ("date", "date", "date", &[("'0001-01-01'", Some("0001-01-01")), ("'9999-12-31'", Some("9999-12-31")), ("'infinity'", None), ("'10000-01-01'", Some("Y0010000-01-01")), ("'0044-03-15 BC'", Some("!9999956-03-15"))]),
    ("date", "text", "varchar(20)", &[("'infinity'", Some("infinity")), ("'5874897-12-31'", Some("5874897-12-31"))]),
    ("timestamp", "timestamp", "timestamp", &[("'0001-01-01 00:00:00'", Some("0001-01-01 00:00:00.000000")), ("'9999-12-31 23:59:59.999999'", Some("9999-12-31 23:59:59.999999")), ("'-infinity'", None)]),
    ("timestamptz", "timestamptz", "timestamptz", &[("'2026-03-29 02:30:00.000001 Europe/Berlin'", Some("2026-03-29T01:30:00.000001Z")), ("'9999-12-31 23:59:59.999999+00'", Some("9999-12-31T23:59:59.999999Z")), ("'infinity'", None), ("'294276-01-01 00:00+00'", None)]),
    ("time", "text", "varchar(20)", &[("'24:00:00'", Some("24:00:00")), ("'00:00:00.000001'", Some("00:00:00.000001"))]),
    ("timetz", "text", "varchar(30)", &[("'12:00:00.5+05:30'", Some("12:00:00.5+05:30"))]),
    ("interval", "text", "varchar(80)", &[("'-1 year 2 months -3 days 04:05:06.789'", Some("-10 mons -3 days +04:05:06.789")), ("'178000000 years'", Some("178000000 years"))]),
    ("json", "super", "super", &[("'{\"a\": [1, null, \"x\"]}'", Some("{\"a\": [1, null, \"x\"]}")), ("'null'", Some("null"))]),
    ("jsonb", "super", "super", &[("'{\"b\":1.50,\"a\":\"\\u00e4\"}'", Some("{\"a\": \"ä\", \"b\": 1.50}"))]),
    ("jsonb", "text", "varchar(99)", &[("'[1e2]'", Some("[100]"))]),
    ("uuid", "text", "varchar(36)", &[("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"))]),
    ("bytea", "text", "varchar(99)", &[("'\\x00ff5c22'", Some("\\x00ff5c22")), ("''", Some("\\x"))]),
    ("bit(4)", "text", "varchar(9)", &[("B'1010'", Some("1010"))]),
    ("varbit", "text", "varchar(9)", &[("B''", Some(""))]),
    ("inet", "text", "varchar(50)", &[("'::1/64'", Some("::1/64"))]),
    ("cidr", "text", "varchar(50)", &[("'10.0.0.0/8'", Some("10.0.0.0/8"))]),
    ("macaddr8", "text", "varchar(50)", &[("'08:00:2b:01:02:03:04:05'", Some("08:00:2b:01:02:03:04:05"))]),
    ("int4range", "text", "varchar(50)", &[("'[1,5]'", Some("[1,6)")), ("'empty'", Some("empty"))]),
    ("tstzrange", "text", "varchar(99)", &[("'[2026-01-01 00:00+00,)'", Some("[\"2026-01-01 00:00:00+00\",)"))]),
    ("integer[]", "text", "varchar(99)", &[("'{{1,2},{3,NULL}}'", Some("{{1,2},{3,NULL}}"))]),
    ("text[]", "text", "varchar(99)", &[("array['a,b', '\"', E'\\n']", Some("{\"a,b\",\"\\\"\",\"\n\"}"))]),
    ("mood", "text", "varchar(9)", &[("'so-so'", Some("so-so"))]),
    ("positive", "integer", "integer", &[("7", Some("7"))]),
    ("pair", "text", "varchar(50)", &[("row(1, 'a b')", Some("(1,\"a b\")"))]),
    ("point", "text", "varchar(50)", &[("'(0.1,-2)'", Some("(0.1,-2)"))]),
    ("tsvector", "text", "varchar(50)", &[("'a:1 b'", Some("'a':1 'b'"))]),
    ("xml", "text", "varchar(50)", &[("'<a>1</a>'", Some("<a>1</a>"))]),
    ("pg_lsn", "text", "varchar(50)", &[("'16/B374D848'", Some("16/B374D848"))]),
];

pub(crate) fn every_type_arrives_or_is_told(server: &Server) {
    let source = server.database("types");
    let target = server.database("types_loaded");
    let made = "create type mood as enum ('so-so'); create domain positive as integer check (value > 0); \
                create type pair as (a integer, b text);";
    assert!(server.psql_in("types", made).0);
    let (mut exact, mut rejected, mut wrong) = (0, 0, Vec::new());
    // A pipeline a type would start a hundred processes: all columns are of one table, and each row has one value.
    let mut table = String::from("create table t (id integer");
    let mut fields = String::from("    id: integer\n");
    let mut columns = String::from("  id: required\n");
    let mut rows = String::new();
    let mut expected: Vec<(usize, String, Option<&str>)> = Vec::new();
    for (at, (ty, field, column, values)) in TYPES.iter().enumerate() {
        table.push_str(&format!(", c{at} {ty}"));
        fields.push_str(&format!("    c{at}: '{field}'\n"));
        columns.push_str(&format!("  c{at}: '{column}'\n"));
        for (value, arrives) in *values {
            let id = expected.len();
            rows.push_str(&format!("insert into t (id, c{at}) values ({id}, ({value})::{ty});\n"));
            expected.push((id, format!("c{at}"), *arrives));
        }
    }
    // And NULL in every column.
    rows.push_str(&format!("insert into t (id) values ({});\n", expected.len()));
    table.push_str(");\n");
    assert!(server.psql_in("types", &(table + &rows)).0);
    let pipeline = format!(
        "etalon: 1\npipeline: types\nsource:\n  postgres: {{ url: '{source}', table: t }}\n  fields:\n{fields}columns:\n{columns}\
         limits: none\ntarget: {{ table: t, write: replace }}\n"
    );
    let folder = folder_with(&pipeline);
    let folder = folder.path();
    for to in [".etalon/warehouse.db", target.as_str()] {
        let output = etalon(folder, &["run", "p.yaml", "--to", to, "--output", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for (id, column, arrives) in &expected {
            let (ty, ..) = TYPES[column[1..].parse::<usize>().unwrap()];
            let sql = format!("select {column} as value from t where id = {id}");
            let output = etalon(folder, &["query", "--to", to, &sql, "--output", "csv"]);
            let output = String::from_utf8(output.stdout).unwrap();
            let found = output.strip_prefix("value\n").unwrap().strip_suffix('\n').map(unquoted);
            if found.as_deref() != *arrives {
                wrong.push(format!("{ty} {id} in {to}: {found:?}, and not {arrives:?}"));
            }
            match arrives {
                Some(_) => exact += 1,
                None => rejected += 1,
            }
        }
        let nulls = format!("select * from t where id = {}", expected.len());
        let output = etalon(folder, &["query", "--to", to, &nulls, "--output", "json"]);
        let found: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(&output.stdout).unwrap();
        let is_null = |(name, value): (&String, &serde_json::Value)| !name.starts_with('c') || value.is_null();
        assert!(found.len() == 1 && found[0].iter().all(is_null), "{found:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} types: {exact} values arrive exactly, {rejected} are rejected", TYPES.len());
}

/// A value of CSV.
fn unquoted(text: &str) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => text.to_owned(),
    }
}

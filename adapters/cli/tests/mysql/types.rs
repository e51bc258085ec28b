//! Types: every type of MariaDB with its bounds and NULL, into the embedded warehouse and into a PostgreSQL: it arrives exactly,
//! or its row is rejected and says so.

use etalon_golden::mariadb::Server;
use etalon_golden::postgres;

use crate::source::{etalon, folder_with};

/// A type, the field and the column that take it, values as SQL, and what arrives; `None`: the row is rejected.
type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, Option<&'static str>)]);

const WIDE: &str = "99999999999999999999999999999999999.999999999999999999999999999999";

#[rustfmt::skip]
const TYPES: &[Row] = &[
    ("tinyint(1)", "boolean", "boolean", &[("1", Some("true")), ("0", Some("false")), ("2", None)]),
    ("tinyint", "smallint", "smallint", &[("-128", Some("-128")), ("127", Some("127"))]),
    ("tinyint unsigned", "smallint", "smallint", &[("255", Some("255"))]),
    ("smallint", "smallint", "smallint", &[("-32768", Some("-32768")), ("32767", Some("32767"))]),
    ("smallint unsigned", "integer", "integer", &[("65535", Some("65535"))]),
    ("mediumint", "integer", "integer", &[("-8388608", Some("-8388608"))]),
    ("mediumint unsigned", "integer", "integer", &[("16777215", Some("16777215"))]),
    ("int", "integer", "integer", &[("-2147483648", Some("-2147483648")), ("2147483647", Some("2147483647"))]),
    ("int unsigned", "bigint", "bigint", &[("4294967295", Some("4294967295"))]),
    ("int unsigned", "integer", "integer", &[("2147483647", Some("2147483647")), ("4294967295", None)]),
    ("int(8) zerofill", "bigint", "bigint", &[("42", Some("42"))]),
    ("bigint", "bigint", "bigint", &[("-9223372036854775808", Some("-9223372036854775808")), ("9223372036854775807", Some("9223372036854775807"))]),
    ("bigint unsigned", "decimal(20,0)", "decimal(20,0)", &[("18446744073709551615", Some("18446744073709551615"))]),
    ("bigint unsigned", "bigint", "bigint", &[("9223372036854775807", Some("9223372036854775807")), ("9223372036854775808", None)]),
    ("decimal(38,10)", "decimal(38,10)", "decimal(38,10)", &[("9999999999999999999999999999.9999999999", Some("9999999999999999999999999999.9999999999")), ("-0.0000000001", Some("-0.0000000001"))]),
    ("decimal(65,30)", "decimal(38,10)", "decimal(38,10)", &[("1.5", Some("1.5000000000")), (WIDE, None), ("1e-30", None)]),
    ("decimal(65,30)", "text", "varchar(100)", &[(WIDE, Some(WIDE))]),
    ("float", "real", "real", &[("3.4028235e38", Some("3.4028235e+38")), ("0.1", Some("0.1")), ("16777216", Some("1.6777216e+07")), ("-1.17549435e-38", Some("-1.1754944e-38"))]),
    ("double", "double precision", "double precision", &[("1.7976931348623157e308", Some("1.7976931348623157e+308")), ("2.2250738585072014e-308", Some("2.2250738585072014e-308")), ("0.1", Some("0.1")), ("1e22", Some("1e+22"))]),
    ("double(10,2)", "double precision", "double precision", &[("1.25", Some("1.25"))]),
    ("bit(1)", "boolean", "boolean", &[("b'1'", Some("true")), ("b'0'", Some("false"))]),
    ("bit(9)", "text", "varchar(9)", &[("b'101'", Some("000000101"))]),
    ("bit(64)", "text", "varchar(64)", &[("18446744073709551615", Some("1111111111111111111111111111111111111111111111111111111111111111"))]),
    ("year", "smallint", "smallint", &[("2155", Some("2155")), ("0", Some("0"))]),
    ("date", "date", "date", &[("'1000-01-01'", Some("1000-01-01")), ("'9999-12-31'", Some("9999-12-31")), ("'0000-00-00'", None), ("'2026-00-00'", None)]),
    ("date", "text", "varchar(20)", &[("'0000-00-00'", Some("0000-00-00")), ("'2026-02-00'", Some("2026-02-00"))]),
    ("datetime", "timestamp", "timestamp", &[("'1000-01-01 00:00:00'", Some("1000-01-01 00:00:00.000000"))]),
    ("datetime(6)", "timestamp", "timestamp", &[("'9999-12-31 23:59:59.999999'", Some("9999-12-31 23:59:59.999999")), ("'0000-00-00 00:00:00'", None), ("'2026-01-00 10:00:00'", None)]),
    ("datetime(3)", "text", "varchar(30)", &[("'0000-00-00'", Some("0000-00-00 00:00:00.000"))]),
    ("timestamp(6) null", "timestamptz", "timestamptz", &[("'2038-01-19 03:14:07.999999'", Some("2038-01-19T03:14:07.999999Z")), ("'1970-01-01 00:00:01'", Some("1970-01-01T00:00:01.000000Z")), ("'0000-00-00 00:00:00'", None)]),
    ("timestamp null", "timestamptz", "timestamptz", &[("'2026-03-29 02:30:00'", Some("2026-03-29T02:30:00.000000Z"))]),
    ("time(6)", "text", "varchar(20)", &[("'838:59:59'", Some("838:59:59.000000")), ("'-00:00:00.000001'", Some("-00:00:00.000001"))]),
    ("char(5)", "text", "varchar(20)", &[("'ab'", Some("ab"))]),
    ("varchar(50)", "text", "varchar(100)", &[("'a,\"b\"'", Some("a,\"b\"")), ("''", Some("")), ("'\\\\N'", Some("\\N")), ("'line\\r\\nend\\t\\\\.'", Some("line\r\nend\t\\.")), ("'äöü😀'", Some("äöü😀")), ("' blanks '", Some(" blanks "))]),
    ("varchar(9) character set latin1", "text", "varchar(20)", &[("'äÿ€'", Some("äÿ€"))]),
    ("varchar(9) character set utf8mb3", "text", "varchar(20)", &[("'ä€'", Some("ä€"))]),
    ("varchar(9) character set ucs2", "text", "varchar(20)", &[("'ä€'", Some("ä€"))]),
    ("longtext", "text", "varchar(20)", &[("'long'", Some("long"))]),
    ("enum('so-so', 'ä')", "text", "varchar(9)", &[("'ä'", Some("ä")), ("'none'", Some(""))]),
    ("set('a', 'b', 'c')", "text", "varchar(9)", &[("'c,a'", Some("a,c")), ("''", Some(""))]),
    ("json", "super", "super", &[("'{\"a\": [1, null, \"x\"]}'", Some("{\"a\": [1, null, \"x\"]}")), ("'null'", Some("null"))]),
    ("binary(4)", "text", "varchar(99)", &[("x'00ff'", Some("\\x00ff0000"))]),
    ("varbinary(9)", "text", "varchar(99)", &[("x'00ff5c22'", Some("\\x00ff5c22")), ("''", Some("\\x"))]),
    ("blob", "text", "varchar(99)", &[("x'0aC3'", Some("\\x0ac3"))]),
    ("geometry", "text", "varchar(99)", &[("st_geomfromtext('POINT(0.1 -2)', 4326)", Some("SRID=4326;POINT(0.1 -2)"))]),
    ("uuid", "text", "varchar(36)", &[("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"))]),
    ("inet6", "text", "varchar(50)", &[("'::1'", Some("::1"))]),
];

pub(crate) fn every_type_arrives_or_is_told(server: &Server) {
    let source = server.database("types");
    let warehouse = postgres::Server::start().unwrap();
    let target = warehouse.database("types_loaded");
    let (mut exact, mut rejected, mut wrong) = (0, 0, Vec::new());
    // A pipeline a type would start a hundred processes: all columns are of one table, and each row has one value.
    let mut table = String::from("set sql_mode = ''; create table t (id integer");
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
            rows.push_str(&format!("insert into t (id, c{at}) values ({id}, {value});\n"));
            expected.push((id, format!("c{at}"), *arrives));
        }
    }
    // And NULL in every column.
    rows.push_str(&format!("insert into t (id) values ({});\n", expected.len()));
    table.push_str(");\n");
    assert!(server.sql("types", &(table + &rows)).0);
    let pipeline = format!(
        "etalon: 1\npipeline: types\nsource:\n  mysql: {{ url: '{source}', table: t }}\n  fields:\n{fields}columns:\n{columns}\
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

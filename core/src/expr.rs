//! Expr: SQL scalar expressions. Text is parsed into our own tree, checked against the names in scope, and evaluated over
//! columns.
//!
//! `parse` (over the words of `sql`) -> `check` (names, types, arguments) -> `evaluate`. The functions of the language are in
//! `functions`, one file each.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow_array::Int64Array;
//! use arrow_array::cast::AsArray;
//! use arrow_array::types::Int64Type;
//! use etalon_core::column::Column;
//! use etalon_core::expr::{Context, Expr, Name};
//! use etalon_core::types::Type;
//!
//! let scope = [Name { name: "n".to_owned(), ty: Type::Bigint, nullable: false }];
//! let (expr, _warnings) = Expr::compile("100 / n", &scope).map_err(|mistakes| format!("{mistakes:?}"))?;
//! let n = Column::new(Arc::new(Int64Array::from(vec![7, 0])));
//! let context = Context { batch_time: 0, source_name: "a.csv", record_offsets: &[0, 2] };
//! let column = expr.evaluate(&[Some(&n)], 2, &context);
//!
//! assert_eq!(column.values.as_primitive::<Int64Type>().value(0), 14);
//! let faults: Vec<_> = column.faults.iter().map(|(row, fault)| (row, fault.message.as_ref())).collect();
//! assert_eq!(faults, [(1, "division by zero")]);
//! # Ok::<(), String>(())
//! ```

mod check;
mod checked;
mod digits;
mod evaluate;
mod functions;
mod page;
mod parse;
mod path;
mod regexp;
#[cfg(feature = "testing")]
pub mod reference;
mod tree;

use std::collections::BTreeSet;

use crate::column::Column;
use crate::diagnostic::Diagnostic;
use crate::types::Type;
use checked::Checked;
use checked::Form;
use evaluate::Batch;
pub use page::page;

/// A name that an expression may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// As written; compared exactly, then without letter case.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// An expression that was checked: it can be evaluated over any batch of its scope.
#[derive(Debug, Clone)]
pub struct Expr {
    root: Checked,
    names: Vec<usize>,
}

/// What the outside supplies to `batch_time()`, `source_name()` and `record_offset()`.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Microseconds since 1970, UTC.
    pub batch_time: i64,
    /// The object's key or path.
    pub source_name: &'a str,
    /// The byte offset of each row's record.
    pub record_offsets: &'a [u64],
}

impl Expr {
    /// Parses and checks an expression over `scope`. Spans are bytes of `text`.
    ///
    /// Returns the expression with warnings, or every mistake in it.
    pub fn compile(text: &str, scope: &[Name]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let node = parse::parse(text).map_err(|diagnostic| vec![*diagnostic])?;
        let (root, warnings) = check::check(&node, scope)?;
        let mut names = BTreeSet::new();
        collect_names(&root, &mut names);
        Ok((Self { root, names: names.into_iter().collect() }, warnings))
    }

    /// The type of its values.
    pub fn ty(&self) -> Type {
        self.root.ty
    }

    /// Whether a value can be NULL.
    pub fn nullable(&self) -> bool {
        self.root.nullable
    }

    /// Its value as a column of one row, if it is the same for every row.
    pub fn constant(&self) -> Option<Column> {
        self.root.constant().map(|values| Column::new(values.clone()))
    }

    /// Whether it is a quotient whose values need more than so many digits after the point: a third has no last one.
    pub fn is_longer_quotient(&self, scale: u8) -> bool {
        digits::is_longer_quotient(&self.root, scale)
    }

    /// The positions in `scope` of the names that it uses, ascending.
    pub fn names(&self) -> Vec<usize> {
        self.names.clone()
    }

    /// The value of the expression for each of `rows` rows. `columns` has a column for each name in scope that the
    /// expression uses, at the name's position; others may be `None`.
    pub fn evaluate(&self, columns: &[Option<&Column>], rows: usize, context: &Context<'_>) -> Column {
        let batch = Batch { columns, rows, context };
        batch.evaluate(&self.root, &mut Vec::new()).into_column(rows)
    }
}

/// A function of the language, for the documentation and for editors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// What it gives, in one sentence without a full stop.
    pub doc: &'static str,
    /// Expressions with their results as text; `NULL`, or the code of a fault.
    pub examples: &'static [(&'static str, &'static str)],
}

/// Every function that expressions may call, by family.
pub fn functions() -> impl Iterator<Item = FunctionDoc> {
    functions::all().map(|function| FunctionDoc {
        name: function.name,
        aliases: function.aliases,
        doc: function.doc,
        examples: function.examples,
    })
}

fn collect_names(part: &Checked, names: &mut BTreeSet<usize>) {
    if let Form::Name(position) = part.form {
        names.insert(position);
    }
    for part in part.parts() {
        collect_names(part, names);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;

    /// The only row of an expression without names, as text; `NULL`, or the code of its fault.
    pub(super) fn result(text: &str) -> String {
        let (expr, _) = match Expr::compile(text, &[]) {
            Ok(compiled) => compiled,
            Err(diagnostics) => {
                let fault = diagnostics.iter().find_map(|diagnostic| diagnostic.fault);
                return fault.map_or_else(|| format!("{diagnostics:?}"), |fault| fault.to_string());
            }
        };
        let context = Context { batch_time: 1_769_860_800_000_000, source_name: "orders/1.csv", record_offsets: &[17] };
        let column = expr.evaluate(&[], 1, &context);
        if let Some(fault) = column.faults.of(0) {
            return fault.code.to_string();
        }
        let vector = evaluate::vector::Vector::rows(column);
        if arrow_array::Array::is_null(&vector.values, 0) {
            return "NULL".to_owned();
        }
        let mut out = String::new();
        evaluate::cast::Printer::new(&vector, expr.ty()).print(0, &mut out);
        out
    }

    fn scope() -> Vec<Name> {
        let name = |name: &str, ty| Name { name: name.to_owned(), ty, nullable: true };
        vec![
            name("id", Type::Bigint),
            name("customer", Type::Text),
            name("amount", Type::Decimal { precision: 12, scale: 2 }),
            name("ordered_at", Type::Timestamptz),
            name("Day", Type::Date),
            name("paid", Type::Boolean),
            name("code", Type::Char(4)),
        ]
    }

    #[test]
    fn expressions_give_what_postgresql_gives() {
        for (text, wanted) in [
            ("1 + 2 * 3", "7"),
            ("2147483647 + 1", "R302"),
            ("-7 / 2", "-3"),
            ("-7 % 3", "-1"),
            ("1.0 / 3", "0.33333333333333333333"),
            ("1.10 + 2", "3.10"),
            ("1.50 * 2.5", "3.750"),
            ("0.1::double precision + 0.2", "0.30000000000000004"),
            ("'a' || 1 || null", "NULL"),
            ("'a' || 1.50", "a1.50"),
            ("null and false", "false"),
            ("null or true", "true"),
            ("false and 1 / 0 = 1", "false"),
            ("1 / 0 = 1 and false", "R305"),
            ("null and 1 / 0 = 1", "R305"),
            ("nullif(1.5::real, 2)", "1.5"),
            ("case null::integer when 1 then 1 / 0 end", "NULL"),
            ("case when true then 1 else 1 / 0 end", "1"),
            ("case 2 when 1 then 'a' when 2 then 'b' end", "b"),
            ("coalesce(null, 2, 1 / 0)", "2"),
            ("nullif(1, 1)", "NULL"),
            ("nvl2(null, 1 / 0, 2)", "2"),
            ("decode(2, 1, 'a', 2, 'b', 'c')", "b"),
            ("decode(null, 1, 'a', null, 'b')", "b"),
            ("decode(3, 1, 'a')", "NULL"),
            ("concat(true, '|', 'ab'::char(4), '|')", "t|ab  |"),
            ("regexp_like('a(', 'a(', 'q')", "true"),
            ("greatest(1, null, 2.5)", "2.5"),
            ("least('b', 'a')", "a"),
            ("2 in (1, null)", "NULL"),
            ("'b' in ('a', 'b')", "true"),
            ("'c' not in ('a', null)", "NULL"),
            ("2 between 1 and 3", "true"),
            ("2 between symmetric 3 and 1", "true"),
            ("'2' between 1 and 3", "true"),
            ("null is distinct from null", "false"),
            ("1 is not distinct from 1.0", "true"),
            ("(1 = 2) is not true", "true"),
            ("'abc' like 'a%'", "true"),
            ("'a%c' like 'a!%c' escape '!'", "true"),
            ("'ABC' ilike '_b_'", "true"),
            ("'12'::integer + 1", "13"),
            ("'1.505'::decimal(5,2)", "1.51"),
            ("2.5::integer", "3"),
            ("2.5::double precision::integer", "2"),
            ("date '2026-01-31' + 1", "2026-02-01"),
            ("date '2026-03-01' - '2026-02-01'", "28"),
            ("date '2026-03-01' + interval '1' month = '2026-04-01'", "true"),
            ("'2024-03-30 00:00:20Z' at time zone 'Europe/Brussels'", "2024-03-30 01:00:20"),
            ("- interval '1 day' * 2", "-2 days"),
            ("interval '1' year > interval '11' month", "true"),
            ("date '2026-01-31' < timestamp '2026-01-31 00:00:01'", "true"),
            ("'ab'::char(4) || 'c'", "abc"),
            ("'ab'::char(4) = 'ab  '", "true"),
            ("'größe'::varchar(4)", "grö"),
            ("not false", "true"),
            ("true::integer", "1"),
            ("12345678901234567890 + 1", "12345678901234567891"),
            ("99999999999999999999999999999999999999 + 1", "R302"),
            ("1e-10", "0.0000000001"),
            (r"E'a\tb'", "a\tb"),
            ("false>=-1 between 1 and 1", "true"),
            ("try_cast('1,5' as integer)", "NULL"),
            ("try_cast('15' as integer)", "15"),
            ("try_cast(1 / 0 as text)", "R305"),
            ("'ab'::char(4) in ('ab ', 'x')", "true"),
            ("'ab'::char(2) = 'ab '::varchar(3)", "true"),
            ("coalesce(null::char(3), 'EURO')", "EURO"),
            ("coalesce(null::varchar(3), 'EURO')", "EURO"),
            ("nullif('ab ', 'ab'::char(4))", "NULL"),
            ("coalesce(1, 99999::smallint)", "1"),
            ("-2147483648 = -2147483648::bigint", "true"),
            ("'a' collate \"C\" > 'B'", "true"),
            ("2e38::double precision", "2e+38"),
            ("'ab' ~~ 'a_' and 'ab' !~~* 'B%'", "true"),
            ("'nan'::double precision = 'NaN'", "true"),
            (r#"' {"b":1, "a":2} '::json::text"#, r#" {"b":1, "a":2} "#),
            (r#"'{"b":1, "a":2}'::super = '{"a": 2.0, "b": 1}'"#, "true"),
            ("'[1.5]'::jsonb in ('[1]', '[1.50]')", "true"),
            ("('2.5'::jsonb)::integer + ('true'::super)::boolean::integer", "4"),
            ("'[1.0]'::jsonb::double precision", "R311"),
            ("'1e100'::super::double precision", "1e+100"),
            ("try_cast('{' as super) is null", "true"),
            ("'[1]'::super || 'x'::text", "[1]x"),
            ("'{}'::super > '[]' and '[1]'::jsonb < '[0, 0]'::super", "true"),
            ("nullif('[1]'::jsonb, '[1.0]')", "NULL"),
            (r#"'{"a":1}'::jsonb || '{"b": 2}' || '[3]'::jsonb"#, r#"[{"a": 1, "b": 2}, 3]"#),
            ("'[1, 2]'::jsonb - 0", "[2]"),
            (r#"'{"a": 1}'::super - 'a'"#, "{}"),
            (r#"'{"a": 1}'::jsonb ? 'a' and not '["b"]'::jsonb ?& array['a', 'b']"#, "true"),
            (r#"'{"a": 1}'::jsonb ?| '{b,a}'"#, "true"),
            (r#"'{"a": {"b": 1}}'::jsonb #- array['a', lower('B')]"#, r#"{"a": {}}"#),
            (r#"'{"a": 2}'::jsonb @? '$.a ? (@ > 1)' and '[1]'::super @@ '$[0] == 1'"#, "true"),
            ("jsonb_path_exists('{}', 'strict $.a', silent => true)", "NULL"),
            ("jsonb_path_query_first('[1, 2]', vars => '{\"x\": 1}', path => '$[*] ? (@ > $x)')", "2"),
            ("make_interval(1, days => 2)", "1 year 2 days"),
            ("to_char('-2147483648 days'::interval, 'WW W')", "306783379 306783379"),
            ("greatest('1'::jsonb, '[2e0]', 'null')", "[2]"),
            ("coalesce(null::super, '[2e0]')", "[2e0]"),
            ("case '1.0'::jsonb when '1' then 'x' end", "x"),
            ("json_build_object('a', 1, 'b', '[ 1 ]'::json)", r#"{"a" : 1, "b" : [ 1 ]}"#),
        ] {
            assert_eq!(result(text), wanted, "{text}");
        }
    }

    #[test]
    fn mistakes_point_at_what_is_wrong() {
        for (text, code, place) in [
            ("custmer", "E202", "custmer"),
            ("upper(id)", "E204", "upper"),
            ("uper(customer)", "E203", "uper"),
            ("amount + customer", "E205", "amount + customer"),
            ("customer = 1", "E205", "customer = 1"),
            ("id = 'x'", "E209", "'x'"),
            ("'1,5'::integer", "E209", "'1,5'::integer"),
            ("customer and paid", "E205", "customer"),
            ("case when paid then 1 else 'x' end", "E209", "'x'"),
            ("case when paid then 1 else customer end", "E205", "case when paid then 1 else customer end"),
            ("sum(amount)", "E206", "sum"),
            ("now()", "E206", "now"),
            ("regexp_match(customer, 'x')", "E207", "regexp_match"),
            ("regexp_substr(customer, '[[.hyphen.]]')", "E204", "'[[.hyphen.]]'"),
            ("current_date", "E206", "current_date"),
            ("(select 1)", "E206", "select"),
            ("count(*)", "E206", "count"),
            ("a + b garbage", "E201", "garbage"),
            ("1 < 2 < 3", "E201", "<"),
            ("1 +", "E201", ""),
            ("customer::bigin", "E109", "bigin"),
            ("paid::date", "E205", "paid::date"),
            ("interval '1 dya'", "E209", "interval '1 dya'"),
            ("day + interval '1 day' + 1", "E205", "+"),
            ("customer -> 'x'", "E205", "->"),
            ("'{}' -> 'x'", "E205", "'{}' -> 'x'"),
            ("'{}'::super || '[]'", "E205", "'{}'::super || '[]'"),
            ("array['a']", "E207", "array['a']"),
            ("upper('{a}'::text[])", "E207", "'{a}'::text[]"),
            ("jsonb_set(replacement => '1', path => '{a}')", "E207", ")"),
            ("upper(x => 'a')", "E207", "x"),
            ("customer['a']", "E205", "["),
            ("jsonb_each('{}')", "E207", "jsonb_each"),
            ("'{}'::jsonb @@ '$.'", "E204", "'$.'"),
            ("'{}'::jsonb @? customer", "E204", "'{}'::jsonb @? customer"),
            ("'{a}'::super", "E209", "'{a}'::super"),
            ("customer ~ '('", "E204", "'('"),
            ("id / 0", "E204", "0"),
            ("ordered_at at time zone 'Europe/Berlln'", "E204", "'Europe/Berlln'"),
            ("regexp_replace(customer, 'a', 'b', 'gz')", "E204", "'gz'"),
            ("split_part(customer, ',', 0)", "E204", "0"),
            ("to_date(customer, 'YYYY-IW')", "E204", "'YYYY-IW'"),
            ("1 / 0 + id", "E209", "1 / 0"),
            ("upper(null || (1 / 0)::text)", "E209", "(1 / 0)::text"),
            ("d = \"x\"", "E202", "d"),
            ("order", "E201", "order"),
            ("'open", "E201", "'open"),
        ] {
            let diagnostics = Expr::compile(text, &scope()).map(|(expr, _)| expr).unwrap_err();
            let first = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error).unwrap();
            let found = (first.code.to_string(), &text[first.span.start..first.span.end]);
            assert_eq!((found.0.as_str(), found.1), (code, place), "{text}: {}", first.message);
        }
    }

    #[test]
    fn a_constant_null_makes_a_strict_part_null() {
        for text in ["null + id", "upper(null || id::text)", "null::date - day", "null || (1 / id)::text"] {
            let (expr, _) = Expr::compile(text, &scope()).unwrap();
            assert!(expr.names().is_empty() && expr.root.constant().is_some(), "{text}");
        }
    }

    #[test]
    fn every_mistake_is_reported() {
        let diagnostics = Expr::compile("upper(custmer) || foo(1) || (amount and 1)", &scope()).unwrap_err();
        let codes: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.code.text()).collect();
        assert_eq!(codes, ["E202", "E203", "E205", "E205"]);
    }

    #[test]
    fn types_are_known_before_rows() {
        for (text, ty, nullable) in [
            ("amount * 2", "decimal(22,2)", true),
            ("amount / 3", "numeric", true),
            ("coalesce(amount, 0.00)", "decimal(12,2)", false),
            ("coalesce(amount, 0)", "numeric", false),
            ("round(amount, 1)", "decimal(12,1)", true),
            ("upper(customer)", "text", true),
            ("id is null", "boolean", false),
            ("day + 1", "date", true),
            ("1.10", "decimal(3,2)", false),
            ("sha2(lower(customer), 256)", "text", true),
            ("batch_time()", "timestamptz", false),
            ("'x'", "text", false),
        ] {
            let (expr, _) = Expr::compile(text, &scope()).unwrap();
            assert_eq!((expr.ty().to_string().as_str(), expr.nullable()), (ty, nullable), "{text}");
        }
        assert_eq!(Expr::compile("amount + id", &scope()).unwrap().0.names(), [0, 2]);
    }

    #[test]
    fn no_text_exhausts_the_stack() {
        for text in ["(".repeat(100_000), "- ".repeat(100_000), "1 + ".repeat(100_000) + "1", "not ".repeat(50_000)] {
            assert!(Expr::compile(&text, &[]).is_err());
        }
        assert!(Expr::compile(&("true and ".repeat(10_000) + "true"), &[]).is_ok());
    }
}

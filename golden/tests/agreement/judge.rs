//! Judge: what PostgreSQL makes of expressions, and what of that ours differs in.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::SystemTime;

use etalon_core::column::Fault;
use etalon_core::diagnostic::{Code, Diagnostic, Severity};
use etalon_core::expr::{Context, Expr};
use etalon_core::testing::expression::{Row, columns, scope};
use etalon_core::types::Type;
use etalon_core::value::datetime::print_date;
use etalon_core::value::show;
use etalon_golden::postgres::Server;

/// What faults say of what PostgreSQL's numeric holds and a decimal does not.
const NOT_A_DECIMAL: [&str; 3] = ["no number that a decimal can hold", "convert NaN", "convert infinity"];

/// How many differences are shown.
const SHOWN: usize = 40;

/// A number that the environment says.
pub(crate) fn number<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// What chooses the cases: `$ETALON_SEED`, or the clock. It is printed, so that a run can be repeated.
pub(crate) fn seed() -> u64 {
    let clock = || SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos().into();
    let seed = number("ETALON_SEED").unwrap_or_else(clock);
    println!("ETALON_SEED={seed}");
    seed
}

/// Shows the first differences; none must be there.
pub(crate) fn show(differences: &[String]) {
    for difference in differences.iter().take(number("ETALON_SHOWN").unwrap_or(SHOWN)) {
        println!("{difference}");
    }
    assert!(differences.is_empty(), "{} differences", differences.len());
}

/// What PostgreSQL makes of an expression.
pub(crate) struct Answer {
    /// Its type; or the SQLSTATE that its constant parts fault with while it is planned.
    pub(crate) planned: Result<String, String>,
    /// For each row its value as text, or the SQLSTATE.
    pub(crate) rows: Vec<Result<Option<String>, String>>,
}

/// The SQLSTATE with which PostgreSQL refuses an expression for its syntax, names or types.
pub(crate) fn refusal(answer: &Answer) -> Option<&str> {
    answer.planned.as_ref().err().map(String::as_str).filter(|state| state.starts_with("42"))
}

/// Compares an expression's values with an answer.
pub(crate) fn judge(
    text: &str,
    rows: &[Row],
    answer: &Answer,
    tally: &mut BTreeMap<&'static str, usize>,
    differences: &mut Vec<String>,
) {
    let mut count = |what| *tally.entry(what).or_default() += 1;
    let expr = match Expr::compile(text, &scope()) {
        Ok((expr, _)) => expr,
        Err(diagnostics) => {
            // A constant that no row gets past which reaches it; where one is NULL or goes another way, PostgreSQL has a value.
            let faults = |diagnostic: &Diagnostic| diagnostic.fault.is_some();
            let wrong: Vec<_> = diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.severity == Severity::Error)
                .map(|diagnostic| match faults(diagnostic) {
                    true => (Code::ConstantFault, &*diagnostic.message),
                    false => (diagnostic.code, &*diagnostic.message),
                })
                .collect();
            let refused = |(code, message): &(Code, &str)| {
                *code == Code::Unsupported
                    || message.contains("not supported")
                    || message.contains("38 digits")
                    || message.contains("more than 38")
            };
            // A constant that is no value is its author's mistake, also where no row reaches it.
            let is_fault = |(code, _): &(Code, &str)| *code == Code::ConstantFault;
            match wrong.iter().find(|wrong| !refused(wrong) && !is_fault(wrong)) {
                None if wrong.iter().any(refused) => count("refused"),
                None => count("refused constant fault"),
                Some(_) => {
                    differences.push(format!("{text}\n    compile: {wrong:?}\n    PostgreSQL: {:?}", answer.planned));
                }
            }
            return;
        }
    };
    if let Ok(ty) = &answer.planned
        && ty.replace("character varying", "text") != type_name(expr.ty())
    {
        differences.push(format!("{text}\n    type: {}\n    PostgreSQL: {ty}", expr.ty()));
        return;
    }
    for (at, (found, expected)) in values(&expr, rows).into_iter().zip(&answer.rows).enumerate() {
        let what = match (&found, expected) {
            (Ok(found), Ok(expected)) if found == expected => Some("equal"),
            (Err(fault), Err(state)) if fault.code.sqlstate() == Some(state) => Some("equal fault"),
            // Of a decimal there are 38 digits behind the point.
            (Ok(Some(found)), Ok(Some(expected))) if found.len() >= 40 && expected.starts_with(found.as_str()) => {
                Some("more than 38 digits")
            }
            // PostgreSQL computes constant parts while it plans, also those that no row reaches.
            (_, Err(state)) if answer.planned.as_ref() == Err(state) => Some("fault while planning"),
            // The page of differences says how many steps such a search may take.
            (Err(fault), _) if fault.message.contains("too many steps of a regular expression") => {
                Some("too many steps")
            }
            (Err(fault), _) if NOT_A_DECIMAL.iter().any(|words| fault.message.contains(words)) => {
                Some("NaN as a numeric")
            }
            (Err(fault), _) if fault.code == Code::BeyondDecimal || fault.message.contains("38 digits") => {
                Some("more than 38 digits")
            }
            (Err(fault), _) if fault.message.contains("not supported") => Some("refused in a row"),
            // The page of differences says which day is the last.
            (Err(fault), Ok(_)) if fault.message.contains("is later than the last") => Some("beyond 294276"),
            // Another part of the expression may fault there too.
            (Err(fault), _)
                if fault.code == Code::DatetimeOutOfRange
                    && (&*fault.message == "date out of range" || rows[at].day.is_some_and(is_late)) =>
            {
                Some("beyond 294276")
            }
            _ => None,
        };
        match what {
            Some(what) => count(what),
            None => {
                let row = &rows[at];
                differences
                    .push(format!("{text}\n    row: {row:?}\n    found: {found:?}\n    PostgreSQL: {expected:?}"));
                // One row tells enough.
                return;
            }
        }
    }
}

/// Whether a day is so late that a few more lead to days that there are in PostgreSQL only.
fn is_late(day: i32) -> bool {
    day > 106_000_000
}

/// PostgreSQL's name for a type, without lengths.
fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Boolean => "boolean",
        Type::Smallint => "smallint",
        Type::Integer => "integer",
        Type::Bigint => "bigint",
        Type::Decimal { .. } | Type::Numeric => "numeric",
        Type::Real => "real",
        Type::Double => "double precision",
        Type::Date => "date",
        Type::Time => "time without time zone",
        Type::Timetz => "time with time zone",
        Type::Timestamp => "timestamp without time zone",
        Type::Timestamptz => "timestamp with time zone",
        Type::Interval => "interval",
        Type::Bytea => "bytea",
        Type::Super => "json",
        Type::Jsonb => "jsonb",
        Type::Char(_) => "character",
        Type::Text | Type::Varchar(_) => "text",
    }
}

/// The values of an expression as PostgreSQL prints them.
fn values(expr: &Expr, rows: &[Row]) -> Vec<Result<Option<String>, Fault>> {
    let columns = columns(rows);
    let columns: Vec<_> = columns.iter().map(Some).collect();
    let offsets = vec![0; rows.len()];
    let context = Context { batch_time: 0, source_name: "", record_offsets: &offsets };
    let column = expr.evaluate(&columns, rows.len(), &context);
    let print = |row| {
        let text = show::show(&*column.values, row)?;
        // A boolean as a text is a word, where psql shows a letter.
        Some(match (expr.ty(), text.as_str()) {
            (Type::Boolean, "t") => "true".to_owned(),
            (Type::Boolean, _) => "false".to_owned(),
            // A char becomes a text without its padding.
            (Type::Char(_), text) => text.trim_end_matches(' ').to_owned(),
            _ => text,
        })
    };
    (0..rows.len())
        .map(|row| column.faults.of(row).map_or_else(|| Ok(print(row)), |fault| Err(fault.clone())))
        .collect()
}

/// A row as a list of SQL values.
fn sql(at: usize, row: &Row) -> String {
    let text = |value: Option<String>| {
        value.map_or_else(|| "null".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
    };
    let decimal = row.d.map(|d| format!("{}{}.{:02}", if d < 0 { "-" } else { "" }, d.abs() / 100, d.abs() % 100));
    let values = [
        row.n.map(|n| n.to_string()),
        row.big.map(|big| big.to_string()),
        decimal,
        row.f.map(|f| f.to_string()),
        row.t.clone(),
        row.b.map(|b| b.to_string()),
        row.day.map(print_date),
    ];
    format!("({at}, {})", values.map(text).join(", "))
}

/// What each expression gives for each row, by a database of that name, which is created.
pub(crate) fn answers(server: &Server, database: &str, rows: &[Row], expressions: &[String]) -> Vec<Answer> {
    server.database(database);
    let values: Vec<String> = rows.iter().enumerate().map(|(at, row)| sql(at, row)).collect();
    let mut script = format!("{TABLE}insert into input values {};\n", values.join(", "));
    for expression in expressions {
        // Writing to a String cannot fail.
        let _ = writeln!(script, "select answer($etalon${expression}$etalon$);");
    }
    let (succeeded, lines) = server.psql_in(database, &script);
    assert!(succeeded, "psql stopped after {} answers", lines.len());
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let answer = |line: &String| {
        let parts: Vec<serde_json::Value> = serde_json::from_str(line).unwrap();
        let (planned, rows) = parts.split_first().unwrap();
        let rows = rows.iter().map(|row| text(&row[1]).map_or_else(|| Ok(text(&row[0])), Err)).collect();
        let planned = text(&planned[0]).ok_or_else(|| text(&planned[1]).unwrap());
        Answer { planned, rows }
    };
    lines.iter().map(answer).collect()
}

/// The table, and a function that evaluates an expression for each of its rows: a JSON array of its type, or the state of
/// planning it, and of each row's value and state.
///
/// The session does not change, so that what depends on it is immutable here: PostgreSQL computes all constant parts of an
/// expression before there are rows, and not only some.
const TABLE: &str = "
create table input (at int, n int, big bigint, d numeric(12,2), f double precision, t text, b boolean, day date);
create function plan(expression text) returns jsonb language plpgsql as $$
declare result text;
begin
    execute 'select pg_typeof(case when random() < 0 then (' || expression || ') end) from input where at = 0' into result;
    return jsonb_build_array(result, null);
exception when others then
    return jsonb_build_array(null, sqlstate);
end $$;
create function value(query text, at int) returns jsonb language plpgsql as $$
declare result text;
begin
    execute query into result using at;
    return jsonb_build_array(result, null);
exception when others then
    return jsonb_build_array(null, sqlstate);
end $$;
create function answer(expression text) returns jsonb language sql as $$
    select jsonb_build_array(plan(expression))
        || jsonb_agg(value('select (' || expression || ')::text from input where at = $1', at) order by at)
    from input
$$;
update pg_proc set provolatile = 'i' where provolatile = 's';
";

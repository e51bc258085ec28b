//! Bind: converts values to SQLite's forms, as the parameters of a statement.

use etalon_core::value::Value;
use etalon_core::warehouse::calendar;
use etalon_core::warehouse::dialect::sqlite;
use etalon_core::warehouse::dialect::sqlite::decimal;
use rusqlite::Statement;
use rusqlite::types::Null;

/// Binds a value. The buffer is only room to write in.
pub(crate) fn bind(
    value: Option<Value<'_>>,
    statement: &mut Statement<'_>,
    parameter: usize,
    buffer: &mut String,
) -> rusqlite::Result<()> {
    let Some(value) = value else { return statement.raw_bind_parameter(parameter, Null) };
    buffer.clear();
    match value {
        Value::Boolean(value) => return statement.raw_bind_parameter(parameter, value),
        Value::Smallint(number) => return statement.raw_bind_parameter(parameter, number),
        Value::Integer(number) => return statement.raw_bind_parameter(parameter, number),
        Value::Bigint(number) => return statement.raw_bind_parameter(parameter, number),
        Value::Real(number) => return bind_float(statement, parameter, f64::from(number)),
        Value::Double(number) => return bind_float(statement, parameter, number),
        Value::Text(text) | Value::Super(text) => return statement.raw_bind_parameter(parameter, text),
        Value::Decimal(number) => decimal::write_decimal(buffer, number.unscaled, number.scale),
        Value::Date(days) => calendar::write_date(buffer, days),
        Value::Timestamp(micros) => calendar::write_timestamp(buffer, micros),
        Value::Timestamptz(micros) => calendar::write_timestamptz(buffer, micros),
    }
    statement.raw_bind_parameter(parameter, buffer.as_str())
}

/// SQLite would store NaN as NULL.
fn bind_float(statement: &mut Statement<'_>, parameter: usize, value: f64) -> rusqlite::Result<()> {
    if value.is_nan() {
        statement.raw_bind_parameter(parameter, sqlite::NAN)
    } else {
        statement.raw_bind_parameter(parameter, value)
    }
}

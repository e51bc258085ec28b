//! Cells: the columns of a batch, ready to be bound to the parameters of an SQLite statement.

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Date32Array;
use arrow_array::Decimal128Array;
use arrow_array::Float32Array;
use arrow_array::Float64Array;
use arrow_array::Int16Array;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use etalon_core::types::Type;
use etalon_core::warehouse::sqlite;
use rusqlite::Statement;
use rusqlite::types::Null;

/// The values of one column.
pub(crate) struct Cells<'a> {
    /// Looked at before any value.
    nulls: &'a ArrayRef,
    has_nulls: bool,
    values: Values<'a>,
}

enum Values<'a> {
    Boolean(&'a BooleanArray),
    Smallint(&'a Int16Array),
    Integer(&'a Int32Array),
    Bigint(&'a Int64Array),
    Decimal(&'a Decimal128Array, u8),
    Real(&'a Float32Array),
    Double(&'a Float64Array),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    Timestamptz(&'a TimestampMicrosecondArray),
    Text(&'a StringArray),
    TextView(&'a StringViewArray),
}

impl<'a> Cells<'a> {
    /// The values of a column, if it is in the Arrow form of the type. Text may be views or not.
    pub(crate) fn new(array: &'a ArrayRef, ty: Type) -> Option<Self> {
        let any = array.as_any();
        let values = match ty {
            _ if ty.is_text() || ty == Type::Super => match any.downcast_ref() {
                Some(views) => Values::TextView(views),
                None => Values::Text(any.downcast_ref()?),
            },
            // The unit, the zone and the scale are part of the Arrow type.
            _ if *array.data_type() != ty.arrow() => return None,
            Type::Boolean => Values::Boolean(any.downcast_ref()?),
            Type::Smallint => Values::Smallint(any.downcast_ref()?),
            Type::Integer => Values::Integer(any.downcast_ref()?),
            Type::Bigint => Values::Bigint(any.downcast_ref()?),
            Type::Decimal { scale, .. } => Values::Decimal(any.downcast_ref()?, scale),
            Type::Real => Values::Real(any.downcast_ref()?),
            Type::Double => Values::Double(any.downcast_ref()?),
            Type::Date => Values::Date(any.downcast_ref()?),
            Type::Timestamp => Values::Timestamp(any.downcast_ref()?),
            Type::Timestamptz => Values::Timestamptz(any.downcast_ref()?),
            _ => return None,
        };
        Some(Self { nulls: array, has_nulls: array.null_count() > 0, values })
    }

    /// The text of a row, if the column is text and the row is not NULL.
    pub(crate) fn text(&self, row: usize) -> Option<&'a str> {
        match &self.values {
            _ if self.nulls.is_null(row) => None,
            Values::Text(array) => Some(array.value(row)),
            Values::TextView(array) => Some(array.value(row)),
            _ => None,
        }
    }

    /// Binds the value of a row. The buffer is only room to write in.
    pub(crate) fn bind(
        &self,
        row: usize,
        statement: &mut Statement<'_>,
        parameter: usize,
        buffer: &mut String,
    ) -> rusqlite::Result<()> {
        if self.has_nulls && self.nulls.is_null(row) {
            return statement.raw_bind_parameter(parameter, Null);
        }
        buffer.clear();
        match &self.values {
            Values::Boolean(array) => return statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Smallint(array) => return statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Integer(array) => return statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Bigint(array) => return statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Real(array) => return bind_float(statement, parameter, f64::from(array.value(row))),
            Values::Double(array) => return bind_float(statement, parameter, array.value(row)),
            Values::Text(array) => return statement.raw_bind_parameter(parameter, array.value(row)),
            Values::TextView(array) => return statement.raw_bind_parameter(parameter, array.value(row)),
            Values::Decimal(array, scale) => sqlite::write_decimal(buffer, array.value(row), *scale),
            Values::Date(array) => sqlite::write_date(buffer, array.value(row)),
            Values::Timestamp(array) => sqlite::write_timestamp(buffer, array.value(row)),
            Values::Timestamptz(array) => sqlite::write_timestamptz(buffer, array.value(row)),
        }
        statement.raw_bind_parameter(parameter, buffer.as_str())
    }
}

/// SQLite would store NaN as NULL.
fn bind_float(statement: &mut Statement<'_>, parameter: usize, value: f64) -> rusqlite::Result<()> {
    if value.is_nan() {
        statement.raw_bind_parameter(parameter, sqlite::NAN)
    } else {
        statement.raw_bind_parameter(parameter, value)
    }
}

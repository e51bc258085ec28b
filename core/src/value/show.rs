//! One value of a column as text, as PostgreSQL prints it.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type,
};
use arrow_array::{Array, BooleanArray, Int16Array, Int32Array, Int64Array};
use arrow_schema::DataType;

use super::{Decimal, Interval, datetime, float, zoned::ZonedTime};

/// The value of a row, printed; `None` for NULL. A column of another Arrow type than Etalon's own gives `None` as well.
pub fn show(values: &dyn Array, row: usize) -> Option<String> {
    if values.is_null(row) {
        return None;
    }
    Some(match values.data_type() {
        DataType::Boolean => {
            let array: &BooleanArray = values.as_boolean();
            if array.value(row) { "t".to_owned() } else { "f".to_owned() }
        }
        DataType::Int16 => {
            let array: &Int16Array = values.as_primitive::<Int16Type>();
            array.value(row).to_string()
        }
        DataType::Int32 => {
            let array: &Int32Array = values.as_primitive::<Int32Type>();
            array.value(row).to_string()
        }
        DataType::Int64 => {
            let array: &Int64Array = values.as_primitive::<Int64Type>();
            array.value(row).to_string()
        }
        DataType::Decimal128(_, scale) => {
            let unscaled = values.as_primitive::<Decimal128Type>().value(row);
            Decimal { unscaled, scale: scale.unsigned_abs() }.print()
        }
        DataType::Struct(_) => {
            let numeric = values.as_struct();
            let unscaled = numeric.column(0).as_primitive_opt::<Decimal128Type>()?.value(row);
            let scale = numeric.column(1).as_primitive_opt::<UInt8Type>()?.value(row);
            Decimal { unscaled, scale }.print()
        }
        DataType::Float32 => float::print_real(values.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => float::print_double(values.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => datetime::print_date(values.as_primitive::<Date32Type>().value(row)),
        DataType::Time64(_) => datetime::print_time(values.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::Duration(_) => {
            let mut text = String::new();
            ZonedTime::unpacked(values.as_primitive::<DurationMicrosecondType>().value(row)).write(&mut text);
            text
        }
        DataType::Timestamp(_, None) => {
            datetime::print_timestamp(values.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Timestamp(_, Some(_)) => {
            datetime::print_timestamptz(values.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Interval(_) => {
            let value = values.as_primitive_opt::<IntervalMonthDayNanoType>()?.value(row);
            Interval { months: value.months, days: value.days, micros: value.nanoseconds }.print()
        }
        DataType::Utf8View => values.as_string_view().value(row).to_owned(),
        DataType::Utf8 => values.as_string::<i32>().value(row).to_owned(),
        _ => return None,
    })
}

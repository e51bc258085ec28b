//! Values: a column of Arrow as the values of its type, row by row, for those who write them out.

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

use super::Decimal;
use crate::types::Type;

/// The values of one column of a type that a table can have.
#[derive(Debug)]
pub struct Values<'a> {
    /// Looked at before any value, if there are any.
    nulls: &'a ArrayRef,
    has_nulls: bool,
    array: Typed<'a>,
}

/// A value that is not NULL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A boolean.
    Boolean(bool),
    /// A `smallint`.
    Smallint(i16),
    /// An `integer`.
    Integer(i32),
    /// A `bigint`.
    Bigint(i64),
    /// A decimal at the scale of its column.
    Decimal(Decimal),
    /// A `real`.
    Real(f32),
    /// A `double precision`.
    Double(f64),
    /// Days since 1970.
    Date(i32),
    /// Local microseconds since 1970.
    Timestamp(i64),
    /// Microseconds since 1970, UTC.
    Timestamptz(i64),
    /// A text.
    Text(&'a str),
    /// A document, as JSON.
    Super(&'a str),
}

#[derive(Debug)]
enum Typed<'a> {
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
    Text(Texts<'a>),
    Super(Texts<'a>),
}

/// Text as it is read from a file, or as views.
#[derive(Debug)]
enum Texts<'a> {
    Plain(&'a StringArray),
    Views(&'a StringViewArray),
}

impl<'a> Values<'a> {
    /// The values of a column, if it is in the Arrow form of the type. Text may be views or not.
    pub fn new(array: &'a ArrayRef, ty: Type) -> Option<Self> {
        let any = array.as_any();
        let typed = match ty {
            _ if ty.is_text() => Typed::Text(Texts::new(array)?),
            Type::Super => Typed::Super(Texts::new(array)?),
            // The unit, the zone and the scale are part of the Arrow type.
            _ if *array.data_type() != ty.arrow() => return None,
            Type::Boolean => Typed::Boolean(any.downcast_ref()?),
            Type::Smallint => Typed::Smallint(any.downcast_ref()?),
            Type::Integer => Typed::Integer(any.downcast_ref()?),
            Type::Bigint => Typed::Bigint(any.downcast_ref()?),
            Type::Decimal { scale, .. } => Typed::Decimal(any.downcast_ref()?, scale),
            Type::Real => Typed::Real(any.downcast_ref()?),
            Type::Double => Typed::Double(any.downcast_ref()?),
            Type::Date => Typed::Date(any.downcast_ref()?),
            Type::Timestamp => Typed::Timestamp(any.downcast_ref()?),
            Type::Timestamptz => Typed::Timestamptz(any.downcast_ref()?),
            _ => return None,
        };
        Some(Self { nulls: array, has_nulls: array.null_count() > 0, array: typed })
    }

    /// The value of a row; `None` is NULL.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Value<'a>> {
        if self.has_nulls && self.nulls.is_null(row) {
            return None;
        }
        Some(match &self.array {
            Typed::Boolean(array) => Value::Boolean(array.value(row)),
            Typed::Smallint(array) => Value::Smallint(array.value(row)),
            Typed::Integer(array) => Value::Integer(array.value(row)),
            Typed::Bigint(array) => Value::Bigint(array.value(row)),
            Typed::Decimal(array, scale) => Value::Decimal(Decimal { unscaled: array.value(row), scale: *scale }),
            Typed::Real(array) => Value::Real(array.value(row)),
            Typed::Double(array) => Value::Double(array.value(row)),
            Typed::Date(array) => Value::Date(array.value(row)),
            Typed::Timestamp(array) => Value::Timestamp(array.value(row)),
            Typed::Timestamptz(array) => Value::Timestamptz(array.value(row)),
            Typed::Text(texts) => Value::Text(texts.get(row)),
            Typed::Super(texts) => Value::Super(texts.get(row)),
        })
    }
}

impl<'a> Texts<'a> {
    fn new(array: &'a ArrayRef) -> Option<Self> {
        let any = array.as_any();
        any.downcast_ref().map(Self::Views).or_else(|| any.downcast_ref().map(Self::Plain))
    }

    #[inline]
    fn get(&self, row: usize) -> &'a str {
        match self {
            Self::Plain(array) => array.value(row),
            Self::Views(array) => array.value(row),
        }
    }
}

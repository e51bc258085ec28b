//! Csv: parts as the COPY of Redshift and PostgreSQL reads separated values.
//!
//! ```text
//! NULL            \N            without quotes: what COPY takes for NULL if nothing else is said
//! all else        "value"       with quotes, and a quote within doubled; so "" is an empty text
//! decimals        all digits of their scale; floats as many as tell them apart, NaN, Infinity
//! days, instants  2026-01-31, 2026-01-31 23:59:59.5, 2026-01-31 23:59:59.5+00
//! booleans        true, false
//! documents       JSON
//! ```
//!
//! Values are separated by commas, and each row ends with a line feed; there is no header. Redshift may read a quoted `\N` as
//! NULL too, so rows in which `\N` is a text are rejected before they are staged.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::builder::BooleanBuilder;
use arrow_array::builder::Date32Builder;
use arrow_array::builder::Decimal128Builder;
use arrow_array::builder::Float32Builder;
use arrow_array::builder::Float64Builder;
use arrow_array::builder::Int16Builder;
use arrow_array::builder::Int32Builder;
use arrow_array::builder::Int64Builder;
use arrow_array::builder::StringViewBuilder;
use arrow_array::builder::TimestampMicrosecondBuilder;
use arrow_schema::Field;
use arrow_schema::Schema;
use arrow_schema::SchemaRef;

use super::Lineage;
use super::PART_BYTES;
use super::StagedPart;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::Fraction;
use crate::value::Value;
use crate::value::Values;
use crate::value::datetime;
use crate::value::float;

/// What stands for NULL.
pub const NULL: &str = "\\N";
/// Rows of a batch that is read.
const BATCH_ROWS: usize = 8 * 1024;

/// Writes batches of rows into parts.
#[derive(Debug)]
pub struct PartWriter {
    types: Vec<Type>,
    /// The values of the lineage that are the same in all rows, ready to be written: what stands before and after the offset.
    batch: String,
    time: String,
    out: String,
    rows: u64,
    /// From so many bytes on a part is full.
    part_bytes: usize,
}

impl PartWriter {
    /// A writer of parts with these columns: name, type, and whether NULL is refused.
    pub fn new(columns: &[(String, Type, bool)], lineage: Lineage) -> Self {
        let mut batch = String::from(",");
        write_text(&lineage.batch, &mut batch);
        batch.push_str(",\"");
        let mut time = String::from("\",\"");
        datetime::write_timestamptz(lineage.time, &mut time);
        time.push_str("\"\n");
        let types = columns.iter().map(|(_, ty, _)| *ty).collect();
        Self { types, batch, time, out: String::new(), rows: 0, part_bytes: PART_BYTES }
    }

    /// The writer with parts of about so many bytes.
    pub(super) fn bounded(self, part_bytes: usize) -> Self {
        Self { part_bytes, ..self }
    }

    /// Adds rows, one array a column, and each row's offset; returns the parts that are full. Where a part ends depends on
    /// the rows alone, however they come.
    pub fn write(&mut self, columns: &[ArrayRef], offsets: &[u64]) -> Vec<StagedPart> {
        let columns: Vec<Values<'_>> = columns.iter().zip(&self.types).map(|(array, ty)| values(array, *ty)).collect();
        let mut full = Vec::new();
        for (row, offset) in offsets.iter().enumerate() {
            for (at, values) in columns.iter().enumerate() {
                if at > 0 {
                    self.out.push(',');
                }
                write(values.get(row), &mut self.out);
            }
            self.out.push_str(&self.batch);
            write_integer(offset.cast_signed(), &mut self.out);
            self.out.push_str(&self.time);
            self.rows += 1;
            if self.out.len() >= self.part_bytes {
                full.extend(self.finish());
            }
        }
        full
    }

    /// Ends the last part; none is open if no row was written since the last one.
    pub fn finish(&mut self) -> Option<StagedPart> {
        let rows = std::mem::take(&mut self.rows);
        (rows > 0).then(|| StagedPart { rows, bytes: std::mem::take(&mut self.out).into_bytes() })
    }
}

fn values(array: &ArrayRef, ty: Type) -> Values<'_> {
    match Values::new(array, ty) {
        Some(values) => values,
        // Every column was conformed to its type, so another one is a fault of this program.
        None => unreachable!("a column of {ty} is {}", array.data_type()),
    }
}

fn write(value: Option<Value<'_>>, out: &mut String) {
    let value = match value {
        None => return out.push_str(NULL),
        Some(Value::Text(text) | Value::Super(text)) => return write_text(text, out),
        Some(value) => value,
    };
    out.push('"');
    match value {
        Value::Boolean(value) => out.push_str(if value { "true" } else { "false" }),
        Value::Smallint(number) => write_integer(number.into(), out),
        Value::Integer(number) => write_integer(number.into(), out),
        Value::Bigint(number) => write_integer(number, out),
        Value::Decimal(number) => number.write(out),
        Value::Real(number) => float::write_real(number, out),
        Value::Double(number) => float::write_double(number, out),
        Value::Date(days) => datetime::write_date(days, out),
        Value::Timestamp(micros) => datetime::write_timestamp(micros, out),
        Value::Timestamptz(micros) => datetime::write_timestamptz(micros, out),
        Value::Text(_) | Value::Super(_) => {}
    }
    out.push('"');
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut parts = text.split('"');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str("\"\"");
        out.push_str(part);
    }
    out.push('"');
}

fn write_integer(number: i64, out: &mut String) {
    Decimal { unscaled: number.into(), scale: 0 }.write(out);
}

/// Reads the rows of a part with these columns; the lineage columns stand after them.
///
/// An error means that the bytes are not those of a part.
pub fn read(
    bytes: Vec<u8>,
    columns: &[(String, Type, bool)],
) -> impl Iterator<Item = Result<RecordBatch, String>> + use<> {
    let lineage = [("_batch", Type::Text), ("_offset", Type::Bigint), ("_time", Type::Timestamptz)];
    let columns = columns.iter().map(|(name, ty, required)| (name.as_str(), *ty, !required));
    let columns: Vec<(&str, Type, bool)> = columns.chain(lineage.map(|(name, ty)| (name, ty, false))).collect();
    let fields: Vec<Field> = columns.iter().map(|(name, ty, null)| Field::new(*name, ty.arrow(), *null)).collect();
    let types = columns.iter().map(|(_, ty, _)| *ty).collect();
    let reader = PartReader { bytes, at: 0, types, schema: Arc::new(Schema::new(fields)), value: Vec::new() };
    // After an error there is nothing to go on with.
    let mut reader = Some(reader);
    std::iter::from_fn(move || {
        let batch = reader.as_mut()?.batch().transpose()?;
        if batch.is_err() {
            reader = None;
        }
        Some(batch)
    })
}

/// Reads what [`PartWriter`] wrote.
struct PartReader {
    bytes: Vec<u8>,
    at: usize,
    types: Vec<Type>,
    schema: SchemaRef,
    /// The text of a value, without quotes.
    value: Vec<u8>,
}

impl PartReader {
    fn batch(&mut self) -> Result<Option<RecordBatch>, String> {
        let mut builders: Vec<Builder> = self.types.iter().map(|ty| Builder::new(*ty)).collect();
        let mut rows = 0;
        while rows < BATCH_ROWS && self.at < self.bytes.len() {
            let last = builders.len().saturating_sub(1);
            for (place, builder) in builders.iter_mut().enumerate() {
                let is_null = self.value()?;
                let text = (!is_null).then_some(self.value.as_slice());
                builder.append(text).ok_or_else(|| self.wrong("a value is not of its column's type"))?;
                self.expect(if place == last { b'\n' } else { b',' })?;
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let arrays = builders.into_iter().map(Builder::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map(Some).map_err(|error| error.to_string())
    }

    /// Reads a value, and tells whether it is NULL.
    fn value(&mut self) -> Result<bool, String> {
        self.value.clear();
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(NULL.as_bytes()) {
            self.at += NULL.len();
            return Ok(true);
        }
        self.expect(b'"')?;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(quote) = memchr::memchr(b'"', rest) else { return Err(self.wrong("a quote is not closed")) };
            self.value.extend_from_slice(rest.get(..quote).unwrap_or_default());
            self.at += quote + 1;
            if self.bytes.get(self.at) != Some(&b'"') {
                return Ok(false);
            }
            self.value.push(b'"');
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(self.wrong(&format!("`{}` is missing", byte.escape_ascii())));
        }
        self.at += 1;
        Ok(())
    }

    fn wrong(&self, fact: &str) -> String {
        format!("{fact} at byte {}", self.at)
    }
}

/// A column that is read.
enum Builder {
    Boolean(BooleanBuilder),
    Smallint(Int16Builder),
    Integer(Int32Builder),
    Bigint(Int64Builder),
    Decimal(Decimal128Builder, u8, u8),
    Real(Float32Builder),
    Double(Float64Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Timestamptz(TimestampMicrosecondBuilder),
    Text(StringViewBuilder),
}

impl Builder {
    fn new(ty: Type) -> Self {
        match ty {
            Type::Boolean => Self::Boolean(BooleanBuilder::new()),
            Type::Smallint => Self::Smallint(Int16Builder::new()),
            Type::Integer => Self::Integer(Int32Builder::new()),
            Type::Bigint => Self::Bigint(Int64Builder::new()),
            Type::Decimal { precision, scale } => {
                Self::Decimal(Decimal128Builder::new().with_data_type(ty.arrow()), precision, scale)
            }
            Type::Real => Self::Real(Float32Builder::new()),
            Type::Double => Self::Double(Float64Builder::new()),
            Type::Date => Self::Date(Date32Builder::new()),
            Type::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            Type::Timestamptz => Self::Timestamptz(TimestampMicrosecondBuilder::new().with_data_type(ty.arrow())),
            // The others are types of no column.
            _ => Self::Text(StringViewBuilder::new()),
        }
    }

    /// Appends a value; `None` where the text is not of the type.
    fn append(&mut self, text: Option<&[u8]>) -> Option<()> {
        let string = match text {
            Some(text) => Some(std::str::from_utf8(text).ok()?),
            None => None,
        };
        macro_rules! parsed {
            ($builder:expr, $parse:expr) => {{
                let value = match text {
                    Some(text) => Some($parse(text)?),
                    None => None,
                };
                $builder.append_option(value)
            }};
        }
        let number = || string.map_or(Some(None), |text| text.parse::<i64>().ok().map(Some));
        match self {
            Self::Boolean(builder) => parsed!(builder, |text: &[u8]| match text {
                b"true" => Some(true),
                b"false" => Some(false),
                _ => None,
            }),
            Self::Smallint(builder) => builder.append_option(number()?.map(i16::try_from).transpose().ok()?),
            Self::Integer(builder) => builder.append_option(number()?.map(i32::try_from).transpose().ok()?),
            Self::Bigint(builder) => builder.append_option(number()?),
            Self::Decimal(builder, precision, scale) => {
                parsed!(builder, |text| { Decimal::parse_as(text, *precision, *scale, Fraction::Exact).ok() })
            }
            Self::Real(builder) => parsed!(builder, |text| float::parse_real(text).ok()),
            Self::Double(builder) => parsed!(builder, |text| float::parse_double(text).ok()),
            Self::Date(builder) => parsed!(builder, |text| datetime::parse_date(text).ok()),
            Self::Timestamp(builder) => {
                parsed!(builder, |text| datetime::parse_timestamp(text, Fraction::Exact).ok());
            }
            Self::Timestamptz(builder) => {
                parsed!(builder, |text| datetime::parse_timestamptz(text, Fraction::Exact, true).ok());
            }
            Self::Text(builder) => builder.append_option(string),
        }
        Some(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Boolean(mut builder) => Arc::new(builder.finish()),
            Self::Smallint(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => Arc::new(builder.finish()),
            Self::Bigint(mut builder) => Arc::new(builder.finish()),
            Self::Decimal(mut builder, ..) => Arc::new(builder.finish()),
            Self::Real(mut builder) => Arc::new(builder.finish()),
            Self::Double(mut builder) => Arc::new(builder.finish()),
            Self::Date(mut builder) => Arc::new(builder.finish()),
            Self::Timestamp(mut builder) | Self::Timestamptz(mut builder) => Arc::new(builder.finish()),
            Self::Text(mut builder) => Arc::new(builder.finish()),
        }
    }
}

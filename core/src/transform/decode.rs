//! Decode: the cells of a field become a typed column. A text that is not a value of the field's type is a fault, which affects
//! only the expressions that use the field.

use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use arrow_array::{BooleanArray, PrimitiveArray};
use arrow_buffer::NullBuffer;

use crate::column::{self, Column, Fault, Faults};
use crate::diagnostic::Code;
use crate::records::{Cell, CellKind, Records};
use crate::types::Type;
use crate::value::datetime::zone::LocalZone;
use crate::value::datetime::{self, Fraction, iso};
use crate::value::format::{Epoch, Pattern, Separators, Words};
use crate::value::interval::fields;
use crate::value::json::{Json, write_string};
use crate::value::text::quote;
use crate::value::{Decimal, Interval, boolean, float, integer, text};

/// A text of at most so many bytes is short.
const SHORT: usize = 16;

/// A declared field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// How expressions call it.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: Type,
    /// How its text is written, where that is not the type's usual way.
    pub(crate) format: FieldFormat,
    /// Unquoted texts that mean NULL.
    pub(crate) nulls: Vec<String>,
    /// The zone of a timestamp without an offset; where there is none, such a text is a fault of a timestamptz.
    pub(crate) zone: Option<LocalZone>,
    /// Whether it is masked wherever people can see it.
    pub(crate) sensitive: bool,
}

/// How a field's text is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldFormat {
    /// As PostgreSQL reads the type; dates and times in the order of ISO 8601.
    Usual,
    /// RFC 3339, strictly.
    Rfc3339,
    /// A count of time since 1970.
    Epoch(Epoch),
    /// A day, or a day and a time, as a pattern describes it.
    Pattern(Pattern),
    /// A number with separators; if `in_strings`, JSON's own numbers are written as JSON writes them.
    Number {
        /// What stands beside the digits.
        separators: Separators,
        /// Whether only quoted texts are written so.
        in_strings: bool,
    },
    /// A boolean as one of these words; JSON's own booleans are theirs.
    Words(Words),
    /// A value of JSON, in an object that was read as JSON.
    Json,
}

impl Field {
    /// The field's column over the records; `index` is its position among the declared fields.
    pub(crate) fn decode(&self, records: &Records, index: usize) -> Column {
        match self.ty {
            Type::Boolean => self.booleans(records, index),
            Type::Smallint => self.integers::<Int16Type>(records, index, i16::MIN.into(), i16::MAX.into()),
            Type::Integer => self.integers::<Int32Type>(records, index, i32::MIN.into(), i32::MAX.into()),
            Type::Bigint => self.integers::<Int64Type>(records, index, i64::MIN, i64::MAX),
            Type::Decimal { precision, scale } => self.decimals(records, index, precision, scale),
            Type::Real => self.numbers::<Float32Type>(records, index, float::parse_real),
            Type::Double => self.numbers::<Float64Type>(records, index, float::parse_double),
            Type::Date => match &self.format {
                FieldFormat::Pattern(pattern) => {
                    self.parsed::<Date32Type>(records, index, |text| pattern.parse_date(text))
                }
                _ => self.parsed::<Date32Type>(records, index, iso::date),
            },
            Type::Time => self.parsed::<Time64MicrosecondType>(records, index, iso::time),
            Type::Interval => self.parsed::<IntervalMonthDayNanoType>(records, index, |text| {
                let Interval { months, days, micros } = Interval::parse(text, fields::ALL)?;
                Ok(IntervalMonthDayNano { months, days, nanoseconds: micros })
            }),
            Type::Timestamp | Type::Timestamptz => {
                self.parsed::<TimestampMicrosecondType>(records, index, |text| match &self.format {
                    FieldFormat::Rfc3339 => datetime::parse_rfc3339(text, Fraction::Exact),
                    FieldFormat::Epoch(epoch) => epoch.parse(text),
                    FieldFormat::Pattern(pattern) => {
                        let time = pattern.parse_timestamp(text)?;
                        self.zone.as_ref().map_or(Ok(time), |zone| zone.instant(time, text))
                    }
                    _ if self.ty == Type::Timestamp => iso::timestamp(text),
                    _ => iso::timestamptz(text, self.zone.as_ref()),
                })
            }
            // No field is declared as one of the others; as text they lose nothing.
            Type::Text | Type::Numeric | Type::Timetz | Type::Bytea => self.texts(records, index, None),
            Type::Varchar(bytes) | Type::Char(bytes) => self.texts(records, index, Some(bytes as usize)),
            Type::Super | Type::Jsonb => self.json(records, index),
        }
    }

    /// The text of a cell of this field; `None` is NULL.
    pub(crate) fn text<'a>(&self, records: &'a Records, cell: Cell) -> Option<&'a [u8]> {
        self.text_in(records, cell, self.null_bytes_max())
    }

    /// The length of the longest text that means NULL.
    fn null_bytes_max(&self) -> Option<usize> {
        self.nulls.iter().map(String::len).max()
    }

    /// The same as [`text`](Self::text), for a caller who has looked up how long a text can be that means NULL: most cells are
    /// longer than every such text.
    #[inline(always)]
    fn text_in<'a>(&self, records: &'a Records, cell: Cell, null_bytes_max: Option<usize>) -> Option<&'a [u8]> {
        match cell.kind() {
            CellKind::Missing | CellKind::Null => None,
            CellKind::Bare if Some(cell.len()) <= null_bytes_max && self.is_null(records.bytes(cell)) => None,
            _ => Some(records.bytes(cell)),
        }
    }

    #[inline(never)]
    fn is_null(&self, text: &[u8]) -> bool {
        self.nulls.iter().any(|null| null.as_bytes() == text)
    }

    /// Numbers, without their declared separators.
    fn numbers<T: ArrowPrimitiveType>(
        &self,
        records: &Records,
        index: usize,
        parse: impl Fn(&[u8]) -> Result<T::Native, Fault>,
    ) -> Column {
        let FieldFormat::Number { separators, in_strings } = self.format else {
            return self.parsed::<T>(records, index, parse);
        };
        let mut plain = Vec::new();
        self.parsed_cells::<T>(records, index, |text, kind| match kind {
            CellKind::Bare if in_strings => parse(text),
            _ => {
                let number = separators.plain(text, &mut plain)?;
                // People know the number as it was written.
                let as_written = |fault: Fault| fault.message.replacen(&quote(number), &quote(text), 1);
                parse(number).map_err(|fault| Fault::new(fault.code, as_written(fault)))
            }
        })
    }

    fn parsed<T: ArrowPrimitiveType>(
        &self,
        records: &Records,
        index: usize,
        parse: impl Fn(&[u8]) -> Result<T::Native, Fault>,
    ) -> Column {
        self.parsed_cells::<T>(records, index, |text, _| parse(text))
    }

    fn parsed_cells<T: ArrowPrimitiveType>(
        &self,
        records: &Records,
        index: usize,
        parse: impl FnMut(&[u8], CellKind) -> Result<T::Native, Fault>,
    ) -> Column {
        let mut values = Vec::with_capacity(records.len());
        let (nulls, faults) = self.each(records, index, parse, |value| values.push(value.unwrap_or_default()));
        let values = PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(self.ty.arrow());
        Column { values: Arc::new(values), faults }
    }

    /// Gives `append` the value of each cell, or nothing for NULL and where there is a fault; returns which these are.
    fn each<V>(
        &self,
        records: &Records,
        index: usize,
        mut parse: impl FnMut(&[u8], CellKind) -> Result<V, Fault>,
        mut append: impl FnMut(Option<V>),
    ) -> (Option<NullBuffer>, Faults) {
        let mut missing = Missing::default();
        let null_bytes_max = self.null_bytes_max();
        for (row, cell) in records.column(index).enumerate() {
            match self.text_in(records, cell, null_bytes_max).map(|text| parse(text, cell.kind())) {
                Some(Ok(value)) => append(Some(value)),
                Some(Err(fault)) => {
                    append(None);
                    missing.fault(row, self.of_cell(fault, cell.kind(), records.bytes(cell)));
                }
                None => {
                    append(None);
                    missing.rows.push(row);
                }
            }
        }
        missing.finish(records.len())
    }

    /// The fault of a text that would mean NULL without its quotes says so.
    #[cold]
    fn of_cell(&self, fault: Fault, kind: CellKind, text: &[u8]) -> Fault {
        match kind {
            CellKind::Quoted if self.is_null(text) => {
                Fault::new(fault.code, format!("{}; without its quotes it is NULL", fault.message))
            }
            _ => fault,
        }
    }

    fn integers<T: ArrowPrimitiveType>(&self, records: &Records, index: usize, min: i64, max: i64) -> Column
    where
        T::Native: TryFrom<i64>,
    {
        let name = self.ty.to_string();
        self.numbers::<T>(records, index, |text| {
            let value = integer::parse(text, min, max, &name)?;
            T::Native::try_from(value)
                .map_err(|_| Fault::new(Code::OutOfRange, format!("{value} is out of range for {name}")))
        })
    }

    fn decimals(&self, records: &Records, index: usize, precision: u8, scale: u8) -> Column {
        self.numbers::<Decimal128Type>(records, index, |text| {
            Decimal::parse_as(text, precision, scale, Fraction::Exact)
        })
    }

    fn booleans(&self, records: &Records, index: usize) -> Column {
        let mut values = BooleanBufferBuilder::new(records.len());
        let parse = |text: &[u8], kind| match (&self.format, kind) {
            (FieldFormat::Words(words), CellKind::Bare | CellKind::Quoted) => words.parse(text),
            _ => boolean::parse(text),
        };
        let (nulls, faults) = self.each(records, index, parse, |value| values.append(value.unwrap_or_default()));
        Column { values: Arc::new(BooleanArray::new(values.finish(), nulls)), faults }
    }

    fn texts(&self, records: &Records, index: usize, bytes_max: Option<usize>) -> Column {
        self.views(records, index, |bytes, _, _| match bytes_max {
            Some(max) if bytes.len() > max => match str::from_utf8(bytes) {
                Ok(whole) => text::fit(whole, max).map(|_| false),
                Err(_) => Ok(false),
            },
            _ => Ok(false),
        })
    }

    /// JSON as it is written. The strings of JSON Lines, which come without their quotes, get them again.
    fn json(&self, records: &Records, index: usize) -> Column {
        self.views(records, index, |bytes, kind, out| match str::from_utf8(bytes) {
            Ok(text) if self.format != FieldFormat::Json => Json::parse(text).map(|_| false),
            Ok(text) if kind == CellKind::Quoted => {
                write_string(text, out);
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    /// Texts, one after the other in a block of their own. `judge` says whether it has written another text in the place of a cell's.
    fn views(
        &self,
        records: &Records,
        index: usize,
        judge: impl Fn(&[u8], CellKind, &mut String) -> Result<bool, Fault>,
    ) -> Column {
        self.block(records, index, &judge).unwrap_or_else(|| {
            let each = |bytes: &[u8], kind: CellKind, other: &mut String| match str::from_utf8(bytes) {
                Ok(_) => judge(bytes, kind, other),
                Err(_) => Err(Fault::new(Code::NotUtf8, format!("{} is not UTF-8", quote(bytes)))),
            };
            let column = self.block(records, index, &each);
            column.unwrap_or_else(|| unreachable!("texts one after the other are a text"))
        })
    }

    /// The texts of a field, if all of them are UTF-8.
    fn block(
        &self,
        records: &Records,
        index: usize,
        judge: &impl Fn(&[u8], CellKind, &mut String) -> Result<bool, Fault>,
    ) -> Option<Column> {
        let mut block = Vec::with_capacity(records.data.len() / records.fields.max(1));
        let mut ends = Vec::with_capacity(records.len() + 1);
        ends.push(0);
        let mut missing = Missing::default();
        let mut other = String::new();
        let null_bytes_max = self.null_bytes_max();
        for (row, cell) in records.column(index).enumerate() {
            match self.text_in(records, cell, null_bytes_max).map(|text| (text, judge(text, cell.kind(), &mut other))) {
                Some((text, Ok(false))) => match records.bytes_from(cell).first_chunk::<SHORT>() {
                    // A copy of a fixed length is one instruction or two.
                    Some(short) if text.len() <= SHORT => {
                        let end = block.len() + text.len();
                        block.extend_from_slice(short);
                        block.truncate(end);
                    }
                    _ => block.extend_from_slice(text),
                },
                Some((_, Ok(true))) => block.extend(other.drain(..).as_str().bytes()),
                Some((_, Err(fault))) => missing.fault(row, fault),
                None => missing.rows.push(row),
            }
            ends.push(block.len().cast_signed() as i64);
        }
        let (nulls, faults) = missing.finish(records.len());
        Some(Column { values: column::texts(block, ends, nulls)?, faults })
    }
}

/// The rows of a field without a value.
#[derive(Default)]
struct Missing {
    /// NULLs and faults.
    rows: Vec<usize>,
    faults: Faults,
}

impl Missing {
    #[cold]
    fn fault(&mut self, row: usize, fault: Fault) {
        self.rows.push(row);
        self.faults.push(row, fault);
    }

    fn finish(self, rows: usize) -> (Option<NullBuffer>, Faults) {
        if self.rows.is_empty() {
            return (None, self.faults);
        }
        let mut valid = BooleanBufferBuilder::new(rows);
        valid.append_n(rows, true);
        for row in self.rows {
            valid.set_bit(row, false);
        }
        (Some(NullBuffer::new(valid.finish())), self.faults)
    }
}

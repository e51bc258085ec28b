//! Decode: the cells of a field become a typed column. A text that is no value of the field's type is a fault, which
//! reaches only the expressions that use the field.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder, StringViewBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};

use crate::column::{Column, Fault, Faults};
use crate::diagnostic::Code;
use crate::records::{Cell, CellKind, Records, Texts};
use crate::types::Type;
use crate::value::datetime::{self, Fraction};
use crate::value::format::{Epoch, Pattern, Separators, Words};
use crate::value::interval::fields;
use crate::value::json::{Json, write_string};
use crate::value::text::quote;
use crate::value::{Decimal, Interval, boolean, float, integer, text};

/// A declared field.
#[derive(Debug, Clone)]
pub struct Field {
    /// How expressions call it.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// How its text is written, where that is not the type's usual way.
    pub format: FieldFormat,
    /// Unquoted texts that mean NULL.
    pub nulls: Vec<String>,
    /// Whether a timestamp without an offset is UTC; otherwise it is a fault of a timestamptz.
    pub utc: bool,
    /// Whether it is masked wherever people can see it.
    pub sensitive: bool,
}

/// How a field's text is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldFormat {
    /// As PostgreSQL reads the type.
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
    pub fn decode(&self, records: &Records, texts: Texts<'_>, index: usize) -> Column {
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
                _ => self.parsed::<Date32Type>(records, index, datetime::parse_date),
            },
            Type::Time => {
                self.parsed::<Time64MicrosecondType>(records, index, |text| datetime::parse_time(text, Fraction::Exact))
            }
            Type::Interval => self.parsed::<IntervalMonthDayNanoType>(records, index, |text| {
                let Interval { months, days, micros } = Interval::parse(text, fields::ALL)?;
                Ok(IntervalMonthDayNano { months, days, nanoseconds: micros })
            }),
            Type::Timestamp | Type::Timestamptz => {
                self.parsed::<TimestampMicrosecondType>(records, index, |text| match &self.format {
                    FieldFormat::Rfc3339 => datetime::parse_rfc3339(text, Fraction::Exact),
                    FieldFormat::Epoch(epoch) => epoch.parse(text),
                    FieldFormat::Pattern(pattern) => pattern.parse_timestamp(text),
                    _ if self.ty == Type::Timestamp => datetime::parse_timestamp(text, Fraction::Exact),
                    _ => datetime::parse_timestamptz(text, Fraction::Exact, !self.utc),
                })
            }
            // No field is declared `numeric` without digits; as text it loses nothing.
            Type::Text | Type::Numeric => self.texts(records, texts, index, None),
            Type::Varchar(bytes) | Type::Char(bytes) => self.texts(records, texts, index, Some(bytes as usize)),
            Type::Super => self.json(records, texts, index),
        }
    }

    /// The text of a cell of this field; `None` is NULL.
    #[inline]
    pub(crate) fn text<'a>(&self, records: &'a Records, cell: Cell) -> Option<&'a [u8]> {
        match cell.kind() {
            CellKind::Missing | CellKind::Null => None,
            CellKind::Bare => {
                let bytes = records.bytes(cell);
                // Most cells differ from every such text by their length alone.
                let is_null = self.nulls.iter().any(|null| null.len() == bytes.len() && null.as_bytes() == bytes);
                (!is_null).then_some(bytes)
            }
            CellKind::Quoted | CellKind::Nested | CellKind::Boolean => Some(records.bytes(cell)),
        }
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
        let mut values = PrimitiveBuilder::<T>::with_capacity(records.len()).with_data_type(self.ty.arrow());
        let faults = self.each(records, index, parse, |value| values.append_option(value));
        Column { values: Arc::new(values.finish()), faults }
    }

    /// Gives `append` the value of each cell, or nothing for NULL and where there is a fault.
    fn each<V>(
        &self,
        records: &Records,
        index: usize,
        mut parse: impl FnMut(&[u8], CellKind) -> Result<V, Fault>,
        mut append: impl FnMut(Option<V>),
    ) -> Faults {
        let mut faults = Faults::default();
        for (row, cell) in records.column(index).enumerate() {
            match self.text(records, cell).map(|text| parse(text, cell.kind())) {
                Some(Ok(value)) => append(Some(value)),
                Some(Err(fault)) => {
                    append(None);
                    faults.push(row, fault);
                }
                None => append(None),
            }
        }
        faults
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
        let mut values = BooleanBuilder::with_capacity(records.len());
        let parse = |text: &[u8], kind| match (&self.format, kind) {
            (FieldFormat::Words(words), CellKind::Bare | CellKind::Quoted) => words.parse(text),
            _ => boolean::parse(text),
        };
        let faults = self.each(records, index, parse, |value| values.append_option(value));
        Column { values: Arc::new(values.finish()), faults }
    }

    fn texts(&self, records: &Records, texts: Texts<'_>, index: usize, bytes_max: Option<usize>) -> Column {
        self.views(records, texts, index, |bytes, _, _| match bytes_max {
            Some(max) if bytes.len() > max => match std::str::from_utf8(bytes) {
                Ok(whole) => text::fit(whole, max).map(|_| false),
                Err(_) => Ok(false),
            },
            _ => Ok(false),
        })
    }

    /// JSON as it is written. The strings of JSON Lines, which come without their quotes, get them again.
    fn json(&self, records: &Records, texts: Texts<'_>, index: usize) -> Column {
        self.views(records, texts, index, |bytes, kind, out| match std::str::from_utf8(bytes) {
            Ok(text) if self.format != FieldFormat::Json => Json::parse(text).map(|_| false),
            Ok(text) if kind == CellKind::Quoted => {
                write_string(text, out);
                Ok(true)
            }
            _ => Ok(false),
        })
    }

    /// Texts, side by side in a block of their own: to copy a short text takes less time than to look again whether it is one.
    /// What is not known to be text is looked at, and is a view of the bytes that were read. `judge` says whether it has
    /// written another text in the place of a cell's.
    fn views(
        &self,
        records: &Records,
        texts: Texts<'_>,
        index: usize,
        judge: impl Fn(&[u8], CellKind, &mut String) -> Result<bool, Fault>,
    ) -> Column {
        let mut values = StringViewBuilder::with_capacity(records.len());
        let data = values.append_block(records.data.clone());
        let unescaped = values.append_block(records.unescaped.clone());
        let mut faults = Faults::default();
        let mut other = String::new();
        for (row, cell) in records.column(index).enumerate() {
            let Some(bytes) = self.text(records, cell) else {
                values.append_null();
                continue;
            };
            other.clear();
            let block = if cell.is_unescaped() { unescaped } else { data };
            #[expect(clippy::cast_possible_truncation, reason = "cells are made of 32-bit offsets and lengths")]
            let fault = match judge(bytes, cell.kind(), &mut other) {
                Ok(true) => {
                    values.append_value(&other);
                    continue;
                }
                Ok(false) if let Some(text) = texts.of(cell) => {
                    values.append_value(text);
                    continue;
                }
                Ok(false) if values.try_append_view(block, cell.start() as u32, cell.len() as u32).is_ok() => continue,
                Ok(false) => Fault::new(Code::NotUtf8, format!("{} is not UTF-8", quote(bytes))),
                Err(fault) => fault,
            };
            values.append_null();
            faults.push(row, fault);
        }
        let values: ArrayRef = Arc::new(values.finish());
        Column { values, faults }
    }
}

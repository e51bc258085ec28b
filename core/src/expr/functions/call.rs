//! Call: one call of a function over the rows of a batch, and the adapters that turn a function of plain values into one
//! of columns.

use std::sync::Arc;

use arrow_array::Array as _;
use arrow_array::ArrayRef;
use arrow_array::ArrowPrimitiveType;
use arrow_array::BooleanArray;
use arrow_array::PrimitiveArray;
use arrow_array::StringViewArray;
use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types;
use arrow_buffer::BooleanBuffer;
use arrow_buffer::NullBuffer;

use super::check_joined;
use crate::column::Column;
use crate::column::Fault;
use crate::column::Faults;
use crate::expr::Context;
use crate::expr::evaluate::decimal;
use crate::expr::evaluate::vector::Vector;
use crate::types::Type;
use crate::value;
use crate::value::Decimal;

/// A call: the arguments, how many rows, and the type of the result.
pub(in crate::expr) struct Call<'a> {
    pub(in crate::expr) arguments: &'a [Vector],
    pub(in crate::expr) rows: usize,
    pub(in crate::expr) ty: Type,
    pub(in crate::expr) context: &'a Context<'a>,
}

impl Call<'_> {
    /// The rows in which an argument is NULL.
    fn nulls(&self) -> Option<NullBuffer> {
        Vector::nulls_of(self.arguments, self.rows)
    }

    /// Asks `f` for a value in each row without a NULL argument.
    pub(in crate::expr) fn map<'a, A: Arguments<'a>, O: Output>(
        &'a self,
        f: impl Fn(A::Values) -> Result<Option<O::Value>, Fault>,
    ) -> Column {
        let readers = A::readers(self.arguments);
        let mut rows = Rows::new(self.nulls());
        let mut values = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            let value = match rows.is_null(row) {
                true => None,
                false => rows.take(row, f(A::read(&readers, row))),
            };
            values.push(value.unwrap_or_else(O::none));
        }
        let (nulls, faults) = rows.finish(self.rows);
        Column { values: O::array(values, nulls, self.ty), faults }
    }

    /// Asks `f` for a value in each row without a NULL argument, by the row.
    pub(in crate::expr) fn map_rows<O: Output>(&self, f: impl Fn(usize) -> Result<Option<O::Value>, Fault>) -> Column {
        self.rows_without::<O>(self.nulls(), f)
    }

    /// Asks `f` for a value in each row, also where an argument is NULL.
    pub(in crate::expr) fn map_all_rows<O: Output>(
        &self,
        f: impl Fn(usize) -> Result<Option<O::Value>, Fault>,
    ) -> Column {
        self.rows_without::<O>(None, f)
    }

    fn rows_without<O: Output>(
        &self,
        nulls: Option<NullBuffer>,
        f: impl Fn(usize) -> Result<Option<O::Value>, Fault>,
    ) -> Column {
        let mut rows = Rows::new(nulls);
        let mut values = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            let value = if rows.is_null(row) { None } else { rows.take(row, f(row)) };
            values.push(value.unwrap_or_else(O::none));
        }
        let (nulls, faults) = rows.finish(self.rows);
        Column { values: O::array(values, nulls, self.ty), faults }
    }

    /// Asks `f` for a text that lives as long as the arguments.
    pub(in crate::expr) fn slice<'a, A: Arguments<'a>>(
        &'a self,
        f: impl Fn(A::Values) -> Result<Option<&'a str>, Fault>,
    ) -> Column {
        let readers = A::readers(self.arguments);
        let mut rows = Rows::new(self.nulls());
        let mut texts = StringViewBuilder::with_capacity(self.rows);
        for row in 0..self.rows {
            let text = match rows.is_null(row) {
                true => None,
                false => rows.take(row, f(A::read(&readers, row))),
            };
            texts.append_option(text);
        }
        Column { values: Arc::new(texts.finish()), faults: rows.faults }
    }

    /// Lets `f` append to a text, and say whether there is one.
    pub(in crate::expr) fn write<'a, A: Arguments<'a>>(
        &'a self,
        mut f: impl FnMut(A::Values, &mut String) -> Result<bool, Fault>,
    ) -> Column {
        let readers = A::readers(self.arguments);
        let mut rows = Rows::new(self.nulls());
        let mut texts = StringViewBuilder::with_capacity(self.rows);
        let mut text = String::new();
        for row in 0..self.rows {
            text.clear();
            let has_text = !rows.is_null(row) && rows.take_text(row, f(A::read(&readers, row), &mut text), &text);
            texts.append_option(has_text.then_some(&text));
        }
        Column { values: Arc::new(texts.finish()), faults: rows.faults }
    }
}

impl Call<'_> {
    /// The text of the argument at a place in a row; without such an argument the empty text. For functions with optional
    /// arguments whose work on a row outweighs the look-up.
    pub(in crate::expr) fn text(&self, at: usize, row: usize) -> &str {
        self.arguments.get(at).map_or("", |vector| Text::read(&Text::reader(vector), row))
    }

    /// The whole number of the argument at a place in a row, if there is such an argument.
    pub(in crate::expr) fn integer(&self, at: usize, row: usize) -> Option<i32> {
        self.arguments.get(at).map(|vector| Integer::read(&Integer::reader(vector), row))
    }

    /// Whether the argument at a place is true in a row; without such an argument it is not.
    pub(in crate::expr) fn is_true(&self, at: usize, row: usize) -> bool {
        self.arguments.get(at).is_some_and(|vector| Boolean::read(&Boolean::reader(vector), row))
    }

    /// Whether the argument at a place is NULL in a row; without such an argument it is not.
    pub(in crate::expr) fn is_null(&self, at: usize, row: usize) -> bool {
        self.arguments.get(at).is_some_and(|vector| vector.values.is_null(row & vector.mask()))
    }

    /// Lets `f` append the text of each row without a NULL argument, and say whether there is one.
    pub(in crate::expr) fn try_write_rows(
        &self,
        mut f: impl FnMut(usize, &mut String) -> Result<bool, Fault>,
    ) -> Column {
        let mut rows = Rows::new(self.nulls());
        let mut texts = StringViewBuilder::with_capacity(self.rows);
        let mut text = String::new();
        for row in 0..self.rows {
            text.clear();
            let has_text = !rows.is_null(row) && rows.take_text(row, f(row, &mut text), &text);
            texts.append_option(has_text.then_some(&text));
        }
        Column { values: Arc::new(texts.finish()), faults: rows.faults }
    }

    /// Lets `f` append the text of each row, also where an argument is NULL, and say whether there is one.
    pub(in crate::expr) fn write_all_rows(
        &self,
        mut f: impl FnMut(usize, &mut String) -> Result<bool, Fault>,
    ) -> Column {
        let mut rows = Rows::new(None);
        let mut texts = StringViewBuilder::with_capacity(self.rows);
        let mut text = String::new();
        for row in 0..self.rows {
            text.clear();
            let has_text = rows.take_text(row, f(row, &mut text), &text);
            texts.append_option(has_text.then_some(&text));
        }
        Column { values: Arc::new(texts.finish()), faults: rows.faults }
    }
}

/// The rows of a result that have no value.
pub(in crate::expr) struct Rows {
    nulls: Option<NullBuffer>,
    more: Vec<usize>,
    faults: Faults,
}

impl Rows {
    /// Beginning with the rows in which an argument is NULL.
    pub(in crate::expr) fn new(nulls: Option<NullBuffer>) -> Self {
        Self { nulls, more: Vec::new(), faults: Faults::default() }
    }

    #[inline]
    pub(in crate::expr) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The value of a row; a row without one is remembered.
    #[inline]
    pub(in crate::expr) fn take<T>(&mut self, row: usize, value: Result<Option<T>, Fault>) -> Option<T> {
        match value {
            Ok(Some(value)) => return Some(value),
            Ok(None) => {}
            Err(fault) => self.faults.push(row, fault),
        }
        self.more.push(row);
        None
    }

    /// Whether there is a text for a row, that a function has appended; one that is too long is a fault.
    fn take_text(&mut self, row: usize, has_text: Result<bool, Fault>, text: &str) -> bool {
        let checked = has_text.and_then(|has_text| check_joined(text).map(|()| has_text.then_some(())));
        self.take(row, checked).is_some()
    }

    /// All rows without a value, and those of them with a fault.
    pub(in crate::expr) fn finish(self, rows: usize) -> (Option<NullBuffer>, Faults) {
        if self.more.is_empty() {
            return (self.nulls, self.faults);
        }
        let mut more = self.more.iter().copied().peekable();
        let valid = BooleanBuffer::collect_bool(rows, |row| {
            let lost = more.next_if_eq(&row).is_some();
            !lost && self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
        });
        (Some(NullBuffer::new(valid)), self.faults)
    }
}

/// A kind of argument: how its values are read from a column.
pub(in crate::expr) trait Read<'a> {
    type Value;
    type Reader;
    fn reader(vector: &'a Vector) -> Self::Reader;
    fn read(reader: &Self::Reader, row: usize) -> Self::Value;
}

/// A kind of result: how its values become a column.
pub(in crate::expr) trait Output {
    type Value: Copy;
    /// What fills the place of a row without a value.
    fn none() -> Self::Value;
    fn array(values: Vec<Self::Value>, nulls: Option<NullBuffer>, ty: Type) -> ArrayRef;
}

/// Text.
pub(in crate::expr) struct Text;

impl<'a> Read<'a> for Text {
    type Value = &'a str;
    type Reader = (&'a StringViewArray, usize);

    fn reader(vector: &'a Vector) -> Self::Reader {
        (vector.values.as_string_view(), vector.mask())
    }

    fn read(reader: &Self::Reader, row: usize) -> &'a str {
        reader.0.value(row & reader.1)
    }
}

/// True or false.
pub(in crate::expr) struct Boolean;

impl<'a> Read<'a> for Boolean {
    type Value = bool;
    type Reader = (&'a BooleanArray, usize);

    fn reader(vector: &'a Vector) -> Self::Reader {
        (vector.values.as_boolean(), vector.mask())
    }

    fn read(reader: &Self::Reader, row: usize) -> bool {
        reader.0.value(row & reader.1)
    }
}

impl Output for Boolean {
    type Value = bool;

    fn none() -> bool {
        false
    }

    fn array(values: Vec<bool>, nulls: Option<NullBuffer>, _: Type) -> ArrayRef {
        Arc::new(BooleanArray::new(values.into(), nulls))
    }
}

macro_rules! primitive {
    ($($(#[$doc:meta])+ $name:ident $arrow:ident;)+) => {$(
        $(#[$doc])+
        pub(in crate::expr) struct $name;

        impl<'a> Read<'a> for $name {
            type Value = <types::$arrow as ArrowPrimitiveType>::Native;
            type Reader = (&'a [Self::Value], usize);

            fn reader(vector: &'a Vector) -> Self::Reader {
                (vector.values.as_primitive::<types::$arrow>().values(), vector.mask())
            }

            fn read(reader: &Self::Reader, row: usize) -> Self::Value {
                reader.0[row & reader.1]
            }
        }

        impl Output for $name {
            type Value = <types::$arrow as ArrowPrimitiveType>::Native;

            fn none() -> Self::Value {
                Self::Value::default()
            }

            fn array(values: Vec<Self::Value>, nulls: Option<NullBuffer>, ty: Type) -> ArrayRef {
                Arc::new(PrimitiveArray::<types::$arrow>::new(values.into(), nulls).with_data_type(ty.arrow()))
            }
        }
    )+};
}

primitive! {
    /// 16 bits.
    Smallint Int16Type;
    /// 32 bits.
    Integer Int32Type;
    /// 64 bits.
    Bigint Int64Type;
    /// 32-bit floating point.
    Real Float32Type;
    /// 64-bit floating point.
    Double Float64Type;
    /// Days since 1970.
    Date Date32Type;
    /// Microseconds since 1970, with or without a zone.
    Timestamp TimestampMicrosecondType;
    /// Microseconds of the day.
    Time Time64MicrosecondType;
    /// Times of day with their offsets, packed.
    Timetz DurationMicrosecondType;
}

/// Months, days and microseconds.
pub(in crate::expr) struct Interval;

impl<'a> Read<'a> for Interval {
    type Value = value::Interval;
    type Reader = (&'a [types::IntervalMonthDayNano], usize);

    fn reader(vector: &'a Vector) -> Self::Reader {
        (vector.values.as_primitive::<types::IntervalMonthDayNanoType>().values(), vector.mask())
    }

    fn read(reader: &Self::Reader, row: usize) -> value::Interval {
        let value = reader.0[row & reader.1];
        value::Interval { months: value.months, days: value.days, micros: value.nanoseconds }
    }
}

impl Output for Interval {
    type Value = value::Interval;

    fn none() -> value::Interval {
        value::Interval::default()
    }

    fn array(values: Vec<Self::Value>, nulls: Option<NullBuffer>, _: Type) -> ArrayRef {
        let of = |value: value::Interval| types::IntervalMonthDayNano {
            months: value.months,
            days: value.days,
            nanoseconds: value.micros,
        };
        let values = values.into_iter().map(of).collect::<Vec<_>>();
        Arc::new(PrimitiveArray::<types::IntervalMonthDayNanoType>::new(values.into(), nulls))
    }
}

/// Exact numbers of any scale.
pub(in crate::expr) struct Numeric;

impl<'a> Read<'a> for Numeric {
    type Value = Decimal;
    type Reader = decimal::Reader<'a>;

    fn reader(vector: &'a Vector) -> Self::Reader {
        decimal::Reader::new(vector)
    }

    fn read(reader: &Self::Reader, row: usize) -> Decimal {
        reader.value(row)
    }
}

impl Output for Numeric {
    type Value = Decimal;

    fn none() -> Decimal {
        Decimal { unscaled: 0, scale: 0 }
    }

    fn array(values: Vec<Self::Value>, nulls: Option<NullBuffer>, ty: Type) -> ArrayRef {
        decimal::array(&values, nulls, ty)
    }
}

/// The arguments of a signature, as a tuple of kinds.
pub(in crate::expr) trait Arguments<'a> {
    type Values;
    type Readers;
    fn readers(vectors: &'a [Vector]) -> Self::Readers;
    fn read(readers: &Self::Readers, row: usize) -> Self::Values;
}

macro_rules! arguments {
    ($($kind:ident $at:tt),+) => {
        impl<'a, $($kind: Read<'a>),+> Arguments<'a> for ($($kind,)+) {
            type Values = ($($kind::Value,)+);
            type Readers = ($($kind::Reader,)+);

            fn readers(vectors: &'a [Vector]) -> Self::Readers {
                ($($kind::reader(&vectors[$at]),)+)
            }

            #[inline]
            fn read(readers: &Self::Readers, row: usize) -> Self::Values {
                ($($kind::read(&readers.$at, row),)+)
            }
        }
    };
}

arguments!(A 0);
arguments!(A 0, B 1);
arguments!(A 0, B 1, C 2);
arguments!(A 0, B 1, C 2, D 3);
arguments!(A 0, B 1, C 2, D 3, E 4, F 5);
arguments!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);

//! Units of time and fields of times, as calls name them.

use std::cell::RefCell;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Argument;
use super::Call;
use super::Refusal;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;
pub(super) use crate::value::unit::Unit;

/// The unit that a call names, which must be the same in every row.
pub(super) fn constant_unit(arguments: &[Argument<'_>]) -> Result<Unit, Refusal> {
    let array = arguments.first().and_then(|argument| argument.constant);
    let array = array.ok_or("the unit must be a constant text")?.as_string_view();
    if array.is_null(0) {
        return Ok(Unit::Day);
    }
    named(array.value(0)).map_err(|fault| Refusal { at: Some(0), ..fault.into() })
}

pub(super) fn unit_of(call: &Call<'_>) -> Unit {
    let text = call.arguments.first().map(|unit| unit.values.as_string_view());
    text.filter(|text| text.is_valid(0))
        .and_then(|text| Unit::parse(text.value(0).as_bytes()))
        .unwrap_or(Unit::Microseconds)
}

/// The unit of that name.
pub(super) fn named(text: &str) -> Result<Unit, Fault> {
    let unit = Unit::parse(text.as_bytes());
    unit.ok_or_else(|| Fault::new(Code::BadArgument, format!("{} is no unit of time", quote(text.as_bytes()))))
}

pub(super) fn not_for(fact: &'static str) -> Fault {
    Fault::new(Code::NotForValues, fact)
}

/// The units of a call's rows: that of the row before is mostly the next one too.
pub(super) struct Units<F> {
    read: F,
    last: RefCell<Option<(String, Unit)>>,
}

impl<F: Fn(&str) -> Result<Unit, Fault>> Units<F> {
    pub(super) fn new(read: F) -> Self {
        Self { read, last: RefCell::new(None) }
    }

    pub(super) fn of(&self, text: &str) -> Result<Unit, Fault> {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some((known, unit)) if known == text => Ok(*unit),
            _ => Ok(last.insert((text.to_owned(), (self.read)(text)?)).1),
        }
    }
}

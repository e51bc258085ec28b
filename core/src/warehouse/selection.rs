//! Selection: what a statement selects, as texts under the names of its columns, and how a value is read out of it.
//!
//! Every warehouse gives its values in a form of its own: a boolean is `t`, `true` or 1. They are read here, so that a client
//! only has to convert them to texts.

use std::str::FromStr;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::warehouse::calendar;

/// What a statement selects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The names of the columns, in order.
    pub columns: Vec<String>,
    /// The rows: a value for each column; NULL is `None`.
    pub values: Vec<Vec<Option<String>>>,
}

/// A row of a selection.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [Option<String>],
}

impl Selection {
    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.values.iter().map(|values| Row { columns: &self.columns, values })
    }
}

impl<'a> Row<'a> {
    /// The value of a column; `None` where it is NULL.
    pub fn optional(&self, column: &str) -> Result<Option<&'a str>, Error> {
        let at = self.columns.iter().position(|name| name == column);
        let at = at.ok_or_else(|| wrong(format!("column `{column}` is missing")))?;
        Ok(self.values.get(at).and_then(Option::as_deref))
    }

    /// The value of a column, which is not NULL.
    pub fn text(&self, column: &str) -> Result<&'a str, Error> {
        self.optional(column)?.ok_or_else(|| wrong(format!("column `{column}` is NULL")))
    }

    /// A whole number.
    pub fn number<T: FromStr>(&self, column: &str) -> Result<T, Error> {
        self.read(column, "a whole number in its range", |text| text.parse().ok())
    }

    /// Whether something is so.
    pub fn boolean(&self, column: &str) -> Result<bool, Error> {
        self.read(column, "a boolean", |text| match text {
            "t" | "true" | "1" => Some(true),
            "f" | "false" | "0" => Some(false),
            _ => None,
        })
    }

    /// An instant, in microseconds since 1970, UTC.
    pub fn instant(&self, column: &str) -> Result<i64, Error> {
        self.read(column, "an instant", calendar::read_timestamp)
    }

    /// The value of the first column; `None` where it is NULL.
    pub(crate) fn first(&self) -> Option<&'a str> {
        self.values.first().and_then(Option::as_deref)
    }

    fn read<T>(&self, column: &str, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
        let text = self.text(column)?;
        read(text).ok_or_else(|| wrong(format!("column `{column}` holds `{text}`, which is not {wanted}")))
    }
}

fn wrong(fact: String) -> Error {
    Error::new(ErrorKind::Refused, fact)
}

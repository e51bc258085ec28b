//! Exact: SQLite's sums and averages, exact over decimals, which it keeps as text.
//!
//! They replace the built-in `sum`, `total` and `avg`. Whole numbers and doubles are added as SQLite adds them; decimals, and
//! whole numbers among them, as PostgreSQL's `numeric`. A text that is not a number is an error; SQLite would read it as zero.

use etalon_core::value::Decimal;
use etalon_core::value::DecimalSum;
use etalon_core::warehouse::dialect::sqlite;
use etalon_core::warehouse::dialect::sqlite::numbers::DIGITS_FUNCTION;
use etalon_core::warehouse::dialect::sqlite::numbers::MINUS_FUNCTION;
use rusqlite::Connection;
use rusqlite::Error;
use rusqlite::Result;
use rusqlite::functions::Aggregate;
use rusqlite::functions::Context;
use rusqlite::functions::FunctionFlags;
use rusqlite::functions::WindowAggregate;
use rusqlite::types::Value;
use rusqlite::types::ValueRef;

/// Gives a connection the functions.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, kind) in [("sum", Kind::Sum), ("total", Kind::Total), ("avg", Kind::Average)] {
        connection.create_window_function(name, 1, flags, kind)?;
    }
    connection.create_scalar_function(DIGITS_FUNCTION, 1, flags, |context| {
        Ok(match context.get_raw(0) {
            ValueRef::Real(number) => Value::Text(number.to_string()),
            other => other.try_into()?,
        })
    })?;
    connection.create_scalar_function(MINUS_FUNCTION, 1, flags, |context| minus(context.get_raw(0)))
}

/// The value with the other sign.
fn minus(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Real(number) => Value::Real(-number),
        #[expect(
            clippy::cast_precision_loss,
            reason = "the least number has no opposite, and SQLite makes it a double"
        )]
        ValueRef::Integer(number) => number.checked_neg().map_or(Value::Real(-(number as f64)), Value::Integer),
        ValueRef::Text(text) | ValueRef::Blob(text) if text == sqlite::NAN.as_bytes() => {
            Value::Text(sqlite::NAN.to_owned())
        }
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            let number = Decimal::parse(text)
                .map_err(|fault| Error::UserFunctionError(format!("minus a text: {}", fault.message).into()))?;
            Value::Text(Decimal { unscaled: -number.unscaled, ..number }.print())
        }
    })
}

/// Which of them.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Sum,
    Total,
    Average,
}

/// What was added up.
#[derive(Debug, Clone, Default)]
struct Total {
    integers: u64,
    integer: i128,
    doubles: u64,
    double: Doubles,
    decimals: u64,
    decimal: DecimalSum,
    /// NaN, which SQLite cannot hold as a number.
    nans: u64,
}

impl Total {
    /// Adds a value, or takes it back.
    fn step(&mut self, value: ValueRef<'_>, back: bool) -> Result<()> {
        let count = |rows: &mut u64| *rows = if back { rows.saturating_sub(1) } else { *rows + 1 };
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(number) => {
                count(&mut self.integers);
                self.integer += if back { -i128::from(number) } else { i128::from(number) };
            }
            ValueRef::Real(number) => {
                count(&mut self.doubles);
                self.double.add(if back { -number } else { number });
            }
            ValueRef::Text(text) if text == sqlite::NAN.as_bytes() => count(&mut self.nans),
            ValueRef::Text(text) | ValueRef::Blob(text) => {
                let number = Decimal::parse(text)
                    .map_err(|fault| Error::UserFunctionError(format!("a sum of texts: {}", fault.message).into()))?;
                count(&mut self.decimals);
                if back {
                    self.decimal.subtract(number);
                } else {
                    self.decimal.add(number);
                }
            }
        }
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.integers + self.doubles + self.decimals + self.nans
    }

    /// The decimals and whole numbers together.
    fn exact(&self) -> DecimalSum {
        let mut sum = self.decimal;
        // A sum of so many 64-bit numbers is far from 38 digits.
        sum.add(Decimal { unscaled: self.integer, scale: 0 });
        sum
    }

    /// Everything together, as a double.
    fn approximate(&self) -> f64 {
        let mut double = self.double;
        if self.decimals > 0 {
            double.add(self.exact().to_double());
        } else {
            double.add_integer(self.integer);
        }
        double.value()
    }
}

/// A sum of doubles that keeps what rounding loses, as SQLite's own does.
#[derive(Debug, Clone, Copy, Default)]
struct Doubles {
    sum: f64,
    lost: f64,
}

impl Doubles {
    fn add(&mut self, number: f64) {
        let sum = self.sum + number;
        let (large, small) = if self.sum.abs() > number.abs() { (self.sum, number) } else { (number, self.sum) };
        self.lost += (large - sum) + small;
        self.sum = sum;
    }

    /// Adds a whole number in two parts that doubles hold exactly.
    #[expect(clippy::cast_precision_loss, reason = "what is lost of the first part is the second")]
    fn add_integer(&mut self, number: i128) {
        let low = number % (1 << 50);
        self.add((number - low) as f64);
        self.add(low as f64);
    }

    fn value(self) -> f64 {
        if self.lost.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

impl Aggregate<Total, Value> for Kind {
    fn init(&self, _: &mut Context<'_>) -> Result<Total> {
        Ok(Total::default())
    }

    fn step(&self, context: &mut Context<'_>, total: &mut Total) -> Result<()> {
        total.step(context.get_raw(0), false)
    }

    fn finalize(&self, _: &mut Context<'_>, mut total: Option<Total>) -> Result<Value> {
        self.value(total.as_mut())
    }
}

impl WindowAggregate<Total, Value> for Kind {
    fn value(&self, total: Option<&mut Total>) -> Result<Value> {
        let empty = Total::default();
        let total = total.as_deref().unwrap_or(&empty);
        if total.nans > 0 {
            return Ok(Value::Text(sqlite::NAN.to_owned()));
        }
        let is_exact = total.decimals > 0 && total.doubles == 0;
        Ok(match self {
            Self::Total if !is_exact => Value::Real(total.approximate()),
            _ if total.rows() == 0 => Value::Null,
            Self::Average if is_exact => Value::Text(total.exact().average(total.rows())),
            #[expect(clippy::cast_precision_loss, reason = "no table has so many rows")]
            Self::Average => Value::Real(total.approximate() / total.rows() as f64),
            _ if is_exact => Value::Text(total.exact().sum()),
            _ if total.doubles > 0 => Value::Real(total.approximate()),
            _ => match i64::try_from(total.integer) {
                Ok(sum) => Value::Integer(sum),
                Err(_) => return Err(Error::UserFunctionError("integer overflow".into())),
            },
        })
    }

    fn inverse(&self, context: &mut Context<'_>, total: &mut Total) -> Result<()> {
        total.step(context.get_raw(0), true)
    }
}

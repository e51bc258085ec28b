//! The reference: expressions evaluated row by row, as plainly as can be, to test the engine against.
//!
//! It walks the same checked tree and shares only how values are read from text and printed: no kernel, no column, no scale
//! that was computed before. Whole numbers are `i128`, decimals are exact on big integers, and only the result of an operation
//! is checked against the range of its type. A part that the reference does not know is [`Stop::Unknown`]; the law skips such
//! expressions and counts them.

#![allow(clippy::panic, reason = "a tree that the checker cannot make ends a test")]

mod functions;
mod number;

use std::cmp::Ordering;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types;

use super::Expr;
use super::checked::Checked;
use super::checked::Form;
use super::evaluate::decimal::Reader;
use super::evaluate::vector::Vector;
use super::tree::Binary;
use super::tree::Test;
use crate::column::Column;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::Fraction;
use crate::value::boolean;
use crate::value::datetime;
use crate::value::float;
use crate::value::integer;

pub use number::Exact;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number of any type.
    Whole(i128),
    /// A decimal.
    Exact(Exact),
    /// A real.
    Real(f32),
    /// A double precision.
    Double(f64),
    /// A text of any type.
    Text(String),
    /// A date in days, or a time or timestamp in microseconds.
    Moment(i64),
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The row faults.
    Fault(Code),
    /// The reference does not know a part of the expression.
    Unknown(String),
}

type Answer = Result<Value, Stop>;

impl Expr {
    /// The value of the expression in one row, printed; `None` is NULL. Columns stand at the positions of their names.
    pub fn reference(&self, columns: &[Column], row: usize) -> Result<Option<String>, Stop> {
        let value = Row { columns, row }.value(&self.root, &mut Vec::new())?;
        Ok((value != Value::Null).then(|| printed(&value, self.root.ty)))
    }
}

struct Row<'a> {
    columns: &'a [Column],
    row: usize,
}

impl Row<'_> {
    fn value(&self, part: &Checked, locals: &mut Vec<Answer>) -> Answer {
        match &part.form {
            Form::Constant(values) => read(values, 0, part.ty),
            Form::Name(position) => {
                let column = &self.columns[*position];
                match column.faults.of(self.row) {
                    Some(fault) => Err(Stop::Fault(fault.code)),
                    None => read(&column.values, self.row, part.ty),
                }
            }
            Form::Local(level) => locals[*level].clone(),
            Form::Let { value, body } => {
                let value = self.value(value, locals);
                locals.push(value);
                let result = self.value(body, locals);
                locals.pop();
                result
            }
            Form::Arithmetic { operator, left, right } => self.strict(&[left, right], locals, |values| match values {
                [a, b] => number::arithmetic(*operator, a, b, part.ty),
                _ => unknown("an operator"),
            }),
            Form::Negate(operand) => self.strict(&[operand], locals, |values| match &values[0] {
                Value::Real(value) => Ok(Value::Real(-value)),
                Value::Double(value) => Ok(Value::Double(-value)),
                value => number::arithmetic(Binary::Subtract, &Value::Whole(0), value, part.ty),
            }),
            Form::Compare { operator, left, right } => self.strict(&[left, right], locals, |values| {
                let order = order(&values[0], &values[1])?;
                Ok(Value::Boolean(match operator {
                    Binary::Equal => order.is_eq(),
                    Binary::NotEqual => order.is_ne(),
                    Binary::Less => order.is_lt(),
                    Binary::LessOrEqual => order.is_le(),
                    Binary::Greater => order.is_gt(),
                    _ => order.is_ge(),
                }))
            }),
            Form::Distinct { left, right, negated } => {
                let (left, right) = (self.value(left, locals), self.value(right, locals));
                let (left, right) = (left?, right?);
                let same = match (&left, &right) {
                    (Value::Null, Value::Null) => true,
                    (Value::Null, _) | (_, Value::Null) => false,
                    _ => order(&left, &right)?.is_eq(),
                };
                Ok(Value::Boolean(same == *negated))
            }
            Form::Not(operand) => self.strict(&[operand], locals, |values| Ok(Value::Boolean(!truth(&values[0])))),
            Form::And(operands) => self.logic(operands, false, locals),
            Form::Or(operands) => self.logic(operands, true, locals),
            Form::Is { operand, test, negated } => {
                let value = self.value(operand, locals)?;
                let holds = match test {
                    Test::Null | Test::Unknown => value == Value::Null,
                    Test::True => value == Value::Boolean(true),
                    Test::False => value == Value::Boolean(false),
                };
                Ok(Value::Boolean(holds != *negated))
            }
            Form::OneOf { operand, list, has_null, negated } => self.strict(&[operand], locals, |values| {
                let found = list.iter().any(|item| **item == *text(&values[0]));
                Ok(if found || !has_null { Value::Boolean(found != *negated) } else { Value::Null })
            }),
            Form::Case { arms, otherwise } => {
                for (condition, result) in arms {
                    if self.value(condition, locals)? == Value::Boolean(true) {
                        return self.value(result, locals);
                    }
                }
                otherwise.as_ref().map_or(Ok(Value::Null), |result| self.value(result, locals))
            }
            Form::Coalesce(operands) => {
                for operand in operands {
                    let value = self.value(operand, locals)?;
                    if value != Value::Null {
                        return Ok(value);
                    }
                }
                Ok(Value::Null)
            }
            Form::Extreme { greatest, operands } => {
                let values: Vec<Answer> = operands.iter().map(|operand| self.value(operand, locals)).collect();
                let mut best = Value::Null;
                for value in values {
                    let value = value?;
                    let wanted = if *greatest { Ordering::Greater } else { Ordering::Less };
                    let replaces = match (&value, &best) {
                        (Value::Null, _) => false,
                        (_, Value::Null) => true,
                        _ => order(&value, &best)? == wanted,
                    };
                    if replaces {
                        best = value;
                    }
                }
                Ok(best)
            }
            Form::Cast(operand) => self.strict(&[operand], locals, |values| cast(&values[0], operand.ty, part.ty)),
            Form::Concat(operands) => {
                let operands: Vec<&Checked> = operands.iter().collect();
                self.strict(&operands, locals, |values| Ok(Value::Text(values.iter().map(text).collect())))
            }
            Form::Like { operand, pattern, escape, ignore_case, negated, .. } => {
                let operands: Vec<&Checked> = [&**operand, pattern].into_iter().chain(escape.as_deref()).collect();
                self.strict(&operands, locals, |values| {
                    let escape = match values.get(2).map(|escape| text(escape).chars().collect::<Vec<_>>()) {
                        None => Some('\\'),
                        Some(chars) if chars.len() > 1 => return Err(Stop::Fault(Code::BadEscape)),
                        Some(chars) => chars.first().copied(),
                    };
                    let fold = |char: char| match ignore_case {
                        true => char.to_lowercase().next().unwrap_or(char),
                        false => char,
                    };
                    let chars: Vec<char> = text(&values[0]).chars().map(fold).collect();
                    let pattern: Vec<char> = text(&values[1]).chars().collect();
                    let pieces: Vec<Piece> = pieces(&pattern, escape, fold);
                    Ok(Value::Boolean((like(&chars, &pieces)? == Some(true)) != *negated))
                })
            }
            Form::Call { name, signature, arguments } => {
                let types: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
                let arguments: Vec<&Checked> = arguments.iter().collect();
                if !signature.strict {
                    let values = arguments.iter().map(|argument| self.value(argument, locals)).collect::<Vec<_>>();
                    let values = values.into_iter().collect::<Result<Vec<_>, _>>()?;
                    return functions::call(name, &values, &types, part.ty);
                }
                self.strict(&arguments, locals, |values| functions::call(name, values, &types, part.ty))
            }
            form => unknown(&format!("{form:?}").chars().take(20).collect::<String>()),
        }
    }

    /// All operands have a value, or there is none. The fault of an operand counts also where another is NULL.
    fn strict(&self, operands: &[&Checked], locals: &mut Vec<Answer>, f: impl FnOnce(&[Value]) -> Answer) -> Answer {
        let values: Vec<Answer> = operands.iter().map(|operand| self.value(operand, locals)).collect();
        let values = values.into_iter().collect::<Result<Vec<_>, _>>()?;
        if values.contains(&Value::Null) { Ok(Value::Null) } else { f(&values) }
    }

    fn logic(&self, operands: &[Checked], decisive: bool, locals: &mut Vec<Answer>) -> Answer {
        let mut result = Value::Boolean(!decisive);
        for operand in operands {
            match self.value(operand, locals)? {
                Value::Null => result = Value::Null,
                value if truth(&value) == decisive => return Ok(value),
                _ => {}
            }
        }
        Ok(result)
    }
}

fn unknown(what: &str) -> Answer {
    Err(Stop::Unknown(what.to_owned()))
}

fn truth(value: &Value) -> bool {
    *value == Value::Boolean(true)
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => panic!("{value:?} is no text"),
    }
}

/// The value of a row of a column.
fn read(values: &ArrayRef, row: usize, ty: Type) -> Answer {
    if values.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match ty {
        Type::Boolean => Value::Boolean(values.as_boolean().value(row)),
        Type::Smallint => Value::Whole(values.as_primitive::<types::Int16Type>().value(row).into()),
        Type::Integer => Value::Whole(values.as_primitive::<types::Int32Type>().value(row).into()),
        Type::Bigint => Value::Whole(values.as_primitive::<types::Int64Type>().value(row).into()),
        Type::Decimal { .. } | Type::Numeric => {
            let vector = Vector::constant(values.slice(row, 1));
            match Reader::new(&vector).value(0) {
                value if value.special().is_some() => return unknown("an exact number without digits"),
                value => Value::Exact(value.into()),
            }
        }
        Type::Real => Value::Real(values.as_primitive::<types::Float32Type>().value(row)),
        Type::Double => Value::Double(values.as_primitive::<types::Float64Type>().value(row)),
        Type::Date => Value::Moment(values.as_primitive::<types::Date32Type>().value(row).into()),
        Type::Time => Value::Moment(values.as_primitive::<types::Time64MicrosecondType>().value(row)),
        Type::Timestamp | Type::Timestamptz => {
            Value::Moment(values.as_primitive::<types::TimestampMicrosecondType>().value(row))
        }
        ty if ty.is_text() => Value::Text(values.as_string_view().value(row).to_owned()),
        ty => return unknown(&ty.to_string()),
    })
}

/// The text of a value that is not NULL.
fn printed(value: &Value, ty: Type) -> String {
    match (value, ty) {
        (Value::Null, _) => panic!("NULL has no text"),
        (Value::Boolean(value), _) => value.to_string(),
        (Value::Whole(value), _) => value.to_string(),
        (Value::Exact(value), _) => value.print(),
        (Value::Real(value), _) => float::print_real(*value),
        (Value::Double(value), _) => float::print_double(*value),
        (Value::Text(text), Type::Char(_)) => text.trim_end_matches(' ').to_owned(),
        (Value::Text(text), _) => text.clone(),
        (Value::Moment(days), Type::Date) => i32::try_from(*days).map(datetime::print_date).unwrap_or_default(),
        (Value::Moment(micros), Type::Time) => datetime::print_time(*micros),
        (Value::Moment(micros), Type::Timestamptz) => datetime::print_timestamptz(*micros),
        (Value::Moment(micros), _) => datetime::print_timestamp(*micros),
    }
}

fn order(left: &Value, right: &Value) -> Result<Ordering, Stop> {
    let floats = |a: f64, b: f64| match (a.is_nan(), b.is_nan()) {
        (false, false) if a == b => Ordering::Equal,
        (false, false) => {
            if a < b {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (a, b) => a.cmp(&b),
    };
    Ok(match (left, right) {
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::Whole(a), Value::Whole(b)) => a.cmp(b),
        (Value::Exact(a), Value::Exact(b)) => a.order(b),
        (Value::Real(a), Value::Real(b)) => floats((*a).into(), (*b).into()),
        (Value::Double(a), Value::Double(b)) => floats(*a, *b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Moment(a), Value::Moment(b)) => a.cmp(b),
        _ => return Err(Stop::Unknown(format!("comparing {left:?} and {right:?}"))),
    })
}

/// An explicit cast of a value that is not NULL.
fn cast(value: &Value, from: Type, to: Type) -> Answer {
    let fault = |fault: crate::column::Fault| Stop::Fault(fault.code);
    if to.is_text() {
        let mut printed = printed(value, from);
        if let Type::Varchar(bytes) | Type::Char(bytes) = to {
            while printed.len() > bytes as usize {
                printed.pop();
            }
            if matches!(to, Type::Char(_)) {
                printed.extend(std::iter::repeat_n(' ', bytes as usize - printed.len()));
            }
        }
        return Ok(Value::Text(printed));
    }
    if let Value::Text(text) = value {
        let bytes = text.trim_end_matches(if matches!(from, Type::Char(_)) { ' ' } else { '\0' }).as_bytes();
        let whole = |min: i64, max: i64| Ok(Value::Whole(integer::parse(bytes, min, max, "").map_err(fault)?.into()));
        return match to {
            Type::Boolean => Ok(Value::Boolean(boolean::parse(bytes).map_err(fault)?)),
            Type::Smallint => whole(i16::MIN.into(), i16::MAX.into()),
            Type::Integer => whole(i32::MIN.into(), i32::MAX.into()),
            Type::Bigint => whole(i64::MIN, i64::MAX),
            Type::Decimal { precision, scale } => {
                let unscaled = Decimal::parse_as(bytes, precision, scale, Fraction::Round).map_err(fault)?;
                Ok(Value::Exact(Decimal { unscaled, scale }.into()))
            }
            Type::Numeric => match Decimal::cast(bytes).map_err(fault)? {
                value if value.special().is_some() => unknown("an exact number without digits"),
                value => Ok(Value::Exact(value.into())),
            },
            Type::Real => Ok(Value::Real(float::parse_real(bytes).map_err(fault)?)),
            Type::Double => Ok(Value::Double(float::parse_double(bytes).map_err(fault)?)),
            Type::Date => Ok(Value::Moment(datetime::cast_date(bytes).map_err(fault)?.into())),
            Type::Time => Ok(Value::Moment(datetime::parse_time(bytes, Fraction::Round).map_err(fault)?)),
            Type::Timestamp => Ok(Value::Moment(datetime::cast_timestamp(bytes).map_err(fault)?)),
            Type::Timestamptz => Ok(Value::Moment(datetime::cast_timestamptz(bytes).map_err(fault)?)),
            _ => unknown("a cast from text"),
        };
    }
    match (value, from, to) {
        (Value::Boolean(value), _, to) if to.is_integer() => Ok(Value::Whole((*value).into())),
        (Value::Whole(value), _, Type::Boolean) => Ok(Value::Boolean(*value != 0)),
        (Value::Moment(days), Type::Date, Type::Timestamp | Type::Timestamptz) => {
            let micros = i128::from(*days) * i128::from(datetime::DAY_MICROS);
            i64::try_from(micros).map(Value::Moment).map_err(|_| Stop::Fault(Code::DatetimeOutOfRange))
        }
        (Value::Moment(micros), Type::Timestamp | Type::Timestamptz, Type::Date) => {
            Ok(Value::Moment(micros.div_euclid(datetime::DAY_MICROS)))
        }
        (Value::Moment(micros), Type::Timestamp | Type::Timestamptz, Type::Time) => {
            Ok(Value::Moment(micros.rem_euclid(datetime::DAY_MICROS)))
        }
        (Value::Moment(micros), from, to)
            if from == to || [from, to].iter().all(|ty| matches!(ty, Type::Timestamp | Type::Timestamptz)) =>
        {
            Ok(Value::Moment(*micros))
        }
        _ if from.is_number() && to.is_number() => number::cast(value, to),
        _ => unknown("a cast"),
    }
}

/// A piece of a pattern of `LIKE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Many,
    One,
    Char(char),
    /// An escape with nothing behind it.
    Open,
}

fn pieces(pattern: &[char], escape: Option<char>, fold: impl Fn(char) -> char) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = pattern.iter();
    while let Some(&char) = chars.next() {
        pieces.push(match char {
            _ if Some(char) == escape => chars.next().map_or(Piece::Open, |&literal| Piece::Char(fold(literal))),
            '%' => Piece::Many,
            '_' => Piece::One,
            _ => Piece::Char(fold(char)),
        });
    }
    pieces
}

/// Whether the characters are what the pattern describes, step for step as PostgreSQL finds it out; `None` where no
/// shorter rest of the text can be it either.
fn like(mut chars: &[char], mut pieces: &[Piece]) -> Result<Option<bool>, Stop> {
    let open = || Err(Stop::Fault(Code::BadEscape));
    while let ([char, after @ ..], [piece, rest @ ..]) = (chars, pieces) {
        match piece {
            Piece::Open => return open(),
            Piece::Char(wanted) if wanted != char => return Ok(Some(false)),
            Piece::Char(_) | Piece::One => (chars, pieces) = (after, rest),
            Piece::Many => {
                pieces = rest;
                while let [Piece::Many | Piece::One, rest @ ..] = pieces {
                    if pieces[0] == Piece::One {
                        let [_, after @ ..] = chars else { return Ok(None) };
                        chars = after;
                    }
                    pieces = rest;
                }
                match pieces {
                    [] => return Ok(Some(true)),
                    [Piece::Open, ..] => return open(),
                    _ => {}
                }
                while let [_, after @ ..] = chars {
                    match like(chars, pieces)? {
                        Some(false) => chars = after,
                        found => return Ok(found),
                    }
                }
                return Ok(None);
            }
        }
    }
    if !chars.is_empty() {
        return Ok(Some(false));
    }
    Ok(pieces.iter().all(|piece| *piece == Piece::Many).then_some(true))
}

//! Evaluate: a checked expression over the columns of a batch.
//!
//! Each part gives a [`Vector`]. A row with a fault is NULL in it. A part that only some rows reach (a branch of `CASE`,
//! the right side of `AND`) is evaluated only if some row does, and the faults of the others are dropped.

mod arithmetic;
pub(super) mod cast;
pub(super) mod compare;
pub(super) mod decimal;
pub(super) mod like;
pub(super) mod powers;
pub(super) mod vector;

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::cast::AsArray;
use arrow_array::new_null_array;
use arrow_buffer::BooleanBuffer;
use arrow_buffer::NullBuffer;
use arrow_select::interleave::interleave;

use super::Context;
use super::checked::Checked;
use super::checked::Form;
use super::functions::Call;
use super::functions::call;
use super::functions::check_joined;
use super::tree::Binary;
use super::tree::Test;
use crate::column::Column;
use crate::column::Fault;
use crate::column::Faults;
use crate::types::Type;
use like::Matcher;
use vector::Vector;

/// A batch that expressions are evaluated over.
pub(super) struct Batch<'a> {
    /// The columns by their position in the scope.
    pub(super) columns: &'a [Option<&'a Column>],
    pub(super) rows: usize,
    pub(super) context: &'a Context<'a>,
}

impl Batch<'_> {
    /// The values of a part of an expression. `locals` holds the values of the enclosing [`Form::Let`]s.
    pub(super) fn evaluate(&self, part: &Checked, locals: &mut Vec<Vector>) -> Vector {
        let ty = part.ty;
        match &part.form {
            Form::Constant(values) => Vector::constant(values.clone()),
            Form::Unknown(_) | Form::Beyond(_) => Vector::constant(new_null_array(&ty.arrow(), 1)),
            Form::Name(position) => match self.columns.get(*position) {
                Some(Some(column)) => Vector::rows((*column).clone()),
                _ => Vector::constant(new_null_array(&ty.arrow(), 1)),
            },
            Form::Local(level) => match locals.get(*level) {
                Some(value) => value.clone(),
                None => Vector::constant(new_null_array(&ty.arrow(), 1)),
            },
            Form::Let { value, body } => {
                let value = self.evaluate(value, locals);
                locals.push(value);
                let result = self.evaluate(body, locals);
                locals.pop();
                result
            }
            Form::Arithmetic { operator, left, right } => {
                let (left_type, right_type) = (left.ty, right.ty);
                self.strict(&[left, right], ty, locals, |call| {
                    arithmetic::arithmetic(*operator, call, left_type, right_type)
                })
            }
            Form::Negate(operand) => self.strict(&[operand], ty, locals, arithmetic::negate),
            Form::Compare { operator, left, right } => {
                let operands = left.ty;
                self.strict(&[left, right], ty, locals, |call| {
                    let [left, right] = call.arguments else { unreachable!("a comparison has two operands") };
                    let bits = compare::compare(*operator, left, right, operands, call.rows);
                    Column::new(booleans(bits, Vector::nulls_of(call.arguments, call.rows)))
                })
            }
            Form::Distinct { left, right, negated } => {
                let operands = left.ty;
                self.over_nulls(&[left, right], ty, locals, |call| {
                    let [left, right] = call.arguments else { unreachable!("a comparison has two operands") };
                    let differ = compare::compare(Binary::NotEqual, left, right, operands, call.rows);
                    let (left, right) = (valid(left, call.rows), valid(right, call.rows));
                    let distinct = &(&(&left & &right) & &differ) | &(&left ^ &right);
                    Column::new(booleans(if *negated { !&distinct } else { distinct }, None))
                })
            }
            Form::Not(operand) => self.strict(&[operand], ty, locals, |call| {
                let [operand] = call.arguments else { unreachable!("NOT has one operand") };
                let bits = operand.values.as_boolean();
                Column::new(booleans(!bits.values(), bits.nulls().cloned()))
            }),
            Form::And(operands) => self.logic(operands, false, locals),
            Form::Or(operands) => self.logic(operands, true, locals),
            Form::Is { operand, test, negated } => self.over_nulls(&[operand], ty, locals, |call| {
                let [operand] = call.arguments else { unreachable!("IS has one operand") };
                let valid = valid(operand, call.rows);
                let bits = match test {
                    Test::Null | Test::Unknown => !&valid,
                    Test::True => &valid & &truth(operand, call.rows),
                    Test::False => &valid & &!&truth(operand, call.rows),
                };
                Column::new(booleans(if *negated { !&bits } else { bits }, None))
            }),
            Form::OneOf { operand, list, has_null, negated } => self.strict(&[operand], ty, locals, |call| {
                let [operand] = call.arguments else { unreachable!("IN has one operand besides its list") };
                let found = compare::one_of(operand, list, call.rows);
                let nulls = operand.nulls(call.rows);
                // What is not found may be the NULL.
                let nulls =
                    if *has_null { NullBuffer::union(nulls.as_ref(), Some(&found.clone().into())) } else { nulls };
                Column::new(booleans(if *negated { !&found } else { found }, nulls))
            }),
            Form::Case { arms, otherwise } => self.case(arms, otherwise.as_deref(), ty, locals),
            Form::Coalesce(operands) => self.coalesce(operands, ty, locals),
            Form::Extreme { greatest, operands } => self.extreme(*greatest, operands, locals),
            Form::Cast(operand) => {
                let from = operand.ty;
                self.strict(&[operand], ty, locals, |call| cast::cast(call, from))
            }
            Form::TryCast(operand) => {
                let from = operand.ty;
                self.strict(&[operand], ty, locals, |call| Column::new(cast::cast(call, from).values))
            }
            Form::Concat(operands) => {
                let operands: Vec<&Checked> = operands.iter().collect();
                self.strict(&operands, ty, locals, |call| {
                    let readers = call.arguments.iter().map(|vector| (vector.values.as_string_view(), vector.mask()));
                    let readers: Vec<_> = readers.collect();
                    call.try_write_rows(|row, out| {
                        for (texts, mask) in &readers {
                            out.push_str(texts.value(row & mask));
                            check_joined(out)?;
                        }
                        Ok(true)
                    })
                })
            }
            Form::Like { operand, pattern, escape, matcher, ignore_case, negated } => match matcher {
                Some(matcher) => self.strict(&[operand], ty, locals, |call| {
                    call.map::<(call::Text,), call::Boolean>(|(text,)| Ok(Some(matcher.matches(text)? != *negated)))
                }),
                None => {
                    let operands: Vec<&Checked> = [&**operand, pattern].into_iter().chain(escape.as_deref()).collect();
                    self.strict(&operands, ty, locals, |call| like(call, *ignore_case, *negated))
                }
            },
            Form::Call { signature, arguments, .. } => {
                let arguments: Vec<&Checked> = arguments.iter().collect();
                match signature.strict {
                    true => self.strict(&arguments, ty, locals, signature.kernel),
                    false => self.over_nulls(&arguments, ty, locals, signature.kernel),
                }
            }
        }
    }

    /// A part whose rows have a value only where all its operands have one.
    fn strict(
        &self,
        operands: &[&Checked],
        ty: Type,
        locals: &mut Vec<Vector>,
        kernel: impl FnOnce(&Call<'_>) -> Column,
    ) -> Vector {
        let arguments: Vec<Vector> = operands.iter().map(|operand| self.evaluate(operand, locals)).collect();
        // A call without arguments depends on the row's place.
        let constant = !arguments.is_empty() && arguments.iter().all(|argument| argument.constant);
        let rows = if constant { 1 } else { self.rows };
        let column = kernel(&Call { arguments: &arguments, rows, ty, context: self.context });
        let faults = arguments.into_iter().fold(Faults::default(), |faults, mut argument| {
            if argument.faults.is_empty() { faults } else { faults.merge(argument.take_faults(rows)) }
        });
        Vector { values: column.values, faults: faults.merge(column.faults), constant }
    }

    /// A part that has a value also where an operand is NULL: a fault of an operand must then be kept apart.
    fn over_nulls(
        &self,
        operands: &[&Checked],
        ty: Type,
        locals: &mut Vec<Vector>,
        kernel: impl FnOnce(&Call<'_>) -> Column,
    ) -> Vector {
        let mut result = self.strict(operands, ty, locals, kernel);
        if !result.faults.is_empty() {
            result.values = without(&result.values, &result.faults);
        }
        result
    }

    /// `AND` and `OR`, in three values, from left to right. `decisive` is the value that decides a row, so that the
    /// operands after it are not reached.
    fn logic(&self, operands: &[Checked], decisive: bool, locals: &mut Vec<Vector>) -> Vector {
        let rows = self.rows;
        let mut reached = BooleanBuffer::new_set(rows);
        let mut decided = BooleanBuffer::new_unset(rows);
        let mut unknown = BooleanBuffer::new_unset(rows);
        let mut faults = Faults::default();
        for operand in operands {
            if !reached.has_true() {
                break;
            }
            let mut vector = self.evaluate(operand, locals);
            let (valid, truth) = (valid(&vector, rows), truth(&vector, rows));
            let decides = &valid & &if decisive { truth } else { !&truth };
            let mut met = vector.take_faults(rows);
            met.retain(|row| reached.value(row));
            decided = &decided | &(&reached & &decides);
            unknown = &unknown | &(&reached & &!&valid);
            reached = &reached & &!&decides;
            if !met.is_empty() {
                reached = &reached & &!&bits_of(&met, rows);
                faults = faults.merge(met);
            }
        }
        let known = &decided | &!&unknown;
        let bits = if decisive { decided } else { !&decided };
        let nulls = known.has_false().then(|| NullBuffer::new(known));
        Vector { values: booleans(bits, nulls), faults, constant: false }
    }

    fn case(
        &self,
        arms: &[(Checked, Checked)],
        otherwise: Option<&Checked>,
        ty: Type,
        locals: &mut Vec<Vector>,
    ) -> Vector {
        let mut choice = Choice::new(ty, self.rows);
        for (condition, result) in arms {
            if !choice.open.has_true() {
                break;
            }
            let mut condition = self.evaluate(condition, locals);
            let holds = &valid(&condition, self.rows) & &truth(&condition, self.rows);
            choice.fault(condition.take_faults(self.rows));
            let taken = &choice.open & &holds;
            if taken.has_true() {
                choice.take(self.evaluate(result, locals), &taken);
            }
        }
        if let Some(result) = otherwise
            && choice.open.has_true()
        {
            let taken = choice.open.clone();
            choice.take(self.evaluate(result, locals), &taken);
        }
        choice.finish()
    }

    fn coalesce(&self, operands: &[Checked], ty: Type, locals: &mut Vec<Vector>) -> Vector {
        let mut choice = Choice::new(ty, self.rows);
        for operand in operands {
            if !choice.open.has_true() {
                break;
            }
            let mut vector = self.evaluate(operand, locals);
            choice.fault(vector.take_faults(self.rows));
            let taken = &choice.open & &valid(&vector, self.rows);
            choice.take(vector, &taken);
        }
        choice.finish()
    }

    /// `GREATEST` and `LEAST`: every operand is evaluated; NULLs are passed over.
    fn extreme(&self, greatest: bool, operands: &[Checked], locals: &mut Vec<Vector>) -> Vector {
        let operator = if greatest { Binary::Greater } else { Binary::Less };
        let mut operands = operands.iter();
        let Some(first) = operands.next() else { return Vector::constant(new_null_array(&Type::Text.arrow(), 1)) };
        let ty = first.ty;
        let mut best = Vector::rows(self.evaluate(first, locals).into_column(self.rows));
        let mut faults = std::mem::take(&mut best.faults);
        for operand in operands {
            let next = Vector::rows(self.evaluate(operand, locals).into_column(self.rows));
            let better = compare::compare(operator, &next, &best, ty, self.rows);
            let replaces = &valid(&next, self.rows) & &(&better | &!&valid(&best, self.rows));
            let mut choice = Choice::new(ty, self.rows);
            faults = faults.merge(next.faults.clone());
            choice.take(Vector { faults: Faults::default(), ..next }, &replaces);
            let kept = choice.open.clone();
            choice.take(best, &kept);
            best = choice.finish();
        }
        best.values = without(&best.values, &faults);
        Vector { faults, ..best }
    }
}

/// A result whose rows come from several columns.
struct Choice {
    ty: Type,
    /// The columns that rows were taken from; the first is NULL.
    sources: Vec<ArrayRef>,
    /// For each row, the source and the row in it.
    picks: Vec<(usize, usize)>,
    /// The rows that have not been taken.
    open: BooleanBuffer,
    faults: Faults,
}

impl Choice {
    fn new(ty: Type, rows: usize) -> Self {
        let sources = vec![new_null_array(&ty.arrow(), 1)];
        let (open, faults) = (BooleanBuffer::new_set(rows), Faults::default());
        Self { ty, sources, picks: vec![(0, 0); rows], open, faults }
    }

    /// Closes the open rows among these with their faults.
    fn fault(&mut self, mut faults: Faults) {
        if faults.is_empty() {
            return;
        }
        faults.retain(|row| self.open.value(row));
        self.open = &self.open & &!&bits_of(&faults, self.picks.len());
        self.faults = std::mem::take(&mut self.faults).merge(faults);
    }

    /// Takes the value, or the fault, of each of these rows, which are open.
    fn take(&mut self, mut vector: Vector, taken: &BooleanBuffer) {
        let source = self.sources.len();
        self.sources.push(vector.values.clone());
        let mask = vector.mask();
        for row in taken.set_indices() {
            self.picks[row] = (source, row & mask);
        }
        let mut faults = vector.take_faults(self.picks.len());
        faults.retain(|row| taken.value(row));
        self.faults = std::mem::take(&mut self.faults).merge(faults);
        self.open = &self.open & &!taken;
    }

    fn finish(self) -> Vector {
        let sources: Vec<&dyn Array> = self.sources.iter().map(|source| &**source).collect();
        let rows = self.picks.len();
        // All sources have the type of the whole, so that this cannot fail.
        let values = interleave(&sources, &self.picks).unwrap_or_else(|_| new_null_array(&self.ty.arrow(), rows));
        Vector { values, faults: self.faults, constant: false }
    }
}

fn like(call: &Call<'_>, ignore_case: bool, negated: bool) -> Column {
    // Patterns repeat more often than they change.
    let last = std::cell::RefCell::new(None::<(String, Option<char>, Matcher)>);
    let one = |text: &str, pattern: &str, escape: Option<char>| {
        let mut last = last.borrow_mut();
        match &*last {
            Some((known, with, matcher)) if known == pattern && *with == escape => return matcher.matches(text),
            _ => {}
        }
        let matcher = Matcher::new(pattern, escape, ignore_case);
        let matches = matcher.matches(text);
        *last = Some((pattern.to_owned(), escape, matcher));
        matches
    };
    let result = |matches: Result<bool, Fault>| matches.map(|matches| Some(matches != negated));
    match call.arguments.len() {
        3 => call.map::<(call::Text, call::Text, call::Text), call::Boolean>(|(text, pattern, escape)| {
            result(like::escape(escape).and_then(|escape| one(text, pattern, escape)))
        }),
        _ => call
            .map::<(call::Text, call::Text), call::Boolean>(|(text, pattern)| result(one(text, pattern, Some('\\')))),
    }
}

fn booleans(bits: BooleanBuffer, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(BooleanArray::new(bits, nulls))
}

/// The rows with a value.
fn valid(vector: &Vector, rows: usize) -> BooleanBuffer {
    match vector.nulls(rows) {
        Some(nulls) => nulls.into_inner(),
        None => BooleanBuffer::new_set(rows),
    }
}

/// The bits of a boolean column; those of NULL rows are any.
fn truth(vector: &Vector, rows: usize) -> BooleanBuffer {
    let bits = vector.values.as_boolean().values();
    match (vector.constant, vector.constant && bits.value(0)) {
        (false, _) => bits.clone(),
        (true, true) => BooleanBuffer::new_set(rows),
        (true, false) => BooleanBuffer::new_unset(rows),
    }
}

fn bits_of(faults: &Faults, rows: usize) -> BooleanBuffer {
    let mut faulted = faults.iter().map(|(row, _)| row).peekable();
    BooleanBuffer::collect_bool(rows, |row| faulted.next_if_eq(&row).is_some())
}

/// The column with NULL in the rows that have a fault.
fn without(values: &ArrayRef, faults: &Faults) -> ArrayRef {
    if faults.is_empty() {
        return values.clone();
    }
    let faulted = BooleanArray::new(bits_of(faults, values.len()), None);
    match arrow_select::nullif::nullif(values, &faulted) {
        Ok(values) => values,
        Err(_) => new_null_array(values.data_type(), values.len()),
    }
}

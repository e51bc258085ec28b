//! Vector: the values of a part of an expression over the rows of a batch, or one value for all of them.

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::UInt32Array;
use arrow_array::new_null_array;
use arrow_buffer::NullBuffer;

use crate::column::Column;
use crate::column::Faults;

/// A column, or a constant: an array of one row that stands for every row.
#[derive(Debug, Clone)]
pub(in crate::expr) struct Vector {
    pub(in crate::expr) values: ArrayRef,
    pub(in crate::expr) faults: Faults,
    pub(in crate::expr) constant: bool,
}

impl Vector {
    /// A value for each row.
    pub(in crate::expr) fn rows(column: Column) -> Self {
        Self { values: column.values, faults: column.faults, constant: false }
    }

    /// The same value in every row.
    pub(in crate::expr) fn constant(values: ArrayRef) -> Self {
        Self { values, faults: Faults::default(), constant: true }
    }

    /// What a row's number is masked with to find its value.
    pub(in crate::expr) fn mask(&self) -> usize {
        if self.constant { 0 } else { usize::MAX }
    }

    /// The rows without a value.
    pub(in crate::expr) fn nulls(&self, rows: usize) -> Option<NullBuffer> {
        let nulls = self.values.nulls()?;
        match self.constant {
            true => nulls.is_null(0).then(|| NullBuffer::new_null(rows)),
            false => Some(nulls.clone()),
        }
    }

    /// The rows in which one of several has no value.
    pub(in crate::expr) fn nulls_of(vectors: &[Self], rows: usize) -> Option<NullBuffer> {
        vectors.iter().fold(None, |nulls, vector| NullBuffer::union(nulls.as_ref(), vector.nulls(rows).as_ref()))
    }

    /// Takes out the faults by row: the fault of a constant is every row's.
    pub(in crate::expr) fn take_faults(&mut self, rows: usize) -> Faults {
        let faults = std::mem::take(&mut self.faults);
        match faults.of(0) {
            Some(fault) if self.constant => {
                let mut every = Faults::default();
                for row in 0..rows {
                    every.push(row, fault.clone());
                }
                every
            }
            _ => faults,
        }
    }

    /// A value for each row, also of a constant.
    pub(in crate::expr) fn into_column(mut self, rows: usize) -> Column {
        if !self.constant {
            return Column { values: self.values, faults: self.faults };
        }
        let values = repeat(&self.values, rows);
        Column { values, faults: self.take_faults(rows) }
    }
}

/// The only row of an array, `rows` times.
fn repeat(values: &ArrayRef, rows: usize) -> ArrayRef {
    if values.is_null(0) {
        return new_null_array(values.data_type(), rows);
    }
    let first = UInt32Array::from(vec![0; rows]);
    match arrow_select::take::take(values, &first, None) {
        Ok(repeated) => repeated,
        Err(_) => new_null_array(values.data_type(), rows),
    }
}

//! `num_nulls`, `booland_statefunc` and others: functions of NULLs and booleans.

use std::sync::Arc;

use arrow_array::Int32Array;

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[NUM_NULLS, NUM_NONNULLS, BOOLAND_STATEFUNC, BOOLOR_STATEFUNC];

const NUM_NULLS: Function = Function {
    name: "num_nulls",
    aliases: &[],
    doc: "How many of the arguments are NULL",
    signatures: &[Signature {
        variadic: true,
        strict: false,
        ..Signature::new(&[Kind::Any], Type::Integer, |call| count(call, true))
    }],
    examples: &[("num_nulls(1, null, 'a')", "1"), ("num_nulls(null)", "1")],
};

const NUM_NONNULLS: Function = Function {
    name: "num_nonnulls",
    aliases: &[],
    doc: "How many of the arguments are not NULL",
    signatures: &[Signature {
        variadic: true,
        strict: false,
        ..Signature::new(&[Kind::Any], Type::Integer, |call| count(call, false))
    }],
    examples: &[("num_nonnulls(1, null, 'a')", "2")],
};

fn count(call: &Call<'_>, nulls: bool) -> Column {
    let counts = (0..call.rows).map(|row| {
        let counted = (0..call.arguments.len()).filter(|&at| call.is_null(at, row) == nulls).count();
        i32::try_from(counted).unwrap_or(i32::MAX)
    });
    Column::new(Arc::new(Int32Array::from_iter_values(counts)))
}

const BOOLAND_STATEFUNC: Function = Function {
    name: "booland_statefunc",
    aliases: &[],
    doc: "Whether both are true; NULL if one is NULL",
    signatures: &[Signature::new(&[Kind::Boolean, Kind::Boolean], Type::Boolean, |call| {
        call.map::<(call::Boolean, call::Boolean), call::Boolean>(|(left, right)| Ok(Some(left && right)))
    })],
    examples: &[("booland_statefunc(true, false)", "false"), ("booland_statefunc(null, false)", "NULL")],
};

const BOOLOR_STATEFUNC: Function = Function {
    name: "boolor_statefunc",
    aliases: &[],
    doc: "Whether one of both is true; NULL if one is NULL",
    signatures: &[Signature::new(&[Kind::Boolean, Kind::Boolean], Type::Boolean, |call| {
        call.map::<(call::Boolean, call::Boolean), call::Boolean>(|(left, right)| Ok(Some(left || right)))
    })],
    examples: &[("boolor_statefunc(true, false)", "true"), ("boolor_statefunc(null, true)", "NULL")],
};

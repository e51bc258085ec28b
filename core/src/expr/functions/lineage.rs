//! `batch_time`, `source_name`, `record_offset`: where a row comes from.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Int64Array;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;

use super::Function;
use super::Signature;
use crate::column::Column;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[BATCH_TIME, SOURCE_NAME, RECORD_OFFSET];

const BATCH_TIME: Function = Function {
    name: "batch_time",
    aliases: &[],
    doc: "The time for which the run was planned, the same however often it is repeated",
    signatures: &[Signature::new(&[], Type::Timestamptz, |call| {
        let times = TimestampMicrosecondArray::from(vec![call.context.batch_time; call.rows]);
        column(times.with_data_type(Type::Timestamptz.arrow()))
    })],
    examples: &[("batch_time()", "2026-01-31 12:00:00+00"), ("batch_time()::date", "2026-01-31")],
};

const SOURCE_NAME: Function = Function {
    name: "source_name",
    aliases: &[],
    doc: "The key of the object that the row comes from, or its path",
    signatures: &[Signature::new(&[], Type::Text, |call| {
        column(std::iter::repeat_n(call.context.source_name, call.rows).map(Some).collect::<StringViewArray>())
    })],
    examples: &[("source_name()", "orders/1.csv")],
};

const RECORD_OFFSET: Function = Function {
    name: "record_offset",
    aliases: &[],
    doc: "The place of the row's record in its object: the offset of its first byte",
    signatures: &[Signature::new(&[], Type::Bigint, |call| {
        let offsets = call.context.record_offsets.iter().map(|&offset| i64::try_from(offset).ok());
        column(offsets.chain(std::iter::repeat(None)).take(call.rows).collect::<Int64Array>())
    })],
    examples: &[("record_offset()", "17")],
};

fn column(values: impl arrow_array::Array + 'static) -> Column {
    let values: ArrayRef = Arc::new(values);
    Column::new(values)
}

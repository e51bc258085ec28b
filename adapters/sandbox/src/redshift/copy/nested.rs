//! Nested: lists, maps and structs of a Parquet file as documents, for SERIALIZETOJSON.

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::ListArray;
use arrow_array::MapArray;
use arrow_array::StringArray;
use arrow_array::StructArray;
use etalon_core::value::json::write_string;
use etalon_core::value::show::show;

use arrow_schema::DataType;

/// Appends a value as JSON; `Err` holds the words of an error.
pub(super) fn write(array: &ArrayRef, row: usize, out: &mut String) -> Result<(), String> {
    if array.is_null(row) {
        out.push_str("null");
        return Ok(());
    }
    let any = array.as_any();
    if let Some(fields) = any.downcast_ref::<StructArray>() {
        let members = fields.fields().iter().zip(fields.columns());
        return joined('{', members, '}', out, |(field, column), out| {
            write_string(field.name(), out);
            out.push(':');
            write(column, row, out)
        });
    }
    if let Some(list) = any.downcast_ref::<ListArray>() {
        let elements = list.value(row);
        return joined('[', 0..elements.len(), ']', out, |element, out| write(&elements, element, out));
    }
    if let Some(map) = any.downcast_ref::<MapArray>() {
        let entries = map.value(row);
        let (keys, values) = (entries.column(0), entries.column(1));
        return joined('{', 0..entries.len(), '}', out, |entry, out| {
            write_string(&show(keys, entry).unwrap_or_default(), out);
            out.push(':');
            write(values, entry, out)
        });
    }
    if let Some(texts) = any.downcast_ref::<StringArray>() {
        write_string(texts.value(row), out);
        return Ok(());
    }
    let shown = show(array, row);
    match (array.data_type(), shown) {
        (DataType::Boolean, Some(word)) => out.push_str(&word),
        (ty, Some(number)) if ty.is_integer() || ty.is_floating() || matches!(ty, DataType::Decimal128(..)) => {
            out.push_str(&number);
        }
        // Redshift has no days and instants in documents.
        (ty, _) => return Err(format!("ERROR: the sandbox does not translate {ty} within a document")),
    }
    Ok(())
}

fn joined<T>(
    open: char,
    items: impl Iterator<Item = T>,
    close: char,
    out: &mut String,
    mut item: impl FnMut(T, &mut String) -> Result<(), String>,
) -> Result<(), String> {
    out.push(open);
    for (place, one) in items.enumerate() {
        if place > 0 {
            out.push(',');
        }
        item(one, out)?;
    }
    out.push(close);
    Ok(())
}

//! Page: the first page of an API, and what its records have, beside what the pipeline file declares. Nothing of it is kept.

use std::collections::{BTreeMap, BTreeSet};

use etalon_driver::land::{Asked, Land, Landed};
use etalon_driver::memory::Memory;
use etalon_driver::ports::Objects;
use serde_json::Value;

use crate::failure::Failure;
use crate::input::lander;
use crate::loaded::Loaded;

/// Asks for the first page with records, and says what they have, a line a field.
pub(super) fn first(loaded: &Loaded) -> Result<Vec<String>, Failure> {
    if loaded.pipeline.location().api().is_none() {
        let kind = loaded.pipeline.location().kind();
        let failure = Failure::environment(format!("the source is `{kind}`, and --connect asks an API or a database"));
        return Err(failure.with_help("`etalon preview` shows the first records of any source"));
    }
    let memory = Memory::default();
    let land = Land { rows_max: Some(1), ..lander(loaded, &memory) };
    let report = loaded.land(&land, Asked::New)?;
    let there = Landed::new(memory, loaded.pipeline.name(), Vec::new(), false);
    let mut records = Vec::new();
    for object in pollster::block_on(there.objects("", None, usize::MAX))? {
        let bytes = pollster::block_on(there.read(&object, 0..object.size))?;
        let lines = bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        records.extend(lines);
    }
    let declared: Vec<&str> = loaded.pipeline.source_names().collect();
    Ok(report.notes.into_iter().chain(told(&records, &declared)).collect())
}

/// What records have, a line a field.
fn told(records: &[Value], declared: &[&str]) -> Vec<String> {
    let all = records.len();
    if all == 0 {
        return vec!["connected: no page of the source has a record".to_owned()];
    }
    let mut fields: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for (name, value) in records.iter().filter_map(Value::as_object).flatten() {
        let (count, kinds) = fields.entry(name).or_default();
        *count += 1;
        kinds.insert(kind(value));
    }
    let mut lines =
        vec![format!("connected: the first page has {all} {}", if all == 1 { "record" } else { "records" })];
    for (name, (count, kinds)) in &fields {
        let kinds = kinds.iter().copied().collect::<Vec<_>>().join(" or ");
        let often = if *count == all { String::new() } else { format!(", in {count} of {all}") };
        let unknown = if declared.contains(name) { "" } else { "; the file declares no such field" };
        lines.push(format!("field `{name}`: {kinds}{often}{unknown}"));
    }
    for name in declared.iter().filter(|name| !fields.contains_key(*name)) {
        lines.push(format!("field `{name}`: in none of {all}"));
    }
    lines
}

/// What a value is, in a word.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "decimal",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "mapping",
    }
}

//! Names: where everything that is kept between calls lies in the store.

use crate::plan::identity;
use crate::warehouse::Table;

/// The plan of an input in a generation.
pub fn plan(input: &str, generation: u32) -> String {
    if generation == 0 { format!("plans/{input}.json") } else { format!("plans/{input}-{generation}.json") }
}

/// The pipeline file of a fingerprint.
pub fn pipeline(fingerprint: &str) -> String {
    format!("pipelines/{fingerprint}.yaml")
}

/// The receipt of a batch.
pub fn receipt(batch: &str) -> String {
    format!("receipts/{batch}.json")
}

/// Where staged parts lie, a folder a batch.
pub const STAGED: &str = "staged/";

/// A staged part of a batch.
pub fn part(batch: &str, part: &str) -> String {
    format!("{STAGED}{batch}/{part}")
}

/// A piece of a batch's quarantine.
pub fn quarantine(batch: &str, piece: &str) -> String {
    format!("quarantine/{batch}/{piece}")
}

/// A decision about rejects of an input; all of the input's, without a number.
pub fn marks(input: &str, number: Option<u32>) -> String {
    // Numbers of one length, so that a listing has them in order.
    number.map_or_else(|| format!("marks/{input}/"), |number| format!("marks/{input}/{number:08}.json"))
}

/// The record of an object's versions.
pub fn source(pipeline: &str, source: &str) -> String {
    format!("sources/{}.json", identity("source", &[pipeline, source]))
}

/// The mark of an input whose tasks have all been sent; they lie together, so that one listing tells them all.
pub fn sent(pipeline: &str, input: &str) -> String {
    format!("sent/{pipeline}/{input}")
}

/// A leg of a run, where whole runs are loaded; all of the run's, without a number.
pub fn leg(pipeline: &str, run: &str, hop: Option<u32>) -> String {
    let folder = format!("runs/{}/", run_unit(pipeline, run));
    hop.map_or_else(|| folder.clone(), |hop| format!("{folder}{hop:08}.json"))
}

/// The unit of a run.
pub fn run_unit(pipeline: &str, run: &str) -> String {
    identity("run", &[pipeline, run])
}

/// The unit of an input in a generation.
pub fn unit(input: &str, generation: u32) -> String {
    format!("{input}-{generation}")
}

/// The document of a unit, which stays.
pub fn unit_document(table: &str, unit: &str) -> String {
    format!("units/{table}/{unit}.json")
}

/// The mark of a unit that waits for its load; all of a table's, with an empty name.
pub fn pending(table: &str, unit: &str) -> String {
    format!("pending/{table}/{unit}")
}

/// The mark of a unit that waits for a decision; all of a table's, with an empty name.
pub fn held(table: &str, unit: &str) -> String {
    format!("held/{table}/{unit}")
}

/// The load in flight of a table.
pub fn current(table: &str) -> String {
    format!("loads/{table}/current")
}

/// The manifest of a load: which staged files the warehouse takes.
pub fn manifest(load: &str) -> String {
    format!("manifests/{load}.json")
}

/// A table as a part of a name: `schema.table`, with every other character than letters, digits, `_` and `-` in hexadecimal.
pub fn table(table: &Table) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (position, name) in table.schema.iter().chain([&table.name]).enumerate() {
        if position > 0 {
            text.push('.');
        }
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
                text.push(byte as char);
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// The group of a table's load messages.
pub fn group(table: &str) -> String {
    identity("table", &[table])
}

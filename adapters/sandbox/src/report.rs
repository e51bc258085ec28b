//! Report: the result of a run on the sandbox, and what it took.

use std::collections::BTreeMap;
use std::io::{self, Write};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::UnitState;
use etalon_core::receipt::Counts;
use etalon_core::warehouse::LoadCounts;
use etalon_sandbox::cloud::Cloud;

/// A mebibyte.
const MIB: f64 = 1024.0 * 1024.0;

/// Tells what came of everything, and whether it is as wanted.
pub(crate) async fn report(cloud: &Cloud, bytes: usize, seconds: f64) -> Result<bool, Error> {
    let mut counts = Counts::default();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let receipts = cloud.receipts().await?;
    for receipt in &receipts {
        counts.add(receipt.counts);
        for (reason, count) in &receipt.reasons {
            *reasons.entry(reason.clone()).or_default() += count;
        }
    }
    let mut text = String::new();
    let filtered = counts.filtered_false + counts.filtered_null;
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!(
        "{} rows, {:.1} MiB in {seconds:.1} s: {:.0} rows/s, {} tasks",
        counts.read,
        bytes as f64 / MIB,
        counts.read as f64 / seconds,
        receipts.len(),
    ));
    line(format!(
        "read {} = {} staged + {filtered} filtered + {} quarantined",
        counts.read, counts.staged, counts.quarantined
    ));
    for (reason, count) in reasons {
        line(format!("  {reason}: {count}"));
    }
    let mut loaded = LoadCounts::default();
    let ledger = cloud.ledger()?;
    for row in &ledger {
        loaded.add(row.counts);
    }
    line(format!(
        "staged {} = {} inserted + {} updated + {} unchanged + {} deduplicated + {} superseded; {} ledger rows",
        loaded.staged,
        loaded.inserted,
        loaded.updated,
        loaded.unchanged,
        loaded.deduplicated,
        loaded.superseded,
        ledger.len(),
    ));
    line(format!(
        "{:<10}{:>12}{:>8}{:>7}{:>10}{:>10}{:>12}{:>10}",
        "function", "invocations", "errors", "cold", "CPU s", "peak MiB", "billed s", "messages"
    ));
    for stage in cloud.stages() {
        let totals = stage.function.totals();
        line(format!(
            "{:<10}{:>12}{:>8}{:>7}{:>10.2}{:>10.1}{:>12.2}{:>10}",
            stage.step.name(),
            totals.invocations,
            totals.errors,
            totals.cold_starts,
            totals.cpu.as_secs_f64(),
            totals.memory_peak as f64 / MIB,
            totals.billed_ms as f64 / 1e3,
            stage.polled().done,
        ));
    }
    for ((service, operation), count) in cloud.requests() {
        line(format!("  {service} {operation}: {count}"));
    }
    let letters = cloud.dead_letters().await?;
    for letter in &letters {
        line(format!("dead letter of {}: {}", letter.step.name(), letter.reason()));
    }
    let mut held = false;
    for unit in cloud.units().await? {
        if let UnitState::Held { reasons, .. } = unit.state {
            held = true;
            line(format!("held: {}", reasons.join("; ")));
        }
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("standard output: {error}")))?;
    Ok(letters.is_empty() && !held)
}

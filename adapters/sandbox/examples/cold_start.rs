//! How long a function takes from the start of its process to the first poll, and to the end of a first tiny task: fifty
//! objects of one row arrive, and every one finds three functions that are not running.
//!
//! ```text
//! cargo build --release && cargo run --release -p etalon-sandbox --example cold_start
//! ```

#![allow(clippy::print_stdout, reason = "it is what it is for")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use etalon_sandbox::cloud::{Cloud, Counterparts, Programs, Settings};

/// How often everything starts.
const TIMES: usize = 50;
/// A pipeline with a bit of everything that is made ready once: expressions, a pattern, a check.
const PIPELINE: &str = "
etalon: 1
pipeline: tiny
source:
  files: in/*.csv
  format: csv
  fields:
    id: bigint
    name:
    amount: decimal(12,2)
columns:
  id: required
  name: { from: upper(trim(name)), type: varchar(20), matches: '^[A-Z]+$' }
  amount: decimal(12,2) required
checks:
  amount_positive: amount >= 0
target: { table: tiny, write: append }
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let programs = Programs::find()?;
    for program in [&programs.extract, &programs.transform, &programs.load] {
        println!("{}: {} bytes", program.display(), std::fs::metadata(program)?.len());
    }
    let settings = Settings::new("cold", PIPELINE, programs);
    let cloud = Cloud::start(Arc::new(Counterparts::start()?), settings).await?;
    for number in 0..TIMES {
        let row = format!("id,name,amount\n{number},ada,1.50\n");
        let key = cloud.upload(&format!("in/{number:02}.csv"), row.into_bytes()).await?;
        for stage in cloud.stages() {
            stage.function.retire();
        }
        cloud.object_created(&key).await?;
        cloud.settle(Duration::from_secs(60)).await?;
    }
    println!("{} rows loaded", cloud.ledger()?.iter().map(|row| row.counts.inserted).sum::<u64>());
    println!("{:<10}{:>8}{:>18}{:>18}{:>10}", "function", "starts", "first poll, ms", "first end, ms", "peak MiB");
    for stage in cloud.stages() {
        let reports = stage.function.reports();
        let mut starts = Vec::new();
        let mut ends = Vec::new();
        let mut peak = 0;
        for report in reports.iter().filter(|report| report.is_cold) {
            let init = report.init.ok_or("a start on an invocation's time")?;
            starts.push(init.as_secs_f64() * 1e3);
            ends.push((init + report.duration).as_secs_f64() * 1e3);
            peak = peak.max(report.memory_peak);
        }
        println!(
            "{:<10}{:>8}{:>18}{:>18}{:>10.1}",
            stage.step.name(),
            starts.len(),
            spread(&mut starts),
            spread(&mut ends),
            peak as f64 / 1048576.0
        );
    }
    Ok(())
}

/// The median, with the tenth and the ninetieth of a hundred.
fn spread(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values.get(values.len() * share / 100).copied().unwrap_or(f64::NAN);
    format!("{:.1} ({:.1}-{:.1})", at(50), at(10), at(90))
}

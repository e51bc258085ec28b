//! `etalon preview`: the first rows as the target would get them, and the rejects among them. Nothing is kept.

use std::path::PathBuf;

use clap::Args;
use etalon_core::pipeline::RowOutput;
use etalon_core::value::show::show;
use etalon_driver::local::SystemClock;
use etalon_driver::ports::{Clock, Quiet};
use etalon_driver::transform;

use crate::failure::Failure;
use crate::output::{Form, Output, table, thousands};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The pipeline file
    pipeline: PathBuf,
    /// Files to read in place of the pipeline's source: paths or globs
    #[arg(long)]
    from: Vec<String>,
    /// How many records to look at
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// How to write the rows
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

/// What was seen of the first records.
#[derive(Default)]
struct Seen {
    rows: Vec<Vec<Option<String>>>,
    rejects: Vec<String>,
    filtered: u64,
}

pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let loaded = super::load(&arguments.pipeline, output)?;
    let (disk, objects) = loaded.objects(&arguments.from)?;
    let columns = loaded.pipeline.columns();
    let mut seen = Seen::default();
    let mut looked_at = 0;
    'objects: for object in &objects {
        for task in loaded.pipeline.plan(object, SystemClock.now()).tasks() {
            let mut run = loaded.pipeline.rows(&task);
            loop {
                match pollster::block_on(transform::output(&mut run, object, &disk, &Quiet))? {
                    RowOutput::Finished(..) => break,
                    RowOutput::Rows(records, outcome) => {
                        let left = arguments.rows - looked_at;
                        for (position, &row) in outcome.accepted_rows.iter().enumerate() {
                            if row < left {
                                seen.rows.push(outcome.accepted.iter().map(|column| show(column, position)).collect());
                            }
                        }
                        let place = |offset: u64| format!("{} at byte {}", object.name, thousands(offset));
                        for reject in records.rejects.iter().take(left) {
                            let reason = &reject.reason;
                            seen.rejects.push(format!(
                                "{}: {} {}",
                                place(reject.place.offset),
                                reason.code,
                                reason.message
                            ));
                        }
                        for (row, reasons) in outcome.rejected.iter().filter(|(row, _)| *row < left) {
                            for reason in reasons {
                                let place = place(records.places[*row].offset);
                                let line = format!("{place}: {} {}: {}", reason.code, reason.subject, reason.message);
                                seen.rejects.push(line);
                            }
                        }
                        seen.filtered += outcome.filtered_false + outcome.filtered_null;
                        looked_at += records.len().min(left);
                        if looked_at >= arguments.rows {
                            break 'objects;
                        }
                    }
                }
            }
        }
    }
    let header: Vec<String> = columns.iter().map(|(name, _, _)| name.clone()).collect();
    match arguments.output {
        Form::Table => {
            let header: Vec<String> = columns.iter().map(|(name, ty, _)| format!("{name} {ty}")).collect();
            let numeric: Vec<bool> = columns.iter().map(|(_, ty, _)| ty.is_number()).collect();
            output.data(&table(&header, &numeric, &seen.rows))?;
        }
        Form::Csv => {
            let mut text = etalon_driver::cases::csv_line(&header.into_iter().map(Some).collect::<Vec<_>>());
            seen.rows.iter().for_each(|row| text.push_str(&etalon_driver::cases::csv_line(row)));
            output.data(&text)?;
        }
        Form::Json => {
            let rows: Vec<serde_json::Map<String, serde_json::Value>> = seen
                .rows
                .iter()
                .map(|row| header.iter().cloned().zip(row.iter().cloned().map(Into::into)).collect())
                .collect();
            output.json(&serde_json::json!({ "rows": rows, "rejects": seen.rejects, "filtered": seen.filtered }))?;
            return Ok(());
        }
    }
    if !seen.rejects.is_empty() {
        output.note("rejects:");
        seen.rejects.iter().for_each(|reject| output.note(&format!("  {reject}")));
    }
    Ok(())
}

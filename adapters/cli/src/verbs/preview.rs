//! `etalon preview`: shows the first rows as the target would get them, and the rejects among them. It stores nothing.

use std::num::NonZero;

use clap::Args;
use etalon_core::pipeline::RowOutput;
use etalon_core::plan::Object;
use etalon_core::reject::{MASKED, Reason};
use etalon_core::types::Type;
use etalon_core::value::show::show;
use etalon_driver::land::{Asked, Land, Landed};
use etalon_driver::local::SystemClock;
use etalon_driver::memory::Memory;
use etalon_driver::ports::{Clock, Objects, Quiet};
use etalon_driver::transform;
use serde::Serialize;

use super::Verb;
use crate::arguments::{Source, Written, at_least_one};
use crate::failure::Failure;
use crate::input::{Found, lander};
use crate::lines;
use crate::loaded::Loaded;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View, thousands};

/// Show the first rows, typed, and the rejects among them
#[derive(Debug, Args)]
pub(super) struct Preview {
    #[command(flatten)]
    source: Source,
    /// How many records to read
    #[arg(long, default_value = "10", value_name = "N", value_parser = at_least_one)]
    rows: NonZero<usize>,
    #[command(flatten)]
    written: Written,
}

/// What was seen of the first records.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    rows: Table,
    rejects: Vec<Rejected>,
    /// Records that `where` leaves out.
    filtered: u64,
    /// The type of each column, and whether people must not see its values.
    #[serde(skip)]
    columns: Vec<(Type, bool)>,
}

/// One reason for which a record is rejected.
#[derive(Debug, Serialize)]
struct Rejected {
    source: String,
    line: Option<u64>,
    offset: u64,
    #[serde(flatten)]
    reason: Reason,
}

impl Verb for Preview {
    const NAME: &'static str = "preview";
    type Found = Seen;

    fn carry_out(&self, output: Output) -> Result<Seen, Failure> {
        let loaded = self.source.file.load(output)?;
        let mut seen = Seen { rows: Table::default(), rejects: Vec::new(), filtered: 0, columns: Vec::new() };
        let mut headings = Vec::new();
        for ((name, ty, _), is_masked) in loaded.pipeline.columns().into_iter().zip(loaded.pipeline.sensitive_columns())
        {
            let kind = if is_masked { Kind::Text } else { ty.into() };
            headings.push(Column { heading: format!("{name} {ty}"), name, kind });
            seen.columns.push((ty, is_masked));
        }
        seen.rows = Table::new(headings);
        match self.source.find(&loaded, Some(Asked::New), output)? {
            Found::Files(disk, objects) => seen.look_at_all(&loaded, &disk, &objects, self.rows.get())?,
            // As many rows as are shown land in memory, and nothing is kept.
            Found::Lands(_) => {
                let memory = Memory::default();
                let rows_max = Some(self.rows.get() as u64);
                let land = Land { rows_max, ..lander(&loaded, &memory) };
                loaded.land(&land, Asked::New)?;
                let columns = loaded.pipeline.source_names().map(str::to_owned).collect();
                let landed = Landed::new(memory, loaded.pipeline.name(), columns, false);
                let objects = pollster::block_on(landed.objects("", None, usize::MAX))?;
                seen.look_at_all(&loaded, &landed, &objects, self.rows.get())?;
            }
        }
        Ok(seen)
    }
}

impl Seen {
    /// Looks at the first records of objects, `left` of them.
    fn look_at_all(
        &mut self,
        loaded: &Loaded,
        source: &impl Objects,
        objects: &[Object],
        mut left: usize,
    ) -> Result<(), Failure> {
        for object in objects {
            if left == 0 {
                break;
            }
            left -= self.look(loaded, source, object, left)?;
        }
        Ok(())
    }

    /// Looks at the first records of an object, `most` of them; gives how many they were.
    fn look(&mut self, loaded: &Loaded, source: &impl Objects, object: &Object, most: usize) -> Result<usize, Failure> {
        let mut looked_at = 0;
        let mut rejected: Vec<(u64, Reason)> = Vec::new();
        'tasks: for task in loaded.pipeline.plan(object, SystemClock.now()).tasks() {
            let mut run = loaded.pipeline.rows(&task);
            loop {
                match pollster::block_on(transform::output(&mut run, object, source, &Quiet))? {
                    RowOutput::Finished(..) => break,
                    RowOutput::Rows(records, outcome) => {
                        let unread = records.rejects.iter().map(|reject| reject.place.offset);
                        let mut offsets: Vec<u64> =
                            records.places.iter().map(|place| place.offset).chain(unread).collect();
                        offsets.sort_unstable();
                        offsets.truncate(most - looked_at);
                        let Some(&last) = offsets.last() else { continue };
                        let is_seen = |row: usize| records.places[row].offset <= last;

                        let (mut kept, before) = (0, rejected.len());
                        for (position, _) in outcome.accepted_rows.iter().enumerate().filter(|(_, row)| is_seen(**row))
                        {
                            let cells = outcome.accepted.iter().map(|column| show(column, position));
                            let masked = cells.zip(&self.columns).map(|(cell, (ty, is_masked))| match (cell?, ty) {
                                _ if *is_masked => Some(MASKED.to_owned()),
                                (cell, Type::Boolean) => Some((cell == "t").to_string()),
                                (cell, _) => Some(cell),
                            });
                            self.rows.push(masked.collect());
                            kept += 1;
                        }
                        for (row, reasons) in outcome.rejected.iter().filter(|(row, _)| is_seen(*row)) {
                            let offset = records.places[*row].offset;
                            rejected.extend(reasons.iter().map(|reason| (offset, reason.clone())));
                            kept += 1;
                        }
                        for reject in records.rejects.iter().filter(|reject| reject.place.offset <= last) {
                            rejected.push((reject.place.offset, reject.reason.clone()));
                            kept += 1;
                        }
                        rejected[before..].sort_by_key(|(offset, _)| *offset);
                        self.filtered += (offsets.len() - kept) as u64;
                        looked_at += offsets.len();
                        if looked_at == most {
                            break 'tasks;
                        }
                    }
                }
            }
        }
        let offsets: Vec<u64> = rejected.iter().map(|(offset, _)| *offset).collect();
        let lines = if offsets.is_empty() {
            Vec::new()
        } else {
            pollster::block_on(lines::of(&loaded.pipeline, source, object, &offsets))
        };
        let name = &object.name;
        let rejected = rejected.into_iter().zip(lines);
        self.rejects.extend(rejected.map(|((offset, reason), line)| Rejected {
            source: name.clone(),
            line,
            offset,
            reason,
        }));
        Ok(looked_at)
    }
}

impl View for Seen {
    fn table(&self) -> Table {
        self.rows.clone()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.filtered > 0 {
            notes.push(format!("filtered: {}", thousands(self.filtered)));
        }
        if !self.rejects.is_empty() {
            notes.push("rejects:".to_owned());
        }
        notes.extend(self.rejects.iter().map(|Rejected { source, line, offset, reason }| {
            let place = lines::place(source, *line, *offset);
            format!("  {place}: {} {}: {}", reason.code, reason.subject, reason.message)
        }));
        notes
    }
}

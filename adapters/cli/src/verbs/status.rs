//! `etalon status`: shows the state of a pipeline between two runs.

use clap::Args;
use etalon_core::warehouse::Unlike;
use etalon_driver::letters::Messages;
use etalon_driver::local::SystemClock;
use etalon_driver::ports::Clock;
use etalon_driver::status::{self, FailingLoad, InWarehouse, LoadReport, Status as Found, TableState};
use serde::Serialize;

use super::Verb;
use super::run::size_of;
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::form::unbroken;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View, how_many, thousands, unknown_rejects};

/// How many files are named of which the table has other rows than the ledger says.
const UNLIKE_TOLD: usize = 3;

/// Show what is loaded, what waits, what is held and why, and which rejects are open
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    file: PipelineFile,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

/// How the pipeline stands.
#[derive(Debug, Serialize)]
pub(super) struct Stands {
    /// The warehouse, without a password; none where it is not there yet.
    warehouse: Option<String>,
    #[serde(flatten)]
    found: Found,
    /// What the functions have before them, where the pipeline is deployed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queues: Vec<Messages>,
}

impl Verb for Status {
    const NAME: &'static str = "status";
    type Found = Stands;

    fn carry_out(&self, output: Output) -> Result<Stands, Failure> {
        if let Some((remote, _)) = self.destination.remote(&self.file, output)? {
            let now = SystemClock.now();
            let found = remote.block(status::status(remote.pipeline(), remote.store(), remote.in_warehouse()?, now))?;
            return Ok(Stands { warehouse: Some(remote.url("")), found, queues: remote.messages()? });
        }
        let loaded = self.file.load(output)?;
        let mut warehouse = self.destination.open_there(&loaded.state())?;
        let store = loaded.store(&self.destination)?;
        let in_warehouse = match &mut warehouse {
            None => InWarehouse::NOTHING,
            Some(warehouse) => pollster::block_on(InWarehouse::of(&loaded.pipeline, warehouse))?,
        };
        let found = status::status(&loaded.pipeline, &store, in_warehouse, SystemClock.now());
        let found = pollster::block_on(found)?;
        Ok(Stands { warehouse: warehouse.map(|warehouse| warehouse.place()), found, queues: Vec::new() })
    }
}

impl View for Stands {
    /// A row for everything that somebody may have to look at.
    fn table(&self) -> Table {
        let texts = |names: [&str; 2]| names.map(|name| Column::new(name, Kind::Text));
        let counts = ["files", "rows", "rejects"].map(|name| Column::new(name, Kind::Count));
        let [what, name] = texts(["what", "name"]);
        let reason = Column::new("reason", Kind::Text);
        let mut table = Table::new([what, name].into_iter().chain(counts).chain([reason]).collect());
        let mut push = |what: &str, name: &str, [files, rows, rejects]: [Option<u64>; 3], reason: Option<String>| {
            let count = |count: Option<u64>| count.map(|count| count.to_string());
            table.push(vec![
                Some(what.to_owned()),
                Some(name.to_owned()),
                count(files),
                count(rows),
                count(rejects),
                reason,
            ]);
        };
        for LoadReport { loaded_at, files, counts } in &self.found.loads {
            push("load", loaded_at, [Some(*files), Some(counts.staged), None], None);
        }
        for held in &self.found.held {
            let counts = [held.sources.len() as u64, held.counts.staged, held.counts.quarantined].map(Some);
            push("held", &held.title, counts, Some(held.reasons.join("; ")));
        }
        if let Some(FailingLoad { words, .. }) = &self.found.failing {
            push("failing load", &self.found.table, [None; 3], Some(words.clone()));
        }
        self.found.planned.iter().for_each(|name| push("planned", name, [None; 3], None));
        self.found.waiting.iter().for_each(|name| push("waiting", name, [None; 3], None));
        self.found.discarded.iter().for_each(|name| push("discarded", name, [None; 3], None));
        for Messages { function, waiting, received, dead } in &self.queues {
            push("messages", function, [None; 3], Some(messages(*waiting, *received, *dead)));
        }
        for (source, open) in &self.found.open_rejects {
            push("open rejects", source, [None, None, Some(*open)], None);
        }
        table
    }

    fn page(&self) -> String {
        let found = &self.found;
        let place = match (&self.warehouse, found.table_state) {
            (None, _) => "the warehouse is not there yet".to_owned(),
            (Some(place), TableState::Absent) => format!("{place}, where the table is not there"),
            (Some(place), TableState::Empty) => format!("{place}, where the table is empty"),
            (Some(place), TableState::HasRows) => place.clone(),
        };
        let mut page = format!("{} -> {}: {place}\n", found.pipeline, found.table);
        match found.seconds_since_load {
            None => page.push_str("  nothing was loaded\n"),
            Some(seconds) => {
                let files = how_many(found.files, "file");
                page.push_str(&format!("  {files} loaded, the last {} ago\n", span(seconds)));
            }
        }
        for LoadReport { loaded_at, files, counts } in &found.loads {
            let (files, rows) = (how_many(*files, "file"), how_many(counts.staged, "row"));
            let removed =
                if counts.removed > 0 { format!(", {} removed", thousands(counts.removed)) } else { String::new() };
            page.push_str(&format!("  {loaded_at}: {files}, {rows}{removed}\n"));
        }
        for held in &found.held {
            let size = size_of(held, &found.held);
            for reason in &held.reasons {
                page.push_str(&format!("  HELD: {} ({size})\n", unbroken(reason)));
            }
        }
        if let Some(FailingLoad { failures, next, words }) = &found.failing {
            let times = how_many((*failures).into(), "time");
            page.push_str(&format!("  THE LOAD FAILS, {times} so far, next at {next}: {words}\n"));
        }
        // Where no message speaks of it, no function will.
        let is_idle = self.queues.iter().all(|of| of.waiting + of.received == 0);
        let planned = match self.queues.as_slice() {
            [] => "planned, and read by the next run",
            _ if is_idle => "PLANNED, AND NO MESSAGE SPEAKS OF IT (`etalon reload` begins anew)",
            _ => "at work",
        };
        found.planned.iter().for_each(|name| page.push_str(&format!("  {planned}: {}\n", unbroken(name))));
        let waits = if self.queues.is_empty() { "waits for the next run" } else { "waits for its load" };
        found.waiting.iter().for_each(|name| page.push_str(&format!("  {waits}: {}\n", unbroken(name))));
        found.discarded.iter().for_each(|name| page.push_str(&format!("  discarded: {}\n", unbroken(name))));
        found.only_copies.iter().for_each(|copy| page.push_str(&format!("  {}\n", unbroken(&copy.words()))));
        for (source, open) in &found.open_rejects {
            page.push_str(&format!("  open rejects: {}: {}\n", unbroken(source), thousands(*open)));
        }
        for Messages { function, waiting, received, dead } in &self.queues {
            page.push_str(&format!("  {function}: {}\n", messages(*waiting, *received, *dead)));
        }
        page
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.found.out_of_date {
            0 => {}
            n => notes.push(format!(
                "{} loaded with another pipeline file than this one; `etalon reload` loads again what is there as it was",
                if n == 1 { "1 file was".to_owned() } else { format!("{} files were", thousands(n)) }
            )),
        }
        notes.extend(unknown_rejects(self.found.unknown_rejects));
        let unlike = &self.found.unlike;
        notes.extend(unlike.iter().take(UNLIKE_TOLD).map(|Unlike { source, expected, there }| {
            format!(
                "{source}: the table has {} and the ledger says {}: somebody has changed the table, or it was brought back from an \
                 older copy; `etalon reload` loads the file again",
                how_many(*there, "row"),
                thousands(*expected)
            )
        }));
        if let Some(more) = unlike.len().checked_sub(UNLIKE_TOLD).filter(|more| *more > 0) {
            notes.push(format!("so it is with {} more", how_many(more as u64, "file")));
        }
        notes
    }
}

/// What a function has before it.
fn messages(waiting: u64, received: u64, dead: u64) -> String {
    let dead = match dead {
        0 => "no dead letter".to_owned(),
        dead => format!("DEAD LETTERS: {}", thousands(dead)),
    };
    format!("{} waiting, {} at work, {dead}", how_many(waiting, "message"), thousands(received))
}

/// A time that has passed, in its largest unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => how_many(seconds, "second"),
        60..3600 => how_many(seconds / 60, "minute"),
        3600..86_400 => how_many(seconds / 3600, "hour"),
        _ => how_many(seconds / 86_400, "day"),
    }
}

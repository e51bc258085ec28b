//! `etalon rejects show`: rejected records, each with its place and everything that is wrong with it.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use etalon_core::pipeline::Resolved;
use etalon_core::plan::Object;
use etalon_driver::ports::Objects;
use etalon_driver::rejects::{self, InputRejects, Kept, State};
use serde::Serialize;

use super::unlisted;
use crate::arguments::{Chosen, Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::lines;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View, clean, thousands};

/// Show rejected records, with their places and all their reasons
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    file: PipelineFile,
    #[command(flatten)]
    chosen: Chosen,
    /// Only rejects in this state
    #[arg(long, value_enum, default_value = "open")]
    state: Wanted,
    /// The most records to show
    #[arg(long, default_value = "20", value_name = "N")]
    limit: usize,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

/// Which rejects are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Open,
    Redriven,
    Discarded,
    All,
}

impl Wanted {
    fn has(self, state: State) -> bool {
        match self {
            Self::All => true,
            Self::Open => state == State::Open,
            Self::Redriven => state == State::Redriven,
            Self::Discarded => state == State::Discarded,
        }
    }
}

/// The records that are shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Shown {
    records: Vec<Record>,
    /// How many there are.
    #[serde(skip)]
    count: usize,
    /// What is to be said of rejects that are not listed.
    #[serde(skip)]
    unlisted: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Record {
    line: Option<u64>,
    #[serde(flatten)]
    kept: Kept,
}

impl Verb for Show {
    const NAME: &'static str = "show";
    type Found = Shown;

    fn carry_out(&self, output: Output) -> Result<Shown, Failure> {
        if let Some((remote, _)) = self.destination.remote(&self.file, output)? {
            return remote.block(self.shown(remote.pipeline(), remote.store(), remote.source()));
        }
        let loaded = self.file.load(output)?;
        let store = loaded.store(&self.destination)?;
        pollster::block_on(self.shown(&loaded.pipeline, &store, &loaded.input(&store)))
    }
}

impl Show {
    async fn shown(&self, pipeline: &Resolved, store: &impl Objects, source: &impl Objects) -> Result<Shown, Failure> {
        let inputs = rejects::read(store, pipeline).await?;
        self.chosen.must_be_of(&inputs)?;
        let unlisted = unlisted(pipeline, store, &inputs).await?;
        let mut shown = Shown { records: Vec::new(), count: 0, unlisted };
        for InputRejects { plan, rejects, .. } in inputs {
            let is_wanted = |kept: &Kept| self.state.has(kept.state) && self.chosen.has(&kept.reject);
            let mut wanted: Vec<Kept> = rejects.into_iter().filter(is_wanted).collect();
            wanted.iter_mut().for_each(|kept| pipeline.mask(&mut kept.reject));
            shown.count += wanted.len();
            wanted.truncate(self.limit.saturating_sub(shown.records.len()));
            if wanted.is_empty() {
                continue;
            }
            let offsets: Vec<u64> = wanted.iter().map(|kept| kept.reject.place.offset).collect();
            let object = Object { name: plan.source, version: plan.source_version, size: plan.size };
            let lines = lines::of(pipeline, source, &object, &offsets).await;
            shown.records.extend(wanted.into_iter().zip(lines).map(|(kept, line)| Record { line, kept }));
        }
        Ok(shown)
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Redriven => "redriven",
        State::Discarded => "discarded",
    }
}

impl View for Shown {
    fn table(&self) -> Table {
        let columns = [
            ("source", Kind::Text),
            ("line", Kind::Number),
            ("offset", Kind::Number),
            ("state", Kind::Text),
            ("code", Kind::Text),
            ("subject", Kind::Text),
            ("message", Kind::Text),
        ];
        let mut table = Table::new(columns.map(|(name, kind)| Column::new(name, kind)).to_vec());
        for Record { line, kept: Kept { state, reject, .. } } in &self.records {
            for reason in &reject.reasons {
                let line = line.map(|line| line.to_string());
                let texts = [
                    reject.place.offset.to_string(),
                    word(*state).to_owned(),
                    reason.code.to_string(),
                    reason.subject.to_string(),
                    reason.message.clone(),
                ];
                table.push([Some(reject.source.clone()), line].into_iter().chain(texts.map(Some)).collect());
            }
        }
        table
    }

    fn page(&self) -> String {
        let mut page = String::new();
        for Record { line, kept: Kept { state, reject, .. } } in &self.records {
            let state = if *state == State::Open { String::new() } else { format!(" ({})", word(*state)) };
            page.push_str(&format!("{}{state}\n", lines::place(&reject.source, *line, reject.place.offset)));
            let line = reject.raw.as_deref().map(|raw| raw.trim_end_matches(['\r', '\n']));
            match (line, &reject.raw_base64) {
                // What does not fit into a line is shown by field, so that no value is out of sight.
                (Some(line), _) if reject.fields.is_empty() || clean(line) == line => {
                    page.push_str(&format!("    {}\n", clean(line)));
                }
                (None, Some(raw)) if reject.fields.is_empty() => {
                    page.push_str(&format!("    in base 64: {}\n", clean(raw)));
                }
                _ => {
                    for (name, value) in &reject.fields {
                        let value = value.as_deref().map_or_else(|| "NULL".to_owned(), clean);
                        page.push_str(&format!("    {name}: {value}\n"));
                    }
                }
            }
            for reason in &reject.reasons {
                page.push_str(&format!("    {} {}: {}\n", reason.code, reason.subject, reason.message));
            }
        }
        page
    }

    fn notes(&self) -> Vec<String> {
        let reasons = self.records.iter().flat_map(|record| &record.kept.reject.reasons);
        let codes: BTreeSet<String> = reasons.map(|reason| reason.code.to_string()).collect();
        let advice = match (codes.first(), codes.len()) {
            (None, _) => None,
            (Some(code), 1) => Some(format!("`etalon explain {code}` says what to do")),
            (Some(code), _) => {
                Some(format!("`etalon explain CODE` says what to do, for each code: `etalon explain {code}`, say"))
            }
        };
        let count = match (self.records.len(), self.count) {
            (_, 0) if !self.unlisted.is_empty() => None,
            (_, 0) => Some("no reject matches; `--state all` shows what was redriven or discarded".to_owned()),
            (shown, count) if shown < count => {
                let [shown, count] = [shown, count].map(|number| thousands(number as u64));
                Some(format!("{shown} of {count} are shown; --limit shows more"))
            }
            _ => None,
        };
        count.into_iter().chain(advice).chain(self.unlisted.clone()).collect()
    }
}

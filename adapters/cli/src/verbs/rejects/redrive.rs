//! `etalon rejects redrive`: sends the open rejects through the pipeline again, and loads those that pass.

use clap::Args;
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::Work;
use etalon_driver::local::SystemClock;
use etalon_driver::rejects::{self, Forecast, InputRejects, State};
use etalon_driver::report::RunReport;
use etalon_driver::run::{self, RunOptions, World};
use serde::Serialize;

use super::unlisted;
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Bar;
use crate::remote::Remote;
use crate::verbs::run::{outcomes, set_back};
use crate::verbs::{Verb, elsewhere};
use crate::view::{Column, Kind, Sums, Table, View, thousands};

/// Send the open rejects through the pipeline again, and load what passes
#[derive(Debug, Args)]
pub(super) struct Redrive {
    #[command(flatten)]
    file: PipelineFile,
    /// Say how many would pass, and change nothing
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

/// What a redrive would do, or did.
#[derive(Debug, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved once")]
pub(super) enum Answer {
    Forecast(Forecast),
    Done {
        /// Rejects that were open before.
        open: u64,
        #[serde(flatten)]
        redriven: RunReport,
        /// What is to be said of rejects that were not sent.
        #[serde(skip)]
        unlisted: Vec<String>,
    },
}

impl Verb for Redrive {
    const NAME: &'static str = "redrive";
    type Found = Answer;

    fn carry_out(&self, output: Output) -> Result<Answer, Failure> {
        if let Some((remote, here)) = self.destination.remote(&self.file, output)? {
            return self.elsewhere(&remote, &here, output);
        }
        let loaded = self.file.load(output)?;
        let store = loaded.store(&self.destination)?;
        let inputs = pollster::block_on(rejects::read(&store, &loaded.pipeline))?;
        let input = loaded.input(&store);
        let pipeline = &loaded.pipeline;
        if self.plan {
            rejects::may_be_redriven(pipeline)?;
            return Ok(Answer::Forecast(pollster::block_on(rejects::forecast(pipeline, &inputs, &input))?));
        }
        let open = open(&inputs);
        let mut warehouse = self.destination.open(&loaded.state())?;
        let alone = store.lock_run(|| output.note("another run is at work; this one waits until it has ended"))?;
        let bar = Bar::new(output);
        let world = World {
            source: &input,
            store: alone.disk(),
            warehouse: &mut warehouse,
            clock: &SystemClock,
            progress: &bar,
        };
        let options = RunOptions::default();
        let redrive = run::run(pipeline, &loaded.text, Work::Redrive(Vec::new()), &[], world, &options);
        let redriven = pollster::block_on(redrive);
        bar.clear();
        alone.end()?;
        let unlisted = pollster::block_on(unlisted(pipeline, &store, &inputs))?;
        Ok(Answer::Done { open, redriven: redriven?, unlisted })
    }
}

impl Redrive {
    /// A plan is made with the file that is here; what is sent again goes through the one that is deployed.
    fn elsewhere(&self, remote: &Remote, here: &Pipeline, output: Output) -> Result<Answer, Failure> {
        let (pipeline, store) = (remote.pipeline(), remote.store());
        let inputs = remote.block(rejects::read(store, pipeline))?;
        if self.plan {
            rejects::may_be_redriven(pipeline)?;
            return Ok(Answer::Forecast(remote.block(rejects::forecast(here, &inputs, remote.source()))?));
        }
        let redriven = elsewhere::carry_out(remote, Work::Redrive(Vec::new()), None, output)?.whole()?;
        let unlisted = remote.block(unlisted(pipeline, store, &inputs))?;
        Ok(Answer::Done { open: open(&inputs), redriven, unlisted })
    }
}

fn open(inputs: &[InputRejects]) -> u64 {
    let kept = inputs.iter().flat_map(|input| &input.rejects);
    kept.filter(|kept| kept.state == State::Open).count() as u64
}

impl Answer {
    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        match self {
            Self::Forecast(Forecast { open, pass, filtered, fail, .. }) => {
                let parts =
                    [("would pass", *pass), ("would be filtered", *filtered), ("would be rejected again", *fail)];
                sums.push("open", *open, parts.to_vec());
            }
            Self::Done { redriven: RunReport { counts, load, .. }, .. } => {
                let filtered = counts.filtered_false + counts.filtered_null;
                let parts = [("staged", counts.staged), ("filtered", filtered), ("rejected again", counts.quarantined)];
                sums.push("redriven", counts.read, parts.to_vec());
                if let Some(load) = load {
                    sums.push("staged", load.staged, outcomes(load));
                }
            }
        }
        sums
    }

    /// Whether there was nothing to do: how many rejects are open all the same.
    fn nothing(&self) -> Option<u64> {
        match self {
            Self::Done { open, redriven, .. } if redriven.counts.read == 0 && redriven.waiting.is_empty() => {
                Some(*open)
            }
            _ => None,
        }
    }
}

impl View for Answer {
    fn table(&self) -> Table {
        let mut table = self.sums().table();
        if let Self::Forecast(forecast) = self {
            for (reason, (open, pass)) in &forecast.reasons {
                for (part, count) in [("open", open), ("would pass", pass)] {
                    table.push(vec![Some(reason.clone()), Some(part.to_owned()), Some(count.to_string())]);
                }
            }
        }
        table
    }

    fn page(&self) -> String {
        let mut page = if self.nothing().is_some() { String::new() } else { self.sums().text("") };
        if let Self::Forecast(forecast) = self
            && !forecast.reasons.is_empty()
        {
            let columns = [("reason", Kind::Text), ("open", Kind::Count), ("would pass", Kind::Count)];
            let mut table = Table::new(columns.map(|(name, kind)| Column::new(name, kind)).to_vec());
            for (reason, (open, pass)) in &forecast.reasons {
                table.push(vec![Some(reason.clone()), Some(open.to_string()), Some(pass.to_string())]);
            }
            page.push_str(&table.text());
        }
        page
    }

    fn notes(&self) -> Vec<String> {
        let is_held =
            |source: &String| format!("{source} is held, and a redrive leaves it: `etalon run` reads it again");
        let (redriven, unlisted) = match self {
            Self::Forecast(forecast) => {
                let is_not_there = |source: &String| format!("{source} is not there as it was; its rejects wait");
                let not_there = forecast.not_there.iter().map(is_not_there);
                return forecast.not_loaded.iter().map(is_held).chain(not_there).collect();
            }
            Self::Done { redriven, unlisted, .. } => (redriven, unlisted),
        };
        let waits = |source: &String| match redriven.held.iter().any(|held| held.sources.contains(source)) {
            true => is_held(source),
            false => format!("{source} is not loaded, or is not there as it was; its rejects wait"),
        };
        let mut notes: Vec<String> = redriven.waiting.iter().map(waits).collect();
        match self.nothing() {
            Some(0) => notes.push("no reject is open; nothing was done".to_owned()),
            Some(open) => notes.push(format!("{} open, none would pass; nothing was done", thousands(open))),
            None => {}
        }
        notes.extend(set_back(redriven.set_back));
        notes.extend(unlisted.iter().cloned());
        notes
    }

    fn end(&self) -> Result<(), Failure> {
        match self {
            Self::Done { redriven, .. } if !redriven.held.is_empty() => {
                let reasons: Vec<String> = redriven.held.iter().flat_map(|held| held.reasons.clone()).collect();
                Err(Failure::held(&reasons, "fix the pipeline and redrive again", redriven.load.is_some()))
            }
            _ => Ok(()),
        }
    }
}

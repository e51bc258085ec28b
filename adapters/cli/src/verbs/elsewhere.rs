//! Elsewhere: the work of a verb with `--on`, for a deployed pipeline. The command does what extract does when it is called;
//! the functions do the rest, and the command looks at their documents until the work is done.

use std::time::{Duration, Instant};

use etalon_core::protocol::Work;
use etalon_driver::letters::Messages;
use etalon_driver::report::RunReport;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Bar;
use crate::remote::Remote;
use crate::view::how_many;

/// How often what the functions keep is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What was done.
pub(super) struct Done {
    pub(super) report: RunReport,
    pub(super) unfinished: Option<Unfinished>,
}

/// What functions are still at work with.
#[derive(Debug, Serialize)]
pub(super) struct Unfinished {
    objects: Vec<String>,
    /// The dead letters that came meanwhile.
    dead_letters: u64,
}

/// Begins work, and waits until it is done.
pub(super) fn carry_out(remote: &Remote, work: Work, batch_time: Option<i64>, output: Output) -> Result<Done, Failure> {
    let bar = Bar::waiting(output);
    let dead = || Ok::<u64, Failure>(remote.messages()?.iter().map(|Messages { dead, .. }| dead).sum());
    let dead_before = dead()?;
    let begun = remote.begin(work, batch_time)?;
    let since = Instant::now();
    loop {
        let progress = remote.block(begun.progress(remote.pipeline(), remote.store()))?;
        let dead_letters = if progress.at_work.is_empty() { 0 } else { dead()?.saturating_sub(dead_before) };
        if progress.at_work.is_empty() || dead_letters > 0 || since.elapsed() > PATIENCE {
            bar.clear();
            progress.unreadable.iter().for_each(|why| output.note(why));
            let objects: Vec<String> = progress.at_work.into_iter().collect();
            let unfinished = (!objects.is_empty()).then_some(Unfinished { objects, dead_letters });
            return Ok(Done { report: progress.report, unfinished });
        }
        bar.at_work(progress.at_work.len() as u64);
        std::thread::sleep(LOOK);
    }
}

impl Done {
    /// What was done, where all of it must be.
    pub(super) fn whole(self) -> Result<RunReport, Failure> {
        match self.unfinished {
            None => Ok(self.report),
            Some(unfinished) => Err(unfinished.failure()),
        }
    }
}

impl Unfinished {
    /// What is to be said of it.
    pub(super) fn failure(&self) -> Failure {
        let objects = match self.objects.as_slice() {
            [object] => object.clone(),
            objects => how_many(objects.len() as u64, "file"),
        };
        match self.dead_letters {
            0 => {
                let minutes = how_many(PATIENCE.as_secs() / 60, "minute");
                let failure =
                    Failure::environment(format!("the functions are still at work with {objects} after {minutes}"));
                failure.with_help("they go on; `etalon status --on` tells how far they are")
            }
            letters => {
                let letters = how_many(letters, "dead letter");
                let failure = Failure::environment(format!("{objects} is not done, and {letters} came meanwhile"));
                failure.with_help("`etalon dlq show --on` tells why")
            }
        }
    }
}

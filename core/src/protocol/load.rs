//! Load: the one load in flight of a table, and what is to be done about it given what is seen.
//!
//! A warehouse that works on its own is asked to do a load and looked at later. Whoever looks may have been killed at any
//! point before, so that every decision is made from what is kept and what the ledger says, never from what was meant.

use serde::Deserialize;
use serde::Serialize;

use crate::plan::sha256;
use crate::protocol::Document;
use crate::protocol::Unit;

/// So many failures of one load that its data may have caused are taken for an answer.
pub(crate) const DATA_FAILURES_MAX: u32 = 2;

/// The load in flight of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Its id, made of its units and the time at which it was made.
    pub load: String,
    /// The pipeline that made all its units.
    pub fingerprint: String,
    /// Its units' names.
    pub units: Vec<String>,
    /// How often it was given up and begun again, from 1.
    pub attempt: u32,
    /// What the warehouse calls this attempt, once that is known.
    pub statement: Option<String>,
    /// How many attempts failed in a way that data can cause.
    pub data_failures: u32,
}

impl Document for Load {
    const KIND: &'static str = "a load in flight";
    const VERSION: u32 = 1;
}

impl Load {
    /// The first attempt at a load.
    pub fn new(id: String, fingerprint: String, units: Vec<String>) -> Self {
        Self { load: id, fingerprint, units, attempt: 1, statement: None, data_failures: 0 }
    }

    /// The token of this attempt: submitted again, it is the same statement.
    pub fn token(&self) -> String {
        sha256(format!("{} {}", self.load, self.attempt).as_bytes())
    }

    /// The next attempt.
    #[must_use]
    pub fn again(&self, blame: Blame) -> Self {
        let data_failures = self.data_failures + u32::from(blame == Blame::Data);
        Self { attempt: self.attempt.saturating_add(1), statement: None, data_failures, ..self.clone() }
    }
}

/// Whose fault it is that a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The environment's: the same may succeed later, whatever it brings.
    Environment,
    /// Perhaps the data's: the same may fail for ever.
    Data,
}

/// What is seen of a load's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// No statement is known. One may be there: whoever submitted it may not have come to write its name down.
    Nothing,
    /// It waits or runs.
    Running,
    /// It is done.
    Finished,
    /// It failed: the warehouse's words.
    Failed(String, Blame),
    /// Somebody ended it, and it may have committed before.
    Aborted,
    /// The warehouse does not know it (any more).
    Unknown,
}

/// How many of a load's units the ledger has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InLedger {
    /// None of them.
    None,
    /// Some, but not all: they came with other loads.
    Some,
    /// All of them.
    All,
}

/// What a loader does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The warehouse works: come again later.
    Wait,
    /// Submit the statement.
    Submit,
    /// Everything is in the table: say so, unit by unit, then end the load.
    Settle,
    /// Some units came with other loads: say so of these, then end the load; the others wait for the next one.
    Abandon,
    /// Begin the next attempt.
    Retry(Blame),
    /// One of several units may be to blame: begin another load with the first half of them.
    Halve,
    /// The only unit is to blame: hold it with these words, then end the load.
    Hold(String),
    /// What is seen cannot be: stop, and let somebody look.
    Stop(String),
}

/// Decides. The ledger is asked only when the warehouse does not work on the load any more: `in_ledger` is not called
/// otherwise.
pub fn next(load: &Load, seen: &Seen, in_ledger: InLedger) -> Next {
    match (seen, in_ledger) {
        (Seen::Running, _) => Next::Wait,
        (_, InLedger::All) => Next::Settle,
        (_, InLedger::Some) => Next::Abandon,
        (Seen::Nothing, InLedger::None) => Next::Submit,
        (Seen::Finished, InLedger::None) => {
            Next::Stop(format!("load {} has finished, and the ledger has none of its units", load.load))
        }
        (Seen::Aborted | Seen::Unknown | Seen::Failed(_, Blame::Environment), InLedger::None) => {
            Next::Retry(Blame::Environment)
        }
        (Seen::Failed(words, Blame::Data), InLedger::None) => {
            if load.data_failures + 1 < DATA_FAILURES_MAX {
                Next::Retry(Blame::Data)
            } else if load.units.len() > 1 {
                Next::Halve
            } else {
                Next::Hold(words.clone())
            }
        }
    }
}

/// How much one load brings at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadLimits {
    /// Units.
    pub units_max: usize,
    /// Staged files.
    pub parts_max: usize,
    /// Bytes of staged files.
    pub bytes_max: u64,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self { units_max: 500, parts_max: 5_000, bytes_max: 64 * 1024 * 1024 * 1024 }
    }
}

/// The units of the next load: the oldest first, of one pipeline file, within the limits but at least one.
pub fn choose(mut units: Vec<Unit>, limits: LoadLimits) -> Vec<Unit> {
    units.retain(Unit::is_pending);
    units.sort_by_key(|unit| (unit.batch_time(), unit.name.clone()));
    let fingerprint = units.first().map(|unit| unit.fingerprint.clone());
    let (mut count, mut parts, mut bytes) = (0, 0, 0);
    let mut fits = |unit: &Unit| {
        count += 1;
        parts += unit.batches().map(|batch| batch.parts.len()).sum::<usize>();
        bytes += unit.batches().flat_map(|batch| &batch.parts).map(|part| part.bytes).sum::<u64>();
        count == 1 || (count <= limits.units_max && parts <= limits.parts_max && bytes <= limits.bytes_max)
    };
    units
        .into_iter()
        .filter(|unit| Some(&unit.fingerprint) == fingerprint.as_ref())
        .take_while(|unit| fits(unit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(units: usize) -> Load {
        Load::new("l".to_owned(), "f".to_owned(), (0..units).map(|unit| unit.to_string()).collect())
    }

    const STATES: fn() -> Vec<Seen> = || {
        vec![
            Seen::Nothing,
            Seen::Finished,
            Seen::Failed("words".to_owned(), Blame::Environment),
            Seen::Failed("words".to_owned(), Blame::Data),
            Seen::Aborted,
            Seen::Unknown,
        ]
    };

    #[test]
    fn what_the_ledger_has_is_never_submitted_again() {
        for seen in STATES() {
            assert_eq!(next(&load(2), &seen, InLedger::All), Next::Settle);
            assert_eq!(next(&load(2), &seen, InLedger::Some), Next::Abandon);
        }
    }

    #[test]
    fn nothing_is_done_while_the_warehouse_works() {
        for in_ledger in [InLedger::None, InLedger::Some, InLedger::All] {
            assert_eq!(next(&load(2), &Seen::Running, in_ledger), Next::Wait);
        }
    }

    #[test]
    fn the_attempt_rises_only_after_a_failure_that_left_nothing() {
        for seen in STATES() {
            let rises = matches!(next(&load(1), &seen, InLedger::None), Next::Retry(_));
            assert_eq!(rises, matches!(seen, Seen::Failed(..) | Seen::Aborted | Seen::Unknown), "{seen:?}");
        }
        assert_ne!(load(1).token(), load(1).again(Blame::Environment).token());
    }

    #[test]
    fn a_unit_that_always_fails_is_found_by_halves_and_held() {
        let failed = Seen::Failed("words".to_owned(), Blame::Data);
        let once = load(5).again(Blame::Data);
        assert_eq!(next(&once, &failed, InLedger::None), Next::Halve);
        let alone = load(1).again(Blame::Data);
        assert_eq!(next(&alone, &failed, InLedger::None), Next::Hold("words".to_owned()));
        let worn = (0..100).fold(load(1), |load, _| load.again(Blame::Environment));
        assert_eq!(
            next(&worn, &Seen::Aborted, InLedger::None),
            Next::Retry(Blame::Environment),
            "the environment's fault holds nothing"
        );
    }
}

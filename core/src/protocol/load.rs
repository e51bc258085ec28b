//! Load: the one load in flight of a table, and what is to be done about it, given the state of its statement.
//!
//! A warehouse that works asynchronously is asked to do a load, and asked for the result later. A loader may have been killed
//! at any point before, so every decision is made from what is stored and from the ledger, never from what a loader intended.

use serde::Deserialize;
use serde::Serialize;

use crate::plan::sha256;
use crate::protocol::Document;
use crate::protocol::Unit;

/// After so many failures of one load that its data may have caused, the data counts as wrong.
pub(crate) const DATA_FAILURES_MAX: u32 = 2;
/// The longest wait after the first failure of the environment, in microseconds. After each further failure the load waits
/// twice as long.
const WAIT: i64 = 20 * 1_000_000;
/// The wait doubles so often: the longest wait is 43 minutes.
const DOUBLINGS_MAX: u32 = 7;
/// The time in which [`Holds`] count, in microseconds.
const HOUR: i64 = 60 * 60 * 1_000_000;

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
    /// The warehouse's id of this attempt, once it is known.
    pub statement: Option<String>,
    /// How many attempts failed in a way that data can cause.
    pub data_failures: u32,
    /// How often the environment has failed in a row, whether an attempt was begun or not.
    #[serde(default)]
    pub failures: u32,
    /// When the next attempt may begin, in microseconds since 1970.
    #[serde(default)]
    pub not_before: i64,
    /// The time of loading that this attempt writes, in microseconds since 1970: if the attempt is submitted again, it is the
    /// same to the byte. It is 0 in documents of an older Etalon.
    #[serde(default)]
    pub loaded_at: i64,
    /// The message of its last failure, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

impl Document for Load {
    const KIND: &'static str = "a load in flight";
    const VERSION: u32 = 1;
}

impl Load {
    /// The first attempt at a load, at a time in microseconds since 1970.
    pub fn new(id: String, fingerprint: String, units: Vec<String>, now: i64) -> Self {
        Self {
            load: id,
            fingerprint,
            units,
            attempt: 1,
            statement: None,
            data_failures: 0,
            failures: 0,
            not_before: 0,
            loaded_at: now,
            words: String::new(),
        }
    }

    /// The token of this attempt: with the same token, a second submission is the same statement.
    pub fn token(&self) -> String {
        sha256(format!("{} {}", self.load, self.attempt).as_bytes())
    }

    /// The next attempt. After a failure of the data it may begin at once.
    #[must_use]
    pub fn again(&self, blame: Blame, now: i64) -> Self {
        let load = match blame {
            Blame::Environment => self.put_off(now),
            Blame::Data => Self { data_failures: self.data_failures + 1, ..self.clone() },
        };
        Self { attempt: self.attempt.saturating_add(1), statement: None, loaded_at: now, ..load }
    }

    /// The same attempt, later: the environment failed before the attempt was known to have begun. The waits grow, and are
    /// spread by the load's name, so that loads that disturbed each other do not do so again.
    #[must_use]
    pub fn put_off(&self, now: i64) -> Self {
        let failures = self.failures.saturating_add(1);
        let longest = WAIT << (failures - 1).min(DOUBLINGS_MAX);
        let name = sha256(format!("{} {failures}", self.load).as_bytes());
        let spread = name.bytes().take(8).fold(0, |number, byte| (number * 31 + i64::from(byte)) % (longest / 2));
        Self { failures, not_before: now + longest / 2 + spread, ..self.clone() }
    }

    /// The same, with the message of its failure.
    #[must_use]
    pub fn said(self, words: String) -> Self {
        Self { words, ..self }
    }

    /// Whether its next attempt may begin.
    pub fn is_due(&self, now: i64) -> bool {
        now >= self.not_before
    }
}

/// When units of a table were held recently because the warehouse had refused their rows.
///
/// If many units are held at once, they are probably not all wrong, and the environment is to blame. Then the load waits, and
/// no further unit is held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    /// Microseconds since 1970, in order.
    pub times: Vec<i64>,
}

impl Document for Holds {
    const KIND: &'static str = "the holds of a table";
    const VERSION: u32 = 1;
}

impl Holds {
    /// Those that still count.
    #[must_use]
    pub fn lately(mut self, now: i64) -> Self {
        self.times.retain(|&time| time > now.saturating_sub(HOUR));
        self
    }

    /// When another unit may be held, if that is not now.
    pub fn until(&self, most: usize) -> Option<i64> {
        let over = (self.times.len() + 1).checked_sub(most).filter(|&over| over > 0)?;
        Some(self.times.get(over - 1).map_or(i64::MAX, |time| time + HOUR))
    }
}

/// When the last load of a pipeline began after which nothing waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Microseconds since 1970.
    pub at: i64,
}

impl Document for Begun {
    const KIND: &'static str = "the beginning of a load";
    const VERSION: u32 = 1;
}

/// The cause of a statement's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The environment: the same load may succeed later, whatever its data.
    Environment,
    /// The data, as the message says: the same load may fail for ever.
    Data,
}

/// The observed state of a load's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// No statement is known. There may be one: the loader that submitted it may have been killed before it stored the id.
    Nothing,
    /// It waits or runs.
    Running,
    /// It is done.
    Finished,
    /// It failed: the warehouse's message.
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
    /// Everything is in the table: mark each unit as loaded, then end the load.
    Settle,
    /// Some units came with other loads: mark these as loaded, then end the load; the others wait for the next one.
    Abandon,
    /// Begin the next attempt.
    Retry(Blame),
    /// One of several units may be wrong: begin another load with the first half of them.
    Halve,
    /// The only unit is wrong: hold it with this message, then end the load.
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

/// How much one load brings at most, and how much is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadLimits {
    /// Units.
    pub units_max: usize,
    /// Staged files.
    pub parts_max: usize,
    /// Bytes of staged files.
    pub bytes_max: u64,
    /// Units that are held in an hour because the warehouse has refused their rows.
    pub holds_max: usize,
    /// Minutes between a load that left nothing waiting and the next one, at least.
    pub minutes_between: u64,
}

impl LoadLimits {
    /// No limits: somebody waits for everything.
    pub const NONE: Self = Self {
        units_max: usize::MAX,
        parts_max: usize::MAX,
        bytes_max: u64::MAX,
        holds_max: usize::MAX,
        minutes_between: 0,
    };
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self { units_max: 500, parts_max: 5_000, bytes_max: 64 * 1024 * 1024 * 1024, holds_max: 10, minutes_between: 0 }
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
        Load::new("l".to_owned(), "f".to_owned(), (0..units).map(|unit| unit.to_string()).collect(), 7)
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
        assert_ne!(load(1).token(), load(1).again(Blame::Environment, 0).token());
    }

    #[test]
    fn a_unit_that_always_fails_is_found_by_halves_and_held() {
        let failed = Seen::Failed("words".to_owned(), Blame::Data);
        let once = load(5).again(Blame::Data, 0);
        assert_eq!(next(&once, &failed, InLedger::None), Next::Halve);
        let alone = load(1).again(Blame::Data, 0);
        assert_eq!(next(&alone, &failed, InLedger::None), Next::Hold("words".to_owned()));
        let worn = (0..100).fold(load(1), |load, _| load.again(Blame::Environment, 0));
        assert_eq!(
            next(&worn, &Seen::Aborted, InLedger::None),
            Next::Retry(Blame::Environment),
            "the environment's fault holds nothing"
        );
    }

    #[test]
    fn the_world_is_given_time_and_more_of_it_each_time() {
        let (mut one, mut waits, mut now) = (load(3), Vec::new(), 0);
        while now < 10 * 60 * 1_000_000 {
            one = one.again(Blame::Environment, now);
            assert!(!one.is_due(one.not_before - 1) && one.is_due(one.not_before));
            waits.push(one.not_before - now);
            now = one.not_before;
        }
        // A lost right of ten minutes costs so many statements, whatever number of units waits.
        assert!((4..=7).contains(&waits.len()), "{waits:?}");
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1] * 2 && pair[1] <= pair[0] * 4), "{waits:?}");
        let longest = (0..100).fold(load(1), |load, _| load.put_off(0)).not_before;
        assert!((20 * 60..45 * 60).contains(&(longest / 1_000_000)), "{longest}");
        // After the data's failure the next attempt may begin at once.
        assert!(load(3).again(Blame::Data, 5).is_due(5));
    }

    #[test]
    fn an_attempt_writes_one_time_of_loading_however_often_it_is_submitted() {
        let first = load(1);
        assert_eq!((first.loaded_at, first.put_off(9).loaded_at, first.again(Blame::Data, 9).loaded_at), (7, 7, 9));
        assert_eq!(first.put_off(9).token(), first.token());
        let older =
            r#"{"version":1,"load":"l","fingerprint":"f","units":[],"attempt":1,"statement":null,"data_failures":0}"#;
        assert_eq!(crate::protocol::parse::<Load>(older.as_bytes()).unwrap().loaded_at, 0);
    }

    #[test]
    fn loads_that_fail_together_come_again_apart() {
        let when = |number: usize| Load::new(number.to_string(), "f".to_owned(), Vec::new(), 0).put_off(0).not_before;
        let mut times: Vec<i64> = (0..100).map(when).collect();
        times.sort_unstable();
        times.dedup();
        assert!(times.len() > 90 && times[times.len() - 1] - times[0] > WAIT / 4, "{times:?}");
    }

    #[test]
    fn only_so_many_units_are_held_in_an_hour() {
        let mut holds = Holds::default();
        for now in 0..3 {
            assert_eq!(holds.until(3), None);
            holds.times.push(now);
        }
        assert_eq!(holds.until(3), Some(HOUR));
        assert_eq!(holds.clone().lately(HOUR).times, [1, 2]);
        assert_eq!(holds.lately(HOUR).until(3), None);
        assert_eq!(Holds::default().until(0), Some(i64::MAX));
        assert_eq!(Holds { times: vec![1, 2] }.until(usize::MAX), None);
    }
}

//! Position: how far a stream has been read, as a document that the next sync begins with. A stream without partitions has
//! one cursor; one with partitions has one for each, until they are too many, and one for all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::python;
use super::template::{Slice, sorted};
use super::time::SECOND;
use super::window::{Calendar, Position as Reached};

/// From so many partitions on, one cursor is kept for all.
const PARTITIONS_MAX: usize = 10_000;

/// The state of a stream without a cursor that was read to its end says so under this key.
pub(super) const WHOLE: &str = "__ab_no_cursor_state_message";

/// How far a stream has been read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Position {
    /// The stream has no cursor: it is read whole.
    Whole,
    One(Box<(Calendar, Reached)>),
    Partitions(Box<Partitions>),
}

/// A cursor for each partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Partitions {
    calendar: Calendar,
    /// By key, in the order in which they came.
    reached: BTreeMap<String, Reached>,
    order: Vec<(String, Value)>,
    /// The partitions of this sync.
    read: BTreeSet<String>,
    /// The cursor of the last sync, as text, and the greatest since.
    global: Option<String>,
    new_global: Option<String>,
    /// So many seconds before the global cursor a new partition begins: as long as the last sync took.
    back: i64,
    /// Whether a record with a cursor was read.
    is_synced: bool,
    is_global: bool,
    parents: Option<Value>,
}

/// The key of a partition: its JSON, with keys in order.
fn key(partition: &Map<String, Value>) -> (String, Value) {
    let sorted = sorted(&Value::Object(partition.clone()));
    (sorted.to_string(), sorted)
}

impl Position {
    /// The position that a document tells.
    pub(super) fn new(
        calendar: Option<Calendar>,
        has_partitions: bool,
        is_global: bool,
        state: Option<&Value>,
    ) -> Result<Self, String> {
        let state = state.filter(|state| state.as_object().is_some_and(|state| !state.is_empty()));
        let Some(calendar) = calendar else { return Ok(Self::Whole) };
        if has_partitions {
            return Partitions::new(calendar, is_global, state).map(|all| Self::Partitions(Box::new(all)));
        }
        let reached = calendar.position(state, 0)?;
        Ok(Self::One(Box::new((calendar, reached))))
    }

    /// The slices of a partition, window by window; none, if the partition was met before.
    pub(super) fn slices(&mut self, partition: Slice) -> Result<Vec<Slice>, String> {
        let windows = match self {
            Self::Whole => return Ok(vec![partition]),
            Self::One(one) => one.0.windows(&one.1)?,
            Self::Partitions(all) => all.windows(&partition)?,
        };
        Ok(windows.into_iter().map(|window| Slice { window, ..partition.clone() }).collect())
    }

    /// Whether a record is of the time that this sync reads.
    pub(super) fn is_synced(&self, slice: &Slice, record: &Value) -> bool {
        match self {
            Self::Whole => true,
            Self::One(one) => one.0.is_synced(&one.1, record),
            // Where one cursor is kept for all, what a record is held against is that one.
            Self::Partitions(all) if all.is_global => {
                all.beginning().is_ok_and(|reached| all.calendar.is_synced(&reached, record))
            }
            Self::Partitions(all) => {
                all.reached.get(&key(&slice.partition).0).is_none_or(|reached| all.calendar.is_synced(reached, record))
            }
        }
    }

    /// Takes note of a record.
    pub(super) fn observe(&mut self, slice: &Slice, record: &Value) {
        match self {
            Self::Whole => {}
            Self::One(one) => {
                let (calendar, reached) = &mut **one;
                calendar.observe(reached, record);
            }
            Self::Partitions(all) => all.observe(slice, record),
        }
    }

    /// Takes note that a slice was read to its end; `is_last`: the last of its partition.
    pub(super) fn close(&mut self, slice: &Slice, is_last: bool) {
        match self {
            Self::Whole => {}
            Self::One(one) => {
                let (calendar, reached) = &mut **one;
                calendar.close(reached, &slice.window);
            }
            Self::Partitions(all) => all.close(slice, is_last),
        }
    }

    /// Takes note that the stream was read to its end, in so many microseconds; `parents`: how far its parents were read.
    pub(super) fn finish(&mut self, micros: i64, parents: Option<Value>) {
        if let Self::Partitions(all) = self {
            if all.is_synced {
                all.global.clone_from(&all.new_global);
                all.back = (micros / SECOND + i64::from(micros % SECOND != 0)).max(1);
            }
            all.parents = parents;
        }
    }

    /// The position as a document.
    pub(super) fn state(&self) -> Value {
        match self {
            Self::Whole => json!({ WHOLE: true }),
            Self::One(one) => one.0.state(&one.1),
            Self::Partitions(all) => all.state(),
        }
    }
}

/// So many whole seconds.
fn seconds(value: &Value) -> Result<i64, String> {
    let whole = match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.to_string().split('.').next().and_then(|whole| whole.parse().ok()),
        _ => None,
    };
    whole.ok_or_else(|| "the state's `lookback_window` is no number of seconds".to_owned())
}

impl Partitions {
    fn new(calendar: Calendar, is_global: bool, state: Option<&Value>) -> Result<Self, String> {
        let mut all = Self {
            calendar,
            reached: BTreeMap::new(),
            order: Vec::new(),
            read: BTreeSet::new(),
            global: None,
            new_global: None,
            back: 0,
            is_synced: false,
            is_global,
            parents: None,
        };
        let Some(state) = state else { return Ok(all) };
        if state.get("states").is_none() && state.get("state").is_none() {
            // That of a stream without partitions; one without a cursor has been read to nowhere.
            all.begin_after(state)?;
            return Ok(all);
        }
        all.is_global = state.get("use_global_cursor").is_some_and(python::is_true);
        all.back = state.get("lookback_window").map_or(Ok(0), seconds)?;
        for entry in state.get("states").and_then(Value::as_array).into_iter().flatten() {
            let (Some(partition), Some(cursor)) = (entry.get("partition"), entry.get("cursor")) else {
                return Err("one of the state's `states` has no `partition` or no `cursor`".to_owned());
            };
            let (partition, reached) = (sorted(partition), all.calendar.position(Some(cursor), 0)?);
            let key = partition.to_string();
            // The last one said of a partition counts.
            if all.reached.insert(key.clone(), reached).is_none() {
                all.order.push((key, partition));
            }
        }
        if let Some(global) = state.get("state") {
            all.begin_after(global)?;
        }
        all.parents = state.get("parent_state").cloned();
        Ok(all)
    }

    fn begin_after(&mut self, state: &Value) -> Result<(), String> {
        if let Some(value) = state.get(&self.calendar.field) {
            self.global = Some(self.calendar.write(self.calendar.said(value)?));
            self.new_global.clone_from(&self.global);
        }
        Ok(())
    }

    /// Where a partition begins that the state does not know.
    fn beginning(&self) -> Result<Reached, String> {
        let global = self.global.as_ref().map(|global| json!({ self.calendar.field.as_str(): global }));
        self.calendar.position(global.as_ref(), if global.is_some() { self.back } else { 0 })
    }

    fn windows(&mut self, slice: &Slice) -> Result<Vec<Map<String, Value>>, String> {
        let (key, partition) = key(&slice.partition);
        if !self.read.insert(key.clone()) {
            return Ok(Vec::new());
        }
        self.is_global |= self.reached.len() > PARTITIONS_MAX;
        let reached = match self.reached.get(&key) {
            Some(reached) => reached,
            None => {
                let reached = self.beginning()?;
                self.order.push((key.clone(), partition));
                self.reached.entry(key).or_insert(reached)
            }
        };
        self.calendar.windows(reached)
    }

    fn observe(&mut self, slice: &Slice, record: &Value) {
        let Some(reached) = self.reached.get_mut(&key(&slice.partition).0) else { return };
        if let Some(at) = self.calendar.observe(reached, record) {
            self.is_synced = true;
            let text = self.calendar.write(at);
            self.raise(text);
        }
    }

    /// Cursors of all partitions are compared as texts.
    fn raise(&mut self, text: String) {
        if self.new_global.as_ref().is_none_or(|known| *known < text) {
            self.new_global = Some(text);
        }
    }

    fn close(&mut self, slice: &Slice, is_last: bool) {
        let Some(reached) = self.reached.get_mut(&key(&slice.partition).0) else { return };
        self.calendar.close(reached, &slice.window);
        if is_last
            && !self.is_global
            && let Some(text) = self.calendar.state(reached).get(&self.calendar.field).and_then(Value::as_str)
        {
            self.raise(text.to_owned());
        }
    }

    fn state(&self) -> Value {
        let mut state = Map::new();
        state.insert("use_global_cursor".to_owned(), self.is_global.into());
        if !self.is_global {
            let of = |(key, partition): &(String, Value)| {
                let cursor = self.reached.get(key).map(|reached| self.calendar.state(reached))?;
                Some(json!({"partition": partition, "cursor": cursor}))
            };
            state.insert("states".to_owned(), self.order.iter().filter_map(of).collect());
        }
        if let Some(global) = &self.global {
            state.insert("state".to_owned(), json!({ self.calendar.field.as_str(): global }));
        }
        state.insert("lookback_window".to_owned(), self.back.into());
        if let Some(parents) = &self.parents {
            state.insert("parent_state".to_owned(), parents.clone());
        }
        Value::Object(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::connector::time::Moment;

    fn partitions(is_global: bool, state: &Value) -> Value {
        Position::new(Some(Calendar::of_seconds(0, 1000, None)), true, is_global, Some(state)).unwrap().state()
    }

    #[test]
    fn whether_one_cursor_is_kept_for_all_is_what_the_state_says() {
        let cursor = json!({"at": "1970-01-01T00:10:00Z"});
        let kept = json!({"states": [{"partition": {"p": 1}, "cursor": cursor}], "state": cursor});
        assert_eq!(partitions(true, &kept)["states"], kept["states"]);
        let global = json!({"use_global_cursor": true, "state": cursor});
        assert_eq!(partitions(false, &global)["state"], cursor);
        assert_eq!(partitions(false, &global).get("states"), None);
    }

    #[test]
    fn what_a_state_says_of_a_partition_last_counts() {
        let cursor = |at: &str| json!({ "at": at });
        let states = ["1970-01-01T00:10:00Z", "1970-01-01T00:05:00Z"]
            .map(|at| json!({"partition": {"p": 1}, "cursor": cursor(at)}));
        let read = partitions(false, &json!({ "states": states, "lookback_window": "60" }));
        assert_eq!(read["states"], json!([states[1]]));
        assert_eq!(read["lookback_window"], 60);
    }

    #[test]
    fn a_state_that_says_no_time_is_refused() {
        let position =
            |state: Value| Position::new(Some(Calendar::of_seconds(0, 1000, None)), true, false, Some(&state));
        for state in [
            json!({"at": "yesterday"}),
            json!({"at": null}),
            json!({"state": {"at": "yesterday"}}),
            json!({"states": [{"partition": {"p": 1}, "cursor": {"at": "yesterday"}}]}),
            json!({"states": [{"partition": {"p": 1}}]}),
            json!({"state": {}, "lookback_window": null}),
        ] {
            assert!(position(state.clone()).is_err(), "{state}");
        }
    }

    #[test]
    fn what_lies_between_the_intervals_of_a_state_is_read() {
        let calendar = Calendar::of_seconds(0, 1000, None);
        let at = |seconds: i64| Value::from(calendar.write(Moment::utc(seconds * SECOND)));
        let slices = json!([
            {"start": at(100), "end": at(200), "most_recent_cursor_value": at(150)},
            {"start": at(400), "end": at(500)},
        ]);
        let state = json!({"state_type": "date-range", "slices": slices, "legacy": {"x": 1}});
        let mut position = Position::new(Some(calendar.clone()), false, false, Some(&state)).unwrap();
        let slices = position.slices(Slice::default()).unwrap();
        let windows: Vec<_> =
            slices.iter().map(|slice| [slice.window["start_time"].clone(), slice.window["end_time"].clone()]).collect();
        assert_eq!(windows, [[at(0), at(100)], [at(200), at(400)], [at(500), at(1000)]]);
        assert_eq!(position.state(), json!({"x": 1, "at": at(150)}));
        slices.iter().for_each(|slice| position.close(slice, false));
        assert_eq!(position.state()["at"], at(150), "nothing later was seen");
    }

    #[test]
    fn a_state_without_a_cursor_begins_at_the_beginning() {
        for state in [json!({"__ab_no_cursor_state_message": true}), json!({"other": "1970-01-01T00:10:00Z"})] {
            assert_eq!(partitions(false, &state).get("state"), None, "{state}");
        }
        assert_eq!(partitions(false, &json!({"at": "1970-01-01T00:10:00Z"}))["state"]["at"], "1970-01-01T00:10:00Z");
    }
}

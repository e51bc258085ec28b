//! Window: a stream that grows with time is read window by window, and remembers how far it has come.
//!
//! The position is what was read, as intervals. What a sync says it has read is the greatest cursor of the first interval
//! without a gap, so a window that is read out of order never moves the position past one that is not.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clamp::{self, Clamp};
use super::component::{Component, Missing};
use super::request::{Injection, Options};
use super::template::{Scope, Slice, Template};
use super::time::{DAY, Moment, SECOND, Span};

/// Most windows that one stream is divided into.
const WINDOWS_MAX: usize = 200_000;
/// What ends one interval and begins the next is at most this far apart, in microseconds, if no granularity is said.
const GAP: i64 = 1000;

/// The first or the last moment of a stream.
#[derive(Debug, Clone)]
struct Bound {
    at: Template,
    format: Option<String>,
    min: Option<Template>,
    max: Option<Template>,
}

/// The greatest cursor of an interval stands in a state under this key.
const SEEN: &str = "most_recent_cursor_value";

/// The intervals that a state lists, if it is one that does.
fn slices(state: &Value) -> Option<&[Value]> {
    let ty = state.get("state_type").and_then(Value::as_str);
    let slices = ty.filter(|ty| ["date-range", "integer"].contains(ty)).map(|_| state.get("slices"))?;
    Some(slices.and_then(Value::as_array).map_or(&[], Vec::as_slice))
}

/// How a cursor is written that is a number.
pub(super) const COUNT: &str = "%count";

/// What a stream says of its cursor.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    field: Template,
    /// The formats that are read, in order; the last is written.
    formats: Vec<String>,
    start: Bound,
    end: Option<Bound>,
    step: Option<Template>,
    granularity: Option<Span>,
    /// The part of the calendar that windows begin and end with, and the day on which a week begins.
    clamping: Option<(Template, Option<String>)>,
    lookback: Option<Template>,
    names: [Template; 2],
    places: [Option<Injection>; 2],
    is_strict: bool,
    /// Whether records that are too old end the paging, and are left out.
    pub(super) is_feed: bool,
    /// Whether records that are too old are left out.
    pub(super) is_client_side: bool,
    /// Whether all partitions share one cursor.
    pub(super) is_global: bool,
}

impl Bound {
    fn read(owner: &Component<'_>, field: &str, missing: &mut Missing) -> Option<Self> {
        if owner.text(field).is_some() {
            return Some(Self { at: owner.template(field, missing)?, format: None, min: None, max: None });
        }
        let component = owner.child(field, missing)?;
        if component.ty != "MinMaxDatetime" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let text = |field: &str, missing: &mut Missing| {
            component.template(field, missing).filter(|template| !template.source().is_empty())
        };
        Some(Self {
            at: component.needed("datetime", missing)?,
            format: component.text("datetime_format").filter(|format| !format.is_empty()).map(ToOwned::to_owned),
            min: text("min_datetime", missing),
            max: text("max_datetime", missing),
        })
    }

    fn moment(&self, format: &str, scope: &Scope<'_>) -> Result<Moment, String> {
        let format = self.format.as_deref().unwrap_or(format);
        let of = |template: &Template| -> Result<Option<Moment>, String> {
            let text = template.text(scope)?;
            if text.is_empty() {
                return Ok(None);
            }
            let moment = Moment::parse(&text, format);
            moment
                .map(Some)
                .ok_or_else(|| format!("what `{}` gives is no time in the format `{format}`", template.source()))
        };
        let mut moment = of(&self.at)?.ok_or_else(|| format!("`{}` gives no time", self.at.source()))?;
        if let Some(min) = self.min.as_ref().map_or(Ok(None), of)? {
            moment = moment.max(min);
        }
        if let Some(max) = self.max.as_ref().map_or(Ok(None), of)? {
            moment = moment.min(max);
        }
        Ok(moment)
    }
}

impl Cursor {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty == "IncrementingCountCursor" {
            return Self::counting(component, missing);
        }
        if component.ty != "DatetimeBasedCursor" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let format = component.text("datetime_format").unwrap_or_default().to_owned();
        if format.is_empty() {
            missing.add("a cursor without `datetime_format`");
        }
        let formats = component.get("cursor_datetime_formats").and_then(Value::as_array);
        let mut formats: Vec<String> = formats
            .map(|formats| formats.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
            .unwrap_or_default();
        formats.push(format);
        let granularity = component.text("cursor_granularity").filter(|text| !text.is_empty());
        let span = granularity.and_then(Span::parse);
        if granularity.is_some() && span.is_none() {
            missing.add("a `cursor_granularity` that is no duration of ISO 8601");
        }
        let step = component.template("step", missing).filter(|step| !step.source().is_empty());
        if step.is_some() != span.is_some() {
            missing.add("a cursor with one of `step` and `cursor_granularity`");
        }
        let option = |field: &str, missing: &mut Missing| {
            component.child(field, missing).and_then(|option| Injection::read(&option, missing))
        };
        let name = |field: &str, otherwise: &str, missing: &mut Missing| match component.template(field, missing) {
            Some(name) if !name.source().is_empty() => Some(name),
            _ => component.parse(otherwise, missing),
        };
        let end = match component.get("end_datetime") {
            Some(_) => Some(Bound::read(component, "end_datetime", missing)?),
            None => None,
        };
        Some(Self {
            field: component.needed("cursor_field", missing)?,
            formats,
            start: Bound::read(component, "start_datetime", missing)?,
            end,
            step,
            granularity: span,
            clamping: clamp::read(component, missing),
            lookback: component.template("lookback_window", missing).filter(|window| !window.source().is_empty()),
            names: [
                name("partition_field_start", "start_time", missing)?,
                name("partition_field_end", "end_time", missing)?,
            ],
            places: [option("start_time_option", missing), option("end_time_option", missing)],
            is_strict: component.flag("is_compare_strictly"),
            is_feed: component.flag("is_data_feed"),
            is_client_side: component.flag("is_client_side_incremental"),
            is_global: component.flag("global_substream_cursor"),
        })
    }

    /// A cursor that is a number: it is a moment of so many microseconds.
    fn counting(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        component.knows(missing);
        let start = component.get("start_value").map_or_else(|| "0".to_owned(), super::python::text);
        let place = component.child("start_value_option", missing).and_then(|option| Injection::read(&option, missing));
        let bound = |template: Template| Bound { at: template, format: None, min: None, max: None };
        Some(Self {
            field: component.needed("cursor_field", missing)?,
            formats: vec![COUNT.to_owned()],
            start: bound(component.parse(&start, missing)?),
            end: Some(bound(component.parse(&i64::MAX.to_string(), missing)?)),
            step: None,
            granularity: None,
            clamping: None,
            lookback: None,
            names: [component.parse("start", missing)?, component.parse("end", missing)?],
            places: [place, None],
            is_feed: false,
            is_client_side: false,
            is_strict: false,
            is_global: false,
        })
    }

    /// Whether it is a number.
    pub(super) fn is_count(&self) -> bool {
        self.formats.last().is_some_and(|format| format == COUNT)
    }

    /// The name of the field of the cursor.
    pub(super) fn field(&self, scope: &Scope<'_>) -> Result<String, String> {
        self.field.text(scope)
    }

    /// Where a state says that the cursor stands, in microseconds since 1970.
    pub(super) fn reached(
        &self,
        state: &Value,
        has_partitions: bool,
        scope: &Scope<'_>,
    ) -> Result<Option<i64>, String> {
        let calendar = self.calendar(scope)?;
        let value = match slices(state) {
            _ if has_partitions => state.get("state").and_then(|global| global.get(&calendar.field)),
            Some(slices) => slices.first().and_then(|first| {
                first.get(SEEN).filter(|seen| super::python::is_true(seen)).or_else(|| first.get("end"))
            }),
            None => state.get(&calendar.field),
        };
        Ok(value.and_then(|value| calendar.parse(value)).map(|at| at.micros))
    }

    /// The field of the cursor, if nothing in its name is computed.
    pub(super) fn plain_field(&self) -> Option<&str> {
        Some(self.field.source()).filter(|_| self.field.is_constant())
    }

    /// The calendar of the stream for this configuration, at this time.
    pub(super) fn calendar(&self, scope: &Scope<'_>) -> Result<Calendar, String> {
        let format = self.formats.last().map(String::as_str).unwrap_or_default();
        let span = |template: &Option<Template>| -> Result<Option<Span>, String> {
            let Some(template) = template else { return Ok(None) };
            let text = template.text(scope)?;
            if text.is_empty() || text == "None" {
                return Ok(None);
            }
            let span = Span::parse(&text);
            span.map(Some).ok_or_else(|| format!("what `{}` gives is no duration", template.source()))
        };
        let end = match &self.end {
            Some(end) => end.moment(format, scope)?,
            None => Moment::utc(scope.now),
        };
        let clamp =
            self.clamping.as_ref().map(|(target, weekday)| clamp::of(target, weekday.as_deref(), scope)).transpose()?;
        let granularity = self.granularity.filter(|span| *span != Span::default());
        let latest = end.max(Moment::utc(scope.now));
        let end = match clamp {
            Some(clamp) => {
                let least = if clamp == Clamp::Day { SECOND } else { DAY };
                let before = granularity.unwrap_or_else(|| Span::micros(least)).negated();
                clamp
                    .of(end, true)
                    .and_then(|end| end.plus(before))
                    .ok_or("the end of the cursor is beyond all calendars")?
            }
            None => end,
        };
        let step = span(&self.step)?;
        if step.is_some_and(|step| step.months <= 0 && step.micros <= 0) {
            return Err("the step of the cursor does not lead forward".to_owned());
        }
        Ok(Calendar {
            field: self.field.text(scope)?,
            formats: self.formats.clone(),
            start: self.start.moment(format, scope)?,
            end,
            step,
            granularity,
            clamp,
            lookback: span(&self.lookback)?,
            names: [self.names[0].text(scope)?, self.names[1].text(scope)?],
            is_strict: self.is_strict,
            latest,
        })
    }

    /// What a window injects into its requests.
    pub(super) fn options(&self, slice: &Slice, scope: &Scope<'_>) -> Result<Options, String> {
        let mut options = Options::default();
        for (place, name) in self.places.iter().zip(&self.names) {
            if let Some(place) = place {
                let value = slice.window.get(&name.text(scope)?).cloned().unwrap_or(Value::Null);
                place.inject(&mut options, value, scope)?;
            }
        }
        Ok(options)
    }
}

/// The cursor of a stream, computed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Calendar {
    /// The field of a record that holds its cursor.
    pub(super) field: String,
    formats: Vec<String>,
    start: Moment,
    end: Moment,
    step: Option<Span>,
    granularity: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clamp: Option<Clamp>,
    lookback: Option<Span>,
    names: [String; 2],
    is_strict: bool,
    /// The greatest cursor that is taken: the present, or the end that the manifest says if that is later.
    latest: Moment,
}

/// A time that was read, and the greatest cursor that was seen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Interval {
    start: Moment,
    end: Moment,
    seen: Option<Moment>,
}

/// How far one cursor has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Position {
    /// Where this sync began.
    begun: Moment,
    read: Vec<Interval>,
    /// What its document said beside the cursor.
    kept: Map<String, Value>,
    /// The greatest cursor of the window that is being read.
    seen: Option<Moment>,
}

impl Calendar {
    /// What a cursor's value means.
    pub(super) fn parse(&self, value: &Value) -> Option<Moment> {
        let text = match value {
            Value::Null => return None,
            #[expect(clippy::cast_possible_truncation, reason = "Python's `int` cuts a float as well")]
            Value::Number(number) if number.is_f64() && self.formats.iter().all(|format| format != "%s_as_float") => {
                (number.as_f64()? as i64).to_string()
            }
            value => super::python::text(value),
        };
        self.formats.iter().find_map(|format| Moment::parse(&text, format))
    }

    /// A moment as the cursor's format writes it.
    pub(super) fn write(&self, moment: Moment) -> String {
        moment.write(self.formats.last().map(String::as_str).unwrap_or_default())
    }

    /// Whether the cursor is a number.
    fn is_count(&self) -> bool {
        self.formats.last().is_some_and(|format| format == COUNT)
    }

    /// The position that a document tells; `back`: so many seconds are read again.
    pub(super) fn position(&self, state: Option<&Value>, back: i64) -> Result<Position, String> {
        if let Some(slices) = state.and_then(slices) {
            return self.listed(state.and_then(|state| state.get("legacy")), slices);
        }
        let kept = state.and_then(Value::as_object).cloned().unwrap_or_default();
        let said = match kept.get(&self.field) {
            Some(value) => {
                let moment = self.said(value)?;
                let before = moment.plus(Span::micros(-back.saturating_mul(SECOND))).unwrap_or(moment);
                // A position begins where the cursor's format can write it.
                Some(self.parse(&self.write(before).into()).unwrap_or(before))
            }
            None => None,
        };
        let begun = said.map_or(self.start, |said| said.max(self.start));
        let read = vec![Interval { start: self.start, end: begun, seen: Some(begun) }];
        Ok(Position { begun, read, kept, seen: None })
    }

    /// The position that a document tells which lists the intervals that were read.
    fn listed(&self, kept: Option<&Value>, slices: &[Value]) -> Result<Position, String> {
        let bound = |slice: &Value, key: &str| self.said(slice.get(key).unwrap_or(&Value::Null));
        let read = slices.iter().map(|slice| {
            let seen = slice.get(SEEN).map(|seen| self.said(seen)).transpose()?;
            Ok(Interval { start: bound(slice, "start")?, end: bound(slice, "end")?, seen })
        });
        let read = self.merged(read.collect::<Result<_, String>>()?);
        let first = slices.first().ok_or("the state's `slices` are empty")?;
        let begun = bound(first, if first.get(SEEN).is_some() { SEEN } else { "end" })?;
        let kept = kept.and_then(Value::as_object).cloned().unwrap_or_default();
        Ok(Position { begun, read, kept, seen: None })
    }

    /// What a state says of the cursor.
    pub(super) fn said(&self, value: &Value) -> Result<Moment, String> {
        self.parse(value).ok_or_else(|| format!("the state's `{}` is no time of this cursor", self.field))
    }

    /// The windows that are to be read from a position, in order: what lies before and between what was read, and what comes after.
    pub(super) fn windows(&self, position: &Position) -> Result<Vec<Map<String, Value>>, String> {
        let mut windows = Vec::new();
        if let Some(first) = position.read.first().filter(|first| self.start < first.start) {
            self.divide(self.start, first.start, false, &mut windows)?;
        }
        for pair in position.read.windows(2) {
            let after = self.granularity.and_then(|span| pair[0].end.plus(span)).unwrap_or(pair[0].end);
            self.divide(after, pair[1].start, false, &mut windows)?;
        }
        let lower = position.read.last().map_or(self.start, |interval| interval.end);
        let lower = self.lookback.and_then(|lookback| lower.plus(lookback.negated())).unwrap_or(lower);
        self.divide(lower, self.end, true, &mut windows)?;
        Ok(windows)
    }

    /// Divides a time into windows. `is_end`: it is read to its last moment; the last moment of another is read already.
    fn divide(
        &self,
        lower: Moment,
        upper: Moment,
        is_end: bool,
        windows: &mut Vec<Map<String, Value>>,
    ) -> Result<(), String> {
        let clamped = |at: Moment| self.clamp.map_or(Some(at), |clamp| clamp.of(at, false)).unwrap_or(at);
        if lower > upper || (lower == upper && self.granularity.is_none()) || upper < self.start {
            return Ok(());
        }
        let mut lower = clamped(lower.max(self.start));
        if lower > upper || (lower == upper && (self.is_strict || !is_end)) {
            return Ok(());
        }
        let mut push = |start: Moment, end: Moment, is_whole: bool| {
            let before = self.granularity.filter(|_| !is_whole).and_then(|span| end.plus(span.negated()));
            let texts = [start, before.unwrap_or(end)].map(|moment| Value::String(self.write(moment)));
            windows.push(self.names.iter().cloned().zip(texts).collect());
            if windows.len() > WINDOWS_MAX {
                return Err(format!("the stream has more than {WINDOWS_MAX} windows"));
            }
            Ok(())
        };
        let next = |lower: Moment| self.step.and_then(|step| lower.plus(step)).filter(|next| *next < upper);
        if next(lower).is_none() {
            // With a granularity the end is the last moment that is read.
            let end = if is_end && self.granularity.is_some() { upper } else { clamped(upper) };
            return push(lower, end, is_end);
        }
        loop {
            let end = next(lower).map_or(upper, clamped);
            let is_last = end == upper || next(lower).is_none();
            // A step that is shorter than what is clamped to leads nowhere.
            if lower >= end {
                return Ok(());
            }
            push(lower, end, is_end && is_last)?;
            if is_last {
                return Ok(());
            }
            lower = end;
        }
    }

    /// Whether a record is of the time that this sync reads.
    pub(super) fn is_synced(&self, position: &Position, record: &Value) -> bool {
        let Some(at) = record.get(&self.field).and_then(|value| self.parse(value)) else { return true };
        let mut lowest = position.begun;
        if let Some(before) = self.lookback.and_then(|lookback| position.begun.plus(lookback.negated())) {
            lowest = before.max(position.begun.min(self.start));
        }
        (lowest..=self.end).contains(&at)
    }

    /// Takes note of a record.
    pub(super) fn observe(&self, position: &mut Position, record: &Value) -> Option<Moment> {
        // A record from the future must not keep out those that come before it.
        let at = record.get(&self.field).and_then(|value| self.parse(value))?.min(self.latest);
        position.seen = Some(position.seen.map_or(at, |seen| seen.max(at)));
        Some(at)
    }

    /// Takes note that a window was read to its end.
    pub(super) fn close(&self, position: &mut Position, window: &Map<String, Value>) {
        let seen = position.seen.take();
        if self.is_count() {
            // No last number is asked for, so what was seen is what was read.
            position.read.extend(seen.map(|end| Interval { start: position.begun, end, seen }));
            position.read = self.merged(std::mem::take(&mut position.read));
            return;
        }
        let bound = |name: &String| window.get(name).and_then(|value| self.parse(value));
        if let (Some(start), Some(end)) = (bound(&self.names[0]), bound(&self.names[1])) {
            position.read.push(Interval { start, end, seen });
            position.read = self.merged(std::mem::take(&mut position.read));
        }
    }

    /// The intervals with those joined that have no gap between them.
    fn merged(&self, mut intervals: Vec<Interval>) -> Vec<Interval> {
        intervals.sort_by_key(|interval| (interval.start, interval.end));
        let gap = Span::micros(if self.is_count() { 1 } else { GAP });
        let after = |end: Moment| end.plus(self.granularity.unwrap_or(gap)).unwrap_or(end);
        let mut merged: Vec<Interval> = Vec::new();
        for interval in intervals {
            match merged.last_mut() {
                Some(last) if after(last.end) >= interval.start => {
                    last.end = last.end.max(interval.end);
                    last.seen = last.seen.max(interval.seen);
                }
                _ => merged.push(interval),
            }
        }
        merged
    }

    /// The position as a document: the cursor's field, and what the document before it said.
    pub(super) fn state(&self, position: &Position) -> Value {
        let mut state = position.kept.clone();
        if let Some(first) = position.read.first() {
            let at = first.seen.unwrap_or(first.start);
            state.insert(self.field.clone(), if self.is_count() { at.micros.into() } else { self.write(at).into() });
        }
        Value::Object(state)
    }
}

#[cfg(test)]
impl Calendar {
    /// A calendar from one second to another, for tests.
    pub(super) fn of_seconds(start: i64, end: i64, step: Option<i64>) -> Self {
        Self {
            field: "at".to_owned(),
            formats: vec!["%Y-%m-%dT%H:%M:%SZ".to_owned()],
            start: Moment::utc(start * SECOND),
            end: Moment::utc(end * SECOND),
            step: step.map(|seconds| Span::micros(seconds * SECOND)),
            granularity: step.map(|_| Span::micros(SECOND)),
            clamp: None,
            lookback: None,
            names: ["start_time".to_owned(), "end_time".to_owned()],
            is_strict: false,
            latest: Moment::utc(end * SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds(calendar: &Calendar, windows: &[Map<String, Value>]) -> Vec<(i64, i64)> {
        let bound = |window: &Map<String, Value>, name: &str| calendar.parse(&window[name]).unwrap().micros / SECOND;
        windows.iter().map(|window| (bound(window, "start_time"), bound(window, "end_time"))).collect()
    }

    proptest! {
        /// Each second of the time is in exactly one window, both ends of which belong to it.
        #[test]
        fn windows_cover_the_time_without_gap_or_overlap(start in 0..4_000_000_000_i64, length in 0..500_000_i64, step in 1..90_000_i64) {
            let calendar = Calendar::of_seconds(start, start + length, Some(step));
            let position = calendar.position(None, 0).unwrap();
            prop_assume!(length / step < 10_000);
            let bounds = bounds(&calendar, &calendar.windows(&position).unwrap());
            prop_assert_eq!(bounds.first().map(|bound| bound.0), Some(start));
            prop_assert_eq!(bounds.last().map(|bound| bound.1), Some(start + length));
            for pair in bounds.windows(2) {
                prop_assert_eq!(pair[0].1 + 1, pair[1].0);
                prop_assert!(pair[0].0 <= pair[0].1);
            }
        }

        /// Whatever order windows are read in, the position is never past a window that is not read yet.
        #[test]
        fn the_position_never_passes_a_window_that_is_not_read(order in Just((0..10_usize).collect::<Vec<_>>()).prop_shuffle()) {
            let calendar = Calendar::of_seconds(0, 10 * 86_400 - 1, Some(86_400));
            let mut position = calendar.position(None, 0).unwrap();
            let windows = calendar.windows(&position).unwrap();
            prop_assert_eq!(windows.len(), 10);
            let mut read = [false; 10];
            for at in order {
                let noon = Moment::utc(i64::try_from(at).unwrap() * DAY + DAY / 2);
                let record = serde_json::json!({"at": calendar.write(noon)});
                calendar.observe(&mut position, &record);
                calendar.close(&mut position, &windows[at]);
                read[at] = true;
                let first_open = read.iter().position(|read| !read).unwrap_or(10);
                let state = calendar.state(&position);
                let day = calendar.parse(&state["at"]).unwrap().micros.div_euclid(DAY);
                prop_assert!(day < i64::try_from(first_open.max(1)).unwrap());
            }
        }

        /// A sync that begins where the last one ended reads what came since, and its first second again.
        #[test]
        fn the_next_sync_begins_where_the_last_one_saw_its_last_record(days in 1..40_i64, at in 0..86_400_i64) {
            let first = Calendar::of_seconds(0, days * 86_400, Some(86_400));
            let mut position = first.position(None, 0).unwrap();
            for window in first.windows(&position).unwrap() {
                first.close(&mut position, &window);
            }
            let record = serde_json::json!({"at": first.write(Moment::utc(at * SECOND))});
            let mut position = first.position(None, 0).unwrap();
            first.observe(&mut position, &record);
            for window in first.windows(&position).unwrap() {
                first.close(&mut position, &window);
            }
            let second = Calendar::of_seconds(0, (days + 1) * 86_400, Some(86_400));
            let resumed = second.position(Some(&first.state(&position)), 0).unwrap();
            prop_assert_eq!(bounds(&second, &second.windows(&resumed).unwrap())[0].0, at);
        }
    }

    #[test]
    fn a_new_partition_begins_where_the_format_can_write_it() {
        let days = Calendar { formats: vec!["%Y-%m-%d".to_owned()], ..Calendar::of_seconds(0, 900_000, Some(86_400)) };
        let state = serde_json::json!({"at": "1970-01-05"});
        let position = days.position(Some(&state), 3).unwrap();
        assert_eq!(position.begun, Moment::utc(3 * DAY), "three seconds before the day, as a day");
        assert_eq!(days.position(Some(&state), 0).unwrap().begun, Moment::utc(4 * DAY));
    }

    #[test]
    fn a_cursor_behind_the_end_is_taken_and_one_of_the_future_is_not() {
        let ended = Calendar { latest: Moment::utc(2000 * SECOND), ..Calendar::of_seconds(0, 1000, None) };
        let seen = |second: i64| {
            let mut position = ended.position(None, 0).unwrap();
            let record = serde_json::json!({"at": ended.write(Moment::utc(second * SECOND))});
            ended.observe(&mut position, &record).map(|at| at.micros / SECOND)
        };
        assert_eq!([seen(500), seen(1500), seen(2500)], [Some(500), Some(1500), Some(2000)]);
    }

    #[test]
    fn windows_begin_and_end_with_a_part_of_the_calendar() {
        let written =
            |clamp: Clamp, start: &str, end: &str, step: &str, granularity: Option<&str>| -> Vec<[String; 2]> {
                let at = |text: &str| Moment::parse(text, "%Y-%m-%dT%H:%M:%SZ").unwrap();
                let calendar = Calendar {
                    start: at(start),
                    end: at(end),
                    step: Span::parse(step),
                    granularity: granularity.and_then(Span::parse),
                    clamp: Some(clamp),
                    formats: vec!["%Y-%m-%d".to_owned()],
                    ..Calendar::of_seconds(0, 0, None)
                };
                let position = calendar.position(None, 0).unwrap();
                let windows = calendar.windows(&position).unwrap();
                let text = |window: &Map<String, Value>, name: &str| window[name].as_str().unwrap().to_owned();
                windows.iter().map(|window| [text(window, "start_time"), text(window, "end_time")]).collect()
            };
        // 2024-02-20 is a Tuesday.
        let (from, to) = ("2024-02-20T10:00:00Z", "2024-04-30T23:59:59Z");
        assert_eq!(
            written(Clamp::Month, from, to, "P1M", Some("P1D")),
            [["2024-03-01", "2024-03-31"], ["2024-04-01", "2024-04-30"]]
        );
        assert_eq!(
            written(Clamp::Week(0), from, "2024-03-10T00:00:00Z", "P7D", Some("P1D")),
            [["2024-02-26", "2024-03-03"], ["2024-03-04", "2024-03-10"]]
        );
        assert_eq!(
            written(Clamp::Day, from, "2024-02-23T00:00:00Z", "P1D", Some("PT1S")),
            [["2024-02-21", "2024-02-21"], ["2024-02-22", "2024-02-23"]]
        );
        assert_eq!(written(Clamp::Week(1), from, "2024-02-21T00:00:00Z", "P9D", None), [["2024-02-20", "2024-02-27"]]);
        let at = Moment::parse("2024-02-20T10:00:00Z", "%Y-%m-%dT%H:%M:%SZ").unwrap();
        let ends = [Clamp::Day, Clamp::Week(1), Clamp::Week(2), Clamp::Month]
            .map(|clamp| clamp.of(at, true).unwrap().format("%m-%d"));
        assert_eq!(ends, ["02-20", "02-20", "02-14", "02-01"]);
    }

    #[test]
    fn without_a_step_there_is_one_window() {
        let calendar = Calendar::of_seconds(0, 86_400, None);
        let position = calendar.position(None, 0).unwrap();
        assert_eq!(bounds(&calendar, &calendar.windows(&position).unwrap()), [(0, 86_400)]);
        let ended = calendar.position(Some(&serde_json::json!({"at": "1970-01-02T00:00:00Z"})), 0).unwrap();
        assert_eq!(calendar.windows(&ended).unwrap(), []);
    }
}

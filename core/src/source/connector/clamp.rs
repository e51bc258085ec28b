//! Clamp: windows that begin and end with a day, a week or a month, whatever the steps between them are.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::component::{Component, Missing};
use super::template::{Scope, Template};
use super::time::{DAY, Moment, Span};

/// The part of the calendar at whose beginnings windows begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Clamp {
    Day,
    /// A week that begins on this day: 0 for Monday to 6 for Sunday.
    Week(i64),
    Month,
}

const WEEKDAYS: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

impl Clamp {
    /// The beginning of such a part: that of the next one, unless it begins then, or, of the end of a stream, of the one that it is in.
    pub(super) fn of(self, at: Moment, is_end: bool) -> Option<Moment> {
        let midnight = at.midnight();
        let days = |days: i64| midnight.plus(Span::micros(days.checked_mul(DAY)?));
        match self {
            Self::Day if is_end || midnight == at => Some(midnight),
            Self::Day => days(1),
            Self::Week(first) => {
                let ahead = (first - at.weekday()).rem_euclid(7);
                days(if is_end && ahead > 0 { ahead - 7 } else { ahead })
            }
            Self::Month => {
                let first = midnight.with([("day", 1)])?;
                let is_first = at.field("day") == Some(1);
                if is_end || is_first { Some(first) } else { first.plus(Span { months: 1, micros: 0 }) }
            }
        }
    }
}

/// What a manifest says of the part of the calendar that windows begin and end with.
pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<(Template, Option<String>)> {
    let said = component.get("clamping")?;
    let Some(target) = said.get("target").and_then(Value::as_str) else {
        missing.add("a `clamping` without a `target`");
        return None;
    };
    let weekday = said.pointer("/target_details/weekday").and_then(Value::as_str);
    Some((component.parse(target, missing)?, weekday.map(ToOwned::to_owned)))
}

/// The part of the calendar that a configuration and a day of the week mean.
pub(super) fn of(target: &Template, weekday: Option<&str>, scope: &Scope<'_>) -> Result<Clamp, String> {
    match target.text(scope)?.as_str() {
        "DAY" => Ok(Clamp::Day),
        "MONTH" => Ok(Clamp::Month),
        "WEEK" => {
            let day = WEEKDAYS.iter().position(|day| weekday == Some(day)).and_then(|day| i64::try_from(day).ok());
            day.map(Clamp::Week)
                .ok_or_else(|| "windows of weeks have no day in `target_details` that they begin on".to_owned())
        }
        _ => Err(format!("what `{}` gives is none of DAY, WEEK and MONTH", target.source())),
    }
}

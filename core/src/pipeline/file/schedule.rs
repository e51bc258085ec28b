//! Schedule: when a pipeline runs, and how often it loads at most.

mod cron;

use crate::diagnostic::Code;
use crate::spec::{self, Hint, Mismatch, Text};

/// When a pipeline runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// `rate(15 minutes)`, as written.
    Rate(String),
    /// `cron(…)`, as written.
    Cron(String),
    /// `object-created`.
    ObjectCreated,
}

impl Schedule {
    /// How often the clock starts the pipeline in a month of so many days.
    pub(crate) fn firings(&self, days: u64) -> u64 {
        let inside = |text: &str, name: &str| {
            text.strip_prefix(name).and_then(|rest| rest.strip_suffix(')')).unwrap_or_default().to_owned()
        };
        match self {
            Self::Rate(rate) => (days * 24 * 60).div_ceil(minutes(&inside(rate, "rate(")).unwrap_or(1)),
            Self::Cron(parts) => cron::firings(&inside(parts, "cron("), days),
            Self::ObjectCreated => 0,
        }
    }
}

/// A schedule as Amazon's EventBridge Scheduler takes it, or the event of a new object:
///
/// ```text
/// schedule = "rate(" number unit ")" | "cron(" six parts ")" | "object-created"
/// unit     = "minute" | "hour" | "day"            after 1
///          | "minutes" | "hours" | "days"         after any other number
/// parts    = minutes hours day-of-month month day-of-week year
/// ```
pub(super) struct Form;

impl spec::Form for Form {
    type Value = Schedule;

    fn noun(&self) -> &'static str {
        "a schedule"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Schedule, Mismatch> {
        let text = text.text.as_str();
        let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if text == "object-created" {
            return Ok(Schedule::ObjectCreated);
        }
        if let Some(rate) = inside("rate") {
            if is_rate(rate) {
                return Ok(Schedule::Rate(text.to_owned()));
            }
            return Err(Mismatch::new(Code::WrongValue, format!("`{text}` is not a rate")).with_help(
                "write `rate(1 hour)` or `rate(15 minutes)`: minute, hour or day, with an `s` after any number but 1",
            ));
        }
        if let Some(cron) = inside("cron") {
            return match cron::wrong(cron) {
                None => Ok(Schedule::Cron(text.to_owned())),
                Some(why) => Err(Mismatch::new(Code::WrongValue, format!("`{text}` {why}"))
                    .with_help("minutes, hours, day of month, month, day of week, year: `cron(0 6 * * ? *)`")),
            };
        }
        Err(Mismatch::new(Code::WrongValue, format!("`{text}` is not a schedule"))
            .with_help("write `rate(15 minutes)`, `cron(0 6 * * ? *)` or `object-created`"))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^(rate\\(.+\\)|cron\\(.+\\)|object-created)$")
    }
}

fn is_rate(rate: &str) -> bool {
    minutes(rate).is_some()
}

/// A time such as `15 minutes`, in minutes.
fn minutes(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [number, unit] = words.as_slice() else { return None };
    let count = number.parse::<u32>().ok().filter(|_| number.chars().all(|c| c.is_ascii_digit()))?;
    let singular = if count == 1 { unit } else { unit.strip_suffix('s')? };
    let minutes = match singular {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return None,
    };
    Some(u64::from(count) * minutes).filter(|minutes| *minutes > 0)
}

/// How often a pipeline loads at most: `number unit`, as in a rate. Its value is in minutes.
pub(super) struct Pace;

impl spec::Form for Pace {
    type Value = u64;

    fn noun(&self) -> &'static str {
        "a time such as `15 minutes`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<u64, Mismatch> {
        let text = text.text.as_str();
        minutes(text).ok_or_else(|| {
            Mismatch::new(Code::WrongValue, format!("`{key}`: `{text}` is not a time"))
                .with_help("write `1 hour` or `15 minutes`: minute, hour or day, with an `s` after any number but 1")
        })
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[0-9]+ +(minute|hour|day)s?$")
    }
}

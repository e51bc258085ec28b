//! Schedule: when a pipeline runs.

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
            let count = cron.split_whitespace().count();
            if count == 6 {
                return Ok(Schedule::Cron(text.to_owned()));
            }
            return Err(Mismatch::new(Code::WrongValue, format!("`{text}` has {count} parts; a cron schedule has 6"))
                .with_help("minutes, hours, day of month, month, day of week, year: `cron(0 6 * * ? *)`"));
        }
        Err(Mismatch::new(Code::WrongValue, format!("`{text}` is not a schedule"))
            .with_help("write `rate(15 minutes)`, `cron(0 6 * * ? *)` or `object-created`"))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^(rate\\(.+\\)|cron\\(.+\\)|object-created)$")
    }
}

fn is_rate(rate: &str) -> bool {
    let words: Vec<&str> = rate.split_whitespace().collect();
    match words.as_slice() {
        ["1", unit] => ["minute", "hour", "day"].contains(unit),
        [number, unit] => {
            number.parse::<u32>().is_ok_and(|number| number > 1)
                && number.chars().all(|c| c.is_ascii_digit())
                && ["minutes", "hours", "days"].contains(unit)
        }
        _ => false,
    }
}

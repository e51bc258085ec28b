//! Cron: what each of the six parts of a schedule may contain. EventBridge Scheduler would refuse anything else, but only when
//! the pipeline is deployed.
//!
//! ```text
//! part  = item { "," item }
//! item  = range [ "/" number ]
//! range = "*" | value [ "-" value ] | "?" (a day, the other being said) | "L" … (a day: see `special`)
//! ```

/// What a part is about, and the values that it may have.
struct Part {
    noun: &'static str,
    least: u16,
    greatest: u16,
    /// The names of its values, from the least.
    names: &'static [&'static str],
    /// What else it may say: one of two days is `?`, and some days are counted from an end.
    special: fn(&str) -> bool,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const PARTS: [Part; 6] = [
    Part { noun: "minutes", least: 0, greatest: 59, names: &[], special: |_| false },
    Part { noun: "hours", least: 0, greatest: 23, names: &[], special: |_| false },
    Part { noun: "day of month", least: 1, greatest: 31, names: &[], special: is_day_of_month },
    Part { noun: "month", least: 1, greatest: 12, names: MONTHS, special: |_| false },
    Part { noun: "day of week", least: 1, greatest: 7, names: DAYS, special: is_day_of_week },
    Part { noun: "year", least: 1970, greatest: 2199, names: &[], special: |_| false },
];

/// What is wrong with the six parts, if anything is.
pub(super) fn wrong(cron: &str) -> Option<String> {
    let said: Vec<&str> = cron.split_whitespace().collect();
    let [_, _, day_of_month, _, day_of_week, _] = said.as_slice() else {
        return Some(format!("has {} parts; a cron schedule has 6", said.len()));
    };
    let part = said.iter().zip(&PARTS).find(|(said, part)| !part.takes(said));
    if let Some((said, Part { noun, least, greatest, .. })) = part {
        return Some(format!("has `{said}` for the {noun}; it has values from {least} to {greatest}"));
    }
    match (*day_of_month, *day_of_week) {
        ("?", "?") => Some("says `?` for both days, and is for none".to_owned()),
        (left, right) if left != "?" && right != "?" => {
            Some("says a day of month and a day of week; one of them is `?`".to_owned())
        }
        _ => None,
    }
}

/// How often six parts that are right come true in a month of so many days, rounded up. Of a year that is said, this is a month.
pub(super) fn firings(cron: &str, days: u64) -> u64 {
    let said: Vec<&str> = cron.split_whitespace().collect();
    let [minutes, hours, day_of_month, month, day_of_week, _] = said.as_slice() else { return 0 };
    let [minute, hour, of_month, of_year, of_week, _] = &PARTS;
    let times = minute.count(minutes) * hour.count(hours);
    // Days of a month, as a share: so many of so many.
    let (some, of) = match (*day_of_month, *day_of_week) {
        ("*", "?") | ("?", "*") => (days, 1),
        ("?", week) if week.contains('#') || week.len() > 1 && week.ends_with('L') => (1, 1),
        ("?", week) => (of_week.count(week) * days, 7),
        (month, _) => (of_month.count(month).min(days), 1),
    };
    (times * some * of_year.count(month)).div_ceil(of * 12)
}

impl Part {
    /// How many values a part means; one where it is counted from an end.
    fn count(&self, said: &str) -> u64 {
        if (self.special)(said) {
            return 1;
        }
        let means = |value: &u16| said.split(',').any(|item| self.means(item, *value));
        (self.least..=self.greatest).filter(means).count() as u64
    }

    /// Whether an item that is right means a value.
    fn means(&self, item: &str, value: u16) -> bool {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, number(step)));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (self.value(from), self.value(to)),
            None if range == "*" => (Some(self.least), Some(self.greatest)),
            // A step without an end goes on to the last value.
            None => (self.value(range), if step.is_some() { Some(self.greatest) } else { self.value(range) }),
        };
        let (Some(from), Some(to)) = (from, to) else { return false };
        (from..=to).contains(&value) && (value - from).is_multiple_of(step.unwrap_or(1).max(1))
    }

    fn takes(&self, said: &str) -> bool {
        (self.special)(said) || said.split(',').all(|item| self.takes_item(item))
    }

    fn takes_item(&self, item: &str) -> bool {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let is_step = step.is_none_or(|step| number(step).is_some_and(|step| (1..=self.greatest).contains(&step)));
        let is_range = range == "*"
            || match range.split_once('-') {
                Some((from, to)) => self.value(from).zip(self.value(to)).is_some_and(|(from, to)| from <= to),
                None => self.value(range).is_some(),
            };
        is_step && is_range
    }

    fn value(&self, text: &str) -> Option<u16> {
        let named = self.names.iter().zip(self.least..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        let value = named.map(|(_, value)| value).or_else(|| number(text))?;
        (self.least..=self.greatest).contains(&value).then_some(value)
    }
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `?`, the last day, the last weekday, or the weekday nearest to a day.
fn is_day_of_month(said: &str) -> bool {
    let nearest = said.strip_suffix('W').and_then(number);
    matches!(said, "?" | "L" | "LW") || nearest.is_some_and(|day| (1..=31).contains(&day))
}

/// `?`, the last day, the last one of its kind of the month (`6L`), or the third one, say (`6#3`).
fn is_day_of_week(said: &str) -> bool {
    let is_day = |text: &str| PARTS[4].value(text).is_some();
    let is_last = said.strip_suffix('L').is_some_and(|day| day.is_empty() || is_day(day));
    let is_counted = said
        .split_once('#')
        .is_some_and(|(day, count)| is_day(day) && number(count).is_some_and(|count| (1..=5).contains(&count)));
    said == "?" || is_last || is_counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_scheduler_takes_is_right() {
        for right in [
            "0 6 * * ? *",
            "0/15 * ? * MON-FRI *",
            "15,45 8-17/2 1,15 jan,JUL ? 2026-2030",
            "0 10 L * ? *",
            "0 10 15W * ? *",
            "0 10 ? * 6L *",
            "0 10 ? * 6#3 *",
            "*/5 * * * ? *",
        ] {
            assert_eq!(wrong(right), None, "{right}");
        }
    }

    #[test]
    fn firings_of_a_month_are_counted() {
        for (cron, wanted) in [
            ("0 6 * * ? *", 30),
            ("0/5 * * * ? *", 8640),
            ("*/5 * * * ? *", 8640),
            ("0,30 8-17/3 * * ? *", 2 * 4 * 30),
            // 21.4 working days.
            ("0 6 ? * MON-FRI *", 22),
            ("0 6 ? * 1 *", 5),
            ("0 6 ? * 6L *", 1),
            ("0 6 ? * 6#3 *", 1),
            ("0 6 L * ? *", 1),
            ("0 6 15W * ? *", 1),
            ("0 6 1,15 * ? *", 2),
            ("0 6 1-31 * ? *", 30),
            // A quarter of the months, and a twelfth.
            ("0 6 1 1/3 ? *", 1),
            ("0 * * JAN ? *", 60),
        ] {
            assert_eq!(wrong(cron), None, "{cron}");
            assert_eq!(firings(cron, 30), wanted, "{cron}");
        }
    }

    #[test]
    fn what_is_beyond_a_part_is_told() {
        for (cron, wanted) in [
            ("0 6 * * ?", "has 5 parts; a cron schedule has 6"),
            ("99 99 * * ? *", "has `99` for the minutes; it has values from 0 to 59"),
            ("0 24 * * ? *", "has `24` for the hours; it has values from 0 to 23"),
            ("0 6 0 * ? *", "has `0` for the day of month; it has values from 1 to 31"),
            ("0 6 * 1-13 ? *", "has `1-13` for the month; it has values from 1 to 12"),
            ("0 6 ? * FRI-MON *", "has `FRI-MON` for the day of week; it has values from 1 to 7"),
            ("0 6 * * ? 26", "has `26` for the year; it has values from 1970 to 2199"),
            ("0/0 6 * * ? *", "has `0/0` for the minutes; it has values from 0 to 59"),
            ("0 6 * * * *", "says a day of month and a day of week; one of them is `?`"),
            ("0 6 ? * ? *", "says `?` for both days, and is for none"),
        ] {
            assert_eq!(wrong(cron).as_deref(), Some(wanted), "{cron}");
        }
    }
}

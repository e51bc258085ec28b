//! Time: moments as manifests write and reckon with them. Formats are those of Python's `strptime` and `strftime`, with the
//! few directives that manifests have beside them; durations are those of ISO 8601, and their months are calendar months.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::value::datetime::{MONTHS, civil_from_days, days_from_civil, days_of_month};

/// Microseconds of a second.
pub(super) const SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400 * SECOND;
/// The first moment that can be written, 0001-01-01, and the last, 9999-12-31, in microseconds since 1970.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800 * SECOND..=253_402_300_799 * SECOND + 999_999;

/// Most characters that a format widens a field to.
const WIDTH_MAX: usize = 1024;
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A moment, and the zone that it is written in. Two are equal if they are the same time, whatever their zones.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Moment {
    /// Microseconds since 1970 in UTC.
    pub(super) micros: i64,
    /// Seconds east of UTC; `None`: it was written without a zone, and UTC is meant.
    pub(super) offset: Option<i32>,
}

/// A distance between moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(super) struct Span {
    /// Calendar months, which are not equally long.
    pub(super) months: i64,
    /// Microseconds beside them.
    pub(super) micros: i64,
}

/// The fields of a moment where it is written.
struct Fields {
    year: i32,
    month: u32,
    day: u32,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// Days since 1970.
    days: i32,
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.micros.cmp(&other.micros)
    }
}

impl Moment {
    /// A moment in UTC.
    pub(super) fn utc(micros: i64) -> Self {
        Self { micros, offset: Some(0) }
    }

    fn local(self) -> i64 {
        self.micros + i64::from(self.offset.unwrap_or_default()) * SECOND
    }

    fn fields(self) -> Fields {
        let local = self.local();
        let (days, rest) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let days = i32::try_from(days).unwrap_or_default();
        let (year, month, day) = civil_from_days(days);
        let seconds = rest / SECOND;
        Fields {
            year,
            month,
            day,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micros: rest % SECOND,
            days,
        }
    }

    /// A field by the name that Python gives it.
    pub(super) fn field(self, name: &str) -> Option<i64> {
        let fields = self.fields();
        Some(match name {
            "year" => fields.year.into(),
            "month" => fields.month.into(),
            "day" => fields.day.into(),
            "hour" => fields.hour,
            "minute" => fields.minute,
            "second" => fields.second,
            "microsecond" => fields.micros,
            _ => return None,
        })
    }

    /// With other fields, by the names that Python gives them; `None`: there is no such moment.
    pub(super) fn with<'a>(self, fields: impl IntoIterator<Item = (&'a str, i64)>) -> Option<Self> {
        let own = self.fields();
        let (mut year, mut month, mut day) = (i64::from(own.year), i64::from(own.month), i64::from(own.day));
        let (mut hour, mut minute, mut second, mut micros) = (own.hour, own.minute, own.second, own.micros);
        for (name, value) in fields {
            let (field, max) = match name {
                "year" => (&mut year, 9999),
                "month" => (&mut month, 12),
                "day" => (&mut day, 31),
                "hour" => (&mut hour, 23),
                "minute" => (&mut minute, 59),
                "second" => (&mut second, 59),
                "microsecond" => (&mut micros, SECOND - 1),
                _ => return None,
            };
            *field = Some(value).filter(|value| (0..=max).contains(value))?;
        }
        let days = days_from_civil(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
        Self::at(days, hour * 3600 + minute * 60 + second, micros, self.offset)
    }

    /// 0 for Monday to 6 for Sunday.
    pub(super) fn weekday(self) -> i64 {
        (i64::from(self.fields().days) + 3).rem_euclid(7)
    }

    /// Midnight of its day where it is written.
    pub(super) fn midnight(self) -> Self {
        Self { micros: self.micros - self.local().rem_euclid(DAY), ..self }
    }

    /// Seconds since 1970.
    pub(super) fn seconds(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "Python's timestamp is a float as well")]
        let seconds = self.micros as f64 / 1e6;
        seconds
    }

    /// The moment a span later; `None` beyond the years that can be written.
    pub(super) fn plus(self, span: Span) -> Option<Self> {
        let mut moment = self;
        if span.months != 0 {
            let fields = self.fields();
            let months = i64::from(fields.year) * 12 + i64::from(fields.month) - 1 + span.months;
            let (year, month) =
                (i32::try_from(months.div_euclid(12)).ok()?, u32::try_from(months.rem_euclid(12)).ok()? + 1);
            if !(1..=9999).contains(&year) {
                return None;
            }
            let days = days_from_civil(year, month, fields.day.min(days_of_month(year, month)))?;
            moment.micros += (i64::from(days) - i64::from(fields.days)) * DAY;
        }
        moment.micros = moment.micros.checked_add(span.micros)?;
        RANGE.contains(&moment.micros).then_some(moment)
    }

    /// As ISO 8601 writes it, with `separator` between day and time.
    pub(super) fn iso(self, separator: char) -> String {
        self.iso_to(separator, "auto").unwrap_or_default()
    }

    /// The same down to a unit of Python's: `hours` to `microseconds`, or `auto`. `None`: there is no such unit.
    pub(super) fn iso_to(self, separator: char, unit: &str) -> Option<String> {
        let mut text = self.format("%Y-%m-%d");
        text.push(separator);
        text.push_str(&self.format(match unit {
            "hours" => "%H",
            "minutes" => "%H:%M",
            "seconds" | "auto" | "milliseconds" | "microseconds" => "%H:%M:%S",
            _ => return None,
        }));
        let digits = match unit {
            "milliseconds" => 3,
            "microseconds" => 6,
            "auto" if self.fields().micros != 0 => 6,
            _ => 0,
        };
        if digits > 0 {
            text.push('.');
            text.extend(self.format("%f").chars().take(digits));
        }
        if let Some(offset) = self.offset {
            text.push_str(&zone(offset, ":"));
        }
        Some(text)
    }

    /// As a format of Python writes it, in the locale `C`.
    pub(super) fn format(self, format: &str) -> String {
        let fields = self.fields();
        let mut out = String::new();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let whole = &rest[at..];
            // `%-d`, `%_d`, `%^a`, `%10Y`, `%Ey`: flags, a width, a modifier, and then what is written.
            let flags_end = whole[1..].find(|c| !"-_0^#".contains(c)).map_or(whole.len(), |end| end + 1);
            let width_end =
                whole[flags_end..].find(|c: char| !c.is_ascii_digit()).map_or(whole.len(), |end| end + flags_end);
            let flags = &whole[1..flags_end];
            let after = &whole[width_end..];
            let after = after.strip_prefix(['E', 'O']).filter(|after| !after.is_empty()).unwrap_or(after);
            let mut directives = after.chars();
            let written = match directives.next() {
                Some(':') if after.starts_with(":z") => {
                    directives.next();
                    Some((self.offset.map(|offset| zone(offset, ":")).unwrap_or_default(), None))
                }
                Some(directive) => self.directive(&fields, directive),
                None => None,
            };
            rest = directives.as_str();
            match written {
                Some((text, pad)) => {
                    let width = whole[flags_end..width_end].parse::<usize>().unwrap_or(0).min(WIDTH_MAX);
                    out.push_str(&flagged(text, pad, flags, width));
                }
                None => out.push_str(&whole[..whole.len() - rest.len()]),
            }
        }
        out.push_str(rest);
        out
    }

    /// What a directive of a format writes, and what a number is filled with; `None`: there is no such directive.
    fn directive(self, fields: &Fields, directive: char) -> Option<(String, Option<char>)> {
        let two = |number: i64| (format!("{number:02}"), Some('0'));
        let blank = |number: i64| (format!("{number:2}"), Some(' '));
        let text = |text: &str| (text.to_owned(), None);
        let hour = (fields.hour + 11) % 12 + 1;
        let first = days_from_civil(fields.year, 1, 1).unwrap_or_default();
        let day_of_year = i64::from(fields.days - first);
        let sunday_first = (self.weekday() + 1) % 7;
        Some(match directive {
            'Y' => (fields.year.to_string(), Some('0')),
            'C' => two(i64::from(fields.year.div_euclid(100))),
            'G' => (self.iso_week().0.to_string(), Some('0')),
            'g' => two(self.iso_week().0.rem_euclid(100)),
            'V' => two(self.iso_week().1),
            'U' => two((day_of_year + 7 - sunday_first) / 7),
            'W' => two((day_of_year + 7 - self.weekday()) / 7),
            'm' => two(fields.month.into()),
            'd' => two(fields.day.into()),
            'e' => blank(fields.day.into()),
            'H' => two(fields.hour),
            'k' => blank(fields.hour),
            'I' => two(hour),
            'l' => blank(hour),
            'M' => two(fields.minute),
            'S' => two(fields.second),
            'f' => (format!("{:06}", fields.micros), Some('0')),
            'p' => text(if fields.hour < 12 { "AM" } else { "PM" }),
            'P' => text(if fields.hour < 12 { "am" } else { "pm" }),
            'y' => two(fields.year.rem_euclid(100).into()),
            'j' => (format!("{:03}", day_of_year + 1), Some('0')),
            'B' => text(MONTHS[fields.month as usize - 1]),
            'b' | 'h' => text(&MONTHS[fields.month as usize - 1][..3]),
            'A' => text(WEEKDAYS[self.weekday() as usize]),
            'a' => text(&WEEKDAYS[self.weekday() as usize][..3]),
            'w' => (sunday_first.to_string(), Some('0')),
            'u' => ((self.weekday() + 1).to_string(), Some('0')),
            'F' => text(&self.format("%Y-%m-%d")),
            'T' | 'X' => text(&self.format("%H:%M:%S")),
            'D' | 'x' => text(&self.format("%m/%d/%y")),
            'R' => text(&self.format("%H:%M")),
            'r' => text(&self.format("%I:%M:%S %p")),
            'c' => text(&self.format("%a %b %e %H:%M:%S %Y")),
            'n' => text("\n"),
            't' => text("\t"),
            'z' => text(&self.offset.map(|offset| zone(offset, "")).unwrap_or_default()),
            'Z' => text(if self.offset == Some(0) { "UTC" } else { "" }),
            's' => (self.micros.div_euclid(SECOND).to_string(), Some('0')),
            '%' => text("%"),
            _ => return None,
        })
    }

    /// The year and the week of ISO 8601: the first week of a year is the one with its first Thursday.
    fn iso_week(self) -> (i64, i64) {
        let fields = self.fields();
        let thursday = fields.days - i32::try_from(self.weekday()).unwrap_or_default() + 3;
        let (year, ..) = civil_from_days(thursday);
        let first = days_from_civil(year, 1, 1).unwrap_or_default();
        (year.into(), i64::from(thursday - first) / 7 + 1)
    }

    /// As a format of manifests writes it: Python's, and `%s`, `%s_as_float`, `%ms`, `%epoch_microseconds`, `%_ms`.
    pub(super) fn write(self, format: &str) -> String {
        match format {
            "%s" => (self.micros / SECOND).to_string(),
            "%s_as_float" => super::python::float(self.seconds()),
            "%epoch_microseconds" | "%count" => self.micros.to_string(),
            "%ms" => (self.micros / 1000).to_string(),
            _ => self.format(&format.replace("%_ms", &format!("{:03}", self.fields().micros / 1000))),
        }
    }

    /// What a text means in a format of manifests; a text without a zone is in UTC.
    pub(super) fn parse(text: &str, format: &str) -> Option<Self> {
        let micros = match format {
            // No time at all, but a number that is compared as one.
            "%count" => return text.trim().parse().ok().map(Self::utc),
            "%s" => text.trim().parse::<i64>().ok()?.checked_mul(SECOND)?,
            "%ms" => text.trim().parse::<i64>().ok()?.checked_mul(1000)?,
            "%epoch_microseconds" => text.trim().parse().ok()?,
            "%s_as_float" => {
                let seconds: f64 = text.trim().parse().ok()?;
                let micros = (seconds * 1e6).round();
                if !micros.is_finite() || micros.abs() > 1e18 {
                    return None;
                }
                #[expect(clippy::cast_possible_truncation, reason = "its size was looked at")]
                let micros = micros as i64;
                micros
            }
            _ => {
                let parsed = Self::strptime(text, &format.replace("%_ms", "%f"))?;
                return Some(Self { offset: parsed.offset.or(Some(0)), ..parsed });
            }
        };
        RANGE.contains(&micros).then(|| Self::utc(micros))
    }

    /// What a text means in a format of Python.
    pub(super) fn strptime(text: &str, format: &str) -> Option<Self> {
        // As the locale `C` writes them.
        let expanded = [("%c", "%a %b %d %H:%M:%S %Y"), ("%x", "%m/%d/%y"), ("%X", "%H:%M:%S")];
        if let Some((short, long)) = expanded.iter().find(|(short, _)| format.contains(short) && !format.contains("%%"))
        {
            return Self::strptime(text, &format.replace(short, long));
        }
        let (mut weekday, mut week) = (None, None);
        let mut scan = Scan { rest: text };
        let (mut year, mut month, mut day, mut day_of_year) = (1900, 1, 1, None);
        let (mut hour, mut minute, mut second, mut micros) = (0, 0, 0, 0);
        let (mut offset, mut afternoon) = (None, None);
        let mut directives = format.chars();
        while let Some(c) = directives.next() {
            if c.is_whitespace() {
                let trimmed = scan.rest.trim_start();
                if trimmed.len() == scan.rest.len() {
                    return None;
                }
                scan.rest = trimmed;
                continue;
            }
            if c != '%' {
                scan.literal(c)?;
                continue;
            }
            match directives.next()? {
                'Y' => year = scan.exactly(4)?,
                'y' => {
                    let short = scan.exactly(2)?;
                    year = if short < 69 { 2000 + short } else { 1900 + short };
                }
                'm' => month = scan.at_most(2, 12)?,
                'd' => day = scan.at_most(2, 31)?,
                'j' => day_of_year = Some(scan.at_most(3, 366)?),
                'H' => hour = scan.at_most(2, 23)?,
                'I' => hour = scan.at_most(2, 12)?,
                'M' => minute = scan.at_most(2, 59)?,
                'S' => second = scan.at_most(2, 61)?,
                'f' => micros = scan.fraction(directives.clone().next())?,
                'p' => afternoon = Some(scan.word(&["AM", "PM"])? == 1),
                'B' => month = i64::try_from(scan.word(&MONTHS)?).ok()? + 1,
                'b' | 'h' => month = i64::try_from(scan.word(&MONTHS.map(|name| &name[..3]))?).ok()? + 1,
                'A' => weekday = i64::try_from(scan.word(&WEEKDAYS)?).ok(),
                'a' => weekday = i64::try_from(scan.word(&WEEKDAYS.map(|name| &name[..3]))?).ok(),
                'w' => weekday = Some((scan.at_most(1, 6)? + 6) % 7),
                'u' => weekday = Some(scan.at_most(1, 7)? - 1).filter(|day| *day >= 0),
                directive @ ('U' | 'W') => week = Some((scan.at_most(2, 53)?, directive == 'W')),
                'z' => offset = Some(scan.zone(Minutes::Needed)?),
                'Z' => {
                    if scan.word(&["UTC", "GMT", "Z"]).is_some() {
                        offset = offset.or(Some(0));
                    }
                }
                '%' => scan.literal('%')?,
                _ => return None,
            }
        }
        if !scan.rest.is_empty() {
            return None;
        }
        if let Some(afternoon) = afternoon {
            hour = hour % 12 + if afternoon { 12 } else { 0 };
        }
        // A week means a day only with the day of the week.
        if let (Some((week, is_monday_first)), Some(weekday), None) = (week, weekday, day_of_year) {
            let first = (i64::from(days_from_civil(i32::try_from(year).ok()?, 1, 1)?) + 3).rem_euclid(7);
            let (first, weekday) =
                if is_monday_first { (first, weekday) } else { ((first + 1) % 7, (weekday + 1) % 7) };
            day_of_year = Some(match week {
                0 => 1 + weekday - first,
                week => 1 + (7 - first) % 7 + 7 * (week - 1) + weekday,
            });
        }
        let days = match day_of_year {
            Some(day) => days_from_civil(i32::try_from(year).ok()?, 1, 1)? + i32::try_from(day).ok()? - 1,
            None => days_from_civil(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?,
        };
        Self::at(days, hour * 3600 + minute * 60 + second, micros, offset)
    }

    /// What a text means that writes a moment as ISO 8601 does, in part or whole.
    pub(super) fn iso_parse(text: &str) -> Option<Self> {
        let mut scan = Scan { rest: text };
        let year = scan.exactly(4)?;
        let extended = scan.rest.starts_with('-');
        let part = |scan: &mut Scan<'_>| -> Option<i64> {
            if extended {
                scan.rest = scan.rest.strip_prefix('-')?;
            }
            scan.exactly(2)
        };
        let month = if scan.rest.is_empty() { 1 } else { part(&mut scan)? };
        let has_day = if extended { scan.rest.starts_with('-') } else { scan.rest.len() >= 2 };
        let day = if has_day { part(&mut scan)? } else { 1 };
        let days = days_from_civil(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
        let mut seconds = 0;
        let (mut micros, mut offset) = (0, None);
        if !scan.rest.is_empty() {
            let mut chars = scan.rest.chars();
            chars.next();
            scan.rest = chars.as_str();
            let hour = scan.exactly(2)?;
            seconds = hour * 3600;
            let colon = scan.rest.starts_with(':');
            for unit in [60, 1] {
                if !scan.rest.starts_with(|c: char| if colon { c == ':' } else { c.is_ascii_digit() }) {
                    break;
                }
                scan.rest = scan.rest.strip_prefix(':').unwrap_or(scan.rest);
                seconds += scan.exactly(2)? * unit;
            }
            if let Some(rest) = scan.rest.strip_prefix(['.', ',']) {
                scan.rest = rest;
                micros = scan.fraction(None)?;
                scan.rest = scan.rest.trim_start_matches(|c: char| c.is_ascii_digit());
            }
            if !scan.rest.is_empty() {
                offset = Some(scan.zone(Minutes::Optional)?);
            }
        }
        scan.rest.is_empty().then_some(())?;
        Self::at(days, seconds, micros, offset)
    }

    fn at(days: i32, seconds: i64, micros: i64, offset: Option<i32>) -> Option<Self> {
        let micros = i64::from(days) * DAY + (seconds - i64::from(offset.unwrap_or_default())) * SECOND + micros;
        RANGE.contains(&micros).then_some(Self { micros, offset })
    }
}

/// What a directive writes, with its flags obeyed. `pad`: what fills a number.
fn flagged(text: String, pad: Option<char>, flags: &str, width: usize) -> String {
    let mut text = text;
    let mut pad = pad;
    for flag in flags.chars() {
        let digits = text.trim_start_matches(['0', ' ']);
        let bare = if digits.is_empty() && !text.is_empty() { &text[text.len() - 1..] } else { digits };
        let missing = text.len() - bare.len();
        match flag {
            '-' if pad.is_some() => text = bare.trim_start().to_owned(),
            '_' if pad.is_some() => (text, pad) = (format!("{}{bare}", " ".repeat(missing)), Some(' ')),
            '0' if pad.is_some() => (text, pad) = (format!("{}{bare}", "0".repeat(missing)), Some('0')),
            '^' => text = text.to_uppercase(),
            '#' if matches!(text.as_str(), "AM" | "PM" | "UTC") => text = text.to_lowercase(),
            '#' => text = text.to_uppercase(),
            _ => {}
        }
    }
    let missing = width.saturating_sub(text.chars().count());
    if missing == 0 { text } else { pad.unwrap_or(' ').to_string().repeat(missing) + &text }
}

/// `+HH<colon>MM`, and seconds where there are some.
fn zone(offset: i32, colon: &str) -> String {
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    let mut text = format!("{sign}{:02}{colon}{:02}", size / 3600, size / 60 % 60);
    if size % 60 != 0 {
        text.push_str(&format!("{colon}{:02}", size % 60));
    }
    text
}

struct Scan<'a> {
    rest: &'a str,
}

/// Whether an offset may be of hours alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Minutes {
    Needed,
    Optional,
}

impl Scan<'_> {
    fn literal(&mut self, wanted: char) -> Option<()> {
        let mut chars = self.rest.chars();
        let found = chars.next()?;
        if !found.eq_ignore_ascii_case(&wanted) {
            return None;
        }
        self.rest = chars.as_str();
        Some(())
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<&str> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        Some(digits)
    }

    fn exactly(&mut self, count: usize) -> Option<i64> {
        self.digits(count, count)?.parse().ok()
    }

    /// One digit to `count`, as many as give no more than `max`.
    fn at_most(&mut self, count: usize, max: i64) -> Option<i64> {
        let all = self.rest;
        for count in (1..=count).rev() {
            if let Some(value) = self.exactly(count).filter(|value| *value <= max) {
                return Some(value);
            }
            self.rest = all;
        }
        None
    }

    /// One digit to six of a fraction, in microseconds.
    /// A fraction of a second. Where the format goes on with a digit, the last one of the text may be that.
    fn fraction(&mut self, next: Option<char>) -> Option<i64> {
        let all = self.rest.bytes().take(6).take_while(u8::is_ascii_digit).count();
        let behind = self.rest.get(all..).and_then(|rest| rest.chars().next());
        let is_given_back = next.is_some_and(|next| next.is_ascii_digit() && behind != Some(next));
        let digits = self.digits(1, if is_given_back { all.saturating_sub(1) } else { 6 })?;
        let scale = 10_i64.pow(u32::try_from(6 - digits.len()).ok()?);
        Some(digits.parse::<i64>().ok()? * scale)
    }

    /// Which of some words it is.
    fn word(&mut self, words: &[&str]) -> Option<usize> {
        let fits = |word: &str| self.rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let at = words.iter().position(|word| fits(word))?;
        self.rest = &self.rest[words[at].len()..];
        Some(at)
    }

    /// `Z`, `±HHMM`, `±HH:MM`, and with seconds; `±HH` where minutes may be missing.
    fn zone(&mut self, minutes: Minutes) -> Option<i32> {
        if let Some(rest) = self.rest.strip_prefix(['Z', 'z']) {
            self.rest = rest;
            return Some(0);
        }
        let sign = if self.rest.starts_with('-') { -1 } else { 1 };
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        let mut seconds = self.exactly(2)? * 3600;
        for unit in [60, 1] {
            let rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
            if rest.starts_with(|c: char| c.is_ascii_digit()) {
                self.rest = rest;
                seconds += self.exactly(2)? * unit;
            } else if unit == 60 && minutes == Minutes::Needed {
                return None;
            }
        }
        i32::try_from(sign * seconds).ok()
    }
}

impl Span {
    /// As `str` writes it: `1 day, 2:03:04`, and before it years and months, if it has any.
    pub(super) fn text(self) -> String {
        let mut text = String::new();
        for (count, one, many) in [(self.months / 12, "years", "years"), (self.months % 12, "month", "months")] {
            if count != 0 {
                text.push_str(&format!("{count} {}, ", if count == 1 { one } else { many }));
            }
        }
        let (days, rest) = (self.micros.div_euclid(DAY), self.micros.rem_euclid(DAY));
        if days != 0 {
            text.push_str(&format!("{days} {}, ", if days.abs() == 1 { "day" } else { "days" }));
        }
        let (seconds, micros) = (rest / SECOND, rest % SECOND);
        text.push_str(&format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
        if micros != 0 {
            text.push_str(&format!(".{micros:06}"));
        }
        text
    }

    /// Of so many microseconds.
    pub(super) fn micros(micros: i64) -> Self {
        Self { months: 0, micros }
    }

    /// What a text means that writes a duration as ISO 8601 does.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, body) = match text.strip_prefix('-') {
            Some(body) => (-1, body),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let body = body.strip_prefix('P')?;
        let (date, time) = body.split_once('T').map_or((body, ""), |(date, time)| (date, time));
        let mut span = Self::default();
        let mut amount = String::new();
        for (part, is_time) in [(date, false), (time, true)] {
            for c in part.chars() {
                if c.is_ascii_digit() || matches!(c, '.' | ',') {
                    amount.push(if c == ',' { '.' } else { c });
                    continue;
                }
                let unit = match (c, is_time) {
                    ('Y', false) => {
                        span.months += amount.parse::<i64>().ok()?.checked_mul(12)?;
                        0
                    }
                    ('M', false) => {
                        span.months += amount.parse::<i64>().ok()?;
                        0
                    }
                    ('W', false) => 7 * DAY,
                    ('D', false) => DAY,
                    ('H', true) => 3600 * SECOND,
                    ('M', true) => 60 * SECOND,
                    ('S', true) => SECOND,
                    _ => return None,
                };
                let whole = amount.parse::<f64>().ok()?;
                #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "durations are short")]
                let micros = (whole * unit as f64).round() as i64;
                span.micros = span.micros.checked_add(micros)?;
                amount.clear();
            }
            if !amount.is_empty() {
                return None;
            }
        }
        (body.len() > usize::from(body.contains('T'))).then_some(())?;
        Some(Self { months: sign * span.months, micros: sign * span.micros })
    }

    /// The same distance back.
    #[must_use]
    pub(super) fn negated(self) -> Self {
        Self { months: -self.months, micros: -self.micros }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::iso_parse(text).unwrap()
    }

    #[test]
    fn formats_read_and_write() {
        for (text, format, iso) in [
            ("2024-02-20T01:02:03.000004Z", "%Y-%m-%dT%H:%M:%S.%fZ", "2024-02-20T01:02:03.000004+00:00"),
            ("2024-02-20", "%Y-%m-%d", "2024-02-20T00:00:00+00:00"),
            ("2024-02-20T01:02:03+0200", "%Y-%m-%dT%H:%M:%S%z", "2024-02-20T01:02:03+02:00"),
            ("1708387200", "%s", "2024-02-20T00:00:00+00:00"),
            ("1708387200123", "%ms", "2024-02-20T00:00:00.123000+00:00"),
            ("2024-02-20 01:02:03.004", "%Y-%m-%d %H:%M:%S.%_ms", "2024-02-20T01:02:03.004000+00:00"),
            ("Tue, 20 Feb 2024", "%a, %d %b %Y", "2024-02-20T00:00:00+00:00"),
        ] {
            let parsed = Moment::parse(text, format).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((parsed.iso('T').as_str(), parsed.write(format).as_str()), (iso, text));
        }
        assert_eq!(moment("2024-02-03").format("%-d.%-m.%Y %-H"), "3.2.2024 0");
        assert_eq!(moment("2024-02-03T04:05:06").with([("day", 1), ("hour", 0)]), Some(moment("2024-02-01T00:05:06")));
        assert_eq!(moment("2024-02-03").with([("day", 30)]), None);
        assert_eq!(Moment::parse("2024-02-30", "%Y-%m-%d"), None);
        assert_eq!(Moment::parse("2024-02-20 ", "%Y-%m-%d"), None);
        assert_eq!(Moment::parse("2024-02-20T01:02:03+02", "%Y-%m-%dT%H:%M:%S%z"), None, "an offset has minutes");
        let fraction = |text| Moment::parse(text, "%S.%f0").map(|moment| moment.fields().micros);
        assert_eq!([fraction("03.1230"), fraction("03.1234567"), fraction("03.0")], [Some(123_000), None, None]);
        assert_eq!(fraction("03.1234560"), Some(123_456), "the zero is behind six digits");
    }

    #[test]
    fn iso_texts_mean_moments() {
        for (text, iso) in [
            ("2024-02-20", "2024-02-20T00:00:00"),
            ("20240220", "2024-02-20T00:00:00"),
            ("2024-02-20T10:11", "2024-02-20T10:11:00"),
            ("2024-02-20T10:11:12.5Z", "2024-02-20T10:11:12.500000+00:00"),
            ("2024-02-20 10:11:12-05:30", "2024-02-20T10:11:12-05:30"),
        ] {
            assert_eq!(moment(text).iso('T'), iso);
        }
        assert_eq!(Moment::iso_parse("20.02.2024"), None);
        let to = |unit| moment("2024-02-20T10:11:12.345678Z").iso_to(' ', unit);
        assert_eq!(to("hours").as_deref(), Some("2024-02-20 10+00:00"));
        assert_eq!(to("seconds").as_deref(), Some("2024-02-20 10:11:12+00:00"));
        assert_eq!(to("milliseconds").as_deref(), Some("2024-02-20 10:11:12.345+00:00"));
        assert_eq!(moment("2024-02-20").iso_to('T', "microseconds").as_deref(), Some("2024-02-20T00:00:00.000000"));
        assert_eq!(to("days"), None);
    }

    #[test]
    fn a_month_is_a_calendar_month() {
        let span = |text| Span::parse(text).unwrap();
        assert_eq!(moment("2024-01-31").plus(span("P1M")), Some(moment("2024-02-29")));
        assert_eq!(moment("2024-03-31").plus(span("P1M").negated()), Some(moment("2024-02-29")));
        assert_eq!(span("P1DT1H"), Span::micros(DAY + 3600 * SECOND));
        assert_eq!(span("PT0.5S"), Span::micros(SECOND / 2));
        assert_eq!([Span::parse("P"), Span::parse("1D"), Span::parse("P1")], [None; 3]);
    }

    #[test]
    fn a_duration_is_written_as_python_writes_it() {
        for (duration, text) in [
            ("P1M", "1 month, 0:00:00"),
            ("P1Y2M", "1 years, 2 months, 0:00:00"),
            ("P2Y3M4DT5H", "2 years, 3 months, 4 days, 5:00:00"),
            ("P1D", "1 day, 0:00:00"),
            ("-P1D", "-1 day, 0:00:00"),
            ("P1W", "7 days, 0:00:00"),
            ("PT0.5S", "0:00:00.500000"),
            ("P40DT1S", "40 days, 0:00:01"),
        ] {
            assert_eq!(Span::parse(duration).map(Span::text).as_deref(), Some(text), "{duration}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_comes_back_from_what_it_was_written_as(micros in RANGE) {
            // Python writes years before 1000 without zeros and does not read them again.
            prop_assume!(micros >= -30_610_224_000 * SECOND);
            let moment = Moment::utc(micros);
            for format in ["%Y-%m-%dT%H:%M:%S.%f%z", "%j %Y %H%M%S%f", "%epoch_microseconds"] {
                prop_assert_eq!(Moment::parse(&moment.write(format), format), Some(moment));
            }
            prop_assert_eq!(Moment::iso_parse(&moment.iso('T')), Some(moment));
        }
    }
}

//! The dates and times that PostgreSQL reads beside the plain ISO forms, in its order of month, day, year.
//!
//! A text is split into fields by the form of its characters, and each field in turn is read as a part of the date or time that
//! is still missing: `Jan 8, 1999`, `08/01/1999 04:05 PM`, `19990108T040506Z`, `J2451187`, `1999.008`, `44-03-15 BC`. It
//! accepts and refuses the same texts as PostgreSQL, except that it refuses words that need a clock.

pub(in crate::value) mod fields;
mod offset;
mod words;

use super::DAY_MICROS;
use super::DAYS_MIN;
use super::Fraction;
use super::Read;
use super::Wrong;
use super::civil_from_days;
use super::days_from_civil;
use super::days_of_month;
use super::zone::Zone;
use fields::FIELDS_MAX;
use fields::Field;
use fields::Look;
use fields::digits;
use fields::run;
use fields::split;
use offset::trailing_offset;
use offset::zone_offset;
use words::Prefix;
use words::StandsFor;
use words::Word;
use words::word;

/// What is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Date,
    Time,
    Timestamp,
    /// Cut into fields only.
    Interval,
}

/// What a text has said, a bit each; none may be said twice.
mod said {
    pub(super) const YEAR: u32 = 1;
    pub(super) const MONTH: u32 = 1 << 1;
    pub(super) const DAY: u32 = 1 << 2;
    pub(super) const DAY_OF_YEAR: u32 = 1 << 3;
    pub(super) const HOUR: u32 = 1 << 4;
    pub(super) const MINUTE: u32 = 1 << 5;
    pub(super) const SECOND: u32 = 1 << 6;
    pub(super) const SECOND_FRACTION: u32 = 1 << 7;
    pub(super) const ZONE: u32 = 1 << 8;
    pub(super) const SUMMER: u32 = 1 << 9;
    pub(super) const MERIDIEM: u32 = 1 << 10;
    pub(super) const ERA: u32 = 1 << 11;
    pub(super) const WEEKDAY: u32 = 1 << 12;
    pub(super) const EPOCH: u32 = 1 << 13;
    pub(super) const INFINITE: u32 = 1 << 14;
    /// A zone of some days only, before whose date PostgreSQL takes no date with separators.
    pub(super) const ZONE_OF_SOME_DAYS: u32 = 1 << 15;

    pub(super) const DATE: u32 = YEAR | MONTH | DAY;
    pub(super) const YEAR_AND_MONTH: u32 = YEAR | MONTH;
    pub(super) const MONTH_AND_DAY: u32 = MONTH | DAY;
    pub(super) const SECONDS: u32 = SECOND | SECOND_FRACTION;
    pub(super) const TIME: u32 = HOUR | MINUTE | SECONDS;
}

/// Reads a text as a value of a kind.
pub(super) fn read(text: &[u8], kind: Kind, fraction: Fraction) -> Result<Read, Wrong> {
    let mut fields = [Field { look: Look::Word, negative: false, text: &[] }; FIELDS_MAX];
    let count = split(text, kind, &mut fields)?;
    let mut reader = Reader::new(kind, fraction);
    reader.fields(fields.get(..count).unwrap_or_default())?;
    reader.finish()
}

/// Microseconds of the digits after a point.
pub(super) fn fraction_micros(digits: &[u8], fraction: Fraction) -> Result<i64, Wrong> {
    let (kept, beyond) = digits.split_at(digits.len().min(6));
    if beyond.iter().all(|&digit| digit == b'0') {
        let value = kept.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        return Ok((kept.len()..6).fold(value, |value, _| value * 10));
    }
    match fraction {
        Fraction::Exact => Err(Wrong::Fraction),
        // PostgreSQL goes through a floating-point number here, and rounds its ties to even.
        Fraction::Round =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "at most a million")]
            Ok((share(digits) * 1_000_000.0).round_ties_even() as i64)
        }
    }
}

/// The digits after a point as a floating-point number; digits beyond the hundredth do not decide.
pub(in crate::value) fn share(digits: &[u8]) -> f64 {
    let mut text = [b'0'; 102];
    text[1] = b'.';
    for (place, digit) in text.iter_mut().skip(2).zip(digits) {
        *place = *digit;
    }
    str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// A whole number of digits only; none is zero, as for C.
fn number(digits: &[u8]) -> Result<i32, Wrong> {
    let add = |value: i32, digit: &u8| value.checked_mul(10)?.checked_add(i32::from(digit - b'0'));
    digits.iter().try_fold(0, add).ok_or(Wrong::Range)
}

/// What has been read so far.
#[derive(Debug)]
struct Reader {
    kind: Kind,
    fraction: Fraction,
    /// Bits of `said`.
    said: u32,
    year: i32,
    month: i32,
    day: i32,
    day_of_year: i32,
    hour: i32,
    minute: i32,
    second: i32,
    micros: i64,
    /// Seconds that local time is ahead of UTC.
    offset: i32,
    /// The zone whose clocks decide the offset, where one is named.
    zone: Option<Zone>,
    /// What the next number is, where a word has said so.
    prefix: Option<Prefix>,
    /// Whether it is afternoon, where that is said.
    pm: Option<bool>,
    bc: bool,
    /// What the text stands for, as the last field that says so has it.
    stands_for: StandsFor,
    /// Whether the year has one or two digits and lies near 2000.
    short_year: bool,
    /// Whether the month was a word.
    month_by_name: bool,
    /// Whether the date is a Julian day, whose year is already the astronomical one.
    julian: bool,
}

impl Reader {
    fn new(kind: Kind, fraction: Fraction) -> Self {
        Self {
            kind,
            fraction,
            said: 0,
            year: 0,
            month: 0,
            day: 0,
            day_of_year: 0,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
            offset: 0,
            zone: None,
            prefix: None,
            pm: None,
            bc: false,
            stands_for: StandsFor::Fields,
            short_year: false,
            month_by_name: false,
            julian: false,
        }
    }

    fn has(&self, parts: u32) -> bool {
        self.said & parts == parts
    }

    /// What counts as said about the date where a number is weighed: for a time of day, all of it.
    fn said_of_date(&self) -> u32 {
        match self.kind {
            Kind::Time => said::DATE,
            Kind::Date | Kind::Timestamp | Kind::Interval => self.said & said::DATE,
        }
    }

    fn fields(&mut self, fields: &[Field<'_>]) -> Result<(), Wrong> {
        for (at, field) in fields.iter().enumerate() {
            let new = match field.look {
                Look::Date => self.date_field(fields, at)?,
                Look::Time => self.time_field(field.text)?,
                Look::Zone => {
                    self.offset = zone_offset(field.negative, field.text)?;
                    said::ZONE
                }
                Look::Number => self.number_field(fields, at)?,
                Look::SignedWord if field.negative && field.text.eq_ignore_ascii_case(b"infinity") => {
                    self.infinite(true)?
                }
                Look::SignedWord => return Err(Wrong::Form),
                Look::Word => self.word_field(fields, at)?,
            };
            if self.said & new != 0 {
                return Err(Wrong::Form);
            }
            self.said |= new;
        }
        Ok(())
    }

    /// `1999-01-08`; or, once there is a date, a time with an offset, `040506-08`; or a Julian day with one.
    fn date_field(&mut self, fields: &[Field<'_>], at: usize) -> Result<u32, Wrong> {
        let Some(&Field { text, .. }) = fields.get(at) else { return Err(Wrong::Form) };
        let prefix = self.prefix.take();
        if prefix == Some(Prefix::Julian) && self.kind != Kind::Time {
            let (day, zone) = digits(text);
            self.set_julian_day(number(day)?);
            self.offset = trailing_offset(zone)?;
            return Ok(said::DATE | said::TIME | said::ZONE);
        }
        let is_date = match self.kind {
            // A time of day takes a date only in front of it, and only to find the offset of a zone.
            Kind::Time => {
                let last_is_date = fields.last().is_some_and(|last| last.look == Look::Date);
                let time_follows = fields.get(1).is_some_and(|next| next.look == Look::Time);
                at == 0 && fields.len() >= 2 && (last_is_date || time_follows)
            }
            Kind::Date | Kind::Timestamp | Kind::Interval => prefix.is_none() && !self.has(said::MONTH | said::DAY),
        };
        if is_date {
            return self.date(text);
        }
        if !text.first().is_some_and(u8::is_ascii_digit) && (prefix.is_none() || self.kind == Kind::Time) {
            self.zone = Some(str::from_utf8(text).ok().and_then(Zone::find).ok_or(Wrong::Zone)?);
            return Ok(said::ZONE);
        }
        if prefix.is_some_and(|prefix| prefix != Prefix::Time) || self.has(said::TIME) {
            return Err(Wrong::Form);
        }
        let minus = text.iter().position(|&byte| byte == b'-').ok_or(Wrong::Form)?;
        let (time, zone) = text.split_at(minus);
        self.offset = trailing_offset(zone)?;
        Ok(self.run_together(time, self.said_of_date())? | said::ZONE)
    }

    /// Three parts between separators, of which one may be a month by name.
    fn date(&mut self, text: &[u8]) -> Result<u32, Wrong> {
        let mut parts: [&[u8]; FIELDS_MAX] = [&[]; FIELDS_MAX];
        let mut count = 0;
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.get(run(rest, 0, |byte| !byte.is_ascii_alphanumeric())..).unwrap_or_default();
            let length = match rest.first() {
                None => return Err(Wrong::Form),
                Some(first) if first.is_ascii_digit() => run(rest, 0, |byte| byte.is_ascii_digit()),
                Some(_) => run(rest, 0, |byte| byte.is_ascii_alphabetic()),
            };
            let (part, after) = rest.split_at(length);
            *parts.get_mut(count).ok_or(Wrong::Form)? = part;
            count += 1;
            // PostgreSQL takes whatever follows a part for the separator.
            rest = after.get(1..).unwrap_or_default();
        }
        let parts = parts.get(..count).unwrap_or_default();
        let before = self.said;
        let mut by_name = false;
        for part in parts.iter().filter(|part| part.first().is_some_and(u8::is_ascii_alphabetic)) {
            match word(part) {
                Some(Word::Filler) => {}
                Some(Word::Month(month)) if !self.has(said::MONTH) => {
                    self.month = month;
                    by_name = true;
                    self.said |= said::MONTH;
                }
                _ => return Err(Wrong::Form),
            }
        }
        for part in parts.iter().filter(|part| part.first().is_some_and(u8::is_ascii_digit)) {
            let new = self.single(part, by_name, self.said)?;
            if self.said & new != 0 {
                return Err(Wrong::Form);
            }
            self.said |= new;
        }
        let new = self.said & !before;
        let all = self.said & !(said::DAY_OF_YEAR | said::ZONE);
        self.said = before;
        if all == said::DATE { Ok(new) } else { Err(Wrong::Form) }
    }

    /// `04:05[:06[.789]]`, also after a `T`; two parts with a fraction are minutes and seconds.
    fn time_field(&mut self, text: &[u8]) -> Result<u32, Wrong> {
        if self.kind != Kind::Time && self.prefix.take().is_some_and(|prefix| prefix != Prefix::Time) {
            return Err(Wrong::Form);
        }
        let (hour, rest) = digits(text);
        self.hour = number(hour)?;
        let [b':', rest @ ..] = rest else { return Err(Wrong::Form) };
        let (minute, rest) = digits(rest);
        self.minute = number(minute)?;
        (self.second, self.micros) = (0, 0);
        match rest {
            [] => {}
            [b'.', digits @ ..] => {
                self.micros = self.fraction(digits)?;
                (self.hour, self.minute, self.second) = (0, self.hour, self.minute);
            }
            [b':', rest @ ..] => {
                let (second, rest) = digits(rest);
                self.second = number(second)?;
                match rest {
                    [] => {}
                    [b'.', digits @ ..] => self.micros = self.fraction(digits)?,
                    _ => return Err(Wrong::Form),
                }
            }
            _ => return Err(Wrong::Form),
        }
        match self.kind {
            // Where a time stands alone its hour is looked at last.
            Kind::Time if (0..=59).contains(&self.minute) && (0..=60).contains(&self.second) => {}
            _ => self.check_time()?,
        }
        Ok(said::TIME)
    }

    /// A leap second and midnight at a day's end are times; nothing later is.
    fn check_time(&self) -> Result<(), Wrong> {
        let in_range =
            (0..=24).contains(&self.hour) && (0..=59).contains(&self.minute) && (0..=60).contains(&self.second);
        if in_range && self.micros_of_day() <= DAY_MICROS { Ok(()) } else { Err(Wrong::Range) }
    }

    /// Words before numbers allow any number of hours, minutes and seconds, which PostgreSQL counts in 32 bits.
    fn micros_of_day(&self) -> i64 {
        let minutes = self.hour.wrapping_mul(60).wrapping_add(self.minute);
        let seconds = minutes.wrapping_mul(60).wrapping_add(self.second);
        i64::from(seconds) * 1_000_000 + self.micros
    }

    fn fraction(&self, after_point: &[u8]) -> Result<i64, Wrong> {
        if after_point.iter().all(u8::is_ascii_digit) {
            // A date has no time to lose digits of.
            let fraction = if self.kind == Kind::Date { Fraction::Round } else { self.fraction };
            fraction_micros(after_point, fraction)
        } else {
            Err(Wrong::Form)
        }
    }

    fn number_field(&mut self, fields: &[Field<'_>], at: usize) -> Result<u32, Wrong> {
        let Some(&Field { text, .. }) = fields.get(at) else { return Err(Wrong::Form) };
        if let Some(prefix) = self.prefix.take() {
            return self.prefixed(prefix, text);
        }
        let point = text.iter().position(|&byte| byte == b'.');
        let date_said = self.said_of_date();
        if self.kind == Kind::Time {
            return match point {
                Some(_)
                    if at == 0 && fields.len() >= 2 && fields.last().is_some_and(|last| last.look == Look::Date) =>
                {
                    self.date(text)
                }
                Some(point) if point > 2 => self.run_together(text, date_said),
                Some(_) => Err(Wrong::Form),
                None if text.len() > 4 => self.run_together(text, date_said),
                None => self.single(text, false, self.said | said::DATE),
            };
        }
        match point {
            Some(_) if date_said == 0 => self.date(text),
            Some(point) if point > 2 => self.run_together(text, date_said),
            // Six digits or more are a date or a time; fewer are one of their parts.
            _ if text.len() >= 6 && (date_said == 0 || self.said & said::TIME == 0) => {
                self.run_together(text, date_said)
            }
            _ => self.single(text, self.month_by_name, self.said),
        }
    }

    /// A number of which the word before has said what it is.
    fn prefixed(&mut self, prefix: Prefix, text: &[u8]) -> Result<u32, Wrong> {
        // PostgreSQL forgets a word such as `epoch` over it.
        self.stands_for = StandsFor::Fields;
        let (whole, rest) = digits(text);
        let value = number(whole)?;
        let may_have_point = matches!(prefix, Prefix::Julian | Prefix::Time | Prefix::Second);
        if !rest.is_empty() && !may_have_point {
            return Err(Wrong::Form);
        }
        let (place, new) = match prefix {
            Prefix::Year => (&mut self.year, said::YEAR),
            Prefix::Month if self.said & said::MONTH != 0 && self.said & said::HOUR != 0 => {
                (&mut self.minute, said::MINUTE)
            }
            Prefix::Month => (&mut self.month, said::MONTH),
            Prefix::Day => (&mut self.day, said::DAY),
            Prefix::Hour => (&mut self.hour, said::HOUR),
            Prefix::Minute => (&mut self.minute, said::MINUTE),
            Prefix::Second => {
                self.second = value;
                let [b'.', digits @ ..] = rest else { return Ok(said::SECOND) };
                self.micros = self.fraction(digits)?;
                return Ok(said::SECONDS);
            }
            Prefix::Julian => {
                self.set_julian_day(value);
                let [b'.', digits @ ..] = rest else { return Ok(said::DATE) };
                self.set_fraction_of_day(digits);
                return Ok(said::DATE | said::TIME);
            }
            Prefix::Time => {
                return match self.run_together(text, said::DATE)? {
                    said::TIME => Ok(said::TIME),
                    _ => Err(Wrong::Form),
                };
            }
            Prefix::Other => return Err(Wrong::Form),
        };
        *place = value;
        Ok(new)
    }

    fn set_julian_day(&mut self, julian_day: i32) {
        // Days beyond the range stay beyond it.
        let (year, month, day) = civil_from_days(julian_day.saturating_add(DAYS_MIN));
        (self.year, self.month, self.day) = (year, month.cast_signed(), day.cast_signed());
        self.julian = true;
    }

    fn set_fraction_of_day(&mut self, digits: &[u8]) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a share of a day, as PostgreSQL computes it"
        )]
        let micros = (share(digits) * DAY_MICROS as f64) as i64;
        // Hours of their own: `AM` and `PM` may stand behind them.
        let seconds = i32::try_from(micros / 1_000_000).unwrap_or(0);
        (self.hour, self.minute, self.second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        self.micros = micros % 1_000_000;
    }

    /// One number between others: what it is depends on what is still missing.
    fn single(&mut self, text: &[u8], month_by_name: bool, said: u32) -> Result<u32, Wrong> {
        let (whole, rest) = digits(text);
        let value = number(whole)?;
        match rest {
            _ if whole.is_empty() => return Err(Wrong::Form),
            [] => {}
            [b'.', ..] if whole.len() > 2 => return self.run_together(text, said::DATE),
            [b'.', digits @ ..] => self.micros = self.fraction(digits)?,
            _ => return Err(Wrong::Form),
        }
        let length = text.len();
        let date_said = said & said::DATE;
        if length == 3 && date_said == said::YEAR && (1..=366).contains(&value) {
            self.day_of_year = value;
            return Ok(said::DAY_OF_YEAR | said::MONTH | said::DAY);
        }
        let (place, new) = match date_said {
            0 if length >= 3 => (&mut self.year, said::YEAR),
            0 => (&mut self.month, said::MONTH),
            said::YEAR | said::DAY => (&mut self.month, said::MONTH),
            said::MONTH if month_by_name && length >= 3 => (&mut self.year, said::YEAR),
            said::MONTH => (&mut self.day, said::DAY),
            said::YEAR_AND_MONTH if month_by_name && length >= 3 && self.short_year => {
                // What was taken for a short year was the day.
                self.day = self.year;
                self.year = value;
                self.short_year = false;
                return Ok(said::DAY);
            }
            said::YEAR_AND_MONTH => (&mut self.day, said::DAY),
            said::MONTH_AND_DAY => (&mut self.year, said::YEAR),
            said::DATE => return self.run_together(text, said),
            _ => return Err(Wrong::Form),
        };
        *place = value;
        if new == said::YEAR {
            self.short_year = length <= 2;
        }
        Ok(new)
    }

    /// `19990108` and `990108`, where there is no date yet; `040506`, `040506.789` and `0405`.
    fn run_together(&mut self, text: &[u8], date_said: u32) -> Result<u32, Wrong> {
        let point = text.iter().position(|&byte| byte == b'.');
        let (whole, fraction) = text.split_at(point.unwrap_or(text.len()));
        let length = whole.len();
        let part = |from: usize, to: usize| number(whole.get(from..to).unwrap_or_default());
        if let [b'.', digits @ ..] = fraction {
            self.micros = self.fraction(digits)?;
        } else if date_said & said::DATE != said::DATE && length >= 6 {
            // A whole date, where a part of one was said already.
            if date_said != 0 {
                return Err(Wrong::Form);
            }
            self.day = part(length - 2, length)?;
            self.month = part(length - 4, length - 2)?;
            // A year of too many digits is out of range, unless what follows makes it no date at all.
            self.year = part(0, length - 4).unwrap_or(i32::MAX);
            self.short_year |= length == 6;
            return Ok(said::DATE);
        }
        if self.has(said::TIME) || !matches!(length, 4 | 6) {
            return Err(Wrong::Form);
        }
        self.hour = part(0, 2)?;
        self.minute = part(2, 4)?;
        self.second = part(4, length)?;
        Ok(said::TIME)
    }

    fn word_field(&mut self, fields: &[Field<'_>], at: usize) -> Result<u32, Wrong> {
        let Some(&Field { text, .. }) = fields.get(at) else { return Err(Wrong::Form) };
        let Some(word) = word(text) else {
            self.zone = Some(str::from_utf8(text).ok().and_then(Zone::find).ok_or(Wrong::Form)?);
            return Ok(said::ZONE | if Zone::is_of_some_days(text) { said::ZONE_OF_SOME_DAYS } else { 0 });
        };
        let new = match word {
            Word::Filler => 0,
            Word::Month(month) if self.kind != Kind::Time => {
                // A number that was taken for the month was the day.
                let was_day = !self.month_by_name && self.has(said::MONTH) && self.said & said::DAY == 0;
                let new = if was_day && (1..=31).contains(&self.month) {
                    self.day = self.month;
                    said::DAY
                } else {
                    said::MONTH
                };
                self.month_by_name = true;
                self.month = month;
                new
            }
            Word::Month(_) => return Err(Wrong::Form),
            Word::Weekday if self.kind != Kind::Time => said::WEEKDAY,
            Word::Weekday => return Err(Wrong::Form),
            Word::Prefix(prefix) => {
                self.prefix = Some(prefix);
                0
            }
            Word::IsoTime => {
                let time_follows =
                    fields.get(at + 1).is_some_and(|next| matches!(next.look, Look::Number | Look::Time | Look::Date));
                if !time_follows || self.said_of_date() != said::DATE {
                    return Err(Wrong::Form);
                }
                self.prefix = Some(Prefix::Time);
                0
            }
            Word::Meridiem { pm } => {
                self.pm = Some(pm);
                said::MERIDIEM
            }
            Word::Era { bc } => {
                self.bc = bc;
                said::ERA
            }
            Word::Utc => {
                self.offset = 0;
                said::ZONE
            }
            Word::Summer => {
                self.offset += 3600;
                said::SUMMER
            }
            Word::AllBalls => {
                self.stands_for = StandsFor::Fields;
                (self.hour, self.minute, self.second, self.micros) = (0, 0, 0, 0);
                self.offset = 0;
                said::TIME | said::ZONE
            }
            Word::Epoch if self.kind != Kind::Time && !self.has(said::INFINITE) => {
                self.stands_for = StandsFor::Epoch;
                said::EPOCH
            }
            Word::Epoch => return Err(Wrong::Form),
            Word::Clock => return Err(Wrong::Clock),
            Word::Infinity => self.infinite(false)?,
        };
        Ok(new)
    }

    fn infinite(&mut self, negative: bool) -> Result<u32, Wrong> {
        self.stands_for = StandsFor::Infinity { negative };
        if self.kind == Kind::Time || self.has(said::EPOCH) { Err(Wrong::Form) } else { Ok(said::INFINITE) }
    }

    fn finish(mut self) -> Result<Read, Wrong> {
        self.check_date()?;
        match self.stands_for {
            StandsFor::Fields => {}
            StandsFor::Epoch => return Ok(Read { days: Some(0), micros: 0, offset: Some(0) }),
            StandsFor::Infinity { negative } => return Err(Wrong::Infinity { negative }),
        }
        if let Some(pm) = self.pm {
            match (self.hour, pm) {
                (13.., _) => return Err(Wrong::Range),
                (12, false) => self.hour = 0,
                (..12, true) => self.hour += 12,
                _ => {}
            }
        }
        let offset = match (self.has(said::ZONE), self.has(said::SUMMER)) {
            (true, _) => Some(self.offset),
            (false, true) => return Err(Wrong::Form),
            (false, false) => None,
        };
        if self.kind == Kind::Time {
            self.check_time()?;
            let has_part = self.said & said::DATE != 0;
            let needs_date = has_part || self.zone.as_ref().is_some_and(Zone::is_place);
            if !self.has(said::TIME) || (needs_date && !self.has(said::DATE)) {
                return Err(Wrong::Form);
            }
            let days = days_from_civil(self.year, self.month.cast_unsigned(), self.day.cast_unsigned());
            let micros = self.micros_of_day();
            let offset = self.zone.as_ref().map_or(offset, |zone| self.offset_in(zone, days.unwrap_or(0), micros));
            return Ok(Read { days: None, micros, offset });
        }
        if !self.has(said::DATE) {
            return Err(Wrong::Form);
        }
        let days = days_from_civil(self.year, self.month.cast_unsigned(), self.day.cast_unsigned());
        let beyond = self.kind == Kind::Date && (294_277..=5_874_897).contains(&self.year);
        // The day before the first is one that some zone's clocks show on the first.
        let is_eve = self.kind == Kind::Timestamp && (self.year, self.month, self.day) == (-4713, 11, 23);
        let days = days.or_else(|| is_eve.then_some(DAYS_MIN - 1));
        let days = days.ok_or(if beyond { Wrong::Beyond } else { Wrong::Range })?;
        let micros = self.micros_of_day();
        let offset = match &self.zone {
            // No summer time on top of a zone that knows its own.
            Some(zone) if self.has(said::SUMMER) && zone.is_place() => return Err(Wrong::Form),
            Some(zone) => self.offset_in(zone, days, micros),
            None => offset,
        };
        Ok(Read { days: Some(days), micros, offset })
    }

    /// Seconds that the clocks of a zone are ahead of UTC when they show a time of a day.
    fn offset_in(&self, zone: &Zone, days: i32, micros: i64) -> Option<i32> {
        let local = i64::from(days).saturating_mul(DAY_MICROS).saturating_add(micros);
        let summer = if self.has(said::SUMMER) { 3600 } else { 0 };
        i32::try_from(zone.offset_of_local(local) / 1_000_000).ok().map(|offset| offset + summer)
    }

    /// Makes the year an astronomical one, and checks that the day exists.
    fn check_date(&mut self) -> Result<(), Wrong> {
        if self.has(said::YEAR) && !self.julian {
            self.year = match self.year {
                year @ 1.. if self.bc => 1 - year,
                year @ 0..70 if self.short_year && !self.bc => year + 2000,
                year @ 70..100 if self.short_year && !self.bc => year + 1900,
                year @ 1.. => year,
                _ => return Err(Wrong::Range),
            };
        }
        if self.has(said::DAY_OF_YEAR) {
            let (mut month, mut day) = (1, self.day_of_year.cast_unsigned());
            while month <= 12 && day > days_of_month(self.year, month) {
                day -= days_of_month(self.year, month);
                month += 1;
            }
            // The 366th day of a common year is the first of the next.
            if month > 12 {
                (self.year, month) = (self.year.saturating_add(1), 1);
            }
            (self.month, self.day) = (month.cast_signed(), day.cast_signed());
        }
        let month_exists = !self.has(said::MONTH) || (1..=12).contains(&self.month);
        let day_exists = !self.has(said::DAY) || (1..=31).contains(&self.day);
        let in_month = || self.day.cast_unsigned() <= days_of_month(self.year, self.month.cast_unsigned());
        let exists = month_exists && day_exists && (!self.has(said::DATE) || in_month());
        if exists { Ok(()) } else { Err(Wrong::Range) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use crate::diagnostic::Code;
    use crate::value::datetime::parse_date;

    #[test]
    fn a_number_with_too_many_digits_is_judged_with_what_stands_beside_it() {
        for (text, code) in [
            ("9223372036854775807", Code::DatetimeOutOfRange),
            ("9223372036854775807 12", Code::NotADatetime),
            ("732 9223372036854775807", Code::NotADatetime),
        ] {
            assert_eq!(parse_date(text.as_bytes()).unwrap_err().code, code, "{text}");
        }
    }
}

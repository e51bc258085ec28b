//! Zone: the offset of a place from UTC at an instant, by the IANA time zone database.
//!
//! A zone is named as PostgreSQL names it: an abbreviation of its default list (`PST`), a place (`Europe/Berlin`), or
//! written out as POSIX does (`XYZ+3` is three hours *behind* UTC). Letter case does not matter.

mod posix;

use std::sync::Arc;

use tz::TimeZoneRef;
use tz::timezone::LocalTimeType;

use super::DAY_MICROS;
use super::Wrong;
use super::abbreviations::BY_PLACE;
use super::abbreviations::FIXED;
use super::abbreviations::SUMMER;
use posix::Posix;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;

const DAY_SECONDS: i64 = 86_400;
/// Most bytes of a name.
const NAME_BYTES_MAX: usize = 255;

/// Zones that release 2024b of the database made other names of places, and that Debian, for which most copies of PostgreSQL
/// are built, has kept: a name, the seconds ahead of UTC in winter, and that place.
const FEDERAL: [(&str, i32, &str); 4] = [
    ("est5edt", -18_000, "America/New_York"),
    ("cst6cdt", -21_600, "America/Chicago"),
    ("mst7mdt", -25_200, "America/Denver"),
    ("pst8pdt", -28_800, "America/Los_Angeles"),
];
/// The summers of the United States before 1967, of two wars, from the first second to the one after the last, by the clocks
/// of winter.
const FEDERAL_SUMMERS: [(i64, i64); 3] =
    [(-1_633_298_400, -1_615_158_000), (-1_601_848_800, -1_583_708_400), (-880_236_000, -765_414_000)];
/// The first second of 1967.
const FEDERAL_LAW: i64 = -94_694_400;

/// A time zone.
#[derive(Debug, Clone)]
pub struct Zone(Rule);

#[derive(Debug, Clone)]
enum Rule {
    /// Always so many seconds ahead of UTC.
    Fixed(i32),
    /// Written out.
    Posix(Posix),
    /// A place.
    Place(TimeZoneRef<'static>),
    /// The clocks of the United States at so many seconds ahead of UTC in winter, which no place has had. Since 1967 those of a
    /// place are the same.
    Federal(i32, TimeZoneRef<'static>),
    /// An abbreviation that a place has used for several offsets.
    Abbreviation(Arc<str>, TimeZoneRef<'static>),
}

impl Zone {
    /// The zone of that name, or `None`.
    pub fn find(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name.len() > NAME_BYTES_MAX {
            return None;
        }
        let written_out = || Posix::parse(&name).map(|posix| Self(Rule::Posix(posix)));
        Self::abbreviation(&name).or_else(|| Self::place(&name)).or_else(written_out)
    }

    /// The zone of a numeric offset that counts as ISO 8601 does, `+02`, `-02:30` or `+0230`; `Some(None)` if it is out of
    /// range, `None` if it is no such offset.
    pub(crate) fn of_offset(name: &str) -> Option<Option<Self>> {
        let unsigned = name.strip_prefix(['+', '-'])?;
        let mut parts = unsigned.splitn(3, ':').map(|part| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            // What is left out is zero.
            digits.then(|| {
                part.bytes().fold(0_i32, |value, digit| value.saturating_mul(10).saturating_add((digit - b'0').into()))
            })
        });
        let mut hours = parts.next()??;
        let (mut minutes, seconds) = (parts.next(), parts.next().unwrap_or(Some(0))?);
        if minutes.is_none() && name.len() > 3 {
            (hours, minutes) = (hours / 100, Some(Some(hours % 100)));
        }
        let minutes = minutes.unwrap_or(Some(0))?;
        if hours > 15 || minutes > 59 || seconds > 59 {
            return Some(None);
        }
        let offset = (hours * 60 + minutes) * 60 + seconds;
        Some(Some(Self::fixed(if name.starts_with('-') { -offset } else { offset })))
    }

    /// A zone that is always so many seconds ahead of UTC.
    pub fn fixed(seconds: i32) -> Self {
        Self(Rule::Fixed(seconds))
    }

    /// An abbreviation, in lower case.
    fn abbreviation(name: &str) -> Option<Self> {
        if name.is_empty() || name.contains(' ') {
            return None;
        }
        for &(offset, names) in FIXED {
            if names.split(' ').any(|known| known == name) {
                return Some(Self::fixed(offset));
            }
        }
        let (_, place) = BY_PLACE.iter().find(|(known, _)| *known == name)?;
        let place = tzdb_data::find_tz(place.as_bytes())?;
        Some(Self(Rule::Abbreviation(name.to_ascii_uppercase().into(), *place)))
    }

    /// The place of that name in the IANA time zone database, or `None`. No abbreviation and nothing written out is a place.
    pub(crate) fn of_place(name: &str) -> Option<Self> {
        if name.len() > NAME_BYTES_MAX || name.starts_with(':') {
            return None;
        }
        Self::place(&name.to_ascii_lowercase())
    }

    /// Whether a name is an abbreviation of a summer's clocks, or one that has stood for several offsets.
    pub(super) fn is_of_some_days(name: &[u8]) -> bool {
        let mut known = SUMMER.split_whitespace().chain(BY_PLACE.iter().map(|(known, _)| *known));
        known.any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    }

    /// Whether its offset depends on the day.
    pub(crate) fn is_place(&self) -> bool {
        match &self.0 {
            Rule::Place(place) => {
                let has_rule = matches!(place.extra_rule(), Some(tz::timezone::TransitionRule::Alternate(_)));
                has_rule || !place.transitions().is_empty()
            }
            Rule::Posix(posix) => posix.has_summer(),
            Rule::Federal(..) => true,
            Rule::Fixed(_) | Rule::Abbreviation(..) => false,
        }
    }

    fn place(name: &str) -> Option<Self> {
        let name = name.strip_prefix(':').unwrap_or(name);
        if let Some((_, winter, place)) = FEDERAL.into_iter().find(|(known, ..)| *known == name) {
            return tzdb_data::find_tz(place.as_bytes()).map(|place| Self(Rule::Federal(winter, *place)));
        }
        tzdb_data::find_tz(name.as_bytes()).map(|place| Self(Rule::Place(*place)))
    }

    /// Microseconds that clocks are ahead of UTC at an instant.
    pub(crate) fn offset_at(&self, instant: i64) -> i64 {
        let seconds = instant.div_euclid(1_000_000);
        let offset = match &self.0 {
            Rule::Fixed(offset) => *offset,
            Rule::Posix(posix) => posix.offset_at(seconds),
            Rule::Place(place) => offset_of(place, seconds),
            Rule::Federal(winter, place) => federal(*winter, place, seconds),
            Rule::Abbreviation(name, place) => meaning(name, place, seconds),
        };
        i64::from(offset) * 1_000_000
    }

    /// Microseconds that clocks are ahead of UTC when they show this local time.
    ///
    /// A time that clocks skip counts by the offset before the change, one that they show twice by the offset after it.
    pub(crate) fn offset_of_local(&self, local: i64) -> i64 {
        let seconds = local.div_euclid(1_000_000);
        let offset = match &self.0 {
            Rule::Fixed(offset) => *offset,
            Rule::Posix(posix) => offset_of_local(|seconds| posix.offset_at(seconds), seconds),
            Rule::Place(place) => offset_of_local(|seconds| offset_of(place, seconds), seconds),
            Rule::Federal(winter, place) => offset_of_local(|seconds| federal(*winter, place, seconds), seconds),
            Rule::Abbreviation(name, place) => {
                let offset = offset_of_local(|seconds| offset_of(place, seconds), seconds);
                meaning(name, place, seconds - i64::from(offset))
            }
        };
        i64::from(offset) * 1_000_000
    }

    /// The instants at which clocks show a local time, or would show it if they did not skip it.
    pub(crate) fn instants(&self, local: i64) -> Instants {
        let seconds = local.div_euclid(1_000_000);
        let around = match &self.0 {
            Rule::Fixed(offset) => Around::always(*offset),
            Rule::Posix(posix) => Around::find(|seconds| posix.offset_at(seconds), seconds),
            Rule::Place(place) => Around::find(|seconds| offset_of(place, seconds), seconds),
            Rule::Federal(winter, place) => Around::find(|seconds| federal(*winter, place, seconds), seconds),
            Rule::Abbreviation(..) => {
                return Instants::Once(local.saturating_sub(self.offset_of_local(local)));
            }
        };
        let by = |offset: i32| local.saturating_sub(i64::from(offset) * 1_000_000);
        let (before, after) = (by(around.before), by(around.after));
        let (earlier, later) = (before.min(after), before.max(after));
        match around.shows(seconds) {
            (true, true) if earlier != later => Instants::Twice { earlier, later },
            (false, false) => Instants::Never { earlier, later },
            (true, _) => Instants::Once(before),
            (false, true) => Instants::Once(after),
        }
    }

    /// The local time at an instant; `None` where it is out of range.
    pub fn local(&self, instant: i64) -> Option<i64> {
        moved(instant, self.offset_at(instant))
    }

    /// The instant of a local time; `None` where it is out of range.
    pub fn instant(&self, local: i64) -> Option<i64> {
        moved(local, -self.offset_of_local(local))
    }
}

/// At which instants clocks show a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instants {
    /// At one.
    Once(i64),
    /// At two: clocks were put back.
    Twice { earlier: i64, later: i64 },
    /// At none: clocks were put forward. It would be one of these by the offset after the change and by that before it.
    Never { earlier: i64, later: i64 },
}

/// The zone of a field's texts that have no offset.
#[derive(Debug, Clone)]
pub struct LocalZone {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) zone: Zone,
    /// What a local time becomes that its clocks show twice or never.
    pub(crate) ambiguous: Ambiguous,
}

/// What a local time becomes that clocks show twice or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambiguous {
    /// A fault.
    Reject,
    /// The earlier of the two instants that it may mean.
    Earlier,
    /// The later one.
    Later,
}

impl LocalZone {
    /// The instant of a local time that a text says; an infinity stays what it is.
    pub(crate) fn instant(&self, local: i64, text: &[u8]) -> Result<i64, Fault> {
        if !super::is_finite(local) {
            return Ok(local);
        }
        let (earlier, later, how) = match self.zone.instants(local) {
            Instants::Once(instant) => (instant, instant, None),
            Instants::Twice { earlier, later } => (earlier, later, Some("twice")),
            Instants::Never { earlier, later } => (earlier, later, Some("never")),
        };
        let instant = match (how, self.ambiguous) {
            (None, _) | (_, Ambiguous::Earlier) => earlier,
            (_, Ambiguous::Later) => later,
            (Some(how), Ambiguous::Reject) => {
                let message = format!("the clocks of {} show {} {how}", self.name, quote(text));
                return Err(Fault::new(Code::NoOffset, message));
            }
        };
        let is_one = (super::MICROS_MIN..=super::MICROS_MAX).contains(&instant);
        is_one.then_some(instant).ok_or_else(|| Wrong::Range.fault(text, "timestamp with time zone"))
    }
}

/// A time so many microseconds later, if it is one; an infinity stays where it is.
fn moved(micros: i64, by: i64) -> Option<i64> {
    match super::is_finite(micros) {
        false => Some(micros),
        true => micros.checked_add(by).filter(|moved| (super::MICROS_MIN..=super::MICROS_MAX).contains(moved)),
    }
}

/// The days around an instant over which an offset holds: most neighbouring rows need no look at the rules.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    day: i64,
    offset: Option<i64>,
}

impl Memory {
    /// One that remembers nothing.
    pub fn new() -> Self {
        Self { day: i64::MIN, offset: None }
    }

    /// As [`Zone::offset_at`].
    #[inline]
    pub(crate) fn offset_at(&mut self, zone: &Zone, instant: i64) -> i64 {
        let day = instant.div_euclid(DAY_MICROS);
        if day != self.day {
            let (first, last) = (day.saturating_mul(DAY_MICROS), day.saturating_add(1).saturating_mul(DAY_MICROS));
            let (first, last) = (zone.offset_at(first), zone.offset_at(last));
            *self = Self { day, offset: (first == last).then_some(first) };
        }
        self.offset.unwrap_or_else(|| zone.offset_at(instant))
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// What clocks show at an instant. Years that no rule reaches have the clocks of the last transition.
fn at(place: &TimeZoneRef<'static>, seconds: i64) -> Option<&'static LocalTimeType> {
    match place.find_local_time_type(seconds) {
        Ok(found) => Some(found),
        Err(_) => {
            let index = place.transitions().last().map_or(0, |last| last.local_time_type_index());
            place.local_time_types().get(index)
        }
    }
}

fn offset_of(place: &TimeZoneRef<'static>, seconds: i64) -> i32 {
    at(place, seconds).map_or(0, LocalTimeType::ut_offset)
}

/// As [`offset_of`], of a zone of the United States.
fn federal(winter: i32, place: &TimeZoneRef<'static>, seconds: i64) -> i32 {
    let shown = seconds + i64::from(winter);
    match shown >= FEDERAL_LAW {
        true => offset_of(place, seconds),
        false if FEDERAL_SUMMERS.iter().any(|(from, to)| (*from..*to).contains(&shown)) => winter + 3600,
        false => winter,
    }
}

/// The offsets of the days around a local time. A day has one change of clocks at most.
#[derive(Debug, Clone, Copy)]
struct Around {
    before: i32,
    after: i32,
    /// The first second of the offset after it, where the two differ.
    change: i64,
}

impl Around {
    fn always(offset: i32) -> Self {
        Self { before: offset, after: offset, change: i64::MIN }
    }

    fn find(offset_at: impl Fn(i64) -> i32, local: i64) -> Self {
        let (mut low, mut high) = (local - DAY_SECONDS, local + DAY_SECONDS);
        let (before, after) = (offset_at(low), offset_at(high));
        if before == after {
            return Self::always(before);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if offset_at(middle) == before { low = middle } else { high = middle }
        }
        Self { before, after, change: high }
    }

    /// Whether clocks show a local time before the change, and after it.
    fn shows(self, local: i64) -> (bool, bool) {
        let (by_before, by_after) = (local - i64::from(self.before), local - i64::from(self.after));
        (self.before == self.after || by_before < self.change, by_after >= self.change)
    }
}

fn offset_of_local(offset_at: impl Fn(i64) -> i32, local: i64) -> i32 {
    let Around { before, after, change } = Around::find(offset_at, local);
    if before == after {
        return before;
    }
    let (by_before, by_after) = (local - i64::from(before), local - i64::from(after));
    if by_before < change && by_after < change || by_before > by_after && !(by_before > change && by_after >= change) {
        before
    } else {
        after
    }
}

/// The offset for which a place used an abbreviation at an instant, or last before it, or first after it.
fn meaning(name: &str, place: &TimeZoneRef<'static>, seconds: i64) -> i32 {
    let transitions = place.transitions();
    let types = place.local_time_types();
    let now = at(place, seconds);
    if let Some(now) = now
        && now.time_zone_designation() == name
    {
        return now.ut_offset();
    }
    let cut = transitions.partition_point(|transition| transition.unix_leap_time() <= seconds);
    let (past, future) = transitions.split_at(cut.min(transitions.len()));
    let named = |index: usize| types.get(index).filter(|kind| kind.time_zone_designation() == name);
    let of = |transition: &tz::timezone::Transition| named(transition.local_time_type_index());
    past.iter()
        .rev()
        .find_map(of)
        .or_else(|| named(0).filter(|_| !past.is_empty()))
        .or_else(|| future.iter().find_map(of))
        .or(now)
        .map_or(0, LocalTimeType::ut_offset)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;
    use crate::value::Fraction;
    use crate::value::datetime::parse_timestamp;

    fn hours(zone: &str, local: &str) -> String {
        let micros = parse_timestamp(local.as_bytes(), Fraction::Round).unwrap();
        let zone = Zone::find(zone).unwrap();
        format!("{}", zone.offset_of_local(micros) / 3_600_000_000)
    }

    #[test]
    fn an_offset_holds_from_the_instant_of_its_change_on() {
        const SECOND: i64 = 1_000_000;
        for name in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"] {
            let (zone, place) = (Zone::find(name).unwrap(), tzdb_data::find_tz(name.as_bytes()).unwrap());
            let types = place.local_time_types();
            let offset = |transition: &tz::timezone::Transition| {
                i64::from(types[transition.local_time_type_index()].ut_offset()) * SECOND
            };
            // Changes that lie near one another are another matter.
            let changes = place.transitions().windows(2).filter(|pair| pair[1].unix_leap_time() > 0);
            let mut seen = 0;
            for pair in changes {
                let (before, after, at) = (offset(&pair[0]), offset(&pair[1]), pair[1].unix_leap_time() * SECOND);
                assert_eq!((zone.offset_at(at - 1), zone.offset_at(at)), (before, after), "{name} {at}");
                let mut memory = Memory::new();
                assert_eq!(memory.offset_at(&zone, at - 1), before, "{name} {at}");
                assert_eq!(memory.offset_at(&zone, at), after, "{name} {at}");
                // Clocks skip what lies between the two local times, or show it twice.
                let (first, last) = (at + before.min(after), at + before.max(after));
                let between = if after > before { before } else { after };
                for (local, wanted) in [(first - 1, before), (first, between), (last - 1, between), (last, after)] {
                    let wanted = if before == after { before } else { wanted };
                    assert_eq!(zone.offset_of_local(local), wanted, "{name} {local}");
                }
                let (once, both) =
                    (|offset: i64, local: i64| Instants::Once(local - offset), (first - before, first - after));
                let (earlier, later) = (both.0.min(both.1), both.0.max(both.1));
                let between = match after.cmp(&before) {
                    Ordering::Greater => Instants::Never { earlier, later },
                    Ordering::Less => Instants::Twice { earlier, later },
                    Ordering::Equal => once(before, first),
                };
                assert_eq!(zone.instants(first - 1), once(before, first - 1), "{name} {at}");
                assert_eq!(zone.instants(first), between, "{name} {at}");
                assert_eq!(zone.instants(last), once(after, last), "{name} {at}");
                seen += 1;
            }
            assert!(seen > 0, "{name}");
        }
        // After the last transition that is written out, a rule says the changes.
        let zone = Zone::find("Europe/Berlin").unwrap();
        let change = parse_timestamp(b"2090-03-26 01:00:00", Fraction::Round).unwrap();
        assert_eq!((zone.offset_at(change - 1), zone.offset_at(change)), (3600 * SECOND, 7200 * SECOND));
    }

    #[test]
    fn numeric_offsets_are_ahead_of_utc() {
        let seconds = |name| Zone::of_offset(name).map(|zone| zone.map(|zone| zone.offset_at(0) / 1_000_000));
        for (name, wanted) in
            [("+02", 7200), ("-0230", -9000), ("+02:30:15", 9015), ("+", 0), ("+2:", 7200), ("+1230", 45_000)]
        {
            assert_eq!(seconds(name), Some(Some(wanted)), "{name}");
        }
        for name in ["+16", "+02:60", "+99999999999", "-12:00:60"] {
            assert_eq!(seconds(name), Some(None), "{name}");
        }
        for name in ["2", "", "PST", "+2x", "+2:x"] {
            assert_eq!(seconds(name), None, "{name}");
        }
    }

    #[test]
    fn changes_of_clocks_are_read_as_postgresql_reads_them() {
        for (zone, local, wanted) in [
            ("Europe/Moscow", "2011-03-27 01:59:59", "3"),
            ("Europe/Moscow", "2011-03-27 02:00:00", "3"),
            ("Europe/Moscow", "2011-03-27 03:00:00", "4"),
            ("Europe/Moscow", "2014-10-26 00:59:59", "4"),
            ("Europe/Moscow", "2014-10-26 01:00:00", "3"),
            ("MSK", "2011-03-27 01:59:59", "3"),
            ("MSK", "2011-03-27 02:00:00", "4"),
            ("america/new_york", "205000-07-10 17:32:01", "-4"),
            ("PST", "2026-07-01 00:00:00", "-8"),
            ("GMT-4", "2001-07-11 10:51:14", "4"),
            ("UTC", "2001-07-11 10:51:14", "0"),
            ("FOO8BAR", "2024-07-01 12:00:00", "-7"),
            ("FOO8BAR", "2024-01-01 12:00:00", "-8"),
            ("foo8bar", "0001-07-01 12:00:00", "-7"),
            ("FOO8BAR", "2024-03-10 01:59:59", "-8"),
            ("FOO8BAR", "2024-03-10 03:00:00", "-7"),
            ("FOO8BAR", "2024-11-03 00:59:59", "-7"),
            ("FOO8BAR", "2024-11-03 02:00:00", "-8"),
            ("<+03>-3<+04>,M3.5.0,M10.5.0", "2024-07-01 12:00:00", "4"),
            ("NZST-12NZDT,M9.5.0,M4.1.0/3", "2024-01-01 12:00:00", "13"),
            ("NZST-12NZDT,M9.5.0,M4.1.0/3", "2024-07-01 12:00:00", "12"),
            ("A8B,J60,J300/3", "2024-02-29 23:00:00", "-8"),
            ("A8B,59,J300/3", "2024-02-29 23:00:00", "-7"),
            ("A8B7,0/0,J365/25", "2024-02-29 23:00:00", "-7"),
            ("XYZ+167", "2024-07-01 12:00:00", "-167"),
            ("Europe/Berlln1", "2024-07-01 12:00:00", "-1"),
            ("3", "2024-07-01 12:00:00", "-3"),
            (":UTC", "2024-07-01 12:00:00", "0"),
        ] {
            assert_eq!(hours(zone, local), wanted, "{zone} {local}");
        }
        assert!(Zone::find("America/Does_not_exist").is_none());
        for none in [
            "",
            "XYZ+168",
            "XYZ+5:60",
            "XYZ+5:30:61",
            "Europe/Berlln",
            "A8B,J60",
            "A8B,J366,J1",
            "A8B,M13.1.0,J1",
            "A8B,J1,J2x",
            "A8,J1,J2",
        ] {
            assert!(Zone::find(none).is_none(), "{none}");
        }
    }
}

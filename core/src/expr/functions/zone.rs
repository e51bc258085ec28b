//! `timezone`, which is `AT TIME ZONE`, and `convert_timezone`: clocks of other places.

use std::cell::RefCell;

use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::Interval;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::MICROS_MAX;
use crate::value::datetime::MICROS_MIN;
use crate::value::datetime::is_finite;
use crate::value::datetime::zone::Memory;
use crate::value::datetime::zone::Zone;
use crate::value::text::quote;
use crate::value::zoned::ZonedTime;

pub(super) const FUNCTIONS: &[Function] = &[TIMEZONE, CONVERT_TIMEZONE];

const TIMEZONE: Function = Function {
    name: "timezone",
    aliases: &[],
    doc: "What `x AT TIME ZONE zone` is: the zone's clocks at an instant, or the instant of what they show",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Timestamptz], Type::Timestamp, to_local).constants(&[(0, ZONE)]),
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Timestamptz, to_instant).constants(&[(0, ZONE)]),
        Signature::new(&[Kind::Interval, Kind::Timestamptz], Type::Timestamp, to_local_by_offset)
            .constants(&[(0, OFFSET)]),
        Signature::new(&[Kind::Interval, Kind::Timestamp], Type::Timestamptz, to_instant_by_offset)
            .constants(&[(0, OFFSET)]),
        Signature::new(&[Kind::Text, Kind::Timetz], Type::Timetz, zoned_at).constants(&[(0, FIXED)]),
        Signature::new(&[Kind::Interval, Kind::Timetz], Type::Timetz, zoned_at_offset).constants(&[(0, OFFSET)]),
    ],
    examples: &[
        ("timestamptz '2026-07-01 12:00:00+00' at time zone 'Europe/Berlin'", "2026-07-01 14:00:00"),
        ("timestamp '2026-01-01 12:00:00' at time zone 'Europe/Berlin'", "2026-01-01 11:00:00+00"),
        ("timestamptz '2026-07-01 12:00:00+00' at time zone interval '-03:00'", "2026-07-01 09:00:00"),
        ("timestamp '2026-01-01 12:00:00' at time zone 'Nowhere/Town'", "R311"),
        ("timestamptz '4714-11-24 00:00:00+00 BC' at time zone 'America/New_York'", "R303"),
        ("timetz '01:00+02' at time zone 'EST'", "18:00:00-05"),
    ],
};

const CONVERT_TIMEZONE: Function = Function {
    name: "convert_timezone",
    aliases: &[],
    doc: "What clocks of the target zone show when those of the source zone, UTC if it is left out, show the time",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Timestamp, convert_from_utc).constants(&[(0, ZONE)]),
        Signature::new(&[Kind::Text, Kind::Text, Kind::Timestamp], Type::Timestamp, convert)
            .constants(&[(0, ZONE), (1, ZONE)]),
    ],
    examples: &[
        ("convert_timezone('Europe/Berlin', timestamp '2026-01-01 12:00:00')", "2026-01-01 13:00:00"),
        ("convert_timezone('EST', 'PST', timestamp '2008-03-05 09:25:29')", "2008-03-05 06:25:29"),
    ],
};

/// The zone of that name.
pub(super) fn zone(name: &str) -> Result<Zone, Fault> {
    Zone::find(name).ok_or_else(|| wrong(format!("there is no time zone {}", quote(name.as_bytes()))))
}

/// The zone of that name, or of a numeric offset, which here counts ahead of UTC.
pub(super) fn zone_or_offset(name: &str) -> Result<Zone, Fault> {
    let quoted = || quote(name.as_bytes());
    match Zone::of_offset(name) {
        Some(Some(zone)) => Ok(zone),
        Some(None) => Err(wrong(format!("the numeric time zone {} is out of range", quoted()))),
        None if name.starts_with(|first: char| first.is_ascii_digit()) => {
            Err(wrong(format!("the numeric time zone {} has no sign", quoted())))
        }
        None => zone(name),
    }
}

fn wrong(fact: String) -> Fault {
    Fault::new(Code::BadArgument, fact)
}

/// A constant offset.
const OFFSET: Constant = Constant::Interval(|interval| offset(interval).map(|_| ()));

/// A constant zone.
pub(super) const ZONE: Constant = Constant::Text(|name| zone(name).map(|_| ()));

/// The zone that was asked for last, which is mostly the next one too.
pub(super) struct Zones {
    find: fn(&str) -> Result<Zone, Fault>,
    last: RefCell<Option<(String, Zone, Memory)>>,
}

impl Zones {
    pub(super) fn new() -> Self {
        Self { find: zone, last: RefCell::new(None) }
    }

    /// Zones of which some are numeric offsets.
    pub(super) fn with_offsets() -> Self {
        Self { find: zone_or_offset, last: RefCell::new(None) }
    }

    /// Asks the zone of that name.
    pub(super) fn with<T>(&self, name: &str, f: impl FnOnce(&Zone, &mut Memory) -> T) -> Result<T, Fault> {
        let mut last = self.last.borrow_mut();
        if let Some((known, zone, memory)) = &mut *last
            && known == name
        {
            return Ok(f(zone, memory));
        }
        let (_, zone, memory) = last.insert((name.to_owned(), (self.find)(name)?, Memory::new()));
        Ok(f(zone, memory))
    }

    /// What clocks show at an instant.
    pub(super) fn local(&self, name: &str, instant: i64) -> Result<i64, Fault> {
        // PostgreSQL does not look at the zone for an infinite time.
        if !is_finite(instant) {
            return Ok(instant);
        }
        let moved = |zone: &Zone, memory: &mut Memory| instant.checked_add(memory.offset_at(zone, instant));
        let local = self.with(name, moved)?;
        local.filter(|local| (MICROS_MIN..=MICROS_MAX).contains(local)).ok_or_else(out_of_range)
    }

    /// The instant at which clocks show a time.
    pub(super) fn instant(&self, name: &str, local: i64) -> Result<i64, Fault> {
        if !is_finite(local) {
            return Ok(local);
        }
        self.with(name, |zone, _| zone.instant(local))?.ok_or_else(out_of_range)
    }
}

fn out_of_range() -> Fault {
    Fault::new(Code::DatetimeOutOfRange, "timestamp out of range")
}

fn to_local(call: &Call<'_>) -> Column {
    let zones = Zones::new();
    call.map::<(call::Text, call::Timestamp), call::Timestamp>(|(zone, instant)| zones.local(zone, instant).map(Some))
}

fn to_instant(call: &Call<'_>) -> Column {
    let zones = Zones::new();
    call.map::<(call::Text, call::Timestamp), call::Timestamp>(|(zone, local)| zones.instant(zone, local).map(Some))
}

fn offset(interval: Interval) -> Result<i64, Fault> {
    if interval.months != 0 || interval.days != 0 {
        return Err(Fault::new(Code::BadArgument, "an offset from UTC cannot have months or days"));
    }
    // PostgreSQL counts its seconds in 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are what PostgreSQL takes")]
    let seconds = (interval.micros / 1_000_000) as i32;
    Ok(i64::from(seconds) * 1_000_000)
}

fn to_local_by_offset(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Timestamp), call::Timestamp>(|(interval, instant)| {
        if !is_finite(instant) {
            return Ok(Some(instant));
        }
        Interval::of_micros(offset(interval)?).after(instant).map(Some)
    })
}

fn to_instant_by_offset(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Timestamp), call::Timestamp>(|(interval, local)| {
        if !is_finite(local) {
            return Ok(Some(local));
        }
        Interval::of_micros(-offset(interval)?).after(local).map(Some)
    })
}

/// The offset of a zone whose clocks are never put forward or back, in microseconds. That of another one at a time of day
/// depends on the day, which PostgreSQL takes to be the one on which it is asked.
fn fixed(name: &str) -> Result<i64, Fault> {
    let zone = zone(name)?;
    match zone.is_place() {
        true => Err(Fault::new(Code::NotForValues, "what clocks of a place show at a time of day depends on the day")),
        false => Ok(zone.offset_of_local(0)),
    }
}

/// A constant zone for a time of day.
const FIXED: Constant = Constant::Text(|name| fixed(name).map(|_| ()));

/// A time of day by clocks that are so many microseconds ahead of UTC.
fn moved(time: i64, offset: i64) -> Option<i64> {
    let micros = (ZonedTime::unpacked(time).utc() + offset).rem_euclid(DAY_MICROS);
    let offset = i32::try_from(offset / 1_000_000).ok()?;
    Some(ZonedTime { micros, offset }.packed())
}

fn zoned_at(call: &Call<'_>) -> Column {
    call.map::<(call::Text, call::Timetz), call::Timetz>(|(zone, time)| Ok(moved(time, fixed(zone)?)))
}

fn zoned_at_offset(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Timetz), call::Timetz>(|(interval, time)| {
        let offset = offset(interval)?;
        match offset.abs() < 57_600_000_000 {
            true => Ok(moved(time, offset)),
            // PostgreSQL computes with it, and cannot read what it writes then.
            false => Err(Fault::new(Code::Unrepresentable, "an offset of sixteen hours and more is not supported")),
        }
    })
}

fn convert_from_utc(call: &Call<'_>) -> Column {
    to_local(call)
}

fn convert(call: &Call<'_>) -> Column {
    let (from, to) = (Zones::new(), Zones::new());
    call.map::<(call::Text, call::Text, call::Timestamp), call::Timestamp>(|(source, target, local)| {
        to.local(target, from.instant(source, local)?).map(Some)
    })
}

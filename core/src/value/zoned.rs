//! Times of day with an offset from UTC, PostgreSQL's `time with time zone`: values of expressions only.

use crate::column::Fault;
use crate::value::Fraction;
use crate::value::datetime;

/// Bits of an offset in the packed form.
const OFFSET_BITS: u32 = 18;
/// What makes an offset in the packed form a number above zero.
const OFFSET_ZERO: i64 = 1 << (OFFSET_BITS - 1);

/// A time of day at an offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ZonedTime {
    /// Microseconds of the local day, at most those of a whole one.
    pub(crate) micros: i64,
    /// Seconds that local time is ahead of UTC, less than 16 hours.
    pub(crate) offset: i32,
}

impl ZonedTime {
    /// The number that stands for it in a column. The order of the numbers is PostgreSQL's order of the times: by the time
    /// in UTC, then by the offset, the most eastern first.
    pub(crate) fn packed(self) -> i64 {
        (self.utc() << OFFSET_BITS) + OFFSET_ZERO - i64::from(self.offset)
    }

    /// The time that a number stands for.
    pub(crate) fn unpacked(packed: i64) -> Self {
        let west = packed.rem_euclid(1 << OFFSET_BITS) - OFFSET_ZERO;
        let offset = i32::try_from(-west).unwrap_or(0);
        Self { micros: (packed >> OFFSET_BITS) + i64::from(offset) * 1_000_000, offset }
    }

    /// Microseconds of the day in UTC; less than none and more than a day's where the day is another one there.
    pub(crate) fn utc(self) -> i64 {
        self.micros - i64::from(self.offset) * 1_000_000
    }

    /// Reads a time of day as a cast does. Without an offset it is one in UTC.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Fault> {
        let (micros, offset) = datetime::parse_zoned_time(text, Fraction::Round)?;
        Ok(Self { micros, offset: offset.unwrap_or(0) })
    }

    /// Appends it as PostgreSQL prints it: `23:59:59.5+05:30`.
    pub(crate) fn write(self, out: &mut String) {
        datetime::write_time(self.micros, out);
        out.push(if self.offset < 0 { '-' } else { '+' });
        let ahead = u64::from(self.offset.unsigned_abs());
        super::write_digits(ahead / 3600, 2, out);
        if ahead % 3600 != 0 {
            out.push(':');
            super::write_digits(ahead / 60 % 60, 2, out);
        }
        if ahead % 60 != 0 {
            out.push(':');
            super::write_digits(ahead % 60, 2, out);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_what_was_packed_and_what_was_printed() {
        let offsets = [-57_599, -28_800, -1, 0, 1, 19_800, 57_599];
        let times = [0, 1, 43_200_000_001, datetime::DAY_MICROS];
        let all: Vec<_> = offsets.iter().flat_map(|&offset| times.map(|micros| ZonedTime { micros, offset })).collect();
        for time in &all {
            assert_eq!(ZonedTime::unpacked(time.packed()), *time);
            let mut text = String::new();
            time.write(&mut text);
            assert_eq!(ZonedTime::parse(text.as_bytes()).unwrap(), *time);
            for other in &all {
                let key = |time: &ZonedTime| (time.utc(), -time.offset);
                assert_eq!(time.packed().cmp(&other.packed()), key(time).cmp(&key(other)));
            }
        }
    }
}

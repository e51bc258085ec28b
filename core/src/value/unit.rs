//! Unit: the units and fields of time by PostgreSQL's words, for the texts of intervals and for the functions of times.

/// A unit of time, or a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    Epoch,
    Julian,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

impl Unit {
    /// By any of PostgreSQL's words, of which ten letters count.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut lower = [0; 10];
        let length = text.len().min(lower.len());
        let (word, _) = lower.split_at_mut(length);
        word.copy_from_slice(text.get(..length)?);
        word.make_ascii_lowercase();
        Some(match &*word {
            b"us" | b"usec" | b"usecs" | b"usecond" | b"useconds" | b"microsecon" => Self::Microseconds,
            b"ms" | b"msec" | b"msecs" | b"msecond" | b"mseconds" | b"millisecon" => Self::Milliseconds,
            b"s" | b"sec" | b"secs" | b"second" | b"seconds" => Self::Second,
            b"m" | b"min" | b"mins" | b"minute" | b"minutes" => Self::Minute,
            b"h" | b"hr" | b"hrs" | b"hour" | b"hours" => Self::Hour,
            b"d" | b"day" | b"days" => Self::Day,
            b"w" | b"week" | b"weeks" => Self::Week,
            b"mon" | b"mons" | b"month" | b"months" => Self::Month,
            b"qtr" | b"quarter" => Self::Quarter,
            b"y" | b"yr" | b"yrs" | b"year" | b"years" => Self::Year,
            b"dec" | b"decs" | b"decade" | b"decades" => Self::Decade,
            b"c" | b"cent" | b"century" | b"centuries" => Self::Century,
            b"mil" | b"mils" | b"millennia" | b"millennium" => Self::Millennium,
            b"dow" => Self::DayOfWeek,
            b"isodow" => Self::IsoDayOfWeek,
            b"doy" => Self::DayOfYear,
            b"isoyear" => Self::IsoYear,
            b"epoch" => Self::Epoch,
            b"j" | b"jd" | b"julian" => Self::Julian,
            b"timezone" => Self::Timezone,
            b"timezone_h" => Self::TimezoneHour,
            b"timezone_m" => Self::TimezoneMinute,
            _ => return None,
        })
    }

    /// Whether the text of an interval may name it; there are no quarters in one, and no zones, but a text may name them
    /// where no number stands before them.
    pub(crate) fn is_of_interval(self) -> bool {
        !matches!(
            self,
            Self::DayOfWeek | Self::IsoDayOfWeek | Self::DayOfYear | Self::IsoYear | Self::Epoch | Self::Julian
        )
    }

    /// Whether it is a part of the day.
    pub(crate) fn is_of_day(self) -> bool {
        matches!(self, Self::Microseconds | Self::Milliseconds | Self::Second | Self::Minute | Self::Hour)
    }

    /// Whether it is a field of every day that no span of time has.
    pub(crate) fn is_of_calendar(self) -> bool {
        matches!(
            self,
            Self::DayOfWeek | Self::IsoDayOfWeek | Self::DayOfYear | Self::IsoYear | Self::Julian | Self::Week
        ) || self.is_of_zone()
    }

    pub(crate) fn is_of_zone(self) -> bool {
        matches!(self, Self::Timezone | Self::TimezoneHour | Self::TimezoneMinute)
    }
}

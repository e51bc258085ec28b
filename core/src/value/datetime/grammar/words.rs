//! Words: what the words of dates and times stand for.

/// The words of dates, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Month(i32),
    Weekday,
    Prefix(Prefix),
    IsoTime,
    Meridiem { pm: bool },
    Era { bc: bool },
    Utc,
    Summer,
    Filler,
    Epoch,
    AllBalls,
    Clock,
    Infinity,
}

/// What a text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StandsFor {
    /// The date and time of its fields.
    Fields,
    /// The first instant of 1970.
    Epoch,
    /// An infinity.
    Infinity { negative: bool },
}

/// What a word says of the number that follows: ISO 8601's `y2001m02d04`, `J2451187`, `T040506`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Julian,
    Time,
    /// A word of weeks and days of the year, for which no number will do.
    Other,
}

pub(super) fn word(text: &[u8]) -> Option<Word> {
    /// Longer than every word.
    const LENGTH: usize = 10;
    let mut lower = [0; LENGTH];
    let lower = lower.get_mut(..text.len())?;
    lower.copy_from_slice(text);
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"jan" | b"january" => Word::Month(1),
        b"feb" | b"february" => Word::Month(2),
        b"mar" | b"march" => Word::Month(3),
        b"apr" | b"april" => Word::Month(4),
        b"may" => Word::Month(5),
        b"jun" | b"june" => Word::Month(6),
        b"jul" | b"july" => Word::Month(7),
        b"aug" | b"august" => Word::Month(8),
        b"sep" | b"sept" | b"september" => Word::Month(9),
        b"oct" | b"october" => Word::Month(10),
        b"nov" | b"november" => Word::Month(11),
        b"dec" | b"december" => Word::Month(12),
        b"mon" | b"monday" | b"tue" | b"tues" | b"tuesday" | b"wed" | b"weds" | b"wednesday" | b"thu" | b"thur"
        | b"thurs" | b"thursday" | b"fri" | b"friday" | b"sat" | b"saturday" | b"sun" | b"sunday" => Word::Weekday,
        b"y" => Word::Prefix(Prefix::Year),
        b"m" => Word::Prefix(Prefix::Month),
        b"d" => Word::Prefix(Prefix::Day),
        b"h" => Word::Prefix(Prefix::Hour),
        b"mm" => Word::Prefix(Prefix::Minute),
        b"s" => Word::Prefix(Prefix::Second),
        b"j" | b"jd" | b"julian" => Word::Prefix(Prefix::Julian),
        b"dow" | b"doy" | b"isodow" | b"isoyear" => Word::Prefix(Prefix::Other),
        b"t" => Word::IsoTime,
        b"am" => Word::Meridiem { pm: false },
        b"pm" => Word::Meridiem { pm: true },
        b"ad" => Word::Era { bc: false },
        b"bc" => Word::Era { bc: true },
        b"z" | b"utc" | b"gmt" | b"zulu" | b"uct" | b"ut" => Word::Utc,
        b"dst" => Word::Summer,
        b"at" | b"on" => Word::Filler,
        b"epoch" => Word::Epoch,
        b"allballs" => Word::AllBalls,
        b"now" | b"today" | b"tomorrow" | b"yesterday" => Word::Clock,
        b"infinity" => Word::Infinity,
        _ => return None,
    })
}

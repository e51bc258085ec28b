//! Digits: up to eight decimal digits as one number, by arithmetic on all of them at once.
//!
//! A short text is one machine word whose lowest byte is the first character. A loop over the characters would be slower,
//! because the processor cannot predict where it ends.

/// Eight zeros.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The characters of a text of one to eight bytes; no byte stands behind the last one.
#[inline]
fn word(text: &[u8]) -> Option<u64> {
    if let (Some(&first), Some(&last), 4..=8) = (text.first_chunk(), text.last_chunk(), text.len()) {
        // Both halves hold what lies in the middle.
        let (first, last) = (u32::from_le_bytes(first), u32::from_le_bytes(last));
        return Some(u64::from(first) | u64::from(last) << (8 * (text.len() - 4)));
    }
    match *text {
        [a] => Some(u64::from(a)),
        [a, b] => Some(u64::from(u16::from_le_bytes([a, b]))),
        [a, b, c] => Some(u64::from(u32::from_le_bytes([a, b, c, 0]))),
        _ => None,
    }
}

/// What each of eight digits is worth alone; `None` if one of them is no digit.
#[inline]
fn worth(word: u64) -> Option<u64> {
    let worth = word ^ ZEROS;
    // From ten on, what is added reaches the highest bit of a byte.
    let wrong = (worth | worth.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
    (wrong == 0).then_some(worth)
}

/// Four numbers of two digits each, in the order of the text, from the lowest sixteen bits upwards.
#[inline]
pub(super) fn pairs(word: u64) -> Option<u64> {
    let worth = worth(word)?;
    Some((worth * 10 + (worth >> 8)) & 0x00ff_00ff_00ff_00ff)
}

/// The number that the first `count` characters of a word are, at most eight.
#[inline]
fn number(word: u64, count: usize) -> Option<u32> {
    let pairs = pairs(word << (64 - 8 * count) | ZEROS.unbounded_shr(8 * count as u32))?;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours * 10_000 + (fours >> 32)) as u32)
}

/// The number that a text of one to eight digits is.
#[inline]
pub(super) fn whole(text: &[u8]) -> Option<u32> {
    number(word(text)?, text.len())
}

/// The number that the digits of a text of one to eight characters are, how many there are, and how many of them stand after
/// the point, if there is one.
#[inline]
pub(super) fn fraction(text: &[u8]) -> Option<(u32, u8, u8)> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = word(text)?;
    let points = word ^ (u64::from(b'.') * ONES);
    // The lowest byte that is zero is the first point; above it there may be others that only seem to be one.
    let point = points.wrapping_sub(ONES) & !points & 0x8080_8080_8080_8080;
    let length = text.len() as u8;
    if point == 0 {
        return Some((number(word, text.len())?, length, 0));
    }
    let before = point.trailing_zeros() / 8;
    let below = (1 << (8 * before)) - 1;
    let count = length.checked_sub(1).filter(|&count| count > 0)?;
    Some((number(word & below | (word >> 8) & !below, count.into())?, count, count - before as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of up to five characters out of these, and of eight with three of them before or behind.
    fn texts() -> impl Iterator<Item = Vec<u8>> {
        const CHARACTERS: &[u8] = b"019./:\0\xb0\xff";
        let texts = (0..6_u32).flat_map(|length| {
            (0..CHARACTERS.len().pow(length)).map(move |mut number| {
                let mut next = || {
                    let character = CHARACTERS[number % CHARACTERS.len()];
                    number /= CHARACTERS.len();
                    character
                };
                (0..length).map(|_| next()).collect::<Vec<u8>>()
            })
        });
        texts.flat_map(|text| [[b"907", &text[..]].concat(), [&text[..], b"907"].concat(), text])
    }

    #[test]
    fn a_number_is_what_its_digits_say() {
        for text in texts() {
            let expected = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            assert_eq!(whole(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_point_stands_anywhere_once() {
        for text in texts() {
            let digits: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'.').collect();
            let points = text.len() - digits.len();
            let after = text.iter().rev().take_while(|&&byte| byte != b'.').count();
            let places = if points == 0 { 0 } else { after };
            let expected = whole(&digits).filter(|_| points < 2);
            let expected = expected.map(|number| (number, digits.len() as u8, places as u8));
            assert_eq!(fraction(&text), expected, "{text:?}");
        }
    }
}

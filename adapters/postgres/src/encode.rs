//! Encode: rows of Arrow columns in the binary form of PostgreSQL's COPY.
//!
//! ```text
//! header   PGCOPY\n\xff\r\n\0, flags (32 bits), length of the extension (32 bits)
//! row      number of values (16 bits), then each value: its length (32 bits; -1 is NULL) and its bytes
//! trailer  -1 (16 bits)
//! ```
//!
//! Whole numbers and floats are big-endian. Days and microseconds count from 2000-01-01. A decimal is a list of digits in base
//! 10,000, aligned at the point, with the weight of the first.

use etalon_core::value::Value;

/// What stands before the rows.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands after them.
pub const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// Days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;
/// PostgreSQL's first day is 4714-11-24 BC, and its last 5874897-12-31; both from 2000.
const FIRST_DAY: i32 = -2_451_545;
const LAST_DAY: i32 = 2_145_031_948;
/// Its first microsecond begins the first day, and its last ends 294276-12-31; both from 2000.
const FIRST_MICRO: i64 = -211_813_488_000_000_000;
const LAST_MICRO: i64 = 9_223_371_331_199_999_999;
/// Groups of four digits in 38 digits with a point somewhere among them.
const GROUPS: usize = 11;

/// Why a value cannot be in PostgreSQL.
pub type Unfit = &'static str;

/// Appends a value with its length.
pub fn write(value: Option<Value<'_>>, out: &mut Vec<u8>) -> Result<(), Unfit> {
    let Some(value) = value else {
        fixed(out, (-1_i32).to_be_bytes());
        return Ok(());
    };
    match value {
        Value::Boolean(value) => sized(out, [u8::from(value)]),
        Value::Smallint(number) => sized(out, number.to_be_bytes()),
        Value::Integer(number) => sized(out, number.to_be_bytes()),
        Value::Bigint(number) => sized(out, number.to_be_bytes()),
        Value::Real(number) => sized(out, number.to_be_bytes()),
        Value::Double(number) => sized(out, number.to_be_bytes()),
        Value::Decimal(number) => decimal(out, number.unscaled, number.scale),
        Value::Date(days) => {
            let day = days.checked_sub(EPOCH_DAYS);
            let day = day.filter(|day| (FIRST_DAY..=LAST_DAY).contains(day));
            sized(out, day.ok_or("a date beyond 4714-11-24 BC to 5874897-12-31")?.to_be_bytes());
        }
        Value::Timestamp(micros) | Value::Timestamptz(micros) => {
            let micro = micros.checked_sub(EPOCH_MICROS);
            let micro = micro.filter(|micro| (FIRST_MICRO..=LAST_MICRO).contains(micro));
            sized(out, micro.ok_or("a timestamp beyond 4714-11-24 BC to 294276-12-31")?.to_be_bytes());
        }
        Value::Text(value) => text(out, value)?,
        Value::Super(document) => json(out, document)?,
    }
    Ok(())
}

#[inline]
fn fixed<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    out.extend_from_slice(&bytes);
}

#[inline]
fn sized<const N: usize>(out: &mut Vec<u8>, bytes: [u8; N]) {
    fixed(out, (N as u32).to_be_bytes());
    fixed(out, bytes);
}

fn text(out: &mut Vec<u8>, text: &str) -> Result<(), Unfit> {
    if text.as_bytes().contains(&0) {
        return Err("a text with a NUL character");
    }
    let length = i32::try_from(text.len()).map_err(|_| "a text of more than 2 GiB")?;
    fixed(out, length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Appends a document: the version of the binary form, which is 1, and its text.
fn json(out: &mut Vec<u8>, document: &str) -> Result<(), Unfit> {
    let mut rest = document;
    while let Some((_, after)) = rest.split_once('\\') {
        if after.starts_with("u0000") {
            return Err("a document with a NUL character");
        }
        // What is escaped is no escape itself.
        let mut letters = after.chars();
        letters.next();
        rest = letters.as_str();
    }
    let length = i32::try_from(document.len() + 1).map_err(|_| "a document of more than 2 GiB")?;
    fixed(out, length.to_be_bytes());
    out.push(1);
    out.extend_from_slice(document.as_bytes());
    Ok(())
}

/// Appends a decimal: how many groups, the weight of the first, sign, scale, and the groups without zeros at either end.
fn decimal(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    let mut groups = [0_i16; GROUPS];
    // Groups of the fraction; the last of them may be filled up with zeros.
    let of_fraction = usize::from(scale).div_ceil(4);
    let filled = (of_fraction * 4 - usize::from(scale)) as u32;
    let mut rest = unscaled.unsigned_abs();
    // From the lowest group up.
    let mut count = 0;
    while rest > 0 {
        let (over, under) =
            if count == 0 && filled > 0 { (10_u128.pow(4 - filled), 10_i16.pow(filled)) } else { (10_000, 1) };
        let group = match u64::try_from(rest) {
            // Most decimals are short, and division of 64 bits is far quicker.
            Ok(short) => {
                let over = over as u64;
                rest = u128::from(short / over);
                (short % over) as i16
            }
            Err(_) => {
                let group = (rest % over) as i16;
                rest /= over;
                group
            }
        };
        if let Some(place) = groups.get_mut(count) {
            *place = group * under;
        }
        count += 1;
    }
    let used = groups.get(..count).unwrap_or(&groups);
    let zeros = used.iter().take_while(|group| **group == 0).count();
    let used = used.get(zeros..).unwrap_or_default();
    let weight = if used.is_empty() { 0 } else { count as i16 - of_fraction as i16 - 1 };
    let sign: u16 = if unscaled < 0 { 0x4000 } else { 0 };
    fixed(out, (8 + 2 * used.len() as u32).to_be_bytes());
    fixed(out, (used.len() as u16).to_be_bytes());
    fixed(out, weight.to_be_bytes());
    fixed(out, sign.to_be_bytes());
    fixed(out, u16::from(scale).to_be_bytes());
    for group in used.iter().rev() {
        fixed(out, group.to_be_bytes());
    }
}

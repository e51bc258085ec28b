//! `pg_size_pretty`, `pg_size_bytes`: numbers of bytes as people read them.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::text::quote;

pub(super) const FUNCTIONS: &[Function] = &[PG_SIZE_PRETTY, PG_SIZE_BYTES];

/// The units, each 1024 of the one before it.
const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];

const PG_SIZE_PRETTY: Function = Function {
    name: "pg_size_pretty",
    aliases: &[],
    doc: "A number of bytes in the largest unit of which there are ten or more: bytes, kB, MB, GB, TB or PB",
    signatures: &[
        Signature::new(&[Kind::Bigint], Type::Text, |call| {
            call.write::<(call::Bigint,)>(|(size,), out| {
                out.push_str(&pretty(Decimal { unscaled: size.into(), scale: 0 }));
                Ok(true)
            })
        }),
        Signature::new(&[Kind::Numeric], Type::Text, |call| {
            call.write::<(call::Numeric,)>(|(size,), out| match size.special() {
                Some(_) => Err(decimal::not_finite(size)),
                None => {
                    out.push_str(&pretty(size));
                    Ok(true)
                }
            })
        }),
    ],
    examples: &[
        ("pg_size_pretty(10239::bigint)", "10239 bytes"),
        ("pg_size_pretty(-1000000::bigint)", "-977 kB"),
        ("pg_size_pretty(10485247.5)", "10239 kB"),
        ("pg_size_pretty(1000.5)", "1000.5 bytes"),
    ],
};

/// Half of a unit more is a unit more: what is counted is halves, rounded away from zero at the end.
fn pretty(size: Decimal) -> String {
    const FEW: u128 = 10 * 1024;
    let mut halves = size.unscaled / decimal::ten(size.scale);
    if halves.unsigned_abs() < FEW {
        return format!("{} bytes", size.print());
    }
    halves /= 512;
    let mut units = UNITS.iter().skip(1).peekable();
    while let Some(unit) = units.next() {
        if halves.unsigned_abs() < 2 * FEW - 1 || units.peek().is_none() {
            return format!("{} {unit}", (halves + halves.signum()) / 2);
        }
        halves /= 1024;
    }
    String::new()
}

const PG_SIZE_BYTES: Function = Function {
    name: "pg_size_bytes",
    aliases: &[],
    doc: "The number of bytes that a text says: a number, and a unit of `pg_size_pretty` in any letter case",
    signatures: &[Signature::new(&[Kind::Text], Type::Bigint, |call| {
        call.map::<(call::Text,), call::Bigint>(|(text,)| bytes(text).map(Some))
    })],
    examples: &[
        ("pg_size_bytes('1.5 kB')", "1536"),
        ("pg_size_bytes(' -2GB')", "-2147483648"),
        ("pg_size_bytes('1 xB')", "R311"),
    ],
};

fn bytes(text: &str) -> Result<i64, Fault> {
    let wrong = || Fault::new(Code::BadArgument, format!("{} is no size", quote(text.as_bytes())));
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
    let unsigned = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    let is_number = |char: char| char.is_ascii_digit() || char == '.';
    let digits = trimmed.len() - unsigned.trim_start_matches(is_number).len();
    let (number, rest) = trimmed.split_at(digits);
    if !number.ends_with(is_number) || !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    // An exponent belongs to the number, if there are digits behind its `e`.
    let exponent = rest.strip_prefix(['e', 'E']).map_or(0, |rest| {
        let unsigned = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let digits = unsigned.len() - unsigned.trim_start_matches(|char: char| char.is_ascii_digit()).len();
        if digits == 0 { 0 } else { 1 + rest.len() - unsigned.len() + digits }
    });
    let (number, unit) = trimmed.split_at(digits + exponent);
    let unit = unit.trim_start_matches([' ', '\t', '\n', '\r']);
    let power = match unit {
        "" => Some(0),
        // One byte has a name of its own here.
        unit if unit.eq_ignore_ascii_case("B") => Some(0),
        unit => UNITS.iter().position(|known| known.eq_ignore_ascii_case(unit)),
    };
    let power = power.and_then(|power| u32::try_from(power).ok()).ok_or_else(wrong)?;
    let factor = Decimal { unscaled: 1024_i128.pow(power), scale: 0 };
    let size = decimal::round(decimal::multiply(Decimal::parse(number.as_bytes())?, factor)?, 0, false)?;
    i64::try_from(size.unscaled).map_err(|_| Fault::new(Code::OutOfRange, "bigint out of range"))
}

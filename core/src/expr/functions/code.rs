//! `ascii`, `chr`, `to_hex`, `strtol`: characters and numbers as codes and digits.

use std::fmt::Write as _;

use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use super::nothing;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::sql::unquote;
use crate::sql::unquote::unicode_escapes;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[ASCII, CHR, UNISTR, TO_HEX, STRTOL];

const ASCII: Function = Function {
    name: "ascii",
    aliases: &[],
    doc: "The code point of the first character of a text, or 0 if it is empty",
    signatures: &[Signature::new(&[Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text,), call::Integer>(|(text,)| {
            Ok(Some(text.chars().next().map_or(0, |char| u32::from(char).cast_signed())))
        })
    })],
    examples: &[("ascii('x')", "120"), ("ascii('ß')", "223"), ("ascii('')", "0")],
};

/// `"char"`, which no name but the type's own calls.
pub(super) const CHAR: Function = Function {
    name: "(char)",
    aliases: &[],
    doc: "The first byte of a text, or that of its octal digits behind a backslash, as PostgreSQL prints it",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| {
            call.write::<(call::Text,)>(|(text,), out| {
                write_byte(byte(text), out);
                Ok(true)
            })
        }),
        Signature::new(&[Kind::Smallint], Type::Text, nothing)
            .returns(|_| Err("there is no cast from smallint to \"char\"".into())),
        Signature::new(&[Kind::Integer], Type::Text, |call| {
            call.write::<(call::Integer,)>(|(code,), out| {
                let byte = i8::try_from(code).map_err(|_| Fault::new(Code::OutOfRange, "\"char\" out of range"))?;
                write_byte(byte.cast_unsigned(), out);
                Ok(true)
            })
        }),
    ],
    examples: &[
        ("'abc'::\"char\"", "a"),
        (r#"'\377'::"char""#, r"\377"),
        (r#"'\101'::"char""#, "A"),
        (r#"'\000'::"char""#, ""),
        ("97::\"char\"", "a"),
        ("200::\"char\"", "R302"),
    ],
};

fn byte(text: &str) -> u8 {
    match text.as_bytes() {
        [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7'] => {
            (high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0')
        }
        bytes => bytes.first().copied().unwrap_or(0),
    }
}

fn write_byte(byte: u8, out: &mut String) {
    match byte {
        0 => {}
        0x80.. => {
            out.push('\\');
            out.extend([byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| char::from(b'0' + digit)));
        }
        byte => out.push(char::from(byte)),
    }
}

const CHR: Function = Function {
    name: "chr",
    aliases: &[],
    doc: "The character of a code point",
    signatures: &[Signature::new(&[Kind::Integer], Type::Text, |call| {
        call.write::<(call::Integer,)>(|(code,), out| {
            let fault = |code, fact: String| Err(Fault::new(code, fact));
            match u32::try_from(code).map(char::from_u32) {
                Err(_) => fault(Code::BadArgument, "character number must be positive".to_owned()),
                Ok(Some('\0')) => fault(Code::ResultTooLong, "null character not permitted".to_owned()),
                Ok(None) => fault(Code::ResultTooLong, format!("there is no character with the number {code}")),
                Ok(Some(char)) => {
                    out.push(char);
                    Ok(true)
                }
            }
        })
    })],
    examples: &[("chr(65)", "A"), ("chr(223)", "ß"), ("chr(0)", "R315")],
};

const UNISTR: Function = Function {
    name: "unistr",
    aliases: &[],
    doc: "The text with its escapes as characters: `\\0061`, `\\+000061`, `\\u0061`, `\\U00000061`, `\\\\`",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            unicode_escapes(text, '\\', true, out).map(|()| true).map_err(|problem| {
                let code = match problem {
                    unquote::Problem::NoCharacter(_) => Code::BadArgument,
                    _ => Code::BadForm,
                };
                Fault::new(code, problem.to_string())
            })
        })
    })],
    examples: &[
        (r"unistr('d\0061t\+000061 \u0061\U0001F600')", "data a😀"),
        (r"unistr('\d83d\de00 \\')", r"😀 \"),
        (r"unistr('\12')", "R328"),
    ],
};

const TO_HEX: Function = Function {
    name: "to_hex",
    aliases: &[],
    doc: "The hexadecimal digits of a whole number; of a negative one, those of its two's complement",
    signatures: &[
        Signature::new(&[Kind::Integer], Type::Text, |call| {
            call.write::<(call::Integer,)>(|(number,), out| {
                // Writing to a text cannot fail.
                let _ = write!(out, "{number:x}");
                Ok(true)
            })
        }),
        Signature::new(&[Kind::Bigint], Type::Text, |call| {
            call.write::<(call::Bigint,)>(|(number,), out| {
                let _ = write!(out, "{number:x}");
                Ok(true)
            })
        }),
    ],
    examples: &[("to_hex(2147483647)", "7fffffff"), ("to_hex(-1)", "ffffffff")],
};

const STRTOL: Function = Function {
    name: "strtol",
    aliases: &[],
    doc: "The whole number that a text writes in a base of 2 to 36, as Redshift reads it; blanks, a sign and, in base 16, `0x` may stand before it",
    signatures: &[Signature::new(&[Kind::Text, Kind::Integer], Type::Bigint, |call| {
        call.map::<(call::Text, call::Integer), call::Bigint>(|(text, base)| {
            let base = base_of(base)?;
            let trimmed = text.trim_matches(' ');
            let (sign, digits) = match trimmed.strip_prefix('-') {
                Some(digits) => ("-", digits),
                None => ("", trimmed.strip_prefix('+').unwrap_or(trimmed)),
            };
            let prefixed = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")).filter(|_| base == 16);
            let digits = prefixed.unwrap_or(digits);
            if digits.is_empty() || !digits.chars().all(|char| char.is_digit(base)) {
                let fact = format!("{} is no number in base {base}", crate::value::text::quote(text.as_bytes()));
                return Err(Fault::new(Code::NotAValue, fact));
            }
            match i64::from_str_radix(&format!("{sign}{digits}"), base) {
                Ok(number) => Ok(Some(number)),
                Err(_) => {
                    let fact =
                        format!("{} is out of range for type bigint", crate::value::text::quote(text.as_bytes()));
                    Err(Fault::new(Code::OutOfRange, fact))
                }
            }
        })
    })
    .constants(&[(1, Constant::Integer(|base| base_of(base).map(|_| ())))])],
    examples: &[("strtol('abcd1234', 16)", "2882343476"), ("strtol('110101', 2)", "53"), ("strtol('12', 2)", "R301")],
};

fn base_of(base: i32) -> Result<u32, Fault> {
    let known = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
    known.ok_or_else(|| Fault::new(Code::BadArgument, format!("a base is 2 to 36, not {base}")))
}

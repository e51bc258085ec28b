//! `encode`, `decode`, `convert_from`, `convert_to`, `get_byte`, `set_bit`, `sha256` and others: bytes, and what they have in
//! common with texts.
//!
//! A function that has the same name as a function of texts is a signature of that one; its kernel is here. Places of bytes are
//! computed as places of characters in a text that has one character for each byte.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use md5::Digest;
use md5::Md5;
use sha2::Sha224;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use super::Argument;
use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::too_long;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::like::Matcher;
use crate::types::Type;
use crate::value::bytes;
use crate::value::text::base64;
use crate::value::text::quote;

pub(super) const FUNCTIONS: &[Function] = &[
    ENCODE,
    DECODE,
    CONVERT_FROM,
    CONVERT_TO,
    CONVERT,
    GET_BYTE,
    SET_BYTE,
    GET_BIT,
    SET_BIT,
    BIT_COUNT,
    SHA224,
    SHA256,
    SHA384,
    SHA512,
    BYTEACAT,
    LIKE,
    NOTLIKE,
    LIKE_ESCAPE,
];

const ENCODE: Function = Function {
    name: "encode",
    aliases: &[],
    doc: "Bytes as a text: `hex`, `base64` with lines of 76 characters, or `escape`",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Text], Type::Text, |call| {
        call.write::<(call::Text, call::Text)>(|(value, format), out| {
            let found = bytes::read(value);
            match Format::named(format)? {
                Format::Hex => bytes::write_digits(&found, out),
                Format::Escape => write_escapes(&found, out),
                Format::Base64 => {
                    let text = base64(&found);
                    for (at, char) in text.chars().enumerate() {
                        if at > 0 && at % 76 == 0 {
                            out.push('\n');
                        }
                        out.push(char);
                    }
                }
            }
            limited(out)
        })
    })
    .constants(&[(1, FORMAT)])],
    examples: &[
        (r"encode('\x616200ff', 'hex')", "616200ff"),
        ("encode('größe', 'base64')", "Z3LDtsOfZQ=="),
        (r"encode('\x616200ff5c', 'escape')", r"ab\000\377\\"),
    ],
};

const DECODE: Function = Function {
    name: "decode",
    aliases: &[],
    doc: "The bytes that a text is, read as `encode` writes it; with three arguments or more it is a form of `case`",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Bytea, |call| {
        call.write::<(call::Text, call::Text)>(|(text, format), out| {
            let found = match Format::named(format)? {
                Format::Hex => bytes::parse_digits(text)?,
                Format::Escape => bytes::parse_escapes(text)?,
                Format::Base64 => decoded(text)?,
            };
            bytes::write(found, out);
            limited(out)
        })
    })
    .constants(&[(1, FORMAT)])],
    examples: &[
        ("decode('6162', 'hex')", r"\x6162"),
        ("decode('Z3LDtsOfZQ==', 'base64')", r"\x6772c3b6c39f65"),
        (r"decode('a\000', 'escape')", r"\x6100"),
        ("decode('6', 'hex')", "R311"),
        ("decode('YWE=YQ==', 'base64')", r"\x61616100"),
        ("decode('YQ=', 'base64')", "R311"),
    ],
};

/// How bytes are written as a text.
enum Format {
    Hex,
    Base64,
    Escape,
}

impl Format {
    fn named(name: &str) -> Result<Self, Fault> {
        match name.to_ascii_lowercase().as_str() {
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            "escape" => Ok(Self::Escape),
            _ => Err(wrong(format!("{} is no way to write bytes", quote(name.as_bytes())))),
        }
    }
}

const FORMAT: Constant = Constant::Text(|name| Format::named(name).map(|_| ()));

fn wrong(fact: impl Into<String>) -> Fault {
    Fault::new(Code::BadArgument, fact.into())
}

/// Says that there is a text, unless it grew too long.
fn limited(out: &str) -> Result<bool, Fault> {
    if out.len() > TEXT_BYTES_MAX { Err(too_long()) } else { Ok(true) }
}

/// The bytes of a text in base64; blanks in it do not count.
///
/// PostgreSQL remembers the first `=` to the end: what follows it is read on, each group of four as one of so few bytes.
fn decoded(text: &str) -> Result<Vec<u8>, Fault> {
    let no_base64 = || wrong(format!("{} is no base64", quote(text.as_bytes())));
    let mut found = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut count) = (0_u32, 0);
    let mut bytes_of_group = 3;
    for char in text.bytes().filter(|char| !matches!(char, b' ' | b'\t' | b'\n' | b'\r')) {
        let digit = match (char, count) {
            (b'=', 2) if bytes_of_group == 3 => {
                bytes_of_group = 1;
                0
            }
            (b'=', 3) if bytes_of_group == 3 => {
                bytes_of_group = 2;
                0
            }
            (b'=', _) if bytes_of_group < 3 => 0,
            (b'A'..=b'Z', _) => char - b'A',
            (b'a'..=b'z', _) => char - b'a' + 26,
            (b'0'..=b'9', _) => char - b'0' + 52,
            (b'+', _) => 62,
            (b'/', _) => 63,
            _ => return Err(no_base64()),
        };
        group = group << 6 | u32::from(digit);
        count += 1;
        if count == 4 {
            let [_, bytes @ ..] = group.to_be_bytes();
            found.extend(bytes.into_iter().take(bytes_of_group));
            (group, count) = (0, 0);
        }
    }
    if count == 0 { Ok(found) } else { Err(no_base64()) }
}

fn write_escapes(bytes: &[u8], out: &mut String) {
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str(r"\\"),
            0 | 0x80.. => {
                out.push('\\');
                out.extend([byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| char::from(b'0' + digit)));
            }
            byte => out.push(char::from(byte)),
        }
    }
}

const CONVERT_FROM: Function = Function {
    name: "convert_from",
    aliases: &[],
    doc: "The text that bytes are in an encoding: `UTF8`, or one of a byte a character, as `LATIN1`, `WIN1252`, `KOI8R`",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Text], Type::Text, |call| {
        call.write::<(call::Text, call::Text)>(|(value, encoding), out| {
            out.push_str(&Encoding::named(encoding)?.read(bytes::read(value))?);
            Ok(true)
        })
    })
    .constants(&[(1, ENCODING)])],
    examples: &[
        (r"convert_from('\xdf', 'latin1')", "ß"),
        (r"convert_from('\x80', 'WIN1252')", "€"),
        (r"convert_from('\xff', 'UTF8')", "R312"),
    ],
};

const CONVERT_TO: Function = Function {
    name: "convert_to",
    aliases: &[],
    doc: "The bytes of a text in an encoding, as `convert_from` knows them",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Bytea, |call| {
        call.write::<(call::Text, call::Text)>(|(text, encoding), out| {
            bytes::write(Encoding::named(encoding)?.write(text)?, out);
            limited(out)
        })
    })
    .constants(&[(1, ENCODING)])],
    examples: &[("convert_to('ß', 'latin1')", r"\xdf"), ("convert_to('ß', 'UTF8')", r"\xc39f")],
};

const CONVERT: Function = Function {
    name: "convert",
    aliases: &[],
    doc: "The bytes of a text in another encoding than the first",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Text, Kind::Text], Type::Bytea, |call| {
        call.write::<(call::Text, call::Text, call::Text)>(|(value, from, to), out| {
            let (from, to) = (Encoding::named(from)?, Encoding::named(to)?);
            to.meets(&from)?;
            let value = bytes::read(value);
            let is_kept = from == to && from != Encoding::Utf8 && !value.contains(&0);
            bytes::write(if is_kept { value } else { to.write(&from.read(value)?)? }, out);
            limited(out)
        })
    })
    .returns(meeting)
    .constants(&[(1, ENCODING), (2, ENCODING)])],
    examples: &[(r"convert('\xdf', 'latin1', 'utf8')", r"\xc39f")],
};

/// Two constant encodings of `convert`, one of which must be UTF8.
fn meeting(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    let encoding = |at: usize| {
        let array = arguments.get(at)?.constant?.as_string_view();
        array.is_valid(0).then(|| Encoding::named(array.value(0)).ok())?
    };
    match (encoding(1), encoding(2)) {
        (Some(from), Some(to)) => Ok(to.meets(&from).map(|()| Type::Bytea)?),
        _ => Ok(Type::Bytea),
    }
}

/// How a text is written in bytes.
#[derive(Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// A byte is a character. PostgreSQL's tables leave the controls of 0x80 to 0x9f out, or have them as they are, where
    /// those of the web do otherwise.
    OneByte {
        table: &'static encoding_rs::Encoding,
        controls: Controls,
    },
}

/// What 0x80 to 0x9f are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controls {
    /// What the table says, and no controls.
    OfTable,
    /// The controls of that number.
    Themselves,
}

/// The encodings of a byte a character, by the letters and digits of PostgreSQL's names. Those of which PostgreSQL's table
/// says otherwise than that of the web are left out: WIN1255 and KOI8U.
const ONE_BYTE: &[(&str, &encoding_rs::Encoding, Controls)] = {
    use Controls::{OfTable, Themselves};
    &[
        ("latin1 iso88591", encoding_rs::WINDOWS_1252, Themselves),
        ("latin2 iso88592", encoding_rs::ISO_8859_2, Themselves),
        ("latin3 iso88593", encoding_rs::ISO_8859_3, Themselves),
        ("latin4 iso88594", encoding_rs::ISO_8859_4, Themselves),
        ("latin5 iso88599", encoding_rs::WINDOWS_1254, Themselves),
        ("latin6 iso885910", encoding_rs::ISO_8859_10, Themselves),
        ("latin7 iso885913", encoding_rs::ISO_8859_13, Themselves),
        ("latin8 iso885914", encoding_rs::ISO_8859_14, Themselves),
        ("latin9 iso885915", encoding_rs::ISO_8859_15, Themselves),
        ("latin10 iso885916", encoding_rs::ISO_8859_16, Themselves),
        ("iso88595", encoding_rs::ISO_8859_5, Themselves),
        ("iso88596", encoding_rs::ISO_8859_6, Themselves),
        ("iso88597", encoding_rs::ISO_8859_7, Themselves),
        ("iso88598", encoding_rs::ISO_8859_8, Themselves),
        ("win1250 windows1250", encoding_rs::WINDOWS_1250, OfTable),
        ("win1251 windows1251 win", encoding_rs::WINDOWS_1251, OfTable),
        ("win1252 windows1252", encoding_rs::WINDOWS_1252, OfTable),
        ("win1253 windows1253", encoding_rs::WINDOWS_1253, OfTable),
        ("win1254 windows1254", encoding_rs::WINDOWS_1254, OfTable),
        ("win1256 windows1256", encoding_rs::WINDOWS_1256, OfTable),
        ("win1257 windows1257", encoding_rs::WINDOWS_1257, OfTable),
        ("win1258 windows1258 abc tcvn tcvn5712 vscii", encoding_rs::WINDOWS_1258, OfTable),
        ("win874 windows874", encoding_rs::WINDOWS_874, OfTable),
        ("win866 windows866 alt", encoding_rs::IBM866, OfTable),
        ("koi8 koi8r", encoding_rs::KOI8_R, OfTable),
    ]
};

impl Encoding {
    /// By PostgreSQL's name, of which letters and digits count.
    fn named(name: &str) -> Result<Self, Fault> {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let plain = plain.to_ascii_lowercase();
        if matches!(plain.as_str(), "utf8" | "unicode") {
            return Ok(Self::Utf8);
        }
        let named = |(names, _, _): &&(&str, _, _)| names.split(' ').any(|known| known == plain);
        match ONE_BYTE.iter().find(named) {
            Some((_, table, controls)) => Ok(Self::OneByte { table, controls: *controls }),
            None => Err(wrong(format!(
                "the encoding {} is not supported: there are UTF8, LATIN1 to LATIN10, ISO_8859_5 to ISO_8859_8, WIN1250 to WIN1254, \
                 WIN1256 to WIN1258, WIN866, WIN874 and KOI8R",
                quote(name.as_bytes())
            ))),
        }
    }

    /// PostgreSQL has few ways between two encodings of which none is UTF8.
    fn meets(&self, other: &Self) -> Result<(), Fault> {
        if *self == Self::Utf8 || *other == Self::Utf8 || self == other {
            return Ok(());
        }
        Err(wrong(
            "from one encoding to another, of which none is UTF8, is not supported: convert to UTF8 first".to_owned(),
        ))
    }

    fn read(&self, bytes: Vec<u8>) -> Result<String, Fault> {
        if bytes.contains(&0) {
            return Err(no_text());
        }
        match self {
            Self::Utf8 => String::from_utf8(bytes).map_err(|_| no_text()),
            Self::OneByte { table, controls } => {
                bytes.iter().map(|&byte| character(table, *controls, byte).ok_or_else(no_character)).collect()
            }
        }
    }

    fn write(&self, text: &str) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::OneByte { table, controls } => {
                let byte = |char: char| match u8::try_from(u32::from(char)).ok() {
                    Some(byte @ 0x80..=0x9f) => (*controls == Controls::Themselves).then_some(byte),
                    _ => {
                        let mut room = [0; 4];
                        let (bytes, _, is_lost) = table.encode(char.encode_utf8(&mut room));
                        let byte = bytes.first().copied().filter(|_| !is_lost && bytes.len() == 1);
                        byte.filter(|byte| *controls == Controls::OfTable || !matches!(byte, 0x80..=0x9f))
                    }
                };
                text.chars().map(byte).collect::<Option<_>>().ok_or_else(no_character)
            }
        }
    }
}

/// The character that a byte is.
fn character(table: &'static encoding_rs::Encoding, controls: Controls, byte: u8) -> Option<char> {
    if matches!(byte, 0x80..=0x9f) && controls == Controls::Themselves {
        return Some(char::from(byte));
    }
    let bytes = [byte];
    let text = table.decode_without_bom_handling_and_without_replacement(&bytes)?;
    text.chars().next().filter(|char| !matches!(char, '\u{80}'..='\u{9f}'))
}

fn no_text() -> Fault {
    Fault::new(Code::Character, "the bytes are no text in that encoding")
}

fn no_character() -> Fault {
    Fault::new(Code::NoCharacter, "a character is not in that encoding")
}

pub(super) const ENCODING: Constant = Constant::Text(|name| Encoding::named(name).map(|_| ()));

/// The place of a byte, if there is one.
fn byte_at(bytes: &[u8], at: i64) -> Result<usize, Fault> {
    let place = usize::try_from(at).ok().filter(|&place| place < bytes.len());
    place.ok_or_else(|| no_place(at, bytes.len()))
}

/// The place of a byte and of a bit in it, from its lowest on.
fn bit_at(bytes: &[u8], at: i64) -> Result<(usize, u32), Fault> {
    let bits = bytes.len() * 8;
    let place = usize::try_from(at).ok().filter(|&place| place < bits).ok_or_else(|| no_place(at, bits))?;
    Ok((place / 8, (at & 7) as u32))
}

fn no_place(at: i64, count: usize) -> Fault {
    let fact = match count {
        0 => format!("the place {at} is none: there are no bytes"),
        count => format!("the place {at} is none of 0 to {}", count - 1),
    };
    Fault::new(Code::ArrayShape, fact)
}

const GET_BYTE: Function = Function {
    name: "get_byte",
    aliases: &[],
    doc: "The byte at a place, counted from 0, as a number",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Integer], Type::Integer, |call| {
        call.map::<(call::Text, call::Integer), call::Integer>(|(value, at)| {
            let found = bytes::read(value);
            let place = byte_at(&found, at.into())?;
            Ok(found.get(place).map(|&byte| byte.into()))
        })
    })],
    examples: &[(r"get_byte('\x61ff', 1)", "255"), (r"get_byte('\x61', 1)", "R343")],
};

const SET_BYTE: Function = Function {
    name: "set_byte",
    aliases: &[],
    doc: "The bytes with another one at a place, counted from 0: the lowest eight bits of a number",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Integer, Kind::Integer], Type::Bytea, |call| {
        call.write::<(call::Text, call::Integer, call::Integer)>(|(value, at, new), out| {
            let mut found = bytes::read(value);
            let place = byte_at(&found, at.into())?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the lowest bits are meant")]
            found.splice(place..=place, [new as u8]);
            bytes::write(found, out);
            Ok(true)
        })
    })],
    examples: &[(r"set_byte('\x6162', 0, 255)", r"\xff62")],
};

const GET_BIT: Function = Function {
    name: "get_bit",
    aliases: &[],
    doc: "The bit at a place, counted from 0 and in each byte from its lowest on",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Bigint], Type::Integer, |call| {
        call.map::<(call::Text, call::Bigint), call::Integer>(|(value, at)| {
            let found = bytes::read(value);
            let (place, bit) = bit_at(&found, at)?;
            Ok(found.get(place).map(|&byte| i32::from(byte >> bit & 1)))
        })
    })],
    examples: &[(r"get_bit('\x0201', 1)", "1"), (r"get_bit('\x02', 8)", "R343")],
};

const SET_BIT: Function = Function {
    name: "set_bit",
    aliases: &[],
    doc: "The bytes with another bit at a place, counted as `get_bit` does",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Bigint, Kind::Integer], Type::Bytea, |call| {
        call.write::<(call::Text, call::Bigint, call::Integer)>(|(value, at, new), out| {
            let mut found = bytes::read(value);
            let (place, bit) = bit_at(&found, at)?;
            zero_or_one(new)?;
            let new = u8::from(new == 1) << bit;
            if let Some(byte) = found.get_mut(place) {
                *byte = *byte & !(1 << bit) | new;
            }
            bytes::write(found, out);
            Ok(true)
        })
    })
    .constants(&[(2, Constant::Integer(zero_or_one))])],
    examples: &[(r"set_bit('\x0000', 9, 1)", r"\x0002"), (r"set_bit('\x00', 0, 2)", "R311")],
};

fn zero_or_one(bit: i32) -> Result<(), Fault> {
    if matches!(bit, 0 | 1) { Ok(()) } else { Err(wrong("new bit must be 0 or 1")) }
}

const BIT_COUNT: Function = Function {
    name: "bit_count",
    aliases: &[],
    doc: "How many bits are set",
    signatures: &[Signature::new(&[Kind::Bytea], Type::Bigint, |call| {
        call.map::<(call::Text,), call::Bigint>(|(value,)| {
            Ok(Some(bytes::read(value).into_iter().map(|byte| i64::from(byte.count_ones())).sum()))
        })
    })],
    examples: &[(r"bit_count('\x1234567890'::bytea)", "15")],
};

/// A digest of bytes.
macro_rules! digest {
    ($name:ident, $text:literal, $bits:literal, $digest:ty, $example:expr) => {
        const $name: Function = Function {
            name: $text,
            aliases: &[],
            doc: concat!("The SHA-2 digest of bytes with ", $bits, " bits"),
            signatures: &[Signature::new(&[Kind::Bytea], Type::Bytea, |call| {
                call.write::<(call::Text,)>(|(value,), out| {
                    bytes::write(<$digest>::digest(bytes::read(value)), out);
                    Ok(true)
                })
            })],
            examples: &[$example],
        };
    };
}

digest!(
    SHA224,
    "sha224",
    "224",
    Sha224,
    ("sha224('abc')", r"\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")
);
digest!(
    SHA256,
    "sha256",
    "256",
    Sha256,
    ("sha256('abc')", r"\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
);
digest!(SHA384, "sha384", "384", Sha384, ("length(sha384('abc'))", "48"));
digest!(SHA512, "sha512", "512", Sha512, ("length(sha512('abc'))", "64"));

const BYTEACAT: Function = Function {
    name: "byteacat",
    aliases: &[],
    doc: "Bytes one after the other; what `a || b` is for them",
    signatures: &[Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Bytea, |call| {
        call.write::<(call::Text, call::Text)>(|(left, right), out| {
            out.push_str(left);
            out.push_str(right.get(2..).unwrap_or_default());
            limited(out)
        })
    })],
    examples: &[(r"'\x61'::bytea || '\x62'", r"\x6162")],
};

const LIKE: Function = Function {
    name: "like",
    aliases: &[],
    doc: "What `a LIKE b` is",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| text_like(call, false)),
        Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Boolean, |call| bytes_like(call, false)),
    ],
    examples: &[(r"'\x61ff'::bytea like 'a_'", "true")],
};

const NOTLIKE: Function = Function {
    name: "notlike",
    aliases: &[],
    doc: "What `a NOT LIKE b` is",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| text_like(call, true)),
        Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Boolean, |call| bytes_like(call, true)),
    ],
    examples: &[("notlike('abc', 'a%')", "false")],
};

fn text_like(call: &Call<'_>, negated: bool) -> Column {
    call.map::<(call::Text, call::Text), call::Boolean>(|(text, pattern)| {
        Ok(Some(Matcher::new(pattern, Some('\\'), false).matches(text)? != negated))
    })
}

fn bytes_like(call: &Call<'_>, negated: bool) -> Column {
    call.map::<(call::Text, call::Text), call::Boolean>(|(text, pattern)| {
        let matcher = Matcher::new(&bytes::characters(pattern), Some('\\'), false);
        Ok(Some(matcher.matches(&bytes::characters(text))? != negated))
    })
}

const LIKE_ESCAPE: Function = Function {
    name: "like_escape",
    aliases: &[],
    doc: "A pattern of `LIKE` with a backslash as its escape in the place of another",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.write::<(call::Text, call::Text)>(|(pattern, escape), out| {
                out.push_str(&like_escape(pattern, escape)?);
                Ok(true)
            })
        })
        .constants(&[(1, Constant::Text(|escape| like_escape("", escape).map(|_| ())))]),
        Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Bytea, |call| {
            call.write::<(call::Text, call::Text)>(|(pattern, escape), out| {
                bytes::write_characters(&like_escape(&bytes::characters(pattern), &bytes::characters(escape))?, out);
                Ok(true)
            })
        })
        .constants(&[(1, Constant::Text(|escape| like_escape("", &bytes::characters(escape)).map(|_| ())))]),
    ],
    examples: &[("like_escape('a$_%', '$')", r"a\_%"), ("like_escape('a', '$$')", "R317")],
};

fn like_escape(pattern: &str, escape: &str) -> Result<String, Fault> {
    let escape = crate::expr::evaluate::like::escape(escape)?;
    let mut out = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    for char in pattern.chars() {
        match char {
            char if Some(char) == escape && !is_escaped => {
                out.push('\\');
                is_escaped = true;
                continue;
            }
            '\\' if !is_escaped => out.push_str(r"\\"),
            char => out.push(char),
        }
        is_escaped = false;
    }
    Ok(out)
}

/// The MD5 digest of bytes, in hexadecimal digits.
pub(super) fn md5(call: &Call<'_>) -> Column {
    call.write::<(call::Text,)>(|(value,), out| {
        bytes::write_digits(&Md5::digest(bytes::read(value)), out);
        Ok(true)
    })
}

/// How many bytes there are, times so many.
pub(super) fn length(call: &Call<'_>, times: usize) -> Column {
    call.map::<(call::Text,), call::Integer>(|(value,)| Ok(i32::try_from(bytes::count(value) * times).ok()))
}

/// How many characters bytes are in an encoding.
pub(super) fn characters(call: &Call<'_>) -> Column {
    call.map::<(call::Text, call::Text), call::Integer>(|(value, encoding)| {
        let text = Encoding::named(encoding)?.read(bytes::read(value))?;
        Ok(i32::try_from(text.chars().count()).ok())
    })
}

/// A part of bytes, found in them as in a text.
pub(super) fn part(call: &Call<'_>, part: impl Fn(&str, i32, Option<i32>) -> Result<String, Fault>) -> Column {
    call.try_write_rows(|row, out| {
        let text = bytes::characters(call.text(0, row));
        let from = call.integer(1, row).unwrap_or(1);
        bytes::write_characters(&part(&text, from, call.integer(2, row))?, out);
        Ok(true)
    })
}

/// Bytes without some at their ends, found as in a text.
pub(super) fn trimmed(call: &Call<'_>, trim: for<'t> fn(&'t str, &str) -> &'t str) -> Column {
    call.write::<(call::Text, call::Text)>(|(value, set), out| {
        bytes::write_characters(trim(&bytes::characters(value), &bytes::characters(set)), out);
        Ok(true)
    })
}

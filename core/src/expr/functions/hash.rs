//! `md5`, `sha2`: digests of texts, in hexadecimal.

use md5::Digest;
use md5::Md5;
use sha2::Sha224;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[MD5, SHA2];

const MD5: Function = Function {
    name: "md5",
    aliases: &[],
    doc: "The MD5 digest of a text, in 32 hexadecimal digits",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            hexadecimal(&Md5::digest(text.as_bytes()), out);
            Ok(true)
        })
    })],
    examples: &[("md5('abc')", "900150983cd24fb0d6963f7d28e17f72")],
};

const SHA2: Function = Function {
    name: "sha2",
    aliases: &[],
    doc: "The SHA-2 digest of a text with 224, 256 (or 0), 384 or 512 bits, in hexadecimal digits; as Redshift's",
    signatures: &[Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
        call.write::<(call::Text, call::Integer)>(|(text, bits), out| {
            match bits {
                0 | 256 => hexadecimal(&Sha256::digest(text.as_bytes()), out),
                224 => hexadecimal(&Sha224::digest(text.as_bytes()), out),
                384 => hexadecimal(&Sha384::digest(text.as_bytes()), out),
                512 => hexadecimal(&Sha512::digest(text.as_bytes()), out),
                // Redshift gives an empty text for another number of bits.
                _ => {}
            }
            Ok(true)
        })
    })],
    examples: &[
        ("sha2('abc', 256)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("sha2('abc', 224)", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        ("sha2('abc', 1)", ""),
    ],
};

fn hexadecimal(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            out.push(char::from_digit(half.into(), 16).unwrap_or('0'));
        }
    }
}

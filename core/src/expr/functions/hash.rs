//! `md5`, `sha1`, `sha2`, `crc32`, `fnv_hash`: digests of texts.

use md5::Digest;
use md5::Md5;
use sha1::Sha1;
use sha2::Sha224;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;

use super::Function;
use super::Kind;
use super::Signature;
use super::bytes;
use super::call;
use crate::types::Type;
use crate::value::bytes::write_digits;

pub(super) const FUNCTIONS: &[Function] = &[MD5, SHA1, SHA2, CRC32, FNV_HASH];

const MD5: Function = Function {
    name: "md5",
    aliases: &[],
    doc: "The MD5 digest of a text, or of bytes, in 32 hexadecimal digits",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| {
            call.write::<(call::Text,)>(|(text,), out| {
                write_digits(&Md5::digest(text.as_bytes()), out);
                Ok(true)
            })
        }),
        Signature::new(&[Kind::Bytea], Type::Text, bytes::md5),
    ],
    examples: &[("md5('abc')", "900150983cd24fb0d6963f7d28e17f72")],
};

const SHA1: Function = Function {
    name: "sha1",
    aliases: &["sha", "func_sha1"],
    doc: "The SHA-1 digest of a text, in 40 hexadecimal digits; as Redshift's",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            write_digits(&Sha1::digest(text.as_bytes()), out);
            Ok(true)
        })
    })],
    examples: &[("sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d")],
};

const CRC32: Function = Function {
    name: "crc32",
    aliases: &[],
    doc: "The CRC-32C checksum of a text, in 8 hexadecimal digits; as Redshift's",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            let crc = text.bytes().fold(u32::MAX, |crc, byte| {
                let index = (crc ^ u32::from(byte)) & 0xff;
                CRC_TABLE.get(index as usize).map_or(crc, |entry| entry ^ (crc >> 8))
            });
            write_digits(&(!crc).to_be_bytes(), out);
            Ok(true)
        })
    })],
    examples: &[("crc32('Amazon Redshift')", "f2726906")],
};

const FNV_HASH: Function = Function {
    name: "fnv_hash",
    aliases: &[],
    doc: "The 64-bit FNV-1a hash of a text or of a whole number's bytes, from a seed if one is given; as Redshift's",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Bigint, |call| {
            call.map::<(call::Text,), call::Bigint>(|(text,)| Ok(Some(fnv(text.as_bytes(), FNV_SEED))))
        }),
        Signature::new(&[Kind::Text, Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Text, call::Bigint), call::Bigint>(|(text, seed)| Ok(Some(fnv(text.as_bytes(), seed))))
        }),
        Signature::new(&[Kind::Integer], Type::Bigint, |call| {
            call.map::<(call::Integer,), call::Bigint>(|(number,)| Ok(Some(fnv(&number.to_le_bytes(), FNV_SEED))))
        }),
        Signature::new(&[Kind::Integer, Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Integer, call::Bigint), call::Bigint>(|(number, seed)| {
                Ok(Some(fnv(&number.to_le_bytes(), seed)))
            })
        }),
        Signature::new(&[Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Bigint,), call::Bigint>(|(number,)| Ok(Some(fnv(&number.to_le_bytes(), FNV_SEED))))
        }),
        Signature::new(&[Kind::Bigint, Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Bigint, call::Bigint), call::Bigint>(|(number, seed)| {
                Ok(Some(fnv(&number.to_le_bytes(), seed)))
            })
        }),
    ],
    examples: &[
        ("fnv_hash('Amazon Redshift')", "7783490368944507294"),
        ("fnv_hash(1)", "-5968735742475085980"),
        ("fnv_hash('Amazon Redshift', fnv_hash(1))", "-2202602717770968555"),
    ],
};

const FNV_SEED: i64 = 0xcbf2_9ce4_8422_2325_u64.cast_signed();

fn fnv(bytes: &[u8], seed: i64) -> i64 {
    let hash =
        bytes.iter().fold(seed.cast_unsigned(), |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    hash.cast_signed()
}

/// The remainders of all bytes by the Castagnoli polynomial.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

const SHA2: Function = Function {
    name: "sha2",
    aliases: &[],
    doc: "The SHA-2 digest of a text with 224, 256 (or 0), 384 or 512 bits, in hexadecimal digits; as Redshift's",
    signatures: &[Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
        call.write::<(call::Text, call::Integer)>(|(text, bits), out| {
            match bits {
                0 | 256 => write_digits(&Sha256::digest(text.as_bytes()), out),
                224 => write_digits(&Sha224::digest(text.as_bytes()), out),
                384 => write_digits(&Sha384::digest(text.as_bytes()), out),
                512 => write_digits(&Sha512::digest(text.as_bytes()), out),
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

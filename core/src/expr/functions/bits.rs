//! `& | # ~ << >>`: whole numbers bit by bit.
//!
//! A shift moves by as many places as the lowest bits of its count say, as the processor does.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[AND, OR, XOR, NOT, LEFT, RIGHT];

/// A signature for two whole numbers of each type.
macro_rules! pairs {
    ($operator:expr) => {
        &[
            Signature::new(&[Kind::Smallint, Kind::Smallint], Type::Smallint, |call| {
                call.map::<(call::Smallint, call::Smallint), call::Smallint>(|(a, b)| Ok(Some($operator(a, b))))
            }),
            Signature::new(&[Kind::Integer, Kind::Integer], Type::Integer, |call| {
                call.map::<(call::Integer, call::Integer), call::Integer>(|(a, b)| Ok(Some($operator(a, b))))
            }),
            Signature::new(&[Kind::Bigint, Kind::Bigint], Type::Bigint, |call| {
                call.map::<(call::Bigint, call::Bigint), call::Bigint>(|(a, b)| Ok(Some($operator(a, b))))
            }),
        ]
    };
}

const AND: Function = Function {
    name: "&",
    aliases: &[],
    doc: "The bits that are set in both numbers",
    signatures: pairs!(std::ops::BitAnd::bitand),
    examples: &[("91 & 15", "11"), ("-1 & 255::bigint", "255"), ("6 & null", "NULL")],
};

const OR: Function = Function {
    name: "|",
    aliases: &[],
    doc: "The bits that are set in either number",
    signatures: pairs!(std::ops::BitOr::bitor),
    examples: &[("32 | 3", "35")],
};

const XOR: Function = Function {
    name: "#",
    aliases: &[],
    doc: "The bits that are set in one of the numbers only",
    signatures: pairs!(std::ops::BitXor::bitxor),
    examples: &[("17 # 5", "20")],
};

const NOT: Function = Function {
    name: "~",
    aliases: &[],
    doc: "Before a whole number: its bits the other way round; between texts: whether a regular expression matches",
    signatures: &[
        Signature::new(&[Kind::Smallint], Type::Smallint, |call| {
            call.map::<(call::Smallint,), call::Smallint>(|(value,)| Ok(Some(!value)))
        }),
        Signature::new(&[Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Integer,), call::Integer>(|(value,)| Ok(Some(!value)))
        }),
        Signature::new(&[Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Bigint,), call::Bigint>(|(value,)| Ok(Some(!value)))
        }),
        super::matching::MATCHES,
    ],
    examples: &[("~1", "-2"), ("'thomas' ~ 't.*ma'", "true"), ("'Thomas' ~ '^t'", "false")],
};

const LEFT: Function = Function {
    name: "<<",
    aliases: &[],
    doc: "The bits moved to the left, with zeros after them",
    signatures: &[
        Signature::new(&[Kind::Smallint, Kind::Integer], Type::Smallint, |call| {
            #[expect(clippy::cast_possible_truncation, reason = "bits beyond the sixteenth are lost")]
            call.map::<(call::Smallint, call::Integer), call::Smallint>(|(value, by)| {
                Ok(Some(i32::from(value).wrapping_shl(by.cast_unsigned()) as i16))
            })
        }),
        Signature::new(&[Kind::Integer, Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Integer, call::Integer), call::Integer>(|(value, by)| {
                Ok(Some(value.wrapping_shl(by.cast_unsigned())))
            })
        }),
        Signature::new(&[Kind::Bigint, Kind::Integer], Type::Bigint, |call| {
            call.map::<(call::Bigint, call::Integer), call::Bigint>(|(value, by)| {
                Ok(Some(value.wrapping_shl(by.cast_unsigned())))
            })
        }),
    ],
    examples: &[("1 << 4", "16"), ("1::smallint << 15", "-32768"), ("1::bigint << 40", "1099511627776")],
};

const RIGHT: Function = Function {
    name: ">>",
    aliases: &[],
    doc: "The bits moved to the right; the sign stays",
    signatures: &[
        Signature::new(&[Kind::Smallint, Kind::Integer], Type::Smallint, |call| {
            #[expect(clippy::cast_possible_truncation, reason = "a number moved to the right fits where it fitted")]
            call.map::<(call::Smallint, call::Integer), call::Smallint>(|(value, by)| {
                Ok(Some(i32::from(value).wrapping_shr(by.cast_unsigned()) as i16))
            })
        }),
        Signature::new(&[Kind::Integer, Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Integer, call::Integer), call::Integer>(|(value, by)| {
                Ok(Some(value.wrapping_shr(by.cast_unsigned())))
            })
        }),
        Signature::new(&[Kind::Bigint, Kind::Integer], Type::Bigint, |call| {
            call.map::<(call::Bigint, call::Integer), call::Bigint>(|(value, by)| {
                Ok(Some(value.wrapping_shr(by.cast_unsigned())))
            })
        }),
    ],
    examples: &[("8 >> 2", "2"), ("-8 >> 1", "-4")],
};

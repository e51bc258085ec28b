//! `soundex`, `difference`: what a name sounds like in English.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[SOUNDEX, DIFFERENCE];

const SOUNDEX: Function = Function {
    name: "soundex",
    aliases: &[],
    doc: "The Soundex code of a text: its first letter and three digits for the sounds after it; empty without a letter",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            out.extend(soundex(text).into_iter().flatten().map(char::from));
            Ok(true)
        })
    })],
    examples: &[("soundex('Tymczak')", "T522"), ("soundex('AWS Amazon')", "A252"), ("soundex('+-*')", "")],
};

const DIFFERENCE: Function = Function {
    name: "difference",
    aliases: &[],
    doc: "How many of the four places of two texts' Soundex codes agree",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text, call::Text), call::Integer>(|(left, right)| {
            let same = match (soundex(left), soundex(right)) {
                (Some(left), Some(right)) => left.iter().zip(right).filter(|&(left, right)| *left == right).count(),
                (None, None) => 4,
                _ => 0,
            };
            Ok(i32::try_from(same).ok())
        })
    })],
    examples: &[("difference('Anne', 'Andrew')", "2"), ("difference('Anne', 'Ann')", "4")],
};

/// The code of a text; `None` without a letter. Only the letters of ASCII count.
fn soundex(text: &str) -> Option<[u8; 4]> {
    let start = text.bytes().position(|byte| byte.is_ascii_alphabetic())?;
    let letters = text.as_bytes().get(start..)?;
    let mut code = [b'0'; 4];
    let mut places = code.iter_mut();
    *places.next()? = letters.first()?.to_ascii_uppercase();
    for pair in letters.windows(2) {
        let [before, letter] = pair else { continue };
        if letter.is_ascii_alphabetic() && sound(*letter) != sound(*before) && sound(*letter) != b'0' {
            match places.next() {
                Some(place) => *place = sound(*letter),
                None => break,
            }
        }
    }
    Some(code)
}

/// The digit of a letter's sound; other bytes are themselves.
fn sound(byte: u8) -> u8 {
    match byte.to_ascii_uppercase() {
        b'B' | b'F' | b'P' | b'V' => b'1',
        b'C' | b'G' | b'J' | b'K' | b'Q' | b'S' | b'X' | b'Z' => b'2',
        b'D' | b'T' => b'3',
        b'L' => b'4',
        b'M' | b'N' => b'5',
        b'R' => b'6',
        b'A'..=b'Z' => b'0',
        _ => byte,
    }
}

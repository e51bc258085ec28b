//! Booleans: PostgreSQL's input (`t`, `true`, `y`, `yes`, `on`, `1` and their opposites, unique prefixes, any letter case).

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;
use crate::value::trim;

/// The words, the fewest letters that tell each from the others, and what they mean.
const WORDS: [(&[u8], usize, bool); 8] = [
    (b"true", 1, true),
    (b"false", 1, false),
    (b"yes", 1, true),
    (b"no", 1, false),
    (b"on", 2, true),
    (b"off", 2, false),
    (b"1", 1, true),
    (b"0", 1, false),
];

/// Reads a boolean.
pub fn parse(text: &[u8]) -> Result<bool, Fault> {
    let word = trim(text);
    for (full, least, value) in WORDS {
        let meant = full.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if meant && word.len() >= least {
            return Ok(value);
        }
    }
    Err(not_a_boolean(text))
}

#[cold]
fn not_a_boolean(text: &[u8]) -> Fault {
    Fault::new(Code::NotAValue, format!("{} is not a boolean", quote(text)))
}

//! JSON (RFC 8259), a strict parser of one line: it validates everything and says where the values are. It allocates nothing.
//!
//! The standard does not say what an escape of half a surrogate pair means, since it stands for no character. Here it is
//! malformed: a warehouse takes UTF-8, which has no such character, and another character in its place would change the data.

use crate::records::CellKind;

/// Arrays and objects may lie in one another so deep.
const DEPTH_MAX: usize = 1000;

/// Where a line stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// A value: how it is written and where it lies. Strings lie between their quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) kind: CellKind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) has_escapes: bool,
}

/// Reads values from a line, one after the other.
#[derive(Debug)]
pub(super) struct Json<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Json<'a> {
    /// Reads `bytes` from `at`.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The byte that comes next, behind blanks.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// Takes the next byte if it is this one, behind blanks.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes the next byte, which must be this one.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(self.malformed(what)) }
    }

    pub(super) fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { at: self.at, what }
    }

    /// Reads the key of a member and the colon behind it.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Value, Malformed> {
        self.expect(b'"', "a key in quotes is expected")?;
        let key = self.string()?;
        self.expect(b':', "a colon is expected")?;
        Ok(key)
    }

    /// Reads a value of any kind.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Value, Malformed> {
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            Some(b'"') => {
                self.at += 1;
                return self.string();
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word(b"true", CellKind::Boolean)?,
            Some(b'f') => self.word(b"false", CellKind::Boolean)?,
            Some(b'n') => self.word(b"null", CellKind::Null)?,
            Some(b'[' | b'{') => self.nested()?,
            _ => return Err(self.malformed("a value is expected")),
        };
        Ok(Value { kind, start, end: self.at, has_escapes: false })
    }

    fn word(&mut self, word: &[u8], kind: CellKind) -> Result<CellKind, Malformed> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(kind);
        }
        Err(self.malformed("a value is expected"))
    }

    /// `number = ["-"] ("0" / digit1-9 *digit) ["." 1*digit] [("e" / "E") ["+" / "-"] 1*digit]`
    #[inline]
    fn number(&mut self) -> Result<CellKind, Malformed> {
        self.at += usize::from(self.bytes.get(self.at) == Some(&b'-'));
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(CellKind::Bare)
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.malformed("a digit is expected")) }
    }

    /// Reads a string whose opening quote was taken.
    #[inline]
    fn string(&mut self) -> Result<Value, Malformed> {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.plain();
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Value { kind: CellKind::Quoted, start, end: self.at - 1, has_escapes });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.malformed("a control character must be escaped")),
                None => return Err(self.malformed("a closing quote is expected")),
            }
        }
    }

    /// Goes on to the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = 0x8080_8080_8080_8080;
        // The lowest high bit that is set marks the first byte that is below the limit; those above it may be wrong.
        let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
        while let Some(chunk) = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*chunk);
            let quote = below(word ^ (ONES * u64::from(b'"')), 1);
            let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
            let found = quote | backslash | below(word, 0x20);
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while self.bytes.get(self.at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = hex(self.bytes, self.at + 2)
                    .ok_or_else(|| self.malformed("four hexadecimal digits are expected"))?;
                let low = || match self.bytes.get(self.at + 6..self.at + 8) {
                    Some(b"\\u") => hex(self.bytes, self.at + 8),
                    _ => None,
                };
                self.at += match unit {
                    0xd800..=0xdbff if matches!(low(), Some(0xdc00..=0xdfff)) => 12,
                    0xd800..=0xdfff => return Err(self.malformed("an escape of half a surrogate pair is no character")),
                    _ => 6,
                };
            }
            _ => return Err(self.malformed("an escape is expected")),
        }
        Ok(())
    }

    /// Reads an array or object, and those in it, without recursion: a bit for each open one says whether it is an object.
    fn nested(&mut self) -> Result<CellKind, Malformed> {
        let mut objects = [0_u64; DEPTH_MAX.div_ceil(64)];
        let mut depth = 0;
        loop {
            // A value is expected here; arrays and objects are opened, everything else is read.
            match self.peek() {
                Some(open @ (b'[' | b'{')) => {
                    if depth == DEPTH_MAX {
                        return Err(self.malformed("it is nested deeper than 1,000"));
                    }
                    self.at += 1;
                    set(&mut objects, depth, open == b'{');
                    depth += 1;
                    match open {
                        b'{' if !self.take(b'}') => {
                            self.key()?;
                            continue;
                        }
                        b'[' if !self.take(b']') => continue,
                        _ => depth -= 1,
                    }
                }
                _ => {
                    self.value()?;
                }
            }
            // A value ended here: a comma leads to the next one, a bracket ends the array or object around it.
            loop {
                if depth == 0 {
                    return Ok(CellKind::Nested);
                }
                let in_object = is_set(&objects, depth - 1);
                if self.take(b',') {
                    if in_object {
                        self.key()?;
                    }
                    break;
                }
                let (close, what) = if in_object {
                    (b'}', "a comma or a closing brace is expected")
                } else {
                    (b']', "a comma or a closing bracket is expected")
                };
                self.expect(close, what)?;
                depth -= 1;
            }
        }
    }
}

fn set(bits: &mut [u64], index: usize, to: bool) {
    if let Some(word) = bits.get_mut(index / 64) {
        *word = (*word & !(1 << (index % 64))) | (u64::from(to) << (index % 64));
    }
}

fn is_set(bits: &[u64], index: usize) -> bool {
    bits.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
}

/// The number that four hexadecimal digits are.
fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |number, &byte| Some(number * 16 + char::from(byte).to_digit(16)?))
}

/// Undoes the escapes of a string that was read without fault.
pub(super) fn unescape(string: &[u8], out: &mut Vec<u8>) {
    let mut rest = string;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escaped) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (character, length) = match escaped.get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => match (hex(escaped, 2), hex(escaped, 8)) {
                (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                    let number = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    (char::from_u32(number).unwrap_or_default(), 12)
                }
                (unit, _) => (unit.and_then(char::from_u32).unwrap_or_default(), 6),
            },
            other => (char::from(other.copied().unwrap_or_default()), 2),
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escaped.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<(), (usize, &'static str)> {
        let mut json = Json::new(line.as_bytes(), 0);
        json.value().map_err(|Malformed { at, what }| (at, what))?;
        if json.peek().is_none() { Ok(()) } else { Err((json.at, "end")) }
    }

    #[test]
    fn what_the_standard_allows_is_read() {
        for line in
            ["0", "-0.5e+7", "[]", "{}", " [ 1 , {\"a\" : [ ] } ] ", r#""\u0000\ud83d\ude00\/""#, "[[[{\"a\":{}}]]]"]
        {
            assert_eq!(check(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn what_it_does_not_allow_is_named_with_its_place() {
        assert_eq!(check("01"), Err((1, "end")));
        assert_eq!(check("1."), Err((2, "a digit is expected")));
        assert_eq!(check("[1,]"), Err((3, "a value is expected")));
        assert_eq!(check("{\"a\":1,}"), Err((7, "a key in quotes is expected")));
        assert_eq!(check("[1}"), Err((2, "a comma or a closing bracket is expected")));
        assert_eq!(check("\"0123456789\u{1f}\""), Err((11, "a control character must be escaped")));
        assert_eq!(check(r#""\ud800\u0041""#), Err((1, "an escape of half a surrogate pair is no character")));
        assert_eq!(check(r#""\udc00""#), Err((1, "an escape of half a surrogate pair is no character")));
        assert_eq!(check(&"[".repeat(1001)), Err((1000, "it is nested deeper than 1,000")));
        assert_eq!(check(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))), Ok(()));
    }

    #[test]
    fn escapes_are_undone() {
        let mut out = Vec::new();
        unescape(r#"a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00z"#.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\"\\/\u{8}\u{c}\n\r\tä😀z");
    }
}

//! Text that must fit a number of bytes.

use crate::column::Fault;

/// The text cut to at most `bytes` bytes at the end of a character, as an explicit cast to `varchar(n)` does.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The text itself if it fits `bytes` bytes; a fault that says whether only blanks are too many if it does not.
pub fn fit(text: &str, bytes: usize) -> Result<&str, Fault> {
    todo!()
}

/// A value quoted for a message: control characters escaped, cut to some sixty characters.
pub fn quote(text: &[u8]) -> String {
    todo!()
}

/// Bytes in base 64 (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    todo!()
}

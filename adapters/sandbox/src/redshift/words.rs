//! Words: SQL text cut into words, blanks and comments among them, so that nothing is lost when it is put together again.
//!
//! A parameter, a name or a keyword is looked for among whole words only: what stands in a text, in a quoted name or in a
//! comment is none.

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Blanks or a comment.
    Blank,
    /// A name or keyword without quotes, or a number.
    Plain,
    /// A name in double quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    /// One sign; `::` is one.
    Sign,
}

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

impl<'a> Word<'a> {
    /// Whether it is this keyword or sign, in any letter case.
    pub(super) fn is(&self, expected: &str) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Sign) && self.text.eq_ignore_ascii_case(expected)
    }

    /// Whether it is a name, with quotes or without.
    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Quoted)
    }

    /// The name that it is, as the warehouse knows it: in lower case, also between quotes.
    pub(super) fn name(&self) -> String {
        let inner = match self.kind {
            Kind::Quoted => self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default(),
            _ => self.text,
        };
        inner.replace("\"\"", "\"").to_lowercase()
    }

    /// What stands between the quotes of a text.
    pub(super) fn value(&self) -> Option<String> {
        let inner = self.text.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(inner.replace("''", "'"))
    }
}

/// The words of a text; put together they are the text.
pub(super) fn words(sql: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (kind, bytes) = word(rest, first);
        let (text, after) = rest.split_at(bytes.clamp(1, rest.len()));
        found.push(Word { kind, text });
        rest = after;
    }
    found
}

/// The words that are neither blanks nor comments.
pub(super) fn telling(sql: &str) -> Vec<Word<'_>> {
    words(sql).into_iter().filter(|word| word.kind != Kind::Blank).collect()
}

fn word(text: &str, first: char) -> (Kind, usize) {
    let run = |belongs: fn(char) -> bool| text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    match first {
        '\'' => (Kind::Text, quoted(text, '\'')),
        '"' => (Kind::Quoted, quoted(text, '"')),
        '-' if text.starts_with("--") => (Kind::Blank, text.find('\n').unwrap_or(text.len())),
        '/' if text.starts_with("/*") => (Kind::Blank, comment(text)),
        ':' if text.starts_with("::") => (Kind::Sign, 2),
        _ if is_plain(first) => (Kind::Plain, run(is_plain)),
        _ if first.is_whitespace() => (Kind::Blank, run(char::is_whitespace)),
        _ => (Kind::Sign, first.len_utf8()),
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The bytes of what stands between quotes, a doubled quote being one inside; all that is left where they do not close.
fn quoted(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote && letters.next_if(|&(_, next)| next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

/// The bytes of a comment, in which there may be others.
fn comment(text: &str) -> usize {
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            open += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            open -= 1;
            at += 2;
            if open == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

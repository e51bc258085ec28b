//! Words: splits SQL text into words, including blanks and comments, so that nothing is lost when they are joined again.
//!
//! A parameter, a name or a keyword is searched only among whole words, not inside a text, a quoted name or a comment. The
//! rules of splitting are those of [`etalon_core::sql`].

use etalon_core::sql::scan::{Kind as Token, Lexis, Problem, scan};
use etalon_core::sql::unquote::unquote;

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
    /// An operator, or what separates.
    Sign,
}

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}

impl Word<'_> {
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
        self.unquoted().unwrap_or_default().to_lowercase()
    }

    /// What a text says.
    pub(super) fn value(&self) -> Option<String> {
        self.unquoted().filter(|_| self.kind == Kind::Text)
    }

    fn unquoted(&self) -> Option<String> {
        let token = scan(self.text, Lexis::Postgres).into_iter().next()?;
        unquote(&token, '\\').ok()
    }
}

/// The words of a text; put together they are the text.
pub(super) fn words(sql: &str) -> Vec<Word<'_>> {
    let mut found: Vec<Word<'_>> = Vec::new();
    for token in scan(sql, Lexis::Postgres) {
        let kind = match token.kind {
            Token::Blank | Token::Comment | Token::Broken(Problem::OpenComment) => Kind::Blank,
            Token::Word
            | Token::Number
            | Token::Parameter
            | Token::Broken(Problem::LetterAfterNumber | Problem::LetterAfterParameter) => Kind::Plain,
            Token::Name(_) | Token::Broken(Problem::OpenName) => Kind::Quoted,
            Token::Text(_) | Token::Bits | Token::Broken(Problem::OpenText) => Kind::Text,
            Token::Operator | Token::Point | Token::Stray => Kind::Sign,
        };
        match found.last_mut() {
            // A parameter's name may begin with digits: `:1st`.
            Some(last) if last.kind == Kind::Plain && kind == Kind::Plain => {
                last.text = sql.get(token.start - last.text.len()..token.end()).unwrap_or_default();
            }
            _ => found.push(Word { kind, text: token.text }),
        }
    }
    found
}

/// The words that are neither blanks nor comments.
pub(super) fn telling(sql: &str) -> Vec<Word<'_>> {
    words(sql).into_iter().filter(|word| word.kind != Kind::Blank).collect()
}

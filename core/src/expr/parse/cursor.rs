//! Cursor: the tokens of an expression, and looking at those ahead.

use super::Parser;
use super::Result;
use super::mistake::syntax;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::sql::scan::Kind;
use crate::sql::scan::Lexis;
use crate::sql::scan::Token;
use crate::sql::scan::scan;

/// The tokens without blanks and comments.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>> {
    let tokens: Vec<_> = scan(text, Lexis::Postgres).into_iter().filter(|token| !token.is_space()).collect();
    let broken = tokens.iter().find_map(|token| match token.kind {
        Kind::Broken(problem) => Some((token, problem)),
        _ => None,
    });
    match broken {
        None => Ok(tokens),
        Some((token, problem)) => Err(syntax(place(token), problem.to_string())),
    }
}

fn place(token: &Token<'_>) -> Span {
    Span::new(token.start, token.end())
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, count: usize) -> Option<Token<'a>> {
        self.tokens.get(self.position + count).copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.peek().is_none()
    }

    /// The place of the token ahead, or the end of the text.
    pub(super) fn span(&self) -> Span {
        self.peek().map_or_else(|| Span::new(self.text.len(), self.text.len()), |token| place(&token))
    }

    /// Goes past a token, and tells its place.
    pub(super) fn advance(&mut self) -> Span {
        let span = self.span();
        self.position += 1;
        span
    }

    pub(super) fn is_sign(&self, count: usize, sign: &str) -> bool {
        self.ahead(count).is_some_and(|token| token.is_sign(sign))
    }

    pub(super) fn eat(&mut self, sign: &str) -> Option<Span> {
        self.is_sign(0, sign).then(|| self.advance())
    }

    pub(super) fn expect(&mut self, sign: &str, wanted: &str) -> Result<Span> {
        self.eat(sign).ok_or_else(|| self.unexpected(wanted))
    }

    /// The word without quotes that is ahead, in lower case; empty if there is none.
    pub(super) fn word_ahead(&self, count: usize) -> String {
        let word = self.ahead(count).filter(|token| token.kind == Kind::Word);
        word.map(|token| token.text.to_ascii_lowercase()).unwrap_or_default()
    }

    pub(super) fn is_word(&self, count: usize, wanted: &str) -> bool {
        self.ahead(count).is_some_and(|token| token.is_word(wanted))
    }

    pub(super) fn eat_word(&mut self, wanted: &str) -> Option<Span> {
        self.is_word(0, wanted).then(|| self.advance())
    }

    pub(super) fn expect_word(&mut self, wanted: &str) -> Result<Span> {
        self.eat_word(wanted).ok_or_else(|| self.unexpected(&format!("`{}`", wanted.to_uppercase())))
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Box<Diagnostic> {
        let span = self.span();
        match self.peek() {
            None => syntax(span, format!("the expression ends where {wanted} is wanted")),
            Some(token) => syntax(span, format!("`{}` stands where {wanted} is wanted", token.text)),
        }
    }

    pub(super) fn unsupported(&self, help: &str) -> Box<Diagnostic> {
        let text = self.peek().map_or("", |token| token.text);
        super::mistake::unsupported(self.span(), format!("`{text}` is not supported"), help)
    }
}

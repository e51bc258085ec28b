//! Parse: the text of one scalar expression becomes a [`Node`].
//!
//! The tree is built here, by precedence climbing over the tokens of [`scan`](crate::sql::scan), because every part must
//! keep its exact place, because PostgreSQL's precedences decide (`-2 ^ 2` is 4 and `a < b < c` is no expression), and
//! because the depth must be bounded on every way through the grammar.
//!
//! ```text
//! expression  operand (infix …)*                    as tightly as the table below says              operators
//! infix       sign expression | word expression | '::' type | IS … | IN '(' list ')' | BETWEEN … | LIKE … | COLLATE "C"
//! operand     literal | type text | name | call | CASE … END | '(' expression ')' | prefix expression  operand
//! prefix      - + NOT ~ @ |/ ||/
//! literal     number | text | NULL | TRUE | FALSE                                                    literal
//! call        word '(' list? ')' | CAST … | TRY_CAST … | EXTRACT … | POSITION … | TRIM … | …          form
//! type        word ('(' number (',' number)* ')')? (WITH TIME ZONE)? | INTERVAL fields               types
//! list        expression (',' expression)*
//! ```
//!
//! Precedences from lowest to highest, after section 4.1.6 of the manual; operators on one line have the same precedence, and
//! associate from left to right:
//!
//! ```text
//! OR
//! AND
//! NOT
//! IS  ISNULL  NOTNULL
//! =  <>  <  <=  >  >=            do not chain
//! BETWEEN  IN  LIKE  ILIKE  SIMILAR TO           do not chain
//! other operators
//! +  -
//! *  /  %
//! ^
//! AT TIME ZONE
//! COLLATE  unary + -
//! ::
//! ```

mod cursor;
mod operators;
mod operand;
mod literal;
mod form;
mod types;
mod mistake;

use super::tree::Kind;
use super::tree::Node;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::sql::scan::Token;
use mistake::syntax;
use mistake::too_deep;

/// The deepest tree, and the deepest nesting while it is built.
const DEPTH_MAX: u16 = 100;

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

/// Parses the whole of `text` as one expression.
pub(super) fn parse(text: &str) -> Result<Node> {
    let mut parser = Parser { text, tokens: cursor::tokens(text)?, position: 0, nesting: 0 };
    if parser.is_at_end() {
        return Err(syntax(Span::new(0, text.len()), "there is no expression"));
    }
    let node = parser.expression(0)?;
    match parser.is_at_end() {
        true => Ok(node),
        false => Err(parser.unexpected("the end of the expression")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Without blanks and comments.
    tokens: Vec<Token<'a>>,
    position: usize,
    nesting: u16,
}

impl Parser<'_> {
    /// An expression whose operators bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Node> {
        self.nesting += 1;
        if self.nesting > DEPTH_MAX {
            return Err(too_deep(self.span()));
        }
        let node = self.climb(least);
        self.nesting -= 1;
        node
    }

    /// One or more expressions, up to and with the closing parenthesis.
    fn list(&mut self) -> Result<(Vec<Node>, Span)> {
        let mut list = vec![self.expression(0)?];
        while self.eat(",").is_some() {
            list.push(self.expression(0)?);
        }
        let end = self.expect(")", "`,` or `)`")?;
        Ok((list, end))
    }

    fn node(&self, kind: Kind, span: Span, below: u16) -> Result<Node> {
        let depth = below.saturating_add(1);
        if depth > DEPTH_MAX {
            return Err(too_deep(span));
        }
        Ok(Node { kind, span, depth })
    }
}

/// The greatest depth of some nodes.
fn depth<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> u16 {
    nodes.into_iter().map(|node| node.depth).max().unwrap_or(0)
}

fn is_among(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

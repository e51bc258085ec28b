//! Parse: the text of one scalar expression becomes a [`Node`].
//!
//! The only file that knows `sqlparser`. Its tokenizer cuts the text as PostgreSQL does; the tree is built here, by
//! precedence climbing, because every part must keep its exact place, because PostgreSQL's precedences decide (`-2 ^ 2`
//! is 4 and `a < b < c` is no expression), and because the depth must be bounded on every way through the grammar.
//!
//! Precedences, from the manual's section 4.1.6, loosest first: `OR`, `AND`, `NOT`, `IS`, comparisons,
//! `BETWEEN IN LIKE`, other operators, `+ -`, `* / %`, `^`, `AT TIME ZONE`, unary `+ -`, `::`.

mod target;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::Location;
use sqlparser::tokenizer::Token;
use sqlparser::tokenizer::Tokenizer;

use super::tree::Binary;
use super::tree::Kind;
use super::tree::Node;
use super::tree::Test;
use super::tree::Unary;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::types::Type;
use crate::value::interval::fields;
use crate::value::text::unicode_escapes;
use target::Modifier;
use target::Target;
use target::not_scalar;
use target::subquery;
use target::syntax;
use target::target;
use target::too_deep;
use target::unsupported;

/// The deepest tree, and the deepest nesting while it is built.
const DEPTH_MAX: u16 = 100;

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARISON: u8 = 5;
const MATCH: u8 = 6;
const OTHER: u8 = 7;
const SUM: u8 = 8;
const PRODUCT: u8 = 9;
const POWER: u8 = 10;
const ZONE: u8 = 11;
const SIGN: u8 = 12;
const CAST: u8 = 13;

/// Words that PostgreSQL reserves: as a name they must be quoted.
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric both case check collate column constraint create \
    default deferrable desc distinct do else end except fetch for foreign from grant group having in \
    initially intersect into is lateral leading limit like ilike not offset on only or order placing primary \
    references returning select similar some symmetric table then to trailing union unique using when where \
    window";

/// Words that stand for the clock or the session.
const OUTSIDE: &str = "current_date current_time current_timestamp current_user localtime localtimestamp session_user user \
    current_role";

/// Functions whose first argument may be a unit of time as a bare word.
const OVER_DATE_PARTS: &str = "dateadd date_add datediff date_diff date_part datepart pgdate_part date_trunc";

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

/// Parses the whole of `text` as one expression.
pub(super) fn parse(text: &str) -> Result<Node> {
    let mut parser = Parser { text, tokens: tokens(text)?, position: 0, nesting: 0 };
    if parser.peek() == &Token::EOF {
        return Err(syntax(Span::new(0, text.len()), "there is no expression"));
    }
    let node = parser.expression(0)?;
    match parser.peek() {
        Token::EOF => Ok(node),
        _ => Err(parser.unexpected("the end of the expression")),
    }
}

/// The tokens without blanks and comments, with their places in bytes; the last is the end of the text.
fn tokens(text: &str) -> Result<Vec<(Token, Span)>> {
    let mut places = Places { text, location: Location { line: 1, column: 1 }, offset: 0 };
    let dialect = PostgreSqlDialect {};
    let found = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| {
        let start = places.offset(error.location);
        let fact = match error.message.split_once(" at ") {
            Some((fact, _)) => fact,
            None => &error.message,
        };
        let fact = fact.to_lowercase();
        syntax(Span::new(start, text.len()), format!("{fact} in the text"))
    })?;
    let mut tokens = Vec::with_capacity(found.len() + 1);
    for token in found {
        let start = places.offset(token.span.start);
        let end = places.offset(token.span.end);
        match token.token {
            Token::Whitespace(_) | Token::EOF => {}
            // The tokenizer's own text of it may hold more than is written.
            Token::CustomBinaryOperator(_) => {
                tokens.extend(without_signs(text.get(start..end).unwrap_or_default(), start));
            }
            Token::SingleQuotedString(more) if continues(text, &tokens, start) => {
                if let Some((Token::SingleQuotedString(first), span)) = tokens.last_mut() {
                    first.push_str(&more);
                    span.end = end;
                }
            }
            token => tokens.push((token, Span::new(start, end))),
        }
    }
    tokens.push((Token::EOF, Span::new(text.len(), text.len())));
    Ok(tokens)
}

/// Whether a quoted text at a place goes on with the one before it: only blanks with a line end among them, and comments,
/// stand between the two.
fn continues(text: &str, tokens: &[(Token, Span)], start: usize) -> bool {
    let Some((Token::SingleQuotedString(_), before)) = tokens.last() else { return false };
    let between = text.get(before.end..start).unwrap_or_default();
    let is_blank = |line: &str| {
        let line = line.trim_ascii();
        line.is_empty() || line.starts_with("--")
    };
    between.contains('\n') && between.lines().all(is_blank)
}

/// An operator of many characters, which ends before the signs at its end, as PostgreSQL has it: `1>=-1`.
///
/// Only operators with one of the characters that no plain SQL operator has may end in a sign.
fn without_signs(operator: &str, start: usize) -> Vec<(Token, Span)> {
    let plain = operator.trim_end_matches(['+', '-']);
    let known = match plain {
        "*" => Some(Token::Mul),
        "/" => Some(Token::Div),
        "<" => Some(Token::Lt),
        ">" => Some(Token::Gt),
        "=" => Some(Token::Eq),
        "<=" => Some(Token::LtEq),
        ">=" => Some(Token::GtEq),
        "<>" => Some(Token::Neq),
        _ => None,
    };
    let Some(known) = known else {
        let span = Span::new(start, start + operator.len());
        return vec![(Token::CustomBinaryOperator(operator.to_owned()), span)];
    };
    let end = start + plain.len();
    let signs = operator.bytes().skip(plain.len()).enumerate().map(|(at, sign)| {
        let token = if sign == b'+' { Token::Plus } else { Token::Minus };
        (token, Span::new(end + at, end + at + 1))
    });
    std::iter::once((known, Span::new(start, end))).chain(signs).collect()
}

/// Turns lines and columns, which only ever grow, into bytes.
struct Places<'a> {
    text: &'a str,
    location: Location,
    offset: usize,
}

impl Places<'_> {
    fn offset(&mut self, to: Location) -> usize {
        if (to.line, to.column) < (self.location.line, self.location.column) {
            self.location = Location { line: 1, column: 1 };
            self.offset = 0;
        }
        let rest = self.text.get(self.offset..).unwrap_or_default();
        for char in rest.chars() {
            if (self.location.line, self.location.column) >= (to.line, to.column) {
                break;
            }
            self.offset += char.len_utf8();
            if char == '\n' {
                self.location = Location { line: self.location.line + 1, column: 1 };
            } else {
                self.location.column += 1;
            }
        }
        self.offset
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Span)>,
    position: usize,
    nesting: u16,
}

/// What follows an operand.
enum Infix {
    Or,
    And,
    Is,
    IsNull {
        negated: bool,
    },
    Binary(Binary),
    In {
        negated: bool,
    },
    Between {
        negated: bool,
    },
    Like {
        ignore_case: bool,
        negated: bool,
    },
    Similar {
        negated: bool,
    },
    /// An operator that stands in the table of functions under its sign.
    Call(&'static str),
    Collate,
    Cast,
    AtTimeZone,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> &Token {
        self.tokens.get(self.position + count).map_or(&Token::EOF, |(token, _)| token)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.position).map_or_else(|| Span::new(self.text.len(), self.text.len()), |&(_, span)| span)
    }

    fn advance(&mut self) -> Span {
        let span = self.span();
        self.position += 1;
        span
    }

    fn eat(&mut self, token: &Token) -> Option<Span> {
        (self.peek() == token).then(|| self.advance())
    }

    fn expect(&mut self, token: &Token, wanted: &str) -> Result<Span> {
        self.eat(token).ok_or_else(|| self.unexpected(wanted))
    }

    /// The unquoted word ahead, in lower case.
    fn word_ahead(&self, count: usize) -> Option<String> {
        match self.ahead(count) {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn is_word(&self, count: usize, wanted: &str) -> bool {
        matches!(self.ahead(count),
            Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }

    fn eat_word(&mut self, wanted: &str) -> Option<Span> {
        self.is_word(0, wanted).then(|| self.advance())
    }

    fn expect_word(&mut self, wanted: &str) -> Result<Span> {
        self.eat_word(wanted).ok_or_else(|| self.unexpected(&format!("`{}`", wanted.to_uppercase())))
    }

    fn unexpected(&self, wanted: &str) -> Box<Diagnostic> {
        let span = self.span();
        match self.peek() {
            Token::EOF => syntax(span, format!("the expression ends where {wanted} is wanted")),
            _ => syntax(span, format!("`{}` stands where {wanted} is wanted", self.slice(span))),
        }
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    fn node(&self, kind: Kind, span: Span, below: u16) -> Result<Node> {
        let depth = below.saturating_add(1);
        if depth > DEPTH_MAX {
            return Err(too_deep(span));
        }
        Ok(Node { kind, span, depth })
    }

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

    fn climb(&mut self, least: u8) -> Result<Node> {
        let mut left = self.operand()?;
        // Comparisons and matches do not chain: after one of them only looser operators may follow.
        let mut most = u8::MAX;
        while let Some((infix, level, words)) = self.infix()? {
            if level < least {
                break;
            }
            if level > most || (level == most && matches!(level, COMPARISON | MATCH)) {
                let span = self.span();
                return Err(Box::new(
                    Diagnostic::error(
                        Code::Syntax,
                        span,
                        format!("`{}` cannot follow another comparison", self.slice(span)),
                    )
                    .with_help("use parentheses to say which comes first"),
                ));
            }
            most = level;
            let place = self.advance();
            for _ in 1..words {
                self.advance();
            }
            left = self.apply(left, &infix, level, place)?;
        }
        Ok(left)
    }

    /// The operator ahead, its precedence, and how many words it has.
    fn infix(&self) -> Result<Option<(Infix, u8, usize)>> {
        let binary = |operator, level| Ok(Some((Infix::Binary(operator), level, 1)));
        let like = |ignore_case, negated| Ok(Some((Infix::Like { ignore_case, negated }, OTHER, 1)));
        let call = |name| Ok(Some((Infix::Call(name), OTHER, 1)));
        match self.peek() {
            Token::Plus => binary(Binary::Add, SUM),
            Token::Minus => binary(Binary::Subtract, SUM),
            Token::Mul => binary(Binary::Multiply, PRODUCT),
            Token::Div => binary(Binary::Divide, PRODUCT),
            Token::Mod => binary(Binary::Modulo, PRODUCT),
            Token::Caret => binary(Binary::Power, POWER),
            Token::StringConcat => binary(Binary::Concat, OTHER),
            Token::Eq => binary(Binary::Equal, COMPARISON),
            Token::Neq => binary(Binary::NotEqual, COMPARISON),
            Token::Lt => binary(Binary::Less, COMPARISON),
            Token::LtEq => binary(Binary::LessOrEqual, COMPARISON),
            Token::Gt => binary(Binary::Greater, COMPARISON),
            Token::GtEq => binary(Binary::GreaterOrEqual, COMPARISON),
            Token::DoubleColon => Ok(Some((Infix::Cast, CAST, 1))),
            Token::DoubleTilde => like(false, false),
            Token::DoubleTildeAsterisk => like(true, false),
            Token::ExclamationMarkDoubleTilde => like(false, true),
            Token::ExclamationMarkDoubleTildeAsterisk => like(true, true),
            Token::Tilde => call("~"),
            Token::TildeAsterisk => call("~*"),
            Token::ExclamationMarkTilde => call("!~"),
            Token::ExclamationMarkTildeAsterisk => call("!~*"),
            Token::Ampersand => call("&"),
            Token::Pipe => call("|"),
            Token::Sharp => call("#"),
            Token::ShiftLeft => call("<<"),
            Token::ShiftRight => call(">>"),
            Token::CaretAt => call("^@"),
            Token::Arrow => call("->"),
            Token::LongArrow => call("->>"),
            Token::HashArrow => call("#>"),
            Token::HashLongArrow => call("#>>"),
            Token::AtArrow => call("@>"),
            Token::ArrowAt => call("<@"),
            Token::Word(_) => {
                let negated = self.is_word(0, "not");
                let at = usize::from(negated);
                let found = match self.word_ahead(at).as_deref() {
                    Some("or") if !negated => (Infix::Or, OR),
                    Some("and") if !negated => (Infix::And, AND),
                    Some("is") if !negated => (Infix::Is, IS),
                    Some("in") => (Infix::In { negated }, MATCH),
                    Some("between") => (Infix::Between { negated }, MATCH),
                    Some("like") => (Infix::Like { ignore_case: false, negated }, MATCH),
                    Some("ilike") => (Infix::Like { ignore_case: true, negated }, MATCH),
                    Some("isnull") if !negated => (Infix::IsNull { negated: false }, IS),
                    Some("notnull") if !negated => (Infix::IsNull { negated: true }, IS),
                    Some("similar") if self.is_word(at + 1, "to") => {
                        return Ok(Some((Infix::Similar { negated }, MATCH, at + 2)));
                    }
                    Some("at") if self.is_word(1, "time") && self.is_word(2, "zone") => {
                        return Ok(Some((Infix::AtTimeZone, ZONE, 3)));
                    }
                    // It binds as tightly as a sign.
                    Some("collate") if !negated => (Infix::Collate, SIGN),
                    Some("over" | "filter") => {
                        return Err(not_scalar(self.span(), "a window function needs the other rows of the table"));
                    }
                    _ => return Ok(None),
                };
                Ok(Some((found.0, found.1, at + 1)))
            }
            Token::EOF | Token::RParen | Token::Comma | Token::SemiColon | Token::LParen => Ok(None),
            Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::Number(..) => Ok(None),
            _ => Err(self.unsupported(
                "the operators are + - * / % ^ || = <> < <= > >= ~ ~* !~ !~* & | # << >> ^@ -> ->> #> #>> @> <@ and the words of SQL",
            )),
        }
    }

    fn unsupported(&self, help: &str) -> Box<Diagnostic> {
        let span = self.span();
        unsupported(span, format!("`{}` is not supported", self.slice(span)), help)
    }

    fn apply(&mut self, left: Node, infix: &Infix, level: u8, place: Span) -> Result<Node> {
        match *infix {
            Infix::Or | Infix::And => self.chain(left, level),
            Infix::Is => self.is(left),
            Infix::IsNull { negated } => {
                let (span, depth) = (left.span.to(place), left.depth);
                self.node(Kind::Is { operand: Box::new(left), test: Test::Null, negated }, span, depth)
            }
            Infix::Binary(operator) => {
                let right = self.expression(level + 1)?;
                let (span, depth) = (left.span.to(right.span), left.depth.max(right.depth));
                let kind = Kind::Binary { operator, place, left: Box::new(left), right: Box::new(right) };
                self.node(kind, span, depth)
            }
            Infix::In { negated } => self.within(left, negated),
            Infix::Between { negated } => {
                let symmetric = self.eat_word("symmetric").is_some();
                if !symmetric {
                    self.eat_word("asymmetric");
                }
                let low = self.expression(OTHER)?;
                self.expect_word("and")?;
                let high = self.expression(OTHER)?;
                let (span, depth) = (left.span.to(high.span), left.depth.max(low.depth).max(high.depth));
                let (operand, low, high) = (Box::new(left), Box::new(low), Box::new(high));
                self.node(Kind::Between { operand, low, high, symmetric, negated }, span, depth)
            }
            Infix::Like { ignore_case, negated } => {
                let pattern = self.expression(OTHER)?;
                let escape = match self.eat_word("escape") {
                    Some(_) => Some(Box::new(self.expression(OTHER)?)),
                    None => None,
                };
                let mut span = left.span.to(pattern.span);
                let mut depth = left.depth.max(pattern.depth);
                if let Some(escape) = &escape {
                    span = span.to(escape.span);
                    depth = depth.max(escape.depth);
                }
                let (operand, pattern) = (Box::new(left), Box::new(pattern));
                self.node(Kind::Like { operand, pattern, escape, ignore_case, negated }, span, depth)
            }
            Infix::Similar { negated } => {
                let pattern = self.expression(OTHER)?;
                let mut span = left.span.to(pattern.span);
                let mut depth = left.depth.max(pattern.depth);
                let mut arguments = vec![left, pattern];
                if self.eat_word("escape").is_some() {
                    let escape = self.expression(OTHER)?;
                    span = span.to(escape.span);
                    depth = depth.max(escape.depth);
                    arguments.push(escape);
                }
                let matches = self.node(Kind::Call { name: "similar to".to_owned(), place, arguments }, span, depth)?;
                if !negated {
                    return Ok(matches);
                }
                let depth = matches.depth;
                self.node(Kind::Unary { operator: Unary::Not, operand: Box::new(matches) }, span, depth)
            }
            Infix::Call(name) => {
                let right = self.expression(level + 1)?;
                let (span, depth) = (left.span.to(right.span), left.depth.max(right.depth));
                self.node(Kind::Call { name: name.to_owned(), place, arguments: vec![left, right] }, span, depth)
            }
            Infix::Collate => {
                let end = self.span();
                if self.slice(end) != "\"C\"" {
                    return Err(self.unsupported("texts compare by their bytes, which is `COLLATE \"C\"`"));
                }
                self.advance();
                let (span, depth) = (left.span.to(end), left.depth);
                self.node(Kind::Collate(Box::new(left)), span, depth)
            }
            Infix::Cast => {
                let (to, end) = self.target_type()?;
                let span = left.span.to(end);
                self.cast(left, to, span)
            }
            Infix::AtTimeZone => {
                let zone = self.expression(level + 1)?;
                let (span, depth) = (left.span.to(zone.span), left.depth.max(zone.depth));
                self.node(Kind::Call { name: "timezone".to_owned(), place, arguments: vec![zone, left] }, span, depth)
            }
        }
    }

    /// `AND` and `OR` gather their whole chain.
    fn chain(&mut self, left: Node, level: u8) -> Result<Node> {
        let word = if level == OR { "or" } else { "and" };
        let (mut span, mut depth) = (left.span, left.depth);
        let mut operands = vec![left];
        loop {
            let operand = self.expression(level + 1)?;
            span = span.to(operand.span);
            depth = depth.max(operand.depth);
            operands.push(operand);
            if self.eat_word(word).is_none() {
                break;
            }
        }
        self.node(if level == OR { Kind::Or(operands) } else { Kind::And(operands) }, span, depth)
    }

    fn is(&mut self, left: Node) -> Result<Node> {
        let negated = self.eat_word("not").is_some();
        let test = match self.word_ahead(0).as_deref() {
            Some("null") => Test::Null,
            Some("true") => Test::True,
            Some("false") => Test::False,
            Some("unknown") => Test::Unknown,
            Some("distinct") => {
                self.advance();
                self.expect_word("from")?;
                let right = self.expression(COMPARISON)?;
                let (span, depth) = (left.span.to(right.span), left.depth.max(right.depth));
                let kind = Kind::Distinct { left: Box::new(left), right: Box::new(right), negated };
                return self.node(kind, span, depth);
            }
            Some("json" | "document" | "normalized" | "nfc" | "nfd" | "nfkc" | "nfkd") => {
                return Err(self.unsupported("`IS` asks for NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"));
            }
            _ => return Err(self.unexpected("`NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM`")),
        };
        let span = left.span.to(self.advance());
        let depth = left.depth;
        self.node(Kind::Is { operand: Box::new(left), test, negated }, span, depth)
    }

    fn within(&mut self, left: Node, negated: bool) -> Result<Node> {
        self.expect(&Token::LParen, "`(`")?;
        if self.is_word(0, "select") || self.is_word(0, "values") || self.is_word(0, "with") {
            return Err(subquery(self.span()));
        }
        let (list, end) = self.list()?;
        let depth = list.iter().map(|node| node.depth).max().unwrap_or(0).max(left.depth);
        let span = left.span.to(end);
        self.node(Kind::In { operand: Box::new(left), list, negated }, span, depth)
    }

    /// One or more expressions, up to and with the closing parenthesis.
    fn list(&mut self) -> Result<(Vec<Node>, Span)> {
        let mut list = vec![self.expression(0)?];
        while self.eat(&Token::Comma).is_some() {
            list.push(self.expression(0)?);
        }
        let end = self.expect(&Token::RParen, "`,` or `)`")?;
        Ok((list, end))
    }

    fn operand(&mut self) -> Result<Node> {
        let span = self.span();
        let kind = match self.peek() {
            Token::Minus => return self.sign(Unary::Minus, SIGN),
            Token::Plus => return self.sign(Unary::Plus, SIGN),
            Token::LParen => return self.parenthesis(),
            Token::Number(text, _) => Kind::Number(text.clone()),
            Token::SingleQuotedString(text)
            | Token::EscapedStringLiteral(text)
            | Token::NationalStringLiteral(text) => Kind::Text(text.clone()),
            Token::UnicodeStringLiteral(text) => {
                let text = text.clone();
                return self.unicode(text);
            }
            Token::DollarQuotedString(text) => Kind::Text(text.value.clone()),
            Token::HexStringLiteral(_) | Token::SingleQuotedByteStringLiteral(_) => {
                return Err(self.unsupported("bit strings and bytes are no types here"));
            }
            Token::Placeholder(_) => return Err(self.unsupported("an expression has no parameters")),
            Token::Word(word) if word.quote_style.is_some() => {
                if word.quote_style != Some('"') {
                    return Err(syntax(span, format!("`{}` is not quoted with \"", self.slice(span))));
                }
                if self.ahead(1) == &Token::LParen {
                    return self.call();
                }
                Kind::Name(word.value.clone())
            }
            Token::Word(_) => return self.word(),
            Token::Tilde => return self.prefix("~"),
            Token::AtSign => return self.prefix("@"),
            Token::PGSquareRoot => return self.prefix("|/"),
            Token::PGCubeRoot => return self.prefix("||/"),
            Token::DoubleExclamationMark | Token::ExclamationMark => {
                return Err(self.unsupported("write `factorial(n)`"));
            }
            _ => return Err(self.unexpected("an expression")),
        };
        self.advance();
        if self.peek() == &Token::Period {
            return Err(self.qualified());
        }
        Ok(Node::leaf(kind, span))
    }

    /// `U&'…'`, with the escape character that `UESCAPE` may name.
    fn unicode(&mut self, text: String) -> Result<Node> {
        let span = self.advance();
        if self.eat_word("uescape").is_none() {
            return Ok(Node::leaf(Kind::Text(text), span));
        }
        let place = self.span();
        let mut escape = match self.peek() {
            Token::SingleQuotedString(escape) => escape.chars(),
            _ => return Err(self.unexpected("the escape character")),
        };
        let is_escape = |char: &char| !char.is_ascii_hexdigit() && !char.is_whitespace() && !"+'\"".contains(*char);
        let Some(escape) = escape.next().filter(is_escape).filter(|_| escape.next().is_none()) else {
            return Err(syntax(
                place,
                "the escape character is one that is no hexadecimal digit, quote, plus or blank",
            ));
        };
        let end = self.advance();
        // The tokenizer has taken backslashes for escapes.
        let written = self.slice(span).get(3..).and_then(|rest| rest.strip_suffix('\'')).unwrap_or_default();
        let mut text = String::new();
        unicode_escapes(&written.replace("''", "'"), escape, false, &mut text)
            .map_err(|fault| syntax(span, fault.message.to_string()))?;
        Ok(Node::leaf(Kind::Text(text), span.to(end)))
    }

    fn qualified(&self) -> Box<Diagnostic> {
        unsupported(self.span(), "a name with a point is not supported", "there is one table only: write the bare name")
    }

    fn sign(&mut self, operator: Unary, level: u8) -> Result<Node> {
        let place = self.advance();
        let operand = self.expression(level)?;
        let (span, depth) = (place.to(operand.span), operand.depth);
        self.node(Kind::Unary { operator, operand: Box::new(operand) }, span, depth)
    }

    /// An operator before its operand that stands in the table of functions under its sign.
    fn prefix(&mut self, name: &str) -> Result<Node> {
        let place = self.advance();
        let operand = self.expression(OTHER + 1)?;
        let (span, depth) = (place.to(operand.span), operand.depth);
        self.node(Kind::Call { name: name.to_owned(), place, arguments: vec![operand] }, span, depth)
    }

    fn parenthesis(&mut self) -> Result<Node> {
        let open = self.advance();
        if self.is_word(0, "select") || self.is_word(0, "values") || self.is_word(0, "with") {
            return Err(subquery(self.span()));
        }
        let inner = self.expression(0)?;
        if self.peek() == &Token::Comma {
            return self.overlaps(open, inner);
        }
        let close = self.expect(&Token::RParen, "`)`")?;
        Ok(Node { span: open.to(close), ..inner })
    }

    /// `(start, end) OVERLAPS (start, end)`, behind the first start.
    fn overlaps(&mut self, open: Span, first: Node) -> Result<Node> {
        self.advance();
        let (rest, close) = self.list()?;
        let row = |span| unsupported(span, "a row of values is not supported", "compare one value at a time");
        let place = self.span();
        if rest.len() != 1 || self.eat_word("overlaps").is_none() {
            return Err(row(open.to(close)));
        }
        let second = self.expect(&Token::LParen, "`(`")?;
        let (last, end) = self.list()?;
        if last.len() != 2 {
            return Err(row(second.to(end)));
        }
        let arguments: Vec<_> = [first].into_iter().chain(rest).chain(last).collect();
        let depth = arguments.iter().map(|node| node.depth).max().unwrap_or(0);
        self.node(Kind::Call { name: "overlaps".to_owned(), place, arguments }, open.to(end), depth)
    }

    fn word(&mut self) -> Result<Node> {
        let Some(word) = self.word_ahead(0) else { return Err(self.unexpected("an expression")) };
        let span = self.span();
        let leaf = |parser: &mut Self, kind| {
            parser.advance();
            Ok(Node::leaf(kind, span))
        };
        match word.as_str() {
            "null" => return leaf(self, Kind::Null),
            "true" => return leaf(self, Kind::Boolean(true)),
            "false" => return leaf(self, Kind::Boolean(false)),
            "not" => return self.sign(Unary::Not, NOT),
            "case" => return self.case(),
            "exists" if self.ahead(1) == &Token::LParen => return Err(subquery(span)),
            "array" if matches!(self.ahead(1), Token::LBracket | Token::LParen) => {
                return Err(self.unsupported("an expression gives one plain value"));
            }
            "row" if self.ahead(1) == &Token::LParen => {
                return Err(self.unsupported("compare one value at a time"));
            }
            _ => {}
        }
        if is_among(RESERVED, &word) {
            let written = self.slice(span).to_owned();
            return Err(Box::new(
                Diagnostic::error(Code::Syntax, span, format!("`{written}` stands where an expression is wanted"))
                    .with_help(format!("it is a word of SQL; if a field has that name, write \"{written}\"")),
            ));
        }
        if let Some(typed) = self.typed_literal()? {
            return Ok(typed);
        }
        if self.ahead(1) == &Token::LParen {
            return self.call();
        }
        if is_among(OUTSIDE, &word) {
            return Err(Box::new(
                Diagnostic::error(Code::NotScalar, span, format!("`{word}` would give another value in every run"))
                    .with_help("`batch_time()` is the time of the run, and the same whenever it is repeated"),
            ));
        }
        if self.ahead(1) == &Token::Period {
            self.advance();
            return Err(self.qualified());
        }
        let name = self.slice(span).to_owned();
        leaf(self, Kind::Name(name))
    }

    /// `date '2026-01-31'`, `double precision '1'`.
    fn typed_literal(&mut self) -> Result<Option<Node>> {
        let start = self.position;
        let first = self.span();
        let is_text = |token: &Token| matches!(token, Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_));
        let Some((name, _, modifier)) = self.type_name() else {
            self.position = start;
            return Ok(None);
        };
        if !is_text(self.peek()) {
            self.position = start;
            return Ok(None);
        }
        let ty = target(&name, first.to(self.span()))?;
        let operand = self.operand()?;
        let mut span = first.to(operand.span);
        // The fields of an interval stand behind its text.
        let modifier = match ty {
            Type::Interval if modifier.is_none() || matches!(modifier, Some(Modifier::Digits(_))) => {
                let (fields, end) = self.interval_fields(modifier)?;
                span = span.to(end.unwrap_or(span));
                fields
            }
            _ => modifier,
        };
        self.cast(operand, Target { ty, modifier }, span).map(Some)
    }

    /// A cast, and what limits its value further.
    fn cast(&self, operand: Node, to: Target, span: Span) -> Result<Node> {
        let number = |value: String| Node::leaf(Kind::Number(value), span);
        let call = |name: &str, arguments: Vec<Node>, depth| {
            self.node(Kind::Call { name: name.to_owned(), place: span, arguments }, span, depth)
        };
        let depth = operand.depth;
        if let (Type::Interval, Some(Modifier::Fields { range, digits })) = (to.ty, to.modifier) {
            return call("(interval)", vec![operand, number(range.to_string()), number(digits.to_string())], depth);
        }
        let cast = self.node(Kind::Cast { operand: Box::new(operand), to: to.ty }, span, depth)?;
        match to.modifier {
            Some(Modifier::Digits(digits)) => {
                let depth = cast.depth;
                call("(precision)", vec![cast, number(digits.to_string())], depth)
            }
            Some(Modifier::Normal) => {
                let depth = cast.depth;
                call("(jsonb)", vec![cast], depth)
            }
            _ => Ok(cast),
        }
    }

    /// `year to month`, `second(3)` and others; with the digits that stand before them.
    fn interval_fields(&mut self, before: Option<Modifier>) -> Result<(Option<Modifier>, Option<Span>)> {
        const WORDS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];
        let find = |word: Option<String>| WORDS.iter().position(|known| word.as_deref() == Some(known));
        let digits = match before {
            Some(Modifier::Digits(digits)) => digits,
            _ => 6,
        };
        let Some(first) = find(self.word_ahead(0)) else {
            let modifier = before.map(|_| Modifier::Fields { range: fields::ALL, digits });
            return Ok((modifier, None));
        };
        let mut end = self.advance();
        let mut last = first;
        if self.is_word(0, "to") {
            self.advance();
            last = match find(self.word_ahead(0)) {
                Some(last) if last > first && (first > 1 || last == 1) => last,
                _ => return Err(self.unexpected("a field that can end such an interval")),
            };
            end = self.advance();
        }
        let mut digits = digits;
        if last == 5
            && self.peek() == &Token::LParen
            && let Token::Number(number, _) = self.ahead(1)
        {
            digits = number.parse().unwrap_or(6).min(6);
            self.advance();
            self.advance();
            end = self.expect(&Token::RParen, "`)`")?;
        }
        let range = (first..=last).fold(0, |range, at| range | 1 << at);
        Ok((Some(Modifier::Fields { range, digits }), Some(end)))
    }

    /// The words and numbers of a type's name, without looking whether there is such a type.
    fn type_name(&mut self) -> Option<(String, Span, Option<Modifier>)> {
        let mut name = match self.peek() {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_ascii_lowercase(),
            _ => return None,
        };
        let mut span = self.advance();
        for (first, second) in [("double", "precision"), ("character", "varying"), ("char", "varying")] {
            if name == first
                && let Some(end) = self.eat_word(second)
            {
                name = if first == "double" { "double precision".to_owned() } else { "varchar".to_owned() };
                span = span.to(end);
            }
        }
        let mut numbers = String::new();
        if self.peek() == &Token::LParen && matches!(self.ahead(1), Token::Number(..)) {
            self.advance();
            numbers.push('(');
            loop {
                let Token::Number(digits, _) = self.peek() else { return None };
                numbers.push_str(digits);
                self.advance();
                if self.eat(&Token::Comma).is_none() {
                    break;
                }
                numbers.push(',');
            }
            span = span.to(self.eat(&Token::RParen)?);
            numbers.push(')');
        }
        if matches!(name.as_str(), "timestamp" | "time") {
            for (word, suffix) in [("with", " with time zone"), ("without", " without time zone")] {
                if self.is_word(0, word) && self.is_word(1, "time") && self.is_word(2, "zone") {
                    self.advance();
                    self.advance();
                    span = span.to(self.advance());
                    name.push_str(suffix);
                }
            }
        }
        let mut modifier = None;
        let digits = numbers.trim_matches(['(', ')']).parse::<u32>();
        if let ("timestamp" | "timestamptz" | "time" | "interval", Ok(digits)) =
            (name.split(' ').next().unwrap_or_default(), digits)
        {
            // More digits than there are: as many as there are.
            modifier = Some(Modifier::Digits(digits.min(6)));
            numbers.clear();
        }
        if name == "jsonb" {
            modifier = Some(Modifier::Normal);
        }
        if name == "interval" && !matches!(self.peek(), Token::SingleQuotedString(_)) {
            let (limited, end) = self.interval_fields(modifier).ok()?;
            (modifier, span) = (limited, end.map_or(span, |end| span.to(end)));
        }
        if self.peek() == &Token::LBracket {
            name.push_str("[]");
        }
        name.push_str(&numbers);
        Some((name, span, modifier))
    }

    fn target_type(&mut self) -> Result<(Target, Span)> {
        let place = self.span();
        let Some((name, span, modifier)) = self.type_name() else {
            return Err(syntax(place, "a type is wanted here"));
        };
        Ok((Target { ty: target(&name, span)?, modifier }, span))
    }

    fn case(&mut self) -> Result<Node> {
        let start = self.advance();
        let operand = match self.is_word(0, "when") {
            true => None,
            false => Some(Box::new(self.expression(0)?)),
        };
        let mut depth = operand.as_ref().map_or(0, |node| node.depth);
        let mut arms = Vec::new();
        while self.eat_word("when").is_some() {
            let condition = self.expression(0)?;
            self.expect_word("then")?;
            let result = self.expression(0)?;
            depth = depth.max(condition.depth).max(result.depth);
            arms.push((condition, result));
        }
        if arms.is_empty() {
            return Err(self.unexpected("`WHEN`"));
        }
        let otherwise = match self.eat_word("else") {
            Some(_) => Some(Box::new(self.expression(0)?)),
            None => None,
        };
        depth = depth.max(otherwise.as_ref().map_or(0, |node| node.depth));
        let end = self.eat_word("end").ok_or_else(|| self.unexpected("`WHEN`, `ELSE` or `END`"))?;
        self.node(Kind::Case { operand, arms, otherwise }, start.to(end), depth)
    }

    fn call(&mut self) -> Result<Node> {
        let Token::Word(word) = self.peek() else { return Err(self.unexpected("an expression")) };
        let mut name = match word.quote_style {
            None => word.value.to_ascii_lowercase(),
            Some(_) => word.value.clone(),
        };
        let place = self.advance();
        self.advance();
        let (arguments, end) = match name.as_str() {
            "cast" | "try_cast" => {
                let operand = self.expression(0)?;
                self.expect_word("as")?;
                let (to, _) = self.target_type()?;
                let end = self.expect(&Token::RParen, "`)`")?;
                if name == "cast" {
                    return self.cast(operand, to, place.to(end));
                }
                if to.modifier.is_some() {
                    return Err(unsupported(
                        place.to(end),
                        "`TRY_CAST` takes a type of times without digits or fields, and JSON as `super`",
                        "cast the result once more",
                    ));
                }
                let (depth, operand) = (operand.depth, Box::new(operand));
                return self.node(Kind::TryCast { operand, to: to.ty }, place.to(end), depth);
            }
            "extract" => self.extract()?,
            "position" => {
                let part = self.expression(OTHER)?;
                self.expect_word("in")?;
                let text = self.expression(0)?;
                (vec![text, part], self.expect(&Token::RParen, "`)`")?)
            }
            "trim" => {
                let (trimmed, arguments, end) = self.trim()?;
                trimmed.clone_into(&mut name);
                (arguments, end)
            }
            _ if self.eat_word("distinct").is_some() => {
                return Err(not_scalar(place, format!("`{name}(DISTINCT …)` needs the other rows of the table")));
            }
            _ if self.peek() == &Token::Mul => {
                return Err(not_scalar(place, format!("`{name}(*)` needs the other rows of the table")));
            }
            _ if self.is_word(0, "select") => return Err(subquery(self.span())),
            _ => match self.eat(&Token::RParen) {
                Some(end) => (Vec::new(), end),
                None => self.arguments(&name)?,
            },
        };
        if self.is_word(0, "over") || (self.is_word(0, "filter") && self.ahead(1) == &Token::LParen) {
            return Err(not_scalar(place, format!("`{name}` as a window function needs the other rows of the table")));
        }
        let depth = arguments.iter().map(|node| node.depth).max().unwrap_or(0);
        self.node(Kind::Call { name, place, arguments }, place.to(end), depth)
    }

    /// Arguments with commas, or with the words of `substring(x FROM 1 FOR 2)` and `overlay(x PLACING y FROM 1 FOR 2)`.
    fn arguments(&mut self, name: &str) -> Result<(Vec<Node>, Span)> {
        if name == "make_interval" && matches!(self.ahead(1), Token::Assignment | Token::RArrow) {
            return self.named_arguments();
        }
        let part = self.word_ahead(0).filter(|_| self.ahead(1) == &Token::Comma && is_among(OVER_DATE_PARTS, name));
        let first = match part {
            Some(part) => Node::leaf(Kind::Text(part), self.advance()),
            None => self.expression(0)?,
        };
        let mut arguments = vec![first];
        if name == "substring" && self.is_word(0, "for") {
            self.advance();
            let start = Node::leaf(Kind::Number("1".to_owned()), self.span());
            let length = self.expression(0)?;
            arguments.extend([start, length]);
            return Ok((arguments, self.expect(&Token::RParen, "`)`")?));
        }
        let words: &[&str] = match name {
            "substring" if self.is_word(0, "similar") => &["similar", "escape"],
            "substring" => &["from", "for"],
            "overlay" => &["placing", "from", "for"],
            _ => &[],
        };
        if words.first().is_some_and(|word| self.is_word(0, word)) {
            for word in words {
                if self.eat_word(word).is_some() {
                    arguments.push(self.expression(0)?);
                }
            }
            return Ok((arguments, self.expect(&Token::RParen, "`)`")?));
        }
        if self.eat(&Token::Comma).is_some() {
            let (rest, end) = self.list()?;
            arguments.extend(rest);
            return Ok((arguments, end));
        }
        Ok((arguments, self.expect(&Token::RParen, "`,` or `)`")?))
    }

    /// `years => 1, days => 2`, of `make_interval`; the others are zero.
    fn named_arguments(&mut self) -> Result<(Vec<Node>, Span)> {
        const NAMES: [&str; 7] = ["years", "months", "weeks", "days", "hours", "mins", "secs"];
        let mut slots = NAMES.map(|_| None);
        loop {
            let at = self.word_ahead(0).and_then(|word| NAMES.iter().position(|name| *name == word));
            let free = at.and_then(|at| slots.get_mut(at)).filter(|slot| slot.is_none());
            let Some(slot) = free else { return Err(self.unexpected("the name of an argument")) };
            self.advance();
            if !matches!(self.peek(), Token::Assignment | Token::RArrow) {
                return Err(self.unexpected("`=>`"));
            }
            self.advance();
            *slot = Some(self.expression(0)?);
            if self.eat(&Token::Comma).is_none() {
                break;
            }
        }
        let end = self.expect(&Token::RParen, "`,` or `)`")?;
        let zero = || Node::leaf(Kind::Number("0".to_owned()), end);
        Ok((slots.into_iter().map(|slot| slot.unwrap_or_else(zero)).collect(), end))
    }

    /// `extract(field FROM x)` is `extract('field', x)`.
    fn extract(&mut self) -> Result<(Vec<Node>, Span)> {
        let span = self.span();
        let field = match self.peek() {
            Token::Word(word) => word.value.to_ascii_lowercase(),
            Token::SingleQuotedString(text) => text.clone(),
            _ => return Err(self.unexpected("a field such as `year`")),
        };
        self.advance();
        self.expect_word("from")?;
        let operand = self.expression(0)?;
        Ok((vec![Node::leaf(Kind::Text(field), span), operand], self.expect(&Token::RParen, "`)`")?))
    }

    /// `trim([LEADING | TRAILING | BOTH] [characters] [FROM] text)` is a call of `ltrim`, `rtrim` or `btrim`.
    fn trim(&mut self) -> Result<(&'static str, Vec<Node>, Span)> {
        let name = match self.word_ahead(0).as_deref() {
            Some("leading") => "ltrim",
            Some("trailing") => "rtrim",
            Some("both") => "btrim",
            _ => "",
        };
        if !name.is_empty() {
            self.advance();
        }
        let name = if name.is_empty() { "btrim" } else { name };
        if self.eat_word("from").is_some() {
            let (arguments, end) = self.list()?;
            return Ok((name, arguments, end));
        }
        let first = self.expression(0)?;
        if self.eat_word("from").is_some() {
            let text = self.expression(0)?;
            return Ok((name, vec![text, first], self.expect(&Token::RParen, "`)`")?));
        }
        let mut arguments = vec![first];
        if self.eat(&Token::Comma).is_some() {
            arguments.push(self.expression(0)?);
        }
        Ok((name, arguments, self.expect(&Token::RParen, "`,` or `)`")?))
    }
}

fn is_among(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

//! Operators: what follows an operand, by precedence climbing.

use super::Parser;
use super::Result;
use super::depth;
use super::mistake::not_scalar;
use super::mistake::subquery;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::tree::Binary;
use crate::expr::tree::Kind;
use crate::expr::tree::Node;
use crate::expr::tree::Test;
use crate::expr::tree::Unary;
use crate::sql::scan;

const OR: u8 = 1;
const AND: u8 = 2;
pub(super) const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARISON: u8 = 5;
const MATCH: u8 = 6;
pub(super) const OTHER: u8 = 7;
const SUM: u8 = 8;
const PRODUCT: u8 = 9;
const POWER: u8 = 10;
const ZONE: u8 = 11;
pub(super) const SIGN: u8 = 12;
const CAST: u8 = 13;

/// What follows an operand.
#[derive(Debug, Clone, Copy)]
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

/// The operators that are functions, under their signs.
const CALLED: [&str; 26] = [
    "~", "~*", "!~", "!~*", "&", "|", "#", "<<", ">>", "^@", "->", "->>", "#>", "#>>", "@>", "<@", "?", "?|", "?&",
    "#-", "@?", "@@", "~<~", "~<=~", "~>=~", "~>~",
];

/// The operator of a sign, and its precedence.
fn of_sign(sign: &str) -> Option<(Infix, u8)> {
    let like = |ignore_case, negated| (Infix::Like { ignore_case, negated }, OTHER);
    Some(match sign {
        "+" => (Infix::Binary(Binary::Add), SUM),
        "-" => (Infix::Binary(Binary::Subtract), SUM),
        "*" => (Infix::Binary(Binary::Multiply), PRODUCT),
        "/" => (Infix::Binary(Binary::Divide), PRODUCT),
        "%" => (Infix::Binary(Binary::Modulo), PRODUCT),
        "^" => (Infix::Binary(Binary::Power), POWER),
        "||" => (Infix::Binary(Binary::Concat), OTHER),
        "=" => (Infix::Binary(Binary::Equal), COMPARISON),
        "<>" | "!=" => (Infix::Binary(Binary::NotEqual), COMPARISON),
        "<" => (Infix::Binary(Binary::Less), COMPARISON),
        "<=" => (Infix::Binary(Binary::LessOrEqual), COMPARISON),
        ">" => (Infix::Binary(Binary::Greater), COMPARISON),
        ">=" => (Infix::Binary(Binary::GreaterOrEqual), COMPARISON),
        "::" => (Infix::Cast, CAST),
        "~~" => like(false, false),
        "~~*" => like(true, false),
        "!~~" => like(false, true),
        "!~~*" => like(true, true),
        sign => (Infix::Call(CALLED.into_iter().find(|known| *known == sign)?), OTHER),
    })
}

impl Parser<'_> {
    pub(super) fn climb(&mut self, least: u8) -> Result<Node> {
        let mut left = self.operand()?;
        // Comparisons and matches do not chain: after one of them only looser operators may follow.
        let mut most = u8::MAX;
        while let Some((infix, level, words)) = self.infix()? {
            if level < least {
                break;
            }
            if level > most || (level == most && matches!(level, COMPARISON | MATCH)) {
                let written = self.peek().map_or("", |token| token.text);
                return Err(Box::new(
                    Diagnostic::error(
                        Code::Syntax,
                        self.span(),
                        format!("`{written}` cannot follow another comparison"),
                    )
                    .with_help("use parentheses to say which comes first"),
                ));
            }
            most = level;
            let place = self.advance();
            for _ in 1..words {
                self.advance();
            }
            left = self.apply(left, infix, level, place)?;
        }
        Ok(left)
    }

    /// The operator ahead, its precedence, and how many words it has.
    fn infix(&self) -> Result<Option<(Infix, u8, usize)>> {
        let Some(token) = self.peek() else { return Ok(None) };
        match token.kind {
            scan::Kind::Word => self.infix_word(),
            scan::Kind::Operator | scan::Kind::Point => match of_sign(token.text) {
                Some((infix, level)) => Ok(Some((infix, level, 1))),
                None if matches!(token.text, ")" | "," | ";" | "(" | "]") => Ok(None),
                None => Err(self.unknown_operator(token.text)),
            },
            scan::Kind::Stray | scan::Kind::Parameter => Err(self.unknown_operator(token.text)),
            _ => Ok(None),
        }
    }

    fn infix_word(&self) -> Result<Option<(Infix, u8, usize)>> {
        let negated = self.is_word(0, "not");
        let at = usize::from(negated);
        let (infix, level) = match self.word_ahead(at).as_str() {
            "or" if !negated => (Infix::Or, OR),
            "and" if !negated => (Infix::And, AND),
            "is" if !negated => (Infix::Is, IS),
            "in" => (Infix::In { negated }, MATCH),
            "between" => (Infix::Between { negated }, MATCH),
            "like" => (Infix::Like { ignore_case: false, negated }, MATCH),
            "ilike" => (Infix::Like { ignore_case: true, negated }, MATCH),
            "isnull" if !negated => (Infix::IsNull { negated: false }, IS),
            "notnull" if !negated => (Infix::IsNull { negated: true }, IS),
            "similar" if self.is_word(at + 1, "to") => return Ok(Some((Infix::Similar { negated }, MATCH, at + 2))),
            "at" if self.is_word(1, "time") && self.is_word(2, "zone") => {
                return Ok(Some((Infix::AtTimeZone, ZONE, 3)));
            }
            // It binds as tightly as a sign.
            "collate" if !negated => (Infix::Collate, SIGN),
            "over" | "filter" => {
                return Err(not_scalar(self.span(), "a window function needs the other rows of the table"));
            }
            _ => return Ok(None),
        };
        Ok(Some((infix, level, at + 1)))
    }

    fn unknown_operator(&self, sign: &str) -> Box<Diagnostic> {
        let plain = sign.trim_end_matches(['+', '-']);
        if sign == "==" {
            return self.unsupported("write `=`");
        }
        if plain != sign && of_sign(plain).is_some() {
            return self.unsupported("SQL takes such signs for one operator: write a blank before the last");
        }
        self.unsupported(
            "the operators are + - * / % ^ || = <> < <= > >= ~ ~* !~ !~* & | # << >> ^@ -> ->> #> #>> #- @> <@ ? ?| ?& @? @@ and the words of SQL",
        )
    }

    fn apply(&mut self, left: Node, infix: Infix, level: u8, place: Span) -> Result<Node> {
        match infix {
            Infix::Or | Infix::And => self.chain(left, level),
            Infix::Is => self.is(left),
            Infix::IsNull { negated } => {
                let (span, depth) = (left.span.to(place), left.depth);
                self.node(Kind::Is { operand: Box::new(left), test: Test::Null, negated }, span, depth)
            }
            Infix::Binary(operator) => {
                if operator.compares()
                    && let Some(values) = self.quantified()?
                {
                    return self.with_each(&left, values, |left, right| Kind::Binary { operator, place, left, right });
                }
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
                let (span, depth) = (left.span.to(high.span), depth([&left, &low, &high]));
                let (operand, low, high) = (Box::new(left), Box::new(low), Box::new(high));
                self.node(Kind::Between { operand, low, high, symmetric, negated }, span, depth)
            }
            Infix::Like { ignore_case, negated } => {
                if let Some(values) = self.quantified()? {
                    return self.with_each(&left, values, |operand, pattern| Kind::Like {
                        operand,
                        pattern,
                        escape: None,
                        ignore_case,
                        negated,
                    });
                }
                let (pattern, escape) = self.pattern()?;
                let last = escape.as_ref().unwrap_or(&pattern);
                let (span, depth) = (left.span.to(last.span), depth([&left, &pattern, last]));
                let (operand, pattern, escape) = (Box::new(left), Box::new(pattern), escape.map(Box::new));
                self.node(Kind::Like { operand, pattern, escape, ignore_case, negated }, span, depth)
            }
            Infix::Similar { negated } => {
                let (pattern, escape) = self.pattern()?;
                let arguments: Vec<_> = [left, pattern].into_iter().chain(escape).collect();
                let span = arguments.iter().fold(place, |span, part| span.to(part.span));
                let depth = depth(&arguments);
                let matches = self.node(Kind::Call { name: "similar to".to_owned(), place, arguments }, span, depth)?;
                if !negated {
                    return Ok(matches);
                }
                let depth = matches.depth;
                self.node(Kind::Unary { operator: Unary::Not, operand: Box::new(matches) }, span, depth)
            }
            Infix::Call(name) => {
                if let Some(values) = self.quantified()? {
                    return self.with_each(&left, values, |left, right| Kind::Call {
                        name: name.to_owned(),
                        place,
                        arguments: vec![*left, *right],
                    });
                }
                if name == "@@" && matches!(left.kind, Kind::Text(_)) {
                    return Err(self.unsupported("a quoted text would be searched for words: say `'…'::jsonb @@ '…'`"));
                }
                let right = self.expression(level + 1)?;
                let (span, depth) = (left.span.to(right.span), left.depth.max(right.depth));
                self.node(Kind::Call { name: name.to_owned(), place, arguments: vec![left, right] }, span, depth)
            }
            Infix::Collate => {
                if self.peek().is_none_or(|collation| collation.text != "\"C\"") {
                    return Err(self.unsupported("texts compare by their bytes, which is `COLLATE \"C\"`"));
                }
                let end = self.advance();
                let (span, depth) = (left.span.to(end), left.depth);
                self.node(Kind::Collate(Box::new(left)), span, depth)
            }
            Infix::Cast if self.is_text_array() => {
                self.advance();
                self.advance();
                let (span, depth) = (left.span.to(self.advance()), left.depth);
                match left.kind {
                    Kind::Array(_) => Ok(Node { span, ..left }),
                    _ => self.node(Kind::Array(Box::new(left)), span, depth),
                }
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

    /// Whether the type ahead is an array of texts.
    fn is_text_array(&self) -> bool {
        (self.is_word(0, "text") || self.is_word(0, "varchar")) && self.is_sign(1, "[") && self.is_sign(2, "]")
    }

    /// `AND` and `OR` gather their whole chain.
    fn chain(&mut self, left: Node, level: u8) -> Result<Node> {
        let word = if level == OR { "or" } else { "and" };
        let mut span = left.span;
        let mut operands = vec![left];
        loop {
            let operand = self.expression(level + 1)?;
            span = span.to(operand.span);
            operands.push(operand);
            if self.eat_word(word).is_none() {
                break;
            }
        }
        let depth = depth(&operands);
        self.node(if level == OR { Kind::Or(operands) } else { Kind::And(operands) }, span, depth)
    }

    /// A pattern, and the escape that may follow it.
    fn pattern(&mut self) -> Result<(Node, Option<Node>)> {
        let pattern = self.expression(OTHER)?;
        let escape = match self.eat_word("escape") {
            Some(_) => Some(self.expression(OTHER)?),
            None => None,
        };
        Ok((pattern, escape))
    }

    fn is(&mut self, left: Node) -> Result<Node> {
        let negated = self.eat_word("not").is_some();
        let test = match self.word_ahead(0).as_str() {
            "null" => Test::Null,
            "true" => Test::True,
            "false" => Test::False,
            "unknown" => Test::Unknown,
            "distinct" => {
                self.advance();
                self.expect_word("from")?;
                let right = self.expression(COMPARISON)?;
                let (span, depth) = (left.span.to(right.span), left.depth.max(right.depth));
                let kind = Kind::Distinct { left: Box::new(left), right: Box::new(right), negated };
                return self.node(kind, span, depth);
            }
            "normalized" | "nfc" | "nfd" | "nfkc" | "nfkd" => return self.is_normalized(left, negated),
            "json" | "document" => {
                return Err(self.unsupported("`IS` asks for NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"));
            }
            _ => return Err(self.unexpected("`NULL`, `TRUE`, `FALSE`, `UNKNOWN` or `DISTINCT FROM`")),
        };
        let span = left.span.to(self.advance());
        let depth = left.depth;
        self.node(Kind::Is { operand: Box::new(left), test, negated }, span, depth)
    }

    /// `IS [NOT] [form] NORMALIZED`, at the form or the last word.
    fn is_normalized(&mut self, left: Node, negated: bool) -> Result<Node> {
        let place = self.span();
        let mut arguments = vec![left];
        if !self.is_word(0, "normalized") {
            arguments.push(self.form()?);
        }
        let end = self.span();
        self.expect_word("normalized")?;
        let (span, below) = (arguments.first().map_or(place, |node| node.span).to(end), depth(&arguments));
        let asked = self.node(Kind::Call { name: "is_normalized".to_owned(), place, arguments }, span, below)?;
        if !negated {
            return Ok(asked);
        }
        let below = asked.depth;
        self.node(Kind::Unary { operator: Unary::Not, operand: Box::new(asked) }, span, below)
    }

    /// The values of `ANY (ARRAY[…])` or `ALL (ARRAY[…])` ahead, and whether all are meant.
    fn quantified(&mut self) -> Result<Option<(bool, Vec<Node>, Span)>> {
        let is_all = match self.word_ahead(0).as_str() {
            "all" => true,
            "any" | "some" => false,
            _ => return Ok(None),
        };
        if !self.is_sign(1, "(") {
            return Ok(None);
        }
        self.advance();
        self.advance();
        if self.is_query() {
            return Err(subquery(self.span()));
        }
        if !(self.is_word(0, "array") && self.is_sign(1, "[")) || self.is_sign(2, "]") {
            return Err(self.unsupported("write the values: `ANY (ARRAY['a', 'b'])`"));
        }
        let array = self.expression(0)?;
        let end = self.expect(")", "`)`")?;
        match array.kind {
            Kind::Array(text) => match text.kind {
                Kind::Call { name, arguments, .. } if name == "array[]" => Ok(Some((is_all, arguments, end))),
                _ => Err(self.unsupported("write the values: `ANY (ARRAY['a', 'b'])`")),
            },
            _ => Err(self.unsupported("write the values: `ANY (ARRAY['a', 'b'])`")),
        }
    }

    /// An operator with a value and each of others: `x = ANY (ARRAY[a, b])` is `x = a OR x = b`.
    fn with_each(
        &mut self,
        left: &Node,
        (is_all, values, end): (bool, Vec<Node>, Span),
        with: impl Fn(Box<Node>, Box<Node>) -> Kind,
    ) -> Result<Node> {
        let span = left.span.to(end);
        let each = values.into_iter().map(|value| {
            let below = left.depth.max(value.depth);
            self.node(with(Box::new(left.clone()), Box::new(value)), span, below)
        });
        let each: Vec<_> = each.collect::<Result<_>>()?;
        let below = depth(&each);
        self.node(if is_all { Kind::And(each) } else { Kind::Or(each) }, span, below)
    }

    fn within(&mut self, left: Node, negated: bool) -> Result<Node> {
        self.expect("(", "`(`")?;
        if self.is_query() {
            return Err(subquery(self.span()));
        }
        let (list, end) = self.list()?;
        let (span, depth) = (left.span.to(end), depth(&list).max(left.depth));
        self.node(Kind::In { operand: Box::new(left), list, negated }, span, depth)
    }

    /// Whether a query begins here.
    pub(super) fn is_query(&self) -> bool {
        ["select", "values", "with"].into_iter().any(|word| self.is_word(0, word))
    }
}

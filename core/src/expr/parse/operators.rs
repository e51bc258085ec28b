//! Operators: what follows an operand, by precedence climbing.

use super::Parser;
use super::Result;
use super::depth;
use super::mistake::not_scalar;
use super::mistake::subquery;
use super::mistake::unsupported;
use super::types::Target;
use super::types::target;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::tree::Binary;
use crate::expr::tree::Kind;
use crate::expr::tree::Node;
use crate::expr::tree::Test;
use crate::expr::tree::Unary;
use crate::sql::scan;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::array::TextArray;

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
const CALLED: [&str; 27] = [
    "&&", "~", "~*", "!~", "!~*", "&", "|", "#", "<<", ">>", "^@", "->", "->>", "#>", "#>>", "@>", "<@", "?", "?|",
    "?&", "#-", "@?", "@@", "~<~", "~<=~", "~>=~", "~>~",
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

/// What an operator is asked of by `ANY` and `ALL`.
enum Values {
    /// The values that are written out.
    Each(Vec<Node>),
    /// An array that each row computes.
    Of(Node),
}

/// The values of an array that is written as a text.
pub(super) fn elements(text: &str, span: Span) -> Result<Vec<Node>> {
    let array = TextArray::parse(text).map_err(|fault| {
        let wrong = Diagnostic::error(Code::ConstantFault, span, fault.message.to_string());
        Box::new(Diagnostic { fault: Some(fault.code), ..wrong })
    })?;
    let node = |element: Option<String>| Node::leaf(element.map_or(Kind::Null, Kind::Text), span);
    Ok(array.elements.into_iter().map(node).collect())
}

/// Whether a value is written out, so that computing it is no work and never fails.
fn is_literal(node: &Node) -> bool {
    match &node.kind {
        Kind::Null | Kind::Boolean(_) | Kind::Number(_) | Kind::Text(_) => true,
        Kind::Unary { operator: Unary::Minus, operand } | Kind::Cast { operand, .. } => is_literal(operand),
        _ => false,
    }
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
                let (span, deep) = (left.span.to(self.advance()), left.depth);
                match left.kind {
                    Kind::Array(text) => match text.kind {
                        Kind::Call { name, place, arguments } if name == "array[]" => {
                            let arguments = self.texts(arguments)?;
                            let below = depth(&arguments);
                            let text = self.node(Kind::Call { name, place, arguments }, span, below)?;
                            let below = text.depth;
                            self.node(Kind::Array(Box::new(text)), span, below)
                        }
                        _ => Ok(Node { span, kind: Kind::Array(text), ..left }),
                    },
                    _ => self.node(Kind::Array(Box::new(left)), span, deep),
                }
            }
            Infix::Cast if self.is_array_type() => self.cast_each(left, place),
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

    /// Whether the type ahead is an array: one word and brackets.
    fn is_array_type(&self) -> bool {
        self.is_sign(1, "[") && self.is_sign(2, "]")
    }

    /// The cast of an array whose values are written out, value by value.
    fn cast_each(&mut self, left: Node, place: Span) -> Result<Node> {
        let name = self.type_name().ok_or_else(|| self.unexpected("a type"))?;
        let to = Target { ty: target(name.text.trim_end_matches("[]"), place)?, modifier: name.modifier };
        self.expect("[", "`[`")?;
        let span = left.span.to(self.expect("]", "`]`")?);
        let values = match left.kind {
            Kind::Text(text) => elements(&text, left.span)?,
            Kind::Array(text) => match text.kind {
                Kind::Call { name, arguments, .. } if name == "array[]" => arguments,
                _ => return Err(unsupported(span, "this array is not supported", "write its values: `ARRAY[1, 2]`")),
            },
            _ => return Err(unsupported(span, "this array is not supported", "write its values: `ARRAY[1, 2]`")),
        };
        let values = values.into_iter().map(|value| {
            let span = value.span;
            self.cast(value, to, span)
        });
        let arguments = values.collect::<Result<Vec<_>>>()?;
        let below = depth(&arguments);
        let text = self.node(Kind::Call { name: "array[]".to_owned(), place, arguments }, span, below)?;
        let below = text.depth;
        self.node(Kind::Array(Box::new(text)), span, below)
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

    /// The values, each cast to a text.
    pub(super) fn texts(&self, values: Vec<Node>) -> Result<Vec<Node>> {
        let to = Target { ty: Type::Text, modifier: None };
        let values = values.into_iter().map(|value| {
            let span = value.span;
            self.cast(value, to, span)
        });
        values.collect()
    }

    /// The array of `ANY (…)` or `ALL (…)` ahead, and whether all its values are meant.
    fn quantified(&mut self) -> Result<Option<(bool, Values, Span)>> {
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
        let array = self.expression(0)?;
        let end = self.expect(")", "`)`")?;
        let span = array.span;
        let (text, is_cast) = match array.kind {
            Kind::Array(text) => (*text, true),
            _ => (array, false),
        };
        let values = match text.kind {
            Kind::Call { name, arguments, .. } if name == "array[]" => {
                let has_number = arguments.iter().any(|value| matches!(value.kind, Kind::Number(_)));
                let is_word =
                    |value: &Node| matches!(&value.kind, Kind::Text(text) if Decimal::parse(text.as_bytes()).is_err());
                if has_number && arguments.iter().any(is_word) {
                    return Err(unsupported(
                        span,
                        "an array of numbers and words is not supported",
                        "its values are of one type",
                    ));
                }
                // Quoted texts alone are an array of texts, whatever they are compared with.
                let are_quoted = arguments.iter().all(|value| matches!(value.kind, Kind::Text(_) | Kind::Null));
                Values::Each(if are_quoted { self.texts(arguments)? } else { arguments })
            }
            Kind::Text(text) if is_cast => Values::Each(self.texts(elements(&text, span)?)?),
            Kind::Text(text) => Values::Each(elements(&text, span)?),
            Kind::Call { .. } => Values::Of(text),
            _ => {
                let fact = "an array is wanted here";
                return Err(unsupported(span, fact, "write the values: `ANY (ARRAY['a', 'b'])`"));
            }
        };
        Ok(Some((is_all, values, end)))
    }

    /// An operator with a value and each of others: `x = ANY (ARRAY[a, b])` is `x = a OR x = b`.
    fn with_each(
        &mut self,
        left: &Node,
        (is_all, values, end): (bool, Values, Span),
        with: impl Fn(Box<Node>, Box<Node>) -> Kind,
    ) -> Result<Node> {
        let span = left.span.to(end);
        let values = match values {
            Values::Each(values) => values,
            Values::Of(array) => {
                let below = left.depth.max(array.depth);
                let (place, is_equal, is_different) =
                    match with(Box::new(left.clone()), Box::new(Node::leaf(Kind::Null, end))) {
                        Kind::Binary { operator, place, .. } => {
                            (place, operator == Binary::Equal, operator == Binary::NotEqual)
                        }
                        _ => (span, false, false),
                    };
                if !(is_equal && !is_all || is_different && is_all) {
                    let help = "what is computed as an array is asked by `= ANY` and `<> ALL`";
                    return Err(unsupported(span, "this operator is not supported with an array", help));
                }
                let call = Kind::Call { name: "(any)".to_owned(), place, arguments: vec![array, left.clone()] };
                let asked = self.node(call, span, below)?;
                let below = asked.depth;
                return match is_all {
                    false => Ok(asked),
                    true => self.node(Kind::Unary { operator: Unary::Not, operand: Box::new(asked) }, span, below),
                };
            }
        };
        if values.is_empty() {
            let fact = format!("an empty array has no value: this is {is_all} of every row");
            return Err(unsupported(end, fact, "write the values: `ANY (ARRAY['a', 'b'])`"));
        }
        // All values of an array are computed before one of them is compared.
        let mut computed: Vec<_> = values.iter().filter(|value| !is_literal(value)).cloned().collect();
        let each = values.into_iter().map(|value| {
            let below = left.depth.max(value.depth);
            self.node(with(Box::new(left.clone()), Box::new(value)), span, below)
        });
        let each: Vec<_> = each.collect::<Result<_>>()?;
        let below = depth(&each);
        let asked = self.node(if is_all { Kind::And(each) } else { Kind::Or(each) }, span, below)?;
        if computed.is_empty() {
            return Ok(asked);
        }
        computed.insert(0, left.clone());
        let node = Node::computed(computed, Some(asked), span);
        self.node(node.kind, span, node.depth.saturating_sub(1))
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

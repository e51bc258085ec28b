//! Types: the type that a cast names.

use super::Parser;
use super::Result;
use super::mistake::syntax;
use super::mistake::unsupported;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::sql::scan;
use crate::types::Type;
use crate::value::interval::fields;

/// What a cast names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) ty: Type,
    pub(super) modifier: Option<Modifier>,
}

/// The type of one byte, whose quotes tell it from the other one.
const CHAR: &str = "\"char\"";

/// What limits the values of a type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Modifier {
    /// So many digits after the second's point: `timestamp(3)`.
    Digits(u32),
    /// Some fields only: `interval day to minute`.
    Fields { range: i32, digits: u32 },
    /// One byte of a text: PostgreSQL's `"char"`, with its quotes.
    Byte,
    /// PostgreSQL's `name`.
    Name,
}

/// The words and numbers of a type, before anybody has looked whether there is such a type.
#[derive(Debug)]
pub(super) struct TypeName {
    pub(super) text: String,
    span: Span,
    pub(super) modifier: Option<Modifier>,
}

impl Parser<'_> {
    pub(super) fn target_type(&mut self) -> Result<(Target, Span)> {
        let place = self.span();
        let Some(TypeName { text, span, modifier }) = self.type_name() else {
            return Err(syntax(place, "a type is wanted here"));
        };
        Ok((Target { ty: target(&text, span)?, modifier }, span))
    }

    pub(super) fn type_name(&mut self) -> Option<TypeName> {
        if self.peek().is_some_and(|token| token.text == CHAR) {
            let span = self.advance();
            return Some(TypeName { text: CHAR.to_owned(), span, modifier: Some(Modifier::Byte) });
        }
        let mut text = self.word_ahead(0);
        if text.is_empty() {
            return None;
        }
        let mut span = self.advance();
        for (first, second) in [("double", "precision"), ("character", "varying"), ("char", "varying")] {
            if text == first
                && let Some(end) = self.eat_word(second)
            {
                text = if first == "double" { "double precision".to_owned() } else { "varchar".to_owned() };
                span = span.to(end);
            }
        }
        let mut numbers = String::new();
        if let Some((list, end)) = self.numbers()? {
            numbers = list;
            span = span.to(end);
        }
        if matches!(text.as_str(), "timestamp" | "time") {
            for (word, suffix) in [("with", " with time zone"), ("without", " without time zone")] {
                if self.is_word(0, word) && self.is_word(1, "time") && self.is_word(2, "zone") {
                    self.advance();
                    self.advance();
                    span = span.to(self.advance());
                    text.push_str(suffix);
                }
            }
        }
        let mut modifier = None;
        let digits = numbers.trim_matches(['(', ')']).parse::<u32>();
        if let ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", Ok(digits)) =
            (text.split(' ').next().unwrap_or_default(), digits)
        {
            // More digits than there are: as many as there are.
            modifier = Some(Modifier::Digits(digits.min(6)));
            numbers.clear();
        }
        // Before a text its fields stand behind the text.
        if text == "interval" && !matches!(self.peek().map(|token| token.kind), Some(scan::Kind::Text(_))) {
            let (limited, end) = self.interval_fields(modifier).ok()?;
            (modifier, span) = (limited, end.map_or(span, |end| span.to(end)));
        }
        if text == "name" {
            modifier = Some(Modifier::Name);
        }
        if self.is_sign(0, "[") {
            text.push_str("[]");
        }
        text.push_str(&numbers);
        Some(TypeName { text, span, modifier })
    }

    /// `(10, 2)`, as `(10,2)`: no list at all, or `None` for one of something else than numbers.
    #[expect(clippy::option_option, reason = "no list is something else than a wrong one")]
    fn numbers(&mut self) -> Option<Option<(String, Span)>> {
        let is_number = |parser: &Self, count| parser.ahead(count).filter(|token| token.kind == scan::Kind::Number);
        if !self.is_sign(0, "(") || is_number(self, 1).is_none() {
            return Some(None);
        }
        let mut list = String::new();
        while self.eat("(").or_else(|| self.eat(",")).is_some() {
            list.push(if list.is_empty() { '(' } else { ',' });
            list.push_str(is_number(self, 0)?.text);
            self.advance();
        }
        list.push(')');
        let end = self.eat(")")?;
        Some(Some((list, end)))
    }

    /// `year to month`, `second(3)` and others; with the digits that stand before them.
    pub(super) fn interval_fields(&mut self, before: Option<Modifier>) -> Result<(Option<Modifier>, Option<Span>)> {
        const WORDS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];
        let find = |parser: &Self| WORDS.iter().position(|known| parser.is_word(0, known));
        let mut digits = match before {
            Some(Modifier::Digits(digits)) => digits,
            _ => 6,
        };
        let Some(first) = find(self) else {
            let modifier = before.map(|_| Modifier::Fields { range: fields::ALL, digits });
            return Ok((modifier, None));
        };
        let mut end = self.advance();
        let mut last = first;
        if self.eat_word("to").is_some() {
            last = match find(self) {
                Some(last) if last > first && (first > 1 || last == 1) => last,
                _ => return Err(self.unexpected("a field that can end such an interval")),
            };
            end = self.advance();
        }
        if last == 5
            && self.is_sign(0, "(")
            && let Some(number) = self.ahead(1).filter(|token| token.kind == scan::Kind::Number)
        {
            digits = number.text.parse().unwrap_or(6).min(6);
            self.advance();
            self.advance();
            end = self.expect(")", "`)`")?;
        }
        let range = (first..=last).fold(0, |range, at| range | 1 << at);
        Ok((Some(Modifier::Fields { range, digits }), Some(end)))
    }
}

/// Whether PostgreSQL or Redshift has a type of that name which no column of a warehouse, or no mapping, wants.
fn is_refused(name: &str) -> bool {
    const NAMES: &str = "uuid bit varbit money xml inet cidr macaddr macaddr8 oid regclass regtype regproc point line lseg box \
        path polygon circle varbyte tsvector tsquery jsonpath hllsketch geometry geography int4range int8range numrange \
        daterange tsrange tstzrange pg_lsn xid";
    let (word, _) = name.split_once(['(', ' ']).unwrap_or((name, ""));
    NAMES.split_whitespace().any(|known| known == word)
}

/// The type that a cast names. Beside the types of columns there are `numeric` without digits, whose scale is each
/// value's own, `varchar` without a length, which is `text`, and `bpchar`.
pub(super) fn target(name: &str, span: Span) -> Result<Type> {
    let ty = match name {
        "numeric" | "decimal" | "dec" => Ok(Type::Numeric),
        "varchar" => Ok(Type::Text),
        "bpchar" => Ok(Type::Char(0)),
        "interval" => Ok(Type::Interval),
        "jsonb" => Ok(Type::Jsonb),
        "bytea" => Ok(Type::Bytea),
        CHAR => Ok(Type::Text),
        "timetz" | "time with time zone" => Ok(Type::Timetz),
        // PostgreSQL's names of tables and others, which are cut to what one may have.
        "name" => Ok(Type::Varchar(63)),
        _ if is_refused(name) => {
            return Err(unsupported(
                span,
                format!("the type `{name}` is not supported"),
                "the types are those of columns, and `numeric`, `time`, `interval`, `jsonb` and `bytea`",
            ));
        }
        _ if name.ends_with("[]") => {
            return Err(unsupported(
                span,
                format!("the type `{name}` is not supported"),
                "an expression gives one plain value",
            ));
        }
        _ if name.starts_with("float(") => {
            match name.trim_start_matches("float(").trim_end_matches(')').parse::<u8>() {
                Ok(1..=24) => Ok(Type::Real),
                Ok(25..=53) => Ok(Type::Double),
                _ => {
                    return Err(Box::new(Diagnostic::error(
                        Code::UnknownType,
                        span,
                        "a float has 1 to 53 binary digits",
                    )));
                }
            }
        }
        _ => Type::parse(name),
    };
    ty.map_err(|error| {
        let diagnostic = Diagnostic::error(Code::UnknownType, span, error.message);
        Box::new(match error.help {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        })
    })
}

//! Parse: the text of a path becomes a path.
//!
//! ```text
//! path       = [ strict | lax ] or
//! or         = and { || and }
//! and        = test { && test }
//! test       = ! delimited | exists ( or ) | sum [ compare sum | starts with … | like_regex … ]
//! sum        = product { + product }            product = signed { * signed }
//! signed     = + signed | - signed | chain      chain   = primary { accessor }
//! primary    = ( or ) | $ | @ | last | literal | $name
//! accessor   = .name | .* | .** | .method() | [ … ] | ? ( or )
//! ```
//!
//! Predicates and values are allowed at different places. The same functions parse both, and each place says which of them it
//! accepts.

use super::Arithmetic;
use super::Chain;
use super::Comparison;
use super::Head;
use super::Method;
use super::PARTS_MAX;
use super::Path;
use super::Predicate;
use super::Step;
use super::scan::Token;
use super::scan::scan;
use super::scan::syntax;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::regexp::Options;
use crate::expr::regexp::Regexp;
use crate::value::text::quote;

/// Words with a meaning where no name is wanted. The first three are words only in lower case.
const WORDS: [&str; 14] = [
    "null",
    "true",
    "false",
    "strict",
    "lax",
    "to",
    "is",
    "unknown",
    "exists",
    "last",
    "starts",
    "with",
    "like_regex",
    "flag",
];

pub(super) fn parse(text: &str) -> Result<Path, Fault> {
    let tokens = scan(text)?;
    if tokens.is_empty() {
        return Err(Fault::new(Code::NotAValue, format!("{} is no JSON path", quote(text.as_bytes()))));
    }
    let mut parser = Parser { text, tokens: &tokens, at: 0, parts: 0, filters: 0, subscripts: 0 };
    let lax = parser.mode();
    let expression = match parser.or()? {
        Operand::Value(chain) => chain,
        Operand::Predicate(predicate) => Chain { head: Head::Predicate(Box::new(predicate)), steps: Vec::new() },
    };
    match parser.at == tokens.len() {
        true => Ok(Path { lax, expression }),
        false => Err(parser.unexpected()),
    }
}

/// What an operator of a path stands between.
enum Operand {
    Value(Chain),
    Predicate(Predicate),
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    parts: usize,
    /// How many filters enclose the place: there, `@` has a meaning.
    filters: usize,
    /// How many subscripts enclose the place: there, `last` has a meaning.
    subscripts: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn unexpected(&self) -> Fault {
        match self.peek() {
            None => syntax(self.text, "it ends too early"),
            Some(token) => {
                let text = match token {
                    Token::Word(text) | Token::Number(text) | Token::Whole(text) => text.clone(),
                    Token::Text(text) => format!("\"{text}\""),
                    Token::Variable(name) => format!("${name}"),
                    Token::Sign(sign) => (*sign).to_owned(),
                };
                syntax(self.text, &format!("`{text}` is not expected there"))
            }
        }
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Fault> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The word of the language that is next.
    fn word(&self) -> Option<&'static str> {
        let Some(Token::Word(found)) = self.peek() else { return None };
        let is_it = |(at, word): &(usize, &&str)| match at {
            0..3 => found == *word,
            _ => found.eq_ignore_ascii_case(word),
        };
        WORDS.iter().enumerate().find(is_it).map(|(_, word)| *word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_it = self.word() == Some(word);
        self.at += usize::from(is_it);
        is_it
    }

    fn expect_word(&mut self, word: &str) -> Result<(), Fault> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// `lax` or `strict`; whether it is lax.
    fn mode(&mut self) -> bool {
        if self.take_word("strict") {
            return false;
        }
        self.take_word("lax");
        true
    }

    /// Notes one more part.
    fn part(&mut self) -> Result<(), Fault> {
        self.parts += 1;
        match self.parts > PARTS_MAX {
            true => Err(Fault::new(Code::TooMuchWork, format!("a JSON path has at most {PARTS_MAX} parts"))),
            false => Ok(()),
        }
    }

    fn value(&self, part: Operand) -> Result<Chain, Fault> {
        match part {
            Operand::Value(chain) => Ok(chain),
            Operand::Predicate(_) => Err(self.unexpected()),
        }
    }

    fn predicate(&self, part: Operand) -> Result<Predicate, Fault> {
        match part {
            Operand::Predicate(predicate) => Ok(predicate),
            Operand::Value(_) => Err(self.unexpected()),
        }
    }

    fn or(&mut self) -> Result<Operand, Fault> {
        self.part()?;
        let mut left = self.and()?;
        while self.take_sign("||") {
            self.part()?;
            let (one, two) = (self.predicate(left)?, self.and()?);
            left = Operand::Predicate(Predicate::Or(Box::new(one), Box::new(self.predicate(two)?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Operand, Fault> {
        let mut left = self.test()?;
        while self.take_sign("&&") {
            self.part()?;
            let (one, two) = (self.predicate(left)?, self.test()?);
            left = Operand::Predicate(Predicate::And(Box::new(one), Box::new(self.predicate(two)?)));
        }
        Ok(left)
    }

    fn test(&mut self) -> Result<Operand, Fault> {
        if self.take_sign("!") {
            let predicate = match self.word() {
                Some("exists") => self.exists()?,
                _ => {
                    self.expect_sign("(")?;
                    let inner = self.or()?;
                    let inner = self.predicate(inner)?;
                    self.expect_sign(")")?;
                    inner
                }
            };
            return Ok(Operand::Predicate(Predicate::Not(Box::new(predicate))));
        }
        if self.word() == Some("exists") {
            return self.exists().map(Operand::Predicate);
        }
        let left = self.sum()?;
        let operator = match self.peek() {
            Some(Token::Sign("==")) => Comparison::Equal,
            Some(Token::Sign("!=" | "<>")) => Comparison::NotEqual,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::LessOrEqual,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::GreaterOrEqual,
            _ => return self.words_behind(left),
        };
        let left = self.value(left)?;
        self.at += 1;
        let right = self.sum()?;
        let right = self.value(right)?;
        Ok(Operand::Predicate(Predicate::Compare { operator, left, right }))
    }

    /// `starts with` and `like_regex` behind a value.
    fn words_behind(&mut self, left: Operand) -> Result<Operand, Fault> {
        match self.word() {
            Some("starts") => {
                let whole = self.value(left)?;
                self.at += 1;
                self.expect_word("with")?;
                let head = match self.peek() {
                    Some(Token::Text(text)) => Head::String(text.clone()),
                    Some(Token::Variable(name)) => Head::Variable(name.clone()),
                    _ => return Err(self.unexpected()),
                };
                self.at += 1;
                let beginning = Chain { head, steps: Vec::new() };
                Ok(Operand::Predicate(Predicate::StartsWith { whole, beginning }))
            }
            Some("like_regex") => {
                let text = self.value(left)?;
                self.at += 1;
                let pattern = self.text()?;
                let flags = if self.take_word("flag") { self.text()? } else { String::new() };
                let pattern = Box::new(Regexp::new(&pattern, self.options(&flags)?)?);
                Ok(Operand::Predicate(Predicate::LikeRegex { text, pattern }))
            }
            _ => Ok(left),
        }
    }

    fn text(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// The flags of a regular expression, which are XQuery's.
    fn options(&self, flags: &str) -> Result<Options, Fault> {
        let mut options = Options { lines: true, ..Options::default() };
        let mut is_expanded = false;
        for flag in flags.chars() {
            match flag {
                'i' => options.ignore_case = true,
                's' => options.lines = false,
                'm' => options.line_anchors = true,
                'x' => is_expanded = true,
                'q' => options.literal = true,
                _ => return Err(syntax(self.text, &format!("`{flag}` is no flag of `like_regex`"))),
            }
        }
        match (options.literal, is_expanded) {
            (true, _) => Ok(Options { ignore_case: options.ignore_case, literal: true, ..Options::default() }),
            (false, true) => Err(Fault::new(
                Code::UnsupportedRegex,
                "the flag `x` of `like_regex` is not supported, as in PostgreSQL",
            )),
            _ => Ok(options),
        }
    }

    fn exists(&mut self) -> Result<Predicate, Fault> {
        self.expect_word("exists")?;
        self.expect_sign("(")?;
        self.part()?;
        let inner = self.sum()?;
        let inner = self.value(inner)?;
        self.expect_sign(")")?;
        Ok(Predicate::Exists(inner))
    }

    fn sum(&mut self) -> Result<Operand, Fault> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Sign("+")) => Arithmetic::Add,
                Some(Token::Sign("-")) => Arithmetic::Subtract,
                _ => return Ok(left),
            };
            left = self.arithmetic(left, operator, Self::product)?;
        }
    }

    fn product(&mut self) -> Result<Operand, Fault> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.peek() {
                Some(Token::Sign("*")) => Arithmetic::Multiply,
                Some(Token::Sign("/")) => Arithmetic::Divide,
                Some(Token::Sign("%")) => Arithmetic::Modulo,
                _ => return Ok(left),
            };
            left = self.arithmetic(left, operator, Self::signed)?;
        }
    }

    fn arithmetic(
        &mut self,
        left: Operand,
        operator: Arithmetic,
        operand: fn(&mut Self) -> Result<Operand, Fault>,
    ) -> Result<Operand, Fault> {
        let left = Box::new(self.value(left)?);
        self.at += 1;
        self.part()?;
        let right = operand(self)?;
        let right = Box::new(self.value(right)?);
        Ok(Operand::Value(Chain { head: Head::Arithmetic { operator, left, right }, steps: Vec::new() }))
    }

    fn signed(&mut self) -> Result<Operand, Fault> {
        let negative = match self.peek() {
            Some(Token::Sign("-")) => true,
            Some(Token::Sign("+")) => false,
            _ => return self.chain(),
        };
        self.at += 1;
        self.part()?;
        let operand = self.signed()?;
        let operand = self.value(operand)?;
        let head = match (operand.head, operand.steps.is_empty()) {
            (Head::Number(text), true) if negative => Head::Number(match text.strip_prefix('-') {
                Some(text) => text.to_owned(),
                None => format!("-{text}"),
            }),
            (head @ Head::Number(_), true) => head,
            (head, _) => {
                let operand = Chain { head, steps: operand.steps };
                Head::Sign { negative, operand: Box::new(operand) }
            }
        };
        Ok(Operand::Value(Chain { head, steps: Vec::new() }))
    }

    fn chain(&mut self) -> Result<Operand, Fault> {
        self.part()?;
        let mut chain = match self.primary()? {
            Operand::Value(chain) => chain,
            Operand::Predicate(predicate) => match self.peek() {
                Some(Token::Sign("." | "[" | "?")) => {
                    Chain { head: Head::Predicate(Box::new(predicate)), steps: Vec::new() }
                }
                Some(Token::Word(_)) if self.word() == Some("is") => {
                    self.at += 1;
                    self.expect_word("unknown")?;
                    return Ok(Operand::Predicate(Predicate::IsUnknown(Box::new(predicate))));
                }
                _ => return Ok(Operand::Predicate(predicate)),
            },
        };
        while let Some(Token::Sign("." | "[" | "?")) = self.peek() {
            self.part()?;
            let step = self.step()?;
            chain.steps.push(step);
        }
        Ok(Operand::Value(chain))
    }

    fn primary(&mut self) -> Result<Operand, Fault> {
        let head = match self.peek() {
            Some(Token::Sign("(")) => {
                self.at += 1;
                let inner = self.or()?;
                self.expect_sign(")")?;
                return Ok(inner);
            }
            Some(Token::Sign("$")) => Head::Root,
            Some(Token::Sign("@")) if self.filters == 0 => {
                return Err(syntax(self.text, "`@` stands in filters only"));
            }
            Some(Token::Sign("@")) => Head::Current,
            Some(Token::Text(text)) => Head::String(text.clone()),
            // A point at the end is no part of a number of JSON, nor is one at the beginning.
            Some(Token::Number(text) | Token::Whole(text)) => Head::Number(number(text)),
            Some(Token::Variable(name)) => Head::Variable(name.clone()),
            _ => match self.word() {
                Some("null") => Head::Null,
                Some("true") => Head::Boolean(true),
                Some("false") => Head::Boolean(false),
                Some("last") if self.subscripts == 0 => {
                    return Err(syntax(self.text, "`last` stands in subscripts only"));
                }
                Some("last") => Head::Last,
                _ => return Err(self.unexpected()),
            },
        };
        self.at += 1;
        Ok(Operand::Value(Chain { head, steps: Vec::new() }))
    }

    fn step(&mut self) -> Result<Step, Fault> {
        if self.take_sign("[") {
            return self.subscripts();
        }
        if self.take_sign("?") {
            self.expect_sign("(")?;
            self.filters += 1;
            let inner = self.or();
            self.filters -= 1;
            let inner = self.predicate(inner?)?;
            self.expect_sign(")")?;
            return Ok(Step::Filter(Box::new(inner)));
        }
        self.expect_sign(".")?;
        if self.take_sign("*") {
            return Ok(Step::EveryMember);
        }
        if self.take_sign("**") {
            return self.levels();
        }
        let name = match self.peek() {
            Some(Token::Word(name) | Token::Text(name)) => name.clone(),
            _ => return Err(self.unexpected()),
        };
        let is_word = matches!(self.peek(), Some(Token::Word(_)));
        self.at += 1;
        let method = Method::find(&name).filter(|_| is_word && self.peek() == Some(&Token::Sign("(")));
        let Some(method) = method else { return Ok(Step::Member(name)) };
        self.expect_sign("(")?;
        if method == Method::Datetime && matches!(self.peek(), Some(Token::Text(_))) {
            return Err(Fault::new(Code::NotForValues, "`.datetime()` with a template is not supported"));
        }
        self.expect_sign(")")?;
        Ok(Step::Method(method))
    }

    fn subscripts(&mut self) -> Result<Step, Fault> {
        if self.take_sign("*") {
            self.expect_sign("]")?;
            return Ok(Step::EveryElement);
        }
        self.subscripts += 1;
        let mut list = Vec::new();
        loop {
            self.part()?;
            let first = self.sum()?;
            let first = self.value(first)?;
            let last = match self.take_word("to") {
                true => {
                    let last = self.sum()?;
                    Some(self.value(last)?)
                }
                false => None,
            };
            list.push((first, last));
            if !self.take_sign(",") {
                break;
            }
        }
        self.subscripts -= 1;
        self.expect_sign("]")?;
        Ok(Step::Elements(list))
    }

    /// The levels of `.**`: all, one, or from one to another.
    fn levels(&mut self) -> Result<Step, Fault> {
        if !self.take_sign("{") {
            return Ok(Step::Descendants { first: Some(0), last: None });
        }
        let first = self.level()?;
        let last = if self.take_word("to") { self.level()? } else { first };
        self.expect_sign("}")?;
        Ok(Step::Descendants { first, last })
    }

    fn level(&mut self) -> Result<Option<u32>, Fault> {
        if self.take_word("last") {
            return Ok(None);
        }
        let Some(Token::Whole(text)) = self.peek() else { return Err(self.unexpected()) };
        let level = text.parse::<i32>().ok().and_then(|level| u32::try_from(level).ok());
        let level = level.ok_or_else(|| Fault::new(Code::OutOfRange, format!("{text} is out of range for a level")))?;
        self.at += 1;
        Ok(Some(level))
    }
}

/// A number as JSON writes it.
fn number(text: &str) -> String {
    let (mantissa, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    let zero = if mantissa.starts_with('.') { "0" } else { "" };
    format!("{zero}{}{exponent}", mantissa.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_postgresql() {
        for path in [
            "$",
            "$.a == 1",
            "$.a <> 1",
            "$.a != 1",
            "$[1.]",
            "$[.5]",
            "$[1.e3]",
            "$[1.5]",
            "$.a1",
            "$.größe",
            r##"$."a b""##,
            r##"$.a\u0020b"##,
            r##"$.\u0041"##,
            r##"$.\x41"##,
            r##"$.\u{41}x"##,
            r##"$."\v\x41\u{1F600}""##,
            "$a",
            r##"$"a b""##,
            "$.*",
            "$.**",
            "$.**{2}",
            "$.**{2 to last}",
            "$.**{last}",
            "$.**{last to 2}",
            "$.**{3 to 2}",
            "$[*]",
            "$[0, 2 to last, $.a]",
            "$[last - 1]",
            "$ ? (@ > 1)",
            "$ ? (@ == true && !(@ == 1))",
            "$ ? (!exists(@.a))",
            "$ ? ((@ == 1) is unknown)",
            "$ ? ((!(@ == 1)) is unknown)",
            "(1 < 2).type()",
            "1 < 2",
            "(1 < 2) && (2 < 3) || 1 == 1",
            "-1",
            "- 1",
            "+$.a",
            "-$.a.b",
            "(-$.a).b",
            "-(1).type()",
            "1 .type()",
            "1..type()",
            "(1).type()",
            r##""a".type()"##,
            "null.type()",
            "1 + 2 * 3 - 4 % 5 / 6",
            "(1 + 2) * 3",
            "$.type()",
            "$.type",
            "$.size().abs()",
            "$.datetime()",
            "$.keyvalue()",
            r##"$ ? (@ like_regex "a.b")"##,
            r##"$ ? (@ like_regex "a" flag "imsq")"##,
            r##"$ ? (@ starts with "a")"##,
            "$ ? (@ starts with $x)",
            "strict $.a",
            "lax $.a",
            "STRICT $.a",
            "LAX $ ? (EXISTS (@.a))",
            "$.NULL",
            "$.true",
            "$.Null.exists",
            "$.is.unknown",
            "/* c */ $.a /* d */",
            "$ .a",
            "$. a",
            "$[ 0 ]",
            "$.a.b ? (@.c > $x) . d",
            "$.a[*] ? (@ > 1) ? (@ < 5)",
            "$.a?(@>1)",
            "$.strict.lax",
            "($.a)",
            "(($.a))",
            "($.a > 1)",
            "$ ? (@.a == (1))",
            "1e5",
            "1E+5",
            ".5",
            "5.",
            "$ == $.a && $ == $.b",
            "$ ? (@[last] == 1)",
            "$[0 ? (last == 1)]",
            "$.to",
            "exists($.a)",
            "!exists($.a)",
            "$ ? (exists(@ ? (@ > 1)))",
            "$a.b",
        ] {
            assert!(parse(path).is_ok(), "{path}: {:?}", parse(path).err());
        }
        for path in [
            "$.a = 1",
            "$[01]",
            "$[1a]",
            "$[1e]",
            "$.1a",
            "$.1",
            "$.a-b",
            r##"$."\u0000""##,
            r##"$."\ud83d""##,
            "last",
            "@",
            "$ ? (@.a)",
            "$ ? (true)",
            "$ ? (! @.a == 1)",
            "$ ? (!(@ == 1) is unknown)",
            "1 < 2 < 3",
            "(1 < 2) == true",
            "(1 < 2) == (2 < 3)",
            "-1.type()",
            "1.type()",
            "$.date()",
            "$.foo()",
            r##"$ ? (@ like_regex "a" flag "x")"##,
            r##"$ ? (@ like_regex "a" flag "z")"##,
            r##"$ ? (@ like_regex "(")"##,
            "$ ? (@ starts with @.a)",
            "NULL",
            "TRUE",
            "strict",
            "{}",
            "$.a.",
            "$..a",
            "$[",
            "$.a[]",
            "$.a ? @ > 1",
            "$ ? (exists (@.a) == true)",
            "0x10",
            "1_000",
            "'a'",
            r##""a" "b""##,
            "$.a || $.b",
            "$[$.a > 1]",
            "$ ? (@ > last)",
            "$.a # b",
            "$#a",
            "$.a to",
            "$.$a",
            "@.a",
            "$a b",
            "",
            " ",
            "$.a /* open",
            "\"open",
        ] {
            assert!(parse(path).is_err(), "{path}");
        }
        let template = parse("$.datetime(\"DD.MM.YYYY\")").map(|_| ()).map_err(|fault| fault.code);
        assert_eq!(template, Err(Code::NotForValues));
    }
}

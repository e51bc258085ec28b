//! Operand: the operands of operators: literals, names, calls, parentheses.

use super::Parser;
use super::Result;
use super::depth;
use super::is_among;
use super::mistake::not_scalar;
use super::mistake::subquery;
use super::mistake::syntax;
use super::mistake::unsupported;
use super::operators::NOT;
use super::operators::OTHER;
use super::operators::SIGN;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::tree::Kind;
use crate::expr::tree::Node;
use crate::expr::tree::Unary;
use crate::sql::scan;

/// Words that PostgreSQL reserves: as a name they must be quoted.
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric both case check collate column constraint create \
    default deferrable desc distinct do else end except fetch for foreign from grant group having in \
    initially intersect into is lateral leading limit like ilike not offset on only or order placing primary \
    references returning select similar some symmetric table then to trailing union unique using when where \
    window";

/// Words that stand for the clock or the session.
const OUTSIDE: &str = "current_date current_time current_timestamp current_user localtime localtimestamp session_user user \
    current_role";

/// What looks like a function and is syntax of its own, or is another function with a schema before its name.
const FORMS: &str = "all any array cast coalesce convert_timezone decode exists extract greatest grouping least not_null normalize \
    nullif nvl nvl2 overlay position row safe_cast some substring time timestamp trim try_cast values varchar";

impl Parser<'_> {
    pub(super) fn operand(&mut self) -> Result<Node> {
        let Some(token) = self.peek() else { return Err(self.unexpected("an expression")) };
        let operand = match token.kind {
            scan::Kind::Operator | scan::Kind::Point => return self.prefixed(token.text),
            scan::Kind::Word => return self.word(),
            scan::Kind::Number => Node::leaf(Kind::Number(token.text.to_owned()), self.advance()),
            scan::Kind::Text(_) => self.text()?,
            scan::Kind::Name(_) => {
                let (name, span) = self.quoted()?;
                if self.is_sign(0, "(") {
                    // Operators stand among the functions under their signs; nobody calls them so.
                    if !name.chars().all(|char| char.is_alphanumeric() || char == '_') {
                        let fact = format!("there is no function `{name}`");
                        return Err(Box::new(Diagnostic::error(Code::UnknownFunction, span, fact)));
                    }
                    self.advance();
                    // A name between quotes is no word of the grammar.
                    let plain = self.plain_arguments(name)?;
                    return self.called(plain, span);
                }
                let name = Node::leaf(Kind::Name { name, quoted: true }, span);
                self.subscripts(name)?
            }
            scan::Kind::Bits => return Err(self.unsupported("bit strings and bytes are no types here")),
            scan::Kind::Parameter => return Err(self.unsupported("an expression has no parameters")),
            _ => return Err(self.unexpected("an expression")),
        };
        self.unqualified()?;
        Ok(operand)
    }

    /// An operator before its operand, or a parenthesis.
    fn prefixed(&mut self, sign: &str) -> Result<Node> {
        match sign {
            "-" => self.sign(Unary::Minus, SIGN),
            "+" => self.sign(Unary::Plus, SIGN),
            "(" => self.parenthesis(),
            "~" | "@" | "|/" | "||/" => {
                let place = self.advance();
                let operand = self.expression(OTHER + 1)?;
                let (span, depth) = (place.to(operand.span), operand.depth);
                // It stands in the table of functions under its sign.
                self.node(Kind::Call { name: sign.to_owned(), place, arguments: vec![operand] }, span, depth)
            }
            "!!" | "!" => Err(self.unsupported("write `factorial(n)`")),
            _ => Err(self.unexpected("an expression")),
        }
    }

    fn sign(&mut self, operator: Unary, level: u8) -> Result<Node> {
        let place = self.advance();
        let operand = self.expression(level)?;
        let (span, depth) = (place.to(operand.span), operand.depth);
        self.node(Kind::Unary { operator, operand: Box::new(operand) }, span, depth)
    }

    fn parenthesis(&mut self) -> Result<Node> {
        let open = self.advance();
        if self.is_query() {
            return Err(subquery(self.span()));
        }
        let inner = self.expression(0)?;
        if self.eat(",").is_some() {
            return self.row(open, vec![inner]);
        }
        let close = self.expect(")", "`)`")?;
        self.subscripts(Node { span: open.to(close), ..inner })
    }

    /// The rest of a row of values, behind the first of them or behind `ROW(`; and `(start, end) OVERLAPS (start, end)`.
    fn row(&mut self, open: Span, first: Vec<Node>) -> Result<Node> {
        let (rest, close) = self.list()?;
        let values: Vec<_> = first.into_iter().chain(rest).collect();
        let place = self.span();
        if values.len() == 2 && self.eat_word("overlaps").is_some() {
            let second = self.span();
            self.eat_word("row");
            self.expect("(", "`(`")?;
            let (last, end) = self.list()?;
            if last.len() != 2 {
                return Err(syntax(second.to(end), "a span of time has two ends"));
            }
            let arguments: Vec<_> = values.into_iter().chain(last).collect();
            let depth = depth(&arguments);
            return self.node(Kind::Call { name: "overlaps".to_owned(), place, arguments }, open.to(end), depth);
        }
        let depth = depth(&values);
        self.node(Kind::Row(values), open.to(close), depth)
    }

    fn word(&mut self) -> Result<Node> {
        let Some(token) = self.peek() else { return Err(self.unexpected("an expression")) };
        let (word, span) = (token.text.to_ascii_lowercase(), self.span());
        let is_called = self.is_sign(1, "(");
        match word.as_str() {
            "null" => return Ok(Node::leaf(Kind::Null, self.advance())),
            "true" => return Ok(Node::leaf(Kind::Boolean(true), self.advance())),
            "false" => return Ok(Node::leaf(Kind::Boolean(false), self.advance())),
            "not" => return self.sign(Unary::Not, NOT),
            "case" => return self.case(),
            "exists" if is_called => return Err(subquery(span)),
            "array" if self.is_sign(1, "[") => return self.array(),
            "array" if is_called => return Err(subquery(span)),
            "row" if is_called => {
                let open = self.advance();
                self.advance();
                return self.row(open, Vec::new());
            }
            _ => {}
        }
        let called = self.word_ahead(2);
        let is_of_catalog = word == "pg_catalog" && self.is_sign(1, ".") && self.is_sign(3, "(");
        if is_of_catalog && !called.is_empty() && !is_among(FORMS, &called) {
            return self.catalog_call();
        }
        if is_among(RESERVED, &word) {
            let written = token.text;
            return Err(Box::new(
                Diagnostic::error(Code::Syntax, span, format!("`{written}` stands where an expression is wanted"))
                    .with_help(format!("it is a word of SQL; if a field has that name, write \"{written}\"")),
            ));
        }
        if let Some(typed) = self.typed_literal()? {
            return Ok(typed);
        }
        self.advance();
        if is_called {
            return self.call(word, span);
        }
        if is_among(OUTSIDE, &word) {
            let written = token.text;
            return Err(Box::new(
                Diagnostic::error(Code::NotScalar, span, format!("`{word}` would give another value in every run"))
                    .with_help(format!(
                        "`batch_time()` is the time of the run, and the same whenever it is repeated; if a field has that \
                         name, write \"{written}\""
                    )),
            ));
        }
        self.unqualified()?;
        self.subscripts(Node::leaf(Kind::Name { name: token.text.to_owned(), quoted: false }, span))
    }

    /// `ARRAY[a, b]`: its text is made by a call.
    fn array(&mut self) -> Result<Node> {
        let start = self.advance();
        let place = self.advance();
        let mut arguments = Vec::new();
        let end = loop {
            if let Some(end) = self.eat("]") {
                break end;
            }
            if !arguments.is_empty() {
                self.expect(",", "`,` or `]`")?;
            }
            arguments.push(self.expression(0)?);
        };
        let (span, below) = (start.to(end), depth(&arguments));
        let text = self.node(Kind::Call { name: "array[]".to_owned(), place, arguments }, span, below)?;
        let below = text.depth;
        self.node(Kind::Array(Box::new(text)), span, below)
    }

    /// The subscripts behind a name or a parenthesis: `name['a'][0]`.
    fn subscripts(&mut self, node: Node) -> Result<Node> {
        let place = self.span();
        let (mut end, mut arguments) = (place, vec![node]);
        while self.eat("[").is_some() {
            arguments.push(self.expression(0)?);
            end = self.expect("]", "`]`")?;
        }
        match arguments.len() {
            1 => arguments.pop().ok_or_else(|| self.unexpected("an expression")),
            _ => {
                let (span, below) = (arguments.first().map_or(place, |node| node.span).to(end), depth(&arguments));
                self.node(Kind::Call { name: "[]".to_owned(), place, arguments }, span, below)
            }
        }
    }

    /// No point follows.
    fn unqualified(&self) -> Result<()> {
        match self.is_sign(0, ".") {
            false => Ok(()),
            true => Err(unsupported(
                self.span(),
                "a name with a point is not supported",
                "there is one table only: write the bare name",
            )),
        }
    }

    /// A call of a function with the schema of PostgreSQL's own ones.
    fn catalog_call(&mut self) -> Result<Node> {
        self.advance();
        self.advance();
        let name = self.word_ahead(0);
        let place = self.advance();
        self.advance();
        let call = self.plain_arguments(name)?;
        self.called(call, place)
    }

    /// A call, behind the function's name.
    fn call(&mut self, name: String, place: Span) -> Result<Node> {
        self.advance();
        let (name, arguments, end) = match name.as_str() {
            "cast" | "try_cast" => return self.cast_call(&name, place),
            "safe_cast" => {
                return Err(Box::new(
                    Diagnostic::error(Code::UnknownFunction, place, "there is no function `safe_cast`")
                        .with_help("write `try_cast(… as integer)`, which is NULL where the cast fails"),
                ));
            }
            "time" | "timestamp" | "varchar" => {
                let fact = format!("`{name}` is a type, not a function");
                return Err(unsupported(place, fact, "cast the value: `…::date`"));
            }
            "extract" => self.extract()?,
            "position" => self.position()?,
            "trim" => self.trim()?,
            "normalize" if !self.is_sign(0, ")") => self.normal_form(name)?,
            "substring" | "overlay" if !self.is_sign(0, ")") => self.with_words(name)?,
            _ if self.eat_word("distinct").is_some() => {
                return Err(not_scalar(place, format!("`{name}(DISTINCT …)` needs the other rows of the table")));
            }
            _ if self.is_sign(0, "*") => {
                return Err(not_scalar(place, format!("`{name}(*)` needs the other rows of the table")));
            }
            _ if self.is_query() => return Err(subquery(self.span())),
            _ => self.plain_arguments(name)?,
        };
        self.called((name, arguments, end), place)
    }

    /// The arguments of a call, up to and with the closing parenthesis.
    fn plain_arguments(&mut self, name: String) -> Result<(String, Vec<Node>, Span)> {
        match self.eat(")") {
            Some(end) => Ok((name, Vec::new(), end)),
            None => self.arguments(name),
        }
    }

    /// The call of which the name and the arguments are read.
    fn called(&mut self, (name, arguments, end): (String, Vec<Node>, Span), place: Span) -> Result<Node> {
        if self.is_word(0, "over") || (self.is_word(0, "filter") && self.is_sign(1, "(")) {
            return Err(not_scalar(place, format!("`{name}` as a window function needs the other rows of the table")));
        }
        let depth = depth(&arguments);
        self.node(Kind::Call { name, place, arguments }, place.to(end), depth)
    }
}

impl Parser<'_> {
    /// `normalize(text, NFD)`: the form is a word.
    fn normal_form(&mut self, name: String) -> Result<(String, Vec<Node>, Span)> {
        let mut arguments = vec![self.expression(0)?];
        if self.eat(",").is_some() {
            arguments.push(self.form()?);
        }
        let end = self.expect(")", "`,` or `)`")?;
        Ok((name, arguments, end))
    }

    /// The name of a normal form of Unicode, as a text.
    pub(super) fn form(&mut self) -> Result<Node> {
        let word = self.word_ahead(0);
        match word.as_str() {
            "nfc" | "nfd" | "nfkc" | "nfkd" => Ok(Node::leaf(Kind::Text(word), self.advance())),
            _ => Err(self.unexpected("`NFC`, `NFD`, `NFKC` or `NFKD`")),
        }
    }

    /// What the quoted name or text ahead says, and its place with the escape that may follow it.
    pub(super) fn quoted(&mut self) -> Result<(String, Span)> {
        let Some(token) = self.peek() else { return Err(self.unexpected("an expression")) };
        let mut span = self.advance();
        let mut escape = '\\';
        let is_unicode =
            matches!(token.kind, scan::Kind::Text(scan::Quotes::Unicode) | scan::Kind::Name(scan::Quotes::Unicode));
        if is_unicode && self.eat_word("uescape").is_some() {
            let named = self.peek().filter(|token| token.kind == scan::Kind::Text(scan::Quotes::Plain));
            let Some(named) = named else { return Err(self.unexpected("the escape character")) };
            let end = self.advance();
            let letter =
                crate::sql::unquote::unquote(&named, '\\').and_then(|text| crate::sql::unquote::escape_letter(&text));
            escape = letter.map_err(|problem| syntax(end, problem.to_string()))?;
            span = span.to(end);
        }
        match crate::sql::unquote::unquote(&token, escape) {
            Ok(said) => Ok((said, span)),
            Err(problem) => Err(syntax(span, problem.to_string())),
        }
    }
}

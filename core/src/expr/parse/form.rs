//! Form: calls with keywords among their arguments, and `CASE`.
//!
//! ```text
//! CASE [x] WHEN … THEN … [WHEN …] [ELSE …] END
//! CAST(x AS type)                                  TRY_CAST(x AS type)
//! EXTRACT(field FROM x)                            POSITION(x IN y)
//! TRIM([LEADING | TRAILING | BOTH] [x] [FROM] y)   SUBSTRING(x [FROM n] [FOR n])
//! SUBSTRING(x SIMILAR y ESCAPE z)                  OVERLAY(x PLACING y FROM n [FOR n])
//! MAKE_DATE(year => n, …)                          JSONB_SET(a, b, c, create_if_missing => d), …
//! ```

use super::Parser;
use super::Result;
use super::depth;
use super::mistake::unsupported;
use super::operators::OTHER;
use super::operators::elements;
use super::types::Modifier;
use crate::diagnostic::Span;
use crate::expr::tree::Kind;
use crate::expr::tree::Node;
use crate::sql::scan;

/// The function that a form is, its arguments, and its closing parenthesis.
type Form = (String, Vec<Node>, Span);

impl Parser<'_> {
    pub(super) fn case(&mut self) -> Result<Node> {
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

    /// `CAST` and `TRY_CAST`, behind the parenthesis.
    pub(super) fn cast_call(&mut self, name: &str, place: Span) -> Result<Node> {
        let operand = self.expression(0)?;
        self.expect_word("as")?;
        let (to, _) = self.target_type()?;
        let span = place.to(self.expect(")", "`)`")?);
        if name == "cast" {
            return self.cast(operand, to, span);
        }
        if !matches!(to.modifier, None | Some(Modifier::Name)) {
            return Err(unsupported(
                span,
                "`TRY_CAST` takes a type of times without digits or fields",
                "cast the result once more",
            ));
        }
        let depth = depth([&operand]);
        self.node(Kind::TryCast { operand: Box::new(operand), to: to.ty }, span, depth)
    }

    /// `EXTRACT` is `extract('field', x)`.
    pub(super) fn extract(&mut self) -> Result<Form> {
        let (field, place) = match self.peek().map(|token| token.kind) {
            // PostgreSQL's word for a decimal is none of its words for a decade.
            Some(scan::Kind::Word) if self.is_word(0, "dec") => return Err(self.unexpected("a field such as `decade`")),
            Some(scan::Kind::Word) => (self.word_ahead(0), self.advance()),
            Some(scan::Kind::Text(_) | scan::Kind::Name(_)) => self.quoted()?,
            _ => return Err(self.unexpected("a field such as `year`")),
        };
        self.expect_word("from")?;
        let operand = self.expression(0)?;
        let end = self.expect(")", "`)`")?;
        Ok(("extract".to_owned(), vec![Node::leaf(Kind::Text(field), place), operand], end))
    }

    pub(super) fn position(&mut self) -> Result<Form> {
        let part = self.expression(OTHER)?;
        self.expect_word("in")?;
        let text = self.expression(0)?;
        let end = self.expect(")", "`)`")?;
        Ok(("position".to_owned(), vec![text, part], end))
    }

    /// `TRIM` is a call of `ltrim`, `rtrim` or `btrim`.
    pub(super) fn trim(&mut self) -> Result<Form> {
        let (name, has_side) = match self.word_ahead(0).as_str() {
            "leading" => ("ltrim".to_owned(), true),
            "trailing" => ("rtrim".to_owned(), true),
            "both" => ("btrim".to_owned(), true),
            _ => ("btrim".to_owned(), false),
        };
        if has_side {
            self.advance();
        }
        if self.eat_word("from").is_some() {
            let (arguments, end) = self.list()?;
            return Ok((name, arguments, end));
        }
        let first = self.expression(0)?;
        if self.eat_word("from").is_some() {
            let text = self.expression(0)?;
            return Ok((name, vec![text, first], self.expect(")", "`)`")?));
        }
        let mut arguments = vec![first];
        if self.eat(",").is_some() {
            arguments.push(self.expression(0)?);
        }
        Ok((name, arguments, self.expect(")", "`,` or `)`")?))
    }

    /// `SUBSTRING` and `OVERLAY`, whose arguments stand between words or commas.
    pub(super) fn with_words(&mut self, name: String) -> Result<Form> {
        let mut arguments = vec![self.expression(0)?];
        let is_substring = name == "substring";
        if is_substring && self.is_word(0, "for") {
            let place = self.advance();
            let length = self.expression(0)?;
            arguments.push(match self.eat_word("from") {
                Some(_) => self.expression(0)?,
                None => Node::leaf(Kind::Number("1".to_owned()), place),
            });
            arguments.push(length);
            return Ok((name, arguments, self.expect(")", "`)`")?));
        }
        let words: &[&str] = match is_substring {
            true if self.is_word(0, "similar") => &["similar", "escape"],
            true => &["from", "for"],
            false => &["placing", "from", "for"],
        };
        if words.first().is_some_and(|word| self.is_word(0, word)) {
            for word in words {
                if self.eat_word(word).is_some() {
                    arguments.push(self.expression(0)?);
                }
            }
            return Ok((name, arguments, self.expect(")", "`)`")?));
        }
        let end = match self.eat(",") {
            Some(_) => {
                let (rest, end) = self.list()?;
                arguments.extend(rest);
                end
            }
            None => self.expect(")", "`,` or `)`")?,
        };
        Ok((name, arguments, end))
    }

    /// The arguments of a call, some of which may have the names of their parameters: `days => 2`.
    pub(super) fn arguments(&mut self, name: String) -> Result<Form> {
        let mut arguments = Vec::new();
        while !self.is_named() {
            if VARIADIC.contains(&name.as_str()) && self.eat_word("variadic").is_some() {
                let array = self.expression(0)?;
                arguments.extend(self.spread(array)?);
                let end = self.expect(")", "`)`")?;
                return Ok((name, arguments, end));
            }
            arguments.push(self.expression(0)?);
            if self.eat(",").is_none() {
                let end = self.expect(")", "`,` or `)`")?;
                return Ok((name, arguments, end));
            }
        }
        let Some((_, parameters)) = PARAMETERS.iter().find(|(function, _)| *function == name) else {
            return Err(self.unsupported("the arguments of that function have no names here"));
        };
        let mut slots: Vec<_> = arguments.into_iter().map(Some).collect();
        slots.resize_with(slots.len().max(parameters.len()), || None);
        loop {
            let at = parameters.iter().position(|(name, _)| self.is_named() && self.is_word(0, name));
            let free = at.and_then(|at| slots.get_mut(at)).filter(|slot| slot.is_none());
            let Some(slot) = free else { return Err(self.unexpected("the name of an argument")) };
            self.advance();
            self.advance();
            *slot = Some(self.expression(0)?);
            if self.eat(",").is_none() {
                break;
            }
        }
        let end = self.expect(")", "`,` or `)`")?;
        let missing = |(slot, (_, default)): (Option<Node>, &(&str, Option<Default>))| match (slot, default) {
            (Some(given), _) => Some(Some(given)),
            (None, Some(default)) => Some(default.kind().map(|kind| Node::leaf(kind, end))),
            (None, None) => None,
        };
        match slots.into_iter().zip(*parameters).map(missing).collect::<Option<Vec<_>>>() {
            Some(arguments) => Ok((name, arguments.into_iter().flatten().collect(), end)),
            None => Err(unsupported(end, format!("`{name}` lacks an argument"), "some have no value of their own")),
        }
    }

    /// The values of an array that is written out, as the arguments that `VARIADIC` makes of them.
    fn spread(&self, array: Node) -> Result<Vec<Node>> {
        let span = array.span;
        let values = match array.kind {
            Kind::Array(text) => match text.kind {
                Kind::Text(text) => self.texts(elements(&text, span)?)?,
                Kind::Call { name, arguments, .. } if name == "array[]" => {
                    match arguments.iter().all(|value| matches!(value.kind, Kind::Text(_) | Kind::Null)) {
                        true => self.texts(arguments)?,
                        false if arguments.iter().any(|value| matches!(value.kind, Kind::Text(_))) => Vec::new(),
                        false => arguments,
                    }
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        match values.is_empty() {
            true => {
                Err(unsupported(span, "this array is not supported behind `VARIADIC`", "write its values as arguments"))
            }
            false => Ok(values),
        }
    }

    /// Whether the name of a parameter is ahead.
    fn is_named(&self) -> bool {
        self.ahead(0).is_some_and(|token| token.kind == scan::Kind::Word)
            && (self.is_sign(1, "=>") || self.is_sign(1, ":="))
    }
}

/// Functions of any number of arguments, the last of which may be an array behind `VARIADIC`.
const VARIADIC: [&str; 13] = [
    "concat",
    "concat_ws",
    "format",
    "json_build_array",
    "json_build_object",
    "json_extract_path",
    "json_extract_path_text",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_extract_path",
    "jsonb_extract_path_text",
    "num_nonnulls",
    "num_nulls",
];

/// What an argument is that is left out.
#[derive(Debug, Clone, Copy)]
enum Default {
    Number(&'static str),
    Boolean(bool),
    Text(&'static str),
    /// The last argument of a function that there is without it, too.
    Nothing,
}

impl Default {
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Number(text) => Some(Kind::Number(text.to_owned())),
            Self::Boolean(value) => Some(Kind::Boolean(value)),
            Self::Text(text) => Some(Kind::Text(text.to_owned())),
            Self::Nothing => None,
        }
    }
}

/// The parameters of a function, and what stands for an argument that is left out.
type Parameters = (&'static str, &'static [(&'static str, Option<Default>)]);

const ZERO: Option<Default> = Some(Default::Number("0"));

/// The parameters of a search by a JSON path.
const SEARCH: &[(&str, Option<Default>)] =
    &[("target", None), ("path", None), ("vars", Some(Default::Text("{}"))), ("silent", Some(Default::Boolean(false)))];

/// The parameters of an operator on JSON that takes a name, or a position.
const FIELD: &[(&str, Option<Default>)] = &[("from_json", None), ("field_name", None)];
const ELEMENT: &[(&str, Option<Default>)] = &[("from_json", None), ("element_index", None)];

/// Functions whose arguments may have names, which are PostgreSQL's.
const PARAMETERS: &[Parameters] = &[
    ("make_date", &[("year", None), ("month", None), ("day", None)]),
    ("make_time", &[("hour", None), ("min", None), ("sec", None)]),
    (
        "make_timestamp",
        &[("year", None), ("month", None), ("mday", None), ("hour", None), ("min", None), ("sec", None)],
    ),
    (
        "make_timestamptz",
        &[
            ("year", None),
            ("month", None),
            ("mday", None),
            ("hour", None),
            ("min", None),
            ("sec", None),
            ("timezone", Some(Default::Nothing)),
        ],
    ),
    ("json_array_element", ELEMENT),
    ("json_array_element_text", ELEMENT),
    ("json_object_field", FIELD),
    ("json_object_field_text", FIELD),
    ("jsonb_array_element", ELEMENT),
    ("jsonb_array_element_text", ELEMENT),
    ("jsonb_object_field", FIELD),
    ("jsonb_object_field_text", FIELD),
    (
        "make_interval",
        &[
            ("years", ZERO),
            ("months", ZERO),
            ("weeks", ZERO),
            ("days", ZERO),
            ("hours", ZERO),
            ("mins", ZERO),
            ("secs", ZERO),
        ],
    ),
    (
        "jsonb_set",
        &[
            ("jsonb_in", None),
            ("path", None),
            ("replacement", None),
            ("create_if_missing", Some(Default::Boolean(true))),
        ],
    ),
    (
        "jsonb_set_lax",
        &[
            ("jsonb_in", None),
            ("path", None),
            ("replacement", None),
            ("create_if_missing", Some(Default::Boolean(true))),
            ("null_value_treatment", Some(Default::Text("use_json_null"))),
        ],
    ),
    (
        "jsonb_insert",
        &[("jsonb_in", None), ("path", None), ("replacement", None), ("insert_after", Some(Default::Boolean(false)))],
    ),
    ("jsonb_path_exists", SEARCH),
    ("jsonb_path_exists_tz", SEARCH),
    ("jsonb_path_match", SEARCH),
    ("jsonb_path_match_tz", SEARCH),
    ("jsonb_path_query_array", SEARCH),
    ("jsonb_path_query_array_tz", SEARCH),
    ("jsonb_path_query_first", SEARCH),
    ("jsonb_path_query_first_tz", SEARCH),
];

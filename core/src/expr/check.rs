//! Check: names are looked up, literals get their types, operators and functions are resolved, as PostgreSQL does it.
//!
//! A quoted literal is `unknown` until its place gives it a type; it is read then and there, and one that is no value of
//! the type is the author's mistake. Every mistake is reported: a part that is wrong gives no type, and what is built on
//! it is passed over.
//!
//! Constant parts are computed once, here. One that faults stays, and faults the rows that reach it.

mod conditional;
mod operators;
mod resolve;
mod types;

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::StringViewArray;
use arrow_array::cast::AsArray;
use arrow_array::new_null_array;

use super::Context;
use super::Name;
use super::checked::Checked;
use super::checked::Form;
use super::evaluate::Batch;
use super::evaluate::cast;
use super::evaluate::decimal;
use super::evaluate::vector::Vector;
use super::functions::Call;
use super::functions::Kind;
use super::tree;
use super::tree::Binary;
use super::tree::Node;
use super::tree::Test;
use super::tree::Unary;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::types::Type;
use crate::value::Decimal;

/// Checks an expression over the names in `scope`.
pub(super) fn check(node: &Node, scope: &[Name]) -> Result<(Checked, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut checker = Checker { scope, diagnostics: Vec::new(), level: 0 };
    let checked = checker.node(node).and_then(|checked| checker.settled(checked));
    match checked {
        Some(checked) if checker.is_clean() => Ok((checked, checker.diagnostics)),
        _ => Err(checker.diagnostics),
    }
}

/// What is outside of rows is unknown while constants are computed; a part that asks for it is no constant.
const NOWHERE: Context<'static> = Context { batch_time: 0, source_name: "", record_offsets: &[] };

struct Checker<'a> {
    scope: &'a [Name],
    diagnostics: Vec<Diagnostic>,
    /// How many [`Form::Let`]s enclose the part that is being checked.
    level: usize,
}

impl Checker<'_> {
    fn is_clean(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity == crate::diagnostic::Severity::Warning)
    }

    /// Reports a mistake; there is no part then.
    fn wrong<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    fn node(&mut self, node: &Node) -> Option<Checked> {
        let span = node.span;
        match &node.kind {
            tree::Kind::Null => Some(unknown(None, span)),
            tree::Kind::Text(text) => Some(unknown(Some(text.clone()), span)),
            tree::Kind::Boolean(value) => {
                Some(constant(Arc::new(BooleanArray::from(vec![*value])), Type::Boolean, span))
            }
            tree::Kind::Number(text) => self.number(text, span),
            // The smallest numbers of a type have no counterpart above zero.
            tree::Kind::Unary { operator: Unary::Minus, operand } if matches!(operand.kind, tree::Kind::Number(_)) => {
                let tree::Kind::Number(text) = &operand.kind else { return None };
                self.number(&format!("-{text}"), span)
            }
            tree::Kind::Name(name) => self.name(name, span),
            tree::Kind::Unary { operator: Unary::Not, operand } => {
                let operand = self.boolean(operand, "NOT")?;
                Some(fold(Form::Not(Box::new(operand)), Type::Boolean, span))
            }
            tree::Kind::Unary { operator, operand } => self.sign(*operator, operand, span),
            tree::Kind::Binary { operator, place, left, right } => {
                let (left, right) = (self.node(left), self.node(right));
                self.binary(*operator, *place, left?, right?, span)
            }
            tree::Kind::And(operands) => self.logic(operands, "AND", Form::And, span),
            tree::Kind::Or(operands) => self.logic(operands, "OR", Form::Or, span),
            tree::Kind::Is { operand, test, negated } => {
                let operand = match test {
                    Test::Null => {
                        let operand = self.node(operand)?;
                        self.settled(operand)?
                    }
                    _ => self.boolean(operand, "IS")?,
                };
                Some(fold(Form::Is { operand: Box::new(operand), test: *test, negated: *negated }, Type::Boolean, span))
            }
            tree::Kind::Distinct { left, right, negated } => {
                let (left, right) = (self.node(left), self.node(right));
                let (left, right) = self.comparable(left?, right?, "IS DISTINCT FROM", span)?;
                let form = Form::Distinct { left: Box::new(left), right: Box::new(right), negated: *negated };
                Some(fold(form, Type::Boolean, span))
            }
            tree::Kind::In { operand, list, negated } => self.within(operand, list, *negated, span),
            tree::Kind::Between { operand, low, high, symmetric, negated } => {
                self.between(operand, low, high, *symmetric, *negated, span)
            }
            tree::Kind::Like { operand, pattern, escape, ignore_case, negated } => {
                let operand = self.text(operand, "LIKE");
                let pattern = self.text(pattern, "LIKE");
                let escape = escape.as_ref().map(|escape| self.text(escape, "ESCAPE"));
                let (operand, pattern, escape) = (operand?, pattern?, flip(escape)?);
                self.like(operand, pattern, escape, *ignore_case, *negated, span)
            }
            tree::Kind::Case { operand, arms, otherwise } => {
                self.case(operand.as_deref(), arms, otherwise.as_deref(), span)
            }
            tree::Kind::Cast { operand, to } => {
                // A number beyond 38 digits is still a floating-point number.
                let beyond = match &operand.kind {
                    tree::Kind::Number(text) if to.is_float() => Some(text),
                    _ => None,
                };
                let operand = match beyond.filter(|text| Decimal::parse(text.as_bytes()).is_err()) {
                    Some(text) => unknown(Some(text.clone()), operand.span),
                    None => self.node(operand)?,
                };
                self.cast(operand, *to, span)
            }
            tree::Kind::TryCast { operand, to } => {
                let operand = self.node(operand)?;
                let operand = self.settled(operand)?;
                self.try_cast(operand, *to, span)
            }
            tree::Kind::Collate(operand) => {
                let operand = self.node(operand)?;
                if operand.is_unknown() || operand.ty.is_text() {
                    return Some(Checked { span, ..operand });
                }
                let fact = format!("COLLATE takes text, not {}", operand.ty);
                self.wrong(Diagnostic::error(Code::Types, span, fact))
            }
            tree::Kind::Call { name, place, arguments } => self.call(name, *place, arguments, span),
        }
    }

    fn number(&mut self, text: &str, span: Span) -> Option<Checked> {
        if text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
            if let Ok(value) = text.parse::<i32>() {
                return Some(constant(Arc::new(Int32Array::from(vec![value])), Type::Integer, span));
            }
            if let Ok(value) = text.parse::<i64>() {
                return Some(constant(Arc::new(Int64Array::from(vec![value])), Type::Bigint, span));
            }
        }
        match Decimal::parse(text.as_bytes()) {
            Ok(value) => Some(decimal_constant(value, span)),
            Err(fault) => {
                let wrong = Diagnostic::error(Code::Unsupported, span, fault.message.to_string());
                self.wrong(
                    wrong.with_help(
                        "an exact number has at most 38 digits; quote it and cast: `'1e50'::double precision`",
                    ),
                )
            }
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Option<Checked> {
        let same = |known: &&Name| known.name.to_lowercase() == name.to_lowercase();
        let exact = self.scope.iter().position(|known| known.name == name);
        let position = match exact {
            Some(position) => position,
            None => {
                let found: Vec<_> = self.scope.iter().filter(same).collect();
                match found.as_slice() {
                    [] => {
                        let known = self.scope.iter().map(|known| known.name.as_str());
                        let wrong = Diagnostic::error(Code::UnknownName, span, format!("there is no `{name}` here"));
                        return self.wrong(wrong.with_nearest(name, known));
                    }
                    [_] => self.scope.iter().position(|known| same(&known))?,
                    [first, second, ..] => {
                        let fact = format!("`{name}` may be `{}` or `{}`", first.name, second.name);
                        let wrong = Diagnostic::error(Code::UnknownName, span, fact);
                        return self.wrong(wrong.with_help("write it with the letter case of the one that is meant"));
                    }
                }
            }
        };
        let known = self.scope.get(position)?;
        Some(Checked { form: Form::Name(position), ty: known.ty, nullable: known.nullable, span })
    }

    /// A part of boolean type: an operand of `AND`, a condition.
    fn boolean(&mut self, node: &Node, place: &str) -> Option<Checked> {
        let checked = self.node(node)?;
        self.coerced(checked, Kind::Boolean, place)
    }

    fn text(&mut self, node: &Node, place: &str) -> Option<Checked> {
        let checked = self.node(node)?;
        let checked = self.coerced(checked, Kind::Text, place)?;
        self.convert(checked, Type::Text)
    }

    /// The part as one of that kind, if it becomes one without being asked to.
    fn coerced(&mut self, checked: Checked, kind: Kind, place: &str) -> Option<Checked> {
        if checked.is_unknown() || Kind::of(checked.ty).becomes(kind) {
            return self.as_kind(checked, kind);
        }
        let fact = format!("{place} takes {}, not {}", kind.ty(), checked.ty);
        self.wrong(Diagnostic::error(Code::Types, checked.span, fact))
    }

    fn logic(&mut self, nodes: &[Node], word: &str, form: fn(Vec<Checked>) -> Form, span: Span) -> Option<Checked> {
        let operands: Vec<_> = nodes.iter().map(|node| self.boolean(node, word)).collect();
        Some(fold(form(operands.into_iter().collect::<Option<_>>()?), Type::Boolean, span))
    }

    fn like(
        &mut self,
        operand: Checked,
        pattern: Checked,
        escape: Option<Checked>,
        ignore_case: bool,
        negated: bool,
        span: Span,
    ) -> Option<Checked> {
        let text = |part: &Checked| {
            let array = part.constant()?.as_string_view();
            array.is_valid(0).then(|| array.value(0).to_owned())
        };
        let character = match &escape {
            None => Some(Ok(Some('\\'))),
            Some(escape) => text(escape).map(|escape| super::evaluate::like::escape(&escape)),
        };
        let matcher = match (text(&pattern), character) {
            (Some(pattern), Some(Ok(character))) => {
                Some(Arc::new(super::evaluate::like::Matcher::new(&pattern, character, ignore_case)))
            }
            _ => None,
        };
        let form = Form::Like {
            operand: Box::new(operand),
            pattern: Box::new(pattern),
            escape: escape.map(Box::new),
            matcher,
            ignore_case,
            negated,
        };
        Some(fold(form, Type::Boolean, span))
    }

    fn within(&mut self, operand: &Node, list: &[Node], negated: bool, span: Span) -> Option<Checked> {
        let operand = self.node(operand);
        self.level += 1;
        let items: Vec<_> = list.iter().map(|item| self.node(item)).collect();
        self.level -= 1;
        let (operand, items) = (operand?, items.into_iter().collect::<Option<Vec<_>>>()?);
        let common = self.common([&operand].into_iter().chain(&items), "IN", span)?;
        let ty = if common.is_text() { Type::Text } else { common };
        // Texts beside a char lose their trailing blanks as it does.
        let mut convert = |part: Checked| {
            let part = if matches!(common, Type::Char(_)) { self.convert(part, Type::Char(0))? } else { part };
            self.convert(part, ty)
        };
        let operand = convert(operand)?;
        let items: Vec<_> = items.into_iter().map(convert).collect();
        let items = items.into_iter().collect::<Option<Vec<_>>>()?;
        if ty == Type::Text && items.iter().all(|item| item.constant().is_some()) {
            let mut list = Vec::new();
            let mut has_null = false;
            for item in items.iter().filter_map(Checked::constant).map(|array| array.as_string_view()) {
                match item.is_valid(0) {
                    true => list.push(Box::from(item.value(0))),
                    false => has_null = true,
                }
            }
            list.sort_unstable();
            let form = Form::OneOf { operand: Box::new(operand), list: list.into(), has_null, negated };
            return Some(fold(form, Type::Boolean, span));
        }
        let local = self.local(&operand);
        let equals = items.into_iter().map(|item| {
            let place = item.span;
            let form = Form::Compare { operator: Binary::Equal, left: Box::new(local.clone()), right: Box::new(item) };
            fold(form, Type::Boolean, place)
        });
        let any = fold(Form::Or(equals.collect()), Type::Boolean, span);
        let body = if negated { fold(Form::Not(Box::new(any)), Type::Boolean, span) } else { any };
        Some(share(operand, body))
    }

    fn between(
        &mut self,
        operand: &Node,
        low: &Node,
        high: &Node,
        symmetric: bool,
        negated: bool,
        span: Span,
    ) -> Option<Checked> {
        let operand = self.node(operand);
        self.level += 1;
        let (low, high) = (self.node(low), self.node(high));
        self.level -= 1;
        let (operand, low, high) = (operand?, low?, high?);
        // A quoted operand takes the type of a bound.
        let operand = match [&low, &high].into_iter().find(|bound| !bound.is_unknown()) {
            Some(bound) if operand.is_unknown() => self.as_kind(operand, Kind::of(bound.ty))?,
            _ => self.settled(operand)?,
        };
        let local = self.local(&operand);
        let mut inside = |low: Checked, high: Checked| {
            let above = self.compare(Binary::GreaterOrEqual, local.clone(), low, span);
            let below = self.compare(Binary::LessOrEqual, local.clone(), high, span);
            Some(fold(Form::And(vec![above?, below?]), Type::Boolean, span))
        };
        let mut body = match symmetric {
            false => inside(low, high)?,
            true => {
                let either = vec![inside(low.clone(), high.clone())?, inside(high, low)?];
                fold(Form::Or(either), Type::Boolean, span)
            }
        };
        if negated {
            body = fold(Form::Not(Box::new(body)), Type::Boolean, span);
        }
        Some(share(operand, body))
    }

    fn case(
        &mut self,
        operand: Option<&Node>,
        arms: &[(Node, Node)],
        otherwise: Option<&Node>,
        span: Span,
    ) -> Option<Checked> {
        let operand = match operand {
            None => None,
            Some(operand) => {
                let operand = self.node(operand)?;
                let operand = self.settled(operand)?;
                Some((self.local(&operand), operand))
            }
        };
        self.level += usize::from(operand.is_some());
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (condition, result) in arms {
            conditions.push(match &operand {
                None => self.boolean(condition, "WHEN"),
                Some((local, _)) => {
                    let place = condition.span;
                    let value = self.node(condition);
                    value.and_then(|value| self.compare(Binary::Equal, local.clone(), value, place))
                }
            });
            results.push(self.node(result));
        }
        let otherwise = otherwise.map(|otherwise| self.node(otherwise));
        self.level -= usize::from(operand.is_some());
        let conditions = conditions.into_iter().collect::<Option<Vec<_>>>()?;
        let results = results.into_iter().collect::<Option<Vec<_>>>()?;
        let otherwise = flip(otherwise)?;
        let ty = self.common(otherwise.iter().chain(&results), "CASE", span)?;
        let otherwise = flip(otherwise.map(|otherwise| self.convert(otherwise, ty)))?;
        let results = results.into_iter().map(|result| self.convert(result, ty)).collect::<Option<Vec<_>>>()?;
        let arms = conditions.into_iter().zip(results).collect();
        let body = fold(Form::Case { arms, otherwise: otherwise.map(Box::new) }, ty, span);
        Some(match operand {
            Some((_, operand)) => share(operand, body),
            None => body,
        })
    }

    /// The value of the [`Form::Let`] that is about to enclose what is checked at the next level. A constant is itself.
    fn local(&self, value: &Checked) -> Checked {
        match value.form {
            Form::Constant(_) => value.clone(),
            _ => Checked { form: Form::Local(self.level), ..value.clone() },
        }
    }

    fn call(&mut self, name: &str, place: Span, nodes: &[Node], span: Span) -> Option<Checked> {
        match name {
            "nullif" => return self.null_if(nodes, place, span),
            "nvl2" => return self.nvl2(nodes, place, span),
            "decode" => return self.decode(nodes, place, span),
            "coalesce" | "nvl" | "greatest" | "least" => {
                let parts: Vec<_> = nodes.iter().map(|node| self.node(node)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
                if parts.is_empty() {
                    return self.wrong(Diagnostic::error(
                        Code::Arguments,
                        place,
                        format!("`{name}` takes one argument or more"),
                    ));
                }
                let ty = self.common(parts.iter(), name, span)?;
                let parts = parts.into_iter().map(|part| self.convert(part, ty)).collect::<Option<Vec<_>>>()?;
                // Values of char are compared without their trailing blanks, which they lose as text.
                let is_char = matches!(ty, Type::Char(_)) && matches!(name, "greatest" | "least");
                let ty = if is_char { Type::Text } else { ty };
                let operands = parts.into_iter().map(|part| self.convert(part, ty)).collect::<Option<Vec<_>>>()?;
                let form = match name {
                    "greatest" | "least" => Form::Extreme { greatest: name == "greatest", operands },
                    _ => Form::Coalesce(operands),
                };
                return Some(fold(form, ty, span));
            }
            _ => {}
        }
        let arguments: Vec<_> = nodes.iter().map(|node| self.node(node)).collect();
        if super::functions::find(name).or_else(|| super::functions::operator(name)).is_none() {
            // `int4(x)` and others are casts.
            if let ([argument], Some(to)) = (arguments.as_slice(), resolve::cast_name(name)) {
                return self.cast(argument.clone()?, to, span);
            }
            return self.wrong(resolve::unknown_function(name, place));
        }
        self.function(name, place, arguments.into_iter().collect::<Option<Vec<_>>>()?, span)
    }

    fn null_if(&mut self, nodes: &[Node], place: Span, span: Span) -> Option<Checked> {
        let [left, right] = nodes else {
            return self.wrong(Diagnostic::error(Code::Arguments, place, "`nullif` takes two arguments"));
        };
        let left = self.node(left);
        self.level += 1;
        let right = self.node(right);
        self.level -= 1;
        let (mut left, right) = (left?, right?);
        if left.is_unknown() {
            left = match right.ty {
                _ if right.is_unknown() => self.settled(left)?,
                Type::Char(_) => self.convert(left, Type::Char(0))?,
                ty => self.as_kind(left, Kind::of(ty))?,
            };
        }
        // The result has the type in which the two are compared; but whole numbers, floating-point numbers and times are
        // compared with others of theirs as they are.
        let is_time = matches!(left.ty, Type::Date | Type::Timestamp | Type::Timestamptz);
        let stays = left.ty.is_float() || is_time || left.ty.is_integer() && right.ty.is_integer();
        match types::comparable(left.ty, right.ty) {
            Some(kind) if !right.is_unknown() && !stays && kind != Kind::of(left.ty) => {
                left = self.as_kind(left, kind)?;
            }
            _ => {}
        }
        let local = self.local(&left);
        let equal = self.compare(Binary::Equal, local.clone(), right, span)?;
        let (ty, null) = (left.ty, constant(new_null_array(&left.ty.arrow(), 1), left.ty, span));
        let form = Form::Case { arms: vec![(equal, null)], otherwise: Some(Box::new(local)) };
        Some(share(left, fold(form, ty, span)))
    }

    /// The type that parts have in common.
    fn common<'a>(&mut self, parts: impl Iterator<Item = &'a Checked>, place: &str, span: Span) -> Option<Type> {
        let (quoted, known): (Vec<_>, Vec<_>) = parts.partition(|part| part.is_unknown());
        if let Some(ty) = types::common(known.iter().map(|part| part.ty)) {
            // A quoted text is not cut to the length that the others happen to have.
            let is_longer = |bytes: u32| quoted.iter().any(|part| part.quoted_bytes() > bytes as usize);
            return Some(match ty {
                Type::Char(bytes) if is_longer(bytes) => Type::Char(0),
                Type::Varchar(bytes) if is_longer(bytes) => Type::Text,
                ty => ty,
            });
        }
        let mut names: Vec<_> = known.iter().map(|part| part.ty.to_string()).collect();
        names.dedup();
        let fact = format!("{place} takes values of one type, not {}", names.join(" and "));
        let wrong = Diagnostic::error(Code::Types, span, fact).with_help("cast them to one type with `::`");
        self.wrong(known.iter().fold(wrong, |wrong, part| wrong.with_label(part.span, part.ty.to_string())))
    }

    /// An explicit cast.
    fn cast(&mut self, operand: Checked, to: Type, span: Span) -> Option<Checked> {
        if !operand.is_unknown() && !cast::exists(operand.ty, to) {
            let fact = format!("there is no cast from {} to {to}", operand.ty);
            return self.wrong(Diagnostic::error(Code::Types, span, fact));
        }
        if operand.ty == Type::Timestamptz && to == Type::Date && !operand.is_unknown() {
            self.diagnostics.push(Diagnostic::warning(
                Code::UtcDay,
                span,
                "the day of a timestamptz is its day in UTC",
            ));
        }
        // `x::numeric` keeps every digit; a decimal stays as it is.
        let to = match (to, operand.ty) {
            (Type::Numeric, from @ Type::Decimal { .. }) => from,
            (Type::Numeric, from) if from.is_integer() && !operand.is_unknown() => cast::as_decimal(from),
            (to, _) => to,
        };
        let converted = self.convert(Checked { span, ..operand }, to)?;
        Some(refined(Checked { span, ..converted }))
    }

    /// `TRY_CAST`: the conversions there are, with NULL for what faults in them.
    fn try_cast(&mut self, operand: Checked, to: Type, span: Span) -> Option<Checked> {
        if operand.ty != to && !cast::exists(operand.ty, to) {
            let fact = format!("there is no cast from {} to {to}", operand.ty);
            return self.wrong(Diagnostic::error(Code::Types, span, fact));
        }
        if operand.ty == to {
            return Some(Checked { span, ..operand });
        }
        Some(fold(Form::TryCast(Box::new(operand)), to, span))
    }

    /// The part, with its type: what is still unknown is text.
    fn settled(&mut self, checked: Checked) -> Option<Checked> {
        if checked.is_unknown() { self.convert(checked, Type::Text) } else { Some(checked) }
    }

    /// The part as a value of a kind. Decimals keep their digits.
    fn as_kind(&mut self, checked: Checked, kind: Kind) -> Option<Checked> {
        let ty = match (kind, checked.ty) {
            (Kind::Numeric, ty) if ty.is_decimal() && !checked.is_unknown() => ty,
            (Kind::Numeric, ty) if ty.is_integer() && !checked.is_unknown() => cast::as_decimal(ty),
            (Kind::Text | Kind::Any, Type::Varchar(bytes)) => Type::Varchar(bytes),
            // Where any type is taken a boolean is printed as a letter, not as the word that a cast gives.
            (Kind::Any, Type::Boolean) if !checked.is_unknown() => Type::Varchar(1),
            _ => kind.ty(),
        };
        self.convert(checked, ty).map(refined)
    }

    /// The part as a value of exactly that type.
    fn convert(&mut self, checked: Checked, to: Type) -> Option<Checked> {
        let Checked { form, ty, span, .. } = &checked;
        let span = *span;
        match form {
            Form::Unknown(None) => return Some(constant(new_null_array(&to.arrow(), 1), to, span)),
            Form::Unknown(Some(text)) => {
                let text = constant(Arc::new(StringViewArray::from(vec![text.as_str()])), Type::Text, span);
                if to == Type::Text {
                    return Some(text);
                }
                // A quoted text is read where it stands, whether or not a row reaches it.
                return match fault_of(&text, to) {
                    Some(fault) => self.wrong(constant_fault(&fault, span)),
                    None => Some(fold(Form::Cast(Box::new(text)), to, span)),
                };
            }
            _ if *ty == to => return Some(checked),
            _ => {}
        }
        Some(fold(Form::Cast(Box::new(checked)), to, span))
    }
}

/// A quoted literal or NULL.
fn unknown(text: Option<String>, span: Span) -> Checked {
    Checked { nullable: text.is_none(), form: Form::Unknown(text), ty: Type::Text, span }
}

fn constant(array: ArrayRef, ty: Type, span: Span) -> Checked {
    Checked { nullable: array.is_null(0), form: Form::Constant(array), ty, span }
}

fn decimal_constant(value: Decimal, span: Span) -> Checked {
    let digits = value.unscaled.unsigned_abs().checked_ilog10().map_or(1, |power| power + 1);
    let precision = u8::try_from(digits).unwrap_or(DECIMAL_PRECISION_MAX).max(value.scale).max(1);
    let ty = Type::Decimal { precision, scale: value.scale };
    constant(decimal::array(&[value], None, ty), ty, span)
}

/// A constant of [`Type::Numeric`] has a scale that is known after all.
fn refined(checked: Checked) -> Checked {
    match checked.constant() {
        Some(array) if checked.ty == Type::Numeric && array.is_valid(0) => {
            let value = decimal::Reader::new(&Vector::constant(array.clone())).value(0);
            decimal_constant(value, checked.span)
        }
        _ => checked,
    }
}

/// A value that a body uses as [`Form::Local`].
fn share(value: Checked, body: Checked) -> Checked {
    let (ty, span) = (body.ty, body.span);
    fold(Form::Let { value: Box::new(value), body: Box::new(body) }, ty, span)
}

/// The part; or the constant that it is, if it depends on no row and does not fault.
fn fold(form: Form, ty: Type, span: Span) -> Checked {
    let form = match form {
        Form::Case { arms, otherwise } => match reachable(arms, otherwise) {
            (arms, Some(result)) if arms.is_empty() => return Checked { span, ..*result },
            (arms, None) if arms.is_empty() => return constant(new_null_array(&ty.arrow(), 1), ty, span),
            (arms, otherwise) => Form::Case { arms, otherwise },
        },
        Form::And(operands) if is_decided(&operands, false) => {
            return constant(Arc::new(BooleanArray::from(vec![false])), ty, span);
        }
        Form::Or(operands) if is_decided(&operands, true) => {
            return constant(Arc::new(BooleanArray::from(vec![true])), ty, span);
        }
        form => form,
    };
    let nullable = match &form {
        Form::Constant(array) => array.is_null(0),
        Form::Is { .. } | Form::Distinct { .. } => false,
        Form::Let { body, .. } => body.nullable,
        Form::Case { arms, otherwise } => {
            arms.iter().any(|(_, result)| result.nullable) || otherwise.as_ref().is_none_or(|result| result.nullable)
        }
        Form::Coalesce(operands) | Form::Extreme { operands, .. } => operands.iter().all(|operand| operand.nullable),
        Form::TryCast(_) => true,
        Form::OneOf { operand, has_null, .. } => operand.nullable || *has_null,
        Form::Call { signature, .. } if !signature.strict => signature.nullable,
        Form::Call { signature, arguments, .. } => {
            signature.nullable || arguments.iter().any(|argument| argument.nullable)
        }
        _ => false,
    };
    let mut part = Checked { form, ty, nullable, span };
    let parts = part.parts();
    let is_constant = match &part.form {
        Form::Let { value, body } => value.constant().is_some() && is_closed(body),
        Form::Constant(_) => false,
        _ => !parts.is_empty() && parts.iter().all(|part| part.constant().is_some()),
    };
    let plain = !matches!(
        part.form,
        Form::Constant(_)
            | Form::Is { .. }
            | Form::Distinct { .. }
            | Form::Let { .. }
            | Form::Case { .. }
            | Form::Coalesce(_)
            | Form::Extreme { .. }
            | Form::OneOf { .. }
            | Form::TryCast(_)
            | Form::Call { .. }
    );
    // An operator or a strict function with a constant NULL is NULL, whatever its other operands are or would fault with.
    let strict = match &part.form {
        Form::Arithmetic { .. }
        | Form::Negate(_)
        | Form::Compare { .. }
        | Form::Not(_)
        | Form::Cast(_)
        | Form::TryCast(_)
        | Form::Concat(_)
        | Form::Like { .. } => true,
        Form::Call { signature, .. } => signature.strict,
        _ => false,
    };
    if strict && part.parts().into_iter().filter_map(Checked::constant).any(|array| array.is_null(0)) {
        return constant(new_null_array(&ty.arrow(), 1), ty, span);
    }
    if plain {
        let nullable = part.parts().iter().any(|part| part.nullable);
        part.nullable = nullable;
    }
    if !is_constant {
        return part;
    }
    let batch = Batch { columns: &[], rows: 1, context: &NOWHERE };
    let value = batch.evaluate(&part, &mut Vec::new());
    match value.faults.is_empty() {
        true => constant(value.values, ty, span),
        false => part,
    }
}

/// The arms of a `CASE` that a row can reach, and what holds if it takes none of them.
fn reachable(
    arms: Vec<(Checked, Checked)>,
    otherwise: Option<Box<Checked>>,
) -> (Vec<(Checked, Checked)>, Option<Box<Checked>>) {
    let mut open = Vec::new();
    for (condition, result) in arms {
        match condition.constant().map(truth) {
            None => open.push((condition, result)),
            Some(Some(true)) => return (open, Some(Box::new(result))),
            Some(_) => {}
        }
    }
    (open, otherwise)
}

/// Whether a constant operand decides an `AND` or `OR` for every row, and no constant part before it faults.
fn is_decided(operands: &[Checked], decisive: bool) -> bool {
    let decides = |operand: &Checked| operand.constant().is_some_and(|value| truth(value) == Some(decisive));
    operands.iter().position(decides).is_some_and(|at| !operands.iter().take(at).any(has_constant_fault))
}

/// Whether a part has one that depends on no row, and is no constant because it faults.
fn has_constant_fault(part: &Checked) -> bool {
    let parts = part.parts();
    // PostgreSQL does not compute these before there are rows.
    let is_late =
        matches!(part.form, Form::Call { name: "to_char" | "to_number" | "to_date" | "to_timestamp" | "format", .. });
    !parts.is_empty()
        && (!is_late && parts.iter().all(|part| part.constant().is_some()) || parts.into_iter().any(has_constant_fault))
}

/// The value of a boolean constant.
fn truth(value: &ArrayRef) -> Option<bool> {
    value.is_valid(0).then(|| value.as_boolean().value(0))
}

/// Whether a body of [`Form::Let`] depends on no row, given that the value does not.
fn is_closed(body: &Checked) -> bool {
    match &body.form {
        Form::Name(_) | Form::Let { .. } => false,
        Form::Call { arguments, .. } if arguments.is_empty() => false,
        Form::Local(level) => *level == 0,
        _ => body.parts().into_iter().all(is_closed),
    }
}

/// The fault that converting a constant meets.
fn fault_of(operand: &Checked, to: Type) -> Option<Fault> {
    let arguments = [Vector::constant(operand.constant()?.clone())];
    let call = Call { arguments: &arguments, rows: 1, ty: to, context: &NOWHERE };
    cast::cast(&call, operand.ty).faults.of(0).cloned()
}

fn constant_fault(fault: &Fault, span: Span) -> Diagnostic {
    // What PostgreSQL has room for is no mistake of its author.
    let code = match fault.code {
        Code::BeyondDecimal | Code::Infinite | Code::Unrepresentable => Code::Unsupported,
        _ => Code::ConstantFault,
    };
    let wrong = Diagnostic::error(code, span, fault.message.to_string());
    Diagnostic { fault: Some(fault.code), ..wrong }
}

fn flip<T>(option: Option<Option<T>>) -> Option<Option<T>> {
    match option {
        None => Some(None),
        Some(Some(value)) => Some(Some(value)),
        Some(None) => None,
    }
}

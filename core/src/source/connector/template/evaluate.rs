//! Evaluate: the text of a template, computed as Python computes. Steps and text are bounded, whatever a manifest asks for.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::functions;
use super::parse::{Arguments, Comparison, Node, Operator, Statement};
use super::{Datum, Scope, Wrong};
use crate::source::connector::time::Span;

/// Most expressions and items that one template computes.
const STEPS_MAX: usize = 500_000;
/// Most bytes of a text that a template makes.
pub(super) const TEXT_BYTES_MAX: usize = 4 << 20;

/// The text of a template.
pub(super) fn render(body: &[Statement], parameters: &Value, scope: &Scope<'_>) -> Result<String, Wrong> {
    let mut evaluation = Evaluation { scope, parameters, set: Vec::new(), steps: 0 };
    let mut out = String::new();
    evaluation.statements(body, &mut out)?;
    Ok(out)
}

/// The computing of one template.
pub(super) struct Evaluation<'a> {
    pub(super) scope: &'a Scope<'a>,
    parameters: &'a Value,
    set: Vec<(&'a str, Datum<'a>)>,
    steps: usize,
}

/// What a call was given.
pub(super) struct Given<'a> {
    pub(super) positional: Vec<Datum<'a>>,
    pub(super) named: Vec<(&'a str, Datum<'a>)>,
}

impl<'a> Given<'a> {
    /// An argument by its place or its name.
    pub(super) fn get(&self, place: usize, name: &str) -> Option<&Datum<'a>> {
        let named = || self.named.iter().find(|(known, _)| *known == name).map(|(_, datum)| datum);
        self.positional.get(place).or_else(named)
    }

    /// An argument that is a text.
    pub(super) fn text(&self, place: usize, name: &str) -> Result<&str, Wrong> {
        self.get(place, name).and_then(Datum::as_str).ok_or(Wrong::Type)
    }
}

impl<'a> Evaluation<'a> {
    /// Counts so many steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Wrong> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > STEPS_MAX {
            return Err(Wrong::Other(format!("it takes more than {STEPS_MAX} steps")));
        }
        Ok(())
    }

    fn statements(&mut self, statements: &'a [Statement], out: &mut String) -> Result<(), Wrong> {
        for statement in statements {
            match statement {
                Statement::Raw(text) => out.push_str(text),
                Statement::Emit(node) => out.push_str(&self.node(node)?.to_text()),
                Statement::Set(name, node) => {
                    let value = self.node(node)?;
                    self.set.push((name, value));
                }
                Statement::SetBlock(name, body) => {
                    let mut text = String::new();
                    self.statements(body, &mut text)?;
                    self.set.push((name, Datum::text_of(text)));
                }
                Statement::If(test, yes, no) => {
                    let branch = if self.node(test)?.is_true() { yes } else { no };
                    self.statements(branch, out)?;
                }
            }
            bounded(out.len())?;
        }
        Ok(())
    }

    fn name(&self, name: &str) -> Datum<'a> {
        let set = self.set.iter().rev().chain(self.scope.names.iter().rev());
        match set.into_iter().find(|(known, _)| *known == name) {
            Some((_, datum)) => datum.clone(),
            None if name == "config" => Datum::from(self.scope.config),
            None if name == "parameters" => Datum::from(self.parameters),
            None => Datum::Undefined,
        }
    }

    /// An expression.
    pub(super) fn node(&mut self, node: &'a Node) -> Result<Datum<'a>, Wrong> {
        self.spend(1)?;
        match node {
            Node::Constant(value) => Ok(Datum::from(value)),
            Node::Name(name) => Ok(self.name(name)),
            Node::List(items) => {
                let items: Result<Vec<Value>, Wrong> =
                    items.iter().map(|item| self.node(item).map(Datum::into_json)).collect();
                Ok(Value::Array(items?).into())
            }
            Node::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let key = self.node(key)?;
                    let key = key.as_str().ok_or_else(|| Wrong::Other("a key of a mapping is no text".to_owned()))?;
                    map.insert(key.to_owned(), self.node(value)?.into_json());
                }
                Ok(Value::Object(map).into())
            }
            Node::Attribute(of, name) => {
                let is_record = matches!(&**of, Node::Name(of) if of == "last_record");
                let of = self.node(of)?;
                // The last record stands in something whose `data` it is.
                if is_record && name == "data" && of.json().is_some_and(|value| value.is_object()) {
                    return Ok(of);
                }
                of.attribute(name)
            }
            Node::Item(of, key) => {
                let of = self.node(of)?;
                of.item(&self.node(key)?)
            }
            Node::Slice(of, bounds) => self.slice(of, bounds),
            Node::Not(of) => Ok(Value::Bool(!self.node(of)?.is_true()).into()),
            Node::Negative(of) => match self.node(of)? {
                Datum::Span(span) => Ok(Datum::Span(span.negated())),
                Datum::Undefined => Err(Wrong::Undefined("a number that is undefined".to_owned())),
                of => arithmetic(Operator::Subtract, &Value::from(0).into(), &of),
            },
            Node::Both(left, right) => {
                let left = self.node(left)?;
                if left.is_true() { self.node(right) } else { Ok(left) }
            }
            Node::Either(left, right) => {
                let left = self.node(left)?;
                if left.is_true() { Ok(left) } else { self.node(right) }
            }
            Node::Arithmetic(operator, left, right) => {
                let left = self.node(left)?;
                let right = self.node(right)?;
                arithmetic(*operator, &left, &right)
            }
            Node::Compare(first, rest) => {
                let mut left = self.node(first)?;
                for (comparison, right) in rest {
                    let right = self.node(right)?;
                    if !self.compare(*comparison, &left, &right)? {
                        return Ok(Value::Bool(false).into());
                    }
                    left = right;
                }
                Ok(Value::Bool(true).into())
            }
            Node::If(test, yes, no) => match (self.node(test)?.is_true(), no) {
                (true, _) => self.node(yes),
                (false, Some(no)) => self.node(no),
                (false, None) => Ok(Datum::Undefined),
            },
            Node::Filter(name, of, arguments) => {
                let of = self.node(of)?;
                let given = self.given(arguments)?;
                functions::filter(self, name, of, &given)
            }
            Node::Test(name, of, arguments) => {
                let of = self.node(of)?;
                let given = self.given(arguments)?;
                functions::test(self, name, &of, given.positional.first()).map(|holds| Value::Bool(holds).into())
            }
            Node::Function(name, arguments) => {
                let given = self.given(arguments)?;
                functions::function(self, name, &given)
            }
            Node::Method(of, name, arguments) => {
                let of = self.node(of)?;
                if of == Datum::Undefined {
                    return Err(Wrong::Undefined(format!("`{name}` of what is undefined")));
                }
                let given = self.given(arguments)?;
                functions::method(self, &of, name, &given)
            }
        }
    }

    fn given(&mut self, arguments: &'a Arguments) -> Result<Given<'a>, Wrong> {
        let positional = arguments.positional.iter().map(|node| self.node(node)).collect::<Result<_, _>>()?;
        let named = arguments.named.iter().map(|(name, node)| Ok((name.as_str(), self.node(node)?)));
        Ok(Given { positional, named: named.collect::<Result<_, Wrong>>()? })
    }

    fn slice(&mut self, of: &'a Node, bounds: &'a [Option<Box<Node>>; 3]) -> Result<Datum<'a>, Wrong> {
        let of = self.node(of)?;
        let mut found = [None; 3];
        for (bound, node) in found.iter_mut().zip(bounds) {
            let Some(node) = node else { continue };
            let datum = self.node(node)?;
            if !datum.is_none() {
                *bound = Some(datum.as_integer().ok_or(Wrong::Type)?);
            }
        }
        let is_text = of.as_str().is_some();
        if of == Datum::Undefined {
            return Err(Wrong::Undefined("a part of what is undefined".to_owned()));
        }
        if !is_text && !of.json().is_some_and(|value| value.is_array()) {
            return Err(Wrong::Type);
        }
        let items = of.items()?;
        self.spend(items.len())?;
        let taken = indices(found, items.len()).ok_or(Wrong::Type)?;
        let taken = taken.into_iter().filter_map(|at| items.get(at).cloned());
        if is_text {
            return Ok(Datum::text_of(taken.map(|item| item.to_text()).collect::<String>()));
        }
        Ok(Value::Array(taken.map(Datum::into_json).collect()).into())
    }

    /// Whether a comparison holds.
    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: &Datum<'a>,
        right: &Datum<'a>,
    ) -> Result<bool, Wrong> {
        match comparison {
            Comparison::Equal => Ok(are_equal(left, right)),
            Comparison::Unequal => Ok(!are_equal(left, right)),
            Comparison::In => self.contains(right, left),
            Comparison::NotIn => self.contains(right, left).map(|holds| !holds),
            Comparison::Less => order(left, right).map(Ordering::is_lt),
            Comparison::LessOrEqual => order(left, right).map(Ordering::is_le),
            Comparison::Greater => order(left, right).map(Ordering::is_gt),
            Comparison::GreaterOrEqual => order(left, right).map(Ordering::is_ge),
        }
    }

    fn contains(&mut self, whole: &Datum<'a>, part: &Datum<'a>) -> Result<bool, Wrong> {
        if let Some(whole) = whole.as_str() {
            return part.as_str().map(|part| whole.contains(part)).ok_or(Wrong::Type);
        }
        if let Datum::Headers(headers) = whole {
            return Ok(part.as_str().is_some_and(|name| headers.get(name).is_some()));
        }
        if let Datum::Json(value) = whole
            && let Value::Object(map) = value.as_ref()
        {
            return Ok(part.as_str().is_some_and(|key| map.contains_key(key)));
        }
        let items = whole.items()?;
        self.spend(items.len())?;
        Ok(items.iter().any(|item| are_equal(item, part)))
    }
}

/// Which items Python's `[start:stop:step]` takes of so many.
fn indices([start, stop, step]: [Option<i64>; 3], length: usize) -> Option<Vec<usize>> {
    let length = i64::try_from(length).ok()?;
    let step = step.unwrap_or(1);
    let clamp = |bound: Option<i64>, missing: i64, low: i64, high: i64| {
        bound.map_or(missing, |bound| if bound < 0 { (bound + length).max(low) } else { bound.min(high) })
    };
    let (mut at, stop) = match step {
        1.. => (clamp(start, 0, 0, length), clamp(stop, length, 0, length)),
        0 => return None,
        _ => (clamp(start, length - 1, -1, length - 1), clamp(stop, -1, -1, length - 1)),
    };
    let mut taken = Vec::new();
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        taken.extend(usize::try_from(at).ok());
        at = at.checked_add(step)?;
    }
    Some(taken)
}

/// Python's `==`.
pub(super) fn are_equal(left: &Datum<'_>, right: &Datum<'_>) -> bool {
    match (left, right) {
        (Datum::Json(left), Datum::Json(right)) => are_same(left, right),
        (Datum::Moment(left), Datum::Moment(right)) => left.micros == right.micros,
        (Datum::Slice(_), Datum::Json(_)) | (Datum::Json(_), Datum::Slice(_)) => {
            matches!((left.json(), right.json()), (Some(left), Some(right)) if are_same(&left, &right))
        }
        (left, right) => left == right,
    }
}

fn are_same(left: &Value, right: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        value => value.as_f64(),
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left == right => true,
        (Value::Number(_) | Value::Bool(_), Value::Number(_) | Value::Bool(_)) => number(left) == number(right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| are_same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| are_same(value, other)))
        }
        (left, right) => left == right,
    }
}

/// Python's `<`, which knows no order between values of different types.
pub(super) fn order(left: &Datum<'_>, right: &Datum<'_>) -> Result<Ordering, Wrong> {
    match (left, right) {
        (Datum::Undefined, _) | (_, Datum::Undefined) => {
            Err(Wrong::Undefined("an order of what is undefined".to_owned()))
        }
        (Datum::Moment(left), Datum::Moment(right)) if left.offset.is_some() == right.offset.is_some() => {
            Ok(left.micros.cmp(&right.micros))
        }
        (Datum::Day(left), Datum::Day(right)) => Ok(left.micros.cmp(&right.micros)),
        (Datum::Span(left), Datum::Span(right)) => Ok(left.cmp(right)),
        (Datum::Json(left), Datum::Json(right)) => match (left.as_ref(), right.as_ref()) {
            (Value::String(left), Value::String(right)) => Ok(left.cmp(right)),
            (Value::Array(left), Value::Array(right)) => {
                for (left, right) in left.iter().zip(right) {
                    if !are_same(left, right) {
                        return order(&Datum::from(left), &Datum::from(right));
                    }
                }
                Ok(left.len().cmp(&right.len()))
            }
            (a, b) if is_number(a) && is_number(b) => {
                let of = |value: &Cow<'_, Value>| Datum::Json(Cow::Borrowed(value.as_ref())).as_float();
                of(left).partial_cmp(&of(right)).ok_or(Wrong::Type)
            }
            _ => Err(Wrong::Type),
        },
        _ => Err(Wrong::Type),
    }
}

fn is_number(value: &Value) -> bool {
    value.is_number() || value.is_boolean()
}

/// An error if a text would have more bytes than a text may.
pub(super) fn bounded(bytes: usize) -> Result<(), Wrong> {
    if bytes > TEXT_BYTES_MAX {
        return Err(Wrong::Other(format!("it makes a text of more than {TEXT_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// A float, which JSON has no word for if it is not finite.
pub(super) fn float(value: f64) -> Result<Datum<'static>, Wrong> {
    let finite = Number::from_f64(value).map(|number| Value::Number(number).into());
    finite.ok_or_else(|| Wrong::Other("it computes a number that is not finite".to_owned()))
}

fn arithmetic<'a>(operator: Operator, left: &Datum<'a>, right: &Datum<'a>) -> Result<Datum<'a>, Wrong> {
    if operator == Operator::Concatenate {
        let (left, right) = (left.to_text(), right.to_text());
        bounded(left.len() + right.len())?;
        return Ok(Datum::text_of(left + &right));
    }
    if *left == Datum::Undefined || *right == Datum::Undefined {
        return Err(Wrong::Undefined("an operand that is undefined".to_owned()));
    }
    if let (Some(a), Some(b)) = (left.as_integer(), right.as_integer()) {
        return integers(operator, a, b);
    }
    if let (Some(a), Some(b)) = (left.as_float(), right.as_float()) {
        let is_whole = |of: &Datum<'_>| of.as_integer().is_some() || is_large(of);
        if is_whole(left) && is_whole(right) {
            return Err(Wrong::Other("it computes with a whole number of more than 63 bits".to_owned()));
        }
        return floats(operator, a, b);
    }
    fn moved<T>(moved: Option<T>) -> Result<T, Wrong> {
        moved.ok_or_else(|| Wrong::Other("it leaves the calendar".to_owned()))
    }
    match (operator, left, right) {
        (Operator::Add, Datum::Moment(moment), Datum::Span(span))
        | (Operator::Add, Datum::Span(span), Datum::Moment(moment)) => Ok(Datum::Moment(moved(moment.plus(*span))?)),
        (Operator::Subtract, Datum::Moment(moment), Datum::Span(span)) => {
            Ok(Datum::Moment(moved(moment.plus(span.negated()))?))
        }
        (Operator::Add, Datum::Day(day), Datum::Span(span)) => Ok(Datum::Day(moved(day.plus(*span))?.midnight())),
        (Operator::Subtract, Datum::Day(day), Datum::Span(span)) => {
            Ok(Datum::Day(moved(day.plus(span.negated()))?.midnight()))
        }
        (Operator::Subtract, Datum::Moment(a), Datum::Moment(b))
        | (Operator::Subtract, Datum::Day(a), Datum::Day(b)) => Ok(Datum::Span(Span::micros(a.micros - b.micros))),
        (Operator::Add, Datum::Span(a), Datum::Span(b)) => {
            Ok(Datum::Span(Span { months: a.months + b.months, micros: a.micros + b.micros }))
        }
        (Operator::Add, Datum::Json(a), Datum::Json(b)) => match (a.as_ref(), b.as_ref()) {
            (Value::String(a), Value::String(b)) => {
                bounded(a.len() + b.len())?;
                Ok(Datum::text_of(format!("{a}{b}")))
            }
            (Value::Array(a), Value::Array(b)) => {
                bounded(16 * (a.len() + b.len()))?;
                Ok(Value::Array(a.iter().chain(b).cloned().collect()).into())
            }
            _ => Err(Wrong::Type),
        },
        (Operator::Multiply, Datum::Span(span), count) | (Operator::Multiply, count, Datum::Span(span))
            if count.as_integer().is_some() =>
        {
            let count = count.as_integer().unwrap_or_default();
            let (months, micros) = (span.months.checked_mul(count), span.micros.checked_mul(count));
            Ok(Datum::Span(Span { months: moved(months)?, micros: moved(micros)? }))
        }
        (Operator::Multiply, Datum::Json(items), count) | (Operator::Multiply, count, Datum::Json(items))
            if items.is_array() && count.as_integer().is_some() =>
        {
            let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
            let count = usize::try_from(count.as_integer().unwrap_or_default()).unwrap_or_default();
            let bytes: usize = items.iter().map(|item| 16 + item.to_string().len()).sum();
            bounded(bytes.saturating_mul(count))?;
            Ok(Value::Array(items.iter().cycle().take(items.len() * count).cloned().collect()).into())
        }
        (Operator::Multiply, text, count) | (Operator::Multiply, count, text)
            if text.as_str().is_some() && count.as_integer().is_some() =>
        {
            let text = text.as_str().unwrap_or_default();
            let count = usize::try_from(count.as_integer().unwrap_or_default()).unwrap_or_default();
            bounded(text.len().saturating_mul(count))?;
            Ok(Datum::text_of(text.repeat(count)))
        }
        _ => Err(Wrong::Type),
    }
}

/// Whether it is a whole number that is too large to be computed with exactly.
fn is_large(datum: &Datum<'_>) -> bool {
    matches!(datum, Datum::Json(value) if value.is_u64() && !value.is_i64())
}

fn integers<'a>(operator: Operator, a: i64, b: i64) -> Result<Datum<'a>, Wrong> {
    let zero = || Wrong::Other("it divides by zero".to_owned());
    let computed = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide if b == 0 => return Err(zero()),
        #[expect(clippy::cast_precision_loss, reason = "Python's `/` gives a float as well")]
        Operator::Divide => return float(a as f64 / b as f64),
        Operator::DivideWhole | Operator::Remainder if b == 0 => return Err(zero()),
        Operator::DivideWhole => a.checked_div_euclid(b).map(|q| if b < 0 && a.rem_euclid(b) != 0 { q - 1 } else { q }),
        Operator::Remainder => a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r }),
        Operator::Power if b < 0 => return floats(operator, a as f64, b as f64),
        Operator::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        Operator::Concatenate => None,
    };
    computed
        .map(|computed| Value::from(computed).into())
        .ok_or_else(|| Wrong::Other("it computes a number of more than 64 bits".to_owned()))
}

fn floats<'a>(operator: Operator, a: f64, b: f64) -> Result<Datum<'a>, Wrong> {
    if b == 0.0 && matches!(operator, Operator::Divide | Operator::DivideWhole | Operator::Remainder) {
        return Err(Wrong::Other("it divides by zero".to_owned()));
    }
    float(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::DivideWhole => (a / b).floor(),
        Operator::Remainder => a - b * (a / b).floor(),
        Operator::Power => a.powf(b),
        Operator::Concatenate => return Err(Wrong::Type),
    })
}

//! Methods: `.size()`, `.double()`, `.keyvalue()` and the others.

use std::rc::Rc;

use super::Found;
use super::Machine;
use super::Stop;
use super::exact;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::expr::path::Chain;
use crate::expr::path::Method;
use crate::expr::path::item::Item;
use crate::expr::path::item::Pair;
use crate::expr::path::moment::Moment;
use crate::value::float;
use crate::value::json::Tree;
use crate::value::text::quote;

impl<'t> Machine<'t> {
    /// The value of a method that gives one; none where it does not apply and that is ignored.
    pub(super) fn method(&mut self, method: Method, value: &Item<'t>) -> Result<Option<Item<'t>>, Stop> {
        let name = method.name();
        Ok(Some(match method {
            Method::Type => {
                let kind = match value {
                    Item::Moment(moment) => moment.type_name(),
                    Item::Pair(_) => "object",
                    Item::Tree(Tree::Null) | Item::Scalar(Tree::Null) => "null",
                    Item::Tree(Tree::String(_)) | Item::Scalar(Tree::String(_)) => "string",
                    Item::Tree(Tree::Number(_)) | Item::Scalar(Tree::Number(_)) => "number",
                    Item::Tree(Tree::Boolean(_)) | Item::Scalar(Tree::Boolean(_)) => "boolean",
                    Item::Tree(Tree::Array(_)) | Item::Scalar(Tree::Array(_)) => "array",
                    Item::Tree(Tree::Object(_)) | Item::Scalar(Tree::Object(_)) => "object",
                };
                Item::Scalar(Tree::String(kind.into()))
            }
            Method::Size => match value.elements() {
                Some(elements) => Item::number(elements.len().to_string()),
                None if self.search.path.lax => Item::number("1"),
                None if self.ignores => return Ok(None),
                None => {
                    let fact = "jsonpath item method .size() can only be applied to an array";
                    return Err(Stop::soft(Code::PathArray, fact));
                }
            },
            Method::Ceiling | Method::Floor | Method::Abs => {
                let Some(text) = value.as_number() else {
                    let fact = format!("jsonpath item method .{name}() can only be applied to a numeric value");
                    return Err(Stop::soft(Code::PathNumber, fact));
                };
                if method == Method::Abs {
                    return Ok(Some(Item::number(text.trim_start_matches('-'))));
                }
                let number = exact(text)?;
                let whole = decimal::round(number, 0, true).map_err(Stop::hard)?.unscaled;
                let has_rest = number.rescale_exact(0).is_none();
                let whole = match method {
                    Method::Ceiling if has_rest && number.unscaled > 0 => whole + 1,
                    Method::Floor if has_rest && number.unscaled < 0 => whole - 1,
                    _ => whole,
                };
                Item::number(whole.to_string())
            }
            Method::Double => {
                let Some(text) = value.as_number().or_else(|| value.as_string()) else {
                    let fact = "jsonpath item method .double() can only be applied to a string or numeric value";
                    return Err(Stop::soft(Code::PathNumber, fact));
                };
                let double = float::parse_double(text.as_bytes()).ok().filter(|double| double.is_finite());
                match (double, value.as_number()) {
                    // A number stays as it is; a string goes through the 15 digits that are certain.
                    (Some(_), Some(_)) => value.clone(),
                    (Some(double), None) => Item::number(certain_digits(double)),
                    (None, _) => {
                        let fact =
                            format!("{} is no argument of jsonpath item method .double()", quote(text.as_bytes()));
                        return Err(Stop::soft(Code::PathNumber, fact));
                    }
                }
            }
            Method::Datetime => {
                let Some(text) = value.as_string() else {
                    let fact = "jsonpath item method .datetime() can only be applied to a string";
                    return Err(Stop::soft(Code::PathDatetime, fact));
                };
                let Some(moment) = Moment::parse(text) else {
                    let fact = format!("datetime format is not recognized: {}", quote(text.as_bytes()));
                    return Err(Stop::soft(Code::PathDatetime, fact));
                };
                Item::Moment(moment)
            }
            Method::Keyvalue => value.clone(),
        }))
    }

    /// `.keyvalue()`: an object with the name, the value and a number of the object, for each member of one.
    pub(super) fn keyvalue(
        &mut self,
        chain: &'t Chain,
        at: usize,
        value: &Item<'t>,
        mut found: Found<'_, 't>,
    ) -> Result<bool, Stop> {
        if !value.is_object() {
            let fact = "jsonpath item method .keyvalue() can only be applied to an object";
            return Err(Stop::soft(Code::PathObject, fact));
        }
        let Item::Tree(object) = value else {
            let fact = "`.keyvalue()` of what a `.keyvalue()` gave is not supported";
            return Err(Stop::hard(Fault::new(Code::NotForValues, fact)));
        };
        let object: &'t Tree<'t> = object;
        let Tree::Object(members) = object else { return Ok(false) };
        if found.is_none() && at == chain.steps.len() {
            return Ok(!members.is_empty());
        }
        let id = self.number_of(object)?;
        self.look(members.len())?;
        for (key, value) in members {
            let pair = Item::Pair(Rc::new(Pair { id, key, value: Item::Tree(value) }));
            if self.next(chain, at, &pair, found.as_deref_mut())? && found.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// PostgreSQL's number of an object: where it stands in the bytes of what it was found in.
    fn number_of(&mut self, object: &'t Tree<'t>) -> Result<i64, Stop> {
        if self.places.is_empty() {
            let bases = [Some(self.search.json), self.search.variables];
            for (base, tree) in (0_i64..).zip(bases).filter_map(|(base, tree)| Some((base, tree?))) {
                self.look(1)?;
                tree.each_place(&mut |object, place| {
                    let number = base * 10_000_000_000 + i64::try_from(place).unwrap_or(0);
                    self.places.insert(std::ptr::from_ref(object).addr(), number);
                });
            }
        }
        Ok(self.places.get(&std::ptr::from_ref(object).addr()).copied().unwrap_or(0))
    }
}

/// A number as the digits of it that are certain.
fn certain_digits(double: f64) -> String {
    let text = format!("{double:.14e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

//! Functions and operators of JSON, which is a `super` or, for Redshift's older functions, a text.
//!
//! A `super` is the text that it was written as, as PostgreSQL's `json` is, so that a value in it is a part of that text.
//! PostgreSQL's functions of `jsonb` work on its normal form; a `super` is converted to it if a function needs that.

mod build;
mod change;
mod extract;
mod path;
mod test;

use super::Argument;
use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::call;
use crate::value::array::TextArray;

/// Every function of JSON, by family.
pub(super) const FUNCTIONS: [&[Function]; 5] =
    [test::FUNCTIONS, extract::FUNCTIONS, build::FUNCTIONS, change::FUNCTIONS, path::FUNCTIONS];

/// What has no name: operators and subscripts.
pub(super) const OPERATORS: [&[Function]; 2] = [extract::OPERATORS, change::OPERATORS];

/// A constant array of texts.
const TEXTS: Constant = Constant::Form(|text| TextArray::parse(text).map(|_| ()));

/// A constant array of texts with one dimension at most: a path, or names.
const FLAT: Constant = Constant::Text(|text| TextArray::parse(text)?.flat().map(|_| ()));

const TEXT: Kind = Kind::Text;
const JSON: Kind = Kind::Json;
const JSONB: Kind = Kind::Jsonb;
const BOOLEAN: Kind = Kind::Boolean;

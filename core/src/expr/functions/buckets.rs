//! `width_bucket`: which of several buckets of one width a number falls into.

use std::cmp::Ordering;

use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::compare::float_order;
use crate::expr::evaluate::decimal;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::array::TextArray;
use crate::value::float;
use crate::value::integer;

pub(super) const FUNCTIONS: &[Function] = &[WIDTH_BUCKET];

/// The signature for values of a kind and an array of bounds.
macro_rules! bounded {
    ($kind:expr, $value:ty, $read:ident, $order:expr) => {
        Signature::new(&[$kind, Kind::Text], Type::Integer, |call| {
            call.map::<($value, call::Text), call::Integer>(|(value, bounds)| {
                among(&value.into(), &$read(bounds)?, $order).map(Some)
            })
        })
        .constants(&[(1, Constant::Form(|bounds| $read(bounds).map(|_| ())))])
    };
}

const WIDTH_BUCKET: Function = Function {
    name: "width_bucket",
    aliases: &[],
    doc: "The number of the bucket, of so many of one width between two bounds; 0 before the first bound, one more than the last after the second; or how many bounds of an array, which ascend, are not above it",
    signatures: &[
        Signature::new(&[Kind::Double, Kind::Double, Kind::Double, Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Double, call::Double, call::Double, call::Integer), call::Integer>(
                |(value, low, high, count)| double(value, low, high, count).map(Some),
            )
        })
        .constants(&[(3, Constant::Integer(counted))]),
        Signature::new(&[Kind::Numeric, Kind::Numeric, Kind::Numeric, Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Numeric, call::Numeric, call::Numeric, call::Integer), call::Integer>(
                |(value, low, high, count)| numeric(value, low, high, count).map(Some),
            )
        })
        .constants(&[(3, Constant::Integer(counted))]),
        bounded!(Kind::Integer, call::Integer, integers, i64::cmp),
        bounded!(Kind::Bigint, call::Bigint, bigints, i64::cmp),
        bounded!(Kind::Numeric, call::Numeric, numerics, |value, bound| decimal::compare(*value, *bound)),
        bounded!(Kind::Double, call::Double, doubles, |value, bound| float_order(*value, *bound)),
        Signature::new(&[Kind::Text, Kind::Text], Type::Integer, |call| {
            call.map::<(call::Text, call::Text), call::Integer>(|(value, bounds)| {
                among(&value.to_owned(), &texts(bounds)?, |value, bound| value.cmp(bound)).map(Some)
            })
        })
        .constants(&[(1, Constant::Form(|bounds| texts(bounds).map(|_| ())))]),
    ],
    examples: &[
        ("width_bucket(5, '{1,3,5,10}')", "3"),
        ("width_bucket(5, '{}')", "0"),
        ("width_bucket('b'::text, '{a,b}')", "2"),
        ("width_bucket(0.9, '{1,3}')", "0"),
        ("width_bucket(5, '{1,NULL}')", "R342"),
        ("width_bucket(5.35, 0.024, 10.06, 5)", "3"),
        ("width_bucket(35.0::double precision, 0, 100, 10)", "4"),
        ("width_bucket(11, 10, 0, 5)", "0"),
        ("width_bucket(1, 0, 0, 5)", "R322"),
        ("width_bucket(1, 0, 10, 0)", "R322"),
    ],
};

/// How many of the bounds, which ascend, are not above a value.
fn among<T>(value: &T, bounds: &[T], order: impl Fn(&T, &T) -> Ordering) -> Result<i32, Fault> {
    let count = bounds.partition_point(|bound| order(value, bound).is_ge());
    i32::try_from(count).map_err(|_| Fault::new(Code::OutOfRange, "integer out of range"))
}

/// The bounds in an array.
fn read<T>(bounds: &str, one: impl Fn(&str) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    let null = || Fault::new(Code::NullArgument, "a bound is NULL");
    let bounds = TextArray::parse(bounds)?.flat()?;
    bounds.iter().map(|bound| one(bound.as_deref().ok_or_else(null)?)).collect()
}

fn integers(bounds: &str) -> Result<Vec<i64>, Fault> {
    read(bounds, |text| integer::parse(text.as_bytes(), i32::MIN.into(), i32::MAX.into(), "integer"))
}

fn bigints(bounds: &str) -> Result<Vec<i64>, Fault> {
    read(bounds, |text| integer::parse(text.as_bytes(), i64::MIN, i64::MAX, "bigint"))
}

fn numerics(bounds: &str) -> Result<Vec<Decimal>, Fault> {
    read(bounds, |text| Decimal::cast(text.as_bytes()))
}

fn doubles(bounds: &str) -> Result<Vec<f64>, Fault> {
    read(bounds, |text| float::parse_double(text.as_bytes()))
}

fn texts(bounds: &str) -> Result<Vec<String>, Fault> {
    read(bounds, |text| Ok(text.to_owned()))
}

fn wrong(fact: &str) -> Fault {
    Fault::new(Code::BadBuckets, fact)
}

/// The bucket after the last.
fn beyond(count: i32) -> Result<i32, Fault> {
    count.checked_add(1).ok_or_else(|| Fault::new(Code::OutOfRange, "integer out of range"))
}

fn counted(count: i32) -> Result<(), Fault> {
    if count <= 0 { Err(wrong("count must be greater than zero")) } else { Ok(()) }
}

#[expect(clippy::cast_possible_truncation, reason = "the bucket is below the count")]
fn double(value: f64, low: f64, high: f64, count: i32) -> Result<i32, Fault> {
    counted(count)?;
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(wrong("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(wrong("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(wrong("lower bound cannot equal upper bound"));
    }
    // A descending row of buckets is an ascending one seen from the other side.
    let (value, low, high) = if low < high { (value, low, high) } else { (-value, -low, -high) };
    if value < low {
        return Ok(0);
    }
    if value >= high {
        return beyond(count);
    }
    let width = high - low;
    // Halves do not overflow where the whole does.
    let share =
        if width.is_finite() { (value - low) / width } else { (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) };
    let bucket = (f64::from(count) * share) as i32;
    Ok(bucket.min(count - 1) + 1)
}

fn numeric(value: Decimal, low: Decimal, high: Decimal, count: i32) -> Result<i32, Fault> {
    counted(count)?;
    if [value, low, high].contains(&Decimal::NAN) {
        return Err(wrong("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.special().is_some() || high.special().is_some() {
        return Err(wrong("lower and upper bounds must be finite"));
    }
    let is_ascending = match decimal::compare(low, high) {
        Ordering::Equal => return Err(wrong("lower bound cannot equal upper bound")),
        order => order.is_lt(),
    };
    let (from_low, from_high) = (decimal::compare(value, low), decimal::compare(value, high));
    let (before, after) =
        if is_ascending { (from_low.is_lt(), from_high.is_ge()) } else { (from_low.is_gt(), from_high.is_le()) };
    if before {
        return Ok(0);
    }
    if after {
        return beyond(count);
    }
    let distance = decimal::add(value, decimal::negate(low))?;
    let width = decimal::add(high, decimal::negate(low))?;
    let many = decimal::multiply(distance, Decimal { unscaled: count.into(), scale: 0 })?;
    let bucket = decimal::whole_quotient(many, width)?.unscaled;
    i32::try_from(bucket).ok().and_then(|bucket| bucket.checked_add(1)).ok_or_else(decimal::too_large)
}

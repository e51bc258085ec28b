//! `sin`, `asin`, `sind` and their family, `degrees`, `radians`, `pi`: angles, in floating point.
//!
//! The functions whose name ends in `d` take and give degrees, and are exact where the result is: each quarter of the
//! circle is computed relative to a value that is known (`sind(30)` is 0.5), as PostgreSQL does it.

use std::f64::consts::LN_2;
use std::f64::consts::PI;
use std::sync::Arc;

use arrow_array::Float64Array;

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;

/// One degree in radians.
const DEGREE: f64 = PI / 180.0;

/// A function of one number.
macro_rules! function {
    ($name:literal, $doc:literal, $function:expr, $($example:expr),+) => {
        Function {
            name: $name,
            aliases: &[],
            doc: $doc,
            signatures: &[Signature::new(&[Kind::Double], Type::Double, |call| {
                call.map::<(call::Double,), call::Double>(|(value,)| $function(value).map(Some))
            })],
            examples: &[$($example),+],
        }
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    function!("sin", "The sine of an angle in radians", |x| periodic(x, f64::sin), ("sin(0)", "0")),
    function!("cos", "The cosine of an angle in radians", |x| periodic(x, f64::cos), ("cos(0)", "1")),
    function!("tan", "The tangent of an angle in radians", |x| periodic(x, f64::tan), ("tan(0)", "0")),
    function!(
        "cot",
        "The cotangent of an angle in radians",
        |x| periodic(x, |x| 1.0 / x.tan()),
        ("cot(0)", "Infinity")
    ),
    function!(
        "asin",
        "The angle in radians of a sine",
        |x| within(x, f64::asin),
        ("asin(1)", "1.5707963267948966"),
        ("asin(2)", "R302")
    ),
    function!("acos", "The angle in radians of a cosine", |x| within(x, f64::acos), ("acos(1)", "0")),
    function!(
        "atan",
        "The angle in radians of a tangent",
        |x: f64| Ok::<_, Fault>(x.atan()),
        ("atan(1)", "0.7853981633974483")
    ),
    function!("sinh", "The hyperbolic sine", |x: f64| Ok::<_, Fault>(x.sinh()), ("sinh(0)", "0")),
    function!("cosh", "The hyperbolic cosine", |x: f64| Ok::<_, Fault>(x.cosh()), ("cosh(0)", "1")),
    function!("tanh", "The hyperbolic tangent", |x: f64| Ok::<_, Fault>(x.tanh()), ("tanh(0)", "0")),
    function!("asinh", "The number of a hyperbolic sine", |x: f64| Ok::<_, Fault>(asinh(x)), ("asinh(0)", "0")),
    function!("acosh", "The number of a hyperbolic cosine", acosh, ("acosh(1)", "0"), ("acosh(0)", "R302")),
    function!("atanh", "The number of a hyperbolic tangent", atanh, ("atanh(0)", "0"), ("atanh(2)", "R302")),
    function!("sind", "The sine of an angle in degrees", |x| periodic(x, sind), ("sind(30)", "0.5")),
    function!("cosd", "The cosine of an angle in degrees", |x| periodic(x, cosd), ("cosd(60)", "0.5")),
    function!("tand", "The tangent of an angle in degrees", |x| periodic(x, tand), ("tand(45)", "1")),
    function!("cotd", "The cotangent of an angle in degrees", |x| periodic(x, cotd), ("cotd(45)", "1")),
    function!("asind", "The angle in degrees of a sine", |x| within(x, asind), ("asind(0.5)", "30")),
    function!("acosd", "The angle in degrees of a cosine", |x| within(x, acosd), ("acosd(0.5)", "60")),
    function!(
        "atand",
        "The angle in degrees of a tangent",
        |x: f64| Ok::<_, Fault>(degrees_of(x.atan())),
        ("atand(1)", "45")
    ),
    function!("degrees", "Radians as degrees", |x: f64| finite(x, x / DEGREE), ("degrees(0.5)", "28.64788975654116")),
    function!("radians", "Degrees as radians", |x: f64| finite(x, x * DEGREE), ("radians(45)", "0.7853981633974483")),
    Function {
        name: "atan2",
        aliases: &[],
        doc: "The angle in radians of the point that lies so far up and so far to the right",
        signatures: &[two(|call| pair(call, f64::atan2))],
        examples: &[("atan2(1, 0)", "1.5707963267948966")],
    },
    Function {
        name: "atan2d",
        aliases: &[],
        doc: "The angle in degrees of the point that lies so far up and so far to the right",
        signatures: &[two(|call| pair(call, |y, x| degrees_of(y.atan2(x))))],
        examples: &[("atan2d(1, 0)", "90")],
    },
    Function {
        name: "pi",
        aliases: &[],
        doc: "The number pi",
        signatures: &[Signature::new(&[], Type::Double, |call| {
            Column::new(Arc::new(Float64Array::from(vec![PI; call.rows])))
        })],
        examples: &[("pi()", "3.141592653589793")],
    },
];

const fn two(kernel: fn(&call::Call<'_>) -> Column) -> Signature {
    Signature::new(&[Kind::Double, Kind::Double], Type::Double, kernel)
}

fn pair(call: &call::Call<'_>, function: fn(f64, f64) -> f64) -> Column {
    call.map::<(call::Double, call::Double), call::Double>(|(y, x)| Ok(Some(function(y, x))))
}

fn out_of_range() -> Fault {
    Fault::new(Code::OutOfRange, "input is out of range")
}

/// A function of an angle, which is not infinite.
fn periodic(angle: f64, function: impl Fn(f64) -> f64) -> Result<f64, Fault> {
    if angle.is_infinite() { Err(out_of_range()) } else { Ok(function(angle)) }
}

/// A function of a number from -1 to 1.
fn within(value: f64, function: fn(f64) -> f64) -> Result<f64, Fault> {
    if is_beyond_one(value) { Err(out_of_range()) } else { Ok(function(value)) }
}

fn is_beyond_one(value: f64) -> bool {
    value.abs() > 1.0
}

fn finite(value: f64, result: f64) -> Result<f64, Fault> {
    match result {
        _ if result.is_infinite() && value.is_finite() => {
            Err(Fault::new(Code::OutOfRange, "value out of range: overflow"))
        }
        0.0 if value != 0.0 => Err(Fault::new(Code::OutOfRange, "value out of range: underflow")),
        _ => Ok(result),
    }
}

/// From here on the square of a number hides a one that is added.
const LARGE: f64 = 268_435_456.0;

fn asinh(value: f64) -> f64 {
    let size = value.abs();
    let square = size * size;
    let result = match size {
        _ if !size.is_finite() => size,
        LARGE.. => size.ln() + LN_2,
        2.0.. => (2.0 * size + 1.0 / ((square + 1.0).sqrt() + size)).ln(),
        _ => (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p(),
    };
    result.copysign(value)
}

fn acosh(value: f64) -> Result<f64, Fault> {
    let above = value - 1.0;
    match value {
        ..1.0 => Err(out_of_range()),
        LARGE.. => Ok(value.ln() + LN_2),
        2.0.. => Ok((2.0 * value - 1.0 / (value + (value * value - 1.0).sqrt())).ln()),
        _ => Ok((above + (2.0 * above + above * above).sqrt()).ln_1p()),
    }
}

fn atanh(value: f64) -> Result<f64, Fault> {
    let size = value.abs();
    let twice = 2.0 * size;
    let result = match size {
        1.0 => f64::INFINITY,
        1.0.. => return Err(out_of_range()),
        0.5.. => 0.5 * (twice / (1.0 - size)).ln_1p(),
        _ => 0.5 * (twice + twice * size / (1.0 - size)).ln_1p(),
    };
    Ok(result.copysign(value))
}

/// Radians as degrees, relative to 45 degrees.
fn degrees_of(radians: f64) -> f64 {
    radians / 1_f64.atan() * 45.0
}

/// The sine of at most 30 degrees.
fn sine_of_few(degrees: f64) -> f64 {
    (degrees * DEGREE).sin() / (30.0 * DEGREE).sin() / 2.0
}

/// The cosine of at most 60 degrees.
fn cosine_of_few(degrees: f64) -> f64 {
    let known = 1.0 - (60.0 * DEGREE).cos();
    1.0 - (1.0 - (degrees * DEGREE).cos()) / known / 2.0
}

/// The sine of at most 90 degrees.
fn sine_of_quarter(degrees: f64) -> f64 {
    if degrees <= 30.0 { sine_of_few(degrees) } else { cosine_of_few(90.0 - degrees) }
}

/// The cosine of at most 90 degrees.
fn cosine_of_quarter(degrees: f64) -> f64 {
    if degrees <= 60.0 { cosine_of_few(degrees) } else { sine_of_few(90.0 - degrees) }
}

/// An angle brought into the first quarter, and whether it was below zero, in the lower half and in the left half.
fn quarter(degrees: f64) -> (f64, bool, bool, bool) {
    let turn = degrees % 360.0;
    let (angle, below) = if turn < 0.0 { (-turn, true) } else { (turn, false) };
    let (angle, lower) = if angle > 180.0 { (360.0 - angle, true) } else { (angle, false) };
    let (angle, left) = if angle > 90.0 { (180.0 - angle, true) } else { (angle, false) };
    (angle, below, lower, left)
}

fn signed(value: f64, negative: bool) -> f64 {
    if negative { -value } else { value }
}

fn sind(degrees: f64) -> f64 {
    let (angle, below, lower, _) = quarter(degrees);
    signed(sine_of_quarter(angle), below != lower)
}

fn cosd(degrees: f64) -> f64 {
    let (angle, _, _, left) = quarter(degrees);
    signed(cosine_of_quarter(angle), left)
}

fn tand(degrees: f64) -> f64 {
    let (angle, below, lower, left) = quarter(degrees);
    let known = sine_of_quarter(45.0) / cosine_of_quarter(45.0);
    let tangent = sine_of_quarter(angle) / cosine_of_quarter(angle) / known;
    // Zero has no sign here.
    signed(tangent, below ^ lower ^ left) + 0.0
}

fn cotd(degrees: f64) -> f64 {
    let (angle, below, lower, left) = quarter(degrees);
    let known = cosine_of_quarter(45.0) / sine_of_quarter(45.0);
    let cotangent = cosine_of_quarter(angle) / sine_of_quarter(angle) / known;
    signed(cotangent, below ^ lower ^ left) + 0.0
}

fn asine_of_positive(value: f64) -> f64 {
    match value <= 0.5 {
        true => value.asin() / 0.5_f64.asin() * 30.0,
        false => 90.0 - value.acos() / 0.5_f64.acos() * 60.0,
    }
}

fn asind(value: f64) -> f64 {
    if value >= 0.0 { asine_of_positive(value) } else { -asine_of_positive(-value) }
}

fn acosd(value: f64) -> f64 {
    match value {
        0.0..=0.5 => 90.0 - value.asin() / 0.5_f64.asin() * 30.0,
        0.5.. => value.acos() / 0.5_f64.acos() * 60.0,
        _ => 90.0 + asine_of_positive(-value),
    }
}

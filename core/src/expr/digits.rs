//! Digits: how many digits after the point an exact number needs if its type does not say so: a quotient has as many as
//! PostgreSQL computes, and a column only as many as it was given.

use arrow_array::Array;

use super::checked::Checked;
use super::checked::Form;
use super::evaluate::decimal;
use super::evaluate::vector::Vector;
use super::tree::Binary;
use crate::types::Type;

/// The digits after the point that values need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// So many at most.
    Digits(u32),
    /// Nobody knows.
    Unknown,
    /// A third has no end.
    Endless,
}

/// Whether a number is a quotient that needs more than so many digits after the point.
pub(super) fn is_longer_quotient(root: &Checked, scale: u8) -> bool {
    match need(root) {
        Need::Digits(digits) => root.ty == Type::Numeric && digits > u32::from(scale),
        Need::Unknown => false,
        Need::Endless => true,
    }
}

fn need(part: &Checked) -> Need {
    match (&part.form, part.ty) {
        (_, Type::Decimal { scale, .. }) => Need::Digits(scale.into()),
        (_, ty) if ty.is_integer() => Need::Digits(0),
        (_, ty) if ty != Type::Numeric => Need::Unknown,
        (Form::Arithmetic { operator, left, right }, _) => match (operator, need(left), need(right)) {
            (Binary::Divide, dividend, _) => match (dividend, of_divisor(right)) {
                (Need::Digits(digits), Some(more)) => Need::Digits(digits.saturating_add_signed(more)),
                (_, None) => Need::Endless,
                (dividend, _) => dividend,
            },
            (Binary::Multiply, Need::Digits(left), Need::Digits(right)) => Need::Digits(left + right),
            (_, left, right) => left.max(right),
        },
        (Form::Negate(operand), _) => need(operand),
        (Form::Let { body, .. }, _) => need(body),
        (Form::Cast(operand), _) => need(operand),
        (Form::Coalesce(parts) | Form::Extreme { operands: parts, .. }, _) => most(parts.iter()),
        (Form::Case { arms, otherwise }, _) => most(arms.iter().map(|(_, result)| result).chain(otherwise.as_deref())),
        _ => Need::Unknown,
    }
}

fn most<'a>(parts: impl Iterator<Item = &'a Checked>) -> Need {
    parts.map(need).max().unwrap_or(Need::Unknown)
}

/// How many digits a constant divisor adds, if every quotient by it ends: if it is made of twos and fives.
fn of_divisor(divisor: &Checked) -> Option<i32> {
    let values = divisor.constant().filter(|values| values.is_valid(0) && divisor.ty.is_decimal())?;
    let value = decimal::Reader::new(&Vector::constant(values.clone())).value(0);
    let mut rest = value.unscaled.unsigned_abs();
    let mut take = |factor: u128| {
        let mut count = 0;
        while rest != 0 && rest.is_multiple_of(factor) {
            rest /= factor;
            count += 1;
        }
        count
    };
    let digits: i32 = take(2).max(take(5));
    (rest == 1).then(|| digits - i32::from(value.scale))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use crate::expr::Expr;
    use crate::expr::Name;
    use crate::types::Type;

    #[test]
    fn a_quotient_needs_the_digits_of_its_divisor() {
        let name = |name: &str, ty| Name { name: name.to_owned(), ty, nullable: true };
        let scope = [
            name("price", Type::Decimal { precision: 12, scale: 2 }),
            name("cents", Type::Bigint),
            name("f", Type::Double),
            name("t", Type::Text),
        ];
        for (expression, scale, wanted) in [
            ("price / 3", 4, true),
            ("price / cents", 10, true),
            ("cents / 100.0", 2, false),
            ("cents / 100.0", 1, true),
            ("price / 4", 4, false),
            ("price / 8", 4, true),
            ("price / 0.25", 2, false),
            ("round(price / 3, 4)", 4, false),
            ("(price / 3)::decimal(12,4)", 4, false),
            ("(price / 3)::double precision::numeric", 4, false),
            ("case when cents > 0 then price / cents else 0 end", 4, true),
            ("coalesce(price / nullif(cents, 0), 0)", 4, true),
            ("-(price / 3) * 2 + 1", 4, true),
            ("cents / 3", 0, false),
            ("f / 3", 4, false),
            ("t::numeric", 2, false),
            ("t::numeric / 3", 2, true),
            ("price * 2", 2, false),
        ] {
            let (expr, _) = Expr::compile(expression, &scope).unwrap();
            assert_eq!(super::is_longer_quotient(&expr.root, scale), wanted, "{expression} at {scale}");
        }
    }
}

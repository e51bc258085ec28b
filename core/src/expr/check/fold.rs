//! Fold: constant parts are computed once, and parts that no row can reach are left out.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::cast::AsArray;
use arrow_array::new_null_array;

use super::NOWHERE;
use super::convert::constant;
use crate::column::Fault;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::evaluate::Batch;
use crate::types::Type;

/// A value that a body uses as [`Form::Local`].
pub(super) fn share(value: Checked, body: Checked) -> Checked {
    let (ty, span) = (body.ty, body.span);
    fold(Form::Let { value: Box::new(value), body: Box::new(body) }, ty, span)
}

/// The part; or the constant that it is, if it depends on no row and does not fault.
pub(super) fn fold(form: Form, ty: Type, span: Span) -> Checked {
    let form = match form {
        Form::Case { arms, otherwise } => match reachable(arms, otherwise) {
            (arms, Some(result)) if arms.is_empty() => return Checked { span, ..*result },
            (arms, None) if arms.is_empty() => return constant(new_null_array(&ty.arrow(), 1), ty, span),
            (arms, otherwise) => Form::Case { arms, otherwise },
        },
        Form::Coalesce(operands) => match asked(operands) {
            operands if operands.is_empty() => return constant(new_null_array(&ty.arrow(), 1), ty, span),
            mut operands if operands.first().is_some_and(|first| first.constant().is_some()) => {
                return Checked { span, ..operands.swap_remove(0) };
            }
            operands => Form::Coalesce(operands),
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
    // An operator or a strict function with a constant NULL is NULL, whatever its other operands are or would fault with in a
    // row. What faults before there are rows has done so, as PostgreSQL computes constants first.
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
    let has_null = strict && part.parts().into_iter().filter_map(Checked::constant).any(|array| array.is_null(0));
    if has_null && !part.parts().into_iter().any(has_constant_fault) {
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

/// The operands of a `COALESCE` that are looked at for some row: none that is NULL for all of them, and none behind one that
/// never is.
fn asked(operands: Vec<Checked>) -> Vec<Checked> {
    let is_null = |operand: &Checked| operand.constant().is_some_and(|value| value.is_null(0));
    let mut asked: Vec<_> = operands.into_iter().filter(|operand| !is_null(operand)).collect();
    if let Some(last) = asked.iter().position(|operand| operand.constant().is_some()) {
        asked.truncate(last + 1);
    }
    asked
}

/// Whether a constant operand decides an `AND` or `OR` for every row, and no constant part before it faults.
fn is_decided(operands: &[Checked], decisive: bool) -> bool {
    let decides = |operand: &Checked| operand.constant().is_some_and(|value| truth(value) == Some(decisive));
    operands.iter().position(decides).is_some_and(|at| !operands.iter().take(at).any(has_constant_fault))
}

/// Whether a part has one that depends on no row, and is no constant because it faults.
fn has_constant_fault(part: &Checked) -> bool {
    let parts = part.parts();
    !parts.is_empty()
        && (!is_late(part) && parts.iter().all(|part| part.constant().is_some())
            || parts.into_iter().any(has_constant_fault))
}

/// Functions that depend on settings of PostgreSQL's session.
const LATE: [&str; 21] = [
    "concat",
    "concat_ws",
    "convert",
    "convert_from",
    "convert_to",
    "format",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_path_exists_tz",
    "jsonb_path_match_tz",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz",
    "make_timestamptz",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
];

/// Whether PostgreSQL does not compute a part before there are rows, though it depends on none: it depends on settings of the
/// session, such as the zone.
fn is_late(part: &Checked) -> bool {
    let is_time = |ty: Type| {
        matches!(ty, Type::Date | Type::Time | Type::Timetz | Type::Timestamp | Type::Timestamptz | Type::Interval)
    };
    match &part.form {
        // The days and months of an interval are those of a zone; two instants have a distance without one.
        Form::Call { name: "+" | "-", arguments, .. } => {
            [Type::Timestamptz, Type::Interval].iter().all(|ty| arguments.iter().any(|argument| argument.ty == *ty))
        }
        Form::Call { name: "date_trunc" | "extract" | "date_part" | "overlaps", arguments, .. } => {
            arguments.iter().any(|argument| argument.ty == Type::Timestamptz)
        }
        Form::Call { name: "timezone", arguments, .. } => {
            arguments.iter().any(|argument| argument.ty == Type::Timetz)
                && arguments.iter().any(|argument| argument.ty.is_text())
        }
        Form::Call { name: "length", arguments, .. } => arguments.len() == 2,
        Form::Call { name, .. } => LATE.contains(name),
        Form::Cast(operand) => {
            let (from, to) = (operand.ty, part.ty);
            from.is_text() && is_time(to) || is_time(from) && to.is_text() || [from, to].contains(&Type::Timestamptz)
        }
        _ => false,
    }
}

/// The value of a boolean constant.
fn truth(value: &ArrayRef) -> Option<bool> {
    value.is_valid(0).then(|| value.as_boolean().value(0))
}

/// The fault of a part that depends on no row and is no constant because it faults.
pub(super) fn constant_fault_of(part: &Checked) -> Option<Fault> {
    let parts = part.parts();
    let is_constant = !parts.is_empty() && parts.iter().all(|part| part.constant().is_some());
    if !is_constant {
        return None;
    }
    let batch = Batch { columns: &[], rows: 1, context: &NOWHERE };
    batch.evaluate(part, &mut Vec::new()).faults.of(0).cloned()
}

/// Whether a part depends on a column.
pub(super) fn mentions_name(part: &Checked) -> bool {
    matches!(part.form, Form::Name(_)) || part.parts().into_iter().any(mentions_name)
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

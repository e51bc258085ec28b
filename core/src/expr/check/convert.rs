//! Convert: what makes one type of another: the type that parts have in common, explicit casts, and literals that get a type.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::StringViewArray;
use arrow_array::new_null_array;

use super::Checker;
use super::NOWHERE;
use super::fold::fold;
use super::types;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::evaluate::cast;
use crate::expr::evaluate::decimal;
use crate::expr::evaluate::vector::Vector;
use crate::expr::functions::Call;
use crate::expr::functions::Kind;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::types::Type;
use crate::value::Decimal;

impl Checker<'_> {
    /// The type that parts have in common.
    pub(super) fn common<'a>(
        &mut self,
        parts: impl Iterator<Item = &'a Checked>,
        place: &str,
        span: Span,
    ) -> Option<Type> {
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
    pub(super) fn cast(&mut self, operand: Checked, to: Type, span: Span) -> Option<Checked> {
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
    pub(super) fn try_cast(&mut self, operand: Checked, to: Type, span: Span) -> Option<Checked> {
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
    pub(super) fn settled(&mut self, checked: Checked) -> Option<Checked> {
        if checked.is_unknown() { self.convert(checked, Type::Text) } else { Some(checked) }
    }

    /// The part as a value of a kind. Decimals keep their digits.
    pub(super) fn as_kind(&mut self, checked: Checked, kind: Kind) -> Option<Checked> {
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
    pub(super) fn convert(&mut self, checked: Checked, to: Type) -> Option<Checked> {
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
pub(super) fn unknown(text: Option<String>, span: Span) -> Checked {
    Checked { nullable: text.is_none(), form: Form::Unknown(text), ty: Type::Text, span }
}

pub(super) fn constant(array: ArrayRef, ty: Type, span: Span) -> Checked {
    Checked { nullable: array.is_null(0), form: Form::Constant(array), ty, span }
}

pub(super) fn decimal_constant(value: Decimal, span: Span) -> Checked {
    let digits = value.unscaled.unsigned_abs().checked_ilog10().map_or(1, |power| power + 1);
    let precision = u8::try_from(digits).unwrap_or(DECIMAL_PRECISION_MAX).max(value.scale).max(1);
    let ty = Type::Decimal { precision, scale: value.scale };
    constant(decimal::array(&[value], None, ty), ty, span)
}

/// A constant of [`Type::Numeric`] has a scale that is known after all.
pub(super) fn refined(checked: Checked) -> Checked {
    match checked.constant() {
        Some(array) if checked.ty == Type::Numeric && array.is_valid(0) => {
            let value = decimal::Reader::new(&Vector::constant(array.clone())).value(0);
            decimal_constant(value, checked.span)
        }
        _ => checked,
    }
}

/// The fault that converting a constant meets.
pub(super) fn fault_of(operand: &Checked, to: Type) -> Option<Fault> {
    let arguments = [Vector::constant(operand.constant()?.clone())];
    let call = Call { arguments: &arguments, rows: 1, ty: to, context: &NOWHERE };
    cast::cast(&call, operand.ty).faults.of(0).cloned()
}

pub(super) fn constant_fault(fault: &Fault, span: Span) -> Diagnostic {
    // What PostgreSQL has room for is no mistake of its author.
    let code = match fault.code {
        Code::BeyondDecimal | Code::Infinite | Code::Unrepresentable => Code::Unsupported,
        _ => Code::ConstantFault,
    };
    let wrong = Diagnostic::error(code, span, fault.message.to_string());
    Diagnostic { fault: Some(fault.code), ..wrong }
}

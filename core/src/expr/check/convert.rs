//! Convert: conversions between types: the common type of several parts, explicit casts, and literals that get a type.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Int32Array;
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
        parts: impl Iterator<Item = &'a Checked> + Clone,
        place: &str,
        span: Span,
    ) -> Option<Type> {
        if let Some(ty) = self.common_type(parts.clone()) {
            return Some(ty);
        }
        let known: Vec<_> = parts.filter(|part| !part.is_unknown()).collect();
        let mut names: Vec<_> = known.iter().map(|part| part.ty.to_string()).collect();
        names.dedup();
        let fact = format!("{place} takes values of one type, not {}", names.join(" and "));
        let wrong = Diagnostic::error(Code::Types, span, fact).with_help("cast them to one type with `::`");
        self.wrong(known.iter().fold(wrong, |wrong, part| wrong.with_label(part.span, part.ty.to_string())))
    }

    /// The type that parts have in common, if they have one. A quoted text is neither cut to the length nor rounded to the
    /// digits that the others happen to have.
    pub(super) fn common_type<'a>(&self, parts: impl Iterator<Item = &'a Checked>) -> Option<Type> {
        let (quoted, known): (Vec<_>, Vec<_>) = parts.partition(|part| part.is_unknown());
        let ty = types::common(known.iter().map(|part| part.ty))?;
        let is_longer =
            |bytes: u32| quoted.iter().any(|part| part.quoted().is_some_and(|text| text.len() > bytes as usize));
        match ty {
            // It is not filled up either.
            Type::Char(bytes)
                if quoted.iter().any(|part| part.quoted().is_some_and(|text| text.len() != bytes as usize)) =>
            {
                Some(Type::Char(0))
            }
            Type::Varchar(bytes) if is_longer(bytes) => Some(Type::Text),
            Type::Decimal { .. } => {
                let own = |text: &str| Decimal::parse(text.as_bytes()).map_or(Type::Numeric, decimal_type);
                types::common([ty].into_iter().chain(quoted.iter().filter_map(|part| part.quoted()).map(own)))
            }
            ty => Some(ty),
        }
    }

    /// An explicit cast.
    pub(super) fn cast(&mut self, operand: Checked, to: Type, span: Span) -> Option<Checked> {
        if !operand.is_unknown() && !cast::exists(operand.ty, to) {
            let fact = format!("there is no cast from {} to {to}", operand.ty);
            return self.wrong(Diagnostic::error(Code::Types, span, fact));
        }
        let is_time = matches!(to, Type::Date | Type::Timestamp | Type::Timestamptz);
        if is_time && operand.ty.is_text() && is_of_field(&operand) {
            let fact = format!("a text that is cast to {to} is read month first: 05.03.2026 is the third of May");
            let help = match to {
                Type::Date => "say how it is written: to_date(…, 'DD.MM.YYYY'), or `type` and `format` of its field",
                _ => {
                    "say how it is written: to_timestamp(…, 'DD.MM.YYYY HH24:MI'), or `type` and `format` of its field"
                }
            };
            self.diagnostics.push(Diagnostic::warning(Code::GuessedDay, span, fact).with_help(help));
        }
        if operand.ty == Type::Timestamptz && to == Type::Date && !operand.is_unknown() && !is_of_day(&operand) {
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
        // The bytes of a char are those of its blanks, too.
        let operand = if to == Type::Bytea { self.padded(operand)? } else { operand };
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
        match checked.form {
            Form::Unknown(_) => self.convert(checked, Type::Text),
            Form::Beyond(_) => self.convert(checked, Type::Numeric),
            _ => Some(checked),
        }
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

    /// A char as the text that it is with its blanks; other parts as they are.
    ///
    /// A cast to text or varchar drops the blanks of a char, and so does whatever takes a text. They count only where
    /// PostgreSQL has a function for char itself: to the left of LIKE, SIMILAR TO and `~`, in `octet_length`, and where any
    /// type is taken and printed.
    pub(super) fn padded(&mut self, part: Checked) -> Option<Checked> {
        let span = part.span;
        match part.ty {
            _ if part.is_unknown() => Some(part),
            Type::Char(0) => Some(Checked { ty: Type::Text, ..part }),
            Type::Char(bytes) => {
                let length = constant(Arc::new(Int32Array::from(vec![bytes.cast_signed()])), Type::Integer, span);
                let text = self.convert(part, Type::Text)?;
                self.function("rpad", span, vec![text, length], span)
            }
            _ => Some(part),
        }
    }

    /// The part as a value of exactly that type.
    pub(super) fn convert(&mut self, checked: Checked, to: Type) -> Option<Checked> {
        let Checked { form, ty, span, .. } = &checked;
        let span = *span;
        match form {
            // PostgreSQL's numbers have all their digits, and become floating-point numbers by way of them.
            Form::Beyond(text) => {
                if to.is_float() {
                    return self.convert(unknown(Some(text.clone()), span), to);
                }
                let wrong = Diagnostic::error(Code::Unsupported, span, "an exact number has at most 38 digits");
                return self
                    .wrong(wrong.with_help("as a floating-point number it may have more: `1e50::double precision`"));
            }
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
            // Without a length of its own, a char keeps the blanks that it has.
            _ if matches!(ty, Type::Char(1..)) && to == Type::Char(0) => {
                return self.padded(checked).map(|padded| Checked { ty: to, ..padded });
            }
            _ => {}
        }
        Some(fold(Form::Cast(Box::new(checked)), to, span))
    }
}

/// Whether a text is a field's, as it is or without its blanks.
fn is_of_field(text: &Checked) -> bool {
    match &text.form {
        Form::Name(_) => true,
        Form::Cast(operand) => operand.ty.is_text() && is_of_field(operand),
        Form::Call { name: "btrim" | "ltrim" | "rtrim", arguments, .. } => arguments.first().is_some_and(is_of_field),
        _ => false,
    }
}

/// Whether an instant is the first of a day, by way of `date_trunc` or not.
fn is_of_day(instant: &Checked) -> bool {
    match &instant.form {
        Form::Cast(operand) => operand.ty == Type::Date,
        Form::Call { name: "date_trunc", arguments, .. } => arguments.get(1).is_some_and(is_of_day),
        _ => false,
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
    let ty = decimal_type(value);
    constant(decimal::array(&[value], None, ty), ty, span)
}

/// The narrowest type of a decimal at its scale.
fn decimal_type(value: Decimal) -> Type {
    let digits = value.unscaled.unsigned_abs().checked_ilog10().map_or(1, |power| power + 1);
    let precision = u8::try_from(digits).unwrap_or(DECIMAL_PRECISION_MAX).max(value.scale).max(1);
    Type::Decimal { precision, scale: value.scale }
}

/// A constant of [`Type::Numeric`] has a scale that is known after all.
pub(super) fn refined(checked: Checked) -> Checked {
    match checked.constant() {
        Some(array) if checked.ty == Type::Numeric && array.is_valid(0) => {
            let value = decimal::Reader::new(&Vector::constant(array.clone())).value(0);
            if value.special().is_some() { checked } else { decimal_constant(value, checked.span) }
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

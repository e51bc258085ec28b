//! Operators: what `+`, `||`, `=` and others mean for the types of their operands.

use arrow_array::Array;

use super::Checker;
use super::convert::refined;
use super::fold::fold;
use super::types;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::evaluate::cast;
use crate::expr::evaluate::vector::Vector;
use crate::expr::functions;
use crate::expr::functions::Kind;
use crate::expr::tree;
use crate::expr::tree::Binary;
use crate::expr::tree::Node;
use crate::expr::tree::Unary;
use crate::types::Type;

impl Checker<'_> {
    /// `+x` and `-x`.
    pub(super) fn sign(&mut self, operator: Unary, operand: &Node, span: Span) -> Option<Checked> {
        let operand = self.node(operand)?;
        self.signed(operator, operand, span)
    }

    /// A value with a sign.
    pub(super) fn signed(&mut self, operator: Unary, operand: Checked, span: Span) -> Option<Checked> {
        if operand.ty == Type::Interval && operator == Unary::Minus {
            return self.function("(negate)", span, vec![operand], span);
        }
        if operator == Unary::Minus && operand.is_unknown() {
            let fact = "`-` is for numbers and intervals, and a quoted text does not say which";
            let wrong = Diagnostic::error(Code::Types, span, fact);
            return self.wrong(wrong.with_help("give it its type: `'…'::integer`, `interval '…'`"));
        }
        // `+` is for numbers alone, of which PostgreSQL prefers a double.
        let operand = if operand.is_unknown() { self.as_kind(operand, Kind::Double)? } else { operand };
        if !operand.ty.is_number() {
            let wrong = Diagnostic::error(Code::Types, span, format!("a sign takes a number, not {}", operand.ty));
            return self.wrong(wrong);
        }
        let ty = operand.ty;
        Some(match operator {
            Unary::Minus => fold(Form::Negate(Box::new(operand)), ty, span),
            _ => Checked { span, ..operand },
        })
    }

    pub(super) fn binary(
        &mut self,
        operator: Binary,
        place: Span,
        left: Checked,
        right: Checked,
        span: Span,
    ) -> Option<Checked> {
        match operator {
            Binary::Concat if Self::joins_json(&left, &right) => {
                self.function("(joined)", place, vec![left, right], span)
            }
            Binary::Concat if Self::joins_bytes(&left, &right) => {
                self.function("byteacat", place, vec![left, right], span)
            }
            Binary::Concat => self.concat(left, right, span),
            // A text is taken away from nothing but a `jsonb`.
            Binary::Subtract if left.is_unknown() && !right.is_unknown() && right.ty.is_text() => {
                let left = self.as_kind(left, Kind::Jsonb)?;
                self.function("jsonb_delete", place, vec![left, right], span)
            }
            Binary::Subtract if left.ty.is_json() && !left.is_unknown() => {
                self.function("jsonb_delete", place, vec![left, right], span)
            }
            Binary::Power => {
                // The functions decide which powers there are.
                self.function("power", place, vec![left, right], span)
            }
            _ if operator.compares() => self.compare(operator, left, right, span),
            _ if moves_time(&left, &right) => self.moment(operator, place, left, right, span),
            _ => self.arithmetic(operator, left, right, span),
        }
    }

    /// An operator over times and intervals. A quoted text beside one is of the same type, where that makes sense.
    fn moment(&mut self, operator: Binary, place: Span, left: Checked, right: Checked, span: Span) -> Option<Checked> {
        let same = |kind: Kind| {
            let takes = |signature: &functions::Signature| signature.arguments == [kind, kind];
            functions::operator(operator.text()).is_some_and(|found| found.signatures.iter().any(takes))
        };
        let (left_kind, right_kind) = (Kind::of(left.ty), Kind::of(right.ty));
        let (left, right) = match (left.is_unknown(), right.is_unknown()) {
            (true, false) if same(right_kind) => (self.as_kind(left, right_kind)?, right),
            (false, true) if same(left_kind) => {
                let right = self.as_kind(right, left_kind)?;
                (left, right)
            }
            _ => (left, right),
        };
        if functions::operator(operator.text()).is_none() {
            return self.mismatch(
                operator.text(),
                &left,
                &right,
                span,
                "intervals are added, or multiplied by numbers",
            );
        }
        self.function(operator.text(), place, vec![left, right], span)
    }

    /// `a || b || c`, from the left to the right. JSON is joined at once: one after the other, each result would be read and
    /// written for the next.
    pub(super) fn chain(&mut self, node: &Node) -> Option<Checked> {
        let (mut first, mut steps) = (node, Vec::new());
        while let tree::Kind::Binary { operator: Binary::Concat, place, left, right } = &first.kind {
            steps.push((*place, first.span, &**right));
            first = left;
        }
        let mut joined = vec![self.node(first)];
        let mut place = first.span;
        for (operator, span, right) in steps.into_iter().rev() {
            let right = self.node(right);
            let (Some(left), Some(next)) = (joined.last()?, &right) else {
                // The mistakes of all of them are told.
                joined = vec![None];
                continue;
            };
            // What is joined is a `jsonb`.
            let is_json = joined.len() > 1 && (next.is_unknown() || next.ty == Type::Jsonb);
            if is_json || (joined.len() == 1 && Self::joins_json(left, next)) {
                joined.push(right);
            } else {
                let left = self.joined(joined, place);
                joined = vec![match (left, right) {
                    (Some(left), Some(right)) => self.binary(Binary::Concat, operator, left, right, span),
                    _ => None,
                }];
            }
            place = span;
        }
        self.joined(joined, place)
    }

    /// One value, or several that are joined as JSON.
    fn joined(&mut self, mut parts: Vec<Option<Checked>>, span: Span) -> Option<Checked> {
        match parts.len() {
            1 => parts.pop().flatten(),
            _ => self.function("(joined)", span, parts.into_iter().collect::<Option<_>>()?, span),
        }
    }

    /// Whether both are bytes, or one is and the other may be.
    fn joins_bytes(left: &Checked, right: &Checked) -> bool {
        let may_be = |part: &Checked| part.is_unknown() || part.ty == Type::Bytea;
        may_be(left) && may_be(right) && !(left.is_unknown() && right.is_unknown())
    }

    fn concat(&mut self, left: Checked, right: Checked, span: Span) -> Option<Checked> {
        let is_text = |part: &Checked| part.is_unknown() || part.ty.is_text();
        // A quoted text beside a `super` may be meant for a text or for JSON, and PostgreSQL joins no two of `json`.
        let may_be_json = |part: &Checked, other: &Checked| part.is_unknown() && other.ty.is_json();
        if (!is_text(&left) && !is_text(&right)) || may_be_json(&left, &right) || may_be_json(&right, &left) {
            return self.mismatch("||", &left, &right, span, "say what it is: `::text` or `::jsonb`");
        }
        let mut operands = Vec::new();
        for part in [left, right] {
            let part = self.convert(part, Type::Text)?;
            match part.form {
                Form::Concat(parts) => operands.extend(parts),
                _ => operands.push(part),
            }
        }
        Some(fold(Form::Concat(operands), Type::Text, span))
    }

    /// A comparison, in the kind that both operands become.
    pub(super) fn compare(&mut self, operator: Binary, left: Checked, right: Checked, span: Span) -> Option<Checked> {
        let null = [&left, &right].into_iter().find(|side| matches!(side.form, Form::Unknown(None)));
        if let Some(null) = null {
            let fact = format!("a comparison by `{}` with NULL is never true", operator.text());
            self.diagnostics.push(
                Diagnostic::warning(Code::NeverTrue, null.span, fact).with_help("write `is null` or `is not null`"),
            );
        }
        let (left, right) = self.comparable(left, right, operator.text(), span)?;
        let form = Form::Compare { operator, left: Box::new(left), right: Box::new(right) };
        Some(fold(form, Type::Boolean, span))
    }

    /// Both operands in the kind in which they are compared.
    pub(super) fn comparable(
        &mut self,
        left: Checked,
        right: Checked,
        operator: &str,
        span: Span,
    ) -> Option<(Checked, Checked)> {
        let (left, right) = match (left.is_unknown(), right.is_unknown()) {
            (true, true) => (self.settled(left), self.settled(right)),
            (true, false) => (self.like_other(left, right.ty), Some(right)),
            (false, true) => {
                let ty = left.ty;
                (Some(left), self.like_other(right, ty))
            }
            (false, false) => (Some(left), Some(right)),
        };
        let (mut left, mut right) = (left?, right?);
        // Beside a char, a varchar is compared as a char too; a text is not.
        match (left.ty, right.ty) {
            (Type::Char(_), Type::Varchar(_)) => right = self.convert(right, Type::Char(0))?,
            (Type::Varchar(_), Type::Char(_)) => left = self.convert(left, Type::Char(0))?,
            _ => {}
        }
        let Some(kind) = types::comparable(left.ty, right.ty) else {
            return self.mismatch(operator, &left, &right, span, "cast one side to the other's type with `::`");
        };
        // JSON is compared by what it means.
        let kind = if kind == Kind::Json { Kind::Jsonb } else { kind };
        let (left, right) = (self.as_kind(left, kind), self.as_kind(right, kind));
        Some((left?, right?))
    }

    /// A quoted literal beside an operand of a known type. Beside a char it is a char, whose trailing blanks do not count.
    fn like_other(&mut self, literal: Checked, other: Type) -> Option<Checked> {
        match other {
            Type::Char(_) => {
                let text = self.convert(literal, Type::Text)?;
                self.convert(Checked { ty: other, ..text }, Type::Text)
            }
            _ => self.as_kind(literal, Kind::of(other)),
        }
    }

    fn arithmetic(&mut self, operator: Binary, left: Checked, right: Checked, span: Span) -> Option<Checked> {
        let (left, right) = match (left.is_unknown(), right.is_unknown()) {
            (true, true) => {
                return self.mismatch(operator.text(), &left, &right, span, "say the type of one: `'…'::integer`");
            }
            // Beside a day, a quoted text may be a day or a number of days.
            (true, false) if right.ty.is_number() || (right.ty == Type::Date && operator == Binary::Subtract) => {
                let kind = Kind::of(right.ty);
                (self.as_kind(left, kind)?, right)
            }
            (false, true) if left.ty.is_number() || (left.ty == Type::Date && operator == Binary::Subtract) => {
                let kind = Kind::of(left.ty);
                (left, self.as_kind(right, kind)?)
            }
            (false, false) => (left, right),
            _ => {
                return self.mismatch(operator.text(), &left, &right, span, says_type(operator, &left, &right));
            }
        };
        let (left_kind, right_kind) = (Kind::of(left.ty), Kind::of(right.ty));
        let (left, right, ty) = match (left_kind, right_kind) {
            (Kind::Date, Kind::Smallint | Kind::Integer) if matches!(operator, Binary::Add | Binary::Subtract) => {
                (left, self.as_kind(right, Kind::Integer)?, Type::Date)
            }
            (Kind::Smallint | Kind::Integer, Kind::Date) if operator == Binary::Add => {
                (right, self.as_kind(left, Kind::Integer)?, Type::Date)
            }
            (Kind::Date, Kind::Date) if operator == Binary::Subtract => (left, right, Type::Integer),
            _ if !left.ty.is_number() || !right.ty.is_number() => {
                let help = match operator == Binary::Add && (left.ty.is_text() || right.ty.is_text()) {
                    true => JOINS,
                    false => "arithmetic takes numbers, or times and intervals",
                };
                return self.mismatch(operator.text(), &left, &right, span, help);
            }
            _ if left.ty.is_float() || right.ty.is_float() => {
                if operator == Binary::Modulo {
                    return self.mismatch("%", &left, &right, span, "a remainder takes whole numbers or decimals");
                }
                let kind = if (left_kind, right_kind) == (Kind::Real, Kind::Real) { Kind::Real } else { Kind::Double };
                (self.as_kind(left, kind)?, self.as_kind(right, kind)?, kind.ty())
            }
            _ if left.ty.is_integer() && right.ty.is_integer() => {
                let kind = if left_kind.becomes(right_kind) { right_kind } else { left_kind };
                (self.as_kind(left, kind)?, self.as_kind(right, kind)?, kind.ty())
            }
            _ => {
                let (left, right) = (self.as_kind(left, Kind::Numeric)?, self.as_kind(right, Kind::Numeric)?);
                match types::decimal_result(operator, left.ty, right.ty) {
                    Ok(ty) => (left, right, ty),
                    Err(scale) => {
                        let fact = format!("the product has {scale} digits after the point, more than 38");
                        let wrong = Diagnostic::error(Code::Unsupported, span, fact);
                        return self.wrong(wrong.with_help("round an operand first: `round(x, 10)`"));
                    }
                }
            }
        };
        if matches!(operator, Binary::Divide | Binary::Modulo) && is_zero(&right) && left.constant().is_none() {
            let wrong = Diagnostic::error(Code::Arguments, right.span, "division by zero");
            return self.wrong(Diagnostic { fault: Some(Code::DivisionByZero), ..wrong });
        }
        let form = Form::Arithmetic { operator, left: Box::new(left), right: Box::new(right) };
        Some(refined(fold(form, ty, span)))
    }

    fn mismatch<T>(&mut self, operator: &str, left: &Checked, right: &Checked, span: Span, help: &str) -> Option<T> {
        let name = |part: &Checked| if part.is_unknown() { "a quoted text".to_owned() } else { part.ty.to_string() };
        let fact = format!("`{operator}` does not take {} and {}", name(left), name(right));
        self.wrong(
            Diagnostic::error(Code::Types, span, fact)
                .with_label(left.span, name(left))
                .with_label(right.span, name(right))
                .with_help(help),
        )
    }
}

/// What `+` does with texts elsewhere.
const JOINS: &str = "`||` joins texts";

/// The advice where a quoted text stands beside something that is no number.
fn says_type(operator: Binary, left: &Checked, right: &Checked) -> &'static str {
    let is_text = |part: &Checked| !part.is_unknown() && part.ty.is_text();
    match operator == Binary::Add && (is_text(left) || is_text(right)) {
        true => JOINS,
        false => "say the type of the text: `'…'::integer`",
    }
}

/// Whether a number is the constant zero.
fn is_zero(part: &Checked) -> bool {
    let Some(values) = part.constant().filter(|values| values.is_valid(0)) else { return false };
    let mut text = String::new();
    cast::Printer::new(&Vector::constant(values.clone()), part.ty).print(0, &mut text);
    text.bytes().any(|byte| byte == b'0') && text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'))
}

/// Whether an operand is a time or an interval. A day and numbers of days are arithmetic like others.
fn moves_time(left: &Checked, right: &Checked) -> bool {
    let known = |part: &Checked| if part.is_unknown() { None } else { Some(part.ty) };
    let is_time = |ty| matches!(ty, Type::Time | Type::Timetz | Type::Timestamp | Type::Timestamptz | Type::Interval);
    let (left, right) = (known(left), known(right));
    [left, right].into_iter().flatten().any(is_time)
}

//! Types: which types go together, as PostgreSQL's implicit casts decide it.

use crate::expr::evaluate::cast;
use crate::expr::functions::Kind;
use crate::expr::tree::Binary;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::types::Type;

/// PostgreSQL's categories: types of one category may become one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Boolean,
    Number,
    Text,
    Moment,
    Time,
    Interval,
    Json,
    Bytes,
}

impl Kind {
    /// The kind of a type.
    pub(super) fn of(ty: Type) -> Self {
        match ty {
            Type::Boolean => Self::Boolean,
            Type::Smallint => Self::Smallint,
            Type::Integer => Self::Integer,
            Type::Bigint => Self::Bigint,
            Type::Decimal { .. } | Type::Numeric => Self::Numeric,
            Type::Real => Self::Real,
            Type::Double => Self::Double,
            Type::Date => Self::Date,
            Type::Time => Self::Time,
            Type::Timetz => Self::Timetz,
            Type::Interval => Self::Interval,
            Type::Timestamp => Self::Timestamp,
            Type::Timestamptz => Self::Timestamptz,
            Type::Text | Type::Varchar(_) | Type::Char(_) => Self::Text,
            Type::Super => Self::Json,
            Type::Jsonb => Self::Jsonb,
            Type::Bytea => Self::Bytea,
        }
    }

    /// The type that a value of another kind gets.
    pub(in crate::expr) fn ty(self) -> Type {
        match self {
            Self::Boolean => Type::Boolean,
            Self::Smallint => Type::Smallint,
            Self::Integer => Type::Integer,
            Self::Bigint => Type::Bigint,
            Self::Numeric => Type::Numeric,
            Self::Real => Type::Real,
            Self::Double => Type::Double,
            Self::Date => Type::Date,
            Self::Time => Type::Time,
            Self::Timetz => Type::Timetz,
            Self::Interval => Type::Interval,
            Self::Timestamp => Type::Timestamp,
            Self::Timestamptz => Type::Timestamptz,
            Self::Text | Self::Any => Type::Text,
            Self::Json => Type::Super,
            Self::Jsonb => Type::Jsonb,
            Self::Bytea => Type::Bytea,
        }
    }

    pub(super) fn category(self) -> Category {
        match self {
            Self::Boolean => Category::Boolean,
            Self::Smallint | Self::Integer | Self::Bigint | Self::Numeric | Self::Real | Self::Double => {
                Category::Number
            }
            Self::Date | Self::Timestamp | Self::Timestamptz => Category::Moment,
            Self::Time | Self::Timetz => Category::Time,
            Self::Interval => Category::Interval,
            Self::Text | Self::Any => Category::Text,
            Self::Json | Self::Jsonb => Category::Json,
            Self::Bytea => Category::Bytes,
        }
    }

    /// Whether it is its category's preferred type.
    pub(super) fn is_preferred(self) -> bool {
        matches!(self, Self::Boolean | Self::Double | Self::Timestamptz | Self::Interval | Self::Text)
    }

    /// How far it is along the implicit casts of its category.
    fn width(self) -> u8 {
        match self {
            Self::Smallint | Self::Date => 0,
            Self::Integer | Self::Timestamp | Self::Timetz => 1,
            Self::Bigint | Self::Timestamptz => 2,
            Self::Numeric => 3,
            Self::Real => 4,
            Self::Double => 5,
            Self::Boolean
            | Self::Time
            | Self::Interval
            | Self::Text
            | Self::Json
            | Self::Jsonb
            | Self::Bytea
            | Self::Any => 0,
        }
    }

    /// Whether a value of this kind becomes one of the other without being asked to.
    pub(super) fn becomes(self, other: Self) -> bool {
        other == Self::Any
            || (self, other) == (Self::Time, Self::Interval)
            || (self.category() == other.category() && self.width() <= other.width())
    }
}

/// The type that operands of `CASE`, `COALESCE`, `GREATEST` and others have in common; `None` if there is none.
pub(super) fn common(types: impl IntoIterator<Item = Type>) -> Option<Type> {
    types.into_iter().map(Some).reduce(|left, right| wider(left?, right?)).unwrap_or(Some(Type::Text))
}

fn wider(left: Type, right: Type) -> Option<Type> {
    if left == right {
        return Some(left);
    }
    let (left_kind, right_kind) = (Kind::of(left), Kind::of(right));
    match (left, right) {
        (Type::Varchar(left), Type::Varchar(right)) => Some(Type::Varchar(left.max(right))),
        // The first decides whether trailing blanks count.
        (Type::Char(_), _) if right.is_text() => Some(Type::Char(0)),
        _ if left.is_text() && right.is_text() => Some(Type::Text),
        _ if left_kind == Kind::Numeric || right_kind == Kind::Numeric => {
            let widest = if left_kind.becomes(right_kind) { right_kind } else { left_kind };
            match (widest, exact(left), exact(right)) {
                _ if left_kind.category() != right_kind.category() => None,
                (
                    Kind::Numeric,
                    Type::Decimal { precision: p1, scale: s1 },
                    Type::Decimal { precision: p2, scale: s2 },
                ) if s1 == s2 => Some(Type::Decimal { precision: p1.max(p2), scale: s1 }),
                _ => Some(widest.ty()),
            }
        }
        _ if left_kind.category() != right_kind.category() => None,
        _ if left_kind.becomes(right_kind) => Some(right),
        _ if right_kind.becomes(left_kind) => Some(left),
        _ => None,
    }
}

/// A whole number's type as a decimal; others as they are.
pub(super) fn exact(ty: Type) -> Type {
    if ty.is_integer() { cast::as_decimal(ty) } else { ty }
}

/// The kind in which two operands are compared.
pub(super) fn comparable(left: Type, right: Type) -> Option<Kind> {
    let (left, right) = (Kind::of(left), Kind::of(right));
    match (left.becomes(right), right.becomes(left)) {
        (true, true) => Some(left),
        // There is no comparison of real with another kind of number but as double.
        (true, _) if right == Kind::Real => Some(Kind::Double),
        (_, true) if left == Kind::Real => Some(Kind::Double),
        (true, _) => Some(right),
        (_, true) => Some(left),
        _ => None,
    }
}

/// The type of a sum, difference, product, quotient or remainder of two decimals. `Err` is the scale that is too large.
pub(super) fn decimal_result(operator: Binary, left: Type, right: Type) -> Result<Type, u8> {
    let (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) = (left, right) else {
        return Ok(Type::Numeric);
    };
    let scale = match operator {
        Binary::Divide => return Ok(Type::Numeric),
        Binary::Multiply => s1 + s2,
        _ => s1.max(s2),
    };
    if scale > DECIMAL_PRECISION_MAX {
        return Err(scale);
    }
    let precision = match operator {
        Binary::Multiply => p1 + p2,
        Binary::Modulo => (p1 - s1).max(p2 - s2) + scale,
        _ => (p1 - s1).max(p2 - s2) + scale + 1,
    };
    Ok(Type::Decimal { precision: precision.min(DECIMAL_PRECISION_MAX), scale })
}

//! Piece: a part of a query, with what is known about its value; and how two values are made comparable.

use super::DIGITS_FUNCTION;
use crate::warehouse::dialect::sqlite::decimal::DECIMAL_COLLATION;

/// A part of a query.
pub(super) struct Piece {
    /// The blanks before it.
    pub(super) before: String,
    pub(super) text: String,
    pub(super) value: Value,
    /// Whether it says a collation inside, which SQLite takes for that of the whole.
    pub(super) collates: bool,
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A decimal from a column, which says itself how it compares.
    Column,
    /// A decimal that an expression has made.
    Made,
    /// A number that is written there, as the text of a decimal.
    Number(String),
    /// Yes or no.
    Truth,
    /// NULL, TRUE or FALSE.
    Word,
    Other,
}

impl Piece {
    pub(super) fn other(before: String, text: String) -> Self {
        Self { before, text, value: Value::Other, collates: false }
    }

    pub(super) fn is_decimal(&self) -> bool {
        matches!(self.value, Value::Column | Value::Made)
    }

    /// Makes it a text that compares as a number.
    pub(super) fn wrap(&mut self) {
        let inner = match &self.value {
            Value::Number(digits) => format!("'{digits}'"),
            _ => std::mem::take(&mut self.text),
        };
        self.text = format!("CAST({DIGITS_FUNCTION}({inner}) AS TEXT) COLLATE {DECIMAL_COLLATION}");
        self.collates = true;
    }

    /// What it is where nothing follows that it takes part in.
    pub(super) fn finish(mut self) -> Self {
        match self.value {
            Value::Made => self.wrap(),
            // The collation is of something inside.
            Value::Other if self.collates => self.text = format!("({}) COLLATE BINARY", self.text),
            _ => {}
        }
        self
    }

    pub(super) fn push(&mut self, next: &Self) {
        self.text.push_str(&next.before);
        self.text.push_str(&next.text);
        self.collates |= next.collates;
    }
}

/// Makes expressions comparable that are compared with each other.
pub(super) fn relate(pieces: &mut [&mut Piece]) {
    let has_decimal = pieces.iter().any(|piece| piece.is_decimal());
    for piece in pieces {
        match &piece.value {
            Value::Column | Value::Word => {}
            Value::Number(digits) if has_decimal => piece.text = format!("'{digits}'"),
            _ if has_decimal => piece.wrap(),
            Value::Other if piece.collates => piece.text = format!("({}) COLLATE BINARY", piece.text),
            _ => {}
        }
    }
}

/// Makes an expression comparable with each of several; its collation is that of every comparison.
pub(super) fn relate_each(first: &mut Piece, others: &mut [&mut Piece]) {
    let has_decimal = first.is_decimal() || others.iter().any(|other| other.is_decimal());
    if has_decimal && first.value != Value::Column {
        first.wrap();
        first.value = Value::Column;
    }
    let mut all = vec![first];
    all.extend(others.iter_mut().map(|other| &mut **other));
    relate(&mut all);
}

/// What is yes or no about one expression or two.
pub(super) fn truth(mut left: Piece, sign: String, right: Option<&Piece>) -> Piece {
    left.text.push_str(&sign);
    if let Some(right) = right {
        left.push(right);
    }
    left.value = Value::Truth;
    left
}

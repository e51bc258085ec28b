//! Value: how the text of one value becomes the value and the other way round, as PostgreSQL does it.
//!
//! Pure functions of one value, shared by decoding, casts and printing. A text that is no value gives a [`Fault`].
//! Blanks around a number, a boolean or a date are free, as in PostgreSQL.

pub mod boolean;
pub mod datetime;
pub mod decimal;
pub mod float;
pub mod integer;
pub mod show;
pub mod text;

pub use decimal::Decimal;

//! Pattern: how moments and numbers are written, in the letters of PostgreSQL's `to_char`, `to_date`, `to_timestamp` and
//! `to_number`.

pub(crate) mod date;
pub(crate) mod number;

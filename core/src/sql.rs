//! Sql: the words of SQL, cut and read in one place for expressions, queries and statements.
//!
//! `scan` cuts a text into tokens that tile it; `unquote` says what a quoted token means; `quote` writes names and words as
//! SQL text.

pub mod quote;
pub mod scan;
pub mod unquote;

//! Sql: the tokens of SQL, scanned and read in one place for expressions, queries and statements.
//!
//! `scan` splits a text into tokens without gaps; `unquote` says what a quoted token means; `quote` writes names and words as
//! SQL text.

pub mod quote;
pub mod scan;
pub mod unquote;

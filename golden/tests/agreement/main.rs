//! PostgreSQL as the judge of expressions: what it gives, row by row, ours must give, and fault where it does, with the
//! same SQLSTATE, and be of the same type. Asked are freshly generated expressions, and what the server's own catalog lists.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says what it saw"
)]

mod catalog;
mod generated;
mod judge;
mod lists;

use std::process::ExitCode;

use etalon_golden::postgres;

fn main() -> ExitCode {
    postgres::main(&[
        ("postgresql_agrees", generated::postgresql_agrees),
        ("every_listed_word_agrees", lists::every_listed_word_agrees),
        ("every_signature_agrees", catalog::every_signature_agrees),
    ])
}

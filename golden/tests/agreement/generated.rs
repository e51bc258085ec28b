//! Generated: expressions as people write them, made of templates, over a table of generated rows.
//!
//! `$ETALON_SEED` repeats a run, and `$ETALON_EXPRESSIONS` says how many expressions are sent.

use std::collections::BTreeMap;

use etalon_core::testing::expression::{Row, rows};
use etalon_core::testing::language;
use etalon_golden::postgres::Server;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::judge::{answers, judge, number, seed, show};

/// How many expressions are sent if nothing else is said.
const EXPRESSIONS: usize = 2_000;
/// How many rows each is evaluated over.
const ROWS: usize = 16;

pub(crate) fn postgresql_agrees(server: &Server) {
    let seed = seed();
    let count = number("ETALON_EXPRESSIONS").unwrap_or(EXPRESSIONS);

    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let rows = some_rows(&mut runner);
    let expressions: Vec<String> =
        (0..count).map(|_| language::expression().new_tree(&mut runner).unwrap().current()).collect();
    let answers = answers(server, "generated", &rows, &expressions);
    assert_eq!(answers.len(), expressions.len(), "an answer for each expression");

    let mut tally = BTreeMap::new();
    let mut differences = Vec::new();
    for (text, answer) in expressions.iter().zip(&answers) {
        judge(text, &rows, answer, &mut tally, &mut differences);
    }
    println!("PostgreSQL: {count} expressions over {ROWS} rows: {tally:?}");
    show(&differences);
    let compared = tally.get("equal").copied().unwrap_or(0);
    assert!(compared * 2 > count * ROWS, "only {compared} values were compared");
}

/// Generated rows, one of them all NULL, none of them with a text that cannot be read.
fn some_rows(runner: &mut TestRunner) -> Vec<Row> {
    let mut some = vec![Row { n: None, big: None, d: None, f: None, t: None, b: None, day: None }];
    while some.len() < ROWS {
        some.extend(rows().new_tree(runner).unwrap().current());
        some.retain(|row| row.t.as_deref() != Some("fault"));
    }
    for text in some.iter_mut().filter_map(|row| row.t.as_mut()) {
        *text = text.chars().map(|char| if is_settled(char) { char } else { 'é' }).collect();
    }
    some.truncate(ROWS);
    some
}

/// Whether a character has been what it is for so long that PostgreSQL's C library knows it as we do. Scripts and letter
/// cases of a newer Unicode, and most signs, differ from one C library to the next.
fn is_settled(char: char) -> bool {
    matches!(char, '\0'..='~' | '²' | '³' | '¼'..='¾' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='þ' | 'Α'..='Ρ' | 'α'..='ρ' | 'А'..='я' | '一'..='龥' | '😀'..='😿')
        && char != 'ß'
}

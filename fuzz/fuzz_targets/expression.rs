//! Any text is an expression that can be evaluated, or has mistakes with places in it.

#![no_main]

use etalon_core::testing::expression::any_text_is_an_expression_or_explained;

libfuzzer_sys::fuzz_target!(|text: &str| any_text_is_an_expression_or_explained(text));

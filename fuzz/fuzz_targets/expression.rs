//! Any text is an expression that can be evaluated, or has mistakes with places in it; and behind a line end it is JSON in
//! which the text before is a path.

#![no_main]

use etalon_core::testing::expression::any_text_is_a_path_or_explained;
use etalon_core::testing::expression::any_text_is_an_expression_or_explained;

libfuzzer_sys::fuzz_target!(|text: &str| {
    any_text_is_an_expression_or_explained(text);
    if let Some((path, json)) = text.split_once('\n') {
        any_text_is_a_path_or_explained(path, json);
    }
});

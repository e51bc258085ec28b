//! No text makes the linter panic, and every offence has its place.

#![no_main]

libfuzzer_sys::fuzz_target!(|sql: &str| etalon_core::testing::lint::any_text_has_its_offences(sql));

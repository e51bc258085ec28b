//! No bytes make a parser of single values panic, and what is read reads back once printed.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| etalon_core::testing::value::any_bytes_are_a_value_or_a_fault(bytes));

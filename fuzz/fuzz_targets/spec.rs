//! Any pipeline file is read or refused, and every place in it is told rightly.
#![no_main]

use etalon_core::testing::spec::any_file_is_read_or_refused;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| any_file_is_read_or_refused(source));

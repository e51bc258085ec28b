//! A whole task over any bytes: everything is accounted for, and what is delivered fits.
#![no_main]

use etalon_core::testing::pipeline;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    pipeline::every_record_and_every_byte_is_accounted_for(bytes, true);
    pipeline::any_cut_stages_the_same_rows(bytes, &[bytes.len() as u64 / 3, 7]);
    pipeline::what_is_delivered_fits(bytes);
});

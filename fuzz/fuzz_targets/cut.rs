//! An object in ranges, or compressed in members, reads as the whole does.
#![no_main]

use etalon_core::testing::read;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (options, object) = read::csv_options_of(input);
    let cuts = input.first_chunk::<4>().map(|cuts| cuts.map(u64::from)).unwrap_or_default();
    read::any_cut_reads_the_same_records(&options, object, &cuts, 16);
    read::gzip_reads_the_same_records(&options, object, &cuts.map(|cut| cut as usize), object.len() / 2);
});

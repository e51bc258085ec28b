//! The CSV scanner and its plain twin agree, however the bytes arrive.
#![no_main]

use etalon_core::testing::read;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (options, object) = read::csv_options_of(input);
    read::any_chunking_reads_the_same_records(&options, object, &[1, 30], 16);
    if let etalon_core::format::Format::Csv(csv) = &options.format {
        read::csv_agrees_with_its_plain_twin(csv, object);
    }
});

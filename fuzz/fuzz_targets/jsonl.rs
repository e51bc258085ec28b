//! JSON Lines are what `serde_json` reads, however the bytes arrive.
#![no_main]

use etalon_core::format::Format;
use etalon_core::format::JsonlFormat;
use etalon_core::testing::read;

libfuzzer_sys::fuzz_target!(|object: &[u8]| {
    read::json_agrees_with_serde_json(object);
    read::any_chunking_reads_the_same_records(
        &read::options(Format::Jsonl(JsonlFormat), &["a", "b", "a"]),
        object,
        &[1, 30],
        16,
    );
});

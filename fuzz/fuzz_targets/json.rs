//! The JSON reader against itself at other cuts and against `serde_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::inspect::json::cross_check(data).unwrap());

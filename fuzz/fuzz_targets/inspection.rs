//! The whole inspection against itself at other cuts and against `serde_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::inspect::engine::cross_check(data).unwrap());

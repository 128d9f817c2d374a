//! The readers of forms against themselves at other cuts and against a slow second reading.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::inspect::form::cross_check(data).unwrap());

//! The canonical form against itself, and its places against its source.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::inspect::normal::cross_check(data).unwrap());

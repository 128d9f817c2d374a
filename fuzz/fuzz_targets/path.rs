//! Paths that are served, beside the most lenient reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|path: &str| portcullis::admit::path::cross_check(path).unwrap());

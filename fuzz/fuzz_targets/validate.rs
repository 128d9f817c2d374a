//! The checker of bodies against itself at other cuts, in every shape.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::inspect::validate::cross_check(data).unwrap());

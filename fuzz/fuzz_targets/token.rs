//! Tokens and their claims: no bytes are good that nobody signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::identify::token::cross_check(data).unwrap());

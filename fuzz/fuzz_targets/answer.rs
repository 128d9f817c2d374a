//! Answers, plain and in events, against themselves at other cuts.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| portcullis::inspect::answer::cross_check(data).unwrap()
);

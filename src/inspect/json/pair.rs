//! Two sinks on one reader: routing and inspection listen to the same single pass.

use std::ops::Range;

use super::{Decoded, Literal, Sink};

/// Hears nothing: for those who only ask whether a body is JSON.
impl Sink for () {
    fn string_decoded(&mut self, _decoded: Decoded<'_>) {}
}

impl<S: Sink> Sink for &mut S {
    fn begin_object(&mut self, at: u64) {
        S::begin_object(self, at);
    }
    fn end_object(&mut self, at: u64) {
        S::end_object(self, at);
    }
    fn begin_array(&mut self, at: u64) {
        S::begin_array(self, at);
    }
    fn end_array(&mut self, at: u64) {
        S::end_array(self, at);
    }
    fn key(&mut self, raw: Range<u64>, key: &str) {
        S::key(self, raw, key);
    }
    fn string_begin(&mut self, at: u64) {
        S::string_begin(self, at);
    }
    fn string_run(&mut self, at: u64, run: &str) {
        S::string_run(self, at, run);
    }
    fn string_escape(&mut self, at: u64, raw_len: u8, ch: char) {
        S::string_escape(self, at, raw_len, ch);
    }
    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        S::string_decoded(self, decoded);
    }
    fn string_end(&mut self, end: u64) {
        S::string_end(self, end);
    }
    fn number(&mut self, at: u64, number: &str) {
        S::number(self, at, number);
    }
    fn literal(&mut self, at: u64, literal: Literal) {
        S::literal(self, at, literal);
    }
}

/// Both hear every event, the first one first.
impl<A: Sink, B: Sink> Sink for (A, B) {
    fn begin_object(&mut self, at: u64) {
        self.0.begin_object(at);
        self.1.begin_object(at);
    }
    fn end_object(&mut self, at: u64) {
        self.0.end_object(at);
        self.1.end_object(at);
    }
    fn begin_array(&mut self, at: u64) {
        self.0.begin_array(at);
        self.1.begin_array(at);
    }
    fn end_array(&mut self, at: u64) {
        self.0.end_array(at);
        self.1.end_array(at);
    }
    fn key(&mut self, raw: Range<u64>, key: &str) {
        self.0.key(raw.clone(), key);
        self.1.key(raw, key);
    }
    fn string_begin(&mut self, at: u64) {
        self.0.string_begin(at);
        self.1.string_begin(at);
    }
    fn string_run(&mut self, at: u64, run: &str) {
        self.0.string_run(at, run);
        self.1.string_run(at, run);
    }
    fn string_escape(&mut self, at: u64, raw_len: u8, ch: char) {
        self.0.string_escape(at, raw_len, ch);
        self.1.string_escape(at, raw_len, ch);
    }
    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        self.0.string_decoded(decoded);
        self.1.string_decoded(decoded);
    }
    fn string_end(&mut self, end: u64) {
        self.0.string_end(end);
        self.1.string_end(end);
    }
    fn number(&mut self, at: u64, number: &str) {
        self.0.number(at, number);
        self.1.number(at, number);
    }
    fn literal(&mut self, at: u64, literal: Literal) {
        self.0.literal(at, literal);
        self.1.literal(at, literal);
    }
}

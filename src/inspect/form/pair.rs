//! Two sinks on one form, as [`super::super::json`] has them.

use std::ops::Range;

use super::{FormSink, HeadAt, PartHead};

/// Hears nothing: for those who only ask whether a body is a form.
impl FormSink for () {}

impl<S: FormSink> FormSink for &mut S {
    fn part_begin(&mut self, head: &PartHead<'_>, at: &HeadAt) {
        S::part_begin(self, head, at);
    }
    fn data(&mut self, raw: Range<u64>, data: &[u8]) {
        S::data(self, raw, data);
    }
    fn part_end(&mut self) {
        S::part_end(self);
    }
    fn end(&mut self) {
        S::end(self);
    }
}

/// Both hear every event, the first one first.
impl<A: FormSink, B: FormSink> FormSink for (A, B) {
    fn part_begin(&mut self, head: &PartHead<'_>, at: &HeadAt) {
        self.0.part_begin(head, at);
        self.1.part_begin(head, at);
    }
    fn data(&mut self, raw: Range<u64>, data: &[u8]) {
        self.0.data(raw.clone(), data);
        self.1.data(raw, data);
    }
    fn part_end(&mut self) {
        self.0.part_end();
        self.1.part_end();
    }
    fn end(&mut self) {
        self.0.end();
        self.1.end();
    }
}

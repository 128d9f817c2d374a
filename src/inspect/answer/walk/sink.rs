//! The events of the JSON reader, on their way into a walk.
//!
//! Decides nothing but which keys go by name. Offsets are those of the frame.

use std::ops::Range;

use super::{Node, Walk};
use crate::inspect::answer::words::Word;
use crate::inspect::json::{Decoded, Literal, Sink};

/// A walk, and the names of the fields that go.
pub(in crate::inspect::answer) struct Walker<'w> {
    pub(in crate::inspect::answer) walk: &'w mut Walk,
    pub(in crate::inspect::answer) strip: &'w [Box<str>],
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl Sink for Walker<'_> {
    fn begin_object(&mut self, offset: u64) {
        if self.walk.muted.is_none() {
            self.walk.begun = at(offset);
        }
        self.walk.open(at(offset), false);
    }
    fn end_object(&mut self, offset: u64) {
        self.walk.close(at(offset).saturating_add(1), false);
    }
    fn begin_array(&mut self, offset: u64) {
        if self.walk.muted.is_none() {
            self.walk.begun = at(offset);
        }
        self.walk.open(at(offset), true);
    }
    fn end_array(&mut self, offset: u64) {
        self.walk.close(at(offset).saturating_add(1), true);
    }
    fn key(&mut self, raw: Range<u64>, key: &str) {
        if self.walk.muted.is_some() {
            return;
        }
        let strip = self.strip.iter().any(|name| name.eq_ignore_ascii_case(key));
        let start = at(raw.start);
        let Some(level) = self.walk.levels.last_mut() else {
            return;
        };
        if !strip && let Some(gap) = level.gap.take() {
            self.walk.cuts.push(gap..start);
        }
        (level.key, level.strip, level.key_at) = (Word::named(key), strip, start);
        if level.node == Node::Delta
            && let Some(choice) = self.walk.choices.last_mut()
            && let Some((_, empty)) = &mut choice.delta
        {
            *empty = false;
        }
    }
    fn string_begin(&mut self, offset: u64) {
        if self.walk.muted.is_none() {
            self.walk.begun = at(offset);
        }
        self.walk.what = self.walk.string();
    }
    fn string_run(&mut self, _at: u64, run: &str) {
        if self.walk.what.is_some() {
            self.walk.text.push_str(run);
        }
    }
    fn string_escape(&mut self, _at: u64, _raw_len: u8, ch: char) {
        if self.walk.what.is_some() {
            self.walk.text.push(ch);
        }
    }
    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        if self.walk.what.is_some() {
            self.walk.text.push_str(decoded.text());
        }
    }
    fn string_end(&mut self, end: u64) {
        self.walk.string_over(at(end));
        self.walk.value(at(end), None);
    }
    fn number(&mut self, offset: u64, number: &str) {
        let start = at(offset);
        let end = start.saturating_add(number.len());
        self.walk.number(start..end, number);
        self.walk.value(end, None);
    }
    fn literal(&mut self, offset: u64, literal: Literal) {
        let (node, key) = self.walk.top();
        self.walk.error |= self.walk.muted.is_none()
            && node == Node::Root
            && key == Word::Error
            && literal != Literal::Null;
        self.walk
            .value(at(offset).saturating_add(literal.as_str().len()), None);
    }
}

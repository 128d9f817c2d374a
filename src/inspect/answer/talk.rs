//! A stream's events as they are heard: what is known of it from one to the next.
//!
//! Decides nothing by itself: events are read by `frame`, or found to be the same as the one
//! before, and written on by `script`. Its state is bounded by that of its texts.

use super::again::Again;
use super::script::{Form, Script};
use super::sse::Framer;
use super::texts::Texts;
use super::{Broken, By, Shape, Used, frame};
use crate::inspect::engine::Notes;

/// What is known of a stream besides its unfinished event.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) texts: Texts,
    /// Parts that every event of a chat stream repeats, for events of our own.
    pub(super) envelope: Box<[u8]>,
    /// How far `sequence_number` has moved on.
    pub(super) shift: u64,
    pub(super) last_number: u64,
    /// The event before, if all it had was a piece of a text.
    pub(super) again: Option<Again>,
    /// Every event is read as JSON, to compare with.
    pub(super) reads_each: bool,
    pub(super) ended: bool,
    /// A chunk that says nothing but what was used goes no further.
    pub(super) without_usage: bool,
}

impl Talk {
    pub(super) fn state_bytes(&self) -> usize {
        let again = self.again.as_ref().map_or(0, Again::state_bytes);
        let texts = self.texts.state_bytes();
        texts
            .saturating_add(again)
            .saturating_add(self.envelope.len())
    }

    pub(super) const fn next_number(&self) -> u64 {
        self.last_number
            .saturating_add(self.shift)
            .saturating_add(1)
    }

    /// The events that these bytes end.
    pub(super) fn hear(
        &mut self,
        (framer, bytes): (&mut Framer, &[u8]),
        (shape, by): (Shape, By<'_>),
        (notes, used): (&mut Notes, &mut Used),
        script: &mut Script,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let heard = framer.push(bytes, |event| {
            if self.ended {
                // Nothing belongs behind the end.
                return Ok(());
            }
            frame::event(self, event, (shape, by), (notes, used), script)
        });
        // What came before the fault has been judged and may leave.
        script.play(self, shape, out);
        heard
    }

    /// A stream that has no end of its own is over.
    pub(super) fn over(
        &mut self,
        by: By<'_>,
        notes: &mut Notes,
        script: &mut Script,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let ended = self.texts.end(
            |_| true,
            by,
            notes,
            |place, total| {
                script.flush(place, total, Form::Event);
            },
        );
        script.play(self, Shape::Other, out);
        ended
    }

    /// Texts whose time is up leave in events of our own.
    pub(super) fn expire(
        &mut self,
        (shape, by): (Shape, By<'_>),
        notes: &mut Notes,
        script: &mut Script,
        out: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let expired = self.texts.expire(by, notes, script);
        script.play(self, shape, out);
        expired.map_err(Broken::from)
    }
}

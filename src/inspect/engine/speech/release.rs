//! What of a text may leave since it was last asked.
//!
//! Decides nothing: cuts the cleared part of the text where the answer's pieces end, so that each
//! piece keeps what is its own, puts labels where their values began, and forgets what no detector
//! needs any more.

use super::{BEFORE, BLOCK, CONTEXT, Mask, Speech};

/// The cleared part of a text that was not taken before.
#[derive(Debug)]
pub struct Release<'s> {
    speech: &'s Speech,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Speech {
    /// What may leave now.
    pub const fn release(&self) -> Release<'_> {
        Release {
            start: self.taken,
            end: self.sent,
            speech: self,
        }
    }

    /// What [`Speech::release`] gave has left.
    pub fn released(&mut self) {
        self.taken = self.sent;
        let taken = self.taken;
        self.masks.retain(|mask| mask.end > taken);
        let needed = self
            .taken
            .min(self.ruled.saturating_sub(BEFORE))
            .min(self.personal.saturating_sub(CONTEXT))
            .min(self.secrets.saturating_sub(CONTEXT))
            .min(self.total().saturating_sub(BLOCK));
        let gone = needed.saturating_sub(self.base);
        // Moved in large steps, so that a long text is not copied at every word.
        if gone >= BLOCK {
            let gone = self.text.floor_char_boundary(gone);
            self.text.drain(..gone);
            self.base = self.base.saturating_add(gone);
        }
    }
}

impl Release<'_> {
    /// Whether the part from `start` to `end` leaves as it was spoken.
    pub fn is_plain(&self, start: usize, end: usize) -> bool {
        end <= self.end
            && !self
                .speech
                .masks
                .iter()
                .any(|mask| mask.start < end && mask.end > start)
    }

    /// Appends what leaves of the part from `start` to `end`.
    pub fn write(&self, start: usize, end: usize, out: &mut String) {
        let (start, end) = (start.max(self.start), end.min(self.end));
        if self.speech.masks.is_empty() {
            if start < end {
                out.push_str(self.speech.slice(start, end));
            }
            return;
        }
        let mut masks: Vec<&Mask> = self
            .speech
            .masks
            .iter()
            .filter(|mask| mask.start < end && mask.end > start)
            .collect();
        masks.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
        let mut done = start;
        // Values may overlap: of two the earlier is whole, the later has what lies behind it.
        let mut covered = 0;
        for mask in masks {
            let from = mask.start.max(covered);
            if mask.end <= from {
                continue;
            }
            covered = mask.end;
            if from >= start && from < end {
                if from > done {
                    out.push_str(self.speech.slice(done, from));
                }
                out.push_str(&mask.label);
            }
            done = done.max(mask.end);
        }
        if done < end {
            out.push_str(self.speech.slice(done, end));
        }
    }
}

//! From canonical offsets back to source offsets.
//!
//! Kept as runs of equal steps: plain text is one run however long, a run ends where something was
//! dropped or where characters change their width in another way. Single bytes that came from two,
//! as look-alikes and letters with accents do, are told by a bit each in a run's first bytes. Never
//! more than one run for each character that was changed, sixteen bytes a run.

use super::offset;
use crate::inspect::sixtyfour::below;

/// Where canonical text came from.
#[derive(Debug, Default, Clone)]
pub(super) struct SourceMap {
    runs: Vec<Run>,
    /// Ends of what has been mapped so far.
    out: usize,
    source: usize,
    /// Steps of the last run, or zeros where a new one must begin.
    step: Step,
}

/// Canonical bytes from `out` on that came from `source` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    out: u32,
    source: u32,
    /// Which of the first bytes of a run of single ones came from one byte more.
    twos: u32,
    step: Step,
}

/// How a run goes on: `wide` bytes came from `from_wide` bytes each time, of which the characters
/// themselves are the first `own`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Step {
    wide: u8,
    from_wide: u8,
    own: u8,
}

/// Bytes as they stand.
const SAME: Step = Step {
    wide: 1,
    from_wide: 1,
    own: 1,
};

/// Every second byte.
const SECOND: Step = Step {
    wide: 1,
    from_wide: 2,
    own: 1,
};

/// Bytes of a run that are told to have come from two.
pub(super) const TOLD: usize = 32;

impl Run {
    /// The steps before that of a canonical byte of the run.
    #[inline]
    fn steps(&self, out: usize) -> usize {
        let inside = out.saturating_sub(to_usize(self.out));
        // A division takes longer than all else here.
        match usize::from(self.step.wide) {
            1 => inside,
            wide => inside.checked_div(wide).unwrap_or(0),
        }
    }

    /// Where the source of a step begins.
    fn start(&self, steps: usize) -> usize {
        let more = (u64::from(self.twos) & below(steps)).count_ones();
        to_usize(self.source)
            .saturating_add(steps.saturating_mul(usize::from(self.step.from_wide)))
            .saturating_add(to_usize(more))
    }

    /// Where the source of a step ends.
    fn end(&self, steps: usize) -> usize {
        let own = usize::from(self.step.own);
        let step = below(steps.saturating_add(1)) & !below(steps);
        self.start(steps)
            .saturating_add(own)
            .saturating_add(usize::from(u64::from(self.twos) & step != 0))
    }
}

impl SourceMap {
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        (self.out, self.source, self.step) = (0, 0, Step::default());
    }

    /// The next `len` bytes are those at `source`, one by one.
    #[inline]
    pub(super) fn copy(&mut self, source: usize, len: usize) {
        if len == 0 {
            return;
        }
        if self.source != source || self.step != SAME {
            self.begin(source, SAME);
        }
        self.out = self.out.saturating_add(len);
        self.source = source.saturating_add(len);
    }

    /// The same, where `source` is further on than what was mapped before.
    #[inline]
    pub(super) fn resume(&mut self, source: usize, len: usize) {
        self.begin(source, SAME);
        self.out = self.out.saturating_add(len);
        self.source = source.saturating_add(len);
    }

    /// The next bytes, at most [`TOLD`], are those at `source`, one by one, but that some, of which
    /// each is a bit, came from two bytes.
    #[inline]
    pub(super) fn narrowed(&mut self, source: usize, len: usize, twos: u32) {
        let open = self
            .runs
            .last()
            .filter(|_| self.step == SAME && self.source == source);
        let inside = open.map_or(TOLD, |run| self.out.saturating_sub(to_usize(run.out)));
        let shift = if inside.saturating_add(len) <= TOLD {
            u32::try_from(inside).unwrap_or(0)
        } else {
            self.begin(source, SAME);
            0
        };
        if let Some(run) = self.runs.last_mut() {
            run.twos |= twos.checked_shl(shift).unwrap_or(0);
        }
        self.out = self.out.saturating_add(len);
        self.source = source
            .saturating_add(len)
            .saturating_add(to_usize(twos.count_ones()));
    }

    /// The next `len` bytes are every second one from `source` on.
    #[inline]
    pub(super) fn seconds(&mut self, source: usize, len: usize) {
        if len == 0 {
            return;
        }
        if self.source.saturating_add(1) != source || self.step != SECOND {
            self.begin(source, SECOND);
        }
        self.out = self.out.saturating_add(len);
        self.source = source
            .saturating_add(len.saturating_mul(2))
            .saturating_sub(1);
    }

    /// The next `len` bytes are one character that came from one of `source_len` bytes.
    #[inline]
    pub(super) fn character(&mut self, len: usize, source: usize, source_len: usize) {
        if len == source_len {
            self.copy(source, len);
        } else if (len, source_len) == (1, 2) {
            self.narrowed(source, 1, 1);
        } else {
            self.unit(len, source, source_len);
        }
    }

    /// The next `len` bytes came from `source_len` bytes at `source`, as one.
    pub(super) fn unit(&mut self, len: usize, source: usize, source_len: usize) {
        let from_wide = narrow(source_len);
        let step = Step {
            wide: narrow(len),
            from_wide,
            own: from_wide,
        };
        if self.source != source || self.step != step {
            self.begin(source, step);
        }
        self.out = self.out.saturating_add(len);
        self.source = source.saturating_add(source_len);
    }

    fn begin(&mut self, source: usize, step: Step) {
        let (out, source) = (offset(self.out), offset(source));
        self.runs.push(Run {
            out,
            source,
            twos: 0,
            step,
        });
        self.step = step;
    }

    /// Forgets what lies at `out` and after it.
    pub(super) fn truncate(&mut self, out: usize) {
        self.source = self.end(out);
        self.out = out;
        while self.runs.last().is_some_and(|run| run.out >= offset(out)) {
            self.runs.pop();
        }
        self.step = Step::default();
        if let Some(run) = self.runs.last_mut() {
            let left = below(out.saturating_sub(to_usize(run.out))) & u64::from(run.twos);
            run.twos = u32::try_from(left).unwrap_or(0);
            self.step = run.step;
        }
    }

    /// Source offset of the character that holds a canonical byte.
    pub(super) fn start(&self, out: usize) -> usize {
        self.find(out).map_or(0, |(run, steps)| run.start(steps))
    }

    /// Source offset after the character that holds the byte before a canonical offset.
    pub(super) fn end(&self, out: usize) -> usize {
        let last = out.checked_sub(1).and_then(|last| self.find(last));
        last.map_or(0, |(run, steps)| run.end(steps))
    }

    /// Whether source was left out right before a canonical offset: a run begins there, further on
    /// than the run before it ends. `cursor` belongs to one walk in order of offsets.
    pub(super) fn drops_before(&self, out: usize, cursor: &mut usize) -> bool {
        while let Some(run) = self.runs.get(*cursor)
            && to_usize(run.out) <= out
        {
            *cursor = cursor.saturating_add(1);
        }
        let newest = cursor.checked_sub(1).and_then(|at| self.runs.get(at));
        newest.is_some_and(|run| to_usize(run.out) == out)
            && cursor.checked_sub(1).is_some_and(|at| self.drops(at))
    }

    /// Source was left out between a run and the one before it.
    fn drops(&self, run: usize) -> bool {
        let before = run.checked_sub(1).and_then(|at| self.runs.get(at));
        let (Some(run), Some(before)) = (self.runs.get(run), before) else {
            return false;
        };
        let last = before.steps(to_usize(run.out).saturating_sub(1));
        to_usize(run.source) > before.end(last)
    }

    /// Before which of up to sixty-four bytes from a canonical offset on source was left out, a bit
    /// for each; `cursor` as above.
    pub(super) fn drops_in(&self, out: usize, len: usize, cursor: &mut usize) -> u64 {
        let mut bits = 0;
        while let Some(run) = self.runs.get(*cursor) {
            let place = to_usize(run.out).checked_sub(out);
            if place.is_some_and(|place| place >= len) {
                break;
            }
            if let Some(place) = place {
                // Of runs that begin at one place, the last one tells.
                let bit = 1_u64 << (place & 63);
                bits = if self.drops(*cursor) {
                    bits | bit
                } else {
                    bits & !bit
                };
            }
            *cursor = cursor.saturating_add(1);
        }
        bits
    }

    /// Where a walk from a canonical offset on begins.
    pub(super) fn cursor(&self, out: usize) -> usize {
        self.runs.partition_point(|run| to_usize(run.out) <= out)
    }

    /// The run of a canonical byte, and how many whole steps lie before the byte in it.
    fn find(&self, out: usize) -> Option<(Run, usize)> {
        let after = self.runs.partition_point(|run| to_usize(run.out) <= out);
        let run = *self.runs.get(after.checked_sub(1)?)?;
        Some((run, run.steps(out)))
    }

    /// Maps the next `len` bytes as the `len` bytes from an earlier place on.
    pub(super) fn repeat(&mut self, from: usize, len: usize) {
        let (mut at, end) = (from, from.saturating_add(len));
        while at < end {
            let next = self.runs.partition_point(|run| to_usize(run.out) <= at);
            let Some(&run) = next.checked_sub(1).and_then(|last| self.runs.get(last)) else {
                return;
            };
            let stop = self
                .runs
                .get(next)
                .map_or(end, |run| to_usize(run.out).min(end));
            let (start, steps) = (self.start(at), run.steps(at));
            let wide = usize::from(run.step.wide).max(1);
            if run.step == SAME && run.twos == 0 {
                self.copy(start, stop.saturating_sub(at));
                at = stop;
            } else if run.step == SECOND {
                self.seconds(start, 1);
                at = at.saturating_add(wide);
            } else {
                self.character(wide, start, run.end(steps).saturating_sub(start));
                at = at.saturating_add(wide);
            }
        }
    }

    /// Bytes that the runs take.
    pub(super) const fn size(&self) -> usize {
        self.runs.len().saturating_mul(size_of::<Run>())
    }

    /// Every byte came from the same offset, so far.
    pub(super) fn is_identity(&self) -> bool {
        match self.runs.as_slice() {
            [] => true,
            [run] => (run.source, run.twos, run.step) == (0, 0, SAME),
            _ => false,
        }
    }
}

/// Widths past 255 do not occur: a character has four bytes, a decomposition at most a dozen.
fn narrow(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

fn to_usize(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

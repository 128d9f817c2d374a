//! From canonical offsets back to source offsets.
//!
//! Kept as runs of equal steps: plain text is one run however long, a run ends where something was
//! dropped or where characters change their width in another way. Never more than one run for each
//! character that was changed, twelve bytes a run.

use super::offset;

/// Where canonical text came from.
#[derive(Debug, Default, Clone)]
pub(super) struct SourceMap {
    runs: Vec<Run>,
    /// Ends of what has been mapped so far.
    out: usize,
    source: usize,
    /// Steps of the last run, or zeros where a new one must begin.
    step: (u8, u8),
}

/// Canonical bytes from `out` on that came from `source` on, `wide` bytes from `from_wide` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    out: u32,
    source: u32,
    wide: u8,
    from_wide: u8,
}

impl SourceMap {
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        (self.out, self.source, self.step) = (0, 0, (0, 0));
    }

    /// The next `len` bytes are those at `source`, one by one.
    #[inline]
    pub(super) fn copy(&mut self, source: usize, len: usize) {
        if len == 0 {
            return;
        }
        if self.source != source || self.step != (1, 1) {
            self.begin(source, 1, 1);
        }
        self.out = self.out.saturating_add(len);
        self.source = source.saturating_add(len);
    }

    /// The same, where `source` is further on than what was mapped before.
    #[inline]
    pub(super) fn resume(&mut self, source: usize, len: usize) {
        self.begin(source, 1, 1);
        self.out = self.out.saturating_add(len);
        self.source = source.saturating_add(len);
    }

    /// The next `len` bytes are one character that came from one of `source_len` bytes.
    #[inline]
    pub(super) fn character(&mut self, len: usize, source: usize, source_len: usize) {
        if len == source_len {
            self.copy(source, len);
        } else {
            self.unit(len, source, source_len);
        }
    }

    /// The next `len` bytes came from `source_len` bytes at `source`, as one.
    pub(super) fn unit(&mut self, len: usize, source: usize, source_len: usize) {
        let (wide, from_wide) = (narrow(len), narrow(source_len));
        if self.source != source || self.step != (wide, from_wide) {
            self.begin(source, wide, from_wide);
        }
        self.out = self.out.saturating_add(len);
        self.source = source.saturating_add(source_len);
    }

    fn begin(&mut self, source: usize, wide: u8, from_wide: u8) {
        let (out, source) = (offset(self.out), offset(source));
        self.runs.push(Run {
            out,
            source,
            wide,
            from_wide,
        });
        self.step = (wide, from_wide);
    }

    /// Forgets what lies at `out` and after it.
    pub(super) fn truncate(&mut self, out: usize) {
        self.source = self.end(out);
        self.out = out;
        while self.runs.last().is_some_and(|run| run.out >= offset(out)) {
            self.runs.pop();
        }
        self.step = self
            .runs
            .last()
            .map_or((0, 0), |run| (run.wide, run.from_wide));
    }

    /// Source offset of the character that holds a canonical byte.
    pub(super) fn start(&self, out: usize) -> usize {
        let Some((run, steps)) = self.find(out) else {
            return 0;
        };
        let ahead = steps.saturating_mul(usize::from(run.from_wide));
        to_usize(run.source).saturating_add(ahead)
    }

    /// Source offset after the character that holds the byte before a canonical offset.
    pub(super) fn end(&self, out: usize) -> usize {
        let Some((run, steps)) = out.checked_sub(1).and_then(|last| self.find(last)) else {
            return 0;
        };
        let ahead = steps
            .saturating_add(1)
            .saturating_mul(usize::from(run.from_wide));
        to_usize(run.source).saturating_add(ahead)
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
        let before = cursor.checked_sub(2).and_then(|at| self.runs.get(at));
        let (Some(run), Some(before)) = (newest, before) else {
            return false;
        };
        let inside = out.saturating_sub(to_usize(before.out)).saturating_sub(1);
        let steps = inside.checked_div(usize::from(before.wide)).unwrap_or(0);
        let ahead = steps
            .saturating_add(1)
            .saturating_mul(usize::from(before.from_wide));
        to_usize(run.out) == out
            && to_usize(run.source) > to_usize(before.source).saturating_add(ahead)
    }

    /// Where a walk from a canonical offset on begins.
    pub(super) fn cursor(&self, out: usize) -> usize {
        self.runs.partition_point(|run| to_usize(run.out) <= out)
    }

    /// The run of a canonical byte, and how many whole steps lie before the byte in it.
    fn find(&self, out: usize) -> Option<(Run, usize)> {
        let after = self.runs.partition_point(|run| to_usize(run.out) <= out);
        let run = *self.runs.get(after.checked_sub(1)?)?;
        let inside = out.saturating_sub(to_usize(run.out));
        Some((run, inside.checked_div(usize::from(run.wide)).unwrap_or(0)))
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
            let start = self.start(at);
            if (run.wide, run.from_wide) == (1, 1) {
                self.copy(start, stop.saturating_sub(at));
                at = stop;
            } else {
                let wide = usize::from(run.wide).max(1);
                self.unit(wide, start, usize::from(run.from_wide));
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
            [run] => (run.source, run.wide, run.from_wide) == (0, 1, 1),
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

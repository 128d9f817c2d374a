//! A block as it reads once the values found in it are labels.
//!
//! Decides nothing: it is what the detectors look at once more, so that a number which only a
//! label's shortness brings near its keyword, or which was glued to another value, is found too.
//! Never holds a value of those covered.

use std::ops::Range;

/// The text and where its parts come from.
#[derive(Debug, Default)]
pub(super) struct Covered {
    text: String,
    /// Parts that stand in the block as they are: offset here, length, offset there.
    parts: Vec<(u32, u32, u32)>,
}

impl Covered {
    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Writes a part of `block` anew with a label of this many bytes in the place of each value.
    /// Values are in order; of two that overlap the later has what lies behind the earlier. All of
    /// them reach into the part.
    pub(super) fn write(
        &mut self,
        (block, part): (&str, Range<u32>),
        values: impl Iterator<Item = (Range<u32>, usize)>,
    ) {
        self.text.clear();
        self.parts.clear();
        let mut done = part.start;
        for (value, label) in values {
            if value.end <= done {
                continue;
            }
            if value.start > done {
                self.part(block, done..value.start);
            }
            self.label(label.saturating_sub(2));
            done = value.end;
        }
        if done < part.end {
            self.part(block, done..part.end);
        }
    }

    fn label(&mut self, name: usize) {
        // Longer than the names of nearly all kinds.
        const NAME: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        self.text.push('[');
        let mut rest = name;
        while rest > 0 {
            let piece = NAME.get(..rest).unwrap_or(NAME);
            self.text.push_str(piece);
            rest = rest.saturating_sub(piece.len());
        }
        self.text.push(']');
    }

    fn part(&mut self, block: &str, part: Range<u32>) {
        let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
        let here = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let text = block.get(at(part.start)..at(part.end)).unwrap_or_default();
        self.parts
            .push((here, part.end.saturating_sub(part.start), part.start));
        self.text.push_str(text);
    }

    /// The range of the block, if it lies in one of its parts.
    pub(super) fn source(&self, range: Range<u32>) -> Option<Range<u32>> {
        let after = self
            .parts
            .partition_point(|(here, ..)| *here <= range.start);
        let (here, len, there) = self.parts.get(after.checked_sub(1)?)?;
        let inside = range.end <= here.saturating_add(*len);
        let moved = |at: u32| there.saturating_add(at.saturating_sub(*here));
        inside.then(|| moved(range.start)..moved(range.end))
    }
}

#[cfg(test)]
mod tests {
    use super::Covered;

    #[test]
    fn values_are_labels_and_the_rest_has_its_place() {
        let mut covered = Covered::default();
        covered.write(
            ("ab 123456 cd 99 e", 0..17),
            [(3..8, 3), (4..7, 3), (5..9, 3), (13..15, 5)].into_iter(),
        );
        assert_eq!(covered.text(), "ab [x][x] cd [xxx] e");
        for (range, want) in [
            (0..2, Some(0..2)),
            (2..4, None),
            (4..6, None),
            (10..12, Some(10..12)),
            (19..20, Some(16..17)),
            (9..20, None),
        ] {
            assert_eq!(covered.source(range.clone()), want, "{range:?}");
        }
        covered.write(
            ("ab 123456 cd 99 e", 5..14),
            [(3..8, 3), (13..15, 5)].into_iter(),
        );
        assert_eq!(covered.text(), "[x]6 cd [xxx]", "a part of it");
        assert_eq!(
            covered.source(4..5),
            Some(9..10),
            "has its places in the whole"
        );
    }
}

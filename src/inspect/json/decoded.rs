//! A stretch of a string as it reads: escapes are the characters that they mean.
//!
//! Decides nothing; it knows where in the body each of its characters stands. Text that is full of
//! escapes is told a thousand characters at a time this way, and not one event for each escape and
//! one for each run between two of them.

/// An escape in a stretch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    /// Where its character begins, counted from the start of what was decoded together.
    at: u16,
    /// Bytes that the escapes before it took more than their characters.
    extra: u16,
    /// Bytes of its character.
    wide: u8,
    /// Bytes of the escape.
    len: u8,
}

impl Unit {
    /// None.
    pub(super) const NONE: Self = Self::new((0, 0), (0, 0));

    /// An escape of `len` bytes for a character of `wide` bytes.
    #[inline]
    pub(super) const fn new((at, extra): (u16, u16), (wide, len): (u8, u8)) -> Self {
        Self {
            at,
            extra,
            wide,
            len,
        }
    }

    /// Bytes that it and the escapes before it took more than their characters.
    #[inline]
    pub(super) fn extra_behind(self) -> u16 {
        let more = self.len.wrapping_sub(self.wide);
        self.extra.wrapping_add(u16::from(more))
    }
}

/// A stretch of a string, decoded, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'a> {
    text: &'a str,
    units: &'a [Unit],
    /// Where the text begins, counted as the places of `units` are.
    from: usize,
    /// The body's offset of what the places count from, and what the escapes before `text` took
    /// more than their characters.
    base: u64,
    extra: u16,
}

/// What a stretch is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Characters that stand in the body as they are, from this offset on.
    Run(u64, &'a str),
    /// An escape: its offset, its bytes, and what it means.
    Escape(u64, u8, char),
}

/// An escape of a stretch, for those who keep where characters stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escaped {
    /// Where in the stretch its character begins; a stretch is shorter than 64 KiB if it has one.
    pub at: u16,
    /// Bytes of the character.
    pub wide: u8,
    /// The body's offset of the escape.
    pub raw: u64,
    /// Bytes of the escape.
    pub len: u8,
}

impl<'a> Decoded<'a> {
    /// Characters that all stand in the body as they are, from `at` on.
    pub const fn plain(at: u64, text: &'a str) -> Self {
        Self {
            text,
            units: &[],
            from: 0,
            base: at,
            extra: 0,
        }
    }

    /// Characters of which the `units`, in order, are escapes.
    pub(super) const fn new(at: u64, text: &'a str, units: &'a [Unit]) -> Self {
        Self {
            text,
            units,
            from: 0,
            base: at,
            extra: 0,
        }
    }

    /// What it says.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The body's offset of the first character.
    pub fn raw(&self) -> u64 {
        self.place(self.from, self.extra)
    }

    /// The body's offset behind the last character.
    pub fn raw_end(&self) -> u64 {
        let extra = self.units.last().map_or(self.extra, |u| u.extra_behind());
        self.place(self.from.saturating_add(self.text.len()), extra)
    }

    /// The same in a body that has `bytes` more before it.
    #[must_use]
    pub const fn moved(self, bytes: u64) -> Self {
        let base = self.base.saturating_add(bytes);
        Self { base, ..self }
    }

    /// How many of its characters are escapes.
    pub const fn escapes(&self) -> usize {
        self.units.len()
    }

    /// Whether the first character is an escape.
    pub fn begins_with_escape(&self) -> bool {
        self.escape_at(0) == Some(0)
    }

    /// Where in the text the escape of this number begins.
    pub fn escape_at(&self, number: usize) -> Option<usize> {
        let unit = self.units.get(number)?;
        Some(usize::from(unit.at).wrapping_sub(self.from))
    }

    /// All escapes, in order.
    #[inline]
    pub fn escaped(&self) -> impl Iterator<Item = Escaped> + use<'a> {
        let (from, base) = (u16::try_from(self.from).unwrap_or(u16::MAX), self.base);
        self.units.iter().map(move |unit| Escaped {
            at: unit.at.wrapping_sub(from),
            wide: unit.wide,
            raw: base
                .wrapping_add(u64::from(unit.at))
                .wrapping_add(u64::from(unit.extra)),
            len: unit.len,
        })
    }

    /// The first `len` bytes of text, and the rest. All is the first if no character ends there.
    #[inline]
    #[must_use]
    pub fn split_at(self, len: usize) -> (Self, Self) {
        let (first, rest) = self.text.split_at_checked(len).unwrap_or((self.text, ""));
        let from = self.from.saturating_add(first.len());
        if self.units.is_empty() {
            let head = Self {
                text: first,
                ..self
            };
            let tail = Self {
                text: rest,
                from,
                ..self
            };
            return (head, tail);
        }
        // One after the other, as mostly few of them come before.
        let before = |unit: &&Unit| usize::from(unit.at) < from;
        let count = if rest.is_empty() {
            self.units.len()
        } else {
            self.units.iter().take_while(before).count()
        };
        let (own, others) = self
            .units
            .split_at_checked(count)
            .unwrap_or((self.units, &[]));
        let extra = own.last().map_or(self.extra, |unit| unit.extra_behind());
        let head = Self {
            text: first,
            units: own,
            ..self
        };
        let tail = Self {
            text: rest,
            units: others,
            from,
            extra,
            ..self
        };
        (head, tail)
    }

    /// Takes the run or escape that it begins with.
    pub fn next_part(&mut self) -> Option<Part<'a>> {
        let ch = self.text.chars().next()?;
        let begins = self.escape_at(0);
        let len = match begins {
            Some(0) => ch.len_utf8(),
            Some(run) => run,
            None => self.text.len(),
        };
        let (part, rest) = self.split_at(len);
        *self = rest;
        Some(match (begins, part.units.first()) {
            (Some(0), Some(unit)) => Part::Escape(part.raw(), unit.len, ch),
            (Some(_) | None, _) => Part::Run(part.raw(), part.text),
        })
    }

    fn place(&self, at: usize, extra: u16) -> u64 {
        self.base
            .saturating_add(u64::try_from(at).unwrap_or(u64::MAX))
            .saturating_add(u64::from(extra))
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::arithmetic_side_effects,
        reason = "a wrong place must fail the test"
    )]

    use super::super::{Limits, Reader, Sink};
    use super::{Decoded, Part};

    /// Takes every stretch apart at every place.
    #[derive(Default)]
    struct Apart(usize);

    impl Sink for Apart {
        fn string_decoded(&mut self, decoded: Decoded<'_>) {
            let whole = parts(decoded);
            let places = decoded.text().char_indices().map(|(at, _)| at);
            for at in places.chain([decoded.text().len()]) {
                let (head, tail) = decoded.split_at(at);
                assert_eq!((head.text().len(), head.raw_end()), (at, tail.raw()));
                assert_eq!(tail.raw_end(), decoded.raw_end());
                assert_eq!(head.escapes() + tail.escapes(), decoded.escapes());
                let mut joined = parts(head);
                joined.extend(parts(tail));
                joined.dedup_by(|b, a| {
                    a.1 == b.1 && a.1 == 0 && a.0 + a.2.len() == b.0 && {
                        a.2.push_str(&b.2);
                        true
                    }
                });
                assert_eq!(joined, whole, "parted at {at}");
                let places = |part: Decoded<'_>, from: usize| -> Vec<_> {
                    let told = part.escaped();
                    told.map(|e| (usize::from(e.at) + from, e.raw, e.len, e.wide))
                        .collect()
                };
                let both = [places(head, 0), places(tail, at)].concat();
                assert_eq!(both, places(decoded, 0), "parted at {at}");
            }
            assert_eq!(parts(decoded.moved(7)).first().map(|part| part.0), Some(8));
            self.0 += 1;
        }
    }

    /// Offset, bytes of the escape or none, and text of every part.
    fn parts(mut decoded: Decoded<'_>) -> Vec<(usize, u8, String)> {
        let mut parts = Vec::new();
        while let Some(part) = decoded.next_part() {
            let (at, len, text) = match part {
                Part::Run(at, run) => (at, 0, run.to_owned()),
                Part::Escape(at, len, ch) => (at, len, ch.to_string()),
            };
            parts.push((usize::try_from(at).expect("a small body"), len, text));
        }
        parts
    }

    #[test]
    fn a_stretch_can_be_parted_anywhere() {
        let body = r#""a\n\n\u00e9é\ud83d\ude00 中\\\"x\/plain text\u0041""#;
        let mut apart = Apart::default();
        let mut reader = Reader::new(Limits::default());
        reader.push(body.as_bytes(), &mut apart).expect("a string");
        assert_eq!(apart.0, 1, "it is one stretch");
    }

    #[test]
    fn plain_text_is_one_part() {
        let plain = Decoded::plain(5, "text");
        assert_eq!(parts(plain), [(5, 0, "text".to_owned())]);
        assert_eq!((plain.raw(), plain.raw_end()), (5, 9));
        assert_eq!(plain.split_at(3).1.raw(), 8);
    }
}

//! Where characters of a block stand in the body.
//!
//! Decides how offsets of the text become offsets of the body, from one mark on to the next. Knows
//! nothing of the text.

/// From here on, `wide` bytes of text are one unit of `len` bytes of the body (an escape, say);
/// what follows up to the next mark stands in the body as it is. Twelve bytes, as there are many:
/// a block is shorter than 64 KiB, a body than 256 TiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    at: u16,
    wide: u16,
    len: u16,
    raw_high: u16,
    raw_low: u32,
}

impl Mark {
    pub(super) fn new((at, wide): (u32, u16), (raw, len): (u64, u16)) -> Self {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        Self::placed((at, wide), (raw, len))
    }

    #[inline]
    pub(super) fn placed((at, wide): (u16, u16), (raw, len): (u64, u16)) -> Self {
        let [_, _, high @ .., a, b, c, d] = raw.to_be_bytes();
        Self {
            at,
            wide,
            len,
            raw_high: u16::from_be_bytes(high),
            raw_low: u32::from_be_bytes([a, b, c, d]),
        }
    }

    pub(super) fn at(&self) -> u32 {
        u32::from(self.at)
    }

    /// The body's offset of the unit.
    fn raw(&self) -> u64 {
        u64::from(self.raw_high) << u32::BITS | u64::from(self.raw_low)
    }

    /// The body's offset of the first byte behind the unit.
    fn plain_raw(&self) -> u64 {
        self.raw().saturating_add(u64::from(self.len))
    }

    fn plain_at(&self) -> u32 {
        self.at().saturating_add(u32::from(self.wide))
    }

    /// The body's offset of the character that the byte at `at` begins or belongs to.
    pub(super) fn start(&self, at: u32) -> u64 {
        match at.checked_sub(self.plain_at()) {
            Some(ahead) => self.plain_raw().saturating_add(u64::from(ahead)),
            None => self.raw(),
        }
    }

    /// The body's offset behind the byte before `at`.
    pub(super) fn end(&self, at: u32) -> u64 {
        let ahead = at.saturating_sub(self.plain_at());
        self.plain_raw().saturating_add(u64::from(ahead))
    }

    /// The mark when `gone` bytes before it, or of it, are no longer there.
    pub(super) fn without(self, gone: u32) -> Self {
        match self.at().checked_sub(gone) {
            Some(at) => Self {
                at: u16::try_from(at).unwrap_or(u16::MAX),
                ..self
            },
            // What is left of the unit still is the whole unit of the body.
            None if gone < self.plain_at() => {
                let left = self.plain_at().saturating_sub(gone);
                Self {
                    at: 0,
                    wide: u16::try_from(left).unwrap_or(u16::MAX),
                    ..self
                }
            }
            None => Self::new((0, 0), (self.start(gone), 0)),
        }
    }
}

//! The few bytes of a character or an escape that a cut went through, kept for the next piece.

/// At most `MOST` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<const MOST: usize> {
    bytes: [u8; MOST],
    len: usize,
}

impl<const MOST: usize> Kept<MOST> {
    /// Nothing kept.
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; MOST],
            len: 0,
        }
    }

    /// Keeps `bytes` in place of what was kept. Callers know that they fit; what does not is
    /// dropped, and the character or escape is then never complete.
    pub(super) fn set(&mut self, bytes: &[u8]) {
        self.len = 0;
        for &byte in bytes {
            self.push(byte);
        }
    }

    /// Keeps one more byte.
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Forgets all of them.
    pub(super) const fn clear(&mut self) {
        self.len = 0;
    }

    /// The bytes kept.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Whether none are kept.
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

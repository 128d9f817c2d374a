//! The fast path: ASCII text, 32 or 64 bytes at a time.
//!
//! Decides what of a chunk needs no thought: letters are lowered, a lone white space becomes a
//! space. It stops before a byte outside ASCII, a control character, or the second white space of
//! a run. Written as plain loops over arrays, which the compiler turns into vector code; what these
//! find is gathered into one word, since neighbours are compared by shifts of it.

/// Bytes folded together.
pub(super) const CHUNK: usize = 32;

/// Bytes searched together.
pub(super) const WIDE: usize = 64;

/// A chunk folded.
pub(super) struct Folded {
    pub(super) bytes: [u8; CHUNK],
    /// A bit for each byte that is no more than white space.
    white: u64,
    /// A bit for each byte that is not right so, and one behind the last.
    stops: u64,
}

impl Folded {
    /// How many bytes are right so from a place on, which is at most the chunk's end; the place
    /// behind them.
    #[inline]
    pub(super) fn clean(&self, from: usize) -> usize {
        let behind = self.stops >> (from & 63);
        let more = usize::try_from(behind.trailing_zeros()).unwrap_or(CHUNK);
        from.saturating_add(more).min(CHUNK)
    }

    /// Where the white space ends that is at a place; the place itself if none is.
    #[inline]
    pub(super) fn white_end(&self, from: usize) -> usize {
        let other = !(self.white >> (from & 63));
        let more = usize::try_from(other.trailing_zeros()).unwrap_or(CHUNK);
        from.saturating_add(more).min(CHUNK)
    }
}

/// Folds a chunk.
#[inline]
pub(super) fn fold(chunk: &[u8; CHUNK], after_space: bool) -> Folded {
    let white = chunk.map(|byte| u8::from(byte == b' ') | u8::from(byte.wrapping_sub(b'\t') < 5));
    let odd = chunk.map(|byte| u8::from(byte < b' ') | u8::from(byte > b'~'));
    let mut bytes = [0; CHUNK];
    for ((slot, &byte), &white) in bytes.iter_mut().zip(chunk).zip(&white) {
        let capital = u8::from(byte.wrapping_sub(b'A') < 26);
        *slot = if white == 1 {
            b' '
        } else {
            byte | (capital << 5)
        };
    }
    let (white, odd) = (gather(&white), gather(&odd));
    let second = white & ((white << 1) | u64::from(after_space));
    let stops = (odd & !white) | second | (1 << CHUNK);
    Folded {
        bytes,
        white,
        stops,
    }
}

/// The chunk that begins at an offset, filled up with bytes that stop it.
#[inline]
pub(super) fn chunk_at(bytes: &[u8], at: usize) -> [u8; CHUNK] {
    let rest = bytes.get(at..).unwrap_or(&[]);
    if let Some(chunk) = rest.first_chunk() {
        return *chunk;
    }
    let mut chunk = [0x80; CHUNK];
    for (slot, &byte) in chunk.iter_mut().zip(rest) {
        *slot = byte;
    }
    chunk
}

/// Ones of an array of zeros and ones as the bits of a word, the first one lowest. Arrays have 32
/// or 64 bytes.
#[inline]
pub(super) fn gather<const N: usize>(flags: &[u8; N]) -> u64 {
    let (words, _) = flags.as_chunks::<8>();
    let mut bits = 0_u64;
    for word in words.iter().rev() {
        // The product's top byte collects the low bits of eight bytes.
        let byte = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits = (bits << 8) | byte;
    }
    bits
}

/// A text in chunks of 64 bytes, the last filled with zeros.
pub(super) struct Chunks<'a>(pub(super) &'a [u8]);

impl Iterator for Chunks<'_> {
    type Item = [u8; WIDE];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some((chunk, rest)) = self.0.split_first_chunk() {
            self.0 = rest;
            return Some(*chunk);
        }
        let rest = std::mem::take(&mut self.0);
        let mut chunk = [0; WIDE];
        chunk.get_mut(..rest.len())?.copy_from_slice(rest);
        (!rest.is_empty()).then_some(chunk)
    }
}

/// Tab, line feed, vertical tab, form feed, carriage return and space.
pub(super) const fn is_white(byte: u8) -> bool {
    byte == b' ' || matches!(byte, b'\t'..=b'\r')
}

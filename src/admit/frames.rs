//! What of HTTP/2 has begun and must soon be complete: the preface, heads, and frames but data.
//!
//! Decides, over the bytes that a client sends, whether something of that kind is under way. Of
//! frames it reads the length, the type and one flag; whether they are right is the HTTP/2
//! library's to say. A body takes its time under limits of its own, so data frames are not
//! watched. One answer for every way in which the bytes are cut.

/// The bytes that a connection begins with (RFC 9113, 3.4).
const PREFACE: u32 = 24;
/// The bytes of a frame before its payload.
const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// Where in its frames a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    preface_left: u32,
    header: [u8; HEADER],
    have: usize,
    payload_left: u32,
    is_data: bool,
    in_head: bool,
    spans: u64,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            preface_left: PREFACE,
            header: [0; HEADER],
            have: 0,
            payload_left: 0,
            is_data: false,
            in_head: false,
            spans: 1,
        }
    }
}

impl Frames {
    /// What is under way, by its number; none: nothing that must soon be complete.
    pub const fn under_way(&self) -> Option<u64> {
        let frame = self.have > 0 && !(self.is_data && self.have == HEADER);
        if self.preface_left > 0 || frame || self.in_head {
            Some(self.spans)
        } else {
            None
        }
    }

    /// Hears the next bytes of the client's.
    pub fn hear(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = self.step(bytes);
        }
    }

    /// Takes what belongs to the part that is under way, and leaves the rest.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if self.preface_left > 0 {
            return skip(&mut self.preface_left, bytes);
        }
        if self.have < HEADER {
            if self.have == 0 && !self.in_head {
                self.spans = self.spans.wrapping_add(1);
            }
            if let (Some(place), Some(byte)) = (self.header.get_mut(self.have), bytes.first()) {
                *place = *byte;
            }
            self.have = self.have.saturating_add(1);
            if self.have == HEADER {
                self.begin();
            }
            return bytes.get(1..).unwrap_or_default();
        }
        let rest = skip(&mut self.payload_left, bytes);
        if self.payload_left == 0 {
            self.have = 0;
        }
        rest
    }

    /// A frame's header is whole.
    fn begin(&mut self) {
        let [high, middle, low, kind, flags, ..] = self.header;
        self.payload_left = u32::from_be_bytes([0, high, middle, low]);
        self.is_data = kind == DATA;
        if kind == HEADERS || kind == CONTINUATION {
            self.in_head = flags & END_HEADERS == 0;
        }
        if self.payload_left == 0 {
            self.have = 0;
        }
    }
}

fn skip<'a>(left: &mut u32, bytes: &'a [u8]) -> &'a [u8] {
    let most = usize::try_from(*left).unwrap_or(usize::MAX);
    let (taken, rest) = bytes.split_at(bytes.len().min(most));
    *left = left.saturating_sub(u32::try_from(taken.len()).unwrap_or(u32::MAX));
    rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
        frame.extend(vec![7; payload]);
        frame
    }

    fn begun() -> Frames {
        let mut frames = Frames::default();
        frames.hear(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        frames
    }

    #[test]
    fn what_must_soon_be_complete_is_under_way_until_it_is() {
        let mut frames = Frames::default();
        assert!(frames.under_way().is_some(), "no preface yet");
        frames.hear(&[b'P'; 23]);
        assert!(frames.under_way().is_some(), "all but a byte");
        frames.hear(b"\n");
        assert_eq!(frames.under_way(), None, "the preface is there");
        for (what, bytes, expected) in [
            ("settings", frame(4, 0, 12), false),
            (
                "half of a frame's header",
                frame(4, 0, 0)[..4].to_vec(),
                true,
            ),
            ("half of settings", frame(4, 0, 12)[..15].to_vec(), true),
            ("a head", frame(1, 4, 50), false),
            ("a head that goes on", frame(1, 0, 50), true),
            (
                "and ends",
                [frame(1, 0, 50), frame(9, 0, 9), frame(9, 4, 0)].concat(),
                false,
            ),
            ("half of data", frame(0, 0, 100)[..50].to_vec(), false),
            ("data", frame(0, 1, 100), false),
        ] {
            let mut frames = begun();
            frames.hear(&bytes);
            assert_eq!(frames.under_way().is_some(), expected, "{what}");
        }
    }

    #[test]
    fn each_head_has_its_own_time_and_its_continuations_have_none() {
        let mut frames = begun();
        frames.hear(&frame(1, 0, 5));
        let head = frames.under_way();
        frames.hear(&frame(9, 0, 5));
        frames.hear(&frame(9, 0, 5)[..3]);
        assert_eq!(frames.under_way(), head, "one and the same head");
        frames.hear(&frame(9, 0, 5)[3..]);
        frames.hear(&frame(9, 4, 5));
        assert_eq!(frames.under_way(), None, "whole");
        frames.hear(&frame(1, 0, 5));
        assert_ne!(frames.under_way(), head, "another head");
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            kinds in prop::collection::vec((0_u8..12, 0_u8..8, 0_usize..40), 0..12),
            garbage in prop::collection::vec(any::<u8>(), 0..64),
            size in 1_usize..50,
        ) {
            let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
            for (kind, flags, payload) in kinds {
                bytes.extend(frame(kind, flags, payload));
            }
            bytes.extend(garbage);
            let (mut whole, mut cut) = (Frames::default(), Frames::default());
            whole.hear(&bytes);
            for piece in bytes.chunks(size) {
                cut.hear(piece);
            }
            prop_assert_eq!(whole, cut);
        }
    }
}

//! JSON in a file: one text, or one a line, or whatever it turns out to be.
//!
//! Decides where one JSON text ends and the next begins, and what is none: from the token on that
//! is at fault the rest of the line is read as it stands. So every byte that could be text is
//! heard, and nothing in a file is refused for its form.
//! Never holds more than the token that a cut went through. May miss: what a body of JSON misses
//! (see `text`).

use std::ops::Range;

use super::utf8::{Said, Utf8, ahead};
use crate::inspect::channel::Channel;
use crate::inspect::json::{Decoded, JsonError, Limits, Literal, Reader, Sink};
use crate::inspect::text::{Listener, Told, Walk};

/// A file as far as it was read.
#[derive(Debug)]
pub(super) struct Documents {
    limits: Limits,
    reader: Reader,
    walk: Walk,
    /// Where the reader's text begins in the body.
    base: u64,
    /// The unit before the walk's first.
    unit: u32,
    /// Up to where the walk was told of the body.
    told: u64,
    /// What it was not told of, without what means nothing, and where that begins.
    carry: Vec<u8>,
    carry_at: u64,
    /// The rest of a line that is no JSON.
    loose: Option<Utf8>,
}

impl Documents {
    /// A file that begins at `at`.
    pub(super) fn new(limits: Limits, unit: u32, at: u64) -> Self {
        Self {
            limits,
            reader: Reader::new(limits),
            walk: Walk::new(),
            base: at,
            unit,
            told: at,
            carry: Vec::new(),
            carry_at: at,
            loose: None,
        }
    }

    /// The next bytes, which stand at `at`.
    pub(super) fn push(&mut self, mut at: u64, mut rest: &[u8], ear: &mut impl Listener) {
        while !rest.is_empty() {
            let taken = if self.loose.is_some() {
                self.line(at, rest, ear)
            } else {
                self.json(at, rest, ear)
            };
            at = ahead(at, taken);
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// The file is over; the last unit of it.
    pub(super) fn end(mut self, ear: &mut impl Listener) -> u32 {
        let ended = self.loose.is_some() || {
            let mut track = Track {
                walk: &mut self.walk,
                shift: Shift {
                    base: self.base,
                    unit: self.unit,
                    ear,
                },
                told: &mut self.told,
            };
            self.reader.finish(&mut track).is_ok()
        };
        if !ended {
            self.give_up(ear);
        }
        if let Some(mut loose) = self.loose.take() {
            loose.end(|said| tell(said, ear));
        }
        self.unit.saturating_add(self.walk.units())
    }

    /// From where on in the body something is still to be told.
    pub(super) fn waiting(&self) -> Option<u64> {
        let carried = (!self.carry.is_empty()).then_some(self.carry_at);
        let walked = self.walk.waiting().map(|at| at.saturating_add(self.base));
        let loose = self.loose.as_ref().and_then(Utf8::waiting);
        [carried, walked, loose].into_iter().flatten().min()
    }

    /// Bytes that it takes in memory.
    pub(super) fn state_bytes(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.reader.state_bytes())
            .saturating_add(self.walk.state_bytes())
            .saturating_add(self.carry.capacity())
    }

    /// The rest of a line as it stands; how much of it there was.
    fn line(&mut self, at: u64, rest: &[u8], ear: &mut impl Listener) -> usize {
        let end = memchr::memchr(b'\n', rest);
        let taken = end.map_or(rest.len(), |end| end.saturating_add(1));
        let part = rest.get(..taken).unwrap_or_default();
        if let Some(loose) = &mut self.loose {
            loose.push(at..ahead(at, taken), part, |said| tell(said, ear));
            if end.is_some() {
                loose.end(|said| tell(said, ear));
                self.fresh(ahead(at, taken));
            }
        }
        taken
    }

    /// JSON, up to its end or a fault; how much of it there was.
    fn json(&mut self, at: u64, rest: &[u8], ear: &mut impl Listener) -> usize {
        let mut track = Track {
            walk: &mut self.walk,
            shift: Shift {
                base: self.base,
                unit: self.unit,
                ear,
            },
            told: &mut self.told,
        };
        let from = match self.reader.push(rest, &mut track) {
            Ok(()) => {
                self.keep(at, rest, u64::MAX);
                return rest.len();
            }
            Err(JsonError::TrailingData { offset }) => {
                let next = self.base.saturating_add(offset);
                if next < at {
                    // The character that goes on here began in the piece before.
                    let mut begun = std::mem::take(&mut self.carry);
                    begun.truncate(usize::try_from(at.saturating_sub(next)).unwrap_or(0));
                    self.fresh(next);
                    self.push(next, &begun, ear);
                } else {
                    self.fresh(next);
                }
                next.max(at)
            }
            Err(error) => {
                self.keep(at, rest, self.base.saturating_add(error.offset()));
                // What came before this piece is told now, the piece itself as the line it is in.
                let before = usize::try_from(at.saturating_sub(self.carry_at)).unwrap_or(0);
                self.carry.truncate(before);
                let from = self.carry_at.max(at);
                self.give_up(ear);
                from
            }
        };
        usize::try_from(from.saturating_sub(at)).unwrap_or(usize::MAX)
    }

    /// Notes what of the piece at `at` the walk was not told, without that which means nothing
    /// and stands before `fault`.
    fn keep(&mut self, at: u64, piece: &[u8], fault: u64) {
        const NOTHING: &[u8] = b" \t\r\n,:";
        let known = usize::try_from(self.told.saturating_sub(at)).unwrap_or(usize::MAX);
        if self.told >= at || self.carry.is_empty() {
            self.carry.clear();
            self.carry_at = self.told.max(at);
        }
        self.carry
            .extend_from_slice(piece.get(known..).unwrap_or_default());
        let most = usize::try_from(fault.saturating_sub(self.carry_at)).unwrap_or(usize::MAX);
        let blank = self.carry.iter().take(most);
        let blank = blank.take_while(|byte| NOTHING.contains(byte)).count();
        self.carry.drain(..blank);
        self.carry_at = ahead(self.carry_at, blank);
    }

    /// What is carried is no JSON, nor is the rest of its line; a string that is open ends here.
    fn give_up(&mut self, ear: &mut impl Listener) {
        let mut shift = Shift {
            base: self.base,
            unit: self.unit,
            ear,
        };
        Told {
            walk: &mut self.walk,
            listener: &mut shift,
        }
        .string_end(0);
        self.unit = self
            .unit
            .saturating_add(self.walk.units())
            .saturating_add(1);
        self.walk = Walk::new();
        ear.begin(self.unit, Channel::File, false);
        let mut loose = Utf8::default();
        let end = ahead(self.carry_at, self.carry.len());
        loose.push(self.carry_at..end, &self.carry, |said| tell(said, ear));
        self.carry.clear();
        self.loose = Some(loose);
    }

    /// Another JSON text begins.
    fn fresh(&mut self, at: u64) {
        self.unit = self.unit.saturating_add(self.walk.units());
        self.reader = Reader::new(self.limits);
        self.walk = Walk::new();
        self.carry.clear();
        (self.base, self.told, self.carry_at) = (at, at, at);
        self.loose = None;
    }
}

/// Hands what was read of a text on.
pub(super) fn tell(said: Said<'_>, ear: &mut impl Listener) {
    match said {
        Said::Run(at, text) => ear.run(at, text),
        Said::Unit(at, len, text) => ear.unit(at, len, text),
        // Nobody can say what such bytes mean to whoever reads them.
        Said::Broken(at, len) => {
            ear.unit(at, len, "\u{fffd}");
            ear.opaque(u64::from(len));
        }
    }
}

/// The walk of one JSON text, whose places and units are made those of the whole body.
struct Track<'a, L> {
    walk: &'a mut Walk,
    shift: Shift<'a, L>,
    told: &'a mut u64,
}

struct Shift<'a, L> {
    base: u64,
    unit: u32,
    ear: &'a mut L,
}

impl<L: Listener> Track<'_, L> {
    /// Something that ends at `end` is told.
    fn told(&mut self, end: u64) {
        *self.told = self.shift.base.saturating_add(end);
    }

    fn to(&mut self) -> Told<'_, impl Listener> {
        Told {
            walk: self.walk,
            listener: &mut self.shift,
        }
    }
}

impl<L: Listener> Listener for Shift<'_, L> {
    fn begin(&mut self, unit: u32, channel: Channel, _escapable: bool) {
        // A file is what it is: nobody reads it as a page.
        self.ear
            .begin(self.unit.saturating_add(unit), channel, false);
    }

    fn run(&mut self, at: u64, run: &str) {
        self.ear.run(self.base.saturating_add(at), run);
    }

    fn decoded(&mut self, decoded: Decoded<'_>) {
        self.ear.decoded(decoded.moved(self.base));
    }

    fn unit(&mut self, at: u64, len: u16, text: &str) {
        self.ear.unit(self.base.saturating_add(at), len, text);
    }

    fn role(&mut self, unit: u32, channel: Channel) {
        self.ear.role(self.unit.saturating_add(unit), channel);
    }

    fn opaque(&mut self, bytes: u64) {
        self.ear.opaque(bytes);
    }
}

impl<L: Listener> Sink for Track<'_, L> {
    fn begin_object(&mut self, at: u64) {
        self.to().begin_object(at);
        self.told(ahead(at, 1));
    }

    fn end_object(&mut self, at: u64) {
        self.to().end_object(at);
        self.told(ahead(at, 1));
    }

    fn begin_array(&mut self, at: u64) {
        self.to().begin_array(at);
        self.told(ahead(at, 1));
    }

    fn end_array(&mut self, at: u64) {
        self.to().end_array(at);
        self.told(ahead(at, 1));
    }

    fn key(&mut self, raw: Range<u64>, key: &str) {
        let end = raw.end;
        self.to().key(raw, key);
        self.told(end);
    }

    fn string_begin(&mut self, at: u64) {
        self.to().string_begin(at);
        self.told(ahead(at, 1));
    }

    fn string_run(&mut self, at: u64, run: &str) {
        self.to().string_run(at, run);
        self.told(ahead(at, run.len()));
    }

    fn string_escape(&mut self, at: u64, raw_len: u8, ch: char) {
        self.to().string_escape(at, raw_len, ch);
        self.told(at.saturating_add(u64::from(raw_len)));
    }

    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        self.to().string_decoded(decoded);
        self.told(decoded.raw_end());
    }

    fn string_end(&mut self, end: u64) {
        self.to().string_end(end);
        self.told(end);
    }

    fn number(&mut self, at: u64, number: &str) {
        self.told(ahead(at, number.len()));
    }

    fn literal(&mut self, at: u64, literal: Literal) {
        self.told(ahead(at, literal.as_str().len()));
    }
}

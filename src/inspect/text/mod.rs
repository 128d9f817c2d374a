//! Which string of a body is what, by where it stands.
//!
//! Decides each string's channel (who speaks in it) and unit (which message or field it belongs
//! to), from the shapes of the chat, completions, responses, messages and embeddings APIs; what is
//! in none of them is text all the same. Decides what is no text: the words under `role`, `type`
//! and `model`, and long base64 under keys for pictures, sounds and files, which is only counted.
//! Never looks at what a text says. Its state is a few bytes for each level, and two KiB.
//! May miss: text that someone writes as 64 characters or more of base64 under a key for data (it
//! is counted as uninspected), keys of up to 24 bytes without a space, numbers.

mod known;
mod opaque;
mod word;

use std::ops::Range;

use super::channel::Channel;
use super::json::{Decoded, Literal, Part, Sink};
use known::{Known, Place};
use opaque::Opaque;
use word::Word;

/// Longer keys are text.
const KEY: usize = 24;

/// Who speaks in a field of this name of a form, which is one like the body's own fields.
pub(super) fn channel_of_field(name: &str) -> Channel {
    Known::named(name).at_root().0
}

/// Whether a key, or the name of a field, is long enough to say something.
pub(super) fn says_something(key: &str) -> bool {
    key.len() > KEY || key.contains(' ')
}

/// Who is told the texts of a body.
pub(super) trait Listener {
    /// A string begins. `escapable`: it is prose that may be escaped for HTML.
    fn begin(&mut self, unit: u32, channel: Channel, escapable: bool);
    /// Characters of it that stand in the body as they are.
    fn run(&mut self, at: u64, run: &str);
    /// Characters of it of which some are escapes.
    fn decoded(&mut self, decoded: Decoded<'_>);
    /// Characters that are one unit of `len` bytes of the body.
    fn unit(&mut self, at: u64, len: u16, text: &str);
    /// The role of a message was said, maybe behind its text.
    fn role(&mut self, unit: u32, channel: Channel);
    /// Bytes that were left out.
    fn opaque(&mut self, bytes: u64);
}

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
    channel: Channel,
    place: Place,
    /// The key whose value comes next; in an array, that of the array.
    key: Known,
}

/// What the string being heard is.
#[derive(Debug)]
enum Hearing {
    /// None, or one of which the rest means nothing.
    Nothing,
    Text,
    Word(Word),
    Opaque(Opaque),
}

/// Follows a body through its events.
#[derive(Debug)]
pub(super) struct Walk {
    frames: Vec<Frame>,
    unit: u32,
    hearing: Hearing,
}

impl Walk {
    /// Before the first event.
    pub(super) const fn new() -> Self {
        Self {
            frames: Vec::new(),
            unit: 0,
            hearing: Hearing::Nothing,
        }
    }

    /// Bytes that it takes in memory.
    pub(super) fn state_bytes(&self) -> usize {
        let held = match &self.hearing {
            Hearing::Nothing | Hearing::Text => 0,
            Hearing::Word(_) => word::MOST,
            Hearing::Opaque(opaque) => opaque.state_bytes(),
        };
        let frames = self.frames.capacity().saturating_mul(size_of::<Frame>());
        size_of::<Self>()
            .saturating_add(frames)
            .saturating_add(held)
    }

    /// How many units there were.
    pub(super) const fn units(&self) -> u32 {
        self.unit
    }

    /// From where on in the body something was heard and not yet told.
    pub(super) fn waiting(&self) -> Option<u64> {
        match &self.hearing {
            Hearing::Nothing | Hearing::Text => None,
            Hearing::Word(word) => word.waiting(),
            Hearing::Opaque(opaque) => opaque.waiting(),
        }
    }

    /// What the value that comes now is: its channel, and the place inside it.
    fn value(&mut self, object: bool) -> (Channel, Place, Known) {
        let Some(frame) = self.frames.last() else {
            self.unit = 1;
            return (Channel::Field, Place::Root, Known::Other);
        };
        let (channel, key) = (frame.channel, frame.key);
        match frame.place {
            Place::Root => {
                let (channel, place) = key.at_root();
                (channel, place, key)
            }
            Place::List if object => {
                self.unit = self.unit.saturating_add(1);
                (channel, Place::Message, Known::Other)
            }
            Place::List => (channel, Place::List, key),
            Place::Message | Place::Inside => (key.inside(channel), Place::Inside, key),
            Place::Elsewhere => (channel, Place::Elsewhere, key),
        }
    }

    fn open(&mut self, object: bool) {
        let (channel, place, key) = self.value(object);
        let key = if object { Known::Other } else { key };
        // An array outside the lists of messages is what its key is; a root array is a field.
        let place = match place {
            Place::Root if !object => Place::Elsewhere,
            Place::List if object => Place::Elsewhere,
            Place::Root | Place::List | Place::Message | Place::Inside | Place::Elsewhere => place,
        };
        self.frames.push(Frame {
            channel,
            place,
            key,
        });
    }

    /// A word under `role` or `type` says who speaks in the object around it; a role, that which
    /// it gives to the message.
    fn told(&mut self, word: &Word) -> Option<Channel> {
        let frame = self.frames.last_mut()?;
        match (frame.place, frame.key) {
            (Place::Message, Known::Role) => {
                frame.channel = Channel::of_role(word.as_str());
                Some(frame.channel)
            }
            (Place::Message | Place::Inside, Known::Type) => {
                frame.channel = known::of_type(word.as_str()).unwrap_or(frame.channel);
                None
            }
            (
                Place::Root | Place::List | Place::Message | Place::Inside | Place::Elsewhere,
                Known::Role
                | Known::Type
                | Known::Model
                | Known::Messages
                | Known::Input
                | Known::Instructions
                | Known::System
                | Known::Prompt
                | Known::Tools
                | Known::Calls
                | Known::Arguments
                | Known::Output
                | Known::Metadata
                | Known::Data
                | Known::Other,
            ) => None,
        }
    }
}

/// The walk with the one that it tells.
pub(super) struct Told<'a, L> {
    /// The walk.
    pub(super) walk: &'a mut Walk,
    /// The listener.
    pub(super) listener: &'a mut L,
}

impl<L: Listener> Told<'_, L> {
    fn plain(&mut self, at: u64, len: u16, text: &str) {
        match &mut self.walk.hearing {
            Hearing::Nothing => {}
            Hearing::Text if len == 0 => self.listener.run(at, text),
            Hearing::Text => self.listener.unit(at, len, text),
            Hearing::Word(word) => word.hear((at, len), text, self.listener),
            Hearing::Opaque(opaque) => {
                if opaque.hear((at, len), text, self.listener) {
                    self.walk.hearing = Hearing::Text;
                }
            }
        }
    }
}

impl<L: Listener> Sink for Told<'_, L> {
    fn begin_object(&mut self, _at: u64) {
        self.walk.open(true);
    }

    fn end_object(&mut self, _at: u64) {
        self.walk.frames.pop();
    }

    fn begin_array(&mut self, _at: u64) {
        self.walk.open(false);
    }

    fn end_array(&mut self, _at: u64) {
        self.walk.frames.pop();
    }

    fn key(&mut self, raw: Range<u64>, key: &str) {
        if let Some(frame) = self.walk.frames.last_mut() {
            frame.key = Known::named(key);
            if matches!(frame.place, Place::Root) {
                self.walk.unit = self.walk.unit.saturating_add(1);
            }
        }
        if !says_something(key) {
            return;
        }
        self.listener.begin(self.walk.unit, Channel::Key, false);
        let (at, end) = (raw.start.saturating_add(1), raw.end.saturating_sub(1));
        let len = end.saturating_sub(at);
        if u64::try_from(key.len()).is_ok_and(|plain| plain == len) {
            self.listener.run(at, key);
        } else {
            // Escapes in it: which stands where is not known, so that any part means the whole.
            self.listener
                .unit(at, u16::try_from(len).unwrap_or(u16::MAX), key);
        }
    }

    fn string_begin(&mut self, _at: u64) {
        let (channel, _, key) = self.walk.value(false);
        let unit = self.walk.unit;
        let escapable = channel.is_prose() && !key.is_data();
        self.walk.hearing = if key.is_word() {
            Hearing::Word(Word::new(unit, channel))
        } else if key.is_data() {
            Hearing::Opaque(Opaque::new(unit, channel))
        } else {
            self.listener.begin(unit, channel, escapable);
            Hearing::Text
        };
    }

    fn string_run(&mut self, at: u64, run: &str) {
        self.plain(at, 0, run);
    }

    fn string_escape(&mut self, at: u64, raw_len: u8, ch: char) {
        self.plain(at, u16::from(raw_len), ch.encode_utf8(&mut [0; 4]));
    }

    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        let mut rest = decoded;
        // A word or data may turn out to be text at any character.
        while !rest.text().is_empty() {
            match self.walk.hearing {
                Hearing::Nothing => return,
                Hearing::Text => return self.listener.decoded(rest),
                Hearing::Word(_) | Hearing::Opaque(_) => {}
            }
            let Some(part) = rest.next_part() else {
                return;
            };
            match part {
                Part::Run(at, run) => self.string_run(at, run),
                Part::Escape(at, len, ch) => self.string_escape(at, len, ch),
            }
        }
    }

    fn string_end(&mut self, _end: u64) {
        match std::mem::replace(&mut self.walk.hearing, Hearing::Nothing) {
            Hearing::Nothing | Hearing::Text => {}
            Hearing::Word(word) => {
                if let Some(channel) = self.walk.told(&word) {
                    self.listener.role(self.walk.unit, channel);
                }
            }
            Hearing::Opaque(opaque) => opaque.end(self.listener),
        }
    }

    fn number(&mut self, _at: u64, _number: &str) {}

    fn literal(&mut self, _at: u64, _literal: Literal) {}
}

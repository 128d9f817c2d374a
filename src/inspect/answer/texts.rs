//! The texts of a stream that go on over its events: one for each choice, block, field and call.
//!
//! Decides which text a piece belongs to, and whether it leaves live or waits until it is whole.
//! Never knows how events look. May miss: nothing; more texts than [`MOST`] end the stream.

use std::time::Duration;

use super::script::{Form, Script};
use super::walk::What;
use super::words::Word;
use super::{Broken, By, arguments};
use crate::inspect::channel::Channel;
use crate::inspect::engine::{Hold, Notes, Speech};
use crate::inspect::finding::Refusal;

/// Texts of one stream that are open at a time; OpenAI's limit of choices is 128.
const MOST: usize = 1024;
/// Bytes of a tool call's arguments that wait.
const CALL: usize = 256 * 1024;
/// Bytes of all arguments of a stream that wait.
const CALLS: usize = 1024 * 1024;

/// What tells a text from the others of its stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) what: What,
    pub(super) choice: u32,
    pub(super) part: u32,
}

impl Key {
    /// Whether it is what a tool is called with.
    const fn is_call(&self) -> bool {
        matches!(
            self.what,
            What::Call | What::OldCall | What::Block(Word::PartialJson)
        )
    }
}

/// A text and how to write an event with more of it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) key: Key,
    /// The type of its events and the item, where events name them.
    pub(super) kind: Box<str>,
    pub(super) item: Box<str>,
    pub(super) voice: Voice,
    over: bool,
}

/// How a text is judged.
#[derive(Debug)]
pub(super) enum Voice {
    /// While it is spoken.
    Live(Box<Speech>),
    /// When it is whole.
    Whole(Whole),
}

/// A text that waits until it is whole.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub(super) text: String,
    /// What leaves instead of it.
    pub(super) clean: Option<String>,
    pub(super) done: bool,
}

/// All texts of a stream.
#[derive(Debug, Default)]
pub(super) struct Texts {
    open: Vec<Text>,
    waiting: usize,
    spoken: u32,
    cut: bool,
}

impl Texts {
    /// The text by its place.
    pub(super) fn get(&self, place: usize) -> Option<&Text> {
        self.open.get(place)
    }

    /// Whether a text of this choice was cut.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Bytes that they take in memory.
    pub(super) fn state_bytes(&self) -> usize {
        let voices = self.open.iter().map(|text| match &text.voice {
            Voice::Live(speech) => speech.state_bytes(),
            Voice::Whole(whole) => whole.text.capacity(),
        });
        voices
            .sum::<usize>()
            .saturating_add(self.open.capacity().saturating_mul(size_of::<Text>()))
    }

    /// The place of a text; a new one if there is none.
    pub(super) fn place(
        &mut self,
        key: Key,
        (kind, item): (&str, &str),
        by: By<'_>,
    ) -> Result<usize, Broken> {
        // What was spoken last is spoken next, nearly always.
        if let Some(place) = self
            .open
            .iter()
            .rposition(|text| text.key == key && !text.over && *text.kind == *kind)
        {
            return Ok(place);
        }
        if self.open.len() >= MOST {
            return Err(Broken::TooLarge);
        }
        self.spoken = self.spoken.saturating_add(1);
        let call = is_call(&key, kind);
        let voice = if call && by.policy.hold_calls {
            Voice::Whole(Whole::default())
        } else {
            let channel = if call {
                Channel::ToolArguments
            } else {
                Channel::Assistant
            };
            Voice::Live(Box::new(Speech::new(channel, self.spoken)))
        };
        self.open.push(Text {
            key,
            kind: kind.into(),
            item: item.into(),
            voice,
            over: false,
        });
        Ok(self.open.len().saturating_sub(1))
    }

    /// More of a text: where its piece begins and ends in it.
    pub(super) fn push(
        &mut self,
        place: usize,
        piece: &str,
        by: By<'_>,
        notes: &mut Notes,
    ) -> Result<(usize, usize), Broken> {
        let Some(text) = self.open.get_mut(place) else {
            return Ok((0, 0));
        };
        match &mut text.voice {
            Voice::Live(speech) => {
                let start = speech.total();
                let mut hold = by.policy.hold;
                if text.key.is_call() {
                    // Half a JSON text is none.
                    hold.chars = None;
                }
                speech.push(by.inspector, notes, (&hold, by.now), piece)?;
                self.cut |= speech.is_cut();
                Ok((start, speech.total()))
            }
            Voice::Whole(whole) => {
                let start = whole.text.len();
                self.waiting = self.waiting.saturating_add(piece.len());
                if start.saturating_add(piece.len()) > CALL || self.waiting > CALLS {
                    return Err(Refusal::TextTooLong.into());
                }
                whole.text.push_str(piece);
                Ok((start, whole.text.len()))
            }
        }
    }

    /// Ends the texts for which `over` holds; what they still hold leaves at the script's end.
    pub(super) fn end(
        &mut self,
        over: impl Fn(&Text) -> bool,
        by: By<'_>,
        notes: &mut Notes,
        mut then: impl FnMut(usize, usize),
    ) -> Result<(), Broken> {
        for (place, text) in self.open.iter_mut().enumerate() {
            if text.over || !over(text) {
                continue;
            }
            text.over = true;
            let total = match &mut text.voice {
                Voice::Live(speech) => {
                    speech.finish(by.inspector, notes)?;
                    speech.total()
                }
                Voice::Whole(whole) => {
                    whole.clean = arguments::clean(&whole.text, by, notes)?;
                    whole.done = true;
                    self.waiting = self.waiting.saturating_sub(whole.text.len());
                    whole.text.len()
                }
            };
            then(place, total);
        }
        Ok(())
    }

    /// Lets go of texts whose time is up.
    pub(super) fn expire(
        &mut self,
        by: By<'_>,
        notes: &mut Notes,
        script: &mut Script,
    ) -> Result<(), Refusal> {
        for (place, text) in self.open.iter_mut().enumerate() {
            if let Voice::Live(speech) = &mut text.voice
                && speech.due(&by.policy.hold).is_some_and(|due| due <= by.now)
            {
                speech.expire(by.inspector, notes)?;
                script.flush(place, speech.total(), Form::Event);
            }
        }
        Ok(())
    }

    /// When the first of them may be held no longer.
    pub(super) fn due(&self, hold: &Hold) -> Option<Duration> {
        let live = self.open.iter().filter_map(|text| match &text.voice {
            Voice::Live(speech) => speech.due(hold),
            Voice::Whole(_) => None,
        });
        live.min()
    }

    /// What was released has been written: forgets it, and the texts that are over.
    pub(super) fn written(&mut self) {
        for text in &mut self.open {
            if let Voice::Live(speech) = &mut text.voice {
                speech.released();
            }
        }
        self.open.retain(|text| !text.over);
    }
}

/// Whether a text is what a tool is called with.
fn is_call(key: &Key, kind: &str) -> bool {
    key.is_call()
        || (key.what == What::Piece && (kind.contains("arguments") || kind.contains("_call_")))
}

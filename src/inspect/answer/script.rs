//! How the frames of one push are written on.
//!
//! Decides, once all of them have been judged, what stands in each piece of a text: its own
//! characters as far as they may leave, and before them what an earlier event could not send. A
//! frame in which nothing changes keeps its bytes. What no event can carry any more leaves in one
//! of our own. Never judges.

use std::cell::RefCell;
use std::ops::Range;

use super::texts::{Text, Voice};
use super::{Shape, Talk, write};

/// What becomes of a part of a frame.
#[derive(Debug)]
pub(super) enum Act {
    /// These bytes stand there.
    Write(Box<[u8]>),
    /// A piece of a text, and its place in it; whether its bytes must be written anew.
    Own {
        text: usize,
        start: usize,
        end: usize,
        anew: bool,
    },
    /// The rest of a text up to this place leaves here.
    Flush { text: usize, end: usize, form: Form },
    /// The number of an event.
    Number(u64),
}

/// How the rest of a text leaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// In an event of its own.
    Event,
    /// As a member of an object; whether others follow in it.
    Member(bool),
}

#[derive(Debug)]
struct Cue {
    at: Range<usize>,
    act: Act,
}

/// Frames and what becomes of their parts.
#[derive(Debug, Default)]
pub(super) struct Script {
    raw: Vec<u8>,
    cues: Vec<Cue>,
    cursors: Vec<Option<usize>>,
    spoken: String,
}

thread_local! {
    static SCRIPT: RefCell<Script> = RefCell::default();
}

impl Script {
    /// Uses the thread's script.
    pub(super) fn with<R>(then: impl FnOnce(&mut Self) -> R) -> R {
        SCRIPT.with_borrow_mut(|script| {
            script.raw.clear();
            script.cues.clear();
            then(script)
        })
    }

    /// A frame; where it begins.
    pub(super) fn frame(&mut self, bytes: &[u8]) -> usize {
        let start = self.raw.len();
        self.raw.extend_from_slice(bytes);
        start
    }

    /// A frame that goes no further.
    pub(super) fn forget(&mut self, start: usize) {
        self.raw.truncate(start);
        self.cues.retain(|cue| cue.at.end <= start);
    }

    /// What becomes of a part.
    pub(super) fn cue(&mut self, at: Range<usize>, act: Act) {
        self.cues.push(Cue { at, act });
    }

    /// The rest of a text leaves behind all frames so far.
    pub(super) fn flush(&mut self, text: usize, end: usize, form: Form) {
        let at = self.raw.len();
        self.cue(at..at, Act::Flush { text, end, form });
    }

    /// Writes all frames, and forgets them.
    pub(super) fn play(&mut self, talk: &mut Talk, shape: Shape, out: &mut Vec<u8>) {
        // Cues of one place stay in their order.
        self.cues.sort_by_key(|cue| cue.at.start);
        self.cursors.clear();
        let mut done = 0;
        let mut cues = std::mem::take(&mut self.cues);
        for cue in cues.drain(..) {
            out.extend_from_slice(self.raw.get(done..cue.at.start).unwrap_or_default());
            done = cue.at.end.max(done);
            match cue.act {
                Act::Write(bytes) => out.extend_from_slice(&bytes),
                Act::Number(number) => {
                    talk.last_number = number;
                    if talk.shift == 0 {
                        out.extend_from_slice(self.raw.get(cue.at).unwrap_or_default());
                    } else {
                        let moved = number.saturating_add(talk.shift);
                        out.extend_from_slice(moved.to_string().as_bytes());
                    }
                }
                Act::Own {
                    text,
                    start,
                    end,
                    anew,
                } => match talk.texts.get(text) {
                    Some(text_now) if self.own(text, text_now, (start, end), anew) => {
                        write::escape(&self.spoken, out);
                    }
                    Some(_) | None => {
                        out.extend_from_slice(self.raw.get(cue.at).unwrap_or_default());
                    }
                },
                Act::Flush { text, end, form } => self.rest(talk, shape, (text, end), form, out),
            }
        }
        out.extend_from_slice(self.raw.get(done..).unwrap_or_default());
        // What one large push took is not kept for the next small ones.
        if cues.capacity() <= 1 << 12 {
            self.cues = cues;
        }
        self.raw.clear();
        if self.raw.capacity() > 1 << 18 {
            self.raw = Vec::new();
        }
        talk.texts.written();
    }

    /// What stands in the place of the one piece of an event; none: what stood there. It has been
    /// written when [`super::texts::Texts::written`] is called.
    pub(super) fn alone(
        &mut self,
        place: usize,
        text: &Text,
        at: (usize, usize),
        anew: bool,
    ) -> Option<&str> {
        self.cursors.clear();
        self.own(place, text, at, anew)
            .then_some(self.spoken.as_str())
    }

    /// Whether a piece must be written anew, and with what.
    fn own(&mut self, place: usize, text: &Text, (start, end): (usize, usize), anew: bool) -> bool {
        let cursor = self.cursor(place, text);
        if !anew && cursor == start && is_plain(text, start, end) {
            self.moved(place, end);
            return false;
        }
        let to = leaves_to(text, end).max(cursor);
        self.moved(place, to);
        self.spoken.clear();
        write_text(text, cursor, to, &mut self.spoken);
        true
    }

    fn rest(
        &mut self,
        talk: &mut Talk,
        shape: Shape,
        (place, end): (usize, usize),
        form: Form,
        out: &mut Vec<u8>,
    ) {
        let Some(text) = talk.texts.get(place) else {
            return;
        };
        let cursor = self.cursor(place, text);
        let to = leaves_to(text, end).max(cursor);
        self.moved(place, to);
        self.spoken.clear();
        write_text(text, cursor, to, &mut self.spoken);
        if self.spoken.is_empty() {
            return;
        }
        match form {
            Form::Event => {
                let number = talk.next_number();
                write::event(shape, &talk.envelope, text, (&self.spoken, number), out);
                talk.shift = talk.shift.saturating_add(1);
            }
            Form::Member(more) => write::member(text, &self.spoken, more, out),
        }
    }

    /// Up to where a text was written.
    fn cursor(&self, place: usize, text: &Text) -> usize {
        let known = self.cursors.get(place).copied().flatten();
        known.unwrap_or_else(|| match &text.voice {
            Voice::Live(speech) => speech.release().start,
            Voice::Whole(_) => 0,
        })
    }

    fn moved(&mut self, place: usize, to: usize) {
        if self.cursors.len() <= place {
            self.cursors.resize(place.saturating_add(1), None);
        }
        if let Some(cursor) = self.cursors.get_mut(place) {
            *cursor = Some(to);
        }
    }
}

/// Up to where a text may leave, and no further than `end`.
fn leaves_to(text: &Text, end: usize) -> usize {
    match &text.voice {
        Voice::Live(speech) => end.min(speech.release().end),
        Voice::Whole(whole) if whole.done => end,
        Voice::Whole(_) => 0,
    }
}

fn is_plain(text: &Text, start: usize, end: usize) -> bool {
    match &text.voice {
        Voice::Live(speech) => speech.release().is_plain(start, end),
        Voice::Whole(whole) => whole.done && whole.clean.is_none(),
    }
}

fn write_text(text: &Text, from: usize, to: usize, out: &mut String) {
    if from >= to {
        return;
    }
    match &text.voice {
        Voice::Live(speech) => speech.release().write(from, to, out),
        Voice::Whole(whole) => match &whole.clean {
            Some(clean) if from == 0 => out.push_str(clean),
            Some(_) => {}
            None => out.push_str(whole.text.get(from..to).unwrap_or_default()),
        },
    }
}

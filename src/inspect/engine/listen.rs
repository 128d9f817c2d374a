//! A message as far as it was heard: cleans it, counts it, fills blocks and has them judged.
//!
//! Decides what of a text reaches the detectors, which is what goes on: characters that the
//! sanitizer takes out are gone before. Never looks further than one character back.
//! After a refusal it hears nothing more.

use std::ops::Range;

use super::Inspector;
use super::judge::{Judge, cleaned};
use super::work::{self, Progress};
use crate::inspect::block::Block;
use crate::inspect::channel::Channel;
use crate::inspect::finding::{Edit, Refusal, Report};
use crate::inspect::json::Decoded;
use crate::inspect::sanitize::{self, Flaw};
use crate::policy::inspection::Uninspectable;

/// Places of unseen characters inside words that are remembered of one block.
const ODD: usize = 16;

/// Data of so many bytes parts texts: what stands before it is judged, so that a long file does
/// not keep it waiting.
const GAP: u64 = 64 * 1024;

/// A message as far as it was heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    block: Block,
    progress: Progress,
    judge: Judge,
    string: Current,
    odd: Vec<u64>,
    chars: u64,
    uninspected: u64,
    /// How many of them since the last text.
    gap: u64,
    /// Bytes of text that the detectors saw.
    scanned: u64,
}

/// The string being heard.
#[derive(Debug, Default)]
struct Current {
    unit: u32,
    channel: Option<Channel>,
    escapable: bool,
    /// The last character kept.
    before: Option<char>,
    /// An unseen character was taken out behind a letter or digit.
    split: bool,
    /// The sanitizer's rows that were reported.
    seen: u8,
}

impl Heard {
    /// Why the message is refused, if it is.
    pub(super) const fn refusal(&self) -> Option<Refusal> {
        self.judge.refusal()
    }

    /// The text is over: judges the rest.
    pub(super) fn end(&mut self, inspector: &Inspector) {
        if self.refusal().is_none() {
            self.decide(inspector, true);
        }
        self.judge.end(inspector);
    }

    /// From where on in the body a text begins of which something is still to be decided.
    pub(super) fn waiting(&self) -> Option<u64> {
        self.block.source(self.progress.settled)
    }

    /// The places to be rewritten since this was asked last.
    pub(super) fn take_edits(&mut self) -> Vec<Edit> {
        self.judge.take_edits()
    }

    /// The text ends without being judged to its end.
    pub(super) fn close(&mut self, inspector: &Inspector) {
        self.judge.end(inspector);
    }

    /// What was done and found in a body of this length, and the edits.
    pub(super) fn into_parts(self, inspector: &Inspector, body: u64) -> (Report, Vec<Edit>) {
        let score = self.judge.score();
        let (findings, further, edits) = self.judge.into_parts();
        let report = Report {
            findings,
            further,
            body_bytes: body,
            text_bytes: self.scanned,
            uninspected_bytes: self.uninspected,
            ran: inspector.ran,
            score,
        };
        (report, edits)
    }

    /// Bytes that it takes in memory.
    pub(super) fn state_bytes(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.block.state_bytes())
            .saturating_add(self.judge.state_bytes())
            .saturating_add(self.odd.capacity().saturating_mul(size_of::<u64>()))
    }

    /// A string begins.
    pub(super) fn begin(&mut self, unit: u32, channel: Channel, escapable: bool) {
        self.block.begin(unit, channel);
        self.string = Current {
            unit,
            channel: Some(channel),
            escapable,
            ..Current::default()
        };
    }

    /// The role of the message `unit` was said behind its text.
    pub(super) fn role(&mut self, unit: u32, channel: Channel) {
        self.block.role(unit, channel);
        self.judge.role(unit, channel);
    }

    /// So many bytes are data, which no detector sees.
    pub(super) fn opaque(&mut self, inspector: &Inspector, bytes: u64) {
        self.uninspected = self.uninspected.saturating_add(bytes);
        self.gap = self.gap.saturating_add(bytes);
        if self.gap >= GAP && self.waiting().is_some() {
            self.scan(inspector, true);
        }
        match inspector.uninspectable {
            Uninspectable::Flag => {}
            Uninspectable::Block => self.judge.refuse(Refusal::Uninspectable),
        }
    }

    /// Has the block judged and begins the next; `last` if what comes is parted from its text.
    fn scan(&mut self, inspector: &Inspector, last: bool) {
        self.decide(inspector, last);
        self.block.advance();
    }

    /// Has the block judged.
    fn decide(&mut self, inspector: &Inspector, last: bool) {
        let (block, judge) = (&self.block, &mut self.judge);
        work::judge(
            inspector,
            block,
            (last, &self.odd),
            &mut self.progress,
            |found| {
                judge.block(inspector, block, found);
            },
        );
        self.odd.clear();
        self.scanned = self.block.total();
    }

    /// Appends characters that stay.
    pub(super) fn text(&mut self, inspector: &Inspector, text: Decoded<'_>) {
        if text.escapes() == 0 && self.block.has_room(text.text().len()) {
            return self.put(inspector, text.raw(), text.text());
        }
        self.kept(text.text());
        let mut rest = text;
        loop {
            let taken = self.block.take(&rest);
            if taken == rest.text().len() {
                return self.count(inspector, rest.text());
            }
            let (part, after) = rest.split_at(taken);
            self.count(inspector, part.text());
            if self.refusal().is_some() {
                return;
            }
            self.scan(inspector, false);
            if self.refusal().is_some() {
                return;
            }
            rest = after;
        }
    }

    /// Appends characters that stay and stand in the body as they are.
    pub(super) fn plain(&mut self, inspector: &Inspector, at: u64, run: &str) {
        // Most strings are short and fit.
        if self.block.has_room(run.len()) {
            return self.put(inspector, at, run);
        }
        self.text(inspector, Decoded::plain(at, run));
    }

    /// Appends such characters, for which the block has room.
    #[inline]
    fn put(&mut self, inspector: &Inspector, at: u64, run: &str) {
        self.kept(run);
        self.block.put_plain(at, run);
        self.count(inspector, run);
    }

    /// Appends text that is one unit of the body.
    pub(super) fn whole(&mut self, inspector: &Inspector, (at, len): (u64, u16), text: &str) {
        self.kept(text);
        if !self.block.unit(at, len, text) {
            self.scan(inspector, false);
            if self.refusal().is_some() {
                return;
            }
            self.block.unit(at, len, text);
        }
        self.count(inspector, text);
    }

    /// More text of the message.
    #[inline]
    pub(super) fn count(&mut self, inspector: &Inspector, text: &str) {
        let more = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        self.more(inspector, u64::try_from(more).unwrap_or(u64::MAX));
    }

    /// So many characters more.
    #[inline]
    fn more(&mut self, inspector: &Inspector, chars: u64) {
        self.chars = self.chars.saturating_add(chars);
        if self.chars > inspector.max_text_chars {
            self.judge.refuse(Refusal::TextTooLong);
        }
    }

    /// Text is about to be appended: its last character, and whether its first one goes on with
    /// a word out of which something was taken.
    #[inline]
    fn kept(&mut self, text: &str) {
        if self.string.split {
            self.string.split = false;
            let goes_on = text.chars().next().is_some_and(char::is_alphanumeric);
            if goes_on && self.odd.len() < ODD {
                self.odd.push(self.block.total());
            }
        }
        self.string.before = match text.as_bytes().last() {
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            _ => text.chars().next_back().or(self.string.before),
        };
        self.gap = 0;
    }

    /// Hears a character that may have a flaw, and whether it is gone for it.
    pub(super) fn takes_out(
        &mut self,
        inspector: &Inspector,
        (ch, raw): (char, Range<u64>),
    ) -> bool {
        let flaw = self.flaw(inspector, ch);
        let ruled = flaw.and_then(|flaw| Some((flaw, inspector.flaw_rule(flaw)?)));
        let Some((flaw, rule)) = ruled else {
            return false;
        };
        let with = match flaw {
            Flaw::Html(entity) => entity,
            Flaw::Control | Flaw::Invisible | Flaw::Direction | Flaw::Tag | Flaw::Noncharacter => {
                ""
            }
        };
        let bit = 1_u8 << (flaw.row() & 7);
        if self.string.seen & bit == 0 {
            self.string.seen |= bit;
            let place = (
                self.string.unit,
                self.string.channel.unwrap_or(Channel::Field),
            );
            self.judge.keep(cleaned(raw.clone(), rule, place));
        }
        self.judge.edit(Edit {
            raw,
            with: with.into(),
        });
        if with.is_empty() {
            self.string.split |= self.string.before.is_some_and(char::is_alphanumeric);
        }
        with.is_empty()
    }

    /// What is wrong with a character here.
    fn flaw(&self, inspector: &Inspector, ch: char) -> Option<Flaw> {
        let html = self.html(inspector).then(|| sanitize::entity(ch)).flatten();
        html.map(Flaw::Html)
            .or_else(|| sanitize::flaw(ch, self.string.before))
    }

    pub(super) const fn html(&self, inspector: &Inspector) -> bool {
        inspector.html && self.string.escapable
    }
}

//! Takes the strings of a message in: cleans them, counts them, fills blocks and has them judged.
//!
//! Decides what of a text reaches the detectors, which is what goes on: characters that the
//! sanitizer takes out are gone before. Never looks further than one character back.
//! After a refusal it hears nothing more.

use super::Inspector;
use super::judge::{Judge, cleaned};
use super::work::{self, Progress};
use crate::inspect::block::Block;
use crate::inspect::channel::Channel;
use crate::inspect::finding::{Edit, Refusal, Report};
use crate::inspect::json::Decoded;
use crate::inspect::sanitize::{self, Flaw, Suspects};
use crate::inspect::text::Listener;
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
            self.scan(inspector, true);
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

    fn scan(&mut self, inspector: &Inspector, last: bool) {
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
        self.block.advance();
    }

    /// Appends characters that stay.
    fn text(&mut self, inspector: &Inspector, text: Decoded<'_>) {
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
    fn plain(&mut self, inspector: &Inspector, at: u64, run: &str) {
        // Most strings are short and fit.
        if self.block.has_room(run.len()) {
            self.kept(run);
            self.block.take_plain(at, run);
            return self.count(inspector, run);
        }
        self.text(inspector, Decoded::plain(at, run));
    }

    /// Appends text that is one unit of the body.
    fn whole(&mut self, inspector: &Inspector, (at, len): (u64, u16), text: &str) {
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
    fn count(&mut self, inspector: &Inspector, text: &str) {
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

    /// A character with a flaw.
    fn flawed(&mut self, inspector: &Inspector, (flaw, raw): (Flaw, std::ops::Range<u64>)) -> bool {
        let Some(rule) = inspector.flaw_rule(flaw) else {
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

    const fn html(&self, inspector: &Inspector) -> bool {
        inspector.html && self.string.escapable
    }
}

/// A message with what it is inspected by.
pub(super) struct Ear<'a> {
    /// What it is inspected by.
    pub(super) inspector: &'a Inspector,
    /// The message.
    pub(super) heard: &'a mut Heard,
}

impl Ear<'_> {
    fn deaf(&self) -> bool {
        self.heard.refusal().is_some()
    }
}

impl Listener for Ear<'_> {
    fn begin(&mut self, unit: u32, channel: Channel, escapable: bool) {
        if self.deaf() || self.inspector.idle {
            return;
        }
        self.heard.block.begin(unit, channel);
        let channel = Some(channel);
        self.heard.string = Current {
            unit,
            channel,
            escapable,
            ..Current::default()
        };
    }

    fn run(&mut self, at: u64, run: &str) {
        let inspector = self.inspector;
        let short = !run.is_empty() && run.len() < sanitize::SHORT;
        let asked = inspector.html || inspector.idle || self.deaf();
        if short && !asked && sanitize::is_plain(run.as_bytes()) {
            return self.heard.plain(inspector, at, run);
        }
        self.decoded(Decoded::plain(at, run));
    }

    fn decoded(&mut self, decoded: Decoded<'_>) {
        if self.deaf() {
            return;
        }
        if self.inspector.idle {
            return self.heard.count(self.inspector, decoded.text());
        }
        let html = self.heard.html(self.inspector);
        let (mut rest, mut done) = (decoded, 0_usize);
        let mut suspects = Suspects::new(decoded.text(), html);
        // No text must change nothing: a cut inside a character brings an empty run.
        while !rest.text().is_empty() && !self.deaf() {
            let suspect = if self.inspector.cleans {
                suspects.next()
            } else {
                None
            };
            let Some(suspect) = suspect else {
                return self.heard.text(self.inspector, rest);
            };
            let clean = suspect.saturating_sub(done);
            let (part, odd) = rest.split_at(clean);
            if !part.text().is_empty() {
                self.heard.text(self.inspector, part);
            }
            let Some(ch) = odd.text().chars().next().filter(|_| !self.deaf()) else {
                return;
            };
            let (one, after) = odd.split_at(ch.len_utf8());
            done = suspect.saturating_add(ch.len_utf8());
            let flaw = self.heard.flaw(self.inspector, ch);
            let raw = one.raw()..one.raw_end();
            let gone = flaw.is_some_and(|flaw| self.heard.flawed(self.inspector, (flaw, raw)));
            if !gone && !self.deaf() {
                self.heard.text(self.inspector, one);
            }
            rest = after;
        }
    }

    fn unit(&mut self, at: u64, len: u16, text: &str) {
        if self.deaf() {
            return;
        }
        if self.inspector.idle {
            return self.heard.count(self.inspector, text);
        }
        // A unit of several characters is a key, which is never cleaned.
        let mut chars = text.chars();
        if let (Some(ch), None) = (chars.next(), chars.next())
            && let Some(flaw) = self.heard.flaw(self.inspector, ch)
        {
            let raw = at..at.saturating_add(u64::from(len));
            if self.heard.flawed(self.inspector, (flaw, raw)) {
                return;
            }
        }
        self.heard.whole(self.inspector, (at, len), text);
    }

    fn role(&mut self, unit: u32, channel: Channel) {
        if !self.deaf() {
            self.heard.block.role(unit, channel);
            self.heard.judge.role(unit, channel);
        }
    }

    fn opaque(&mut self, bytes: u64) {
        if self.deaf() {
            return;
        }
        self.heard.uninspected = self.heard.uninspected.saturating_add(bytes);
        self.heard.gap = self.heard.gap.saturating_add(bytes);
        if self.heard.gap >= GAP && self.heard.waiting().is_some() {
            self.heard.scan(self.inspector, true);
        }
        match self.inspector.uninspectable {
            Uninspectable::Flag => {}
            Uninspectable::Block => self.heard.judge.refuse(Refusal::Uninspectable),
        }
    }
}

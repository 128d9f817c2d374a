//! One text of an answer, judged while it is being spoken.
//!
//! Decides, after every piece, how much of the text may leave: all but the end that could still
//! become a match, and never is more held than the policy allows. What may leave is a function of
//! the text and of where the answer's own pieces end; where the network cut them changes nothing.
//! Rules for phrases are judged in blocks of [`BLOCK`] bytes and at the end, as they hold nothing
//! back; where a family of theirs is refused, they are judged after every piece too.
//! Never keeps more than it may hold, some 3 KiB of what stood before, and the piece itself.
//! May miss: what `Personal`, `Secrets` and the rules miss; a value that only shows once another
//! beside it is a label; text in another writing (base64, spelled out) than its own.

mod notes;
mod phrases;
mod release;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::time::Duration;

use super::Inspector;
use super::work::Literal;
use crate::inspect::channel::Channel;
use crate::inspect::detect::window::{Edges, Open, Rest};
use crate::inspect::detect::{Family, Hit, Index};
use crate::inspect::finding::Refusal;
use crate::inspect::normal::Canon;
use crate::policy::inspection::Action;

pub use notes::Notes;
pub use release::Release;

/// Bytes of text between two looks of the rules.
const BLOCK: usize = 2048;
/// Bytes at a block's end in which a phrase may still go on.
const TAIL: usize = 512;
/// Bytes before a block that the rules see again.
const BEFORE: usize = 1024;
/// Bytes before an undecided place that the exact detectors read.
const CONTEXT: usize = 160;
/// The longest stretch of text that is judged at a time.
const STEP: usize = 256;

/// Bytes by which the room for a text grows.
const ROOM: usize = 512;
/// Bytes that are kept of a text of which all that may leave does.
const LIVE: usize = 6 * 1024;

/// How much of a text may be held, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// How long.
    pub time: Duration,
    /// How many bytes.
    pub bytes: usize,
    /// Characters after which a text is cut.
    pub chars: Option<u64>,
}

/// A text as far as it was spoken.
#[derive(Debug)]
pub struct Speech {
    channel: Channel,
    unit: u32,
    /// What is still needed of it, from the offset `base` on.
    text: String,
    base: usize,
    /// Everything before has left, or may.
    sent: usize,
    /// Where the part begins that was not yet taken by [`Speech::release`].
    taken: usize,
    masks: Vec<Mask>,
    personal: usize,
    secrets: usize,
    open: Option<Open>,
    ruled: usize,
    /// Up to here the text left because its time was up.
    expired: usize,
    /// Up to where values were found, of each exact family.
    found: [usize; 2],
    /// Whether a value of that family was found up to `expired`: what comes next of it has its
    /// label already.
    cut_off: [bool; 2],
    chars: u64,
    cut: bool,
    since: Option<Duration>,
}

/// A value and the label in its place.
#[derive(Clone, Debug)]
struct Mask {
    start: usize,
    end: usize,
    label: Box<str>,
}

#[derive(Default)]
struct Bench {
    canon: Canon,
    literal: Literal,
    index: Index,
    hits: Vec<Hit>,
}

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::default();
}

impl Speech {
    /// Before the first character.
    pub fn new(channel: Channel, unit: u32) -> Self {
        Self {
            channel,
            unit,
            text: String::new(),
            base: 0,
            sent: 0,
            taken: 0,
            masks: Vec::new(),
            personal: 0,
            secrets: 0,
            open: None,
            ruled: 0,
            expired: 0,
            found: [0; 2],
            cut_off: [false; 2],
            chars: 0,
            cut: false,
            since: None,
        }
    }

    /// Bytes spoken so far.
    pub const fn total(&self) -> usize {
        self.base.saturating_add(self.text.len())
    }

    /// Whether the text was cut at its longest.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Bytes that wait.
    pub const fn held(&self) -> usize {
        self.total().saturating_sub(self.sent)
    }

    /// Bytes that it takes in memory.
    pub fn state_bytes(&self) -> usize {
        let masks = self.masks.capacity().saturating_mul(size_of::<Mask>());
        size_of::<Self>()
            .saturating_add(self.text.capacity())
            .saturating_add(masks)
    }

    /// The next piece.
    ///
    /// # Errors
    /// What it says is refused. Nothing of the stretch in which it does so may leave.
    pub fn push(
        &mut self,
        inspector: &Inspector,
        notes: &mut Notes,
        (hold, now): (&Hold, Duration),
        piece: &str,
    ) -> Result<(), Refusal> {
        let before = self.sent;
        let step = STEP.min(hold.bytes / 2).max(16);
        let mut rest = self.within(hold, piece);
        while !rest.is_empty() {
            let room = step.saturating_sub(self.total().checked_rem(step).unwrap_or(0));
            // Bounds lie at multiples of the step, or at the end of the character over them.
            let (part, after) = rest
                .split_at_checked(rest.ceil_char_boundary(room.min(rest.len())))
                .unwrap_or((rest, ""));
            let at_bound = part.len() >= room;
            if self.text.len() < LIVE {
                // Twice the room each time would be more than a text that leaves ever needs.
                let room = self.text.capacity().saturating_sub(self.text.len());
                if room < part.len() {
                    self.text.reserve_exact(part.len().max(ROOM));
                }
            }
            self.text.push_str(part);
            notes.heard(part.len());
            rest = after;
            if at_bound && self.total().saturating_sub(self.ruled) >= BLOCK.saturating_add(TAIL) {
                self.rules(inspector, notes, false)?;
            }
            if at_bound || rest.is_empty() {
                self.judge(inspector, notes, false)?;
            }
            if at_bound && self.held().saturating_add(step) > hold.bytes {
                self.expire(inspector, notes)?;
            }
        }
        if self.held() == 0 {
            self.since = None;
        } else if self.since.is_none() || self.sent > before {
            self.since = Some(now);
        }
        Ok(())
    }

    /// The text is over: all of it is judged.
    ///
    /// # Errors
    /// What it says is refused.
    pub fn finish(&mut self, inspector: &Inspector, notes: &mut Notes) -> Result<(), Refusal> {
        self.rules(inspector, notes, true)?;
        self.judge(inspector, notes, true)?;
        self.since = None;
        Ok(())
    }

    /// When what is held may be held no longer. A plain word is hardly ever the start of a match,
    /// so it waits a tenth of the time.
    pub fn due(&self, hold: &Hold) -> Option<Duration> {
        let since = self.since?;
        let plain = self
            .tail(self.sent)
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'\'' | b'.' | b'-'));
        let wait = if plain {
            hold.time.checked_div(10).unwrap_or_default()
        } else {
            hold.time
        };
        Some(since.saturating_add(wait))
    }

    /// Lets go of what is held: what is a match as it stands is treated as one, the rest leaves.
    ///
    /// # Errors
    /// What it says is refused.
    pub fn expire(&mut self, inspector: &Inspector, notes: &mut Notes) -> Result<(), Refusal> {
        let (personal, secrets, open) = (self.personal, self.secrets, self.open);
        self.judge(inspector, notes, true)?;
        // What comes next may still show that this was the start of something.
        (self.personal, self.secrets, self.open) = (personal, secrets, open);
        self.expired = self.total();
        self.cut_off = self.found.map(|end| end >= self.expired);
        self.since = None;
        Ok(())
    }

    /// What of a piece still fits the longest text.
    fn within<'t>(&mut self, hold: &Hold, piece: &'t str) -> &'t str {
        let Some(most) = hold.chars else {
            return piece;
        };
        let left = usize::try_from(most.saturating_sub(self.chars)).unwrap_or(usize::MAX);
        if piece.len() > left
            && let Some((end, _)) = piece.char_indices().nth(left)
        {
            self.cut = true;
            self.chars = most;
            return piece.get(..end).unwrap_or_default();
        }
        let more = piece.chars().count();
        self.chars = self
            .chars
            .saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        piece
    }

    fn tail(&self, from: usize) -> &str {
        let at = self
            .text
            .floor_char_boundary(from.saturating_sub(self.base));
        self.text.get(at..).unwrap_or_default()
    }

    /// The exact detectors, and how far the text may leave.
    fn judge(
        &mut self,
        inspector: &Inspector,
        notes: &mut Notes,
        last: bool,
    ) -> Result<(), Refusal> {
        BENCH.with_borrow_mut(|bench| {
            let total = self.total();
            let canary = self.canaries(inspector, notes, bench, last)?;
            bench.hits.clear();
            let mut personal = total;
            if let Some(detector) = &inspector.personal {
                let (from, text, edges) = self.view(self.personal, None, last);
                let rest =
                    detector.find(bench.index.read(text, edges.from), edges, &mut bench.hits);
                personal = self.place(from, rest);
                self.take(inspector, notes, (from, false), &bench.hits)?;
            }
            let mut secrets = total;
            if let Some(detector) = &inspector.secrets {
                bench.hits.clear();
                let (from, text, edges) = self.view(self.secrets, self.open, last);
                let rest =
                    detector.find(bench.index.read(text, edges.from), edges, &mut bench.hits);
                secrets = self.place(from, rest);
                let first = bench.hits.first().filter(|hit| hit.start == edges.from);
                let goes_on =
                    first.is_some_and(|hit| edges.open.is_some_and(|open| open.rule == hit.rule));
                self.take(inspector, notes, (from, goes_on), &bench.hits)?;
                self.open = rest.open;
            }
            (self.personal, self.secrets) = (personal, secrets);
            if inspector.refuses_phrases() && !last {
                self.phrases(inspector, notes, bench)?;
            }
            let mut decided = canary.min(personal).min(secrets);
            let inside = |at: usize| {
                let mut over = self.masks.iter();
                over.find(|mask| mask.start < at && at < mask.end)
            };
            while let Some(mask) = inside(decided) {
                decided = mask.start;
            }
            self.sent = self.sent.max(decided);
            Ok(())
        })
    }

    /// The text from a little before `from`, and where in it the undecided part begins.
    fn view(&self, from: usize, open: Option<Open>, last: bool) -> (usize, &str, Edges) {
        let start = from.saturating_sub(self.base).saturating_sub(CONTEXT);
        let start = self.text.floor_char_boundary(start);
        let text = self.text.get(start..).unwrap_or_default();
        let start = start.saturating_add(self.base);
        let edges = Edges {
            from: u32::try_from(from.saturating_sub(start)).unwrap_or(u32::MAX),
            ends_string: last,
            open,
        };
        (start, text, edges)
    }

    fn place(&self, from: usize, rest: Rest) -> usize {
        let ahead = usize::try_from(rest.from).unwrap_or(usize::MAX);
        from.saturating_add(ahead).min(self.total())
    }

    /// Takes the hits of an exact detector over.
    fn take(
        &mut self,
        inspector: &Inspector,
        notes: &mut Notes,
        (from, goes_on): (usize, bool),
        hits: &[Hit],
    ) -> Result<(), Refusal> {
        let mut goes_on = goes_on;
        for hit in hits {
            let exact = usize::from(hit.family == Family::Secrets);
            let (start, end) = (place(from, hit.start), place(from, hit.end));
            if end <= self.expired {
                goes_on = false;
                continue;
            }
            let had = self.cut_off.get(exact).copied().unwrap_or(false);
            let continued = std::mem::take(&mut goes_on) || (had && start < self.expired);
            if let Some(found) = self.found.get_mut(exact) {
                *found = (*found).max(end);
            }
            let action = inspector.action(hit.family);
            if !continued {
                notes.find(hit, (start, end), (self.unit, self.channel), action);
            }
            match action {
                Action::Off | Action::Flag => {}
                Action::Mask => {
                    let value = self.slice(start, end);
                    let label = if continued {
                        Box::default()
                    } else {
                        notes.label(inspector, hit.rule, value)
                    };
                    let start = start.max(self.expired);
                    self.masks.push(Mask { start, end, label });
                }
                Action::Block => return Err(Refusal::Family(hit.family)),
            }
        }
        Ok(())
    }

    fn slice(&self, start: usize, end: usize) -> &str {
        let range = start.saturating_sub(self.base)..end.saturating_sub(self.base);
        self.text.get(range).unwrap_or_default()
    }
}

fn place(from: usize, offset: u32) -> usize {
    from.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX))
}

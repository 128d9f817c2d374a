//! The inspection of plain text, through the same blocks as a body's strings.
//!
//! Decides the verdict that `portcullis scan` prints. Bytes that are not UTF-8 are read as the
//! replacement character, one for each broken sequence.

use super::Inspector;
use super::ear::Ear;
use super::listen::Heard;
use crate::inspect::channel::Channel;
use crate::inspect::detect::Family;
use crate::inspect::finding::Edit;
use crate::inspect::finding::{Finding, Refusal, Report, Stop};
use crate::inspect::rewrite;
use crate::inspect::text::Listener;
use crate::policy::inspection::Action;

/// A text as far as it was read.
#[derive(Debug)]
pub struct Plain {
    heard: Heard,
    channel: Channel,
    /// Bytes that begin a character whose rest is still to come.
    tail: Vec<u8>,
    at: u64,
    begun: bool,
}

impl Plain {
    /// Before the first byte.
    pub fn new(channel: Channel) -> Self {
        Self {
            heard: Heard::default(),
            channel,
            tail: Vec::new(),
            at: 0,
            begun: false,
        }
    }

    /// The next bytes.
    pub fn push(&mut self, inspector: &Inspector, bytes: &[u8]) -> Result<(), Stop> {
        if !self.begun {
            self.begun = true;
            let mut ear = Ear {
                inspector,
                heard: &mut self.heard,
            };
            ear.begin(1, self.channel, self.channel.is_prose());
        }
        let mut rest = bytes;
        // At most three bytes are held: what comes completes or breaks them.
        while !self.tail.is_empty() {
            let Some((&byte, after)) = rest.split_first() else {
                return self.outcome();
            };
            self.tail.push(byte);
            let tail = std::mem::take(&mut self.tail);
            match std::str::from_utf8(&tail) {
                Ok(_) => {
                    self.read(inspector, &tail);
                    rest = after;
                }
                Err(error) if error.error_len().is_none() => {
                    self.tail = tail;
                    rest = after;
                }
                // The byte belongs to what follows.
                Err(_) => {
                    let broken = tail.get(..tail.len().saturating_sub(1)).unwrap_or_default();
                    self.broken(inspector, broken.len());
                }
            }
        }
        self.read(inspector, rest);
        self.outcome()
    }

    /// The text is over.
    pub fn finish(mut self, inspector: &Inspector) -> (Result<(), Stop>, Report, Vec<Edit>) {
        if !self.tail.is_empty() {
            let held = self.tail.len();
            self.broken(inspector, held);
        }
        self.heard.end(inspector);
        let outcome = self.outcome();
        let (report, mut edits) = self.heard.into_parts(inspector, self.at);
        rewrite::settle(&mut edits);
        (outcome, report, edits)
    }

    /// Bytes that it takes in memory, without the edits so far.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>().saturating_add(self.heard.state_bytes())
    }

    fn outcome(&self) -> Result<(), Stop> {
        self.heard
            .refusal()
            .map_or(Ok(()), |refusal| Err(Stop::Refused(refusal)))
    }

    fn read(&mut self, inspector: &Inspector, bytes: &[u8]) {
        // Nearly always it is text up to its end.
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            Ear {
                inspector,
                heard: &mut self.heard,
            }
            .run(self.at, text);
            return self.moved(text.len());
        }
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            let valid = chunk.valid();
            Ear {
                inspector,
                heard: &mut self.heard,
            }
            .run(self.at, valid);
            self.moved(valid.len());
            let invalid = chunk.invalid();
            let cut = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if cut {
                self.tail = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.broken(inspector, invalid.len());
            }
        }
    }

    fn broken(&mut self, inspector: &Inspector, len: usize) {
        self.tail.clear();
        let wide = u16::try_from(len).unwrap_or(u16::MAX);
        Ear {
            inspector,
            heard: &mut self.heard,
        }
        .unit(self.at, wide, "\u{fffd}");
        self.moved(len);
    }

    fn moved(&mut self, len: usize) {
        self.at = self
            .at
            .saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
    }
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// Off: it passes untouched and unnoticed.
    pub verdict: Action,
    /// Why it is refused, if it is.
    pub refusal: Option<Refusal>,
    /// The injection score, 0 to 1.
    pub score: f64,
    /// The findings in order of place.
    pub findings: Vec<ScannedFinding>,
    /// Findings beyond those.
    pub further: u32,
    /// The text as it would go on; nothing of a refused one.
    pub output: Option<String>,
}

/// A finding with its place in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedFinding {
    /// The rule's family.
    pub family: Family,
    /// The rule's id.
    pub rule: Box<str>,
    /// What it found.
    pub kind: Box<str>,
    /// The first character's place.
    pub start: usize,
    /// The place behind the last one.
    pub end: usize,
}

impl Scanned {
    /// The verdict as users see it.
    pub const fn verdict(&self) -> &'static str {
        match self.verdict {
            Action::Off => "pass",
            Action::Flag => "flag",
            Action::Mask => "mask",
            Action::Block => "block",
        }
    }
}

impl Inspector {
    /// Inspects a text that comes in `pieces`, which may cut it anywhere.
    pub fn scan_text<'t>(
        &self,
        pieces: impl IntoIterator<Item = &'t [u8]>,
        channel: Channel,
    ) -> Scanned {
        let mut plain = Plain::new(channel);
        let mut body = Vec::new();
        for piece in pieces {
            body.extend_from_slice(piece);
            // What follows a refusal is kept for the offsets only.
            let _refused = plain.push(self, piece);
        }
        let (outcome, report, edits) = plain.finish(self);
        let refusal = match outcome {
            Ok(()) => None,
            Err(Stop::Refused(refusal)) => Some(refusal),
            Err(Stop::Json(_) | Stop::Form(_)) => Some(Refusal::Uninspectable),
        };
        let worst = report
            .findings
            .iter()
            .map(|finding| rank(finding.action))
            .max();
        let verdict = if refusal.is_some() {
            Action::Block
        } else if !edits.is_empty() {
            Action::Mask
        } else if worst.is_some() || report.further > 0 {
            Action::Flag
        } else {
            Action::Off
        };
        let output = refusal
            .is_none()
            .then(|| String::from_utf8_lossy(&rewrite::apply(&body, &edits)).into_owned());
        Scanned {
            verdict,
            refusal,
            score: report.score,
            findings: self.in_characters(&body, &report.findings),
            further: report.further,
            output,
        }
    }

    fn in_characters(&self, body: &[u8], findings: &[Finding]) -> Vec<ScannedFinding> {
        let mut places: Vec<u64> = findings
            .iter()
            .flat_map(|finding| [finding.raw.start, finding.raw.end])
            .collect();
        places.sort_unstable();
        places.dedup();
        let counted = count(body, &places);
        let place = |raw: u64| {
            let at = places
                .binary_search(&raw)
                .ok()
                .and_then(|at| counted.get(at));
            at.copied().unwrap_or(0)
        };
        let named = findings.iter().filter_map(|finding| {
            let rule = self.rule(finding.rule)?;
            Some(ScannedFinding {
                family: finding.family,
                rule: rule.id.clone(),
                kind: rule.kind.clone(),
                start: place(finding.raw.start),
                end: place(finding.raw.end),
            })
        });
        named.collect()
    }
}

const fn rank(action: Action) -> u8 {
    match action {
        Action::Off => 0,
        Action::Flag => 1,
        Action::Mask => 2,
        Action::Block => 3,
    }
}

/// How many characters stand before each of these places, which are in order.
fn count(body: &[u8], places: &[u64]) -> Vec<usize> {
    let mut counted = Vec::with_capacity(places.len());
    let (mut chars, mut done) = (0_usize, 0);
    for place in places {
        let end = usize::try_from(*place)
            .unwrap_or(usize::MAX)
            .min(body.len());
        let part = body.get(done..end).unwrap_or_default();
        chars = chars.saturating_add(String::from_utf8_lossy(part).chars().count());
        done = end;
        counted.push(chars);
    }
    counted
}

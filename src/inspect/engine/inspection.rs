//! The inspection of a JSON body.
//!
//! Decides nothing of its own: joins the reader, the walk and the judge, and says which of their
//! verdicts comes first. What is refused stays refused, whatever follows.

use super::Inspector;
use super::ear::Ear;
use super::listen::Heard;
use crate::inspect::finding::{Cleared, Refusal, Report, Settled, Stop};
use crate::inspect::json::{JsonError, Limits, Reader, Sink};
use crate::inspect::peek::Peek;
use crate::inspect::rewrite;
use crate::inspect::text::{Told, Walk};

/// Longer keys would not fit where the places of their characters are counted.
const KEY_BYTES: usize = 4096;

/// A body as far as it was read. Must be used with one inspector from its start to its end.
#[derive(Debug)]
pub struct Inspection {
    reader: Reader,
    peek: Peek,
    walk: Walk,
    heard: Heard,
    bytes: u64,
    failed: Option<JsonError>,
}

impl Inspection {
    /// Before the first byte. A text with U+0000 in it is refused: what is behind may read it only
    /// up to there.
    pub fn new(limits: Limits) -> Self {
        let key_bytes = limits.key_bytes.min(KEY_BYTES);
        Self {
            reader: Reader::new(Limits {
                key_bytes,
                nul: false,
                ..limits
            }),
            peek: Peek::default(),
            walk: Walk::new(),
            heard: Heard::default(),
            bytes: 0,
            failed: None,
        }
    }

    /// The next bytes; `also` hears the same events. After an error every further call answers
    /// the same error.
    pub fn push(
        &mut self,
        inspector: &Inspector,
        bytes: &[u8],
        also: &mut impl Sink,
    ) -> Result<(), Stop> {
        self.outcome()?;
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut ear = Ear {
            inspector,
            heard: &mut self.heard,
        };
        let told = Told {
            walk: &mut self.walk,
            listener: &mut ear,
        };
        let outcome = self.reader.push(bytes, &mut (also, (&mut self.peek, told)));
        self.failed = outcome.err();
        self.outcome()
    }

    /// What may leave: see [`Settled`].
    pub fn settle(&mut self) -> Settled {
        let told = self.reader.told();
        let waiting = [self.walk.waiting(), self.heard.waiting()];
        Settled {
            upto: waiting.into_iter().flatten().fold(told, u64::min),
            edits: self.heard.take_edits(),
        }
    }

    /// The body is over. A refused one answers why; [`Inspection::push`] says the same.
    pub fn finish(
        mut self,
        inspector: &Inspector,
        also: &mut impl Sink,
    ) -> Result<Cleared, (Stop, Report)> {
        if self.outcome().is_ok() {
            let mut ear = Ear {
                inspector,
                heard: &mut self.heard,
            };
            let told = Told {
                walk: &mut self.walk,
                listener: &mut ear,
            };
            self.failed = self
                .reader
                .finish(&mut (also, (&mut self.peek, told)))
                .err();
            // A body that is not JSON is refused as such: what waits to be judged goes nowhere.
            if self.failed.is_none() {
                self.heard.end(inspector);
            }
        }
        if let Err(stop) = self.outcome() {
            return Err((stop, self.report(inspector)));
        }
        let facts = self.peek.facts();
        let (report, mut edits) = self.heard.into_parts(inspector, self.bytes);
        rewrite::settle(&mut edits);
        Ok(Cleared {
            report,
            edits,
            facts,
        })
    }

    /// What was done and found until the body was refused or given up.
    pub fn report(mut self, inspector: &Inspector) -> Report {
        self.heard.close(inspector);
        self.heard.into_parts(inspector, self.bytes).0
    }

    /// Bytes that it takes in memory, without the edits so far.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.reader.state_bytes())
            .saturating_add(self.walk.state_bytes())
            .saturating_add(self.heard.state_bytes())
    }

    /// A refusal stands before an error of the JSON after it.
    fn outcome(&self) -> Result<(), Stop> {
        let refusal: Option<Refusal> = self.heard.refusal();
        match (refusal, self.failed) {
            (Some(refusal), _) => Err(Stop::Refused(refusal)),
            (None, Some(error)) => Err(Stop::Json(error)),
            (None, None) => Ok(()),
        }
    }
}

//! The check of a chain, line by line.
//!
//! Decides whether lines follow each other as they were written, and are signed as they should be.
//! Whatever was edited, cut, moved, repeated or exchanged is found at the first line that tells;
//! what follows is not looked at. It can't find what somebody who has the private key made up.

use serde::Deserialize;
use thiserror::Error;

use super::key::PublicKey;
use super::line::Parts;
use super::mark::Mark;
use super::{Digest, Ending, Head};

/// What is wrong with a line, or with where the lines end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The line has no end.
    #[error("the line was cut off before its end")]
    Torn,
    /// It is not one of ours.
    #[error("this is not a line of an audit chain")]
    Shape,
    /// Its content does not have its hash.
    #[error("the line was altered: its content does not have the hash that it names")]
    Altered,
    /// Lines are missing before it.
    #[error("record {found} stands where record {expected} belongs: lines before it are missing")]
    Missing {
        /// The number that belongs here.
        expected: u64,
        /// The number that stands here.
        found: u64,
    },
    /// It was here before, or lines changed places.
    #[error(
        "record {found} stands where record {expected} belongs: it is repeated or out of place"
    )]
    Repeated {
        /// The number that belongs here.
        expected: u64,
        /// The number that stands here.
        found: u64,
    },
    /// It has the right number and follows another line.
    #[error("the line does not follow the one before it: one of the two was replaced")]
    Link,
    /// It should be signed and is not, or by somebody else.
    #[error("the checkpoint's signature is not by the chain's key")]
    Signature,
    /// The file does not begin as files of a chain do.
    #[error("the file does not begin with a `segment` line: its beginning is missing")]
    NoHead,
    /// A file's first line stands within a file.
    #[error("a `segment` line stands within a file: files were joined or lines moved")]
    StrayHead,
    /// The first line makes no sense.
    #[error("the `segment` line can't be read, or is of a later version")]
    Head,
    /// The file is of another chain.
    #[error("the file belongs to another chain")]
    OtherChain,
    /// The file names another key.
    #[error("the file names another public key than the one it is checked with")]
    OtherKey,
    /// A file number is missing, or files changed places.
    #[error(
        "this is segment {found}, and segment {expected} belongs here: files are missing or out of order"
    )]
    Segment {
        /// The number that belongs here.
        expected: u64,
        /// The number that stands here.
        found: u64,
    },
    /// Lines stand behind a seal.
    #[error("the file goes on after its seal")]
    AfterSeal,
    /// Lines stand behind the end.
    #[error("lines follow the signed end of a gateway that had ended: they were added")]
    AfterEnd,
    /// The end is missing.
    #[error(
        "the file ends without its closing checkpoint: it was cut, or copied from a running \
         gateway (then copy its .state file with it, or say --open)"
    )]
    Cut,
    /// A line that was signed is gone.
    #[error("records up to {0} were signed, and the file ends before: its end was cut off")]
    Short(u64),
    /// The signed line is another one.
    #[error("record {0} is not the one that was signed: lines were replaced")]
    Replaced(u64),
}

/// What the first line of each file says.
#[derive(Debug, Deserialize)]
struct Opening {
    version: u32,
    chain: Box<str>,
    segment: u64,
    key: String,
}

/// The version of the lines.
pub const VERSION: u32 = 1;

/// What has been seen of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The first line's number.
    pub first: u64,
    /// The last line.
    pub head: Head,
    /// The number of the last line that a signature is over.
    pub signed: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// The chain's id.
    pub chain: Box<str>,
    /// The last file's number.
    pub segment: u64,
    /// How the last line leaves the chain.
    pub ending: Ending,
}

/// Checks the lines of one chain in their order.
#[derive(Debug)]
pub struct Verifier {
    key: Option<PublicKey>,
    seen: Option<Seen>,
    /// Whether the next line is the first of a file.
    at_start: bool,
    /// A line to be looked for: what a mark says was signed.
    wanted: Option<Head>,
    met: bool,
}

impl Verifier {
    /// A check by this key; by the key that the chain names where none is given, which shows that
    /// the chain is one piece, and not whose it is.
    pub const fn new(key: Option<PublicKey>) -> Self {
        Self {
            key,
            seen: None,
            at_start: true,
            wanted: None,
            met: false,
        }
    }

    /// A check that goes on where a mark says that the chain ended.
    pub fn after(mark: &Mark, key: PublicKey) -> Self {
        let seen = Seen {
            first: mark.head.seq,
            head: mark.head,
            signed: mark.head.seq,
            checkpoints: 0,
            chain: mark.chain.clone(),
            segment: mark.segment,
            ending: mark.ending,
        };
        Self {
            key: Some(key),
            seen: Some(seen),
            at_start: mark.ending == Ending::Sealed,
            wanted: None,
            met: false,
        }
    }

    /// Has the line looked for that a mark names.
    pub const fn look_for(&mut self, mark: &Mark) {
        self.wanted = Some(mark.head);
    }

    /// What has been seen.
    pub const fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// The key that signatures are checked with.
    pub const fn key(&self) -> Option<PublicKey> {
        self.key
    }

    /// Says that the next line is the first of another file.
    pub const fn next_file(&mut self) {
        self.at_start = true;
    }

    /// Checks the next line, without its line break.
    ///
    /// # Errors
    /// It is not what belongs here.
    pub fn push(&mut self, line: &[u8]) -> Result<(), Problem> {
        let parts = Parts::of(line).ok_or(Problem::Shape)?;
        if !parts.is_whole() {
            return Err(Problem::Altered);
        }
        let is_opening = parts.event == "segment";
        match (self.at_start, is_opening) {
            (true, false) => return Err(Problem::NoHead),
            (false, true) => return Err(Problem::StrayHead),
            (true, true) => self.open(line, &parts)?,
            (false, false) => {}
        }
        self.follow(&parts)?;
        self.at_start = false;
        if parts.event == "checkpoint" {
            self.checkpoint(line, &parts)?;
        }
        if let Some(wanted) = self.wanted
            && wanted.seq == parts.seq
        {
            if wanted.hash != parts.hash {
                return Err(Problem::Replaced(wanted.seq));
            }
            self.met = true;
        }
        Ok(())
    }

    /// The first line of a file.
    fn open(&mut self, line: &[u8], parts: &Parts<'_>) -> Result<(), Problem> {
        let opening: Opening = serde_json::from_slice(line).map_err(|_fault| Problem::Head)?;
        let key = PublicKey::of_base64(&opening.key).ok_or(Problem::Head)?;
        if opening.version != VERSION {
            return Err(Problem::Head);
        }
        if *self.key.get_or_insert(key) != key {
            return Err(Problem::OtherKey);
        }
        let Some(seen) = &mut self.seen else {
            let before = parts.seq.checked_sub(1).ok_or(Problem::Shape)?;
            self.seen = Some(Seen {
                first: parts.seq,
                head: Head {
                    seq: before,
                    hash: parts.prev,
                },
                signed: before,
                checkpoints: 0,
                chain: opening.chain,
                segment: opening.segment,
                ending: Ending::Open,
            });
            let is_first = before == 0;
            return if is_first && parts.prev != Digest::NONE {
                Err(Problem::Link)
            } else {
                Ok(())
            };
        };
        if seen.chain != opening.chain {
            return Err(Problem::OtherChain);
        }
        let expected = seen.segment.saturating_add(1);
        if opening.segment != expected {
            return Err(Problem::Segment {
                expected,
                found: opening.segment,
            });
        }
        seen.segment = expected;
        seen.ending = Ending::Open;
        Ok(())
    }

    fn follow(&mut self, parts: &Parts<'_>) -> Result<(), Problem> {
        let seen = self.seen.as_mut().ok_or(Problem::NoHead)?;
        let expected = seen.head.seq.saturating_add(1);
        let found = parts.seq;
        if found > expected {
            return Err(Problem::Missing { expected, found });
        }
        if found < expected {
            return Err(Problem::Repeated { expected, found });
        }
        if parts.prev != seen.head.hash {
            return Err(Problem::Link);
        }
        if seen.ending == Ending::Sealed {
            return Err(Problem::AfterSeal);
        }
        seen.ending = Ending::Open;
        seen.head = Head {
            seq: found,
            hash: parts.hash,
        };
        Ok(())
    }

    fn checkpoint(&mut self, line: &[u8], parts: &Parts<'_>) -> Result<(), Problem> {
        #[derive(Deserialize)]
        struct Checkpoint {
            state: String,
        }
        let key = self.key.as_ref().ok_or(Problem::Signature)?;
        if !parts.is_signed_by(key) {
            return Err(Problem::Signature);
        }
        let checkpoint: Checkpoint =
            serde_json::from_slice(line).map_err(|_fault| Problem::Shape)?;
        let seen = self.seen.as_mut().ok_or(Problem::NoHead)?;
        seen.ending = Ending::of(&checkpoint.state).ok_or(Problem::Shape)?;
        seen.signed = parts.seq;
        seen.checkpoints = seen.checkpoints.saturating_add(1);
        Ok(())
    }

    /// Whether the chain may end here. `mark` is what is known of its end; `open` says that a
    /// chain without a mark was copied while it went on.
    ///
    /// # Errors
    /// Something was there and is gone, or something was added.
    pub fn finish(&self, mark: Option<&Mark>, open: bool) -> Result<(), Problem> {
        let Some(seen) = &self.seen else {
            return Err(Problem::NoHead);
        };
        match mark {
            Some(mark) if mark.chain != seen.chain => Err(Problem::OtherChain),
            // An older mark than the first line here says nothing about these.
            Some(mark) if mark.head.seq < seen.first => self.finish(None, open),
            Some(mark) if !self.met => Err(Problem::Short(mark.head.seq)),
            Some(mark) if mark.ending != Ending::Open && mark.head.seq != seen.head.seq => {
                Err(Problem::AfterEnd)
            }
            None if seen.ending == Ending::Open && !open => Err(Problem::Cut),
            Some(_) | None => Ok(()),
        }
    }
}

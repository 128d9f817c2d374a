//! What is said of one text, to people and to machines.
//!
//! Decides the form alone, which is the contract's: names stay, further ones may come.

use std::io::{self, Write};
use std::num::{NonZeroU32, NonZeroU64};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::inspect::detect::Family;
use crate::inspect::engine::ScannedFinding;

/// What became of one text.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// `pass`, `flag`, `mask` or `block`.
    pub verdict: &'static str,
    /// The injection score, 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub score: f64,
    /// What was found where.
    pub findings: Vec<Place>,
    /// The text as it would go on; nothing of a blocked one.
    pub output: Option<String>,
    /// The code of the refusal, of a blocked one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Findings beyond those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub further: Option<NonZeroU32>,
    /// Bytes of a body that no detector can read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uninspected_bytes: Option<NonZeroU64>,
}

/// An answer with the id that it is found by.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a Value,
    #[serde(flatten)]
    answer: &'a Answer,
}

/// One finding and its place, in characters.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    /// The rule's family.
    #[serde(serialize_with = "named")]
    pub family: Family,
    /// The rule's id.
    pub rule: Box<str>,
    /// What it finds.
    pub kind: Box<str>,
    /// The first character's place.
    pub start: usize,
    /// The place behind the last one.
    pub end: usize,
    /// The kind of text in which it stands, of a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<&'static str>,
}

impl From<ScannedFinding> for Place {
    fn from(found: ScannedFinding) -> Self {
        Self {
            family: found.family,
            rule: found.rule,
            kind: found.kind,
            start: found.start,
            end: found.end,
            channel: None,
        }
    }
}

impl Answer {
    /// How many findings there were.
    pub(super) fn found(&self) -> u64 {
        let kept = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        kept.saturating_add(self.further.map_or(0, |more| u64::from(more.get())))
    }

    /// One line for a machine.
    pub(super) fn write_json(&self, id: &Value, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, &Line { id, answer: self })?;
        writeln!(out)
    }

    /// A line of what it is, one for each finding, and the output if it is asked for and differs.
    pub(super) fn write(
        &self,
        id: &Value,
        with_output: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match id.as_str() {
            // A terminal must not be told what to do by a corpus.
            Some(text) => write!(out, "{}", text.escape_debug())?,
            None => write!(out, "{id}")?,
        }
        write!(out, ": {}", self.verdict)?;
        if let Some(code) = self.code {
            write!(out, " ({code})")?;
        }
        writeln!(out, ", score {:.2}", self.score)?;
        for place in &self.findings {
            let Place {
                family,
                rule,
                kind,
                start,
                end,
                channel,
            } = place;
            write!(out, "  {start}..{end} {} {rule} {kind}", family.as_str())?;
            match channel {
                Some(channel) => writeln!(out, " in {channel}")?,
                None => writeln!(out)?,
            }
        }
        if let Some(more) = self.further {
            writeln!(out, "  and {more} more")?;
        }
        if let Some(bytes) = self.uninspected_bytes {
            writeln!(out, "  {bytes} bytes can't be read")?;
        }
        match &self.output {
            Some(output) if with_output && self.verdict == "mask" => writeln!(out, "\n{output}"),
            Some(_) | None => Ok(()),
        }
    }
}

/// Four digits are more than the score means.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields by reference"
)]
fn rounded<S: Serializer>(score: &f64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((score * 10_000.0).round() / 10_000.0)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields by reference"
)]
fn named<S: Serializer>(family: &Family, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(family.as_str())
}

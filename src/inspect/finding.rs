//! What an inspection answers: findings, edits, refusals, and the proof that a body may go on.
//!
//! Decides nothing. Never holds a piece of the text: findings name rules and places.

use std::ops::Range;

use super::channel::Channel;
use super::detect::{Family, RuleIx};
use super::fault::FieldFault;
use super::form::FormError;
use super::json::JsonError;
use super::peek::Facts;
use crate::policy::inspection::Action;

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands in the body or text, in bytes as they were sent.
    pub raw: Range<u64>,
    /// The rule's family.
    pub family: Family,
    /// The rule that found it; `Inspector::rule` knows its id and kind.
    pub rule: RuleIx,
    /// The channel of its first character.
    pub channel: Channel,
    /// The message or field in which it starts, counted from 1.
    pub unit: u32,
    /// What became of it.
    pub action: Action,
}

/// One place of a body or text that is to be written differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub raw: Range<u64>,
    /// What takes their place; nothing in it needs an escape in JSON.
    pub with: Box<str>,
}

/// Why a message is refused for what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A family whose finds are refused found something.
    Family(Family),
    /// There is more text than the policy allows, or more to be rewritten than can be kept.
    TextTooLong,
    /// It holds what can't be read, and the policy wants all read.
    Uninspectable,
}

/// Why an inspection ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// What it says is refused.
    Refused(Refusal),
    /// The body is not the JSON it must be.
    Json(JsonError),
    /// The body is not the form that it must be.
    Form(FormError),
}

/// A set of families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Families(u8);

impl Families {
    /// With one more.
    #[must_use]
    pub const fn with(self, family: Family) -> Self {
        Self(self.0 | bit(family))
    }

    /// Whether it is one of them.
    pub const fn has(self, family: Family) -> bool {
        self.0 & bit(family) != 0
    }

    /// The members, in the contract's order.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL
            .into_iter()
            .filter(move |family| self.has(*family))
    }
}

const fn bit(family: Family) -> u8 {
    match family {
        Family::PromptInjection => 1,
        Family::CodePatterns => 1 << 1,
        Family::WebAttacks => 1 << 2,
        Family::Pii => 1 << 3,
        Family::Secrets => 1 << 4,
        Family::Harmful => 1 << 5,
        Family::Canary => 1 << 6,
        Family::Sanitization => 1 << 7,
    }
}

/// What an inspection did and found, for the record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The findings in order of place; of a message with very many only the first.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub further: u32,
    /// Bytes of the body or text that were read.
    pub body_bytes: u64,
    /// Bytes of decoded text that the detectors saw.
    pub text_bytes: u64,
    /// Bytes of images and other data that no detector saw.
    pub uninspected_bytes: u64,
    /// The families that ran.
    pub ran: Families,
    /// The injection score, 0 to 1.
    pub score: f64,
}

/// What was decided of a message that is still to be heard to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Everything before this place of the body was judged by all detectors; whatever is still to
    /// be rewritten begins there or later.
    pub upto: u64,
    /// What must be written differently, besides what was answered before.
    pub edits: Vec<Edit>,
}

/// The proof that a message was read to its end and is not refused; only an inspection makes it.
#[derive(Clone, Debug)]
pub struct Cleared {
    pub(super) report: Report,
    pub(super) edits: Vec<Edit>,
    pub(super) facts: Result<Facts, FieldFault>,
}

impl Cleared {
    /// What was done and found.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// What must be written differently before the message may go on: in order, apart from each
    /// other. [`super::rewrite::apply`] does it.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// What routing needs to know of the body.
    pub fn facts(&self) -> Result<&Facts, FieldFault> {
        self.facts.as_ref().map_err(Clone::clone)
    }

    /// The parts: report, edits and facts.
    pub fn into_parts(self) -> (Report, Vec<Edit>, Result<Facts, FieldFault>) {
        (self.report, self.edits, self.facts)
    }
}

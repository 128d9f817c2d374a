//! The inspection of one message, from its bytes to the proof that it may go on.
//!
//! Decides, from the policy's actions and what the detectors find, whether a message passes, is
//! rewritten or is refused. Findings, edits and verdict are a function of the bytes alone, however
//! they are cut: text is judged in blocks whose ends depend on nothing but the text.
//! Never keeps a body: its state is bounded, whatever the body's size. Never shows a text.
//! May miss: a value or phrase that reaches over more than a block's overlap of 1 KiB; values
//! written as JSON numbers; whatever `text` counts as data and the detectors' own pages name.

mod body;
mod covered;
mod cross_check;
mod documents;
mod ear;
mod form;
mod inspection;
mod judge;
mod labels;
mod listen;
mod part;
mod plain;
mod speech;
#[cfg(test)]
mod tests;
mod utf8;
mod values;
mod work;

use std::fmt;

use thiserror::Error;

use super::detect::canary::{self, Canaries, CanaryFault};
use super::detect::personal::Personal;
use super::detect::secrets::Secrets;
use super::detect::{
    Family, Rule, RuleFault, RuleInfo, RuleIx, RuleSet, code, injection, rules, web,
};
use super::finding::Families;
use super::normal::Canon;
use super::sanitize;
use super::scan::{self, Literals, ScanError};
use crate::policy::inspection::{Action, InspectionSettings, Sanitization, Uninspectable};

pub use body::{BodyInspection, BodyKind};
pub use cross_check::{Disagreement, cross_check};
pub use form::FormInspection;
pub use inspection::Inspection;
pub use plain::{Plain, Scanned, ScannedFinding};
pub use speech::{Hold, Notes, Release, Speech};

/// Why an inspector can't be made.
#[derive(Debug, Error)]
pub enum InspectorFault {
    /// A rule.
    #[error(transparent)]
    Rule(#[from] RuleFault),
    /// A canary.
    #[error(transparent)]
    Canary(#[from] CanaryFault),
    /// The literals of all rules together.
    #[error("the rules' literals can't be compiled")]
    Literals(#[from] ScanError),
}

/// Everything that one direction is inspected with, compiled: immutable, shared by all threads.
pub struct Inspector {
    set: RuleSet,
    literals: Literals,
    personal: Option<Personal>,
    secrets: Option<Secrets>,
    /// Over the text as it is, and over its canonical form.
    canaries: Option<(Canaries, Canaries)>,
    actions: [Action; Family::ALL.len()],
    ran: Families,
    /// For each row of the sanitizer's table, its rule if it is on.
    flaws: Vec<Option<RuleIx>>,
    html: bool,
    /// Any of them is on.
    cleans: bool,
    /// No rule is on: texts are counted and not kept.
    idle: bool,
    decoded: Option<RuleIx>,
    invisible: Option<RuleIx>,
    /// For each rule, the name of its labels, and the number that rules of one name share.
    kinds: Vec<(u16, Box<str>)>,
    max_text_chars: u64,
    uninspectable: Uninspectable,
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspector")
            .field("rules", &self.set.rules().len())
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

/// The families and the tables that they are made of.
const TABLES: [(Family, &[&[Rule]]); 8] = [
    (Family::PromptInjection, injection::TABLES),
    (Family::CodePatterns, code::TABLES),
    (Family::WebAttacks, web::TABLES),
    (Family::Pii, &[rules::personal::RULES]),
    (Family::Secrets, &[rules::secrets::RULES]),
    (Family::Harmful, &[rules::harmful::RULES]),
    (Family::Canary, &[canary::RULES]),
    (Family::Sanitization, &[sanitize::RULES]),
];

/// The ids of a family's built-in rules.
pub fn built_in(family: Family) -> impl Iterator<Item = &'static str> {
    let own = TABLES.iter().filter(move |(known, _)| *known == family);
    own.flat_map(|(_, tables)| tables.iter().copied().flatten())
        .map(|rule| rule.id)
}

impl Inspector {
    /// Compiles the settings of one direction. Takes some milliseconds.
    pub fn compile(settings: &InspectionSettings) -> Result<Self, InspectorFault> {
        let actions = Family::ALL.map(|family| action(settings, family));
        let on = |family: Family| {
            actions
                .get(index(family))
                .is_some_and(|a| *a != Action::Off)
        };
        let tables = TABLES.iter().filter(|(family, _)| on(*family));
        let tables: Vec<&[Rule]> = tables
            .flat_map(|(_, tables)| tables.iter().copied())
            .collect();
        let off = known(&settings.disabled_rules, &tables)?;
        let own: Vec<_> = settings
            .own_rules
            .iter()
            .filter(|rule| on(rule.family))
            .cloned()
            .collect();
        let set = RuleSet::compile(&tables, &off, &own, canonical)?;
        let literals = literals(&set)?;
        let canaries = if settings.canaries.is_empty() {
            None
        } else {
            let folded: Vec<String> = settings.canaries.iter().map(|s| canonical(s)).collect();
            let plain = Canaries::compile(&settings.canaries, &set)?;
            Some((plain, Canaries::compile(&folded, &set)?))
        };
        let ran = Family::ALL.into_iter().filter(|family| on(*family));
        Ok(Self {
            literals,
            personal: on(Family::Pii).then(|| Personal::compile(&set)),
            secrets: on(Family::Secrets).then(|| Secrets::compile(&set)),
            canaries,
            actions,
            ran: ran.fold(Families::default(), Families::with),
            flaws: sanitize::RULES
                .iter()
                .map(|rule| set.find(rule.id))
                .collect(),
            html: settings.sanitization == Sanitization::Strict,
            cleans: sanitize::RULES
                .iter()
                .any(|rule| set.find(rule.id).is_some()),
            decoded: set.find(injection::DECODED),
            invisible: set.find(injection::INVISIBLE),
            kinds: kinds(&set),
            max_text_chars: u64::try_from(settings.max_text_chars).unwrap_or(u64::MAX),
            uninspectable: settings.uninspectable,
            idle: set.rules().is_empty(),
            set,
        })
    }

    /// What is known of a finding's rule: its id, kind and severity.
    pub fn rule(&self, rule: RuleIx) -> Option<&RuleInfo> {
        self.set.rule(rule)
    }

    /// What becomes of a family's finds.
    pub fn action(&self, family: Family) -> Action {
        self.actions
            .get(index(family))
            .copied()
            .unwrap_or(Action::Block)
    }

    /// The families that are looked for.
    pub const fn families(&self) -> Families {
        self.ran
    }

    /// Whether nothing is looked for.
    pub const fn is_idle(&self) -> bool {
        self.idle
    }

    /// Whether a message may have to be written differently.
    pub fn rewrites(&self) -> bool {
        self.masks() || self.cleans
    }

    /// Whether a text may leave otherwise than it came.
    pub fn alters(&self) -> bool {
        self.masks()
            || self.canaries.is_some()
            || self.action(Family::Pii) == Action::Block
            || self.action(Family::Secrets) == Action::Block
    }

    /// Whether a family that only rules for phrases look for is refused.
    fn refuses_phrases(&self) -> bool {
        [
            Family::PromptInjection,
            Family::CodePatterns,
            Family::WebAttacks,
            Family::Harmful,
        ]
        .iter()
        .any(|family| self.action(*family) == Action::Block)
    }

    /// Whether values become labels.
    fn masks(&self) -> bool {
        [Family::Pii, Family::Secrets]
            .iter()
            .any(|family| self.action(*family) == Action::Mask)
    }

    /// The rule for a flaw of text, if it is on.
    fn flaw_rule(&self, flaw: sanitize::Flaw) -> Option<RuleIx> {
        self.flaws.get(flaw.row()).copied().flatten()
    }
}

const fn index(family: Family) -> usize {
    match family {
        Family::PromptInjection => 0,
        Family::CodePatterns => 1,
        Family::WebAttacks => 2,
        Family::Pii => 3,
        Family::Secrets => 4,
        Family::Harmful => 5,
        Family::Canary => 6,
        Family::Sanitization => 7,
    }
}

fn action(settings: &InspectionSettings, family: Family) -> Action {
    match family {
        Family::PromptInjection => settings.prompt_injection,
        Family::CodePatterns => settings.code_patterns,
        Family::WebAttacks => settings.web_attacks,
        Family::Pii => settings.pii,
        Family::Secrets => settings.secrets,
        Family::Harmful => settings.harmful,
        Family::Canary if settings.canaries.is_empty() => Action::Off,
        Family::Canary => Action::Block,
        Family::Sanitization => match settings.sanitization {
            Sanitization::Off => Action::Off,
            Sanitization::Standard | Sanitization::Strict => Action::Mask,
        },
    }
}

/// The ids to switch off that are in these tables; one that is in no table at all is a fault.
fn known<'a>(ids: &'a [String], tables: &[&[Rule]]) -> Result<Vec<&'a str>, RuleFault> {
    let all = TABLES.iter().flat_map(|(_, tables)| tables.iter().copied());
    let all: Vec<&[Rule]> = all.collect();
    let within = |tables: &[&[Rule]], id: &str| {
        tables
            .iter()
            .any(|table| table.iter().any(|rule| rule.id == id))
    };
    if let Some(unknown) = ids.iter().find(|id| !within(&all, id)) {
        return Err(RuleFault::UnknownRule(unknown.clone()));
    }
    let ids = ids.iter().map(String::as_str);
    Ok(ids.filter(|id| within(tables, id)).collect())
}

fn literals(set: &RuleSet) -> Result<Literals, ScanError> {
    let listed = (0_u16..).zip(set.literals());
    let listed: Vec<scan::Literal<'_>> = listed
        .map(|(id, literal)| scan::Literal {
            bytes: literal.text.as_bytes(),
            id,
            word_start: literal.word_start,
            word_end: literal.word_end,
        })
        .collect();
    Literals::compile(&listed)
}

fn canonical(text: &str) -> String {
    let mut canon = Canon::new();
    canon.fold(text);
    canon.text().to_owned()
}

/// Labels are written into bodies as they are, so that their names hold nothing but capitals,
/// digits and underscores.
fn kinds(set: &RuleSet) -> Vec<(u16, Box<str>)> {
    let mut kinds: Vec<(u16, Box<str>)> = Vec::new();
    for rule in set.rules() {
        let plain = |ch: char| {
            if ch.is_ascii_alphanumeric() {
                ch.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        let name: String = rule.kind.chars().map(plain).collect();
        let place = kinds
            .iter()
            .position(|(_, known)| **known == *name)
            .unwrap_or(kinds.len());
        kinds.push((u16::try_from(place).unwrap_or(u16::MAX), name.into()));
    }
    kinds
}

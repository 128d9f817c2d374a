//! The compiled rule set: one list of literals for the automaton, and what each wakes.
//!
//! Decides which rules exist, which are switched off, and how own rules join them.
//! Never looks at a text. May miss: an own rule without a literal has nothing to
//! wake it, and is refused rather than run over every byte.

use thiserror::Error;

use super::make::Maker;
use super::pattern::Pattern;
use super::turns::{Turns, Wake};
use super::{Family, Group, Rule, RuleIx, Severity, Standard};
use crate::each_byte::each_byte;

/// Why a rule set could not be made.
#[derive(Debug, Error)]
pub enum RuleFault {
    /// A rule to switch off does not exist.
    #[error("no rule has the id `{0}`")]
    UnknownRule(String),
    /// Two rules share an id.
    #[error("the rule id `{0}` is taken")]
    TakenId(String),
    /// Nothing would wake the rule.
    #[error("rule `{0}` needs at least one literal of 2 to 128 bytes that its pattern contains")]
    Literal(String),
    /// The pattern is not a regular expression, or too large a one.
    #[error("the pattern of rule `{id}` is unusable: {reason}")]
    Pattern {
        /// The rule.
        id: String,
        /// What the compiler said, in one line.
        reason: String,
    },
    /// More rules or literals than their numbers can name.
    #[error("more than 65535 rules or literals")]
    TooMany,
}

/// What an own rule is looked for in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppliesTo {
    /// Requests.
    #[default]
    Requests,
    /// Answers.
    Answers,
    /// Both.
    Both,
}

impl AppliesTo {
    /// Whether requests are looked through for it.
    pub const fn requests(self) -> bool {
        matches!(self, Self::Requests | Self::Both)
    }

    /// Whether answers are.
    pub const fn answers(self) -> bool {
        matches!(self, Self::Answers | Self::Both)
    }
}

/// A rule that the operator wrote.
#[derive(Clone, Debug)]
pub struct OwnRule {
    /// Its id; must be new.
    pub id: String,
    /// The family that reports it.
    pub family: Family,
    /// What it is looked for in.
    pub applies_to: AppliesTo,
    /// What it finds.
    pub kind: String,
    /// How bad a hit is.
    pub severity: Severity,
    /// What a hit adds to the score.
    pub points: u16,
    /// What wakes it.
    pub literals: Vec<String>,
    /// What confirms it, within 255 bytes on either side of the literal.
    pub pattern: Option<String>,
}

/// A literal for the automaton; its place in the list is its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// Canonical text.
    pub text: Box<str>,
    /// A letter or digit may not stand right before it.
    pub word_start: bool,
    /// A letter or digit may not stand right after it.
    pub word_end: bool,
}

/// What is known of a rule by those who report it.
#[derive(Debug)]
pub struct RuleInfo {
    /// Stable id.
    pub id: Box<str>,
    /// Its family.
    pub family: Family,
    /// What it finds.
    pub kind: Box<str>,
    /// How bad a hit is.
    pub severity: Severity,
    /// What a hit adds.
    pub points: u16,
    /// The kind of signal.
    pub group: Group,
}

/// How a woken rule goes on.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) pattern: Option<Pattern>,
    pub(super) reach: (u8, u8),
    pub(super) at_end: bool,
    /// Its place in the list of vetoes; none if nothing undoes it.
    pub(super) veto: Option<u16>,
}

/// One step of one or more phrases. Phrases that begin alike share their first steps: a word that
/// begins thirty of them is noted once for each different way on, not thirty times.
#[derive(Debug)]
pub(super) struct Node {
    /// The step before it.
    pub(super) parent: Option<u16>,
    /// Bytes allowed between the step before and this one.
    pub(super) gap: u8,
    /// How many steps stand before it.
    pub(super) depth: u16,
    /// The rules whose phrase is whole here.
    pub(super) rules: Vec<u16>,
}

/// All rules that are on, compiled.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<RuleInfo>,
    pub(super) bodies: Vec<Body>,
    pub(super) nodes: Vec<Node>,
    /// Lists of words that undo a rule when they stand right before it.
    pub(super) vetoes: Vec<&'static [&'static str]>,
    literals: Vec<Literal>,
    pub(super) turns: Turns,
}

impl RuleSet {
    /// Compiles `tables` less the ids in `off`, plus `own` rules. `canonical` is
    /// the form that texts are brought to, applied to every literal as well.
    pub fn compile(
        tables: &[&[Rule]],
        off: &[&str],
        own: &[OwnRule],
        canonical: impl Fn(&str) -> String,
    ) -> Result<Self, RuleFault> {
        let mut maker = Maker::new(canonical);
        for id in off {
            let known = tables
                .iter()
                .any(|table| table.iter().any(|rule| rule.id == *id));
            if !known {
                return Err(RuleFault::UnknownRule((*id).to_owned()));
            }
        }
        for rule in tables.iter().flat_map(|table| table.iter()) {
            if !off.contains(&rule.id) {
                maker.built_in(rule)?;
            }
        }
        for rule in own {
            maker.own(rule)?;
        }
        maker.finish()
    }

    /// What the automaton must find, each under its place as id.
    pub fn literals(&self) -> &[Literal] {
        &self.literals
    }

    /// The rule at `ix`, if it is one of this set's.
    pub fn rule(&self, ix: RuleIx) -> Option<&RuleInfo> {
        self.rules.get(usize::from(ix.0))
    }

    /// The place of the rule with this id, if it exists and is on.
    pub fn find(&self, id: &str) -> Option<RuleIx> {
        let place = self.rules.iter().position(|rule| &*rule.id == id)?;
        u16::try_from(place).ok().map(RuleIx)
    }

    /// Whether a hit of this rule counts by a standard: by [`Standard::Author`], of
    /// the prompt injection rules those of [`Group::counts_for_author`] alone.
    pub fn counts(&self, ix: RuleIx, standard: Standard) -> bool {
        let Some(rule) = self.rule(ix) else {
            return false;
        };
        match standard {
            Standard::Anyone => true,
            Standard::Author => {
                rule.family != Family::PromptInjection || rule.group.counts_for_author()
            }
        }
    }

    /// Appends a rule; its place.
    pub(super) fn push(&mut self, info: RuleInfo, body: Body) -> Result<u16, RuleFault> {
        if self.find(&info.id).is_some() {
            return Err(RuleFault::TakenId(info.id.into_string()));
        }
        let ix = u16::try_from(self.rules.len()).map_err(|_out_of_range| RuleFault::TooMany)?;
        self.rules.push(info);
        self.bodies.push(body);
        Ok(ix)
    }

    /// Appends a literal with what it wakes, once all nodes are known.
    pub(super) fn push_literal(
        &mut self,
        literal: Literal,
        wakes: &[Wake],
    ) -> Result<(), RuleFault> {
        self.literals.push(literal);
        self.turns.push(wakes, &self.nodes)
    }

    /// Every rule that is on, in order of place.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }
}

const WORD: [bool; 256] = each_byte!(byte => byte.is_ascii_alphanumeric() || byte == b'_');

/// Whether `c` joins up with its neighbours to a word. Scripts that are written
/// without spaces, and Hangul with its attached particles, do not.
pub(super) fn is_word(c: char) -> bool {
    if let Ok(byte) = u8::try_from(c)
        && byte.is_ascii()
    {
        return WORD.get(usize::from(byte)).copied().unwrap_or(false);
    }
    let spaceless = matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}');
    !spaceless && c.is_alphanumeric()
}

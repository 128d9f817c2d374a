//! The compiled rule set: one list of literals for the automaton, and what each wakes.
//!
//! Decides which rules exist, which are switched off, and how own rules join them.
//! Never looks at a text. May miss: an own rule without a literal has nothing to
//! wake it, and is refused rather than run over every byte.

use std::collections::BTreeMap;

use regex::bytes::{Regex, RegexBuilder};
use thiserror::Error;

use super::{Family, Group, Rule, RuleIx, Severity, Standard};

/// Compiled patterns above this are refused: an own rule must not cost megabytes.
const PATTERN_LIMIT: usize = 1 << 20;
/// Longest literal in bytes; a hit must fit the overlap of two blocks many times.
const LITERAL_LIMIT: usize = 128;

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
    #[error("the pattern of rule `{id}` is unusable")]
    Pattern {
        /// The rule.
        id: String,
        /// What the compiler said.
        #[source]
        source: regex::Error,
    },
    /// More rules or literals than their numbers can name.
    #[error("more than 65535 rules or literals")]
    TooMany,
}

/// A rule that the operator wrote.
#[derive(Clone, Debug)]
pub struct OwnRule {
    /// Its id; must be new.
    pub id: String,
    /// The family that reports it.
    pub family: Family,
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
    /// Number of steps; 0 for a literal rule.
    pub(super) steps: usize,
    /// The first of its steps in the scratch state and in `gaps`.
    pub(super) first: usize,
    pub(super) pattern: Option<Regex>,
    pub(super) reach: (u8, u8),
    pub(super) at_end: bool,
    pub(super) veto: Box<[Box<str>]>,
}

/// One thing that a literal does: it stands at this step of this rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wake {
    pub(super) rule: u16,
    pub(super) step: u16,
}

/// All rules that are on, compiled.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<RuleInfo>,
    pub(super) bodies: Vec<Body>,
    /// Gap in bytes before each step of each phrase.
    pub(super) gaps: Vec<u8>,
    literals: Vec<Literal>,
    /// For each literal, what it wakes.
    pub(super) wakes: Vec<Box<[Wake]>>,
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
        let mut maker = Maker {
            set: Self::default(),
            ids: BTreeMap::new(),
            canonical,
        };
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
        Ok(maker.finish())
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

    /// Every rule that is on, in order of place.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.rules
    }
}

/// A set in the making.
struct Maker<F> {
    set: RuleSet,
    /// Literal → its id and what it wakes so far.
    ids: BTreeMap<Literal, Vec<Wake>>,
    canonical: F,
}

impl<F: Fn(&str) -> String> Maker<F> {
    fn built_in(&mut self, rule: &Rule) -> Result<(), RuleFault> {
        let info = RuleInfo {
            id: rule.id.into(),
            family: rule.family,
            kind: rule.kind.into(),
            severity: rule.severity,
            points: rule.points,
            group: rule.group,
        };
        let veto = rule.veto.iter().map(|word| (*word).into()).collect();
        let ix = self.add(info, rule.pattern, rule.reach, veto)?;
        for literal in rule.literals {
            self.wake(rule.id, literal, Wake { rule: ix, step: 0 })?;
        }
        let first = self.set.gaps.len();
        for (place, step) in rule.steps.iter().enumerate() {
            self.set.gaps.push(step.gap);
            let step_no = u16::try_from(place).map_err(|_out_of_range| RuleFault::TooMany)?;
            for word in step.any {
                self.wake(
                    rule.id,
                    word,
                    Wake {
                        rule: ix,
                        step: step_no,
                    },
                )?;
            }
        }
        if let Some(body) = self.set.bodies.last_mut() {
            body.steps = rule.steps.len();
            body.first = first;
            body.at_end = rule.at_end;
        }
        Ok(())
    }

    fn own(&mut self, rule: &OwnRule) -> Result<(), RuleFault> {
        if rule.literals.is_empty() {
            return Err(RuleFault::Literal(rule.id.clone()));
        }
        let info = RuleInfo {
            id: rule.id.as_str().into(),
            family: rule.family,
            kind: rule.kind.as_str().into(),
            severity: rule.severity,
            points: rule.points,
            group: Group::Payload,
        };
        let ix = self.add(
            info,
            rule.pattern.as_deref(),
            (u8::MAX, u8::MAX),
            Box::default(),
        )?;
        for literal in &rule.literals {
            self.wake(&rule.id, literal, Wake { rule: ix, step: 0 })?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        info: RuleInfo,
        pattern: Option<&str>,
        reach: (u8, u8),
        veto: Box<[Box<str>]>,
    ) -> Result<u16, RuleFault> {
        if self.set.find(&info.id).is_some() {
            return Err(RuleFault::TakenId(info.id.into_string()));
        }
        let ix = u16::try_from(self.set.rules.len()).map_err(|_out_of_range| RuleFault::TooMany)?;
        let pattern = pattern.map(|text| {
            RegexBuilder::new(text)
                .unicode(false)
                .size_limit(PATTERN_LIMIT)
                .build()
                .map_err(|source| RuleFault::Pattern {
                    id: info.id.to_string(),
                    source,
                })
        });
        self.set.bodies.push(Body {
            steps: 0,
            first: 0,
            pattern: pattern.transpose()?,
            reach,
            at_end: false,
            veto,
        });
        self.set.rules.push(info);
        Ok(ix)
    }

    fn wake(&mut self, id: &str, spelled: &str, wake: Wake) -> Result<(), RuleFault> {
        let fault = || RuleFault::Literal(id.to_owned());
        let (spelled, open_start) = match spelled.strip_prefix('~') {
            Some(rest) => (rest, true),
            None => (spelled, false),
        };
        let (spelled, open_end) = match spelled.strip_suffix('~') {
            Some(rest) => (rest, true),
            None => (spelled, false),
        };
        let text = (self.canonical)(spelled);
        if text.len() < 2 || text.len() > LITERAL_LIMIT {
            return Err(fault());
        }
        let edge = |c: Option<char>| c.is_some_and(is_word);
        let literal = Literal {
            word_start: !open_start && edge(text.chars().next()),
            word_end: !open_end && edge(text.chars().next_back()),
            text: text.into(),
        };
        let wakes = self.ids.entry(literal).or_default();
        if !wakes.contains(&wake) {
            wakes.push(wake);
        }
        Ok(())
    }

    fn finish(mut self) -> RuleSet {
        for (literal, mut wakes) in self.ids {
            // Later steps first: one word must not be two steps of a phrase.
            wakes.sort_by(|a, b| b.step.cmp(&a.step).then(a.rule.cmp(&b.rule)));
            self.set.literals.push(literal);
            self.set.wakes.push(wakes.into());
        }
        self.set
    }
}

/// Whether `c` joins up with its neighbours to a word. Scripts that are written
/// without spaces, and Hangul with its attached particles, do not.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let spaceless = matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}');
    !spaceless && c.is_alphanumeric()
}

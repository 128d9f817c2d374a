//! Detectors: what a family, a rule and a hit are, and which words wake which rule.
//!
//! Decides what the rules look like and how their literals, steps and patterns
//! are compiled into one [`RuleSet`]. A rule never runs on its own: it is woken
//! by a literal that the automaton of `inspect::scan` found in the canonical
//! text, and does work bounded by that literal's neighbourhood.
//! Never sees a request, a role or an action, and never allocates per character.
//! May miss: whatever shares no literal with a rule; a phrase stretched over more
//! bytes than a step's gap; a pattern longer than its reach.

mod bytes;
pub mod canary;
pub mod code;
mod evaluate;
pub mod harmful;
mod index;
pub mod injection;
mod make;
mod needs;
mod pattern;
pub mod personal;
#[cfg(test)]
mod probe;
pub mod rules;
pub mod secrets;
mod set;
mod tally;
mod turns;
pub mod web;
pub mod window;
mod words;

pub use evaluate::{Bounds, OneString, Scratch};
pub use index::{Index, Indexed};
pub use set::{AppliesTo, Literal, OwnRule, RuleFault, RuleInfo, RuleSet};
pub use tally::{BLOCK_POINTS, CELL, CORROBORATION, FLAG_POINTS, Level, Tally};

/// One detector family, in the contract's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Attempts to overrule, extract or hijack the model's instructions.
    PromptInjection,
    /// Code that runs commands or loads code.
    CodePatterns,
    /// Payloads against web applications and databases.
    WebAttacks,
    /// Personal data.
    Pii,
    /// Keys, tokens and passwords.
    Secrets,
    /// Harmful content in answers.
    Harmful,
    /// Strings that must never leave.
    Canary,
    /// What the sanitizer rewrote.
    Sanitization,
}

impl Family {
    /// Every family, in the contract's order.
    pub const ALL: [Self; 8] = [
        Self::PromptInjection,
        Self::CodePatterns,
        Self::WebAttacks,
        Self::Pii,
        Self::Secrets,
        Self::Harmful,
        Self::Canary,
        Self::Sanitization,
    ];

    /// The name users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PromptInjection => "prompt_injection",
            Self::CodePatterns => "code_patterns",
            Self::WebAttacks => "web_attacks",
            Self::Pii => "pii",
            Self::Secrets => "secrets",
            Self::Harmful => "harmful",
            Self::Canary => "canary",
            Self::Sanitization => "sanitization",
        }
    }
}

/// By what standard a text is judged: by who wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standard {
    /// A user, a tool, a document: every signal counts.
    #[default]
    Anyone,
    /// The author of the application (system and developer messages). Giving roles,
    /// forbidding and speaking of its own secrecy is this text's business: there only
    /// [`Group::counts_for_author`] counts, and not where the same sentence tells of
    /// others ("if the user says 'ignore all previous instructions', refuse").
    /// An author who wants to attack can word it so that it passes.
    Author,
}

/// How bad one hit is, taken alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Seen every day in harmless text.
    Low,
    /// Worth a look.
    Medium,
    /// Hardly ever harmless.
    High,
    /// Never harmless.
    Critical,
}

impl Severity {
    /// The name users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What kind of signal a rule is. Inside a group only the strongest signal counts
/// in full, so that ten ways of saying one thing are not ten signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Overrules earlier instructions.
    Override,
    /// Asks for hidden instructions or secrets.
    Extraction,
    /// Gives the model a new role or persona.
    Persona,
    /// Switches rules, filters or refusals off.
    Evasion,
    /// Forges message boundaries and role markers.
    Forgery,
    /// Claims authority, urgency or a special mode.
    Authority,
    /// Makes tools, links or images carry data away.
    Hijack,
    /// Speaks to a model from inside data.
    Indirect,
    /// Dictates the exact answer.
    Dictation,
    /// Hides the text from a reader.
    Obfuscation,
    /// Everything of the families that are not prompt injection.
    Payload,
}

impl Group {
    /// How many groups there are.
    pub const COUNT: usize = 11;

    /// Whether the group is out of place in what an application's author writes.
    pub const fn counts_for_author(self) -> bool {
        match self {
            Self::Override | Self::Forgery | Self::Hijack | Self::Indirect | Self::Obfuscation => {
                true
            }
            Self::Extraction
            | Self::Persona
            | Self::Evasion
            | Self::Authority
            | Self::Dictation
            | Self::Payload => false,
        }
    }

    /// A dense number below [`Self::COUNT`].
    pub const fn index(self) -> usize {
        match self {
            Self::Override => 0,
            Self::Extraction => 1,
            Self::Persona => 2,
            Self::Evasion => 3,
            Self::Forgery => 4,
            Self::Authority => 5,
            Self::Hijack => 6,
            Self::Indirect => 7,
            Self::Dictation => 8,
            Self::Obfuscation => 9,
            Self::Payload => 10,
        }
    }
}

/// One place in a phrase: any of these words, at most `gap` bytes after the
/// word of the step before it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Canonical words. An edge that is a letter or digit must be a word's edge,
    /// unless a `~` stands there; scripts written without spaces need none.
    pub any: &'static [&'static str],
    /// Bytes allowed between the step before and this one.
    pub gap: u8,
}

/// How near the end of its text a literal of a rule for text ends must stand.
pub const TAIL: u32 = 8;

/// One built-in rule: a row of a family's table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable, dotted, what users switch off.
    pub id: &'static str,
    /// The family that reports it.
    pub family: Family,
    /// What was found, in the words of the family (`EMAIL`, `override`, `sqli`).
    pub kind: &'static str,
    /// How bad one hit is.
    pub severity: Severity,
    /// What it adds to the score; 60 block, 50 flag.
    pub points: u16,
    /// The kind of signal it is.
    pub group: Group,
    /// Any of these wakes the rule; empty for a phrase or an engine rule.
    pub literals: &'static [&'static str],
    /// Words in this order wake the rule; empty for a literal rule.
    pub steps: &'static [Step],
    /// Run over the bytes around the literal (ASCII semantics); none: the literal suffices.
    pub pattern: Option<&'static str>,
    /// Bytes before and after the literal that the pattern may see.
    pub reach: (u8, u8),
    /// Only where the text ends within [`TAIL`] bytes of the literal.
    pub at_end: bool,
    /// Words that undo the rule when they stand right before it ("do not …").
    pub veto: &'static [&'static str],
    /// ISO 639-1 codes of the languages it knows; empty for any.
    pub languages: &'static [&'static str],
}

impl Rule {
    /// A rule that no text wakes yet.
    pub const fn new(id: &'static str, family: Family, kind: &'static str) -> Self {
        Self {
            id,
            family,
            kind,
            severity: Severity::Medium,
            points: 0,
            group: Group::Payload,
            literals: &[],
            steps: &[],
            pattern: None,
            reach: (64, 128),
            at_end: false,
            veto: &[],
            languages: &[],
        }
    }

    /// With this severity.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Worth these points in this group; the severity follows the points.
    #[must_use]
    pub const fn worth(mut self, points: u16, group: Group) -> Self {
        self.points = points;
        self.group = group;
        self.severity = match points {
            0..30 => Severity::Low,
            30..60 => Severity::Medium,
            60..100 => Severity::High,
            100.. => Severity::Critical,
        };
        self
    }

    /// Woken by any of these literals.
    #[must_use]
    pub const fn literals(mut self, literals: &'static [&'static str]) -> Self {
        self.literals = literals;
        self
    }

    /// Woken by these words in this order.
    #[must_use]
    pub const fn steps(mut self, steps: &'static [Step]) -> Self {
        self.steps = steps;
        self
    }

    /// Confirmed by this pattern.
    #[must_use]
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// With this many bytes before and after the literal for the pattern.
    #[must_use]
    pub const fn reach(mut self, before: u8, after: u8) -> Self {
        self.reach = (before, after);
        self
    }

    /// Only at the end of the text.
    #[must_use]
    pub const fn at_end(mut self) -> Self {
        self.at_end = true;
        self
    }

    /// Undone by any of these words right before it.
    #[must_use]
    pub const fn unless(mut self, veto: &'static [&'static str]) -> Self {
        self.veto = veto;
        self
    }

    /// In these languages.
    #[must_use]
    pub const fn languages(mut self, languages: &'static [&'static str]) -> Self {
        self.languages = languages;
        self
    }
}

/// A rule's place in its [`RuleSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIx(pub u16);

/// What a rule found in one block; byte offsets into the text it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The rule's family.
    pub family: Family,
    /// The rule.
    pub rule: RuleIx,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The rule's points.
    pub score: u16,
}

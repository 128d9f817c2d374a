//! The rules file: the operator's own rules, and built-in ones that are switched off.
//!
//! Decides its shape. Whether an id is known, a literal long enough and a pattern usable is the
//! rule set's, which is compiled from what is read here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{self, Document};
use super::fault::Fault;
use crate::inspect::detect::{AppliesTo, Family, OwnRule, Severity};

/// The rules file as it is written.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Rules")]
struct RawRules {
    /// Ids of built-in rules that are switched off.
    disabled: Vec<String>,
    /// Rules of one's own.
    rules: Vec<RawRule>,
}

/// One rule as it is written.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
struct RawRule {
    /// Its id; must be new.
    id: String,
    /// The family that reports it.
    family: RawFamily,
    /// What it is looked for in.
    #[serde(default)]
    applies_to: RawAppliesTo,
    /// What it finds, in a word.
    #[serde(default)]
    kind: Option<String>,
    /// How bad a hit is.
    #[serde(default)]
    severity: RawSeverity,
    /// What a hit adds to the score: 60 block, 50 flag.
    #[serde(default)]
    points: Option<u16>,
    /// Texts that wake it, in any case and spelling.
    literals: Vec<String>,
    /// A regular expression that confirms it, near the literal.
    #[serde(default)]
    pattern: Option<String>,
    /// Languages that it knows, for people.
    #[serde(default)]
    languages: Vec<String>,
}

/// A family whose rules can be written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Family")]
enum RawFamily {
    /// Attempts to talk a model out of its instructions.
    PromptInjection,
    /// Code that runs commands or loads code.
    CodePatterns,
    /// Payloads against web applications and databases.
    WebAttacks,
    /// Harmful content.
    Harmful,
}

impl From<RawFamily> for Family {
    fn from(family: RawFamily) -> Self {
        match family {
            RawFamily::PromptInjection => Self::PromptInjection,
            RawFamily::CodePatterns => Self::CodePatterns,
            RawFamily::WebAttacks => Self::WebAttacks,
            RawFamily::Harmful => Self::Harmful,
        }
    }
}

/// What a rule is looked for in.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AppliesTo")]
enum RawAppliesTo {
    /// Requests.
    #[default]
    Request,
    /// Answers.
    Response,
    /// Both.
    Both,
}

impl From<RawAppliesTo> for AppliesTo {
    fn from(direction: RawAppliesTo) -> Self {
        match direction {
            RawAppliesTo::Request => Self::Requests,
            RawAppliesTo::Response => Self::Answers,
            RawAppliesTo::Both => Self::Both,
        }
    }
}

/// How bad a hit is.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Severity")]
enum RawSeverity {
    /// Seen every day in harmless text.
    Low,
    /// Worth a look.
    Medium,
    /// Hardly ever harmless.
    #[default]
    High,
    /// Never harmless.
    Critical,
}

impl From<RawSeverity> for Severity {
    fn from(severity: RawSeverity) -> Self {
        match severity {
            RawSeverity::Low => Self::Low,
            RawSeverity::Medium => Self::Medium,
            RawSeverity::High => Self::High,
            RawSeverity::Critical => Self::Critical,
        }
    }
}

impl RawSeverity {
    /// What a hit is worth where the rule does not say.
    const fn points(self) -> u16 {
        match self {
            Self::Low => 15,
            Self::Medium => 35,
            Self::High => 60,
            Self::Critical => 100,
        }
    }
}

/// What a rules file holds.
#[derive(Debug, Default)]
pub(super) struct RulesFile {
    /// Ids that are switched off.
    pub disabled: Vec<String>,
    /// Rules of one's own.
    pub own: Vec<OwnRule>,
}

impl RulesFile {
    /// The own rules for requests, and those for answers.
    pub(super) fn by_direction(&self) -> (Vec<OwnRule>, Vec<OwnRule>) {
        let those = |wanted: fn(AppliesTo) -> bool| {
            let own = self.own.iter().filter(move |rule| wanted(rule.applies_to));
            own.cloned().collect()
        };
        (those(AppliesTo::requests), those(AppliesTo::answers))
    }
}

/// Reads a rules file.
///
/// # Errors
/// Everything that is wrong with its shape.
pub(super) fn read(file: &str, text: &str) -> Result<RulesFile, Vec<Fault>> {
    let Document { raw, faults, .. } = document::read::<RawRules>(file, text)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    let own = raw.rules.into_iter().map(|rule| OwnRule {
        kind: rule.kind.unwrap_or_else(|| "own".to_owned()),
        family: rule.family.into(),
        applies_to: rule.applies_to.into(),
        severity: rule.severity.into(),
        points: rule.points.unwrap_or_else(|| rule.severity.points()),
        id: rule.id,
        literals: rule.literals,
        pattern: rule.pattern,
    });
    Ok(RulesFile {
        disabled: raw.disabled,
        own: own.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_rules_and_switched_off_ones_are_read() {
        let text = "disabled: [code.eval]\nrules:\n  - id: acme.project\n    family: prompt_injection\n    \
                    severity: critical\n    literals: [project bluebird]\n    languages: [en]\n";
        let file = read("rules.yaml", text).unwrap();
        assert_eq!(file.disabled, ["code.eval"], "switched off");
        let rule = &file.own[0];
        assert_eq!(
            (rule.id.as_str(), rule.points),
            ("acme.project", 100),
            "worth its severity"
        );
    }

    #[test]
    fn a_wrong_file_is_told_with_its_line() {
        let faults = read(
            "rules.yaml",
            "rules:\n  - {id: a, family: wrong, literals: [xx]}\n",
        );
        let told = faults.unwrap_err()[0].to_string();
        assert!(told.starts_with("rules.yaml:2"), "{told}");
        assert!(read("rules.yaml", "rule: []\n").is_err(), "an unknown key");
    }

    #[test]
    fn a_rule_is_for_requests_unless_it_says_otherwise() {
        let rule = |id: &str, more: &str| {
            format!("  - {{id: {id}, family: harmful, literals: [abcd]{more}}}\n")
        };
        let text = [
            "rules:\n".to_owned(),
            rule("a", ""),
            rule("b", ", applies_to: response"),
            rule("c", ", applies_to: both"),
            rule("d", ", applies_to: request"),
        ];
        let file = read("rules.yaml", &text.concat()).unwrap();
        let ids = |rules: Vec<OwnRule>| rules.into_iter().map(|rule| rule.id).collect::<String>();
        let (requests, answers) = file.by_direction();
        assert_eq!((&*ids(requests), &*ids(answers)), ("acd", "bc"));
    }
}

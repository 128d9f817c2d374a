//! Making a rule set: from tables and own rules to literals, steps and patterns.
//!
//! Decides which literals may wake a rule, and which phrases share their first steps. Refuses
//! what could not be woken or can't be compiled. Never looks at a text.

use std::collections::BTreeMap;

use super::pattern::Pattern;
use super::set::{Body, Literal, Node, OwnRule, RuleFault, RuleInfo, RuleSet, is_word};
use super::turns::Wake;
use super::{Group, Rule, Step};

/// Longest literal in bytes; a hit must fit the overlap of two blocks many times.
const LITERAL_LIMIT: usize = 128;

/// What makes two steps the same: the step before, the gap, and the words.
type Way = (Option<u16>, u8, &'static [&'static str]);

/// A set in the making.
pub(super) struct Maker<F> {
    set: RuleSet,
    /// Literal → what it wakes so far.
    ids: BTreeMap<Literal, Vec<Wake>>,
    steps: BTreeMap<Way, u16>,
    canonical: F,
}

impl<F: Fn(&str) -> String> Maker<F> {
    /// An empty set; `canonical` is the form that texts are brought to.
    pub(super) fn new(canonical: F) -> Self {
        Self {
            set: RuleSet::default(),
            ids: BTreeMap::new(),
            steps: BTreeMap::new(),
            canonical,
        }
    }

    /// Adds a row of a table.
    pub(super) fn built_in(&mut self, rule: &Rule) -> Result<(), RuleFault> {
        let info = RuleInfo {
            id: rule.id.into(),
            family: rule.family,
            kind: rule.kind.into(),
            severity: rule.severity,
            points: rule.points,
            group: rule.group,
        };
        let veto = self.veto(rule.veto)?;
        let steps = rule.steps.iter().flat_map(|step| step.any);
        let words = rule.literals.iter().chain(steps).copied();
        let pattern = self.pattern((rule.id, rule.pattern), words, rule.reach.0 == 0)?;
        let ix = self.add(info, pattern, (rule.reach, veto, rule.at_end))?;
        for literal in rule.literals {
            self.wake(rule.id, literal, Wake::Rule(ix))?;
        }
        let mut node = None;
        for step in rule.steps {
            node = Some(self.step(rule.id, node, step)?);
        }
        if let Some(last) = node.and_then(|node| self.set.nodes.get_mut(usize::from(node))) {
            last.rules.push(ix);
        }
        Ok(())
    }

    /// Adds a rule of the operator's.
    pub(super) fn own(&mut self, rule: &OwnRule) -> Result<(), RuleFault> {
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
        let reach = (u8::MAX, u8::MAX);
        let words = rule.literals.iter().map(String::as_str);
        let pattern = self.pattern((&rule.id, rule.pattern.as_deref()), words, false)?;
        let ix = self.add(info, pattern, (reach, None, false))?;
        for literal in &rule.literals {
            self.wake(&rule.id, literal, Wake::Rule(ix))?;
        }
        Ok(())
    }

    /// The set.
    pub(super) fn finish(mut self) -> Result<RuleSet, RuleFault> {
        let order = |wake: &Wake| match wake {
            // Later steps first: one word must not be two steps of a phrase.
            Wake::Step(node) => {
                let node = self.set.nodes.get(usize::from(*node));
                let first = node.and_then(|node| node.rules.first());
                let depth = node.map_or(0, |node| node.depth);
                (
                    u16::MAX.saturating_sub(depth),
                    first.copied().unwrap_or(u16::MAX),
                )
            }
            Wake::Rule(rule) => (u16::MAX, *rule),
        };
        let mut listed = Vec::with_capacity(self.ids.len());
        for (literal, mut wakes) in std::mem::take(&mut self.ids) {
            wakes.sort_by_key(order);
            listed.push((literal, wakes));
        }
        for (literal, wakes) in listed {
            self.set.push_literal(literal, &wakes)?;
        }
        Ok(self.set)
    }

    fn veto(&mut self, words: &'static [&'static str]) -> Result<Option<u16>, RuleFault> {
        if words.is_empty() {
            return Ok(None);
        }
        let vetoes = &mut self.set.vetoes;
        let known = vetoes.iter().position(|list| *list == words);
        let place = known.unwrap_or(vetoes.len());
        if known.is_none() {
            vetoes.push(words);
        }
        let place = u16::try_from(place).map_err(|_out_of_range| RuleFault::TooMany)?;
        Ok(Some(place))
    }

    /// The node of a step behind `parent`, which may be one that another phrase made.
    fn step(&mut self, id: &str, parent: Option<u16>, step: &Step) -> Result<u16, RuleFault> {
        // Nothing stands before a first step.
        let gap = parent.map_or(0, |_| step.gap);
        let way = (parent, gap, step.any);
        if let Some(node) = self.steps.get(&way) {
            return Ok(*node);
        }
        let before = parent.and_then(|node| self.set.nodes.get(usize::from(node)));
        let depth = before.map_or(0, |node| node.depth.saturating_add(1));
        let node =
            u16::try_from(self.set.nodes.len()).map_err(|_out_of_range| RuleFault::TooMany)?;
        self.set.nodes.push(Node {
            parent,
            gap,
            depth,
            rules: Vec::new(),
        });
        self.steps.insert(way, node);
        for word in step.any {
            self.wake(id, word, Wake::Step(node))?;
        }
        Ok(node)
    }

    fn add(
        &mut self,
        info: RuleInfo,
        pattern: Option<Pattern>,
        (reach, veto, at_end): ((u8, u8), Option<u16>, bool),
    ) -> Result<u16, RuleFault> {
        let body = Body {
            pattern,
            reach,
            at_end,
            veto,
        };
        self.set.push(info, body)
    }

    /// A rule's pattern, which the words wake.
    fn pattern<'a>(
        &self,
        (id, text): (&str, Option<&str>),
        words: impl Iterator<Item = &'a str>,
        here: bool,
    ) -> Result<Option<Pattern>, RuleFault> {
        let Some(text) = text else {
            return Ok(None);
        };
        let words: Vec<String> = words
            .map(|word| (self.canonical)(Spelled::of(word).text))
            .collect();
        let known = words.iter().map(String::as_str);
        let pattern = Pattern::compile(text, &known, here);
        let pattern = pattern.map_err(|fault| RuleFault::Pattern {
            id: id.to_string(),
            reason: reason(&fault),
        })?;
        Ok(Some(pattern))
    }

    fn wake(&mut self, id: &str, spelled: &str, wake: Wake) -> Result<(), RuleFault> {
        let fault = || RuleFault::Literal(id.to_owned());
        let spelled = Spelled::of(spelled);
        let text = (self.canonical)(spelled.text);
        if text.len() < 2 || text.len() > LITERAL_LIMIT {
            return Err(fault());
        }
        let edge = |c: Option<char>| c.is_some_and(is_word);
        let literal = Literal {
            word_start: !spelled.open_start && edge(text.chars().next()),
            word_end: !spelled.open_end && edge(text.chars().next_back()),
            text: text.into(),
        };
        let wakes = self.ids.entry(literal).or_default();
        if !wakes.contains(&wake) {
            wakes.push(wake);
        }
        Ok(())
    }
}

/// A literal as a table writes it: `~` stands at an end where the word may go on.
struct Spelled<'a> {
    text: &'a str,
    open_start: bool,
    open_end: bool,
}

impl<'a> Spelled<'a> {
    fn of(written: &'a str) -> Self {
        let start = written.strip_prefix('~');
        let text = start.unwrap_or(written);
        let end = text.strip_suffix('~');
        Self {
            text: end.unwrap_or(text),
            open_start: start.is_some(),
            open_end: end.is_some(),
        }
    }
}

/// What is wrong with a pattern, without the drawing of it that the compiler adds.
fn reason(fault: &regex::Error) -> String {
    let text = fault.to_string();
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

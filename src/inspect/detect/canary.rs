//! Canaries: strings of the operator's that must never leave.
//!
//! Decides where one of the configured strings stands, in any ASCII case. Run it
//! over the text as it is and over the canonical form, where look-alike letters,
//! odd blanks and invisible characters are gone; configured strings must be brought
//! to that form first by whoever compiles the set for it.
//! Never reports which string it was: the list is a secret itself.
//! May miss: a canary paraphrased, translated, or cut by other words.

use regex::bytes::{Regex, RegexBuilder};
use thiserror::Error;

use super::window::{Edges, PENDING, Rest, Window};
use super::{Family, Hit, Rule, RuleIx, RuleSet, Severity};

/// Shorter strings are words of daily life.
pub const MIN_BYTES: usize = 8;
/// Longer ones would not fit what is carried from block to block.
pub const MAX_BYTES: usize = PENDING;
/// Most canaries of one configuration.
pub const MAX_COUNT: usize = 256;
/// The compiled automaton may not be larger than this.
const PATTERN_LIMIT: usize = 1 << 24;

/// The one rule that all canaries are.
pub const RULES: &[Rule] =
    &[Rule::new("canary.configured", Family::Canary, "CANARY").severity(Severity::Critical)];

/// Why canaries can't be used.
#[derive(Debug, Error)]
pub enum CanaryFault {
    /// Shorter than [`MIN_BYTES`] or longer than [`MAX_BYTES`] bytes.
    #[error("canary {0} must have 8 to 896 bytes")]
    Length(usize),
    /// More than [`MAX_COUNT`].
    #[error("at most 256 canaries")]
    TooMany,
    /// All together too large.
    #[error("the canaries are too long together")]
    TooLarge(#[source] regex::Error),
}

/// The compiled canaries.
#[derive(Debug)]
pub struct Canaries {
    any: Option<Regex>,
    strings: Box<[Canary]>,
    rule: RuleIx,
}

/// One canary in small letters, and for each place in it how much of its start
/// also ends there: with that, its longest start at a text's end is found in one
/// pass (Knuth, Morris, Pratt).
#[derive(Debug)]
struct Canary {
    bytes: Box<[u8]>,
    fallback: Box<[usize]>,
}

impl Canaries {
    /// Compiles the strings; empty list, nothing to find.
    pub fn compile(strings: &[String], set: &RuleSet) -> Result<Self, CanaryFault> {
        if strings.len() > MAX_COUNT {
            return Err(CanaryFault::TooMany);
        }
        let bad = |s: &String| !(MIN_BYTES..=MAX_BYTES).contains(&s.len());
        if let Some(place) = strings.iter().position(bad) {
            return Err(CanaryFault::Length(place));
        }
        let mut sorted: Vec<&String> = strings.iter().collect();
        // Of two that start alike, the longer is to be found.
        sorted.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let (any, rule) = match set.find("canary.configured") {
            Some(rule) if !sorted.is_empty() => {
                let parts: Vec<String> = sorted.iter().map(|s| regex::escape(s)).collect();
                let any = RegexBuilder::new(&parts.join("|"))
                    .unicode(false)
                    .case_insensitive(true)
                    .size_limit(PATTERN_LIMIT)
                    .build()
                    .map_err(CanaryFault::TooLarge)?;
                (Some(any), rule)
            }
            _ => (None, RuleIx(0)),
        };
        let strings = sorted.into_iter().map(|s| Canary::new(s)).collect();
        Ok(Self { any, strings, rule })
    }

    /// Appends where canaries stand in the undecided part of `text`.
    pub fn find(&self, text: &str, edges: Edges, out: &mut Vec<Hit>) -> Rest {
        let window = Window::new(text, edges);
        let Some(any) = &self.any else {
            return Rest {
                from: u32::try_from(text.len()).unwrap_or(u32::MAX),
                open: None,
            };
        };
        let held = if edges.ends_string {
            text.len()
        } else {
            self.hold_from(text)
        };
        let mut end = window.from;
        for found in any.find_iter(window.slice(window.from, text.len())) {
            let place = |n: usize| u32::try_from(n.saturating_add(window.from));
            let (Ok(start), Ok(stop)) = (place(found.start()), place(found.end())) else {
                continue;
            };
            if found.start().saturating_add(window.from) >= held && !edges.ends_string {
                // It may become a longer one.
                break;
            }
            end = found.end().saturating_add(window.from);
            out.push(Hit {
                family: Family::Canary,
                rule: self.rule,
                start,
                end: stop,
                score: 0,
            });
        }
        let held = if edges.ends_string {
            text.len()
        } else {
            self.hold_from(text).max(end)
        };
        Rest {
            from: u32::try_from(held).unwrap_or(u32::MAX),
            open: None,
        }
    }

    /// Where the longest end of `text` starts that is the start of a canary.
    pub fn hold_from(&self, text: &str) -> usize {
        if self.any.is_none() {
            return text.len();
        }
        let held = self
            .strings
            .iter()
            .map(|canary| canary.start_at_end(text))
            .max()
            .unwrap_or(0);
        text.floor_char_boundary(text.len().saturating_sub(held))
    }
}

impl Canary {
    fn new(string: &str) -> Self {
        let bytes: Box<[u8]> = string
            .bytes()
            .map(|byte| byte.to_ascii_lowercase())
            .collect();
        let mut fallback = vec![0_usize];
        let mut matched: usize = 0;
        for byte in bytes.iter().skip(1) {
            matched = advance(&bytes, &fallback, matched, *byte);
            fallback.push(matched);
        }
        Self {
            bytes,
            fallback: fallback.into(),
        }
    }

    fn start_at_end(&self, text: &str) -> usize {
        let from = text
            .len()
            .saturating_sub(self.bytes.len().saturating_sub(1));
        let mut matched: usize = 0;
        for byte in text.as_bytes().get(from..).unwrap_or_default() {
            matched = advance(
                &self.bytes,
                &self.fallback,
                matched,
                byte.to_ascii_lowercase(),
            );
        }
        matched
    }
}

/// How much of `pattern` ends with `byte`, when `matched` of it ended before.
fn advance(pattern: &[u8], fallback: &[usize], matched: usize, byte: u8) -> usize {
    let mut matched = matched;
    loop {
        if pattern.get(matched) == Some(&byte) {
            return matched.saturating_add(1);
        }
        match matched.checked_sub(1).and_then(|last| fallback.get(last)) {
            Some(shorter) => matched = *shorter,
            None => return 0,
        }
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a wrong place fails the test")]
mod tests {
    use super::{Canaries, CanaryFault, Edges, MAX_BYTES, MAX_COUNT, RULES, RuleSet};

    fn canaries(strings: &[&str]) -> Result<Canaries, CanaryFault> {
        let set = RuleSet::compile(&[RULES], &[], &[], str::to_owned).unwrap();
        let strings: Vec<String> = strings.iter().map(|s| (*s).to_owned()).collect();
        Canaries::compile(&strings, &set)
    }

    #[test]
    fn a_canary_is_found_in_any_case_and_the_longest_wins() {
        let canaries = canaries(&["canary-77", "canary-77-blue (x)"]).unwrap();
        let mut hits = Vec::new();
        canaries.find(
            "say CANARY-77-Blue (X) and Canary-77!",
            Edges::WHOLE,
            &mut hits,
        );
        let ranges: Vec<_> = hits.iter().map(|hit| (hit.start, hit.end)).collect();
        assert_eq!(
            ranges,
            [(4, 22), (27, 36)],
            "case is ignored, the longer canary is reported"
        );
    }

    #[test]
    fn only_the_start_of_a_canary_is_held() {
        let canaries = canaries(&["abcabcabd-x", "zzzzzzzzz"]).unwrap();
        for (text, held) in [
            ("", 0),
            ("hello wor", 0),
            ("hello a", 1),
            ("abcabcABC", 6),
            ("abcabcabd-", 10),
            ("zzzz", 4),
            ("zzzzz abcab", 5),
        ] {
            let from = canaries.hold_from(text);
            assert_eq!(
                text.len() - from,
                held,
                "{text:?}: as much as could become a canary"
            );
        }
    }

    #[test]
    fn canaries_outside_the_limits_are_refused() {
        let long = "x".repeat(MAX_BYTES);
        assert!(canaries(&["1234567"]).is_err(), "seven bytes are too short");
        assert!(canaries(&["12345678"]).is_ok(), "eight bytes are enough");
        assert!(canaries(&[&long]).is_ok(), "the longest is taken");
        assert!(
            canaries(&[&format!("{long}x")]).is_err(),
            "one more is refused"
        );
        let many = vec!["12345678"; MAX_COUNT];
        assert!(canaries(&many).is_ok(), "as many as the cap");
        assert!(
            canaries(&[many, vec!["12345678"]].concat()).is_err(),
            "one past the cap"
        );
    }

    #[test]
    fn blocks_find_what_the_whole_finds() {
        let canaries = canaries(&["the-blue-canary", "the-blue-canary-2", "aaaaaaaaab"]).unwrap();
        let text =
            "xx the-blue-canary-2 aaaaaaaaaaaaaaaaaaab the-blue-the-blue-canary-3 aaaaaaaab "
                .repeat(9);
        let mut whole = Vec::new();
        canaries.find(&text, Edges::WHOLE, &mut whole);
        for size in [1, 2, 3, 7, 64, 100] {
            let mut hits = Vec::new();
            let (mut from, mut end) = (0, 0);
            while end < text.len() {
                end = (end + size).min(text.len());
                let edges = Edges {
                    from: u32::try_from(from).unwrap(),
                    ends_string: end == text.len(),
                    open: None,
                };
                from = usize::try_from(canaries.find(&text[..end], edges, &mut hits).from).unwrap();
            }
            assert_eq!(hits, whole, "blocks of {size}");
        }
    }
}

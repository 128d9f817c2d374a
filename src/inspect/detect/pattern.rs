//! A rule's pattern, and the cheapest way to run it.
//!
//! Decides from where a pattern is tried, and what is looked for before. Never what matches: a match
//! is the one that the pattern has by itself. Never decides which text is searched.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

use super::needs::needed;

/// Compiled patterns above this are refused: an own rule must not cost megabytes.
const LIMIT: usize = 1 << 20;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    way: Way,
}

/// How it is run.
#[derive(Debug)]
enum Way {
    /// At the word that woke it alone, where most texts differ after a few bytes.
    Here,
    /// Anywhere, where one of the literals stands that its matches can't be without: see
    /// [`super::needs`].
    With(Regex),
    /// Anywhere.
    Anywhere,
}

impl Pattern {
    /// Compiles a pattern that words of `known` wake, and which is `here` if only matches count that
    /// begin where the word stands.
    pub(super) fn compile<'a>(
        text: &str,
        known: &(impl Iterator<Item = &'a str> + Clone),
        here: bool,
    ) -> Result<Self, regex::Error> {
        let build = |text: &str| {
            let mut builder = RegexBuilder::new(text);
            builder.unicode(false).size_limit(LIMIT).build()
        };
        let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
        let tree = parser.parse(text).ok();
        if here && tree.as_ref().is_some_and(begins_blindly) {
            return Ok(Self {
                regex: build(&format!(r"\A(?:{text})"))?,
                way: Way::Here,
            });
        }
        let needs = tree.and_then(|tree| needed(&tree, known));
        Ok(Self {
            regex: build(text)?,
            way: needs.map_or(Way::Anywhere, Way::With),
        })
    }

    /// The first match that begins at an offset or behind it; of a pattern that counts only there,
    /// perhaps none behind it.
    pub(super) fn find_at(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        match &self.way {
            Way::Here => {
                let found = self.regex.find(text.get(from..)?)?;
                return Some(from..from.saturating_add(found.end()));
            }
            Way::With(needs) if !needs.is_match_at(text, from) => return None,
            Way::With(_) | Way::Anywhere => {}
        }
        self.regex.find_at(text, from).map(|found| found.range())
    }
}

/// Whether a match begins with bytes and asks nothing of those before it.
fn begins_blindly(tree: &Hir) -> bool {
    let first = if let HirKind::Concat(parts) = tree.kind() {
        parts.first()
    } else {
        Some(tree)
    };
    first.is_some_and(|first| {
        let tells = first.properties();
        tells.look_set().is_empty() && tells.minimum_len().is_some_and(|len| len > 0)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pattern, Way};

    fn compile(pattern: &str, here: bool) -> Pattern {
        Pattern::compile(pattern, &[].into_iter(), here).expect("it is a pattern")
    }

    #[test]
    fn a_pattern_that_asks_for_what_stands_before_it_is_not_cut_off_from_it() {
        for (pattern, alone) in [
            ("curl [a-z]{0,9}x", true),
            ("(?:a|bc)d", true),
            ("a{2,3}b", true),
            ("[a-z]+", true),
            (r"\bcurl", false),
            ("^curl", false),
            (r"(?:\bx|y)z", false),
            (r"x?\by", false),
            ("a*", false),
        ] {
            let way = compile(pattern, true).way;
            assert_eq!(matches!(way, Way::Here), alone, "{pattern}");
            assert!(
                !matches!(compile(pattern, false).way, Way::Here),
                "{pattern}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_matches_at_a_place_is_the_same_in_every_way(
            text in "[abcx ]{0,24}",
            from in 0_usize..24,
            pattern in prop::sample::select(vec!["ab[abc]*c", r"a.{0,3}?\bx", "(?:ab|a)(?:bc)?", r"\bab", "^a"]),
        ) {
            prop_assume!(from <= text.len());
            let at = |here: bool| {
                let found = compile(pattern, here).find_at(text.as_bytes(), from);
                found.filter(|found| found.start == from)
            };
            prop_assert_eq!(at(true), at(false));
        }
    }
}

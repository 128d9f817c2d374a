//! What a pattern's matches can't be without.
//!
//! Decides which literals to look for before a pattern is run: in ordinary text a woken pattern
//! mostly finds nothing, and a window of a hundred bytes costs its automaton thousands of cycles.
//! Never changes what matches.
//! May miss: what only a class or a look-around tells; the pattern then runs as it did.

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

/// More literals, or shorter ones, are dearer to look for than they spare.
const MOST: usize = 48;
const SHORTEST: usize = 2;

/// A search for literals of which each match of the pattern holds one, if there are such. Those
/// that stand in a word of `known` are there whenever the pattern is asked, and say nothing.
pub(super) fn needed<'a>(
    pattern: &Hir,
    known: &(impl Iterator<Item = &'a str> + Clone),
) -> Option<Regex> {
    let says = |set: &[Vec<u8>]| {
        let mut words = known.clone();
        !words.any(|word| {
            set.iter()
                .any(|part| memmem::find(word.as_bytes(), part).is_some())
        })
    };
    let set = of(pattern, &says)?;
    let parts = set.into_iter().map(Hir::literal);
    let any = Hir::alternation(parts.collect()).to_string();
    RegexBuilder::new(&any).unicode(false).build().ok()
}

/// The best set of a part of a pattern: each of its matches holds one of the literals.
fn of(part: &Hir, says: &impl Fn(&[Vec<u8>]) -> bool) -> Option<Vec<Vec<u8>>> {
    let set = match part.kind() {
        HirKind::Literal(literal) => vec![literal.0.to_vec()],
        HirKind::Capture(capture) => of(&capture.sub, says)?,
        HirKind::Repetition(repeated) if repeated.min > 0 => of(&repeated.sub, says)?,
        HirKind::Concat(parts) => {
            let sets = parts.iter().filter_map(|part| of(part, says));
            sets.max_by_key(|set| shortest(set))?
        }
        HirKind::Alternation(parts) => {
            let sets: Option<Vec<_>> = parts.iter().map(|part| of(part, says)).collect();
            sets?.concat()
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => {
            return None;
        }
    };
    (shortest(&set) >= SHORTEST && set.len() <= MOST && says(&set)).then_some(set)
}

fn shortest(set: &[Vec<u8>]) -> usize {
    set.iter().map(Vec::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::bytes_regex;
    use proptest::test_runner::TestRunner;
    use regex::bytes::Regex;
    use regex_syntax::ParserBuilder;

    use super::needed;
    use crate::inspect::detect::{Rule, code, injection, web};

    fn literals(pattern: &str, known: &[&str]) -> Option<Regex> {
        let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
        let tree = parser.parse(pattern).unwrap();
        needed(&tree, &known.iter().copied())
    }

    #[test]
    fn the_longest_literals_that_every_match_holds_are_looked_for() {
        let needs = literals("curl [^;]{0,9}(?:/etc/|~/[.]ssh)=?", &["curl"]).unwrap();
        assert!(needs.is_match(b"cat /etc/passwd") && needs.is_match(b"~/.ssh"));
        assert!(!needs.is_match(b"curl -d /home/x"));
    }

    #[test]
    fn nothing_is_needed_where_a_branch_has_no_literal_or_one_that_is_known() {
        for (pattern, known) in [
            ("(?:password|[0-9]+)", &[][..]),
            ("(?:secret)*[a-z]", &[]),
            ("x[a-z]y", &[]),
            ("(?i)password", &[]),
            ("curl [a-z]", &["my curl way"]),
            ("(?:curl|wget) [a-z]", &["wget"]),
        ] {
            assert!(literals(pattern, known).is_none(), "{pattern}");
        }
    }

    /// What a generator can't make: it knows no places. A match with them is one without.
    fn without_places(pattern: &str) -> String {
        let plain = pattern.replace(r"\b", "").replace(r"\B", "");
        let anchors = Regex::new(r"(?-u)(^|[(|:])\^|(?:\\)?\$($|[)|])").unwrap();
        let bare = anchors.replace_all(plain.as_bytes(), &b"$1$2"[..]);
        format!("(?-u:{})", String::from_utf8_lossy(&bare))
    }

    #[test]
    fn every_match_of_a_built_in_pattern_holds_what_it_needs() {
        let tables = [injection::TABLES, code::TABLES, web::TABLES];
        let rules = tables.into_iter().flatten().copied().flatten();
        let (mut runner, mut tried) = (TestRunner::deterministic(), 0);
        for Rule { id, pattern, .. } in rules {
            let Some(pattern) = pattern else { continue };
            let Some(needs) = literals(pattern, &[]) else {
                continue;
            };
            let Ok(matches) = bytes_regex(&without_places(pattern)) else {
                continue;
            };
            let holds = runner.run(&matches.no_shrink(), |found| {
                prop_assert!(needs.is_match(&found), "{id}: {found:?}");
                Ok(())
            });
            holds.unwrap();
            tried += 1;
        }
        assert!(tried > 20, "{tried} patterns were tried");
    }
}

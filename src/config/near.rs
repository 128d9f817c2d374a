//! What a mistyped word may have meant.
//!
//! Decides which of the known words is nearest to a given one, if any is near. Words are short
//! and few, so the plain table of edit distances will do.

/// Words longer than this are nobody's typing error.
const LONGEST: usize = 64;

/// The known word nearest to this one, if it is near enough to have been meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let farthest = word.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= farthest)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (index, wanted) in from.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index.saturating_add(1);
        let mut next = vec![left];
        for (found, above) in to.chars().zip(row.iter().skip(1).copied()) {
            let changed = diagonal.saturating_add(usize::from(wanted != found));
            left = changed
                .min(above.saturating_add(1))
                .min(left.saturating_add(1));
            next.push(left);
            diagonal = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found_and_strangers_are_not() {
        for (word, expected) in [
            ("listners", Some("listeners")),
            ("Listeners", Some("listeners")),
            ("trusted-proxies", Some("trusted_proxies")),
            ("opanai", Some("openai")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(
                nearest(word, ["workers", "listeners", "trusted_proxies", "openai"]),
                expected,
                "{word:?}"
            );
        }
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        for (from, to, expected) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "abc", 0)] {
            assert_eq!(distance(from, to), expected, "{from} to {to}");
        }
    }
}

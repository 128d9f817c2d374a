//! A list by name that can't grow without end.
//!
//! Decides what is forgotten when there is no more room: the half with the smaller counts. So what
//! is frequent stays, and what is rare may be counted short; [`Table::is_whole`] says whether.

use std::collections::HashMap;
use std::hash::Hash;

/// Names that are kept.
const MOST: usize = 65_536;

/// What a table counts.
pub(super) trait Weighed {
    /// How much it weighs against others.
    fn weight(&self) -> u64;
}

impl Weighed for u64 {
    fn weight(&self) -> u64 {
        *self
    }
}

impl Weighed for super::Rule {
    fn weight(&self) -> u64 {
        self.count
    }
}

/// Counts by name.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    kept: HashMap<K, V>,
    whole: bool,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            kept: HashMap::new(),
            whole: true,
        }
    }
}

impl<K: Eq + Hash + Ord + Clone, V: Weighed + Default> Table<K, V> {
    /// What is counted under a name.
    pub(super) fn entry(&mut self, key: K) -> &mut V {
        if self.kept.len() >= MOST && !self.kept.contains_key(&key) {
            self.forget();
        }
        self.kept.entry(key).or_default()
    }

    fn forget(&mut self) {
        let mut weights: Vec<u64> = self.kept.values().map(Weighed::weight).collect();
        let middle = weights.len() / 2;
        let (_, middle, _) = weights.select_nth_unstable(middle);
        let middle = *middle;
        let mut spare = self.kept.len() / 2;
        self.kept.retain(|_, value| {
            let small = value.weight() <= middle && spare > 0;
            spare = spare.saturating_sub(usize::from(small));
            !small
        });
        self.whole = false;
    }

    /// Whether nothing was forgotten.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The heaviest by a measure, those that weigh nothing left out.
    pub(super) fn top(&self, most: usize, weight: impl Fn(&V) -> u64) -> Vec<(&K, &V)> {
        let mut all: Vec<(&K, &V)> = self.kept.iter().filter(|(_, v)| weight(v) > 0).collect();
        all.sort_by(|(a, left), (b, right)| weight(right).cmp(&weight(left)).then(a.cmp(b)));
        all.truncate(most);
        all
    }
}

impl<K: Eq + Hash + Ord + Clone> Table<K, u64> {
    /// Counts under a name.
    pub(super) fn add(&mut self, key: K, count: u64) {
        let seen = self.entry(key);
        *seen = seen.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_frequent_stays_when_a_table_is_full() {
        let mut table = Table::<u32, u64>::default();
        table.add(7, 1_000);
        for key in 100..200_000_u32 {
            table.add(key, 1);
        }
        assert!(table.kept.len() <= MOST, "bounded");
        assert!(!table.is_whole(), "and it says so");
        assert_eq!(
            table.top(1, |count| *count),
            [(&7, &1_000)],
            "the frequent one"
        );
    }
}

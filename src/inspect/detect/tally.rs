//! The score of a message: how the points of its hits add up.
//!
//! Decides when signals are an attack. A signal is worth its rule's points, once
//! for all the times that the rule hits nearby. A group is worth its strongest signal
//! and at most [`CORROBORATION`] for all its others: two strong signals of one group
//! block, but weak ones, however many, do no more than flag.
//! Groups add up in full; code and web are one group each.
//! *Nearby* is a sliding neighbourhood of one to two [`CELL`]s of text: signals a
//! book apart have nothing to do with each other, and long harmless texts hold one
//! of everything. The score of a message is that of its worst neighbourhood.
//! Never sees text. May miss: an attack made of signals that no rule knows, or one
//! spread thinly over many KiB.

use super::{Family, Group, Hit, RuleSet};

/// Points at which a message is blocked.
pub const BLOCK_POINTS: u32 = 60;
/// Points at which a message is flagged.
pub const FLAG_POINTS: u32 = 50;
/// Bytes of canonical text in one cell; a neighbourhood is a cell and the one before.
pub const CELL: u64 = 1024;
/// What all signals of a group but the strongest can add to it.
pub const CORROBORATION: u32 = 40;
/// Rules that a tally can tell apart; those beyond share one bit.
const RULES: usize = 1024;
/// Families that score.
const FAMILIES: usize = 3;

/// What a score amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Below the flag threshold: no finding.
    Quiet,
    /// A finding.
    Flag,
    /// A finding that blocks where the family's action is block.
    Block,
}

impl Level {
    /// What so many points amount to.
    pub const fn of(points: u32) -> Self {
        match points {
            0..FLAG_POINTS => Self::Quiet,
            FLAG_POINTS..BLOCK_POINTS => Self::Flag,
            BLOCK_POINTS.. => Self::Block,
        }
    }
}

/// Which rules hit in a cell.
type Seen = [u64; RULES / 64];

/// The signals of one group.
#[derive(Clone, Copy, Debug, Default)]
struct Signals {
    strongest: u32,
    sum: u32,
}

impl Signals {
    fn add(&mut self, points: u32) {
        self.strongest = self.strongest.max(points);
        self.sum = self.sum.saturating_add(points);
    }

    fn points(self) -> u32 {
        let others = self.sum.saturating_sub(self.strongest);
        self.strongest.saturating_add(others.min(CORROBORATION))
    }
}

/// The points of one message, for the families that score. Half a KiB.
#[derive(Clone, Debug)]
pub struct Tally {
    cell: u64,
    before: Seen,
    here: Seen,
    /// The current neighbourhood's signals by group; code and web use one each.
    groups: [Signals; Group::COUNT],
    code: Signals,
    web: Signals,
    worst: [u32; FAMILIES],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            cell: 0,
            before: [0; RULES / 64],
            here: [0; RULES / 64],
            groups: [Signals::default(); Group::COUNT],
            code: Signals::default(),
            web: Signals::default(),
            worst: [0; FAMILIES],
        }
    }
}

impl Tally {
    /// Adds a hit that starts `base` bytes of text into the message plus its own
    /// offset. Hits come in any order inside a block, blocks in the order of the text.
    pub fn add(&mut self, set: &RuleSet, base: u64, hit: &Hit) {
        let cell = base.saturating_add(u64::from(hit.end)) / CELL;
        if cell > self.cell {
            self.move_on(set, cell);
        }
        let place = usize::from(hit.rule.0).min(RULES.saturating_sub(1));
        let bit = 1_u64 << (place & 63);
        let known = self
            .before
            .get(place >> 6)
            .is_some_and(|word| *word & bit != 0);
        let Some(word) = self.here.get_mut(place >> 6) else {
            return;
        };
        if *word & bit != 0 {
            return;
        }
        *word |= bit;
        if !known {
            self.count(set, hit.rule.0);
        }
    }

    /// Forgets the neighbourhood, keeps the worst: for the next, unrelated text.
    pub fn part(&mut self) {
        let worst = self.worst;
        *self = Self {
            worst,
            ..Self::default()
        };
    }

    /// The points of a scored family; 0 for the others, whose every hit counts.
    pub fn points(&self, family: Family) -> u32 {
        let [injection, code, web] = self.worst;
        match family {
            Family::PromptInjection => injection,
            Family::CodePatterns => code,
            Family::WebAttacks => web,
            Family::Pii
            | Family::Secrets
            | Family::Harmful
            | Family::Canary
            | Family::Sanitization => 0,
        }
    }

    /// What the points of a scored family amount to.
    pub fn level(&self, family: Family) -> Level {
        Level::of(self.points(family))
    }

    /// The points as a number from 0 to 1: `p / (p + 60)`. Strictly rising, so
    /// that it ranks as the points do; 60 points, which block, give 0.5.
    pub fn score(&self, family: Family) -> f64 {
        let points = f64::from(self.points(family));
        points / (points + f64::from(BLOCK_POINTS))
    }

    fn move_on(&mut self, set: &RuleSet, cell: u64) {
        let next_door = self.cell.checked_add(1) == Some(cell);
        self.before = if next_door {
            self.here
        } else {
            [0; RULES / 64]
        };
        self.here = [0; RULES / 64];
        self.cell = cell;
        self.groups = [Signals::default(); Group::COUNT];
        self.code = Signals::default();
        self.web = Signals::default();
        let carried = self.before;
        for (slot, word) in (0_u16..).zip(carried) {
            let mut rest = word;
            while rest != 0 {
                let bit = u16::try_from(rest.trailing_zeros()).unwrap_or(0);
                self.count(set, slot.saturating_mul(64).saturating_add(bit));
                rest &= rest.wrapping_sub(1);
            }
        }
    }

    fn count(&mut self, set: &RuleSet, place: u16) {
        let Some(rule) = set.rule(super::RuleIx(place)) else {
            return;
        };
        let points = u32::from(rule.points);
        match rule.family {
            Family::PromptInjection => {
                if let Some(group) = self.groups.get_mut(rule.group.index()) {
                    group.add(points);
                }
            }
            Family::CodePatterns => self.code.add(points),
            Family::WebAttacks => self.web.add(points),
            Family::Pii
            | Family::Secrets
            | Family::Harmful
            | Family::Canary
            | Family::Sanitization => {}
        }
        let injection = self.groups.iter().map(|group| group.points()).sum();
        let now = [injection, self.code.points(), self.web.points()];
        for (worst, now) in self.worst.iter_mut().zip(now) {
            *worst = (*worst).max(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CELL, Level, Tally};
    use crate::inspect::detect::probe::set;
    use crate::inspect::detect::{Family, Group, Hit, Rule, RuleIx, RuleSet};

    const ONE: Rule = Rule::new("t.one", Family::PromptInjection, "t").worth(60, Group::Override);
    const TWO: Rule = Rule::new("t.two", Family::PromptInjection, "t").worth(60, Group::Persona);
    const LOUD: Rule = Rule::new("t.loud", Family::PromptInjection, "t").worth(900, Group::Evasion);
    const WEAK: Rule = Rule::new("t.weak", Family::PromptInjection, "t").worth(15, Group::Evasion);
    const ALSO: Rule = Rule::new("t.also", Family::PromptInjection, "t").worth(15, Group::Evasion);
    const MORE: Rule = Rule::new("t.more", Family::PromptInjection, "t").worth(15, Group::Evasion);
    const CODE: Rule = Rule::new("t.code", Family::CodePatterns, "t").worth(50, Group::Payload);

    fn add(tally: &mut Tally, set: &RuleSet, rule: u16, at: u64) {
        let family = set.rule(RuleIx(rule)).unwrap().family;
        let hit = Hit {
            family,
            rule: RuleIx(rule),
            start: 0,
            end: 0,
            score: 0,
        };
        tally.add(set, at, &hit);
    }

    #[test]
    fn a_rule_counts_once_nearby_and_groups_add_up() {
        let set = set(&[&[ONE, TWO, LOUD, CODE]]);
        let mut tally = Tally::default();
        add(&mut tally, &set, 0, 0);
        add(&mut tally, &set, 0, 9);
        assert_eq!(
            tally.points(Family::PromptInjection),
            60,
            "the same rule twice is one signal"
        );
        assert_eq!(
            tally.level(Family::PromptInjection),
            Level::Block,
            "60 block"
        );
        add(&mut tally, &set, 1, CELL + 5);
        assert_eq!(
            tally.points(Family::PromptInjection),
            120,
            "the next cell is nearby"
        );
        assert_eq!(
            tally.level(Family::PromptInjection),
            Level::Block,
            "120 blocks"
        );
        assert_eq!(tally.points(Family::CodePatterns), 0, "families do not mix");
        add(&mut tally, &set, 3, CELL + 5);
        assert_eq!(
            tally.level(Family::CodePatterns),
            Level::Flag,
            "code has its own score"
        );
    }

    #[test]
    fn signals_far_apart_do_not_add_up() {
        let set = set(&[&[ONE, TWO]]);
        let mut tally = Tally::default();
        add(&mut tally, &set, 0, 0);
        add(&mut tally, &set, 1, 2 * CELL);
        assert_eq!(
            tally.points(Family::PromptInjection),
            60,
            "two cells away is far"
        );
        add(&mut tally, &set, 0, 3 * CELL);
        assert_eq!(
            tally.points(Family::PromptInjection),
            120,
            "said again, it counts again"
        );
        let mut parted = Tally::default();
        add(&mut parted, &set, 0, 0);
        parted.part();
        add(&mut parted, &set, 1, 0);
        assert_eq!(
            parted.points(Family::PromptInjection),
            60,
            "another text is far"
        );
    }

    #[test]
    fn signals_of_one_group_corroborate_only() {
        let set = set(&[&[WEAK, ALSO, MORE, LOUD]]);
        let mut tally = Tally::default();
        assert!(
            tally.score(Family::PromptInjection) < f64::EPSILON,
            "nothing scores nothing"
        );
        for (rule, points, why) in [
            (0, 15, "a weak signal"),
            (1, 30, "two of them"),
            (2, 45, "three are below the flag threshold"),
            (3, 940, "the strongest counts in full, the others 40"),
        ] {
            let before = tally.score(Family::PromptInjection);
            add(&mut tally, &set, rule, 0);
            assert_eq!(tally.points(Family::PromptInjection), points, "{why}");
            let after = tally.score(Family::PromptInjection);
            assert!(
                before < after && after < 1.0,
                "the score rises and stays below 1"
            );
        }
    }
}

//! Orders of endpoints, worked out once from their weights: turns, and a ring of callers.
//!
//! Decides whose turn it is at a running number ([`Schedule`]) and to whom a caller belongs
//! ([`Ring`]). It keeps no state and knows nothing of health; `route::choice` does.

/// How one of a provider's endpoints is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Balance {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// The one with the fewest calls in flight.
    LeastInFlight,
    /// The faster of two, by peak EWMA of the time to the first byte.
    Latency,
    /// Always the same one for one caller.
    HashKey,
}

impl Balance {
    /// The word in configuration and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastInFlight => "least_in_flight",
            Self::Latency => "latency",
            Self::HashKey => "hash_key",
        }
    }
}

/// A weighted round robin, worked out once: of any `len` calls in a row each endpoint gets exactly
/// its share, and the shares are spread rather than bunched (the smooth weighting of nginx).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    order: Vec<u16>,
    endpoints: u16,
}

impl Schedule {
    /// Works the order out. An endpoint of weight 0 is tried only after all others.
    ///
    /// At most 1024 endpoints are looked at, and shares finer than one in 4096 are rounded up.
    pub fn new(weights: &[u16]) -> Self {
        let weights = weights.get(..1024).unwrap_or(weights);
        let endpoints = u16::try_from(weights.len()).unwrap_or(u16::MAX);
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let divisor = weights
            .iter()
            .fold(0_u64, |gcd, weight| greatest(gcd, u64::from(*weight)));
        // Large weights without a common divisor would make a long table for no use.
        let divisor = divisor.max(total.div_ceil(4096)).max(1);
        let shares: Vec<i64> = weights
            .iter()
            .map(|weight| i64::try_from(u64::from(*weight).div_ceil(divisor)).unwrap_or(0))
            .collect();
        let sum: i64 = shares.iter().sum();
        let mut credit = vec![0_i64; shares.len()];
        let mut order = Vec::new();
        for _ in 0..sum {
            for (credit, share) in credit.iter_mut().zip(&shares) {
                *credit = credit.saturating_add(*share);
            }
            // The first of equals, so that the order is the file's.
            let best = (0..endpoints)
                .rev()
                .max_by_key(|i| credit.get(usize::from(*i)).copied());
            let Some(best) = best else { break };
            if let Some(credit) = credit.get_mut(usize::from(best)) {
                *credit = credit.saturating_sub(sum);
            }
            order.push(best);
        }
        Self { order, endpoints }
    }

    /// All endpoints, beginning with the one whose turn it is at this tick.
    pub fn from_tick(&self, tick: u64) -> impl Iterator<Item = usize> + '_ {
        let len = u64::try_from(self.order.len()).unwrap_or(u64::MAX);
        let turn = tick
            .checked_rem(len)
            .and_then(|turn| usize::try_from(turn).ok())
            .unwrap_or(0);
        let first = self.order.get(turn).copied().unwrap_or(0);
        let endpoints = self.endpoints;
        (0..endpoints).filter_map(move |step| {
            first
                .checked_add(step)?
                .checked_rem(endpoints)
                .map(usize::from)
        })
    }
}

/// A ring of callers: each endpoint has points on it by its weight, and a caller belongs to the
/// next point after its own hash. An endpoint that comes or goes moves its own callers alone, and
/// a canary of weight 5 beside one of 95 always has the same 5 callers of 100.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    points: Vec<(u64, u16)>,
}

/// Points of an endpoint for each part of its weight.
const POINTS: usize = 160;
/// Points of all endpoints together at most.
const MOST_POINTS: usize = 65_536;

impl Ring {
    /// Works the ring out. `names` tell the endpoints apart; their order does not matter.
    pub fn new<'a>(endpoints: impl IntoIterator<Item = (&'a str, u16)>) -> Self {
        let endpoints: Vec<(&str, u16)> = endpoints.into_iter().take(1024).collect();
        let weights = || endpoints.iter().map(|(_, weight)| u64::from(*weight));
        let divisor = weights().fold(0, greatest).max(1);
        let parts = |weight: u16| {
            let parts = u64::from(weight).checked_div(divisor).unwrap_or(0);
            usize::try_from(parts).unwrap_or(0)
        };
        let all: usize = endpoints.iter().map(|(_, weight)| parts(*weight)).sum();
        let each = MOST_POINTS.checked_div(all).unwrap_or(0).clamp(1, POINTS);
        let mut points = Vec::with_capacity(all.saturating_mul(each));
        for (place, (name, weight)) in (0_u16..).zip(&endpoints) {
            let own = hash(name.as_bytes());
            let seeds = (0_u64..).take(parts(*weight).saturating_mul(each));
            points.extend(seeds.map(|n| (scatter(own ^ scatter(n)), place)));
        }
        points.sort_unstable();
        Self { points }
    }

    /// All endpoints with a weight, beginning with the one that the hash belongs to. One may
    /// come more than once.
    pub fn from_hash(&self, hash: u64) -> impl Iterator<Item = usize> + '_ {
        let first = self.points.partition_point(|(point, _)| *point < hash);
        let (before, after) = self.points.split_at_checked(first).unwrap_or((&[], &[]));
        after
            .iter()
            .chain(before)
            .map(|(_, place)| usize::from(*place))
    }
}

/// A hash that is the same in every process (FNV-1a, then scattered), so that a fleet of gateways
/// sends a caller to one endpoint.
pub fn hash(bytes: &[u8]) -> u64 {
    let folded = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    scatter(folded)
}

/// Spreads numbers that lie close together over all 64 bits (the end of `SplitMix64`).
pub const fn scatter(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

const fn greatest(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        a = b;
        b = rest;
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn firsts(weights: &[u16], calls: u64) -> Vec<usize> {
        let schedule = Schedule::new(weights);
        (0..calls)
            .filter_map(|tick| schedule.from_tick(tick).next())
            .collect()
    }

    #[test]
    fn equal_weights_take_turns() {
        assert_eq!(
            firsts(&[1, 1, 1], 6),
            [0, 1, 2, 0, 1, 2],
            "one after the other"
        );
        assert_eq!(firsts(&[7], 3), [0, 0, 0], "one endpoint is always the one");
    }

    #[test]
    fn weights_are_spread_not_bunched() {
        assert_eq!(
            firsts(&[5, 1, 1], 7),
            [0, 0, 1, 0, 2, 0, 0],
            "nginx's own example"
        );
    }

    #[test]
    fn a_weight_of_zero_is_a_last_resort() {
        assert_eq!(firsts(&[0, 1], 3), [1, 1, 1], "never first");
        let schedule = Schedule::new(&[0, 1]);
        assert_eq!(
            schedule.from_tick(0).collect::<Vec<_>>(),
            [1, 0],
            "but tried in the end"
        );
    }

    #[test]
    fn nothing_to_choose_from_is_no_choice() {
        assert_eq!(firsts(&[], 3), Vec::<usize>::new(), "no endpoints");
    }

    fn ring(weights: &[u16]) -> (Vec<String>, Vec<u16>) {
        let names = (0..weights.len()).map(|n| format!("https://e{n}.example"));
        (names.collect(), weights.to_vec())
    }

    fn owners(weights: &[u16], callers: u64) -> Vec<usize> {
        let (names, weights) = ring(weights);
        let ring = Ring::new(names.iter().map(String::as_str).zip(weights));
        (0..callers)
            .filter_map(|n| ring.from_hash(hash(&n.to_le_bytes())).next())
            .collect()
    }

    #[test]
    fn a_canary_has_about_its_share_of_the_callers() {
        let owners = owners(&[95, 5], 20_000);
        let canary = owners.iter().filter(|one| **one == 1).count();
        assert!((600..1500).contains(&canary), "5 % of 20000: {canary}");
    }

    #[test]
    fn an_endpoint_that_comes_takes_callers_and_moves_no_others() {
        let before = owners(&[1, 1, 1], 10_000);
        let after = owners(&[1, 1, 1, 1], 10_000);
        let moved = before.iter().zip(&after).filter(|(b, a)| b != a);
        assert!(moved.clone().all(|(_, a)| *a == 3), "only to the new one");
        let share = moved.count();
        assert!((1_500..3_500).contains(&share), "about a quarter: {share}");
    }

    #[test]
    fn the_hash_is_the_same_in_every_process() {
        assert_eq!(hash(b"team-a"), hash(b"team-a"), "no random state");
        assert_eq!(hash(b""), 14_087_677_454_934_409_008, "and never changes");
    }

    proptest! {
        #[test]
        fn shares_are_exact_over_a_round(weights in prop::collection::vec(0_u16..20, 1..6)) {
            let total: u64 = weights.iter().map(|w| u64::from(*w)).sum();
            prop_assume!(total > 0);
            let seen = firsts(&weights, total);
            for (endpoint, weight) in weights.iter().enumerate() {
                let count = seen.iter().filter(|e| **e == endpoint).count();
                prop_assert_eq!(count, usize::from(*weight), "endpoint {}", endpoint);
            }
        }

        #[test]
        fn every_endpoint_is_tried_once(weights in prop::collection::vec(0_u16..=1000, 1..9), tick: u64) {
            let mut order: Vec<_> = Schedule::new(&weights).from_tick(tick).collect();
            order.sort_unstable();
            prop_assert_eq!(order, (0..weights.len()).collect::<Vec<_>>());
        }
    }
}

//! The choice among a provider's endpoints.
//!
//! Decides the order in which endpoints are tried, from their weights and a running number passed
//! in. It keeps no state and knows nothing of health.

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

//! What is known of all providers, left to a successor: by provider and endpoint.
//!
//! Decides that only endpoints in trouble are worth a word, and that a successor whose
//! configuration has no such endpoint leaves the word alone.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fleet::View;
use super::live::bequest::LiveLeft;
use crate::policy::Policy;

/// The form of what is left; one of another form is not taken over.
pub const VERSION: u32 = 1;

/// What is left of endpoints, by provider and address.
pub type Bequest = BTreeMap<String, BTreeMap<String, LiveLeft>>;

/// What this view of the policy's providers leaves.
pub fn of(view: &View, policy: &Policy, now: Duration) -> Bequest {
    let both = policy.providers.iter().zip(view.providers());
    let providers = both.map(|(provider, live)| {
        let endpoints = provider.endpoints.iter().zip(live.endpoints());
        let left = endpoints
            .filter_map(|(endpoint, live)| Some((endpoint.label().to_owned(), live.left(now)?)));
        (provider.name.as_str().to_owned(), left.collect())
    });
    providers
        .filter(|(_, endpoints): &(_, BTreeMap<_, _>)| !endpoints.is_empty())
        .collect()
}

/// Takes over what another process left; answers for how many endpoints.
pub fn take(bequest: &Bequest, view: &View, policy: &Policy, now: Duration) -> usize {
    let mut taken: usize = 0;
    for (provider, live) in policy.providers.iter().zip(view.providers()) {
        let Some(left) = bequest.get(provider.name.as_str()) else {
            continue;
        };
        for (endpoint, live) in provider.endpoints.iter().zip(live.endpoints()) {
            if let Some(left) = left.get(endpoint.label()) {
                live.take(left, now);
                taken = taken.saturating_add(1);
            }
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use super::*;
    use crate::route::breaker::{BreakerSettings, Circuit, HealthSettings};
    use crate::route::live::{Live, Order, Standing, Verdict};

    const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn live() -> Arc<Live> {
        let settings = BreakerSettings {
            failures: TWO,
            within: at(10),
            open_for: at(30),
            trials: NonZeroU32::MIN,
        };
        Arc::new(Live::new(Some(settings), Duration::ZERO))
    }

    /// A second process, whose clock stands elsewhere, after the words went over as text.
    fn successor(old: &Live, now: Duration, here: Duration) -> Arc<Live> {
        let text = serde_json::to_string(&old.left(now).expect("trouble")).unwrap();
        let new = live();
        new.take(&serde_json::from_str(&text).unwrap(), here);
        new
    }

    #[test]
    fn an_open_breaker_stays_open_for_the_rest_of_its_time() {
        let old = live();
        for second in [100, 101] {
            old.begin(at(second))
                .unwrap()
                .settle(Verdict::Bad, at(second));
        }
        let new = successor(&old, at(111), at(5_000));
        assert_eq!(new.glance(at(5_000)).circuit, Circuit::Open, "handed over");
        assert_eq!(
            new.standing(at(5_019)),
            Standing::Closed,
            "20 seconds are left"
        );
        assert_eq!(
            new.glance(at(5_020)).circuit,
            Circuit::HalfOpen,
            "no longer"
        );
        new.begin(at(5_020))
            .unwrap()
            .settle(Verdict::Good(at(1)), at(5_020));
        assert_eq!(
            new.glance(at(5_020)).circuit,
            Circuit::Closed,
            "one trial is enough"
        );
    }

    #[test]
    fn a_failure_before_the_upgrade_counts_after_it() {
        let old = live();
        old.begin(at(100)).unwrap().settle(Verdict::Bad, at(100));
        let new = successor(&old, at(104), at(5_000));
        assert_eq!(new.glance(at(5_000)).circuit, Circuit::Closed, "one of two");
        new.begin(at(5_005))
            .unwrap()
            .settle(Verdict::Bad, at(5_005));
        assert_eq!(
            new.glance(at(5_005)).circuit,
            Circuit::Open,
            "9 seconds apart"
        );
    }

    #[test]
    fn what_probes_and_operators_say_goes_over_and_a_well_endpoint_leaves_nothing() {
        assert_eq!(live().left(at(1)), None, "there is nothing to say");
        let old = live();
        let settings = HealthSettings {
            unhealthy_after: NonZeroU32::MIN,
            healthy_after: TWO,
        };
        old.probed(false, settings, at(100));
        let new = successor(&old, at(101), at(5_000));
        assert_eq!(new.standing(at(5_000)), Standing::Closed, "ill");
        assert!(!new.probed(true, settings, at(5_001)), "one good probe");
        assert!(new.probed(true, settings, at(5_002)), "and a second");
        assert_eq!(new.standing(at(5_002)), Standing::Ready, "well");
        old.order(Order::Drain);
        let new = successor(&old, at(102), at(5_000));
        assert_eq!(new.glance(at(5_000)).order, Order::Drain, "an order holds");
    }
}

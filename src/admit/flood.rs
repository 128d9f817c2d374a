//! Who opens connections so fast that no honest client does.
//!
//! Decides by the limit on requests of one address: a client that keeps to it needs at most one
//! connection a request, so ten times as many are a flood. Those are counted exactly, and only for
//! clients that a coarse count elsewhere suspects: whom it suspects wrongly is not refused.

use std::num::NonZeroU64;

use super::client::Client;
use super::ledger::{Ledger, Who};
use super::moment::Moment;
use crate::policy::limits::{Limit, Scope};

/// Connections that a client may open for each request that it may make.
const FOR_EACH: NonZeroU64 = NonZeroU64::new(10).expect("ten is not zero");
/// Connections that any client may open at once.
const AT_ONCE: u32 = 1_000;

/// The limit on the connections of one client, where this is its limit on requests.
fn limit(requests: &Limit) -> Option<Limit> {
    let burst = u64::from(requests.burst()).saturating_mul(FOR_EACH.get());
    let burst = u32::try_from(burst).unwrap_or(u32::MAX).max(AT_ONCE);
    Limit::new(requests.rate().times(FOR_EACH), burst).ok()
}

/// Whether one connection more of this client's is a flood, where `requests` is its limit.
pub fn is_flood(client: Client, requests: &Limit, ledger: &Ledger, now: Moment) -> bool {
    let key = ledger.key(Who::Connects(client));
    limit(requests).is_some_and(|limit| ledger.charge_own(Scope::Ip, key, &limit, now).is_err())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;

    #[test]
    fn ten_connections_a_request_are_no_flood_and_more_are() {
        let client = Client::of(IpAddr::from([192, 0, 2, 1]));
        let start = Moment::from_nanos(1_000_000_000_000);
        for (rate, burst, at_once, a_minute) in [
            ("100/minute", 50, 1_000, 1_000),
            ("600/minute", 500, 5_000, 5_000),
            ("1/hour", 1, 1_000, 0),
        ] {
            let ledger = Ledger::new(1_000);
            let requests = Limit::new(rate.parse().unwrap(), burst).unwrap();
            let open = |now| {
                let opened = (0..100_000).find(|_| is_flood(client, &requests, &ledger, now));
                opened.unwrap()
            };
            assert_eq!(open(start), at_once, "{rate}: at once");
            let later = start.after(Duration::from_mins(1));
            let more = open(later);
            assert!(
                more <= a_minute && more >= a_minute * 9 / 10,
                "{rate}: {more}"
            );
        }
        let ledger = Ledger::new(1_000);
        let requests = Limit::new("1/second".parse().unwrap(), 1).unwrap();
        while !is_flood(client, &requests, &ledger, start) {}
        let other = Client::of(IpAddr::from([192, 0, 2, 2]));
        assert!(!is_flood(other, &requests, &ledger, start), "others go on");
    }
}

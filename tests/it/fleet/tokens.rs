//! Model tokens of a key, which a fleet shares as it shares requests.

use super::{POLL, Redis, call, fleet};
use crate::harness::{Gateway, within};

const TOKENS: u64 = 600;

/// Refusals in a row, so far apart, by which a host has heard from the store.
const REFUSALS: usize = 25;

/// Calls until nothing more passes; answers how many tokens were used, as the answers say.
async fn used_up(gateway: &Gateway) -> u64 {
    let (mut used, mut refused) = (0, 0);
    let calling = async {
        let mut ticks = tokio::time::interval(POLL);
        while refused < REFUSALS {
            let reply = call(gateway).await;
            if reply.status == 200 {
                let total = &reply.json()["usage"]["total_tokens"];
                used += total.as_u64().expect("the answer says what it used");
                refused = 0;
            } else {
                reply.assert_refused(429, "token_limit_exceeded", "nothing else is limited");
                refused += 1;
                ticks.tick().await;
            }
        }
    };
    within("all tokens are used", calling).await;
    used
}

#[tokio::test]
async fn a_key_has_its_tokens_once_in_a_fleet_at_whichever_host() {
    let Some(redis) = Redis::start("shared tokens").await else {
        return;
    };
    let limits = format!("{{per_ip: null, per_key: {{rate: null, tokens: {TOKENS}/hour}}}}");
    let gateways = fleet(3, &redis.url(), &limits).await;
    let first = used_up(&gateways[0]).await;
    // A host alone has a third; what is leased makes it all of them, but for what a request sets
    // aside and does not use, and for a store that is late for a moment.
    assert!(first > TOKENS / 2, "at one host: {first} of {TOKENS}");
    let mut others = 0;
    for gateway in &gateways[1..] {
        others += used_up(gateway).await;
    }
    // What hosts pay of their own shares before the store knows of it may come on top.
    let all = first + others;
    assert!(all <= 2 * TOKENS, "{first} at one host and {others} at two");
}

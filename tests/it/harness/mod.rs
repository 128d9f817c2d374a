//! What every test stands on: the real gateway, providers that can misbehave, a client that
//! checks each reply against the contract, and waits that end on an event or on a deadline.
//!
//! Nothing here sleeps to let something else happen, and no port is fixed.

use std::future::Future;
use std::io::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Interval, MissedTickBehavior};

pub(crate) mod client;
pub(crate) mod configuration;
pub(crate) mod contract;
pub(crate) mod frames;
pub(crate) mod gateway;
pub(crate) mod http1;
pub(crate) mod perform;
pub(crate) mod received;
pub(crate) mod replies;
pub(crate) mod script;
pub(crate) mod secured;
mod tests;
pub(crate) mod upstream;

pub(crate) use client::{Client, Reply, Request};
pub(crate) use gateway::{ADMIN_KEY, Gateway, STANDARD_KEY};
pub(crate) use script::Script;
pub(crate) use upstream::Upstream;

/// How long an awaited event may take before a test gives up. Generous: a loaded machine is
/// slow, and only a failing test ever waits this long.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// How often a condition without an event of its own (a file, a port) is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Waits for `event`, and names what was waited for when the deadline passes.
pub(crate) async fn within<F: Future>(what: &str, event: F) -> F::Output {
    let outcome = tokio::time::timeout(DEADLINE, event).await;
    outcome.unwrap_or_else(|late| panic!("{late} ({DEADLINE:?}): {what}"))
}

/// Moments to look at something again. However long a look takes, a pause follows: looks that were
/// missed would else be made up for in a row, and nothing that the test does beside them would run.
pub(crate) fn looks(every: Duration) -> Interval {
    let mut looks = tokio::time::interval(every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// Looks until `look` finds something, with the deadline of [`within`].
pub(crate) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let search = async {
        let mut ticks = looks(POLL);
        loop {
            ticks.tick().await;
            if let Some(found) = look() {
                return found;
            }
        }
    };
    within(what, search).await
}

/// Says that a test was skipped for want of a tool; where `CI` is `true` that is a failure.
///
/// Written past the test runner's capture, so that a skipped test shows in every run.
pub(crate) fn skipped(what: &str, missing: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{what}: {missing} is missing, and CI skips no test"
    );
    left_out(what, &format!("{missing} is missing"));
}

/// Says that a test was left out because of where it runs, which no installation mends.
pub(crate) fn left_out(what: &str, why: &str) {
    let line = format!("skipped: {what} ({why})\n");
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("stderr takes a line");
}

/// A small chat request for `model`.
pub(crate) fn chat(model: &str) -> Request {
    Request::post("/v1/chat/completions", &chat_body(model))
}

/// The body of [`chat`].
pub(crate) fn chat_body(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}]})
}

/// The same, streamed.
pub(crate) fn streamed_chat(model: &str) -> Request {
    let mut body = chat_body(model);
    body["stream"] = json!(true);
    Request::post("/v1/chat/completions", &body)
}

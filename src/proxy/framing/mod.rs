//! What Pingora 0.9.1 does to a request's body, as the design stands on it, and what our guarded
//! session makes of it: over HTTP/1 and HTTP/2, on both sides, over real sockets.
//!
//! Among these tests are some that pin behaviour which is wrong, because `guard` and `body` exist
//! to keep it from happening; their names say so. When the next version of Pingora turns one of
//! them red, the workaround that it stands for may be taken out.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails, which is what a test is for"
)]

mod client;
mod deadlines;
mod early;
mod gateway;
mod guarded;
mod heads;
mod hooks;
mod http1;
mod partial;
mod retries;
mod scripted;
mod upstream;

use std::future::Future;
use std::time::Duration;

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// HTTP/1.1.
    One,
    /// HTTP/2 without TLS, by prior knowledge.
    Two,
}

use Version::{One, Two};

/// From which version to which: client and provider.
const PAIRS: [(Version, Version); 4] = [(One, One), (One, Two), (Two, One), (Two, Two)];

/// How long an awaited event may take before a test gives up: only a failing test waits so long.
const DEADLINE: Duration = Duration::from_secs(20);

/// Waits for `event`, and names what was waited for when the deadline passes.
async fn within<F: Future>(what: &str, event: F) -> F::Output {
    let outcome = tokio::time::timeout(DEADLINE, event).await;
    outcome.unwrap_or_else(|late| panic!("{late}: {what}"))
}

/// A body of `size` bytes in which no two stretches look alike.
fn body(size: usize) -> Vec<u8> {
    (0..size)
        .map(|n| u8::try_from((n * 7 + n / 251) % 253).expect("under 253"))
        .collect()
}

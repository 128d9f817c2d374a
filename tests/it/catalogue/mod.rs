//! The failure catalogue: what a provider can do wrong, one scenario a test, over the real binary.
//!
//! Each scenario says what the client of a provider without a substitute sees, how many calls the
//! provider got, which classes of failed attempts are on record, and whether a client sees nothing
//! of it where another provider can answer. What attempts and classes are is in
//! `docs/providers.md`.

mod bursts;
mod connecting;
mod http2;
mod plain;
mod statuses;
mod streams;

use serde_json::Value;

use crate::harness::{DEADLINE, Gateway, Reply, STANDARD_KEY, Script, Upstream};
use crate::harness::{chat, streamed_chat};

/// Times that are short enough for a test, and long enough for a loaded machine.
const TIMES: &str = "timeouts: {connect: 30s, first_byte: 3s, idle: 3s, total: 60s}";

/// What the client of a provider without a substitute sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sees {
    /// A whole answer.
    Answer,
    /// A refusal of the gateway's, with this status and code.
    Refused(u16, &'static str),
    /// A stream that ends with a typed error event, and never with `[DONE]`.
    ErrorEvent,
}

/// One scenario.
struct Scenario {
    /// What the provider does; each of its calls is answered by a script of its own.
    answers: fn() -> Script,
    streamed: bool,
    sees: Sees,
    /// Calls that the provider gets where there is no substitute.
    calls: usize,
    classes: &'static [&'static str],
    /// Whether a client sees nothing of it where there is a substitute.
    rescued: bool,
}

impl Scenario {
    /// Plays it, for a provider alone and with a substitute.
    async fn holds(self) {
        let upstream = Upstream::start().await;
        for _ in 0..8 {
            upstream.answer((self.answers)());
        }
        let stage = Stage::new(&upstream.url(), "").await;
        let reply = stage.call("alone", self.streamed).await;
        self.assert_seen(&reply);
        assert_eq!(upstream.requests().len(), self.calls, "calls that it got");
        let (attempts, classes) = stage.record(&reply).await;
        assert_eq!(attempts, Some(self.calls), "attempts on record");
        assert_eq!(classes, self.classes, "classes on record");
        let told = reply.headers.one("x-portcullis-attempts");
        if self.sees != Sees::ErrorEvent {
            assert_eq!(told, Some(&*self.calls.to_string()), "attempts, as told");
        }
        let reply = stage.call("substituted", self.streamed).await;
        if self.rescued {
            stage.assert_substituted(&reply);
        } else {
            self.assert_seen(&reply);
            stage.spare.assert_untouched("it may have been run");
        }
    }

    fn assert_seen(&self, reply: &Reply) {
        assert_seen(self.sees, reply);
    }
}

fn assert_seen(sees: Sees, reply: &Reply) {
    match sees {
        Sees::Answer => reply.assert_fine("an answer"),
        Sees::Refused(status, code) => {
            assert_eq!(reply.status, status, "{reply:?}");
            assert_eq!(reply.json()["error"]["code"], code, "{reply:?}");
        }
        Sees::ErrorEvent => {
            let text = reply.text();
            assert_eq!(reply.status, 200, "the stream had begun: {text}");
            assert!(text.contains("\"error\""), "a typed error: {text}");
            assert!(!text.contains("[DONE]"), "no false end: {text}");
        }
    }
}

/// A gateway with a route to a faulty provider alone, and one to it and a substitute.
struct Stage {
    gateway: Gateway,
    spare: Upstream,
}

impl Stage {
    /// The faulty provider is at `url`; `more` is laid over its configuration.
    async fn new(url: &str, more: &str) -> Self {
        let more = format!("{{{TIMES}{more}}}");
        Self::with(url, &more).await
    }

    /// The same, with times of its own.
    async fn with(url: &str, more: &str) -> Self {
        let spare = Upstream::start().await;
        let gateway = Gateway::builder()
            .provider_with("faulty", "openai", url, more)
            .provider("spare", "openai", &spare.url())
            .route("{models: [alone], providers: [faulty], retries: 1}")
            .route("{models: [substituted], providers: [faulty, spare], retries: 1}")
            .start()
            .await;
        Self { gateway, spare }
    }

    async fn call(&self, model: &str, streamed: bool) -> Reply {
        let request = if streamed {
            streamed_chat(model)
        } else {
            chat(model)
        };
        let mut connection = self.gateway.connect().await;
        connection.send(&request.key(STANDARD_KEY)).await;
        let reply = connection.raw_reply().await;
        reply.expect("a head, whatever the provider does")
    }

    /// Attempts on record, and the classes of the failed ones.
    async fn record(&self, reply: &Reply) -> (Option<usize>, Vec<String>) {
        let id = reply.headers.one("x-request-id").expect("an id");
        let line = self.gateway.access_line(id).await;
        let facts = &line["extra_data"];
        let attempts = facts["attempts"].as_u64();
        let failed = facts["failed_attempts"].as_array();
        let class = |one: &Value| one["class"].as_str().map(str::to_owned);
        let classes = failed.into_iter().flatten().filter_map(class).collect();
        (attempts.and_then(|n| usize::try_from(n).ok()), classes)
    }

    fn assert_substituted(&self, reply: &Reply) {
        reply.assert_fine("the substitute answers");
        let who = reply.headers.one("x-portcullis-provider");
        assert_eq!(who, Some("spare"), "{reply:?}");
        assert_eq!(self.spare.requests().len(), 1, "once");
    }
}

/// Runs a call, and holds that it did not wait for anything.
async fn at_once<T>(call: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(DEADLINE / 6, call).await;
    outcome.expect("at once, and not after a timeout")
}

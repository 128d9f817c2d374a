//! Statuses by which a provider says that it failed, or that it is asked too much.

use super::Sees::Refused;
use super::{Scenario, Stage, assert_seen};
use crate::harness::{Script, Upstream, replies};

fn failing(status: u16) -> Script {
    let body = serde_json::json!({"error": {"message": "on host-7", "type": "x"}});
    Script::json(status, &body)
}

fn busy(after: &str) -> Script {
    Script::json_with(429, &[("retry-after", after)], &serde_json::json!({}))
}

const FAILED: Scenario = Scenario {
    answers: || failing(500),
    streamed: false,
    sees: Refused(500, "upstream_error"),
    // It says itself that it failed, so that it is asked once more.
    calls: 2,
    classes: &["status_500", "status_500"],
    rescued: true,
};

#[tokio::test]
async fn status_500() {
    FAILED.holds().await;
}

#[tokio::test]
async fn status_502() {
    let row = Scenario {
        answers: || failing(502),
        sees: Refused(502, "upstream_error"),
        classes: &["status_502", "status_502"],
        ..FAILED
    };
    row.holds().await;
}

#[tokio::test]
async fn status_503_to_a_stream() {
    let row = Scenario {
        answers: || failing(503),
        streamed: true,
        sees: Refused(503, "upstream_error"),
        classes: &["status_503", "status_503"],
        ..FAILED
    };
    row.holds().await;
}

#[tokio::test]
async fn status_504() {
    let row = Scenario {
        answers: || failing(504),
        sees: Refused(504, "upstream_error"),
        classes: &["status_504", "status_504"],
        ..FAILED
    };
    row.holds().await;
}

#[tokio::test]
async fn status_529() {
    let row = Scenario {
        answers: || failing(529),
        sees: Refused(529, "upstream_error"),
        classes: &["status_529", "status_529"],
        ..FAILED
    };
    row.holds().await;
}

#[tokio::test]
async fn status_501_which_is_no_passing_trouble() {
    let row = Scenario {
        answers: || failing(501),
        sees: Refused(501, "upstream_error"),
        calls: 1,
        classes: &["status_other"],
        rescued: false,
        ..FAILED
    };
    row.holds().await;
}

#[tokio::test]
async fn a_refusal_of_our_key() {
    let row = Scenario {
        answers: || failing(401),
        sees: Refused(502, "upstream_error"),
        calls: 1,
        classes: &["status_other"],
        ..FAILED
    };
    row.holds().await;
}

#[tokio::test]
async fn status_429_that_does_not_say_when_to_come_back() {
    let row = Scenario {
        answers: || failing(429),
        sees: Refused(429, "provider_rate_limit_exceeded"),
        // Another call to the same place would be one more too many.
        calls: 1,
        classes: &["status_429"],
        ..FAILED
    };
    row.holds().await;
}

#[tokio::test]
async fn status_429_with_a_wait_in_seconds_is_obeyed() {
    obeyed("7", 7).await;
}

#[tokio::test]
async fn status_429_with_a_wait_until_a_date_is_obeyed() {
    // A date that never comes: what is told to the client has its ceiling, a day.
    obeyed("Fri, 31 Dec 9999 23:59:59 GMT", 86_400).await;
}

async fn obeyed(after: &str, told: u64) {
    let upstream = Upstream::start().await;
    upstream.answer(busy(after));
    let stage = Stage::new(&upstream.url(), "").await;
    let reply = stage.call("alone", false).await;
    assert_seen(Refused(429, "provider_rate_limit_exceeded"), &reply);
    let wait = reply.headers.one("retry-after");
    assert_eq!(wait, Some(&*told.to_string()), "passed on: {reply:?}");
    let reply = stage.call("substituted", false).await;
    stage.assert_substituted(&reply);
    let attempts = reply.headers.one("x-portcullis-attempts");
    assert_eq!(attempts, Some("1"), "it is left alone");
    assert_eq!(upstream.requests().len(), 1, "it is left alone");
    // Where nobody else can answer, it is asked all the same.
    stage.call("alone", false).await.assert_fine("asked again");
}

#[tokio::test]
async fn a_fault_of_the_callers_is_the_callers() {
    let upstream = Upstream::start().await;
    for _ in 0..2 {
        upstream.answer(replies::failure(400, "/v1/chat/completions"));
    }
    let stage = Stage::new(&upstream.url(), "").await;
    for model in ["alone", "substituted"] {
        let reply = stage.call(model, false).await;
        assert_eq!(reply.status, 400, "passed on: {reply:?}");
        assert_eq!(stage.record(&reply).await, (Some(1), vec![]), "no failure");
    }
    stage
        .spare
        .assert_untouched("another provider would say the same");
}

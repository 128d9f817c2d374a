//! Streams that stop, stall or end without their end.

use super::Sees::{ErrorEvent, Refused};
use super::{Scenario, Stage, assert_seen};
use crate::harness::replies::chat_event;
use crate::harness::script::{Step, data, head};
use crate::harness::{Script, Upstream};

const CUT: Scenario = Scenario {
    answers: || begun("").then(Step::Reset),
    streamed: true,
    sees: ErrorEvent,
    calls: 1,
    classes: &["answer_cut"],
    // The client has a part of it.
    rescued: false,
};

/// The head, one event, and this.
fn begun(rest: &str) -> Script {
    let fields = [
        ("content-type", "text/event-stream"),
        ("transfer-encoding", "chunked"),
    ];
    let mut wire = head(200, &fields);
    for text in [&chat_event("gpt-4o", "Once "), rest] {
        if !text.is_empty() {
            wire.extend_from_slice(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes());
        }
    }
    Script::new(vec![Step::Send(wire)])
}

#[tokio::test]
async fn a_stream_that_is_reset_before_its_first_event() {
    let fields = [
        ("content-type", "text/event-stream"),
        ("transfer-encoding", "chunked"),
    ];
    for last in [|| Step::Reset, || Step::Close] {
        let upstream = Upstream::start().await;
        let begun = || Script::new(vec![Step::Send(head(200, &fields)), last()]);
        upstream.answer(begun());
        upstream.answer(begun());
        let stage = Stage::new(&upstream.url(), "").await;
        for model in ["alone", "substituted"] {
            let reply = stage.call(model, true).await;
            // Whether the head had left when it happened is a matter of time.
            if reply.status == 200 {
                assert_seen(ErrorEvent, &reply);
            } else {
                assert_seen(Refused(502, "upstream_error"), &reply);
            }
        }
        stage.spare.assert_untouched("it may have been run");
    }
}

fn ended() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

#[tokio::test]
async fn a_stream_that_is_reset() {
    CUT.holds().await;
}

#[tokio::test]
async fn a_stream_that_is_closed_between_chunks() {
    let answers = || begun("").then(Step::Close);
    Scenario { answers, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_that_is_silent_between_events() {
    let answers = || begun("").then(Step::Stall);
    Scenario { answers, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_that_is_silent_within_an_event() {
    let answers = || begun("data: {\"id\": \"chat").then(Step::Stall);
    Scenario { answers, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_that_ends_within_an_event() {
    let answers = || begun("data: {\"id\": \"chat").then(ended());
    Scenario { answers, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_that_ends_without_done() {
    let answers = || begun("").then(ended());
    Scenario { answers, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_with_an_event_that_is_no_json() {
    let answers = || begun("data: {\"id\": rubbish}\n\n").then(ended());
    Scenario { answers, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_that_reports_an_error() {
    let answers = || {
        let error = data(&serde_json::json!({"error": {"message": "on host-7", "type": "x"}}));
        begun(&error).then(ended())
    };
    Scenario { answers, ..CUT }.holds().await;
}

//! Plain answers that do not come, come in part, or are none.

use std::time::Duration;

use super::Sees::{Answer, Refused};
use super::{Scenario, Stage, assert_seen};
use crate::harness::script::{Step, head};
use crate::harness::{Script, Upstream, replies};

const BROKEN: Scenario = Scenario {
    answers: Script::reset,
    streamed: false,
    sees: Refused(502, "upstream_error"),
    calls: 1,
    classes: &["no_answer"],
    // Our request was whole at the provider: it may have been run.
    rescued: false,
};

fn part() -> Script {
    let mut script = Script::wrong_length(5000, br#"{"id":"chatcmpl-1","choices":["#);
    script.steps.pop();
    script
}

fn raw(text: &str) -> Script {
    Script::raw(text.as_bytes())
}

#[tokio::test]
async fn reset_before_the_head() {
    BROKEN.holds().await;
}

#[tokio::test]
async fn closed_before_the_head() {
    let answers = Script::close;
    Scenario { answers, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn reset_after_the_head() {
    let answers = || part().then(Step::Reset);
    Scenario { answers, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn closed_within_the_body() {
    let answers = || part().then(Step::Close);
    Scenario { answers, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn reset_between_the_head_and_the_body() {
    let answers = || {
        let fields = [
            ("content-type", "application/json"),
            ("content-length", "5000"),
        ];
        Script::new(vec![Step::Send(head(200, &fields)), Step::Reset])
    };
    Scenario { answers, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn silent_before_the_head() {
    let row = Scenario {
        answers: Script::stall,
        sees: Refused(504, "upstream_timeout"),
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn silent_within_the_head() {
    let row = Scenario {
        answers: || {
            let begun = b"HTTP/1.1 200 OK\r\ncontent-type: app".to_vec();
            Script::new(vec![Step::Send(begun), Step::Stall])
        },
        sees: Refused(504, "upstream_timeout"),
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn silent_within_the_body() {
    let row = Scenario {
        answers: || part().then(Step::Stall),
        sees: Refused(504, "upstream_timeout"),
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn a_slow_drip_within_the_idle_time() {
    let row = Scenario {
        answers: || {
            let whole = Script::json(200, &replies::chat("gpt-4o"));
            let Some(Step::Send(bytes)) = whole.steps.into_iter().next() else {
                panic!("an answer is one write");
            };
            let pieces = bytes.chunks(40).map(<[u8]>::to_vec).collect();
            Script::new(vec![Step::Spaced(Duration::from_millis(50), pieces)])
        },
        sees: Answer,
        classes: &[],
        ..BROKEN
    };
    let upstream = Upstream::start().await;
    upstream.answer((row.answers)());
    let stage = Stage::new(&upstream.url(), "").await;
    let reply = stage.call("alone", false).await;
    assert_seen(row.sees, &reply);
    assert_eq!(stage.record(&reply).await, (Some(1), vec![]), "one attempt");
}

#[tokio::test]
async fn a_slow_drip_beyond_the_total_time() {
    let upstream = Upstream::start().await;
    let drip = || {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
            content-length: 100000\r\n\r\n";
        let spaces = vec![b" ".to_vec(); 100_000];
        let slowly = Step::Spaced(Duration::from_millis(20), spaces);
        Script::new(vec![Step::Send(head.to_vec()), slowly])
    };
    upstream.answer(drip());
    let times = "{timeouts: {connect: 2s, first_byte: 1s, idle: 1s, total: 2s}}";
    let stage = Stage::with(&upstream.url(), times).await;
    let reply = stage.call("alone", false).await;
    assert_seen(Refused(504, "upstream_timeout"), &reply);
    let (_, classes) = stage.record(&reply).await;
    assert_eq!(classes, ["no_answer"], "it was running");
}

#[tokio::test]
async fn rubbish_for_a_head() {
    for answers in [
        || raw("\0\u{1}\u{2} rubbish\r\n\r\n"),
        || raw("SSH-2.0-OpenSSH_9.2\r\n"),
        || raw("HTTP/1.1 200 OK\r\nrubbish\r\n\r\n"),
        || raw("HTTP/1.1 999999 OK\r\n\r\n"),
        || raw("HTTP/1.1 200 OK\r\nbad name: x\r\ncontent-length: 2\r\n\r\n{}"),
    ] {
        Scenario { answers, ..BROKEN }.holds().await;
    }
}

#[tokio::test]
async fn wrong_lengths() {
    for answers in [
        || Script::wrong_length(5000, b"{}"),
        || raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: -2\r\n\r\n{}"),
        || {
            raw(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
                 content-length: 40\r\n\r\n{}",
            )
        },
        || {
            raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n")
        },
        || {
            raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n")
        },
    ] {
        Scenario { answers, ..BROKEN }.holds().await;
    }
}

#[tokio::test]
async fn headers_without_end() {
    let answers = Script::endless_headers;
    Scenario { answers, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn interim_answers_without_end() {
    let answers = || {
        let hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".to_vec();
        Script::new(vec![Step::Forever(hint)])
    };
    let upstream = Upstream::start().await;
    upstream.answer(answers());
    let times = "{timeouts: {connect: 2s, first_byte: 1s, idle: 1s, total: 2s}}";
    let stage = Stage::with(&upstream.url(), times).await;
    let reply = stage.call("alone", false).await;
    assert!(matches!(reply.status, 502 | 504), "{reply:?}");
    assert_eq!(stage.record(&reply).await.1, ["no_answer"], "one attempt");
}

#[tokio::test]
async fn json_that_is_none_with_status_200() {
    for answers in [
        || Script::body(200, "application/json", &[], b"{\"id\": \"chatcmpl-1\", "),
        || Script::body(200, "application/json", &[], b"<html>busy</html>"),
        || Script::body(200, "application/json", &[], b"{} {}"),
        || Script::body(200, "application/json", &[], b""),
    ] {
        let upstream = Upstream::start().await;
        upstream.answer(answers());
        let stage = Stage::new(&upstream.url(), "").await;
        let reply = stage.call("alone", false).await;
        assert_seen(Refused(502, "upstream_error"), &reply);
    }
}

#[tokio::test]
async fn an_answer_of_the_wrong_kind() {
    for answers in [
        || Script::body(200, "text/html", &[], b"<html>busy</html>"),
        || {
            let coded = [("content-encoding", "gzip")];
            Script::body(200, "application/json", &coded, b"\x1f\x8b\x08\0rubbish")
        },
        || Script::body(302, "text/plain", &[("location", "http://x/")], b"there"),
    ] {
        Scenario { answers, ..BROKEN }.holds().await;
    }
}

#[tokio::test]
async fn bytes_behind_the_end() {
    let upstream = Upstream::start().await;
    let mut whole = Script::json(200, &replies::chat("gpt-4o"));
    if let Some(Step::Send(bytes)) = whole.steps.first_mut() {
        bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
    }
    upstream.answer(whole);
    let stage = Stage::new(&upstream.url(), "").await;
    for why in ["what was promised and no more", "left-overs answer nobody"] {
        let reply = stage.call("alone", false).await;
        reply.assert_fine(why);
        assert!(!reply.text().contains("evil"), "{why}: {reply:?}");
    }
}

//! Providers that speak HTTP/2, and what they can do wrong with its frames.

use super::Sees::{Answer, ErrorEvent, Refused};
use super::{Sees, Stage, assert_seen};
use crate::harness::frames::{Frames, Play, Step, data, fine, goaway, head, reset};
use crate::harness::replies;
use crate::harness::secured::{Authority, NAME};

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;

/// One scenario, as in the module above.
struct Row {
    play: Play,
    streamed: bool,
    sees: Sees,
    calls: usize,
    classes: &'static [&'static str],
    rescued: bool,
}

const BROKEN: Row = Row {
    play: |stream| vec![Step::Send(reset(stream, INTERNAL_ERROR))],
    streamed: false,
    sees: Refused(502, "upstream_error"),
    calls: 1,
    classes: &["no_answer"],
    // Our request was whole at the provider: it may have been run.
    rescued: false,
};

const CUT: Row = Row {
    play: |stream| begun(stream, vec![Step::Send(reset(stream, CANCEL))]),
    streamed: true,
    sees: ErrorEvent,
    classes: &["answer_cut"],
    ..BROKEN
};

const UNTOUCHED: Row = Row {
    play: |stream| vec![Step::Send(reset(stream, REFUSED_STREAM))],
    // It says that it did nothing of it, so that it is asked once more.
    calls: 2,
    classes: &["not_processed", "not_processed"],
    rescued: true,
    ..BROKEN
};

/// The head of a stream and one event of it, and this.
fn begun(stream: u32, rest: Vec<Step>) -> Vec<Step> {
    let event = replies::chat_event("gpt-4o", "Once ");
    let mut steps = vec![
        Step::Send(head(stream, "200", "text/event-stream")),
        Step::Send(data(stream, event.as_bytes(), false)),
    ];
    steps.extend(rest);
    steps
}

/// The head of a plain answer and a part of it, and this.
fn part(stream: u32, last: Step) -> Vec<Step> {
    vec![
        Step::Send(head(stream, "200", "application/json")),
        Step::Send(data(stream, br#"{"id":"chatcmpl-1","choices":["#, false)),
        last,
    ]
}

impl Row {
    async fn holds(self) {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
        let provider = Frames::start(&authority.issue(NAME)).await;
        for _ in 0..8 {
            provider.play(self.play);
        }
        let (url, ca) = (provider.url(), authority.file(folder.path()));
        let tls = format!(", endpoints: [{{url: \"{url}\", tls: {{ca_file: {ca}, sni: {NAME}}}}}]");
        let stage = Stage::new(&url, &tls).await;
        let reply = stage.call("alone", self.streamed).await;
        assert_seen(self.sees, &reply);
        assert_eq!(provider.calls(), self.calls, "calls that it got");
        let (attempts, classes) = stage.record(&reply).await;
        assert_eq!(attempts, Some(self.calls), "attempts on record");
        assert_eq!(classes, self.classes, "classes on record");
        let reply = stage.call("substituted", self.streamed).await;
        if self.rescued {
            stage.assert_substituted(&reply);
        } else {
            assert_seen(self.sees, &reply);
            stage.spare.assert_untouched("it may have been run");
        }
    }
}

#[tokio::test]
async fn a_good_answer() {
    let row = Row {
        play: fine,
        sees: Answer,
        classes: &[],
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn reset_before_the_head() {
    BROKEN.holds().await;
}

#[tokio::test]
async fn reset_as_a_stream_that_was_refused() {
    UNTOUCHED.holds().await;
}

#[tokio::test]
async fn goaway_that_leaves_the_call_out() {
    let play: Play = |_| vec![Step::Send(goaway(0, NO_ERROR)), Step::Close];
    Row { play, ..UNTOUCHED }.holds().await;
}

#[tokio::test]
async fn goaway_that_may_have_the_call_run() {
    let play: Play = |stream| vec![Step::Send(goaway(stream, NO_ERROR)), Step::Close];
    Row { play, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn goaway_that_lets_the_call_end() {
    let row = Row {
        play: |stream| {
            let mut steps = vec![Step::Send(goaway(stream, NO_ERROR))];
            steps.extend(fine(stream));
            steps.push(Step::Close);
            steps
        },
        sees: Answer,
        classes: &[],
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn closed_before_the_head() {
    let play: Play = |_| vec![Step::Close];
    Row { play, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn silent_before_the_head() {
    let row = Row {
        play: |_| vec![Step::Stall],
        sees: Refused(504, "upstream_timeout"),
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn reset_within_the_body() {
    let play: Play = |stream| part(stream, Step::Send(reset(stream, INTERNAL_ERROR)));
    Row { play, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn closed_within_the_body() {
    let play: Play = |stream| part(stream, Step::Close);
    Row { play, ..BROKEN }.holds().await;
}

#[tokio::test]
async fn silent_within_the_body() {
    let row = Row {
        play: |stream| part(stream, Step::Stall),
        sees: Refused(504, "upstream_timeout"),
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn a_stream_that_is_reset() {
    CUT.holds().await;
}

#[tokio::test]
async fn a_stream_that_is_reset_without_an_error() {
    let play: Play = |stream| begun(stream, vec![Step::Send(reset(stream, NO_ERROR))]);
    Row { play, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_whose_connection_goes_away() {
    let play: Play = |stream| {
        let rest = vec![Step::Send(goaway(stream, INTERNAL_ERROR)), Step::Close];
        begun(stream, rest)
    };
    Row { play, ..CUT }.holds().await;
}

#[tokio::test]
async fn a_stream_that_ends_without_done() {
    let play: Play = |stream| begun(stream, vec![Step::Send(data(stream, b"", true))]);
    Row { play, ..CUT }.holds().await;
}

#[tokio::test]
async fn interim_answers_without_end() {
    let row = Row {
        play: |stream| vec![Step::Forever(head(stream, "103", ""))],
        sees: Refused(504, "upstream_timeout"),
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn some_interim_answers_and_then_the_real_one() {
    let row = Row {
        play: |stream| {
            let hints = (0..100).map(|_| Step::Send(head(stream, "103", "")));
            hints.chain(fine(stream)).collect()
        },
        sees: Answer,
        classes: &[],
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn bytes_behind_the_end() {
    let row = Row {
        play: |stream| {
            let mut steps = fine(stream);
            steps.push(Step::Send(data(stream, b"evil", true)));
            steps
        },
        sees: Answer,
        classes: &[],
        ..BROKEN
    };
    row.holds().await;
}

#[tokio::test]
async fn rubbish_for_frames() {
    let play: Play = |_| {
        vec![
            Step::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            Step::Close,
        ]
    };
    Row { play, ..BROKEN }.holds().await;
}

//! Streams: each event passes as it comes, a client that leaves ends the provider's call, and a
//! stream that the provider cuts never looks finished.

use serde_json::json;

use crate::harness::http1::Piece;
use crate::harness::replies::{TEXT, chat_event, chat_events, message_events};
use crate::harness::script::When;
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Script, Upstream, streamed_chat};

#[tokio::test]
async fn events_pass_one_by_one_and_unchanged() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let (script, feed) = Script::live();
    upstream.answer(script);
    let mut connection = gateway.connect().await;
    connection
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    let head = connection
        .head()
        .await
        .expect("the head comes before any event");
    assert_eq!(head.status, 200, "a stream begins");
    let kind = head.headers.one("content-type").unwrap_or_default();
    assert!(
        kind.starts_with("text/event-stream"),
        "an event stream: {kind}"
    );
    for word in ["one ", "two ", "three "] {
        let event = chat_event("gpt-4o", word);
        feed.event(&event);
        let got = connection.read_until(&head, "\n\n").await;
        assert_eq!(got, event, "each event passes before the next one is sent");
    }
    feed.event("data: [DONE]\n\n");
    feed.end();
    let (rest, complete) = connection.rest(&head).await;
    assert_eq!(rest, b"data: [DONE]\n\n", "the provider's own end");
    assert!(complete, "a clean end stays a clean end");
}

#[tokio::test]
async fn a_whole_stream_arrives_as_it_was_sent() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder().both(&upstream.url()).start().await;
    let reply = gateway
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    reply.assert_fine("a stream");
    // The last word may come an event later, as it could have become an address.
    assert_eq!(
        (
            spoken(&reply.text()),
            reply.text().matches("data: ").count()
        ),
        (TEXT.to_owned(), chat_events("gpt-4o").len()),
        "OpenAI's stream: the same text in as many events"
    );
    let body = json!({"model": "claude", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}], "stream": true});
    let reply = gateway
        .send(&Request::post("/v1/messages", &body).key(STANDARD_KEY))
        .await;
    reply.assert_fine("a stream");
    assert_eq!(spoken(&reply.text()), TEXT, "Anthropic's stream");
    let sent = message_events("claude");
    let (first, last) = (&sent[0], &sent[sent.len() - 1]);
    assert!(
        reply.text().starts_with(first) && reply.text().ends_with(last),
        "its other events are unchanged: {}",
        reply.text()
    );
}

/// What a stream says in all.
fn spoken(stream: &str) -> String {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok());
    let text = |event: serde_json::Value| {
        let chat = event["choices"][0]["delta"]["content"].as_str();
        chat.or_else(|| event["delta"]["text"].as_str())
            .map(str::to_owned)
    };
    events.filter_map(text).collect()
}

#[tokio::test]
async fn a_stream_that_the_provider_cuts_does_not_look_finished() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for reset in [false, true] {
        let (script, feed) = Script::live();
        upstream.answer(script);
        let mut connection = gateway.connect().await;
        connection
            .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
            .await;
        let head = connection.head().await.expect("a head");
        feed.event(&chat_event("gpt-4o", "half"));
        let mut seen = connection.read_until(&head, "\n\n").await;
        if reset {
            feed.reset();
        } else {
            feed.cut();
        }
        let (rest, complete) = connection.rest(&head).await;
        seen.push_str(&String::from_utf8_lossy(&rest));
        assert!(!seen.contains("[DONE]"), "no invented end: {seen}");
        let told = !complete || seen.contains("event: error") || seen.contains("\"error\"");
        assert!(told, "the client can tell, reset {reset}: {seen}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_providers_call_at_once() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for orderly in [true, false] {
        let before = upstream.requests().len();
        let (script, feed) = Script::live();
        upstream.answer(script);
        let mut connection = gateway.connect().await;
        connection
            .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
            .await;
        let head = connection.head().await.expect("a head");
        feed.event(&chat_event("gpt-4o", "half"));
        connection.read_until(&head, "\n\n").await;
        if orderly {
            drop(connection);
        } else {
            connection.reset();
        }
        let all = upstream
            .wait("the provider sees that nobody listens", |all| {
                all.len() > before && all[before..].iter().all(|one| one.abandoned)
            })
            .await;
        assert_eq!(
            all.len(),
            before + 1,
            "nothing is tried again for a client that left"
        );
        drop(feed);
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_ends_the_call_too() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    upstream.answer(Script::stall());
    let mut connection = gateway.connect().await;
    connection
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    upstream.wait_requests(1).await;
    drop(connection);
    upstream
        .wait("the call is cancelled", |all| {
            all.iter().all(|one| one.abandoned)
        })
        .await;
    let gone = |line: &serde_json::Value| {
        line["logger"] == "portcullis.access" && line["extra_data"]["status"] == 499
    };
    gateway
        .wait_for_line("the client's leaving is on record", gone)
        .await;
}

#[tokio::test]
async fn requests_in_flight_are_counted_down_when_clients_leave() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    upstream.answer(Script::stall());
    let mut connection = gateway.connect().await;
    connection
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    upstream.wait_requests(1).await;
    let active = gateway
        .metric("proxy_api_active_requests")
        .await
        .expect("the gauge");
    assert!(active >= 1.0, "one request is in flight: {active}");
    connection.reset();
    upstream
        .wait("the call is cancelled", |all| {
            all.iter().all(|one| one.abandoned)
        })
        .await;
    gateway
        .metric_becomes("proxy_api_active_requests", active - 1.0)
        .await;
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_passed_on() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let refusal = crate::harness::replies::failure(413, "/v1/chat/completions");
    upstream.answer(refusal.at(When::Head));
    let mut body = crate::harness::chat_body("gpt-4o");
    body["filler"] = json!("x".repeat(300_000));
    let request = Request::post("/v1/chat/completions", &body).key(STANDARD_KEY);
    let reply = gateway.send(&request).await;
    assert_eq!(
        reply.status,
        413,
        "the provider had enough: {}",
        reply.text()
    );
}

#[tokio::test]
async fn the_first_event_passes_without_waiting_for_the_second() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let (script, feed) = Script::live();
    upstream.answer(script);
    let mut connection = gateway.connect().await;
    connection
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    let head = connection.head().await.expect("a head");
    // An event in three chunks, cut within a word: nothing waits for a boundary that is not
    // needed, and nothing is lost at one.
    for part in ["data: {\"choi", "ces\":[]}", "\n\n"] {
        feed.event(part);
    }
    let got = connection.read_until(&head, "\n\n").await;
    assert_eq!(got, "data: {\"choices\":[]}\n\n", "the event is whole");
    feed.event("data: [DONE]\n\n");
    let got = connection.read_until(&head, "\n\n").await;
    assert_eq!(got, "data: [DONE]\n\n", "the stream's own end");
    feed.end();
    assert_eq!(
        connection.piece(&head).await,
        Piece::End,
        "and the end is clean"
    );
}

#[tokio::test]
async fn the_echo_provider_streams_with_usage_and_an_end() {
    let gateway = Gateway::builder().echo("local").start().await;
    let mut body = crate::harness::chat_body("any");
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let request = Request::post("/v1/chat/completions", &body).key(STANDARD_KEY);
    let reply = gateway.send(&request).await;
    reply.assert_fine("a stream from echo");
    let text = reply.text();
    assert!(text.ends_with("data: [DONE]\n\n"), "OpenAI's end: {text}");
    assert!(text.contains("\"usage\":{"), "usage counts: {text}");
    let body = json!({"model": "any", "max_tokens": 5, "stream": true,
        "messages": [{"role": "user", "content": "Say hello."}]});
    let reply = gateway
        .send(&Request::post("/v1/messages", &body).key(ADMIN_KEY))
        .await;
    reply.assert_fine("a stream from echo to Anthropic's clients");
    assert!(
        reply.text().contains("event: message_stop"),
        "Anthropic's end: {}",
        reply.text()
    );
}

#[tokio::test]
async fn a_stream_is_on_record_with_its_size_and_its_times() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let reply = gateway
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    let id = reply.headers.one("x-request-id").expect("an id").to_owned();
    let line = gateway.access_line(&id).await;
    let size = line["extra_data"]["response_bytes"].as_u64();
    assert_eq!(
        size,
        Some(u64::try_from(reply.body.len()).expect("a size")),
        "{line}"
    );
}

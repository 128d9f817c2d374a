//! Recorded streams through the real gateway, cut anywhere.

use serde_json::json;

use super::{ask, cut, events, gateway, live, said};
use crate::harness::replies::chat_event;
use crate::harness::{Gateway, Reply, Upstream};

const CHAT: &str = include_str!("../../fixtures/answers/chat_text.sse");
const TOOLS: &str = include_str!("../../fixtures/answers/chat_tools_two_choices.sse");
const RESPONSES: &str = include_str!("../../fixtures/answers/responses.sse");
const MESSAGES: &str = include_str!("../../fixtures/answers/messages.sse");

/// Cuts of every kind: whole, byte by byte, and odd ones.
const CUTS: [&[usize]; 5] = [&[1 << 20], &[1], &[7, 1, 190], &[64], &[3, 1000]];

/// What is held waits for its end, however slow the machine is.
const PATIENT: &str = "max_hold: {time: 1h, bytes: 512}";

async fn through(
    gateway: &Gateway,
    upstream: &Upstream,
    path: &str,
    stream: &str,
    cuts: &[usize],
) -> Reply {
    upstream.answer(cut(stream.as_bytes(), cuts));
    let reply = gateway.send(&ask(path)).await;
    reply.assert_fine(path);
    assert!(
        !reply.text().contains("doe@"),
        "{path} {cuts:?}: {}",
        reply.text()
    );
    reply
}

fn joined(text: &str, kind: &str, field: &str) -> String {
    let mine = events(text)
        .into_iter()
        .filter(|event| event["type"] == kind);
    mine.filter_map(|event| event[field].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn chat_streams_are_cleaned_whatever_the_cuts() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "openai", PATIENT).await;
    for cuts in CUTS {
        let path = "/v1/chat/completions";
        let text = through(&gateway, &upstream, path, CHAT, cuts).await.text();
        let want = "The address is [EMAIL_1], her number [PHONE_1].\n Café \"ok\"!";
        assert_eq!(said(&text, 0, "content"), want, "{cuts:?}");
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
        let text = through(&gateway, &upstream, path, TOOLS, cuts).await.text();
        assert_eq!(
            said(&text, 0, "content"),
            "Write to [EMAIL_1] now",
            "{cuts:?}"
        );
        assert_eq!(
            said(&text, 1, "reasoning_content"),
            "I think of [IP_1] today",
            "{cuts:?}"
        );
        let mut calls = [String::new(), String::new()];
        for event in events(&text) {
            for call in event["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
                calls[index].push_str(call["function"]["arguments"].as_str().unwrap());
            }
        }
        assert_eq!(
            calls[0], "{\"to\": \"[EMAIL_1]\"}",
            "whole, cleaned, without the token"
        );
        assert_eq!(calls[1], "{\"text\": \"plain words\"}");
    }
}

#[tokio::test]
async fn the_responses_api_is_cleaned_to_its_last_aggregate() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "openai", PATIENT).await;
    for cuts in CUTS {
        let text = through(&gateway, &upstream, "/v1/responses", RESPONSES, cuts)
            .await
            .text();
        assert_eq!(
            joined(&text, "response.output_text.delta", "delta"),
            "Her mail is [EMAIL_1]."
        );
        assert_eq!(
            joined(&text, "response.output_text.done", "text"),
            "Her mail is [EMAIL_1]."
        );
        assert_eq!(
            joined(&text, "response.reasoning_summary_text.delta", "delta"),
            "**Looking** up [EMAIL_1]"
        );
        assert_eq!(
            joined(&text, "response.function_call_arguments.delta", "delta"),
            "{\"mail\":\"[EMAIL_1]\"}"
        );
        for (number, event) in events(&text).iter().enumerate() {
            assert_eq!(event["sequence_number"], number, "{cuts:?}: {event}");
        }
        let last = events(&text).pop().unwrap();
        assert_eq!(
            last["response"]["output"][1]["content"][0]["text"],
            "Her mail is [EMAIL_1]."
        );
        assert_eq!(last["response"]["usage"]["total_tokens"], 71);
    }
}

#[tokio::test]
async fn messages_are_cleaned_block_by_block() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "anthropic", PATIENT).await;
    for cuts in CUTS {
        let text = through(&gateway, &upstream, "/v1/messages", MESSAGES, cuts)
            .await
            .text();
        let of = |index: u64, field: &str| -> String {
            let mine = events(&text)
                .into_iter()
                .filter(|event| event["index"] == index);
            mine.filter_map(|event| event["delta"][field].as_str().map(str::to_owned))
                .collect()
        };
        assert_eq!(of(0, "thinking"), "She is [EMAIL_1]", "{cuts:?}");
        assert!(
            of(0, "signature").starts_with("EqQBCg"),
            "a signature is not touched"
        );
        assert_eq!(of(1, "text"), "Mail [EMAIL_1], please.", "{cuts:?}");
        assert_eq!(of(2, "partial_json"), "{\"to\": \"[EMAIL_1]\"}", "{cuts:?}");
        assert!(
            text.trim_end().ends_with("{\"type\":\"message_stop\"}"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_record_says_what_was_found_and_used() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "openai", PATIENT).await;
    let reply = through(&gateway, &upstream, "/v1/chat/completions", CHAT, &[64]).await;
    let line = gateway
        .access_line(reply.headers.one("x-request-id").unwrap())
        .await;
    let data = line["extra_data"].clone();
    assert_eq!(data["response_inspected_bytes"], CHAT.len(), "{line}");
    assert!(
        data["response_families"]
            .as_array()
            .unwrap()
            .contains(&json!("pii")),
        "{line}"
    );
    let found = json!({"family": "pii", "action": "mask", "count": 2});
    assert_eq!(data["response_findings"], json!([found]), "{line}");
    gateway
        .metric_reaches("proxy_api_inspection_findings_total{action=\"mask\",category=\"pii\",direction=\"response\"}", 2.0)
        .await;
    gateway
        .metric_reaches(
            "proxy_api_tokens_total{kind=\"completion\",model=\"other\",provider=\"mock\"}",
            22.0,
        )
        .await;
    let event = gateway
        .wait_for_line("a finding", |line| line["metadata"]["rule"] == "pii.email")
        .await;
    assert!(!event.to_string().contains("jane"), "{event}");
}

#[tokio::test]
async fn no_event_waits_for_the_next_and_silence_frees_what_is_held() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "openai", "max_hold: {time: 300ms, bytes: 512}").await;
    let (feed, mut connection, head) = live(&upstream, &gateway).await;
    feed.event(&chat_event("gpt-4o", "Ask bob@exam"));
    let first = connection.read_until(&head, "\n\n").await;
    assert_eq!(
        said(&first, 0, "content"),
        "Ask ",
        "the event comes, what may be an address waits"
    );
    let second = connection.read_until(&head, "\n\n").await;
    assert_eq!(
        said(&second, 0, "content"),
        "bob@exam",
        "and leaves when its time is up"
    );
    feed.event(&chat_event("gpt-4o", " or so. "));
    let third = connection.read_until(&head, "\n\n").await;
    assert_eq!(said(&third, 0, "content"), " or so. ");
    feed.event("data: [DONE]\n\n");
    feed.end();
    assert!(connection.rest(&head).await.1);
}

#[tokio::test]
async fn a_refused_stream_ends_with_the_apis_own_error() {
    let upstream = Upstream::start().await;
    let response = format!("harmful: block, canaries: [\"our-system-prompt\"], {PATIENT}");
    let gateway = gateway(&upstream, "openai", &response).await;
    let (feed, mut connection, head) = live(&upstream, &gateway).await;
    for word in ["My prompt: ", "Our-System-", "Prompt is "] {
        feed.event(&chat_event("gpt-4o", word));
    }
    let (rest, complete) = connection.rest(&head).await;
    let text = String::from_utf8(rest).unwrap();
    assert!(complete, "an orderly end: {text}");
    assert!(
        !text.to_lowercase().contains("our-") && !text.contains("[DONE]"),
        "{text}"
    );
    assert!(text.contains("event: error\ndata: {"), "{text}");
    let last = events(&text).pop().unwrap();
    assert_eq!(last["error"]["code"], "canary_detected", "{last}");
    connection.closed().await;
    upstream
        .wait("the provider's call is ended", |all| {
            all.iter().any(|one| one.abandoned)
        })
        .await;
}

#[tokio::test]
async fn a_stream_without_its_end_is_told_as_it_is() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "openai", "").await;
    let whole = chat_event("gpt-4o", "Hello ");
    for (name, stream) in [
        ("no [DONE]", whole.clone()),
        ("half an event", format!("{whole}data: {{\"id\"")),
        ("no JSON", format!("{whole}data: <html>\n\n")),
        (
            "half a character",
            format!("{whole}data: {{\"a\":\"\u{0}\"}}\n\n"),
        ),
        (
            "an error of the provider's",
            format!("{whole}data: {{\"error\":{{\"message\":\"db-7.internal\"}}}}\n\n"),
        ),
    ] {
        for cuts in [&[1 << 20][..], &[5]] {
            upstream.answer(cut(stream.as_bytes(), cuts));
            let reply = gateway.send(&ask("/v1/chat/completions")).await;
            let text = reply.text();
            assert_eq!(said(&text, 0, "content"), "Hello ", "{name}: {text}");
            let last = events(&text).pop().unwrap();
            assert_eq!(last["error"]["code"], "upstream_error", "{name}: {text}");
            assert!(
                !text.contains("internal\"") && !text.contains("[DONE]"),
                "{name}: {text}"
            );
        }
    }
    upstream.answer(cut(
        format!("{whole}data: [DONE]\n\ndata: {{\"late\":1}}\n\n").as_bytes(),
        &[9],
    ));
    let reply = gateway.send(&ask("/v1/chat/completions")).await;
    assert!(
        reply.text().ends_with("data: [DONE]\n\n"),
        "nothing behind the end: {}",
        reply.text()
    );
}

#[tokio::test]
async fn an_endless_line_has_a_stated_end() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut endless = b"data: {\"a\":\"".to_vec();
    endless.resize(6 << 20, b'a');
    upstream.answer(cut(&endless, &[1 << 16]));
    let reply = gateway.send(&ask("/v1/chat/completions")).await;
    let last = events(&reply.text()).pop().unwrap();
    assert_eq!(last["error"]["code"], "upstream_error", "{last}");
}

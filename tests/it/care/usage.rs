//! What a stream used is on record though the client did not ask, and the client sees nothing of
//! that.

use serde_json::{Value, json};

use crate::harness::replies::{chat_events, usage_event};
use crate::harness::{Gateway, Reply, Request, STANDARD_KEY, Script, Upstream};

fn streamed(more: &Value) -> Request {
    let mut body = crate::harness::chat_body("gpt-4o");
    body["stream"] = json!(true);
    if !more.is_null() {
        body["stream_options"] = more.clone();
    }
    Request::post("/v1/chat/completions", &body).key(STANDARD_KEY)
}

/// Tokens read and written, as the record has them.
async fn tokens(gateway: &Gateway, reply: &Reply) -> (Option<u64>, Option<u64>) {
    let id = reply.headers.one("x-request-id").expect("an id");
    let line = gateway.access_line(id).await;
    let facts = &line["extra_data"];
    let (read, written) = (&facts["prompt_tokens"], &facts["completion_tokens"]);
    (read.as_u64(), written.as_u64())
}

#[tokio::test]
async fn a_stream_is_counted_for_a_client_that_did_not_ask() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    for options in [Value::Null, json!({}), json!({"include_usage": false})] {
        let reply = gateway.send(&streamed(&options)).await;
        reply.assert_fine("a stream");
        let events = reply.text().matches("data: ").count();
        assert_eq!(
            events,
            chat_events("gpt-4o").len(),
            "no chunk more: {reply:?}"
        );
        assert!(!reply.text().contains("tokens"), "no word of it: {reply:?}");
        assert_eq!(
            tokens(&gateway, &reply).await,
            (Some(9), Some(4)),
            "counted"
        );
        let last = upstream.requests().pop().expect("a request").json();
        assert_eq!(last["stream_options"]["include_usage"], true, "asked");
        assert_eq!(last["stream"], true, "all else as it was");
    }
}

#[tokio::test]
async fn who_asked_gets_the_answer_and_the_question_is_as_it_was() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let request = streamed(&json!({"include_usage": true, "include_obfuscation": false}));
    let reply = gateway.send(&request).await;
    assert!(reply.text().contains(&usage_event("gpt-4o")), "{reply:?}");
    assert_eq!(
        tokens(&gateway, &reply).await,
        (Some(9), Some(4)),
        "counted"
    );
    let sent = request.bytes();
    assert!(
        sent.ends_with(&upstream.only_request().body),
        "byte for byte"
    );
}

#[tokio::test]
async fn a_chunk_that_holds_choices_too_goes_on() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let both = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "delta": {"content": "all"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 1},
    });
    let filtered = json!({"choices": [], "prompt_filter_results": []});
    let all = [&filtered, &both].map(crate::harness::script::data);
    let events = [all.as_slice(), &["data: [DONE]\n\n".to_owned()]].concat();
    upstream.answer(Script::events(&events));
    let reply = gateway.send(&streamed(&Value::Null)).await;
    assert_eq!(reply.text(), events.concat(), "nothing is taken out");
    assert_eq!(
        tokens(&gateway, &reply).await,
        (Some(7), Some(1)),
        "counted"
    );
}

#[tokio::test]
async fn nobody_is_asked_who_would_not_know_or_is_not_to_be_asked() {
    let upstream = Upstream::start().await;
    for (api, more, path) in [
        ("openai", "{stream_usage: false}", "/v1/chat/completions"),
        ("openai", "{}", "/v1/responses"),
        ("anthropic", "{}", "/v1/messages"),
    ] {
        let gateway = Gateway::builder()
            .provider_with("mock", api, &upstream.url(), more)
            .start()
            .await;
        let body = json!({"model": "gpt-4o", "stream": true, "max_tokens": 5, "input": "x",
            "messages": [{"role": "user", "content": "x"}]});
        let request = Request::post(path, &body).key(STANDARD_KEY);
        let reply = gateway.send(&request).await;
        reply.assert_fine(path);
        let last = upstream.requests().pop().expect("a request");
        assert!(
            request.bytes().ends_with(&last.body),
            "{path}: byte for byte"
        );
    }
}

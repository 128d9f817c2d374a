//! Streams.

use proptest::prelude::*;

use super::*;

/// Anthropic's stream of a text and two calls, the second without input.
fn events() -> String {
    let events = [
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-x",
            "usage": {"input_tokens": 5, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": "Hel"}}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": "lo ✓"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block":
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": "{\"city\": "}}),
        json!({"type": "content_block_delta", "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": "\"Bonn\"}"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "content_block_start", "index": 2, "content_block":
            {"type": "tool_use", "id": "c2", "name": "now", "input": {}}}),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    let named = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"]);
    events.iter().map(named).collect()
}

/// OpenAI's stream of the same.
fn chunks() -> String {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "gpt-x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let call = |index: u64, more: Value| {
        let mut call = json!({"index": index});
        call.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"tool_calls": [call]})
    };
    let first = |index, id: &str, name: &str| {
        call(
            index,
            json!({"id": id, "type": "function",
            "function": {"name": name, "arguments": ""}}),
        )
    };
    let all = [
        chunk(json!({"role": "assistant", "content": ""}), Value::Null),
        chunk(json!({"content": "Hel"}), Value::Null),
        chunk(json!({"content": "lo ✓"}), Value::Null),
        chunk(first(0, "c1", "weather"), Value::Null),
        chunk(
            call(0, json!({"function": {"arguments": "{\"city\": "}})),
            Value::Null,
        ),
        chunk(
            call(0, json!({"function": {"arguments": "\"Bonn\"}"}})),
            Value::Null,
        ),
        chunk(first(1, "c2", "now"), Value::Null),
        chunk(json!({}), json!("tool_calls")),
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [],
            "usage": {"prompt_tokens": 5, "completion_tokens": 9}}),
    ];
    let data = |chunk: &Value| format!("data: {chunk}\n\n");
    let said: String = all.iter().map(data).collect();
    format!("{said}data: [DONE]\n\n")
}

fn stream(direction: Direction, usage: bool, pieces: &[&[u8]]) -> Result<String, Untold> {
    let wanted = Wanted { direction, usage };
    let out = told(Translator::stream(wanted, 1), pieces)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The data of each event.
fn data(said: &str) -> Vec<Value> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("data: "));
    lines
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[test]
fn events_become_chunks() {
    let said = stream(ChatToMessages, false, &[events().as_bytes()]).unwrap();
    assert!(said.ends_with("data: [DONE]\n\n"), "{said}");
    let chunks = data(&said);
    let deltas: Vec<_> = chunks
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"].clone())
        .collect();
    assert_eq!(
        deltas,
        [
            json!({"role": "assistant", "content": ""}),
            json!({"content": "Hel"}),
            json!({"content": "lo ✓"}),
            json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function",
            "function": {"name": "weather", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"city\": "}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"Bonn\"}"}}]}),
            json!({"tool_calls": [{"index": 1, "id": "c2", "type": "function",
            "function": {"name": "now", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}),
            json!({}),
        ]
    );
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(
        last["usage"]["total_tokens"], 14,
        "told where no client stumbles"
    );
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["id"] == "chatcmpl-1" && chunk["model"] == "claude-x")
    );
}

#[test]
fn usage_that_was_asked_for_has_a_chunk_of_its_own() {
    let said = stream(ChatToMessages, true, &[events().as_bytes()]).unwrap();
    let chunks = data(&said);
    let (last, rest) = chunks.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["prompt_tokens"], 5);
    assert!(rest.iter().all(|chunk| chunk["usage"].is_null()));
}

#[test]
fn chunks_become_events() {
    let said = stream(MessagesToChat, false, &[chunks().as_bytes()]).unwrap();
    let all = data(&said);
    let kinds: Vec<_> = all
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    assert_eq!(all[0]["message"]["id"], "msg_1");
    assert_eq!(
        all[5]["content_block"],
        json!({"type": "tool_use", "id": "c1", "name": "weather", "input": {}})
    );
    assert_eq!(all[7]["delta"]["partial_json"], "\"Bonn\"}");
    assert_eq!(all[9]["index"], 2);
    assert_eq!(all[11]["delta"]["stop_reason"], "tool_use");
    assert_eq!(all[11]["usage"]["input_tokens"], 5);
    assert_eq!(all[11]["usage"]["output_tokens"], 9);
    for (event, kind) in said.split("\n\n").zip(kinds) {
        assert!(event.starts_with(&format!("event: {kind}\n")), "{event}");
    }
}

#[test]
fn a_stream_that_is_cut_gets_no_end_here() {
    let (events, chunks) = (events(), chunks());
    let cut = events.rsplit_once("event: ").unwrap().0;
    let said = stream(ChatToMessages, false, &[cut.as_bytes()]).unwrap();
    assert!(!said.contains("[DONE]"), "{said}");
    let cut = chunks.strip_suffix("data: [DONE]\n\n").unwrap();
    let said = stream(MessagesToChat, false, &[cut.as_bytes()]).unwrap();
    assert!(!said.contains("message_stop"), "{said}");
}

#[test]
fn what_goes_wrong_in_a_stream_is_told() {
    let error =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    let chunk = |delta: &str| {
        format!(
            "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"delta\":{delta}}}]}}\n\n"
        )
    };
    let back = [1, 0].map(|index| chunk(&format!("{{\"tool_calls\":[{{\"index\":{index}}}]}}")));
    for (direction, said, why) in [
        (ChatToMessages, error.to_owned(), Untold::Failed),
        (ChatToMessages, "data: {\n\n".to_owned(), Untold::Shape),
        (
            MessagesToChat,
            "data: {\"error\": {\"message\": \"x\"}}\n\n".to_owned(),
            Untold::Failed,
        ),
        (MessagesToChat, "data: {}\n\n".to_owned(), Untold::Shape),
        (MessagesToChat, back.concat(), Untold::Shape),
    ] {
        assert_eq!(
            stream(direction, false, &[said.as_bytes()]),
            Err(why),
            "{said}"
        );
    }
}

proptest! {
    #[test]
    fn a_stream_is_told_the_same_however_it_is_cut(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12), to_chunks: bool, usage: bool,
    ) {
        let (direction, said) = if to_chunks {
            (ChatToMessages, events())
        } else {
            (MessagesToChat, chunks())
        };
        let bytes = said.as_bytes();
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        ends.extend([0, bytes.len()]);
        ends.sort_unstable();
        let pieces: Vec<_> = ends.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let whole = stream(direction, usage, &[bytes]);
        prop_assert_eq!(stream(direction, usage, &pieces), whole);
    }

    #[test]
    fn no_bytes_of_a_provider_break_it(bytes: Vec<u8>, to_chunks: bool) {
        let direction = if to_chunks { ChatToMessages } else { MessagesToChat };
        let _ = stream(direction, true, &[b"data: ", &bytes, b"\n\n"]);
        let _ = told(Translator::plain(wanted(direction), 0), &[&bytes]);
    }
}

//! The other APIs' events, and any of them at any cut.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Answer, Shape};
use super::chat::{assert_chat, chat};
use super::{Heard, data, usual};

fn responses() -> String {
    let piece = |kind: &str, more: Value| {
        let mut event =
            json!({"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0});
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    };
    let text = "Ask alice@example.com";
    let part = json!({"type": "output_text", "text": text, "annotations": []});
    let item = json!({"type": "message", "id": "msg_1", "content": [part], "internal_id": 9});
    let events = [
        json!({"type": "response.created", "response": {"id": "r", "status": "in_progress", "output": []}}),
        piece(
            "response.output_text.delta",
            json!({"delta": "Ask al", "logprobs": [{"token": "Ask al"}]}),
        ),
        piece(
            "response.output_text.delta",
            json!({"delta": "ice@example.com", "logprobs": []}),
        ),
        piece("response.output_text.done", json!({"text": text})),
        piece("response.content_part.done", json!({"part": part})),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"id": "r", "status": "completed", "output": [item],
            "usage": {"input_tokens": 4, "output_tokens": 5}}}),
    ];
    let numbered = events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = json!(number);
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    });
    numbered.collect()
}

fn assert_responses(got: &Heard) {
    assert_eq!(got.outcome, Ok(()));
    let events = data(&got.out);
    let joined: String = events
        .iter()
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(joined, "Ask [EMAIL_1]");
    assert!(
        !got.out.contains("alice@"),
        "aggregates are cleaned alike: {}",
        got.out
    );
    assert!(!got.out.contains("internal_id") && !got.out.contains("Ask al"));
    for (number, event) in events.iter().enumerate() {
        assert_eq!(
            event["sequence_number"], number,
            "numbers go up by one: {event}"
        );
    }
    let last = events.last().unwrap();
    assert_eq!(
        last["response"]["output"][0]["content"][0]["text"],
        "Ask [EMAIL_1]"
    );
    assert_eq!(
        got.findings.len(),
        1,
        "an aggregate is no second find: {:?}",
        got.findings
    );
    assert_eq!(got.answer.used().completion, Some(5));
}

#[test]
fn the_aggregates_of_the_responses_api_are_cleaned_alike() {
    assert_responses(&usual(
        Answer::stream(Shape::Responses),
        &[responses().as_bytes()],
    ));
}

fn messages() -> String {
    let delta = |index: u32, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let events = [
        json!({"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 6, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        delta(
            0,
            json!({"type": "thinking_delta", "thinking": "to bob@ex"}),
        ),
        delta(
            0,
            json!({"type": "thinking_delta", "thinking": "ample.com"}),
        ),
        delta(
            0,
            json!({"type": "signature_delta", "signature": "c2lnbmF0dXJl"}),
        ),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        delta(1, json!({"type": "text_delta", "text": "Mail bob@ex"})),
        json!({"type": "ping"}),
        delta(1, json!({"type": "text_delta", "text": "ample.com"})),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}}),
        delta(
            2,
            json!({"type": "input_json_delta", "partial_json": "{\"to\": \"bob@ex"}),
        ),
        delta(
            2,
            json!({"type": "input_json_delta", "partial_json": "ample.com\"}"}),
        ),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 8}}),
        json!({"type": "message_stop"}),
    ];
    let named = events.iter().map(|event| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    });
    named.collect()
}

fn assert_messages(got: &Heard) {
    assert_eq!(got.outcome, Ok(()));
    let joined = |index: u64, field: &str| -> String {
        let mine = data(&got.out)
            .into_iter()
            .filter(|event| event["index"] == index);
        mine.filter_map(|event| event["delta"][field].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(joined(0, "thinking"), "to [EMAIL_1]");
    assert_eq!(joined(1, "text"), "Mail [EMAIL_1]");
    assert_eq!(joined(2, "partial_json"), "{\"to\": \"[EMAIL_1]\"}");
    let mut stopped = Vec::new();
    for event in data(&got.out) {
        let index = event["index"].as_u64();
        if event["type"] == "content_block_stop" {
            stopped.push(index);
        } else if event["type"] == "content_block_delta" {
            assert!(!stopped.contains(&index), "no delta behind its block's end");
        }
    }
    assert_eq!(
        (got.answer.used().prompt, got.answer.used().completion),
        (Some(6), Some(8))
    );
}

#[test]
fn thinking_text_and_tools_of_messages_are_cleaned() {
    assert_messages(&usual(
        Answer::stream(Shape::Messages),
        &[messages().as_bytes()],
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_cut_of_a_stream_reads_the_same(
        which in 0..3_usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let (stream, shape) = match which {
            0 => (chat(), Shape::Chat),
            1 => (responses(), Shape::Responses),
            _ => (messages(), Shape::Messages),
        };
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len().saturating_add(1))).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|w| &stream.as_bytes()[w[0]..w[1]]).collect();
        let whole = usual(Answer::stream(shape), &[stream.as_bytes()]);
        let cut = usual(Answer::stream(shape), &pieces);
        prop_assert_eq!(&whole.findings, &cut.findings);
        match which {
            0 => assert_chat(&cut),
            1 => assert_responses(&cut),
            _ => assert_messages(&cut),
        }
    }
}

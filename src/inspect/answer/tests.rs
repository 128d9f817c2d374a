use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answer, AnswerPolicy, Broken, By, Shape};
use crate::inspect::engine::{Hold, Inspector};
use crate::inspect::json::Limits;
use crate::policy::inspection::{Action, InspectionSettings};

fn policy() -> AnswerPolicy {
    AnswerPolicy {
        strip: ["token", "password", "internal_id"].map(Into::into).into(),
        hold_calls: true,
        hold: Hold {
            time: Duration::from_secs(2),
            bytes: 512,
            chars: None,
        },
        limits: Limits::default(),
    }
}

fn inspector(change: impl FnOnce(&mut InspectionSettings)) -> Inspector {
    let mut settings = InspectionSettings::response();
    change(&mut settings);
    Inspector::compile(&settings).unwrap()
}

struct Heard {
    out: String,
    outcome: Result<(), Broken>,
    findings: Vec<(String, u64, u64)>,
    answer: Answer,
}

fn heard(
    mut answer: Answer,
    (inspector, policy): (&Inspector, &AnswerPolicy),
    pieces: &[&[u8]],
) -> Heard {
    let by = By {
        inspector,
        policy,
        now: Duration::ZERO,
    };
    let mut out = Vec::new();
    let mut outcome = Ok(());
    for piece in pieces {
        outcome = answer.push(by, piece, &mut out);
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok() {
        outcome = answer.finish(by, &mut out);
    }
    let report = answer.report(inspector);
    let findings = report.findings.iter().map(|f| {
        let rule = inspector.rule(f.rule).unwrap();
        (rule.id.to_string(), f.raw.start, f.raw.end)
    });
    Heard {
        findings: findings.collect(),
        out: String::from_utf8(out).unwrap(),
        outcome,
        answer,
    }
}

fn usual(answer: Answer, pieces: &[&[u8]]) -> Heard {
    thread_local!(static INSPECTOR: Inspector = inspector(|_| {}));
    INSPECTOR.with(|inspector| heard(answer, (inspector, &policy()), pieces))
}

fn data(stream: &str) -> Vec<Value> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn chunk(index: u32, delta: &Value, finish: &Value) -> String {
    let event = json!({
        "id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
    });
    format!("data: {event}\n\n")
}

fn said(stream: &str, index: u64, field: &str) -> String {
    data(stream)
        .iter()
        .flat_map(|event| event["choices"].as_array().cloned().unwrap_or_default())
        .filter(|choice| choice["index"] == index)
        .filter_map(|choice| choice["delta"][field].as_str().map(str::to_owned))
        .collect()
}

/// Two choices that speak at once, one of which calls a tool.
fn chat() -> String {
    let none = Value::Null;
    let call = |text: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]});
    [
        chunk(0, &json!({"role": "assistant", "content": ""}), &none),
        chunk(0, &json!({"content": "Mail al"}), &none),
        chunk(1, &json!({"content": "Call +49 30 "}), &none),
        chunk(0, &json!({"content": "ice@example"}), &none),
        chunk(1, &json!({"content": "1234567 or alice@ex"}), &none),
        chunk(0, &json!({"content": ".com, or \"bob\""}), &none),
        chunk(1, &json!({"content": "ample.com"}), &none),
        chunk(0, &json!({"reasoning_content": "she is ali"}), &none),
        chunk(0, &json!({"reasoning_content": "ce@example.com"}), &none),
        chunk(
            1,
            &json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
                "function": {"name": "send", "arguments": ""}}]}),
            &none,
        ),
        chunk(1, &call("{\"to\": \"al\\u0069ce@ex"), &none),
        chunk(1, &call("ample.com\", \"token\": \"t\", \"n\": 1}"), &none),
        chunk(0, &json!({}), &json!("stop")),
        chunk(1, &json!({}), &json!("tool_calls")),
        "data: {\"id\":\"c-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":9}}\n\n"
            .to_owned(),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat()
}

fn assert_chat(got: &Heard) {
    assert_eq!(got.outcome, Ok(()));
    let out = &got.out;
    assert_eq!(said(out, 0, "content"), "Mail [EMAIL_1], or \"bob\"");
    assert_eq!(said(out, 1, "content"), "Call [PHONE_1] or [EMAIL_1]");
    assert_eq!(said(out, 0, "reasoning_content"), "she is [EMAIL_1]");
    let arguments: String = data(out)
        .iter()
        .filter_map(|event| {
            let call = &event["choices"][0]["delta"]["tool_calls"][0];
            call["function"]["arguments"].as_str().map(str::to_owned)
        })
        .collect();
    let arguments: Value = serde_json::from_str(&arguments).unwrap();
    assert_eq!(
        arguments,
        json!({"to": "[EMAIL_1]", "n": 1}),
        "the whole call was cleaned"
    );
    assert!(out.ends_with("data: [DONE]\n\n"), "{out}");
    assert_eq!(got.answer.used().prompt, Some(3));
    assert_eq!(got.answer.used().completion, Some(9));
}

#[test]
fn a_chat_of_two_choices_is_cleaned_across_its_events() {
    assert_chat(&usual(Answer::stream(Shape::Chat), &[chat().as_bytes()]));
}

#[test]
fn a_harmless_stream_in_one_push_keeps_its_bytes() {
    let stream = [
        chunk(0, &json!({"content": "Hello wor"}), &Value::Null),
        chunk(0, &json!({"content": "ld."}), &Value::Null),
        chunk(0, &json!({}), &json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let got = usual(Answer::stream(Shape::Chat), &[stream.as_bytes()]);
    assert_eq!((got.out.as_str(), got.outcome), (stream.as_str(), Ok(())));
}

#[test]
fn no_event_waits_for_the_next_one_and_what_is_held_comes_with_the_end() {
    let inspector = inspector(|_| {});
    let (policy, mut answer) = (policy(), Answer::stream(Shape::Chat));
    let by = By {
        inspector: &inspector,
        policy: &policy,
        now: Duration::ZERO,
    };
    let mut all = String::new();
    for (delta, finish, want) in [
        (json!({"content": "Hello "}), Value::Null, "Hello "),
        (json!({"content": "mock."}), Value::Null, ""),
        (json!({}), json!("stop"), "mock."),
    ] {
        let mut out = Vec::new();
        answer
            .push(by, chunk(0, &delta, &finish).as_bytes(), &mut out)
            .unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(data(&out).len(), 1, "one event for one: {out}");
        assert_eq!(said(&out, 0, "content"), want);
        all.push_str(&out);
    }
    assert_eq!(said(&all, 0, "content"), "Hello mock.");
    assert_eq!(answer.due(&policy), None);
}

#[test]
fn what_is_held_too_long_leaves_in_an_event_of_its_own() {
    let inspector = inspector(|_| {});
    let (policy, mut answer) = (policy(), Answer::stream(Shape::Chat));
    let at = |ms| By {
        inspector: &inspector,
        policy: &policy,
        now: Duration::from_millis(ms),
    };
    let mut out = Vec::new();
    let event = chunk(
        0,
        &json!({"content": "write to alice@example"}),
        &Value::Null,
    );
    answer.push(at(0), event.as_bytes(), &mut out).unwrap();
    assert_eq!(answer.due(&policy), Some(Duration::from_secs(2)));
    answer.tick(at(1999), &mut out).unwrap();
    assert_eq!(
        said(&String::from_utf8_lossy(&out), 0, "content"),
        "write to "
    );
    answer.tick(at(2000), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(said(&out, 0, "content"), "write to alice@example", "{out}");
    let own = data(&out).pop().unwrap();
    assert_eq!(
        (&own["id"], &own["model"], &own["created"]),
        (&json!("c-1"), &json!("m"), &json!(7))
    );
}

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

#[test]
fn a_plain_answer_is_cleaned_for_every_choice() {
    let body = json!({
        "id": "c", "object": "chat.completion", "model": "m", "password": "x",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "bob@example.com"},
             "logprobs": {"content": [{"token": "bob", "logprob": -1}]}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": null, "refusal": "ask bob@example.com", "tool_calls": [
                {"function": {"name": "f", "arguments": "{\"a\":\"bob@example.com\",\"Token\":1}"}}]},
             "finish_reason": "tool_calls"},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2}, "internal_id": 1,
    });
    let text = body.to_string();
    let got = usual(Answer::plain(Shape::Chat), &[text.as_bytes()]);
    assert_eq!(got.outcome, Ok(()));
    let clean: Value = serde_json::from_str(&got.out).unwrap();
    assert_eq!(clean["choices"][0]["message"]["content"], "[EMAIL_1]");
    assert_eq!(clean["choices"][0]["logprobs"], Value::Null);
    assert_eq!(clean["choices"][1]["message"]["refusal"], "ask [EMAIL_1]");
    let call = &clean["choices"][1]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["arguments"], "{\"a\":\"[EMAIL_1]\"}");
    assert!(clean.get("password").is_none() && clean.get("internal_id").is_none());
    assert_eq!(clean["usage"], body["usage"]);
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(
        usual(Answer::plain(Shape::Chat), &bytes).out,
        got.out,
        "byte by byte"
    );
}

#[test]
fn a_harmless_plain_answer_keeps_its_bytes() {
    let body = "{ \"choices\" : [ { \"message\": {\"content\": \"caf\\u00e9 \\/ ok\"}, \"logprobs\": {\"content\": []}}]}\n";
    assert_eq!(
        usual(Answer::plain(Shape::Chat), &[body.as_bytes()]).out,
        body
    );
}

#[test]
fn fields_go_wherever_they_stand() {
    for (body, want) in [
        (r#"{"token":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2, "token":1}"#, r#"{"a":2}"#),
        (r#"{"token":1,"Password":{"x":[1]},"a":2,"token":3}"#, ""),
        (r#"{"token":1,"PASSWORD":{"x":[1]},"a":2}"#, r#"{"a":2}"#),
        (
            r#"{"a":2,"token":1,"password":2,"b":3}"#,
            r#"{"a":2,"b":3}"#,
        ),
        (r#"{"token":1}"#, "{}"),
        (
            r#"{"a":[{"token":1},{"b":{"token":"x"}}]}"#,
            r#"{"a":[{},{"b":{}}]}"#,
        ),
        (r#"{"token":1,"password":2}"#, "{}"),
    ] {
        let got = usual(Answer::plain(Shape::Other), &[body.as_bytes()]);
        assert_eq!(got.out, want, "{body}");
    }
}

#[test]
fn a_broken_answer_is_never_a_clean_one() {
    for (answer, bytes, want) in [
        (Answer::plain(Shape::Chat), "{\"a\":", Broken::Json),
        (Answer::plain(Shape::Chat), "<html>", Broken::Json),
        (
            Answer::plain(Shape::Chat),
            "{\"error\":{\"message\":\"at 10.0.0.1\"}}",
            Broken::Failed,
        ),
        (
            Answer::stream(Shape::Chat),
            "data: {\"choices\":[]}\n\n",
            Broken::Unfinished,
        ),
        (
            Answer::stream(Shape::Chat),
            "data: nonsense\n\n",
            Broken::Json,
        ),
        (
            Answer::stream(Shape::Chat),
            "data: {\"error\":{\"message\":\"x\"}}\n\n",
            Broken::Failed,
        ),
        (
            Answer::stream(Shape::Messages),
            "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n",
            Broken::Failed,
        ),
        (
            Answer::stream(Shape::Messages),
            "data: [DONE]\n\n",
            Broken::Unfinished,
        ),
        (
            Answer::stream(Shape::Responses),
            "data: {\"type\":\"response.failed\"}\n\n",
            Broken::Failed,
        ),
    ] {
        let got = usual(answer, &[bytes.as_bytes()]);
        assert_eq!(got.outcome, Err(want), "{bytes}");
        assert!(
            !got.out.contains("DONE") && !got.out.contains("10.0"),
            "{bytes}: {}",
            got.out
        );
    }
    let late = "data: [DONE]\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let got = usual(Answer::stream(Shape::Chat), &[late.as_bytes()]);
    assert_eq!(
        (got.out.as_str(), got.outcome),
        ("data: [DONE]\n\n", Ok(())),
        "nothing behind the end"
    );
}

#[test]
fn refused_text_ends_an_answer_and_does_not_leave() {
    let inspector = inspector(|settings| {
        settings.canaries = vec!["the-canary-string".to_owned()];
        settings.harmful = Action::Block;
    });
    let policy = policy();
    for text in [
        "It is The-Canary-STRING.",
        "how to build a pipe bomb at home",
    ] {
        let events: String = text
            .split_inclusive(' ')
            .map(|word| chunk(0, &json!({"content": word}), &Value::Null))
            .collect();
        let got = heard(
            Answer::stream(Shape::Chat),
            (&inspector, &policy),
            &[events.as_bytes()],
        );
        assert!(matches!(got.outcome, Err(Broken::Refused(_))), "{text}");
        assert!(
            !got.out.to_lowercase().contains("canary") && !got.out.contains("bomb"),
            "{}",
            got.out
        );
        let body = json!({"choices": [{"message": {"content": text}}]}).to_string();
        let got = heard(
            Answer::plain(Shape::Chat),
            (&inspector, &policy),
            &[body.as_bytes()],
        );
        assert!(matches!(got.outcome, Err(Broken::Refused(_))), "{text}");
        assert_eq!(got.out, "");
    }
}

#[test]
fn a_long_text_is_cut_and_says_so() {
    let inspector = inspector(|_| {});
    let mut policy = policy();
    policy.hold.chars = Some(8);
    let stream = [
        chunk(0, &json!({"content": "one two "}), &Value::Null),
        chunk(0, &json!({"content": "three four"}), &Value::Null),
        chunk(0, &json!({}), &json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let got = heard(
        Answer::stream(Shape::Chat),
        (&inspector, &policy),
        &[stream.as_bytes()],
    );
    assert_eq!(said(&got.out, 0, "content"), "one two ");
    assert!(
        got.out.contains("\"finish_reason\":\"length\""),
        "{}",
        got.out
    );
    let body =
        json!({"content": [{"type": "text", "text": "one two three"}], "stop_reason": "end_turn"});
    let got = heard(
        Answer::plain(Shape::Messages),
        (&inspector, &policy),
        &[body.to_string().as_bytes()],
    );
    assert_eq!(
        got.out,
        json!({"content": [{"type": "text", "text": "one two "}], "stop_reason": "max_tokens"})
            .to_string()
    );
}

#[test]
fn hostile_streams_take_bounded_memory_and_end() {
    let many: String = (0..100_000)
        .map(|index| chunk(index, &json!({"content": "a1"}), &Value::Null))
        .collect();
    let got = usual(Answer::stream(Shape::Chat), &[many.as_bytes()]);
    assert_eq!(got.outcome, Err(Broken::TooLarge), "100,000 choices");
    let choices: Vec<Value> = (0..100_000)
        .map(|n| json!({"index": n, "delta": {"content": "x"}}))
        .collect();
    let one = format!("data: {}\n\n", json!({"choices": choices}));
    assert_eq!(
        usual(Answer::stream(Shape::Chat), &[one.as_bytes()]).outcome,
        Err(Broken::TooLarge)
    );
    let half = [
        b"data: {\"choices\":[{\"delta\":{\"content\":\"".as_slice(),
        &[0xe6, 0x97],
        b"\"}}]}\n\n",
    ]
    .concat();
    assert_eq!(
        usual(Answer::stream(Shape::Chat), &[&half]).outcome,
        Err(Broken::Json),
        "half a character"
    );
    let nul = b"data: {\"choices\":[{\"delta\":{\"content\":\"\0\"}}]}\n\n";
    assert_eq!(
        usual(Answer::stream(Shape::Chat), &[nul]).outcome,
        Err(Broken::Json),
        "a raw NUL"
    );
}

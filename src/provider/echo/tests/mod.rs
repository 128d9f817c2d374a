mod openai;
mod others;
mod uploads;

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_750_000_000;

fn call(path: &str, body: &Value) -> Answer {
    answer(path, body.to_string().as_bytes(), NOW)
}

fn plain(path: &str, body: &Value) -> (u16, Value) {
    match call(path, body) {
        Answer::Plain { status, body } => (status, serde_json::from_slice(&body).unwrap()),
        Answer::Stream(frames) => panic!("{path} streamed {frames:?}"),
    }
}

fn ok(path: &str, body: &Value) -> Value {
    let (status, document) = plain(path, body);
    assert_eq!(status, 200, "{path} with {body} answered {document}");
    document
}

/// The frames of a stream as (name, data), each checked to be one whole frame.
fn stream(path: &str, body: &Value) -> Vec<(Option<String>, String)> {
    let Answer::Stream(frames) = call(path, body) else {
        panic!("{path} did not stream")
    };
    let frame = |frame: Bytes| {
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let lines = text
            .strip_suffix("\n\n")
            .expect("a frame ends in a blank line");
        assert!(!lines.contains("\n\n"), "one event a frame, got {text:?}");
        match lines.split_once('\n') {
            Some((name, data)) => (
                Some(name.strip_prefix("event: ").unwrap().to_owned()),
                data.strip_prefix("data: ").unwrap().to_owned(),
            ),
            None => (None, lines.strip_prefix("data: ").unwrap().to_owned()),
        }
    };
    frames.into_iter().map(frame).collect()
}

fn documents(frames: &[(Option<String>, String)]) -> Vec<Value> {
    frames
        .iter()
        .filter(|(_, data)| data != "[DONE]")
        .map(|(_, data)| serde_json::from_str(data).unwrap())
        .collect()
}

fn joined(documents: &[Value], pointer: &str) -> String {
    documents
        .iter()
        .filter_map(|document| document.pointer(pointer).and_then(Value::as_str))
        .collect()
}

fn chat(content: &Value) -> Value {
    json!({"model": "m", "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": content},
    ]})
}

fn with(mut body: Value, more: &Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    body
}

fn message(content: &Value) -> Value {
    with(
        chat(content),
        &json!({"max_tokens": 16, "system": [{"type": "text", "text": "so it is"}]}),
    )
}

const CHATS: &str = "/v1/chat/completions";

/// Path, body, the field that the refusal names.
const WRONG_BODIES: [(&str, &str, Option<&str>); 21] = [
    (CHATS, "{", None),
    (CHATS, "", None),
    (CHATS, "[]", None),
    (CHATS, "\u{ff}", None),
    (CHATS, "{}", Some("model")),
    (CHATS, r#"{"model":1}"#, Some("model")),
    (CHATS, r#"{"model":"m"}"#, Some("messages")),
    (CHATS, r#"{"model":"m","messages":[]}"#, Some("messages")),
    (CHATS, r#"{"model":"m","messages":"x"}"#, Some("messages")),
    (CHATS, r#"{"model":"m","messages":[1],"n":0}"#, Some("n")),
    (CHATS, r#"{"model":"m","messages":[1],"n":65}"#, Some("n")),
    (
        CHATS,
        r#"{"model":"m","messages":[1],"stream":1}"#,
        Some("stream"),
    ),
    ("/v1/completions", r#"{"model":"m"}"#, Some("prompt")),
    (
        "/v1/completions",
        r#"{"model":"m","prompt":[]}"#,
        Some("prompt"),
    ),
    (
        "/v1/completions",
        r#"{"model":"m","prompt":["a",1]}"#,
        Some("prompt"),
    ),
    (
        "/v1/completions",
        r#"{"model":"m","prompt":["a","b"],"n":33}"#,
        Some("prompt"),
    ),
    ("/v1/responses", r#"{"model":"m","input":1}"#, Some("input")),
    ("/v1/embeddings", r#"{"model":"m"}"#, Some("input")),
    (
        "/v1/embeddings",
        r#"{"model":"m","input":"a","dimensions":8}"#,
        Some("dimensions"),
    ),
    (
        "/v1/embeddings",
        r#"{"model":"m","input":"a","encoding_format":1}"#,
        Some("encoding_format"),
    ),
    ("/v1/moderations", "{}", Some("input")),
];

fn refused(path: &str, body: &str) -> Value {
    let Answer::Plain {
        status,
        body: refusal,
    } = answer(path, body.as_bytes(), NOW)
    else {
        panic!("{path} with {body} must be refused, not streamed")
    };
    assert_eq!(status, 400, "{path} with {body}");
    serde_json::from_slice(&refusal).unwrap()
}

#[test]
fn a_wrong_body_is_refused_in_openais_shape() {
    for (path, body, param) in WRONG_BODIES {
        let error = &refused(path, body)["error"];
        assert_eq!(
            error["param"].as_str(),
            param,
            "{path} with {body}: {error}"
        );
        assert_eq!(error["type"], "invalid_request_error", "{path} with {body}");
        assert!(error["message"].is_string(), "{path} with {body}");
    }
}

#[test]
fn a_wrong_message_is_refused_in_anthropics_shape() {
    for body in [
        "{",
        "{}",
        r#"{"model":"m","max_tokens":1}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#,
    ] {
        let refusal = refused("/v1/messages", body);
        assert_eq!(refusal["type"], "error", "{body}: {refusal}");
        assert_eq!(refusal["error"]["type"], "invalid_request_error", "{body}");
        assert!(refusal["error"]["message"].is_string(), "{body}");
    }
}

#[test]
fn a_model_name_is_taken_up_to_its_limit_and_refused_one_byte_past_it() {
    for (length, status) in [(256, 200), (257, 400)] {
        let body = with(chat(&json!("a")), &json!({"model": "m".repeat(length)}));
        assert_eq!(plain(CHATS, &body).0, status, "{length} bytes");
    }
}

#[test]
fn any_other_path_is_not_found() {
    for path in [
        "/",
        "",
        "/v1",
        "/v1/chat/completions/",
        "/v1/models",
        "/v1/files/x",
        "/V1/messages",
    ] {
        let (status, body) = plain(path, &chat(&json!("a")));
        assert_eq!(status, 404, "{path}");
        assert!(body["error"]["message"].is_string(), "{path}: {body}");
    }
}

#[test]
fn a_text_over_the_limit_is_cut_and_says_so() {
    // Two bytes a character, so that the limit falls on an odd one when a blank comes first.
    let cases = [
        (
            format!(" {}", "é".repeat(MAX_TEXT / 2)),
            MAX_TEXT - 1,
            "length",
        ),
        ("é".repeat(MAX_TEXT / 2), MAX_TEXT, "stop"),
    ];
    for (text, length, finish) in cases {
        let body = ok("/v1/chat/completions", &chat(&json!(text)));
        let choice = &body["choices"][0];
        assert_eq!(
            choice["message"]["content"].as_str().unwrap().len(),
            length,
            "{finish}"
        );
        assert_eq!(choice["finish_reason"], finish, "why it ended");
        let response = ok("/v1/responses", &json!({"model": "m", "input": text}));
        let cut = response["status"] == "incomplete";
        assert_eq!(cut, finish == "length", "a cut response is incomplete");
        let message = ok("/v1/messages", &message(&json!(text)));
        let cut = message["stop_reason"] == "max_tokens";
        assert_eq!(cut, finish == "length", "a cut message ran into its limit");
    }
}

#[test]
fn a_stream_has_no_more_pieces_than_its_limit() {
    for (words, n) in [
        (MAX_PIECES, 1),
        (MAX_PIECES + 1, 1),
        (200_000, 1),
        (10_000, 64),
    ] {
        let text = "w ".repeat(words);
        let body = with(chat(&json!(text)), &json!({"stream": true, "n": n}));
        let chunks = documents(&stream("/v1/chat/completions", &body));
        // Each choice has an opening and a finish beside its pieces.
        let pieces = chunks.len() - 2 * n;
        assert!(
            pieces <= MAX_PIECES,
            "{words} words, {n} choices made {pieces} pieces"
        );
        assert!(
            pieces >= MAX_PIECES / 2,
            "{words} words, {n} choices made only {pieces}"
        );
    }
}

#[test]
fn the_same_call_gets_the_same_answer() {
    let body = chat(&json!("a")).to_string();
    let at = |now| answer("/v1/chat/completions", body.as_bytes(), now);
    assert_eq!(at(NOW), at(NOW), "nothing but body and time decides");
    assert_ne!(at(NOW), at(NOW + 1), "another time, another id");
}

const PATHS: [&str; 6] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/moderations",
    "/v1/messages",
];

/// Documents made of the words that the provider looks for, in any place.
fn anything() -> impl Strategy<Value = Value> {
    let word = proptest::sample::select(vec![
        "role", "user", "content", "text", "type", "input", "prompt", "messages", "n", "stream", "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..70).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_fields_are_answered_or_refused(
        values in proptest::collection::vec(anything(), 6),
        stream in any::<bool>(),
    ) {
        let [messages, input, prompt, system, n, options] = &values[..] else {
            return Err(TestCaseError::reject("six fields"));
        };
        let mut body = json!({
            "model": "m", "max_tokens": 1, "messages": messages, "input": input, "prompt": prompt,
            "system": system, "n": n, "stream_options": options, "stream": stream,
        });
        if !n.is_u64() {
            body["n"] = Value::Null;
        }
        for path in PATHS {
            match call(path, &body) {
                Answer::Plain { status, body } => {
                    prop_assert!([200, 400].contains(&status), "{path} answered {status}");
                    prop_assert!(serde_json::from_slice::<Value>(&body).is_ok(), "{path}: JSON");
                }
                Answer::Stream(frames) => {
                    prop_assert!(stream && frames.len() > 1, "{path} streams if asked to");
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_answered_or_refused(body in any::<Vec<u8>>()) {
        for path in PATHS {
            let answer = answer(path, &body, NOW);
            prop_assert!(
                matches!(answer, Answer::Plain { status: 400, .. }),
                "{path} answered {answer:?} to random bytes"
            );
        }
    }
}

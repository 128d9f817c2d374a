use super::*;

#[test]
fn embeddings_are_unit_vectors_in_both_encodings() {
    let body = json!({"model": "m", "input": ["a b", "c", "a b"]});
    let floats = ok("/v1/embeddings", &body);
    let base64 = ok(
        "/v1/embeddings",
        &with(body, &json!({"encoding_format": "base64"})),
    );
    assert_eq!(floats["usage"]["prompt_tokens"], 5, "words of all inputs");
    let numbers = |index: usize| -> Vec<f32> {
        serde_json::from_value(floats["data"][index]["embedding"].clone()).unwrap()
    };
    for index in 0..3 {
        let vector = numbers(index);
        assert_eq!(vector.len(), 16, "the dimensions");
        let length: f32 = vector.iter().map(|number| number * number).sum();
        assert!((length - 1.0).abs() < 1e-5, "length one, got {length}");
        let text = base64["data"][index]["embedding"].as_str().unwrap();
        assert_eq!(decoded(text), vector, "both encodings hold one vector");
        assert_eq!(
            base64["data"][index]["index"], index,
            "the inputs are numbered"
        );
    }
    assert_eq!(numbers(0), numbers(2), "one text, one vector");
    assert_ne!(numbers(0), numbers(1), "another text, another vector");
}

/// Base64 of little-endian floats, read by the book rather than by the code under test.
fn decoded(text: &str) -> Vec<f32> {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sextets = text
        .trim_end_matches('=')
        .chars()
        .map(|letter| format!("{:06b}", letters.find(letter).unwrap()));
    let bits = sextets.collect::<Vec<_>>().concat();
    let bytes: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect();
    bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect()
}

#[test]
fn moderations_flag_nothing() {
    for (input, results) in [
        (json!("a"), 1),
        (json!(["a", "b"]), 2),
        (
            json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            1,
        ),
    ] {
        let body = ok("/v1/moderations", &json!({"input": input}));
        assert_eq!(
            body["model"], "omni-moderation-latest",
            "OpenAI's default model"
        );
        let got = body["results"].as_array().unwrap();
        assert_eq!(got.len(), results, "results for {input}");
        assert_eq!(got[0]["flagged"], false, "nothing is flagged");
        assert_eq!(
            got[0]["categories"]["self-harm/intent"], false,
            "in no category"
        );
    }
}

#[test]
fn a_message_has_anthropics_shape() {
    let body = ok(
        "/v1/messages",
        &message(&json!([{"type": "text", "text": "a b"}])),
    );
    assert_eq!(body["type"], "message", "the object's name");
    assert_eq!(
        body["content"],
        json!([{"type": "text", "text": "a b"}]),
        "the echo"
    );
    assert_eq!(body["stop_reason"], "end_turn", "it ended by itself");
    assert_eq!(
        body["usage"]["input_tokens"], 9,
        "words of the system prompt too"
    );
    assert_eq!(body["usage"]["output_tokens"], 2, "words of the answer");
}

#[test]
fn a_streamed_message_has_all_its_events_in_order() {
    let body = with(message(&json!("a b")), &json!({"stream": true}));
    let frames = stream("/v1/messages", &body);
    let names: Vec<_> = frames
        .iter()
        .map(|(name, _)| name.as_deref().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ],
        "the order that Anthropic documents"
    );
    let events = documents(&frames);
    assert_eq!(
        joined(&events, "/delta/text"),
        "a b",
        "the pieces make the text"
    );
    assert_eq!(
        events[0]["message"]["usage"]["input_tokens"], 9,
        "the prompt's count first"
    );
    assert_eq!(
        events[5]["usage"]["output_tokens"], 2,
        "the answer's count last"
    );
    assert_eq!(
        events[5]["delta"]["stop_reason"], "end_turn",
        "why it stopped"
    );
}

use super::*;

#[test]
fn a_chat_echoes_the_last_user_message_in_openais_shape() {
    let body = ok("/v1/chat/completions", &chat(&json!("hello  big\nworld")));
    assert_eq!(body["object"], "chat.completion", "the object's name");
    assert_eq!(body["created"], NOW, "the time is the caller's");
    assert_eq!(body["model"], "m", "the model is the one asked for");
    assert!(
        body["id"].as_str().unwrap().starts_with("chatcmpl-"),
        "the id's form"
    );
    let choice = &body["choices"][0];
    assert_eq!(choice["message"]["role"], "assistant", "who speaks");
    assert_eq!(
        choice["message"]["content"], "hello  big\nworld",
        "unchanged text"
    );
    assert_eq!(choice["finish_reason"], "stop", "it ended by itself");
    let usage = &body["usage"];
    assert_eq!(usage["prompt_tokens"], 7, "words of all messages");
    assert_eq!(usage["completion_tokens"], 3, "words of the answer");
    assert_eq!(usage["total_tokens"], 10, "both");
}

#[test]
fn only_the_texts_among_content_parts_are_echoed() {
    for (content, text) in [
        (
            json!([{"type": "text", "text": "a b"}, {"type": "text", "text": "c"}]),
            "a b\nc",
        ),
        (
            json!([{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "t"}]),
            "t",
        ),
        (json!([]), ""),
        (json!(null), ""),
        (json!(7), ""),
    ] {
        let body = ok("/v1/chat/completions", &chat(&content));
        assert_eq!(
            body["choices"][0]["message"]["content"], text,
            "the echo of {content}"
        );
    }
}

#[test]
fn n_choices_are_numbered_and_counted() {
    let body = ok(
        "/v1/chat/completions",
        &with(chat(&json!("a b")), &json!({"n": 3})),
    );
    let choices = body["choices"].as_array().unwrap();
    let indices: Vec<_> = choices
        .iter()
        .map(|choice| choice["index"].clone())
        .collect();
    assert_eq!(indices, [0, 1, 2], "the choices' numbers");
    assert_eq!(body["usage"]["completion_tokens"], 6, "every choice counts");
}

#[test]
fn a_streamed_chat_is_the_same_text_in_words() {
    let text = " hello  big\nworld ";
    for n in [1, 2] {
        let more = json!({"stream": true, "n": n});
        let frames = stream("/v1/chat/completions", &with(chat(&json!(text)), &more));
        assert_eq!(frames.last().unwrap().1, "[DONE]", "the end of the stream");
        let chunks = documents(&frames);
        assert_eq!(chunks.len() + 1, frames.len(), "[DONE] comes once");
        assert_eq!(
            chunks[0]["choices"][0]["delta"]["role"], "assistant",
            "the opening"
        );
        for chunk in &chunks {
            assert_eq!(
                chunk["object"], "chat.completion.chunk",
                "the object's name"
            );
            assert_eq!(chunk["id"], chunks[0]["id"], "one id for the stream");
            assert!(chunk.get("usage").is_none(), "no usage unless asked for");
        }
        for index in 0..n {
            let own: Vec<Value> = chunks
                .iter()
                .filter(|chunk| chunk["choices"][0]["index"] == index)
                .cloned()
                .collect();
            assert_eq!(
                joined(&own, "/choices/0/delta/content"),
                text,
                "choice {index}"
            );
            let finish = &own.last().unwrap()["choices"][0]["finish_reason"];
            assert_eq!(finish, "stop", "choice {index} is finished last");
        }
    }
}

#[test]
fn a_stream_tells_its_usage_when_asked() {
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let bodies = [
        ("/v1/chat/completions", chat(&json!("a b"))),
        (
            "/v1/completions",
            json!({"model": "m", "prompt": "a b c d e f"}),
        ),
    ];
    for (path, body) in bodies {
        let chunks = documents(&stream(path, &with(body, &more)));
        let (last, before) = chunks.split_last().unwrap();
        assert_eq!(last["choices"], json!([]), "{path}: the usage comes alone");
        assert!(
            last["usage"]["total_tokens"].as_u64().unwrap() > 0,
            "{path}: the count"
        );
        for chunk in before {
            assert_eq!(
                chunk.get("usage"),
                Some(&Value::Null),
                "{path}: null until then"
            );
        }
    }
}

#[test]
fn completions_answer_each_prompt() {
    for (prompt, texts) in [
        (json!("a b"), vec!["a b"]),
        (json!(["a", "b"]), vec!["a", "b"]),
        (json!([1, 2]), vec!["1 2"]),
        (json!([[1, 2], [3]]), vec!["1 2", "3"]),
    ] {
        let body = json!({"model": "m", "prompt": prompt});
        let whole = ok("/v1/completions", &body);
        assert_eq!(whole["object"], "text_completion", "the object's name");
        let got: Vec<_> = whole["choices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|choice| choice["text"].as_str().unwrap())
            .collect();
        assert_eq!(got, texts, "the echo of {prompt}");
        let chunks = documents(&stream(
            "/v1/completions",
            &with(body, &json!({"stream": true})),
        ));
        assert_eq!(
            joined(&chunks, "/choices/0/text"),
            texts.concat(),
            "the stream of {prompt}"
        );
    }
}

#[test]
fn a_response_has_openais_shape() {
    for (input, text, asked) in [
        (json!("a b"), "a b", 3),
        (json!([{"role": "user", "content": "a"}]), "a", 2),
        (
            json!([{"role": "user", "content": [{"type": "input_text", "text": "x y"}]}]),
            "x y",
            3,
        ),
    ] {
        let body = json!({"model": "m", "input": input, "instructions": "brief"});
        let got = ok("/v1/responses", &body);
        assert_eq!(got["object"], "response", "the object's name");
        assert_eq!(got["status"], "completed", "it is complete");
        assert_eq!(got["created_at"], NOW, "the time is the caller's");
        let part = &got["output"][0]["content"][0];
        assert_eq!(part["type"], "output_text", "the part's type");
        assert_eq!(part["text"], text, "the echo of {input}");
        assert_eq!(
            got["usage"]["input_tokens"], asked,
            "words of {input} and `brief`"
        );
    }
}

#[test]
fn a_streamed_response_has_all_its_events_in_order() {
    let body = json!({"model": "m", "input": "a b", "stream": true});
    let frames = stream("/v1/responses", &body);
    let names: Vec<_> = frames
        .iter()
        .map(|(name, _)| name.as_deref().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ],
        "the order that OpenAI documents"
    );
    let events = documents(&frames);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "the events are numbered");
        assert_eq!(event["type"], names[number], "name and type agree");
    }
    assert_eq!(joined(&events, "/delta"), "a b", "the pieces make the text");
    assert_eq!(events[6]["text"], "a b", "the whole text at the end");
    let mut unstreamed = body;
    unstreamed["stream"] = json!(false);
    let (mut last, mut whole) = (
        events[9]["response"].clone(),
        ok("/v1/responses", &unstreamed),
    );
    // The ids are made from the body, which differs.
    for document in [&mut last, &mut whole] {
        document["id"] = json!("-");
        document["output"][0]["id"] = json!("-");
    }
    assert_eq!(last, whole, "the last event holds what a plain answer is");
}

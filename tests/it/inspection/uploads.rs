//! Forms and files: routed by what they say, judged like any other body, counted where they
//! can't be read, and never complete at a provider once refused.

use super::{ATTACK, EMAIL, id, inspecting};
use crate::framing::http2_client::{Client, secured};
use crate::harness::received::{Arrival, Received};
use crate::harness::{Gateway, Request, STANDARD_KEY, Upstream};

const AUDIO: &str = "/v1/audio/transcriptions";
const FORM: &str = "multipart/form-data; boundary=frontier-of-a-form";

/// A form of these parts: what stands behind `form-data; `, and the data.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, data) in parts {
        let head =
            format!("--frontier-of-a-form\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(data);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--frontier-of-a-form--\r\n");
    body
}

fn upload(path: &str, kind: &str, body: &[u8]) -> Request {
    Request::new("POST", path)
        .key(STANDARD_KEY)
        .header("content-type", kind)
        .body(body)
}

/// Something that is no text.
fn sound(size: usize) -> Vec<u8> {
    let bytes = (0..size).map(|n| u8::try_from(n % 251).expect("a byte"));
    b"RIFF\0\0\xff".iter().copied().chain(bytes).collect()
}

const SOUND: &str = "name=\"file\"; filename=\"a.wav\"";
const MODEL: &str = "name=\"model\"";

fn settled(all: &[Received]) -> bool {
    !all.is_empty() && all.iter().all(|one| one.arrival != Arrival::Open)
}

#[tokio::test]
async fn the_model_of_a_form_says_where_it_goes_wherever_it_stands() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::builder()
        .provider("left", "openai", &left.url())
        .provider("right", "openai", &right.url())
        .route("{models: [\"whisper-*\"], providers: [left]}")
        .route("{models: [\"*\"], providers: [right]}")
        .start()
        .await;
    let mut wanted = (0, 0);
    for size in [100, 3_000_000] {
        let sound = sound(size);
        for (model, to_left) in [("whisper-1", true), ("gpt-4o-transcribe", false)] {
            let model: (&str, &[u8]) = (MODEL, model.as_bytes());
            for parts in [[model, (SOUND, &sound)], [(SOUND, &sound), model]] {
                let body = form(&parts);
                let reply = gateway.send(&upload(AUDIO, FORM, &body)).await;
                reply.assert_fine("it is routed");
                let upstream = if to_left {
                    wanted.0 += 1;
                    &left
                } else {
                    wanted.1 += 1;
                    &right
                };
                let count = if to_left { wanted.0 } else { wanted.1 };
                let all = upstream.wait_requests(count).await;
                assert!(all[count - 1].body == body, "byte by byte");
                let line = gateway.access_line(id(&reply)).await;
                assert!(line["extra_data"]["model"].is_string(), "{line}");
            }
        }
    }
    let reply = gateway
        .send(&upload(
            AUDIO,
            "application/x-www-form-urlencoded",
            b"prompt=x&model=whisper-1",
        ))
        .await;
    reply.assert_fine("a URL-encoded form");
    left.wait_requests(wanted.0 + 1).await;
}

#[tokio::test]
async fn forms_that_are_none_or_say_too_little_are_refused_and_nobody_is_called() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let sound = sound(100);
    let two = form(&[(MODEL, b"a"), (MODEL, b"b")]);
    let cut = form(&[(MODEL, b"a")]);
    let cut = &cut[..cut.len() - 10];
    for (why, kind, body, param) in [
        ("no model", FORM, form(&[(SOUND, &sound)]), Some("model")),
        ("two models", FORM, two, Some("model")),
        ("an empty model", FORM, form(&[(MODEL, b"")]), Some("model")),
        ("half a form", FORM, cut.to_vec(), None),
        ("no form", FORM, b"Hello".to_vec(), None),
        (
            "no boundary",
            "multipart/form-data",
            b"Hello".to_vec(),
            Some("content-type"),
        ),
        (
            "bad escapes",
            "application/x-www-form-urlencoded",
            b"model=%zz".to_vec(),
            None,
        ),
    ] {
        let reply = gateway.send(&upload(AUDIO, kind, &body)).await;
        reply.assert_refused(400, "invalid_request", why);
        assert_eq!(reply.json()["error"]["param"].as_str(), param, "{why}");
    }
    let packed = upload(AUDIO, FORM, &form(&[(MODEL, b"m")])).header("content-encoding", "gzip");
    let reply = gateway.send(&packed).await;
    reply.assert_refused(415, "unsupported_media_type", "a packed form");
    assert_eq!(upstream.connections(), 0, "nobody was called");
}

#[tokio::test]
async fn what_cannot_be_read_is_on_record_and_refused_where_all_must_be_read() {
    let upstream = Upstream::start().await;
    let lenient = Gateway::before(&upstream).await;
    let strict = inspecting(&upstream, "uninspectable: block").await;
    let sound = sound(5_000);
    let body = form(&[(MODEL, b"m"), ("name=prompt", b"a word"), (SOUND, &sound)]);
    let picture = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{}", "QUJD".repeat(100))}}]}]});
    let audio = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "QUJD".repeat(100), "format": "wav"}}]}]});
    let chat = |body: &serde_json::Value| Request::post(super::CHAT, body).key(STANDARD_KEY);
    let mut count = 0;
    for (why, request, uninspected) in [
        ("a form", upload(AUDIO, FORM, &body), 5_007_u64),
        (
            "a file",
            upload("/v1/files", "application/pdf", b"%PDF-1.4\n%\xe2\xe3\n"),
            13,
        ),
        ("what has no type", upload("/v1/files", "", &sound), 5_007),
        ("a picture", chat(&picture), 422),
        ("sound", chat(&audio), 400),
    ] {
        let reply = lenient.send(&request).await;
        reply.assert_fine(why);
        count += 1;
        upstream.wait_requests(count).await;
        let line = lenient.access_line(id(&reply)).await;
        let data = &line["extra_data"];
        assert_eq!(data["uninspected_bytes"], uninspected, "{why}: {line}");
        assert_eq!(
            data["inspected_bytes"], data["request_bytes"],
            "{why}: {line}"
        );
        assert!(data["families"].is_array(), "{why}: {line}");
        let reply = strict.send(&request).await;
        reply.assert_refused(415, "unsupported_media_type", why);
    }
    let text = form(&[(MODEL, b"m"), ("name=file; filename=a.txt", b"only text")]);
    let reply = strict.send(&upload(AUDIO, FORM, &text)).await;
    reply.assert_fine("text can be read");
    assert_eq!(upstream.requests().len(), count + 1, "no refused one left");
}

#[tokio::test]
async fn a_long_upload_is_judged_to_its_end_and_never_complete_once_refused() {
    let line =
        |text: &str| format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}\n");
    let many = line("all is well, and it will be tomorrow").repeat(20_000);
    let file = |last: &str| format!("{many}{}", line(last));
    let body = |last: &str| {
        form(&[
            ("name=purpose", b"fine-tune"),
            ("name=file; filename=\"a.jsonl\"", file(last).as_bytes()),
        ])
    };
    let upstream = Upstream::start().await;
    let gateway = secured(&upstream, "inspection: {request: {max_text_chars: null}}").await;
    let client = Client::connect(&gateway).await;
    let refused = body(ATTACK);
    for chunk in [None, Some(50_000)] {
        let request = upload("/v1/files", FORM, &refused);
        let request = match chunk {
            Some(size) => request.chunked(size),
            None => request,
        };
        let mut connection = gateway.gateway.connect().await;
        connection.send(&request).await;
        let reply = connection.raw_reply().await.expect("a refusal");
        reply.assert_refused(
            400,
            "prompt_injection_detected",
            "at the end of a long file",
        );
    }
    let answer = client
        .send("/v1/files", FORM, &[], (&refused, 16_000))
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let all = upstream.wait("the provider is let go", settled).await;
    let never = all.iter().all(|one| one.arrival == Arrival::Cut);
    assert!(never && !all.is_empty(), "never complete");
    let before = all.len();
    let sent = body(EMAIL);
    let want = body("[EMAIL_1]");
    let mut connection = gateway.gateway.connect().await;
    connection.send(&upload("/v1/files", FORM, &sent)).await;
    let reply = connection.raw_reply().await.expect("an answer");
    reply.assert_fine("masked");
    let answer = client.send("/v1/files", FORM, &[], (&sent, 16_000)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let all = upstream.wait_requests(2).await;
    assert!(
        all[before..].iter().all(|one| one.body == want),
        "only the value changed"
    );
}

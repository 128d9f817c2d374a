//! What answers say: cleaned in a live stream, refused in the API's own words, never half-true.

mod browsers;
mod plain;
mod rules;
mod streams;
mod switch;

use serde_json::{Value, json};

use crate::harness::script::{Feed, Step, head};
use crate::harness::{Gateway, Request, STANDARD_KEY, Script, Upstream, streamed_chat};

/// A gateway before the mock, with this in `inspection.response`.
pub(crate) async fn gateway(upstream: &Upstream, api: &str, response: &str) -> Gateway {
    Gateway::builder()
        .provider("mock", api, &upstream.url())
        .route("{models: [\"*\"], providers: [mock]}")
        .yaml(&format!("inspection: {{response: {{{response}}}}}"))
        .start()
        .await
}

/// The data of a stream's events, without `[DONE]`.
pub(crate) fn events(stream: &str) -> Vec<Value> {
    let data = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap_or_else(|e| panic!("{e}: {data}")))
        .collect()
}

/// What one choice says in a field of its deltas.
pub(crate) fn said(stream: &str, choice: u64, field: &str) -> String {
    let choices = events(stream)
        .into_iter()
        .flat_map(|event| event["choices"].as_array().cloned().unwrap_or_default());
    let mine = choices.filter(|one| one["index"] == choice);
    mine.filter_map(|one| one["delta"][field].as_str().map(str::to_owned))
        .collect()
}

/// A stream in pieces of these sizes, again and again, each in a chunk of its own.
pub(crate) fn cut(stream: &[u8], sizes: &[usize]) -> Script {
    let mut pieces = vec![head(
        200,
        &[
            ("content-type", "text/event-stream; charset=utf-8"),
            ("transfer-encoding", "chunked"),
        ],
    )];
    let (mut rest, mut sizes) = (stream, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
        let (piece, after) = rest.split_at(size);
        rest = after;
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        pieces.push(chunk);
    }
    pieces.push(b"0\r\n\r\n".to_vec());
    Script::new(pieces.into_iter().map(Step::Send).collect())
}

/// A request that asks for a stream.
pub(crate) fn ask(path: &str) -> Request {
    let request = match path {
        "/v1/chat/completions" => return streamed_chat("gpt-4o").key(STANDARD_KEY),
        "/v1/responses" => json!({"model": "gpt-4o", "input": "hi", "stream": true}),
        _ => json!({"model": "claude", "max_tokens": 9, "stream": true,
            "messages": [{"role": "user", "content": "hi"}]}),
    };
    Request::post(path, &request).key(STANDARD_KEY)
}

/// A live stream to `gateway`, opened.
pub(crate) async fn live(
    upstream: &Upstream,
    gateway: &Gateway,
) -> (
    Feed,
    crate::harness::client::Connection,
    crate::harness::client::ReplyHead,
) {
    let (script, feed) = Script::live();
    upstream.answer(script);
    let mut connection = gateway.connect().await;
    connection.send(&ask("/v1/chat/completions")).await;
    let head = connection.head().await.expect("a head");
    assert_eq!(head.status, 200, "a stream begins");
    (feed, connection, head)
}

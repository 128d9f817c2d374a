//! Five upgrades in a row, a reload before each, under load and with fifty streams open all the
//! while: the short form of `benches/load/upgrade.sh`.

use serde_json::json;

use super::{Load, ready, upgraded};
use crate::harness::client::{Connection, ReplyHead};
use crate::harness::replies::chat_event;
use crate::harness::script::Feed;
use crate::harness::{
    ADMIN_KEY, Gateway, Request, STANDARD_KEY, Script, Upstream, streamed_chat, within,
};

const UPGRADES: usize = 5;
const STREAMS: usize = 50;

struct Stream {
    connection: Connection,
    head: ReplyHead,
    feed: Feed,
}

impl Stream {
    async fn open(gateway: &Gateway, upstream: &Upstream) -> Self {
        let (script, feed) = Script::live();
        upstream.answer(script);
        let mut connection = gateway.connect().await;
        let request = streamed_chat("streamed").key(STANDARD_KEY);
        connection.send(&request).await;
        let head = connection.head().await.expect("a stream");
        let mut stream = Self {
            connection,
            head,
            feed,
        };
        stream.goes_on("first ").await;
        stream
    }

    async fn goes_on(&mut self, word: &str) {
        let event = chat_event("streamed", word);
        self.feed.event(&event);
        let got = self.connection.read_until(&self.head, "\n\n").await;
        assert_eq!(got, event, "the stream goes on");
    }

    async fn end(mut self) {
        self.feed.event("data: [DONE]\n\n");
        self.feed.end();
        let (_, complete) = self.connection.rest(&self.head).await;
        assert!(complete, "the stream comes whole");
    }
}

/// A changed file, loaded by whichever process gets the call.
async fn reloaded(gateway: &Gateway, turn: usize) {
    gateway.reconfigure(&format!("{{size_limits: {{json: {}MiB}}}}", turn + 2));
    let request = Request::post("/internal/config/reload", &json!({})).key(ADMIN_KEY);
    let reply = gateway.send(&request).await;
    reply.assert_fine("the reload");
    assert_eq!(reply.json()["status"], "reloaded", "{}", reply.text());
}

#[tokio::test]
async fn upgrades_and_reloads_in_a_row_fail_no_call_and_cut_no_stream() {
    let (upstream, streaming) = (Upstream::start().await, Upstream::start().await);
    let mut gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .provider("streaming", "openai", &streaming.url())
        .route("{models: [streamed], providers: [streaming]}")
        .route("{models: [\"*\"], providers: [mock]}")
        .yaml("{server: {shutdown: {drain: 10m}}}")
        .start()
        .await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(Stream::open(&gateway, &streaming).await);
    }
    let load = Load::on(&gateway);
    let mut gone = Vec::new();
    for upgrade in 1..=UPGRADES {
        ready(&gateway, upgrade).await;
        reloaded(&gateway, upgrade).await;
        gone.push(upgraded(&mut gateway, "portcullis.yaml").await);
        for stream in &mut streams {
            stream.goes_on("more ").await;
        }
        // The process that took over gets a stream of its own to carry.
        streams.push(Stream::open(&gateway, &streaming).await);
    }
    ready(&gateway, UPGRADES + 1).await;
    for stream in streams {
        stream.end().await;
    }
    assert!(load.end().await > 0, "calls were answered all the while");
    for mut old in gone {
        let status = within("an old process ends", old.wait()).await;
        assert_eq!(status.expect("a status").code(), Some(0), "drained");
    }
}

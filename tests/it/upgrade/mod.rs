//! A new process takes over from a running one: no call fails, no stream is cut, and nothing that
//! must be remembered is forgotten.

mod activation;
mod circumstances;
mod forgets_nothing;
mod in_a_row;
mod manager;

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;
use tokio::process::Child;
use tokio::task::JoinHandle;

use crate::harness::client::Connection;
use crate::harness::gateway::{command, free_address};
use crate::harness::replies::chat_event;
use crate::harness::{
    ADMIN_KEY, Gateway, Request, STANDARD_KEY, Script, Upstream, chat, streamed_chat, until, within,
};

fn waits(line: &serde_json::Value) -> bool {
    let message = line["message"].as_str().unwrap_or_default();
    message.contains("waits to take over")
}

/// Has a process with this configuration take over, and waits until it has what it must remember;
/// answers the process that was.
pub(crate) async fn upgraded(gateway: &mut Gateway, configuration: &str) -> Child {
    let successor = gateway.successor(configuration);
    let pid = successor.id().expect("it runs");
    let called = format!("process {pid} waits to take over");
    let is_it = |line: &serde_json::Value| {
        let message = line["message"].as_str().unwrap_or_default();
        message.contains(&called)
    };
    gateway.wait_for_line("a successor", is_it).await;
    gateway.signal("QUIT").await;
    gateway.succeeded_by(successor)
}

/// Waits until so many processes have been ready.
pub(crate) async fn ready(gateway: &Gateway, processes: usize) {
    until("the process is ready", || {
        let text = gateway.log_text();
        (text.matches(" is ready\"").count() >= processes).then_some(())
    })
    .await;
}

/// Calls in a row on four tasks, none of which may fail: two open a connection for each call, two
/// keep theirs as long as the gateway lets them.
struct Load {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    fn on(gateway: &Gateway) -> Self {
        let (stop, calls) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let task = |number: usize| {
            let (client, stop, calls) = (gateway.client(), stop.clone(), calls.clone());
            tokio::spawn(async move {
                let request = chat("gpt-4o").key(STANDARD_KEY);
                let mut kept = None;
                while !stop.load(Ordering::Relaxed) {
                    let mut connection = match kept.take() {
                        Some(connection) => connection,
                        None => Connection::open(client.address).await,
                    };
                    connection.send(&request).await;
                    let reply = connection.reply().await;
                    assert_eq!(reply.status, 200, "no call fails: {}", reply.text());
                    calls.fetch_add(1, Ordering::Relaxed);
                    let last = reply.headers.one("connection") == Some("close");
                    kept = (number.is_multiple_of(2) && !last).then_some(connection);
                }
            })
        };
        let tasks = (0..4).map(task).collect();
        Self { stop, calls, tasks }
    }

    /// How many calls there were.
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            within("the load ends", task).await.expect("no call failed");
        }
        self.calls.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn an_upgrade_under_load_fails_no_call_cuts_no_stream_and_forgets_no_block() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::before(&upstream).await;
    let order = json!({"ip": "203.0.113.9", "reason": "probing"});
    let block = Request::post("/internal/security/block-ip", &order).key(ADMIN_KEY);
    gateway.send(&block).await.assert_fine("a block");
    let (script, feed) = Script::live();
    upstream.answer(script);
    let mut stream = gateway.connect().await;
    stream
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    let head = stream.head().await.expect("a stream");
    let event = chat_event("gpt-4o", "before ");
    feed.event(&event);
    stream.read_until(&head, "\n\n").await;

    let load = Load::on(&gateway);
    let successor = gateway.successor("portcullis.yaml");
    gateway.wait_for_line("a successor", waits).await;
    gateway.signal("QUIT").await;
    let mut old = gateway.succeeded_by(successor);
    let handed = |line: &serde_json::Value| {
        line["message"]
            .as_str()
            .unwrap_or_default()
            .contains("1 blocks were taken over")
    };
    gateway
        .wait_for_line("the blocks in the new process", handed)
        .await;
    let before = load.calls.load(Ordering::Relaxed);
    let event = chat_event("gpt-4o", "after ");
    feed.event(&event);
    let got = stream.read_until(&head, "\n\n").await;
    assert_eq!(got, event, "the stream goes on in the old process");
    feed.event("data: [DONE]\n\n");
    feed.end();
    let (_, complete) = stream.rest(&head).await;
    assert!(complete, "and ends as the provider ends it");
    let status = within("the old process ends", old.wait()).await;
    assert_eq!(status.expect("a status").code(), Some(0), "drained");
    assert!(
        load.end().await > before,
        "calls were answered all the while"
    );
    let blocks = gateway
        .send(&Request::get("/internal/monitoring/rate-limiting").key(ADMIN_KEY))
        .await;
    assert_eq!(
        blocks.json()["blocked_clients"]["count"],
        1,
        "the block is remembered: {}",
        blocks.text()
    );
}

#[tokio::test]
async fn an_order_to_hand_over_to_nobody_changes_nothing() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let first = gateway.successor("portcullis.yaml");
    gateway.wait_for_line("a successor", waits).await;
    drop(first);
    gateway.signal("QUIT").await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("it waits for a successor");
    // It waits 20 seconds for one.
    until("nobody took over", || {
        gateway.log_text().contains("; going on").then_some(())
    })
    .await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("so it goes on");
}

#[tokio::test]
async fn an_upgrade_of_nothing_is_refused_with_the_reason() {
    let address = free_address();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("c.yaml");
    let text = format!(
        "server: {{listeners: [{{address: \"{address}\"}}]}}\nproviders: [{{name: e, api: \
         echo}}]\nroutes: [{{models: [\"*\"], providers: [e]}}]\n"
    );
    std::fs::write(&file, text).expect("a file");
    let ended = command(&["run", "-c", &file.to_string_lossy(), "--upgrade"])
        .env("API_KEY", ADMIN_KEY)
        .stdin(Stdio::null())
        .output();
    let output = within("it ends", ended).await.expect("an output");
    assert_eq!(output.status.code(), Some(2), "nothing to take over from");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no running gateway answers"), "{said}");
}

#[tokio::test]
async fn a_daemon_serves_by_the_time_its_starter_ends() {
    let address = free_address();
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("c.yaml");
    let text = format!(
        "server: {{listeners: [{{address: \"{address}\"}}]}}\nproviders: [{{name: e, api: \
         echo}}]\nroutes: [{{models: [\"*\"], providers: [e]}}]\nlogging: {{file: {}}}\n",
        folder.path().join("log").display()
    );
    std::fs::write(&file, text).expect("a file");
    let ended = command(&["run", "-c", &file.to_string_lossy(), "--daemon"])
        .env("API_KEY", ADMIN_KEY)
        .output();
    let output = within("the starter ends", ended).await.expect("an output");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let pid = said
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let connected = tokio::net::TcpStream::connect(address).await;
    let killed = tokio::process::Command::new("sh")
        .args(["-c", "kill -s TERM \"$0\"", &pid])
        .status();
    assert!(killed.await.expect("sh runs").success(), "it runs as {pid}");
    connected.expect("it takes connections");
}

#[tokio::test]
async fn a_request_on_its_way_when_the_stop_comes_is_answered() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::before(&upstream).await;
    let (mut fresh, mut kept) = (gateway.connect().await, gateway.connect().await);
    kept.send(&Request::get("/health")).await;
    kept.reply().await.assert_fine("it is kept open");
    let request = Request::get("/health");
    let bytes = request.bytes();
    let (first, rest) = bytes.split_at(9);
    for connection in [&mut fresh, &mut kept] {
        connection.send_part(&request, first).await;
    }
    gateway.signal("TERM").await;
    let draining = |line: &serde_json::Value| line["message"] == "the gateway drains";
    gateway.wait_for_line("the drain", draining).await;
    for connection in [&mut fresh, &mut kept] {
        connection.write(rest).await;
        let reply = connection.reply().await;
        reply.assert_fine("it was on its way");
        assert_eq!(
            reply.headers.one("connection"),
            Some("close"),
            "and the last"
        );
        connection.closed().await;
    }
    assert_eq!(gateway.ended().await, Some(0), "an orderly end");
}

#[tokio::test]
async fn a_stream_that_outlasts_the_drain_ends_with_a_typed_event() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .yaml("{server: {shutdown: {drain: 2s}}}")
        .start()
        .await;
    let (script, feed) = Script::live();
    upstream.answer(script);
    let mut stream = gateway.connect().await;
    stream
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await;
    let head = stream.head().await.expect("a stream");
    feed.event(&chat_event("gpt-4o", "and on "));
    stream.read_until(&head, "\n\n").await;
    gateway.signal("TERM").await;
    let (rest, complete) = within("the stream's end", stream.rest(&head)).await;
    let rest = String::from_utf8_lossy(&rest).into_owned();
    assert!(
        rest.contains("\"error\""),
        "it is told that it ended: {rest}"
    );
    assert!(!rest.contains("[DONE]"), "and not that it is whole: {rest}");
    assert!(complete, "the connection ends in order");
    assert_eq!(gateway.ended().await, Some(0), "and so does the process");
}

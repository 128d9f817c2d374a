use std::time::Duration;

use pingora::connectors::http::v1::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::UniqueID;
use pingora::upstreams::peer::Peer;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"one two"}]}"#;
const STREAMED: &str =
    r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"one two"}]}"#;

fn post(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: echo\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn open() -> (DuplexStream, JoinHandle<()>) {
    let (near, far) = duplex(PIPE_BYTES);
    (near, tokio::spawn(serve(far)))
}

/// Sends `request` and reads until the provider closes.
async fn talk(request: &[u8]) -> String {
    let (near, served) = open();
    let (mut reads, mut writes) = tokio::io::split(near);
    let answer = timeout(DEADLINE, async {
        let mut answer = Vec::new();
        let (wrote, read) = tokio::join!(writes.write_all(request), reads.read_to_end(&mut answer));
        wrote.expect("the provider reads all of a request");
        read.expect("the provider's answer can be read");
        answer
    })
    .await
    .expect("the provider answers and closes");
    served.await.expect("the serving task does not panic");
    String::from_utf8(answer).unwrap()
}

fn parts(answer: &str) -> (&str, &str) {
    answer.split_once("\r\n\r\n").expect("an answer has a head")
}

#[tokio::test]
async fn a_plain_answer_has_its_length_and_closes() {
    let answer = talk(&post("/v1/chat/completions", CHAT)).await;
    let (head, body) = parts(&answer);
    assert!(head.starts_with("HTTP/1.1 200 OK"), "got {head}");
    let head = head.to_ascii_lowercase();
    for line in [
        "content-type: application/json".to_owned(),
        format!("content-length: {}", body.len()),
        "connection: close".to_owned(),
    ] {
        assert!(head.contains(&line), "{line} must be in {head}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        body["choices"][0]["message"]["content"], "one two",
        "the user's text comes back"
    );
    assert!(
        body["created"].as_u64().unwrap() > 1_700_000_000,
        "`created` is the time of day"
    );
}

#[tokio::test]
async fn a_streamed_answer_sends_each_event_as_a_chunk() {
    let answer = talk(&post("/v1/chat/completions", STREAMED)).await;
    let (head, mut rest) = parts(&answer);
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: text/event-stream"),
        "got {head}"
    );
    assert!(head.contains("transfer-encoding: chunked"), "got {head}");
    assert!(!head.contains("content-length"), "got {head}");
    let mut frames = Vec::new();
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let (frame, after) = after.split_at(size);
        frames.push(frame);
        rest = after.strip_prefix("\r\n").unwrap();
        if size == 0 {
            break;
        }
    }
    assert_eq!(rest, "", "nothing follows the last chunk");
    assert_eq!(frames.pop(), Some(""), "the last chunk is empty");
    assert_eq!(frames.last(), Some(&"data: [DONE]\n\n"), "the last event");
    // The opening, two words, the finish, [DONE].
    assert_eq!(frames.len(), 5, "a chunk an event, got {frames:?}");
}

#[tokio::test]
async fn what_is_not_http_gets_400_and_no_panic() {
    for broken in [
        "\0\x01\x02\r\n\r\n",
        "POST\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
    ] {
        let answer = talk(broken.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"error\""),
            "{broken:?} got {answer:?}"
        );
    }
}

#[tokio::test]
async fn broken_json_and_unknown_paths_have_their_status() {
    for (path, body, status) in [
        ("/v1/chat/completions", "{", 400),
        ("/v1/messages", "[]", 400),
        ("/v1/chat/completions?x=1", CHAT, 200),
        ("/nowhere", CHAT, 404),
    ] {
        let answer = talk(&post(path, body)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path} with {body} got {answer}"
        );
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_gets_it() {
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: echo\r\nexpect: 100-continue\r\n\
         content-length: {}\r\n\r\n",
        CHAT.len()
    );
    let (mut near, _served) = open();
    near.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 25];
    timeout(DEADLINE, near.read_exact(&mut first))
        .await
        .expect("the provider must not wait for a body that waits for it")
        .unwrap();
    assert_eq!(
        &first, b"HTTP/1.1 100 Continue\r\n\r\n",
        "the interim answer"
    );
    near.write_all(CHAT.as_bytes()).await.unwrap();
    let mut answer = String::new();
    near.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "got {answer}");
}

#[tokio::test]
async fn a_body_is_taken_up_to_its_limit_and_refused_one_byte_past_it() {
    // Blanks after the document are JSON, so only the limit can refuse.
    for (length, status) in [(MAX_BODY, 200), (MAX_BODY + 1, 413)] {
        let padded = CHAT.to_owned() + &" ".repeat(length - CHAT.len());
        let answer = talk(&post("/v1/chat/completions", &padded)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{length} bytes got {answer}"
        );
    }
}

#[tokio::test]
async fn the_task_ends_when_the_other_end_goes() {
    let long = "word ".repeat(100_000);
    let streamed = STREAMED.replace("one two", &long);
    for sent in [
        Vec::new(),
        b"POST /v1/chat".to_vec(),
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 9\r\n\r\n{".to_vec(),
        post("/v1/chat/completions", &streamed),
    ] {
        let (mut near, served) = open();
        near.write_all(&sent).await.unwrap();
        drop(near);
        timeout(DEADLINE, served)
            .await
            .unwrap_or_else(|_| panic!("{} bytes and a close must end it", sent.len()))
            .expect("no panic");
    }
}

#[tokio::test]
async fn pingora_reaches_the_provider_again_and_again() {
    let connector = Connector::new(None);
    let peer = peer();
    for round in 1..=3 {
        let (mut http, reused) = Box::pin(connector.get_http_session(&peer)).await.unwrap();
        assert!(!reused, "each connection serves one request");
        let mut head = RequestHeader::build("POST", b"/v1/chat/completions", None).unwrap();
        head.insert_header("content-length", CHAT.len()).unwrap();
        http.write_request_header(Box::new(head)).await.unwrap();
        http.write_body(CHAT.as_bytes()).await.unwrap();
        http.finish_body().await.unwrap();
        http.read_response().await.unwrap();
        assert_eq!(http.get_status().unwrap(), 200, "round {round}");
        while http.read_body_bytes().await.unwrap().is_some() {}
        connector.release_http_session(http, &peer, None).await;
    }
}

/// Keeps its connections open, unlike the provider.
#[derive(Debug)]
struct KeptAlive;

#[async_trait]
impl Connect for KeptAlive {
    async fn connect(&self, _: &SocketAddr) -> pingora::Result<Stream> {
        let (near, mut far) = duplex(PIPE_BYTES);
        tokio::spawn(async move {
            let _ = far.read(&mut [0; 1024]).await;
            let _ = far
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await;
            // Open until the other end goes.
            let _ = far.read_to_end(&mut Vec::new()).await;
        });
        Ok(VirtualSocketStream::new(Box::new(Pipe(near))).into())
    }
}

#[tokio::test]
async fn framing_a_connection_without_a_descriptor_is_not_reused() {
    let connector = Connector::new(None);
    let mut peer = peer();
    peer.options.custom_l4 = Some(Arc::new(KeptAlive));
    for _ in 0..3 {
        let (mut http, reused) = Box::pin(connector.get_http_session(&peer)).await.unwrap();
        assert!(
            !reused,
            "if this fails, Pingora has learnt it: keep the provider's connections alive"
        );
        assert_eq!(http.id(), -1, "there is no descriptor");
        assert!(!peer.matches_fd(-1), "the check that forbids reuse");
        let head = RequestHeader::build("GET", b"/", None).unwrap();
        http.write_request_header(Box::new(head)).await.unwrap();
        http.read_response().await.unwrap();
        http.respect_keepalive();
        while http.read_body_bytes().await.unwrap().is_some() {}
        let digest = http.digest().socket_digest.clone().unwrap();
        assert!(
            digest.local_addr().is_none() && digest.tcp_info().is_none(),
            "what Pingora asks of the descriptor fails quietly"
        );
        connector.release_http_session(http, &peer, None).await;
    }
}

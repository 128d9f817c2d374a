//! Bodies that are made to break a reader: each has its code, takes bounded memory, and nobody is
//! called.

use std::fmt::Write as _;
use std::time::Duration;

use super::{CHAT, inspecting, peak, post, saying};
use crate::harness::{Gateway, Reply, Request, STANDARD_KEY, Upstream, within};

/// More than any body here, so that what refuses it is what it says.
const WIDE: &str = "max_text_chars: 100000";
const SIZES: &str = "size_limits: {json: 32MiB}";

async fn gateway(upstream: &Upstream) -> Gateway {
    let builder = Gateway::builder().provider("mock", "openai", &upstream.url());
    let overlay = format!("inspection: {{request: {{{WIDE}}}}}\n{SIZES}");
    builder.yaml(&overlay).start().await
}

/// A body of any bytes, to the chat endpoint.
fn raw(body: &[u8]) -> Request {
    Request::new("POST", CHAT).key(STANDARD_KEY).json(body)
}

/// Sends a body of which the end may not be wanted any more.
async fn refused(gateway: &Gateway, body: &[u8], (status, code): (u16, &str), why: &str) -> Reply {
    let mut connection = gateway.connect().await;
    connection.send(&raw(body)).await;
    let reply = within(why, connection.raw_reply()).await.expect(why);
    reply.assert_refused(status, code, why);
    reply
}

/// A chat whose one text stands in its quotes as these bytes.
fn around(text: &[u8]) -> Vec<u8> {
    let frame = saying("\u{1}");
    let (before, after) = frame.split_once("\\u0001").expect("the mark is escaped");
    [before.as_bytes(), text, after.as_bytes()].concat()
}

const JSON: (u16, &str) = (400, "invalid_json");

/// What it is, the body, and its code.
type Case = (&'static str, Vec<u8>, (u16, &'static str));

/// A chat with one more field.
fn with(field: &str) -> String {
    format!("{},{field}}}", saying("Hello").trim_end_matches('}'))
}

/// Bodies that are too much of something.
fn too_much() -> Vec<Case> {
    let nested = ["[".repeat(5_000), "]".repeat(5_000)].concat();
    let keys = (0..1_000_000).fold(String::new(), |mut all, no| {
        write!(all, "\"{no}\":0,").expect("a String takes text");
        all
    });
    let long = "all is well ".repeat(1024 * 1024 / 12 + 1);
    let digits = "9".repeat(1024 * 1024);
    let bodies = [
        ("5000 arrays in a field", with(&format!("\"x\":{nested}"))),
        ("5000 nested arrays", nested),
        ("100000 open arrays", "[".repeat(100_000)),
        ("100000 open objects", "{\"a\":".repeat(100_000)),
        ("a key of 1 MiB", with(&format!("\"{long}\":0"))),
        ("a number of 1 MiB", with(&format!("\"x\":{digits}"))),
        ("a million keys", format!("{{{keys}\"model\":\"m\"}}")),
    ];
    let bodies = bodies.map(|(why, body)| (why, body.into_bytes(), JSON));
    let text = saying(&long).into_bytes();
    let text = ("a string of 1 MiB", text, (400, "text_too_long"));
    bodies.into_iter().chain([text]).collect()
}

/// Bodies that are no JSON, or that readers take for different things.
fn broken() -> Vec<Case> {
    let bytes = [
        ("a raw NUL", around(b"a\0b")),
        ("a raw line end", around(b"a\nb")),
        ("an overlong slash", around(b"\xc0\xaf")),
        ("one of three bytes", around(b"\xe0\x80\xaf")),
        ("one of four bytes", around(b"\xf0\x80\x80\xaf")),
        ("a surrogate as UTF-8", around(b"\xed\xa0\x80")),
        ("past the last character", around(b"\xf4\x90\x80\x80")),
        ("half a character", around(b"\xe2\x82")),
        ("a lone continuation", around(b"\x80")),
        ("an escape of nothing", around(b"\\x41")),
        ("two high surrogates", around(b"\\ud83d\\ud83d")),
        ("a low one first", around(b"\\ude00\\ud83d")),
        ("nothing", Vec::new()),
        ("blanks", b" \n\t ".to_vec()),
        ("no text at all", (0..=255).cycle().take(4_096).collect()),
        (
            "UTF-16",
            saying("Hi")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
    ];
    let texts = [
        ("a byte order mark", format!("\u{feff}{}", saying("Hi"))),
        ("the same key twice", with("\"model\":\"other\"")),
        ("the same, once escaped", with("\"mod\\u0065l\":\"other\"")),
        ("NaN", with("\"temperature\":NaN")),
        ("Infinity", with("\"temperature\":Infinity")),
        ("-Infinity", with("\"temperature\":-Infinity")),
        ("a leading zero", with("\"n\":01")),
        ("a comment", format!("/* */{}", saying("Hi"))),
        ("a trailing comma", with("\"x\":[1,]")),
        ("two texts", saying("Hi").repeat(2)),
    ];
    let bytes = bytes.map(|(why, body)| (why, body, JSON));
    let texts = texts.map(|(why, body)| (why, body.into_bytes(), JSON));
    let huge = with("\"temperature\":1e999").into_bytes();
    let huge = ("a huge number", huge, (400, "invalid_request"));
    bytes.into_iter().chain(texts).chain([huge]).collect()
}

#[tokio::test]
async fn each_has_its_code_and_nobody_is_called() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    refused(
        &gateway,
        b"{",
        JSON,
        "a first one, before memory is looked at",
    )
    .await;
    let before = peak(&gateway);
    for (why, body, code) in too_much().into_iter().chain(broken()) {
        refused(&gateway, &body, code, why).await;
    }
    let grown = peak(&gateway).saturating_sub(before);
    assert!(grown < 48 * 1024, "{grown} KiB more for all of them");
    assert_eq!(upstream.connections(), 0, "nobody was called");
}

#[tokio::test]
async fn an_escape_cut_at_any_byte_is_refused() {
    const ESCAPES: &[u8] = b"\\\"\\n\\u00e9\\ud83d\\ude00";
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream).await;
    let whole = [2, 4, 10, 22];
    for cut in 1..=ESCAPES.len() {
        let body = around(&ESCAPES[..cut]);
        let why = format!("{cut} bytes of the escapes");
        if !whole.contains(&cut) {
            refused(&gateway, &body, JSON, &why).await;
        }
        let end = body.len() - b"\"}],\"model\":\"gpt-4o\"}".len();
        let text = String::from_utf8_lossy(&body[..end]).into_owned();
        refused(&gateway, &body[..end], JSON, &text).await;
    }
    assert_eq!(upstream.connections(), 0, "nobody was called");
    let body = around(ESCAPES);
    gateway.send(&raw(&body)).await.assert_fine("all of them");
    let received = upstream.wait_requests(1).await;
    assert_eq!(received[0].body, body, "to the byte");
}

/// Text that a reader behind us may end at the NUL is refused wherever it stands, and whatever the
/// sanitizer does; what only looks like one is text.
#[tokio::test]
async fn a_nul_in_a_text_a_name_or_a_key_is_refused() {
    let upstream = Upstream::start().await;
    for level in ["off", "standard", "strict"] {
        let gateway = inspecting(&upstream, &format!("sanitization: {level}")).await;
        for (why, body) in [
            ("in a message", around(b"a\\u0000b")),
            ("behind other escapes", around(b"\\n\\u0000")),
            (
                "in a field that nobody knows",
                with("\"x\":{\"y\":[\"\\u0000\"]}").into(),
            ),
            ("in a key", with("\"x\\u0000\":1").into()),
            (
                "in the model's name",
                saying("Hi").replace("gpt-4o", "gpt\\u0000-4o").into(),
            ),
        ] {
            let reply = refused(&gateway, &body, JSON, why).await;
            let message = reply.text();
            assert!(message.contains("U+0000"), "{why}: {message}");
            assert!(message.contains("byte "), "{why}: {message}");
        }
    }
    assert_eq!(upstream.connections(), 0, "nobody was called");
    let gateway = gateway(&upstream).await;
    let body = around(b"a\\\\u0000b");
    gateway.send(&raw(&body)).await.assert_fine("a backslash");
    assert_eq!(upstream.only_request().body, body, "to the byte");
}

#[tokio::test]
async fn what_never_comes_to_an_end_is_let_go_and_on_record() {
    let upstream = Upstream::start().await;
    let builder = Gateway::builder().provider("mock", "openai", &upstream.url());
    let gateway = builder
        .yaml("server: {timeouts: {body_idle: 1s}}")
        .start()
        .await;
    let body = saying("my address is ada.lovelace@analytical.org, and more");
    let half = &body[..body.len() - 12];
    for (why, gives_up) in [("it waits", false), ("it goes", true)] {
        let request = post(CHAT, &body).header("x-request-id", &format!("abandoned-{gives_up}"));
        let mut connection = gateway.connect().await;
        connection.send_head(&request).await;
        connection.write(half.as_bytes()).await;
        if gives_up {
            // What was sent must be there before the connection breaks off.
            tokio::time::timeout(Duration::from_millis(200), connection.raw_reply())
                .await
                .expect_err("no answer yet");
            drop(connection);
        } else {
            let reply = connection.raw_reply().await.expect("an answer");
            reply.assert_refused(408, "request_timeout", why);
        }
        let line = gateway.access_line(&format!("abandoned-{gives_up}")).await;
        let data = &line["extra_data"];
        assert_eq!(data["inspected_bytes"], half.len(), "{why}: {line}");
        assert_eq!(data["request_bytes"], half.len(), "{why}: {line}");
        assert!(data["families"].is_array(), "{why}: {line}");
    }
    assert_eq!(upstream.connections(), 0, "nobody was called");
}

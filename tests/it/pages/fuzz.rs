//! Every operation of the description, with what nobody should send: an answer that is told there,
//! and never a fault of the gateway's own.

use serde_json::{Map, Value, json};

use super::description::{Operation, document, operations};
use crate::harness::{ADMIN_KEY, Gateway, Request};

/// Values that are wrong almost everywhere.
fn wrong_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5e300),
        json!(u64::MAX),
        json!(""),
        json!("\u{1b}[31m\"\n\u{202e}"),
        json!("x".repeat(5_000)),
        json!([]),
        json!([[[[]]]]),
        json!({"": {"": null}}),
    ]
}

/// Bodies for an operation: broken ones, and good ones with one field made wrong.
fn bodies(operation: &Operation, document: &Value, noise: &mut Noise) -> Vec<Vec<u8>> {
    let texts = [
        "",
        " ",
        "null",
        "[]",
        "0",
        "\"\"",
        "{}",
        "{",
        "{\"a\":1,\"a\":2}",
        "{} {}",
        "{\"\u{0}\":1}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.push(format!("{{\"a\":{}", "[".repeat(20_000)).into_bytes());
    bodies.extend((0..4).map(|_| noise.bytes(200)));
    let Some(schema) = operation.body(document) else {
        return bodies;
    };
    let good = schema["examples"][0]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let empty = Map::new();
    for name in schema["properties"].as_object().unwrap_or(&empty).keys() {
        for value in wrong_values() {
            let mut body = good.clone();
            body.insert(name.clone(), value);
            bodies.push(Value::Object(body).to_string().into_bytes());
        }
        let mut body = good.clone();
        body.remove(name);
        bodies.push(Value::Object(body).to_string().into_bytes());
    }
    let mut flipped = Value::Object(good).to_string().into_bytes();
    for _ in 0..4 {
        let place = noise.below(flipped.len());
        flipped[place] ^= 1 << noise.below(8);
        bodies.push(flipped.clone());
    }
    bodies
}

/// An order that was taken must not change what the next one meets.
async fn undo(gateway: &Gateway, operation: &Operation) {
    if operation.method == "POST" {
        let reset = Request::post("/internal/security/reset-config", &json!({})).key(ADMIN_KEY);
        let mut connection = gateway.connect().await;
        connection.send(&reset).await;
        // Unchecked: its headers may be those that it undoes.
        let reply = connection.raw_reply().await.expect("an answer");
        assert_eq!(reply.status, 200, "all is undone: {reply:?}");
    }
}

/// The same bytes in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % 1_000_003).expect("it fits") % most.max(1)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[tokio::test]
async fn no_operation_answers_nonsense_with_a_fault_of_our_own() {
    let gateway = Gateway::builder().echo("local").start().await;
    let document = document(&gateway).await;
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let mut sent = 0;
    for operation in operations(&document) {
        let path = operation.filled("any");
        for body in bodies(&operation, &document, &mut noise) {
            let request = Request::new(&operation.method, &path).key(ADMIN_KEY);
            let request = if body.is_empty() {
                request
            } else {
                request.json(&body)
            };
            let reply = gateway.send(&request).await;
            let honest = reply.status < 500 || matches!(reply.status, 502 | 503);
            let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            assert!(honest, "{} {path} {shown}: {reply:?}", operation.method);
            operation.assert_told(&document, &reply);
            sent += 1;
            if reply.status == 200 && operation.path.starts_with("/internal/") {
                undo(&gateway, &operation).await;
            }
        }
    }
    assert!(sent > 1_000, "every operation was asked: {sent}");
    assert!(
        !gateway.log_text().contains("panicked"),
        "{}",
        gateway.stderr()
    );
}

#[tokio::test]
async fn free_segments_take_no_path_apart() {
    let gateway = Gateway::builder().echo("local").start().await;
    let document = document(&gateway).await;
    let free = operations(&document);
    for operation in free.iter().filter(|one| one.path.contains('{')) {
        for with in [
            "%2e%2e",
            "..",
            "",
            "%00",
            "a%2fb",
            "a;b",
            "%ff",
            &"x".repeat(3_000),
            "?",
            "*",
        ] {
            let request = Request::new(&operation.method, &operation.filled(with)).key(ADMIN_KEY);
            let reply = gateway.send(&request).await;
            assert!(
                reply.status < 500,
                "{} with {with}: {reply:?}",
                operation.path
            );
        }
    }
}

//! The switch that ends streams in flight.

use serde_json::json;

use super::{events, gateway, live};
use crate::control::{event, order};
use crate::harness::replies::chat_event;
use crate::harness::{Request, STANDARD_KEY, Upstream};

const SWITCH: &str = "/internal/security/terminate-streams";

#[tokio::test]
async fn streams_that_are_meant_end_at_once_though_the_provider_is_silent() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "openai", "").await;
    let (feed, mut connection, head) = live(&upstream, &gateway).await;
    feed.event(&chat_event("gpt-4o", "Hello "));
    connection.read_until(&head, "\n\n").await;
    for (body, count) in [
        (json!({"model": "another"}), 0),
        (json!({"provider": "mock", "ip": "10.0.0.0/8"}), 0),
        (
            json!({"provider": "mock", "model": "gpt-4o", "ip": "127.0.0.1"}),
            1,
        ),
    ] {
        let reply = order(&gateway, SWITCH, &body).await;
        reply.assert_fine(SWITCH);
        assert_eq!(reply.json()["terminated"], count, "{body}");
    }
    let (rest, complete) = connection.rest(&head).await;
    let text = String::from_utf8(rest).unwrap();
    assert!(complete && !text.contains("[DONE]"), "{text}");
    let last = events(&text).pop().unwrap();
    assert_eq!(last["error"]["code"], "stream_terminated", "{text}");
    connection.closed().await;
    upstream
        .wait("the provider's call is ended", |all| {
            all.iter().any(|one| one.abandoned)
        })
        .await;
    let told = event(&gateway, "terminate_streams").await;
    assert_eq!(told["severity"], "high", "{told}");
}

#[tokio::test]
async fn only_operators_have_the_switch() {
    let upstream = Upstream::start().await;
    let gateway = gateway(&upstream, "openai", "").await;
    let ask = Request::post(SWITCH, &json!({})).key(STANDARD_KEY);
    gateway
        .send(&ask)
        .await
        .assert_refused(403, "permission_denied", "a standard key");
    let reply = order(&gateway, SWITCH, &json!({"ip": "here"})).await;
    reply.assert_refused(400, "invalid_request", "no address");
}

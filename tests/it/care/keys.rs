//! In whose name and by which name of the model a provider is called.

use serde_json::json;

use super::{calls, shown};
use crate::harness::{ADMIN_KEY, Gateway, Request, STANDARD_KEY, Script, Upstream, chat};

const FIRST: &str = "sk-first-0123456789abcdef";
const SECOND: &str = "sk-second-0123456789abcdef";

fn bearers(upstream: &Upstream) -> Vec<String> {
    let bearer = |one: &crate::harness::received::Received| {
        let headers = one.headers();
        headers.one("authorization").unwrap_or_default().to_owned()
    };
    upstream.requests().iter().map(bearer).collect()
}

#[tokio::test]
async fn a_key_that_is_spent_gives_way_to_the_next_one_over_reloads_too() {
    let upstream = Upstream::start().await;
    let keys = format!("{{api_key: {FIRST}, api_keys: [{SECOND}]}}");
    let gateway = Gateway::builder()
        .provider_with("mock", "openai", &upstream.url(), &keys)
        .start()
        .await;
    let busy = [("retry-after", "120")];
    upstream.answer(Script::json_with(429, &busy, &json!({})));
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("another key is not spent");
    assert_eq!(reply.headers.one("x-portcullis-attempts"), Some("2"), "two");
    assert_eq!(
        shown(&gateway).await["keys"],
        json!({"count": 2, "spent": 1}),
        "as monitoring says"
    );
    calls(&gateway, 1).await;
    gateway.reconfigure("{logging: {level: debug}}");
    let reload = Request::post("/internal/config/reload", &json!({})).key(ADMIN_KEY);
    gateway.send(&reload).await.assert_fine("a reload");
    calls(&gateway, 1).await;
    let (first, second) = (format!("Bearer {FIRST}"), format!("Bearer {SECOND}"));
    let used = bearers(&upstream);
    let used: Vec<&String> = used.iter().collect();
    assert_eq!(
        used,
        [&first, &second, &second, &second],
        "never the spent one"
    );
}

#[tokio::test]
async fn a_model_is_called_by_the_providers_name_for_it() {
    let upstream = Upstream::start().await;
    let map = "{model_map: {gpt-4o: deployment-7, \"gpt-*\": other}}";
    let gateway = Gateway::builder()
        .provider_with("mock", "openai", &upstream.url(), map)
        .start()
        .await;
    for (asked, sent) in [("gpt-4o", "deployment-7"), ("gpt-5", "other"), ("o1", "o1")] {
        let reply = gateway.send(&chat(asked).key(STANDARD_KEY)).await;
        reply.assert_fine(asked);
        let last = upstream.requests().pop().expect("a request");
        assert_eq!(last.json()["model"], sent, "{asked}");
    }
}

//! Which provider a model goes to, what happens when it can't be reached, and what
//! `/v1/models` says of it all.

use serde_json::{Value, json};

use crate::harness::gateway::{Key, PROVIDER_KEY, free_address};
use crate::harness::{Gateway, Request, STANDARD_KEY, Upstream, chat};

#[tokio::test]
async fn the_first_route_that_matches_wins() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::builder()
        .provider("left", "openai", &left.url())
        .provider("right", "openai", &right.url())
        .route("{models: [\"gpt-4o\", \"o*\"], providers: [left]}")
        .route("{models: [\"gpt-*\"], providers: [right]}")
        .start()
        .await;
    for (model, provider) in [
        ("gpt-4o", "left"),
        ("o1-mini", "left"),
        ("gpt-4o-mini", "right"),
    ] {
        let reply = gateway.send(&chat(model).key(STANDARD_KEY)).await;
        reply.assert_fine(model);
        assert_eq!(
            reply.headers.one("x-portcullis-provider"),
            Some(provider),
            "{model}"
        );
        assert_eq!(
            reply.headers.one("x-portcullis-attempts"),
            Some("1"),
            "{model}"
        );
    }
    assert_eq!(
        (left.requests().len(), right.requests().len()),
        (2, 1),
        "each got its own"
    );
}

#[tokio::test]
async fn a_model_without_a_route_does_not_exist() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .route("{models: [\"gpt-*\"], providers: [mock]}")
        .start()
        .await;
    for model in [
        "claude-sonnet",
        "GPT-4o",
        "gpt",
        "a/../gpt-4o",
        " gpt-4o",
        " gpt-4o",
        "\u{0}",
        &"m".repeat(5000),
    ] {
        let reply = gateway.send(&chat(model).key(STANDARD_KEY)).await;
        assert!(
            reply.status == 404 || reply.status == 400,
            "{model:?} is no model here: {}",
            reply.text()
        );
    }
    let reply = gateway.send(&chat("claude-sonnet").key(STANDARD_KEY)).await;
    reply.assert_refused(404, "model_not_found", "no route");
    let body = json!({"model": "claude-sonnet", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]});
    let reply = gateway
        .send(&Request::post("/v1/messages", &body).key(STANDARD_KEY))
        .await;
    assert_eq!(reply.status, 404, "the same for Anthropic's clients");
    assert_eq!(
        reply.json()["error"]["type"],
        "not_found_error",
        "in Anthropic's words"
    );
    upstream.assert_untouched("models without a route");
}

#[tokio::test]
async fn every_json_path_is_forwarded_to_the_same_path() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let paths = [
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/embeddings",
    ];
    for (count, path) in paths.into_iter().enumerate() {
        let body = json!({"model": "gpt-4o", "input": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]});
        gateway
            .send(&Request::post(path, &body).key(STANDARD_KEY))
            .await
            .assert_fine(path);
        let received = upstream.wait_requests(count + 1).await;
        let last = received.last().expect("one more");
        assert_eq!(
            last.line(),
            ("POST".to_owned(), path.to_owned()),
            "the path stays"
        );
        assert_eq!(last.json(), body, "the body stays");
    }
}

#[tokio::test]
async fn an_anthropic_provider_gets_its_own_kind_of_credential() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "anthropic", &upstream.url())
        .start()
        .await;
    let body = json!({"model": "claude-sonnet", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]});
    for (name, value) in [
        ("x-api-key", STANDARD_KEY.to_owned()),
        ("authorization", format!("Bearer {STANDARD_KEY}")),
    ] {
        let request = Request::post("/v1/messages", &body).header(name, &value);
        gateway.send(&request).await.assert_fine(name);
    }
    for request in upstream.wait_requests(2).await {
        let headers = request.headers();
        assert_eq!(
            headers.one("x-api-key"),
            Some(PROVIDER_KEY),
            "the provider's own key"
        );
        assert!(
            headers.has("anthropic-version"),
            "Anthropic wants its version"
        );
        assert!(!headers.has("authorization"), "no second credential");
    }
}

#[tokio::test]
async fn the_version_and_beta_headers_of_a_client_reach_anthropic() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "anthropic", &upstream.url())
        .start()
        .await;
    let body = json!({"model": "claude-sonnet", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]});
    let request = Request::post("/v1/messages", &body)
        .header("x-api-key", STANDARD_KEY)
        .header("anthropic-version", "2023-01-01")
        .header("anthropic-beta", "tools-2024");
    gateway
        .send(&request)
        .await
        .assert_fine("a client with a version of its own");
    let headers = upstream.only_request().headers();
    assert_eq!(
        headers.one("anthropic-version"),
        Some("2023-01-01"),
        "the client's choice"
    );
    assert_eq!(
        headers.one("anthropic-beta"),
        Some("tools-2024"),
        "the client's choice"
    );
}

#[tokio::test]
async fn a_provider_that_refuses_connections_is_passed_over_for_the_next_one() {
    let upstream = Upstream::start().await;
    let nobody = format!("http://{}", free_address());
    let gateway = Gateway::builder()
        .provider("away", "openai", &nobody)
        .provider("mock", "openai", &upstream.url())
        .route("{models: [\"*\"], providers: [away, mock], retries: 1}")
        .start()
        .await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("the second provider answers");
    assert_eq!(
        reply.headers.one("x-portcullis-provider"),
        Some("mock"),
        "who answered"
    );
    assert_eq!(
        reply.headers.one("x-portcullis-attempts"),
        Some("2"),
        "how many were asked"
    );
}

#[tokio::test]
async fn a_base_path_stands_before_the_api_path() {
    let upstream = Upstream::start().await;
    let url = format!("{}/proxy/openai", upstream.url());
    let gateway = Gateway::builder()
        .provider("mock", "openai", &url)
        .start()
        .await;
    gateway
        .send(&chat("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("a base path");
    let (_, path) = upstream.only_request().line();
    assert_eq!(
        path, "/proxy/openai/v1/chat/completions",
        "base and path are joined"
    );
}

#[tokio::test]
async fn the_list_of_models_is_what_this_key_may_use() {
    let upstream = Upstream::start().await;
    let alice = Key {
        id: "alice",
        secret: "sk-test-alice-0123456789abcdef",
        role: "standard",
        limits: "{models: [\"gpt-*\"]}",
    };
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .route("{models: [\"gpt-4o\", \"claude-sonnet\"], providers: [mock]}")
        .key(alice.clone())
        .start()
        .await;
    let list = async |key: &str| -> Vec<String> {
        let reply = gateway.send(&Request::get("/v1/models").key(key)).await;
        reply.assert_fine("the list of models");
        let body = reply.json();
        assert_eq!(body["object"], "list", "OpenAI's shape");
        let models = body["data"].as_array().expect("a list").iter();
        models
            .map(|one: &Value| one["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(
        list(STANDARD_KEY).await,
        ["claude-sonnet", "gpt-4o"],
        "all that are routed"
    );
    assert_eq!(list(alice.secret).await, ["gpt-4o"], "only hers");
    upstream.assert_untouched("the list is the gateway's own");
}

#[tokio::test]
async fn names_that_providers_know_are_listed_behind_patterns_and_echo_by_its_own() {
    let upstream = Upstream::start().await;
    let alice = Key {
        id: "alice",
        secret: "sk-test-alice-0123456789abcdef",
        role: "standard",
        limits: "{models: [\"gpt-*\"]}",
    };
    let map = "{model_map: {gpt-4o: deployment-7, \"o*\": other, away: nowhere}}";
    let gateway = Gateway::builder()
        .provider_with("mock", "openai", &upstream.url(), map)
        .echo("local")
        .route("{models: [\"gpt-*\", \"o*\"], providers: [mock]}")
        .route("{models: [\"ech*\"], providers: [local]}")
        .key(alice.clone())
        .start()
        .await;
    for (key, expected) in [
        (STANDARD_KEY, json!(["echo", "gpt-4o"])),
        (alice.secret, json!(["gpt-4o"])),
    ] {
        let reply = gateway.send(&Request::get("/v1/models").key(key)).await;
        let body = reply.json();
        let data = body["data"].as_array().expect("a list").iter();
        let ids: Vec<&Value> = data.map(|one| &one["id"]).collect();
        assert_eq!(json!(ids), expected, "{body}");
    }
}

#[tokio::test]
async fn the_echo_provider_answers_without_any_network() {
    let gateway = Gateway::builder().echo("local").start().await;
    let reply = gateway.send(&chat("any-model").key(STANDARD_KEY)).await;
    reply.assert_fine("echo");
    let body = reply.json();
    let text = body["choices"][0]["message"]["content"]
        .as_str()
        .unwrap_or_default();
    assert!(
        text.contains("Say hello."),
        "echo says what it was told: {body}"
    );
    for count in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        assert!(
            body["usage"][count].as_u64().is_some_and(|n| n > 0),
            "{count}: {body}"
        );
    }
    assert_eq!(
        reply.headers.one("x-portcullis-provider"),
        Some("local"),
        "who answered"
    );
}

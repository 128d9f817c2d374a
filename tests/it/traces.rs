//! Traces: the caller's goes on to the provider, spans reach a collector, and a collector that
//! fails costs nothing but spans.

use serde_json::Value;

use crate::harness::{
    Gateway, Request, STANDARD_KEY, Script, Upstream, chat, streamed_chat, until,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

async fn traced(upstream: &Upstream, collector: &str) -> Gateway {
    Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .yaml("{telemetry: {service_name: gate-of-tests}}")
        .start()
        .await
}

fn called(flags: &str) -> Request {
    let parent = format!("00-{TRACE}-{SPAN}-{flags}");
    chat("gpt-4o")
        .key(STANDARD_KEY)
        .header("traceparent", &parent)
}

/// Every span that a collector has got.
fn spans(collector: &Upstream) -> Vec<Value> {
    let bodies = collector.requests().into_iter();
    let whole = bodies.filter_map(|one| serde_json::from_slice::<Value>(&one.body).ok());
    whole
        .flat_map(|body| {
            let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
                .as_array()
                .cloned();
            spans.expect("a list of spans")
        })
        .collect()
}

async fn spans_come(collector: &Upstream, count: usize) -> Vec<Value> {
    let what = format!("{count} spans at the collector");
    until(&what, || {
        let spans = spans(collector);
        (spans.len() >= count).then_some(spans)
    })
    .await
}

fn attribute(span: &Value, key: &str) -> Option<String> {
    let all = span["attributes"].as_array().expect("attributes");
    let value = &all.iter().find(|one| one["key"] == key)?["value"];
    let text = value["stringValue"]
        .as_str()
        .or_else(|| value["intValue"].as_str());
    text.map(str::to_owned)
}

/// The parts of the `traceparent` that the provider got.
fn passed_on(upstream: &Upstream) -> Vec<String> {
    let headers = upstream.only_request().headers();
    let field = headers.one("traceparent").expect("one traceparent");
    field.split('-').map(str::to_owned).collect()
}

/// Fails unless the two spans of one call say what it was.
fn assert_described(server: &Value, client: &Value) {
    for (span, key, value) in [
        (server, "http.request.method", "POST"),
        (server, "http.route", "/v1/chat/completions"),
        (server, "http.response.status_code", "200"),
        (server, "portcullis.request_id", "req-9"),
        (server, "client.address", "127.0.0.1"),
        (client, "gen_ai.operation.name", "chat"),
        (client, "gen_ai.request.model", "gpt-4o"),
        (client, "gen_ai.provider.name", "openai"),
        (client, "portcullis.provider", "mock"),
        (client, "server.address", "127.0.0.1"),
        (client, "http.response.status_code", "200"),
    ] {
        assert_eq!(
            attribute(span, key).as_deref(),
            Some(value),
            "{key} in {span}"
        );
    }
}

/// Fails unless the only delivery is OTLP in JSON, and free of all that was said.
fn assert_delivered(collector: &Upstream) {
    let delivery = collector.only_request();
    assert_eq!(
        delivery.line(),
        ("POST".to_owned(), "/v1/traces".to_owned())
    );
    let kind = delivery.headers().one("content-type").map(str::to_owned);
    assert_eq!(kind.as_deref(), Some("application/json"));
    let text = delivery.text();
    assert!(
        text.contains("gate-of-tests"),
        "whose spans they are: {text}"
    );
    for word in ["Say hello", "Hello from", STANDARD_KEY, "sk-provider"] {
        assert!(!text.contains(word), "{word} is in no span: {text}");
    }
}

#[tokio::test]
async fn a_callers_trace_goes_through_to_the_provider_and_to_the_collector() {
    let (upstream, collector) = (Upstream::start().await, Upstream::start().await);
    let gateway = traced(&upstream, &collector.url()).await;
    let request = called("01")
        .header("tracestate", "vendor=opaque")
        .header("x-request-id", "req-9");
    gateway.send(&request).await.assert_fine("a traced call");
    let passed = passed_on(&upstream);
    assert_eq!(passed[1], TRACE, "the same trace");
    assert_ne!(passed[2], SPAN, "another span");
    let state = upstream.only_request().headers();
    assert_eq!(state.one("tracestate"), Some("vendor=opaque"), "goes on");

    let spans = spans_come(&collector, 2).await;
    let [server, client] = &spans[..] else {
        panic!("two spans: {spans:?}");
    };
    for span in &spans {
        assert_eq!(span["traceId"], TRACE);
        let number = |field: &str| {
            span[field]
                .as_str()
                .and_then(|text| text.parse::<u64>().ok())
        };
        assert!(
            number("startTimeUnixNano") > Some(1_600_000_000_000_000_000),
            "{span}"
        );
        assert!(
            number("endTimeUnixNano") >= number("startTimeUnixNano"),
            "{span}"
        );
    }
    assert_eq!(server["parentSpanId"], SPAN, "the caller's span");
    assert_eq!(
        client["parentSpanId"], server["spanId"],
        "the request's span"
    );
    assert_eq!(
        client["spanId"],
        passed[2].as_str(),
        "as the provider was told"
    );
    assert_described(server, client);
    for key in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"] {
        assert!(attribute(client, key).is_some(), "{key} in {client}");
    }
    assert_delivered(&collector);
    gateway
        .metric_reaches("proxy_api_spans_sent_total", 2.0)
        .await;
}

#[tokio::test]
async fn each_attempt_is_a_span_and_refusals_have_one_too() {
    let (near, far, collector) = (
        Upstream::start().await,
        Upstream::start().await,
        Upstream::start().await,
    );
    let gateway = Gateway::builder()
        .provider("near", "openai", &near.url())
        .provider("far", "openai", &far.url())
        .yaml(&format!(
            "{{telemetry: {{otlp_endpoint: \"{}\"}}}}",
            collector.url()
        ))
        .start()
        .await;
    near.answer(Script::json(
        503,
        &serde_json::json!({"error": {"message": "busy"}}),
    ));
    gateway
        .send(&streamed_chat("gpt-4o").key(STANDARD_KEY))
        .await
        .assert_fine("a fallback");
    gateway
        .send(&chat("gpt-4o").key("sk-wrong-0123456789abcdef"))
        .await;
    let spans = spans_come(&collector, 4).await;
    let of = |kind: u64| spans.iter().filter(move |span| span["kind"] == kind);
    let clients: Vec<&Value> = of(3).collect();
    let [first, second] = clients[..] else {
        panic!("two attempts: {spans:?}");
    };
    assert_eq!(first["status"]["code"], 2, "{first}");
    for (span, key, value) in [
        (first, "portcullis.provider", Some("near")),
        (first, "error.type", Some("503")),
        (second, "portcullis.provider", Some("far")),
        (second, "http.request.resend_count", Some("1")),
        (second, "error.type", None),
    ] {
        assert_eq!(attribute(span, key).as_deref(), value, "{key} in {span}");
    }
    assert_ne!(
        passed_on(&near),
        passed_on(&far),
        "each attempt has its own span"
    );
    let refused = of(2).find(|span| attribute(span, "error.type").is_some());
    let refused = refused.unwrap_or_else(|| panic!("the refusal: {spans:?}"));
    assert_eq!(
        attribute(refused, "error.type").as_deref(),
        Some("invalid_api_key")
    );
    assert!(
        refused.get("parentSpanId").is_none(),
        "its trace begins here: {refused}"
    );
}

#[tokio::test]
async fn what_a_caller_does_not_record_or_writes_wrongly_is_not_taken_over() {
    let (upstream, collector) = (Upstream::start().await, Upstream::start().await);
    let gateway = traced(&upstream, &collector.url()).await;
    gateway
        .send(&called("00"))
        .await
        .assert_fine("not recorded");
    assert_eq!(
        passed_on(&upstream),
        ["00", TRACE, SPAN, "00"],
        "it goes on as it came"
    );
    let broken = chat("gpt-4o").key(STANDARD_KEY);
    let broken = broken
        .header("traceparent", "00-xyz")
        .header("tracestate", "vendor=lost");
    gateway.send(&broken).await.assert_fine("not well formed");
    let spans = spans_come(&collector, 2).await;
    assert_eq!(spans.len(), 2, "of the second call alone: {spans:?}");
    assert_ne!(spans[0]["traceId"], TRACE, "a trace of its own");
    let last = upstream.requests().pop().expect("a request").headers();
    assert!(!last.has("tracestate"), "it belonged to no trace");
    let id = last.one("traceparent").unwrap_or_default().to_owned();
    assert!(
        id.contains(spans[0]["traceId"].as_str().unwrap_or("-")),
        "{id}"
    );
}

#[tokio::test]
async fn without_a_collector_a_trace_passes_through_untouched() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    gateway.send(&called("01")).await.assert_fine("a call");
    assert_eq!(
        passed_on(&upstream),
        ["00", TRACE, SPAN, "01"],
        "as it came"
    );
    assert_eq!(
        gateway.metric("proxy_api_spans_sent_total").await,
        None,
        "nothing is there"
    );
}

#[tokio::test]
async fn a_collector_that_refuses_or_is_away_costs_spans_and_nothing_else() {
    let (upstream, collector) = (Upstream::start().await, Upstream::start().await);
    let gateway = traced(&upstream, &collector.url()).await;
    let moved = [("location", "http://127.0.0.1:9/elsewhere")];
    collector.answer(Script::json_with(307, &moved, &Value::Null));
    gateway.send(&called("01")).await.assert_fine("a redirect");
    gateway
        .metric_becomes("proxy_api_spans_dropped_total", 2.0)
        .await;
    // A second try would have been taken, and the spans not dropped.
    collector.answer(Script::reset());
    collector.answer(Script::json(503, &Value::Null));
    gateway.send(&called("01")).await.assert_fine("an outage");
    gateway
        .metric_becomes("proxy_api_spans_sent_total", 2.0)
        .await;
    assert!(collector.requests().len() >= 4, "tried until it is taken");
    let told = |line: &Value| {
        line["message"]
            .as_str()
            .is_some_and(|text| text.contains("again"))
    };
    gateway.wait_for_line("it is told", told).await;
}

#[tokio::test]
async fn the_last_spans_are_delivered_before_the_process_ends() {
    let (upstream, collector) = (Upstream::start().await, Upstream::start().await);
    let mut gateway = traced(&upstream, &collector.url()).await;
    gateway
        .send(&called("01"))
        .await
        .assert_fine("the last call");
    gateway.signal("TERM").await;
    assert_eq!(gateway.ended().await, Some(0), "it ends in good order");
    assert_eq!(spans(&collector).len(), 2, "nothing is lost");
}

use std::time::Duration;

use http::Method;

use super::super::Times;
use super::*;
use crate::policy::Denial;

fn facts() -> Facts {
    let mut facts = Facts::new("r", Method::POST, b"/v1/chat/completions", "00");
    facts.status = Some(200);
    facts.outcome = Outcome::Completed;
    facts
}

fn called(provider: &str, model: &str) -> Facts {
    let mut facts = facts();
    facts.provider = Some(provider.parse().unwrap());
    facts.model = Some(model.parse().unwrap());
    facts.upstream_status = Some(200);
    facts.attempts = 1;
    facts
}

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.render()).unwrap()
}

#[track_caller]
fn assert_has(metrics: &Metrics, line: &str) {
    let text = text(metrics);
    assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
}

#[test]
fn a_request_is_counted_by_method_endpoint_and_status() {
    let metrics = Metrics::new().unwrap();
    metrics.observe(&facts());
    metrics.observe(&facts());
    let series = r#"endpoint="/v1/chat/completions",method="POST",status_code="200""#;
    assert_has(&metrics, &format!("proxy_api_requests_total{{{series}}} 2"));
}

#[test]
fn a_request_that_got_no_answer_counts_as_499() {
    let metrics = Metrics::new().unwrap();
    let mut facts = called("openai", "gpt-4o");
    facts.status = None;
    facts.upstream_status = None;
    facts.outcome = Outcome::ClientGone;
    metrics.know(["openai"], ["gpt-4o"]);
    metrics.observe(&facts);
    assert_has(
        &metrics,
        r#"proxy_api_requests_total{endpoint="/v1/chat/completions",method="POST",status_code="499"} 1"#,
    );
    assert_has(&metrics, "proxy_api_upstream_cancelled_total 1");
    assert_has(
        &metrics,
        r#"proxy_api_provider_requests_total{model="gpt-4o",provider="openai",status="none"} 1"#,
    );
}

#[test]
fn names_of_the_policy_have_labels_and_all_others_are_other() {
    let metrics = Metrics::new().unwrap();
    let mut facts = called("openai", "gpt-4o");
    facts.usage.prompt = Some(7);
    facts.usage.completion = Some(5);
    metrics.observe(&facts);
    metrics.know(["openai"], ["gpt-4o"]);
    metrics.observe(&facts);
    metrics.know(["openai", "local"], ["o3", "gpt-4o"]);
    metrics.observe(&facts);
    metrics.observe(&called("openai", "unheard-of"));
    for line in [
        r#"proxy_api_provider_requests_total{model="other",provider="other",status="200"} 1"#,
        r#"proxy_api_provider_requests_total{model="gpt-4o",provider="openai",status="200"} 2"#,
        r#"proxy_api_provider_requests_total{model="other",provider="openai",status="200"} 1"#,
        r#"proxy_api_tokens_total{kind="prompt",model="gpt-4o",provider="openai"} 14"#,
        r#"proxy_api_tokens_total{kind="completion",model="gpt-4o",provider="openai"} 10"#,
    ] {
        assert_has(&metrics, line);
    }
}

#[test]
fn refusals_are_counted_by_reason_each_in_its_metric() {
    let metrics = Metrics::new().unwrap();
    for denial in [
        Denial::MissingApiKey,
        Denial::ModelNotAllowed,
        Denial::UpstreamTimeout,
    ] {
        let mut facts = facts();
        facts.refusal = Some((&denial).into());
        metrics.observe(&facts);
    }
    assert_has(
        &metrics,
        r#"proxy_api_failed_auth_attempts_total{reason="missing"} 1"#,
    );
    let text = text(&metrics);
    let blocked: Vec<_> = text
        .lines()
        .filter(|l| l.starts_with("proxy_api_blocked_requests_total{"))
        .collect();
    assert_eq!(
        blocked,
        [r#"proxy_api_blocked_requests_total{reason="model_not_allowed"} 1"#],
        "neither a failed authentication nor a failed provider blocks a request"
    );
}

#[test]
fn times_and_sizes_fall_into_their_buckets() {
    let metrics = Metrics::new().unwrap();
    let mut facts = facts();
    facts.request_bytes = 1_024;
    facts.times = Some(Times {
        duration: Duration::from_millis(2),
        overhead: Duration::from_micros(10),
        ..Times::default()
    });
    metrics.observe(&facts);
    for line in [
        r#"proxy_api_request_duration_seconds_bucket{le="0.001"} 0"#,
        r#"proxy_api_request_duration_seconds_bucket{le="0.0025"} 1"#,
        r#"proxy_api_overhead_seconds_bucket{le="0.00001"} 1"#,
        r#"proxy_api_request_size_bytes_bucket{le="256"} 0"#,
        r#"proxy_api_request_size_bytes_bucket{le="1024"} 1"#,
    ] {
        assert_has(&metrics, line);
    }
}

#[test]
fn the_number_of_series_does_not_depend_on_what_is_sent() {
    let metrics = Metrics::new().unwrap();
    metrics.know(["openai"], ["gpt-4o"]);
    for n in 0..10_000_u16 {
        let mut facts = called(&format!("provider-{n}"), &format!("model-{n}"));
        facts.method = format!("M{n}").parse().unwrap();
        facts.status = Some(n);
        facts.upstream_status = Some(n);
        let target = format!("/v1/{n}");
        facts.endpoint = Facts::new("r", Method::GET, target.as_bytes(), "").endpoint;
        metrics.observe(&facts);
    }
    let series = text(&metrics)
        .lines()
        .filter(|l| !l.starts_with('#'))
        .count();
    assert!(series < 250, "{series} series for 10,000 random requests");
}

#[test]
fn what_is_open_is_counted_until_it_is_closed() {
    let metrics = Metrics::new().unwrap();
    metrics.opened();
    metrics.opened();
    metrics.closed(&facts());
    assert_has(&metrics, "proxy_api_active_requests 1");
}

#[test]
fn lost_lines_are_taken_over_once_each() {
    let metrics = Metrics::new().unwrap();
    for total in [3, 3, 5, 4] {
        metrics.note_log_dropped(total);
    }
    assert_has(&metrics, "proxy_api_log_dropped_total 5");
}

#[test]
fn reloads_are_counted_by_result() {
    let metrics = Metrics::new().unwrap();
    metrics.reloaded(true);
    metrics.reloaded(false);
    metrics.reloaded(false);
    assert_has(
        &metrics,
        r#"proxy_api_config_reloads_total{result="success"} 1"#,
    );
    assert_has(
        &metrics,
        r#"proxy_api_config_reloads_total{result="failure"} 2"#,
    );
}

#[test]
fn the_process_can_be_registered() {
    let metrics = Metrics::new().unwrap();
    let process = prometheus::process_collector::ProcessCollector::for_self();
    metrics.register(Box::new(process)).unwrap();
    assert!(
        text(&metrics).contains("process_resident_memory_bytes"),
        "the process's own metrics"
    );
}

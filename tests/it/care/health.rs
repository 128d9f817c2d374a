//! Health checks: thresholds both ways, the way back, and what a probe looks like.

use super::{calls, endpoints, says};
use crate::harness::gateway::PROVIDER_KEY;
use crate::harness::{Gateway, Upstream};

const ILL: &str = "fails its health checks";
const WELL: &str = "is healthy again";

async fn checked(left: &Upstream, right: &Upstream, slow_start: &str) -> Gateway {
    let check = format!(
        ", slow_start: {slow_start}, health_check: {{interval: 50ms, timeout: 5s, \
         unhealthy_after: 3, healthy_after: 2}}"
    );
    let settings = endpoints(&[(left, 1), (right, 1)], &check);
    Gateway::builder()
        .provider_with("mock", "openai", &left.url(), &settings)
        .start()
        .await
}

#[tokio::test]
async fn an_endpoint_is_ill_after_three_failures_and_well_after_two_successes() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = checked(&left, &right, "1h").await;
    left.fail_probes(2);
    left.wait_probes(left.probes().len() + 6).await;
    assert!(!gateway.log_text().contains(ILL), "two are too few");
    left.fail_probes(1_000_000);
    says(&gateway, ILL, 1).await;
    calls(&gateway, 6).await;
    left.assert_untouched("it is ill");
    assert_eq!(right.requests().len(), 6, "its sibling has all calls");
    let series = format!(
        "proxy_api_provider_healthy{{endpoint=\"{}\",provider=\"mock\"}}",
        left.address()
    );
    gateway.metric_becomes(&series, 0.0).await;
    left.fail_probes(0);
    says(&gateway, WELL, 1).await;
    gateway.metric_becomes(&series, 1.0).await;
    // In an hour it would have half of the calls; now it has a tenth of that.
    calls(&gateway, 60).await;
    let got = left.requests().len();
    assert!(got < 20, "a part of its share at first: {got} of 60");
}

#[tokio::test]
async fn an_endpoint_that_is_back_gets_its_share_again() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let gateway = checked(&left, &right, "10ms").await;
    left.fail_probes(3);
    says(&gateway, ILL, 1).await;
    says(&gateway, WELL, 1).await;
    left.wait_probes(left.probes().len() + 2).await;
    calls(&gateway, 10).await;
    assert_eq!(left.requests().len(), 5, "half of the calls");
}

#[tokio::test]
async fn a_probe_comes_with_our_key_and_its_own_name() {
    let (left, right) = (Upstream::start().await, Upstream::start().await);
    let _gateway = checked(&left, &right, "1s").await;
    left.wait_probes(1).await;
    let headers = left.probes()[0].headers();
    let bearer = format!("Bearer {PROVIDER_KEY}");
    assert_eq!(headers.one("authorization"), Some(&*bearer), "our key");
    let agent = headers.one("user-agent");
    assert_eq!(agent, Some("portcullis-health-check"), "its name");
}

#[tokio::test]
async fn without_a_healthy_endpoint_nobody_is_asked_and_nobody_is_ready() {
    let upstream = Upstream::start().await;
    let check = "{health_check: {interval: 50ms, unhealthy_after: 1}}";
    let gateway = Gateway::builder()
        .provider_with("mock", "openai", &upstream.url(), check)
        .start()
        .await;
    upstream.fail_probes(1_000_000);
    says(&gateway, ILL, 1).await;
    let request = crate::harness::chat("gpt-4o").key(crate::harness::STANDARD_KEY);
    let reply = gateway.send(&request).await;
    reply.assert_refused(503, "no_healthy_provider", "it is ill");
    upstream.assert_untouched("it is ill");
    let mut connection = gateway.connect().await;
    connection
        .send(&crate::harness::Request::get("/ready"))
        .await;
    let ready = connection.raw_reply().await.expect("an answer");
    assert_eq!(ready.status, 503, "nobody can serve");
}

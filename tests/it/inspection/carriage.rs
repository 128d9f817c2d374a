//! How a request comes changes nothing about what becomes of it: its size, its cuts, its version
//! of HTTP.

use tokio::process::Command;

use super::{ATTACK, CHAT, EMAIL, inspecting, long, post};
use crate::harness::gateway::free_address;
use crate::harness::{Gateway, Request, STANDARD_KEY, Upstream, skipped, within};
use crate::load_tools::tool;
use crate::tls::wire::certificate;

/// Around the size of a block and of a read, and far beyond.
const SIZES: [usize; 6] = [200, 4_096, 65_535, 65_536, 65_537, 307_200];

/// With a length, and in chunks that fall on nothing.
fn framed(request: &Request, size: usize) -> Vec<(String, Request)> {
    let cuts = [7, 1_021, 4_096, 65_537]
        .into_iter()
        .filter(|cut| size / cut < 5_000);
    let chunked = cuts.map(|cut| {
        (
            format!("{size} bytes by {cut}"),
            request.clone().chunked(cut),
        )
    });
    let whole = (format!("{size} bytes"), request.clone());
    std::iter::once(whole).chain(chunked).collect()
}

#[tokio::test]
async fn an_attack_at_the_very_end_is_refused_at_every_size_and_cut() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "max_text_chars: null").await;
    for size in SIZES {
        for (why, request) in framed(&post(CHAT, &long(size, ATTACK)), size) {
            let reply = gateway.send(&request).await;
            reply.assert_refused(400, "prompt_injection_detected", &why);
        }
    }
    assert_eq!(upstream.connections(), 0, "nobody was called");
}

#[tokio::test]
async fn a_value_at_the_very_end_is_masked_at_every_size_and_cut() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "max_text_chars: null").await;
    let mut count = 0;
    for size in SIZES {
        let sent = long(size, &format!(" {EMAIL}"));
        let want = sent.replace(EMAIL, "[EMAIL_1]");
        for (why, request) in framed(&post(CHAT, &sent), size) {
            gateway.send(&request).await.assert_fine(&why);
            count += 1;
            let received = upstream.wait_requests(count).await;
            let received = &received[count - 1];
            assert!(
                received.body == want.as_bytes(),
                "{why}: only the value changes"
            );
            let length = want.len().to_string();
            let told = received.headers();
            assert_eq!(told.one("content-length"), Some(length.as_str()), "{why}");
        }
    }
}

#[tokio::test]
async fn both_versions_of_http_are_judged_alike() {
    let Some(curl) = tool("curl") else {
        return skipped("inspection over TLS", "curl");
    };
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = certificate(directory.path());
    let address = free_address();
    let upstream = Upstream::start().await;
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .listener(&format!(
            "{{address: \"{address}\", tls: {{certificate: {certificate}, private_key: {key}}}}}"
        ))
        .yaml("inspection: {request: {max_text_chars: null}}")
        .start()
        .await;
    let file = directory.path().join("body");
    let url = format!("https://localhost:{}{CHAT}", address.port());
    let mut passed = 0;
    for size in [200, 65_536, 307_200] {
        for (text, status) in [(ATTACK, 400), (EMAIL, 200)] {
            for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
                let body = long(size, &format!(" {text}"));
                std::fs::write(&file, &body).expect("a file");
                let mut command = Command::new(&curl);
                command.args(["-sS", option, "--cacert", &certificate]);
                command.args(["-H", &format!("authorization: Bearer {STANDARD_KEY}")]);
                command.args(["-H", "content-type: application/json", "--data-binary"]);
                command.arg(format!("@{}", file.display()));
                command.args(["-w", "\n%{http_version} %{http_code}", &url]);
                let output = within("curl", command.output()).await.expect("curl starts");
                let told = String::from_utf8_lossy(&output.stdout).into_owned();
                let why = format!("{size} bytes, {option}: {told}{}", gateway.stderr());
                assert!(told.ends_with(&format!("\n{version} {status}")), "{why}");
                if status == 400 {
                    assert!(told.contains("prompt_injection_detected"), "{why}");
                    continue;
                }
                passed += 1;
                let received = upstream.wait_requests(passed).await;
                let want = body.replace(EMAIL, "[EMAIL_1]");
                assert!(received[passed - 1].body == want.as_bytes(), "{why}");
            }
        }
    }
    assert_eq!(
        upstream.requests().len(),
        passed,
        "no refused one reached the provider"
    );
}

#[tokio::test]
async fn a_refusal_comes_before_the_rest_of_the_body_has() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "max_text_chars: null").await;
    let body = long(307_200, "the end").replacen("all is well", ATTACK, 1);
    let request = post(CHAT, &body);
    let mut connection = gateway.connect().await;
    connection.send_head(&request).await;
    connection.write(&body.as_bytes()[..100_000]).await;
    let reply = connection
        .raw_reply()
        .await
        .expect("an answer to a third of the body");
    reply.assert_refused(
        400,
        "prompt_injection_detected",
        "the attack stood at the start",
    );
    assert_eq!(upstream.connections(), 0, "nobody was called");
}

//! A listener that speaks TLS, to a real client: HTTP/1.1 and HTTP/2, and HSTS on every answer.

use tokio::process::Command;

use crate::harness::gateway::free_address;
use crate::harness::{Gateway, STANDARD_KEY, Upstream, chat_body, skipped, within};

use super::wire::certificate;

#[tokio::test]
async fn a_listener_with_a_certificate_speaks_both_versions_of_http_over_tls() {
    let Some(curl) = crate::load_tools::tool("curl") else {
        return skipped("TLS", "curl");
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
        .start()
        .await;
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let mut command = Command::new(&curl);
        command.args([
            "-sSi",
            option,
            "--cacert",
            &certificate,
            "-w",
            "\n%{http_version}",
        ]);
        command.args(["-H", &format!("authorization: Bearer {STANDARD_KEY}")]);
        command.args(["-H", "content-type: application/json", "-d"]);
        command.arg(chat_body("gpt-4o").to_string());
        command.arg(format!(
            "https://localhost:{}/v1/chat/completions",
            address.port()
        ));
        let output = within("curl", command.output()).await.expect("curl starts");
        let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{option}: {said}{}",
            gateway.stderr()
        );
        assert!(text.contains(" 200"), "{option}: {text}");
        assert!(
            text.contains("strict-transport-security: max-age=31536000"),
            "{option}: {text}"
        );
        assert!(text.ends_with(&format!("\n{version}")), "{option}: {text}");
    }
    upstream.wait_requests(2).await;
}

//! Tokens that end by themselves, made by the command and by an issuer.

use serde_json::json;

use super::{answer, key, overlay};
use crate::harness::{Gateway, Request, chat};

#[tokio::test]
async fn a_token_of_the_command_opens_what_its_role_and_scope_open() {
    let folder = tempfile::tempdir().expect("a folder");
    key(folder.path(), "--id a --role standard").await;
    let builder = Gateway::bare().echo("echo").yaml(&overlay(folder.path()));
    let gateway = builder.start().await;
    // Made after the gateway began: the secret was there already.
    let made = answer(folder.path(), "token --role read_only --ttl 15m").await;
    let reader = made["token"].as_str().expect("a token");
    assert_eq!(made["expires_in"], 900, "{made}");
    let reply = gateway.send(&Request::get("/metrics").key(reader)).await;
    reply.assert_fine("a reader reads");
    let reply = gateway.send(&chat("gpt-4o").key(reader)).await;
    reply.assert_refused(403, "permission_denied", "and does nothing else");
    let made = answer(
        folder.path(),
        "token --role standard --ttl 1h --scope model:gpt-* --subject ci",
    )
    .await;
    let token = made["token"].as_str().expect("a token");
    let reply = gateway.send(&chat("gpt-4o").key(token)).await;
    reply.assert_fine("within its scope");
    let line = gateway
        .access_line(reply.headers.one("x-request-id").unwrap_or_default())
        .await;
    assert_eq!(line["extra_data"]["key_id"], "jwt:ci", "{line}");
    let reply = gateway.send(&chat("o3").key(token)).await;
    reply.assert_refused(403, "model_not_allowed", "outside of it");
    let mut other = token.to_owned();
    other.replace_range(40..41, if &other[40..41] == "A" { "B" } else { "A" });
    for wrong in [
        other.as_str(),
        &token[..token.len() - 4],
        "eyJhbGciOiJub25lIn0.e30.",
    ] {
        let reply = gateway.send(&chat("gpt-4o").key(wrong)).await;
        reply.assert_refused(401, "invalid_api_key", wrong);
    }
    let made = answer(folder.path(), "token --role standard --ttl 48h").await;
    let long = made["token"].as_str().expect("a token");
    let reply = gateway.send(&chat("gpt-4o").key(long)).await;
    reply.assert_refused(401, "invalid_api_key", "it lives longer than max_ttl");
    let made = answer(folder.path(), "token --role standard --ttl 1s").await;
    let short = made["token"].as_str().expect("a token");
    let gone = async {
        while gateway.send(&chat("m").key(short)).await.status != 401 {
            tokio::task::yield_now().await;
        }
    };
    crate::harness::within("a token ends by itself", gone).await;
}

#[tokio::test]
async fn a_configured_secret_and_claims_are_what_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("token.secret");
    let arguments = format!("token --role admin --secret {}", secret.display());
    let made = answer(folder.path(), &arguments).await;
    let more = format!(
        "{{auth: {{tokens: {{hmac_secret: \"file:{}\"}}}}}}",
        secret.display()
    );
    let gateway = Gateway::bare().echo("echo").yaml(&more).start().await;
    let token = made["token"].as_str().expect("a token");
    let reply = gateway.send(&chat("m").key(token)).await;
    reply.assert_fine("no key is configured, and a token opens");
    let reply = gateway.send(&chat("m")).await;
    reply.assert_refused(401, "missing_api_key", "and is asked for");
}

#[tokio::test]
async fn a_key_set_of_no_use_keeps_the_gateway_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let configuration = folder.path().join("portcullis.yaml");
    let text = "auth: {tokens: {jwks_file: jwks.json}}\nproviders: [{name: local, api: echo}]\n\
                routes: [{models: [\"*\"], providers: [local]}]\n";
    std::fs::write(&configuration, text).expect("a file");
    let weak = json!({"keys": [{"kty": "oct", "k": "AAAA"}]}).to_string();
    for (set, word) in [("{}", "not a JSON Web Key Set"), (&weak, "too weak")] {
        std::fs::write(folder.path().join("jwks.json"), set).expect("a file");
        let path = configuration.to_string_lossy().into_owned();
        let output = crate::harness::gateway::run(&["check", "-c", &path]).await;
        let said = super::stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("auth.tokens.jwks_file") && said.contains(word),
            "{said}"
        );
    }
}

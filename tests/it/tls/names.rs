//! Several certificates on one listener, and certificates renewed in place.

use rustls::version::{TLS12, TLS13};
use serde_json::json;

use super::wire::{HEALTH, Tls, certificate_for};
use crate::harness::gateway::free_address;
use crate::harness::{ADMIN_KEY, Gateway, Request};

#[tokio::test]
async fn a_client_is_shown_the_certificate_of_the_name_that_it_asks_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let make = |prefix: &str, name: &str| certificate_for(directory.path(), prefix, name);
    let (first, first_key, localhost) = make("first-", "localhost");
    let (second, second_key, example) = make("second-", "a.example.test");
    let (third, third_key, wildcard) = make("third-", "*.example.test");
    let address = free_address();
    let _gateway = Gateway::builder()
        .echo("local")
        .listener(&format!(
            "{{address: \"{address}\", tls: {{certificate: {first}, private_key: {first_key}, \
             also: [{{certificate: {second}, private_key: {second_key}}}, \
             {{certificate: {third}, private_key: {third_key}}}]}}}}"
        ))
        .start()
        .await;
    for versions in [&[&TLS12], &[&TLS13]] {
        let client = Tls::new(&[&localhost, &example, &wildcard], versions, None);
        for (name, expected) in [
            ("localhost", &localhost),
            ("a.example.test", &example),
            ("A.Example.TEST", &example),
            ("b.example.test", &wildcard),
        ] {
            let told = client.ask(address, name, HEALTH).await.expect(name);
            assert_eq!(told.shown.as_ref(), Some(expected), "{name}");
            assert_eq!(told.status(), 200, "{name}");
        }
        let stranger = client.ask(address, "c.d.example.test", HEALTH).await;
        assert!(stranger.is_err(), "it is shown the first: {stranger:?}");
    }
}

#[tokio::test]
async fn certificates_and_versions_are_renewed_by_a_reload() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key, old) = certificate_for(directory.path(), "", "localhost");
    let address = free_address();
    let files = format!("certificate: {certificate}, private_key: {key}");
    let gateway = Gateway::builder()
        .echo("local")
        .listener(&format!("{{address: \"{address}\", tls: {{{files}}}}}"))
        .start()
        .await;
    let reload = || async {
        let request = Request::post("/internal/config/reload", &json!({}));
        gateway.send(&request.key(ADMIN_KEY)).await
    };
    let told = Tls::new(&[&old], &[&TLS12], None)
        .ask(address, "localhost", HEALTH)
        .await
        .expect("the old one");
    assert_eq!(told.shown.as_ref(), Some(&old), "the old one");

    let (_, _, new) = certificate_for(directory.path(), "", "localhost");
    std::fs::write(
        &key,
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    )
    .expect("a file");
    let refused = reload().await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let client = Tls::new(&[&old, &new], &[&TLS12], None);
    let told = client.ask(address, "localhost", HEALTH).await;
    let told = told.expect("as before");
    assert_eq!(
        told.shown.as_ref(),
        Some(&old),
        "a faulty pair changes nothing"
    );

    let (_, _, new) = certificate_for(directory.path(), "", "localhost");
    let own = gateway.client().address;
    gateway.reconfigure(&format!(
        "{{server: {{listeners: [{{address: \"{own}\"}}, \
         {{address: \"{address}\", tls: {{{files}, min_version: \"1.3\"}}}}]}}}}"
    ));
    reload().await.assert_fine("a good pair");
    let told = Tls::new(&[&new], &[&TLS13], None)
        .ask(address, "localhost", HEALTH)
        .await
        .expect("the new one");
    assert_eq!(told.shown.as_ref(), Some(&new), "the new one");
    let old_version = Tls::new(&[&new], &[&TLS12], None);
    let refused = old_version.ask(address, "localhost", HEALTH).await;
    assert!(refused.is_err(), "1.2 is no longer spoken: {refused:?}");
}

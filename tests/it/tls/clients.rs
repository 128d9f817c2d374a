//! Clients that show a certificate: who is let in, and whom it stands for.

use std::fmt::Write as _;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use sha2::{Digest as _, Sha256};

use super::wire::{Authority, HEALTH, Tls, certificate_for};
use crate::harness::gateway::{Key, free_address};
use crate::harness::{Gateway, STANDARD_KEY};

const MACHINE: Key = Key {
    id: "machine",
    secret: "sk-test-machine-0123456789abcdef",
    role: "standard",
    limits: "{}",
};

const SPENT: Key = Key {
    id: "spent",
    secret: "sk-test-spent-0123456789abcdef",
    role: "standard",
    limits: "{expires_at: \"2020-01-01T00:00:00Z\"}",
};

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate.as_ref());
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes text");
        text
    })
}

fn models(fields: &str) -> String {
    format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{fields}connection: close\r\n\r\n")
}

fn copy(
    (certificate, key): &(CertificateDer<'static>, PrivateKeyDer<'static>),
) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    (certificate.clone(), key.clone_key())
}

#[tokio::test]
async fn without_a_certificate_that_is_believed_there_is_no_connection() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key, believed) = certificate_for(directory.path(), "", "localhost");
    let (authority, other) = (Authority::new(), Authority::new());
    let clients = authority.write(directory.path());
    let address = free_address();
    let gateway = Gateway::builder()
        .echo("local")
        .listener(&format!(
            "{{address: \"{address}\", tls: {{certificate: {certificate}, private_key: {key}, \
             client_ca: {clients}}}}}"
        ))
        .start()
        .await;
    for versions in [&[&TLS12], &[&TLS13]] {
        for (own, is_let_in) in [
            (Some(authority.client("a")), true),
            (Some(other.client("a")), false),
            (None, false),
        ] {
            let client = Tls::new(&[&believed], versions, own);
            let told = client.ask(address, "localhost", HEALTH).await;
            assert_eq!(told.is_ok(), is_let_in, "{versions:?}: {told:?}");
        }
    }
    gateway
        .metric_reaches("proxy_api_connections_refused_total{reason=\"tls\"}", 4.0)
        .await;
    let client = Tls::new(&[&believed], &[&TLS13], Some(authority.client("a")));
    let told = client.ask(address, "localhost", &models("")).await;
    let told = told.expect("an answer");
    assert_eq!(told.status(), 401, "it is no key by itself: {told:?}");
}

#[tokio::test]
async fn a_certificate_stands_for_the_key_that_the_configuration_names() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key, believed) = certificate_for(directory.path(), "", "localhost");
    let authority = Authority::new();
    let clients = authority.write(directory.path());
    let (machine, spent) = (authority.client("m"), authority.client("s"));
    let address = free_address();
    let gateway = Gateway::builder()
        .echo("local")
        .key(MACHINE)
        .key(SPENT)
        .listener(&format!(
            "{{address: \"{address}\", tls: {{certificate: {certificate}, private_key: {key}, \
             client_ca: {clients}}}}}"
        ))
        .yaml(&format!(
            "auth: {{client_certificates: [{{sha256: \"{}\", key: machine}}, \
             {{sha256: \"{}\", key: spent}}]}}",
            fingerprint(&machine.0),
            fingerprint(&spent.0)
        ))
        .start()
        .await;
    let with_key = |key: &str| models(&format!("authorization: Bearer {key}\r\n"));
    for (own, request, status, who) in [
        (&machine, models(""), 200, Some("machine")),
        (&machine, with_key(STANDARD_KEY), 200, Some("env:")),
        (&machine, with_key("sk-nobody-0123456789"), 401, None),
        (&spent, models(""), 401, None),
    ] {
        let client = Tls::new(&[&believed], &[&TLS13], Some(copy(own)));
        let told = client.ask(address, "localhost", &request).await;
        let told = told.expect("an answer");
        assert_eq!(told.status(), status, "{request}: {told:?}");
        let id = told
            .text
            .lines()
            .find_map(|line| line.strip_prefix("x-request-id: "))
            .expect("an id");
        let line = gateway.access_line(id).await;
        let key = line["extra_data"]["key_id"].as_str();
        let named = who.is_none_or(|who| key.is_some_and(|key| key.starts_with(who)));
        assert!(named, "{who:?}: {line}");
    }
}

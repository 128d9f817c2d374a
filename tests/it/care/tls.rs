//! TLS towards endpoints: an authority of their own, our certificate, the name that is asked for,
//! HTTP/2 where it is offered; and addresses that a name may not lead to.

use tempfile::TempDir;

use super::calls;
use crate::harness::gateway::free_address;
use crate::harness::secured::{Authority, Front, Hello, NAME};
use crate::harness::{Gateway, STANDARD_KEY, Upstream, chat, skipped, within};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

async fn before(front: &Front, tls: &str) -> Gateway {
    let url = front.url();
    let endpoints = format!("{{endpoints: [{{url: \"{url}\", tls: {{{tls}}}}}]}}");
    Gateway::builder()
        .provider_with("mock", "openai", &url, &endpoints)
        .start()
        .await
}

/// Calls until one goes over a connection that is there already. A connection is free a moment
/// after its answer has ended, so the very next call may come too early for it.
async fn reused(gateway: &Gateway, front: &Front) {
    let search = async {
        for made in 1.. {
            calls(gateway, 1).await;
            if front.hellos().len() < made {
                return;
            }
        }
    };
    within("a connection serves a second call", search).await;
}

#[tokio::test]
async fn an_endpoint_gets_our_certificate_and_the_name_that_it_goes_by() {
    let (upstream, folder) = (Upstream::start().await, folder());
    let (servers, clients) = (Authority::new(), Authority::new());
    let front = Front::before(&upstream, &servers.issue(NAME), Some(&clients)).await;
    let ca = servers.file(folder.path());
    let (certificate, key) = clients.issue("gateway.test").files(folder.path());
    let own = format!("client_certificate: {certificate}, client_key: {key}");
    let gateway = before(&front, &format!("ca_file: {ca}, sni: {NAME}, {own}")).await;
    reused(&gateway, &front).await;
    let expected = Hello {
        name: Some(NAME.to_owned()),
        client_certificate: true,
    };
    assert!(front.hellos().iter().all(|hello| *hello == expected));
    let gateway = before(&front, &format!("ca_file: {ca}, sni: {NAME}")).await;
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_refused(502, "upstream_error", "it wants to know who we are");
}

#[tokio::test]
async fn an_endpoint_that_offers_http2_is_called_over_http2() {
    let (servers, folder) = (Authority::new(), folder());
    let front = Front::http2(&servers.issue(NAME)).await;
    let ca = servers.file(folder.path());
    let gateway = before(&front, &format!("ca_file: {ca}, sni: {NAME}")).await;
    reused(&gateway, &front).await;
}

#[tokio::test]
async fn a_name_that_stands_for_this_machine_is_not_followed_without_leave() {
    // Which of them there is depends on the machine; `localhost` itself may be called.
    let machine = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let mut named = None;
    for name in [machine.trim(), "ip6-localhost", "ip6-loopback"] {
        let found = tokio::net::lookup_host((name, 80)).await;
        let inside = |all: Vec<std::net::SocketAddr>| {
            all.iter().all(|one| match one.ip() {
                std::net::IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
                std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
            })
        };
        if !name.is_empty() && found.is_ok_and(|all| inside(all.collect())) {
            named.get_or_insert_with(|| name.to_owned());
        }
    }
    let Some(name) = named else {
        return skipped("private names", "a name of this machine");
    };
    let url = format!("http://{name}:{}", free_address().port());
    for (leave, refused) in [
        (false, (503, "no_healthy_provider")),
        (true, (502, "upstream_error")),
    ] {
        let more = format!("{{endpoints: [{{url: \"{url}\", allow_private: {leave}}}]}}");
        let gateway = Gateway::builder()
            .echo("other")
            .provider_with("mock", "openai", &url, &more)
            .route("{models: [\"*\"], providers: [mock]}")
            .start()
            .await;
        let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
        reply.assert_refused(refused.0, refused.1, &format!("leave: {leave}"));
    }
}

//! From a routed call to the connection of its next attempt, and the head that is sent there.
//!
//! Decides nothing: addresses come from the pools, everything else from the policy.

use std::time::{Duration, Instant};

use http::header::{self, HeaderValue};
use http::uri::PathAndQuery;
use pingora::http::RequestHeader;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, OrErr, Result};

use super::ctx::{Body, Call, Flight, Stage};
use super::headers;
use super::reply::REQUEST_ID;
use crate::policy::{Api, Denial, Endpoint, Provider};
use crate::provider::wire;
use crate::runtime::echo;

/// How long a connection to a provider is kept for the next call.
const KEPT_IDLE: Duration = Duration::from_mins(1);

/// The peer of the next attempt.
///
/// # Errors
/// No endpoint with an address is left to try.
pub(crate) fn next(flight: &mut Flight, now: Instant) -> Result<Box<HttpPeer>> {
    let Flight {
        snapshot,
        record,
        clock,
        stage,
    } = flight;
    let Stage::Call(call) = stage else {
        return Err(unrouted());
    };
    clock.call_begins(now);
    while let Some(target) = call.routed.target(call.next) {
        call.next = call.next.saturating_add(1);
        let Some(provider) = snapshot.policy.providers.get(target.provider) else {
            continue;
        };
        let peer = match provider.api {
            Api::Echo => echo::peer(),
            Api::OpenAi | Api::Anthropic => {
                let Some(endpoint) = provider.endpoints.get(target.endpoint) else {
                    continue;
                };
                let Some(address) = snapshot.pools.address(target) else {
                    continue;
                };
                let name = endpoint.host.trim_matches(['[', ']']).to_owned();
                HttpPeer::new(address, endpoint.tls, name)
            }
        };
        record.provider = Some(provider.name.clone());
        record.attempts = record.attempts.saturating_add(1);
        call.target = Some(target);
        return Ok(Box::new(configured(peer, provider, target.provider)));
    }
    let nobody = Denial::NoHealthyProvider;
    Err(Error::explain(
        ErrorType::HTTPStatus(nobody.face().status),
        nobody.reason(),
    ))
}

fn unrouted() -> Box<Error> {
    Error::explain(ErrorType::InternalError, "no provider without a route")
}

fn configured(mut peer: HttpPeer, provider: &Provider, index: usize) -> HttpPeer {
    let timeouts = provider.timeouts;
    // Connections are never shared between providers, even at one address.
    peer.group_key = u64::try_from(index).map_or(u64::MAX, |index| index.saturating_add(1));
    peer.options.connection_timeout = Some(timeouts.connect.get());
    peer.options.total_connection_timeout = Some(timeouts.connect.get());
    peer.options.read_timeout = Some(timeouts.first_byte.get().max(timeouts.idle.get()));
    peer.options.write_timeout = Some(timeouts.idle.get());
    peer.options.idle_timeout = Some(KEPT_IDLE);
    peer
}

/// Makes the head that came from a client the one that goes to the provider.
///
/// # Errors
/// The request has no route, or a head that can't be built.
pub(crate) fn prepare(flight: &mut Flight, head: &mut RequestHeader) -> Result<()> {
    let Flight {
        snapshot,
        record,
        stage,
        ..
    } = flight;
    let Stage::Call(call) = stage else {
        return Err(unrouted());
    };
    let target = call.target.ok_or_else(unrouted)?;
    let provider = snapshot
        .policy
        .providers
        .get(target.provider)
        .ok_or_else(unrouted)?;
    call.handle.attempt_begins();
    let trusted = call.peer_is_trusted;
    for name in headers::stopped(&head.headers, |name| headers::stops_upstream(name, trusted)) {
        head.remove_header(&name);
    }
    head.insert_header(header::ACCEPT_ENCODING, "identity")?;
    head.insert_header(REQUEST_ID, &*record.request_id)?;
    if let Some(endpoint) = provider.endpoints.get(target.endpoint) {
        address(endpoint, head)?;
    }
    credentials(provider, head)?;
    frame(call, head)
}

/// The provider's own Host, and its base path before the request's.
fn address(endpoint: &Endpoint, head: &mut RequestHeader) -> Result<()> {
    head.insert_header(header::HOST, &endpoint.authority)?;
    if endpoint.base_path.is_empty() && head.raw_path().first() == Some(&b'/') {
        return Ok(());
    }
    // The whole URI is set anew: one in absolute form would name the client's idea of the host.
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let target = format!("{}{path}", endpoint.base_path);
    head.set_uri(
        target
            .parse()
            .or_err(ErrorType::InternalError, "the provider's path")?,
    );
    Ok(())
}

fn credentials(provider: &Provider, head: &mut RequestHeader) -> Result<()> {
    if let Some((name, value)) = wire::version_header(provider.api, &head.headers) {
        head.insert_header(name, value)?;
    }
    let Some(key) = &provider.api_key else {
        return Ok(());
    };
    let carried = wire::credential_header(provider.api, key)
        .or_err(ErrorType::InternalError, "the provider's key")?;
    if let Some((name, value)) = carried {
        head.insert_header(name, value)?;
    }
    Ok(())
}

/// The framing follows what is sent: a held body has a length, whatever the client declared.
fn frame(call: &Call, head: &mut RequestHeader) -> Result<()> {
    let Body::Held { len, .. } = call.body else {
        return Ok(());
    };
    let bodyless = len == 0 && matches!(head.method, http::Method::GET | http::Method::HEAD);
    head.remove_header(&header::TRANSFER_ENCODING);
    head.remove_header(&header::CONTENT_LENGTH);
    if !bodyless {
        head.insert_header(header::CONTENT_LENGTH, HeaderValue::from(len))?;
    }
    Ok(())
}

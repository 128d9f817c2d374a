//! From a routed call to the connection of its next attempt, and the head that is sent there.
//!
//! Decides nothing: addresses come from the pools, everything else from the policy.

use std::time::{Duration, Instant};

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Uri, Version};
use pingora::http::RequestHeader;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, OrErr, Result};

use super::ctx::{Body, Call, Flight, Stage};
use super::headers;
use super::reply::{REQUEST_ID, own_value};
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
    // The guard watches the answer's pauses; over HTTP/2 Pingora waits for an end of its own too.
    peer.options.read_timeout = peer
        .is_tls()
        .then(|| timeouts.first_byte.get().max(timeouts.idle.get()));
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
    let mut fields = passed(&head.headers, call);
    fields.insert(header::ACCEPT_ENCODING, IDENTITY);
    fields.insert(REQUEST_ID, own_value(&record.request_id)?);
    credentials(provider, &head.headers, &mut fields)?;
    frame(call, (&head.method, head.version), &mut fields);
    let mut based_target = None;
    if let Some(endpoint) = provider.endpoints.get(target.endpoint) {
        fields.insert(header::HOST, endpoint.authority.clone());
        based_target = based(endpoint, head)?;
    }
    replace(head, fields, based_target);
    Ok(())
}

/// What the provider is asked for: nothing that we could not read.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The client's fields that go on, in a map with room for ours. A new map costs less than taking
/// fields out of the old one, which also remembers how each name was spelled.
fn passed(sent: &HeaderMap, call: &Call) -> HeaderMap {
    let anew = match &call.body {
        Body::Held { .. } => true,
        Body::Passing(passing) => passing.rewrites,
    };
    let mut fields = HeaderMap::with_capacity(sent.len().saturating_add(4));
    for (name, value) in sent {
        let framing = *name == header::CONTENT_LENGTH || *name == header::TRANSFER_ENCODING;
        let ours = anew && framing;
        if !ours && !headers::stops_upstream(name, call.peer_is_trusted) {
            fields.append(name.clone(), value.clone());
        }
    }
    fields
}

/// Puts these fields, and this target where there is one, into the head.
fn replace(head: &mut RequestHeader, fields: HeaderMap, target: Option<Uri>) {
    let last = head.send_end_stream();
    let empty = RequestHeader::from(http::Request::new(()).into_parts().0);
    let mut parts: http::request::Parts = std::mem::replace(head, empty).into();
    parts.headers = fields;
    if let Some(target) = target {
        parts.uri = target;
    }
    *head = parts.into();
    if let Some(last) = last {
        head.set_send_end_stream(last);
    }
}

/// The provider's base path before the request's, where that changes it.
fn based(endpoint: &Endpoint, head: &RequestHeader) -> Result<Option<Uri>> {
    if endpoint.base_path.is_empty() && head.raw_path().first() == Some(&b'/') {
        return Ok(None);
    }
    // The whole URI is set anew: one in absolute form would name the client's idea of the host.
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let target = format!("{}{path}", endpoint.base_path).parse();
    target
        .map(Some)
        .or_err(ErrorType::InternalError, "the provider's path")
}

fn credentials(provider: &Provider, sent: &HeaderMap, fields: &mut HeaderMap) -> Result<()> {
    if let Some((name, value)) = wire::version_header(provider.api, sent) {
        fields.insert(name, value);
    }
    let Some(key) = &provider.api_key else {
        return Ok(());
    };
    let carried = wire::credential_header(provider.api, key)
        .or_err(ErrorType::InternalError, "the provider's key")?;
    if let Some((name, value)) = carried {
        fields.insert(name, value);
    }
    Ok(())
}

/// The framing follows what is sent, whatever the client declared: a held body has a length, one
/// that may be rewritten on its way has none, which HTTP/2 needs no field for.
fn frame(call: &Call, (method, version): (&Method, Version), fields: &mut HeaderMap) {
    match &call.body {
        Body::Held { len, .. } if *len > 0 || !matches!(*method, Method::GET | Method::HEAD) => {
            fields.insert(header::CONTENT_LENGTH, HeaderValue::from(*len));
        }
        Body::Passing(passing) if passing.rewrites && version != Version::HTTP_2 => {
            fields.insert(header::TRANSFER_ENCODING, CHUNKED);
        }
        Body::Held { .. } | Body::Passing(_) => {}
    }
}

const CHUNKED: HeaderValue = HeaderValue::from_static("chunked");

//! From a routed call to the connection of its next attempt, and the head that is sent there.
//!
//! Decides nothing: where it goes is `route`'s, how long it waits for its turn the turnstile's,
//! addresses come from the pools, everything else from the policy.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Uri, Version};
use pingora::http::RequestHeader;
use pingora::protocols::ALPN;
use pingora::proxy::Session;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use pingora::{Error, ErrorType, OrErr, Result};

use super::attempt::{self, Attempt, Progress};
use super::ctx::{Body, Call, Flight, Stage};
use super::reply::{REQUEST_ID, own_value};
use super::{Snapshot, headers, limits, tracing, wording};
use crate::admit::ledger::Ledger;
use crate::policy::upstream::Exceeded;
use crate::policy::{Api, Denial, Endpoint, Provider};
use crate::provider::wire;
use crate::route::attempts::{Circumstances, Class};
use crate::route::{Target, balance};
use crate::runtime::turnstile::{Full, Pass, Want};
use crate::runtime::{clock, echo, upstream};

/// How long a connection to a provider is kept for the next call.
const KEPT_IDLE: Duration = Duration::from_mins(1);
/// Calls on one HTTP/2 connection at a time.
const STREAMS: usize = 100;
/// Before the second attempt at one endpoint; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The peer of the next attempt.
///
/// # Errors
/// No endpoint with an address is left to try, or none takes a call now; or the client left while
/// its call waited.
pub(crate) async fn next(
    ledger: &Ledger,
    session: &mut Session,
    flight: &mut Flight,
) -> Result<Box<HttpPeer>> {
    let snapshot = flight.snapshot.clone();
    let tokens = limits::most_tokens(flight);
    let want = Want { ledger, tokens };
    let now = clock::now();
    flight.clock.call_begins(now);
    let Stage::Call(call) = &mut flight.stage else {
        return Err(unrouted());
    };
    let planned = call.planned.take();
    if planned.is_some() {
        pause(session, call).await?;
    }
    let ground = attempt::ground_at(call, &snapshot, clock::uptime_at(now));
    let ground = ground.ok_or_else(unrouted)?;
    let mut next = planned.or_else(|| call.attempts.first(ground));
    let mut full = None;
    while let Some(target) = next {
        let provider = snapshot.policy.providers.get(target.provider);
        let provider = provider.ok_or_else(unrouted)?;
        match enter(session, call, (&snapshot, target), want).await? {
            Ok(pass) => {
                if let Some(mut peer) = peer(&snapshot, provider, target)
                    && begin(call, &snapshot, target, pass)
                {
                    upstream::ask_for(&mut peer);
                    tracing::call(&mut flight.record, &snapshot.policy, target);
                    flight.record.provider = Some(provider.name.clone());
                    flight.record.attempts = flight.record.attempts.saturating_add(1);
                    return Ok(Box::new(peer));
                }
                next = passed_over(call, &snapshot);
            }
            Err(Full(wait)) => {
                full = Some(wait);
                if provider.limits.exceeded == Exceeded::Reject {
                    break;
                }
                let ground = attempt::ground(call, &snapshot).ok_or_else(unrouted)?;
                next = call.attempts.instead(ground);
            }
        }
    }
    let nobody = full.map_or(Denial::NoHealthyProvider, |wait| {
        Denial::ProviderRateLimited(Some(wait.max(Duration::from_secs(1))))
    });
    let (status, reason) = (nobody.face().status, nobody.reason());
    call.denial = Some(nobody);
    Err(Error::explain(ErrorType::HTTPStatus(status), reason))
}

/// An endpoint without an address, or without a place, counts as one that can't be connected to.
fn passed_over(call: &mut Call, snapshot: &Snapshot) -> Option<Target> {
    let nothing_was_sent = Circumstances {
        replayable: true,
        idempotent: false,
        retry_unsafe: false,
    };
    let ground = attempt::ground(call, snapshot)?;
    call.attempts
        .after(Class::NotConnected, nothing_was_sent, ground)
}

/// Begins an attempt, if its endpoint still takes one: it may have waited for its turn.
fn begin(call: &mut Call, snapshot: &Snapshot, target: Target, pass: Pass) -> bool {
    let now = clock::uptime();
    let live = snapshot.view.provider(target.provider);
    let ticket = live.and_then(|live| live.endpoint(target.endpoint)?.begin(now));
    let attempt = live
        .zip(ticket)
        .map(|(live, ticket)| Attempt::new(target, live.key(now), ticket, pass));
    call.attempt = attempt;
    call.attempt.is_some()
}

/// Waits for a provider's leave.
async fn enter(
    session: &mut Session,
    call: &Call,
    (snapshot, target): (&Snapshot, Target),
    want: Want<'_>,
) -> Result<Result<Pass, Full>> {
    let provider = snapshot.policy.providers.get(target.provider);
    let turnstile = snapshot.turnstiles.get(target.provider);
    let (Some(provider), Some(turnstile)) = (provider, turnstile) else {
        return Ok(Ok(Pass::default()));
    };
    if !provider.is_limited() {
        return Ok(Ok(Pass::default()));
    }
    unless_gone(session, call, turnstile.enter(provider, want)).await
}

/// A short pause before an endpoint is asked again that has just failed.
async fn pause(session: &mut Session, call: &Call) -> Result<()> {
    let Some(doublings) = call.attempts.repeats() else {
        return Ok(());
    };
    let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(1));
    unless_gone(session, call, tokio::time::sleep(pause)).await
}

/// Waits, and stops waiting when the client leaves.
async fn unless_gone<T>(
    session: &mut Session,
    call: &Call,
    wait: impl Future<Output = T>,
) -> Result<T> {
    if matches!(call.body, Body::Passing(_)) {
        // Listening would take bytes of the body away.
        return Ok(wait.await);
    }
    tokio::select! {
        biased;
        done = wait => Ok(done),
        left = session.as_downstream_mut().read_body_or_idle(true) => {
            let gone = || Error::explain(ErrorType::ConnectionClosed, "the client left");
            Err(left.err().unwrap_or_else(gone).into_down())
        }
    }
}

/// Where a target is; nowhere as long as its name is not resolved.
pub(crate) fn peer(snapshot: &Snapshot, provider: &Provider, target: Target) -> Option<HttpPeer> {
    let mut peer = match provider.api {
        Api::Echo => echo::peer(),
        Api::OpenAi | Api::Anthropic => {
            let endpoint = provider.endpoints.get(target.endpoint)?;
            let address = snapshot.pools.address(target)?;
            let special = endpoint.security.as_deref();
            let named = special.and_then(|tls| tls.name.as_deref());
            let name = named.unwrap_or_else(|| endpoint.host.trim_matches(['[', ']']));
            let mut peer = HttpPeer::new(address, endpoint.tls, name.to_owned());
            if endpoint.tls {
                peer.options.alpn = ALPN::H2H1;
                peer.options.max_h2_streams = STREAMS;
            }
            // Connections are never shared between providers, nor between certificates.
            let own = special.map_or(0, |tls| tls.number);
            peer.group_key = balance::hash(provider.name.as_str().as_bytes()) ^ own;
            peer
        }
    };
    if let Some(security) = snapshot.pools.security(target) {
        security.apply(&mut peer);
    }
    // What must not go on is taken away in `prepare`, from a map of our own.
    peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::preserve();
    let timeouts = provider.timeouts;
    peer.options.connection_timeout = Some(timeouts.connect.get());
    peer.options.total_connection_timeout = Some(timeouts.connect.get());
    // The guard watches the answer's pauses; over HTTP/2 Pingora waits for an end of its own too.
    peer.options.read_timeout = peer
        .is_tls()
        .then(|| timeouts.first_byte.get().max(timeouts.idle.get()));
    peer.options.write_timeout = Some(timeouts.idle.get());
    peer.options.idle_timeout = Some(KEPT_IDLE);
    Some(peer)
}

fn unrouted() -> Box<Error> {
    Error::explain(ErrorType::InternalError, "no provider without a route")
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
    let attempt = call.attempt.as_mut().ok_or_else(unrouted)?;
    let (target, key) = (attempt.target, attempt.key);
    let provider = snapshot
        .policy
        .providers
        .get(target.provider)
        .ok_or_else(unrouted)?;
    attempt.reached(Progress::Head);
    let own_words = wording::said(call, record, provider)?;
    call.handle.attempt_begins(provider.timeouts, own_words);
    let mut fields = passed(&head.headers, call)?;
    fields.insert(header::ACCEPT_ENCODING, IDENTITY);
    fields.insert(REQUEST_ID, own_value(&record.request_id)?);
    tracing::pass_on(record, &mut fields);
    let of = (target.provider, key);
    credentials(snapshot, of, &head.headers, &mut fields)?;
    frame(call, (&head.method, head.version), &mut fields);
    let mut based_target = None;
    if let Some(endpoint) = provider.endpoints.get(target.endpoint) {
        fields.insert(header::HOST, endpoint.authority.clone());
        based_target = match call.wanted {
            Some(wanted) => Some(at(endpoint, wanted.direction.path())?),
            None => based(endpoint, head)?,
        };
    }
    replace(head, fields, based_target);
    Ok(())
}

/// What the provider is asked for: nothing that we could not read.
pub(crate) const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The client's fields that go on, in a map with room for ours. A new map costs less than taking
/// fields out of the old one, which also remembers how each name was spelled.
fn passed(sent: &HeaderMap, call: &mut Call) -> Result<HeaderMap> {
    let of_this_hop = headers::of_this_hop(sent).map_err(|denial| {
        let status = denial.face().status;
        call.denial = Some(denial);
        Error::explain(ErrorType::HTTPStatus(status), "fields of this hop").into_down()
    })?;
    let anew = match &call.body {
        Body::Held { .. } => true,
        Body::Passing(passing) => passing.rewrites,
    };
    let mut fields = HeaderMap::with_capacity(sent.len().saturating_add(4));
    for (name, value) in sent {
        let framing = *name == header::CONTENT_LENGTH || *name == header::TRANSFER_ENCODING;
        let ours = anew && framing;
        let ours = ours || call.wanted.is_some() && wire::is_of_an_api(name);
        if !ours && !headers::stops_upstream(name, call.peer_is_trusted) {
            fields.append(name.clone(), value.clone());
        }
    }
    for name in of_this_hop {
        fields.remove(name);
    }
    Ok(fields)
}

/// Puts these fields, and this target where there is one, into the head.
pub(crate) fn replace(head: &mut RequestHeader, fields: HeaderMap, target: Option<Uri>) {
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
pub(crate) fn based(endpoint: &Endpoint, head: &RequestHeader) -> Result<Option<Uri>> {
    if endpoint.base_path.is_empty() && head.raw_path().first() == Some(&b'/') {
        return Ok(None);
    }
    // The whole URI is set anew: one in absolute form would name the client's idea of the host.
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    at(endpoint, path).map(Some)
}

/// A path below the provider's base path.
fn at(endpoint: &Endpoint, path: &str) -> Result<Uri> {
    let target = format!("{}{path}", endpoint.base_path).parse();
    target.or_err(ErrorType::InternalError, "the provider's path")
}

/// The provider's own credential, by the number of its key.
pub(crate) fn credentials(
    snapshot: &Snapshot,
    (provider, key): (usize, usize),
    sent: &HeaderMap,
    fields: &mut HeaderMap,
) -> Result<()> {
    let api = snapshot.policy.providers.get(provider).map(|it| it.api);
    let version = api.and_then(|api| wire::version_header(api, sent));
    if let Some((name, value)) = version {
        fields.insert(name, value);
    }
    match snapshot.credential(provider, key) {
        Some(Ok(Some((name, value)))) => {
            fields.insert(name.clone(), value.clone());
        }
        Some(Ok(None)) | None => {}
        Some(Err(fault)) => {
            let cause = "the provider's key";
            return Err(Error::because(ErrorType::InternalError, cause, *fault));
        }
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

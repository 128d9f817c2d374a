//! From a request's head to a call, an answer of the gateway's own, or a refusal.
//!
//! Decides nothing itself: it hands the head, the body and the time to the stages in their order
//! (head, path, caller, role, body, model, route), each of which may refuse. Everything happens
//! before a provider is so much as connected to.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderName, HeaderValue};
use pingora::Error;
use pingora::protocols::http::v1::server::HttpSession;
use pingora::proxy::Session;

use super::ctx::{Call, Flight};
use super::reading::Plan;
use super::reply::Answer;
use super::{Gateway, Snapshot, cors, guard, guesses, limits, local, operate};
use crate::admit::head;
use crate::admit::redirect;
use crate::admit::target::{self, Reading};
use crate::identify::authorize::{self, Wish};
use crate::identify::{self, Caller, source};
use crate::policy::names::ModelName;
use crate::policy::{Denial, Listener, Policy, ProviderTimeouts, Serve};
use crate::record::endpoint::Endpoint;
use crate::route::{self, Routed};
use crate::runtime::clock;

/// What becomes of a request.
pub(crate) enum Received {
    /// Answered here.
    Answer(Answer),
    /// A browser's question about another origin's pages.
    Preflight(Vec<(HeaderName, HeaderValue)>),
    /// Sent to another address.
    Redirect(HeaderValue),
    /// Sent on.
    Call(Box<Call>),
}

/// Why a request goes no further.
pub(crate) enum Stop {
    /// It is refused.
    Denied(Denial),
    /// The client has gone, or speaks no HTTP.
    Broken(Box<Error>),
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// Takes a request through the stages.
///
/// # Errors
/// The first stage that refuses, or the client that goes.
pub(crate) async fn receive(
    gateway: &Gateway,
    session: &mut Session,
    flight: &mut Flight,
) -> Result<Received, Stop> {
    let snapshot = flight.snapshot.clone();
    let policy = &snapshot.policy;
    check_head(session, policy)?;
    let listener = listener(session, policy);
    if let Some(received) = unkeyed(session, flight, policy, listener)? {
        return Ok(received);
    }
    let serve = listener.map_or(Serve::NONE, |listener| listener.serve);
    let asked = target::endpoint(session.req_header(), serve);
    if let Some(answer) = open(session, flight, &snapshot, &asked) {
        return Ok(Received::Answer(answer));
    }
    let now = clock::unix();
    let (caller, arrived, peer_is_trusted) = identified(gateway, session, flight, (policy, now))?;
    let endpoint = asked?;
    let head = session.req_header();
    let wish = Wish {
        endpoint,
        path: head.uri.path(),
        now,
    };
    authorize::authorize(&caller, &wish)?;
    limits::admit(gateway, flight, &caller, (endpoint, arrived))?;
    if endpoint == Endpoint::Internal {
        return operate::answer(gateway, session, flight, &caller)
            .await
            .map(Received::Answer);
    }
    let reading = target::reading(endpoint);
    if reading == Reading::Nothing {
        let path = session.req_header().uri.path().to_owned();
        return local::answer(gateway, &snapshot, &caller, endpoint, &path)
            .map(Received::Answer)
            .map_err(Stop::Denied);
    }
    let plan = Plan::of(session, policy, endpoint, reading)?;
    let any = route::takes_any(&caller, policy);
    let (body, source, model) = plan.read(gateway, session, flight, any).await?;
    flight.record.model.clone_from(&model);
    limits::admit_call(flight, &caller, model.as_ref())?;
    let routed = routed(gateway, session, policy, &caller, model.as_ref())?;
    let timeouts = first_timeouts(&routed, policy)?;
    let handle = guard::install(session, source, timeouts);
    let call = Call {
        attempts: routed.attempts(),
        routed,
        body,
        handle,
        planned: None,
        attempt: None,
        peer_is_trusted,
        denial: None,
        wanted: None,
        reading: None,
        usage_added: false,
    };
    Ok(Received::Call(Box::new(call)))
}

/// What is answered without a key.
fn open(
    session: &Session,
    flight: &mut Flight,
    snapshot: &Snapshot,
    asked: &Result<Endpoint, Denial>,
) -> Option<Answer> {
    match asked {
        Ok(endpoint) if target::is_public(*endpoint) => {
            flight.record.client_ip = peer_address(session);
            Some(local::public(snapshot, *endpoint, session))
        }
        Ok(Endpoint::Internal) => operate::page(session, flight, &snapshot.policy),
        Ok(_) | Err(_) => None,
    }
}

/// What is answered before anything is asked about the caller: a listener that only sends its
/// clients elsewhere, and questions of browsers.
fn unkeyed(
    session: &Session,
    flight: &mut Flight,
    policy: &Policy,
    listener: Option<&Listener>,
) -> Result<Option<Received>, Denial> {
    let head = session.req_header();
    let redirect = listener.and_then(|listener| listener.redirect);
    let received = match redirect {
        Some(port) => Some(Received::Redirect(redirect::location(head, port)?)),
        None => cors::preflight(head, &policy.cors).map(Received::Preflight),
    };
    if received.is_some() {
        flight.record.client_ip = peer_address(session);
    }
    Ok(received)
}

/// Where the request goes.
fn routed(
    gateway: &Gateway,
    session: &Session,
    policy: &Policy,
    caller: &Caller,
    model: Option<&ModelName>,
) -> Result<Routed, Denial> {
    let head = session.req_header();
    let asked = route::Asked {
        caller,
        model: model.map(ModelName::as_str),
        path: head.uri.path(),
        headers: &head.headers,
    };
    route::route(&asked, policy, gateway.tick())
}

/// The times of the provider that is called first.
fn first_timeouts(routed: &Routed, policy: &Policy) -> Result<ProviderTimeouts, Denial> {
    let provider = routed.first(policy);
    let timeouts = provider.map(|provider| provider.timeouts);
    timeouts.ok_or(Denial::NoHealthyProvider)
}

/// The head's shape, as it came.
fn check_head(session: &Session, policy: &Policy) -> Result<(), Denial> {
    let raw = session
        .as_downstream()
        .as_http1()
        .map(HttpSession::get_headers_raw_bytes);
    head::check(session.req_header(), raw.as_deref(), &policy.head)
}

/// The listener that the request came in by.
fn listener<'a>(session: &Session, policy: &'a Policy) -> Option<&'a Listener> {
    let local = *session.server_addr()?.as_inet()?;
    policy.listeners.iter().find(|one| one.takes(local))
}

pub(super) fn peer_address(session: &Session) -> Option<IpAddr> {
    session
        .client_addr()
        .and_then(|address| address.as_inet())
        .map(SocketAddr::ip)
}

/// Who is calling, noted in the record whatever comes of it. To strangers `/internal/` is not
/// there, with any key and with none; all else that is not there needs a key first, so that a
/// caller without one learns nothing. A blocked address is sent away before its credential is
/// looked at; only who may operate the gateway still reaches `/internal/`, to lift the block.
fn identified(
    gateway: &Gateway,
    session: &Session,
    flight: &mut Flight,
    (policy, now): (&Policy, u64),
) -> Result<(Caller, limits::Arrived, bool), Denial> {
    let peer = peer_address(session).ok_or(Denial::Internal)?;
    let headers = &session.req_header().headers;
    let address = source::client(peer, headers, &policy.trusted_proxies);
    flight.record.client_ip = Some(address);
    let internal = flight.record.endpoint == Endpoint::Internal;
    if internal && !source::within(&policy.auth.internal_allow, address) {
        return Err(Denial::NotFound);
    }
    let arrived = limits::peek(gateway, flight, policy, address)?;
    let tls = session
        .digest()
        .and_then(|digest| digest.ssl_digest.as_ref());
    let certificate = tls.map_or(&[][..], |tls| tls.cert_digest.as_slice());
    let from = (address, certificate);
    let caller = identify::identify(headers, from, &policy.auth, now).inspect_err(|denial| {
        limits::charge_attempt(gateway, policy, arrived);
        guesses::note(gateway, policy, address, denial);
    })?;
    flight.record.key_id = caller.key_id().cloned();
    flight.record.role = Some(caller.role());
    let trusted = source::within(&policy.trusted_proxies, peer);
    Ok((caller, arrived, trusted))
}

//! What becomes of requests that fail: refused, unanswered, cut, abandoned.
//!
//! Decides which refusal stands for an error of Pingora's, and how the record says it ended. An
//! answer that has begun is never finished in the provider's name: the connection is closed or the
//! stream reset, so that the client can tell.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::{FailToProxy, Session};
use pingora::{Error, ErrorSource, ErrorType, Result};

use super::ctx::{Call, Flight, RequestCtx, Stage};
use super::{Gateway, attempt, cors, findings, guard, headers, limits, reply};
use crate::identify::credential;
use crate::policy::Denial;
use crate::record::Outcome;
use crate::record::event::{KeyPrefix, SecurityEvent};

const PROVIDER: HeaderName = HeaderName::from_static("x-portcullis-provider");

/// Refuses a request before a provider has been chosen.
///
/// # Errors
/// The client can't be written to.
pub(crate) async fn refuse(
    gateway: &Gateway,
    session: &mut Session,
    flight: &mut Flight,
    denial: &Denial,
) -> Result<()> {
    flight.stage = Stage::Answered;
    flight.record.refused(denial);
    report(gateway, session, flight, denial);
    limits::violated(gateway, session, flight, denial);
    let endpoint = flight.record.endpoint;
    let told = limits::standing(flight, Some(denial));
    let (policy, id) = (&flight.snapshot.policy, &flight.record.request_id);
    reply::deny(session, policy, id, endpoint, (denial, told, None)).await
}

/// Writes down a refusal that is a security event.
fn report(gateway: &Gateway, session: &Session, flight: &Flight, denial: &Denial) {
    let headers = &session.req_header().headers;
    let agent = findings::user_agent(session);
    let prefix =
        credential::shown(headers, &flight.snapshot.policy.auth.headers).map(KeyPrefix::of);
    if let Some(event) = SecurityEvent::of_denial(denial, &flight.record, agent, prefix.as_ref()) {
        gateway.desk.lines.security(&event);
    }
}

/// Refuses an answer that must not be passed on: one that tells of the provider's account with
/// us, or of the provider itself, and one whose bytes we could not read. The caller's own faults
/// (400, 404, 413, 422 …) pass, in the provider's words.
///
/// # Errors
/// The answer is refused; why, is in the call.
pub(crate) fn screen(head: &ResponseHeader, call: &mut Call) -> Result<()> {
    let denial = match head.status.as_u16() {
        429 => Denial::ProviderRateLimited(attempt::retry_after(head)),
        status @ 500.. => Denial::ProviderFailed {
            status,
            retry_after: attempt::retry_after(head),
        },
        // Our key, our bill, or a way to somewhere else: none of the caller's business.
        300..=399 | 401..=403 | 407 => Denial::UpstreamError,
        _ if is_encoded(head) => Denial::UpstreamError,
        _ => return Ok(()),
    };
    let status = denial.face().status;
    let cause = format!("the provider answered {}", head.status.as_u16());
    call.denial = Some(denial);
    Err(Error::explain(ErrorType::HTTPStatus(status), cause).into_up())
}

/// The provider was asked for an answer as it is, and for no other.
fn is_encoded(head: &ResponseHeader) -> bool {
    let coding = head.headers.get(header::CONTENT_ENCODING);
    coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Makes a provider's head ours: nothing of what it is made of, everything that we promise.
///
/// # Errors
/// A value that is no header value; all of them come checked, so none.
pub(crate) fn clean(
    head: &mut ResponseHeader,
    asked: &RequestHeader,
    flight: &Flight,
) -> Result<()> {
    let policy = &flight.snapshot.policy;
    // A new map of the right size: adding to theirs would grow it twice, and keep a second map of
    // how each name was spelled.
    let room = head
        .headers
        .len()
        .saturating_add(policy.security_headers.len());
    let mut fields = HeaderMap::with_capacity(room.saturating_add(4));
    for (name, value) in &head.headers {
        if !headers::stops_downstream(name) {
            fields.append(name.clone(), value.clone());
        }
    }
    reply::dress(&mut fields, policy, &flight.record.request_id)?;
    cors::dress(&mut fields, &policy.cors, &asked.headers);
    if let Some(provider) = &flight.record.provider {
        fields.insert(PROVIDER, reply::own_value(provider.as_str())?);
    }
    limits::tell(&mut fields, limits::standing(flight, None));
    fields.insert(reply::ATTEMPTS, HeaderValue::from(flight.record.attempts));
    reply::refill(head, fields);
    Ok(())
}

/// Answers a request that failed, as far as it can still be answered.
pub(crate) async fn answer(
    gateway: &Gateway,
    session: &mut Session,
    error: &Error,
    ctx: &mut RequestCtx,
) -> FailToProxy {
    let silent = FailToProxy {
        error_code: 0,
        can_reuse_downstream: false,
    };
    let Some(flight) = &mut ctx.flight else {
        return silent;
    };
    let mut refusal = None;
    if let Some(call) = flight.call() {
        refusal = Some(call.denial.get_or_insert_with(|| denial(error)).clone());
        let handle = Arc::clone(&call.handle);
        guard::give_back(session, &handle).await;
    }
    session.set_keepalive(None);
    let denial = refusal.unwrap_or_else(|| denial(error));
    let client_is_gone = is_client_gone(error);
    if !client_is_gone {
        let id = &flight.record.request_id;
        log::warn!("request {id} failed: {}", told(error));
    }
    if client_is_gone || session.as_downstream().response_written().is_some() {
        return silent;
    }
    let status = denial.face().status;
    flight.record.refused(&denial);
    if !denial.is_upstream() {
        report(gateway, session, flight, &denial);
        limits::violated(gateway, session, flight, &denial);
    }
    let endpoint = flight.record.endpoint;
    let standing = limits::standing(flight, Some(&denial));
    let attempts = flight.call().is_some().then_some(flight.record.attempts);
    let told = (&denial, standing, attempts);
    let (policy, id) = (&flight.snapshot.policy, &flight.record.request_id);
    if let Err(error) = reply::deny(session, policy, id, endpoint, told).await {
        log::debug!("request {id}: the refusal can't be sent: {error}");
    }
    FailToProxy {
        error_code: status,
        can_reuse_downstream: false,
    }
}

/// What may be told of an error. Its full text may quote what a provider sent, so only its kind
/// is, with the system's words, or our own where the error is of our making.
fn told(error: &Error) -> String {
    let (source, kind) = (error.esource().as_str(), error.etype().as_str());
    if let (ErrorType::HTTPStatus(_), Some(words)) = (error.etype(), &error.context) {
        return format!("{source} {kind}: {}", words.as_str());
    }
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        if let Some(system) = deeper.downcast_ref::<std::io::Error>() {
            return format!("{source} {kind}: {}", system.kind());
        }
        cause = deeper.source();
    }
    format!("{source} {kind}")
}

/// The refusal that stands for an error.
fn denial(error: &Error) -> Denial {
    let timed_out = matches!(
        error.etype(),
        ErrorType::ConnectTimedout
            | ErrorType::TLSHandshakeTimedout
            | ErrorType::ReadTimedout
            | ErrorType::WriteTimedout
    );
    match (error.etype(), error.esource()) {
        (ErrorType::HTTPStatus(408), _) => Denial::RequestTimeout,
        (ErrorType::HTTPStatus(502), _) => Denial::UpstreamError,
        (ErrorType::HTTPStatus(503), _) => Denial::NoHealthyProvider,
        (ErrorType::HTTPStatus(504), _) => Denial::UpstreamTimeout,
        (_, ErrorSource::Upstream) if timed_out => Denial::UpstreamTimeout,
        (_, ErrorSource::Upstream) => Denial::UpstreamError,
        (_, ErrorSource::Downstream) if timed_out => Denial::RequestTimeout,
        (_, ErrorSource::Downstream) => Denial::InvalidRequest {
            param: None,
            problem: "The request could not be read.".to_owned(),
        },
        (_, ErrorSource::Internal | ErrorSource::Unset) => Denial::Internal,
    }
}

/// Whether an error is of the client's making: it left, or sent what it must not.
pub(crate) fn is_the_clients(error: &Error) -> bool {
    let timed_out = matches!(error.etype(), ErrorType::HTTPStatus(504));
    *error.esource() == ErrorSource::Downstream && !timed_out
}

/// Whether there is nobody left to answer.
fn is_client_gone(error: &Error) -> bool {
    *error.esource() == ErrorSource::Downstream
        && matches!(
            error.etype(),
            ErrorType::ConnectionClosed
                | ErrorType::ReadError
                | ErrorType::WriteError
                | ErrorType::WriteTimedout
                | ErrorType::H2Error
        )
}

/// How the request ended.
pub(crate) fn outcome(flight: &mut Flight, error: Option<&Error>) -> Outcome {
    let refused = flight.record.refusal.is_some();
    let Some(error) = error else {
        // Of a refused request, the record has been told how it ended.
        return Outcome::Completed;
    };
    if is_client_gone(error) {
        return Outcome::ClientGone;
    }
    let upstream = flight
        .call()
        .map(|call| call.denial.as_ref().is_some_and(Denial::is_upstream));
    match (upstream, refused) {
        (Some(true), true) => Outcome::UpstreamFailed,
        (Some(false) | None, true) => Outcome::Denied,
        (Some(_), false) => Outcome::Cut,
        (None, false) => Outcome::Abandoned,
    }
}

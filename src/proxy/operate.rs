//! Questions to the control plane, from the session to a handler and back.
//!
//! Decides nothing: which row is asked for, who may and what a field means are `internal`'s. It
//! reads the body under its size limit and the limit on pauses, and no further.

use bytes::{Bytes, BytesMut};
use http::{Method, header};
use pingora::proxy::Session;

use super::ctx::Flight;
use super::receive::Stop;
use super::reply::Answer;
use super::{Gateway, findings, reading, receive, reply};
use crate::admit::size::{self, Media};
use crate::identify::{Caller, source};
use crate::internal::ask::{Actor, Ask, Fields};
use crate::internal::pages;
use crate::internal::routes::{self, Work};
use crate::policy::{Denial, Policy};
use crate::runtime::clock;

/// A page for people, as a browser opens it: without a key, which it can't send then, and for
/// HTML. It holds nothing that a key would be needed for, and to strangers it is not there.
pub(crate) fn page(session: &Session, flight: &mut Flight, policy: &Policy) -> Option<Answer> {
    let head = session.req_header();
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let accepted = head.headers.get(header::ACCEPT)?.to_str().ok()?;
    let carriers = &policy.auth.headers;
    if !accepted.contains("text/html")
        || carriers.iter().any(|name| head.headers.contains_key(name))
    {
        return None;
    }
    let peer = receive::peer_address(session)?;
    let address = source::client(peer, &head.headers, &policy.trusted_proxies);
    if !source::within(&policy.auth.internal_allow, address) {
        return None;
    }
    let answer = pages::shell(policy, head.uri.path())?;
    flight.record.client_ip = Some(address);
    Some(answer)
}

/// Answers a question to the control plane.
///
/// # Errors
/// It is refused, or the client goes.
pub(crate) async fn answer(
    gateway: &Gateway,
    session: &mut Session,
    flight: &mut Flight,
    caller: &Caller,
) -> Result<Answer, Stop> {
    let head = session.req_header();
    let path: Box<str> = head.uri.path().into();
    let row = routes::find(&head.method, &path)?;
    routes::permit(row, caller.role())?;
    let snapshot = flight.snapshot.clone();
    let body = body(gateway, session, flight, &snapshot.policy).await?;
    let fields = Fields::read(&body)?;
    let ask = Ask {
        control: gateway.control.clone(),
        snapshot,
        actor: Actor {
            id: caller.id().into(),
            address: caller.address(),
            agent: findings::user_agent(session).into(),
        },
        request_id: flight.record.request_id.clone(),
        path,
        pattern: row.path,
        now: clock::wall(),
        moment: clock::moment(),
    };
    match row.work {
        Work::Quick(handler) => handler(&ask, fields).map_err(Stop::Denied),
        Work::Slow(handler) => tokio::task::spawn_blocking(move || handler(&ask, fields))
            .await
            .unwrap_or(Err(Denial::Internal))
            .map_err(Stop::Denied),
    }
}

/// Reads the body: JSON or nothing.
async fn body(
    gateway: &Gateway,
    session: &mut Session,
    flight: &mut Flight,
    policy: &Policy,
) -> Result<Bytes, Stop> {
    let head = session.req_header();
    let kind = head.headers.get(header::CONTENT_TYPE);
    let media = Media::of(kind.map(http::HeaderValue::as_bytes));
    let limit = size::limit(&policy.sizes, head.uri.path(), Media::Json);
    if reply::announced(session).is_some_and(|length| length > limit) {
        return Err(Denial::RequestTooLarge(limit).into());
    }
    if session.as_downstream_mut().is_body_empty() {
        return Ok(Bytes::new());
    }
    match media {
        Media::Json | Media::Missing => {}
        Media::Form | Media::Multipart | Media::Other => {
            return Err(Denial::UnsupportedMediaType("application/json in UTF-8").into());
        }
    }
    reading::go_on(session).await?;
    let mut share = gateway.budget().share();
    let mut body = BytesMut::new();
    let idle = policy.timeouts.body_idle.get();
    loop {
        let reading = session.as_downstream_mut().read_request_body();
        let piece = pingora::time::timeout(idle, reading).await;
        let piece = piece.map_err(|_elapsed| Denial::RequestTimeout)?;
        let Some(piece) = piece.map_err(|error| Stop::Broken(error.into_down()))? else {
            return Ok(body.freeze());
        };
        share
            .grow(piece.len())
            .map_err(|_exhausted| Denial::Overloaded)?;
        body.extend_from_slice(&piece);
        let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
        flight.record.request_bytes = length;
        if length > limit {
            return Err(Denial::RequestTooLarge(limit).into());
        }
    }
}

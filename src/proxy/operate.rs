//! Questions to the control plane, from the session to a handler and back.
//!
//! Decides nothing: which row is asked for, who may and what a field means are `internal`'s. It
//! reads the body under its size limit and the limit on pauses, and no further.

use bytes::{Bytes, BytesMut};
use http::header;
use pingora::proxy::Session;

use super::ctx::Flight;
use super::receive::Stop;
use super::reply::Answer;
use super::{Gateway, findings, reading, reply};
use crate::admit::size::{self, Media};
use crate::identify::Caller;
use crate::internal::ask::{Actor, Ask, Fields};
use crate::internal::routes::{self, Work};
use crate::policy::{Denial, Policy};
use crate::runtime::clock;

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

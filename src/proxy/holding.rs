//! Reads a body and judges it as it arrives, before a provider is connected to.
//!
//! Decides when to stop: at a refusal, at the size limit, at a pause that is too long, when the
//! process's budget of bytes is used up; or, with an upload, when enough of it has been held.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use pingora::proxy::Session;

use super::ctx::{Flight, Held};
use super::reading::{Plan, valid};
use super::receive::Stop;
use super::{Gateway, findings, reply};
use crate::admit::budget::Share;
use crate::admit::slow;
use crate::inspect::engine::{BodyInspection, BodyKind};
use crate::inspect::rewrite;
use crate::inspect::validate::Checker;
use crate::policy::Denial;
use crate::runtime::clock;

/// What was read.
pub(super) enum Read {
    /// All of it, and it may go on.
    Whole(Held),
    /// As much as is held of an upload.
    Begun(Box<Begun>),
}

/// A body of which the rest is judged on its way.
pub(super) struct Begun {
    /// What was read, and was judged as far as it could be.
    pub(super) bytes: Bytes,
    pub(super) share: Share,
    pub(super) reading: (BodyInspection, Checker),
    /// The model, if it has been named.
    pub(super) model: Option<String>,
}

/// Reads the body.
///
/// # Errors
/// What the body says or how it comes is refused.
pub(super) async fn hold(
    plan: &Plan,
    gateway: &Gateway,
    session: &mut Session,
    flight: &mut Flight,
    any: bool,
) -> Result<Read, Stop> {
    let snapshot = flight.snapshot.clone();
    let inspector = &snapshot.policy.inspector;
    let mut reading = plan.reading(&snapshot.policy, flight.record.endpoint);
    let filled = fill(plan, gateway, session, flight, &mut reading, any).await;
    let (inspection, mut checker) = reading;
    let Filled {
        whole,
        share,
        begun,
    } = match filled {
        Ok(filled) => filled,
        Err(stop) => {
            // Refused, cut off or given up: what was read until then is on record.
            findings::note(gateway, session, flight, &inspection.report(inspector));
            return Err(stop);
        }
    };
    if let Some(Known { model }) = begun {
        return Ok(Read::Begun(Box::new(Begun {
            bytes: whole.into_bytes(),
            share,
            reading: (inspection, checker),
            model,
        })));
    }
    let (report, outcome) = match inspection.finish(inspector, &mut checker) {
        Ok(cleared) => {
            let (report, edits, facts) = cleared.into_parts();
            (report, Ok((edits, facts)))
        }
        Err((stop, report)) => (report, Err(stop)),
    };
    findings::note(gateway, session, flight, &report);
    let (edits, facts) = outcome.map_err(Denial::from)?;
    if plan.kind == BodyKind::Json {
        valid(&checker)?;
    }
    let mut bytes = whole.into_bytes();
    if !edits.is_empty() {
        bytes = rewrite::apply(&bytes, &edits).into();
    }
    Ok(Read::Whole(Held {
        bytes,
        share,
        facts,
    }))
}

/// A body as far as it is held.
struct Filled {
    whole: Pieces,
    share: Share,
    /// The rest of it may be judged on its way.
    begun: Option<Known>,
}

/// What an upload has said before it goes on.
struct Known {
    model: Option<String>,
}

/// Takes pieces in until the end, or until an upload may go on.
async fn fill(
    plan: &Plan,
    gateway: &Gateway,
    session: &mut Session,
    flight: &mut Flight,
    (inspection, checker): &mut (BodyInspection, Checker),
    any: bool,
) -> Result<Filled, Stop> {
    let snapshot = flight.snapshot.clone();
    let inspector = &snapshot.policy.inspector;
    let mut whole = Pieces::new(reply::announced(session).unwrap_or(0).min(plan.limit));
    let mut share = gateway.budget().share();
    let (mut begun, mut began) = (None, None);
    // A body that is there is not asked for another piece.
    while !session.as_downstream_mut().is_body_done()
        && let Some(piece) = next(session, flight, &mut began).await?
    {
        share
            .grow(piece.len())
            .map_err(|_exhausted| Denial::Overloaded)?;
        whole.push(piece);
        flight.record.request_bytes = whole.len();
        if whole.len() > plan.limit {
            return Err(Denial::RequestTooLarge(plan.limit).into());
        }
        inspection
            .push(inspector, whole.newest(), checker)
            .map_err(Denial::from)?;
        if plan.kind == BodyKind::Json {
            continue;
        }
        let model = inspection.model().map_err(Denial::from)?.map(str::to_owned);
        if plan.may_pass(whole.len(), any || model.is_some())
            && !session.as_downstream_mut().is_body_done()
        {
            begun = Some(Known { model });
            break;
        }
    }
    Ok(Filled {
        whole,
        share,
        begun,
    })
}

/// The next piece of a body; none at the end. `began`: when it was first waited for.
async fn next(
    session: &mut Session,
    flight: &mut Flight,
    began: &mut Option<Instant>,
) -> Result<Option<Bytes>, Stop> {
    let mut reading = pin!(session.as_downstream_mut().read_request_body());
    // What has come with the head costs no look at the clock, and no timer.
    let there = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await;
    if let Poll::Ready(piece) = there {
        return piece.map_err(|e| Stop::Broken(e.into_down()));
    }
    let timeouts = &flight.snapshot.policy.timeouts;
    let asked = clock::now();
    let taken = asked.saturating_duration_since(*began.get_or_insert(asked));
    let wait = slow::wait(timeouts, flight.record.request_bytes, taken);
    let wait = wait.ok_or(Denial::RequestTimeout)?;
    let piece = pingora::time::timeout(wait, reading).await;
    flight
        .clock
        .waited(clock::now().saturating_duration_since(asked));
    let piece = piece.map_err(|_elapsed| Denial::RequestTimeout)?;
    piece.map_err(|e| Stop::Broken(e.into_down()))
}

/// A body's pieces: one is kept as it came, more are joined as they come.
struct Pieces {
    first: Bytes,
    joined: BytesMut,
    newest_at: usize,
    expected: u64,
}

impl Pieces {
    fn new(expected: u64) -> Self {
        Self {
            first: Bytes::new(),
            joined: BytesMut::new(),
            newest_at: 0,
            expected,
        }
    }

    fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() && self.joined.is_empty() {
            self.first = piece;
            return;
        }
        if self.joined.is_empty() {
            let together = self.first.len().saturating_add(piece.len());
            self.joined
                .reserve(together.max(usize::try_from(self.expected).unwrap_or(0)));
            self.joined
                .extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.newest_at = self.joined.len();
        self.joined.extend_from_slice(&piece);
    }

    fn newest(&self) -> &[u8] {
        if self.joined.is_empty() {
            return &self.first;
        }
        self.joined.get(self.newest_at..).unwrap_or_default()
    }

    fn len(&self) -> u64 {
        u64::try_from(self.first.len().max(self.joined.len())).unwrap_or(u64::MAX)
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() {
            self.first
        } else {
            self.joined.freeze()
        }
    }
}

//! One attempt at a provider: how far it came, what it says of its endpoint, what follows.
//!
//! Decides nothing by itself: it tells `route::attempts` how far an attempt came, in the classes
//! of its table, and does what that says. What Pingora would retry of its own accord is overridden.

use std::time::Duration;

use http::Method;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorSource, ErrorType};

use super::Snapshot;
use super::ctx::{Body, Call, Flight};
use super::{failure, tracing};
use crate::policy::{Denial, Provider};
use crate::provider::retry_after;
use crate::record::{Failed, Record};
use crate::route::Target;
use crate::route::attempts::{Circumstances, Class, Ground};
use crate::route::live::{Ticket, Verdict};
use crate::runtime::clock;
use crate::runtime::turnstile::{Pass, Tokens};

/// An attempt under way.
pub(crate) struct Attempt {
    pub(crate) target: Target,
    /// Which of the provider's keys is used.
    pub(crate) key: usize,
    ticket: Ticket,
    pass: Pass,
    progress: Progress,
    began: Duration,
    /// What the provider answered.
    status: Option<u16>,
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// A connection is being made.
    Connecting,
    /// It is there.
    Connected,
    /// The head is being sent.
    Head,
    /// The body is being sent.
    Body,
    /// The request's last byte is being sent.
    Whole,
}

/// When a provider that is at its limit did not say when to come back.
const LIMITED_FOR: Duration = Duration::from_secs(1);

impl Attempt {
    pub(crate) const fn new(target: Target, key: usize, ticket: Ticket, pass: Pass) -> Self {
        Self {
            target,
            key,
            ticket,
            pass,
            progress: Progress::Connecting,
            began: Duration::ZERO,
            status: None,
        }
    }

    /// It has come so far.
    pub(crate) fn reached(&mut self, progress: Progress) {
        if progress == Progress::Head {
            self.began = clock::uptime();
        }
        if progress == Progress::Whole {
            self.pass.sent();
        }
        self.progress = progress;
    }

    /// The class of its failure, where it is the provider's.
    fn class(&self, bodyless: bool, error: &Error) -> Class {
        if let Some(status) = self.status.filter(|status| *status >= 400) {
            return Class::Status(status);
        }
        // The system did not take all of the body, so that no provider can have it.
        let unsent = *error.esource() == ErrorSource::Upstream
            && matches!(
                error.etype(),
                ErrorType::WriteError | ErrorType::WriteTimedout
            );
        if self.status.is_none() && is_untouched(error) {
            return Class::NotProcessed;
        }
        match self.progress {
            Progress::Connecting => Class::NotConnected,
            Progress::Connected => Class::NothingSent,
            Progress::Head if !bodyless => Class::HeadSent,
            Progress::Body => Class::BodyIncomplete,
            Progress::Whole if unsent => Class::BodyIncomplete,
            Progress::Head | Progress::Whole => Class::NoAnswer,
        }
    }
}

/// Whether an HTTP/2 provider has said that it did nothing of a call (RFC 9113, 6.8 and 8.7): it
/// refused the stream, or went away and left it out. A stream that it does not leave out is ended
/// by other errors.
fn is_untouched(error: &Error) -> bool {
    let said = error.root_cause().downcast_ref::<h2::Error>();
    said.is_some_and(|said| {
        let refused = said.is_reset() && said.reason() == Some(h2::Reason::REFUSED_STREAM);
        said.is_remote() && (refused || said.is_go_away())
    })
}

/// What a step along a request's route is taken on.
pub(crate) fn ground<'a>(call: &Call, snapshot: &'a Snapshot) -> Option<Ground<'a>> {
    ground_at(call, snapshot, clock::uptime())
}

/// The same at a time that was read before.
pub(crate) fn ground_at<'a>(
    call: &Call,
    snapshot: &'a Snapshot,
    now: Duration,
) -> Option<Ground<'a>> {
    Some(Ground {
        policy: &snapshot.policy,
        route: call.routed.route(&snapshot.policy)?,
        view: &snapshot.view,
        now,
    })
}

/// Notes a provider's answer: what it says of the endpoint, and of the key.
pub(crate) fn answered(call: &mut Call, snapshot: &Snapshot, head: &ResponseHeader, now: Duration) {
    let Some(attempt) = &mut call.attempt else {
        return;
    };
    let status = head.status.as_u16();
    attempt.status = Some(status);
    match status {
        429 => {
            let wait = retry_after(head).unwrap_or(LIMITED_FOR);
            let live = snapshot.view.provider(attempt.target.provider);
            if let Some(live) = live {
                live.spend(attempt.key, wait, now);
            }
            if !live.is_some_and(|live| live.has_fresh_key(now)) {
                attempt.ticket.rest(wait, now);
            }
        }
        500.. => {
            attempt.ticket.settle(Verdict::Bad, now);
            if let Some(wait) = retry_after(head) {
                attempt.ticket.rest(wait, now);
            }
        }
        _ => {
            let took = now.saturating_sub(attempt.began);
            attempt.ticket.settle(Verdict::Good(took), now);
        }
    }
}

/// The longest wait that is passed on to a client.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// When a provider says to come back.
pub(crate) fn retry_after(head: &ResponseHeader) -> Option<Duration> {
    let wait = retry_after::of(&head.headers, clock::wall());
    wait.map(|wait| wait.min(LONGEST_WAIT))
}

/// What follows a failed attempt: whether there is another one, which is then planned.
pub(crate) fn failed(flight: &mut Flight, session: &Session, error: &Error) -> bool {
    let (record, snapshot) = (&mut flight.record, &flight.snapshot);
    let super::ctx::Stage::Call(call) = &mut flight.stage else {
        return false;
    };
    let ours = call
        .denial
        .as_ref()
        .is_some_and(|denial| !denial.is_upstream());
    if ours || failure::is_the_clients(error) {
        call.attempt = None;
        return false;
    }
    let Some(mut attempt) = call.attempt.take() else {
        return false;
    };
    let bodyless = matches!(call.body, Body::Held { len: 0, .. });
    let begun = session.as_downstream().response_written().is_some();
    let class = if begun {
        Class::Begun
    } else {
        attempt.class(bodyless, error)
    };
    if attempt.status.is_none_or(|status| status < 400) {
        attempt.ticket.settle(Verdict::Bad, clock::uptime());
    }
    let provider = snapshot.policy.providers.get(attempt.target.provider);
    let provider = provider.map(|provider| &**provider);
    note(record, provider, attempt.target, class);
    tracing::failed(record, class.as_str(), attempt.status);
    let about = Circumstances {
        replayable: matches!(call.body, Body::Held { .. }),
        idempotent: matches!(session.req_header().method, Method::GET | Method::HEAD),
        retry_unsafe: provider.is_some_and(|provider| provider.retry_unsafe),
    };
    if !matches!(class, Class::NoAnswer | Class::Begun)
        && let Some(tokens) = attempt.pass.tokens()
    {
        tokens.settle(0);
    }
    // The call that failed is over before its successor is chosen.
    drop(attempt);
    let Some(ground) = ground(call, snapshot) else {
        return false;
    };
    call.planned = call.attempts.after(class, about, ground);
    if call.planned.is_some() {
        call.denial = None;
        flight.clock.call_goes_on();
    }
    call.planned.is_some()
}

fn note(record: &mut Record, provider: Option<&Provider>, target: Target, class: Class) {
    let Some(provider) = provider else { return };
    let endpoint = provider.endpoints.get(target.endpoint);
    record.failed.push(Failed {
        provider: provider.name.clone(),
        endpoint: endpoint.map_or("", |one| one.label()).into(),
        class: class.as_str(),
    });
}

/// Whether an answer that has begun came to its end; one that did not says something too. What
/// was set aside of the provider's tokens is handed on, to be settled.
pub(crate) fn ended(call: &mut Call, error: Option<&Error>) -> Option<Tokens> {
    let mut attempt = call.attempt.take()?;
    if let Some(error) = error
        && !failure::is_the_clients(error)
        && call.denial.as_ref().is_none_or(Denial::is_upstream)
    {
        attempt.ticket.settle(Verdict::Bad, clock::uptime());
    }
    attempt.pass.tokens()
}

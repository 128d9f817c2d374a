//! What is known of one request, from its first hook to its last.
//!
//! Decides how the request ended, for its record. A request is somewhere between arrival and a
//! call to a provider; where it is, is one enum, so that no hook finds half of what it needs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Snapshot;
use super::answers::Reading;
use super::attempt::Attempt;
use super::guard::Handle;
use super::tail::HeldTail;
use crate::admit::admission::Admitted;
use crate::admit::budget::Share;
use crate::inspect::engine::BodyInspection;
use crate::inspect::fault::FieldFault;
use crate::inspect::peek::Facts;
use crate::inspect::validate::Checker;
use crate::policy::Denial;
use crate::provider::translate::Wanted;
use crate::record::{Outcome, Record, Times};
use crate::route::attempts::Attempts;
use crate::route::{Routed, Target};

/// The context that Pingora keeps for a request.
#[derive(Default)]
pub struct RequestCtx {
    /// None before the first hook, and after the last.
    pub(crate) flight: Option<Box<Flight>>,
}

/// A request under way.
pub(crate) struct Flight {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) record: Record,
    pub(crate) clock: Marks,
    pub(crate) stage: Stage,
    /// Proof that the request is within its limits, and its place among those in flight.
    pub(crate) admitted: Option<Admitted>,
    /// Model tokens that the answer may take, as the request says.
    pub(crate) most_tokens: Option<u64>,
}

/// How far a request has come.
pub(crate) enum Stage {
    /// Nothing has been decided.
    Arrived,
    /// It is answered here, or refused.
    Answered,
    /// It goes to a provider.
    Call(Box<Call>),
}

/// A request on its way to a provider.
pub(crate) struct Call {
    pub(crate) routed: Routed,
    pub(crate) body: Body,
    pub(crate) handle: Arc<Handle>,
    /// The way along the route.
    pub(crate) attempts: Attempts,
    /// Where the next attempt goes, where that is known already.
    pub(crate) planned: Option<Target>,
    /// The attempt under way.
    pub(crate) attempt: Option<Attempt>,
    /// Whether the peer is a proxy that may say who the client is.
    pub(crate) peer_is_trusted: bool,
    /// Why the body hook ended the request.
    pub(crate) denial: Option<Denial>,
    /// What the answer must be turned into, where the attempt is made in another API's words.
    pub(crate) wanted: Option<Wanted>,
    /// How the answer is read, once its head is there.
    pub(crate) reading: Option<Reading>,
    /// The provider was asked for what a stream used, and the client did not ask.
    pub(crate) usage_added: bool,
}

/// The request's body on its way.
pub(crate) enum Body {
    /// Judged whole; its bytes count against the budget until the answer begins.
    Held {
        /// How many bytes there are.
        len: usize,
        /// As they were judged; what is sent may be in another provider's words.
        bytes: Bytes,
        /// Whether they ask for a stream.
        streamed: bool,
        /// Their share of the budget, while they are kept.
        share: Option<Share>,
    },
    /// Judged on its way, the newest piece held back.
    Passing(Box<Passing>),
}

impl Body {
    /// The client has the beginning of an answer, so that there is no other attempt: the bytes
    /// are not kept for one while the answer goes on.
    pub(crate) fn forget(&mut self) {
        if let Self::Held { bytes, share, .. } = self
            && share.take().is_some()
        {
            *bytes = Bytes::new();
        }
    }
}

/// A body that is judged on its way.
pub(crate) struct Passing {
    pub(crate) tail: HeldTail,
    /// What is heard of it, to its end or to a refusal.
    pub(crate) reading: Option<(BodyInspection, Checker)>,
    /// Whether it must name a model.
    pub(crate) model_needed: bool,
    /// Whether it may be written differently, so that its length is not known.
    pub(crate) rewrites: bool,
}

/// A body that was read whole, and what it says.
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share,
    pub(crate) facts: Result<Facts, FieldFault>,
}

/// Moments of a request.
pub(crate) struct Marks {
    started: Instant,
    waited_for_client: Duration,
    call_began: Option<Instant>,
    first_byte: Option<Instant>,
    call_ended: Option<Instant>,
}

impl Marks {
    pub(crate) const fn new(started: Instant) -> Self {
        Self {
            started,
            waited_for_client: Duration::ZERO,
            call_began: None,
            first_byte: None,
            call_ended: None,
        }
    }

    /// When the request began.
    pub(crate) const fn started(&self) -> Instant {
        self.started
    }

    /// When the answer began, if it has.
    pub(crate) const fn answered(&self) -> Option<Instant> {
        self.first_byte
    }

    pub(crate) fn waited(&mut self, wait: Duration) {
        self.waited_for_client = self.waited_for_client.saturating_add(wait);
    }

    pub(crate) fn call_begins(&mut self, now: Instant) {
        self.call_began.get_or_insert(now);
    }

    /// An attempt has failed, and there is another one.
    pub(crate) fn call_goes_on(&mut self) {
        self.first_byte = None;
        self.call_ended = None;
    }

    pub(crate) fn first_byte(&mut self, now: Instant) {
        self.first_byte.get_or_insert(now);
    }

    pub(crate) fn call_ends(&mut self, now: Instant) {
        self.call_ended.get_or_insert(now);
    }

    /// The parts of the time that has passed. The gateway's own part is what is left when the
    /// waits for the client's body and for the provider are taken away.
    pub(crate) fn times(&self, now: Instant) -> Times {
        let duration = now.saturating_duration_since(self.started);
        let upstream = self.call_began.map(|began| {
            self.call_ended
                .unwrap_or(now)
                .saturating_duration_since(began)
        });
        let first_byte = self
            .call_began
            .zip(self.first_byte)
            .map(|(began, first)| first.saturating_duration_since(began));
        let overhead = duration
            .saturating_sub(self.waited_for_client)
            .saturating_sub(upstream.unwrap_or_default());
        Times {
            duration,
            overhead,
            first_byte,
            upstream,
        }
    }
}

impl Flight {
    /// Ends the request: one record, exactly once.
    pub(crate) fn land(self, outcome: Outcome, now: Instant) {
        let times = self.clock.times(now);
        self.record.finish(outcome, times);
    }

    /// The call that the request has become.
    pub(crate) fn call(&mut self) -> Option<&mut Call> {
        match &mut self.stage {
            Stage::Call(call) => Some(call),
            Stage::Arrived | Stage::Answered => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock;

    #[test]
    fn the_gateways_own_part_is_what_nobody_else_took() {
        let start = clock::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut marks = Marks::new(start);
        marks.waited(Duration::from_millis(10));
        marks.call_begins(at(15));
        marks.call_begins(at(20));
        marks.first_byte(at(45));
        marks.call_ends(at(95));
        let times = marks.times(at(100));
        assert_eq!(
            times.duration,
            Duration::from_millis(100),
            "from first to last"
        );
        assert_eq!(
            times.upstream,
            Some(Duration::from_millis(80)),
            "from the first attempt on"
        );
        assert_eq!(
            times.first_byte,
            Some(Duration::from_millis(30)),
            "to the first byte"
        );
        assert_eq!(
            times.overhead,
            Duration::from_millis(10),
            "100 less 10 less 80"
        );
    }
}

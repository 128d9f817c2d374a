//! How a guarded session waits and ends: what is held of an answer leaves in time, an operator's
//! order is obeyed though the provider be silent, and a stream that is cut ends as its API has it.
//!
//! Decides nothing about an answer; what is written comes from `answers`.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorSource, Result};

use super::{Guard, Passed, Source, client, ended};
use crate::policy::Denial;
use crate::runtime::clock;

/// How long an HTTP/2 connection is given to write the end of a stream that was cut.
const WRITTEN: Duration = Duration::from_millis(25);

/// What a guarded session waited for.
enum Woken {
    /// The client has sent something, or has gone.
    Client(Result<Option<Bytes>>),
    /// The stream is to end.
    Ordered,
    /// Nothing has come in time.
    Late,
}

/// What became of what was handed to the real session.
pub(super) struct Sent {
    /// The answer is over.
    pub(super) over: bool,
    /// The client took it without being waited for.
    pub(super) at_once: bool,
}

impl Guard {
    /// Hands the inspected tasks to the real session.
    pub(super) async fn send(&mut self, passed: Passed) -> Result<Sent> {
        let Passed { tasks, cut } = passed;
        let mut at_once = true;
        if cut {
            self.real.set_keepalive(None);
        }
        if tasks.is_empty() {
            return Ok(Sent { over: cut, at_once });
        }
        self.writing = true;
        let mut writing = pin!(self.real.response_duplex_vec(tasks));
        let written = poll_fn(|context| {
            let written = writing.as_mut().poll(context);
            at_once &= written.is_ready();
            written
        })
        .await;
        // A provider's failure comes back from there too, with nothing of it written: then there
        // may be another attempt.
        let failed = |error: &Error| *error.esource() != ErrorSource::Upstream;
        self.writing = written.as_ref().is_err_and(|error| failed(error));
        let over = written? || cut;
        Ok(Sent { over, at_once })
    }

    /// Waits for the client, while what is held of the answer leaves in time, and an order to end
    /// it is obeyed, though the provider be silent. `sent` says that the provider has the whole
    /// request and owes an answer.
    pub(super) async fn idle(&mut self, done: bool, sent: bool) -> Result<Option<Bytes>> {
        loop {
            let end = self.watch.end(sent, clock::now);
            let due = self.live.as_ref().and_then(|live| live.due());
            let until = due.map_or(end, |due| due.min(end));
            // What is waited for takes much more room than the wait, and nearly never comes.
            match self.wait(done, until).await {
                Woken::Client(piece) => return piece,
                Woken::Ordered => return Err(Box::pin(self.terminate()).await),
                Woken::Late if until < end => Box::pin(self.let_go()).await?,
                Woken::Late => return Err(Box::pin(self.too_late()).await),
            }
        }
    }

    /// What was held for as long as it may be leaves.
    async fn let_go(&mut self) -> Result<()> {
        let Some(live) = &mut self.live else {
            return Ok(());
        };
        let passed = live.tick(clock::now());
        if self.send(passed).await?.over {
            return Err(self.left(&Denial::UpstreamError).await);
        }
        Ok(())
    }

    /// A stream that has begun is ended as its API has it.
    async fn too_late(&mut self) -> Box<Error> {
        let begun = self.live.as_mut().filter(|live| live.order().is_some());
        let last = begun.map(|live| live.cut(Denial::UpstreamTimeout));
        match self.last(last).await {
            Ok(()) => self.left(&Denial::UpstreamTimeout).await,
            Err(error) => error,
        }
    }

    /// Waits for the client, for an order, and no longer than until then. It is begun and given
    /// up with every piece of an answer, and mostly finds nothing.
    async fn wait(&mut self, done: bool, until: Instant) -> Woken {
        if self.is_idle(done) {
            return poll_fn(|context| self.listen(until, context)).await;
        }
        self.asked = false;
        let Self {
            real,
            source,
            began,
            live,
            alarm,
            ..
        } = self;
        let order = live.as_ref().and_then(|live| live.order());
        let mut client = pin!(client::piece(real, source, *began, done));
        poll_fn(|context| {
            if order.is_some_and(|order| order.poll(context).is_ready()) {
                return Poll::Ready(Woken::Ordered);
            }
            if let Poll::Ready(piece) = client.as_mut().poll(context) {
                return Poll::Ready(Woken::Client(piece));
            }
            alarm.poll(until, context).map(|()| Woken::Late)
        })
        .await
    }

    /// Whether a connection is waited on that owes nothing, and is nobody's but this session's: of
    /// an HTTP/2 stream each write takes the place of whoever waits for its end.
    fn is_idle(&mut self, done: bool) -> bool {
        let read = done || matches!(self.source, Source::Held(_)) || self.real.is_body_done();
        read && self.real.as_http1().is_some()
    }

    /// Asks the client, the order and the clock, unless none can have anything new to say.
    fn listen(&mut self, until: Instant, context: &Context<'_>) -> Poll<Woken> {
        let Self {
            real,
            live,
            alarm,
            bell,
            asked,
            handle,
            ..
        } = self;
        let silent = !bell.has_rung(&handle.wire, context) && *asked;
        if silent && alarm.is_set_by(until) {
            return Poll::Pending;
        }
        *asked = false;
        let context = &mut Context::from_waker(bell.waker());
        let order = live.as_ref().and_then(|live| live.order());
        if order.is_some_and(|order| order.poll(context).is_ready()) {
            return Poll::Ready(Woken::Ordered);
        }
        // What it read is in the session: it can be given up and begun anew.
        if let Poll::Ready(piece) = pin!(real.read_body_or_idle(true)).poll(context) {
            return Poll::Ready(Woken::Client(piece));
        }
        let late = alarm.poll(until, context).map(|()| Woken::Late);
        *asked = late.is_pending();
        late
    }

    /// Ends the stream by an operator's order.
    async fn terminate(&mut self) -> Box<Error> {
        let last = self.live.as_mut().map(|live| live.cut(Denial::Terminated));
        match self.last(last).await {
            Ok(()) => self.left(&Denial::Terminated).await,
            Err(error) => error,
        }
    }

    /// The error by which the call ends whose answer has been ended in good order.
    pub(super) async fn left(&self, denial: &Denial) -> Box<Error> {
        if self.real.as_http2().is_some() {
            // The error resets the stream, and with it what its connection has not yet written.
            tokio::time::sleep(WRITTEN).await;
        }
        ended(denial)
    }

    async fn last(&mut self, last: Option<Bytes>) -> Result<()> {
        let Some(last) = last else {
            return Ok(());
        };
        let tasks = vec![HttpTask::Body(Some(last), true)];
        self.send(Passed { tasks, cut: true }).await.map(|_sent| ())
    }
}

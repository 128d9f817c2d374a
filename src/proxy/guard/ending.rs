//! How a guarded session waits and ends: what is held of an answer leaves in time, an operator's
//! order is obeyed though the provider be silent, and a stream that is cut ends as its API has it.
//!
//! Decides nothing about an answer; what is written comes from `answers`.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorSource, Result};

use super::{Guard, Passed, client, ended};
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

impl Guard {
    /// Hands the inspected tasks to the real session; whether the answer is over.
    pub(super) async fn send(&mut self, passed: Passed) -> Result<bool> {
        if passed.cut {
            self.real.set_keepalive(None);
        }
        if passed.tasks.is_empty() {
            return Ok(passed.cut);
        }
        self.writing = true;
        let written = self.real.response_duplex_vec(passed.tasks).await;
        // A provider's failure comes back from there too, with nothing of it written: then there
        // may be another attempt.
        let failed = |error: &Error| *error.esource() != ErrorSource::Upstream;
        self.writing = written.as_ref().is_err_and(|error| failed(error));
        Ok(written? || passed.cut)
    }

    /// Waits for the client, while what is held of the answer leaves in time, and an order to end
    /// it is obeyed, though the provider be silent. `sent` says that the provider has the whole
    /// request and owes an answer.
    pub(super) async fn idle(&mut self, done: bool, sent: bool) -> Result<Option<Bytes>> {
        loop {
            let now = clock::now();
            let end = self.watch.end(now, sent);
            let due = self.live.as_ref().and_then(|live| live.due());
            let until = due.map_or(end, |due| due.min(end));
            match self.wait(done, until).await {
                Woken::Client(piece) => return piece,
                Woken::Ordered => return Err(self.terminate().await),
                Woken::Late if until < end => {
                    let passed = match &mut self.live {
                        Some(live) => live.tick(clock::now()),
                        None => continue,
                    };
                    if self.send(passed).await? {
                        return Err(self.left(&Denial::UpstreamError).await);
                    }
                }
                Woken::Late => {
                    // A stream that has begun is ended as its API has it.
                    let begun = self.live.as_mut().filter(|live| live.order().is_some());
                    let last = begun.map(|live| live.cut(Denial::UpstreamTimeout));
                    self.last(last).await?;
                    return Err(self.left(&Denial::UpstreamTimeout).await);
                }
            }
        }
    }

    /// Waits for the client, for an order, and no longer than until then. It is begun and given
    /// up with every piece of an answer, and mostly finds nothing.
    async fn wait(&mut self, done: bool, until: Instant) -> Woken {
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
        self.send(Passed { tasks, cut: true }).await.map(|_over| ())
    }
}

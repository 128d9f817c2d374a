//! How a guarded session waits and ends: what is held of an answer leaves in time, an operator's
//! order is obeyed though the provider be silent, and a stream that is cut ends as its API has it.
//!
//! Decides nothing about an answer; what is written comes from `answers`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use pingora::protocols::http::HttpTask;
use pingora::{Error, ErrorSource, Result};

use super::watch::after;
use super::{Guard, Passed, ended};
use crate::policy::Denial;
use crate::runtime::clock;

/// How long an HTTP/2 connection is given to write the end of a stream that was cut.
const WRITTEN: Duration = Duration::from_millis(25);

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
    /// it is obeyed, though the provider be silent.
    pub(super) async fn idle(&mut self, done: bool, now: Instant) -> Result<Option<Bytes>> {
        let mut now = now;
        loop {
            let left = self.watch.left(now);
            let wait = self.live.as_ref().map_or(left, |live| live.wait(now, left));
            let order = self.live.as_ref().and_then(|live| live.order());
            if order.as_ref().is_some_and(|order| order.is_given()) {
                return Err(self.terminate().await);
            }
            let ordered = async {
                match &order {
                    Some(order) => order.wait().await,
                    None => std::future::pending().await,
                }
            };
            // Tokio's own timer: Pingora's reads the clock four times a wait.
            let until = after(now, wait).into();
            let waited = tokio::select! {
                piece = tokio::time::timeout_at(until, self.client_piece(done)) => Some(piece),
                () = ordered => None,
            };
            if let Some(Ok(piece)) = waited {
                return piece;
            }
            now = clock::now();
            match waited {
                // The order is obeyed above.
                Some(Ok(_)) | None => {}
                Some(Err(_elapsed)) if wait < left => {
                    let passed = match &mut self.live {
                        Some(live) => live.tick(now),
                        None => continue,
                    };
                    if self.send(passed).await? {
                        return Err(self.left(&Denial::UpstreamError).await);
                    }
                }
                Some(Err(_elapsed)) => {
                    // A stream that has begun is ended as its API has it.
                    let last = self
                        .live
                        .as_mut()
                        .and_then(|live| live.order().map(|_| live.cut(Denial::UpstreamTimeout)));
                    self.last(last).await?;
                    return Err(self.left(&Denial::UpstreamTimeout).await);
                }
            }
        }
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

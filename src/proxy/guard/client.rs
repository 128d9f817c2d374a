//! The client's side of a guarded session: a body that is here, or one that is still coming.
//!
//! Decides nothing; how long a piece is waited for is `admit::slow`'s.

use std::time::Instant;

use bytes::Bytes;
use pingora::Result;
use pingora::protocols::http::ServerSession;

use super::ended;
use crate::admit::slow;
use crate::policy::{ClientTimeouts, Denial};
use crate::runtime::clock;

/// The request's body, as the guarded session has it.
#[derive(Debug)]
pub(crate) enum Source {
    /// Read to its end, judged, and here.
    Held(Bytes),
    /// Still to be read from the client, with at most so long a pause.
    Client(ClientTimeouts),
}

/// The client's next piece, or word that it has gone. The body has been read since `began`.
pub(super) async fn piece(
    real: &mut ServerSession,
    source: &Source,
    began: Instant,
    done: bool,
) -> Result<Option<Bytes>> {
    match source {
        Source::Client(timeouts) if !done && !real.is_body_done() => {
            let taken = clock::now().saturating_duration_since(began);
            let received = u64::try_from(real.body_bytes_read()).unwrap_or(u64::MAX);
            let late = || ended(&Denial::RequestTimeout);
            let wait = slow::wait(timeouts, received, taken).ok_or_else(late)?;
            let piece = pingora::time::timeout(wait, real.read_body_or_idle(false));
            piece.await.map_err(|_elapsed| late())?
        }
        Source::Client(_) | Source::Held(_) => real.read_body_or_idle(true).await,
    }
}

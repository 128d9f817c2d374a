//! What a request's context and its guarded session say to each other.
//!
//! Decides nothing: the context orders, the guard obeys at its next step, and the real session
//! comes back by the same way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use bytes::Bytes;
use pingora::protocols::http::ServerSession;

use super::bell::Wire;
use crate::policy::ProviderTimeouts;
use crate::proxy::answers::Live;

/// What the request's context keeps of a guarded session.
#[derive(Default)]
pub(crate) struct Handle {
    real: Mutex<Option<ServerSession>>,
    close: AtomicBool,
    restart: AtomicBool,
    /// By which those wake the session whom it waits for besides the provider.
    pub(super) wire: Wire,
    /// The inspection of the answer, before the guard has it and after.
    answer: Mutex<Option<Box<Live>>>,
    next: Mutex<Next>,
}

/// What is new with a new attempt.
#[derive(Default)]
struct Next {
    timeouts: Option<ProviderTimeouts>,
    body: Option<Bytes>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Wake for Handle {
    fn wake(self: Arc<Self>) {
        self.wire.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wire.ring();
    }
}

impl Handle {
    /// Has the connection closed after this answer, and the client told so.
    pub(crate) fn close_after_answer(&self) {
        self.close.store(true, Ordering::Relaxed);
    }

    /// Gives the provider of a new attempt its whole time to the first byte, and the body in its
    /// own words, where those are not the client's. The time for the call as a whole goes on.
    pub(crate) fn attempt_begins(&self, timeouts: ProviderTimeouts, body: Option<Bytes>) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.timeouts = Some(timeouts);
        next.body = body;
        self.restart.store(true, Ordering::Release);
    }

    pub(super) fn timeouts(&self) -> Option<ProviderTimeouts> {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.timeouts
    }

    pub(super) fn body(&self) -> Option<Bytes> {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.body.clone()
    }

    /// There is no other attempt.
    pub(super) fn forget_body(&self) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.body = None;
    }

    /// An answer is to be inspected from here on.
    pub(crate) fn answer_begins(&self, live: Box<Live>) {
        *self.lock() = Some(live);
    }

    /// The answer is over, and the session has been given back.
    pub(crate) fn answer_ends(&self) -> Option<Box<Live>> {
        self.lock().take()
    }

    /// Whether the connection is to be closed after this answer.
    pub(super) fn is_to_close(&self) -> bool {
        self.close.load(Ordering::Relaxed)
    }

    /// Whether a new attempt has begun since this was asked last.
    pub(super) fn begins_anew(&self) -> bool {
        // It is asked with every piece of an answer, and nearly always there is none.
        self.restart.load(Ordering::Relaxed) && self.restart.swap(false, Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Live>>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, session: ServerSession) {
        *self.real.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
    }

    pub(super) fn take(&self) -> Option<ServerSession> {
        self.real
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

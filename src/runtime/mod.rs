//! Everything with a clock, a socket, a file or a thread of its own.
//!
//! Lives here: listeners, signals, background services, the writer of logs, the embedded
//! provider. Must not live here: any decision about a request.

pub mod clock;
mod door;
pub mod echo;
pub mod logger;
pub(crate) mod pools;
mod probe;
pub(crate) mod security;
pub mod serve;
mod signals;
pub mod tls;
pub(crate) mod turnstile;
pub mod writer;

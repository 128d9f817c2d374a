//! The hand-over of listening sockets, and of what must not be forgotten, to a new process.
//!
//! Lives here: where two processes of one gateway meet (`place`), what they say to each other
//! (`message`), both sides of it (`old`, `new`), and what must not be forgotten (`state`, `counts`).
//! Must not live here: the sockets themselves, which Pingora passes on.
//!
//! The order of things: the new process compiles its whole configuration, then calls the old one
//! and waits. `SIGQUIT` to the old process makes it send its state; the new one opens Pingora's
//! transfer socket and says so; only then does the old one let Pingora send the listening sockets
//! and drain. Whatever fails before that leaves the old process serving as if nothing had been.

pub(crate) mod counts;
pub(crate) mod heir;
pub(crate) mod message;
pub mod new;
pub(crate) mod old;
pub mod place;
pub(crate) mod spawn;
pub(crate) mod state;

//! The hand-over of listening sockets, and of what must not be forgotten, to a new process.
//!
//! Lives here: where two processes of one gateway meet (`place`), what they say to each other
//! (`message`), and both sides of it (`old`, `new`). Must not live here: which state is
//! handed over, that is `message::State`'s makers'; and the sockets themselves, which Pingora
//! passes on.
//!
//! The order of things: the new process compiles its whole configuration, then calls the old one
//! and waits. `SIGQUIT` to the old process makes it send its state; the new one opens Pingora's
//! transfer socket and says so; only then does the old one let Pingora send the listening sockets
//! and drain. Whatever fails before that leaves the old process serving as if nothing had been.

pub(crate) mod message;
pub mod new;
pub(crate) mod old;
pub mod place;
pub(crate) mod state;

//! Everything with a clock, a socket, a file or a thread of its own.
//!
//! Lives here: listeners, signals, background services, the writer of logs, the embedded
//! provider. Must not live here: any decision about a request.

pub mod activation;
mod alarm;
pub(crate) mod archive;
pub(crate) mod arrivals;
pub mod audit;
mod batches;
pub mod clock;
pub(crate) mod daemon;
mod door;
pub mod echo;
pub(crate) mod entrance;
pub mod files;
pub(crate) mod fleet;
pub mod flood;
pub mod handover;
mod house;
pub(crate) mod kept;
pub(crate) mod leaving;
pub mod logger;
pub(crate) mod outgoing;
pub(crate) mod pools;
mod probe;
mod ready;
pub(crate) mod referee;
pub mod reload;
mod retention;
pub(crate) mod security;
pub(crate) mod selftest;
pub mod serve;
mod signals;
pub(crate) mod systemd;
pub(crate) mod telemetry;
pub(crate) mod timer;
pub mod tls;
mod transport;
pub(crate) mod turnstile;
pub(crate) mod upstream;
pub mod watch;
pub mod writer;

//! What bodies say: readers that can be stopped and resumed at any byte.
//!
//! Lives here: parsers and what is heard from them, pure and bounded. Must not live here: sockets,
//! files, clocks, what is done about a finding.

pub mod json;
pub mod peek;

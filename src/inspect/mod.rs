//! What messages say: readers that can be stopped and resumed at any byte, and the engine that
//! judges what they read.
//!
//! ```text
//! bytes ─► json (events) ─► text (which string is what) ─► engine/listen (cleaned) ─► block
//! block ─► normal, scan, detect (hits) ─► engine/judge (findings, edits, verdict) ─► rewrite
//! ```
//!
//! Lives here: parsers, detectors and what becomes of their finds, pure and bounded. Must not live
//! here: sockets, files, clocks, what is written down about a finding.

pub mod answer;
mod block;
pub mod channel;
pub mod detect;
pub mod engine;
pub mod fault;
pub mod finding;
pub mod form;
pub mod json;
pub mod normal;
pub mod peek;
pub mod rewrite;
mod sanitize;
pub mod scan;
mod sixtyfour;
mod text;
pub mod validate;

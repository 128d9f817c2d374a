//! The whole system over real sockets: one module a promise, one binary for all of them.
#![cfg(test)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test that overflows or slices wrongly fails, which is what a test is for"
)]

mod admission;
mod alerts;
mod answers;
mod audit;
mod bodies;
mod care;
mod catalogue;
mod cli;
mod conf;
mod connections;
mod control;
mod fleet;
mod framing;
mod harness;
mod headers;
mod hostile;
mod inspection;
mod keys;
mod limits;
mod load_tools;
mod logs;
mod metrics;
mod operator;
mod packages;
mod pages;
mod passing;
mod prometheus;
mod providers;
mod routing;
mod sdk;
mod sizes;
mod streaming;
mod tls;
mod traces;
mod translation;
mod upgrade;

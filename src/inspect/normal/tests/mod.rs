//! Tests of the fold, and of the views.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::string_slice,
    clippy::format_collect,
    reason = "test texts are short, and a wrong slice is a failed test"
)]

mod folding;
mod reading;
mod ways;

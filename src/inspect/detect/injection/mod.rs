//! Prompt injection: the tables, the scale of points, the rules that the engine fires.
//!
//! Decides which tables make up the family and what a signal is worth. Points are
//! set by judgement, not fitted to data, and there are four:
//! [`UNMISTAKABLE`] blocks even where the application speaks, [`STRONG`] blocks what
//! others write, [`MEDIUM`] and [`WEAK`] do nothing alone. Signals of different groups
//! add up, so that two medium ones block, and a medium and a weak one flag; signals of
//! one group corroborate each other by 40 points at most (see [`super::Tally`]).
//! What a system prompt says is judged by [`super::Standard::Author`].
//! May miss: attacks that use no word of the trade (a plain, harmful wish; an
//! instruction buried in data that is only out of place), noise made by a search
//! over tokens, languages that no table knows.

use super::Rule;
use super::rules::{
    injection, injection_agents, injection_foreign, injection_languages, injection_phrases,
    injection_roles,
};

/// An order to drop or defy all instructions, a forged marker with an order, a
/// request for the system prompt as it stands, a jailbreak by name.
pub const UNMISTAKABLE: u16 = 100;
/// Hardly ever harmless towards a model, but could be.
pub const STRONG: u16 = 60;
/// Said in earnest as well, though seldom: "without restrictions", "ignore the above".
pub const MEDIUM: u16 = 35;
/// Everyday words that attacks share: "act as", "you are now", "verbatim".
pub const WEAK: u16 = 15;

/// Every table of the family.
pub const TABLES: &[&[Rule]] = &[
    injection::RULES,
    injection_roles::RULES,
    injection_agents::RULES,
    injection_languages::RULES,
    injection_phrases::RULES,
    injection_foreign::RULES,
];

/// Fired by the engine: a peeled view (base64, hex, spaced-out …) held an injection hit.
pub const DECODED: &str = "injection.obfuscation.decoded";

/// Fired by the engine: invisible characters stood inside words.
pub const INVISIBLE: &str = "injection.obfuscation.invisible";

#[cfg(test)]
mod tests;

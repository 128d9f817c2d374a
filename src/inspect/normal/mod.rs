//! Canonical form and other readings of a block: what a text says once its disguise is off.
//!
//! *Decides* how a text reads to a reader: [`Canon`] folds case, width, style, marks, unseen
//! characters, look-alikes and white space; [`Views`] adds what is spelled out, written with digits
//! for letters, or encoded. Both give the way back to the block's own bytes, both are functions of
//! the block alone, take time linear in it, and keep their buffers.
//!
//! *Never does*: change what is forwarded, or judge. [`Oddities`] counts what was found; whether
//! that is an attack is a detector's matter.
//!
//! *May miss*: see [`Views`]' module; disguises by pictures, by synonyms, by other languages.
//!
//! Literals and patterns that are matched against canonical text must be in canonical form too
//! (small letters, no marks over Latin ones, `ss` for `ß`, `σ` for `ς`): fold them with [`Canon`].

mod ascii;
mod base64;
mod canon;
mod cross_check;
mod disguised;
mod fold;
mod hidden;
mod kinds;
mod leet;
mod lookalike;
mod map;
mod narrow;
mod peel;
mod rewrite;
mod rows;
mod runs;
mod script;
mod spelled;
mod table;
#[cfg(test)]
mod tests;
mod views;
mod word;

pub use canon::Canon;
pub use cross_check::{Disagreement, cross_check};
pub use views::{PEELED, VIEWS, View, ViewKind, Views};

/// What was dropped from a text or undone in it, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Zero-width and other unseen characters, where no script needs them.
    pub invisible: u32,
    /// Controls that embed, override or isolate a direction of writing.
    pub bidi: u32,
    /// Tag characters, each of which hides an ASCII character.
    pub tags: u32,
    /// Variation selectors in runs, each of which hides a byte.
    pub selectors: u32,
    /// Soft hyphens.
    pub soft_hyphens: u32,
    /// Control characters that are no white space.
    pub controls: u32,
    /// Marks over ASCII letters that strike them out or are heaped on them.
    pub marks: u32,
    /// ASCII letters and digits in another dress: mathematical, full width, circled, small capitals.
    pub styled: u32,
    /// Words of Latin and look-alike or other foreign letters.
    pub mixed_words: u32,
    /// Words wholly of look-alikes in a text that is Latin so far.
    pub disguised_words: u32,
}

/// Offsets are 32 bits wide: no block comes near.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

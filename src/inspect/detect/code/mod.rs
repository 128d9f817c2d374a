//! Dangerous code in prompts: the table.
//!
//! Decides nothing beyond its rules. A call that any programmer asks about stays
//! below the flag threshold; a shape that only runs other people's machines flags.
//! Whether flagged code is refused is the policy's affair, since a security
//! engineer asks honest questions about reverse shells.
//! May miss: code assembled from pieces, languages that the table does not name.

use super::Rule;

/// Every table of the family.
pub const TABLES: &[&[Rule]] = &[super::rules::code::RULES];

#[cfg(test)]
mod tests;

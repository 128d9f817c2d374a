//! Attacks on web applications, databases and hosts: the table.
//!
//! Decides nothing beyond its rules, which look at one decoded text; percent and
//! entity encodings are peeled before.
//! Meant for message content and tool arguments, where HTML and SQL are everyday
//! talk. May miss: a payload of one or two harmless-looking tokens (`id`, `1=1`),
//! what only a parser of the target's dialect would understand.

use super::Rule;

/// Every table of the family.
pub const TABLES: &[&[Rule]] = &[super::rules::web::RULES];

#[cfg(test)]
mod tests;

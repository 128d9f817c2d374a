//! What outlives policies: who is blocked, and what has been used of the limits.
//!
//! Decides nothing. A reload or an emergency measure makes a new policy and keeps the ledger, so
//! that neither forgets what was spent nor lets anybody go.

use super::blocks::Blocks;
use super::failures::Failures;

/// The state that a request's policy is applied to.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Addresses and networks that are sent away.
    pub blocks: Blocks,
    /// Failures to authenticate of late.
    pub failures: Failures,
}

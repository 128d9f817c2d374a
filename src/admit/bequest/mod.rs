//! What a ledger leaves to the one of a successor: what was used of limits, and who violated them.
//!
//! Decides what is worth leaving (a word that has recovered says nothing) and how moments are
//! written, as lengths of time, because each process has a clock of its own. Requests in flight
//! stay where they are: what they have reserved is left as used. Clients that shared a word for
//! want of room begin anew, and so does everybody beyond `MOST_WORDS`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::client::Client;
use super::failures::FailureLeft;
use super::ledger::{Ledger, Who};
use super::moment::Moment;
use super::seed::Seed;
use super::table::Key;
use super::violations::DayLeft;
use crate::policy::limits::Limit;

/// The form of what is left; one of another form is not taken over.
pub const VERSION: u32 = 1;

/// Words of a table that are left at most: 85 MiB of text.
pub(super) const MOST_WORDS: usize = 4_000_000;

/// Bytes of a key and its word.
const PAIR: usize = 16;

/// What a ledger leaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bequest {
    seed: Seed,
    check: u64,
    global: u64,
    clients: Words,
    names: Words,
    tokens: Words,
    violators: Words,
    failures: Vec<FailureLeft>,
    day: DayLeft,
}

/// Why nothing was taken over.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BequestFault {
    /// Names hash to other keys here.
    #[error("the process before counts under other keys")]
    Keys,
    /// Words that are no words.
    #[error("its words can't be read")]
    Words,
}

/// Keys and what is left of their words, packed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Words(String);

impl Words {
    /// Packs pairs; those beyond the most are left behind.
    pub(super) fn pack(pairs: impl IntoIterator<Item = (Key, u64)>) -> Self {
        let mut bytes = Vec::new();
        for (key, word) in pairs.into_iter().take(MOST_WORDS) {
            bytes.extend_from_slice(&key.bits().to_le_bytes());
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        Self(STANDARD.encode(bytes))
    }

    /// The pairs.
    ///
    /// # Errors
    /// It was not packed by [`Words::pack`].
    pub(super) fn unpack(&self) -> Result<Vec<(Key, u64)>, BequestFault> {
        let bytes = STANDARD
            .decode(&self.0)
            .map_err(|_not_packed| BequestFault::Words)?;
        let (pairs, rest) = bytes.as_chunks::<PAIR>();
        if !rest.is_empty() || pairs.len() > MOST_WORDS {
            return Err(BequestFault::Words);
        }
        let pair = |bytes: &[u8; PAIR]| {
            let (key, word) = bytes.split_first_chunk::<8>()?;
            let word = word.first_chunk::<8>()?;
            Some((Key::of(u64::from_le_bytes(*key)), u64::from_le_bytes(*word)))
        };
        let pairs = pairs.iter().map(pair).collect::<Option<Vec<_>>>();
        pairs.ok_or(BequestFault::Words)
    }
}

impl Bequest {
    /// What a ledger leaves at this moment; `wall` is the time of day, since 1970.
    pub fn of(ledger: &Ledger, now: Moment, wall: Duration) -> Self {
        Self {
            seed: ledger.seed(),
            check: check(ledger),
            global: left(ledger.global_word(), now),
            clients: Words::pack(used(ledger.client_words(), now)),
            names: Words::pack(used(ledger.name_words(), now)),
            tokens: Words::pack(ledger.accounts.left(now)),
            violators: Words::pack(ledger.violations.left(now)),
            failures: ledger.failures.left(now),
            day: ledger.violations.day_left(wall),
        }
    }

    /// The seed that a successor's ledger must have.
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// Takes everything over; answers how many words that were.
    ///
    /// # Errors
    /// Names hash to other keys here, or a word can't be read; then nothing is taken over.
    pub fn take(&self, ledger: &Ledger, now: Moment) -> Result<usize, BequestFault> {
        if ledger.seed() != self.seed || check(ledger) != self.check {
            return Err(BequestFault::Keys);
        }
        let clients = self.clients.unpack()?;
        let names = self.names.unpack()?;
        let tokens = self.tokens.unpack()?;
        let violators = self.violators.unpack()?;
        let all = [&clients, &names, &tokens, &violators];
        let count = all.iter().map(|words| words.len()).sum();
        ledger.take_global(until(self.global, now));
        for (key, word) in clients {
            ledger.take_client(key, until(word, now), now);
        }
        for (key, word) in names {
            ledger.take_name(key, until(word, now), now);
        }
        ledger.accounts.take(tokens, now);
        ledger.violations.take(violators, now);
        ledger.violations.take_day(&self.day);
        ledger.failures.take(&self.failures, now);
        Ok(count)
    }
}

/// Hashed in both processes, one of each kind.
fn check(ledger: &Ledger) -> u64 {
    let limit = "7/hour"
        .parse()
        .ok()
        .and_then(|rate| Limit::new(rate, 3).ok());
    let client = [Client::V4(0xc000_0201), Client::V6(0x2001_0db8_0000_0001)];
    let mut examples = vec![Who::All, Who::Key("a key"), Who::Models("a group")];
    examples.push(Who::Provider("a provider"));
    examples.extend(client.map(Who::Client));
    if let Some(limit) = &limit {
        examples.extend(client.map(|client| Who::ClientHeld(client, limit)));
        examples.push(Who::KeyHeld("a key", limit));
    }
    ledger.check(&examples)
}

/// The words that still say something, as what is left of them.
fn used(words: Vec<(Key, u64)>, now: Moment) -> impl Iterator<Item = (Key, u64)> {
    let pairs = words
        .into_iter()
        .map(move |(key, word)| (key, left(word, now)));
    pairs.filter(|(_, left)| *left > 0)
}

pub(super) const fn left(word: u64, now: Moment) -> u64 {
    word.saturating_sub(now.as_nanos())
}

pub(super) const fn until(left: u64, now: Moment) -> u64 {
    if left == 0 {
        return 0;
    }
    now.as_nanos().saturating_add(left)
}

#[cfg(test)]
mod tests;

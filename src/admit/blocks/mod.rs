//! Addresses and networks that are sent away, until when, and why.
//!
//! Decides whether an address is blocked at a moment; blocks are read without a lock and without
//! an allocation. Who gets blocked is decided elsewhere. Blocks of single clients and of networks
//! are bounded: when all places are taken by blocks that still hold, what the gateway itself would
//! block is turned away and counted as such, so that a flood of addresses can't lift the blocks of
//! others. It may miss the last block for as long as its maker takes to return.

mod table;

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use ipnet::IpNet;
use thiserror::Error;

use super::client::Client;
use super::moment::Moment;
use table::{Hosts, Networks};

/// Clients that the gateway may have blocked at a time by itself.
pub const MAX_HOSTS: usize = 65_536;
/// Networks, and single clients that an operator blocked although [`MAX_HOSTS`] are.
pub const MAX_NETWORKS: usize = 4_096;
/// The longest reason that is kept, in bytes.
pub const MAX_REASON: usize = 200;
/// Changes that wait for whoever passes them on.
const MAX_CHANGES: usize = 4_096;

/// Who had an address blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The limits, for violations.
    Limits,
    /// The guard against guessed keys.
    BruteForce,
    /// A person or a program with a key, by the key's id.
    Operator(Box<str>),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limits => f.write_str("rate_limits"),
            Self::BruteForce => f.write_str("brute_force"),
            Self::Operator(id) => write!(f, "operator:{id}"),
        }
    }
}

impl By {
    /// What [`By`]'s text stands for; a text of another kind is an operator's id.
    pub fn of(text: &str) -> Self {
        match text {
            "rate_limits" => Self::Limits,
            "brute_force" => Self::BruteForce,
            _ => Self::Operator(text.strip_prefix("operator:").unwrap_or(text).into()),
        }
    }

    const fn is_operator(&self) -> bool {
        matches!(self, Self::Operator(_))
    }
}

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What is blocked.
    pub network: IpNet,
    /// Why, for operators.
    pub reason: Box<str>,
    /// Who had it blocked.
    pub by: By,
    /// Since when.
    pub since: Moment,
    /// Until when; none: until it is lifted.
    pub until: Option<Moment>,
}

impl Block {
    fn holds(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it lasts at least as long as another.
    fn outlasts(&self, other: &Self) -> bool {
        match (self.until, other.until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => own >= others,
        }
    }
}

/// Every place is taken by a block that still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("as many addresses are blocked as can be; lift some, or block a whole network")]
pub struct Full;

/// What was changed here, for whoever passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Blocked.
    Blocked(Arc<Block>),
    /// Lifted.
    Lifted(IpNet),
}

/// All blocks of the process.
#[derive(Debug)]
pub struct Blocks {
    hosts: Hosts,
    networks: ArcSwap<Networks>,
    writer: Mutex<()>,
    /// Blocks that are there, ended ones included: nothing is looked up while there is none.
    there: AtomicUsize,
    turned_away: AtomicU64,
    changes: Mutex<Option<VecDeque<Change>>>,
    /// Changes that nobody took in time.
    lost: AtomicU64,
}

impl Default for Blocks {
    fn default() -> Self {
        Self::new(MAX_HOSTS)
    }
}

impl Blocks {
    /// No blocks, and room for so many of the gateway's own.
    pub fn new(hosts: usize) -> Self {
        Self {
            hosts: Hosts::new(hosts),
            networks: ArcSwap::default(),
            writer: Mutex::new(()),
            there: AtomicUsize::new(0),
            turned_away: AtomicU64::new(0),
            changes: Mutex::new(None),
            lost: AtomicU64::new(0),
        }
    }

    /// The block that an address falls under at this moment.
    pub fn is_blocked(&self, address: IpAddr, now: Moment) -> Option<Arc<Block>> {
        if self.there.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let of_host = self.hosts.find(Client::of(address), now);
        of_host.or_else(|| self.networks.load().find(address.to_canonical(), now))
    }

    /// Blocks a network. What the gateway blocks by itself never shortens a block that is there;
    /// what an operator says replaces it.
    ///
    /// # Errors
    /// There is no place left.
    pub fn block(
        &self,
        network: IpNet,
        reason: &str,
        until: Option<Moment>,
        by: By,
        now: Moment,
    ) -> Result<(), Full> {
        let block = Arc::new(Block {
            network: canonical(network),
            reason: cut(reason).into(),
            by,
            since: now,
            until,
        });
        self.put(&block, now)?;
        self.changed(|| Change::Blocked(block));
        Ok(())
    }

    /// Blocks the client that an address belongs to, as the gateway does by itself.
    ///
    /// # Errors
    /// There is no place left.
    pub fn block_client(
        &self,
        address: IpAddr,
        reason: &str,
        until: Moment,
        by: By,
        now: Moment,
    ) -> Result<(), Full> {
        self.block(Client::of(address).network(), reason, Some(until), by, now)
    }

    /// Takes over a block that was made elsewhere; nobody is told of it again.
    ///
    /// # Errors
    /// There is no place left.
    pub fn adopt(&self, block: Block, now: Moment) -> Result<(), Full> {
        let network = canonical(block.network);
        self.put(&Arc::new(Block { network, ..block }), now)
    }

    /// Lifts the block of exactly this network; answers whether there was one that held.
    pub fn unblock(&self, network: IpNet, now: Moment) -> bool {
        let network = canonical(network);
        let held = self.drop_block(network, now);
        self.changed(|| Change::Lifted(network));
        held
    }

    /// Lifts a block that was lifted elsewhere; nobody is told of it again.
    pub fn forget(&self, network: IpNet, now: Moment) -> bool {
        self.drop_block(canonical(network), now)
    }

    /// Lifts every block; answers how many held.
    pub fn clear(&self, now: Moment) -> usize {
        let all = self.list(now);
        for block in &all {
            self.unblock(block.network, now);
        }
        all.len()
    }

    /// All blocks that hold, by network.
    pub fn list(&self, now: Moment) -> Vec<Arc<Block>> {
        let mut all = self.hosts.list(now);
        all.extend(self.networks.load().list(now));
        all.sort_by_key(|block| block.network);
        all
    }

    /// How many blocks hold.
    pub fn len(&self, now: Moment) -> usize {
        if self.there.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let networks = self.networks.load().len(now);
        self.hosts.len(now).saturating_add(networks)
    }

    /// Whether no block holds.
    pub fn is_empty(&self, now: Moment) -> bool {
        self.len(now) == 0
    }

    /// Blocks that found no place since the process began.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Drops blocks that have ended.
    pub fn sweep(&self, now: Moment) {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.hosts.sweep(now);
        let kept = self.networks.load().without_ended(now);
        self.networks.store(Arc::new(kept));
        self.count();
    }

    /// From now on keeps what is changed here, for [`Blocks::take_changes`]. The oldest are lost
    /// when nobody takes them.
    pub fn keep_changes(&self) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.get_or_insert_with(VecDeque::new);
    }

    /// What was changed here since the last call.
    pub fn take_changes(&self) -> Vec<Change> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
            .into()
    }

    /// How many changes were lost since the last call, as nobody took them in time.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    fn changed(&self, change: impl FnOnce() -> Change) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = &mut *changes {
            if changes.len() >= MAX_CHANGES {
                changes.pop_front();
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            changes.push_back(change());
        }
    }

    fn put(&self, block: &Arc<Block>, now: Moment) -> Result<(), Full> {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let host = Client::of_network(block.network);
        let placed = match host {
            Some(client) => match self.hosts.put(client, block, now) {
                // An operator's word finds a place among the networks.
                Err(Full) if block.by.is_operator() => self.put_network(block, now),
                placed @ (Ok(()) | Err(Full)) => placed,
            },
            None => self.put_network(block, now),
        };
        if placed.is_err() {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        self.count();
        placed
    }

    fn put_network(&self, block: &Arc<Block>, now: Moment) -> Result<(), Full> {
        let with = self.networks.load().with(block, now)?;
        self.networks.store(Arc::new(with));
        Ok(())
    }

    fn drop_block(&self, network: IpNet, now: Moment) -> bool {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let host = Client::of_network(network).and_then(|client| self.hosts.take(client));
        let (rest, taken) = self.networks.load().without(network);
        if taken.is_some() {
            self.networks.store(Arc::new(rest));
        }
        self.count();
        let held = |block: Option<Arc<Block>>| block.is_some_and(|block| block.holds(now));
        let host_held = held(host);
        held(taken) || host_held
    }

    fn count(&self) {
        let networks = self.networks.load().there();
        let there = self.hosts.there().saturating_add(networks);
        self.there.store(there, Ordering::Relaxed);
    }
}

/// The network itself, without host bits; IPv4 in IPv6 clothes is IPv4.
fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(six) = network
        && let (Some(four), Some(length)) = (
            six.network().to_ipv4_mapped(),
            six.prefix_len().checked_sub(96),
        )
        && let Ok(four) = ipnet::Ipv4Net::new(four, length)
    {
        return IpNet::V4(four.trunc());
    }
    network.trunc()
}

fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(MAX_REASON);
    while !reason.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    reason.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;

//! Where blocks are kept: single clients by their hash, networks by the length of their prefix.
//!
//! Decides where a block stands and which one is found. Readers take whole tables that never
//! change; a writer copies the one that it changes. Clients are spread over many small tables, so
//! that a copy stays small when many of them are blocked at once. Writers are told apart by the
//! caller's lock.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use ipnet::IpNet;

use super::{Block, Full, MAX_NETWORKS};
use crate::admit::client::Client;
use crate::admit::moment::Moment;

/// Tables of clients; each holds an equal part.
const SHARDS: usize = 256;

type Shard = HashMap<Client, Arc<Block>>;

/// Blocks of single clients.
#[derive(Debug)]
pub(super) struct Hosts {
    state: RandomState,
    shards: Box<[ArcSwap<Shard>]>,
    there: AtomicUsize,
    limit: usize,
}

impl Hosts {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: RandomState::new(),
            shards: (0..SHARDS).map(|_| ArcSwap::default()).collect(),
            there: AtomicUsize::new(0),
            limit,
        }
    }

    fn shard(&self, client: Client) -> Option<&ArcSwap<Shard>> {
        let hash = usize::try_from(self.state.hash_one(client) >> 33).unwrap_or(0);
        self.shards.get(hash.checked_rem(self.shards.len())?)
    }

    pub(super) fn find(&self, client: Client, now: Moment) -> Option<Arc<Block>> {
        let shard = self.shard(client)?.load();
        shard.get(&client).filter(|block| block.holds(now)).cloned()
    }

    pub(super) fn put(&self, client: Client, block: &Arc<Block>, now: Moment) -> Result<(), Full> {
        let shard = self.shard(client).ok_or(Full)?;
        let before = shard.load();
        if let Some(standing) = before.get(&client).filter(|standing| standing.holds(now)) {
            if !block.by.is_operator() && standing.outlasts(block) {
                return Ok(());
            }
        } else if self.there() >= self.limit {
            self.sweep(now);
            if self.there() >= self.limit {
                return Err(Full);
            }
        }
        let mut after = Shard::clone(&shard.load());
        if after.insert(client, Arc::clone(block)).is_none() {
            self.there.fetch_add(1, Ordering::Relaxed);
        }
        shard.store(Arc::new(after));
        Ok(())
    }

    pub(super) fn take(&self, client: Client) -> Option<Arc<Block>> {
        let shard = self.shard(client)?;
        let mut after = Shard::clone(&shard.load());
        let taken = after.remove(&client)?;
        shard.store(Arc::new(after));
        self.there.fetch_sub(1, Ordering::Relaxed);
        Some(taken)
    }

    pub(super) fn sweep(&self, now: Moment) {
        let mut there = 0_usize;
        for shard in &self.shards {
            let before = shard.load();
            if before.values().any(|block| !block.holds(now)) {
                let mut after = Shard::clone(&before);
                after.retain(|_, block| block.holds(now));
                there = there.saturating_add(after.len());
                shard.store(Arc::new(after));
            } else {
                there = there.saturating_add(before.len());
            }
        }
        self.there.store(there, Ordering::Relaxed);
    }

    pub(super) fn list(&self, now: Moment) -> Vec<Arc<Block>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.load();
            all.extend(shard.values().filter(|block| block.holds(now)).cloned());
        }
        all
    }

    pub(super) fn len(&self, now: Moment) -> usize {
        let holding = |shard: &ArcSwap<Shard>| {
            let shard = shard.load();
            shard.values().filter(|block| block.holds(now)).count()
        };
        self.shards.iter().map(holding).sum()
    }

    pub(super) fn there(&self) -> usize {
        self.there.load(Ordering::Relaxed)
    }
}

/// Blocks of networks, those with the same length of prefix together.
#[derive(Debug, Default)]
pub(super) struct Networks {
    groups: Vec<Group>,
}

#[derive(Debug, Clone)]
struct Group {
    four: bool,
    length: u8,
    blocks: HashMap<u128, Arc<Block>>,
}

impl Group {
    fn of(&self, network: IpNet) -> bool {
        (self.four, self.length) == (matches!(network, IpNet::V4(_)), network.prefix_len())
    }
}

impl Networks {
    pub(super) fn find(&self, address: IpAddr, now: Moment) -> Option<Arc<Block>> {
        let four = address.is_ipv4();
        let mut groups = self.groups.iter().filter(|group| group.four == four);
        let found = |group: &Group| {
            let network = masked(bits(address), group.length);
            let block = group.blocks.get(&network)?;
            block.holds(now).then(|| Arc::clone(block))
        };
        groups.find_map(found)
    }

    /// A copy with one more.
    pub(super) fn with(&self, block: &Arc<Block>, now: Moment) -> Result<Self, Full> {
        let mut groups = self.without_ended(now).groups;
        let network = block.network;
        let key = bits(network.network());
        let there: usize = groups.iter().map(|group| group.blocks.len()).sum();
        if !groups.iter().any(|group| group.of(network)) {
            groups.push(Group {
                four: matches!(network, IpNet::V4(_)),
                length: network.prefix_len(),
                blocks: HashMap::new(),
            });
        }
        let mut of_length = groups.iter_mut();
        let group = of_length.find(|group| group.of(network)).ok_or(Full)?;
        match group.blocks.get(&key) {
            Some(standing) if !block.by.is_operator() && standing.outlasts(block) => {}
            None if there >= MAX_NETWORKS => return Err(Full),
            Some(_) | None => {
                group.blocks.insert(key, Arc::clone(block));
            }
        }
        Ok(Self { groups })
    }

    /// A copy with one less, and that one.
    pub(super) fn without(&self, network: IpNet) -> (Self, Option<Arc<Block>>) {
        let mut groups = self.groups.clone();
        let key = bits(network.network());
        let group = groups.iter_mut().find(|group| group.of(network));
        let taken = group.and_then(|group| group.blocks.remove(&key));
        groups.retain(|group| !group.blocks.is_empty());
        (Self { groups }, taken)
    }

    pub(super) fn without_ended(&self, now: Moment) -> Self {
        let mut groups = self.groups.clone();
        for group in &mut groups {
            group.blocks.retain(|_, block| block.holds(now));
        }
        groups.retain(|group| !group.blocks.is_empty());
        Self { groups }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.groups.iter().flat_map(|group| group.blocks.values())
    }

    pub(super) fn list(&self, now: Moment) -> Vec<Arc<Block>> {
        self.all()
            .filter(|block| block.holds(now))
            .cloned()
            .collect()
    }

    pub(super) fn len(&self, now: Moment) -> usize {
        self.all().filter(|block| block.holds(now)).count()
    }

    pub(super) fn there(&self) -> usize {
        self.groups.iter().map(|group| group.blocks.len()).sum()
    }
}

/// An address as a number whose first bit is the address's first, whatever its family.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(four.to_bits()) << 96,
        IpAddr::V6(six) => six.to_bits(),
    }
}

/// The first bits of a number.
fn masked(bits: u128, length: u8) -> u128 {
    let rest = 128_u32.saturating_sub(u32::from(length));
    u128::MAX.checked_shl(rest).map_or(0, |mask| bits & mask)
}

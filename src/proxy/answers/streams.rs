//! The streams in flight, and the switch that ends them.
//!
//! Decides which streams an order means. A stream enters when its head has come and leaves when
//! its request ends; both cost one short lock of one shard in sixteen. It never touches a session:
//! each stream's own guard is told, and writes the end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::Notify;

const SHARDS: usize = 16;

/// What is known of a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traits {
    pub(crate) key: Option<Box<str>>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) provider: Option<Box<str>>,
    pub(crate) ip: Option<IpAddr>,
}

/// Which streams are meant: those that have all that is named.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) key: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) ip: Option<IpNet>,
}

impl Filter {
    fn means(&self, traits: &Traits) -> bool {
        let named = |wanted: &Option<String>, known: &Option<Box<str>>| {
            wanted
                .as_deref()
                .is_none_or(|wanted| known.as_deref() == Some(wanted))
        };
        named(&self.key, &traits.key)
            && named(&self.model, &traits.model)
            && named(&self.provider, &traits.provider)
            && self
                .ip
                .is_none_or(|network| traits.ip.is_some_and(|ip| network.contains(&ip)))
    }
}

#[derive(Debug)]
struct Stream {
    traits: Traits,
    order: Arc<Order>,
}

/// What tells a stream to end.
#[derive(Debug, Default)]
pub(crate) struct Order {
    given: AtomicBool,
    wake: Notify,
}

impl Order {
    /// Whether the stream is to end.
    pub(crate) fn is_given(&self) -> bool {
        self.given.load(Ordering::Acquire)
    }

    /// Waits until it is to end.
    pub(crate) async fn wait(&self) {
        // A permit is kept for whoever waits next, so no order is missed.
        while !self.is_given() {
            self.wake.notified().await;
        }
    }
}

/// All streams in flight.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    shards: [Mutex<HashMap<u64, Stream>>; SHARDS],
    next: AtomicU64,
}

/// A stream's place among them; it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Arc<Streams>,
    number: u64,
    pub(crate) order: Arc<Order>,
}

impl Streams {
    /// A stream begins.
    pub(crate) fn enter(self: &Arc<Self>, traits: Traits) -> Place {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let order = Arc::<Order>::default();
        let stream = Stream {
            traits,
            order: Arc::clone(&order),
        };
        if let Some(mut shard) = self.shard(number) {
            shard.insert(number, stream);
        }
        Place {
            streams: Arc::clone(self),
            number,
            order,
        }
    }

    /// Tells the streams that are meant to end; how many they are.
    pub(crate) fn terminate(&self, filter: &Filter) -> usize {
        let mut told = 0_usize;
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            #[expect(clippy::iter_over_hash_type, reason = "each is told, in any order")]
            for stream in shard.values() {
                if filter.means(&stream.traits) && !stream.order.given.swap(true, Ordering::AcqRel)
                {
                    stream.order.wake.notify_one();
                    told = told.saturating_add(1);
                }
            }
        }
        told
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let lens = self.shards.iter().map(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.len()
        });
        lens.sum()
    }

    fn shard(&self, number: u64) -> Option<MutexGuard<'_, HashMap<u64, Stream>>> {
        let place = usize::try_from(number).unwrap_or(0) % SHARDS;
        let shard = self.shards.get(place)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut shard) = self.streams.shard(self.number) {
            shard.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_means_streams_that_have_all_that_it_names() {
        let streams = Arc::<Streams>::default();
        let traits = |key: &str, ip: &str| Traits {
            key: Some(key.into()),
            ip: ip.parse().ok(),
            ..Traits::default()
        };
        let a = streams.enter(traits("a", "10.0.0.1"));
        let b = streams.enter(traits("b", "10.0.0.2"));
        let filter = |key: Option<&str>, ip: Option<&str>| Filter {
            key: key.map(str::to_owned),
            ip: ip.map(|ip| ip.parse().unwrap()),
            ..Filter::default()
        };
        assert_eq!(streams.terminate(&filter(Some("c"), None)), 0, "nobody's");
        assert_eq!(
            streams.terminate(&filter(Some("a"), Some("10.0.0.2/32"))),
            0,
            "both must hold"
        );
        assert_eq!(streams.terminate(&filter(None, Some("10.0.0.0/31"))), 1);
        assert!(a.order.is_given() && !b.order.is_given());
        assert_eq!(streams.terminate(&Filter::default()), 1, "once each");
        drop(a);
        assert_eq!(streams.len(), 1, "who leaves is forgotten");
    }
}

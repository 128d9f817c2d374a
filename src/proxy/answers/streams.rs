//! The streams in flight, and the switch that ends them.
//!
//! Decides which streams an order means. A stream enters when its head has come and leaves when
//! its request ends; both cost one short lock of one shard in sixteen. It never touches a session:
//! each stream's own guard is told, and writes the end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use ipnet::IpNet;

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

/// What tells a stream to end. One task waits for it: that of its request.
#[derive(Debug, Default)]
pub(crate) struct Order {
    given: AtomicBool,
    waits: Mutex<Option<Waker>>,
}

impl Order {
    /// Whether the stream is to end; its task is woken when it is.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if !self.is_given() {
            let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
            if !waits
                .as_ref()
                .is_some_and(|waker| waker.will_wake(context.waker()))
            {
                *waits = Some(context.waker().clone());
            }
        }
        // It may have been given meanwhile, when nobody was there to be woken.
        if self.is_given() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn is_given(&self) -> bool {
        self.given.load(Ordering::Acquire)
    }

    /// Gives the order; whether it is the first.
    fn give(&self) -> bool {
        let first = !self.given.swap(true, Ordering::AcqRel);
        let waits = self.waits.lock().map(|mut waits| waits.take());
        if let Some(waker) = waits.unwrap_or_else(|poisoned| poisoned.into_inner().take()) {
            waker.wake();
        }
        first
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
                if filter.means(&stream.traits) && stream.order.give() {
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
    use std::task::Wake;

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

    #[derive(Default)]
    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_waits_for_the_order_is_woken_and_who_comes_later_does_not_wait() {
        let (order, first, last) = (
            Order::default(),
            Arc::<Woken>::default(),
            Arc::<Woken>::default(),
        );
        let poll = |woken: &Arc<Woken>| {
            let waker = Waker::from(Arc::clone(woken));
            order.poll(&Context::from_waker(&waker))
        };
        assert!(poll(&first).is_pending());
        assert!(poll(&last).is_pending(), "asked again from elsewhere");
        assert!(order.give() && !order.give(), "once");
        let woken = |woken: &Woken| woken.0.load(Ordering::Relaxed);
        assert_eq!((woken(&first), woken(&last)), (0, 1), "who asked last");
        assert!(poll(&first).is_ready() && poll(&last).is_ready());
    }
}

//! Which of two pieces of news about the same thing is the later one.
//!
//! Decides, by when each was ordered, what is taken of what other hosts tell, and gathers what was
//! changed here for them. It remembers so much that a late message never undoes a newer one, its
//! own ones included. When more things change than it has room for, the oldest are forgotten and
//! counted.

use std::collections::HashMap;
use std::sync::Arc;

use super::items::{Item, Name, REMEMBERED, StoreTime, Told};
use crate::admit::blocks::{Block, Change};
use crate::admit::moment::Moment;
use crate::internal::control::Control;
use crate::policy::overlay::Measure;
use crate::runtime::watch::seconds;

/// Things that are remembered at a time.
const MOST: usize = 100_000;

/// What is known of blocks and measures.
#[derive(Debug, Default)]
pub(super) struct News {
    known: HashMap<Name, Known>,
    /// What this host calls itself.
    host: Box<str>,
    time: StoreTime,
    /// The last of this host's own.
    last: u64,
    /// The number of the last news that was taken.
    pub(super) number: u64,
    /// Things that were forgotten for want of room.
    pub(super) forgotten: u64,
}

/// When and where what is known of a thing was ordered.
#[derive(Debug)]
struct Known {
    /// In the store's microseconds.
    ordered: u64,
    /// None: here.
    host: Option<Box<str>>,
}

impl News {
    /// Nothing known yet; the store's time is taken to be the time of day until it says.
    pub(super) fn new(host: &str, wall: std::time::SystemTime, now: Moment) -> Self {
        let micros = seconds(wall).saturating_mul(1_000_000);
        Self {
            host: host.into(),
            time: StoreTime::of(micros, now),
            ..Self::default()
        }
    }

    /// Notes what time it is at the store.
    pub(super) fn set_time(&mut self, store: u64, now: Moment) {
        self.time = StoreTime::of(store, now);
    }

    /// The store's time.
    pub(super) const fn time(&self) -> StoreTime {
        self.time
    }

    /// Whether this is later than what is known; if so, it is what is known from now on.
    pub(super) fn is_later(&mut self, told: &Told) -> bool {
        let known = self.known.get(&told.name);
        let later = known.is_none_or(|known| known.ordered < told.ordered);
        if later {
            let (ordered, host) = (told.ordered, Some(told.host.clone()));
            self.note(told.name.clone(), Known { ordered, host });
        }
        later
    }

    /// What was changed on this host since the last call.
    pub(super) fn gather(&mut self, control: &Control, now: Moment) -> Vec<Item> {
        let changes = control.ledger.blocks.take_changes();
        let kinds = control.take_changes();
        if changes.is_empty() && kinds.is_empty() {
            return Vec::new();
        }
        let measures = control.measures();
        let mut items = Vec::with_capacity(changes.len());
        for change in changes {
            let ordered = self.tick(now);
            items.extend(match change {
                Change::Blocked(block) => {
                    self.note_own(Name::Block(block.network), ordered);
                    Item::block(&block, ordered, self.time, &self.host)
                }
                Change::Lifted(network) => {
                    let name = Name::Block(network);
                    self.note_own(name.clone(), ordered);
                    Item::lifted(&name, ordered, &self.host)
                }
            });
        }
        for kind in kinds {
            let ordered = self.tick(now);
            self.note_own(Name::Measure(kind), ordered);
            items.extend(of_kind(kind, &measures, ordered, &self.host));
        }
        items
    }

    /// Everything that is known here, for a store that may have missed or forgotten it.
    pub(super) fn everything(&mut self, control: &Control, now: Moment) -> Vec<Item> {
        let blocks = control.ledger.blocks.list(now);
        let own = |ordered| Known {
            ordered,
            host: None,
        };
        for block in &blocks {
            let since = self.time.at(block.since);
            self.known
                .entry(Name::Block(block.network))
                .or_insert_with(|| own(since));
        }
        let measures = control.measures();
        for measure in &measures {
            let since = seconds(measure.since).saturating_mul(1_000_000);
            let name = Name::Measure(measure.change.kind());
            self.known.entry(name).or_insert_with(|| own(since));
        }
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_unstable_by_key(|(name, _)| *name);
        let item = |(name, known): (&Name, &Known)| {
            let (ordered, host) = (known.ordered, known.host.as_ref().unwrap_or(&self.host));
            match name {
                Name::Block(network) => match find(&blocks, network) {
                    Some(block) => Item::block(block, ordered, self.time, host),
                    None => Item::lifted(name, ordered, host),
                },
                Name::Measure(kind) => of_kind(kind, &measures, ordered, host),
            }
        };
        known.into_iter().filter_map(item).collect()
    }

    /// The store's time, later than any that was told.
    fn tick(&mut self, now: Moment) -> u64 {
        self.last = self.time.at(now).max(self.last.saturating_add(1));
        self.last
    }

    fn note_own(&mut self, name: Name, ordered: u64) {
        let host = None;
        self.note(name, Known { ordered, host });
    }

    fn note(&mut self, name: Name, known: Known) {
        if self.known.len() >= MOST {
            self.make_room();
        }
        self.known.insert(name, known);
    }

    /// Forgets what the store has forgotten, and if that is nothing, the older half.
    fn make_room(&mut self) {
        let before = self.known.len();
        let all = self.known.values().map(|known| known.ordered);
        let newest = all.max().unwrap_or(0);
        let old = newest.saturating_sub(REMEMBERED);
        self.known.retain(|_, known| known.ordered > old);
        if self.known.len() >= MOST {
            let mut times: Vec<u64> = self.known.values().map(|known| known.ordered).collect();
            times.sort_unstable();
            let middle = times.get(times.len() / 2).copied().unwrap_or(newest);
            self.known.retain(|_, known| known.ordered > middle);
        }
        let gone = before.saturating_sub(self.known.len());
        let gone = u64::try_from(gone).unwrap_or(u64::MAX);
        self.forgotten = self.forgotten.saturating_add(gone);
    }
}

fn find<'b>(blocks: &'b [Arc<Block>], network: &ipnet::IpNet) -> Option<&'b Block> {
    // They are listed by network.
    let place = blocks.binary_search_by(|block| block.network.cmp(network));
    place
        .ok()
        .and_then(|place| blocks.get(place))
        .map(|block| &**block)
}

fn of_kind(kind: &'static str, measures: &[Measure], ordered: u64, host: &str) -> Option<Item> {
    let measure = measures
        .iter()
        .find(|measure| measure.change.kind() == kind);
    match measure {
        Some(measure) => Item::measure(measure, ordered, host),
        None => Item::lifted(&Name::Measure(kind), ordered, host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(network: &str, ordered: u64) -> Told {
        let held = format!("{ordered} {{\"host\":\"other\",\"what\":null}}");
        Told::read(&format!("block:{network}"), &held).unwrap()
    }

    #[test]
    fn a_late_message_never_undoes_a_newer_one() {
        let mut news = News::default();
        assert!(news.is_later(&told("192.0.2.0/24", 5)), "the first");
        assert!(!news.is_later(&told("192.0.2.0/24", 5)), "the same again");
        assert!(!news.is_later(&told("192.0.2.0/24", 4)), "an older one");
        assert!(news.is_later(&told("192.0.3.0/24", 4)), "about another");
        assert!(news.is_later(&told("192.0.2.0/24", 6)), "a newer one");
    }

    #[test]
    fn own_changes_are_ordered_as_they_were_made() {
        let mut news = News::default();
        news.set_time(1_000, Moment::default());
        let first = news.tick(Moment::default());
        let second = news.tick(Moment::default());
        assert!(first < second, "{first} before {second}");
        news.set_time(10, Moment::default());
        assert!(news.tick(Moment::default()) > second, "a clock set back");
    }

    #[test]
    fn no_flood_of_news_takes_more_than_its_room() {
        let mut news = News::default();
        for bits in 0..250_000_u32 {
            let address = std::net::Ipv4Addr::from_bits(bits);
            let told = told(&format!("{address}/32"), u64::from(bits) + 1);
            assert!(news.is_later(&told), "each is new");
        }
        assert!(news.known.len() <= MOST, "{} are known", news.known.len());
        assert!(news.forgotten > 0, "and that is counted");
        let newest = std::net::Ipv4Addr::from_bits(249_999);
        let late = told(&format!("{newest}/32"), 1);
        assert!(!news.is_later(&late), "the newest are remembered");
    }
}

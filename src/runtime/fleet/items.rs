//! Blocks and measures as a fleet tells them: a name, when it was ordered, what it says.
//!
//! Decides how both are written, and what of what others wrote is taken: a block of everyone is
//! not, nor is a text that says nothing we know. Ends of blocks are in the store's time, those of
//! measures in the time of day. What is lifted is told as `null` under the same name. Each piece
//! says which host it was ordered at, for people to read.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::admit::blocks::{Block, By, MAX_REASON};
use crate::admit::moment::Moment;
use crate::policy::overlay::{Change, Measure};
use crate::runtime::handover::state::{self, MeasureLeft};

const BLOCK: &str = "block:";
const MEASURE: &str = "measure:";
/// How long the store remembers that something was lifted, in microseconds.
pub(super) const REMEMBERED: u64 = 86_400_000_000;

/// Characters of a host's name that are taken.
const MAX_HOST: usize = 80;

/// What a piece of news is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    /// A block.
    Block(IpNet),
    /// A measure, by its kind.
    Measure(&'static str),
}

impl Name {
    fn read(text: &str) -> Option<Self> {
        if let Some(network) = text.strip_prefix(BLOCK) {
            return network.parse().ok().map(Self::Block);
        }
        let kind = text.strip_prefix(MEASURE)?;
        let kind = Change::SHARED.into_iter().find(|known| *known == kind)?;
        Some(Self::Measure(kind))
    }

    fn text(&self) -> String {
        match self {
            Self::Block(network) => format!("{BLOCK}{network}"),
            Self::Measure(kind) => format!("{MEASURE}{kind}"),
        }
    }
}

/// What this host tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: Box<str>,
    /// When it was ordered, in the store's microseconds.
    pub(super) ordered: u64,
    /// When it ends; none: never.
    pub(super) ends: Option<u64>,
    pub(super) content: String,
}

/// What a host was told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) name: Name,
    pub(super) ordered: u64,
    /// The host that it was ordered at, as that calls itself.
    pub(super) host: Box<str>,
    pub(super) what: What,
}

/// What stands in the store behind the time: where it was ordered, and what holds.
#[derive(Serialize, Deserialize)]
struct Letter<H, T> {
    host: H,
    what: Option<T>,
}

fn written<T: Serialize>(host: &str, what: Option<&T>) -> Option<String> {
    serde_json::to_string(&Letter { host, what }).ok()
}

fn opened<T: DeserializeOwned>(content: &str, as_what: fn(T) -> What) -> Option<(Box<str>, What)> {
    let letter: Letter<String, T> = serde_json::from_str(content).ok()?;
    let plain = letter.host.chars().filter(|char| !char.is_control());
    let host: String = plain.take(MAX_HOST).collect();
    Some((host.into(), letter.what.map_or(What::Lifted, as_what)))
}

/// What holds from now on.
#[derive(Debug)]
pub(super) enum What {
    /// Nothing: it was lifted.
    Lifted,
    /// A block.
    Block(BlockTold),
    /// A measure.
    Measure(Box<MeasureTold>),
}

/// A block on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BlockTold {
    reason: Box<str>,
    by: String,
    /// In the store's microseconds; none: until it is lifted.
    until: Option<u64>,
}

/// A measure on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MeasureTold {
    id: Box<str>,
    measure: MeasureLeft,
}

/// The store's time, as far as it is known here.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StoreTime {
    /// What it was at the beginning of this process, in microseconds.
    zero: u64,
}

impl StoreTime {
    /// The store's time, of what it is now.
    pub(super) fn of(now: u64, moment: Moment) -> Self {
        Self {
            zero: now.saturating_sub(micros(moment)),
        }
    }

    /// What a moment is in the store's time.
    pub(super) fn at(self, moment: Moment) -> u64 {
        self.zero.saturating_add(micros(moment))
    }

    /// The moment that a time of the store's is; the beginning, for one before it.
    fn moment(self, time: u64) -> Moment {
        Moment::default().after(Duration::from_micros(time.saturating_sub(self.zero)))
    }
}

fn micros(moment: Moment) -> u64 {
    moment.as_nanos().checked_div(1_000).unwrap_or(0)
}

impl Item {
    /// What is lifted, or never was.
    pub(super) fn lifted(name: &Name, ordered: u64, host: &str) -> Option<Self> {
        Some(Self {
            name: name.text().into(),
            ordered,
            ends: Some(ordered.saturating_add(REMEMBERED)),
            content: written::<()>(host, None)?,
        })
    }

    /// A block that holds.
    pub(super) fn block(block: &Block, ordered: u64, time: StoreTime, host: &str) -> Option<Self> {
        let until = block.until.map(|until| time.at(until));
        let told = BlockTold {
            reason: block.reason.clone(),
            by: block.by.to_string(),
            until,
        };
        Some(Self {
            name: Name::Block(block.network).text().into(),
            ordered,
            ends: until,
            content: written(host, Some(&told))?,
        })
    }

    /// A measure in force.
    pub(super) fn measure(measure: &Measure, ordered: u64, host: &str) -> Option<Self> {
        let told = MeasureTold {
            id: measure.id.clone(),
            measure: state::measure_left(measure)?,
        };
        Some(Self {
            name: Name::Measure(measure.change.kind()).text().into(),
            ordered,
            ends: None,
            content: written(host, Some(&told))?,
        })
    }
}

impl Told {
    /// Reads what a host has told: when it was ordered, and what it says.
    pub(super) fn read(name: &str, held: &str) -> Option<Self> {
        let name = Name::read(name)?;
        let (ordered, content) = held.split_once(' ')?;
        let (host, what) = match name {
            Name::Block(_) => opened(content, What::Block)?,
            Name::Measure(_) => opened(content, |told| What::Measure(Box::new(told)))?,
        };
        Some(Self {
            name,
            ordered: ordered.parse().ok()?,
            host,
            what,
        })
    }
}

impl BlockTold {
    /// The block that was told of, if it still holds and is not one of everyone.
    pub(super) fn block(self, network: IpNet, time: StoreTime, now: Moment) -> Option<Block> {
        let until = self.until.map(|until| time.moment(until));
        let holds = until.is_none_or(|until| now < until);
        let everyone = network.prefix_len() == 0;
        (holds && !everyone).then(|| Block {
            network,
            reason: self.reason.chars().take(MAX_REASON).collect(),
            by: By::of(&self.by),
            since: now,
            until,
        })
    }
}

impl MeasureTold {
    /// The measure that was told of, if it is one of this kind.
    pub(super) fn measure(self, kind: &str) -> Option<Measure> {
        let since = self.measure.since();
        let order = state::order(self.measure)?;
        (order.change.kind() == kind).then(|| Measure {
            id: self.id,
            change: order.change,
            by: order.by,
            reason: order.reason,
            since,
            until: order.until,
        })
    }
}

/// A network of one address by that address.
pub(super) fn shown(network: IpNet) -> String {
    let address: IpAddr = network.addr();
    if network.prefix_len() == network.max_prefix_len() {
        address.to_string()
    } else {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::policy::limits::Limit;

    fn time() -> StoreTime {
        StoreTime::of(1_700_000_000_000_000, Moment::from_nanos(5_000_000))
    }

    fn again(item: &Item) -> Told {
        let held = format!("{} {}", item.ordered, item.content);
        Told::read(&item.name, &held).expect("what is told can be read")
    }

    #[test]
    fn a_block_is_the_same_on_the_other_side() {
        let now = Moment::from_nanos(9_000_000_000);
        for (network, until) in [
            ("192.0.2.0/24", None),
            ("2001:db8::/64", Some(now.after(Duration::from_mins(1)))),
        ] {
            let block = Block {
                network: network.parse().unwrap(),
                reason: "guessing keys, \"loudly\"".into(),
                by: By::Operator("alice".into()),
                since: now,
                until,
            };
            let item = Item::block(&block, 7, time(), "edge-1:\u{7}ab").unwrap();
            let Told {
                name,
                ordered,
                host,
                what,
            } = again(&item);
            assert_eq!(
                (&name, ordered, &*host),
                (&Name::Block(block.network), 7, "edge-1:ab"),
                "{item:?}"
            );
            let What::Block(told) = what else {
                panic!("a block");
            };
            assert_eq!(
                told.block(block.network, time(), now),
                Some(block),
                "{item:?}"
            );
        }
    }

    #[test]
    fn a_measure_is_the_same_on_the_other_side() {
        let limit = Limit::new("5/second".parse().unwrap(), 7).unwrap();
        for change in [
            Change::Strict(Some(limit)),
            Change::Sanitization,
            Change::Rates(limit),
            Change::Headers {
                csp: Some("default-src 'none'".parse().unwrap()),
                hsts_max_age: Some(1),
            },
        ] {
            let measure = Measure {
                id: format!("{}-3", change.kind()).into(),
                change,
                by: "alice".into(),
                reason: None,
                since: SystemTime::UNIX_EPOCH,
                until: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(5)),
            };
            let item = Item::measure(&measure, 9, "edge-1").unwrap();
            let Told { name, what, .. } = again(&item);
            let Name::Measure(kind) = name else {
                panic!("a measure");
            };
            let What::Measure(told) = what else {
                panic!("that holds");
            };
            assert_eq!(told.measure(kind), Some(measure), "{item:?}");
        }
    }

    #[test]
    fn what_others_write_is_read_with_care() {
        for (name, held) in [
            ("block:everyone", "1 LIFTED"),
            ("block:192.0.2.0/24", "1"),
            ("block:192.0.2.0/24", "1 null"),
            ("block:192.0.2.0/24", "x LIFTED"),
            ("block:192.0.2.0/24", "-1 LIFTED"),
            ("block:192.0.2.0/24", "1 {\"host\":\"a\",\"what\":{}}"),
            ("measure:dance", "1 LIFTED"),
            (
                "measure:request_size",
                "1 {\"host\":\"a\",\"what\":{\"id\":\"x\"}}",
            ),
            ("else", "1 LIFTED"),
        ] {
            let held = held.replace("LIFTED", "{\"host\":\"a\",\"what\":null}");
            assert!(Told::read(name, &held).is_none(), "{name} {held}");
        }
        let told = BlockTold {
            reason: "".into(),
            by: "x".into(),
            until: None,
        };
        let everyone = "0.0.0.0/0".parse().unwrap();
        assert_eq!(
            told.block(everyone, time(), Moment::default()),
            None,
            "nobody can send everyone away"
        );
        let lifted = again(&Item::lifted(&Name::Measure("request_size"), 3, "a").unwrap());
        assert!(matches!(lifted.what, What::Lifted), "{lifted:?}");
    }
}

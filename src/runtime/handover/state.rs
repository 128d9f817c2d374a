//! What a successor must not forget: who is blocked, which emergency measures hold, and what was
//! counted (`counts`).
//!
//! Decides how blocks and measures are written down, with ends as lengths of time that are left for blocks (each
//! process has a clock of its own) and as times of day for measures. What a successor can't take
//! (a measure that its policy refuses, a block for which there is no place) is logged and left.

use std::time::{Duration, SystemTime};

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::counts;
use super::message::State;
use crate::admit::bequest::Bequest;
use crate::admit::blocks::{Block, By};
use crate::admit::moment::Moment;
use crate::internal::control::Control;
use crate::policy::EndpointOrder;
use crate::policy::limits::Limit;
use crate::policy::overlay::{Change, Measure, Order};
use crate::policy::units::ByteLimit;
use crate::route::live;

const BLOCKS: &str = "blocks";
const MEASURES: &str = "measures";

#[derive(Serialize, Deserialize)]
struct BlockLeft {
    network: String,
    reason: Box<str>,
    by: String,
    /// None: until it is lifted.
    left: Option<Duration>,
}

/// A measure as it is written down.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MeasureLeft {
    change: ChangeLeft,
    by: Box<str>,
    reason: Option<Box<str>>,
    since: SystemTime,
    until: Option<SystemTime>,
}

impl MeasureLeft {
    /// From when it is in force.
    pub(crate) const fn since(&self) -> SystemTime {
        self.since
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChangeLeft {
    Strict(Option<LimitLeft>),
    Sanitization,
    Rates(LimitLeft),
    Sizes {
        any: Option<u64>,
        json: Option<u64>,
    },
    Headers {
        csp: Option<String>,
        hsts_max_age: Option<u64>,
    },
    Drain(EndpointLeft),
    Force(EndpointLeft),
}

#[derive(Debug, Serialize, Deserialize)]
struct EndpointLeft {
    provider: Box<str>,
    endpoint: Option<Box<str>>,
}

impl EndpointLeft {
    fn ordered(self, order: live::Order) -> Change {
        Change::Endpoint(EndpointOrder {
            provider: self.provider,
            endpoint: self.endpoint,
            order,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct LimitLeft {
    rate: String,
    burst: u32,
}

impl LimitLeft {
    fn of(limit: &Limit) -> Self {
        Self {
            rate: limit.rate().to_string(),
            burst: limit.burst(),
        }
    }

    fn limit(&self) -> Option<Limit> {
        Limit::new(self.rate.parse().ok()?, self.burst).ok()
    }
}

/// What this process must not take with it.
pub(crate) fn gather(control: &Control, now: Moment) -> State {
    let blocks = control.ledger.blocks.list(now);
    let blocks: Vec<_> = blocks.iter().map(|block| left_of(block, now)).collect();
    let measures = control.measures();
    let measures: Vec<_> = measures.iter().filter_map(measure_left).collect();
    let mut state = State::default();
    for (name, part) in [
        (BLOCKS, serde_json::to_value(blocks)),
        (MEASURES, serde_json::to_value(measures)),
    ] {
        match part {
            Ok(part) => drop(state.parts.insert(name.to_owned(), part)),
            Err(error) => log::error!("{name} can't be handed over: {error}"),
        }
    }
    counts::gather(control, &mut state);
    state
}

fn left_of(block: &Block, now: Moment) -> BlockLeft {
    BlockLeft {
        network: block.network.to_string(),
        reason: block.reason.clone(),
        by: block.by.to_string(),
        left: block.until.map(|until| until.since(now)),
    }
}

/// Writes a measure down; none, where it can't be written.
pub(crate) fn measure_left(measure: &Measure) -> Option<MeasureLeft> {
    let size = |limit: &Option<ByteLimit>| limit.map(ByteLimit::get);
    let change = match &measure.change {
        Change::Strict(limit) => ChangeLeft::Strict(limit.as_ref().map(LimitLeft::of)),
        Change::Sanitization => ChangeLeft::Sanitization,
        Change::Rates(limit) => ChangeLeft::Rates(LimitLeft::of(limit)),
        Change::Sizes { any, json } => ChangeLeft::Sizes {
            any: size(any),
            json: size(json),
        },
        Change::Headers { csp, hsts_max_age } => ChangeLeft::Headers {
            csp: match csp {
                Some(value) => Some(value.to_str().ok()?.to_owned()),
                None => None,
            },
            hsts_max_age: *hsts_max_age,
        },
        Change::Endpoint(order) => {
            let left = EndpointLeft {
                provider: order.provider.clone(),
                endpoint: order.endpoint.clone(),
            };
            match order.order {
                live::Order::Drain => ChangeLeft::Drain(left),
                live::Order::Force => ChangeLeft::Force(left),
                live::Order::Auto => return None,
            }
        }
    };
    Some(MeasureLeft {
        change,
        by: measure.by.clone(),
        reason: measure.reason.clone(),
        since: measure.since,
        until: measure.until,
    })
}

/// Takes over what another process handed on.
pub(crate) fn restore(control: &Control, counted: Option<&Bequest>, mut state: State, now: Moment) {
    counts::restore(control, counted, &mut state);
    let blocks = state.parts.remove(BLOCKS).unwrap_or_default();
    match serde_json::from_value::<Option<Vec<BlockLeft>>>(blocks) {
        Ok(blocks) => restore_blocks(control, blocks.unwrap_or_default(), now),
        Err(error) => log::error!("the blocks of the process before can't be read: {error}"),
    }
    let measures = state.parts.remove(MEASURES).unwrap_or_default();
    match serde_json::from_value::<Option<Vec<MeasureLeft>>>(measures) {
        Ok(measures) => restore_measures(control, measures.unwrap_or_default()),
        Err(error) => log::error!("the measures of the process before can't be read: {error}"),
    }
    for name in state.parts.keys() {
        log::warn!("the process before handed over {name}, which this one does not know");
    }
}

fn restore_blocks(control: &Control, blocks: Vec<BlockLeft>, now: Moment) {
    let count = blocks.len();
    for block in blocks {
        let Ok(network) = block.network.parse() else {
            log::error!("the process before handed over a block of no network");
            continue;
        };
        let block = Block {
            network,
            reason: block.reason,
            by: By::of(&block.by),
            since: now,
            until: block.left.map(|left| now.after(left)),
        };
        if let Err(full) = control.ledger.blocks.adopt(block, now) {
            log::error!("the block of {network} can't be taken over: {full}");
        }
    }
    log::info!("{count} blocks were taken over");
}

fn restore_measures(control: &Control, measures: Vec<MeasureLeft>) {
    for measure in measures {
        let since = measure.since;
        let Some(order) = order(measure) else {
            log::error!("a measure of the process before can't be taken over");
            continue;
        };
        let kind = order.change.kind();
        match control.remeasure(|overlay| overlay.take(order, since)) {
            Ok(_measure) => log::info!("the measure {kind} was taken over"),
            Err(error) => log::error!("the measure {kind} can't be taken over: {error}"),
        }
    }
}

/// The order that a measure was taken by, if it makes sense.
pub(crate) fn order(measure: MeasureLeft) -> Option<Order> {
    let size = |bytes: Option<u64>| bytes.map(ByteLimit::new).transpose();
    let change = match measure.change {
        ChangeLeft::Strict(None) => Change::Strict(None),
        ChangeLeft::Strict(Some(limit)) => Change::Strict(Some(limit.limit()?)),
        ChangeLeft::Sanitization => Change::Sanitization,
        ChangeLeft::Rates(limit) => Change::Rates(limit.limit()?),
        ChangeLeft::Sizes { any, json } => Change::Sizes {
            any: size(any).ok()?,
            json: size(json).ok()?,
        },
        ChangeLeft::Headers { csp, hsts_max_age } => Change::Headers {
            csp: csp
                .map(|text| HeaderValue::from_str(&text))
                .transpose()
                .ok()?,
            hsts_max_age,
        },
        ChangeLeft::Drain(left) => left.ordered(live::Order::Drain),
        ChangeLeft::Force(left) => left.ordered(live::Order::Force),
    };
    Some(Order {
        change,
        by: measure.by,
        reason: measure.reason,
        until: measure.until,
    })
}

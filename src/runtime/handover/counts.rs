//! What was counted, handed over: limits and violations, providers in trouble, the day's figures.
//!
//! Decides that each part has a version of its own: a part of another version, or one that does not
//! parse, is logged and left behind, and the rest is taken over all the same.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::State;
use crate::admit::bequest::{self as limits, Bequest};
use crate::internal::control::Control;
use crate::record::monitor::bequest as day;
use crate::route::bequest as providers;
use crate::runtime::clock;

const LIMITS: &str = "limits";
const PROVIDERS: &str = "providers";
const DAY: &str = "day";

/// A part and the version of its form.
#[derive(Debug, Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    part: T,
}

/// Puts what this process has counted into the message.
pub(super) fn gather(control: &Control, state: &mut State) {
    let wall = clock::wall()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let left = Bequest::of(&control.ledger, clock::moment(), wall);
    put(state, LIMITS, limits::VERSION, left);
    let snapshot = control.snapshot.load();
    let left = providers::of(&snapshot.view, &snapshot.policy, clock::uptime());
    put(state, PROVIDERS, providers::VERSION, left);
    let left = control.watch.monitor().left();
    put(state, DAY, day::VERSION, left);
}

fn put(state: &mut State, name: &str, version: u32, part: impl Serialize) {
    match serde_json::to_value(Versioned { version, part }) {
        Ok(part) => drop(state.parts.insert(name.to_owned(), part)),
        Err(error) => log::error!("{name} can't be handed over: {error}"),
    }
}

/// What was counted under limits, which a ledger must be made for.
pub(crate) fn counted(state: &mut State) -> Option<Bequest> {
    taken(state, LIMITS, limits::VERSION)
}

/// Takes over what the process before has counted.
pub(super) fn restore(control: &Control, counted: Option<&Bequest>, state: &mut State) {
    if let Some(counted) = counted {
        match counted.take(&control.ledger, clock::moment()) {
            Ok(count) => log::info!("{count} counts of limits were taken over"),
            Err(fault) => log::error!("{LIMITS} can't be taken over: {fault}"),
        }
    }
    if let Some(left) = taken(state, PROVIDERS, providers::VERSION) {
        let snapshot = control.snapshot.load();
        let (view, policy) = (&snapshot.view, &snapshot.policy);
        let count = providers::take(&left, view, policy, clock::uptime());
        log::info!("the trouble of {count} endpoints was taken over");
    }
    if let Some(left) = taken::<day::DayLeft>(state, DAY, day::VERSION) {
        control.watch.monitor().take(&left);
    }
}

fn taken<T: DeserializeOwned>(state: &mut State, name: &str, version: u32) -> Option<T> {
    let part: Versioned<Value> = match serde_json::from_value(state.parts.remove(name)?) {
        Ok(part) => part,
        Err(error) => {
            log::error!("{name} of the process before can't be read: {error}");
            return None;
        }
    };
    if part.version != version {
        let other = part.version;
        log::warn!("{name} of the process before is of version {other}; left behind");
        return None;
    }
    serde_json::from_value(part.part)
        .inspect_err(|error| log::error!("{name} of the process before can't be read: {error}"))
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_of_another_version_or_shape_is_left_behind_and_only_that() {
        let mut state = State::default();
        for (name, part) in [
            ("good", json!({"version": 1, "part": 7})),
            ("newer", json!({"version": 2, "part": {"more": 7}})),
            ("older", json!({"version": 0, "part": 7})),
            ("odd", json!({"version": 1, "part": "seven"})),
            ("bare", json!(7)),
        ] {
            state.parts.insert(name.to_owned(), part);
        }
        for (name, expected) in [
            ("good", Some(7)),
            ("newer", None),
            ("older", None),
            ("odd", None),
            ("bare", None),
            ("absent", None),
        ] {
            assert_eq!(taken::<u32>(&mut state, name, 1), expected, "{name}");
        }
    }
}

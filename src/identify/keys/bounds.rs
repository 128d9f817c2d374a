//! What a key is bound to: models, providers, paths, networks, hours, and rates of its own.
//!
//! Decides whether one value lies within one bound. What is not bound is free. It never decides
//! what a bound means for a request: that is `identify::authorize`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::hours::Hours;
use crate::identify::source;
use crate::policy::units::Rate;
use crate::route::pattern::Pattern;

/// The bounds of a key; `None` is no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Models that it may use.
    pub models: Option<Vec<Pattern>>,
    /// Providers that it may use.
    pub providers: Option<Vec<Pattern>>,
    /// Paths that it may use.
    pub paths: Option<Vec<Pattern>>,
    /// Networks that it may come from.
    pub ips: Option<Vec<IpNet>>,
    /// Hours in which it may call.
    pub hours: Option<Vec<Hours>>,
    /// Rates of its own.
    pub limits: KeyLimits,
    /// Notes of the operators.
    pub metadata: BTreeMap<Box<str>, Box<str>>,
}

/// Rates of a key's own, in the place of those that all keys have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// How often it may call.
    pub rate: Option<Rate>,
    /// How many calls at once above the rate.
    pub burst: Option<u32>,
    /// Model tokens.
    pub tokens: Option<Rate>,
    /// Calls in flight at once.
    pub concurrent: Option<u32>,
}

impl Bounds {
    /// Whether the key is good for this model.
    pub fn allows_model(&self, model: &str) -> bool {
        is_free_or_matches(self.models.as_deref(), model)
    }

    /// Whether the key is good for every model, also for one that can't be told.
    pub fn allows_every_model(&self) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.iter().any(|model| model.as_str() == "*"))
    }

    /// Whether the key is good for this provider.
    pub fn allows_provider(&self, provider: &str) -> bool {
        is_free_or_matches(self.providers.as_deref(), provider)
    }

    /// Whether the key is good at this path.
    pub fn allows_path(&self, path: &str) -> bool {
        is_free_or_matches(self.paths.as_deref(), path)
    }

    /// Whether the key is good from this address.
    pub fn allows_address(&self, address: IpAddr) -> bool {
        self.ips
            .as_ref()
            .is_none_or(|networks| source::within(networks, address))
    }

    /// Whether the key is good at this time, in seconds since 1970.
    pub fn allows_time(&self, now: u64) -> bool {
        self.hours
            .as_ref()
            .is_none_or(|hours| hours.iter().any(|hours| hours.hold(now)))
    }
}

fn is_free_or_matches(patterns: Option<&[Pattern]>, text: &str) -> bool {
    patterns.is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_bound_is_free_and_an_empty_bound_holds_nothing() {
        let free = Bounds::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        assert!(
            free.allows_model("m")
                && free.allows_provider("p")
                && free.allows_path("/")
                && free.allows_address(address)
                && free.allows_time(0)
                && free.allows_every_model(),
            "no bounds"
        );
        let shut = Bounds {
            models: Some(Vec::new()),
            providers: Some(Vec::new()),
            paths: Some(Vec::new()),
            ips: Some(Vec::new()),
            hours: Some(Vec::new()),
            ..Bounds::default()
        };
        assert!(
            !(shut.allows_model("m")
                || shut.allows_provider("p")
                || shut.allows_path("/")
                || shut.allows_address(address)
                || shut.allows_time(0)
                || shut.allows_every_model()),
            "empty bounds"
        );
    }
}

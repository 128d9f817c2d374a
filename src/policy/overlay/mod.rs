//! Emergency measures as a value: a policy and an overlay make another policy.
//!
//! Decides what each measure changes, which measure replaces which, and when one has run out. An
//! overlay only ever lives beside a policy: it is kept while the policy below it is replaced, and
//! dropping it gives that policy back unchanged. It reads no clock; the time is handed in. Blocks
//! of addresses are not here: they are state, and change no rule.

use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderName, HeaderValue, header};
use serde::Serialize;

use super::Policy;
use super::inspection::{Action, Sanitization};
use super::limits::Limit;
use super::units::ByteLimit;
use super::upstream::EndpointOrder;
use crate::inspect::engine::{Inspector, InspectorFault};
use crate::route::live;

/// What a measure changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Everything that can be refused of what requests say is refused; with a limit, addresses and
    /// keys are held to it too.
    Strict(Option<Limit>),
    /// Text is cleaned as strictly as can be.
    Sanitization,
    /// Every address and every key is held to this limit, beside those of the policy and its own.
    Rates(Limit),
    /// Bodies are held to these sizes, if those of the policy are larger.
    Sizes {
        /// Any body.
        any: Option<ByteLimit>,
        /// JSON.
        json: Option<ByteLimit>,
    },
    /// Answers carry these headers.
    Headers {
        /// `content-security-policy`.
        csp: Option<HeaderValue>,
        /// Seconds in `strict-transport-security`.
        hsts_max_age: Option<u64>,
    },
    /// An endpoint, or all of a provider's, take no new calls, or take them whatever health says.
    Endpoint(EndpointOrder),
}

impl Change {
    /// The kinds that all hosts of a fleet share. Orders about endpoints are each host's own.
    pub const SHARED: [&'static str; 5] = [
        "emergency_mode",
        "enhanced_sanitization",
        "emergency_rates",
        "request_size",
        "security_headers",
    ];

    /// The name of its kind. Of each kind there is one measure at most, and of orders one for
    /// each name: a newer one replaces it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Strict(_) => "emergency_mode",
            Self::Sanitization => "enhanced_sanitization",
            Self::Rates(_) => "emergency_rates",
            Self::Sizes { .. } => "request_size",
            Self::Headers { .. } => "security_headers",
            Self::Endpoint(order) => match order.order {
                live::Order::Drain => "endpoint_drain",
                live::Order::Force => "endpoint_force",
                live::Order::Auto => "endpoint_auto",
            },
        }
    }

    /// What there is one measure of at most.
    const fn slot(&self) -> (&'static str, Option<(&str, Option<&str>)>) {
        match self {
            Self::Endpoint(order) => {
                let endpoint = match &order.endpoint {
                    Some(name) => Some(&**name),
                    None => None,
                };
                ("endpoint", Some((&*order.provider, endpoint)))
            }
            Self::Strict(_)
            | Self::Sanitization
            | Self::Rates(_)
            | Self::Sizes { .. }
            | Self::Headers { .. } => (self.kind(), None),
        }
    }

    /// What it sets, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Strict(limit) => {
                let strict = "attacks, code and secrets in requests are refused, text is cleaned \
                              strictly";
                listed([Some(strict.to_owned()), limit.as_ref().map(held_to)])
            }
            Self::Sanitization => "text is cleaned strictly".to_owned(),
            Self::Rates(limit) => held_to(limit),
            Self::Sizes { any, json } => {
                let shown = |name: &str, size: &Option<ByteLimit>| {
                    size.map(|size| format!("{name} at most {} bytes", size.get()))
                };
                listed([shown("bodies", any), shown("JSON", json)])
            }
            Self::Headers { csp, hsts_max_age } => {
                let csp = csp
                    .as_ref()
                    .map(|value| format!("csp {}", String::from_utf8_lossy(value.as_bytes())));
                listed([csp, hsts_max_age.map(|age| format!("hsts_max_age {age}"))])
            }
            Self::Endpoint(order) => {
                let whose = match &order.endpoint {
                    Some(endpoint) => format!("{endpoint} of provider {}", order.provider),
                    None => format!("every endpoint of provider {}", order.provider),
                };
                match order.order {
                    live::Order::Drain => format!("{whose} takes no new calls"),
                    live::Order::Force => format!("{whose} takes calls, whatever its health"),
                    live::Order::Auto => format!("{whose} takes calls by its health"),
                }
            }
        }
    }

    fn apply(&self, policy: &mut Policy) {
        match self {
            Self::Strict(limit) => {
                policy.limits.emergency.extend(*limit);
                let rules = &mut policy.inspection;
                rules.sanitization = Sanitization::Strict;
                for action in [
                    &mut rules.prompt_injection,
                    &mut rules.code_patterns,
                    &mut rules.web_attacks,
                    &mut rules.secrets,
                ] {
                    *action = Action::Block;
                }
            }
            Self::Sanitization => policy.inspection.sanitization = Sanitization::Strict,
            Self::Rates(limit) => policy.limits.emergency.push(*limit),
            Self::Sizes { any, json } => {
                let sizes = &mut policy.sizes;
                sizes.reduced = true;
                let paths = sizes.paths.iter_mut().map(|(_, limit)| limit);
                let all = [&mut sizes.default, &mut sizes.form, &mut sizes.file];
                for limit in all.into_iter().chain([&mut sizes.json]).chain(paths) {
                    *limit = any.map_or(*limit, |any| any.min(*limit));
                }
                sizes.json = json.map_or(sizes.json, |json| json.min(sizes.json));
            }
            Self::Headers { csp, hsts_max_age } => {
                if let Some(value) = csp {
                    set(policy, header::CONTENT_SECURITY_POLICY, value.clone());
                }
                let hsts = hsts_max_age.map(|age| format!("max-age={age}; includeSubDomains"));
                let hsts = hsts.and_then(|text| HeaderValue::from_str(&text).ok());
                if let Some(value) = hsts {
                    set(policy, header::STRICT_TRANSPORT_SECURITY, value);
                }
            }
            Self::Endpoint(order) => policy.endpoint_orders.push(order.clone()),
        }
    }

    /// Whether the inspection must be compiled anew for it.
    const fn touches_inspection(&self) -> bool {
        match self {
            Self::Strict(_) | Self::Sanitization => true,
            Self::Rates(_) | Self::Sizes { .. } | Self::Headers { .. } | Self::Endpoint(_) => false,
        }
    }
}

fn held_to(limit: &Limit) -> String {
    let (rate, burst) = (limit.rate(), limit.burst());
    format!("every address and key at most {rate}, {burst} at once")
}

fn listed<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn set(policy: &mut Policy, name: HeaderName, value: HeaderValue) {
    policy.security_headers.retain(|(other, _)| *other != name);
    policy.security_headers.push((name, value));
}

/// A measure in force: what, by whom, from when, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Its id: the kind and a number.
    pub id: Box<str>,
    /// What it changes.
    pub change: Change,
    /// The key that ordered it.
    pub by: Box<str>,
    /// Why, in the operator's words.
    pub reason: Option<Box<str>>,
    /// From when.
    pub since: SystemTime,
    /// Until when; none: until it is undone.
    pub until: Option<SystemTime>,
}

/// An order to take a measure.
#[derive(Debug, Clone)]
pub struct Order {
    /// What it changes.
    pub change: Change,
    /// Who orders it.
    pub by: Box<str>,
    /// Why.
    pub reason: Option<Box<str>>,
    /// Until when.
    pub until: Option<SystemTime>,
}

/// A measure as it is shown.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    id: &'a str,
    kind: &'static str,
    effect: String,
    by: &'a str,
    reason: Option<&'a str>,
    since: Option<String>,
    until: Option<String>,
}

impl Measure {
    /// The measure for people and machines to read.
    pub fn shown(&self) -> Shown<'_> {
        Shown {
            id: &self.id,
            kind: self.change.kind(),
            effect: self.change.describe(),
            by: &self.by,
            reason: self.reason.as_deref(),
            since: moment(self.since),
            until: self.until.and_then(moment),
        }
    }
}

/// A moment as RFC 3339 has it; none for one beyond the calendar.
pub fn moment(at: SystemTime) -> Option<String> {
    jiff::Timestamp::try_from(at).ok().map(|at| at.to_string())
}

/// All measures in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overlay {
    measures: Vec<Measure>,
    made: u64,
}

impl Overlay {
    /// The measures, in the order in which they were taken.
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The measure of a kind.
    pub fn of_kind(&self, kind: &str) -> Option<&Measure> {
        self.measures.iter().find(|one| one.change.kind() == kind)
    }

    /// Takes a measure; one of the same kind, or for the same endpoint, is replaced.
    pub fn take(&mut self, order: Order, now: SystemTime) -> Measure {
        let (kind, slot) = (order.change.kind(), order.change.slot());
        self.measures
            .retain(|measure| measure.change.slot() != slot);
        self.made = self.made.saturating_add(1);
        let Order {
            change,
            by,
            reason,
            until,
        } = order;
        let measure = Measure {
            id: format!("{kind}-{}", self.made).into(),
            change,
            by,
            reason,
            since: now,
            until,
        };
        self.measures.push(measure.clone());
        measure
    }

    /// Takes a measure over as it was taken elsewhere; one of the same kind is replaced.
    pub fn adopt(&mut self, measure: Measure) {
        let kind = measure.change.kind();
        let place = self
            .measures
            .iter_mut()
            .find(|one| one.change.kind() == kind);
        match place {
            Some(place) => *place = measure,
            None => self.measures.push(measure),
        }
    }

    /// Undoes the measure with this id, or of this kind.
    pub fn undo(&mut self, name: &str) -> Option<Measure> {
        let is_it = |measure: &Measure| &*measure.id == name || measure.change.kind() == name;
        let place = self.measures.iter().position(is_it)?;
        Some(self.measures.remove(place))
    }

    /// Undoes the orders for an endpoint by the name that they were given for, or all of those
    /// for a provider.
    pub fn release(&mut self, provider: &str, endpoint: Option<&str>) -> Vec<Measure> {
        let is_it = |measure: &mut Measure| match measure.change.slot() {
            (_, Some((whose, name))) => {
                whose == provider && (endpoint.is_none() || name == endpoint)
            }
            (_, None) => false,
        };
        self.measures.extract_if(.., is_it).collect()
    }

    /// Undoes all measures.
    pub fn clear(&mut self) -> Vec<Measure> {
        std::mem::take(&mut self.measures)
    }

    /// Undoes the measures whose time is over.
    pub fn expire(&mut self, now: SystemTime) -> Vec<Measure> {
        let over = |measure: &mut Measure| measure.until.is_some_and(|until| until <= now);
        self.measures.extract_if(.., over).collect()
    }

    /// When the next measure runs out.
    pub fn next_end(&self) -> Option<SystemTime> {
        self.measures.iter().filter_map(|m| m.until).min()
    }

    /// The policy that holds while these measures do.
    ///
    /// # Errors
    /// The inspection can't be compiled; the policy below compiled with the same rules.
    pub fn over(&self, base: &Policy) -> Result<Policy, InspectorFault> {
        let mut policy = base.clone();
        for measure in &self.measures {
            measure.change.apply(&mut policy);
        }
        let inspects = |measure: &Measure| measure.change.touches_inspection();
        if self.measures.iter().any(inspects) {
            policy.inspector = Arc::new(Inspector::compile(&policy.inspection)?);
        }
        for measure in &self.measures {
            policy.hash = format!("{}+{}", policy.hash, measure.id).into();
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests;

//! How often callers may call: rates and bursts to limits that can be counted by.
//!
//! Decides that each is more than nothing and recovers within a year. A burst that is not written
//! is what the contract says, and never more than the rate allows in its period.

use super::{Compiler, KeyPath};
use crate::config::raw::{RateText, RawBlock, RawKeyLimit, RawRateLimits, RawSettings};
use crate::policy::limits::{BlockRule, KeyLimits, Limit, Limits, ModelLimit};
use crate::policy::store::{NoStore, Store};
use crate::policy::units::Rate;
use crate::route::pattern::Pattern;

impl Compiler<'_> {
    /// All limits on how often and how much.
    pub(super) fn limits(
        &mut self,
        raw: &RawRateLimits,
        settings: &RawSettings,
        development: bool,
    ) -> Option<Limits> {
        let at = KeyPath::of("rate_limits");
        let global = self.optional(&at.key("global"), raw.global.as_ref(), |this, at, raw| {
            this.limit(at, &raw.rate, raw.burst, u32::MAX)
        });
        let per_ip = self.optional(&at.key("per_ip"), raw.per_ip.as_ref(), |this, at, raw| {
            this.limit(at, &raw.rate, raw.burst, u32::MAX)
        });
        let mut key = raw.per_key.clone();
        if let Some(rpm) = settings.rate_limit_rpm {
            // A rate of nothing is told at the key that it stands for.
            key.get_or_insert_with(|| RawKeyLimit {
                rate: None,
                ..RawKeyLimit::default()
            })
            .rate = Some(RateText::new(format!("{rpm}/minute")));
        }
        if development
            && let Some(key) = &mut key
            && key.rate == RawKeyLimit::default().rate
            && key.burst.is_none()
        {
            // There are no keys; one that is written counts for all callers together.
            key.rate = None;
        }
        let per_key = self.optional(&at.key("per_key"), key.as_ref(), Self::key_limits);
        let mut models = Vec::with_capacity(raw.models.len());
        for (index, group) in raw.models.iter().enumerate() {
            let at = at.key("models").index(index);
            let limit = self.limit(&at, &group.rate, group.burst, u32::MAX);
            let patterns = self.model_patterns(&at.key("models"), &group.models);
            models.extend(limit.zip(patterns).map(|(limit, models)| ModelLimit {
                models,
                name: group.models.join(",").into(),
                limit,
            }));
        }
        let concurrent = settings.max_concurrent_requests.or(raw.concurrent_requests);
        let concurrent = self.at_least_one(&at.key("concurrent_requests"), concurrent);
        let block = self.optional(&at.key("block"), raw.block.as_ref(), Self::block_rule);
        Some(Limits {
            emergency: Vec::new(),
            global: global?,
            per_ip: per_ip?,
            per_key: per_key?.unwrap_or_default(),
            models: (models.len() == raw.models.len()).then_some(models)?,
            concurrent: concurrent?,
            block: block?,
            max_clients: usize::try_from(raw.max_clients).unwrap_or(usize::MAX),
        })
    }

    /// Where what was used of the limits is kept.
    pub(super) fn store(&mut self, raw: &RawRateLimits) -> Option<Store> {
        let at = KeyPath::of("rate_limits.store");
        let Some(text) = &raw.store else {
            return Some(Store::Memory);
        };
        let written = text.expose();
        // An address without a password is no secret.
        let refers = written.contains("${") || written.starts_with("file:");
        let store = if refers || written.contains('@') {
            self.secret(&at, text)?.expose().parse()
        } else {
            written.parse()
        };
        if store == Err(NoStore) {
            let remedy = "write memory, or redis://HOST:PORT/DB (rediss:// for TLS; in a \
                          password, %-encode what is not a letter or a digit)";
            self.fault(&at, NoStore.to_string(), remedy);
        }
        store.ok()
    }

    /// One limit, its burst by default no more than `most` and the rate's own count.
    pub(in crate::config) fn limit(
        &mut self,
        at: &KeyPath,
        rate: &RateText,
        burst: Option<u32>,
        most: u32,
    ) -> Option<Limit> {
        let rate: Rate = self.quantity(&at.key("rate"), rate.as_str())?;
        let of_rate = u32::try_from(rate.count().get()).unwrap_or(u32::MAX);
        let burst = burst.unwrap_or_else(|| most.min(of_rate));
        match Limit::new(rate, burst) {
            Ok(limit) => Some(limit),
            Err(fault) => {
                let remedy = "write how many may come at once, such as 10";
                self.fault(&at.key("burst"), fault.to_string(), remedy);
                None
            }
        }
    }

    fn key_limits(&mut self, at: &KeyPath, raw: &RawKeyLimit) -> Option<KeyLimits> {
        let rate = self.optional(at, raw.rate.as_ref(), |this, at, rate| {
            this.limit(at, rate, raw.burst, KeyLimits::BURST)
        });
        let tokens = self.optional(&at.key("tokens"), raw.tokens.as_ref(), Self::token_limit);
        let concurrent = self.at_least_one(&at.key("concurrent"), raw.concurrent);
        Some(KeyLimits {
            rate: rate?,
            tokens: tokens?,
            concurrent: concurrent?,
        })
    }

    /// A limit on model tokens: a whole period's worth at once, which is never more than a day's.
    pub(super) fn token_limit(&mut self, at: &KeyPath, text: &RateText) -> Option<Limit> {
        let rate: Rate = self.quantity(at, text.as_str())?;
        let burst = u32::try_from(rate.count().get()).unwrap_or(u32::MAX);
        Limit::new(rate, burst).ok()
    }

    fn model_patterns(&mut self, at: &KeyPath, texts: &[String]) -> Option<Vec<Pattern>> {
        if texts.is_empty() {
            self.fault(at, "names no model", "write one such as gpt-*");
            return None;
        }
        let mut patterns = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match text.parse() {
                Ok(pattern) => patterns.push(pattern),
                Err(_no_pattern) => self.fault(
                    &at.index(index),
                    "is not a model's name or a pattern",
                    "write one such as gpt-4o or gpt-*",
                ),
            }
        }
        (patterns.len() == texts.len()).then_some(patterns)
    }

    fn block_rule(&mut self, at: &KeyPath, raw: &RawBlock) -> Option<BlockRule> {
        let violations = self.at_least_one(&at.key("violations"), Some(raw.violations));
        let within = self.span(&at.key("within"), &raw.within);
        let block_for = self.span(&at.key("block_for"), &raw.block_for);
        Some(BlockRule {
            violations: violations??,
            within: within?,
            block_for: block_for?,
        })
    }

    /// A number that is more than nothing, or none.
    #[expect(
        clippy::option_option,
        reason = "no number and a wrong number are two things"
    )]
    fn at_least_one(&mut self, at: &KeyPath, number: Option<u32>) -> Option<Option<u32>> {
        if number == Some(0) {
            self.fault(
                at,
                "is zero, so that nothing would ever pass",
                "write at least 1, or null for no limit",
            );
            return None;
        }
        Some(number)
    }

    /// What is not written compiles to nothing.
    #[expect(
        clippy::option_option,
        reason = "nothing written and something wrong are two things"
    )]
    fn optional<R, T>(
        &mut self,
        at: &KeyPath,
        raw: Option<&R>,
        compile: impl FnOnce(&mut Self, &KeyPath, &R) -> Option<T>,
    ) -> Option<Option<T>> {
        match raw {
            None => Some(None),
            Some(raw) => compile(self, at, raw).map(Some),
        }
    }
}

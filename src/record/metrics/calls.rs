//! Calls to providers, counted by provider and model.
//!
//! Decides which series a call belongs to: the policy in force names those that have labels, and
//! every other provider or model is `other`. Series are made when first needed and then kept.

use std::sync::OnceLock;

use prometheus::{Error, IntCounter, IntCounterVec, Registry};

use super::labels::{Names, STATUS_LABELS, status_index, status_label};
use super::{MAX_MODELS, MAX_PROVIDERS, counters};
use crate::policy::names::{ModelName, ProviderName};
use crate::record::Facts;

/// Metrics by provider and model.
pub(super) struct CallVecs {
    requests: IntCounterVec,
    tokens: IntCounterVec,
}

impl CallVecs {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        Ok(Self {
            requests: counters(
                registry,
                "proxy_api_provider_requests_total",
                "Requests that a provider was called for, by its answer; `none` if it gave none.",
                &["provider", "model", "status"],
            )?,
            tokens: counters(
                registry,
                "proxy_api_tokens_total",
                "Tokens that providers say were used.",
                &["provider", "model", "kind"],
            )?,
        })
    }
}

/// The names that have labels, and the series of each pair of them.
#[derive(Default)]
pub(super) struct Known {
    providers: Names,
    models: Names,
    pairs: Box<[OnceLock<Box<Pair>>]>,
    /// Attempts that were answered, by provider.
    answered: Box<[OnceLock<IntCounter>]>,
}

/// The series of one provider and model.
struct Pair {
    statuses: Box<[OnceLock<IntCounter>]>,
    prompt: IntCounter,
    completion: IntCounter,
}

impl Known {
    pub(super) fn new<'a>(
        providers: impl IntoIterator<Item = &'a str>,
        models: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let providers = Names::new(providers, MAX_PROVIDERS);
        let models = Names::new(models, MAX_MODELS);
        let pairs = (0..providers.len().saturating_mul(models.len()))
            .map(|_| OnceLock::new())
            .collect();
        let answered = (0..providers.len()).map(|_| OnceLock::new()).collect();
        Self {
            providers,
            models,
            pairs,
            answered,
        }
    }

    /// The label of a provider.
    pub(super) fn provider<'a>(&self, name: &'a ProviderName) -> &'a str {
        self.providers.label(Some(name.as_str()))
    }

    /// The series of a provider's answered attempts; `make` finds it by its label, once.
    pub(super) fn answered(
        &self,
        name: &ProviderName,
        make: impl Fn(&str) -> IntCounter,
    ) -> IntCounter {
        let place = self.providers.index(Some(name.as_str()));
        let make = || make(self.provider(name));
        match self.answered.get(place) {
            Some(kept) => kept.get_or_init(make).clone(),
            None => make(),
        }
    }

    pub(super) fn count(&self, vecs: &CallVecs, facts: &Facts) {
        let provider = facts.provider.as_ref().map(ProviderName::as_str);
        let model = facts.model.as_ref().map(ModelName::as_str);
        let place = self
            .providers
            .index(provider)
            .saturating_mul(self.models.len())
            .saturating_add(self.models.index(model));
        let labels = || [self.providers.label(provider), self.models.label(model)];
        let Some(kept) = self.pairs.get(place) else {
            // Nothing is known yet.
            return Pair::new(vecs, labels()).count(vecs, facts, labels);
        };
        kept.get_or_init(|| Box::new(Pair::new(vecs, labels())))
            .count(vecs, facts, labels);
    }
}

impl Pair {
    fn new(vecs: &CallVecs, [provider, model]: [&str; 2]) -> Self {
        Self {
            statuses: (0..STATUS_LABELS).map(|_| OnceLock::new()).collect(),
            prompt: vecs.tokens.with_label_values(&[provider, model, "prompt"]),
            completion: vecs
                .tokens
                .with_label_values(&[provider, model, "completion"]),
        }
    }

    fn count<'a>(&self, vecs: &CallVecs, facts: &Facts, labels: impl Fn() -> [&'a str; 2]) {
        let status = facts.upstream_status;
        if let Some(kept) = self.statuses.get(status_index(status)) {
            kept.get_or_init(|| {
                let [provider, model] = labels();
                vecs.requests
                    .with_label_values(&[provider, model, &status_label(status)])
            })
            .inc();
        }
        if let Some(tokens) = facts.usage.prompt {
            self.prompt.inc_by(tokens);
        }
        if let Some(tokens) = facts.usage.completion {
            self.completion.inc_by(tokens);
        }
    }
}

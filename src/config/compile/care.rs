//! How a provider is treated: its keys, limits, health checks, breaker, model names and TLS.
//!
//! Decides defaults and that numbers are within bounds; certificates are read and parsed here, so
//! that a wrong one is a fault with a line and not a failed call.

use std::num::NonZeroU32;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;

use super::{Compiler, KeyPath, fits_header, quoted};
use crate::config::raw::{RateText, RawEndpoint, RawOnExceeded, RawProvider, SecretText, SpanText};
use crate::policy::limits::Limit;
use crate::policy::secret::Secret;
use crate::policy::units::Rate;
use crate::policy::upstream::{ClientIdentity, EndpointTls, Exceeded, HealthCheck, ProviderLimits};
use crate::route::balance;
use crate::route::breaker::{BreakerSettings, HealthSettings};
use crate::route::pattern::Pattern;

/// A provider's key may be a token with claims in it, which is longer than a plain key.
const LONGEST_KEY: usize = 4_096;
/// A breaker remembers as many moments as it has failures.
const MOST_FAILURES: u32 = 1_000;
const THREE: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
const FIVE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// A fault was noted.
#[derive(Debug)]
pub(super) struct Faulted;

impl Compiler<'_> {
    /// `api_key`, then `api_keys`.
    pub(super) fn provider_keys(&mut self, at: &KeyPath, raw: &RawProvider) -> Option<Vec<Secret>> {
        let first = raw.api_key.iter().map(|text| (at.key("api_key"), text));
        let list = at.key("api_keys");
        let further = raw.api_keys.iter().enumerate();
        let further = further.map(|(index, text)| (list.index(index), text));
        let written: Vec<(KeyPath, &SecretText)> = first.chain(further).collect();
        let mut keys = Vec::with_capacity(written.len());
        for (at, text) in &written {
            keys.extend(self.provider_key(at, text));
        }
        (keys.len() == written.len()).then_some(keys)
    }

    fn provider_key(&mut self, at: &KeyPath, text: &SecretText) -> Option<Secret> {
        let secret = self.secret(at, text)?;
        if !fits_header(secret.expose(), LONGEST_KEY) {
            self.fault(
                at,
                "holds characters that no header can carry, or more than 4096",
                "a key is visible ASCII without spaces or line ends; check what it refers to",
            );
            return None;
        }
        Some(secret)
    }

    pub(super) fn provider_limits(
        &mut self,
        at: &KeyPath,
        raw: &RawProvider,
    ) -> Option<ProviderLimits> {
        let Some(written) = &raw.rate_limit else {
            return Some(ProviderLimits::default());
        };
        if written.rate.is_none() && written.tokens.is_none() {
            self.fault(
                at,
                "says neither how often nor how many tokens",
                "write a rate such as 500/minute, tokens such as 100000/minute, or both",
            );
            return None;
        }
        if written.rate.is_none() && written.burst.is_some() {
            let remedy = "write a rate such as 500/minute, or no burst";
            self.fault(&at.key("burst"), "goes with no rate", remedy);
            return None;
        }
        let rate = match &written.rate {
            Some(rate) => self.provider_rate(at, rate, written.burst).map(Some),
            None => Some(None),
        };
        let tokens = match &written.tokens {
            Some(text) => self.token_limit(&at.key("tokens"), text).map(Some),
            None => Some(None),
        };
        let longest = match &written.delay {
            Some(delay) => self.span(&at.key("delay").key("max"), &delay.max),
            None => self.span(&at.key("delay"), &SpanText::new("2s")),
        };
        let exceeded = match written.on_exceeded {
            RawOnExceeded::Fallback => Exceeded::Fallback,
            RawOnExceeded::Delay => Exceeded::Delay(longest?.get()),
            RawOnExceeded::Reject => Exceeded::Reject,
        };
        Some(ProviderLimits {
            rate: rate?,
            tokens: tokens?,
            exceeded,
        })
    }

    fn provider_rate(
        &mut self,
        at: &KeyPath,
        rate: &RateText,
        burst: Option<NonZeroU32>,
    ) -> Option<Limit> {
        let rate: Rate = self.quantity(&at.key("rate"), rate.as_str())?;
        let burst = burst.unwrap_or_else(|| a_seconds_worth(rate));
        match Limit::new(rate, burst.get()) {
            Ok(limit) => Some(limit),
            Err(fault) => {
                self.fault(
                    &at.key("burst"),
                    format!("does not go with the rate: {fault}"),
                    "write a smaller burst, or a higher rate",
                );
                None
            }
        }
    }

    pub(super) fn health_check(
        &mut self,
        at: &KeyPath,
        raw: &RawProvider,
    ) -> Result<Option<HealthCheck>, Faulted> {
        let Some(written) = &raw.health_check else {
            return Ok(None);
        };
        let path = written.path.as_deref().unwrap_or("/v1/models");
        if !path.starts_with('/') || path.parse::<http::uri::PathAndQuery>().is_err() {
            self.fault(
                &at.key("path"),
                format!("{} is no path", quoted(path)),
                "write a path such as /v1/models",
            );
            return Err(Faulted);
        }
        let or = |text: &Option<SpanText>, default: &str| {
            text.clone().unwrap_or_else(|| SpanText::new(default))
        };
        let interval = self.span(&at.key("interval"), &or(&written.interval, "5s"));
        let timeout = self.span(&at.key("timeout"), &or(&written.timeout, "2s"));
        Ok(Some(HealthCheck {
            path: path.into(),
            interval: interval.ok_or(Faulted)?.get(),
            timeout: timeout.ok_or(Faulted)?.get(),
            expected: written.expected_status.clone(),
            thresholds: HealthSettings {
                unhealthy_after: written.unhealthy_after.unwrap_or(THREE),
                healthy_after: written.healthy_after.unwrap_or(TWO),
            },
        }))
    }

    pub(super) fn breaker(
        &mut self,
        at: &KeyPath,
        raw: &RawProvider,
    ) -> Result<Option<BreakerSettings>, Faulted> {
        let Some(written) = &raw.circuit_breaker else {
            return Ok(None);
        };
        let failures = written.failures.unwrap_or(FIVE);
        if failures.get() > MOST_FAILURES {
            self.fault(
                &at.key("failures"),
                "is more than the breaker remembers",
                "write a number from 1 to 1000",
            );
            return Err(Faulted);
        }
        let or = |text: &Option<SpanText>, default: &str| {
            text.clone().unwrap_or_else(|| SpanText::new(default))
        };
        let within = self.span(&at.key("within"), &or(&written.within, "10s"));
        let open_for = self.span(&at.key("open_for"), &or(&written.open_for, "30s"));
        Ok(Some(BreakerSettings {
            failures,
            within: within.ok_or(Faulted)?.get(),
            open_for: open_for.ok_or(Faulted)?.get(),
            trials: written.trials.unwrap_or(NonZeroU32::MIN),
        }))
    }

    /// Names without a star first, then the longer pattern before the shorter.
    pub(super) fn model_map(
        &mut self,
        at: &KeyPath,
        raw: &RawProvider,
    ) -> Option<Vec<(Pattern, Box<str>)>> {
        let mut map: Vec<(Pattern, Box<str>)> = Vec::with_capacity(raw.model_map.len());
        for (from, to) in &raw.model_map {
            let sound = !to.is_empty() && to.len() <= 256 && !to.contains(char::is_control);
            match from.parse::<Pattern>() {
                Ok(pattern) if sound => map.push((pattern, to.as_str().into())),
                Ok(_) => self.fault(
                    &at.key(from),
                    "is no model's name",
                    "write what the provider calls the model",
                ),
                Err(fault) => self.fault(
                    &at.key(from),
                    format!("{} {fault}", quoted(from)),
                    "write a model's name, or a pattern such as gpt-*",
                ),
            }
        }
        map.sort_by_key(|(from, _)| {
            let length = from.as_str().len();
            (from.exact().is_none(), usize::MAX.saturating_sub(length))
        });
        (map.len() == raw.model_map.len()).then_some(map)
    }

    /// What is special about an endpoint's TLS.
    pub(super) fn endpoint_tls(
        &mut self,
        at: &KeyPath,
        raw: &RawEndpoint,
    ) -> Result<Option<Arc<EndpointTls>>, Faulted> {
        let Some(written) = &raw.tls else {
            return Ok(None);
        };
        if !raw.url.starts_with("https:") {
            self.fault(
                at,
                "is of no use to an endpoint without TLS",
                "write an https URL, or remove it",
            );
            return Err(Faulted);
        }
        let authorities = match &written.ca_file {
            Some(file) => self.certificates(&at.key("ca_file"), file).ok_or(Faulted)?,
            None => Vec::new(),
        };
        let client = self.client_identity(
            at,
            written.client_certificate.as_deref(),
            written.client_key.as_deref(),
        )?;
        if written
            .sni
            .as_deref()
            .is_some_and(|name| rustls::pki_types::ServerName::try_from(name).is_err())
        {
            self.fault(
                &at.key("sni"),
                "is no host name",
                "write the name in the certificate, such as api.example.com",
            );
            return Err(Faulted);
        }
        let mut told_apart = authorities.concat();
        if let Some(client) = &client {
            told_apart.extend(client.chain.iter().flatten());
        }
        told_apart.extend(written.sni.iter().flat_map(|name| name.bytes()));
        Ok(Some(Arc::new(EndpointTls {
            number: balance::hash(&told_apart),
            authorities,
            client,
            name: written.sni.as_deref().map(Into::into),
        })))
    }

    fn client_identity(
        &mut self,
        at: &KeyPath,
        certificate: Option<&str>,
        key: Option<&str>,
    ) -> Result<Option<ClientIdentity>, Faulted> {
        match (certificate, key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                let chain = self.certificates(&at.key("client_certificate"), certificate);
                let chain = chain.ok_or(Faulted)?;
                let at = at.key("client_key");
                let path = self.path(key);
                let content = self.content(&at, &path).ok_or(Faulted)?;
                let Ok(key) = PrivateKeyDer::from_pem_slice(&content.bytes) else {
                    self.fault(&at, "holds no private key", "name a PEM file with one");
                    return Err(Faulted);
                };
                Ok(Some(ClientIdentity {
                    chain,
                    key: key.secret_der().to_vec(),
                }))
            }
            (Some(_), None) | (None, Some(_)) => {
                self.fault(
                    at,
                    "has a client certificate without its key, or a key without its certificate",
                    "write both client_certificate and client_key",
                );
                Err(Faulted)
            }
        }
    }

    fn certificates(&mut self, at: &KeyPath, file: &str) -> Option<Vec<Vec<u8>>> {
        let path = self.path(file);
        let content = self.content(at, &path)?;
        let parsed: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(&content.bytes).collect();
        let found = parsed.unwrap_or_default();
        // Pingora panics on a certificate that it can't parse.
        if found.is_empty()
            || found
                .iter()
                .any(|one| ParsedCertificate::try_from(one).is_err())
        {
            self.fault(
                at,
                format!(
                    "the file {} holds no certificate that can be read",
                    path.display()
                ),
                "name a PEM file with one or more certificates",
            );
            return None;
        }
        Some(found.iter().map(|one| one.to_vec()).collect())
    }
}

/// As many as come in a second, and at least one.
fn a_seconds_worth(rate: Rate) -> NonZeroU32 {
    let each = rate
        .count()
        .get()
        .checked_div(rate.period().as_secs().max(1));
    let count = each.and_then(|each| u32::try_from(each).ok());
    count.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}

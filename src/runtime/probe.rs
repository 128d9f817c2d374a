//! Asks endpoints for their health, in the background.
//!
//! Decides when each is asked: at its interval, give or take a tenth, so that a fleet of gateways
//! does not ask at once. What an answer means is `route::live`'s. At most [`MOST_AT_ONCE`] are
//! asked at a time; each within its provider's own timeout.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use http::header::{self, HeaderMap, HeaderValue};
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use pingora::{Error, ErrorType, Result};
use tokio::sync::Semaphore;

use super::clock;
use crate::policy::Provider;
use crate::policy::upstream::HealthCheck;
use crate::proxy::{Snapshot, peer};
use crate::route::Target;
use crate::route::balance;

/// What the probes call themselves.
const AGENT: HeaderValue = HeaderValue::from_static("portcullis-health-check");
/// Probes in flight.
const MOST_AT_ONCE: usize = 64;
/// The longest sleep, after which a new policy is seen.
const LOOK: Duration = Duration::from_secs(1);

/// The probes of the policy in force.
pub(crate) struct Prober {
    snapshot: Arc<ArcSwap<Snapshot>>,
}

impl Prober {
    /// Probes whatever policy is current.
    pub(crate) const fn new(snapshot: Arc<ArcSwap<Snapshot>>) -> Self {
        Self { snapshot }
    }
}

/// When each endpoint is asked next, by provider and endpoint.
type Due = HashMap<(Box<str>, Box<str>), Duration>;

#[async_trait]
impl BackgroundService for Prober {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let connector = Arc::new(Connector::new(None));
        let room = Arc::new(Semaphore::new(MOST_AT_ONCE));
        let (mut due, mut count) = (Due::new(), 0_u64);
        loop {
            let snapshot = self.snapshot.load_full();
            let now = clock::uptime();
            let mut next = Due::new();
            let mut soonest = now.saturating_add(LOOK);
            for (target, provider, check) in checks(&snapshot) {
                let Some(endpoint) = provider.endpoints.get(target.endpoint) else {
                    continue;
                };
                let name = (provider.name.as_str().into(), endpoint.label().into());
                let mut at = due.remove(&name).unwrap_or(now);
                if at <= now {
                    count = count.wrapping_add(1);
                    at = now.saturating_add(jittered(check.interval, count));
                    let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                        return;
                    };
                    let (snapshot, connector) = (Arc::clone(&snapshot), Arc::clone(&connector));
                    tokio::spawn(async move {
                        Box::pin(ask(&snapshot, &connector, target)).await;
                        drop(place);
                    });
                }
                soonest = soonest.min(at);
                next.insert(name, at);
            }
            due = next;
            let pause = soonest.saturating_sub(clock::uptime());
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(pause.max(Duration::from_millis(5))) => {}
            }
        }
    }
}

/// Everything that is to be asked.
fn checks(snapshot: &Snapshot) -> impl Iterator<Item = (Target, &Provider, &HealthCheck)> {
    let providers = snapshot.policy.providers.iter().enumerate();
    let with_check = providers.filter_map(|(place, provider)| {
        let check = provider.health.as_ref()?;
        Some((place, &**provider, check))
    });
    with_check.flat_map(|(place, provider, check)| {
        (0..provider.endpoints.len()).map(move |endpoint| {
            let target = Target {
                provider: place,
                endpoint,
            };
            (target, provider, check)
        })
    })
}

/// The interval, give or take a tenth.
fn jittered(interval: Duration, count: u64) -> Duration {
    let tenth = interval.as_micros().checked_div(10).unwrap_or(0);
    let tenth = u64::try_from(tenth).unwrap_or(u64::MAX);
    let within = balance::scatter(count).checked_rem(tenth.saturating_mul(2).max(1));
    let least = interval.saturating_sub(Duration::from_micros(tenth));
    least.saturating_add(Duration::from_micros(within.unwrap_or(0)))
}

/// Asks one endpoint and tells what came of it.
async fn ask(snapshot: &Snapshot, connector: &Connector, target: Target) {
    let Some(provider) = snapshot.policy.providers.get(target.provider) else {
        return;
    };
    let (Some(check), Some(live)) = (
        provider.health.as_ref(),
        snapshot
            .view
            .provider(target.provider)
            .and_then(|live| live.endpoint(target.endpoint)),
    ) else {
        return;
    };
    let asking = Box::pin(status(snapshot, connector, target));
    let answer = tokio::time::timeout(check.timeout, asking).await;
    let good = matches!(answer, Ok(Ok(status)) if check.is_good(status));
    if live.probed(good, check.thresholds, clock::uptime()) {
        let name = provider.name.as_str();
        let endpoint = provider.endpoints.get(target.endpoint);
        let endpoint = endpoint.map_or("", |one| one.label());
        if good {
            log::info!("{endpoint} of provider {name} is healthy again");
        } else {
            log::warn!("{endpoint} of provider {name} fails its health checks");
        }
    }
}

async fn status(snapshot: &Snapshot, connector: &Connector, target: Target) -> Result<u16> {
    let nowhere = || Error::explain(ErrorType::ConnectNoRoute, "no address");
    let provider = snapshot.policy.providers.get(target.provider);
    let provider = provider.ok_or_else(nowhere)?;
    let check = provider.health.as_ref().ok_or_else(nowhere)?;
    let dialled = peer::peer(snapshot, provider, target).ok_or_else(nowhere)?;
    let mut head = RequestHeader::build("GET", check.path.as_bytes(), None)?;
    let mut fields = HeaderMap::new();
    fields.insert(header::USER_AGENT, AGENT);
    fields.insert(header::ACCEPT_ENCODING, peer::IDENTITY);
    let endpoint = provider.endpoints.get(target.endpoint);
    let endpoint = endpoint.ok_or_else(nowhere)?;
    fields.insert(header::HOST, endpoint.authority.clone());
    let of = (target.provider, 0);
    peer::credentials(snapshot, of, &HeaderMap::new(), &mut fields)?;
    let based = peer::based(endpoint, &head)?;
    peer::replace(&mut head, fields, based);
    let (mut session, _reused) = Box::pin(connector.get_http_session(&dialled)).await?;
    session.write_request_header(Box::new(head)).await?;
    session.finish_request_body().await?;
    session.read_response_header().await?;
    let head = session.response_header();
    Ok(head.map_or(0, |head| head.status.as_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_differ_by_a_tenth_at_most() {
        let interval = Duration::from_secs(10);
        let all: Vec<_> = (0..1_000).map(|count| jittered(interval, count)).collect();
        let (least, most) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!(*least >= Duration::from_secs(9), "{least:?}");
        assert!(*most <= Duration::from_secs(11), "{most:?}");
        assert!(
            most.saturating_sub(*least) > Duration::from_secs(1),
            "they do differ"
        );
    }
}

//! Where each endpoint is: names resolved in the background, never on a request's path.
//!
//! Decides which address of an endpoint is next (round robin, by `pingora-load-balancing`). A name
//! that can't be resolved keeps the addresses it had. Which endpoint is asked is `route`'s.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use pingora::{Error, ErrorType, OrErr, Result};
use pingora_load_balancing::discovery::ServiceDiscovery;
use pingora_load_balancing::selection::RoundRobin;
use pingora_load_balancing::{Backend, Backends, LoadBalancer};

use crate::policy::{Api, Endpoint, Policy};
use crate::proxy::Snapshot;
use crate::route::{Target, reach};
use crate::runtime::security::Security;

/// How often names are resolved anew.
const REFRESH: Duration = Duration::from_secs(30);

/// Addresses looked at before an endpoint counts as having none.
const MOST_ADDRESSES: usize = 16;

/// The addresses of all endpoints of one policy.
pub(crate) struct Pools {
    providers: Vec<Vec<LoadBalancer<RoundRobin>>>,
    security: Vec<Vec<Option<Security>>>,
}

impl Pools {
    /// Pools without any address yet; [`Pools::refresh`] fills them.
    pub(crate) fn new(policy: &Policy) -> Self {
        let pool = |endpoint: &Endpoint| {
            let name = Name {
                host: endpoint.host.clone(),
                port: endpoint.port,
                allow_private: endpoint.allow_private,
            };
            LoadBalancer::from_backends(Backends::new(Box::new(name)))
        };
        let providers = policy.providers.iter().map(|provider| match provider.api {
            Api::Echo => Vec::new(),
            Api::OpenAi | Api::Anthropic => provider.endpoints.iter().map(pool).collect(),
        });
        let security = policy.providers.iter().map(|provider| {
            let special = provider.endpoints.iter().map(|one| one.security.as_deref());
            special.map(|tls| tls.map(Security::new)).collect()
        });
        Self {
            providers: providers.collect(),
            security: security.collect(),
        }
    }

    /// What is special about an endpoint's TLS.
    pub(crate) fn security(&self, target: Target) -> Option<&Security> {
        let provider = self.security.get(target.provider)?;
        provider.get(target.endpoint)?.as_ref()
    }

    /// Resolves all names.
    pub(crate) async fn refresh(&self) {
        for pool in self.providers.iter().flatten() {
            if let Err(error) = pool.update().await {
                log::warn!("an endpoint's name can't be resolved: {error}");
            }
        }
    }

    /// The next address of an endpoint.
    pub(crate) fn address(&self, target: Target) -> Option<SocketAddr> {
        let pool = self.providers.get(target.provider)?.get(target.endpoint)?;
        let all = pool.backends().get_backend();
        match all.first() {
            // Choosing from one costs as much as a dozen header fields.
            Some(only) if all.len() == 1 => only.addr.as_inet().copied(),
            Some(_) => pool.select(b"", MOST_ADDRESSES)?.addr.as_inet().copied(),
            None => None,
        }
    }

    /// Whether an endpoint has an address.
    pub(crate) fn has_address(&self, target: Target) -> bool {
        let pool = self.providers.get(target.provider);
        let pool = pool.and_then(|endpoints| endpoints.get(target.endpoint));
        pool.is_some_and(|pool| !pool.backends().get_backend().is_empty())
    }
}

/// A host name, or an address that needs no resolving.
struct Name {
    host: Box<str>,
    port: u16,
    allow_private: bool,
}

#[async_trait]
impl ServiceDiscovery for Name {
    async fn discover(&self) -> Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, self.port)],
            Err(_it_is_a_name) => tokio::net::lookup_host((bare, self.port))
                .await
                .or_err_with(ErrorType::ConnectNoRoute, || format!("resolving {bare}"))?
                .filter(|address| reach::permits(bare, address.ip(), self.allow_private))
                .collect(),
        };
        if addresses.is_empty() {
            let problem = format!(
                "{bare} stands for no address that it may lead to; write the address itself, or \
                 allow_private for one in a private network"
            );
            return Err(Error::explain(ErrorType::ConnectNoRoute, problem));
        }
        let backends = addresses
            .iter()
            .map(|address| Backend::new(&address.to_string()));
        Ok((backends.collect::<Result<_>>()?, HashMap::new()))
    }
}

/// Resolves names anew, for as long as the server runs.
pub(super) struct Resolver {
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
}

#[async_trait]
impl BackgroundService for Resolver {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(REFRESH) => {}
            }
            let snapshot = self.snapshot.load_full();
            snapshot.pools.refresh().await;
            if let Some(tried) = snapshot.trial.as_ref().and_then(|part| part.candidate()) {
                tried.pools.refresh().await;
            }
        }
    }
}

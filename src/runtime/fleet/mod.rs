//! This host as one of a fleet: it leases slices of shared limits, tells blocks and measures to
//! the others and takes over theirs.
//!
//! Decides nothing about a request, and no request ever waits for it. While the store does not
//! answer, every host holds limits to its own share, blocks and measures stay this host's own, and
//! the host tries to join again, at first soon, then at growing intervals. When it has joined, it
//! tells everything that it knows, so that a store that has forgotten learns it again.

mod items;
mod news;
mod status;
mod store;
mod taken;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use tokio::sync::Notify;

use super::clock;
use crate::admit::leases::{Leases, Wake};
use crate::internal::control::Control;
use crate::policy::store::{RedisStore, Store as Where};
use crate::record::metrics::Metrics;
use items::{Item, Told};
use news::News;
pub(crate) use status::Status;
use store::{Away, Leased, Store};
use turns::Turns;

/// How often what was changed here is looked for.
const TICK: Duration = Duration::from_millis(100);
/// Limits in one question, and items in one piece of news.
const BATCH: usize = 256;
/// The first pause before the store is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What a process needs to be one of a fleet.
#[derive(Clone)]
pub(super) struct Fleet {
    store: RedisStore,
    status: Arc<Status>,
    wake: Arc<Notify>,
    host: String,
}

impl Fleet {
    /// None, where the policy names no store that is shared.
    ///
    /// # Errors
    /// Metrics that are there already, which is a bug.
    pub(super) fn of(
        store: &Where,
        metrics: &Metrics,
        random: [u8; 16],
    ) -> Result<Option<Self>, prometheus::Error> {
        match store {
            Where::Memory => Ok(None),
            Where::Redis(store) => {
                let host = format!("{:032x}", u128::from_be_bytes(random));
                Ok(Some(Self {
                    status: Arc::new(Status::new(store, &called(&host), metrics)?),
                    store: store.clone(),
                    wake: Arc::new(Notify::new()),
                    host,
                }))
            }
        }
    }

    /// The leases that the service keeps.
    pub(super) fn leases(&self) -> Leases {
        let wake = Arc::clone(&self.wake);
        Leases::new(Wake::new(move || wake.notify_one()))
    }

    /// The service, of a process that has taken over what it must not forget.
    pub(super) fn member(&self, control: &Arc<Control>) -> Member {
        control.ledger.blocks.keep_changes();
        control.keep_changes();
        // A process has one fleet, so that it is not there yet.
        let _new = control.fleet.set(Arc::clone(&self.status));
        Member {
            fleet: self.clone(),
            control: Arc::clone(control),
        }
    }
}

/// What a host calls itself before people: the machine's name, and the beginning of its own id,
/// because a machine may have several gateways.
fn called(host: &str) -> String {
    let id = host.get(..8).unwrap_or(host);
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match machine.trim() {
        "" => id.to_owned(),
        machine => format!("{machine}:{id}"),
    }
}

/// The service.
pub(super) struct Member {
    fleet: Fleet,
    control: Arc<Control>,
}

/// Why a host is no longer connected.
enum Ended {
    /// The process leaves.
    Leaving,
    /// The store does not answer; whether it had.
    Away(Away, bool),
}

#[async_trait]
impl BackgroundService for Member {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let mut news = News::new(self.fleet.status.host(), clock::wall(), clock::moment());
        let (first, longest) = PAUSES;
        let mut pause = first;
        let mut told = false;
        loop {
            match Box::pin(self.belong(&mut news, &mut shutdown)).await {
                Ended::Leaving => return,
                Ended::Away(away, was_joined) => {
                    self.away(away, was_joined || !told);
                    told = true;
                    pause = if was_joined { first } else { pause };
                }
            }
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = self.wait(pause, &mut news) => {}
            }
            pause = pause.saturating_mul(2).min(longest);
        }
    }
}

impl Member {
    fn leases(&self) -> Option<&Leases> {
        self.control.ledger.leases.as_ref()
    }

    fn connected(&self, connected: bool) {
        if let Some(leases) = self.leases() {
            leases.set_connected(connected);
        }
    }

    /// From now on limits are local.
    fn away(&self, away: Away, tell: bool) {
        self.connected(false);
        self.fleet.status.away();
        let address = self.fleet.status.address();
        let hosts = self.leases().map_or(1, Leases::hosts);
        if tell {
            log::error!(
                "the fleet's store {address} is away: {away}; every limit is held to this host's \
                 share, one in {hosts}, until it is back"
            );
        }
    }

    /// Waits before the next try, and keeps up what is counted and changed meanwhile.
    async fn wait(&self, pause: Duration, news: &mut News) {
        let began = clock::now();
        while let Some(left) = pause.checked_sub(began.elapsed()) {
            tokio::time::sleep(left.min(TICK)).await;
            let now = clock::moment();
            let _nothing_to_ask = self.control.ledger.due(now, BATCH);
            // They are told with everything else once the store is back.
            let _told_later = news.gather(&self.control, now);
        }
    }

    /// Joins the fleet, and is one of it until the store is away or the process leaves.
    async fn belong(&self, news: &mut News, shutdown: &mut ShutdownWatch) -> Ended {
        let joining = self.join(news);
        let joined = tokio::select! {
            _changed = shutdown.changed() => return Ended::Leaving,
            joined = joining => joined,
        };
        let mut store = match joined {
            Ok(store) => store,
            Err(away) => return Ended::Away(away, false),
        };
        let mut turns = Turns::new(clock::now());
        loop {
            let pause = turns.pause(clock::now());
            let ended = tokio::select! {
                _changed = shutdown.changed() => {
                    self.leave(&mut store).await;
                    return Ended::Leaving;
                }
                heard = store.next() => match heard {
                    Some(Ok((number, told))) => self.hear(&mut store, news, number, told).await,
                    Some(Err(away)) => Err(away),
                    None => Err(Away::Unreachable),
                },
                () = self.fleet.wake.notified(), if !turns.woken => {
                    turns.woken = true;
                    Ok(())
                }
                () = tokio::time::sleep(pause) => self.turn(&mut store, news, &mut turns).await,
            };
            if let Err(away) = ended {
                return Ended::Away(away, true);
            }
        }
    }

    /// Connects, learns what holds, tells what this host knows, and counts the hosts.
    async fn join(&self, news: &mut News) -> Result<Store, Away> {
        let fleet = &self.fleet;
        let mut store = Store::connect(&fleet.store, &fleet.host).await?;
        // What was changed here while the store was away is ordered before it is compared.
        let _told_below = news.gather(&self.control, clock::moment());
        self.learn(&mut store, news).await?;
        let items = news.everything(&self.control, clock::moment());
        self.tell(&mut store, &items).await?;
        let counted = store.ask(&[]).await?;
        self.take(news, &counted);
        let _forgiven = self.control.ledger.due(clock::moment(), BATCH);
        self.connected(true);
        fleet.status.joined();
        let (address, hosts) = (fleet.status.address(), counted.hosts);
        log::info!("joined the fleet at {address} (hosts: {hosts}); limits are shared");
        Ok(store)
    }

    /// Takes over everything that holds.
    async fn learn(&self, store: &mut Store, news: &mut News) -> Result<(), Away> {
        let everything = store.everything().await?;
        news.set_time(everything.now, clock::moment());
        news.number = everything.news;
        for told in everything.items {
            self.apply(news, told).await;
        }
        Ok(())
    }

    async fn tell(&self, store: &mut Store, items: &[Item]) -> Result<(), Away> {
        for batch in items.chunks(BATCH) {
            let refused = store.tell(batch).await?;
            self.fleet.status.dropped(refused);
        }
        Ok(())
    }

    /// News of another host, or of this one.
    async fn hear(
        &self,
        store: &mut Store,
        news: &mut News,
        number: u64,
        told: Told,
    ) -> Result<(), Away> {
        let next = news.number.saturating_add(1);
        if number > next {
            // Something in between was missed.
            return self.learn(store, news).await;
        }
        news.number = news.number.max(number);
        self.apply(news, told).await;
        Ok(())
    }

    /// Tells what was changed here, and asks about limits.
    async fn turn(
        &self,
        store: &mut Store,
        news: &mut News,
        turns: &mut Turns,
    ) -> Result<(), Away> {
        let began = clock::now();
        let forgotten = news.forgotten;
        let changed = news.gather(&self.control, clock::moment());
        let lost = news.forgotten.saturating_sub(forgotten);
        let lost = lost.saturating_add(self.control.ledger.blocks.take_lost());
        self.fleet.status.dropped(lost);
        self.tell(store, &changed).await?;
        let mut again = true;
        while again {
            let due = self.control.ledger.due(clock::moment(), BATCH);
            again = due.more;
            turns.next = due.next;
            if due.asks.is_empty() && !turns.is_silent(began) {
                continue;
            }
            let leased = store.ask(&due.asks).await?;
            turns.asked = began;
            let now = clock::moment();
            for (ask, grant) in due.asks.iter().zip(&leased.grants) {
                self.control.ledger.granted(ask, *grant, now);
            }
            self.take(news, &leased);
            self.catch_up(store, news, turns, &leased).await?;
        }
        turns.done(began);
        Ok(())
    }

    fn take(&self, news: &mut News, leased: &Leased) {
        news.set_time(leased.now, clock::moment());
        self.fleet.status.counted(leased.hosts);
        if let Some(leases) = self.leases() {
            leases.set_hosts(leased.hosts);
        }
    }

    /// Looks whether news were missed that the store has had for a while.
    async fn catch_up(
        &self,
        store: &mut Store,
        news: &mut News,
        turns: &mut Turns,
        leased: &Leased,
    ) -> Result<(), Away> {
        if leased.news < news.number {
            return Err(Away::Forgetful);
        }
        let missed = turns.behind.is_some_and(|number| news.number < number);
        turns.behind = (leased.news > news.number).then_some(leased.news);
        if missed {
            self.learn(store, news).await?;
            turns.behind = None;
        }
        Ok(())
    }

    /// Gives back what is leased. What is admitted after that is paid by the host's own share.
    async fn leave(&self, store: &mut Store) {
        let asks = self.leases().map(Leases::return_all).unwrap_or_default();
        self.connected(false);
        self.fleet.status.left();
        for batch in asks.chunks(BATCH) {
            if let Err(away) = store.leave(batch).await {
                log::warn!("what was leased of the fleet is not given back: {away}");
                return;
            }
        }
        if asks.is_empty()
            && let Err(away) = store.leave(&[]).await
        {
            log::warn!("the fleet is left without a word: {away}");
        }
    }
}

//! The entrance: the life of a connection, around Pingora's handling of its requests.
//!
//! Decides that a connection which was accepted is heard: Pingora drops all whose request has not
//! been read yet when it stops to listen, those that a client has just written to among them. Here
//! they are counted instead, and the end of the process waits for them (`leaving`). Decides, by the
//! ledger, whether a connection finds a place, which it holds to its end; does the TLS handshake;
//! and puts a deadline on what must come at once. A connection that finds no place is closed
//! without a word: before TLS nothing could be said, and a flood had better cost nothing. What is
//! answered, and to whom, is the proxy's.

mod line;
mod service;
mod watch;

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp as _};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::protocols::l4::stream::Stream as TcpStream;
use pingora::protocols::{ALPN, Stream};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;

use super::arrivals::Arrivals;
use super::clock;
use super::tls::Speaker;
use super::upstream::Dialler;
use crate::admit::client::Client;
use crate::admit::connections::{Full, Place, Purpose};
use crate::admit::ledger::{Ledger, Who};
use crate::identify::source;
use crate::policy::Listener;
use crate::proxy::late::LateAnswer;
use crate::proxy::{Gateway, Snapshot};
use crate::record::metrics::{Metrics, TurnedAway};
use line::{Late, Line};
pub(crate) use service::service;
pub(crate) use watch::Heads;
use watch::{Owed, Speech};

/// A listener, as connections come in by it.
pub(crate) struct Way {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// How TLS is spoken there, if it is.
    pub(crate) speaker: Option<Arc<Speaker>>,
}

/// Pingora's handling of requests, with our gateway's hooks and connections.
type Proxy = HttpProxy<Gateway, Dialler>;

/// Where connections come in.
pub(crate) struct Entrance {
    pub(crate) ways: Vec<Way>,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) metrics: Arc<Metrics>,
    /// What a client is told whose head was too late.
    pub(crate) late: Arc<LateAnswer>,
    /// How HTTP is spoken with clients.
    pub(crate) options: HttpServerOptions,
}

/// The two ends of a connection.
#[derive(Clone, Copy)]
struct Ends {
    local: SocketAddr,
    peer: IpAddr,
}

impl Ends {
    fn of(stream: &Stream) -> Option<Self> {
        let digest = stream.get_socket_digest()?;
        Some(Self {
            local: *digest.local_addr()?.as_inet()?,
            peer: digest.peer_addr()?.as_inet()?.ip(),
        })
    }
}

impl Entrance {
    /// A place for a connection, if there is one.
    fn place(&self, ends: Ends) -> Result<Place, Full> {
        let snapshot = self.snapshot.load();
        let policy = &snapshot.policy;
        let listener = policy.listeners.iter().find(|one| one.takes(ends.local));
        let purpose = listener.map_or(Purpose::Other, Listener::purpose);
        // Many clients come by a proxy that is trusted to name them.
        let shared = source::within(&policy.trusted_proxies, ends.peer);
        let client = || self.ledger.key(Who::Client(Client::of(ends.peer)));
        let address = (!shared).then(client);
        let connections = &self.ledger.connections;
        connections.enter(purpose, address, policy.connections)
    }

    /// The stream that requests are read from: what is left of it after a TLS handshake, where TLS
    /// is spoken.
    async fn secured(&self, stream: Stream, ends: Ends) -> Result<Stream, TurnedAway> {
        let way = self
            .ways
            .iter()
            .find(|way| Listener::is_of(way.address, ends.local));
        let Some(speaker) = way.and_then(|way| way.speaker.as_ref()) else {
            return Ok(stream);
        };
        let Ok(tcp) = stream.into_any().downcast::<TcpStream>() else {
            return Err(TurnedAway::Handshake);
        };
        let limit = self.snapshot.load().policy.timeouts.header.get();
        let acceptor = speaker.acceptor();
        // It takes 6 KiB, which would be the connection's for as long as it lasts, TLS or not.
        let handshake = Box::pin(acceptor.tls_handshake(*tcp));
        match tokio::time::timeout(limit, handshake).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => {
                log::debug!("no TLS with {}: {error}", ends.peer);
                Err(TurnedAway::Handshake)
            }
            Err(_elapsed) => Err(TurnedAway::HandshakeLate),
        }
    }

    /// The stream with a deadline on it, and where the deadline is told that a head is in.
    fn watched(&self, stream: Stream) -> (Line, Arc<Heads>) {
        let heads = Arc::new(Heads::default());
        let speech = match stream.selected_alpn_proto() {
            Some(ALPN::H2) => Speech::Http2(Box::default()),
            Some(ALPN::H1 | ALPN::H2H1 | ALPN::Custom(_)) | None => Speech::Http1,
        };
        let owed = Owed::new(speech, clock::now());
        let limit = self.snapshot.load().policy.timeouts.header.get();
        let (metrics, answer) = (Arc::clone(&self.metrics), Arc::clone(&self.late));
        let late: Late = Arc::new(move || {
            metrics.turned_away(TurnedAway::HeadLate);
            answer.make()
        });
        (
            Line::new(stream, owed, Arc::clone(&heads), (limit, late)),
            heads,
        )
    }

    /// The whole life of a connection.
    async fn receive(self: Arc<Self>, proxy: Arc<Proxy>, stream: Stream, shutdown: ShutdownWatch) {
        let ends = Ends::of(&stream);
        let place = ends.map(|ends| (ends, self.place(ends)));
        self.arrivals.counted();
        // A connection that has ended again has no ends.
        let Some((ends, place)) = place else {
            return;
        };
        let place = place.map_err(|full| match full {
            Full::All => TurnedAway::Full,
            Full::Address => TurnedAway::FullOfAddress,
        });
        let entered = match place {
            Ok(place) => self
                .secured(stream, ends)
                .await
                .map(|stream| (stream, place)),
            Err(why) => Err(why),
        };
        let (stream, place) = match entered {
            Ok(entered) => entered,
            Err(why) => {
                self.metrics.turned_away(why);
                return;
            }
        };
        let (line, heads) = self.watched(stream);
        let visit = Arc::new(Visit {
            entrance: self,
            proxy,
            heads,
            _place: place,
        });
        visit.process_new(Box::new(line), &shutdown).await;
    }
}

/// A connection that is in: its place is given back with it.
struct Visit {
    entrance: Arc<Entrance>,
    proxy: Arc<Proxy>,
    heads: Arc<Heads>,
    _place: Place,
}

#[async_trait]
impl HttpServerApp for Visit {
    // Not `async`: the task of every request would go through one more future each time it is
    // woken, which is one more place in memory that no cache has.
    fn process_new_http<'v, 's, 'f>(
        self: &'v Arc<Self>,
        mut session: ServerSession,
        shutdown: &'s ShutdownWatch,
    ) -> Pin<Box<dyn Future<Output = Option<ReusedHttpStream>> + Send + 'f>>
    where
        'v: 'f,
        's: 'f,
        Self: 'f,
    {
        if session.as_http1().is_some() {
            let keepalive = self.entrance.snapshot.load().policy.timeouts.keepalive;
            self.heads.next(keepalive.get());
            // Pingora hands it to `on_connection_reuse` as soon as it has read a head.
            session.set_connection_user_context(Some(Box::new(Arc::clone(&self.heads))));
        }
        self.proxy.process_new_http(session, shutdown)
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.proxy.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.entrance.options)
    }
}

//! Pingora's service of listeners, with the entrance before its handling of requests.
//!
//! Decides nothing. Pingora gives out its proxy only to a handler of connections that speak a
//! protocol of their own, and makes one with a connector of ours in no other way; so every
//! connection is said to be such a one, and the entrance has HTTP spoken on it after all.

use std::sync::Arc;

use async_trait::async_trait;
use pingora::apps::HttpServerOptions;
use pingora::proxy::{ProcessCustomSession, ProxyServiceBuilder};
use pingora::server::configuration::ServerConf;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::{Service, listening};

use super::{Entrance, Proxy};
use crate::policy::Listener;
use crate::proxy::Gateway;
use crate::runtime::door::Door;
use crate::runtime::upstream::Dialler;

/// Everything that listens: plain streams, as TLS is spoken inside.
pub(crate) fn service(
    conf: &Arc<ServerConf>,
    gateway: Gateway,
    entrance: Entrance,
    (listeners, door): (&[Listener], Door),
) -> impl Service + 'static {
    let entrance = Arc::new(entrance);
    let receive: ProcessCustomSession<Gateway, Dialler> =
        Arc::new(move |proxy, stream, shutdown| {
            let received = Arc::clone(&entrance).receive(proxy, stream, shutdown.clone());
            Box::pin(async {
                received.await;
                None
            })
        });
    let mut options = HttpServerOptions::default();
    options.force_custom = true;
    let mut service = ProxyServiceBuilder::new(conf, gateway)
        .name("gateway")
        .server_options(options)
        .custom(Dialler::new(conf), receive)
        .build();
    service.set_connection_filter(Arc::new(door));
    for listener in listeners {
        service.add_tcp(&listener.address.to_string());
    }
    Listening(service)
}

/// The service, but for its end: Pingora's own would drop connections whose request is on its way.
struct Listening(listening::Service<Proxy>);

#[async_trait]
impl Service for Listening {
    async fn start_service(
        &mut self,
        sockets: Option<ListenFds>,
        shutdown: ShutdownWatch,
        listeners_per_socket: usize,
    ) {
        let mut signal = shutdown.clone();
        tokio::select! {
            // First, so that what follows the listeners' end is not reached. They are tasks of
            // their own, which heed the same signal.
            biased;
            _ended = signal.wait_for(|begun| *begun) => {}
            () = self.0.start_service(sockets, shutdown, listeners_per_socket) => {}
        }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn threads(&self) -> Option<usize> {
        self.0.threads()
    }
}

//! Pingora's service of listeners, with the entrance before its handling of requests.
//!
//! Decides nothing. Pingora gives out its proxy only to a handler of connections that speak a
//! protocol of their own, and makes one with a connector of ours in no other way; so every
//! connection is said to be such a one, and the entrance has HTTP spoken on it after all.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

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
        let signal = shutdown.clone();
        let serve = self
            .0
            .start_service(sockets, shutdown, listeners_per_socket);
        before_its_end(&signal, serve).await;
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn threads(&self) -> Option<usize> {
        self.0.threads()
    }
}

/// Serves until the signal is given, and not a step further. The listeners, which are tasks of their
/// own, heed the same signal; the last one to end wakes this, and what `serve` does then must not
/// be reached. So the signal itself is looked at, as on a busy host the word of it may reach the
/// listeners long before it reaches this.
async fn before_its_end(signal: &ShutdownWatch, serve: impl Future<Output = ()>) {
    let mut serve = pin!(serve);
    poll_fn(|context| {
        if *signal.borrow() {
            return Poll::Ready(());
        }
        serve.as_mut().poll(context)
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::before_its_end;

    #[test]
    fn the_services_end_is_not_reached_though_nobody_was_told_of_the_signal() {
        let (sender, signal) = tokio::sync::watch::channel(false);
        let (listens, ended) = (Cell::new(true), Cell::new(false));
        let serve = poll_fn(|_context| {
            if listens.get() {
                return Poll::Pending;
            }
            ended.set(true);
            Poll::Ready(())
        });
        let mut service = pin!(before_its_end(&signal, serve));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(service.as_mut().poll(&mut context), Poll::Pending);
        // As it is while those who wait are being told, one after the other.
        sender.send_if_modified(|begun| {
            *begun = true;
            false
        });
        listens.set(false);
        assert_eq!(service.as_mut().poll(&mut context), Poll::Ready(()));
        assert!(!ended.get(), "no connection is dropped");
    }
}

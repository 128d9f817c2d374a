//! The life of a connection, around Pingora's handling of its requests.
//!
//! Decides that a connection which was accepted is heard: Pingora drops all whose request has not
//! been read yet when it stops to listen, those that a client has just written to among them. Here
//! they are counted instead, and the end of the process waits for them (`leaving`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::protocols::Stream;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;

use crate::proxy::Gateway;

/// How many connections are open.
#[derive(Debug, Default)]
pub(crate) struct Connections(AtomicUsize);

impl Connections {
    /// How many there are.
    pub(crate) fn open(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn enter(self: &Arc<Self>) -> Permit {
        self.0.fetch_add(1, Ordering::Relaxed);
        Permit(Arc::clone(self))
    }
}

/// Held for as long as a connection is open.
struct Permit(Arc<Connections>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The gateway as Pingora's listeners see it.
pub(crate) struct App {
    proxy: Arc<HttpProxy<Gateway>>,
    connections: Arc<Connections>,
}

impl App {
    /// An app whose connections are counted in `connections`.
    pub(crate) fn new(proxy: HttpProxy<Gateway>, connections: Arc<Connections>) -> Self {
        Self {
            proxy: Arc::new(proxy),
            connections,
        }
    }
}

#[async_trait]
impl ServerApp for App {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let _permit = self.connections.enter();
        self.proxy.process_new(stream, shutdown).await
    }

    async fn cleanup(&self) {
        // Pingora's own would drop connections whose request is on its way.
    }
}

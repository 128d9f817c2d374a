//! Delivers spans: gathered for a moment, posted as one body, tried again where that may help.
//!
//! Decides when spans are given up: after [`TRIES`] tries that a collector may have been away
//! for, or at once where it says that it wants none of them. It follows no redirect.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::ALPN;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, OrErr, Result};
use tokio::sync::mpsc::Receiver;

use super::Told;
use crate::policy::telemetry::Telemetry;
use crate::proxy::peer;
use crate::record::trace::{self, Finished};

/// Requests whose spans go in one body.
const MOST: usize = 512;
/// How long spans are gathered before they are posted.
const GATHER: Duration = Duration::from_secs(1);
/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Deliveries of the same spans, and the pause before the second; twice as long before the next.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of an answer that are read, so that its connection can be used again.
const ANSWER: usize = 64 * 1024;
/// How long a connection is kept for the next delivery.
const KEPT: Duration = Duration::from_secs(30);
/// What we call ourselves.
const AGENT: HeaderValue = HeaderValue::from_static("portcullis-telemetry");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The far end of the queue.
pub(crate) struct Delivery {
    telemetry: Telemetry,
    ended: Mutex<Option<Receiver<Finished>>>,
    told: Arc<Told>,
}

impl Delivery {
    pub(super) fn new(telemetry: Telemetry, ended: Receiver<Finished>, told: Arc<Told>) -> Self {
        let ended = Mutex::new(Some(ended));
        Self {
            telemetry,
            ended,
            told,
        }
    }

    async fn run(&self, mut ended: Receiver<Finished>) {
        let connector = Connector::new(None);
        let mut batch = Vec::with_capacity(MOST);
        let mut well = true;
        while ended.recv_many(&mut batch, MOST).await > 0 {
            tokio::select! {
                () = self.told.hurry.notified() => {}
                () = tokio::time::sleep(GATHER) => {}
                () = fill(&mut ended, &mut batch) => {}
            }
            while batch.len() < MOST
                && let Ok(one) = ended.try_recv()
            {
                batch.push(one);
            }
            let delivered = self.deliver(&connector, &batch).await;
            self.count(&batch, delivered.is_ok());
            match (&delivered, well) {
                (Err(problem), true) => log::warn!("traces don't reach their collector: {problem}"),
                (Ok(()), false) => log::info!("traces reach their collector again"),
                (Err(_), false) | (Ok(()), true) => {}
            }
            well = delivered.is_ok();
            batch.clear();
        }
    }

    fn count(&self, batch: &[Finished], delivered: bool) {
        let spans = batch.iter().map(Finished::spans).sum();
        if delivered {
            self.told.sent.inc_by(spans);
        } else {
            self.told.dropped.inc_by(spans);
        }
        let requests = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.told.waiting.fetch_sub(requests, Ordering::Relaxed);
    }

    /// Delivers a batch, and tries again where the collector may come back.
    async fn deliver(&self, connector: &Connector, batch: &[Finished]) -> Result<(), String> {
        let body = Bytes::from(trace::write(batch, &self.telemetry.service_name));
        let mut pause = PAUSE;
        let mut left = TRIES;
        loop {
            let posting = Box::pin(self.post(connector, body.clone()));
            let problem = match tokio::time::timeout(PATIENCE, posting).await {
                Ok(Ok(200..=299)) => return Ok(()),
                Ok(Ok(status @ (429 | 502..=504))) => format!("it answers {status}"),
                Ok(Ok(status)) => return Err(format!("it answers {status}")),
                Ok(Err(error)) => error.etype().as_str().to_owned(),
                Err(_elapsed) => "it does not answer in time".to_owned(),
            };
            left = left.saturating_sub(1);
            if left == 0 {
                return Err(problem);
            }
            tokio::select! {
                () = self.told.hurry.notified() => return Err(problem),
                () = tokio::time::sleep(pause) => {}
            }
            pause = pause.saturating_mul(2);
        }
    }

    /// Posts a body to the first address that takes a connection; answers the status.
    async fn post(&self, connector: &Connector, body: Bytes) -> Result<u16> {
        let collector = &self.telemetry.collector;
        let name = (&*collector.host, collector.port);
        let found = tokio::net::lookup_host(name).await;
        let addresses = found.or_err(ErrorType::ConnectNoRoute, "no address")?;
        let mut last = Error::explain(ErrorType::ConnectNoRoute, "no address");
        for address in addresses {
            let posting = Box::pin(self.post_to(connector, address, body.clone()));
            match posting.await {
                Err(error) if *error.etype() == ErrorType::ConnectRefused => last = error,
                done => return done,
            }
        }
        Err(last)
    }

    async fn post_to(&self, connector: &Connector, to: SocketAddr, body: Bytes) -> Result<u16> {
        let collector = &self.telemetry.collector;
        let mut dialled = HttpPeer::new(to, collector.tls, collector.host.to_string());
        dialled.options.alpn = ALPN::H1;
        dialled.options.connection_timeout = Some(PATIENCE);
        let mut head = RequestHeader::build("POST", self.telemetry.path.as_bytes(), None)?;
        let mut fields = HeaderMap::new();
        fields.insert(header::HOST, collector.authority.clone());
        fields.insert(header::USER_AGENT, AGENT);
        fields.insert(header::CONTENT_TYPE, JSON);
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        peer::replace(&mut head, fields, None);
        let (mut session, _reused) = Box::pin(connector.get_http_session(&dialled)).await?;
        session.write_request_header(Box::new(head)).await?;
        session.write_request_body(body, true).await?;
        session.finish_request_body().await?;
        session.read_response_header().await?;
        let status = session
            .response_header()
            .map_or(0, |head| head.status.as_u16());
        let mut read = 0_usize;
        while let Some(piece) = session.read_response_body().await? {
            read = read.saturating_add(piece.len());
            if read > ANSWER {
                return Ok(status);
            }
        }
        connector
            .release_http_session(session, &dialled, Some(KEPT))
            .await;
        Ok(status)
    }
}

/// Takes what comes until a batch is full.
async fn fill(ended: &mut Receiver<Finished>, batch: &mut Vec<Finished>) {
    while batch.len() < MOST {
        match ended.recv().await {
            Some(one) => batch.push(one),
            None => return,
        }
    }
}

#[async_trait]
impl BackgroundService for Delivery {
    async fn start(&self, _shutdown: ShutdownWatch) {
        let ended = self
            .ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // It goes on while requests drain; the process ends it.
        if let Some(ended) = ended {
            self.run(ended).await;
        }
    }
}

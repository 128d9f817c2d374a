//! Calls of the program's own to others over HTTP: webhooks, and its own probes of a gateway.
//!
//! Decides how one call is made: HTTP/1.1 on a connection of its own, within one time for all of
//! it, an answer read up to a limit. It never follows a redirect, never retries, and never says
//! more of where it goes than host and port. Providers are not called this way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use pingora::ErrorType;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::ALPN;
use pingora::protocols::http::client::HttpSession;
use pingora::protocols::tls::CaType;
use pingora::upstreams::peer::HttpPeer;
use pingora::utils::tls::{WrappedX509, parse_x509};
use thiserror::Error;

use crate::policy::web::WebAddress;

/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;

/// One call.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Body,
}

/// What a call sends.
#[derive(Clone)]
pub(crate) enum Body {
    /// All of it.
    Whole(Bytes),
    /// Nothing, although so many bytes are announced.
    Announced(u64),
}

/// How much a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// For all of it.
    pub(crate) time: Duration,
    /// Bytes of the answer's body that are kept; the rest is not read.
    pub(crate) body: usize,
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// A field's value, where it is text.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.to_str().ok()
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Why nothing came back.
#[derive(Debug, Error)]
pub(crate) enum CallFault {
    /// The name stands for nothing.
    #[error("the name {0} can't be resolved")]
    Name(String),
    /// Nobody takes the connection.
    #[error("can't connect: {}", in_words(.0))]
    Connect(Box<pingora::Error>),
    /// It took too long.
    #[error("no answer within {} seconds", .0.as_secs_f32())]
    Late(Duration),
    /// The exchange broke.
    #[error("the exchange broke: {0}")]
    Broken(#[from] Box<pingora::Error>),
}

/// Why a connection did not come about; the framework's own words only where they may help.
fn in_words(error: &pingora::Error) -> String {
    let kind = error.etype();
    if *kind == ErrorType::ConnectRefused {
        "nothing listens there; is it running?".to_owned()
    } else if *kind == ErrorType::ConnectTimedout {
        "nobody answers there in time".to_owned()
    } else if *kind == ErrorType::ConnectNoRoute {
        "there is no route to it".to_owned()
    } else {
        error.to_string()
    }
}

/// Makes calls.
pub(crate) struct Outgoing {
    connector: Connector,
    authorities: Option<Arc<CaType>>,
    verified: bool,
}

impl Outgoing {
    /// Calls to others, who are believed on the word of the system's authorities.
    pub(crate) fn new() -> Self {
        Self {
            connector: Connector::new(None),
            authorities: None,
            verified: true,
        }
    }

    /// The same, believing these authorities alone.
    pub(crate) fn trusting(certificates: &[Vec<u8>]) -> Self {
        let wrapped = certificates
            .iter()
            .map(|der| WrappedX509::new(der.clone(), parse_x509));
        let authorities: Vec<WrappedX509> = wrapped.collect();
        Self {
            authorities: Some(authorities.into()),
            ..Self::new()
        }
    }

    /// Calls of this process to itself, over its own loopback: the certificate is for another name.
    pub(crate) fn to_itself() -> Self {
        Self {
            verified: false,
            ..Self::new()
        }
    }

    /// Makes a call.
    ///
    /// # Errors
    /// No whole answer came in time.
    pub(crate) async fn send(
        &self,
        to: &WebAddress,
        call: &Call,
        bounds: Bounds,
    ) -> Result<Reply, CallFault> {
        let exchange = Box::pin(self.exchange(to, call, bounds.body));
        tokio::time::timeout(bounds.time, exchange)
            .await
            .unwrap_or(Err(CallFault::Late(bounds.time)))
    }

    async fn exchange(
        &self,
        to: &WebAddress,
        call: &Call,
        most: usize,
    ) -> Result<Reply, CallFault> {
        let mut session = self.connect(to).await?;
        let head = head(to, call)?;
        session.write_request_header(Box::new(head)).await?;
        if let Body::Whole(body) = &call.body {
            if !body.is_empty() {
                // Who refuses early may close its ear; the answer tells why.
                let _refused_early = session.write_request_body(body.clone(), true).await;
            }
            let _refused_early = session.finish_request_body().await;
        }
        let mut reply = Reply::default();
        loop {
            session.read_response_header().await?;
            let Some(head) = session.response_header() else {
                continue;
            };
            if !head.status.is_informational() {
                reply.status = head.status.as_u16();
                reply.fields = head.headers.clone();
                break;
            }
        }
        while reply.body.len() < most {
            match session.read_response_body().await? {
                Some(piece) => {
                    let room = most.saturating_sub(reply.body.len());
                    let kept = piece.get(..room).unwrap_or(&piece);
                    reply.body.extend_from_slice(kept);
                }
                None => break,
            }
        }
        Ok(reply)
    }

    async fn connect(&self, to: &WebAddress) -> Result<HttpSession, CallFault> {
        let name = || CallFault::Name(to.host().to_owned());
        let addresses = tokio::net::lookup_host((to.host(), to.port()))
            .await
            .map_err(|_error| name())?;
        let mut fault = name();
        for address in addresses.take(MOST_ADDRESSES) {
            let peer = self.peer(address, to);
            match Box::pin(self.connector.get_http_session(&peer)).await {
                Ok((session, _reused)) => return Ok(session),
                Err(error) => fault = CallFault::Connect(error),
            }
        }
        Err(fault)
    }

    fn peer(&self, address: SocketAddr, to: &WebAddress) -> HttpPeer {
        let mut peer = HttpPeer::new(address, to.tls(), to.host().to_owned());
        peer.options.alpn = ALPN::H1;
        peer.options.ca.clone_from(&self.authorities);
        peer.options.verify_cert = self.verified;
        peer.options.verify_hostname = self.verified;
        peer
    }
}

fn head(to: &WebAddress, call: &Call) -> Result<RequestHeader, Box<pingora::Error>> {
    let mut head = RequestHeader::build(call.method, to.target().as_bytes(), None)?;
    head.insert_header(header::HOST, to.authority())?;
    head.insert_header(header::CONNECTION, "close")?;
    let length = match &call.body {
        Body::Whole(body) => u64::try_from(body.len()).unwrap_or(u64::MAX),
        Body::Announced(length) => *length,
    };
    if length > 0 || call.method != "GET" {
        head.insert_header(header::CONTENT_LENGTH, length)?;
    }
    for (name, value) in &call.fields {
        head.append_header(name.clone(), value.clone())?;
    }
    Ok(head)
}

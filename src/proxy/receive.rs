//! From a request's head to a call, an answer of the gateway's own, or a refusal.
//!
//! Decides nothing itself: it hands the head, the body and the time to the stages in their order
//! (head, path, caller, role, body, model, route), each of which may refuse. Everything happens
//! before a provider is so much as connected to.

use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use http::header;
use pingora::Error;
use pingora::protocols::http::v1::server::HttpSession;
use pingora::proxy::Session;

use super::body::HeldTail;
use super::ctx::{Body, Call, Flight, Held, Passing};
use super::guard::{self, Source};
use super::reply::{self, Answer};
use super::{Gateway, local};
use crate::admit::head;
use crate::admit::size::{self, Media};
use crate::admit::target::{self, Reading};
use crate::identify::{self, Caller, source};
use crate::inspect::json::{Limits, Reader};
use crate::inspect::peek::{Facts, FieldFault, Peek, Problem};
use crate::policy::names::ModelName;
use crate::policy::{BodyMode, Denial, Policy, Serve};
use crate::record::endpoint::Endpoint;
use crate::route;
use crate::runtime::clock;

/// What becomes of a request.
pub(crate) enum Received {
    /// Answered here.
    Answer(Answer),
    /// Sent on.
    Call(Box<Call>),
}

/// Why a request goes no further.
pub(crate) enum Stop {
    /// It is refused.
    Denied(Denial),
    /// The client has gone, or speaks no HTTP.
    Broken(Box<Error>),
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// Takes a request through the stages.
///
/// # Errors
/// The first stage that refuses, or the client that goes.
pub(crate) async fn receive(
    gateway: &Gateway,
    session: &mut Session,
    flight: &mut Flight,
) -> Result<Received, Stop> {
    let snapshot = flight.snapshot.clone();
    let policy = &snapshot.policy;
    check_head(session, policy)?;
    let serve = serves(session, policy);
    let asked = target::endpoint(session.req_header(), serve);
    if let Some(endpoint) = asked
        .as_ref()
        .ok()
        .copied()
        .filter(|asked| target::is_public(*asked))
    {
        flight.record.client_ip = peer_address(session);
        return Ok(Received::Answer(local::public(
            &snapshot, endpoint, session,
        )));
    }
    let (caller, peer_is_trusted) = identified(session, flight, policy)?;
    let endpoint = asked?;
    target::permit(caller.role(), endpoint)?;
    let reading = target::reading(endpoint);
    if reading == Reading::Nothing {
        let path = session.req_header().uri.path().to_owned();
        return local::answer(gateway, &snapshot, &caller, endpoint, &path)
            .map(Received::Answer)
            .map_err(Stop::Denied);
    }
    let plan = Plan::of(session, policy, endpoint, reading)?;
    let (body, source, model) = plan.read(gateway, session, flight, policy).await?;
    flight.record.model.clone_from(&model);
    let tick = gateway.tick();
    let routed = route::route(&caller, model.as_ref().map(ModelName::as_str), policy, tick)?;
    let timeouts = routed
        .target(0)
        .and_then(|first| policy.providers.get(first.provider))
        .map(|provider| provider.timeouts)
        .ok_or(Denial::NoHealthyProvider)?;
    let handle = guard::install(session, source, timeouts);
    let call = Call {
        routed,
        body,
        handle,
        next: 0,
        target: None,
        peer_is_trusted,
        denial: None,
    };
    Ok(Received::Call(Box::new(call)))
}

/// The head's shape, as it came.
fn check_head(session: &Session, policy: &Policy) -> Result<(), Denial> {
    let raw = session
        .as_downstream()
        .as_http1()
        .map(HttpSession::get_headers_raw_bytes);
    head::check(session.req_header(), raw.as_deref(), &policy.head)
}

/// What is served on the listener that the request came in by.
fn serves(session: &Session, policy: &Policy) -> Serve {
    let local = session
        .server_addr()
        .and_then(|address| address.as_inet())
        .copied();
    policy
        .listeners
        .iter()
        .find(|listener| local.is_some_and(|local| listens(listener.address, local)))
        .map_or(
            Serve {
                api: false,
                internal: false,
                health: false,
            },
            |listener| listener.serve,
        )
}

fn listens(bound: SocketAddr, local: SocketAddr) -> bool {
    let same_address =
        bound.ip().is_unspecified() || bound.ip().to_canonical() == local.ip().to_canonical();
    bound.port() == local.port() && same_address
}

fn peer_address(session: &Session) -> Option<IpAddr> {
    session
        .client_addr()
        .and_then(|address| address.as_inet())
        .map(SocketAddr::ip)
}

/// Who is calling, noted in the record whatever comes of it. To strangers `/internal/` is not
/// there, with any key and with none; all else that is not there needs a key first, so that a
/// caller without one learns nothing.
fn identified(
    session: &Session,
    flight: &mut Flight,
    policy: &Policy,
) -> Result<(Caller, bool), Denial> {
    let peer = peer_address(session).ok_or(Denial::Internal)?;
    let headers = &session.req_header().headers;
    let address = source::client(peer, headers, &policy.trusted_proxies);
    flight.record.client_ip = Some(address);
    let internal = flight.record.endpoint == Endpoint::Internal;
    if internal && !source::within(&policy.auth.internal_allow, address) {
        return Err(Denial::NotFound);
    }
    let caller = identify::identify(headers, address, &policy.auth)?;
    flight.record.key_id = caller.key_id().cloned();
    flight.record.role = Some(caller.role());
    Ok((caller, source::within(&policy.trusted_proxies, peer)))
}

/// How a request's body is going to be read.
struct Plan {
    limit: u64,
    way: Way,
    model_needed: bool,
}

enum Way {
    /// Read whole and judged before a provider is connected to.
    Hold,
    /// Judged on its way.
    Pass { json: bool },
}

impl Plan {
    fn of(
        session: &Session,
        policy: &Policy,
        endpoint: Endpoint,
        reading: Reading,
    ) -> Result<Self, Denial> {
        let head = session.req_header();
        let media = Media::of(
            head.headers
                .get(header::CONTENT_TYPE)
                .map(http::HeaderValue::as_bytes),
        );
        let limit = size::limit(&policy.sizes, head.uri.path(), media);
        if reply::announced(session).is_some_and(|length| length > limit) {
            return Err(Denial::RequestTooLarge(limit));
        }
        let json = match (reading, media) {
            (_, Media::Json) | (Reading::Model | Reading::ModelIfGiven, Media::Missing) => true,
            (Reading::Model | Reading::ModelIfGiven, _) => {
                return Err(Denial::UnsupportedMediaType("application/json in UTF-8"));
            }
            (Reading::Upload | Reading::Nothing, _) => false,
        };
        // What has no media type is held to the limit of JSON, as which it is read.
        let limit = if json && media == Media::Missing {
            limit.min(policy.sizes.json.get())
        } else {
            limit
        };
        let way = match (json, policy.request.mode) {
            (true, BodyMode::Hold) => Way::Hold,
            (true, BodyMode::Stream) => Way::Pass { json: true },
            (false, BodyMode::Hold | BodyMode::Stream) => Way::Pass { json: false },
        };
        let optional = matches!(endpoint, Endpoint::Images) || reading == Reading::ModelIfGiven;
        Ok(Self {
            limit,
            way,
            model_needed: !optional,
        })
    }

    async fn read(
        &self,
        gateway: &Gateway,
        session: &mut Session,
        flight: &mut Flight,
        policy: &Policy,
    ) -> Result<(Body, Source, Option<ModelName>), Stop> {
        let json = match self.way {
            Way::Hold => {
                let held = self.hold(gateway, session, flight, policy).await?;
                let model = facts(&held.peek, self.model_needed)?;
                flight.record.stream = model.as_ref().is_some_and(|facts| facts.stream);
                let model = model.map(|facts| name(&facts.model)).transpose()?;
                let body = Body::Held {
                    len: held.bytes.len(),
                    _share: held.share,
                };
                return Ok((body, Source::Held(held.bytes), model));
            }
            Way::Pass { json } => json,
        };
        if session.as_downstream_mut().is_body_empty() {
            let body = Body::Held {
                len: 0,
                _share: gateway.budget().share(),
            };
            return Ok((body, Source::Held(Bytes::new()), None));
        }
        let json = json.then(|| (Reader::new(json_limits(policy)), Peek::default()));
        let passing = Passing {
            tail: HeldTail::new(self.limit),
            json,
        };
        Ok((
            Body::Passing(Box::new(passing)),
            Source::Client(policy.timeouts),
            None,
        ))
    }

    /// Reads a body to its end, through the reader as it arrives: what is refused is refused at
    /// the first byte that makes it so.
    async fn hold(
        &self,
        gateway: &Gateway,
        session: &mut Session,
        flight: &mut Flight,
        policy: &Policy,
    ) -> Result<Held, Stop> {
        if session.req_header().headers.contains_key(header::EXPECT) {
            session
                .as_downstream_mut()
                .write_continue_response()
                .await
                .map_err(Stop::Broken)?;
        }
        let mut reader = Reader::new(json_limits(policy));
        let mut peek = Peek::default();
        let mut whole = Pieces::new(reply::announced(session).unwrap_or(0).min(self.limit));
        let mut share = gateway.budget().share();
        let idle = policy.timeouts.body_idle.get();
        loop {
            let asked = clock::now();
            let piece =
                pingora::time::timeout(idle, session.as_downstream_mut().read_request_body());
            let piece = piece.await.map_err(|_elapsed| Denial::RequestTimeout)?;
            flight
                .clock
                .waited(clock::now().saturating_duration_since(asked));
            let Some(piece) = piece.map_err(|e| Stop::Broken(e.into_down()))? else {
                break;
            };
            share
                .grow(piece.len())
                .map_err(|_exhausted| Denial::Overloaded)?;
            whole.push(piece);
            flight.record.request_bytes = whole.len();
            if whole.len() > self.limit {
                return Err(Denial::RequestTooLarge(self.limit).into());
            }
            reader
                .push(whole.newest(), &mut peek)
                .map_err(invalid_json)?;
        }
        reader.finish(&mut peek).map_err(invalid_json)?;
        Ok(Held {
            bytes: whole.into_bytes(),
            share,
            peek,
        })
    }
}

/// A body's pieces: one is kept as it came, more are joined as they come.
struct Pieces {
    first: Bytes,
    joined: BytesMut,
    newest_at: usize,
    expected: u64,
}

impl Pieces {
    fn new(expected: u64) -> Self {
        Self {
            first: Bytes::new(),
            joined: BytesMut::new(),
            newest_at: 0,
            expected,
        }
    }

    fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() && self.joined.is_empty() {
            self.first = piece;
            return;
        }
        if self.joined.is_empty() {
            let together = self.first.len().saturating_add(piece.len());
            self.joined
                .reserve(together.max(usize::try_from(self.expected).unwrap_or(0)));
            self.joined
                .extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.newest_at = self.joined.len();
        self.joined.extend_from_slice(&piece);
    }

    fn newest(&self) -> &[u8] {
        if self.joined.is_empty() {
            return &self.first;
        }
        self.joined.get(self.newest_at..).unwrap_or_default()
    }

    fn len(&self) -> u64 {
        u64::try_from(self.first.len().max(self.joined.len())).unwrap_or(u64::MAX)
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() {
            self.first
        } else {
            self.joined.freeze()
        }
    }
}

pub(crate) fn json_limits(policy: &Policy) -> Limits {
    Limits {
        depth: policy.request.max_json_depth,
        ..Limits::default()
    }
}

pub(crate) fn invalid_json(error: crate::inspect::json::JsonError) -> Denial {
    Denial::InvalidJson(error.to_string())
}

/// What the body says about its way; nothing where it need not name a model and does not.
///
/// # Errors
/// A field that is not what it must be.
pub(crate) fn facts(peek: &Peek, model_needed: bool) -> Result<Option<Facts>, Denial> {
    match peek.facts() {
        Ok(facts) => Ok(Some(facts)),
        Err(FieldFault {
            param: "model",
            problem: Problem::Missing,
        }) if !model_needed => Ok(None),
        Err(fault) => {
            let param = (fault.param != "body").then_some(fault.param);
            Err(Denial::InvalidRequest {
                param,
                problem: format!("The request is not valid: {fault}."),
            })
        }
    }
}

/// A model that has no well-formed name is no model of ours.
pub(crate) fn name(model: &str) -> Result<ModelName, Denial> {
    model.parse().map_err(|_fault| Denial::ModelNotFound)
}

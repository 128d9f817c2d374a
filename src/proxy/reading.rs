//! How a request's body is read: held and judged, or judged on its way.
//!
//! Decides which of the two by path, media type and policy, and reads what is held: under its size
//! limit, a limit on pauses and the process's budget of bytes, through the inspection as it
//! arrives, so that what is refused is refused at the first block that makes it so.

use bytes::{Bytes, BytesMut};
use http::header;
use pingora::proxy::Session;

use super::body::HeldTail;
use super::ctx::{Body, Flight, Held, Passing};
use super::guard::Source;
use super::receive::Stop;
use super::{Gateway, findings, reply};
use crate::admit::size::{self, Media};
use crate::admit::target::Reading;
use crate::inspect::engine::Inspection;
use crate::inspect::fault::{FieldFault, Problem};
use crate::inspect::json::Limits;
use crate::inspect::peek::Facts;
use crate::inspect::rewrite;
use crate::inspect::validate::{Checker, Shape};
use crate::policy::names::ModelName;
use crate::policy::{BodyMode, Denial, Policy};
use crate::record::endpoint::Endpoint;
use crate::runtime::clock;

/// How a request's body is going to be read.
pub(crate) struct Plan {
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
    /// The plan for a request.
    ///
    /// # Errors
    /// A body of a kind or length that the path does not take.
    pub(crate) fn of(
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

    /// Reads the body, or says how it will pass; and the model, where it is known by then.
    ///
    /// # Errors
    /// What the body says or how it comes is refused.
    pub(crate) async fn read(
        &self,
        gateway: &Gateway,
        session: &mut Session,
        flight: &mut Flight,
        policy: &Policy,
    ) -> Result<(Body, Source, Option<ModelName>), Stop> {
        let json = match self.way {
            Way::Hold => {
                let held = self.hold(gateway, session, flight, policy).await?;
                let facts = wanted(held.facts, self.model_needed)?;
                flight.record.stream = facts.as_ref().is_some_and(|facts| facts.stream);
                flight.most_tokens = facts.as_ref().and_then(|facts| facts.max_tokens);
                let model = facts.map(|facts| name(&facts.model)).transpose()?;
                let body = Body::Held {
                    len: held.bytes.len(),
                    bytes: held.bytes.clone(),
                    _share: held.share,
                };
                return Ok((body, Source::Held(held.bytes), model));
            }
            Way::Pass { json } => json,
        };
        if session.as_downstream_mut().is_body_empty() {
            let body = Body::Held {
                len: 0,
                bytes: Bytes::new(),
                _share: gateway.budget().share(),
            };
            return Ok((body, Source::Held(Bytes::new()), None));
        }
        go_on(session).await?;
        let json = json.then(|| {
            let checker = Checker::new(shape(flight.record.endpoint));
            (Inspection::new(json_limits(policy)), checker)
        });
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

    async fn hold(
        &self,
        gateway: &Gateway,
        session: &mut Session,
        flight: &mut Flight,
        policy: &Policy,
    ) -> Result<Held, Stop> {
        go_on(session).await?;
        let inspector = &policy.inspector;
        let mut inspection = Inspection::new(json_limits(policy));
        let mut checker = Checker::new(shape(flight.record.endpoint));
        let mut whole = Pieces::new(reply::announced(session).unwrap_or(0).min(self.limit));
        let mut share = gateway.budget().share();
        let idle = policy.timeouts.body_idle.get();
        loop {
            let asked = clock::now();
            let reading = session.as_downstream_mut().read_request_body();
            let piece = pingora::time::timeout(idle, reading).await;
            flight
                .clock
                .waited(clock::now().saturating_duration_since(asked));
            let piece = piece.map_err(|_elapsed| Denial::RequestTimeout)?;
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
            if let Err(stop) = inspection.push(inspector, whole.newest(), &mut checker) {
                findings::note(gateway, session, flight, &inspection.report(inspector));
                return Err(Denial::from(stop).into());
            }
        }
        let (report, outcome) = match inspection.finish(inspector, &mut checker) {
            Ok(cleared) => {
                let (report, edits, facts) = cleared.into_parts();
                (report, Ok((edits, facts)))
            }
            Err((stop, report)) => (report, Err(stop)),
        };
        findings::note(gateway, session, flight, &report);
        let (edits, facts) = outcome.map_err(Denial::from)?;
        valid(&checker)?;
        let mut bytes = whole.into_bytes();
        if !edits.is_empty() {
            bytes = rewrite::apply(&bytes, &edits).into();
        }
        Ok(Held {
            bytes,
            share,
            facts,
        })
    }
}

/// Tells a client to go on that waits for the word (RFC 9110, 10.1.1).
pub(crate) async fn go_on(session: &mut Session) -> Result<(), Stop> {
    if session.req_header().headers.contains_key(header::EXPECT) {
        session
            .as_downstream_mut()
            .write_continue_response()
            .await
            .map_err(Stop::Broken)?;
    }
    Ok(())
}

/// How deep a body may be nested, and what else bounds its reader.
fn json_limits(policy: &Policy) -> Limits {
    Limits {
        depth: policy.request.max_json_depth,
        ..Limits::default()
    }
}

/// The shape that a body must have at an endpoint.
pub(crate) const fn shape(endpoint: Endpoint) -> Shape {
    match endpoint {
        Endpoint::ChatCompletions => Shape::Chat,
        Endpoint::Completions => Shape::Completions,
        Endpoint::Responses => Shape::Responses,
        Endpoint::Embeddings => Shape::Embeddings,
        Endpoint::Messages => Shape::Messages,
        Endpoint::Moderations
        | Endpoint::Audio
        | Endpoint::Files
        | Endpoint::Images
        | Endpoint::Models
        | Endpoint::V1Health
        | Endpoint::Health
        | Endpoint::Ready
        | Endpoint::Metrics
        | Endpoint::Internal
        | Endpoint::Other => Shape::Other,
    }
}

/// Whether a body that was read to its end has the shape of its API.
///
/// # Errors
/// The first field that is not what it must be.
pub(crate) fn valid(checker: &Checker) -> Result<(), Denial> {
    checker.verdict().map_err(Denial::from)
}

/// What the body says about its way; nothing where it need not name a model and does not.
///
/// # Errors
/// A field that is not what it must be.
pub(crate) fn wanted(
    facts: Result<Facts, FieldFault>,
    model_needed: bool,
) -> Result<Option<Facts>, Denial> {
    match facts {
        Ok(facts) => Ok(Some(facts)),
        Err(FieldFault {
            param,
            problem: Problem::Required,
        }) if param == "model" && !model_needed => Ok(None),
        Err(fault) => Err(Denial::from(fault)),
    }
}

/// A model that has no well-formed name is no model of ours.
pub(crate) fn name(model: &str) -> Result<ModelName, Denial> {
    model.parse().map_err(|_fault| Denial::ModelNotFound)
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

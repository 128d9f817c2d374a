//! How a request's body is read: held and judged, or judged on its way.
//!
//! Decides which of the two by path, media type and policy, and what a body must say for the
//! request to be routed. Reading it is `holding`'s, or the body hook's.

use bytes::Bytes;
use http::header;
use pingora::proxy::Session;

use super::ctx::{Body, Flight, Passing};
use super::guard::Source;
use super::holding::{self, Begun, Read};
use super::receive::Stop;
use super::tail::HeldTail;
use super::{Gateway, reply};
use crate::admit::size::{self, Media};
use crate::admit::target::Reading;
use crate::inspect::engine::{BodyInspection, BodyKind};
use crate::inspect::fault::{FieldFault, Problem};
use crate::inspect::json::Limits;
use crate::inspect::peek::Facts;
use crate::inspect::validate::{Checker, Shape};
use crate::policy::names::ModelName;
use crate::policy::{BodyMode, Denial, Policy};
use crate::record::endpoint::Endpoint;

/// Of an upload so much is held before it goes on, so that most are judged whole.
const UPLOAD_HELD: u64 = 1024 * 1024;

/// How a request's body is going to be read.
pub(crate) struct Plan {
    pub(super) limit: u64,
    pub(super) kind: BodyKind,
    way: Way,
    model_needed: bool,
}

enum Way {
    /// Read whole and judged before a provider is connected to; an upload up to a limit, and
    /// until its model is known.
    Hold,
    /// Judged on its way.
    Pass,
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
        let content_type = head.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.map(http::HeaderValue::as_bytes);
        let media = Media::of(content_type);
        let limit = size::limit(&policy.sizes, head.uri.path(), media);
        if reply::announced(session).is_some_and(|length| length > limit) {
            return Err(Denial::RequestTooLarge(limit));
        }
        let kind = match (reading, media) {
            (_, Media::Json) | (Reading::Model | Reading::ModelIfGiven, Media::Missing) => {
                BodyKind::Json
            }
            (Reading::Model | Reading::ModelIfGiven, _) => {
                return Err(Denial::UnsupportedMediaType("application/json in UTF-8"));
            }
            (Reading::Upload | Reading::Nothing, _) => BodyKind::upload(content_type)?,
        };
        // What has no media type is held to the limit of JSON, as which it is read.
        let limit = if kind == BodyKind::Json && media == Media::Missing {
            limit.min(policy.sizes.json.get())
        } else {
            limit
        };
        let way = match policy.request.mode {
            BodyMode::Hold => Way::Hold,
            BodyMode::Stream => Way::Pass,
        };
        let model_needed = match reading {
            Reading::Model => true,
            Reading::Upload => endpoint == Endpoint::Audio,
            Reading::ModelIfGiven | Reading::Nothing => false,
        };
        Ok(Self {
            limit,
            kind,
            way,
            model_needed,
        })
    }

    /// Reads the body, or says how it will pass; and the model, where it is known by then. `any`:
    /// where it goes does not depend on the model.
    ///
    /// # Errors
    /// What the body says or how it comes is refused.
    pub(crate) async fn read(
        &self,
        gateway: &Gateway,
        session: &mut Session,
        flight: &mut Flight,
        any: bool,
    ) -> Result<(Body, Source, Option<ModelName>), Stop> {
        let snapshot = flight.snapshot.clone();
        let policy = &snapshot.policy;
        if self.kind != BodyKind::Json && session.as_downstream_mut().is_body_empty() {
            let body = Body::Held {
                len: 0,
                bytes: Bytes::new(),
                streamed: false,
                share: None,
            };
            return Ok((body, Source::Held(Bytes::new()), None));
        }
        go_on(session).await?;
        let begun = match self.way {
            Way::Hold => match holding::hold(self, gateway, session, flight, any).await? {
                Read::Whole(held) => {
                    let facts = wanted(held.facts, self.model_needed)?;
                    flight.record.stream = facts.as_ref().is_some_and(|facts| facts.stream);
                    let streamed = flight.record.stream;
                    flight.most_tokens = facts.as_ref().and_then(|facts| facts.max_tokens);
                    let model = facts.map(|facts| name(&facts.model)).transpose()?;
                    let body = Body::Held {
                        len: held.bytes.len(),
                        bytes: held.bytes.clone(),
                        streamed,
                        share: Some(held.share),
                    };
                    return Ok((body, Source::Held(held.bytes), model));
                }
                Read::Begun(begun) => *begun,
            },
            Way::Pass => Begun {
                bytes: Bytes::new(),
                share: gateway.budget().share(),
                reading: self.reading(policy, flight.record.endpoint),
                model: None,
            },
        };
        let model = begun.model.as_deref().map(name).transpose()?;
        let passing = Passing {
            tail: HeldTail::new(self.limit, begun.share).holding(begun.bytes),
            reading: Some(begun.reading),
            model_needed: self.model_needed,
            rewrites: policy.inspector.rewrites(),
        };
        let source = Source::Client(policy.timeouts);
        Ok((Body::Passing(Box::new(passing)), source, model))
    }

    /// Those that will hear the body.
    pub(super) fn reading(&self, policy: &Policy, endpoint: Endpoint) -> (BodyInspection, Checker) {
        let inspection = BodyInspection::new(&self.kind, json_limits(policy));
        (inspection, Checker::new(shape(endpoint)))
    }

    /// Whether so much of an upload has been held that the rest may be judged on its way.
    pub(super) fn may_pass(&self, held: u64, model_known: bool) -> bool {
        self.kind != BodyKind::Json && held > UPLOAD_HELD && model_known
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

//! Answers on their way to the client: inspected in the guard, which writes what may leave.
//!
//! Lives here: which answers are inspected and how, the state of one on its way, the streams in
//! flight. Must not live here: what is found and what becomes of it (`inspect::answer`), and how
//! bytes are written (`guard`).

mod live;
mod refusal;
pub(crate) mod streams;

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

use super::ctx::{Call, Flight};
use super::{Gateway, findings};
use crate::inspect::answer::{Answer, Shape};
use crate::policy::Denial;
use crate::policy::names::{KeyId, ModelName, ProviderName};
use crate::provider::translate::{Translator, Wanted};
use crate::record::endpoint::Endpoint;
use crate::record::{Inspected, Usage};
use crate::runtime::clock;
pub(crate) use live::{Live, Passed};
use streams::Traits;

/// Whether a field tells of the very bytes that the provider sent.
fn is_of_the_bytes(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "content-length"
            | "etag"
            | "accept-ranges"
            | "trailer"
            | "content-md5"
            | "digest"
            | "content-digest"
            | "repr-digest"
    )
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It has no body.
    Nothing,
    /// It passes: sound, pictures, files.
    Pass,
    /// Events.
    Stream(Shape),
    /// JSON.
    Json(Shape),
    /// Text.
    Text,
    /// A refusal in JSON: the caller's own fault, in the provider's words.
    Fault,
    /// Not what this path is answered with.
    Wrong,
}

fn reading(head: &ResponseHeader, endpoint: Endpoint, method: &Method) -> Reading {
    let status = head.status;
    let bodyless = matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::RESET_CONTENT
    );
    if bodyless || *method == Method::HEAD {
        return Reading::Nothing;
    }
    let (shape, free) = match endpoint {
        Endpoint::ChatCompletions | Endpoint::Completions => (Shape::Chat, false),
        Endpoint::Responses => (Shape::Responses, false),
        Endpoint::Messages => (Shape::Messages, false),
        Endpoint::Embeddings | Endpoint::Moderations => (Shape::Other, false),
        Endpoint::Audio
        | Endpoint::Files
        | Endpoint::Images
        | Endpoint::Models
        | Endpoint::V1Health
        | Endpoint::Health
        | Endpoint::Ready
        | Endpoint::Metrics
        | Endpoint::Internal
        | Endpoint::Other => (Shape::Other, true),
    };
    let kind = head.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    if !status.is_success() {
        return Reading::Fault;
    }
    let length = head.headers.get(header::CONTENT_LENGTH);
    if length.is_some_and(|length| length == "0") {
        // Where JSON is the answer, nothing is none.
        return if free {
            Reading::Nothing
        } else {
            Reading::Wrong
        };
    }
    if is("text/event-stream") {
        Reading::Stream(shape)
    } else if is("application/json") || kind.ends_with("+json") {
        Reading::Json(shape)
    } else if !free {
        Reading::Wrong
    } else if kind.starts_with("text/") || is("application/x-subrip") {
        Reading::Text
    } else {
        Reading::Pass
    }
}

/// Readies the head of an answer that will be inspected: its length and what else tells of the
/// provider's bytes is no longer true. Before Pingora settles how the body is framed.
///
/// # Errors
/// The answer is not what the path is answered with.
pub(crate) fn prepare(
    head: &mut ResponseHeader,
    (method, endpoint): (&Method, Endpoint),
    call: &mut Call,
) -> Result<()> {
    let reading = reading(head, endpoint, method);
    call.reading = Some(reading);
    match reading {
        Reading::Nothing | Reading::Pass => {}
        Reading::Wrong => {
            let denial = Denial::UpstreamError;
            let status = denial.face().status;
            call.denial = Some(denial);
            let cause = "the provider's answer is of the wrong type";
            return Err(Error::explain(ErrorType::HTTPStatus(status), cause).into_up());
        }
        Reading::Stream(_) => untrue(head, false),
        // It is judged whole, and its length is said anew before it leaves.
        Reading::Json(_) | Reading::Text | Reading::Fault => untrue(head, true),
    }
    Ok(())
}

/// Takes away what will be untrue of the bytes that leave.
fn untrue(head: &mut ResponseHeader, sized: bool) {
    let names = head.headers.keys();
    let stale: Vec<HeaderName> = names
        .filter(|name| is_of_the_bytes(name) && !(sized && **name == header::CONTENT_LENGTH))
        .cloned()
        .collect();
    for name in &stale {
        head.remove_header(name);
    }
}

/// Begins the inspection of an answer whose head is ready.
pub(crate) fn begin(gateway: &Gateway, head: &ResponseHeader, flight: &mut Flight) {
    let endpoint = flight.record.endpoint;
    let reading = flight.call().and_then(|call| call.reading.take());
    let Some(reading) = reading else {
        return;
    };
    let wanted = flight.call().and_then(|call| call.wanted);
    let told = |make: fn(Wanted, u64) -> Translator| {
        let made = clock::unix();
        wanted.map(|wanted| Box::new(make(wanted, made)))
    };
    let (answer, translator) = match reading {
        Reading::Nothing | Reading::Pass | Reading::Wrong => return,
        Reading::Stream(shape) if flight.call().is_some_and(|call| call.usage_added) => {
            (Answer::stream(shape).without_usage(), None)
        }
        Reading::Stream(shape) => (Answer::stream(shape), told(Translator::stream)),
        Reading::Json(shape) => (Answer::plain(shape), told(Translator::plain)),
        Reading::Text => (Answer::text(), None),
        Reading::Fault => {
            let status = head.status.as_u16();
            let fault = wanted.map(|wanted| Box::new(Translator::fault(wanted, status)));
            (Answer::fault(), fault)
        }
    };
    let place = answer.is_stream().then(|| {
        let record = &flight.record;
        gateway.control.streams.enter(Traits {
            key: record.key_id.as_ref().map(KeyId::as_str).map(Box::from),
            model: record.model.as_ref().map(ModelName::as_str).map(Box::from),
            provider: record
                .provider
                .as_ref()
                .map(ProviderName::as_str)
                .map(Box::from),
            ip: record.client_ip,
        })
    });
    let live = Live::new(
        (answer, translator),
        Arc::clone(&flight.snapshot),
        (endpoint, flight.record.request_id.clone()),
        (place, gateway.budget().share()),
        flight.clock.answered().unwrap_or_else(clock::now),
    );
    if let Some(call) = flight.call() {
        call.handle.answer_begins(Box::new(live));
    }
}

/// Takes over what the inspection of an answer did and found.
pub(crate) fn end(gateway: &Gateway, session: &Session, flight: &mut Flight) {
    let live = flight.call().and_then(|call| call.handle.answer_ends());
    let Some(live) = live else {
        return;
    };
    let (report, used, denial) = live.into_parts();
    flight.record.answer = Some(Inspected::from(&report));
    flight.record.usage = Usage {
        prompt: used.prompt,
        completion: used.completion,
    };
    if let Some(denial) = denial {
        if let Some(call) = flight.call() {
            call.denial = Some(denial.clone());
        }
        flight.record.ended_early(&denial);
    }
    let snapshot = Arc::clone(&flight.snapshot);
    let inspector = &snapshot.policy.response_inspector;
    findings::tell(
        gateway,
        session,
        flight,
        (inspector, &report, findings::Way::Answer),
    );
}

/// The head of an answer of the gateway's own in the place of a provider's: its security and
/// other headers stay, what told of the body goes.
fn own_head(head: &mut ResponseHeader, status: u16, length: usize) {
    if let Ok(status) = StatusCode::from_u16(status) {
        // A status that is one can always be set.
        let _infallible = head.set_status(status);
    }
    set(
        head,
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    set(
        head,
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    );
    sized(head, length);
}

/// Says how long the body is.
fn sized(head: &mut ResponseHeader, length: usize) {
    head.remove_header(&header::TRANSFER_ENCODING);
    set(head, header::CONTENT_LENGTH, HeaderValue::from(length));
}

fn set(head: &mut ResponseHeader, name: HeaderName, value: HeaderValue) {
    // A value that is checked can always be set.
    let _infallible = head.insert_header(name, value);
}

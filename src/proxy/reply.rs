//! The one writer of answers that the gateway gives itself, refusals first of all.
//!
//! Decides their shape on the wire: OpenAI's, or Anthropic's under `/v1/messages`, so that either
//! SDK raises its own typed exception. The words are the denial's; none are added here.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::{ErrorType, OrErr as _, Result};
use serde_json::json;

use super::{cors, limits};
use crate::policy::limits::Standing;
use crate::policy::{AuthMode, Denial, Policy};
use crate::record::endpoint::Endpoint;

/// `x-request-id`.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How many calls to providers were tried.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("x-portcullis-attempts");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const MODE: HeaderName = HeaderName::from_static("x-portcullis-mode");

/// A body that a refused client still sends is read and thrown away up to here, so that it reads
/// the refusal rather than a reset connection (nginx's lingering close).
const LINGER_BYTES: usize = 256 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(1);
/// A body announced to be no longer than this is read before the refusal, so that the connection
/// can be kept.
const SMALL_BODY: u64 = 16 * 1024;

/// An answer that the gateway gives itself.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    /// What a page of ours may do in a browser, in the place of what answers may.
    pub(crate) csp: Option<HeaderValue>,
}

impl Answer {
    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.to_string().into(),
            csp: None,
        }
    }
}

/// The body of a refusal, in the shape of the API that was called.
pub(crate) fn error_body(denial: &Denial, endpoint: Endpoint, request_id: &str) -> Bytes {
    let face = denial.face();
    let message = denial.message();
    let body = if endpoint == Endpoint::Messages {
        json!({
            "type": "error",
            "error": {"type": face.anthropic_type, "message": message, "code": face.code},
            "request_id": request_id,
        })
    } else {
        json!({
            "error": {
                "message": message,
                "type": face.openai_type,
                "code": face.code,
                "param": denial.param(),
            },
            "request_id": request_id,
        })
    };
    body.to_string().into()
}

/// What ends a stream that can't go on: the API's own event of an error. Behind it the stream
/// ends, and no end that looks clean is written.
pub(crate) fn closing_event(
    denial: &Denial,
    endpoint: Endpoint,
    request_id: &str,
    number: u64,
) -> Bytes {
    let body = error_body(denial, endpoint, request_id);
    let mut event = b"event: error\ndata: ".to_vec();
    match (endpoint, serde_json::from_slice(&body)) {
        (Endpoint::Responses, Ok(serde_json::Value::Object(mut fields))) => {
            // The responses API has a shape of its own for this event; either can be read.
            fields.insert("type".to_owned(), "error".into());
            fields.insert("code".to_owned(), denial.face().code.into());
            fields.insert("message".to_owned(), denial.message().into());
            fields.insert("param".to_owned(), denial.param().into());
            fields.insert("sequence_number".to_owned(), number.into());
            let fields = serde_json::Value::Object(fields);
            event.extend_from_slice(fields.to_string().as_bytes());
        }
        _ => event.extend_from_slice(&body),
    }
    event.extend_from_slice(b"\n\n");
    event.into()
}

/// Sets the headers that every answer carries.
///
/// # Errors
/// A value that is no header value; all of them come checked, so none.
pub(crate) fn dress(fields: &mut HeaderMap, policy: &Policy, request_id: &str) -> Result<()> {
    for (name, value) in &policy.security_headers {
        fields.insert(name.clone(), value.clone());
    }
    fields.insert(REQUEST_ID, own_value(request_id)?);
    if policy.auth.mode == AuthMode::Development {
        fields.insert(MODE, HeaderValue::from_static("development"));
    }
    Ok(())
}

/// A value of our own making.
///
/// # Errors
/// It is no header value; all of them come checked, so none.
pub(crate) fn own_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).or_err(ErrorType::InternalError, "a value of our own")
}

/// Puts these fields in the place of all that the head has.
pub(crate) fn refill(head: &mut ResponseHeader, fields: HeaderMap) {
    let empty = ResponseHeader::from(http::Response::new(()).into_parts().0);
    let mut parts: http::response::Parts = std::mem::replace(head, empty).into();
    parts.headers = fields;
    *head = parts.into();
}

/// Writes an answer of the gateway's own.
///
/// # Errors
/// The client can't be written to.
pub(crate) async fn send(
    session: &mut Session,
    policy: &Policy,
    request_id: &str,
    told: Option<Standing>,
    answer: Answer,
) -> Result<()> {
    let mut fields = HeaderMap::with_capacity(16);
    let kind = HeaderValue::from_static(answer.content_type);
    fields.insert(header::CONTENT_TYPE, kind);
    fields.insert(header::CACHE_CONTROL, NO_STORE);
    limits::tell(&mut fields, told);
    dress(&mut fields, policy, request_id)?;
    if let Some(csp) = answer.csp {
        fields.insert(header::CONTENT_SECURITY_POLICY, csp);
    }
    cors::dress(&mut fields, &policy.cors, &session.req_header().headers);
    write(session, answer.status, fields, answer.body).await
}

/// Answers a preflight: 204 and what the browser may do.
///
/// # Errors
/// The client can't be written to.
pub(crate) async fn preflight(
    session: &mut Session,
    policy: &Policy,
    request_id: &str,
    allowed: Vec<(HeaderName, HeaderValue)>,
) -> Result<()> {
    let mut fields = HeaderMap::with_capacity(16);
    dress(&mut fields, policy, request_id)?;
    cors::dress(&mut fields, &policy.cors, &session.req_header().headers);
    fields.extend(allowed);
    let mut head = ResponseHeader::build_no_case(204, None)?;
    refill(&mut head, fields);
    session.write_response_header(Box::new(head), true).await
}

/// Sends the client to another address, and closes the connection, which is of no more use. It
/// came without TLS, where HSTS means nothing (RFC 6797, 7.2).
///
/// # Errors
/// The client can't be written to.
pub(crate) async fn redirect(
    session: &mut Session,
    policy: &Policy,
    request_id: &str,
    location: HeaderValue,
) -> Result<()> {
    let mut fields = HeaderMap::with_capacity(16);
    dress(&mut fields, policy, request_id)?;
    fields.remove(header::STRICT_TRANSPORT_SECURITY);
    fields.insert(header::LOCATION, location);
    session.set_keepalive(None);
    write(session, 308, fields, Bytes::new()).await?;
    discard(session).await;
    Ok(())
}

/// Writes a refusal.
///
/// # Errors
/// The client can't be written to.
pub(crate) async fn deny(
    session: &mut Session,
    policy: &Policy,
    request_id: &str,
    endpoint: Endpoint,
    (denial, told, attempts): (&Denial, Option<Standing>, Option<u32>),
) -> Result<()> {
    let mut fields = HeaderMap::with_capacity(16);
    fields.insert(header::CONTENT_TYPE, JSON);
    fields.insert(header::CACHE_CONTROL, NO_STORE);
    if denial.face().status == 401 {
        let scheme = HeaderValue::from_static("Bearer");
        fields.insert(header::WWW_AUTHENTICATE, scheme);
    }
    if let Denial::MethodNotAllowed(allow) = denial {
        fields.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(wait) = denial.retry_after() {
        let seconds = limits::whole_seconds(wait).max(1);
        fields.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(attempts) = attempts {
        fields.insert(ATTEMPTS, HeaderValue::from(attempts));
    }
    limits::tell(&mut fields, told);
    dress(&mut fields, policy, request_id)?;
    cors::dress(&mut fields, &policy.cors, &session.req_header().headers);
    let body = error_body(denial, endpoint, request_id);
    if announced(session).is_some_and(|length| length <= SMALL_BODY) {
        discard(session).await;
    }
    write(session, denial.face().status, fields, body).await?;
    discard(session).await;
    Ok(())
}

async fn write(
    session: &mut Session,
    status: u16,
    mut fields: HeaderMap,
    body: Bytes,
) -> Result<()> {
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let mut head = ResponseHeader::build_no_case(status, None)?;
    refill(&mut head, fields);
    let bodyless = session.req_header().method == http::Method::HEAD || body.is_empty();
    session
        .write_response_header(Box::new(head), bodyless)
        .await?;
    if bodyless {
        return Ok(());
    }
    session.write_response_body(Some(body), true).await
}

/// The length that the request announces for its body.
pub(crate) fn announced(session: &Session) -> Option<u64> {
    session
        .req_header()
        .headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Reads what is left of the request's body, within limits. HTTP/2 resets the stream by itself.
async fn discard(session: &mut Session) {
    if session.is_http2() || session.as_downstream_mut().is_body_done() {
        return;
    }
    let reading = async {
        let mut left = LINGER_BYTES;
        while let Ok(Some(piece)) = session.as_downstream_mut().read_request_body().await {
            match left.checked_sub(piece.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // A client that sends no more within the time has had its chance to read the answer.
    let _in_time = pingora::time::timeout(LINGER_TIME, reading).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(denial: &Denial, endpoint: Endpoint) -> serde_json::Value {
        serde_json::from_slice(&error_body(denial, endpoint, "req-1")).unwrap()
    }

    #[test]
    fn refusals_have_the_shape_of_the_api_that_was_called() {
        let denial = Denial::InvalidRequest {
            param: Some("model".into()),
            problem: "`model` is \"missing\"".into(),
        };
        let openai = parsed(&denial, Endpoint::ChatCompletions);
        assert_eq!(openai["error"]["code"], "invalid_request", "OpenAI's code");
        assert_eq!(openai["error"]["param"], "model", "OpenAI's param");
        assert_eq!(
            openai["error"]["type"], "invalid_request_error",
            "OpenAI's type"
        );
        assert_eq!(openai["request_id"], "req-1", "the id");
        let anthropic = parsed(&denial, Endpoint::Messages);
        assert_eq!(anthropic["type"], "error", "Anthropic's outer type");
        assert_eq!(
            anthropic["error"]["type"], "invalid_request_error",
            "Anthropic's inner type"
        );
        assert_eq!(anthropic["request_id"], "req-1", "the id");
    }
}

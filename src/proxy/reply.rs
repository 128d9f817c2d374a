//! The one writer of answers that the gateway gives itself, refusals first of all.
//!
//! Decides their shape on the wire: OpenAI's, or Anthropic's under `/v1/messages`, so that either
//! SDK raises its own typed exception. The words are the denial's; none are added here.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use serde_json::json;

use crate::policy::{AuthMode, Denial, Policy};
use crate::record::endpoint::Endpoint;

/// `x-request-id`.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
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
}

impl Answer {
    /// An answer in JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.to_string().into(),
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

/// Sets the headers that every answer carries.
///
/// # Errors
/// A value that is no header value; all of them come checked, so none.
pub(crate) fn dress(head: &mut ResponseHeader, policy: &Policy, request_id: &str) -> Result<()> {
    for (name, value) in &policy.security_headers {
        head.insert_header(name, value)?;
    }
    head.insert_header(REQUEST_ID, request_id)?;
    if policy.auth.mode == AuthMode::Development {
        head.insert_header(MODE, "development")?;
    }
    Ok(())
}

/// Writes an answer of the gateway's own.
///
/// # Errors
/// The client can't be written to.
pub(crate) async fn send(
    session: &mut Session,
    policy: &Policy,
    request_id: &str,
    answer: Answer,
) -> Result<()> {
    let mut head = ResponseHeader::build(answer.status, Some(16))?;
    head.insert_header(header::CONTENT_TYPE, answer.content_type)?;
    head.insert_header(header::CACHE_CONTROL, "no-store")?;
    dress(&mut head, policy, request_id)?;
    write(session, head, answer.body).await
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
    denial: &Denial,
) -> Result<()> {
    let mut head = ResponseHeader::build(denial.face().status, Some(16))?;
    head.insert_header(header::CONTENT_TYPE, "application/json")?;
    head.insert_header(header::CACHE_CONTROL, "no-store")?;
    if denial.face().status == 401 {
        head.insert_header(header::WWW_AUTHENTICATE, "Bearer")?;
    }
    if let Denial::MethodNotAllowed(allow) = denial {
        head.insert_header(header::ALLOW, *allow)?;
    }
    if let Some(wait) = denial.retry_after() {
        head.insert_header(header::RETRY_AFTER, wait.as_secs())?;
    }
    dress(&mut head, policy, request_id)?;
    let body = error_body(denial, endpoint, request_id);
    if announced(session).is_some_and(|length| length <= SMALL_BODY) {
        discard(session).await;
    }
    write(session, head, body).await?;
    discard(session).await;
    Ok(())
}

async fn write(session: &mut Session, mut head: ResponseHeader, body: Bytes) -> Result<()> {
    head.insert_header(header::CONTENT_LENGTH, HeaderValue::from(body.len()))?;
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

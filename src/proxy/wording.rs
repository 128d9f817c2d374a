//! A request in the words of the provider that an attempt goes to.
//!
//! Decides nothing: which API a provider speaks is the policy's, how one API is said in another
//! `provider::translate`'s. What is translated has been judged before, and its answer is judged
//! after it was translated back.

use bytes::Bytes;
use pingora::{Error, ErrorType, Result};

use super::ctx::{Body, Call};
use crate::policy::names::ModelName;
use crate::policy::{Denial, Provider};
use crate::provider::translate::{self, Direction, Way};
use crate::provider::{rename, usage};
use crate::record::Record;
use crate::record::endpoint::Endpoint;

/// The body for this provider, where that is not the client's.
///
/// # Errors
/// The request can't be said to this provider; why, is in the call.
pub(crate) fn said(call: &mut Call, record: &Record, provider: &Provider) -> Result<Option<Bytes>> {
    call.wanted = None;
    call.usage_added = false;
    let model = record.model.as_ref().map(ModelName::as_str);
    let said = match Way::of(provider.api, record.endpoint) {
        Way::Same => Ok(same(call, record.endpoint, model, provider)),
        Way::Translated(direction) => translated(call, direction, model, provider).map(Some),
        Way::Nowhere => Err(Denial::InvalidRequest {
            param: None,
            problem: "The provider of this model has no call of this kind.".to_owned(),
        }),
    };
    let said = said.map_err(|denial| {
        let status = denial.face().status;
        call.denial = Some(denial);
        let cause = "the request can't be said in the provider's words";
        Error::explain(ErrorType::HTTPStatus(status), cause)
    })?;
    if let (Body::Held { bytes, len, .. }, said) = (&mut call.body, &said) {
        *len = said.as_ref().unwrap_or(bytes).len();
    }
    Ok(said)
}

/// With the model's name at this provider, and the question what a stream used.
fn same(
    call: &mut Call,
    endpoint: Endpoint,
    model: Option<&str>,
    provider: &Provider,
) -> Option<Bytes> {
    let Body::Held {
        bytes, streamed, ..
    } = &call.body
    else {
        return None;
    };
    let name = model.and_then(|model| provider.model_name(model));
    let mut words = name.and_then(|name| rename::model(bytes, name));
    let chat = matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Completions);
    if *streamed && chat && provider.stream_usage {
        let asking = usage::asked(words.as_deref().unwrap_or(bytes));
        call.usage_added = asking.is_some();
        words = asking.or(words);
    }
    words.map(Bytes::from)
}

/// In the words of another API.
fn translated(
    call: &mut Call,
    direction: Direction,
    model: Option<&str>,
    provider: &Provider,
) -> std::result::Result<Bytes, Denial> {
    let Body::Held { bytes, .. } = &call.body else {
        return Err(Denial::InvalidRequest {
            param: None,
            problem: "The provider of this model speaks another API, into which only a body \
                      that is held can be translated."
                .to_owned(),
        });
    };
    let model = model.unwrap_or_default();
    let name = provider.model_name(model).unwrap_or(model);
    let (said, wanted) = translate::request(direction, bytes, name)?;
    call.wanted = Some(wanted);
    Ok(said.into())
}

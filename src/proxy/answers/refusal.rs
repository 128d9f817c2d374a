//! A provider's refusal that may be passed on, as the client reads it.
//!
//! Decides its shape: the one that SDKs read, with our name for the request in it. Whether its
//! words may be passed on has been decided before (`inspect::answer`).

use bytes::Bytes;

use crate::policy::Denial;
use crate::provider::top;
use crate::proxy::reply::error_body;
use crate::record::endpoint::Endpoint;

/// A provider's refusal, in its words and with our name for the request. What does not have the
/// shape that SDKs read gets it, around the provider's message where it has one.
pub(super) fn named(body: &[u8], (status, endpoint): (u16, Endpoint), request_id: &str) -> Bytes {
    let error = top::value_of(body, "error").and_then(|place| body.get(place));
    if error.is_some_and(|error| error.starts_with(b"{"))
        && let Some(named) = top::with_member(body, "request_id", &request_id.into())
    {
        return named.into();
    }
    let denial = Denial::ProviderFailed {
        status,
        retry_after: None,
    };
    let own = error_body(&denial, endpoint, request_id);
    let text = |name: &str| {
        let place = top::value_of(body, name)?;
        serde_json::from_slice::<String>(body.get(place)?).ok()
    };
    let message = ["message", "error", "detail"].into_iter().find_map(text);
    let told = message
        .filter(|message| !message.is_empty())
        .and_then(|message| {
            let mut own: serde_json::Value = serde_json::from_slice(&own).ok()?;
            *own.get_mut("error")?.get_mut("message")? = message.into();
            Some(Bytes::from(own.to_string()))
        });
    told.unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_refusal_is_told_in_its_words_with_our_name_for_the_request() {
        let told = |body: &str, endpoint| -> serde_json::Value {
            let told = named(body.as_bytes(), (422, endpoint), "req-1");
            serde_json::from_slice(&told).unwrap()
        };
        for (body, message) in [
            (
                r#"{"error":{"message":"n is large","type":"x","param":"n"}}"#,
                "n is large",
            ),
            (r#"{"error":{"message":"m"},"request_id":"theirs"} "#, "m"),
            (r#"{"error":"bare words"}"#, "bare words"),
            (r#"{"detail":"an item is missing"}"#, "an item is missing"),
            (r#"{"object":"error","message":"flat"}"#, "flat"),
        ] {
            for endpoint in [Endpoint::ChatCompletions, Endpoint::Messages] {
                let told = told(body, endpoint);
                assert_eq!(told["error"]["message"], message, "{body}");
                assert_eq!(told["request_id"], "req-1", "{body}");
            }
        }
        for body in [
            "[]",
            "{}",
            "7",
            r#"{"detail":[{"msg":"x"}]}"#,
            r#"{"error":null}"#,
        ] {
            let told = told(body, Endpoint::ChatCompletions);
            let message = told["error"]["message"].as_str().unwrap();
            assert!(!message.is_empty(), "{body}: {told}");
            assert_eq!(told["request_id"], "req-1", "{body}");
        }
        let whole = told(
            r#"{"error":{"message":"m","param":"n"},"more":[1]}"#,
            Endpoint::Messages,
        );
        assert_eq!(
            (&whole["error"]["param"], &whole["more"][0]),
            (&"n".into(), &1.into())
        );
    }
}

//! Which headers each provider's API wants from the gateway itself.
//!
//! Decides under what name the provider's key travels, and the API version for a client that named
//! none. It never removes what the client sent (the header stage does) and never looks at whether
//! the key is any good.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::policy::Api;
use crate::policy::secret::Secret;

/// Anthropic's header for a key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Anthropic's header for the version of its API.
pub const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// Whether a field speaks to one provider's API alone, so that it means nothing to another's.
pub fn is_of_an_api(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("anthropic-") || name.starts_with("openai-")
}

/// The version that Anthropic's own SDKs send.
const DEFAULT_ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The key can't be sent: it holds a line break or another control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("holds a control character, which no HTTP header may carry")]
pub struct UnsendableKey;

/// The header that carries the gateway's key towards `api`; none for the embedded provider.
///
/// The value is marked sensitive, so that it is not shown when printed and HTTP/2 does not put it
/// into its compression table. Clones share its bytes, which are wiped when the last one is gone.
pub fn credential_header(
    api: Api,
    key: &Secret,
) -> Result<Option<(HeaderName, HeaderValue)>, UnsendableKey> {
    let (name, scheme) = match api {
        Api::OpenAi => (AUTHORIZATION, "Bearer "),
        Api::Anthropic => (X_API_KEY, ""),
        Api::Echo => return Ok(None),
    };
    // `concat` takes all the room at once, so that no piece is left behind by growing.
    let text = Zeroizing::new([scheme, key.expose()].concat().into_bytes());
    // The cause would only repeat that the key is at fault.
    let Ok(mut value) = HeaderValue::from_maybe_shared(Bytes::from_owner(text)) else {
        return Err(UnsendableKey);
    };
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

/// The API version to add to a request of which the client sent `sent`; none where the API has no
/// such header or the client chose one itself.
pub fn version_header(api: Api, sent: &HeaderMap) -> Option<(HeaderName, HeaderValue)> {
    match api {
        Api::Anthropic if !sent.contains_key(ANTHROPIC_VERSION) => {
            Some((ANTHROPIC_VERSION, DEFAULT_ANTHROPIC_VERSION))
        }
        Api::Anthropic | Api::OpenAi | Api::Echo => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn each_api_gets_the_key_in_its_own_header() {
        for (api, wanted) in [
            (Api::OpenAi, Some(("authorization", "Bearer sk-1"))),
            (Api::Anthropic, Some(("x-api-key", "sk-1"))),
            (Api::Echo, None),
        ] {
            let header = credential_header(api, &secret("sk-1")).unwrap();
            let got = header
                .as_ref()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
            assert_eq!(
                got, wanted,
                "{api:?} must see the key where it looks for it"
            );
        }
    }

    #[test]
    fn the_key_is_not_shown_when_the_header_is_printed() {
        let (_, value) = credential_header(Api::OpenAi, &secret("sk-very-secret"))
            .unwrap()
            .unwrap();
        assert!(
            !format!("{value:?}").contains("secret"),
            "a printed header must not tell the key"
        );
    }

    #[test]
    fn a_key_with_a_line_break_is_refused() {
        for bad in ["a\nb", "a\r\nx-admin: 1", "a\0"] {
            assert_eq!(
                credential_header(Api::Anthropic, &secret(bad)),
                Err(UnsendableKey),
                "{bad:?} must not become a header"
            );
        }
    }

    #[test]
    fn the_api_version_is_added_only_for_anthropic_and_only_when_missing() {
        let none = HeaderMap::new();
        let chosen = HeaderMap::from_iter([(ANTHROPIC_VERSION, HeaderValue::from_static("x"))]);
        assert_eq!(
            version_header(Api::Anthropic, &none),
            Some((ANTHROPIC_VERSION, HeaderValue::from_static("2023-06-01"))),
            "Anthropic refuses a request without a version"
        );
        assert_eq!(
            version_header(Api::Anthropic, &chosen),
            None,
            "the client's own choice stands"
        );
        for api in [Api::OpenAi, Api::Echo] {
            assert_eq!(
                version_header(api, &none),
                None,
                "{api:?} has no version header"
            );
        }
    }
}

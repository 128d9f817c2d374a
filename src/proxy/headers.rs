//! Header fields at the two borders: what goes to a provider, what comes back to a client.
//!
//! Decides which fields pass. Towards a provider: no credential, no cookie, nothing hop-by-hop,
//! no word of who the client is unless a trusted proxy said it, no field with an underscore (a
//! CGI-like reader would take it for its twin with a hyphen). Towards a client: nothing that a
//! provider says of itself.

use http::header::{self, HeaderMap, HeaderName};

use crate::policy::Denial;

/// Fields that never reach a provider, whoever sent them.
fn never_upstream(name: &str) -> bool {
    // A match finds its row by length first: cheaper than a list that is looked through.
    matches!(
        name,
        "authorization"
            | "proxy-authorization"
            | "cookie"
            | "proxy-authenticate"
            | "connection"
            | "transfer-encoding"
            | "http2-settings"
            | "upgrade"
            | "te"
            | "trailer"
            | "expect"
            | "accept-encoding"
            | "origin"
            | "referer"
            | "x-api-key"
            | "api-key"
            | "keep-alive"
            | "proxy-connection"
            | "openai-organization"
            | "openai-project"
            | "x-original-url"
            | "x-rewrite-url"
    )
}

/// Fields in which only a trusted proxy may speak.
fn is_forwarding(name: &str) -> bool {
    matches!(
        name,
        "forwarded"
            | "via"
            | "x-forwarded-for"
            | "x-forwarded-host"
            | "x-forwarded-proto"
            | "x-forwarded-port"
            | "x-real-ip"
            | "true-client-ip"
            | "cf-connecting-ip"
            | "x-client-ip"
    )
}

/// Fields of a provider that say what it is made of, or set state at the client.
fn never_downstream(name: &str) -> bool {
    matches!(
        name,
        "server"
            | "set-cookie"
            | "via"
            | "alt-svc"
            | "www-authenticate"
            | "strict-transport-security"
            | "content-security-policy"
            | "x-frame-options"
            | "x-content-type-options"
            | "referrer-policy"
            | "access-control-allow-origin"
            | "access-control-allow-credentials"
            | "access-control-expose-headers"
            | "x-powered-by"
            | "x-served-by"
            | "x-runtime"
            | "x-backend"
            | "x-aspnet-version"
            | "cf-ray"
            | "cf-cache-status"
            | "nel"
            | "report-to"
            | "openai-organization"
            | "openai-project"
            | "anthropic-organization-id"
    )
}

/// Whether a field that a client sent stops here.
pub(crate) fn stops_upstream(name: &HeaderName, peer_is_trusted: bool) -> bool {
    let name = name.as_str();
    never_upstream(name)
        || name.as_bytes().contains(&b'_')
        || (!peer_is_trusted && is_forwarding(name))
}

/// The most fields that `Connection` may name.
const NAMED: usize = 16;

/// The fields that the client's `Connection` names as meant for this hop alone (RFC 9110, 7.6.1).
/// Pingora would look for them, and for all that [`never_upstream`] names, in every request: here
/// the usual head costs one look.
///
/// # Errors
/// It names too many, what is no field, or one that says where the request goes or came from.
pub(crate) fn of_this_hop(sent: &HeaderMap) -> Result<Vec<HeaderName>, Denial> {
    let mut named = Vec::new();
    if !sent.contains_key(header::CONNECTION) {
        return Ok(named);
    }
    let values = sent.get_all(header::CONNECTION).iter();
    let words = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    for word in words
        .map(<[u8]>::trim_ascii)
        .filter(|word| !word.is_empty())
    {
        if word.eq_ignore_ascii_case(b"keep-alive") || word.eq_ignore_ascii_case(b"close") {
            continue;
        }
        let is_token = word.iter().all(|byte| is_token(*byte));
        let name = HeaderName::from_bytes(word).ok().filter(|_| is_token);
        let name = name.filter(|name| !is_protected(name) && named.len() < NAMED);
        named.push(name.ok_or_else(|| Denial::InvalidRequest {
            param: None,
            problem: "The Connection header names what it must not.".to_owned(),
        })?);
    }
    Ok(named)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_protected(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "host" | "x-forwarded-for" | "x-forwarded-host" | "x-forwarded-proto"
    )
}

/// Whether a field that a provider sent stops here.
pub(crate) fn stops_downstream(name: &HeaderName) -> bool {
    let name = name.as_str();
    never_downstream(name) || name.starts_with("x-envoy-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HeaderName {
        text.parse().unwrap()
    }

    #[test]
    fn what_connection_names_is_of_this_hop() {
        for (said, named) in [
            (None, Some(&[][..])),
            (Some("keep-alive"), Some(&[][..])),
            (Some("Close, Keep-Alive"), Some(&[][..])),
            (Some("X-One , x-two,,"), Some(&["x-one", "x-two"][..])),
            (Some("close, content-length"), Some(&["content-length"][..])),
            (Some("host"), None),
            (Some("X-Forwarded-For"), None),
            (Some("\"x-one\""), None),
            (Some("x one"), None),
            (Some(":path"), None),
        ] {
            let mut sent = HeaderMap::new();
            if let Some(said) = said {
                sent.insert(header::CONNECTION, said.parse().unwrap());
            }
            let found = of_this_hop(&sent).ok();
            let found: Option<Vec<_>> =
                found.map(|all| all.iter().map(|name| name.as_str().to_owned()).collect());
            let named = named.map(|all| all.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(found, named, "{said:?}");
        }
        let many = ["x"; NAMED + 1].join(",");
        let mut sent = HeaderMap::new();
        sent.insert(header::CONNECTION, many.parse().unwrap());
        assert!(of_this_hop(&sent).is_err(), "one too many");
    }

    #[test]
    fn nothing_of_the_client_reaches_a_provider() {
        for field in [
            "authorization",
            "x-api-key",
            "api-key",
            "proxy-authorization",
            "cookie",
            "connection",
            "keep-alive",
            "upgrade",
            "te",
            "expect",
            "accept-encoding",
            "x_api_key",
            "x_forwarded_for",
        ] {
            assert!(
                stops_upstream(&name(field), true),
                "{field} stops here, whoever sent it"
            );
        }
        for field in [
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
            "via",
            "cf-connecting-ip",
        ] {
            assert!(
                stops_upstream(&name(field), false),
                "{field} of a stranger stops here"
            );
            assert!(
                !stops_upstream(&name(field), true),
                "{field} of a trusted proxy passes"
            );
        }
        for field in [
            "content-type",
            "accept",
            "user-agent",
            "openai-beta",
            "anthropic-beta",
        ] {
            assert!(!stops_upstream(&name(field), false), "{field} passes");
        }
    }

    #[test]
    fn nothing_a_provider_is_made_of_reaches_the_client() {
        for field in [
            "server",
            "set-cookie",
            "x-powered-by",
            "via",
            "cf-ray",
            "x-envoy-upstream-service-time",
        ] {
            assert!(stops_downstream(&name(field)), "{field} stops here");
        }
        for field in [
            "content-type",
            "retry-after",
            "openai-processing-ms",
            "cache-control",
        ] {
            assert!(!stops_downstream(&name(field)), "{field} passes");
        }
    }
}

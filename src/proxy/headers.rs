//! Header fields at the two borders: what goes to a provider, what comes back to a client.
//!
//! Decides which fields pass. Towards a provider: no credential, no cookie, nothing hop-by-hop,
//! no word of who the client is unless a trusted proxy said it, no field with an underscore (a
//! CGI-like reader would take it for its twin with a hyphen). Towards a client: nothing that a
//! provider says of itself.

use http::header::HeaderName;

/// Fields that never reach a provider, whoever sent them.
fn never_upstream(name: &str) -> bool {
    // A match finds its row by length first: cheaper than a list that is looked through.
    matches!(
        name,
        "authorization"
            | "proxy-authorization"
            | "cookie"
            | "connection"
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

//! Header fields at the two borders: what goes to a provider, what comes back to a client.
//!
//! Decides which fields pass. Towards a provider: no credential, no cookie, nothing hop-by-hop,
//! no word of who the client is unless a trusted proxy said it, no field with an underscore (a
//! CGI-like reader would take it for its twin with a hyphen). Towards a client: nothing that a
//! provider says of itself.

use http::header::{self, HeaderName};

/// Fields that never reach a provider, whoever sent them.
const NOT_UPSTREAM: [HeaderName; 19] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    header::ACCEPT_ENCODING,
    header::ORIGIN,
    header::REFERER,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    // Another account of the provider's than the one whose key is put in.
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
    // Some frameworks believe these more than the request line.
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
];

/// Fields in which only a trusted proxy may speak.
const FORWARDING: [HeaderName; 10] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("x-client-ip"),
];

/// Fields of a provider that say what it is made of, or set state at the client.
const NOT_DOWNSTREAM: [HeaderName; 25] = [
    header::SERVER,
    header::SET_COOKIE,
    header::VIA,
    header::ALT_SVC,
    header::WWW_AUTHENTICATE,
    header::STRICT_TRANSPORT_SECURITY,
    header::CONTENT_SECURITY_POLICY,
    header::X_FRAME_OPTIONS,
    header::X_CONTENT_TYPE_OPTIONS,
    header::REFERRER_POLICY,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    HeaderName::from_static("x-powered-by"),
    HeaderName::from_static("x-served-by"),
    HeaderName::from_static("x-runtime"),
    HeaderName::from_static("x-backend"),
    HeaderName::from_static("x-aspnet-version"),
    HeaderName::from_static("cf-ray"),
    HeaderName::from_static("cf-cache-status"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
    HeaderName::from_static("anthropic-organization-id"),
];

/// Whether a field that a client sent stops here.
pub(crate) fn stops_upstream(name: &HeaderName, peer_is_trusted: bool) -> bool {
    NOT_UPSTREAM.contains(name)
        || name.as_str().as_bytes().contains(&b'_')
        || (!peer_is_trusted && FORWARDING.contains(name))
}

/// Whether a field that a provider sent stops here.
pub(crate) fn stops_downstream(name: &HeaderName) -> bool {
    NOT_DOWNSTREAM.contains(name) || name.as_str().starts_with("x-envoy-")
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

//! What is served where, by which method.
//!
//! Decides the service that a path stands for. Paths are matched as they were sent: one that is
//! written in an unusual way (dot segments, double slashes, percent-encoding, other case) is no
//! path of ours, so that no provider and no access rule can read it otherwise than we do.

use http::request::Parts;

use crate::policy::{Denial, Serve};
use crate::record::endpoint::Endpoint;

/// The endpoint of a request, as far as this listener serves it.
///
/// # Errors
/// Nothing is served there (404), or not by this method (405).
pub fn endpoint(parts: &Parts, serve: Serve) -> Result<Endpoint, Denial> {
    let endpoint = Endpoint::from_path(parts.uri.path());
    let (group, allow) = service(endpoint);
    let served = match group {
        Group::Api => serve.api,
        Group::Internal => serve.internal,
        Group::Health => serve.health,
        Group::Nothing => false,
    };
    if !served {
        return Err(Denial::NotFound);
    }
    if endpoint == Endpoint::Internal {
        // Its own table knows the methods of each path.
        return Ok(endpoint);
    }
    let method = parts.method.as_str();
    if allow.split(", ").any(|allowed| allowed == method) {
        return Ok(endpoint);
    }
    Err(Denial::MethodNotAllowed(allow))
}

#[derive(Clone, Copy)]
enum Group {
    Api,
    Internal,
    Health,
    Nothing,
}

const fn service(endpoint: Endpoint) -> (Group, &'static str) {
    match endpoint {
        Endpoint::ChatCompletions
        | Endpoint::Completions
        | Endpoint::Responses
        | Endpoint::Embeddings
        | Endpoint::Moderations
        | Endpoint::Messages
        | Endpoint::Audio
        | Endpoint::Images => (Group::Api, "POST"),
        Endpoint::Files => (Group::Api, "GET, POST, DELETE"),
        Endpoint::Models | Endpoint::V1Health => (Group::Api, "GET, HEAD"),
        Endpoint::Health | Endpoint::Ready => (Group::Health, "GET, HEAD"),
        Endpoint::Metrics => (Group::Internal, "GET, HEAD"),
        Endpoint::Internal => (Group::Internal, ""),
        Endpoint::Other => (Group::Nothing, ""),
    }
}

/// Whether anyone at all may ask, key or no key.
pub const fn is_public(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::Health | Endpoint::Ready)
}

/// What the endpoint's body must say for the request to be routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// JSON that names its model.
    Model,
    /// JSON that may leave the model to the provider.
    ModelIfGiven,
    /// An upload, or JSON that may leave the model to the provider.
    Upload,
    /// Nothing is sent on.
    Nothing,
}

/// How the endpoint's body is read.
pub const fn reading(endpoint: Endpoint) -> Reading {
    match endpoint {
        Endpoint::ChatCompletions
        | Endpoint::Completions
        | Endpoint::Responses
        | Endpoint::Embeddings
        | Endpoint::Messages => Reading::Model,
        Endpoint::Moderations => Reading::ModelIfGiven,
        Endpoint::Audio | Endpoint::Files | Endpoint::Images => Reading::Upload,
        Endpoint::Models
        | Endpoint::V1Health
        | Endpoint::Health
        | Endpoint::Ready
        | Endpoint::Metrics
        | Endpoint::Internal
        | Endpoint::Other => Reading::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, target: &str, serve: Serve) -> u16 {
        let request = http::Request::builder()
            .method(method)
            .uri(target)
            .body(())
            .unwrap();
        match endpoint(&request.into_parts().0, serve) {
            Ok(_) => 200,
            Err(denial) => denial.face().status,
        }
    }

    #[test]
    fn paths_of_the_contract_are_served_by_their_methods() {
        for (method, target, expected) in [
            ("POST", "/v1/chat/completions", 200),
            ("POST", "/v1/chat/completions?beta=true", 200),
            ("GET", "/v1/chat/completions", 405),
            ("POST", "/v1/messages", 200),
            ("POST", "/v1/audio/transcriptions", 200),
            ("DELETE", "/v1/files/file-abc", 200),
            ("GET", "/v1/models", 200),
            ("GET", "/v1/models/gpt-4o", 200),
            ("POST", "/v1/models", 405),
            ("HEAD", "/health", 200),
            ("GET", "/metrics", 200),
            ("GET", "/", 404),
            ("GET", "/v1", 404),
            ("POST", "/v1/unknown", 404),
            ("GET", "/internal/config", 200),
        ] {
            assert_eq!(
                status(method, target, Serve::ALL),
                expected,
                "{method} {target}"
            );
        }
    }

    #[test]
    fn paths_written_in_another_way_are_no_paths_of_ours() {
        for target in [
            "/v1/../v1/chat/completions",
            "/v1/models/../chat/completions",
            "/v1//chat/completions",
            "//v1/chat/completions",
            "/v1/./chat/completions",
            "/v1/chat%2fcompletions",
            "/v1/%63hat/completions",
            "/V1/chat/completions",
            "/v1/chat/completions;x=1",
            "/v1/files/..%2f..%2fadmin",
            "/v1/audio/..",
            "/v1/images/a\\b",
        ] {
            let Ok(uri) = target.parse::<http::Uri>() else {
                continue;
            };
            let request = http::Request::builder()
                .method("POST")
                .uri(uri)
                .body(())
                .unwrap();
            let found = endpoint(&request.into_parts().0, Serve::ALL);
            assert_eq!(found, Err(Denial::NotFound), "{target}");
        }
    }

    #[test]
    fn a_listener_serves_only_its_groups() {
        let api = Serve {
            api: true,
            internal: false,
            health: false,
        };
        assert_eq!(
            status("POST", "/v1/embeddings", api),
            200,
            "the API on the API's listener"
        );
        assert_eq!(status("GET", "/metrics", api), 404, "no metrics there");
        assert_eq!(status("GET", "/health", api), 404, "no health there");
        let internal = Serve {
            api: false,
            internal: true,
            health: true,
        };
        assert_eq!(
            status("POST", "/v1/embeddings", internal),
            404,
            "no API on the internal one"
        );
        assert_eq!(status("GET", "/metrics", internal), 200, "metrics there");
    }
}

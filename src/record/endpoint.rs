//! The paths that are served, as a closed set: what is routed by, logged and counted.
//!
//! Decides which served path a request's path is. It never looks at the method or the query, and
//! never undoes escapes: below a served prefix only plain segments count (no `.`, `..`, `%`, empty
//! segment or backslash), so that no two readers of one path can disagree about where it leads.

/// A served path; [`Endpoint::Other`] is every path that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/v1/chat/completions`.
    ChatCompletions,
    /// `/v1/completions`.
    Completions,
    /// `/v1/responses`.
    Responses,
    /// `/v1/embeddings`.
    Embeddings,
    /// `/v1/moderations`.
    Moderations,
    /// `/v1/messages`.
    Messages,
    /// Anything below `/v1/audio/`.
    Audio,
    /// `/v1/files` and anything below it.
    Files,
    /// Anything below `/v1/images/`.
    Images,
    /// `/v1/models` and anything below it.
    Models,
    /// `/v1/health`.
    V1Health,
    /// `/health`.
    Health,
    /// `/ready`.
    Ready,
    /// `/metrics`.
    Metrics,
    /// `/internal` and whatever begins with `/internal/`.
    Internal,
    /// Nothing that is served.
    Other,
}

impl Endpoint {
    /// Every endpoint, each at the place that [`Endpoint::index`] names.
    pub const ALL: [Self; 16] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::Embeddings,
        Self::Moderations,
        Self::Messages,
        Self::Audio,
        Self::Files,
        Self::Images,
        Self::Models,
        Self::V1Health,
        Self::Health,
        Self::Ready,
        Self::Metrics,
        Self::Internal,
        Self::Other,
    ];

    /// Whether machines ask it all the time: their questions would hide the times of all others.
    pub const fn is_probe(self) -> bool {
        matches!(self, Self::Health | Self::Ready | Self::Metrics)
    }

    /// The endpoint that a request's path (without its query) leads to.
    pub fn from_path(path: &str) -> Self {
        match path {
            "/v1/chat/completions" => Self::ChatCompletions,
            "/v1/completions" => Self::Completions,
            "/v1/responses" => Self::Responses,
            "/v1/embeddings" => Self::Embeddings,
            "/v1/moderations" => Self::Moderations,
            "/v1/messages" => Self::Messages,
            "/v1/files" => Self::Files,
            "/v1/models" => Self::Models,
            "/v1/health" => Self::V1Health,
            "/health" => Self::Health,
            "/ready" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/internal" => Self::Internal,
            below => Self::from_prefix(below),
        }
    }

    fn from_prefix(path: &str) -> Self {
        // All of it, well-formed or not: what is not open to everyone is better too wide.
        if path.starts_with("/internal/") {
            return Self::Internal;
        }
        [
            ("/v1/audio/", Self::Audio),
            ("/v1/files/", Self::Files),
            ("/v1/images/", Self::Images),
            ("/v1/models/", Self::Models),
        ]
        .into_iter()
        .find(|(prefix, _)| path.strip_prefix(prefix).is_some_and(is_plain))
        .map_or(Self::Other, |(_, endpoint)| endpoint)
    }

    /// The label in logs and metrics: the path, with `*` for what is free in it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Embeddings => "/v1/embeddings",
            Self::Moderations => "/v1/moderations",
            Self::Messages => "/v1/messages",
            Self::Audio => "/v1/audio/*",
            Self::Files => "/v1/files",
            Self::Images => "/v1/images/*",
            Self::Models => "/v1/models",
            Self::V1Health => "/v1/health",
            Self::Health => "/health",
            Self::Ready => "/ready",
            Self::Metrics => "/metrics",
            Self::Internal => "/internal/*",
            Self::Other => "other",
        }
    }

    /// The place in [`Endpoint::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::ChatCompletions => 0,
            Self::Completions => 1,
            Self::Responses => 2,
            Self::Embeddings => 3,
            Self::Moderations => 4,
            Self::Messages => 5,
            Self::Audio => 6,
            Self::Files => 7,
            Self::Images => 8,
            Self::Models => 9,
            Self::V1Health => 10,
            Self::Health => 11,
            Self::Ready => 12,
            Self::Metrics => 13,
            Self::Internal => 14,
            Self::Other => 15,
        }
    }
}

/// Whether each segment is a plain name, which no reader of paths would resolve or decode.
fn is_plain(rest: &str) -> bool {
    rest.split('/').all(|segment| {
        !matches!(segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~:@".contains(&b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_stands_at_its_index() {
        for (place, endpoint) in Endpoint::ALL.into_iter().enumerate() {
            assert_eq!(endpoint.index(), place, "{endpoint:?}");
        }
    }

    #[test]
    fn labels_without_a_star_lead_back_to_their_endpoint() {
        for endpoint in Endpoint::ALL {
            let label = endpoint.as_str();
            if !label.contains('*') {
                assert_eq!(Endpoint::from_path(label), endpoint, "{label}");
            }
        }
    }

    #[test]
    fn paths_lead_where_they_say() {
        for (path, expected) in [
            ("/v1/audio/transcriptions", Endpoint::Audio),
            ("/v1/audio", Endpoint::Other),
            ("/v1/audio/", Endpoint::Other),
            ("/v1/files/file-abc.1/content", Endpoint::Files),
            ("/v1/files/", Endpoint::Other),
            ("/v1/filesystem", Endpoint::Other),
            ("/v1/images/generations", Endpoint::Images),
            ("/internal", Endpoint::Internal),
            ("/internal/", Endpoint::Internal),
            ("/internal/../v1/models", Endpoint::Internal),
            ("/internally", Endpoint::Other),
            ("/v1/chat/completions/", Endpoint::Other),
            ("/V1/models", Endpoint::Other),
            ("/v1/models?x=1", Endpoint::Other),
            ("", Endpoint::Other),
            ("*", Endpoint::Other),
        ] {
            assert_eq!(Endpoint::from_path(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_a_provider_could_read_otherwise_leads_nowhere() {
        for path in [
            "/v1/files/../chat/completions",
            "/v1/files/./x",
            "/v1/files//x",
            "/v1/files/x/..",
            "/v1/files/%2e%2e/chat",
            "/v1/audio/..%2fx",
            "/v1/images/..\\x",
            "/v1/images/a b",
            "/v1/images/a;b=c",
        ] {
            assert_eq!(Endpoint::from_path(path), Endpoint::Other, "{path}");
        }
    }
}

//! What there is: one row a method of a path.
//!
//! Says what each operation is for and what it takes and gives. It never decides what is served:
//! the tables of `record::endpoint`, `admit::target` and `internal::routes` do, and a test walks
//! them and demands a row here.

/// What belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Calls to models.
    Calls,
    /// What the gateway itself tells a caller.
    Own,
    /// What anyone may ask.
    Open,
    /// Prometheus.
    Metrics,
    /// What operators look at.
    Monitoring,
    /// What operators do under attack.
    Emergency,
    /// The configuration in force.
    Configuration,
    /// What is kept of people.
    Audit,
    /// Pages for people.
    Pages,
}

impl Group {
    pub(super) const ALL: [Self; 9] = [
        Self::Calls,
        Self::Own,
        Self::Open,
        Self::Metrics,
        Self::Monitoring,
        Self::Emergency,
        Self::Configuration,
        Self::Audit,
        Self::Pages,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Own => "gateway",
            Self::Open => "health",
            Self::Metrics => "metrics",
            Self::Monitoring => "monitoring",
            Self::Emergency => "emergency",
            Self::Configuration => "configuration",
            Self::Audit => "audit",
            Self::Pages => "pages",
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Calls => "Calls to models, judged on their way there and back.",
            Self::Own => "What the gateway itself tells a caller.",
            Self::Open => "Whether it is alive and able to serve.",
            Self::Metrics => "What is counted.",
            Self::Monitoring => "What operators look at. Figures are of the day in UTC.",
            Self::Emergency => "Orders of operators under attack, in force for the next request.",
            Self::Configuration => "The configuration in force.",
            Self::Audit => "What is kept of a person.",
            Self::Pages => "For people.",
        }
    }

    /// Who may, in words.
    pub(super) const fn callers(self) -> &'static str {
        match self {
            Self::Calls => "For keys of the roles standard and admin.",
            Self::Own => "For every valid key.",
            Self::Open => "For anyone; no key is asked for.",
            Self::Metrics => "For keys of the roles read_only, admin and system.",
            Self::Monitoring => {
                "For keys of the roles read_only, admin and system, from addresses in \
                 auth.internal_allow; to others it is not there."
            }
            Self::Emergency | Self::Configuration => {
                "For keys of the roles admin and system (lists: read_only too), from addresses in \
                 auth.internal_allow; to others it is not there."
            }
            Self::Audit => {
                "For keys of the role admin, from addresses in auth.internal_allow; to others it \
                 is not there."
            }
            Self::Pages => {
                "For keys of the role admin, from addresses in auth.internal_allow; to others it \
                 is not there. A browser that asks for HTML without a key gets the page without \
                 any figure in it, which then asks for the key."
            }
        }
    }
}

/// What an operation gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// JSON of this shape.
    Json(&'static str),
    /// The same, or a stream of events where the body says `stream: true`.
    JsonOrStream(&'static str),
    /// Whatever the provider gives.
    Anything,
    /// Prometheus text.
    Metrics,
    /// HTML.
    Page,
}

/// One method of one path.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// The path, free segments in braces.
    pub(super) path: &'static str,
    pub(super) group: Group,
    pub(super) summary: &'static str,
    /// The shape of its body, if it takes one.
    pub(super) body: Option<&'static str>,
    pub(super) gives: Gives,
}

impl Operation {
    /// A name for generated clients.
    pub(super) fn id(&self) -> String {
        let words = self.path.split(|c: char| !c.is_ascii_alphanumeric());
        let words = words.filter(|word| !word.is_empty());
        let id = words.fold(self.method.to_ascii_lowercase(), |id, word| {
            format!("{id}_{word}")
        });
        // The same path with and without a slash at its end is two paths.
        if self.path.ends_with('/') {
            id + "_index"
        } else {
            id
        }
    }
}

const fn call(
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    gives: Gives,
) -> Operation {
    Operation {
        method: "POST",
        path,
        group: Group::Calls,
        summary,
        body: Some(body),
        gives,
    }
}

const fn get(path: &'static str, group: Group, summary: &'static str, gives: Gives) -> Operation {
    Operation {
        method: "GET",
        path,
        group,
        summary,
        body: None,
        gives,
    }
}

const fn order(
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    gives: &'static str,
) -> Operation {
    Operation {
        method: "POST",
        path,
        group: Group::Emergency,
        summary,
        body: Some(body),
        gives: Json(gives),
    }
}

const fn look(path: &'static str, summary: &'static str, gives: &'static str) -> Operation {
    get(path, Group::Monitoring, summary, Json(gives))
}

/// A row for `DELETE`.
const fn delete(
    path: &'static str,
    group: Group,
    summary: &'static str,
    gives: Gives,
) -> Operation {
    Operation {
        method: "DELETE",
        path,
        group,
        summary,
        body: None,
        gives,
    }
}

use Gives::{Anything, Json, JsonOrStream};

/// Everything.
#[rustfmt::skip]
pub(super) const ALL: &[Operation] = &[
    call("/v1/chat/completions", "A chat, as OpenAI has it", "Chat", JsonOrStream("ChatAnswer")),
    call("/v1/completions", "A text to be continued", "Completion", JsonOrStream("Object")),
    call("/v1/responses", "A response, as OpenAI's newer interface has it", "Response", JsonOrStream("Object")),
    call("/v1/embeddings", "Vectors of texts", "Embedding", Json("Object")),
    call("/v1/moderations", "A provider's own moderation", "Moderation", Json("Object")),
    call("/v1/messages", "A chat, as Anthropic has it", "Messages", JsonOrStream("Object")),
    call("/v1/audio/transcriptions", "Speech to text", "Upload", Anything),
    call("/v1/audio/translations", "Speech to English text", "Upload", Anything),
    call("/v1/audio/speech", "Text to speech", "Upload", Anything),
    call("/v1/images/generations", "Images from a text", "Upload", Anything),
    call("/v1/images/edits", "Images from images", "Upload", Anything),
    call("/v1/images/variations", "Variations of an image", "Upload", Anything),
    call("/v1/files", "A file to be kept by the provider", "Upload", Anything),
    get("/v1/files", Group::Calls, "The files that the provider keeps", Anything),
    get("/v1/files/{file_id}", Group::Calls, "What is known of a file", Anything),
    delete("/v1/files/{file_id}", Group::Calls, "Deletes a file", Anything),
    get("/v1/files/{file_id}/content", Group::Calls, "A file's content", Anything),
    get("/v1/models", Group::Own, "The models that this key may use", Json("Models")),
    get("/v1/models/{model}", Group::Own, "One of them", Json("Model")),
    get("/v1/health", Group::Own, "Health, and the version", Json("Health")),
    get("/health", Group::Open, "Whether the process is alive", Json("Alive")),
    get("/ready", Group::Open, "Whether it is able to serve", Json("Ready")),
    get("/metrics", Group::Metrics, "Prometheus text", Gives::Metrics),

    look("/internal/monitoring", "What there is to look at", "Index"),
    look("/internal/monitoring/", "What there is to look at", "Index"),
    look("/internal/monitoring/rate-limiting", "Limits, who passed them, who is blocked, top addresses", "RateLimiting"),
    look("/internal/monitoring/request-size", "Sizes of bodies", "RequestSize"),
    look("/internal/monitoring/security-metrics", "Counts of the day, by event", "SecurityMetrics"),
    look("/internal/monitoring/anomalies", "Figures that left their range, and addresses that try keys", "Anomalies"),
    look("/internal/monitoring/security-status", "How it stands, in a word and in numbers", "SecurityStatus"),
    look("/internal/monitoring/alerts", "Alerts, newest first", "Alerts"),
    look("/internal/monitoring/events", "What was refused, found or failed, newest first", "Events"),
    look("/internal/monitoring/auth-status", "Credentials and who guesses them", "AuthStatus"),
    look("/internal/monitoring/security-health", "The health score of the configuration, every point of it explained", "HealthScore"),
    look("/internal/monitoring/api-key-stats", "Keys by their requests of the day", "KeyStats"),
    look("/internal/monitoring/providers", "Providers and how they stand", "Providers"),

    get("/internal/security/measures", Group::Emergency, "The measures in force", Json("Measures")),
    delete("/internal/security/measures/{id}", Group::Emergency, "Undoes one measure, by id or by kind", Json("Undone")),
    get("/internal/security/blocks", Group::Emergency, "The addresses and networks that are blocked", Json("Blocks")),
    order("/internal/security/block-ip", "Blocks an address or a network", "BlockOrder", "Blocked"),
    order("/internal/middleware/rate-limiting/block-ip", "Blocks an address or a network", "BlockOrder", "Blocked"),
    order("/internal/security/unblock-ip", "Lifts exactly this block", "UnblockOrder", "Unblocked"),
    order("/internal/security/terminate-streams", "Ends streams in flight, all that are named", "StreamsOrder", "Terminated"),
    order("/internal/providers/order", "Drains, forces or releases a provider's endpoints", "ProviderOrder", "Ordered"),
    order("/internal/security/reset-config", "Undoes every measure and every block by an operator", "ResetOrder", "Reset"),
    order("/internal/security/emergency-mode", "Refuses attacks, code and secrets; cleans strictly", "ModeOrder", "Active"),
    order("/internal/security/emergency-rate-limit", "Holds every address and key to a rate", "RateOrder", "Active"),
    order("/internal/middleware/rate-limiting/emergency-mode", "Holds every address and key to a rate", "RateOrder", "Active"),
    order("/internal/security/enhance-sanitization", "Cleans texts strictly", "SanitizationOrder", "Active"),
    order("/internal/middleware/request-size/emergency-limits", "Makes bodies smaller", "SizesOrder", "Active"),
    order("/internal/middleware/security/emergency-headers", "Sets headers on every answer", "HeadersOrder", "Active"),

    get("/internal/security/validate-config", Group::Configuration, "What is insecure in the configuration in force", Json("Validated")),
    get("/internal/config", Group::Configuration, "The configuration in force, without its secrets", Json("Configuration")),
    Operation { group: Group::Configuration, ..order("/internal/config/reload", "Loads the configuration anew", "ReloadOrder", "Reloaded") },

    get("/internal/config/canary", Group::Configuration, "How the configuration on trial stands", Json("Canary")),
    delete("/internal/config/canary", Group::Configuration, "Ends the trial; the old configuration is for everybody again", Json("CanaryEnded")),
    Operation { method: "POST", ..get("/internal/config/canary/promote", Group::Configuration, "Ends the trial; the new configuration is for everybody", Json("CanaryEnded")) },

    get("/internal/audit/subjects/{id}", Group::Audit, "What the audit log holds of a person", Json("Subject")),
    delete("/internal/audit/subjects/{id}", Group::Audit, "Destroys the key that opens it", Json("Erased")),

    get("/internal/dashboard", Group::Pages, "The dashboard", Gives::Page),
    get("/internal/docs", Group::Pages, "This description, to read", Gives::Page),
    get("/internal/openapi.json", Group::Pages, "This description", Json("Object")),
];

//! How probes are sent: marked, with or without the key, slowly enough for the limits.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use serde_json::Value;

use super::known::Known;
use crate::policy::secret::Secret;
use crate::policy::web::WebAddress;
use crate::runtime::outgoing::{Body, Bounds, Call, Outgoing, Reply};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const AGENT: HeaderValue = HeaderValue::from_static("portcullis-selftest");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// For one probe.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(15),
    body: 1024 * 1024,
};
/// How often a probe that was limited is sent anew.
const PATIENCE: u32 = 5;
/// The longest wait for a limit.
const LONGEST_WAIT: u64 = 10;
/// Until something of a limit that is used up is there again, as limits usually are.
const RECOVERY: Duration = Duration::from_millis(1_100);
/// Between two looks at a metric that is still to move.
const LOOK: Duration = Duration::from_millis(100);

/// A gateway, and what is needed to try it.
pub(crate) struct Bench<'a> {
    pub(crate) to: WebAddress,
    pub(crate) key: Option<Secret>,
    pub(crate) outgoing: &'a Outgoing,
    pub(crate) known: Known,
    /// A model that the embedded provider serves.
    pub(crate) model: Option<String>,
    /// A text that must never leave, where it is known.
    pub(crate) canary: Option<String>,
    /// What request ids begin with.
    pub(crate) mark: String,
    /// A key that opens nothing.
    pub(crate) wrong_key: Option<Secret>,
    pub(crate) sent: AtomicU32,
    pub(crate) state: State,
}

/// What was seen on the way.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The key may not read metrics; asking on would look like an attack.
    blind: AtomicBool,
    /// The limit is used up; the next request would be one too many.
    spent: AtomicBool,
}

/// What a probe sends.
pub(super) struct Probe<'a> {
    pub(super) method: &'static str,
    pub(super) target: &'a str,
    pub(super) body: Body,
    pub(super) key: Option<&'a Secret>,
    pub(super) fields: Vec<(HeaderName, HeaderValue)>,
}

impl<'a> Probe<'a> {
    pub(super) fn get(target: &'a str) -> Self {
        Self {
            method: "GET",
            target,
            body: Body::Whole(Bytes::new()),
            key: None,
            fields: Vec::new(),
        }
    }

    pub(super) fn post(target: &'a str, body: &Value) -> Self {
        Self::raw(target, body.to_string().into_bytes())
    }

    pub(super) fn raw(target: &'a str, body: Vec<u8>) -> Self {
        Self {
            method: "POST",
            body: Body::Whole(Bytes::from(body)),
            fields: vec![(header::CONTENT_TYPE, JSON)],
            ..Self::get(target)
        }
    }

    pub(super) const fn with(mut self, key: Option<&'a Secret>) -> Self {
        self.key = key;
        self
    }
}

impl Bench<'_> {
    /// Sends a probe; one that is limited again, when it may.
    ///
    /// # Errors
    /// Nothing came back, in words.
    pub(super) async fn send(&self, probe: Probe<'_>) -> Result<Reply, String> {
        if probe.key.is_some() && self.state.spent.swap(false, Ordering::Relaxed) {
            tokio::time::sleep(RECOVERY).await;
        }
        let mut reply = self.once(&probe).await?;
        if reply.field("x-ratelimit-remaining-requests") == Some("0") {
            self.state.spent.store(true, Ordering::Relaxed);
        }
        for _ in 0..PATIENCE {
            let wait = reply
                .field("retry-after")
                .and_then(|text| text.parse().ok());
            let (429, Some(wait)) = (reply.status, wait) else {
                break;
            };
            if wait > LONGEST_WAIT {
                break;
            }
            tokio::time::sleep(Duration::from_secs(wait)).await;
            reply = self.once(&probe).await?;
        }
        Ok(reply)
    }

    /// Sends a probe with the key.
    pub(super) async fn with_key(&self, probe: Probe<'_>) -> Result<Reply, String> {
        self.send(probe.with(self.key.as_ref())).await
    }

    /// Sends a probe once, limited or not.
    ///
    /// # Errors
    /// Nothing came back, in words.
    pub(super) async fn once(&self, probe: &Probe<'_>) -> Result<Reply, String> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}{number}", self.mark);
        let mut fields = vec![(header::USER_AGENT, AGENT)];
        fields.extend(HeaderValue::try_from(id).ok().map(|id| (REQUEST_ID, id)));
        if let Some(key) = probe.key {
            let bearer = HeaderValue::try_from(format!("Bearer {}", key.expose()));
            let mut bearer = bearer.map_err(|_error| "the key fits no header".to_owned())?;
            bearer.set_sensitive(true);
            fields.push((header::AUTHORIZATION, bearer));
        }
        fields.extend(probe.fields.iter().cloned());
        let call = Call {
            method: probe.method,
            fields,
            body: probe.body.clone(),
        };
        let to = self.to.at(probe.target);
        let sent = Box::pin(self.outgoing.send(&to, &call, BOUNDS)).await;
        sent.map_err(|fault| fault.to_string())
    }

    /// The configuration in force; none where the key may not see it.
    pub(crate) async fn configuration(&self) -> Option<Value> {
        let reply = self.with_key(Probe::get("/internal/config")).await.ok()?;
        let told = (reply.status == 200).then(|| reply.json())?;
        told.get("config").cloned()
    }

    /// How often a family was found so far; none where the key may not see it.
    pub(super) async fn found(&self, direction: &str, family: &str) -> Option<f64> {
        if self.state.blind.load(Ordering::Relaxed) {
            return None;
        }
        let reply = self.with_key(Probe::get("/metrics")).await.ok()?;
        if reply.status != 200 {
            self.state.blind.store(true, Ordering::Relaxed);
            return None;
        }
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let (category, direction) = (
            format!("category=\"{family}\""),
            format!("direction=\"{direction}\""),
        );
        let own = text.lines().filter(|line| {
            line.starts_with("proxy_api_inspection_findings_total{")
                && line.contains(&category)
                && line.contains(&direction)
        });
        let values = own.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Some(values.sum())
    }

    /// Whether a family was found more often than before, as soon as the record is there.
    pub(super) async fn found_more(&self, direction: &str, family: &str, before: f64) -> bool {
        for _ in 0..10 {
            if self
                .found(direction, family)
                .await
                .is_some_and(|now| now > before)
            {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        false
    }
}

/// The `code` of an error in either API's shape.
pub(super) fn code(reply: &Reply) -> String {
    let told = reply.json();
    let code = told.pointer("/error/code").and_then(Value::as_str);
    code.unwrap_or_default().to_owned()
}

/// Status and code, for people.
pub(super) fn answered(reply: &Reply) -> String {
    let code = code(reply);
    if code.is_empty() {
        return format!("answered {}", reply.status);
    }
    format!("answered {} {code}", reply.status)
}

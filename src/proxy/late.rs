//! The answer to a client whose head does not come: 408, written where Pingora has no session yet.
//!
//! Decides its shape, which is that of every other refusal.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};

use super::Snapshot;
use super::ids::RequestIds;
use super::reply;
use crate::policy::Denial;
use crate::record::endpoint::Endpoint;

/// Makes the answer, by the policy in force.
pub(crate) struct LateAnswer {
    snapshot: Arc<ArcSwap<Snapshot>>,
    ids: RequestIds,
}

impl LateAnswer {
    /// Answers with ids of a run of their own: `random` is the other requests'.
    pub(crate) fn new(snapshot: Arc<ArcSwap<Snapshot>>, mut random: [u8; 16]) -> Self {
        random.reverse();
        Self {
            snapshot,
            ids: RequestIds::new(random),
        }
    }

    /// The answer as bytes of HTTP/1.1.
    pub(crate) fn make(&self) -> Bytes {
        let snapshot = self.snapshot.load();
        let (denial, id) = (Denial::RequestTimeout, self.ids.next());
        let body = reply::error_body(&denial, Endpoint::Other, &id);
        let mut fields = HeaderMap::with_capacity(12);
        let json = HeaderValue::from_static("application/json");
        fields.insert(header::CONTENT_TYPE, json);
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if reply::dress(&mut fields, &snapshot.policy, &id).is_err() {
            return Bytes::new();
        }
        let mut bytes = b"HTTP/1.1 408 Request Timeout\r\n".to_vec();
        for (name, value) in &fields {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body);
        bytes.into()
    }
}

//! One alert to one receiver: signed, tried again where that may help, never sent elsewhere.
//!
//! Decides what an answer means: 2xx is taken; a redirect is not followed and, like other answers
//! of 4xx, not tried again; 408, 425, 429, 5xx and no answer are, [`PAUSES`] apart. Receivers can
//! tell a repeated post by its id.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use prometheus::IntCounterVec;
use ring::hmac;
use tokio::sync::mpsc;

use crate::policy::alerts::Webhook;
use crate::policy::secret::Secret;
use crate::runtime::clock;
use crate::runtime::outgoing::{Body, Bounds, Call, CallFault, Outgoing, Reply};

const DELIVERY: HeaderName = HeaderName::from_static("x-portcullis-delivery");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-portcullis-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-portcullis-signature");
const AGENT: HeaderValue = HeaderValue::from_static("portcullis-alerts");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// For one try.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(5),
    body: 1_024,
};

/// Before each further try, in milliseconds: some three minutes in all.
const PAUSES: [u64; 9] = [
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
];

/// An alert for a receiver.
pub(super) struct Post {
    pub(super) webhook: Webhook,
    pub(super) id: String,
    pub(super) body: Bytes,
}

/// What a try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Taken,
    /// Another try would come to the same.
    Refused,
    /// It may be taken later.
    Later,
}

/// Posts what comes, one after the other.
pub(super) async fn deliver(mut queue: mpsc::Receiver<Post>, posts: IntCounterVec) {
    let outgoing = Outgoing::new();
    while let Some(post) = queue.recv().await {
        let result = if post.send(&outgoing).await {
            "delivered"
        } else {
            "failed"
        };
        posts.with_label_values(&[result]).inc();
    }
}

impl Post {
    /// Tries until it is taken, or there is no more hope.
    async fn send(&self, outgoing: &Outgoing) -> bool {
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = outgoing
                .send(&self.webhook.address, &self.call(), BOUNDS)
                .await;
            let (id, to) = (&self.id, &self.webhook.address);
            match outcome(answer.as_ref()) {
                Outcome::Taken => return true,
                Outcome::Refused => {
                    log::error!("{to} does not take {id}: {}", told(&answer));
                    return false;
                }
                Outcome::Later => {}
            }
            let Some(pause) = pauses.next() else {
                log::error!("{to} was not told of {id}: {}", told(&answer));
                return false;
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    fn call(&self) -> Call {
        let now = clock::unix();
        let mut fields = vec![
            (header::CONTENT_TYPE, JSON),
            (header::USER_AGENT, AGENT),
            (TIMESTAMP, HeaderValue::from(now)),
        ];
        // Ids are made of plain letters and digits.
        fields.extend(
            HeaderValue::from_str(&self.id)
                .ok()
                .map(|id| (DELIVERY, id)),
        );
        if let Some(secret) = &self.webhook.secret {
            let signature = signature(secret, now, &self.body);
            let value = HeaderValue::from_str(&signature).ok();
            fields.extend(value.map(|value| (SIGNATURE, value)));
        }
        Call {
            method: "POST",
            fields,
            body: Body::Whole(self.body.clone()),
        }
    }
}

fn outcome(answer: Result<&Reply, &CallFault>) -> Outcome {
    match answer.map(|reply| reply.status) {
        Ok(200..=299) => Outcome::Taken,
        Ok(408 | 425 | 429 | 500..) | Err(_) => Outcome::Later,
        Ok(_) => Outcome::Refused,
    }
}

fn told(answer: &Result<Reply, CallFault>) -> String {
    match answer {
        Ok(reply) => format!("it answers {}", reply.status),
        Err(fault) => fault.to_string(),
    }
}

/// `sha256=` and the HMAC-SHA-256 of the time, a dot and the body, in hex.
fn signature(secret: &Secret, now: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(now.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    let mut text = String::from("sha256=");
    for byte in tag.as_ref() {
        for half in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16) -> Reply {
        Reply {
            status,
            ..Reply::default()
        }
    }

    #[test]
    fn answers_mean_what_receivers_mean_by_them() {
        for (status, expected) in [
            (200, Outcome::Taken),
            (204, Outcome::Taken),
            (301, Outcome::Refused),
            (307, Outcome::Refused),
            (400, Outcome::Refused),
            (404, Outcome::Refused),
            (408, Outcome::Later),
            (429, Outcome::Later),
            (500, Outcome::Later),
            (503, Outcome::Later),
        ] {
            assert_eq!(outcome(Ok(&reply(status))), expected, "{status}");
        }
        let late = CallFault::Late(Duration::from_secs(5));
        assert_eq!(outcome(Err(&late)), Outcome::Later, "no answer");
    }

    #[test]
    fn a_signature_is_what_openssl_says() {
        // printf '1700000000.{"id":"x"}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let secret = Secret::new("0123456789abcdef".to_owned());
        assert_eq!(
            signature(&secret, 1_700_000_000, br#"{"id":"x"}"#),
            "sha256=f1cf8ba6a2fa64bd8193b9db564f42cd35d0fc2a46f6a2c2903f897838a7f23a",
            "with the command above"
        );
    }
}

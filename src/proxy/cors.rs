//! What a browser is told about pages of other origins.
//!
//! Decides which of the configured origins a request comes from, and says so on every answer,
//! errors too, so that a page can read why it was refused. A preflight is answered here, without a
//! key, as browsers send none with it. Cookies and the like are never allowed: keys go in headers.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, request};

use crate::policy::Cors;

/// Fields of an answer that a page may read besides the usual ones.
const SHOWN: &str = "x-request-id, x-portcullis-provider, x-portcullis-attempts, retry-after, \
                     x-ratelimit-limit-requests, x-ratelimit-remaining-requests, \
                     x-ratelimit-reset-requests";
/// Fields of a request that a page may set where it does not say which it wants to.
const TAKEN: &str = "authorization, content-type, x-api-key, api-key, x-request-id, \
                     anthropic-version, anthropic-beta, openai-beta";
/// The longest list of fields that a preflight may ask for.
const LONGEST: usize = 1024;
/// Seconds for which a browser may keep a preflight's answer.
const KEPT: &str = "600";

const ANY: HeaderValue = HeaderValue::from_static("*");

/// Says on an answer who may read it.
pub(crate) fn dress(fields: &mut HeaderMap, cors: &Cors, asked: &HeaderMap) {
    if !cors.is_on() {
        return;
    }
    // Even where the answer is no: a cache must not hand it to another origin.
    fields.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = asked
        .get(header::ORIGIN)
        .filter(|origin| cors.allows(origin))
    else {
        return;
    };
    let allowed = if cors.any { ANY } else { origin.clone() };
    fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    fields.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(SHOWN),
    );
}

/// The fields of a preflight's answer besides those of [`dress`], if the request is one.
pub(crate) fn preflight(
    asked: &request::Parts,
    cors: &Cors,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let headers = &asked.headers;
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !cors.is_on() || asked.method != Method::OPTIONS || wanted.is_none() {
        return None;
    }
    let origin = headers.get(header::ORIGIN)?;
    if !cors.allows(origin) {
        // An answer that allows nothing is what a browser takes for a no.
        return Some(Vec::new());
    }
    let listed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(byte);
    let fields = headers
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .filter(|list| list.len() <= LONGEST && list.as_bytes().iter().all(listed));
    Some(vec![
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST"),
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            fields.map_or(HeaderValue::from_static(TAKEN), Clone::clone),
        ),
        (
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static(KEPT),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&'static str], any: bool) -> Cors {
        Cors {
            origins: origins
                .iter()
                .map(|o| HeaderValue::from_static(o))
                .collect(),
            any,
        }
    }

    fn asked(method: Method, fields: &[(HeaderName, &'static str)]) -> request::Parts {
        let mut request = http::Request::builder().method(method).uri("/v1/models");
        for (name, value) in fields {
            request = request.header(name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_a_listed_origin_is_told_that_it_may() {
        let app = "https://app.example";
        for (cors, origin, want) in [
            (cors(&[app], false), Some(app), Some(app)),
            (cors(&[app], false), Some("https://evil.example"), None),
            (cors(&[app], false), None, None),
            (cors(&[], true), Some("https://evil.example"), Some("*")),
            (cors(&[], false), Some(app), None),
        ] {
            let fields: Vec<_> = origin.map(|o| (header::ORIGIN, o)).into_iter().collect();
            let mut out = HeaderMap::new();
            dress(&mut out, &cors, &asked(Method::GET, &fields).headers);
            let got = out.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(
                got.map(|v| v.to_str().unwrap()),
                want,
                "{cors:?} {origin:?}"
            );
            assert_eq!(out.contains_key(header::VARY), cors.is_on());
            assert!(!out.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }

    #[test]
    fn a_preflight_is_one_by_its_fields() {
        let cors = cors(&["https://app.example"], false);
        let origin = (header::ORIGIN, "https://app.example");
        let wants = (header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        let fields = (
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            "authorization,x-stainless-os",
        );
        let whole = asked(Method::OPTIONS, &[origin.clone(), wants.clone(), fields]);
        let answer = preflight(&whole, &cors).unwrap();
        assert!(
            answer
                .iter()
                .any(|(_, value)| value == "authorization,x-stainless-os")
        );
        assert!(
            preflight(
                &asked(Method::OPTIONS, std::slice::from_ref(&origin)),
                &cors
            )
            .is_none()
        );
        assert!(preflight(&asked(Method::POST, &[origin, wants.clone()]), &cors).is_none());
        let evil = asked(Method::OPTIONS, &[(header::ORIGIN, "https://evil"), wants]);
        assert_eq!(preflight(&evil, &cors), Some(vec![]), "a no without a word");
    }
}

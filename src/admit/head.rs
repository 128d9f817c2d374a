//! The shape of a request's head: what Pingora 0.9.1 lets through and a provider might read
//! otherwise than we do.
//!
//! Decides whether a head is unambiguous and within its limits. The framework itself refuses two
//! `Host` fields, obsolete folding, differing lengths and the like before this is reached; the
//! rest of the list in RFC 9112, 6.3 and 11.2 is here.

use http::header::{HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Version};

use crate::policy::{Denial, HeadLimits};

/// Checks a head. `raw` is the head as it came over HTTP/1, where the framework has it: it alone
/// still shows a `Content-Length` beside a `Transfer-Encoding`, which is removed before any hook.
///
/// # Errors
/// 400, 414, 415 or 431, by what is wrong.
pub fn check(parts: &Parts, raw: Option<&[u8]>, limits: &HeadLimits) -> Result<(), Denial> {
    within_limits(parts, limits)?;
    let seen = Seen::of(&parts.headers);
    if parts.version == Version::HTTP_11 && !seen.host {
        return Err(malformed("The request has no Host."));
    }
    if seen.lengths > 1 {
        return Err(malformed("The request has more than one Content-Length."));
    }
    if let Some(length) = seen.length
        && !is_number(length)
    {
        // A list such as `3, 3` passes the framework, and means different things to others.
        return Err(malformed("The Content-Length is not a number."));
    }
    if seen.transfer_coded {
        one_plain_chunked(raw)?;
    }
    if seen.upgrade {
        return Err(malformed("Upgrades are not served here."));
    }
    if let Some(coding) = seen.coding
        && !coding.eq_ignore_ascii_case(b"identity")
    {
        return Err(Denial::UnsupportedMediaType(
            "bodies without a Content-Encoding only",
        ));
    }
    // Over HTTP/1 a POST that announces nothing has no body (RFC 9112, 6.3), whatever follows it.
    let announced = seen.transfer_coded || seen.length.is_some();
    // An order to the control plane may well have none.
    let may_be_bare = parts.uri.path().starts_with("/internal/");
    if parts.method == Method::POST
        && parts.version <= Version::HTTP_11
        && !announced
        && !may_be_bare
    {
        return Err(Denial::LengthRequired);
    }
    let bodyless = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let announces_body = seen.transfer_coded || seen.length.is_some_and(|length| length != b"0");
    if bodyless && announces_body {
        return Err(malformed("This method takes no body."));
    }
    Ok(())
}

/// What of a head matters here, seen in one pass: each look into the map costs as much.
#[derive(Default)]
struct Seen<'a> {
    host: bool,
    lengths: usize,
    /// The first length.
    length: Option<&'a [u8]>,
    transfer_coded: bool,
    upgrade: bool,
    /// The first coding of the content.
    coding: Option<&'a [u8]>,
}

impl<'a> Seen<'a> {
    fn of(headers: &'a HeaderMap<HeaderValue>) -> Self {
        let mut seen = Self::default();
        for (name, value) in headers {
            // Names come in lower case, and are told apart by their length first.
            match name.as_str() {
                "host" => seen.host = true,
                "content-length" => {
                    seen.lengths = seen.lengths.saturating_add(1);
                    seen.length.get_or_insert(value.as_bytes());
                }
                "transfer-encoding" => seen.transfer_coded = true,
                "upgrade" => seen.upgrade = true,
                "content-encoding" => {
                    seen.coding.get_or_insert(value.as_bytes());
                }
                _ => {}
            }
        }
        seen
    }
}

fn within_limits(parts: &Parts, limits: &HeadLimits) -> Result<(), Denial> {
    let target = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if target > limits.uri_bytes.as_len() {
        return Err(Denial::UriTooLong);
    }
    if parts.headers.len() > limits.headers {
        return Err(Denial::HeadersTooLarge);
    }
    // Each field costs its name, `: `, its value and the line end.
    let bytes = parts.headers.iter().fold(0_usize, |sum, (name, value)| {
        sum.saturating_add(name.as_str().len())
            .saturating_add(value.len())
            .saturating_add(4)
    });
    if bytes > limits.header_bytes.as_len() {
        return Err(Denial::HeadersTooLarge);
    }
    Ok(())
}

fn is_number(text: &[u8]) -> bool {
    matches!(text.len(), 1..=19) && text.iter().all(u8::is_ascii_digit)
}

/// Request smuggling lives where two parsers disagree about the length, so the only transfer
/// coding is `chunked`, said once, with no `Content-Length` beside it.
fn one_plain_chunked(raw: Option<&[u8]>) -> Result<(), Denial> {
    let Some(raw) = raw else { return Ok(()) };
    let mut codings = 0_usize;
    for line in raw.split(|byte| *byte == b'\n') {
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"content-length") {
            return Err(malformed(
                "The request has both Transfer-Encoding and Content-Length.",
            ));
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            codings = codings.saturating_add(1);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(malformed("The only transfer coding taken is chunked."));
            }
        }
    }
    if codings > 1 {
        return Err(malformed(
            "The request has more than one Transfer-Encoding.",
        ));
    }
    Ok(())
}

fn malformed(problem: &str) -> Denial {
    Denial::InvalidRequest {
        param: None,
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: fn() -> HeadLimits = || HeadLimits {
        header_bytes: "1KiB".parse().unwrap(),
        headers: 5,
        uri_bytes: "64".parse().unwrap(),
    };

    fn parts(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
        let mut builder = http::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    fn status(parts: &Parts, raw: Option<&[u8]>) -> Option<u16> {
        check(parts, raw, &LIMITS())
            .err()
            .map(|denial| denial.face().status)
    }

    #[test]
    fn ordinary_heads_pass() {
        let post = parts("POST", "/v1/x", &[("host", "a"), ("content-length", "3")]);
        assert_eq!(status(&post, None), None, "a plain POST");
        let chunked = parts(
            "POST",
            "/v1/x",
            &[("host", "a"), ("transfer-encoding", "chunked")],
        );
        let raw = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
        assert_eq!(status(&chunked, Some(raw)), None, "a chunked POST");
        let get = parts(
            "GET",
            "/v1/models",
            &[("host", "a"), ("content-length", "0")],
        );
        assert_eq!(status(&get, None), None, "a GET that says it has no body");
    }

    #[test]
    fn heads_that_two_parsers_could_read_in_two_ways_are_refused() {
        let te = [("host", "a"), ("transfer-encoding", "chunked")];
        for (raw, why) in [
            (
                "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                "TE and CL",
            ),
            (
                "POST / HTTP/1.1\r\ncontent-LENGTH: 3\nTransfer-Encoding: chunked\r\n\r\n",
                "in any case",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: identity, chunked\r\n\r\n",
                "two codings",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                "twice",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
                "unknown",
            ),
        ] {
            assert_eq!(
                status(&parts("POST", "/", &te), Some(raw.as_bytes())),
                Some(400),
                "{why}"
            );
        }
        let twice = parts(
            "POST",
            "/",
            &[
                ("host", "a"),
                ("content-length", "3"),
                ("content-length", "3"),
            ],
        );
        assert_eq!(
            status(&twice, None),
            Some(400),
            "the same length twice is forwarded by Pingora"
        );
        assert_eq!(status(&parts("POST", "/", &[]), None), Some(400), "no Host");
        for length in ["3, 3", "+3", "0x3", "3 3", "", "99999999999999999999"] {
            let listed = parts("POST", "/", &[("host", "a"), ("content-length", length)]);
            assert_eq!(status(&listed, None), Some(400), "a length of {length:?}");
        }
        let upgrade = parts("GET", "/", &[("host", "a"), ("upgrade", "websocket")]);
        assert_eq!(
            status(&upgrade, None),
            Some(400),
            "an upgrade would end all inspection"
        );
        let body = parts("GET", "/", &[("host", "a"), ("content-length", "5")]);
        assert_eq!(status(&body, None), Some(400), "a GET with a body");
    }

    #[test]
    fn a_post_over_http_1_says_how_long_its_body_is() {
        assert_eq!(
            status(&parts("POST", "/", &[("host", "a")]), None),
            Some(411),
            "no length"
        );
        let mut http2 = parts("POST", "/", &[]);
        http2.version = Version::HTTP_2;
        assert_eq!(
            status(&http2, None),
            None,
            "HTTP/2 frames its bodies itself"
        );
    }

    #[test]
    fn compressed_bodies_are_refused_as_what_can_not_be_read() {
        for coding in ["gzip", "br", "zstd", "identity, gzip"] {
            let sent = parts(
                "POST",
                "/",
                &[
                    ("host", "a"),
                    ("content-length", "1"),
                    ("content-encoding", coding),
                ],
            );
            assert_eq!(status(&sent, None), Some(415), "{coding}");
        }
        let plain = parts(
            "POST",
            "/",
            &[
                ("host", "a"),
                ("content-length", "1"),
                ("content-encoding", "identity"),
            ],
        );
        assert_eq!(status(&plain, None), None, "identity is no coding");
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        let at = format!("/{}", "a".repeat(63));
        let past = format!("/{}", "a".repeat(64));
        assert_eq!(
            status(&parts("GET", &at, &[("host", "a")]), None),
            None,
            "64 bytes of target"
        );
        assert_eq!(
            status(&parts("GET", &past, &[("host", "a")]), None),
            Some(414),
            "65 bytes"
        );

        let many: Vec<_> = (0..5)
            .map(|_| ("x-a", "1"))
            .chain([("host", "a")])
            .collect();
        assert_eq!(
            status(&parts("GET", "/", &many[1..]), None),
            None,
            "five fields"
        );
        assert_eq!(
            status(&parts("GET", "/", &many), None),
            Some(431),
            "six fields"
        );

        // host costs 4 + 1 + 4, x-a costs 3 + 4 and its value.
        let at = "v".repeat(1024 - 9 - 7);
        let past = "v".repeat(1024 - 9 - 7 + 1);
        assert_eq!(
            status(&parts("GET", "/", &[("host", "a"), ("x-a", &at)]), None),
            None,
            "1 KiB"
        );
        assert_eq!(
            status(&parts("GET", "/", &[("host", "a"), ("x-a", &past)]), None),
            Some(431),
            "one byte over 1 KiB"
        );
    }
}

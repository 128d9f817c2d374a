//! Where a client that came without TLS is sent.
//!
//! Decides the address: the host that the client asked for, where it is written like one, the port
//! of the https listener, and the target as it came. What is written otherwise is refused, so that
//! nobody is sent to a place of another's making.

use http::header::{HOST, HeaderValue};
use http::request::Parts;

use crate::policy::Denial;

/// Longest host name (RFC 1035, 2.3.4).
const LONGEST_HOST: usize = 253;
/// The port that https has where none is written.
const HTTPS: u16 = 443;

/// The address on the https port.
///
/// # Errors
/// The request names no host that could be one.
pub fn location(head: &Parts, port: u16) -> Result<HeaderValue, Denial> {
    let written = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = written.or_else(|| head.uri.authority().map(http::uri::Authority::as_str));
    let host = authority.and_then(host).ok_or_else(no_host)?;
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let target = if target.starts_with('/') { target } else { "/" };
    let address = if port == HTTPS {
        format!("https://{host}{target}")
    } else {
        format!("https://{host}:{port}{target}")
    };
    HeaderValue::from_str(&address).map_err(|_unfit| no_host())
}

fn no_host() -> Denial {
    Denial::InvalidRequest {
        param: None,
        problem: "the request names no host to be redirected to".into(),
    }
}

/// The host of an authority: a name, an IPv4 address, or an IPv6 address in brackets.
fn host(authority: &str) -> Option<&str> {
    let after_brackets = authority.rfind(']').map_or(0, |end| end.saturating_add(1));
    let rest = authority.get(after_brackets..)?;
    let (host, port) = match rest.rfind(':') {
        Some(colon) => {
            let colon = after_brackets.saturating_add(colon);
            let port = authority.get(colon.saturating_add(1)..)?;
            (authority.get(..colon)?, port)
        }
        None => (authority, ""),
    };
    let named = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let inside = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let is_host = match inside {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(named),
    };
    let is_port = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    (is_host && is_port && host.len() <= LONGEST_HOST).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: Option<&str>, target: &str, port: u16) -> Option<String> {
        let mut request = http::Request::builder().uri(target);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let location = location(&parts, port).ok()?;
        Some(location.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_client_is_sent_to_the_host_that_it_asked_for() {
        for (host, target, port, expected) in [
            ("a.example", "/", 443, "https://a.example/"),
            (
                "a.example:8080",
                "/v1?x=1",
                8443,
                "https://a.example:8443/v1?x=1",
            ),
            ("192.0.2.1:80", "/a/../b", 443, "https://192.0.2.1/a/../b"),
            ("[2001:db8::1]:80", "/", 8443, "https://[2001:db8::1]:8443/"),
            ("[::1]", "//evil", 443, "https://[::1]//evil"),
            ("a.example:", "*", 443, "https://a.example/"),
        ] {
            let found = asked(Some(host), target, port);
            assert_eq!(found.as_deref(), Some(expected), "{host} {target}");
        }
        assert_eq!(
            asked(None, "http://a.example:1/x", 443).as_deref(),
            Some("https://a.example/x"),
            "by its whole address"
        );
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a".repeat(254);
        for host in [
            "",
            ":80",
            "evil.example/",
            "a@evil.example",
            "a.example#",
            "a.example\\b",
            "a b",
            "a.example:80:90",
            "a.example:port",
            "a.example:123456",
            "[::1",
            "[zz]",
            "::1",
            "[::1]x",
            &long,
        ] {
            assert_eq!(asked(Some(host), "/", 443), None, "{host:?}");
        }
        assert_eq!(asked(None, "/", 443), None, "no host at all");
    }
}

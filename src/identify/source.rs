//! The client's address, when proxies that are trusted stand before us.
//!
//! Decides which address counts as the client's. Headers of peers that are not trusted say
//! nothing. Obfuscated and unknown nodes of RFC 7239 end the walk: the last address known counts.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap, HeaderValue};
use ipnet::IpNet;

/// Whether the address is in one of the networks.
pub fn within(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// The client's address: the peer's, or, from a trusted peer, the nearest address in
/// `Forwarded` or `X-Forwarded-For` that is not itself a trusted proxy.
pub fn client(peer: IpAddr, headers: &HeaderMap<HeaderValue>, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    if !within(trusted, client) {
        return client;
    }
    for node in hops(headers).into_iter().rev() {
        let Some(address) = address_of(node) else {
            return client;
        };
        client = address.to_canonical();
        if !within(trusted, client) {
            return client;
        }
    }
    client
}

/// The nodes that the proxies named, farthest first. `Forwarded` wins over the older header, so
/// that a client can't add one to a request whose proxy writes the other.
fn hops(headers: &HeaderMap<HeaderValue>) -> Vec<&str> {
    let forwarded: Vec<_> = elements(headers, FORWARDED.as_str())
        .filter_map(|element| {
            element
                .split(';')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
                .map(|(_, node)| node.trim().trim_matches('"'))
        })
        .collect();
    if forwarded.is_empty() {
        elements(headers, "x-forwarded-for").collect()
    } else {
        forwarded
    }
}

fn elements<'a>(headers: &'a HeaderMap<HeaderValue>, name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// An address with or without a port and brackets.
fn address_of(node: &str) -> Option<IpAddr> {
    if let Ok(address) = node.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(socket) = node.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    node.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
            .map(|net| net.parse().unwrap())
            .to_vec();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        client(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn a_stranger_can_not_say_who_it_is() {
        for header in ["x-forwarded-for", "forwarded"] {
            let value = if header == "forwarded" {
                "for=192.0.2.1"
            } else {
                "192.0.2.1"
            };
            assert_eq!(
                client_of("203.0.113.9", &[(header, value)]),
                "203.0.113.9",
                "{header}"
            );
        }
    }

    #[test]
    fn a_trusted_proxy_says_who_the_client_is() {
        for (headers, expected, why) in [
            (
                vec![("x-forwarded-for", "192.0.2.1")],
                "192.0.2.1",
                "one hop",
            ),
            (
                vec![("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.1.1.1")],
                "192.0.2.1",
                "a forged first",
            ),
            (
                vec![
                    ("x-forwarded-for", "6.6.6.6"),
                    ("x-forwarded-for", "192.0.2.1"),
                ],
                "192.0.2.1",
                "two lines",
            ),
            (
                vec![("forwarded", "for=192.0.2.1;proto=https")],
                "192.0.2.1",
                "RFC 7239",
            ),
            (
                vec![("forwarded", "for=\"[2001:db8::1]:4711\"")],
                "2001:db8::1",
                "quoted, with a port",
            ),
            (
                vec![
                    ("forwarded", "for=192.0.2.1"),
                    ("x-forwarded-for", "6.6.6.6"),
                ],
                "192.0.2.1",
                "both",
            ),
            (
                vec![("x-forwarded-for", "192.0.2.1:5000")],
                "192.0.2.1",
                "with a port",
            ),
            (
                vec![("forwarded", "for=_hidden")],
                "10.0.0.1",
                "an obfuscated node",
            ),
            (vec![("x-forwarded-for", "rubbish")], "10.0.0.1", "rubbish"),
            (
                vec![("x-forwarded-for", "::ffff:192.0.2.1")],
                "192.0.2.1",
                "IPv4 within IPv6",
            ),
            (vec![], "10.0.0.1", "nothing said"),
        ] {
            assert_eq!(client_of("10.0.0.1", &headers), expected, "{why}");
        }
    }

    #[test]
    fn networks_hold_mapped_addresses_too() {
        let nets = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (address, expected) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.0.2.1", false),
        ] {
            assert_eq!(
                within(&nets, address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }
}

//! Which addresses a provider's name may stand for.
//!
//! Decides by the ranges of the address registries: a name that is resolved to an address inside
//! (a private network, this machine, a cloud's metadata service) is not followed, so that nobody
//! who answers for a name leads the gateway there. An address that the configuration names itself
//! is followed. It resolves nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a name may stand for an address.
pub fn permits(host: &str, address: IpAddr, allow_private: bool) -> bool {
    match kind(address) {
        Kind::Public => true,
        Kind::Loopback => allow_private || host.eq_ignore_ascii_case("localhost"),
        Kind::Private => allow_private,
        Kind::Never => false,
    }
}

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Loopback,
    Private,
    /// Link-local (where clouds keep credentials), unspecified, multicast, broadcast.
    Never,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => kind_of_v4(v4),
        IpAddr::V6(v6) => kind_of_v6(v6),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> Kind {
    /// The metadata service of one cloud lies among the shared addresses.
    const ALIBABA_METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
    let [first, second, ..] = address.octets();
    let shared = first == 100 && second & 0xc0 == 64;
    let benchmarking = first == 198 && second & 0xfe == 18;
    if address.is_loopback() {
        Kind::Loopback
    } else if address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || first == 0
        || first >= 240
        || address == ALIBABA_METADATA
    {
        Kind::Never
    } else if address.is_private() || shared || benchmarking {
        Kind::Private
    } else {
        Kind::Public
    }
}

fn kind_of_v6(address: Ipv6Addr) -> Kind {
    /// The metadata service of one cloud lies among the private addresses.
    const AWS_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    if let Some(inner) = carried(address) {
        return kind_of_v4(inner);
    }
    if address.is_loopback() {
        Kind::Loopback
    } else if address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address == AWS_METADATA
    {
        Kind::Never
    } else if address.is_unique_local() {
        Kind::Private
    } else {
        Kind::Public
    }
}

/// The IPv4 address inside: mapped, compatible, behind NAT64, or of a 6to4 network.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([first, second], [third, fourth]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(first, second, third, fourth))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        // The compatible form; `::` and `::1` are themselves.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_only_where_it_may() {
        // Address, by a name, by a name with leave.
        for (address, plain, with_leave) in [
            ("93.184.216.34", true, true),
            ("2606:2800:220:1::1", true, true),
            ("10.0.0.1", false, true),
            ("172.16.9.9", false, true),
            ("172.32.0.1", true, true),
            ("192.168.1.1", false, true),
            ("100.64.0.1", false, true),
            ("127.0.0.1", false, true),
            ("::1", false, true),
            ("fd12::1", false, true),
            ("::ffff:10.0.0.1", false, true),
            ("64:ff9b::a00:1", false, true),
            ("2002:0a00:0001::1", false, true),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("64:ff9b::a9fe:a9fe", false, false),
            ("fd00:ec2::254", false, false),
            ("100.100.100.200", false, false),
            ("fe80::1", false, false),
            ("0.0.0.0", false, false),
            ("::", false, false),
            ("224.0.0.1", false, false),
            ("255.255.255.255", false, false),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!(permits("api.example.com", ip, false), plain, "{address}");
            assert_eq!(
                permits("api.example.com", ip, true),
                with_leave,
                "{address}, with leave"
            );
        }
    }

    #[test]
    fn localhost_is_this_machine() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(permits("localhost", here, false), "its name says so");
        assert!(
            !permits("localhost.evil.example", here, false),
            "that one's does not"
        );
    }
}

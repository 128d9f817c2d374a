//! Who counts as one client where addresses are counted: one IPv4 address, or one IPv6 /64.
//!
//! Decides that and nothing else. A subscriber is handed a whole /64, so that counting single IPv6
//! addresses would count nothing. An IPv4 address in IPv6 clothes is that IPv4 address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

/// One client, as far as addresses tell clients apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// An IPv4 address.
    V4(u32),
    /// The upper half of an IPv6 address.
    V6(u64),
}

impl Client {
    /// The client that an address belongs to.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                // What is shifted out is the lower half, so that the rest always fits.
                Self::V6(u64::try_from(address.to_bits() >> 64).unwrap_or(u64::MAX))
            }
        }
    }

    /// It, as words to be hashed: no two clients have the same.
    #[inline]
    pub fn words(self) -> [u64; 2] {
        match self {
            Self::V4(bits) => [4, u64::from(bits)],
            Self::V6(bits) => [6, bits],
        }
    }

    /// The network that is this client.
    pub fn network(self) -> IpNet {
        match self {
            Self::V4(bits) => IpNet::V4(Ipv4Net::from(Ipv4Addr::from_bits(bits))),
            Self::V6(upper) => {
                let address = Ipv6Addr::from_bits(u128::from(upper) << 64);
                Ipv6Net::new(address, 64)
                    .map_or_else(|_too_long| Ipv6Net::from(address).into(), IpNet::V6)
            }
        }
    }

    /// The client that a network is, if it is exactly one.
    pub fn of_network(network: IpNet) -> Option<Self> {
        let whole = match network {
            IpNet::V4(_) => 32,
            IpNet::V6(_) => 64,
        };
        (network.prefix_len() == whole).then(|| Self::of(network.network()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_apart_as_their_networks_are() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8::1", "2001:db8::ffff:0:1", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let of = |text: &str| Client::of(text.parse().unwrap());
            assert_eq!(of(one) == of(other), same, "{one} and {other}");
        }
    }

    #[test]
    fn a_client_and_its_network_are_the_same() {
        for (address, network) in [
            ("192.0.2.1", "192.0.2.1/32"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("2001:db8::1", "2001:db8::/64"),
        ] {
            let client = Client::of(address.parse().unwrap());
            assert_eq!(client.network().to_string(), network, "{address}");
            assert_eq!(
                Client::of_network(network.parse().unwrap()),
                Some(client),
                "{network}"
            );
        }
        for network in ["192.0.2.0/24", "2001:db8::/48", "2001:db8::1/128"] {
            let found = Client::of_network(network.parse().unwrap());
            assert_eq!(found, None, "{network} is not one client");
        }
    }
}

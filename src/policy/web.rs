//! Where on the web something is: an address that is called, and never shown whole.
//!
//! Decides what a usable address is: http or https, a host, no user, no fragment. Path and query
//! may hold a secret, as those of webhooks do; what is shown is scheme, host and port.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

use super::secret::Secret;

/// Why a text is not the address of something that can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebFault {
    /// Not a URL with a host.
    #[error("is not a URL with a host")]
    Url,
    /// Not http or https.
    #[error("is neither http nor https")]
    Scheme,
    /// A user or a password stands in it.
    #[error("holds a user or a password")]
    User,
    /// A part behind `#`, which is never sent.
    #[error("holds a fragment")]
    Fragment,
}

/// The address of something that can be called.
#[derive(Clone, PartialEq, Eq)]
pub struct WebAddress {
    tls: bool,
    host: Box<str>,
    port: u16,
    target: Secret,
}

impl WebAddress {
    /// Whether it is called over TLS.
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The value of a `Host` field.
    pub fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual {
            return self.host.to_string();
        }
        format!("{}:{}", self.host, self.port)
    }

    /// Path and query, which begin with a slash.
    pub fn target(&self) -> &str {
        self.target.expose()
    }

    /// The same place without its path.
    #[must_use]
    pub fn at(&self, target: &str) -> Self {
        Self {
            target: Secret::new(target.to_owned()),
            ..self.clone()
        }
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        let address = self.host().parse::<std::net::IpAddr>();
        address.map_or_else(|_name| &*self.host == "localhost", |ip| ip.is_loopback())
    }
}

impl FromStr for WebAddress {
    type Err = WebFault;

    fn from_str(text: &str) -> Result<Self, WebFault> {
        let url = Url::parse(text.trim()).map_err(|_fault| WebFault::Url)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(WebFault::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebFault::User);
        }
        if url.fragment().is_some() {
            return Err(WebFault::Fragment);
        }
        let host = match url.host().ok_or(WebFault::Url)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => format!("[{ip}]"),
        };
        let query = url
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        Ok(Self {
            tls,
            host: host.into(),
            port: url.port_or_known_default().ok_or(WebFault::Url)?,
            target: Secret::new(format!("{}{query}", url.path())),
        })
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Debug for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebAddress({self}/***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_their_paths_are_never_shown() {
        let web: WebAddress = "https://hooks.example.com/T0/secret?x=1".parse().unwrap();
        assert!(web.tls() && web.port() == 443, "the usual port");
        assert_eq!(web.target(), "/T0/secret?x=1", "path and query");
        assert_eq!(
            web.authority(),
            "hooks.example.com",
            "no port that is usual"
        );
        let shown = format!("{web} {web:?}");
        assert!(!shown.contains("secret"), "{shown}");
        let six: WebAddress = "http://[::1]:8080".parse().unwrap();
        assert_eq!((six.host(), &*six.authority()), ("::1", "[::1]:8080"));
        assert!(six.is_loopback() && !web.is_loopback());
        assert_eq!(six.target(), "/", "no path is the root");
    }

    #[test]
    fn what_can_not_be_called_is_refused() {
        for (text, fault) in [
            ("", WebFault::Url),
            ("example.com/x", WebFault::Url),
            ("ftp://example.com", WebFault::Scheme),
            ("https://a:b@example.com", WebFault::User),
            ("https://example.com/#x", WebFault::Fragment),
            ("file:///etc/passwd", WebFault::Scheme),
        ] {
            assert_eq!(text.parse::<WebAddress>(), Err(fault), "{text}");
        }
    }
}

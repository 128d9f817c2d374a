//! Where a fleet keeps what its hosts share.
//!
//! Decides what is an address of such a store. Who connects to it is the runtime's to know.

use std::str::FromStr;

use thiserror::Error;
use url::Url;

use super::secret::Secret;

/// Redis's own port.
const PORT: u16 = 6379;

/// Where the counts of limits are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Store {
    /// In this process.
    #[default]
    Memory,
    /// In a Redis that a fleet shares.
    Redis(RedisStore),
}

/// A Redis, its password included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisStore {
    url: Secret,
    shown: Box<str>,
    database: u16,
}

/// The text is no address of a Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is neither memory nor the address of a Redis")]
pub struct NoStore;

impl RedisStore {
    /// The address with everything that is in it. Every call is a place where the password leaves
    /// its type.
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// The number of its database.
    pub const fn database(&self) -> u16 {
        self.database
    }

    /// The address for people, without user and password.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl FromStr for Store {
    type Err = NoStore;

    fn from_str(text: &str) -> Result<Self, NoStore> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        let url = Url::parse(text).map_err(|_fault| NoStore)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(NoStore)?;
        let port = url.port().unwrap_or(PORT);
        let plain = url.query().is_none() && url.fragment().is_none();
        let known = matches!(url.scheme(), "redis" | "rediss");
        let database = match url.path() {
            "" | "/" => Some(0),
            path => path.strip_prefix('/').and_then(database),
        };
        let database = database
            .filter(|_| plain && known && port > 0)
            .ok_or(NoStore)?;
        let shown = format!("{}://{host}:{port}/{database}", url.scheme());
        Ok(Self::Redis(RedisStore {
            url: Secret::new(text.to_owned()),
            shown: shown.into(),
            database,
        }))
    }
}

/// The number of a database, written plainly.
fn database(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_and_shown_without_their_password() {
        for (text, shown) in [
            ("redis://cache:6380/2", "redis://cache:6380/2"),
            ("redis://127.0.0.1", "redis://127.0.0.1:6379/0"),
            ("redis://[::1]:7/", "redis://[::1]:7/0"),
            ("redis://:s3cret-word@cache/1", "redis://cache:6379/1"),
            ("rediss://user:s3cret-word@cache", "rediss://cache:6379/0"),
        ] {
            let Ok(Store::Redis(store)) = text.parse() else {
                panic!("{text} is an address");
            };
            assert_eq!(store.shown(), shown, "{text}");
            assert_eq!(store.expose(), text, "as it was written");
            assert!(!format!("{store:?}").contains("s3cret"), "{store:?}");
        }
        assert_eq!("memory".parse(), Ok(Store::Memory), "none");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for text in [
            "",
            "Memory",
            "redis",
            "redis://",
            "redis:///0",
            "cache:6379",
            "http://cache:6379/0",
            "unix:///run/redis.sock",
            "redis://cache:99999/0",
            "redis://cache:0/0",
            "redis://cache:6379/-1",
            "redis://cache:6379/zero",
            "redis://cache:6379/0/1",
            "redis://cache:6379/70000",
            "redis://cache:6379/0?protocol=resp3",
            "redis://cache:6379/0#insecure",
        ] {
            assert_eq!(text.parse::<Store>(), Err(NoStore), "{text}");
        }
    }
}

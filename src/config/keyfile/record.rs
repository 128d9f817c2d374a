//! From an entry of the keys file to the records that a gateway keeps.
//!
//! Decides whether the values of an entry make sense, and tells all that do not. A key that is
//! being replaced becomes a record of its own under the same id.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::entry::KeyEntry;
use crate::config::fault::{self, quoted};
use crate::config::path::KeyPath;
use crate::identify::keys::{Bounds, DigestFault, KeyHash, KeyLimits, KeyRecord};
use crate::policy::names::KeyId;
use crate::policy::units::Rate;
use crate::route::pattern::Pattern;

/// A value of an entry that makes no sense.
#[derive(Debug)]
pub(super) struct Wrong {
    field: &'static str,
    index: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl Wrong {
    /// Where it stands, below the entry.
    pub(super) fn path(&self, entry: &KeyPath) -> KeyPath {
        let field = entry.key(self.field);
        match self.index {
            Some(index) => field.index(index),
            None => field,
        }
    }
}

/// A moment, in seconds since 1970: `2027-01-31T00:00:00Z`, or a date, which is its first second
/// in UTC.
pub fn moment(text: &str) -> Option<u64> {
    let moment = text.parse::<Timestamp>().ok().or_else(|| {
        let date: Date = text.parse().ok()?;
        let midnight = date.to_zoned(TimeZone::UTC).ok()?;
        (text.len() == 10).then(|| midnight.timestamp())
    })?;
    u64::try_from(moment.as_second()).ok()
}

/// The records of an entry: its key, and those that it replaces.
pub(super) fn compile(entry: &KeyEntry) -> Result<Vec<KeyRecord>, Vec<Wrong>> {
    let mut reading = Reading(Vec::new());
    let id = reading.id(&entry.id);
    let hash = reading.hash("hash", None, &entry.hash);
    let bounds = reading.bounds(entry);
    let not_before = reading.moment("not_before", None, entry.not_before.as_deref());
    let expires_at = reading.moment("expires_at", None, entry.expires_at.as_deref());
    for (field, text) in [
        ("created_at", &entry.created_at),
        ("rotated_at", &entry.rotated_at),
        ("revoked_at", &entry.revoked_at),
    ] {
        reading.moment(field, None, text.as_deref());
    }
    if let (Some(from), Some(until)) = (not_before, expires_at)
        && from >= until
    {
        reading.wrong(
            "expires_at",
            None,
            "is not after not_before",
            "write a later time",
        );
    }
    let mut replaced = Vec::new();
    for (index, previous) in entry.previous.iter().flatten().enumerate() {
        let hash = reading.hash("previous", Some(index), &previous.hash);
        let until = reading.moment("previous", Some(index), Some(&previous.expires_at));
        replaced.extend(hash.zip(until));
    }
    let (Some(id), Some(hash), true) = (id, hash, reading.0.is_empty()) else {
        return Err(reading.0);
    };
    let current = KeyRecord {
        revoked: entry.revoked_at.is_some(),
        not_before: not_before.unwrap_or(0),
        expires_at: expires_at.unwrap_or(u64::MAX),
        bounds: (bounds != Bounds::default()).then(|| Box::new(bounds)),
        ..KeyRecord::new(id, hash, entry.role.into())
    };
    let replaced = replaced.into_iter().map(|(hash, until)| KeyRecord {
        hash,
        replaced: true,
        expires_at: current.expires_at.min(until),
        ..current.clone()
    });
    let mut records: Vec<KeyRecord> = replaced.collect();
    records.push(current);
    Ok(records)
}

struct Reading(Vec<Wrong>);

impl Reading {
    fn wrong(
        &mut self,
        field: &'static str,
        index: Option<usize>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Wrong {
            field,
            index,
            problem: problem.into(),
            remedy: remedy.into(),
        });
    }

    fn id(&mut self, text: &str) -> Option<KeyId> {
        text.parse()
            .map_err(|fault| {
                let problem = format!("{} {fault}", quoted(text));
                self.wrong("id", None, problem, "write a short name such as alice");
            })
            .ok()
    }

    fn hash(&mut self, field: &'static str, index: Option<usize>, text: &str) -> Option<KeyHash> {
        text.parse()
            .map_err(|fault| {
                let problem = match fault {
                    DigestFault::Scheme => {
                        "is not a hash (a key's own text must never stand here)".to_owned()
                    }
                    DigestFault::Hex => fault.to_string(),
                };
                let remedy = "write sha256: and the 64 hex digits of the key's SHA-256; \
                              `portcullis keys hash` makes them";
                self.wrong(field, index, problem, remedy);
            })
            .ok()
    }

    /// Reads a list; what can't be read is told with what would be right.
    fn list<T: FromStr>(
        &mut self,
        field: &'static str,
        texts: Option<&Vec<String>>,
        remedy: &'static str,
    ) -> Option<Vec<T>> {
        let texts = texts?;
        let mut values = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            if let Ok(value) = text.parse() {
                values.push(value);
            } else {
                let problem = format!("{} can't stand here", quoted(text));
                self.wrong(field, Some(index), problem, remedy);
            }
        }
        Some(values)
    }

    fn bounds(&mut self, entry: &KeyEntry) -> Bounds {
        let model = "write a model's name, or a pattern such as gpt-*";
        let provider = "write a provider's name from the configuration, or a pattern such as eu-*";
        let path = "write a path such as /v1/embeddings, or a pattern such as /v1/images/*";
        let network = "write one such as 10.0.0.0/8, 192.0.2.7 or \"::1/128\"";
        let hours = "write such as 08:00-18:00 or \"Mon-Fri 08:00-18:00\", in UTC";
        let paths: Option<Vec<Rooted>> = self.list("paths", entry.paths.as_ref(), path);
        let networks: Option<Vec<Network>> = self.list("ips", entry.ips.as_ref(), network);
        let notes = entry.metadata.iter().flatten();
        Bounds {
            models: self.list::<Pattern>("models", entry.models.as_ref(), model),
            providers: self.list::<Pattern>("providers", entry.providers.as_ref(), provider),
            paths: paths.map(|paths| paths.into_iter().map(|path| path.0).collect()),
            ips: networks.map(|networks| networks.into_iter().map(|net| net.0).collect()),
            hours: self.list("hours", entry.hours.as_ref(), hours),
            limits: KeyLimits {
                rate: self.rate("rate", entry.rate.as_deref()),
                burst: entry.burst,
                tokens: self.rate("tokens", entry.tokens.as_deref()),
                concurrent: entry.concurrent,
            },
            metadata: notes
                .map(|(name, note)| (name.as_str().into(), note.as_str().into()))
                .collect(),
        }
    }

    fn rate(&mut self, field: &'static str, text: Option<&str>) -> Option<Rate> {
        let text = text?;
        text.parse()
            .map_err(|error| {
                let (problem, remedy) = fault::quantity(text, &error);
                self.wrong(field, None, problem, remedy);
            })
            .ok()
    }

    fn moment(
        &mut self,
        field: &'static str,
        index: Option<usize>,
        text: Option<&str>,
    ) -> Option<u64> {
        let text = text?;
        let found = moment(text);
        if found.is_none() {
            let problem = format!("{} is not a time", quoted(text));
            let remedy = "write one such as 2027-01-31T00:00:00Z, or a date such as 2027-01-31";
            self.wrong(field, index, problem, remedy);
        }
        found
    }
}

/// A pattern of paths.
struct Rooted(Pattern);

impl FromStr for Rooted {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rooted = text.starts_with('/') || text.starts_with('*');
        let pattern = text.parse().map_err(|_fault| ())?;
        rooted.then_some(Self(pattern)).ok_or(())
    }
}

/// A network, or one address.
struct Network(IpNet);

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let network = text.parse::<IpNet>().ok();
        let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        network.map(Self).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_to_the_second() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2027-01-31", Some(1_801_353_600)),
            ("2027-01-31T00:00:00Z", Some(1_801_353_600)),
            ("2027-01-31T01:00:00+01:00", Some(1_801_353_600)),
            ("2027-01-31T00:00:00", None),
            ("1969-12-31", None),
            ("tomorrow", None),
            ("20270131", None),
            ("", None),
        ] {
            assert_eq!(moment(text), expected, "{text:?}");
        }
    }
}

//! Client certificates that stand for a key.
//!
//! Decides which key a certificate stands for, and whether that key is good. A certificate gets
//! here only after the TLS handshake has checked it against the listener's authorities and the
//! client has proved that it holds its private key. A request that brings a key of its own is
//! judged by that key alone.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use super::keys::{KeyRecord, ring};
use crate::policy::KeyFault;

/// The SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// A text that is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoFingerprint;

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    /// 64 hex digits, with or without colons between bytes.
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let plain = text.len() == 64;
        let colons = text.len() == 95 && text.split(':').all(|pair| pair.len() == 2);
        let digits: Option<Vec<u8>> = text.chars().filter(|c| *c != ':').map(digit).collect();
        let (pairs, rest) = digits.as_deref().unwrap_or_default().as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        match (plain || colons, rest, bytes.try_into()) {
            (true, [], Ok(bytes)) => Ok(Self(bytes)),
            (true | false, _, _) => Err(NoFingerprint),
        }
    }
}

/// Which key each certificate stands for.
#[derive(Debug, Clone, Default)]
pub struct Certificates(HashMap<Fingerprint, Arc<KeyRecord>>);

impl Certificates {
    /// Has a certificate stand for a key. False: it stands for one already.
    pub fn add(&mut self, fingerprint: Fingerprint, record: &Arc<KeyRecord>) -> bool {
        let stands_for = self.0.insert(fingerprint, Arc::clone(record));
        stands_for.is_none()
    }

    /// The key that a certificate with this SHA-256 stands for; none: it stands for none.
    ///
    /// # Errors
    /// The key is not good at this time, in seconds since 1970.
    pub fn find(&self, sha256: &[u8], now: u64) -> Option<Result<Arc<KeyRecord>, KeyFault>> {
        let fingerprint = Fingerprint(sha256.try_into().ok()?);
        let record = self.0.get(&fingerprint)?;
        let fault = ring::fault(record, true, now);
        Some(fault.map_or_else(|| Ok(Arc::clone(record)), Err))
    }

    /// One line each, in a fixed order.
    pub fn lines(&self) -> Vec<String> {
        let line = |(Fingerprint(bytes), record): (&Fingerprint, &Arc<KeyRecord>)| {
            let mut line = String::with_capacity(96);
            for byte in bytes {
                // Writing to a String can't fail.
                let _infallible = write!(line, "{byte:02x}");
            }
            format!("{line} {}", record.id)
        };
        let mut lines: Vec<String> = self.0.iter().map(line).collect();
        lines.sort_unstable();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::keys::{KeyHash, Role};

    #[test]
    fn a_fingerprint_is_written_as_openssl_shows_it_or_plainly() {
        let plain = "0aFF".repeat(16);
        let colons = vec!["0a:FF"; 16].join(":");
        let parsed: Fingerprint = plain.parse().unwrap();
        assert_eq!(colons.parse(), Ok(parsed), "with colons");
        for wrong in [
            "",
            plain.get(1..).unwrap(),
            &format!("{plain}0"),
            &colons.replace(':', "-"),
            &plain.replace('a', "g"),
            &format!("{}::", plain.get(..62).unwrap()),
            &"\u{e9}".repeat(32),
        ] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(NoFingerprint), "{wrong}");
        }
    }

    #[test]
    fn a_certificate_stands_for_its_key_while_that_is_good() {
        let hash = KeyHash::of(b"key", None);
        let mut record = KeyRecord::new("alice".parse().unwrap(), hash, Role::Standard);
        record.expires_at = 100;
        let mut certificates = Certificates::default();
        let fingerprint: Fingerprint = "ab".repeat(32).parse().unwrap();
        assert!(
            certificates.add(fingerprint, &Arc::new(record.clone())),
            "new"
        );
        assert!(!certificates.add(fingerprint, &Arc::new(record)), "twice");
        let found = |sha256: &[u8], now| {
            let found = certificates.find(sha256, now)?;
            Some(found.map(|record| record.id.to_string()))
        };
        assert_eq!(found(&[0xab; 32], 99), Some(Ok("alice".to_owned())), "hers");
        assert_eq!(
            found(&[0xab; 32], 100),
            Some(Err(KeyFault::Expired)),
            "over"
        );
        assert_eq!(found(&[0xab; 31], 99), None, "no SHA-256");
        assert_eq!(found(&[0; 32], 99), None, "another");
        assert_eq!(found(&[], 99), None, "no certificate");
    }
}

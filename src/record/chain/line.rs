//! What a line of the chain looks like, to the byte.
//!
//! `{"seq":7,"prev":"…","time":"…","event":"…",…,"hash":"…"}`: the first four members stand in this
//! order, `hash` is the last. The canonical form of a line is what stands before `,"hash":`, as it
//! was written; `hash` is its SHA-256 and `prev` that of the line before. A signed line has its
//! `signature` right before its hash, over all that stands before it. Decides nothing about what
//! a line says.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::key::{PublicKey, Signer};
use super::push_hex;
use crate::record::json::{push_moment, push_number};

/// The longest line, its line break included.
pub const MAX_LINE: usize = 64 * 1024;

const SEQ: &[u8] = b"{\"seq\":";
const PREV: &[u8] = b",\"prev\":\"";
const TIME: &[u8] = b"\",\"time\":\"";
const EVENT: &[u8] = b"\",\"event\":\"";
const HASH: &[u8] = b",\"hash\":\"";
const SIGNATURE: &[u8] = b",\"signature\":\"";
const END: &[u8] = b"\"}";

/// Hex digits of a hash.
const DIGITS: usize = 64;
/// Characters of a moment, to the millisecond.
const MOMENT: usize = 24;
/// Characters of a signature in base64.
const SIGNED: usize = 88;

/// A SHA-256 in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; DIGITS]);

impl Digest {
    /// What stands before the first line.
    pub const NONE: Self = Self([b'0'; DIGITS]);

    /// The digest of a canonical form.
    pub fn of(bytes: &[u8]) -> Self {
        let mut text = Vec::with_capacity(DIGITS);
        push_hex(&mut text, digest(&SHA256, bytes).as_ref());
        Self(text.try_into().unwrap_or([b'0'; DIGITS]))
    }

    /// The digest that is written so.
    pub fn read(text: &[u8]) -> Option<Self> {
        let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits: [u8; DIGITS] = text.try_into().ok()?;
        digits.iter().all(is_hex).then_some(Self(digits))
    }

    /// Its digits.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its digits as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Where a chain ends: its last line's number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last line's number; the first line's is 1.
    pub seq: u64,
    /// The last line's hash.
    pub hash: Digest,
}

impl Head {
    /// The head of a chain without lines.
    pub const NONE: Self = Self {
        seq: 0,
        hash: Digest::NONE,
    };

    /// Writes the next line. `body` is its members from the event's name on: `denial","reason":…`.
    pub fn append(&mut self, at: SystemTime, body: &[u8], out: &mut Vec<u8>) {
        let start = self.begin(at, body, out);
        self.finish(start, out);
    }

    /// Writes the next line with a signature over it, and so over all lines before it.
    pub fn append_signed(
        &mut self,
        at: SystemTime,
        body: &[u8],
        signer: &Signer,
        out: &mut Vec<u8>,
    ) {
        let start = self.begin(at, body, out);
        let signature = signer.sign(out.get(start..).unwrap_or_default());
        out.extend_from_slice(SIGNATURE);
        out.extend_from_slice(STANDARD.encode(signature).as_bytes());
        out.push(b'"');
        self.finish(start, out);
    }

    fn begin(&self, at: SystemTime, body: &[u8], out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.extend_from_slice(SEQ);
        push_number(out, self.seq.saturating_add(1));
        out.extend_from_slice(PREV);
        out.extend_from_slice(self.hash.as_bytes());
        out.extend_from_slice(TIME);
        push_moment(out, at);
        out.extend_from_slice(EVENT);
        out.extend_from_slice(body);
        start
    }

    fn finish(&mut self, start: usize, out: &mut Vec<u8>) {
        self.seq = self.seq.saturating_add(1);
        self.hash = Digest::of(out.get(start..).unwrap_or_default());
        out.extend_from_slice(HASH);
        out.extend_from_slice(self.hash.as_bytes());
        out.extend_from_slice(END);
        out.push(b'\n');
    }
}

/// A line taken apart, without its line break. That it has the shape says nothing about its truth.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Its number.
    pub seq: u64,
    /// The hash of the line before, as it says.
    pub prev: Digest,
    /// What it is about.
    pub event: &'a str,
    /// Its own hash, as it says.
    pub hash: Digest,
    /// What the hash is of.
    canonical: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes a line apart; none where it is no line of a chain.
    pub fn of(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_suffix(END)?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        let canonical = rest.strip_suffix(HASH)?;
        let rest = canonical.strip_prefix(SEQ)?;
        let (digits, rest) = rest.split_at(memchr::memchr(b',', rest)?);
        let (prev, rest) = rest.strip_prefix(PREV)?.split_at_checked(DIGITS)?;
        let (_time, rest) = rest.strip_prefix(TIME)?.split_at_checked(MOMENT)?;
        let rest = rest.strip_prefix(EVENT)?;
        let (event, _) = rest.split_at(memchr::memchr(b'"', rest)?);
        Some(Self {
            seq: number(digits)?,
            prev: Digest::read(prev)?,
            event: str::from_utf8(event).ok()?,
            hash: Digest::read(hash)?,
            canonical,
        })
    }

    /// Whether its hash is that of its content.
    pub fn is_whole(&self) -> bool {
        Digest::of(self.canonical) == self.hash
    }

    /// Whether it has a signature, and that is by this key.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.signed()
            .is_some_and(|(text, signature)| key.verifies(text, &signature))
    }

    /// What a signature is over, and the signature.
    fn signed(&self) -> Option<(&'a [u8], Vec<u8>)> {
        let rest = self.canonical.strip_suffix(b"\"")?;
        let (rest, signature) = rest.split_at_checked(rest.len().checked_sub(SIGNED)?)?;
        let text = rest.strip_suffix(SIGNATURE)?;
        Some((text, STANDARD.decode(signature).ok()?))
    }
}

/// A number without a sign or a leading zero.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    let text = str::from_utf8(digits).ok().filter(|_| plain)?;
    text.parse().ok()
}

//! The key that signs a chain, and the one that checks it.
//!
//! Ed25519, in the PEM forms that other tools read: PKCS #8 and `SubjectPublicKeyInfo`. The random
//! bits of a new key come in as an argument. The private key is wiped when dropped, but for the
//! copy that `ring` keeps.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use thiserror::Error;
use zeroize::Zeroizing;

use super::hex;

const PRIVATE: (&str, &str) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
const PUBLIC: (&str, &str) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");

/// What stands before the 32 bytes of a private key in DER (RFC 8410, section 7).
const PRIVATE_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// The same of a public key (section 4).
const PUBLIC_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// It is not PEM of this kind.
    #[error("it is not an Ed25519 key in PEM")]
    Form,
    /// The system's cryptography refuses it.
    #[error("it is not a usable Ed25519 key")]
    Refused,
}

/// Signs lines.
pub struct Signer {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The signer that these random bits are.
    ///
    /// # Errors
    /// They are no key; any 32 bytes are one.
    pub fn new(seed: Zeroizing<[u8; 32]>) -> Result<Self, KeyFault> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_fault| KeyFault::Refused)?;
        Ok(Self { seed, pair })
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// It is none.
    pub fn read(pem: &str) -> Result<Self, KeyFault> {
        let seed = read(pem, PRIVATE, &PRIVATE_HEAD)?;
        Self::new(seed)
    }

    /// The private key, as it is kept.
    pub fn to_pem(&self) -> Zeroizing<String> {
        write(PRIVATE, &PRIVATE_HEAD, &*self.seed)
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        let bytes = self.pair.public_key().as_ref();
        PublicKey(bytes.try_into().unwrap_or([0; 32]))
    }

    /// Signs.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        self.pair.sign(text).as_ref().to_vec()
    }
}

/// Checks signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// It is none.
    pub fn read(pem: &str) -> Result<Self, KeyFault> {
        read(pem, PUBLIC, &PUBLIC_HEAD).map(|bytes| Self(*bytes))
    }

    /// The key, as it is kept.
    pub fn to_pem(&self) -> String {
        (*write(PUBLIC, &PUBLIC_HEAD, &self.0)).clone()
    }

    /// The key in base64, as a chain's first line names it.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// The key that is written so.
    pub fn of_base64(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The first digits of its hash, for people to compare.
    pub fn fingerprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.0);
        hex(digest.as_ref().get(..8).unwrap_or_default())
    }

    /// Whether a signature is this key's over this text.
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(text, signature).is_ok()
    }
}

fn write((begin, end): (&str, &str), head: &[u8], key: &[u8]) -> Zeroizing<String> {
    let der = Zeroizing::new([head, key].concat());
    let body = Zeroizing::new(STANDARD.encode(&*der));
    Zeroizing::new(format!("{begin}\n{}\n{end}\n", &*body))
}

fn read(
    pem: &str,
    (begin, end): (&str, &str),
    head: &[u8],
) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
    let inner = pem.trim().strip_prefix(begin);
    let inner = inner.and_then(|rest| rest.strip_suffix(end));
    let body: Zeroizing<String> =
        Zeroizing::new(inner.ok_or(KeyFault::Form)?.split_whitespace().collect());
    let der = STANDARD.decode(&*body).map_err(|_fault| KeyFault::Form)?;
    let der = Zeroizing::new(der);
    let key: Option<[u8; 32]> = der.strip_prefix(head).and_then(|key| key.try_into().ok());
    key.map(Zeroizing::new).ok_or(KeyFault::Form)
}

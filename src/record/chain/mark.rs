//! The mark: where the chain ends, signed, in a small file of its own.
//!
//! It is written anew after every batch of lines, so that a tail that was cut off is missed, and
//! a process that goes on knows where. Decides how it is written and read. An older mark that was
//! put back looks as good as it once was: keep marks elsewhere, if that matters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, Signer};
use super::{Digest, Ending, Head};

/// Where a chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The chain's id.
    pub chain: Box<str>,
    /// The number of its last file.
    pub segment: u64,
    /// Its last line.
    pub head: Head,
    /// How long that file is, in bytes.
    pub offset: u64,
    /// Whether it goes on.
    pub ending: Ending,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    chain: String,
    segment: u64,
    seq: u64,
    hash: String,
    offset: u64,
    state: String,
}

/// What joins the mark and its signature.
const SIGNATURE: &str = ",\"signature\":\"";

impl Mark {
    /// The mark as a line.
    pub fn to_line(&self, signer: &Signer) -> String {
        let written = Written {
            chain: self.chain.to_string(),
            segment: self.segment,
            seq: self.head.seq,
            hash: self.head.hash.as_str().to_owned(),
            offset: self.offset,
            state: self.ending.as_str().to_owned(),
        };
        // Numbers and texts: there is nothing in it that JSON has no form for.
        let mut line = serde_json::to_string(&written).unwrap_or_default();
        line.pop();
        let signature = STANDARD.encode(signer.sign(line.as_bytes()));
        line.push_str(SIGNATURE);
        line.push_str(&signature);
        line.push_str("\"}\n");
        line
    }

    /// Reads a mark; none where it is not what this key signed.
    pub fn read(line: &str, key: &PublicKey) -> Option<Self> {
        let (text, signature) = line.trim_end().strip_suffix("\"}")?.split_once(SIGNATURE)?;
        if !key.verifies(text.as_bytes(), &STANDARD.decode(signature).ok()?) {
            return None;
        }
        let written: Written = serde_json::from_str(&format!("{text}}}")).ok()?;
        Some(Self {
            chain: written.chain.into(),
            segment: written.segment,
            head: Head {
                seq: written.seq,
                hash: Digest::read(written.hash.as_bytes())?,
            },
            offset: written.offset,
            ending: Ending::of(&written.state)?,
        })
    }
}

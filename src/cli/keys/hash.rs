//! `portcullis keys hash`: the hash of a key that came from elsewhere.
//!
//! Decides whether a text can be a key at all. It is read from standard input, because an
//! argument is seen by every user of the machine and kept by the shell.

use std::io::Read;

use serde_json::json;

use super::args::HashArgs;
use super::change::peppered;
use super::{Format, Refusal, Streams};
use crate::identify::credential;
use crate::identify::keys::{KeyHash, mint};
use crate::policy::secret::Secret;

/// Fewer characters than this can be guessed.
const SHORT: usize = 16;

/// Prints the hash of the key on `input`.
pub(super) fn run(
    args: &HashArgs,
    input: &mut dyn Read,
    streams: &mut Streams<'_>,
) -> Result<(), Refusal> {
    let mut text = String::new();
    let most = u64::try_from(credential::LONGEST_KEY.saturating_add(3)).unwrap_or(u64::MAX);
    input
        .take(most)
        .read_to_string(&mut text)
        .map_err(Refusal::system("can't read the key from standard input"))?;
    let text = Secret::new(text);
    let key = text.expose().trim_end_matches(['\r', '\n']).as_bytes();
    let problem = if key.is_empty() {
        Some(
            "there is no key on standard input; write such as: printf %s \"$KEY\" | portcullis keys hash",
        )
    } else if key.len() > credential::LONGEST_KEY || !key.iter().all(u8::is_ascii_graphic) {
        Some("a key is one line of at most 512 visible ASCII characters without spaces")
    } else if KeyHash::is_like(key) {
        Some("that is a hash already, and no key")
    } else if mint::is_mistyped(key) {
        Some("that begins like a key of Portcullis, and its checksum is wrong; was it cut off?")
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(Refusal::unusable(problem));
    }
    if key.len() < SHORT {
        writeln!(
            streams.err,
            "portcullis: a key under {SHORT} characters can be guessed; make a longer one"
        )?;
    }
    let hash = KeyHash::of(
        key,
        peppered(args.pepper.as_deref(), args.keys.as_deref())?.as_ref(),
    );
    match args.format {
        Format::Json => writeln!(streams.out, "{}", json!({"hash": hash.to_string()}))?,
        Format::Text => writeln!(streams.out, "{hash}")?,
    }
    Ok(())
}

//! From the text of a configuration to a [`Policy`], or to all that is wrong with it.
//!
//! Lives here: the raw types of the file, its reading, environment overrides, references to
//! secrets, the one parse step that makes a policy, and the findings about what is legal and
//! insecure. Must not live here: files and environment themselves (they come in through
//! [`Resolve`]), nor anything that a request needs (that is the policy's).
//!
//! ```text
//! text ─ locate ─ shape ─ serde ─► raw ─ env ─► compile ─► Policy
//!          └────────┴── faults ──────┴────────────┘  └─► findings (lint)
//! ```

mod compile;
mod document;
mod env;
pub mod fault;
mod fingerprint;
pub mod keyfile;
pub mod lint;
mod locate;
mod near;
mod path;
mod raw;
mod reference;
mod rulesfile;
pub mod schema;
pub mod score;
mod shape;
pub mod view;
mod wanted;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::policy::Policy;
use fault::Fault;
use lint::Finding;
use view::View;

/// A keys file `keys.yaml` has the secret of tokens beside it in a file of its name and this
/// extension.
pub const TOKEN_SECRET_EXTENSION: &str = "token-secret";

/// Where the text of a configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// The file as the user named it; shown in faults.
    pub file: String,
    /// The directory that relative paths start from.
    pub base: PathBuf,
    /// The file's mode bits, where the system has such.
    pub mode: Option<u32>,
}

/// A file's content, as [`Resolve::read`] answers it.
#[derive(Clone)]
pub struct FileContent {
    /// All of its bytes.
    pub bytes: Vec<u8>,
    /// Its mode bits, where the system has such.
    pub mode: Option<u32>,
}

impl std::fmt::Debug for FileContent {
    /// The content may be a secret, so its length alone is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileContent")
            .field("bytes", &self.bytes.len())
            .field("mode", &self.mode)
            .finish()
    }
}

/// Why a file has no content to offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// There is no such file.
    Missing,
    /// It can't be read; the system's words.
    Failed(String),
}

/// The world outside, as far as a configuration refers to it.
pub trait Resolve {
    /// The value of an environment variable.
    fn env(&self, name: &str) -> Option<String>;

    /// The content of a file.
    ///
    /// # Errors
    /// The file is missing or can't be read.
    fn read(&self, path: &Path) -> Result<FileContent, Unreadable>;

    /// Hands over the content of a file that may be large piece by piece, and answers its mode
    /// bits.
    ///
    /// # Errors
    /// The file is missing or can't be read.
    fn read_in_pieces(
        &self,
        path: &Path,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<u32>, Unreadable> {
        let content = self.read(path)?;
        take(&content.bytes);
        Ok(content.mode)
    }
}

/// A policy, and what is insecure about it.
#[derive(Debug)]
pub struct Reviewed {
    /// The compiled policy.
    pub policy: Policy,
    /// What is legal and insecure, gravest first.
    pub findings: Vec<Finding>,
    /// The configuration as it can be shown and compared.
    pub view: View,
}

/// Compiles a configuration and looks for what is insecure in it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn review(
    text: &str,
    source: &SourceInfo,
    resolver: &dyn Resolve,
) -> Result<Reviewed, Vec<Fault>> {
    let document::Document {
        mut raw,
        places,
        faults,
    } = document::read::<raw::RawConfig>(&source.file, text)?;
    let environment = env::apply(&mut raw, resolver);
    let mut compiler = compile::Compiler::new(source, resolver, &places, faults, environment);
    let compiled = compiler.policy(&raw);
    let (faults, mut findings, digests) = compiler.into_parts();
    match compiled {
        Some(policy) if faults.is_empty() => {
            findings.extend(lint::of_policy(&policy));
            findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
            let view = View::new(&raw, digests);
            Ok(Reviewed {
                policy,
                findings,
                view,
            })
        }
        Some(_) | None => Err(faults),
    }
}

/// Compiles a configuration.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(text: &str, source: &SourceInfo, resolver: &dyn Resolve) -> Result<Policy, Vec<Fault>> {
    review(text, source, resolver).map(|reviewed| reviewed.policy)
}

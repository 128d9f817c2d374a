//! Portcullis: a security gateway between applications and LLM providers.
//!
//! ```text
//! client ─► listen ─► identify ─► admit ─► inspect request ─► route ─► forward ─► provider
//! client ◄───────────── record ◄─────── inspect response ◄───────────────────────────┘
//!           any stage ── Denial ──► reply (the one writer of refusals) ──► record
//! ```
//!
//! Two rings. The inner one decides, as plain functions over bytes, policy and time: [`config`],
//! [`policy`], [`identify`], [`admit`], [`inspect`], [`route`], [`provider`], [`record`]. It knows
//! no socket, no file, no clock and no type of Pingora's, which a test checks. The outer one has
//! them all: [`proxy`] moves data between Pingora's hooks and the inner ring, [`runtime`] owns
//! listeners, signals and threads, `internal` the control plane, [`cli`] the commands.
//!
//! Where to start reading: `proxy/receive.rs`, which takes a request through the stages.

pub mod admit;
pub mod cli;
pub mod config;
mod each_byte;
pub mod identify;
pub mod inspect;
mod internal;
pub mod policy;
pub mod provider;
pub mod proxy;
pub mod record;
pub mod route;
pub mod runtime;

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn the_inner_ring_knows_no_socket_file_clock_or_framework() {
        const INNER: [&str; 8] = [
            "admit", "config", "identify", "inspect", "policy", "provider", "record", "route",
        ];
        const OUTER: [&str; 13] = [
            "pingora",
            "tokio",
            "async",
            "std::fs",
            "std::io",
            "std::thread",
            "Instant",
            "crate::proxy",
            "crate::runtime",
            "crate::internal",
            "crate::cli",
            "SystemTime::now",
            "log::info",
        ];
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for folder in INNER {
            let mut files = Vec::new();
            sources(&root.join(folder), &mut files);
            assert!(!files.is_empty(), "{folder} has sources");
            for file in files {
                let text = std::fs::read_to_string(&file).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let uses = code
                    .lines()
                    .map(str::trim)
                    .filter(|line| line.starts_with("use "));
                for line in uses {
                    let foreign = OUTER.iter().find(|word| line.contains(*word));
                    let in_tests = file.components().any(|part| part.as_os_str() == "tests")
                        || file.file_name().is_some_and(|name| name == "tests.rs");
                    assert!(in_tests || foreign.is_none(), "{}: {line}", file.display());
                }
            }
        }
    }
}

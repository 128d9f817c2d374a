//! Whole configurations in, policies, faults and findings out.

mod alerts;
mod arbitrary;
mod defaults;
mod environment;
mod examples;
mod findings;
mod inspection;
mod keys;
mod limits;
mod refusals;
mod secrets;
mod tables;
mod view;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

/// A world of files and variables that exists in memory alone.
#[derive(Debug, Default)]
struct World {
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, FileContent>,
    mode: Option<u32>,
}

impl World {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        self.file_with_mode(path, text, 0o600)
    }

    fn file_with_mode(mut self, path: &str, text: &str, mode: u32) -> Self {
        let content = FileContent {
            bytes: text.as_bytes().to_vec(),
            mode: Some(mode),
        };
        self.files.insert(Path::new("/etc/p").join(path), content);
        self
    }

    /// The mode of the configuration file itself.
    fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    fn review(&self, text: &str) -> Result<Reviewed, Vec<Fault>> {
        let source = SourceInfo {
            file: "x.yaml".to_owned(),
            base: PathBuf::from("/etc/p"),
            mode: self.mode,
        };
        review(text, &source, self)
    }

    fn policy(&self, text: &str) -> Policy {
        match self.review(text) {
            Ok(reviewed) => reviewed.policy,
            Err(faults) => panic!("should compile: {faults:#?}"),
        }
    }

    /// The ids of all findings, sorted.
    fn findings(&self, text: &str) -> Vec<&'static str> {
        match self.review(text) {
            Ok(reviewed) => {
                let mut ids: Vec<_> = reviewed.findings.iter().map(|f| f.id).collect();
                ids.sort_unstable();
                ids
            }
            Err(faults) => panic!("should compile: {faults:#?}"),
        }
    }

    /// All faults, each in its one-line form.
    fn faults(&self, text: &str) -> Vec<String> {
        match self.review(text) {
            Ok(_) => panic!("should not compile:\n{text}"),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Resolve for World {
    fn env(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn read(&self, path: &Path) -> Result<FileContent, Unreadable> {
        self.files.get(path).cloned().ok_or(Unreadable::Missing)
    }
}

/// One provider and one route, so that a test adds only what it is about.
const BASE: &str = "providers: [{name: local, api: echo}]\nroutes: [{models: [\"*\"], providers: \
                    [local]}]\n";

/// [`BASE`] after these lines, so that their numbers are the test's own.
fn with(lines: &str) -> String {
    format!("{lines}\n{BASE}")
}

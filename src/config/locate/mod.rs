//! Where in a YAML text each key stands.
//!
//! Decides the line of a key path, and refuses what no configuration needs and what could hurt or
//! mislead: texts over 1 MiB, deep nesting, aliases that expand without measure, a key written
//! twice (of which only one would count), tags, a second document. It follows aliases and merge
//! keys to the line where the value was written. It never interprets a value.

mod build;

use saphyr_parser::{Marker, Parser};

use super::fault::{Fault, Place};
use super::path::{KeyPath, Step};
use build::{Builder, Stop};

/// Longest text that is read.
const MAX_BYTES: usize = 1_048_576;
/// Most steps from alias to alias and merge to merge while one key is looked for.
const MAX_FOLLOWED: usize = 1_000;

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    line: usize,
    column: usize,
}

impl Spot {
    fn of(marker: &Marker) -> Self {
        Self {
            line: marker.line(),
            column: marker.col().saturating_add(1),
        }
    }
}

#[derive(Debug)]
struct Entry {
    key: String,
    spot: Spot,
    node: usize,
}

#[derive(Debug)]
enum Shape {
    Scalar,
    List(Vec<usize>),
    Block(Vec<Entry>),
    Alias(usize),
}

#[derive(Debug)]
struct Node {
    spot: Spot,
    shape: Shape,
    /// Values in it when all aliases are expanded.
    size: usize,
}

/// The places of all keys of one file.
#[derive(Debug)]
pub(super) struct Places {
    file: String,
    nodes: Vec<Node>,
    root: Option<usize>,
}

impl Places {
    /// Reads where everything stands.
    ///
    /// # Errors
    /// The text is not YAML, or holds what is refused (see the module's doc).
    pub(super) fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        if text.len() > MAX_BYTES {
            return Err(vec![Fault::of_file(
                file,
                format!("is longer than {MAX_BYTES} bytes"),
                "a configuration is far shorter; is this the right file?",
            )]);
        }
        let mut builder = Builder::new(file);
        for event in Parser::new_from_str(text) {
            let outcome = match event {
                Ok((event, span)) => builder.take(event, span),
                Err(error) => Err(builder.stop(
                    Spot::of(error.marker()),
                    format!("is not YAML here: {}", error.info()),
                    "check indentation, colons, quotes and brackets on this line and above it",
                )),
            };
            if let Err(Stop) = outcome {
                break;
            }
        }
        builder.finish()
    }

    /// A fault at a key: its line, or that of the nearest block around it that was written.
    pub(super) fn fault(
        &self,
        at: &KeyPath,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Fault {
        let spot = self.spot(at);
        Fault {
            place: Place::File {
                file: self.file.clone(),
                line: spot.map(|spot| spot.line),
                column: spot.map(|spot| spot.column),
            },
            key: at.to_string(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    fn spot(&self, at: &KeyPath) -> Option<Spot> {
        let mut node = self.root?;
        let mut spot = self.nodes.get(node)?.spot;
        let mut fuel = MAX_FOLLOWED;
        for step in at.steps() {
            let Some((found, next)) = self.step(node, step, &mut fuel) else {
                break;
            };
            spot = found;
            node = next;
        }
        Some(spot)
    }

    /// One step down, through aliases and merge keys.
    fn step(&self, node: usize, step: &Step, fuel: &mut usize) -> Option<(Spot, usize)> {
        *fuel = fuel.checked_sub(1)?;
        match (&self.nodes.get(node)?.shape, step) {
            (Shape::Alias(target), _) => self.step(*target, step, fuel),
            (Shape::List(items), Step::Index(index)) => {
                let item = *items.get(*index)?;
                Some((self.nodes.get(item)?.spot, item))
            }
            (Shape::Block(entries), Step::Key(key)) => {
                if let Some(entry) = entries.iter().find(|entry| entry.key == *key) {
                    return Some((entry.spot, entry.node));
                }
                let merged = entries.iter().filter(|entry| entry.key == MERGE);
                merged
                    .flat_map(|entry| self.sources(entry.node))
                    .find_map(|source| self.step(source, step, fuel))
            }
            (Shape::Scalar | Shape::List(_) | Shape::Block(_), Step::Key(_) | Step::Index(_)) => {
                None
            }
        }
    }

    /// What a merge key merges: one block, or a list of them.
    fn sources(&self, node: usize) -> Vec<usize> {
        match self.nodes.get(node).map(|node| &node.shape) {
            Some(Shape::List(items)) => items.clone(),
            Some(Shape::Scalar | Shape::Block(_) | Shape::Alias(_)) | None => vec![node],
        }
    }
}

/// The key whose value is merged into the block around it.
const MERGE: &str = "<<";

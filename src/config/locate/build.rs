//! From the events of the YAML parser to the places of all keys.
//!
//! Decides what is refused while a text is read: duplicates, tags, depth, aliases without measure,
//! a second document. The first of these ends the reading, except for duplicates, which are all
//! told.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Span};

use super::{Entry, Node, Places, Shape, Spot};
use crate::config::fault::{Fault, Place};
use crate::config::path::KeyPath;

/// Deepest nesting that is read; the format itself needs seven levels.
const MAX_DEPTH: usize = 32;
/// Most values after all aliases are expanded: a whole file of 1 MiB has fewer in practice, a
/// "billion laughs" text has more after three levels.
const MAX_EXPANDED: usize = 100_000;

/// A list or block that is still open.
#[derive(Debug)]
struct Frame {
    node: usize,
    anchor: usize,
    is_block: bool,
    key: Option<(String, Spot)>,
    keys: HashSet<String>,
}

/// The text can't be read further; why is among the faults.
pub(super) struct Stop;

#[derive(Debug)]
pub(super) struct Builder {
    places: Places,
    open: Vec<Frame>,
    anchors: HashMap<usize, usize>,
    faults: Vec<Fault>,
    documents: usize,
}

impl Builder {
    pub(super) fn new(file: &str) -> Self {
        Self {
            places: Places {
                file: file.to_owned(),
                nodes: Vec::new(),
                root: None,
            },
            open: Vec::new(),
            anchors: HashMap::new(),
            faults: Vec::new(),
            documents: 0,
        }
    }

    pub(super) fn finish(self) -> Result<Places, Vec<Fault>> {
        if self.faults.is_empty() {
            Ok(self.places)
        } else {
            Err(self.faults)
        }
    }

    fn fault(&self, spot: Spot, problem: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault {
            place: Place::File {
                file: self.places.file.clone(),
                line: Some(spot.line),
                column: Some(spot.column),
            },
            key: String::new(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// Notes a fault after which the rest of the text makes no sense.
    pub(super) fn stop(
        &mut self,
        spot: Spot,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Stop {
        let fault = self.fault(spot, problem, remedy);
        self.faults.push(fault);
        Stop
    }

    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let spot = Spot::of(&span.start);
        match event {
            Event::DocumentStart(_) => {
                self.documents = self.documents.saturating_add(1);
                if self.documents > 1 {
                    return Err(self.stop(
                        spot,
                        "a second document begins here",
                        "keep one document, without a `---` between",
                    ));
                }
                Ok(())
            }
            Event::Scalar(text, _, anchor, tag) => {
                self.untagged(spot, tag.is_some())?;
                if self.awaits_key() {
                    self.name(text.into_owned(), spot);
                    return Ok(());
                }
                let node = self.put(spot, Shape::Scalar, 1)?;
                self.anchors.insert(anchor, node);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, spot),
            Event::SequenceStart(anchor, tag) => {
                self.untagged(spot, tag.is_some())?;
                self.begin(spot, anchor, Shape::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.untagged(spot, tag.is_some())?;
                self.begin(spot, anchor, Shape::Block(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(spot),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn untagged(&mut self, spot: Spot, tagged: bool) -> Result<(), Stop> {
        if tagged {
            return Err(self.stop(
                spot,
                "a YAML tag (`!…`) has no meaning here",
                "write the value without its tag",
            ));
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|frame| frame.is_block && frame.key.is_none())
    }

    fn name(&mut self, key: String, spot: Spot) {
        let fresh = self
            .open
            .last_mut()
            .is_none_or(|frame| frame.keys.insert(key.clone()));
        if !fresh {
            let mut fault = self.fault(
                spot,
                "is written twice in one block",
                "keep one of the two; only one could count",
            );
            fault.key = self.here().key(&key).to_string();
            self.faults.push(fault);
        }
        if let Some(frame) = self.open.last_mut() {
            frame.key = Some((key, spot));
        }
    }

    /// The path of the innermost open list or block.
    fn here(&self) -> KeyPath {
        let parents = self.open.iter().rev().skip(1).rev();
        parents.fold(KeyPath::default(), |path, frame| {
            match self.places.nodes.get(frame.node).map(|node| &node.shape) {
                Some(Shape::List(items)) => path.index(items.len().saturating_sub(1)),
                Some(Shape::Block(entries)) => entries
                    .last()
                    .map_or_else(|| path.clone(), |entry| path.key(&entry.key)),
                Some(Shape::Scalar | Shape::Alias(_)) | None => path,
            }
        })
    }

    fn alias(&mut self, anchor: usize, spot: Spot) -> Result<(), Stop> {
        let target = self.anchors.get(&anchor).copied();
        let known = target.and_then(|target| Some((target, self.places.nodes.get(target)?.size)));
        let Some((target, size)) = known else {
            return Err(self.stop(
                spot,
                "this alias stands within its own anchor, or for a key",
                "write the value out",
            ));
        };
        self.put(spot, Shape::Alias(target), size)?;
        Ok(())
    }

    fn begin(&mut self, spot: Spot, anchor: usize, shape: Shape) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.stop(
                spot,
                format!("is nested more than {MAX_DEPTH} levels deep"),
                "no setting is that deep; check the brackets and the indentation",
            ));
        }
        let is_block = matches!(shape, Shape::Block(_));
        let node = self.put(spot, shape, 1)?;
        self.open.push(Frame {
            node,
            anchor,
            is_block,
            key: None,
            keys: HashSet::new(),
        });
        Ok(())
    }

    fn end(&mut self, spot: Spot) -> Result<(), Stop> {
        let Some(frame) = self.open.pop() else {
            return Ok(());
        };
        self.anchors.insert(frame.anchor, frame.node);
        let size = self
            .places
            .nodes
            .get(frame.node)
            .map_or(1, |node| node.size);
        self.grow(size.saturating_sub(1), spot)
    }

    /// Adds a value to the list or block that is open.
    fn put(&mut self, spot: Spot, shape: Shape, size: usize) -> Result<usize, Stop> {
        if self.awaits_key() {
            return Err(self.stop(
                spot,
                "a key must be a plain word",
                "write `name: value`; quote what begins with { [ or *",
            ));
        }
        let node = self.places.nodes.len();
        self.places.nodes.push(Node { spot, shape, size });
        let Some(frame) = self.open.last_mut() else {
            self.places.root = Some(node);
            return Ok(node);
        };
        let key = frame.key.take();
        match self
            .places
            .nodes
            .get_mut(frame.node)
            .map(|parent| &mut parent.shape)
        {
            Some(Shape::List(items)) => items.push(node),
            Some(Shape::Block(entries)) => {
                entries.extend(key.map(|(key, spot)| Entry { key, spot, node }));
            }
            Some(Shape::Scalar | Shape::Alias(_)) | None => {}
        }
        self.grow(size, spot)?;
        Ok(node)
    }

    /// Counts what was added to the open list or block.
    fn grow(&mut self, size: usize, spot: Spot) -> Result<(), Stop> {
        let parent = self.open.last().map(|frame| frame.node);
        let Some(parent) = parent.and_then(|node| self.places.nodes.get_mut(node)) else {
            return Ok(());
        };
        parent.size = parent.size.saturating_add(size);
        if parent.size > MAX_EXPANDED {
            return Err(self.stop(
                spot,
                format!("holds more than {MAX_EXPANDED} values once its aliases are expanded"),
                "write fewer aliases (`*name`)",
            ));
        }
        Ok(())
    }
}

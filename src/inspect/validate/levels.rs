//! The objects and arrays that are open and looked into, from the body down, and the way to the
//! innermost as a client is told it.

use std::borrow::Cow;

use super::rules::{Field, Marks, Members, Rule};

/// What is around the innermost that is looked into, which is a part of a message's content: the
/// body, the messages, a message, its content.
const AROUND: usize = 4;

/// An object or array that is looked into.
#[derive(Clone, Copy, Debug)]
pub(super) enum Level {
    Object {
        members: &'static Members,
        /// The field whose value is next or open.
        field: Option<&'static Field>,
        marks: Marks,
    },
    Array {
        rule: &'static Rule,
        items: &'static Rule,
        /// The values so far, the open one included.
        count: u32,
    },
}

impl Level {
    pub(super) const fn object(members: &'static Members) -> Self {
        Self::Object {
            members,
            field: None,
            marks: Marks::NONE,
        }
    }
}

/// The open ones. The innermost is kept apart, as every value asks for it.
#[derive(Debug)]
pub(super) struct Levels {
    last: Option<Level>,
    /// How many are around the last.
    depth: usize,
    around: [Option<Level>; AROUND],
}

impl Levels {
    pub(super) const fn new() -> Self {
        Self {
            last: None,
            depth: 0,
            around: [None; AROUND],
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// The innermost.
    #[inline]
    pub(super) const fn last(&mut self) -> Option<&mut Level> {
        self.last.as_mut()
    }

    /// Whether there was room for it, which there is for whatever the rules look into.
    pub(super) fn push(&mut self, level: Level) -> bool {
        if self.last.is_some() {
            let Some(place) = self.around.get_mut(self.depth) else {
                return false;
            };
            *place = self.last;
            self.depth = self.depth.saturating_add(1);
        }
        self.last = Some(level);
        true
    }

    pub(super) fn pop(&mut self) -> Option<Level> {
        let last = self.last.take();
        if let Some(depth) = self.depth.checked_sub(1) {
            self.depth = depth;
            self.last = self.around.get(depth).copied().flatten();
        }
        last
    }

    /// The way to what is open now, and on to `field` of it; all names are ours.
    pub(super) fn path(&self, field: Option<&'static str>) -> Cow<'static, str> {
        let mut path = Cow::Borrowed("");
        let around = self.around.iter().take(self.depth).flatten();
        for level in around.chain(&self.last) {
            match level {
                Level::Object { field, .. } => step(&mut path, field.map(|field| field.name)),
                Level::Array { count, .. } => {
                    let path = path.to_mut();
                    path.push('[');
                    path.push_str(&count.saturating_sub(1).to_string());
                    path.push(']');
                }
            }
        }
        step(&mut path, field);
        path
    }
}

fn step(path: &mut Cow<'static, str>, name: Option<&'static str>) {
    match name {
        Some(name) if path.is_empty() => *path = Cow::Borrowed(name),
        Some(name) => {
            path.to_mut().push('.');
            path.to_mut().push_str(name);
        }
        None => {}
    }
}

//! Whether a document has the shape of its schema: known keys, the right kinds, known words.
//!
//! Decides which keys and values are refused before serde sees them, all of them and not just the
//! first, each at its line and with what would be right. Unlike serde it does not repeat the
//! value at fault where that could be a secret. It does not read quantities, names or addresses:
//! those are the compiler's.

use serde_json::Value as Json;
use serde_yaml::{Mapping, Number, Value};

use super::fault::{Fault, quoted};
use super::locate::Places;
use super::near::nearest;
use super::path::KeyPath;
use super::wanted::{Kind, Wanted};

/// What a look at the shape found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// All faults, in the order of the document.
    pub faults: Vec<Fault>,
    /// A value is missing or of the wrong kind, so that the document can't be read further.
    pub broken: bool,
}

/// Checks a document, and takes out of it the keys that are refused.
pub(super) fn check(schema: &Json, places: &Places, document: &mut Value) -> Findings {
    let mut checker = Checker {
        root: schema,
        places,
        found: Findings::default(),
    };
    if document.is_null() {
        *document = Value::Mapping(Mapping::new());
    }
    checker.value(schema, document, &KeyPath::default());
    checker.found
}

struct Checker<'s> {
    root: &'s Json,
    places: &'s Places,
    found: Findings,
}

impl<'s> Checker<'s> {
    fn value(&mut self, schema: &'s Json, value: &mut Value, at: &KeyPath) {
        let wanted = Wanted::read(self.root, schema);
        match value {
            Value::Null if wanted.takes(Kind::Null) => {}
            Value::Null => self.refuse(at, "is empty", &wanted),
            Value::Bool(_) if wanted.takes(Kind::Boolean) => {}
            Value::Bool(_) => self.refuse(at, "is true or false", &wanted),
            Value::Number(number) if wanted.takes(Kind::Integer) => {
                self.number(number, &wanted, at);
            }
            Value::Number(_) => self.refuse(at, "is a number", &wanted),
            Value::String(text) if wanted.takes(Kind::Text) => self.text(text, &wanted, at),
            Value::String(_) => self.refuse(at, "is a text", &wanted),
            Value::Sequence(items) => match wanted.items {
                Some(schema) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.value(schema, item, &at.index(index));
                    }
                }
                None => self.refuse(at, "is a list", &wanted),
            },
            Value::Mapping(block) if wanted.block.is_some() => self.block(block, &wanted, at),
            Value::Mapping(_) => self.refuse(at, "is a block of keys and values", &wanted),
            Value::Tagged(_) => self.refuse(at, "bears a YAML tag", &wanted),
        }
    }

    fn refuse(&mut self, at: &KeyPath, problem: impl Into<String>, wanted: &Wanted<'_>) {
        let remedy = format!("write {}", wanted.describe());
        self.found
            .faults
            .push(self.places.fault(at, problem, remedy));
        self.found.broken = true;
    }

    fn number(&mut self, number: &Number, wanted: &Wanted<'_>, at: &KeyPath) {
        match number.as_u64() {
            Some(whole) if wanted.admits(whole) => {}
            Some(_) | None => self.refuse(at, "is not such a number", wanted),
        }
    }

    fn text(&mut self, text: &str, wanted: &Wanted<'_>, at: &KeyPath) {
        if !wanted.words.is_empty() && !wanted.words.contains(&text) {
            let problem = format!("{} is not known here", quoted(text));
            match nearest(text, wanted.words.iter().copied()) {
                Some(word) => {
                    let remedy = format!(
                        "write one of {} (did you mean `{word}`?)",
                        wanted.words.join(", ")
                    );
                    self.found
                        .faults
                        .push(self.places.fault(at, problem, remedy));
                    self.found.broken = true;
                }
                None => self.refuse(at, problem, wanted),
            }
        } else if !wanted.secret && text.contains("${") {
            self.found.faults.push(self.places.fault(
                at,
                "holds `${`, and environment variables are taken only where a secret stands",
                "write the value itself",
            ));
        }
    }

    fn block(&mut self, block: &mut Mapping, wanted: &Wanted<'s>, at: &KeyPath) {
        let mut kept = Mapping::new();
        for (key, mut value) in std::mem::take(block) {
            let Value::String(name) = key else {
                self.refuse(at, "has a key that is not a text", wanted);
                continue;
            };
            let inner = at.key(&name);
            let Some(schema) = wanted.property(&name) else {
                self.unknown(&inner, &name, wanted);
                continue;
            };
            // A heading with everything below it commented out is as good as not there.
            if value.is_null() && self.is_optional_section(schema, wanted, &name) {
                continue;
            }
            self.value(schema, &mut value, &inner);
            kept.insert(Value::String(name), value);
        }
        for key in wanted.required().filter(|key| !kept.contains_key(*key)) {
            let remedy = match wanted.property(key) {
                Some(schema) => format!(
                    "add `{key}:` with {}",
                    Wanted::read(self.root, schema).describe()
                ),
                None => format!("add `{key}:`"),
            };
            self.found
                .faults
                .push(self.places.fault(&at.key(key), "is missing", remedy));
            self.found.broken = true;
        }
        *block = kept;
    }

    fn is_optional_section(&self, schema: &'s Json, around: &Wanted<'s>, name: &str) -> bool {
        let wanted = Wanted::read(self.root, schema);
        let section = wanted.block.is_some() || wanted.items.is_some();
        section && !wanted.takes(Kind::Null) && !around.required().any(|key| key == name)
    }

    fn unknown(&mut self, at: &KeyPath, name: &str, wanted: &Wanted<'s>) {
        let known = wanted.keys();
        let remedy = match nearest(name, known.iter().copied()) {
            Some(key) => format!("did you mean `{key}`?"),
            None => format!("remove it; known here are {}", known.join(", ")),
        };
        self.found
            .faults
            .push(self.places.fault(at, "is not a known key", remedy));
    }
}

//! What the JSON Schema wants at one place, as a flat value.
//!
//! Decides nothing about a document: it reads `$ref`, `anyOf`, `oneOf`, `type`, `enum` and `const`
//! as schemars writes them into one [`Wanted`], and describes it in words. Other keywords of JSON
//! Schema are not understood, because schemars does not write them for our types.

use serde_json::Value as Json;

use super::raw;

/// How often a reference leads to a reference; our types need two.
const MAX_REFERENCES: usize = 8;

/// What may stand at one place.
#[derive(Debug, Default)]
pub(super) struct Wanted<'s> {
    /// Which plain values may.
    kinds: Vec<Kind>,
    /// The only texts that may, if there are any here.
    pub words: Vec<&'s str>,
    /// A list may; its items' schema.
    pub items: Option<&'s Json>,
    /// A block of keys may; its schema.
    pub block: Option<&'s Json>,
    /// Least number.
    pub minimum: Option<u64>,
    /// Greatest number.
    pub maximum: Option<u64>,
    /// The text may be a secret.
    pub secret: bool,
}

/// A kind of plain value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `null`.
    Null,
    /// `true` and `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A text.
    Text,
}

impl<'s> Wanted<'s> {
    /// Reads a schema, whose references lead into `root`.
    pub(super) fn read(root: &'s Json, schema: &'s Json) -> Self {
        let mut wanted = Self::default();
        wanted.merge(root, schema, MAX_REFERENCES);
        wanted
    }

    fn merge(&mut self, root: &'s Json, schema: &'s Json, fuel: usize) {
        let Some(fuel) = fuel.checked_sub(1) else {
            return;
        };
        let target = schema.get("$ref").and_then(Json::as_str);
        let target = target.and_then(|path| root.pointer(path.trim_start_matches('#')));
        let choices = ["anyOf", "oneOf"]
            .into_iter()
            .filter_map(|name| schema.get(name).and_then(Json::as_array))
            .flatten();
        for part in target.into_iter().chain(choices) {
            self.merge(root, part, fuel);
        }
        match schema.get("type") {
            Some(Json::String(kind)) => self.kind(kind, schema),
            Some(Json::Array(kinds)) => {
                for kind in kinds.iter().filter_map(Json::as_str) {
                    self.kind(kind, schema);
                }
            }
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) | None => {}
        }
        let listed = schema
            .get("enum")
            .and_then(Json::as_array)
            .into_iter()
            .flatten();
        self.words
            .extend(listed.chain(schema.get("const")).filter_map(Json::as_str));
    }

    fn kind(&mut self, kind: &str, schema: &'s Json) {
        match kind {
            "null" => self.kinds.push(Kind::Null),
            "boolean" => self.kinds.push(Kind::Boolean),
            "integer" => {
                self.kinds.push(Kind::Integer);
                self.minimum = schema.get("minimum").and_then(Json::as_u64);
                self.maximum = schema.get("maximum").and_then(Json::as_u64);
            }
            "string" => {
                self.kinds.push(Kind::Text);
                self.secret |= schema.get(raw::SECRET_MARK).is_some();
            }
            "array" => self.items = schema.get("items"),
            "object" => self.block = Some(schema),
            _ => {}
        }
    }

    /// Whether a plain value of this kind may stand here.
    pub(super) fn takes(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether a number is within its bounds.
    pub(super) fn admits(&self, number: u64) -> bool {
        self.minimum.is_none_or(|least| least <= number)
            && self.maximum.is_none_or(|most| number <= most)
    }

    /// The schema of a key of this block.
    pub(super) fn property(&self, key: &str) -> Option<&'s Json> {
        let block = self.block?;
        let own = block.get("properties").and_then(|all| all.get(key));
        own.or_else(|| block.get("additionalProperties").filter(|s| s.is_object()))
    }

    /// The keys of this block.
    pub(super) fn keys(&self) -> Vec<&'s str> {
        let properties = self.block.and_then(|block| block.get("properties"));
        let properties = properties.and_then(Json::as_object).into_iter().flatten();
        properties.map(|(key, _)| key.as_str()).collect()
    }

    /// The keys that this block can't do without.
    pub(super) fn required(&self) -> impl Iterator<Item = &'s str> {
        let required = self.block.and_then(|block| block.get("required"));
        let required = required.and_then(Json::as_array).into_iter().flatten();
        required.filter_map(Json::as_str)
    }

    /// What to write, in words.
    pub(super) fn describe(&self) -> String {
        let mut kinds: Vec<String> = Vec::new();
        if !self.words.is_empty() {
            kinds.push(format!("one of {}", self.words.join(", ")));
        } else if self.takes(Kind::Text) {
            kinds.push("a text (in quotes, if it looks like a number)".to_owned());
        }
        if self.takes(Kind::Integer) {
            kinds.push(match (self.minimum.unwrap_or(0), self.maximum) {
                (least, Some(most)) => format!("a whole number from {least} to {most}"),
                (least, None) => format!("a whole number from {least}"),
            });
        }
        if self.takes(Kind::Boolean) {
            kinds.push("true or false".to_owned());
        }
        if self.items.is_some() {
            kinds.push("a list: [a, b]".to_owned());
        }
        if self.block.is_some() {
            kinds.push(match self.keys().as_slice() {
                [] => "a block of keys and values".to_owned(),
                keys => format!("a block with the keys {}", keys.join(", ")),
            });
        }
        if self.takes(Kind::Null) {
            kinds.push("null".to_owned());
        }
        kinds.join(", or ")
    }
}

//! From a text to typed values: YAML, shape, serde, in this order.
//!
//! Decides that a text is one well-shaped document of a given type, and collects everything that
//! speaks against it. What the values mean is the compiler's.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::fault::Fault;
use super::locate::Places;
use super::path::KeyPath;
use super::shape;

/// A document that could be read, and what is wrong with it all the same.
#[derive(Debug)]
pub(super) struct Document<T> {
    /// The values, without the keys that were refused.
    pub raw: T,
    /// Where everything stands.
    pub places: Places,
    /// Unknown keys, and keys that are not built yet.
    pub faults: Vec<Fault>,
}

/// Reads a text as a `T`.
///
/// # Errors
/// Not YAML, or values missing or of the wrong kind; all faults that were found on the way.
pub(super) fn read<T: DeserializeOwned + JsonSchema>(
    file: &str,
    text: &str,
) -> Result<Document<T>, Vec<Fault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let places = Places::read(file, text)?;
    let mut value = parse(text).map_err(|error| vec![syntax(&places, &error)])?;
    let schema = schemars::schema_for!(T).to_value();
    let found = shape::check(&schema, &places, &mut value);
    if found.broken {
        return Err(found.faults);
    }
    match serde_path_to_error::deserialize(value) {
        Ok(raw) => Ok(Document {
            raw,
            places,
            faults: found.faults,
        }),
        Err(error) => {
            // serde's own words may repeat the value, which may be a secret.
            let at = error.path().iter().fold(KeyPath::default(), step);
            let fault = places.fault(
                &at,
                "can't be read as this setting",
                "see `portcullis schema` for what stands here",
            );
            Err(found.faults.into_iter().chain([fault]).collect())
        }
    }
}

fn step(path: KeyPath, segment: &serde_path_to_error::Segment) -> KeyPath {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => path.index(*index),
        Segment::Map { key } => path.key(key),
        Segment::Enum { variant } => path.key(variant),
        Segment::Unknown => path,
    }
}

fn parse(text: &str) -> Result<Value, serde_yaml::Error> {
    let mut value: Value = serde_yaml::from_str(text)?;
    value.apply_merge()?;
    Ok(value)
}

/// A fault that only the second reader of the text found.
fn syntax(places: &Places, error: &serde_yaml::Error) -> Fault {
    let line = error.location().map(|location| location.line());
    let place = line.map_or_else(String::new, |line| format!(" near line {line}"));
    places.fault(
        &KeyPath::default(),
        format!("is not YAML that can be read{place}"),
        "check indentation, quotes, brackets and merge keys (`<<`)",
    )
}

//! Texts that stand for something else: durations, sizes, rates, secrets.
//!
//! Decides how they look in the file and in the JSON Schema. Reading the quantity is the
//! compiler's, as is the following of `${NAME}` and `file:PATH`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::policy::secret::Secret;

/// The mark of a schema whose text may hold `${NAME}` and `file:PATH`.
pub(in crate::config) const SECRET_MARK: &str = "x-secret";

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $title:literal, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub(in crate::config) struct $name(String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                input.deserialize_any(QuantityVisitor).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

macro_rules! readable {
    ($name:ident) => {
        impl $name {
            /// Takes the text over as it was written.
            pub(in crate::config) fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as it was written.
            pub(in crate::config) fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

quantity!(
    /// A duration such as `30s`.
    SpanText,
    "Duration",
    {
        "description": "A duration: a whole number and one of ms, s, m, h, d.",
        "type": "string",
        "pattern": "^[0-9]+ ?(ms|s|m|h|d)$"
    }
);
quantity!(
    /// A size such as `10MiB`.
    SizeText,
    "Size",
    {
        "description": "A size: a whole number of bytes, or one with B, KiB, MiB, GiB, kB, MB, GB.",
        "type": ["string", "integer"],
        "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|KB|kB|MB|GB)?$",
        "minimum": 1
    }
);
quantity!(
    /// A rate such as `60/minute`.
    RateText,
    "Rate",
    {
        "description": "A rate: a whole number in a second, minute, hour or day.",
        "type": "string",
        "pattern": "^[0-9]+ ?/ ?(second|minute|hour|day)$"
    }
);

readable!(SpanText);
readable!(SizeText);
readable!(RateText);

/// Takes texts, and whole numbers as their digits.
struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

/// A secret as it was written: the text itself, or a reference to it.
///
/// Neither `Debug` nor `Serialize` (which the schema's defaults need) shows anything of it, because
/// the text may be the secret.
#[derive(Clone)]
pub(in crate::config) struct SecretText(Secret);

impl SecretText {
    /// What was written. Every call is a place where a secret may leave its type.
    pub(in crate::config) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(***)")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input).map(|text| Self(Secret::new(text)))
    }
}

impl JsonSchema for SecretText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", (SECRET_MARK): true })
    }
}

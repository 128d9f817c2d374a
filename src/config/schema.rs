//! The JSON Schema of the configuration file, for editors and other tools.
//!
//! Decides nothing: the raw types are the schema, and the shape that is checked at load.

use super::raw::RawConfig;

/// The schema, as indented JSON.
pub fn text() -> String {
    let schema = schemars::schema_for!(RawConfig).to_value();
    format!("{schema:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_every_block_and_refuses_unknown_keys() {
        let schema: serde_json::Value = serde_json::from_str(&text()).unwrap();
        for block in [
            "server",
            "auth",
            "rate_limits",
            "size_limits",
            "inspection",
            "security_headers",
            "cors",
            "providers",
            "routes",
            "logging",
            "alerts",
            "selftest",
            "telemetry",
            "settings",
        ] {
            let described = &schema["properties"][block]["description"];
            assert!(described.is_string(), "{block} needs a description");
        }
        let definitions = schema["$defs"].as_object().unwrap();
        for (name, definition) in definitions {
            if definition["type"] == "object" {
                assert_eq!(
                    definition["additionalProperties"], false,
                    "{name} must refuse unknown keys"
                );
            }
        }
    }
}

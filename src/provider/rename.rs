//! The model's name in a request, in the words of the provider that it goes to.
//!
//! Decides which bytes of a JSON body are the value of its top-level `model`, and replaces them;
//! all others stay as they are. The body has been read and judged before, so it is JSON with one
//! `model` at most; of anything else this makes nothing.

use super::top;

/// The body with another model.
pub fn model(body: &[u8], name: &str) -> Option<Vec<u8>> {
    let place = top::value_of(body, "model")?;
    if body.get(place.start) != Some(&b'"') {
        return None;
    }
    top::replaced(body, place, &serde_json::to_vec(name).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_top_level_model_is_renamed() {
        for (body, expected) in [
            (r#"{"model":"a"}"#, r#"{"model":"b\"c"}"#),
            (
                r#"{ "x": {"model": "a"}, "model" : "a" , "y": ["model", "a"]}"#,
                r#"{ "x": {"model": "a"}, "model" : "b\"c" , "y": ["model", "a"]}"#,
            ),
            (
                r#"{"messages":[{"content":"\"model\": \"a\"}{"}],"model":"a"}"#,
                r#"{"messages":[{"content":"\"model\": \"a\"}{"}],"model":"b\"c"}"#,
            ),
            (
                r#"{"name":"model","model":"a\"}"}"#,
                r#"{"name":"model","model":"b\"c"}"#,
            ),
            (r#"{"\u006dodel":"a"}"#, r#"{"\u006dodel":"b\"c"}"#),
        ] {
            let renamed = model(body.as_bytes(), "b\"c").unwrap();
            assert_eq!(String::from_utf8(renamed).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn a_body_without_a_model_stays() {
        for body in [
            "",
            "{}",
            "[\"model\",\"a\"]",
            r#"{"model":1}"#,
            r#"{"model"#,
            r#"{"model":"a"#,
        ] {
            assert_eq!(model(body.as_bytes(), "b"), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_changes(before in "[a-z\"\\\\{}:,]{0,20}", old in "[a-z\"\\\\]{0,8}") {
            let body = serde_json::json!({"a": before, "model": old, "z": [before]}).to_string();
            let renamed = model(body.as_bytes(), "new").unwrap();
            let value: serde_json::Value = serde_json::from_slice(&renamed).unwrap();
            prop_assert_eq!(value, serde_json::json!({"a": before, "model": "new", "z": [before]}));
        }

        #[test]
        fn nothing_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = model(&body, "x");
        }
    }
}

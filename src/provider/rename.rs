//! The model's name in a request, in the words of the provider that it goes to.
//!
//! Decides which bytes of a JSON body are the value of its top-level `model`, and replaces them;
//! all others stay as they are. The body has been read and judged before, so it is JSON with one
//! `model` at most; of anything else this makes nothing.

use std::ops::Range;

/// The body with another model.
pub fn model(body: &[u8], name: &str) -> Option<Vec<u8>> {
    let place = value_of_model(body)?;
    let quoted = serde_json::to_vec(name).ok()?;
    let room = body.len().saturating_add(quoted.len());
    let mut out = Vec::with_capacity(room);
    out.extend_from_slice(body.get(..place.start)?);
    out.extend_from_slice(&quoted);
    out.extend_from_slice(body.get(place.end..)?);
    Some(out)
}

/// Where the text stands that is the value of the top-level `model`, its quotes included.
fn value_of_model(body: &[u8]) -> Option<Range<usize>> {
    let (mut depth, mut at) = (0_usize, 0_usize);
    let mut key: Option<Range<usize>> = None;
    let mut after_colon = false;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => {
                let end = end_of_text(body, at)?;
                let is_model = || key.clone().is_some_and(|key| says_model(body, key));
                if depth == 1 && after_colon && is_model() {
                    return Some(at..end);
                }
                if depth == 1 && !after_colon {
                    key = Some(at..end);
                }
                at = end;
                continue;
            }
            b'{' | b'[' => depth = depth.checked_add(1)?,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b':' if depth == 1 => after_colon = true,
            b',' if depth == 1 => after_colon = false,
            _ => {}
        }
        at = at.checked_add(1)?;
    }
    None
}

/// Whether a key is `model`, however it is escaped.
fn says_model(body: &[u8], key: Range<usize>) -> bool {
    let text = body.get(key).unwrap_or_default();
    text == b"\"model\"" || serde_json::from_slice::<String>(text).is_ok_and(|key| key == "model")
}

/// Where the text that begins here ends, its closing quote included.
fn end_of_text(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start.checked_add(1)?;
    loop {
        let step = match body.get(at)? {
            b'"' => return at.checked_add(1),
            b'\\' => 2,
            _ => 1,
        };
        at = at.checked_add(step)?;
    }
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

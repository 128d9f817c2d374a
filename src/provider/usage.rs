//! Has an `OpenAI`-like provider say at the end of a stream what was used.
//!
//! Decides what a chat's or completion's body must hold for that: `stream_options` with
//! `include_usage`. The chunk that says it is taken out again on the way back
//! (`inspect::answer`), as the client did not ask for it. Whoever asked gets an unchanged body.

use serde_json::{Map, Value};

use super::top;

const OPTIONS: &str = "stream_options";
const INCLUDE: &str = "include_usage";

/// The body of a streamed request with the question in it; none: it is there already, or this is
/// no such body.
pub fn asked(body: &[u8]) -> Option<Vec<u8>> {
    if let Some(place) = top::value_of(body, OPTIONS) {
        let written = body.get(place.clone())?;
        let mut options = match serde_json::from_slice(written).ok()? {
            Value::Object(options) => options,
            Value::Null => Map::new(),
            // The provider will say what is wrong with it.
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return None,
        };
        if options.get(INCLUDE) == Some(&Value::Bool(true)) {
            return None;
        }
        options.insert(INCLUDE.to_owned(), Value::Bool(true));
        return top::replaced(body, place, &serde_json::to_vec(&options).ok()?);
    }
    // Behind the value of `stream`, which is there: so a comma fits.
    let stream = top::value_of(body, "stream")?;
    let question = br#","stream_options":{"include_usage":true}"#;
    top::replaced(body, stream.end..stream.end, question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_put_in_where_it_is_not_there() {
        for (body, expected) in [
            (
                r#"{"stream":true}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
            ),
            (
                r#"{"a": [1, {"stream": 1}], "stream" : true , "b": "}"}"#,
                Some(
                    r#"{"a": [1, {"stream": 1}], "stream" : true,"stream_options":{"include_usage":true} , "b": "}"}"#,
                ),
            ),
            (
                r#"{"stream_options":{"x":1},"stream":true}"#,
                Some(r#"{"stream_options":{"include_usage":true,"x":1},"stream":true}"#),
            ),
            (
                r#"{"stream_options": null, "stream":true}"#,
                Some(r#"{"stream_options": {"include_usage":true}, "stream":true}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":false}}"#,
                Some(r#"{"stream":true,"stream_options":{"include_usage":true}}"#),
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
                None,
            ),
            (r#"{"stream":true,"stream_options":"rubbish"}"#, None),
            ("{}", None),
            ("", None),
        ] {
            let found = asked(body.as_bytes()).map(|body| String::from_utf8(body).unwrap());
            assert_eq!(found.as_deref(), expected, "{body}");
        }
    }
}

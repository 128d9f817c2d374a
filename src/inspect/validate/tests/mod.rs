//! What passes, what is blamed and in which words, and that neither cuts nor order matter.

use std::fs;

use super::cross_check::judge;
use super::{Shape, cross_check};
use crate::inspect::fault::FieldFault;

mod faults;
mod messages;
mod properties;

/// Judges a body whole and in pieces of several sizes, which must not matter.
fn verdict(shape: Shape, body: &str) -> Result<(), FieldFault> {
    assert_eq!(
        cross_check(body.as_bytes()),
        Ok(()),
        "{body} reads the same at any cut"
    );
    judge(shape, body.as_bytes(), body.len())
}

/// The bodies that SDKs send, by name; the first word of a name is its shape.
fn bodies() -> Vec<(String, Shape, String)> {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/validate");
    let mut bodies = Vec::new();
    for entry in fs::read_dir(seeds).expect("the seeds are in the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let shape = match name.split('_').next() {
            Some("chat") => Shape::Chat,
            Some("completions") => Shape::Completions,
            Some("responses") => Shape::Responses,
            Some("embeddings") => Shape::Embeddings,
            Some("messages") => Shape::Messages,
            _ => Shape::Other,
        };
        let body = fs::read_to_string(&path).expect("a readable seed");
        bodies.push((name.into_owned(), shape, body));
    }
    assert!(bodies.len() >= 30, "the seeds were found");
    bodies
}

#[test]
fn what_sdks_send_passes() {
    for (name, shape, body) in bodies() {
        assert_eq!(verdict(shape, &body), Ok(()), "{name}");
    }
}

#[test]
fn a_checker_is_small_and_may_cross_threads() {
    const fn crosses<T: Send + Sync>() {}
    crosses::<super::Checker>();
    crosses::<FieldFault>();
    let size = size_of::<super::Checker>();
    assert!(size < 512, "{size} bytes, and nothing on the heap");
}

#[test]
fn hundreds_of_levels_below_a_field_are_passed_over() {
    let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
    for field in ["x", "metadata", "logit_bias"] {
        let value = if field == "x" {
            deep.clone()
        } else {
            format!("{{\"a\":{deep}}}")
        };
        let body = format!(
            r#"{{"{field}":{value},"model":"m","messages":[{{"role":"user","content":"x","x":{deep}}}],"n":1}}"#
        );
        assert_eq!(
            judge(Shape::Chat, body.as_bytes(), 5),
            Ok(()),
            "what is below {field} is not looked into"
        );
        let wrong = body.replace("\"n\":1", "\"n\":0");
        let fault = judge(Shape::Chat, wrong.as_bytes(), 5).expect_err("no choices");
        assert_eq!(fault.param, "n", "what follows is looked at again");
    }
}

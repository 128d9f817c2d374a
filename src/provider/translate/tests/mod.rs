//! What is said in the other API's words: requests, answers, streams, faults.

mod answers;
mod requests;
mod streams;

use serde_json::{Value, json};

use super::*;
use Direction::{ChatToMessages, MessagesToChat};

/// A request in the provider's words.
fn said(direction: Direction, body: &Value) -> Result<Value, FieldFault> {
    let (said, _) = request(direction, body.to_string().as_bytes(), "their-model")?;
    Ok(serde_json::from_slice(&said).unwrap())
}

fn wanted(direction: Direction) -> Wanted {
    Wanted {
        direction,
        usage: false,
    }
}

/// An answer in the client's words, from pieces of the provider's.
fn told(mut translator: Translator, pieces: &[&[u8]]) -> Result<Vec<u8>, Untold> {
    let mut out = Vec::new();
    for piece in pieces {
        translator.push(piece, &mut out)?;
    }
    translator.finish(&mut out)?;
    Ok(out)
}

#[test]
fn each_pair_of_path_and_provider_has_one_way() {
    for (api, endpoint, way) in [
        (Api::OpenAi, Endpoint::ChatCompletions, Way::Same),
        (Api::Anthropic, Endpoint::Messages, Way::Same),
        (
            Api::Anthropic,
            Endpoint::ChatCompletions,
            Way::Translated(ChatToMessages),
        ),
        (
            Api::OpenAi,
            Endpoint::Messages,
            Way::Translated(MessagesToChat),
        ),
        (Api::Anthropic, Endpoint::Embeddings, Way::Nowhere),
        (Api::Anthropic, Endpoint::Responses, Way::Nowhere),
        (Api::Anthropic, Endpoint::Files, Way::Same),
        (Api::Echo, Endpoint::Messages, Way::Same),
        (Api::Echo, Endpoint::ChatCompletions, Way::Same),
    ] {
        assert_eq!(Way::of(api, endpoint), way, "{api:?} {endpoint:?}");
    }
}

#[test]
fn a_body_that_is_no_object_is_a_fault() {
    for body in [json!([]), json!("x"), json!(null)] {
        for direction in [ChatToMessages, MessagesToChat] {
            let fault = said(direction, &body).unwrap_err();
            assert_eq!(fault.problem, Problem::NotAnObject, "{body}");
        }
    }
}

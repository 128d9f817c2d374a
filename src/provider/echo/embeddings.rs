//! OpenAI's embeddings and moderations, as the embedded provider answers them.
//!
//! Decides a vector per input: the same for the same text, of length one, and of no meaning. It
//! never flags anything in a moderation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Answer;
use super::call::{Call, Fault, digest, prompts, text_of, words};

/// Numbers in a vector.
const DIMENSIONS: u8 = 16;

/// Most inputs of one call: OpenAI's own limit.
const MAX_INPUTS: usize = 2048;

/// Categories of OpenAI's moderation.
const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

/// `/v1/embeddings`.
pub(super) fn embeddings(call: &Call) -> Result<Answer, Fault> {
    let model = call.model()?;
    let inputs = bounded(call.field("input").and_then(prompts))?;
    if let Some(dimensions) = call.field("dimensions")
        && dimensions.as_u64() != Some(u64::from(DIMENSIONS))
    {
        let only = format!("{DIMENSIONS}: this model makes no others");
        return Err(Fault::field("dimensions", &only));
    }
    let encode = match call.field("encoding_format").map(Value::as_str) {
        None | Some(Some("float")) => as_numbers,
        Some(Some("base64")) => as_base64,
        Some(_) => return Err(Fault::field("encoding_format", "float or base64")),
    };
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            json!({"object": "embedding", "index": index, "embedding": encode(&vector(input))})
        })
        .collect();
    let asked: usize = inputs.iter().map(|input| words(input)).sum();
    Ok(Answer::plain(
        200,
        &json!({
            "object": "list",
            "data": data,
            "model": model,
            "usage": {"prompt_tokens": asked, "total_tokens": asked},
        }),
    ))
}

/// `/v1/moderations`.
pub(super) fn moderations(call: &Call) -> Result<Answer, Fault> {
    let model = call
        .field("model")
        .map_or(Ok("omni-moderation-latest"), |_| call.model())?;
    let parts = call
        .field("input")
        .and_then(Value::as_array)
        .is_some_and(|parts| parts.first().is_some_and(Value::is_object));
    // A list of parts is one input; a list of texts is as many.
    let inputs = if parts {
        vec![text_of(call.field("input"))]
    } else {
        bounded(call.field("input").and_then(prompts))?
    };
    let result = json!({
        "flagged": false,
        "categories": BTreeMap::from(CATEGORIES.map(|category| (category, false))),
        "category_scores": BTreeMap::from(CATEGORIES.map(|category| (category, 0.0))),
        "category_applied_input_types":
            BTreeMap::from(CATEGORIES.map(|category| (category, ["text"]))),
    });
    Ok(Answer::plain(
        200,
        &json!({
            "id": format!("modr-{}", call.id),
            "model": model,
            "results": vec![result; inputs.len()],
        }),
    ))
}

fn bounded(inputs: Option<Vec<String>>) -> Result<Vec<String>, Fault> {
    inputs
        .filter(|inputs| inputs.len() <= MAX_INPUTS)
        .ok_or_else(|| {
            let wanted = format!("a text, tokens, or a list of at most {MAX_INPUTS} of either");
            Fault::field("input", &wanted)
        })
}

fn vector(input: &str) -> Vec<f32> {
    let raw: Vec<f32> = (0..DIMENSIONS)
        .map(|dimension| {
            let [high, low, ..] = digest(u64::from(dimension), input.as_bytes()).to_be_bytes();
            // Halves, so that no number is zero and the length never is.
            f32::from(u16::from_be_bytes([high, low])) - 32767.5
        })
        .collect();
    let length = raw.iter().map(|number| number * number).sum::<f32>().sqrt();
    raw.iter().map(|number| number / length).collect()
}

fn as_numbers(vector: &[f32]) -> Value {
    vector.iter().copied().map(Value::from).collect()
}

/// Little-endian numbers in base64, which OpenAI's SDKs ask for unless told otherwise.
fn as_base64(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    Value::from(base64(&bytes))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, place| {
            (bits << 8) | usize::from(group.get(place).copied().unwrap_or(0))
        });
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = ALPHABET.get((bits >> shift) & 63).copied();
            // A group of k bytes fills k + 1 letters.
            let filled = place <= group.len();
            text.push(letter.filter(|_| filled).map_or('=', char::from));
        }
    }
    text
}

//! JSON text, and events of our own that carry on a text.
//!
//! Decides nothing: the events have the shapes that the providers document.

use super::Shape;
use super::texts::Text;
use super::walk::What;
use super::words::Word;
use crate::each_byte::each_byte;

/// Whether a byte can't stand in a JSON string as it is.
pub(super) fn is_escaped(byte: u8) -> bool {
    const ESCAPED: [bool; 256] = each_byte!(byte => byte < b' ' || byte == b'"' || byte == b'\\');
    ESCAPED.get(usize::from(byte)).copied().unwrap_or(false)
}

/// Appends the inside of a JSON string.
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| is_escaped(*byte)) {
        let (plain, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else {
            return;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = vec![b'"'];
    escape(text, &mut out);
    out.push(b'"');
    String::from_utf8(out).unwrap_or_default()
}

/// What the events of a chat stream have in common, from the raw texts of their parts.
pub(super) fn envelope(id: &[u8], created: &[u8], model: &[u8]) -> Box<[u8]> {
    [
        br#""id":"#.as_slice(),
        id,
        br#","created":"#,
        created,
        br#","model":"#,
        model,
    ]
    .concat()
    .into()
}

/// A member of a delta with more of a text.
pub(super) fn member(text: &Text, spoken: &str, more: bool, out: &mut Vec<u8>) {
    let comma = if more { "," } else { "" };
    let member = format!("\"{}\":{}{comma}", name(text.key.what), quoted(spoken));
    out.extend_from_slice(member.as_bytes());
}

/// An event with more of a text.
pub(super) fn event(
    shape: Shape,
    envelope: &[u8],
    text: &Text,
    (spoken, number): (&str, u64),
    out: &mut Vec<u8>,
) {
    let spoken = quoted(spoken);
    let (choice, part) = (text.key.choice, text.key.part);
    let (name_of_event, data) = match shape {
        Shape::Messages => (
            Some("content_block_delta"),
            format!(
                r#"{{"type":"content_block_delta","index":{part},"delta":{{"type":"{}","{}":{spoken}}}}}"#,
                block_type(text.key.what),
                name(text.key.what),
            ),
        ),
        Shape::Responses | Shape::Other if text.key.what == What::Piece => {
            let part_name = if text.kind.contains("summary") {
                "summary_index"
            } else {
                "content_index"
            };
            (
                Some(&*text.kind),
                format!(
                    r#"{{"type":"{}","item_id":{},"output_index":{choice},"{part_name}":{part},"delta":{spoken},"sequence_number":{number}}}"#,
                    text.kind,
                    quoted(&text.item),
                ),
            )
        }
        Shape::Chat | Shape::Responses | Shape::Other => (None, chat(envelope, text, &spoken)),
    };
    if let Some(name) = name_of_event {
        out.extend_from_slice(format!("event: {name}\n").as_bytes());
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(data.as_bytes());
    out.extend_from_slice(b"\n\n");
}

fn chat(envelope: &[u8], text: &Text, spoken: &str) -> String {
    let (choice, part) = (text.key.choice, text.key.part);
    let envelope = String::from_utf8_lossy(envelope);
    let comma = if envelope.is_empty() { "" } else { "," };
    let (object, inner) = match text.key.what {
        What::Said(Word::Text) => (
            "text_completion",
            format!(r#""text":{spoken},"logprobs":null"#),
        ),
        What::Call => (
            "chat.completion.chunk",
            format!(
                r#""delta":{{"tool_calls":[{{"index":{part},"function":{{"arguments":{spoken}}}}}]}}"#
            ),
        ),
        What::OldCall => (
            "chat.completion.chunk",
            format!(r#""delta":{{"function_call":{{"arguments":{spoken}}}}}"#),
        ),
        what @ (What::Said(_)
        | What::Piece
        | What::Block(_)
        | What::Whole(_)
        | What::Arguments
        | What::Finish
        | What::Status
        | What::Data) => (
            "chat.completion.chunk",
            format!(r#""delta":{{"{}":{spoken}}}"#, name(what)),
        ),
    };
    format!(
        r#"{{{envelope}{comma}"object":"{object}","choices":[{{"index":{choice},{inner},"finish_reason":null}}]}}"#
    )
}

/// The members that carry pieces of text, where the member is not `text`.
const MEMBERS: [(Word, &str); 6] = [
    (Word::Content, "content"),
    (Word::Reasoning, "reasoning"),
    (Word::ReasoningContent, "reasoning_content"),
    (Word::Refusal, "refusal"),
    (Word::Thinking, "thinking"),
    (Word::PartialJson, "partial_json"),
];

fn name(what: What) -> &'static str {
    match what {
        What::Said(word) | What::Block(word) => MEMBERS
            .iter()
            .find(|(known, _)| *known == word)
            .map_or("text", |(_, name)| name),
        What::Call | What::OldCall | What::Arguments => "arguments",
        What::Piece | What::Whole(_) | What::Finish | What::Status | What::Data => "delta",
    }
}

const fn block_type(what: What) -> &'static str {
    match what {
        What::Block(Word::Thinking) => "thinking_delta",
        What::Block(Word::PartialJson) => "input_json_delta",
        What::Block(_)
        | What::Said(_)
        | What::Call
        | What::OldCall
        | What::Piece
        | What::Whole(_)
        | What::Arguments
        | What::Finish
        | What::Status
        | What::Data => "text_delta",
    }
}

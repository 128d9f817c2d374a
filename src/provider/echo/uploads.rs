//! Uploads and images, as the embedded provider answers them.
//!
//! Decides answers by the length of a body and the first bytes of it, so that a file of any size
//! need not be kept. Of a form it reads what it can echo (the file's name, its purpose, the prompt)
//! and nothing else; what stands behind those first bytes is not seen. A picture is one grey point,
//! whatever was asked for; speech, which would be sound, is not made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Answer;
use super::call::digest;

/// First bytes of a body that are looked at.
pub const HEAD: usize = 64 * 1024;

/// Longest text of a form that is echoed, in bytes.
const MAX_FIELD: usize = 4 * 1024;

/// A picture of one point, as PNG.
const POINT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 0x0a, 0x49, 0x44, 0x41, 0x54,
    0x78, 0xda, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0xda, 0x45, 8, 0x3b, 0, 0, 0, 0, 0x49, 0x45,
    0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// The beginning of a body, and how long all of it is.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// At most [`HEAD`] bytes.
    pub head: &'a [u8],
    /// Bytes of the whole body.
    pub length: u64,
}

type Endpoint = fn(&Upload<'_>, &str, u64) -> Value;

fn endpoint(path: &str) -> Option<Endpoint> {
    match path {
        "/v1/files" => Some(file),
        "/v1/audio/transcriptions" | "/v1/audio/translations" => Some(transcript),
        "/v1/images/generations" | "/v1/images/edits" | "/v1/images/variations" => Some(image),
        _ => None,
    }
}

/// Whether the answer to a path needs no more of a body than its beginning and its length.
pub fn takes(path: &str) -> bool {
    endpoint(path).is_some()
}

/// Answers an upload; none where [`takes`] says so.
pub fn answer(path: &str, upload: &Upload<'_>, now: u64) -> Option<Answer> {
    let endpoint = endpoint(path)?;
    let id = format!("{:016x}", digest(now, upload.head));
    Some(Answer::plain(200, &endpoint(upload, &id, now)))
}

fn file(upload: &Upload<'_>, id: &str, now: u64) -> Value {
    json!({
        "id": format!("file-{id}"),
        "object": "file",
        "bytes": upload.length,
        "created_at": now,
        "filename": upload.after(b"filename=\"", b"\"").unwrap_or_else(|| "upload".to_owned()),
        "purpose": upload.field("purpose").unwrap_or_else(|| "user_data".to_owned()),
        "status": "processed",
    })
}

fn transcript(upload: &Upload<'_>, _id: &str, _now: u64) -> Value {
    json!({"text": upload.field("prompt").unwrap_or_default()})
}

fn image(upload: &Upload<'_>, _id: &str, now: u64) -> Value {
    let body: Option<Value> = serde_json::from_slice(upload.head).ok();
    let asked = body.as_ref().and_then(|body| body.get("prompt"));
    let asked = asked.and_then(Value::as_str).map(str::to_owned);
    let prompt = asked.or_else(|| upload.field("prompt")).unwrap_or_default();
    json!({
        "created": now,
        "data": [{"b64_json": STANDARD.encode(POINT), "revised_prompt": prompt}],
    })
}

impl Upload<'_> {
    /// A field of a form.
    fn field(&self, name: &str) -> Option<String> {
        self.after(format!("name=\"{name}\"\r\n\r\n").as_bytes(), b"\r\n")
    }

    /// What stands between two marks.
    fn after(&self, mark: &[u8], end: &[u8]) -> Option<String> {
        let start = memchr::memmem::find(self.head, mark)?.checked_add(mark.len())?;
        let rest = self.head.get(start..)?;
        let value = rest.get(..memchr::memmem::find(rest, end)?)?;
        (value.len() <= MAX_FIELD).then(|| String::from_utf8_lossy(value).into_owned())
    }
}

//! What kind of body was captured.
//!
//! Decides by the content type that the caller names or, without one, by how the body begins, as
//! a capture often has no head. Never reads further than its first line.
//! May miss: a form with a text before its first part; a URL-encoded one with other characters
//! than encoders write.

use crate::inspect::engine::BodyKind;
use crate::inspect::fault::FieldFault;

/// The kind of a captured request.
///
/// # Errors
/// The content type names a multipart form without a boundary that all readers take for the same.
pub(super) fn kind(content_type: Option<&str>, body: &[u8]) -> Result<BodyKind, FieldFault> {
    let Some(named) = content_type else {
        return Ok(looked_at(body));
    };
    let essence = named.split(';').next().unwrap_or_default().trim();
    let suffix = essence.get(essence.len().saturating_sub(5)..);
    let json = essence.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|end| end.eq_ignore_ascii_case("+json"));
    if json {
        return Ok(BodyKind::Json);
    }
    BodyKind::upload(Some(named.as_bytes()))
}

/// The kind of a body by its first line; JSON if it is no form.
fn looked_at(body: &[u8]) -> BodyKind {
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if let Some(boundary) = line.strip_prefix(b"--").filter(|name| !name.is_empty()) {
        let mut named = b"multipart/form-data; boundary=\"".to_vec();
        named.extend_from_slice(boundary);
        named.push(b'"');
        if let Ok(form) = BodyKind::upload(Some(&named)) {
            return form;
        }
    }
    let encoded = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'%' | b'+' | b'-' | b'.' | b'_' | b'*' | b'~' | b'=' | b'&' | b'[' | b']'
            )
    };
    let begins = line.first().is_some_and(u8::is_ascii_alphabetic);
    if begins && line.contains(&b'=') && line.iter().all(encoded) {
        return BodyKind::UrlEncoded;
    }
    BodyKind::Json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_it_is_called_and_else_what_it_looks_like() {
        let form = |boundary: &str| {
            let named = format!("multipart/form-data; boundary={boundary}");
            BodyKind::upload(Some(named.as_bytes())).unwrap()
        };
        for (named, body, want) in [
            (Some("application/json"), "a=b", BodyKind::Json),
            (
                Some("application/vnd.x+json; charset=utf-8"),
                "--x\r\n",
                BodyKind::Json,
            ),
            (
                Some("Application/X-WWW-Form-UrlEncoded"),
                "{}",
                BodyKind::UrlEncoded,
            ),
            (Some("multipart/form-data; boundary=x"), "{}", form("x")),
            (
                Some("text/plain"),
                "{}",
                BodyKind::File(Some("text/plain".into())),
            ),
            (None, "{\"a\": 1}", BodyKind::Json),
            (None, "", BodyKind::Json),
            (None, "--\r\n", BodyKind::Json),
            (
                None,
                "--x y\r\nContent-Disposition: form-data\r\n",
                form("\"x y\""),
            ),
            (
                None,
                "------WebKitFormBoundary7MA4\r\n",
                form("----WebKitFormBoundary7MA4"),
            ),
            (
                None,
                "model=whisper-1&prompt=a%20word\n",
                BodyKind::UrlEncoded,
            ),
            (None, "model = whisper", BodyKind::Json),
        ] {
            assert_eq!(kind(named, body.as_bytes()), Ok(want), "{named:?} {body:?}");
        }
        let fault = kind(Some("multipart/form-data"), b"--x\r\n").unwrap_err();
        assert_eq!(fault.param, "content-type", "no boundary");
    }
}

//! How large a body may be: by path first, by declared media type otherwise.
//!
//! Decides one number for a request. Counting the bytes is the reader's.

use crate::policy::SizeLimits;

/// The kind of a body, by its `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// No content type was given.
    Missing,
    /// `application/json`, in UTF-8.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// Anything else.
    Other,
}

impl Media {
    /// Reads a `Content-Type` value (RFC 9110, 8.3).
    ///
    /// JSON that declares any charset but UTF-8 is `Other`: it would be read otherwise here than
    /// there.
    pub fn of(value: Option<&[u8]>) -> Self {
        let Some(value) = value else {
            return Self::Missing;
        };
        // As nearly everybody writes it.
        if value == b"application/json" {
            return Self::Json;
        }
        let Ok(text) = std::str::from_utf8(value) else {
            return Self::Other;
        };
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        if essence.eq_ignore_ascii_case("application/json") {
            let foreign = parts
                .filter_map(|p| p.split_once('='))
                .any(|(name, charset)| {
                    name.trim().eq_ignore_ascii_case("charset")
                        && !charset
                            .trim()
                            .trim_matches('"')
                            .eq_ignore_ascii_case("utf-8")
                });
            return if foreign { Self::Other } else { Self::Json };
        }
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Self::Form;
        }
        if essence.eq_ignore_ascii_case("multipart/form-data") {
            return Self::Multipart;
        }
        Self::Other
    }
}

/// The most bytes that a body may have. A limit for the path wins over one for the type, and the
/// longest path prefix over shorter ones.
pub fn limit(sizes: &SizeLimits, path: &str, media: Media) -> u64 {
    let by_path = sizes
        .paths
        .iter()
        .filter(|(prefix, _)| path.starts_with(&**prefix))
        .max_by_key(|(prefix, _)| prefix.len());
    if let Some((_, limit)) = by_path {
        return limit.get();
    }
    match media {
        Media::Json => sizes.json.get(),
        Media::Form => sizes.form.get(),
        Media::Multipart => sizes.file.get(),
        Media::Missing | Media::Other => sizes.default.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::units::ByteLimit;

    #[test]
    fn media_types_are_read_as_rfc_9110_has_them() {
        for (value, expected) in [
            ("application/json", Media::Json),
            ("Application/JSON; charset=UTF-8", Media::Json),
            ("application/json;charset=\"utf-8\"", Media::Json),
            ("application/json; charset=utf-16", Media::Other),
            ("application/json; charset=iso-8859-1", Media::Other),
            ("application/jsonx", Media::Other),
            ("multipart/form-data; boundary=x", Media::Multipart),
            ("application/x-www-form-urlencoded", Media::Form),
            ("text/plain", Media::Other),
            ("", Media::Other),
        ] {
            assert_eq!(Media::of(Some(value.as_bytes())), expected, "{value:?}");
        }
        assert_eq!(Media::of(None), Media::Missing, "no content type");
        assert_eq!(Media::of(Some(b"\xff")), Media::Other, "not even text");
    }

    #[test]
    fn the_longest_path_wins_then_the_type() {
        let bytes = |n| ByteLimit::new(n).unwrap();
        let sizes = SizeLimits {
            default: bytes(1),
            json: bytes(2),
            form: bytes(3),
            file: bytes(4),
            paths: vec![
                ("/internal/".into(), bytes(5)),
                ("/internal/x/".into(), bytes(6)),
            ],
            reduced: false,
        };
        for (path, media, expected) in [
            ("/v1/x", Media::Missing, 1),
            ("/v1/x", Media::Json, 2),
            ("/v1/x", Media::Form, 3),
            ("/v1/x", Media::Multipart, 4),
            ("/internal/y", Media::Json, 5),
            ("/internal/x/y", Media::Json, 6),
        ] {
            assert_eq!(limit(&sizes, path, media), expected, "{path} {media:?}");
        }
    }
}

//! When a provider says to come back: `retry-after`, and `retry-after-ms` as OpenAI sends it.
//!
//! Decides how long that is from now: seconds, whole or not, or a date (RFC 9110, 10.2.3), in all
//! three forms of dates that HTTP has. A date that is past means no wait. What is neither says
//! nothing. It caps nothing; how long is obeyed is `route`'s.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, header};

const IN_MILLISECONDS: HeaderName = HeaderName::from_static("retry-after-ms");

/// The wait that an answer's head asks for.
pub fn of(fields: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &HeaderName| fields.get(name)?.to_str().ok();
    let exact = text(&IN_MILLISECONDS).and_then(|text| number(text, 1e-3));
    exact.or_else(|| {
        let text = text(&header::RETRY_AFTER)?.trim();
        number(text, 1.0).or_else(|| date(text, now))
    })
}

fn number(text: &str, unit: f64) -> Option<Duration> {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(plain) {
        return None;
    }
    let seconds = text.parse::<f64>().ok()? * unit;
    // More than any clock holds is as good as for ever.
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn date(text: &str, now: SystemTime) -> Option<Duration> {
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const THEN: Duration = Duration::from_secs(784_111_777);

    fn read(name: &'static str, value: &[u8], before: u64) -> Option<Duration> {
        let now = SystemTime::UNIX_EPOCH
            .checked_add(THEN.saturating_sub(Duration::from_secs(before)))
            .unwrap();
        let mut fields = HeaderMap::new();
        fields.insert(name, HeaderValue::from_bytes(value).unwrap());
        of(&fields, now)
    }

    #[test]
    fn seconds_and_dates_are_read_and_all_else_says_nothing() {
        for (text, wait) in [
            ("7", Some(7_000)),
            (" 7 ", Some(7_000)),
            ("0", Some(0)),
            ("1.5", Some(1_500)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(20_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(20_000)),
            ("Sun Nov  6 08:49:37 1994", Some(20_000)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1e9", None),
            ("inf", None),
            ("soon", None),
            ("1.2.3", None),
            ("Sun, 06 Nov 1994", None),
        ] {
            let wait = wait.map(Duration::from_millis);
            assert_eq!(read("retry-after", text.as_bytes(), 20), wait, "{text:?}");
        }
        let endless = read("retry-after", b"99999999999999999999999999", 0);
        assert_eq!(endless, Some(Duration::MAX), "no overflow");
        assert_eq!(
            read("retry-after-ms", b"250", 0),
            Some(Duration::from_millis(250)),
            "as OpenAI sends it"
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(value in prop::collection::vec(0x20_u8..0x7f, 0..40)) {
            let _ = read("retry-after", &value, 0);
        }
    }
}

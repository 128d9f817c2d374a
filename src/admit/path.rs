//! How else a path could be read, and that no reading leads anywhere else.
//!
//! Decides nothing on the request path: there, paths are taken as they were sent, and one that is
//! written in an unusual way is no path of ours (`record::endpoint`), so that there is nothing to
//! normalise before a decision and nothing that a provider could normalise after it. This is the
//! proof: the most lenient reader that is known, and the check that the property tests and the
//! fuzz target run. It knows percent-encoding to any depth, dot segments, empty segments,
//! backslashes, path parameters (`;`), case, and bytes that end a text in C.

use crate::record::endpoint::Endpoint;

/// However often a path was encoded, this is as often as it is decoded.
const DEEPEST: usize = 8;

/// What the most lenient of readers makes of a path.
pub fn lenient(path: &str) -> String {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..DEEPEST {
        let decoded = decoded(&bytes);
        if decoded == bytes {
            break;
        }
        bytes = decoded;
    }
    let end = bytes
        .iter()
        .position(|byte| matches!(byte, 0 | b'?' | b'#'))
        .unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    let mut segments: Vec<String> = Vec::new();
    for segment in bytes.split(|byte| matches!(byte, b'/' | b'\\')) {
        let name = segment.split(|byte| *byte == b';').next();
        match name.unwrap_or_default().trim_ascii() {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            name => segments.push(String::from_utf8_lossy(name).to_ascii_lowercase()),
        }
    }
    format!("/{}", segments.join("/"))
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let pair = after.split_at_checked(2).and_then(|(pair, behind)| {
            let pair = std::str::from_utf8(pair).ok()?;
            let plain = pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            let byte = u8::from_str_radix(pair, 16).ok()?;
            plain.then_some((byte, behind))
        });
        if let (b'%', Some((byte, behind))) = (first, pair) {
            decoded.push(byte);
            rest = behind;
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    decoded
}

/// Checks that a path which is served leads to the same place for every reader.
///
/// # Errors
/// Another reader would be led elsewhere.
pub fn cross_check(path: &str) -> Result<(), String> {
    let endpoint = Endpoint::from_path(path);
    if matches!(endpoint, Endpoint::Other | Endpoint::Internal) {
        // Not served, or matched whole against a table.
        return Ok(());
    }
    let lenient = lenient(path);
    if lenient != path.to_ascii_lowercase() {
        return Err(format!(
            "{path:?} is served, and could be read as {lenient:?}"
        ));
    }
    if Endpoint::from_path(&lenient) == endpoint {
        Ok(())
    } else {
        Err(format!(
            "{path:?} is served as {endpoint:?}, {lenient:?} is not"
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_lenient_reader_undoes_what_is_known() {
        for path in [
            "/v1/chat/completions",
            "/v1/%63hat/completions",
            "/v1/%2563hat/completions",
            "//v1//chat/./completions/",
            "/v1/x/../chat/completions",
            "/v1/x/%2e%2e/chat/completions",
            "/v1%2fchat%5ccompletions",
            "/V1/Chat/COMPLETIONS",
            "/v1/chat;a=b/completions;c",
            "/v1/chat/completions%00.png",
            "/../../v1/chat/completions",
            "/v1/chat/completions%3fx=1",
        ] {
            assert_eq!(lenient(path), "/v1/chat/completions", "{path}");
        }
        for path in ["%", "%zz", "%2", "/%", "", "/%2g", "/%+1"] {
            lenient(path);
        }
    }

    #[test]
    fn what_only_a_lenient_reader_finds_is_not_served() {
        for path in [
            "/v1/%63hat/completions",
            "//v1/chat/completions",
            "/v1/models/../chat/completions",
            "/v1/models/..%2fchat%2fcompletions",
            "/v1/files/%2e%2e/%2e%2e/internal/config",
            "/v1/files/..;/..;/internal/config",
            "/v1/chat/completions;x=1",
            "/v1/chat/completions/",
            "/V1/chat/completions",
            "/metrics/",
            "/metrics;",
            "/METRICS",
            "/health%00",
            "/v1/images/a\\..\\b",
        ] {
            assert_eq!(Endpoint::from_path(path), Endpoint::Other, "{path}");
            let lenient = lenient(path);
            assert_ne!(Endpoint::from_path(&lenient), Endpoint::Other, "{lenient}");
        }
    }

    #[test]
    fn the_seeds_of_the_fuzzer_are_read_alike() {
        let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/path");
        for seed in std::fs::read_dir(seeds).unwrap() {
            let text = std::fs::read_to_string(seed.unwrap().path()).unwrap();
            assert_eq!(cross_check(&text), Ok(()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_served_that_could_be_read_otherwise(path: String) {
            prop_assert_eq!(cross_check(&path), Ok(()));
        }

        #[test]
        fn no_path_is_served_that_could_be_read_otherwise(
            path in "(/(v1|V1|chat|completions|models|files|audio|images|internal|metrics|health|%2e|\\.{1,2}|%2[fF]|%252e|;x|a|\\\\|%00|%63hat|A|:|@|~)?){1,6}",
        ) {
            prop_assert_eq!(cross_check(&path), Ok(()));
        }
    }
}

//! Uploads and images.

use super::*;

const FORM: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
    --x\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na \"cat\"\xff\r\n\
    --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{}\r\n--x--";

fn uploaded(path: &str, head: &[u8], length: u64) -> Value {
    match upload(path, &Upload { head, length }, NOW) {
        Some(Answer::Plain { status: 200, body }) => serde_json::from_slice(&body).unwrap(),
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn an_upload_is_answered_by_its_length_and_its_first_fields() {
    let file = uploaded("/v1/files", FORM, 50_000_000);
    assert_eq!(file["object"], "file", "{file}");
    assert_eq!(file["bytes"], 50_000_000, "{file}");
    assert_eq!(file["filename"], "a.jsonl", "{file}");
    assert_eq!(file["purpose"], "batch", "{file}");
    for path in ["/v1/audio/transcriptions", "/v1/audio/translations"] {
        let text = uploaded(path, FORM, 9);
        assert_eq!(text["text"], "a \"cat\"\u{fffd}", "{text}");
    }
    for path in ["/v1/images/edits", "/v1/images/variations"] {
        let image = uploaded(path, FORM, 9);
        assert_eq!(
            image["data"][0]["revised_prompt"], "a \"cat\"\u{fffd}",
            "{image}"
        );
    }
    let asked = json!({"model": "any", "prompt": "a cat"}).to_string();
    let image = uploaded("/v1/images/generations", asked.as_bytes(), 9);
    assert_eq!(image["data"][0]["revised_prompt"], "a cat", "{image}");
    assert_eq!(image["created"], NOW, "{image}");
}

#[test]
fn whatever_an_upload_holds_it_is_answered_and_other_paths_are_not() {
    for body in [&b""[..], b"{", b"name=\"prompt\"\r\n\r\nno end", &[0xff; 9]] {
        assert_eq!(uploaded("/v1/files", body, 0)["filename"], "upload");
        assert_eq!(uploaded("/v1/audio/transcriptions", body, 0)["text"], "");
    }
    for path in [
        "/v1/audio/speech",
        "/v1/files/x",
        "/v1/chat/completions",
        "/v1/images",
    ] {
        let body = Upload {
            head: FORM,
            length: 1,
        };
        assert!(
            !is_upload(path) && upload(path, &body, NOW).is_none(),
            "{path}"
        );
    }
}

use std::time::Duration;

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::identify::keys::Role;
use crate::policy::{Denial, KeyFault};
use crate::record::{Facts, LoggedPath, Outcome, Times, Usage};

fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_millis(1_763_762_821_007))
        .unwrap()
}

fn facts() -> Facts {
    let mut facts = Facts::new(
        "req-1",
        Method::POST,
        b"/v1/chat/completions?api_key=x",
        "0123",
    );
    facts.client_ip = Some([203, 0, 113, 7].into());
    facts.key_id = Some("team-a".parse().unwrap());
    facts.role = Some(Role::Standard);
    facts.model = Some("gpt-4o".parse().unwrap());
    facts.provider = Some("openai".parse().unwrap());
    facts.upstream_status = Some(200);
    facts.attempts = 1;
    facts.status = Some(200);
    facts.outcome = Outcome::Completed;
    facts.request_bytes = 1024;
    facts.response_bytes = 612;
    facts.times = Some(Times {
        duration: Duration::from_micros(812_345),
        overhead: Duration::from_micros(123),
        first_byte: Some(Duration::from_millis(640)),
        upstream: Some(Duration::from_millis(811)),
    });
    facts.usage = Usage {
        prompt: Some(12),
        completion: Some(3),
    };
    facts
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

fn access(facts: &Facts) -> Value {
    let line = written(|out| write_access_line(facts, at(), LogFormat::Json, out));
    serde_json::from_str(&line).unwrap()
}

#[test]
fn an_access_line_has_the_contract_s_fields() {
    let line = access(&facts());
    let names: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
    let mut wanted = vec![
        "timestamp",
        "level",
        "logger",
        "message",
        "module",
        "function",
        "line",
        "extra_data",
    ];
    wanted.sort_unstable();
    assert_eq!(names, wanted, "the fields of a line");
    assert_eq!(line["timestamp"], "2025-11-21T22:07:01.007Z", "the time");
    assert_eq!(line["logger"], ACCESS_LOGGER, "the logger");
    assert_eq!(
        line["message"], "POST /v1/chat/completions 200",
        "the message"
    );
    assert_eq!(
        line["extra_data"],
        json!({
            "request_id": "req-1", "client_ip": "203.0.113.7", "key_id": "team-a",
            "role": "standard", "method": "POST", "endpoint": "/v1/chat/completions",
            "path": "/v1/chat/completions", "status": 200, "outcome": "completed",
            "model": "gpt-4o", "provider": "openai", "upstream_status": 200, "attempts": 1,
            "stream": false, "prompt_tokens": 12, "completion_tokens": 3,
            "request_bytes": 1024, "response_bytes": 612, "duration_ms": 812.345,
            "overhead_ms": 0.123, "upstream_first_byte_ms": 640.0, "upstream_ms": 811.0,
            "policy": "0123",
        }),
        "what the request left behind"
    );
}

#[test]
fn a_refused_request_s_line_says_why_and_leaves_out_what_did_not_happen() {
    let mut facts = Facts::new("r", Method::GET, b"/nowhere", "");
    facts.refusal = Some((&Denial::InvalidApiKey(KeyFault::Malformed)).into());
    facts.status = Some(401);
    facts.outcome = Outcome::Denied;
    let extra = &access(&facts)["extra_data"];
    assert_eq!(extra["code"], "invalid_api_key", "what the client was told");
    assert_eq!(extra["reason"], "malformed", "what operators learn");
    for absent in ["provider", "attempts", "duration_ms", "key_id", "model"] {
        assert!(extra.get(absent).is_none(), "{absent} did not happen");
    }
}

#[test]
fn text_lines_are_for_people_and_one_line_each() {
    let line = written(|out| write_access_line(&facts(), at(), LogFormat::Text, out));
    let begin = "2025-11-21T22:07:01.007Z INFO portcullis.access POST /v1/chat/completions 200 {";
    assert!(line.starts_with(begin), "{line}");
    let own = LogLine {
        level: Level::Warning,
        logger: "portcullis",
        message: format_args!("two\nlines \u{1b}[31m"),
        module: "m",
        line: 1,
        exception: Some("disk\nfull"),
    };
    let line = written(|out| write_log_line(&own, at(), LogFormat::Text, out));
    assert_eq!(
        line, r"2025-11-21T22:07:01.007Z WARNING portcullis two\nlines \u001b[31m: disk\nfull",
        "what could forge a line is escaped"
    );
}

#[test]
fn the_program_s_own_lines_have_the_same_shape() {
    let own = LogLine {
        level: Level::Error,
        logger: "portcullis::runtime",
        message: format_args!("can't {}", "write \"x\""),
        module: "portcullis::runtime::serve",
        line: 7,
        exception: Some("disk full"),
    };
    let line = written(|out| write_log_line(&own, at(), LogFormat::Json, out));
    assert_eq!(
        serde_json::from_str::<Value>(&line).unwrap(),
        json!({
            "timestamp": "2025-11-21T22:07:01.007Z", "level": "ERROR",
            "logger": "portcullis::runtime", "message": "can't write \"x\"",
            "module": "portcullis::runtime::serve", "function": "", "line": 7,
            "extra_data": {}, "exception": "disk full",
        }),
        "a line of the program itself"
    );
}

#[test]
fn long_messages_are_cut_where_a_character_ends() {
    for length in [MAX_MESSAGE, MAX_MESSAGE + 1] {
        let text = "x".repeat(length);
        let line = written(|out| write_message(format_args!("{text}"), out));
        assert_eq!(line.len(), MAX_MESSAGE, "{length} bytes");
    }
    let wide = "é".repeat(MAX_MESSAGE);
    let line = written(|out| write_message(format_args!("x{wide}"), out));
    assert_eq!(line.len(), MAX_MESSAGE - 1, "half a character is not kept");
}

#[test]
fn a_security_line_has_the_contract_s_fields() {
    let denial = Denial::InvalidApiKey(KeyFault::Unknown);
    let facts = facts();
    let prefix = KeyPrefix::of(b"pcl_0123456789abcdefghijklmnopqrstuvwxyz");
    let event = SecurityEvent::of_denial(&denial, &facts, b"curl/8\xff", Some(&prefix)).unwrap();
    let line = written(|out| event.write(at(), LogFormat::Json, out));
    assert_eq!(
        serde_json::from_str::<Value>(&line).unwrap(),
        json!({
            "timestamp": "2025-11-21T22:07:01.007Z", "level": "WARNING",
            "logger": SECURITY_LOGGER, "operation": "authentication", "status": "failure",
            "severity": "medium", "user_id": "team-a", "client_ip": "203.0.113.7",
            "user_agent": "curl/8\u{fffd}", "request_id": "req-1",
            "metadata": {"key_prefix": "pcl_01", "reason": "unknown"},
            "tags": ["authentication", "failure"],
        }),
        "an authentication failure"
    );
}

#[test]
fn refusals_of_callers_are_security_events_and_others_are_not() {
    let facts = facts();
    for (denial, level) in [
        (Denial::MissingApiKey, Some(Level::Warning)),
        (Denial::PermissionDenied, Some(Level::Error)),
        (Denial::ModelNotAllowed, Some(Level::Error)),
        (Denial::NotFound, None),
        (Denial::UpstreamError, None),
    ] {
        let event = SecurityEvent::of_denial(&denial, &facts, b"", None);
        assert_eq!(event.map(|e| e.level), level, "{denial:?}");
    }
}

#[test]
fn at_most_six_characters_and_a_quarter_of_a_credential_are_shown() {
    for (credential, shown) in [
        (&b"pcl_0123456789abcdefghijklmnop"[..], "pcl_01"),
        (b"sk-abcdefghij", "sk-"),
        (b"hunter2", "h"),
        (b"abc", ""),
        (b"\xff\xfe\xfd\xfc", ""),
    ] {
        assert_eq!(KeyPrefix::of(credential).as_str(), shown, "{credential:?}");
    }
}

#[test]
fn a_user_agent_is_cut() {
    let facts = facts();
    for (length, kept) in [(256, 256), (257, 256)] {
        let agent = vec![b'a'; length];
        let event = SecurityEvent::of_denial(&Denial::MissingApiKey, &facts, &agent, None).unwrap();
        let line = written(|out| event.write(at(), LogFormat::Json, out));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            line["user_agent"].as_str().unwrap().len(),
            kept,
            "{length} bytes"
        );
    }
}

proptest! {
    #[test]
    fn whatever_is_sent_makes_one_well_formed_line(
        id in any::<String>(), path in any::<Vec<u8>>(), agent in any::<Vec<u8>>(),
        message in any::<String>(),
    ) {
        let mut facts = facts();
        facts.request_id = id.as_str().into();
        facts.path = LoggedPath::new(&path);
        let denial = Denial::PermissionDenied;
        let event = SecurityEvent::of_denial(&denial, &facts, &agent, None).unwrap();
        let own = LogLine {
            level: Level::Info,
            logger: &id,
            message: format_args!("{message}"),
            module: &message,
            line: 0,
            exception: Some(&message),
        };
        for line in [
            written(|out| write_access_line(&facts, at(), LogFormat::Json, out)),
            written(|out| event.write(at(), LogFormat::Json, out)),
            written(|out| write_log_line(&own, at(), LogFormat::Json, out)),
        ] {
            prop_assert!(!line.contains(['\n', '\r']), "{}", line);
            prop_assert!(serde_json::from_str::<Value>(&line).is_ok(), "{}", line);
            let masked = crate::record::mask::mask(&line);
            prop_assert!(serde_json::from_str::<Value>(&masked).is_ok(), "{}", masked);
        }
    }
}

proptest! {
    #[test]
    fn no_value_of_an_access_line_has_anything_left_to_mask(
        id in "[a-zA-Z0-9_.:-]{1,40}", path in arb_path(), model in "[a-zA-Z0-9_.:/@-]{1,40}",
        method in "[A-Z]{1,20}|sk-[a-zA-Z0-9]{8,30}|TOKEN", text in any::<bool>(),
    ) {
        let mut facts = facts();
        facts.request_id = id.as_str().into();
        facts.path = LoggedPath::new(&path);
        facts.method = method.parse().unwrap();
        facts.model = model.parse().ok();
        facts.key_id = id.parse().ok();
        let format = if text { LogFormat::Text } else { LogFormat::Json };
        let line = written(|out| write_access_line(&facts, at(), format, out));
        let object = line.find('{').and_then(|start| line.get(start..)).unwrap();
        let object: Value = serde_json::from_str(object).unwrap();
        let told = object.get("extra_data").unwrap_or(&object).as_object().unwrap();
        for value in told.values().chain(object.get("message")) {
            let value = value.to_string();
            prop_assert_eq!(crate::record::mask::mask(&value), value.as_str(), "{}", line);
        }
    }
}

/// Paths of the pieces that secrets are made of.
fn arb_path() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "/",
        "sk-",
        "abcdefghijklmnop",
        "api_key=",
        "token:",
        "Bearer ",
        "\"",
        "\\",
        "password",
        "=",
        " ",
        "://u:p@h",
        "AKIA0123456789ABCDEF",
        "\n",
        "secret",
        "[",
        "]",
        ",",
        "eyJabcdef.",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

#[test]
fn a_value_that_lines_repeat_is_masked_in_each() {
    let mut facts = facts();
    for secret in [
        "sk-abcdefghijklmnopqrstuvwxyz012345",
        "gpt\u{7f}4o",
        "gpt-4o",
    ] {
        for time in 0..3 {
            facts.model = secret.parse().ok().or(facts.model);
            let line = written(|out| write_access_line(&facts, at(), LogFormat::Json, out));
            assert!(
                !line.contains("abcdefghijklmnop") && !line.contains('\u{7f}'),
                "{secret} is not shown at time {time}: {line}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_secret_begins_in_hexadecimal_digits(id in "[0-9a-f]{0,64}") {
        let written = ["\"", &id, "\""].concat();
        prop_assert!(!crate::record::mask::may_hold_secrets(written.as_bytes()));
    }
}

//! What waits for an upgrade.

use super::*;
use crate::policy::Serve;

fn listener(address: &str, api: bool) -> Listener {
    Listener {
        address: address.parse().unwrap(),
        serve: Serve { api, ..Serve::ALL },
        tls: None,
        redirect: None,
    }
}

#[test]
fn sockets_stay_as_they_are_and_serve_what_is_new() {
    let mut waiting = Vec::new();
    let started = [listener("127.0.0.1:1", true), listener("127.0.0.1:2", true)];
    let wanted = [
        listener("127.0.0.1:1", false),
        listener("127.0.0.1:3", true),
    ];
    let kept = listeners(&started, &wanted, &mut waiting);
    assert_eq!(
        kept,
        [
            listener("127.0.0.1:1", false),
            listener("127.0.0.1:2", true)
        ],
        "the first serves less, the second is still there"
    );
    let reasons: Vec<&str> = waiting.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "127.0.0.1:3 is not listened on yet",
            "127.0.0.1:2 is listened on until then"
        ],
        "what needs an upgrade"
    );
}

#[test]
fn what_is_read_at_the_start_alone_is_told() {
    let change = |key: &str| Change {
        key: key.to_owned(),
        from: serde_json::Value::Null,
        to: serde_json::Value::Null,
    };
    let waiting = fixed(&[
        change("server.workers"),
        change("telemetry.otlp_endpoint"),
        change("logging.file_name"),
        change("logging.level"),
    ]);
    let keys: Vec<&str> = waiting.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(
        keys,
        ["server.workers", "telemetry.otlp_endpoint"],
        "and no other"
    );
}

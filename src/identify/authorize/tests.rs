//! Every role against every path of the contract, and every bound against what it binds.

use std::net::IpAddr;
use std::sync::Arc;

use super::*;
use crate::identify::keys::{Bounds, KeyHash, KeyRecord};

fn caller(role: Role, bounds: Option<Bounds>) -> Caller {
    let hash = KeyHash::of(b"key-a", None);
    let mut record = KeyRecord::new("alice".parse().unwrap(), hash, role);
    record.bounds = bounds.map(Box::new);
    Caller {
        key: Some(Arc::new(record)),
        address: IpAddr::from([192, 0, 2, 1]),
    }
}

fn may(caller: &Caller, path: &str, now: u64) -> bool {
    let wish = Wish {
        endpoint: Endpoint::from_path(path),
        path,
        now,
    };
    match authorize(caller, &wish) {
        Ok(()) => true,
        Err(Denial::PermissionDenied) => false,
        Err(other) => panic!("{path}: {other:?}"),
    }
}

const CALLS: &[Role] = &[Role::Standard, Role::Admin];
const EVERY: &[Role] = &Role::ALL;
const LOOKS: &[Role] = &[Role::ReadOnly, Role::Admin, Role::System];
const NOBODY: &[Role] = &[];

/// The table of `What it serves`; below `/internal/` the rows of `internal::routes` say who may.
const TABLE: &[(&str, &[Role])] = &[
    ("/v1/chat/completions", CALLS),
    ("/v1/completions", CALLS),
    ("/v1/responses", CALLS),
    ("/v1/embeddings", CALLS),
    ("/v1/moderations", CALLS),
    ("/v1/messages", CALLS),
    ("/v1/audio/transcriptions", CALLS),
    ("/v1/files", CALLS),
    ("/v1/files/file-abc", CALLS),
    ("/v1/images/edits", CALLS),
    ("/v1/models", EVERY),
    ("/v1/models/gpt-4o", EVERY),
    ("/v1/health", EVERY),
    ("/health", EVERY),
    ("/ready", EVERY),
    ("/metrics", LOOKS),
    ("/internal/config", EVERY),
    ("/internal", EVERY),
    ("/", NOBODY),
    ("/v1/fine_tuning/jobs", NOBODY),
    ("/INTERNAL/config", NOBODY),
];

#[test]
fn roles_may_do_what_the_contract_says_and_no_more() {
    for (path, roles) in TABLE {
        for role in Role::ALL {
            assert_eq!(
                may(&caller(role, None), path, 0),
                roles.contains(&role),
                "{} at {path}",
                role.as_str()
            );
        }
    }
}

#[test]
fn no_keys_mean_no_roles() {
    let anyone = Caller {
        key: None,
        address: IpAddr::from([127, 0, 0, 1]),
    };
    assert!(may(&anyone, "/metrics", 0), "in development");
    assert!(
        model(&anyone, Model::Untold).is_ok() && provider(&anyone, "any").is_ok(),
        "nor bounds"
    );
}

#[test]
fn a_bound_binds_what_it_names() {
    let bounds = |text: &str| {
        let (kind, value) = text.split_once(' ').unwrap();
        let pattern = || Some(vec![value.parse().unwrap()]);
        let mut bounds = Bounds::default();
        match kind {
            "path" => bounds.paths = pattern(),
            "ip" => bounds.ips = Some(vec![value.parse().unwrap()]),
            "hours" => bounds.hours = Some(vec![value.parse().unwrap()]),
            other => panic!("{other}"),
        }
        caller(Role::Standard, Some(bounds))
    };
    for (bound, allowed) in [
        ("path /v1/chat/completions", true),
        ("path /v1/*", true),
        ("path /v1/embeddings", false),
        ("path /v1/chat", false),
        ("ip 192.0.2.0/24", true),
        ("ip 198.51.100.0/24", false),
        ("ip ::/0", false),
        ("hours Thu 00:00-01:00", true),
        ("hours Thu 01:00-02:00", false),
        ("hours Fri 00:00-24:00", false),
    ] {
        let got = may(&bounds(bound), "/v1/chat/completions", 60);
        assert_eq!(got, allowed, "{bound}, at one minute past 1970");
    }
}

#[test]
fn models_and_providers_are_bound_by_name() {
    let bound = caller(
        Role::Standard,
        Some(Bounds {
            models: Some(vec!["gpt-*".parse().unwrap()]),
            providers: Some(vec!["openai".parse().unwrap()]),
            ..Bounds::default()
        }),
    );
    assert_eq!(model(&bound, Model::Named("gpt-4o")), Ok(()), "its own");
    for other in [Model::Named("o3"), Model::Untold] {
        assert_eq!(
            model(&bound, other),
            Err(Denial::ModelNotAllowed),
            "{other:?}"
        );
    }
    assert_eq!(provider(&bound, "openai"), Ok(()), "its own");
    assert_eq!(
        provider(&bound, "openai-eu"),
        Err(Denial::PermissionDenied),
        "another"
    );
}

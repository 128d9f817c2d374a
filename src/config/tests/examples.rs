//! The configurations that come with the program.

use super::*;
use crate::policy::AuthMode;

#[test]
fn the_examples_compile() {
    let world = World::default()
        .env("OPENAI_API_KEY", "upstream-one")
        .env("ANTHROPIC_API_KEY", "upstream-two");
    for (name, text) in [
        ("full.yaml", include_str!("../../../conf/full.yaml")),
        ("minimal.yaml", include_str!("../../../conf/minimal.yaml")),
        (
            "portcullis.yaml",
            include_str!("../../../conf/portcullis.yaml"),
        ),
    ] {
        assert!(
            world.review(text).is_ok(),
            "{name}: {:#?}",
            world.review(text).err()
        );
    }
}

#[test]
fn the_standard_configuration_needs_no_environment() {
    let policy = World::default().policy(include_str!("../../../conf/portcullis.yaml"));
    assert_eq!(
        policy.auth.mode,
        AuthMode::Development,
        "no key is asked for"
    );
    assert!(
        policy
            .listeners
            .iter()
            .all(|l| l.address.ip().is_loopback()),
        "so it listens on loopback alone"
    );
}

#[test]
fn the_full_example_writes_out_the_defaults() {
    let world = World::default()
        .env("OPENAI_API_KEY", "upstream-one")
        .env("ANTHROPIC_API_KEY", "upstream-two");
    let full = include_str!("../../../conf/full.yaml");
    let start = full.find("\nproviders:").unwrap();
    let rest = full.split_at(start).1;
    assert_eq!(
        world.policy(full).hash,
        world.policy(rest).hash,
        "without the blocks before `providers` the configuration is the same"
    );
}

//! The official Python SDKs, pointed at the gateway by `base_url`, against the mock provider.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::harness::gateway::{Builder, Key};
use crate::harness::{DEADLINE, Gateway, STANDARD_KEY, Upstream, skipped};

const READER: Key = Key {
    id: "reader",
    secret: "sk-test-reader-0123456789abcdef",
    role: "read_only",
    limits: "{}",
};

/// An interpreter with the packages of `tests/sdk/requirements.txt`, as `make test` sets it up.
fn python() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    path.exists().then_some(path)
}

async fn drive(test: &str, provider: impl FnOnce(Builder, &str) -> Builder) {
    let Some(python) = python() else {
        return skipped(test, "the Python environment .venv");
    };
    let upstream = Upstream::start().await;
    let gateway = provider(Gateway::builder(), &upstream.url())
        .yaml("size_limits: {json: 64KiB}\ninspection: {response: {canaries: [our-canary-text]}}")
        .key(READER)
        .start()
        .await;
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/sdk")
        .join(test);
    let run = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(tests)
        .env_clear()
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GATEWAY_URL", gateway.url())
        .env("GATEWAY_KEY", STANDARD_KEY)
        .env("GATEWAY_READ_ONLY_KEY", READER.secret)
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(DEADLINE * 5, run)
        .await
        .expect("pytest ends in time");
    let output = run.expect("pytest starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{test}:\n{said}{complained}\n{}",
        gateway.log_text()
    );
}

/// A provider that speaks this API alone.
fn one(api: &'static str) -> impl FnOnce(Builder, &str) -> Builder {
    let route = "{models: [\"gpt-*\", \"claude-*\", \"text-*\", \"status-*\", \"play-*\"], \
                 providers: [mock]}";
    move |builder, url| builder.provider("mock", api, url).route(route)
}

#[tokio::test]
async fn the_openai_sdk_works_unchanged() {
    drive("test_openai.py", one("openai")).await;
}

#[tokio::test]
async fn the_anthropic_sdk_works_unchanged() {
    drive("test_anthropic.py", one("anthropic")).await;
}

#[tokio::test]
async fn the_openai_sdk_reaches_a_provider_that_speaks_anthropics_api() {
    drive("test_openai_translated.py", one("anthropic")).await;
}

#[tokio::test]
async fn the_anthropic_sdk_reaches_a_provider_that_speaks_openais_api() {
    drive("test_anthropic_translated.py", one("openai")).await;
}

#[tokio::test]
async fn the_sdks_read_cleaned_refused_and_broken_streams() {
    drive("test_answers.py", Builder::both).await;
}

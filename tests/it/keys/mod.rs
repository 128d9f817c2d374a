//! Keys from their birth to their end: the commands that make them, and what the gateway lets
//! them do.

mod bounds;
mod commands;
mod guesses;
mod issuers;
mod reload;
mod tokens;

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::harness::gateway::run;

/// What a command printed to standard output.
fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a command printed to standard error.
fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `portcullis keys` over the keys file in a folder.
async fn keys(folder: &Path, arguments: &str) -> Output {
    let file = folder.join("keys.yaml");
    let mut words = vec!["keys"];
    words.extend(arguments.split_whitespace());
    let file = file.to_string_lossy();
    words.extend(["--keys", &*file]);
    run(&words).await
}

/// The same, which must succeed, and its answer.
async fn answer(folder: &Path, arguments: &str) -> Value {
    let output = keys(folder, &format!("{arguments} --format json")).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments}: {}",
        stderr(&output)
    );
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

/// Makes a key; answers its text.
async fn key(folder: &Path, arguments: &str) -> String {
    let made = answer(folder, &format!("new {arguments}")).await;
    made["key"].as_str().expect("a key").to_owned()
}

/// The overlay that names the keys file of a folder.
fn overlay(folder: &Path) -> String {
    let file = folder.join("keys.yaml");
    format!("{{auth: {{keys_file: \"{}\"}}}}", file.display())
}

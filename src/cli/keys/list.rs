//! `portcullis keys list`: what keys there are, and what they may do.
//!
//! Decides the state of a key at this moment. It shows no hash: nobody needs one to read a list.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::FileArgs;
use super::store::Store;
use super::{Format, Refusal, Streams};
use crate::config::keyfile::{KeyEntry, moment};
use crate::runtime::clock;

/// Lists the keys.
pub(super) fn run(args: &FileArgs, streams: &mut Streams<'_>) -> Result<(), Refusal> {
    let store = Store::open(&args.keys)?;
    let book = store.existing()?;
    let now = clock::unix();
    match args.format {
        Format::Json => {
            let keys: Vec<Value> = book.entries.iter().map(|key| told(key, now)).collect();
            writeln!(streams.out, "{}", json!({ "keys": keys }))?;
        }
        Format::Text => {
            for key in &book.entries {
                writeln!(streams.out, "{}", line(key, now))?;
            }
        }
    }
    Ok(())
}

fn state(key: &KeyEntry, now: u64) -> &'static str {
    let at = |text: &Option<String>| text.as_deref().and_then(moment);
    if key.revoked_at.is_some() {
        "revoked"
    } else if at(&key.expires_at).is_some_and(|end| now >= end) {
        "expired"
    } else if at(&key.not_before).is_some_and(|start| now < start) {
        "not_yet_valid"
    } else {
        "active"
    }
}

/// An entry as JSON, without its hashes.
fn told(key: &KeyEntry, now: u64) -> Value {
    let mut told = serde_json::to_value(key).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        let scheme = key.hash.split(':').next().unwrap_or_default();
        told.insert("hash".to_owned(), json!(scheme));
        told.insert("state".to_owned(), json!(state(key, now)));
        let previous = key.previous.iter().flatten();
        let ends: Vec<Value> = previous
            .map(|old| json!({"expires_at": old.expires_at}))
            .collect();
        if !ends.is_empty() {
            told.insert("previous".to_owned(), Value::Array(ends));
        }
    }
    told
}

fn line(key: &KeyEntry, now: u64) -> String {
    let told = told(key, now);
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut line = format!("{:<24} {:<9} {:<13}", key.id, text("role"), text("state"));
    let shown = ["id", "role", "state", "hash", "created_at"];
    let rest = told.as_object().into_iter().flatten();
    for (name, value) in rest.filter(|(name, _)| !shown.contains(&name.as_str())) {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        // Writing to a String can't fail.
        let _infallible = write!(line, " {name}={value}");
    }
    line
}

//! `portcullis keys new`, `rotate` and `revoke`: what alters a keys file.
//!
//! Decides the entry that is written. A key's text is made here, hashed, printed once, and wiped.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::{BoundArgs, FileArgs, NewArgs, RevokeArgs, RotateArgs};
use super::store::{self, OTHERS, Store};
use super::{Format, Refusal, Streams, token_secret_beside};
use crate::config::keyfile::{KeyBook, KeyEntry, PreviousKey, moment};
use crate::identify::keys::{KeyHash, Pepper, mint};
use crate::policy::secret::Secret;
use crate::policy::units::Span;
use crate::runtime::clock;

/// Makes a key.
pub(super) fn new(args: &NewArgs, streams: &mut Streams<'_>) -> Result<(), Refusal> {
    let store = Store::open(&args.file.keys)?;
    let mut book = store.book()?.unwrap_or_else(KeyBook::new);
    let now = now();
    let (key, hash) = make(args.pepper.as_deref(), &args.file.keys)?;
    let mut entry = KeyEntry::new(&args.id, hash.to_string(), args.role);
    bind(&mut entry, &args.bounds, now)?;
    entry.created_at = Some(now.to_string());
    book.add(entry.clone()).map_err(|lines| {
        let shown = |line: &String| format!("--{}", line.replacen('_', "-", 1));
        Refusal::Unusable(lines.iter().map(shown).collect())
    })?;
    save(&store, &book, streams)?;
    if store.text.is_none() {
        // So that a gateway that starts with this file takes tokens made later.
        store::secret(&token_secret_beside(&args.file.keys), Some(&args.file.keys))?;
    }
    let mut answer = serde_json::to_value(&entry).unwrap_or_default();
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("hash");
        answer.insert("key".to_owned(), json!(key.expose()));
        answer.insert("file".to_owned(), json!(store.shown()));
    }
    show(&args.file, &key, &answer, streams)?;
    tell_if_over(&args.id, entry.expires_at.as_deref(), now, streams)?;
    if args.file.format == Format::Text {
        let role = args.role.as_str();
        let (id, file) = (&args.id, store.shown());
        writeln!(
            streams.err,
            "The key of {id} ({role}); it is shown this once. {file} holds its hash. A gateway \
             that runs takes it after a reload (systemctl reload portcullis, or SIGHUP)."
        )?;
    }
    Ok(())
}

/// Replaces a key.
pub(super) fn rotate(args: &RotateArgs, streams: &mut Streams<'_>) -> Result<(), Refusal> {
    let overlap = overlap(&args.overlap)?;
    let store = Store::open(&args.file.keys)?;
    let mut book = store.existing()?;
    let now = now();
    let entry = book
        .find(&args.id)
        .ok_or_else(|| unknown(&args.id, &store))?;
    if entry.revoked_at.is_some() {
        let id = &args.id;
        return Err(Refusal::unusable(format!(
            "`{id}` was revoked, and is not replaced; make a key under another id"
        )));
    }
    let own_end = entry.expires_at.clone();
    let ends = later(now, overlap)?;
    let latest = own_end.as_deref().and_then(moment).and_then(at);
    let ends = latest.map_or(ends, |latest| latest.min(ends));
    let (key, hash) = make(args.pepper.as_deref(), &args.file.keys)?;
    let mut previous = entry.previous.take().unwrap_or_default();
    previous.retain(|key| moment(&key.expires_at).is_some_and(|end| end > seconds(now)));
    if !overlap.is_zero() {
        previous.push(PreviousKey {
            hash: std::mem::take(&mut entry.hash),
            expires_at: ends.to_string(),
        });
    }
    entry.previous = (!previous.is_empty()).then_some(previous);
    entry.hash = hash.to_string();
    entry.rotated_at = Some(now.to_string());
    let backup = store.back_up(&stamp(now))?;
    save(&store, &book, streams)?;
    let old_until = if overlap.is_zero() { now } else { ends };
    let answer = json!({
        "id": args.id,
        "key": key.expose(),
        "old_key_expires_at": old_until.to_string(),
        "rotated_at": now.to_string(),
        "backup": backup.display().to_string(),
        "file": store.shown(),
    });
    show(&args.file, &key, &answer, streams)?;
    tell_if_over(&args.id, own_end.as_deref(), now, streams)?;
    if args.file.format == Format::Text {
        writeln!(
            streams.err,
            "The new key of {}; it is shown this once. The old one ends at {old_until}. The file \
             as it was is {}. Reload the gateway now (systemctl reload portcullis, or SIGHUP).",
            args.id,
            backup.display()
        )?;
    }
    if args.notify {
        writeln!(
            streams.err,
            "Notice to the holder of the key `{}`: a new key takes its place as of {now}. The old \
             key ends at {old_until}. Fetch the new one from your operator before then.",
            args.id
        )?;
    }
    Ok(())
}

/// Takes a key back.
pub(super) fn revoke(args: &RevokeArgs, streams: &mut Streams<'_>) -> Result<(), Refusal> {
    let store = Store::open(&args.file.keys)?;
    let mut book = store.existing()?;
    let now = now();
    let entry = book
        .find(&args.id)
        .ok_or_else(|| unknown(&args.id, &store))?;
    let already = entry.revoked_at.is_some();
    let since = entry
        .revoked_at
        .get_or_insert_with(|| now.to_string())
        .clone();
    entry.previous = None;
    if !already {
        save(&store, &book, streams)?;
    }
    match args.file.format {
        Format::Json => {
            let answer = json!({"id": args.id, "revoked_at": since, "file": store.shown()});
            writeln!(streams.out, "{answer}")?;
        }
        Format::Text => writeln!(
            streams.out,
            "{} is revoked since {since}. A gateway that runs knows it after a reload (systemctl \
             reload portcullis, or SIGHUP).",
            args.id
        )?,
    }
    Ok(())
}

/// A new key and its hash.
fn make(pepper: Option<&Path>, keys: &Path) -> Result<(Secret, KeyHash), Refusal> {
    let mut random = [0_u8; 32];
    store::fill(&mut random)?;
    let key = mint(&random);
    random.fill(0);
    let hash = KeyHash::of(
        key.expose().as_bytes(),
        peppered(pepper, Some(keys))?.as_ref(),
    );
    Ok((key, hash))
}

/// The pepper in a file, made on first use.
pub(super) fn peppered(
    path: Option<&Path>,
    keys: Option<&Path>,
) -> Result<Option<Pepper>, Refusal> {
    let Some(path) = path else {
        return Ok(None);
    };
    let (secret, _made) = store::secret(path, keys)?;
    Ok(Pepper::new(secret.expose().as_bytes()))
}

fn bind(entry: &mut KeyEntry, args: &BoundArgs, now: Timestamp) -> Result<(), Refusal> {
    let BoundArgs {
        models,
        providers,
        paths,
        ips,
        hours,
        not_before,
        expires_at,
        rate,
        burst,
        tokens,
        concurrent,
        metadata,
    } = args.clone();
    entry.models = models;
    entry.providers = providers;
    entry.paths = paths;
    entry.ips = ips;
    entry.hours = hours;
    entry.not_before = time(not_before, now)?;
    entry.expires_at = time(expires_at, now)?;
    entry.rate = rate;
    entry.burst = burst;
    entry.tokens = tokens;
    entry.concurrent = concurrent;
    let mut notes = BTreeMap::new();
    for note in metadata {
        let (name, text) = note.split_once('=').ok_or_else(|| {
            Refusal::unusable("--metadata: is not NAME=TEXT; write such as team=search")
        })?;
        notes.insert(name.to_owned(), text.to_owned());
    }
    entry.metadata = (!notes.is_empty()).then_some(notes);
    Ok(())
}

/// A time as it is written into the file. So long from now becomes the moment that it is; what is
/// no time at all is refused with the rest of the entry.
fn time(text: Option<String>, now: Timestamp) -> Result<Option<String>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    match text.parse::<Span>() {
        Ok(span) => Ok(Some(later(now, span.get())?.to_string())),
        Err(_) => Ok(Some(text)),
    }
}

fn overlap(text: &str) -> Result<Duration, Refusal> {
    let none = ["0", "0s", "0m", "0h", "0d"].contains(&text);
    if none {
        return Ok(Duration::ZERO);
    }
    let span: Result<Span, _> = text.parse();
    span.map(Span::get)
        .map_err(|fault| Refusal::unusable(format!("--overlap: {fault}")))
}

/// The moment so much later.
pub(super) fn later(now: Timestamp, wait: Duration) -> Result<Timestamp, Refusal> {
    now.checked_add(wait)
        .map_err(|_end| Refusal::unusable("that lies beyond the end of time"))
}

/// Now, in whole seconds.
pub(super) fn now() -> Timestamp {
    at(clock::unix()).unwrap_or_default()
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or_default()
}

/// The moment so many seconds after 1970 began.
fn at(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// A moment in a file's name.
fn stamp(at: Timestamp) -> String {
    at.to_string().replace(['-', ':'], "")
}

fn unknown(id: &str, store: &Store) -> Refusal {
    Refusal::unusable(format!(
        "{}: no key has the id `{}`; `portcullis keys list` shows all",
        store.shown(),
        id.escape_default()
    ))
}

fn save(store: &Store, book: &KeyBook, streams: &mut Streams<'_>) -> Result<(), Refusal> {
    store.replace(&book.text())?;
    if store.mode.is_some_and(|mode| mode & OTHERS != 0) {
        let shown = store.shown();
        writeln!(
            streams.err,
            "{shown} was open to anyone on this machine; it no longer is (mode 0600)."
        )?;
    }
    Ok(())
}

/// Says so where a key was made whose entry has expired: it is legal, and hardly what was meant.
fn tell_if_over(
    id: &str,
    end: Option<&str>,
    now: Timestamp,
    streams: &mut Streams<'_>,
) -> Result<(), Refusal> {
    if let Some(end) = end
        && moment(end).is_some_and(|end| end <= seconds(now))
    {
        writeln!(
            streams.err,
            "Mind: `{id}` expired at {end}; its key opens nothing."
        )?;
    }
    Ok(())
}

/// Prints a key, once.
fn show(
    args: &FileArgs,
    key: &Secret,
    answer: &Value,
    streams: &mut Streams<'_>,
) -> Result<(), Refusal> {
    match args.format {
        Format::Json => writeln!(streams.out, "{answer}")?,
        Format::Text => writeln!(streams.out, "{}", key.expose())?,
    }
    Ok(())
}

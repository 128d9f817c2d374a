//! `portcullis keys token`: a token that ends by itself, for people and programs that need one now.
//!
//! Decides what it says; `identify::token` signs it. The secret lies beside the keys file, where a
//! gateway that names that keys file finds it too.

use std::path::PathBuf;

use serde_json::json;

use super::args::TokenArgs;
use super::{Format, Refusal, Streams, change, store, token_secret_beside};
use crate::identify::token::{self, Claims};
use crate::policy::units::Span;
use crate::runtime::clock;

/// The longest that a gateway takes unless told otherwise.
const USUAL_MAX_TTL: u64 = 86_400;
/// The scopes that mean something here.
const KNOWN: [&str; 6] = [
    "model:",
    "models:",
    "provider:",
    "providers:",
    "path:",
    "paths:",
];

/// Prints a token.
pub(super) fn run(args: &TokenArgs, streams: &mut Streams<'_>) -> Result<(), Refusal> {
    let ttl: Span = args
        .ttl
        .parse()
        .map_err(|fault| Refusal::unusable(format!("--ttl: {fault}")))?;
    let scope: Vec<String> = args
        .scope
        .iter()
        .filter(|scope| !scope.is_empty())
        .cloned()
        .collect();
    check(args, &scope, streams)?;
    let path = args
        .secret
        .clone()
        .unwrap_or_else(|| token_secret_beside(&args.file.keys));
    let (secret, made) = store::secret(&path, Some(&args.file.keys))?;
    let mut random = [0_u8; 16];
    store::fill(&mut random)?;
    let id = store::hex(&random);
    let now = clock::unix();
    let seconds = ttl.get().as_secs().max(1);
    let claims = Claims {
        subject: args.subject.as_deref().unwrap_or(&id),
        id: &id,
        role: args.role,
        scope: &scope,
        issued_at: now,
        expires_at: now.saturating_add(seconds),
    };
    let token = token::sign(secret.expose().as_bytes(), &claims);
    match args.file.format {
        Format::Json => {
            let answer = json!({
                "token": token.expose(),
                "token_type": "Bearer",
                "id": format!("jwt:{}", claims.subject),
                "role": args.role.as_str(),
                "scope": scope.join(" "),
                "expires_in": seconds,
                "expires_at": change::later(change::now(), ttl.get())?.to_string(),
                "secret_file": path.display().to_string(),
            });
            writeln!(streams.out, "{answer}")?;
        }
        Format::Text => writeln!(streams.out, "{}", token.expose())?,
    }
    remark(made.then_some(&path), seconds, streams)
}

/// What the bearer had better know.
fn remark(made: Option<&PathBuf>, seconds: u64, streams: &mut Streams<'_>) -> Result<(), Refusal> {
    if let Some(path) = made {
        writeln!(
            streams.err,
            "portcullis: made {}; a gateway that runs takes tokens after a reload (systemctl \
             reload portcullis, or SIGHUP)",
            path.display()
        )?;
    }
    if seconds > USUAL_MAX_TTL {
        writeln!(
            streams.err,
            "portcullis: a gateway refuses tokens that live longer than its auth.tokens.max_ttl \
             (24h if not set)"
        )?;
    }
    Ok(())
}

fn check(args: &TokenArgs, scope: &[String], streams: &mut Streams<'_>) -> Result<(), Refusal> {
    if let Some(subject) = &args.subject {
        let id = format!("jwt:{subject}").parse::<crate::policy::names::KeyId>();
        id.map_err(|fault| Refusal::unusable(format!("--subject: {fault}")))?;
    }
    for scope in scope {
        let known = KNOWN.iter().find_map(|kind| scope.strip_prefix(kind));
        match known.map(str::parse::<crate::route::pattern::Pattern>) {
            Some(Ok(_)) => {}
            Some(Err(fault)) => {
                let shown = scope.escape_default();
                return Err(Refusal::unusable(format!("--scope {shown}: {fault}")));
            }
            None => writeln!(
                streams.err,
                "portcullis: --scope {} limits nothing here; write model:GLOB, provider:GLOB or \
                 path:GLOB to limit the token",
                scope.escape_default()
            )?,
        }
    }
    Ok(())
}

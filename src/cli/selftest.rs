//! `portcullis selftest`: one harmless, marked probe for each control of a running gateway.
//!
//! Decides the exit code: 0 where all that should act did, 1 where one did not, 2 where the gateway
//! can't be tried. The probes are `runtime::selftest`'s, which a gateway can run on itself too.

use std::io::{self, Write};
use std::sync::atomic::AtomicU32;

use clap::Args;
use serde_json::Value;

use super::asking::{self, AskArgs, Asked};
use super::check::Format;
use crate::identify::keys;
use crate::runtime::selftest::{self, Bench, Known, Outcome, State, Tried};

/// Arguments of `portcullis selftest`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Outcomes: acted; did_not; not_configured; cannot_tell. Exit code: 0 if no \
                  control did not act, 1 if one did not, 2 if the gateway can't be tried.\nWith a \
                  key of the role admin or system, from an address in `auth.internal_allow`, the \
                  configuration is taken into account; without it everything is expected to be on, \
                  as it is by default. Probes leave lines and alerts behind like any request; \
                  their request ids begin with selftest-."
)]
pub(super) struct SelftestArgs {
    #[command(flatten)]
    ask: AskArgs,
    /// A model that an embedded provider (api: echo) serves, for probes of answers; found out
    /// where the key may see the configuration. Another provider's would be called and may bill
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// One of the configured canaries, which the gateway shows to nobody
    #[arg(long, value_name = "TEXT")]
    canary: Option<String>,
    /// Don't use the rate limit up
    #[arg(long)]
    no_burst: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Tries a gateway and says what came of it; the answer is the exit code.
pub(super) fn run(args: &SelftestArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let tried = args.ask.asked().and_then(|asked| tried(args, asked));
    let (at, tried) = match tried {
        Ok(tried) => tried,
        Err(fault) => {
            writeln!(err, "portcullis selftest: {fault}")?;
            return Ok(2);
        }
    };
    match args.format {
        Format::Json => {
            let mut told = selftest::json(&tried);
            if let Some(told) = told.as_object_mut() {
                told.insert("url".to_owned(), Value::from(at));
            }
            writeln!(out, "{told:#}")?;
        }
        Format::Text => text(&at, &tried, out)?,
    }
    Ok(u8::from(selftest::count(&tried, Outcome::DidNot) > 0))
}

fn tried(args: &SelftestArgs, asked: Asked) -> Result<(String, Vec<Tried>), String> {
    let mut random = [0_u8; 36];
    getrandom::fill(&mut random)
        .map_err(|error| format!("the system gives no random bits: {error}"))?;
    let (of_key, mark) = random.split_at(32);
    let mark = selftest::hex(mark);
    let wrong_key = of_key
        .try_into()
        .ok()
        .map(|of_key: &[u8; 32]| keys::mint(of_key));
    let at = asked.at.to_string();
    asking::converse(async {
        let mut bench = Bench {
            to: asked.at,
            key: asked.key,
            outgoing: &asked.outgoing,
            known: Known::default(),
            model: args.model.clone(),
            canary: args.canary.clone(),
            mark: format!("selftest-{mark}-"),
            wrong_key,
            sent: AtomicU32::new(0),
            state: State::default(),
        };
        Box::pin(selftest::opens(&bench))
            .await
            .map_err(|fault| format!("{at}: {fault}"))?;
        if let Some(config) = Box::pin(bench.configuration()).await {
            bench.known = Known::of(config);
            bench.model = bench.model.take().or_else(|| bench.known.embedded_model());
        }
        let tried = Box::pin(selftest::run(&bench, !args.no_burst)).await;
        Ok((at.clone(), tried))
    })?
}

fn text(at: &str, tried: &[Tried], out: &mut dyn Write) -> io::Result<()> {
    for one in tried {
        let outcome = one.outcome.as_str();
        writeln!(out, "{outcome:<14}  {:<20}  {}", one.control, one.detail)?;
    }
    let of = |outcome| selftest::count(tried, outcome);
    writeln!(
        out,
        "\n{at}: {} acted, {} did not, {} not configured, {} can't be told",
        of(Outcome::Acted),
        of(Outcome::DidNot),
        of(Outcome::NotConfigured),
        of(Outcome::CannotTell),
    )
}

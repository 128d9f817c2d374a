//! Questions of the command line to a running gateway.
//!
//! Decides how the key comes in (an argument, or better a variable: arguments show in the list of
//! processes) and whom it is sent to. It never sends a key over http to another machine without
//! being told to, and never shows one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::{self, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use crate::policy::secret::Secret;
use crate::policy::web::WebAddress;
use crate::runtime::outgoing::{Body, Bounds, Call, Outgoing};

/// The variable that a key may come in.
const VARIABLE: &str = "PORTCULLIS_KEY";
/// For one question, and its answer.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(15),
    body: 4 * 1024 * 1024,
};

/// Which gateway is asked, and with which key.
#[derive(Clone, Args)]
pub(super) struct AskArgs {
    /// The running gateway that is asked, such as <http://127.0.0.1:8080>
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The key that it is asked with; better in the variable `PORTCULLIS_KEY`, because arguments
    /// show in the list of processes
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,
    /// Certificates of the authorities that are believed, as PEM; by default the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// Send the key over http to another machine too
    #[arg(long)]
    pub(super) insecure_http: bool,
}

impl std::fmt::Debug for AskArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AskArgs")
            .field("url", &self.url.is_some())
            .field("key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

/// A gateway that can be asked.
pub(super) struct Asked {
    pub(super) at: WebAddress,
    pub(super) key: Option<Secret>,
    pub(super) outgoing: Outgoing,
}

impl AskArgs {
    /// Who is asked, with which key.
    ///
    /// # Errors
    /// No usable address or authorities, or a key that would go in the clear; in words.
    pub(super) fn asked(&self) -> Result<Asked, String> {
        let url = self
            .url
            .as_deref()
            .ok_or("name the gateway with --url URL")?;
        let at: WebAddress = url
            .parse()
            .map_err(|fault| format!("--url {fault}; write one such as http://127.0.0.1:8080"))?;
        let of_environment = || std::env::var(VARIABLE).ok();
        let key = self.key.clone().or_else(of_environment);
        let key = key.filter(|key| !key.is_empty()).map(Secret::new);
        if key.is_some() && !at.tls() && !at.is_loopback() && !self.insecure_http {
            return Err(format!(
                "the key would go to {at} in the clear; use https, or say --insecure-http"
            ));
        }
        let outgoing = match &self.ca_file {
            None => Outgoing::new(),
            Some(file) => Outgoing::trusting(&authorities(file)?),
        };
        Ok(Asked { at, key, outgoing })
    }
}

fn authorities(file: &Path) -> Result<Vec<Vec<u8>>, String> {
    let shown = file.display();
    let fault = |problem: &str| format!("--ca-file {shown}: {problem}; name a PEM file");
    let bytes = std::fs::read(file).map_err(|error| fault(&format!("can't be read: {error}")))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|_error| fault("holds no certificates that can be read"))?;
    if found.is_empty() {
        return Err(fault("holds no certificate"));
    }
    Ok(found.iter().map(|one| one.as_ref().to_vec()).collect())
}

/// Runs a conversation to its end.
///
/// # Errors
/// No runtime can be made; in words.
pub(super) fn converse<T>(conversation: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime can be made: {error}"))?;
    let outcome = runtime.block_on(conversation);
    runtime.shutdown_background();
    Ok(outcome)
}

/// What a gateway answers to a GET.
///
/// # Errors
/// It can't be asked, or answers with anything but JSON and 200; in words.
pub(super) fn get(args: &AskArgs, path: &str) -> Result<Value, String> {
    let asked = args.asked()?;
    let mut fields = Vec::new();
    if let Some(key) = &asked.key {
        let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose()))
            .map_err(|_error| "the key holds characters that no header can carry")?;
        value.set_sensitive(true);
        fields.push((header::AUTHORIZATION, value));
    }
    let call = Call {
        method: "GET",
        fields,
        body: Body::Whole(Bytes::new()),
    };
    let to = asked.at.at(path);
    let reply = converse(asked.outgoing.send(&to, &call, BOUNDS))?
        .map_err(|fault| format!("{to}: {fault}"))?;
    let hint = match reply.status {
        200 => return Ok(reply.json()),
        401 => format!("give a key with --key or {VARIABLE}"),
        403 => "the key's role must be read_only, admin or system".to_owned(),
        404 => "this address must be in `auth.internal_allow` there".to_owned(),
        _ => "is it a gateway of this version?".to_owned(),
    };
    Err(format!("{to}{path} answers {}; {hint}", reply.status))
}

//! The one parse step from the raw configuration to the policy.
//!
//! Decides whether what is written makes sense, and collects everything that does not. Each part
//! answers `None` where a fault was noted, so that a policy can only come of a faultless
//! configuration. It reads no file and no variable except through the resolver it is handed.

mod alerts;
mod answer;
mod auth;
mod care;
mod certificates;
mod inspection;
mod limits;
mod routes;
mod server;
mod telemetry;
mod tls;
mod tokens;
mod upstream;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::IpNet;

use super::env::{Environment, EnvironmentKey};
use super::fault::{self, Fault, Place, quoted};
use super::fingerprint;
use super::lint::{Finding, Severity};
use super::locate::Places;
use super::path::KeyPath;
use super::raw::{RawBodyMode, RawConfig, SecretText, SizeText, SpanText};
use super::reference::{self, Origin};
use super::view;
use super::{FileContent, Resolve, SourceInfo, Unreadable};
use crate::policy::secret::Secret;
use crate::policy::units::{ByteLimit, Span, UnitFault};
use crate::policy::{Auth, AuthMode, BodyMode, Policy, RequestReading};

/// The state of one compilation: what it may look at, and what it has found.
pub(super) struct Compiler<'a> {
    source: &'a SourceInfo,
    resolver: &'a dyn Resolve,
    places: &'a Places,
    origins: Vec<(&'static str, &'static str)>,
    environment_keys: Vec<EnvironmentKey>,
    internal_docs: bool,
    faults: Vec<Fault>,
    findings: Vec<Finding>,
    /// What secrets and files are compared by, by the key that refers to them.
    digests: BTreeMap<String, String>,
}

impl<'a> Compiler<'a> {
    /// A compiler that starts with the faults found so far.
    pub(super) fn new(
        source: &'a SourceInfo,
        resolver: &'a dyn Resolve,
        places: &'a Places,
        mut faults: Vec<Fault>,
        environment: Environment,
    ) -> Self {
        let Environment {
            origins,
            keys,
            internal_docs,
            faults: of_environment,
        } = environment;
        faults.extend(of_environment);
        Self {
            source,
            resolver,
            places,
            origins,
            environment_keys: keys,
            internal_docs,
            faults,
            findings: Vec::new(),
            digests: BTreeMap::new(),
        }
    }

    /// All faults, in the order of the file, the findings that only the compiler can see, and the
    /// digests of what the configuration refers to.
    pub(super) fn into_parts(mut self) -> (Vec<Fault>, Vec<Finding>, BTreeMap<String, String>) {
        self.faults.sort_by_key(|fault| match &fault.place {
            Place::Variable { .. } => (2, 0),
            Place::File { file, line, .. } if *file == self.source.file => {
                (0, line.unwrap_or_default())
            }
            Place::File { line, .. } => (1, line.unwrap_or_default()),
        });
        (self.faults, self.findings, self.digests)
    }

    /// Compiles everything.
    pub(super) fn policy(&mut self, raw: &RawConfig) -> Option<Policy> {
        let listeners = self.listeners(&raw.server);
        let head = self.head(&raw.server);
        let trusted_proxies = self.networks("server.trusted_proxies", &raw.server.trusted_proxies);
        let timeouts = self.client_timeouts(&raw.server);
        let connections = self.connections(&raw.server);
        let drain = self.drain(&raw.server);
        let auth = self.auth(&raw.auth, listeners.as_deref());
        let sizes = self.sizes(&raw.size_limits);
        let security_headers = self.security_headers(&raw.security_headers);
        let providers = self.providers(&raw.providers);
        let bytes_in_flight = self.bytes_in_flight(&raw.server, sizes.as_ref());
        let routes = self.routes(&raw.routes, &raw.providers);
        let logging = self.logging(&raw.logging);
        let operations = self.operations(raw);
        let telemetry = self.telemetry(&raw.telemetry);
        let request = self.request_reading(raw);
        let inspection = self.inspection(raw);
        let is_development = |auth: &Auth| auth.mode == AuthMode::Development;
        let development = auth.as_ref().is_some_and(|(auth, _)| is_development(auth));
        let limits = self.limits(&raw.rate_limits, &raw.settings, development);
        let store = self.store(&raw.rate_limits);
        let (auth, key_lines) = auth?;
        let (inspection, inspector, own) = inspection?;
        let answers = self.answers(raw, &inspection, own);
        let cors = self.cors(&raw.cors);
        let (response, response_inspector, answers) = answers?;
        let mut policy = Policy {
            hash: "".into(),
            listeners: listeners?,
            workers: (raw.server.workers > 0).then(|| usize::from(raw.server.workers)),
            watch: raw.server.watch,
            trusted_proxies: trusted_proxies?,
            timeouts: timeouts?,
            connections: connections?,
            head: head?,
            drain: drain?,
            auth,
            sizes: sizes?,
            limits: limits?,
            store: store?,
            bytes_in_flight: bytes_in_flight?,
            request: request?,
            inspection,
            inspector,
            response,
            response_inspector,
            answers,
            cors: cors?,
            security_headers: security_headers?,
            providers: providers?,
            routes: routes?,
            endpoint_orders: Vec::new(),
            logging: logging?,
            operations: operations?,
            telemetry: telemetry.ok()?,
            internal_docs: self.internal_docs,
        };
        policy.hash = fingerprint::of(&policy, &key_lines);
        Some(policy)
    }

    fn request_reading(&mut self, raw: &RawConfig) -> Option<RequestReading> {
        let request = &raw.inspection.request;
        let mode = match request.mode {
            RawBodyMode::Hold => BodyMode::Hold,
            RawBodyMode::Stream => {
                let first = raw.routes.first();
                if !first.is_some_and(|route| route.models.iter().any(|model| model == "*")) {
                    self.fault(
                        &KeyPath::of("inspection.request.mode"),
                        "stream sends a body on before its model is known, so one route must \
                         serve all models",
                        "write hold, or make `models: [\"*\"]` the first route",
                    );
                    return None;
                }
                BodyMode::Stream
            }
        };
        Some(RequestReading {
            mode,
            max_json_depth: usize::from(request.max_json_depth),
        })
    }

    /// Notes a fault: at the variable that set the key, or at the key's line.
    fn fault(&mut self, at: &KeyPath, problem: impl Into<String>, remedy: impl Into<String>) {
        let key = at.to_string();
        let origin = self.origins.iter().find(|(path, _)| *path == key);
        let mut fault = self.places.fault(at, problem, remedy);
        if let Some((_, variable)) = origin {
            fault.place = Place::Variable {
                variable: (*variable).to_owned(),
            };
        }
        self.faults.push(fault);
    }

    /// Notes what is legal and insecure.
    fn finding(
        &mut self,
        id: &'static str,
        severity: Severity,
        key: &(impl ToString + ?Sized),
        advice: impl Into<String>,
    ) {
        self.findings.push(Finding {
            id,
            severity,
            key: key.to_string(),
            advice: advice.into(),
        });
    }

    fn span(&mut self, at: &KeyPath, text: &SpanText) -> Option<Span> {
        self.quantity(at, text.as_str())
    }

    fn size(&mut self, at: &KeyPath, text: &SizeText) -> Option<ByteLimit> {
        self.quantity(at, text.as_str())
    }

    fn quantity<T: FromStr<Err = UnitFault>>(&mut self, at: &KeyPath, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let (problem, remedy) = fault::quantity(text, &error);
                self.fault(at, problem, remedy);
                None
            }
        }
    }

    /// Addresses and networks.
    fn networks(&mut self, key: &str, texts: &[String]) -> Option<Vec<IpNet>> {
        let at = KeyPath::of(key);
        let mut networks = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let network = text.parse::<IpNet>().ok();
            let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            match network {
                Some(network) => networks.push(network),
                None => self.fault(
                    &at.index(index),
                    format!("{} is not an address or a network", quoted(text)),
                    "write one such as 10.0.0.0/8, 192.0.2.7 or \"::1/128\"",
                ),
            }
        }
        (networks.len() == texts.len()).then_some(networks)
    }

    /// Follows a secret; a literal one and an open file are findings.
    fn secret(&mut self, at: &KeyPath, text: &SecretText) -> Option<Secret> {
        let found = self.followed(at, text)?;
        match &found.origin {
            Origin::Variable => {}
            Origin::Literal => {
                let open = self.source.mode.is_some_and(open_to_all);
                let advice = "the secret stands in the configuration itself; write ${NAME} or \
                              file:PATH";
                if open {
                    let advice = format!("{advice}, and chmod 600 the file, which anyone can read");
                    self.finding("literal_secret_readable", Severity::High, at, advice);
                } else {
                    self.finding("literal_secret", Severity::Medium, at, advice);
                }
            }
            Origin::File(path, mode) => {
                if mode.is_some_and(open_to_all) {
                    let advice = format!("anyone can read {}; chmod 600 it", path.display());
                    self.finding("secret_file_readable", Severity::High, at, advice);
                }
            }
        }
        Some(found.secret)
    }

    /// What a text that may be a secret stands for, remembered by its digest alone.
    fn followed(&mut self, at: &KeyPath, text: &SecretText) -> Option<reference::Found> {
        match reference::follow(text.expose(), &self.source.base, self.resolver) {
            Ok(found) => {
                let compared = view::compared(found.secret.expose().as_bytes());
                self.digests.insert(at.to_string(), compared);
                Some(found)
            }
            Err((problem, remedy)) => {
                self.fault(at, problem, remedy);
                None
            }
        }
    }

    /// A path, from the configuration's directory if it is relative.
    fn path(&self, text: &str) -> PathBuf {
        self.source.base.join(Path::new(text))
    }

    /// The content of a file that must be there.
    fn content(&mut self, at: &KeyPath, path: &Path) -> Option<FileContent> {
        match self.resolver.read(path) {
            Ok(content) => {
                let compared = view::compared(&content.bytes);
                self.digests.insert(at.to_string(), compared);
                self.writable(at, path, content.mode);
                Some(content)
            }
            Err(unreadable) => {
                self.unreadable(at, path, unreadable);
                None
            }
        }
    }

    /// Notes a file that any user of this machine may write into.
    fn writable(&mut self, at: &(impl ToString + ?Sized), path: &Path, mode: Option<u32>) {
        if mode.is_some_and(|mode| mode & 0o002 != 0) {
            let shown = path.display();
            let advice = format!("anyone on this machine can change {shown}; chmod o-w it");
            self.finding("file_writable", Severity::High, at, advice);
        }
    }

    /// Notes that a file can't be read.
    fn unreadable(&mut self, at: &KeyPath, path: &Path, unreadable: Unreadable) {
        let shown = path.display();
        match unreadable {
            Unreadable::Missing => self.fault(
                at,
                format!("the file {shown} does not exist"),
                "create it, or correct the path (it starts from the configuration's directory)",
            ),
            Unreadable::Failed(reason) => self.fault(
                at,
                format!("the file {shown} can't be read: {reason}"),
                "let the user that runs portcullis read it",
            ),
        }
    }
}

/// Whether users who are neither the owner nor of the group may read or write a file.
fn open_to_all(mode: u32) -> bool {
    mode & 0o006 != 0
}

/// Whether a text may stand in a header as a credential: visible ASCII and nothing else.
fn fits_header(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest && text.bytes().all(|b| b.is_ascii_graphic())
}

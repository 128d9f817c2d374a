//! Who is told of alerts, and how the gateway tries its own controls.
//!
//! Decides nothing: these are the values that `config::compile` makes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::names::ModelName;
use super::secret::Secret;
use super::web::WebAddress;
use crate::record::event::Severity;

/// What the gateway does for its operators.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operations {
    /// Who is told of alerts.
    pub webhook: Option<Webhook>,
    /// How the gateway tries its own controls; none: it does not.
    pub selftest: Option<Selftest>,
    /// Where what must survive a restart is kept; none: nowhere.
    pub state_dir: Option<PathBuf>,
}

/// Where alerts are posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Who takes them.
    pub address: WebAddress,
    /// The least severity that is posted.
    pub min_severity: Severity,
    /// What posts are signed with; none: they are not.
    pub secret: Option<Secret>,
}

/// How the gateway tries its own controls.
#[derive(Clone, PartialEq, Eq)]
pub struct Selftest {
    /// How often.
    pub every: Duration,
    /// The key that it calls itself with.
    pub key: Secret,
    /// The model that it names; none: whichever the embedded provider serves.
    pub model: Option<ModelName>,
}

impl fmt::Debug for Selftest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selftest")
            .field("every", &self.every)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

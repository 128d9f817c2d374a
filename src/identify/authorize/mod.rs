//! What a caller may do: one function, asked by every stage with what is known by then.
//!
//! Decides, from a caller and what it asks for (path, model, provider, time; its address is
//! the caller's own), whether it may. Which methods a
//! path has is the same for all (`admit::target`). Everything that is not allowed is refused. It never looks at
//! limits and counters, and never at whether a thing exists: that is said only to those who may
//! ask.

use super::Caller;
use super::keys::Role;
use crate::policy::Denial;
use crate::record::endpoint::Endpoint;

/// What a caller asks for, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Which of the served paths.
    pub endpoint: Endpoint,
    /// The path itself.
    pub path: &'a str,
    /// When, in seconds since 1970.
    pub now: u64,
}

/// The model of a request.
#[derive(Debug, Clone, Copy)]
pub enum Model<'a> {
    /// The request names it.
    Named(&'a str),
    /// It can't be told: the caller must be good for all.
    Untold,
}

impl<'a> From<Option<&'a str>> for Model<'a> {
    fn from(model: Option<&'a str>) -> Self {
        model.map_or(Self::Untold, Self::Named)
    }
}

/// Whether the caller may do this at all: its role, and its key's paths, networks and hours.
///
/// # Errors
/// It may not.
pub fn authorize(caller: &Caller, wish: &Wish<'_>) -> Result<(), Denial> {
    let bounded = caller.bounds().is_none_or(|bounds| {
        bounds.allows_path(wish.path)
            && bounds.allows_address(caller.address())
            && bounds.allows_time(wish.now)
    });
    if bounded && permits(caller.role(), wish.endpoint) {
        Ok(())
    } else {
        Err(Denial::PermissionDenied)
    }
}

/// Whether the caller may use this model.
///
/// # Errors
/// It may not.
pub fn model(caller: &Caller, model: Model<'_>) -> Result<(), Denial> {
    let allowed = caller.bounds().is_none_or(|bounds| match model {
        Model::Named(name) => bounds.allows_model(name),
        Model::Untold => bounds.allows_every_model(),
    });
    if allowed {
        Ok(())
    } else {
        Err(Denial::ModelNotAllowed)
    }
}

/// Whether the caller may use this provider.
///
/// # Errors
/// It may not.
pub fn provider(caller: &Caller, name: &str) -> Result<(), Denial> {
    let allowed = caller
        .bounds()
        .is_none_or(|bounds| bounds.allows_provider(name));
    if allowed {
        Ok(())
    } else {
        Err(Denial::PermissionDenied)
    }
}

/// What the role may do. Below `/internal/` each row of `internal::routes` has roles of its own,
/// which are asked for right after this.
const fn permits(role: Role, endpoint: Endpoint) -> bool {
    match endpoint {
        Endpoint::Health
        | Endpoint::Ready
        | Endpoint::Models
        | Endpoint::V1Health
        | Endpoint::Internal => true,
        Endpoint::Metrics => matches!(role, Role::ReadOnly | Role::Admin | Role::System),
        Endpoint::ChatCompletions
        | Endpoint::Completions
        | Endpoint::Responses
        | Endpoint::Embeddings
        | Endpoint::Moderations
        | Endpoint::Messages
        | Endpoint::Audio
        | Endpoint::Files
        | Endpoint::Images => matches!(role, Role::Standard | Role::Admin),
        Endpoint::Other => false,
    }
}

#[cfg(test)]
mod tests;

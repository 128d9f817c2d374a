//! What there is below `/internal/`: one row a method of a path.
//!
//! Decides which row a request asks for, and who may. Paths are matched as they were sent; only
//! where a row says so is the last segment free. It never looks at a body.

use http::Method;

use super::ask::{Ask, Fields};
use super::{blocks, canary, emergency, monitoring, pages, providers, settings, streams, subjects};
use crate::identify::keys::Role;
use crate::policy::Denial;
use crate::proxy::Answer;

/// Who may use a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// `read_only`, `admin` and `system`: to look.
    Look,
    /// `admin` and `system`: to act, and to see the configuration.
    Act,
    /// `admin` alone: what is told of people, and pages for them.
    Admin,
}

impl Access {
    const fn permits(self, role: Role) -> bool {
        match (self, role) {
            (Self::Look | Self::Act | Self::Admin, Role::Admin)
            | (Self::Look, Role::ReadOnly | Role::System)
            | (Self::Act, Role::System) => true,
            (Self::Act, Role::ReadOnly)
            | (Self::Admin, Role::ReadOnly | Role::System)
            | (Self::Look | Self::Act | Self::Admin, Role::Standard) => false,
        }
    }
}

/// What answers a row.
pub(crate) type Handler = fn(&Ask, Fields) -> Result<Answer, Denial>;

/// How a handler may run.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// At once, on a worker: it touches memory alone.
    Quick(Handler),
    /// On a thread of its own: it compiles, reads files or writes them.
    Slow(Handler),
}

/// One method of one path.
pub(crate) struct Row {
    pub(crate) method: Method,
    /// The path; a `*` at its end stands for one segment.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) work: Work,
}

const fn get(path: &'static str, access: Access, work: Work) -> Row {
    Row {
        method: Method::GET,
        path,
        access,
        work,
    }
}

const fn post(path: &'static str, handler: Handler) -> Row {
    Row {
        method: Method::POST,
        path,
        access: Access::Act,
        work: Work::Slow(handler),
    }
}

/// The table.
pub(crate) const ROWS: &[Row] = &[
    get(
        "/internal/monitoring",
        Access::Look,
        Work::Quick(monitoring::index),
    ),
    get(
        "/internal/monitoring/",
        Access::Look,
        Work::Quick(monitoring::index),
    ),
    get(
        "/internal/monitoring/rate-limiting",
        Access::Look,
        Work::Quick(monitoring::rate_limiting),
    ),
    get(
        "/internal/monitoring/request-size",
        Access::Look,
        Work::Quick(monitoring::request_size),
    ),
    get(
        "/internal/monitoring/security-metrics",
        Access::Look,
        Work::Quick(monitoring::metrics),
    ),
    get(
        "/internal/monitoring/anomalies",
        Access::Look,
        Work::Quick(monitoring::anomalies),
    ),
    get(
        "/internal/monitoring/security-status",
        Access::Look,
        Work::Quick(monitoring::status),
    ),
    get(
        "/internal/monitoring/alerts",
        Access::Look,
        Work::Quick(monitoring::alerts),
    ),
    get(
        "/internal/monitoring/events",
        Access::Look,
        Work::Quick(monitoring::recent),
    ),
    get(
        "/internal/monitoring/auth-status",
        Access::Look,
        Work::Quick(monitoring::auth),
    ),
    get(
        "/internal/monitoring/security-health",
        Access::Look,
        Work::Quick(monitoring::health),
    ),
    get(
        "/internal/monitoring/api-key-stats",
        Access::Look,
        Work::Quick(monitoring::keys),
    ),
    get(
        "/internal/monitoring/providers",
        Access::Look,
        Work::Quick(providers::show),
    ),
    get(
        "/internal/security/validate-config",
        Access::Act,
        Work::Quick(settings::validate),
    ),
    get(
        "/internal/audit/subjects/*",
        Access::Admin,
        Work::Slow(subjects::access),
    ),
    Row {
        method: Method::DELETE,
        path: "/internal/audit/subjects/*",
        access: Access::Admin,
        work: Work::Slow(subjects::erase),
    },
    get("/internal/config", Access::Act, Work::Quick(settings::show)),
    post("/internal/config/reload", settings::reload),
    get(
        "/internal/config/canary",
        Access::Look,
        Work::Quick(canary::show),
    ),
    Row {
        method: Method::DELETE,
        path: "/internal/config/canary",
        access: Access::Act,
        work: Work::Slow(canary::cancel),
    },
    post("/internal/config/canary/promote", canary::promote),
    get(
        "/internal/security/measures",
        Access::Look,
        Work::Quick(emergency::list),
    ),
    Row {
        method: Method::DELETE,
        path: "/internal/security/measures/*",
        access: Access::Act,
        work: Work::Slow(emergency::undo),
    },
    get(
        "/internal/security/blocks",
        Access::Look,
        Work::Quick(blocks::list),
    ),
    post("/internal/security/block-ip", blocks::block),
    post("/internal/security/unblock-ip", blocks::unblock),
    post("/internal/middleware/rate-limiting/block-ip", blocks::block),
    post("/internal/providers/order", providers::order),
    post("/internal/security/terminate-streams", streams::terminate),
    post("/internal/security/reset-config", emergency::reset),
    post("/internal/security/emergency-mode", emergency::mode),
    post("/internal/security/emergency-rate-limit", emergency::rates),
    post(
        "/internal/middleware/rate-limiting/emergency-mode",
        emergency::rates,
    ),
    post(
        "/internal/security/enhance-sanitization",
        emergency::sanitization,
    ),
    post(
        "/internal/middleware/request-size/emergency-limits",
        emergency::sizes,
    ),
    post(
        "/internal/middleware/security/emergency-headers",
        emergency::headers,
    ),
    get(
        "/internal/dashboard",
        Access::Admin,
        Work::Quick(pages::dashboard),
    ),
    get("/internal/docs", Access::Admin, Work::Quick(pages::docs)),
    get(
        "/internal/openapi.json",
        Access::Admin,
        Work::Quick(pages::openapi),
    ),
];

/// The row that a request asks for.
///
/// # Errors
/// Nothing is there (404), or not by this method (405).
pub(crate) fn find(method: &Method, path: &str) -> Result<&'static Row, Denial> {
    // What answers GET answers HEAD, without the body.
    let wanted = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let mut allowed = [false; 3];
    for row in ROWS.iter().filter(|row| matches(row.path, path)) {
        if row.method == *wanted {
            return Ok(row);
        }
        for (flag, method) in allowed
            .iter_mut()
            .zip([Method::GET, Method::POST, Method::DELETE])
        {
            *flag |= row.method == method;
        }
    }
    let allow = match allowed {
        [false, false, false] => return Err(Denial::NotFound),
        [true, false, false] => "GET, HEAD",
        [false, true, false] => "POST",
        [false, false, true] => "DELETE",
        [true, true, false] => "GET, HEAD, POST",
        [true, false, true] => "GET, HEAD, DELETE",
        [false, true, true] => "POST, DELETE",
        [true, true, true] => "GET, HEAD, POST, DELETE",
    };
    Err(Denial::MethodNotAllowed(allow))
}

/// Whether a caller may use the row.
///
/// # Errors
/// Its role is not among those of the row.
pub(crate) const fn permit(row: &Row, role: Role) -> Result<(), Denial> {
    if row.access.permits(role) {
        Ok(())
    } else {
        Err(Denial::PermissionDenied)
    }
}

/// The segment that a row leaves free.
pub(crate) fn free_segment<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let segment = path.strip_prefix(pattern.strip_suffix('*')?)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte);
    (!segment.is_empty() && segment.bytes().all(plain)).then_some(segment)
}

fn matches(pattern: &str, path: &str) -> bool {
    pattern == path || free_segment(pattern, path).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_by_its_methods_and_in_no_other_spelling() {
        for (method, path, expected) in [
            (Method::GET, "/internal/monitoring/", None),
            (Method::HEAD, "/internal/monitoring", None),
            (Method::POST, "/internal/monitoring", Some(405)),
            (Method::GET, "/internal/Monitoring", Some(404)),
            (Method::GET, "/internal//monitoring", Some(404)),
            (Method::GET, "/internal/monitoring/%61lerts", Some(404)),
            (Method::GET, "/internal", Some(404)),
            (
                Method::DELETE,
                "/internal/security/validate-config",
                Some(405),
            ),
        ] {
            let status = find(&method, path).err().map(|denial| denial.face().status);
            assert_eq!(status, expected, "{method} {path}");
        }
    }

    #[test]
    fn a_free_segment_is_one_plain_segment() {
        let pattern = "/internal/audit/subjects/*";
        for (path, expected) in [
            ("/internal/audit/subjects/alice", Some("alice")),
            ("/internal/audit/subjects/a@b.c", Some("a@b.c")),
            ("/internal/audit/subjects/", None),
            ("/internal/audit/subjects/a/b", None),
            ("/internal/audit/subjects/a%2fb", None),
        ] {
            assert_eq!(free_segment(pattern, path), expected, "{path}");
        }
    }

    #[test]
    fn no_row_is_there_twice_and_every_path_is_below_internal() {
        for (index, row) in ROWS.iter().enumerate() {
            assert!(row.path.starts_with("/internal/"), "{}", row.path);
            let twin = ROWS
                .iter()
                .skip(index + 1)
                .find(|other| other.path == row.path && other.method == row.method);
            assert!(twin.is_none(), "{} {} is there twice", row.method, row.path);
        }
    }

    #[test]
    fn standard_keys_have_no_business_here_and_readers_only_look() {
        for (access, role, permitted) in [
            (Access::Look, Role::ReadOnly, true),
            (Access::Look, Role::Standard, false),
            (Access::Look, Role::System, true),
            (Access::Act, Role::ReadOnly, false),
            (Access::Act, Role::Standard, false),
            (Access::Act, Role::Admin, true),
            (Access::Act, Role::System, true),
            (Access::Admin, Role::Admin, true),
            (Access::Admin, Role::System, false),
            (Access::Admin, Role::ReadOnly, false),
        ] {
            assert_eq!(access.permits(role), permitted, "{access:?} {role:?}");
        }
    }
}

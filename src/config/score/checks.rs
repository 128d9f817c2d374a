//! The checks of the score: how many points each has, and which findings cost some.
//!
//! Decides by one table. A finding that no check names costs the last one, so that a new finding
//! can't be forgotten.

use super::Area;

/// One check: what it is called, whose points it has, and which findings cost some.
pub(super) struct Check {
    pub(super) id: &'static str,
    pub(super) area: Area,
    pub(super) points: u32,
    pub(super) findings: &'static [&'static str],
}

const fn check(
    area: Area,
    id: &'static str,
    points: u32,
    findings: &'static [&'static str],
) -> Check {
    Check {
        id,
        area,
        points,
        findings,
    }
}

/// The last check takes every finding that no other names.
pub(super) const OTHERS: &str = "other_settings";

/// Without keys nothing else of authentication is worth a point.
pub(super) const OPEN: &str = "development_mode";

/// The table; the points of each area add up to its own.
pub(super) const CHECKS: [Check; 14] = [
    check(
        Area::Authentication,
        "keys_are_asked_for",
        15,
        &[OPEN, "no_keys"],
    ),
    check(
        Area::Authentication,
        "keys_are_strong_and_separate",
        9,
        &[
            "short_key",
            "weak_key",
            "key_shared_with_provider",
            "provider_key_shared",
            "short_token_secret",
            "token_rules_open",
        ],
    ),
    check(
        Area::Authentication,
        "secrets_are_kept",
        6,
        &[
            "literal_secret",
            "literal_secret_readable",
            "secret_file_readable",
            "private_key_readable",
            "file_writable",
        ],
    ),
    check(
        Area::Authentication,
        "guessing_is_held_up",
        5,
        &["brute_force_lax", "rate_limit_per_ip_off"],
    ),
    check(
        Area::Authentication,
        "operators_are_apart",
        5,
        &[
            "internal_allow_open",
            "internal_public",
            "trusted_proxies_open",
        ],
    ),
    check(
        Area::InputValidation,
        "attacks_on_models",
        9,
        &[
            "inspection_off",
            "prompt_injection_off",
            "prompt_injection_flag_only",
            "code_patterns_off",
            "web_attacks_off",
        ],
    ),
    check(
        Area::InputValidation,
        "secrets_and_personal_data_in_requests",
        8,
        &[
            "inspection_off",
            "request_secrets_off",
            "request_secrets_flag_only",
            "request_pii_off",
            "request_pii_flag_only",
        ],
    ),
    check(
        Area::InputValidation,
        "answers",
        6,
        &[
            "response_secrets_off",
            "response_secrets_flag_only",
            "response_pii_off",
            "response_pii_flag_only",
            "harmful_off",
            "strip_fields_empty",
            "tool_calls_live",
        ],
    ),
    check(
        Area::InputValidation,
        "bodies",
        7,
        &[
            "sanitization_off",
            "text_unlimited",
            "rules_disabled",
            "stream_mode",
            "large_json",
        ],
    ),
    check(
        Area::Configuration,
        "transport",
        10,
        &[
            "listener_without_tls",
            "provider_without_tls",
            "webhook_without_tls",
        ],
    ),
    check(
        Area::Configuration,
        "limits",
        8,
        &[
            "rate_limits_off",
            "rate_limit_per_key_off",
            "concurrency_unlimited",
            "violations_unblocked",
        ],
    ),
    check(
        Area::Configuration,
        "logs",
        5,
        &["secrets_unmasked", "debug_logging", "access_log_off"],
    ),
    check(
        Area::Configuration,
        "browsers",
        4,
        &["security_header_missing", "cors_any_origin"],
    ),
    check(Area::Configuration, OTHERS, 3, &[]),
];

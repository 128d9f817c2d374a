//! Inspections that are switched off, or that see and let pass.
//!
//! Decides by direction and family. What the defaults only flag (code, web attacks, harmful
//! content) is a finding where it is not even looked for.

use super::{Fixed, Severity};
use crate::policy::Policy;
use crate::policy::inspection::{Action, InspectionSettings, Sanitization};

/// How a family is handled, the finding where it is off, and where it only flags, if that is one.
type Row = (fn(&InspectionSettings) -> Action, Fixed, Option<Fixed>);

/// What is looked for in requests.
const REQUESTS: [Row; 5] = [
    (
        |settings| settings.prompt_injection,
        (
            "prompt_injection_off",
            Severity::High,
            "inspection.request.prompt_injection",
            "attacks on the models are not looked for; write block",
        ),
        Some((
            "prompt_injection_flag_only",
            Severity::Medium,
            "inspection.request.prompt_injection",
            "attacks on the models are seen and let pass; write block",
        )),
    ),
    (
        |settings| settings.secrets,
        (
            "request_secrets_off",
            Severity::High,
            "inspection.request.secrets",
            "keys and passwords leave with prompts; write block or mask",
        ),
        Some((
            "request_secrets_flag_only",
            Severity::Medium,
            "inspection.request.secrets",
            "keys and passwords are seen and leave all the same; write block or mask",
        )),
    ),
    (
        |settings| settings.pii,
        (
            "request_pii_off",
            Severity::Medium,
            "inspection.request.pii",
            "personal data leaves with prompts; write mask or block",
        ),
        Some((
            "request_pii_flag_only",
            Severity::Low,
            "inspection.request.pii",
            "personal data is seen and leaves all the same; write mask or block",
        )),
    ),
    (
        |settings| settings.code_patterns,
        (
            "code_patterns_off",
            Severity::Low,
            "inspection.request.code_patterns",
            "code that runs commands is not looked for; write flag or block",
        ),
        None,
    ),
    (
        |settings| settings.web_attacks,
        (
            "web_attacks_off",
            Severity::Low,
            "inspection.request.web_attacks",
            "payloads against web applications are not looked for; write flag or block",
        ),
        None,
    ),
];

/// What is looked for in answers.
const ANSWERS: [Row; 3] = [
    (
        |settings| settings.secrets,
        (
            "response_secrets_off",
            Severity::Medium,
            "inspection.response.secrets",
            "keys and passwords in answers are not looked for; write mask or block",
        ),
        Some((
            "response_secrets_flag_only",
            Severity::Low,
            "inspection.response.secrets",
            "keys and passwords in answers are seen and reach the caller; write mask or block",
        )),
    ),
    (
        |settings| settings.pii,
        (
            "response_pii_off",
            Severity::Medium,
            "inspection.response.pii",
            "personal data in answers is not looked for; write mask or block",
        ),
        Some((
            "response_pii_flag_only",
            Severity::Low,
            "inspection.response.pii",
            "personal data in answers is seen and reaches the caller; write mask or block",
        )),
    ),
    (
        |settings| settings.harmful,
        (
            "harmful_off",
            Severity::Low,
            "inspection.response.harmful",
            "harmful content in answers is not looked for; write flag or block",
        ),
        None,
    ),
];

/// What is insecure about the inspection of requests.
pub(super) fn of_requests(policy: &Policy) -> Vec<Fixed> {
    let settings = &policy.inspection;
    if is_off(settings) {
        return vec![(
            "inspection_off",
            Severity::High,
            "inspection.request",
            "nothing is looked for in requests; leave the keys out for the defaults",
        )];
    }
    let mut found = Vec::new();
    add(&mut found, settings, &REQUESTS);
    if settings.sanitization == Sanitization::Off {
        found.push((
            "sanitization_off",
            Severity::Medium,
            "inspection.request.sanitization",
            "invisible and control characters reach the models; write standard",
        ));
    }
    if settings.max_text_chars == usize::MAX {
        found.push((
            "text_unlimited",
            Severity::Low,
            "inspection.request.max_text_chars",
            "a prompt may be as long as its body, and is billed so; write 100000",
        ));
    }
    if !settings.disabled_rules.is_empty() {
        found.push((
            "rules_disabled",
            Severity::Low,
            "inspection.request.rules_file",
            "some built-in rules are switched off; see that each still has its reason",
        ));
    }
    found
}

/// What is insecure about the inspection of answers.
pub(super) fn of_answers(policy: &Policy) -> Vec<Fixed> {
    let settings = &policy.response;
    let mut found = Vec::new();
    add(&mut found, settings, &ANSWERS);
    if policy.answers.strip.is_empty() {
        found.push((
            "strip_fields_empty",
            Severity::Low,
            "inspection.response.strip_fields",
            "fields such as api_key and password pass to callers; leave the key out for the \
             default list",
        ));
    }
    if !policy.answers.hold_calls {
        found.push((
            "tool_calls_live",
            Severity::Medium,
            "inspection.response.tool_calls",
            "the beginning of a tool call is acted on before its end is judged; write hold",
        ));
    }
    found
}

fn add(found: &mut Vec<Fixed>, settings: &InspectionSettings, rows: &[Row]) {
    for (action, off, flags) in rows {
        match action(settings) {
            Action::Off => found.push(*off),
            Action::Flag => found.extend(flags),
            Action::Mask | Action::Block => {}
        }
    }
}

fn is_off(settings: &InspectionSettings) -> bool {
    let families = [
        settings.prompt_injection,
        settings.code_patterns,
        settings.web_attacks,
        settings.pii,
        settings.secrets,
    ];
    families.into_iter().all(|action| action == Action::Off)
}

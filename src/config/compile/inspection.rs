//! What is looked for in requests, and the rules file.
//!
//! Decides nothing about texts: it takes words and limits over, reads the operator's rules, and
//! compiles all into one inspector, so that a rule that can't work is a fault at the start.

use std::sync::Arc;

use http::HeaderValue;

use super::{Compiler, KeyPath, Severity};
use crate::config::raw::{
    RawConfig, RawCors, RawHandling, RawResponse, RawSanitization, RawToolCalls, RawUninspectable,
    RawVerdict, SecretText,
};
use crate::config::rulesfile::{self, RulesFile};
use crate::inspect::answer::AnswerPolicy;
use crate::inspect::detect::{Family, OwnRule};
use crate::inspect::engine::{self, Hold, Inspector, InspectorFault};
use crate::inspect::json::Limits;
use crate::policy::Cors;
use crate::policy::inspection::{Action, InspectionSettings, Sanitization, Uninspectable};

/// Bytes of a live text that may be made to wait.
const HOLD_BYTES: std::ops::RangeInclusive<usize> = 64..=65536;

impl Compiler<'_> {
    /// The inspection of requests, as settings and compiled, and the own rules for answers.
    pub(super) fn inspection(
        &mut self,
        raw: &RawConfig,
    ) -> Option<(InspectionSettings, Arc<Inspector>, Vec<OwnRule>)> {
        let request = &raw.inspection.request;
        let rules = self.rules(request.rules_file.as_deref())?;
        let (own_rules, of_answers) = rules.by_direction();
        let settings = InspectionSettings {
            sanitization: match request.sanitization {
                RawSanitization::Off => Sanitization::Off,
                RawSanitization::Standard => Sanitization::Standard,
                RawSanitization::Strict => Sanitization::Strict,
            },
            prompt_injection: verdict(request.prompt_injection),
            code_patterns: verdict(request.code_patterns),
            web_attacks: verdict(request.web_attacks),
            pii: handling(request.pii),
            secrets: handling(request.secrets),
            uninspectable: match request.uninspectable {
                RawUninspectable::Flag => Uninspectable::Flag,
                RawUninspectable::Block => Uninspectable::Block,
            },
            max_text_chars: request
                .max_text_chars
                .and_then(|chars| usize::try_from(chars).ok())
                .unwrap_or(usize::MAX),
            disabled_rules: rules.disabled,
            own_rules,
            ..InspectionSettings::request()
        };
        match Inspector::compile(&with_own_harm(settings.clone())) {
            Ok(inspector) => Some((settings, Arc::new(inspector), of_answers)),
            Err(fault) => {
                self.rule_fault(&fault);
                None
            }
        }
    }

    fn rule_fault(&mut self, fault: &InspectorFault) {
        self.fault(
            &KeyPath::of("inspection.request.rules_file"),
            fault.to_string(),
            "correct the rules file; `portcullis scan --rules` lists the built-in ones",
        );
    }

    /// The inspection of answers, as settings and compiled, and what else is done to them.
    /// Rules that are switched off are so in both directions; `own` are those that look at answers.
    pub(super) fn answers(
        &mut self,
        raw: &RawConfig,
        request: &InspectionSettings,
        own: Vec<OwnRule>,
    ) -> Option<(InspectionSettings, Arc<Inspector>, AnswerPolicy)> {
        let response = &raw.inspection.response;
        let answers = self.answer_policy(raw, response);
        let canaries = self.canaries(&response.canaries);
        let settings = InspectionSettings {
            pii: handling(response.pii),
            secrets: handling(response.secrets),
            harmful: verdict(response.harmful),
            max_text_chars: usize::MAX,
            disabled_rules: request.disabled_rules.clone(),
            own_rules: own,
            canaries: canaries?,
            ..InspectionSettings::response()
        };
        match Inspector::compile(&with_own_families(settings.clone(), request)) {
            Ok(inspector) => Some((settings, Arc::new(inspector), answers?)),
            Err(fault @ (InspectorFault::Rule(_) | InspectorFault::Literals(_))) => {
                self.rule_fault(&fault);
                None
            }
            Err(fault @ InspectorFault::Canary(_)) => {
                self.fault(
                    &KeyPath::of("inspection.response.canaries"),
                    fault.to_string(),
                    "write at most 256 strings of 8 to 896 bytes",
                );
                None
            }
        }
    }

    /// Strings that must never leave, so that no view of the configuration shows them either.
    fn canaries(&mut self, raw: &[SecretText]) -> Option<Vec<String>> {
        let at = KeyPath::of("inspection.response.canaries");
        let all = raw.iter().enumerate();
        let found: Vec<String> = all
            .filter_map(|(index, text)| self.followed(&at.index(index), text))
            .map(|found| found.secret.expose().to_owned())
            .collect();
        (found.len() == raw.len()).then_some(found)
    }

    fn answer_policy(&mut self, raw: &RawConfig, response: &RawResponse) -> Option<AnswerPolicy> {
        let at = KeyPath::of("inspection.response.max_hold");
        let time = self.span(&at.key("time"), &response.max_hold.time);
        let bytes = self.size(&at.key("bytes"), &response.max_hold.bytes);
        let bytes = usize::try_from(bytes?.get()).unwrap_or(usize::MAX);
        if !HOLD_BYTES.contains(&bytes) {
            self.fault(
                &at.key("bytes"),
                "is too little to know a match by, or more than a live stream can wait for",
                "write 64 to 64KiB, such as 512",
            );
            return None;
        }
        Some(AnswerPolicy {
            strip: response
                .strip_fields
                .iter()
                .map(|name| Box::from(name.as_str()))
                .collect(),
            hold_calls: match response.tool_calls {
                RawToolCalls::Hold => true,
                RawToolCalls::Live => false,
            },
            hold: Hold {
                time: time?.get(),
                bytes,
                chars: response.max_text_chars.map(u64::from),
            },
            limits: Limits {
                depth: usize::from(raw.inspection.request.max_json_depth),
                ..Limits::default()
            },
        })
    }

    /// The origins whose pages may read answers.
    pub(super) fn cors(&mut self, raw: &RawCors) -> Option<Cors> {
        let at = KeyPath::of("cors.origins");
        let mut cors = Cors::default();
        let mut faultless = true;
        for (index, text) in raw.origins.iter().enumerate() {
            if text == "*" {
                cors.any = true;
                let advice = "any web page may call the gateway and read its answers";
                self.finding("cors_any_origin", Severity::Medium, &at, advice);
                continue;
            }
            let host = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"));
            let is_host = |host: &str| {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
                !host.is_empty() && host.bytes().all(plain)
            };
            match HeaderValue::from_str(text) {
                Ok(value) if host.is_some_and(is_host) => cors.origins.push(value),
                Ok(_) | Err(_) => {
                    faultless = false;
                    self.fault(
                        &at.index(index),
                        "is not an origin",
                        "write scheme, host and port alone, such as https://app.example.com",
                    );
                }
            }
        }
        faultless.then_some(cors)
    }

    fn rules(&mut self, file: Option<&str>) -> Option<RulesFile> {
        let Some(file) = file else {
            return Some(RulesFile::default());
        };
        let at = KeyPath::of("inspection.request.rules_file");
        let path = self.path(file);
        let content = self.content(&at, &path)?;
        let shown = path.display().to_string();
        let Ok(text) = String::from_utf8(content.bytes) else {
            self.fault(
                &at,
                format!("the file {shown} is not text"),
                "write YAML as UTF-8",
            );
            return None;
        };
        match rulesfile::read(&shown, &text) {
            Ok(rules) => Some(rules),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }
}

/// Answers are looked through for own rules of families that are requests' alone, too: what becomes
/// of them is what becomes of the family in requests, and its built-in rules stay out of it.
fn with_own_families(
    mut settings: InspectionSettings,
    request: &InspectionSettings,
) -> InspectionSettings {
    let has = |family| settings.own_rules.iter().any(|rule| rule.family == family);
    let [injection, code, web] = [
        Family::PromptInjection,
        Family::CodePatterns,
        Family::WebAttacks,
    ]
    .map(|family| has(family).then_some(family));
    if injection.is_some() {
        settings.prompt_injection = request.prompt_injection;
    }
    if code.is_some() {
        settings.code_patterns = request.code_patterns;
    }
    if web.is_some() {
        settings.web_attacks = request.web_attacks;
    }
    let families = [injection, code, web].into_iter().flatten();
    let built_in = families.flat_map(engine::built_in).map(str::to_owned);
    settings.disabled_rules.extend(built_in);
    settings
}

/// Requests are not looked through for harmful content, but for what the operator says is.
fn with_own_harm(mut settings: InspectionSettings) -> InspectionSettings {
    let own = &settings.own_rules;
    if own.iter().any(|rule| rule.family == Family::Harmful) {
        settings.harmful = Action::Flag;
        let built_in = engine::built_in(Family::Harmful).map(str::to_owned);
        settings.disabled_rules.extend(built_in);
    }
    settings
}

const fn verdict(raw: RawVerdict) -> Action {
    match raw {
        RawVerdict::Off => Action::Off,
        RawVerdict::Flag => Action::Flag,
        RawVerdict::Block => Action::Block,
    }
}

const fn handling(raw: RawHandling) -> Action {
    match raw {
        RawHandling::Off => Action::Off,
        RawHandling::Flag => Action::Flag,
        RawHandling::Mask => Action::Mask,
        RawHandling::Block => Action::Block,
    }
}

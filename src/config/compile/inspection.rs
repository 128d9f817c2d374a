//! What is looked for in requests, and the rules file.
//!
//! Decides nothing about texts: it takes words and limits over, reads the operator's rules, and
//! compiles all into one inspector, so that a rule that can't work is a fault at the start.

use std::sync::Arc;

use super::{Compiler, KeyPath};
use crate::config::raw::{RawConfig, RawHandling, RawSanitization, RawUninspectable, RawVerdict};
use crate::config::rulesfile::{self, RulesFile};
use crate::inspect::engine::Inspector;
use crate::policy::inspection::{Action, InspectionSettings, Sanitization, Uninspectable};

impl Compiler<'_> {
    /// The inspection of requests, as settings and compiled.
    pub(super) fn inspection(
        &mut self,
        raw: &RawConfig,
    ) -> Option<(InspectionSettings, Arc<Inspector>)> {
        let request = &raw.inspection.request;
        let rules = self.rules(request.rules_file.as_deref())?;
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
            own_rules: rules.own,
            ..InspectionSettings::request()
        };
        match Inspector::compile(&settings) {
            Ok(inspector) => Some((settings, Arc::new(inspector))),
            Err(fault) => {
                self.fault(
                    &KeyPath::of("inspection.request.rules_file"),
                    fault.to_string(),
                    "correct the rules file; `portcullis scan --rules` lists the built-in ones",
                );
                None
            }
        }
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

//! Environment variables that override single settings.
//!
//! Decides which variable stands for which key, writes it over the raw value, and remembers that
//! it did, so that a fault in the value names the variable and not the file. An empty variable
//! counts as unset. Variables of features that are not built are faults.

use super::Resolve;
use super::fault::{Fault, quoted};
use super::raw::{
    RateText, RawConfig, RawHandling, RawLevel, RawSanitization, RawVerdict, SizeText, SpanText,
};
use crate::identify::keys::Role;
use crate::policy::secret::Secret;

/// A key that came in a variable.
#[derive(Debug)]
pub(super) struct EnvironmentKey {
    /// Its id, such as `env:API_KEY`.
    pub id: String,
    /// The variable it came in.
    pub variable: &'static str,
    /// What it may do.
    pub role: Role,
    /// The key itself.
    pub text: Secret,
}

/// What the environment had to say.
#[derive(Debug)]
pub(super) struct Environment {
    /// Keys that were overridden, each with its variable.
    pub origins: Vec<(&'static str, &'static str)>,
    /// Keys of callers.
    pub keys: Vec<EnvironmentKey>,
    /// Whether the description of the interface is served.
    pub internal_docs: bool,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            keys: Vec::new(),
            internal_docs: true,
            faults: Vec::new(),
        }
    }
}

/// Writes the environment's values over those of the file.
pub(super) fn apply(raw: &mut RawConfig, resolver: &dyn Resolve) -> Environment {
    let mut environment = Environment::default();
    let set = |name: &str| resolver.env(name).filter(|text| !text.trim().is_empty());
    let sizes = &mut raw.size_limits;
    for (variable, key, target) in [
        (
            "MAX_REQUEST_SIZE_BYTES",
            "size_limits.default",
            &mut sizes.default,
        ),
        ("MAX_JSON_SIZE_BYTES", "size_limits.json", &mut sizes.json),
        ("MAX_FORM_SIZE_BYTES", "size_limits.form", &mut sizes.form),
        ("MAX_FILE_SIZE_BYTES", "size_limits.file", &mut sizes.file),
    ] {
        if let Some(text) = set(variable) {
            *target = SizeText::new(text);
            environment.origins.push((key, variable));
        }
    }
    let headers = &mut raw.security_headers;
    for (variable, key, target) in [
        (
            "SECURITY_CSP_POLICY",
            "security_headers.csp",
            &mut headers.csp,
        ),
        (
            "SECURITY_FRAME_OPTIONS",
            "security_headers.frame_options",
            &mut headers.frame_options,
        ),
        (
            "SECURITY_CONTENT_TYPE_OPTIONS",
            "security_headers.content_type_options",
            &mut headers.content_type_options,
        ),
    ] {
        if let Some(text) = set(variable) {
            *target = Some(text);
            environment.origins.push((key, variable));
        }
    }
    environment.limits(raw, &set);
    environment.hsts(raw, set("SECURITY_HSTS_MAX_AGE"));
    environment.level(raw, set("LOG_LEVEL"));
    environment.retention(raw, &set);
    environment.inspection(raw, &set);
    environment.answers(raw, &set);
    environment.internal_docs = environment.switch("DISABLE_INTERNAL_DOCS", &set) != Some(true);
    environment.telemetry(raw, &set);
    environment.api_keys(set("API_KEY"), set("ADDITIONAL_API_KEYS"));
    environment
}

impl Environment {
    /// The limits of keys and the rule for blocks; a variable switches a limit on that is off.
    fn limits(&mut self, raw: &mut RawConfig, set: &dyn Fn(&str) -> Option<String>) {
        const THRESHOLD: &str = "RATE_LIMIT_BLOCK_THRESHOLD";
        const DURATION: &str = "RATE_LIMIT_BLOCK_DURATION";
        let limits = &mut raw.rate_limits;
        if let Some(text) = set("RATE_LIMIT_REQUESTS_PER_MINUTE") {
            let rate = RateText::new(format!("{}/minute", text.trim()));
            limits.per_key.get_or_insert_default().rate = Some(rate);
            raw.settings.rate_limit_rpm = None;
            self.origins
                .push(("rate_limits.per_key.rate", "RATE_LIMIT_REQUESTS_PER_MINUTE"));
        }
        for variable in ["RATE_LIMIT_BURST", "RATE_LIMIT_BURST_SIZE"] {
            if let Some(burst) = self.number(variable, set(variable)) {
                limits.per_key.get_or_insert_default().burst = Some(burst);
                self.origins.push(("rate_limits.per_key.burst", variable));
            }
        }
        if let Some(violations) = self.number(THRESHOLD, set(THRESHOLD)) {
            limits.block.get_or_insert_default().violations = violations;
            self.origins
                .push(("rate_limits.block.violations", THRESHOLD));
        }
        if let Some(seconds) = self.number(DURATION, set(DURATION)) {
            limits.block.get_or_insert_default().block_for = SpanText::new(format!("{seconds}s"));
            self.origins.push(("rate_limits.block.block_for", DURATION));
        }
    }

    fn number(&mut self, variable: &'static str, text: Option<String>) -> Option<u32> {
        let text = text?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            self.faults.push(Fault::of_variable(
                variable,
                format!("{} is not a number", quoted(&text)),
                "write a whole number such as 10",
            ));
        }
        number
    }

    fn hsts(&mut self, raw: &mut RawConfig, text: Option<String>) {
        const VARIABLE: &str = "SECURITY_HSTS_MAX_AGE";
        let Some(text) = text else {
            return;
        };
        match text.trim().parse() {
            Ok(seconds) => {
                raw.security_headers.hsts_max_age = Some(seconds);
                self.origins
                    .push(("security_headers.hsts_max_age", VARIABLE));
            }
            Err(_) => self.faults.push(Fault::of_variable(
                VARIABLE,
                format!("{} is not a number of seconds", quoted(&text)),
                "write a whole number such as 31536000",
            )),
        }
    }

    fn level(&mut self, raw: &mut RawConfig, text: Option<String>) {
        const VARIABLE: &str = "LOG_LEVEL";
        let Some(text) = text else {
            return;
        };
        // WARNING and CRITICAL are what other programs' deployments have in their environment.
        let level = match text.trim().to_ascii_lowercase().as_str() {
            "error" | "critical" => Some(RawLevel::Error),
            "warn" | "warning" => Some(RawLevel::Warn),
            "info" => Some(RawLevel::Info),
            "debug" => Some(RawLevel::Debug),
            "trace" => Some(RawLevel::Trace),
            _ => None,
        };
        match level {
            Some(level) => {
                raw.logging.level = level;
                self.origins.push(("logging.level", VARIABLE));
            }
            None => self.faults.push(Fault::of_variable(
                VARIABLE,
                format!("{} is not a level", quoted(&text)),
                "write one of error, warn, info, debug, trace",
            )),
        }
    }

    fn retention(&mut self, raw: &mut RawConfig, set: &dyn Fn(&str) -> Option<String>) {
        const VARIABLE: &str = "SECURITY_LOG_RETENTION_DAYS";
        if let Some(days) = self.number(VARIABLE, set(VARIABLE)) {
            raw.logging.retention_days = Some(days);
            self.origins.push(("logging.retention_days", VARIABLE));
        }
    }

    fn inspection(&mut self, raw: &mut RawConfig, set: &dyn Fn(&str) -> Option<String>) {
        let request = &mut raw.inspection.request;
        if let Some(text) = set("AI_INPUT_MAX_LENGTH") {
            match text.trim().parse() {
                Ok(chars) if chars > 0 => request.max_text_chars = Some(chars),
                Ok(_) | Err(_) => self.faults.push(Fault::of_variable(
                    "AI_INPUT_MAX_LENGTH",
                    format!("{} is not a number of characters", quoted(&text)),
                    "write a whole number such as 100000",
                )),
            }
        }
        if let Some(text) = set("AI_SANITIZATION_LEVEL") {
            match text.trim().to_ascii_lowercase().as_str() {
                "off" | "none" => request.sanitization = RawSanitization::Off,
                "standard" | "basic" => request.sanitization = RawSanitization::Standard,
                "strict" => request.sanitization = RawSanitization::Strict,
                _ => self.faults.push(Fault::of_variable(
                    "AI_SANITIZATION_LEVEL",
                    format!("{} is not a level of sanitization", quoted(&text)),
                    "write one of off, standard, strict",
                )),
            }
        }
        if let Some(text) = set("AI_BLOCK_CODE_PATTERNS") {
            match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => request.code_patterns = RawVerdict::Block,
                "false" | "0" | "no" => request.code_patterns = RawVerdict::Flag,
                _ => self.faults.push(Fault::of_variable(
                    "AI_BLOCK_CODE_PATTERNS",
                    format!("{} is neither yes nor no", quoted(&text)),
                    "write true or false",
                )),
            }
        }
    }

    fn answers(&mut self, raw: &mut RawConfig, set: &dyn Fn(&str) -> Option<String>) {
        let response = &mut raw.inspection.response;
        if let Some(text) = set("AI_RESPONSE_MAX_LENGTH") {
            match text.trim().parse() {
                Ok(chars) if chars > 0 => response.max_text_chars = Some(chars),
                Ok(_) | Err(_) => self.faults.push(Fault::of_variable(
                    "AI_RESPONSE_MAX_LENGTH",
                    format!("{} is not a number of characters", quoted(&text)),
                    "write a whole number such as 50000",
                )),
            }
        }
        if self.switch("AI_FILTER_SENSITIVE_CONTENT", set) == Some(false) {
            (response.pii, response.secrets) = (RawHandling::Off, RawHandling::Off);
        }
        if self.switch("AI_VALIDATE_OUTPUT", set) == Some(false) {
            response.harmful = RawVerdict::Off;
        }
        if let Some(text) = set("CORS_ORIGINS") {
            match serde_json::from_str(&text) {
                Ok(origins) => raw.cors.origins = origins,
                Err(_) => self.faults.push(Fault::of_variable(
                    "CORS_ORIGINS",
                    "is not a JSON list of origins",
                    "write one such as [\"https://app.example.com\"]",
                )),
            }
        }
    }

    /// What a variable that says yes or no says.
    fn switch(
        &mut self,
        variable: &'static str,
        set: &dyn Fn(&str) -> Option<String>,
    ) -> Option<bool> {
        let text = set(variable)?;
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => {
                self.faults.push(Fault::of_variable(
                    variable,
                    format!("{} is neither yes nor no", quoted(&text)),
                    "write true or false",
                ));
                None
            }
        }
    }

    /// Where traces are sent, by the names that OpenTelemetry's own programs read.
    fn telemetry(&mut self, raw: &mut RawConfig, set: &dyn Fn(&str) -> Option<String>) {
        let telemetry = &mut raw.telemetry;
        for (variable, key, target) in [
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "telemetry.otlp_endpoint",
                &mut telemetry.otlp_endpoint,
            ),
            (
                "OTEL_SERVICE_NAME",
                "telemetry.service_name",
                &mut telemetry.service_name,
            ),
        ] {
            if let Some(text) = set(variable) {
                *target = Some(text.trim().to_owned());
                self.origins.push((key, variable));
            }
        }
    }

    fn api_keys(&mut self, first: Option<String>, others: Option<String>) {
        const FIRST: &str = "API_KEY";
        const OTHERS: &str = "ADDITIONAL_API_KEYS";
        self.keys.extend(first.map(|text| EnvironmentKey {
            id: format!("env:{FIRST}"),
            variable: FIRST,
            role: Role::Admin,
            text: Secret::new(text.trim().to_owned()),
        }));
        let others = others.map(Secret::new);
        let listed = others.iter().flat_map(|list| list.expose().split(','));
        let listed = listed.map(str::trim).filter(|text| !text.is_empty());
        for (index, text) in listed.enumerate() {
            let number = index.saturating_add(1);
            self.keys.push(EnvironmentKey {
                id: format!("env:{OTHERS}:{number}"),
                variable: OTHERS,
                role: Role::Standard,
                text: Secret::new(text.to_owned()),
            });
        }
    }
}

//! Size limits, security headers, logging.
//!
//! Decides that limits and header values are well formed. Whether a header value does what it is
//! meant to do, it can't tell.

use http::{HeaderName, HeaderValue};

use super::{Compiler, KeyPath, Severity};
use crate::config::raw::{RawLevel, RawLogFormat, RawLogging, RawSecurityHeaders, RawSizeLimits};
use crate::policy::{LogFormat, Logging, Rotation, SizeLimits};

/// A hundred years.
const MOST_DAYS: u32 = 36_500;

impl Compiler<'_> {
    pub(super) fn sizes(&mut self, raw: &RawSizeLimits) -> Option<SizeLimits> {
        let at = KeyPath::of("size_limits");
        let default = self.size(&at.key("default"), &raw.default);
        let json = self.size(&at.key("json"), &raw.json);
        let form = self.size(&at.key("form"), &raw.form);
        let file = self.size(&at.key("file"), &raw.file);
        let mut paths = Vec::with_capacity(raw.paths.len());
        for (path, text) in &raw.paths {
            let at = at.key("paths").key(path);
            if !path.starts_with('/') {
                self.fault(
                    &at,
                    "is not the beginning of a path",
                    "write one such as /internal/",
                );
            }
            let limit = self.size(&at, text);
            paths.extend(limit.map(|limit| (Box::from(path.as_str()), limit)));
        }
        // The longest prefix wins, so it is looked at first.
        paths.sort_by(|(a, _): &(Box<str>, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b)));
        Some(SizeLimits {
            default: default?,
            json: json?,
            form: form?,
            file: file?,
            paths: (paths.len() == raw.paths.len()).then_some(paths)?,
            reduced: false,
        })
    }

    pub(super) fn security_headers(
        &mut self,
        raw: &RawSecurityHeaders,
    ) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let hsts = raw
            .hsts_max_age
            .map(|seconds| format!("max-age={seconds}; includeSubDomains"));
        let texts = [
            ("hsts_max_age", "strict-transport-security", hsts.as_ref()),
            ("csp", "content-security-policy", raw.csp.as_ref()),
            (
                "frame_options",
                "x-frame-options",
                raw.frame_options.as_ref(),
            ),
            (
                "content_type_options",
                "x-content-type-options",
                raw.content_type_options.as_ref(),
            ),
            (
                "referrer_policy",
                "referrer-policy",
                raw.referrer_policy.as_ref(),
            ),
        ];
        let mut headers = Vec::with_capacity(texts.len());
        let mut faultless = true;
        for (key, name, text) in texts {
            let at = KeyPath::of("security_headers").key(key);
            let Some(text) = text else {
                let advice = format!("answers go without {name}");
                self.finding("security_header_missing", Severity::Low, &at, advice);
                continue;
            };
            match HeaderValue::from_str(text) {
                Ok(value) if !text.trim().is_empty() => {
                    headers.push((HeaderName::from_static(name), value));
                }
                Ok(_) | Err(_) => {
                    faultless = false;
                    self.fault(
                        &at,
                        "is empty or holds a character that no header can carry",
                        "write visible ASCII in one line, or null to leave the header out",
                    );
                }
            }
        }
        faultless.then_some(headers)
    }

    pub(super) fn logging(&mut self, raw: &RawLogging) -> Option<Logging> {
        let at = KeyPath::of("logging");
        let retention_days = raw.retention_days;
        if !retention_days.is_none_or(|days| (1..=MOST_DAYS).contains(&days)) {
            self.fault(
                &at.key("retention_days"),
                format!("is not between 1 and {MOST_DAYS}"),
                "write a number of days such as 90, or null to keep everything",
            );
            return None;
        }
        let size = raw.rotate.size.as_ref();
        let size = size.map(|text| self.size(&at.key("rotate").key("size"), text));
        let rotate = Rotation {
            daily: raw.rotate.daily,
            size: match size {
                Some(size) => Some(size?),
                None => None,
            },
        };
        Some(Logging {
            level: match raw.level {
                RawLevel::Error => log::LevelFilter::Error,
                RawLevel::Warn => log::LevelFilter::Warn,
                RawLevel::Info => log::LevelFilter::Info,
                RawLevel::Debug => log::LevelFilter::Debug,
                RawLevel::Trace => log::LevelFilter::Trace,
            },
            format: match raw.format {
                RawLogFormat::Json => LogFormat::Json,
                RawLogFormat::Text => LogFormat::Text,
            },
            file: raw.file.as_ref().map(|file| self.path(file)),
            security_file: raw.security_file.as_ref().map(|file| self.path(file)),
            audit_file: raw.audit_file.as_ref().map(|file| self.path(file)),
            retention_days,
            rotate,
            mask_secrets: raw.mask_secrets,
        })
    }
}

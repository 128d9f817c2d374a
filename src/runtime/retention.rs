//! Old log files are removed.
//!
//! Decides which: those that the gateway itself set aside longer ago than `logging.retention_days`,
//! once an hour. What logrotate made is logrotate's. The audit log keeps its own files, and is
//! told which others go before they do.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;

use super::archive;
use super::clock;
use super::logger::LineWriter;
use crate::internal::control::Control;
use crate::policy::Logging;

/// How often old files are looked for.
const EVERY: Duration = Duration::from_hours(1);

/// How long the audit log may take to hear of it.
const TOLD: Duration = Duration::from_secs(5);

/// Looks for old files as long as the server runs.
pub(super) struct Retention(pub(super) Arc<Control>);

#[async_trait]
impl BackgroundService for Retention {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            let control = Arc::clone(&self.0);
            let look = move || {
                let logging = &control.base().logging;
                remove_old(logging, &control.lines, clock::wall());
            };
            // What came of it is in the log.
            let _logged = tokio::task::spawn_blocking(look).await;
            tokio::select! {
                _changed = shutdown.changed() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }
}

/// Removes the files that are older than they may be.
fn remove_old(logging: &Logging, lines: &LineWriter, now: SystemTime) {
    let Some(days) = logging.retention_days else {
        return;
    };
    let kept = Duration::from_hours(24).saturating_mul(days);
    let Some(since) = now.checked_sub(kept) else {
        return;
    };
    let old = old(logging, since);
    if old.is_empty() {
        return;
    }
    let names: Vec<_> = old
        .iter()
        .filter_map(|path| path.file_name())
        .map(|name| name.to_string_lossy())
        .collect();
    lines.audit("retention", |entry| {
        entry
            .number("days", u64::from(days))
            .number("files", u64::try_from(old.len()).unwrap_or(u64::MAX))
            .text("removed", &names.join(" "))
    });
    if let Some(audit) = lines.audit_log() {
        // One that is slow is told all the same.
        let _in_time = audit.flush(TOLD);
    }
    for path in &old {
        match fs::remove_file(path) {
            Ok(()) => log::info!("{} is over {days} days old and was removed", path.display()),
            Err(error) => log::error!("{} can't be removed: {error}", path.display()),
        }
    }
}

fn old(logging: &Logging, since: SystemTime) -> Vec<PathBuf> {
    let files = [&logging.file, &logging.security_file];
    let mut old = Vec::new();
    for path in files.into_iter().flatten() {
        match archive::list(path) {
            Ok(aside) => old.extend(
                aside
                    .into_iter()
                    .filter(|file| file.at < since)
                    .map(|file| file.path),
            ),
            Err(error) => log::error!("old files of {} can't be found: {error}", path.display()),
        }
    }
    old
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{LogFormat, Rotation};
    use crate::runtime::audit::AuditLog;
    use crate::runtime::writer::LogSink;

    const NOW: fn() -> SystemTime = || SystemTime::UNIX_EPOCH + Duration::from_hours(498_696);

    #[test]
    fn what_was_set_aside_too_long_ago_goes_and_the_audit_log_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let logging = Logging {
            level: log::LevelFilter::Info,
            format: LogFormat::Json,
            file: Some(at("gateway.log")),
            security_file: Some(at("security.log")),
            audit_file: Some(at("audit.jsonl")),
            retention_days: Some(2),
            rotate: Rotation::default(),
            mask_secrets: true,
        };
        let days_ago = |days: u32| NOW() - Duration::from_hours(24) * days - Duration::from_secs(9);
        let mut asides = Vec::new();
        for file in ["gateway.log", "security.log"] {
            for days in [3, 2, 1] {
                let aside = archive::name(&at(file), days_ago(days), false).unwrap();
                fs::write(&aside, "x\n").unwrap();
                asides.push((aside, days >= 2));
            }
            for kept in [
                file.to_owned(),
                format!("{file}.1"),
                format!("{file}-20200101"),
            ] {
                fs::write(at(&kept), "x\n").unwrap();
                asides.push((at(&kept), false));
            }
        }
        let sink = LogSink::open(None, true).unwrap();
        let audit = AuditLog::open(&at("audit.jsonl"), Some(2), NOW).unwrap();
        let lines = LineWriter::new(sink, LogFormat::Json, NOW).with_audit(Some(audit));
        remove_old(&logging, &lines, NOW());
        for (path, gone) in asides {
            assert_eq!(!path.exists(), gone, "{}", path.display());
        }
        let told = fs::read_to_string(at("audit.jsonl")).unwrap();
        assert!(
            told.contains("\"event\":\"retention\",\"days\":2,\"files\":4,"),
            "{told}"
        );
        let forever = Logging {
            retention_days: None,
            ..logging
        };
        remove_old(&forever, &lines, NOW() + Duration::from_hours(24 * 9_999));
        assert_eq!(archive::list(&at("gateway.log")).unwrap().len(), 1, "kept");
    }
}

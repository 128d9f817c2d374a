//! The `log` crate's lines and the requests' records, on their way into the [`LogSink`].
//!
//! Decides which lines are written: those of our own modules from the level asked for, those of
//! the framework from `warn` (`info` where somebody is debugging). It never blocks and never masks; the
//! sink's thread does, and whoever makes an access line. A panic is written with its place and without its text, which may quote
//! what a client sent.

use std::cell::RefCell;
use std::panic;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use log::{LevelFilter, Log, Metadata, SetLoggerError};

use super::audit::AuditLog;
use super::telemetry::Tracer;
use super::watch::Watch;
use super::writer::{LogSink, SinkFault};
use crate::policy::LogFormat;
use crate::record::chain::entry::Entry;
use crate::record::event::{Level, LogLine, SecurityEvent, write_access_line, write_log_line};
use crate::record::metrics::Metrics;
use crate::record::{Facts, Recorder};

/// Modules whose lines are written from the level asked for; all others are the framework's.
const OWN: &str = "portcullis";

/// How long [`log::Log::flush`] may take.
const FLUSH: Duration = Duration::from_secs(1);

thread_local! {
    /// Where a thread makes its lines.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes lines of one shape and pushes them.
#[derive(Clone)]
pub struct LineWriter {
    sink: LogSink,
    /// Where security events go, if not to the same place.
    security: Option<LogSink>,
    /// What keeps security events so that nobody can edit them unseen, if anything does.
    audit: Option<AuditLog>,
    format: LogFormat,
    now: fn() -> SystemTime,
}

impl LineWriter {
    /// A writer of lines in this format, stamped by this clock.
    pub fn new(sink: LogSink, format: LogFormat, now: fn() -> SystemTime) -> Self {
        Self {
            sink,
            security: None,
            audit: None,
            format,
            now,
        }
    }

    /// The same, with a place of its own for security events.
    #[must_use]
    pub fn with_security(self, security: Option<LogSink>) -> Self {
        Self { security, ..self }
    }

    /// The same, with an audit log.
    #[must_use]
    pub fn with_audit(self, audit: Option<AuditLog>) -> Self {
        Self { audit, ..self }
    }

    /// The audit log, if one is kept.
    pub fn audit_log(&self) -> Option<&AuditLog> {
        self.audit.as_ref()
    }

    /// Writes an entry into the audit log, if one is kept; `event` is a word of ours.
    pub fn audit(&self, event: &'static str, fill: impl FnOnce(Entry) -> Entry) {
        if let Some(audit) = &self.audit {
            audit.push(fill(Entry::new(event, (self.now)())));
        }
    }

    /// Lines lost since the start, for want of room or to failed writes.
    pub fn dropped(&self) -> u64 {
        let security = self.security.as_ref().map_or(0, LogSink::dropped);
        let audit = self.audit.as_ref().map_or(0, AuditLog::dropped);
        self.sink
            .dropped()
            .saturating_add(security)
            .saturating_add(audit)
    }

    /// Opens the log files anew, after they were moved away.
    ///
    /// # Errors
    /// One can't be opened; the old one stays in use.
    pub fn reopen(&self) -> Result<(), SinkFault> {
        let security = self.security.as_ref().map_or(Ok(()), LogSink::reopen);
        self.sink.reopen().and(security)
    }

    /// Waits until all that was written before is on its way to the disk.
    pub fn flush(&self, deadline: Duration) {
        // What is late has told all it can.
        let _ = self.sink.flush(deadline);
        if let Some(security) = &self.security {
            let _ = security.flush(deadline);
        }
    }

    /// The same at the end of the process, which the audit log is told of.
    pub fn close(&self, deadline: Duration) {
        if let Some(audit) = &self.audit {
            let _ = audit.close((self.now)(), deadline);
        }
        self.flush(deadline);
    }

    /// Writes down a security event.
    pub fn security(&self, event: &SecurityEvent<'_>) {
        if let Some(audit) = &self.audit {
            audit.push(Entry::of(event, (self.now)()));
        }
        let sink = self.security.as_ref().unwrap_or(&self.sink);
        self.write((sink, LogSink::push), |at, format, line| {
            event.write(at, format, line);
        });
    }

    /// Writes down something of the program itself.
    pub fn program(&self, own: &LogLine<'_>) {
        self.write((&self.sink, LogSink::push), |at, format, line| {
            write_log_line(own, at, format, line);
        });
    }

    /// Writes down what a request left behind.
    pub fn access(&self, facts: &Facts) {
        self.write((&self.sink, LogSink::push_masked), |at, format, line| {
            write_access_line(facts, at, format, line);
        });
    }

    fn write(
        &self,
        (sink, push): (&LogSink, fn(&LogSink, &[u8])),
        make: impl Fn(SystemTime, LogFormat, &mut Vec<u8>),
    ) {
        let at = (self.now)();
        let made = LINE.try_with(|line| {
            // Taken when a message that is being formatted logs something itself.
            let Ok(mut line) = line.try_borrow_mut() else {
                return false;
            };
            line.clear();
            make(at, self.format, &mut line);
            push(sink, &line);
            true
        });
        // A thread that is ending has no buffer any more.
        if !made.unwrap_or(false) {
            let mut line = Vec::new();
            make(at, self.format, &mut line);
            push(sink, &line);
        }
    }
}

/// Counts every record and writes it down, if access lines are wanted.
pub struct RequestLog {
    metrics: Arc<Metrics>,
    watch: Arc<Watch>,
    lines: LineWriter,
    tracer: Option<Tracer>,
}

impl RequestLog {
    /// A recorder that counts here, shows the monitor, and writes there.
    pub fn new(metrics: Arc<Metrics>, watch: Arc<Watch>, lines: LineWriter) -> Self {
        Self {
            metrics,
            watch,
            lines,
            tracer: None,
        }
    }

    /// The same, with somebody to take the spans.
    #[must_use]
    pub(crate) fn with_tracer(self, tracer: Option<Tracer>) -> Self {
        Self { tracer, ..self }
    }
}

impl Recorder for RequestLog {
    fn opened(&self) {
        self.metrics.opened();
    }

    fn closed(&self, facts: &Facts) {
        self.metrics.closed(facts);
        self.watch.see(facts, (self.lines.now)());
        if let Some(tracer) = &self.tracer {
            tracer.ended(facts);
        }
        if log::max_level() >= LevelFilter::Info {
            self.lines.access(facts);
        }
    }
}

/// The `log` crate's way in.
struct Logger {
    lines: LineWriter,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_wanted(metadata.target(), metadata.level(), log::max_level())
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        self.lines.program(&LogLine {
            level: record.level().into(),
            logger: record.target(),
            message: *record.args(),
            module: record.module_path().unwrap_or_default(),
            line: record.line().unwrap_or_default(),
            exception: None,
        });
    }

    fn flush(&self) {
        self.lines.flush(FLUSH);
    }
}

/// Whether a line of this target and level is written at this level asked for.
///
/// The framework's debug and trace lines show heads and bodies as they pass, keys and prompts in
/// clear: they are written at no level.
fn is_wanted(target: &str, level: log::Level, asked: LevelFilter) -> bool {
    let own = target
        .strip_prefix(OWN)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('.'));
    let most = match asked {
        _ if own => asked,
        LevelFilter::Debug | LevelFilter::Trace => LevelFilter::Info,
        LevelFilter::Off | LevelFilter::Error | LevelFilter::Warn | LevelFilter::Info => {
            asked.min(LevelFilter::Warn)
        }
    };
    level <= most
}

/// Makes this the process's logger. The level can be changed later by [`log::set_max_level`].
///
/// # Errors
/// There is a logger already.
pub fn install(lines: LineWriter, level: LevelFilter) -> Result<(), SetLoggerError> {
    // Once a process, and for all its life.
    log::set_logger(Box::leak(Box::new(Logger { lines })))?;
    log::set_max_level(level);
    Ok(())
}

/// Writes panics down in place of printing them.
pub fn report_panics(lines: LineWriter) {
    panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        lines.program(&LogLine {
            level: Level::Critical,
            logger: OWN,
            message: format_args!("a thread panicked"),
            module: module_path!(),
            line: line!(),
            exception: Some(&format!("panic at {place}")),
        });
    }));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use http::Method;

    use super::*;

    #[test]
    fn the_framework_is_quiet_and_never_shows_what_passes() {
        use log::Level::{Debug, Error, Info, Warn};
        for (target, level, asked, wanted) in [
            ("portcullis", Info, LevelFilter::Info, true),
            ("portcullis::proxy", Debug, LevelFilter::Info, false),
            ("portcullis.access", Info, LevelFilter::Info, true),
            ("portcullis_other", Info, LevelFilter::Info, false),
            ("pingora_core::server", Info, LevelFilter::Info, false),
            ("pingora_core::server", Warn, LevelFilter::Info, true),
            ("pingora_core::server", Warn, LevelFilter::Error, false),
            ("pingora_core::server", Error, LevelFilter::Error, true),
            ("pingora_core::server", Info, LevelFilter::Debug, true),
            ("pingora_core::server", Debug, LevelFilter::Trace, false),
            ("portcullis", Error, LevelFilter::Off, false),
        ] {
            assert_eq!(
                is_wanted(target, level, asked),
                wanted,
                "{target} {level} at {asked}"
            );
        }
    }

    /// Logs while it is being logged.
    struct Chatty<'a>(&'a LineWriter);

    impl std::fmt::Display for Chatty<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.access(&Facts::new("inner", Method::GET, b"/", ""));
            f.write_str("outer")
        }
    }

    #[test]
    fn records_are_counted_and_written_and_lines_may_nest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let sink = LogSink::open(Some(&path), true).unwrap();
        let lines = LineWriter::new(sink.clone(), LogFormat::Json, || SystemTime::UNIX_EPOCH);
        let metrics = Arc::new(Metrics::new().unwrap());
        let recorder = RequestLog::new(Arc::clone(&metrics), Arc::default(), lines.clone());
        recorder.opened();
        recorder.closed(&Facts::new("counted", Method::GET, b"/", ""));
        lines.program(&LogLine {
            level: Level::Info,
            logger: OWN,
            message: format_args!("{}", Chatty(&lines)),
            module: "m",
            line: 1,
            exception: None,
        });
        assert!(sink.flush(Duration::from_secs(20)), "flushed");
        let text = fs::read_to_string(&path).unwrap();
        let found: Vec<_> = ["\"inner\"", "\"outer\""]
            .into_iter()
            .filter(|word| text.lines().any(|line| line.contains(word)))
            .collect();
        assert_eq!(found.len(), 2, "both lines are whole: {text}");
        let rendered = String::from_utf8(metrics.render()).unwrap();
        assert!(
            rendered.contains("method=\"GET\",status_code=\"499\"} 1"),
            "the record is counted: {rendered}"
        );
    }
}

//! The security report: what logs say about who failed, attacked, and used how much.
//!
//! Decides by the same monitor that watches live, fed with lines in the order of their times. A
//! request is told of twice, by its access line and by its security events; the two are counted
//! apart, and a figure is taken from whichever knows more, so that a log with only one kind of
//! them is enough. Memory is bounded: of each list the smaller half is forgotten when it is full,
//! which the report says. It reads no file and no clock.

mod follow;
pub mod line;
pub mod shown;
mod table;

use std::collections::{BTreeMap, VecDeque};

use crate::inspect::detect::Family;
use follow::Followed;
use line::{About, Entry, Request, Security, Unread};
use table::Table;

/// Seconds of a day.
const DAY: u64 = 86_400;
/// How far a clock may be ahead before a line counts as one of another time.
const AHEAD: u64 = 3_600;
/// The most days that a report covers.
pub const MOST_DAYS: u64 = 3_660;
/// Requests whose events are remembered, so that one with several findings counts once.
const RECENT: usize = 4_096;

/// Lines by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// All.
    pub read: u64,
    /// Records of requests.
    pub requests: u64,
    /// Security events.
    pub security: u64,
    /// The program's own words.
    pub program: u64,
    /// Not ours.
    pub foreign: u64,
    /// Ours by the look of it, and not readable.
    pub broken: u64,
    /// Of other days.
    pub outside: u64,
}

/// What a rule has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rule {
    pub(super) family: &'static str,
    pub(super) kind: Box<str>,
    pub(super) count: u64,
    pub(super) blocked: u64,
    pub(super) last: u64,
}

/// One day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Day {
    pub(super) requests: u64,
    pub(super) failed: u64,
}

/// A report in the making.
#[derive(Debug)]
pub struct Report {
    from: u64,
    upto: u64,
    lines: Lines,
    /// The first and the last moment that was seen.
    seen: Option<(u64, u64)>,
    /// What access lines tell.
    requests: Followed,
    /// What security events tell.
    events: Followed,
    recent: VecDeque<(u64, Box<str>)>,
    days: BTreeMap<u64, Day>,
    rules: Table<Box<str>, Rule>,
    found: BTreeMap<(&'static str, Box<str>), u64>,
    limited: Table<Box<str>, u64>,
    operations: Table<Box<str>, u64>,
    largest: u64,
}

impl Report {
    /// A report on the last so many days before `now`, in seconds since 1970.
    pub fn new(days: u64, now: u64) -> Self {
        let span = days.clamp(1, MOST_DAYS).saturating_mul(DAY);
        Self {
            from: now.saturating_sub(span),
            upto: now.saturating_add(AHEAD),
            lines: Lines::default(),
            seen: None,
            requests: Followed::default(),
            events: Followed::default(),
            recent: VecDeque::new(),
            days: BTreeMap::new(),
            rules: Table::default(),
            found: BTreeMap::new(),
            limited: Table::default(),
            operations: Table::default(),
            largest: 0,
        }
    }

    /// How the lines were read.
    pub const fn lines(&self) -> Lines {
        self.lines
    }

    /// Counts a line that says nothing.
    pub const fn skip(&mut self, unread: Unread) {
        self.lines.read = self.lines.read.saturating_add(1);
        match unread {
            Unread::Foreign => self.lines.foreign = self.lines.foreign.saturating_add(1),
            Unread::Broken => self.lines.broken = self.lines.broken.saturating_add(1),
        }
    }

    /// Takes a line into account. Lines come in the order of their times.
    pub fn take(&mut self, entry: Entry) {
        self.lines.read = self.lines.read.saturating_add(1);
        let at = entry.at;
        if at < self.from || at > self.upto {
            self.lines.outside = self.lines.outside.saturating_add(1);
            return;
        }
        let (first, last) = self.seen.unwrap_or((at, at));
        self.seen = Some((first.min(at), last.max(at)));
        match entry.about {
            About::Request(request) => {
                self.lines.requests = self.lines.requests.saturating_add(1);
                if let Some(request) = request {
                    self.request(*request);
                }
            }
            About::Security(event) => {
                self.lines.security = self.lines.security.saturating_add(1);
                self.security(*event);
            }
            About::Program => self.lines.program = self.lines.program.saturating_add(1),
        }
    }

    fn request(&mut self, request: Request) {
        let sample = &request.sample;
        let day = self.days.entry(sample.at / DAY).or_default();
        day.requests = day.requests.saturating_add(1);
        day.failed = day.failed.saturating_add(u64::from(sample.status >= 400));
        self.largest = self.largest.max(sample.bytes);
        for (family, action, count) in request.found {
            // Actions are words of a closed set; a forged log must not make them many.
            let action = if action.len() <= 16 {
                action
            } else {
                "".into()
            };
            let seen = self.found.entry((family.as_str(), action));
            let seen = seen.or_default();
            *seen = seen.saturating_add(count);
            if self.found.len() > 64 {
                self.found.pop_last();
            }
        }
        if let Some(reason) = request.limited {
            self.limited.add(reason, 1);
        }
        self.requests.see(&request.sample);
    }

    fn security(&mut self, event: Security) {
        let at = event.sample.at;
        if let (Some(rule), Some(family)) = (event.rule, event.family) {
            let known = self.rules.entry(rule);
            known.family = family.as_str();
            known.kind = event.kind;
            known.count = known.count.saturating_add(1);
            let blocked = &*event.action == "block";
            known.blocked = known.blocked.saturating_add(u64::from(blocked));
            known.last = known.last.max(at);
        }
        let Some(mark) = event.sample.marks.first() else {
            // Alerts are made anew, of the very lines that made them.
            if &*event.operation != "alert" {
                self.operations.add(event.operation, 1);
            }
            return;
        };
        if event
            .family
            .is_some_and(|family| family != Family::PromptInjection)
            && self.is_known(&event.request_id, mark.index())
        {
            return;
        }
        self.events.see(&event.sample);
    }

    /// Whether a request was told of already for this event.
    fn is_known(&mut self, request: &str, event: usize) -> bool {
        let event = u64::try_from(event).unwrap_or(u64::MAX);
        let same = |known: &&(u64, Box<str>)| known.0 == event && *known.1 == *request;
        // Events of one request follow each other closely.
        if self.recent.iter().rev().take(64).any(|known| same(&known)) {
            return true;
        }
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((event, request.into()));
        false
    }

    /// Whoever knows more of what failed.
    fn failures(&self) -> (&'static str, &Followed) {
        if self.events.marked() > self.requests.marked() {
            ("security_events", &self.events)
        } else {
            ("access_lines", &self.requests)
        }
    }
}

#[cfg(test)]
mod tests;

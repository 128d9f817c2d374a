use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Method;
use proptest::prelude::*;
use serde_json::Value;

use super::line::read;
use super::*;
use crate::policy::{Denial, KeyFault, LogFormat};
use crate::record::event::{FoundAt, SecurityEvent, Severity, write_access_line};
use crate::record::{Facts, Found, Inspected, Outcome, Refusal};

/// A moment in the middle of a day.
const NOON: u64 = 20_000 * DAY + DAY / 2;

fn facts(last: u8, denial: Option<&Denial>) -> Facts {
    let mut facts = Facts::new("req-1", Method::POST, b"/v1/chat/completions", "hash");
    facts.client_ip = Some(IpAddr::from([192, 0, 2, last]));
    facts.status = Some(denial.map_or(200, |denial| denial.face().status));
    facts.outcome = Outcome::Completed;
    facts.refusal = denial.map(Refusal::from);
    facts.request_bytes = 700;
    facts
}

fn access(facts: &Facts, at: u64, format: LogFormat) -> String {
    let mut out = Vec::new();
    write_access_line(facts, moment(at), format, &mut out);
    String::from_utf8(out).unwrap()
}

fn moment(at: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(at)).unwrap()
}

fn security(event: &SecurityEvent<'_>, at: u64, format: LogFormat) -> String {
    let mut out = Vec::new();
    event.write(moment(at), format, &mut out);
    String::from_utf8(out).unwrap()
}

fn wrong_key() -> Denial {
    Denial::InvalidApiKey(KeyFault::Unknown)
}

fn report(lines: &[String]) -> Value {
    let mut report = Report::new(7, NOON + DAY / 2);
    for line in lines {
        match read(line) {
            Ok(entry) => report.take(entry),
            Err(unread) => report.skip(unread),
        }
    }
    report.json()
}

/// Both forms of a log.
const FORMS: [LogFormat; 2] = [LogFormat::Json, LogFormat::Text];

#[test]
fn failures_are_told_by_address_and_make_suspects_and_alerts() {
    for format in FORMS {
        let failed = |n: u64| access(&facts(1, Some(&wrong_key())), NOON + n, format);
        let mut lines: Vec<String> = (0..12).map(failed).collect();
        lines.push(access(&facts(2, None), NOON + 20, format));
        let told = report(&lines);
        assert_eq!(told["lines"]["requests"], 13, "{told:#}");
        assert_eq!(told["authentication_failures"]["total"], 12, "{told:#}");
        let first = &told["authentication_failures"]["by_ip"][0];
        assert_eq!(
            (&first["id"], &first["count"]),
            (&"192.0.2.1".into(), &12.into())
        );
        let suspects = &told["brute_force_suspects"];
        assert_eq!(suspects["count"], 1, "{told:#}");
        assert_eq!(suspects["clients"][0]["ip"], "192.0.2.1", "{told:#}");
        assert_eq!(
            told["alerts"]["by_type"]["authentication_failure"], 1,
            "{told:#}"
        );
        assert_eq!(
            told["alerts"]["by_type"]["suspicious_activity"], 1,
            "{told:#}"
        );
        assert_eq!(told["top_clients"]["by_ip"][0]["requests"], 12, "{told:#}");
    }
}

#[test]
fn thresholds_of_suspects_are_those_of_the_live_monitor() {
    let failed = |n: u64| access(&facts(1, Some(&wrong_key())), NOON + n, LogFormat::Json);
    let ten: Vec<String> = (0..10).map(failed).collect();
    assert_eq!(report(&ten)["brute_force_suspects"]["count"], 0, "10 of 10");
    let spread: Vec<String> = (0..11).map(|n| failed(n * 3_600)).collect();
    let told = report(&spread[..]);
    assert_eq!(
        told["brute_force_suspects"]["count"], 0,
        "one an hour: {told:#}"
    );
}

#[test]
fn a_security_log_alone_is_enough() {
    for format in FORMS {
        let (denial, facts) = (wrong_key(), facts(3, Some(&wrong_key())));
        let event = SecurityEvent::of_denial(&denial, &facts, b"agent", None).unwrap();
        let lines: Vec<String> = (0..6).map(|n| security(&event, NOON + n, format)).collect();
        let told = report(&lines);
        assert_eq!(told["failures_from"], "security_events", "{told:#}");
        assert_eq!(told["authentication_failures"]["total"], 6, "{told:#}");
        assert_eq!(
            told["alerts"]["by_type"]["authentication_failure"], 1,
            "{told:#}"
        );
    }
}

#[test]
fn what_both_logs_tell_is_counted_once() {
    let (denial, facts) = (wrong_key(), facts(3, Some(&wrong_key())));
    let event = SecurityEvent::of_denial(&denial, &facts, b"", None).unwrap();
    let both = (0..6).flat_map(|n| {
        [
            security(&event, NOON + n, LogFormat::Json),
            access(&facts, NOON + n, LogFormat::Json),
        ]
    });
    let told = report(&both.collect::<Vec<_>>());
    assert_eq!(told["authentication_failures"]["total"], 6, "{told:#}");
    assert_eq!(told["requests"]["total"], 6, "{told:#}");
}

#[test]
fn injections_are_told_by_rule_and_findings_by_family() {
    let mut facts = facts(4, None);
    facts.inspection = Some(Inspected {
        body_bytes: 9,
        text_bytes: 9,
        uninspected_bytes: 0,
        families: crate::inspect::finding::Families::default(),
        found: vec![Found {
            family: Family::PromptInjection,
            action: crate::policy::inspection::Action::Block,
            count: 2,
        }],
    });
    let found = FoundAt {
        in_answer: false,
        rule: "injection.ignore",
        kind: "override",
        channel: "user",
        offset: 3,
        length: 9,
        action: "block",
    };
    let event =
        SecurityEvent::of_finding(Family::PromptInjection, Severity::High, found, &facts, b"");
    let told = report(&[
        security(&event, NOON, LogFormat::Json),
        security(&event, NOON, LogFormat::Text),
        access(&facts, NOON, LogFormat::Json),
    ]);
    let rule = &told["injections"]["by_rule"][0];
    assert_eq!(rule["rule"], "injection.ignore", "{told:#}");
    assert_eq!((&rule["count"], &rule["blocked"]), (&2.into(), &2.into()));
    assert_eq!(told["findings"]["by_family"][0]["count"], 2, "{told:#}");
    assert_eq!(told["alerts"]["by_type"]["prompt_injection"], 1, "{told:#}");
}

#[test]
fn lines_of_others_broken_ones_and_other_days_are_counted_and_harmless() {
    let old = access(&facts(1, None), NOON - 30 * DAY, LogFormat::Json);
    let ahead = access(&facts(1, None), NOON + 30 * DAY, LogFormat::Json);
    let good = access(&facts(1, None), NOON, LogFormat::Json);
    let (cut, _) = good.split_at(good.len() / 2);
    let lines = [
        old,
        ahead,
        cut.to_owned(),
        good.clone(),
        "Jan  1 00:00:00 host sshd[1]: hello".to_owned(),
        "{}".to_owned(),
        "[1, 2]".to_owned(),
        "{\"timestamp\": 7, \"logger\": \"portcullis.access\"}".to_owned(),
        String::from("\u{1b}[31m {"),
        good.replace("\"status\":200", "\"status\":\"x\""),
    ];
    let told = report(&lines);
    let lines = &told["lines"];
    assert_eq!(lines["read"], 10, "{told:#}");
    assert_eq!(lines["requests"], 1, "{told:#}");
    assert_eq!(lines["outside_the_period"], 2, "{told:#}");
    assert_eq!(lines["broken"], 2, "{told:#}");
    assert_eq!(lines["not_ours"], 5, "{told:#}");
}

#[test]
fn whoever_is_refused_where_probes_ask_is_a_client() {
    let denial = wrong_key();
    let mut guess = Facts::new("r", Method::GET, b"/metrics", "h");
    guess.client_ip = Some(IpAddr::from([192, 0, 2, 9]));
    guess.status = Some(401);
    guess.refusal = Some(Refusal::from(&denial));
    let told = report(&[access(&guess, NOON, LogFormat::Json)]);
    assert_eq!(told["authentication_failures"]["total"], 1, "{told:#}");
}

#[test]
fn probes_and_operators_who_look_are_no_clients() {
    let mut probe = Facts::new("r", Method::GET, b"/health", "h");
    probe.client_ip = Some(IpAddr::from([192, 0, 2, 9]));
    probe.status = Some(200);
    let mut look = Facts::new("r", Method::GET, b"/internal/monitoring/", "h");
    look.client_ip = probe.client_ip;
    look.status = Some(200);
    let lines = [&probe, &look].map(|facts| access(facts, NOON, LogFormat::Json));
    assert_eq!(report(&lines)["requests"]["total"], 0, "not counted");
}

#[test]
fn the_text_names_each_section_and_steers_no_terminal() {
    let mut report = Report::new(1, NOON);
    let good = access(&facts(1, None), NOON, LogFormat::Json);
    let forged = good.replace(
        "\"request_bytes\"",
        "\"findings\":[{\"family\":\"pii\",\"action\":\"\\u001b[31m\",\"count\":1}],\"request_bytes\"",
    );
    for line in [good, forged] {
        report.take(read(&line).unwrap());
    }
    let text = report.text();
    for title in [
        "Security report",
        "Brute force suspects: 0",
        "Top clients",
        "Alerts: 0",
    ] {
        assert!(text.contains(title), "{title}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(!text.contains('{'), "rows, no JSON: {text}");
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(lines in prop::collection::vec(any::<String>(), 0..20)) {
        report(&lines);
    }

    #[test]
    fn no_cut_or_changed_line_makes_it_panic(
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
        cut in any::<bool>(),
        text in any::<bool>(),
    ) {
        let form = if text { LogFormat::Text } else { LogFormat::Json };
        let mut line: Vec<char> = access(&facts(1, Some(&wrong_key())), NOON, form).chars().collect();
        let place = at.index(line.len());
        if cut {
            line.truncate(place);
        } else {
            line[place] = with;
        }
        report(&[line.into_iter().collect()]);
    }
}

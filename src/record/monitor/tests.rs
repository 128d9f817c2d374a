use super::*;
use crate::record::event::{Level, Severity};

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn sample(at: u64, events: &[Event]) -> Sample {
    let marks = events
        .iter()
        .fold(Marks::default(), |marks, event| marks.with(*event));
    let failed = marks.is_failed_try();
    Sample {
        at,
        address: Some(address(1)),
        key: None,
        status: if failed { 401 } else { 200 },
        bytes: 100,
        marks,
    }
}

fn kinds(monitor: &Monitor) -> Vec<&'static str> {
    monitor.alerts().map(|alert| alert.kind).collect()
}

/// A day that begins at midnight.
const NOON: u64 = 20_000 * DAY + DAY / 2;

#[test]
fn thresholds_hold_at_their_count_and_not_one_before() {
    for (event, count) in [
        (Event::AuthFailure, 5),
        (Event::Denied, 3),
        (Event::Injection, 1),
        (Event::Sanitization, 5),
        (Event::RateLimited, 10),
    ] {
        let mut monitor = Monitor::default();
        for n in 1..count {
            monitor.see(&sample(NOON + n, &[event]));
        }
        assert!(kinds(&monitor).is_empty(), "{event:?}: one too few");
        monitor.see(&sample(NOON + count, &[event]));
        assert_eq!(kinds(&monitor), [event.as_str()], "{event:?}: enough");
        monitor.see(&sample(NOON + count + 1, &[event]));
        assert_eq!(kinds(&monitor).len(), 1, "{event:?}: told once");
        let alert = monitor.alerts().next().unwrap();
        assert_eq!(alert.subject, "192.0.2.1", "whose doing");
        assert!(!alert.tags.is_empty(), "tags to find it by");
    }
}

#[test]
fn every_row_of_the_table_has_its_level_and_its_window() {
    for (event, level, count, seconds) in [
        (Event::AuthFailure, Level::Warning, 5, 300),
        (Event::Denied, Level::Error, 3, 300),
        (Event::Sanitization, Level::Warning, 5, 3_600),
        (Event::RateLimited, Level::Warning, 10, 3_600),
    ] {
        let spread = |apart: u64| {
            let mut monitor = Monitor::default();
            for n in 0..count {
                // Successes in between, so that nobody is suspicious.
                monitor.see(&sample(NOON + n * apart, &[event]));
                monitor.see(&sample(NOON + n * apart, &[]));
            }
            let alert = monitor.alerts().find(|alert| alert.kind == event.as_str());
            alert.map(|alert| alert.level)
        };
        let within = seconds / (count - 1);
        assert_eq!(spread(within), Some(level), "{event:?} within its window");
        assert_eq!(spread(within + 1), None, "{event:?} one second wider");
    }
    for (event, tries, level) in [
        (Event::Injection, 1, Level::Critical),
        (Event::AuthFailure, 11, Level::Error),
    ] {
        let mut monitor = Monitor::default();
        for n in 0..tries {
            monitor.see(&sample(NOON + n, &[event]));
        }
        let worst = monitor.alerts().map(|alert| alert.level).max();
        assert_eq!(worst, Some(level), "{event:?} {tries} times");
    }
}

#[test]
fn events_that_lie_too_far_apart_are_no_alert() {
    let mut monitor = Monitor::default();
    for n in 0..20 {
        monitor.see(&sample(NOON + n * 120, &[Event::AuthFailure]));
        monitor.see(&sample(NOON + n * 120, &[]));
    }
    assert!(
        !kinds(&monitor).contains(&"authentication_failure"),
        "3 in 5 minutes at most"
    );
}

#[test]
fn an_address_that_mostly_fails_is_suspicious_and_a_suspect() {
    let mut monitor = Monitor::default();
    for n in 0..10 {
        monitor.see(&sample(NOON + n, &[Event::AuthFailure]));
    }
    assert!(
        !kinds(&monitor).contains(&"suspicious_activity"),
        "10 tries are not over 10"
    );
    assert_eq!(monitor.suspects(NOON + 10), [], "nor a pattern");
    monitor.see(&sample(NOON + 10, &[Event::AuthFailure]));
    assert!(kinds(&monitor).contains(&"suspicious_activity"), "11 are");
    let suspects = monitor.suspects(NOON + 11);
    assert_eq!(suspects.len(), 1, "one suspect");
    assert_eq!(
        (suspects[0].address, suspects[0].failures),
        (address(1), 11),
        "who"
    );
    assert_eq!(
        monitor.suspects(NOON + 2 * 3_600),
        [],
        "quiet for two hours"
    );
}

#[test]
fn one_that_succeeds_as_often_is_none() {
    let mut monitor = Monitor::default();
    for n in 0..50 {
        let events: &[Event] = if n % 10 == 0 {
            &[Event::AuthFailure]
        } else {
            &[]
        };
        monitor.see(&sample(NOON + n * 70, events));
    }
    assert_eq!(monitor.suspects(NOON + 3_600), [], "a tenth fails");
}

#[test]
fn the_day_is_counted_and_ends_at_midnight() {
    let mut monitor = Monitor::default();
    let mut large = sample(NOON, &[Event::TooLarge]);
    large.bytes = 9_000;
    large.status = 413;
    monitor.see(&large);
    monitor.see(&sample(NOON + 1, &[Event::RateLimited]));
    let today = monitor.today(NOON + 2);
    assert_eq!(
        (today.requests, today.failed, today.largest_request),
        (2, 1, 9_000),
        "counts"
    );
    assert_eq!(today.count(Event::TooLarge), 1, "by event");
    assert_eq!(today.count(Event::RateLimited), 1, "by event");
    assert_eq!(monitor.today(NOON + DAY), Today::default(), "another day");
    monitor.see(&sample(NOON + DAY, &[]));
    assert_eq!(monitor.today(NOON + DAY).requests, 1, "counted anew");
}

#[test]
fn a_burst_beyond_its_own_history_is_an_anomaly() {
    let mut monitor = Monitor::default();
    let mut at = NOON;
    for _minute in 0..20 {
        for n in 0..5 {
            monitor.see(&sample(at + n, &[]));
        }
        at += 60;
    }
    assert_eq!(monitor.anomalies().count(), 0, "5 a minute are usual");
    for n in 0..200 {
        monitor.see(&sample(at + n / 10, &[]));
    }
    let found: Vec<_> = monitor.anomalies().collect();
    assert_eq!(found.len(), 1, "told once: {found:?}");
    assert_eq!(
        (found[0].figure, &*found[0].subject),
        ("request_rate", "192.0.2.1"),
        "which"
    );
    assert_eq!(kinds(&monitor), ["anomaly"], "an alert of its own");
}

#[test]
fn a_body_far_beyond_the_usual_and_a_new_network_are_anomalies_of_a_key() {
    let mut monitor = Monitor::default();
    let mut one = sample(NOON, &[]);
    one.key = Some("alice".parse().unwrap());
    for n in 0..30 {
        one.at = NOON + n * 60;
        monitor.see(&one);
    }
    one.address = Some(IpAddr::from([198, 51, 100, 1]));
    one.bytes = 100_000;
    monitor.see(&one);
    let figures: Vec<_> = monitor
        .anomalies()
        .map(|a| (a.figure, &*a.subject))
        .collect();
    assert!(figures.contains(&("new_network", "alice")), "{figures:?}");
    assert!(figures.contains(&("request_size", "alice")), "{figures:?}");
}

#[test]
fn a_share_of_refusals_beyond_its_own_history_is_an_anomaly() {
    let mut monitor = Monitor::default();
    let hour = |monitor: &mut Monitor, number: u64, refused: u64| {
        for n in 0..40 {
            let mut one = sample(NOON + number * 3_600 + n * 60, &[]);
            if n < refused {
                one.marks = one.marks.with(Event::TooLarge);
                one.status = 413;
            }
            monitor.see(&one);
        }
    };
    for number in 0..12 {
        hour(&mut monitor, number, 2);
    }
    hour(&mut monitor, 12, 30);
    assert_eq!(
        monitor.anomalies().count(),
        0,
        "an hour is judged at its end"
    );
    hour(&mut monitor, 13, 2);
    let all: Vec<_> = monitor.anomalies().collect();
    let one = all.iter().find(|one| one.figure == "refused_share");
    let one = one.unwrap_or_else(|| panic!("{all:?}"));
    assert_eq!(
        one.value, "30 of 40 requests in an hour were refused",
        "which figure"
    );
    assert_eq!(one.expected, "at most 35 %", "which range");
}

#[test]
fn memory_is_bounded_and_the_quiet_are_forgotten() {
    let mut monitor = Monitor::default();
    for n in 0..30_000_u32 {
        let mut one = sample(NOON + u64::from(n), &[Event::Injection]);
        one.address = Some(IpAddr::from(n.to_be_bytes()));
        monitor.see(&one);
    }
    assert!(monitor.addresses.len() <= MAX_SOURCES, "addresses");
    assert!(monitor.alerts().count() <= alert::MAX_ALERTS, "alerts");
    assert!(monitor.take_raised().len() <= 256, "what waits");
    let newest = IpAddr::from(29_999_u32.to_be_bytes());
    assert!(
        monitor.addresses.contains_key(&newest),
        "the newest is followed"
    );
}

#[test]
fn raised_alerts_are_handed_over_once() {
    let mut monitor = Monitor::default();
    monitor.see(&sample(NOON, &[Event::Injection]));
    let raised = monitor.take_raised();
    assert_eq!(raised.len(), 1, "one");
    assert_eq!(
        raised[0].severity,
        Severity::Critical,
        "an injection is critical"
    );
    assert!(monitor.take_raised().is_empty(), "once");
}

#[test]
fn time_that_goes_backwards_breaks_nothing() {
    let mut monitor = Monitor::default();
    for at in [NOON, 0, u64::MAX, NOON - DAY, NOON] {
        monitor.see(&sample(at, &[Event::AuthFailure]));
    }
    assert!(monitor.suspects(0).len() <= 1, "no panic");
}

#[test]
fn every_event_stands_at_its_index() {
    for (place, event) in Event::ALL.into_iter().enumerate() {
        assert_eq!(event.index(), place, "{event:?}");
    }
}

//! How long a credential takes to be looked up, and whether that time tells anything.
//!
//! Two tables. The first: nanoseconds a lookup with few and with many keys, of one key again and
//! again (`hot`), of all keys in a random order (`spread`), and with caches that were used for
//! something else in between (`cold`, as between two requests). The second: Welch's t between two
//! kinds of credential that fail, over a million checks of each pair in a random order, as dudect
//! does; below 4.5 no difference was found. Each check has a credential of its own: with one of each
//! kind, what is measured is where those two happen to stand in the processor's caches.
//!
//! `cargo bench --bench keys [-- few | times]`, the last for the second table alone.

#![expect(
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "a bench over its own numbers; one that overflows must stop"
)]

mod dice;

use std::hint::black_box;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use dice::Dice;
use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis::identify::identify;
use portcullis::identify::keys::{KeyHash, KeyRecord, Keyring, Role, mint};
use portcullis::policy::units::Span;
use portcullis::policy::{Auth, AuthMode, BruteForce};
use portcullis::runtime::clock;

fn key(number: usize) -> String {
    let mut random = [0_u8; 32];
    random[..8].copy_from_slice(&(number as u64).to_le_bytes());
    random[8..16].copy_from_slice(
        &(number as u64)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .to_le_bytes(),
    );
    mint(&random).expose().to_owned()
}

fn record(number: usize) -> KeyRecord {
    let id = format!("key-{number}").parse().expect("an id");
    KeyRecord::new(
        id,
        KeyHash::of(key(number).as_bytes(), None),
        Role::Standard,
    )
}

fn ring(keys: usize) -> Keyring {
    let records = (0..keys).map(|number| Arc::new(record(number)));
    Keyring::with_pepper(records.collect(), None).expect("distinct keys")
}

fn nanos(batch: impl FnOnce(), lookups: usize) -> f64 {
    let start = clock::now();
    batch();
    start.elapsed().as_nanos() as f64 / lookups as f64
}

/// The middle of several measurements: others use this machine too.
fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn lookups(keys: usize, out: &mut dyn std::io::Write) {
    const BATCH: usize = 1_000;
    let ring = ring(keys);
    let one = key(keys / 2);
    let hot = (0..200).map(|_| {
        let batch = || {
            for _ in 0..BATCH {
                assert!(
                    black_box(ring.find(black_box(one.as_bytes()), 1)).is_ok(),
                    "it is there"
                );
            }
        };
        nanos(batch, BATCH)
    });
    let hot = middle(hot.collect());
    let mut dice = Dice(42);
    let spread = (0..200).map(|_| {
        let some: Vec<String> = (0..BATCH)
            .map(|_| key((dice.roll() % keys as u64) as usize))
            .collect();
        let batch = || {
            for one in &some {
                assert!(
                    black_box(ring.find(one.as_bytes(), 1)).is_ok(),
                    "it is there"
                );
            }
        };
        nanos(batch, BATCH)
    });
    let spread = middle(spread.collect());
    let mut other = vec![1_u64; 4 * 1_048_576];
    let cold = (0..400).map(|round| {
        let one = key((dice.roll() % keys as u64) as usize);
        other
            .iter_mut()
            .step_by(8)
            .for_each(|word| *word = word.wrapping_add(round));
        nanos(
            || {
                assert!(
                    black_box(ring.find(one.as_bytes(), 1)).is_ok(),
                    "it is there"
                );
            },
            1,
        )
    });
    let cold = middle(cold.collect());
    writeln!(
        out,
        "{keys:>9} keys: hot {hot:>6.0} ns   spread {spread:>6.0} ns   cold {cold:>6.0} ns"
    )
    .expect("standard output");
}

fn headers(credential: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(credential).expect("a header");
    headers.insert(HeaderName::from_static("x-api-key"), value);
    headers
}

/// Keys of the second table, all of them revoked: as few as fit into the nearest cache, so that work
/// is compared and not the luck of caches.
const REVOKED: usize = 64;

fn auth() -> Auth {
    let mut records: Vec<KeyRecord> = (0..REVOKED).map(record).collect();
    for revoked in &mut records {
        revoked.revoked = true;
    }
    Auth {
        mode: AuthMode::Required,
        keys: Arc::new(Keyring::new(records).expect("distinct keys")),
        certificates: portcullis::identify::certificates::Certificates::default(),
        tokens: None,
        headers: ["authorization", "x-api-key", "api-key"]
            .map(HeaderName::from_static)
            .to_vec(),
        internal_allow: Vec::new(),
        brute_force: BruteForce {
            failures: 5,
            within: Span::from_secs(300),
            block_for: Span::from_secs(3_600),
        },
    }
}

/// A kind of credential: one of the revoked keys as it is, or wrong at a place.
type Kind = Option<usize>;

/// Welch's t between the times of two kinds of credential, the slowest twentieth left out.
fn welch(auth: &Auth, pair: [Kind; 2], checks: usize) -> f64 {
    let address = IpAddr::from([192, 0, 2, 1]);
    let mut dice = Dice(7);
    let mut times = [Vec::with_capacity(checks), Vec::with_capacity(checks)];
    for _ in 0..checks {
        let roll = dice.roll() >> 40;
        let class = roll as usize & 1;
        // Made for every kind, so that what happens before the clock starts is the same.
        let good = key(roll as usize >> 1);
        let (wrong, revoked) = (
            swapped(&good, pair[class].unwrap_or(0)),
            key((roll >> 1) as usize % REVOKED),
        );
        let headers = headers(pair[class].map_or(&revoked, |_place| &wrong));
        let start = clock::now();
        let answer = black_box(identify(black_box(&headers), (address, &[]), auth, 1));
        let took = start.elapsed();
        assert!(answer.is_err(), "none of them opens anything");
        times[class].push(took.as_nanos() as f64);
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let limit = all[all.len() / 20 * 19];
    let [one, other] = times.map(|times| {
        let kept: Vec<f64> = times.into_iter().filter(|time| *time <= limit).collect();
        let n = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / n;
        let spread = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, spread / n)
    });
    (one.0 - other.0) / (one.1 + other.1).sqrt()
}

fn swapped(key: &str, place: usize) -> String {
    let mut bytes = key.as_bytes().to_vec();
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("ASCII")
}

fn main() {
    let mut out = std::io::stdout();
    let few = std::env::args().any(|argument| argument == "few");
    let sizes: &[usize] = match (few, std::env::args().any(|argument| argument == "times")) {
        (_, true) => &[],
        (true, false) => &[10, 1_000],
        (false, false) => &[10, 1_000, 100_000, 1_000_000],
    };
    for keys in sizes {
        lookups(*keys, &mut out);
    }
    let checks = if few { 20_000 } else { 1_000_000 };
    let auth = auth();
    let (first, body, last, revoked) = (Some(0), Some(4), Some(52), None);
    for (name, pair) in [
        ("the same twice", [body, body]),
        ("wrong first byte, wrong last byte", [first, last]),
        (
            "wrong first byte of the body, wrong last byte",
            [body, last],
        ),
        (
            "right key that was revoked, wrong last byte",
            [revoked, last],
        ),
    ] {
        let t = welch(&auth, pair, checks);
        writeln!(out, "t {t:>6.2}   {name} ({checks} checks)").expect("standard output");
    }
}

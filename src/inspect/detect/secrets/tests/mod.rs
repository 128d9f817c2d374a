//! Tables of what is a secret and what only looks like one; block equivalence.
//! Values stand in two parts, so that this file itself holds no key.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a wrong place must fail the test"
)]

mod gate;

use proptest::prelude::*;

use super::Secrets;
use crate::inspect::detect::window::{Edges, LOOKBACK, PENDING};
use crate::inspect::detect::{Hit, Index, RuleSet, rules};

fn set() -> RuleSet {
    RuleSet::compile(&[rules::secrets::RULES], &[], &[], str::to_owned).unwrap()
}

fn range(hit: &Hit) -> std::ops::Range<usize> {
    usize::try_from(hit.start).unwrap()..usize::try_from(hit.end).unwrap()
}

/// Kinds and texts of what is found.
fn found(text: &str) -> Vec<(String, String)> {
    let set = set();
    let mut hits = Vec::new();
    Secrets::compile(&set).find(Index::default().read(text, 0), Edges::WHOLE, &mut hits);
    hits.iter()
        .map(|hit| {
            (
                set.rule(hit.rule).unwrap().kind.to_string(),
                text[range(hit)].to_owned(),
            )
        })
        .collect()
}

/// Scans in blocks of `size` bytes, each with its carried overlap alone in view;
/// a hit that goes on over an edge is joined.
fn in_blocks(secrets: &Secrets, text: &str, size: usize) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    let (mut from, mut end, mut open) = (0, 0, None);
    while end < text.len() {
        end = text.ceil_char_boundary((end + size).min(text.len()));
        let left = text.floor_char_boundary(from.max(LOOKBACK) - LOOKBACK);
        let edges = Edges {
            from: u32::try_from(from - left).unwrap(),
            ends_string: end == text.len(),
            open,
        };
        let mut part = Vec::new();
        let rest = secrets.find(Index::default().read(&text[left..end], 0), edges, &mut part);
        let next = usize::try_from(rest.from).unwrap() + left;
        assert!(
            next >= from && end - next <= PENDING,
            "at most {PENDING} bytes wait"
        );
        let shift = u32::try_from(left).unwrap();
        for hit in part {
            let hit = Hit {
                start: hit.start + shift,
                end: hit.end + shift,
                ..hit
            };
            match hits.last_mut() {
                Some(last)
                    if open.is_some() && last.end == hit.start && range(&hit).start == from =>
                {
                    last.end = hit.end;
                }
                _ => hits.push(hit),
            }
        }
        (from, open) = (next, rest.open);
    }
    hits
}

const HEX: &str = "4f1c9a7be02d83564f7ab1c09d3e5286af10c4d7e93b625810fd7ac42b9e6835";
const MIX: &str = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC2eF4hJ6kM8nP0rS2uV4xY6zA8cD0fG2iL4oR6tU8wX0qZ1";
const UPPER: &str = "Q7WX2ZKM4NPR6TVB8CDF3GHJ5LSQ9WXZ2KM4NPR6TVB8CDF3GHJ5LSQ9WXZ7";

/// Text before, the key's prefix, which body and how much of it, the kind.
#[rustfmt::skip]
const KEYS: &[(&str, &str, &str, usize, &str)] = &[
    ("key ", "pcl_", MIX, 49, "PORTCULLIS_KEY"),
    ("", "sk-ant-api03-", MIX, 60, "ANTHROPIC_KEY"),
    ("", "sk-or-v1-", HEX, 64, "OPENROUTER_KEY"),
    ("use ", "sk-proj-", MIX, 48, "OPENAI_KEY"),
    ("", "sk-", MIX, 48, "OPENAI_KEY"),
    ("id=", "AKIA", UPPER, 16, "AWS_ACCESS_KEY"),
    ("", "ASIA", UPPER, 16, "AWS_ACCESS_KEY"),
    ("", "ghp_", MIX, 36, "GITHUB_TOKEN"),
    ("", "gho_", MIX, 36, "GITHUB_TOKEN"),
    ("", "ghs_", MIX, 36, "GITHUB_TOKEN"),
    ("", "github_pat_", MIX, 60, "GITHUB_TOKEN"),
    ("", "glpat-", MIX, 20, "GITLAB_TOKEN"),
    ("", "xoxb-", "123456789012-1234567890123-aB3dE5gH7jK9mN1pQ3sT5vW7", 50, "SLACK_TOKEN"),
    ("", "sk_live_", MIX, 24, "STRIPE_KEY"),
    ("", "rk_live_", MIX, 24, "STRIPE_KEY"),
    ("", "AIza", MIX, 35, "GOOGLE_API_KEY"),
    ("", "GOCSPX-", MIX, 28, "GOOGLE_OAUTH"),
    ("", "hf_", MIX, 34, "HUGGINGFACE_TOKEN"),
    ("", "npm_", MIX, 36, "NPM_TOKEN"),
    ("", "pypi-AgE", MIX, 70, "PYPI_TOKEN"),
    ("", "rubygems_", HEX, 48, "RUBYGEMS_KEY"),
    ("", "SG.", "aB3dE5gH7jK9mN1pQ3sT5v.aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC2eF4hJ6kM8nP0r", 66, "SENDGRID_KEY"),
    ("", "SK", HEX, 32, "TWILIO_KEY"),
    ("", "key-", HEX, 32, "MAILGUN_KEY"),
    ("", "dapi", HEX, 32, "DATABRICKS_TOKEN"),
    ("", "dop_v1_", HEX, 64, "DIGITALOCEAN_TOKEN"),
    ("", "shpat_", HEX, 32, "SHOPIFY_TOKEN"),
    ("", "sq0atp-", MIX, 22, "SQUARE_TOKEN"),
    ("", "hvs.", MIX, 70, "VAULT_TOKEN"),
    ("", "PMAK-", "4f1c9a7be02d83564f7ab1c0-4f1c9a7be02d83564f7ab1c09d3e5286af", 59, "POSTMAN_KEY"),
    ("", "lin_api_", MIX, 40, "LINEAR_KEY"),
    ("", "ntn_", MIX, 46, "NOTION_TOKEN"),
    ("", "figd_", MIX, 40, "FIGMA_TOKEN"),
    ("", "glc_", MIX, 60, "GRAFANA_TOKEN"),
    ("", "glsa_", MIX, 41, "GRAFANA_TOKEN"),
    ("", "NRAK-", UPPER, 27, "NEWRELIC_KEY"),
    ("", "gsk_", MIX, 52, "GROQ_KEY"),
    ("", "xai-", MIX, 70, "XAI_KEY"),
    ("", "dckr_pat_", MIX, 27, "DOCKER_TOKEN"),
    ("", "AGE-SECRET-KEY-1", UPPER, 58, "AGE_SECRET_KEY"),
    ("", "tskey-", MIX, 40, "TAILSCALE_KEY"),
    ("", "sntrys_", MIX, 70, "SENTRY_TOKEN"),
    ("", "squ_", HEX, 40, "SONAR_TOKEN"),
    ("", "pscale_tkn_", MIX, 43, "PLANETSCALE_TOKEN"),
    ("", "dp.st.dev.", MIX, 43, "DOPPLER_TOKEN"),
    ("tg ", "110201543:A", MIX, 34, "TELEGRAM_TOKEN"),
];

fn key_text(row: &(&str, &str, &str, usize, &str)) -> (String, String) {
    let value = format!("{}{}", row.1, &row.2[..row.3]);
    (format!("{}{value}", row.0), value)
}

/// Text before the value, the value in two parts, text behind, the kind.
#[rustfmt::skip]
const OTHERS: &[(&str, &str, &str, &str, &str)] = &[
    ("Bearer ", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0", ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U", "", "JWT"),
    ("password=", "hunter2", "!x", "", "PASSWORD"),
    ("\"password\": \"", "S3cure", "Pa55", "\"", "PASSWORD"),
    ("DB_PASSWORD: ", "gT7#", "kk2p", "\n", "PASSWORD"),
    ("api_key = '", "9f8a7c6e5d4b3a2", "1c0ffee12ab34cd56", "'", "GENERIC_SECRET"),
    ("clientSecret: \"", "kT8vQ2mZ5xR9", "wL3nB7cY1", "\"", "GENERIC_SECRET"),
    ("my api key is ", "kT8vQ2mZ5xR9", "wL3nB7cY1", " thanks", "GENERIC_SECRET"),
    ("aws_secret_access_key=", "wJalrXUtnFEMI/K7MDENG+b", "PxRfiCYzK3yQ9t4aZ", "", "AWS_SECRET_KEY"),
    ("postgres://", "app:s3cr3t", "pw", "@db.internal/x", "BASIC_AUTH_URL"),
    ("curl -u ", "bob:T0p", "s3cret", " https://x", "BASIC_AUTH_URL"),
    ("Authorization: Basic ", "dXNlcjpw", "YXNzMTIz", "", "BEARER_TOKEN"),
    ("https://", "hooks.slack.com/services/T01AB23CD/", "B04EF56GH/aB3dE5gH7jK9mN1pQ3sT5vW7", "", "SLACK_WEBHOOK"),
    ("hash $", "2a$12$R9h/cIPz0gi.URNNX3kh2O", "PST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "", "PASSWORD_HASH"),
];

#[test]
fn keys_are_found_by_prefix_with_their_exact_range() {
    for row in KEYS {
        let (text, value) = key_text(row);
        assert_eq!(
            found(&text),
            [(row.4.to_owned(), value)],
            "{} is told by its prefix",
            row.4
        );
        let quoted = format!("\"{text}\", ok.");
        assert_eq!(
            found(&quoted).len(),
            1,
            "{}: quotes around it change nothing",
            row.4
        );
    }
}

#[test]
fn shapes_and_promised_values_are_found() {
    for (before, a, b, behind, kind) in OTHERS {
        let value = format!("{a}{b}");
        let text = format!("{before}{value}{behind}");
        assert_eq!(
            found(&text),
            [((*kind).to_owned(), value)],
            "{kind} in its place"
        );
    }
}

fn private_key(lines: usize) -> String {
    let body = format!("{}\n", &MIX[..64]).repeat(lines);
    format!(
        "-----BEGIN RSA {0}-----\n{body}-----END RSA {0}-----",
        "PRIVATE KEY"
    )
}

#[test]
fn private_keys_are_found_whole_at_any_length() {
    for lines in [1, 5, 27, 400] {
        let key = private_key(lines);
        let text = format!("here:\n{key}\nbye.");
        let expected = ("PRIVATE_KEY".to_owned(), key);
        assert_eq!(found(&text), [expected], "{lines} lines");
        let secrets = Secrets::compile(&set());
        let mut whole = Vec::new();
        secrets.find(Index::default().read(&text, 0), Edges::WHOLE, &mut whole);
        for size in [1500, 2048, 8192] {
            assert_eq!(
                in_blocks(&secrets, &text, size),
                whole,
                "{lines} lines, blocks of {size}"
            );
        }
    }
}

#[test]
fn values_behind_a_name_are_found_whole_at_any_length() {
    let secrets = Secrets::compile(&set());
    let pass = "aB3;dE,5gH!7jK=9m:N1#";
    for (name, part, behind, kind) in [
        ("access_token = ", MIX, "\nbye", "GENERIC_SECRET"),
        ("{\"secret\": \"", MIX, "\"}", "GENERIC_SECRET"),
        ("authorization: Bearer ", MIX, ".\nbye", "BEARER_TOKEN"),
        ("password=", "aB3dE5gH!7jK=9mN1#", ", and more", "PASSWORD"),
        ("password: \"", pass, "\" more", "PASSWORD"),
        (
            "curl -u root:",
            "aB3dE5gH!7jK9mN1#",
            " more",
            "BASIC_AUTH_URL",
        ),
    ] {
        for length in [100, 199, 200, 201, 240, 900, 5_000, 20_000] {
            let value: String = part.chars().cycle().take(length).collect();
            let before = format!("all is well, {name}");
            let text = format!("{before}{value}{behind}");
            let mut whole = Vec::new();
            secrets.find(Index::default().read(&text, 0), Edges::WHOLE, &mut whole);
            let user = if kind == "BASIC_AUTH_URL" {
                "root:".len()
            } else {
                0
            };
            let want = before.len() - user..before.len() + value.len();
            let ranges: Vec<_> = whole.iter().map(range).collect();
            assert_eq!(ranges, [want], "{name}, {length} bytes");
            let named = set().rule(whole[0].rule).unwrap().kind.to_string();
            assert_eq!(named, kind, "{name}, {length} bytes");
            for size in [1500, 2048, 8192] {
                let blocks = in_blocks(&secrets, &text, size);
                assert_eq!(blocks, whole, "{name}, {length} bytes, blocks of {size}");
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_passes() {
    for text in [
        "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit 1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "api_key = \"your_api_key\", token: <token>, password=${DB_PASSWORD}",
        "password: changeme, secret: xxxxxxxxxxxxxxxx, token: ********",
        "password = get_password(user), password: str, pwd=None",
        "const password = process.env.DB_PASSWORD1;",
        "max_tokens: 4096, tokens=128000, temperature=0.7",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-your-key-here-0000, sk-1234, sk-learn 1.4.2, task-12345678901234567890",
        "primary_key=customer_2024_order_id_0001",
        "{\"id\":\"chatcmpl-f9b2b79a7c30477ab93cd0e717d1773e\"} is your token",
        "tool_call_id key: call_aB3dE5gH7jK9mN1pQ3sT5vW7",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK\n-----END PUBLIC KEY-----",
        "http://localhost:8080/a:b@c, https://user:<password>@host/, ssh://git@github.com",
        "postgres://postgres:postgres@localhost",
        "function(a1,b2){var c3=d4[e5];return f6(g7)==h8?i9:j0}",
        "keyboard-layout-us-international-2024 keys",
        "PBKDF2WithHmacSHA1 key, PrivatePkcs8KeyDer key",
        "version=1.2.3-beta.4+build.567, order=AB-12345-67890",
        "eyJmb28iOiJiYXIifQ.eyJiYXoiOjF9.c2lnbmF0dXJl",
    ] {
        assert_eq!(found(text), Vec::new(), "{text:?} holds no secret");
    }
}

#[test]
fn the_table_has_at_least_forty_kinds_and_unique_ids() {
    let mut kinds: Vec<&str> = rules::secrets::RULES.iter().map(|rule| rule.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert!(kinds.len() >= 40, "{} kinds", kinds.len());
    let generic = &rules::secrets::RULES[usize::from(rules::secrets::GENERIC_SECRET)];
    assert_eq!(generic.kind, "GENERIC_SECRET", "constants number the table");
}

#[test]
fn plain_words_are_hardly_held() {
    let secrets = Secrets::compile(&set());
    for (text, held) in [
        ("", ""),
        ("hello world ", ""),
        ("hello wor", "wor"),
        ("a well-known fact ", ""),
        ("token sk-proj-aB3", "sk-proj-aB3"),
        ("see: ", ""),
        ("password: ", ": "),
    ] {
        assert_eq!(&text[secrets.hold_from(text)..], held, "{text:?}");
    }
}

/// Texts made of what the detector looks at, and of what comes between.
fn hostile() -> impl Strategy<Value = String> {
    let mut pieces: Vec<String> = KEYS.iter().map(|row| key_text(row).0).collect();
    pieces.extend(
        OTHERS
            .iter()
            .map(|row| [row.0, row.1, row.2, row.3].concat()),
    );
    pieces.extend([private_key(1), private_key(3)]);
    let between = [
        " ",
        "\n",
        "-",
        "_",
        "=",
        ":",
        "://",
        "@",
        "\"",
        ".",
        "/",
        "sk-",
        "eyJ",
        "key ",
        "password=",
        "word ",
        "é",
        "漢",
        "7",
        "-----BEGIN ",
        "PRIVATE KEY",
        "-----",
        "a",
        "-u ",
        "$2a$",
        "A1b2C3",
    ];
    pieces.extend(between.map(str::to_owned));
    prop::collection::vec(prop::sample::select(pieces), 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn blocks_find_what_the_whole_finds(text in hostile(), size in 1_usize..300) {
        let secrets = Secrets::compile(&set());
        let mut whole = Vec::new();
        secrets.find(Index::default().read(&text, 0), Edges::WHOLE, &mut whole);
        if whole.iter().all(|hit| hit.end - hit.start <= 800) {
            prop_assert_eq!(in_blocks(&secrets, &text, size), whole, "blocks of {} in {:?}", size, text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), from in 0_u32..64, ends in any::<bool>()) {
        let edges = Edges { from, ends_string: ends, open: None };
        let mut hits = Vec::new();
        let rest = Secrets::compile(&set()).find(Index::default().read(&text, 0), edges, &mut hits);
        prop_assert!(usize::try_from(rest.from).unwrap() <= text.len());
        for hit in hits {
            prop_assert!(text.get(range(&hit)).is_some_and(|value| !value.is_empty()));
        }
    }

    #[test]
    fn what_was_masked_is_clean(parts in prop::collection::vec(0..KEYS.len() + OTHERS.len(), 1..10)) {
        let texts = parts.iter().map(|n| KEYS.get(*n).map_or_else(
            || { let row = OTHERS[n - KEYS.len()]; [row.0, row.1, row.2, row.3].concat() },
            |row| key_text(row).0,
        ));
        let text = texts.collect::<Vec<_>>().join(" ; ");
        let (set, mut hits) = (set(), Vec::new());
        Secrets::compile(&set).find(Index::default().read(&text, 0), Edges::WHOLE, &mut hits);
        let mut masked = text.clone();
        for (n, hit) in hits.iter().enumerate().rev() {
            let kind = &set.rule(hit.rule).unwrap().kind;
            masked.replace_range(range(hit), &format!("[{kind}_{n}]"));
        }
        prop_assert_eq!(found(&masked), Vec::new(), "{:?}", &masked);
    }
}

//! References to secrets, and that no secret is shown.

use super::*;
use crate::policy::secret::Secret;

const SECRET: &str = "s3cr3t-upstream-value";

fn provider(api_key: &str) -> String {
    format!(
        "providers:\n  - name: up\n    api: openai\n    endpoints: [{{url: \"https://a\"}}]\n    \
         api_key: {api_key}\nroutes: [{{models: [\"*\"], providers: [up]}}]\n"
    )
}

fn key(world: &World, api_key: &str) -> String {
    let policy = world.policy(&provider(api_key));
    let key = policy.providers[0].api_keys.first();
    key.map(Secret::expose).unwrap().to_owned()
}

#[test]
fn secrets_are_found_where_they_are_kept() {
    let world = World::default()
        .env("KEY", "from-env")
        .env("DIR", "creds")
        .file("creds/key", "from-file\n")
        .file("bare", "no-newline")
        .file("two", "${KEY}\r\n");
    for (written, expected) in [
        ("${KEY}", "from-env"),
        ("pre-${KEY}-post", "pre-from-env-post"),
        ("$${KEY}", "${KEY}"),
        ("a$b", "a$b"),
        ("file:creds/key", "from-file"),
        ("file:${DIR}/key", "from-file"),
        ("file:/etc/p/bare", "no-newline"),
        ("file:two", "${KEY}"),
        ("literal", "literal"),
    ] {
        assert_eq!(key(&world, written), expected, "{written}");
    }
}

#[test]
fn references_that_lead_nowhere_are_told() {
    let world = World::default()
        .env("EMPTY", "")
        .env("LINES", "a\nb")
        .file("empty", "\n")
        .file("large", &"x".repeat(65_537));
    for (written, word) in [
        ("${UNSET}", "UNSET, which is not set; set UNSET"),
        ("${EMPTY}", "EMPTY, which is not set"),
        ("${LINES}", "no header can carry"),
        ("${KEY", "without its `}`"),
        ("${A-B}", "not a variable's name"),
        ("\"\"", "is empty"),
        ("file:none", "/etc/p/none, which does not exist"),
        ("file:empty", "/etc/p/empty, which is empty"),
        ("file:large", "longer than 65536 bytes"),
    ] {
        let faults = world.faults(&provider(written));
        assert_eq!(faults.len(), 1, "{written}: {faults:#?}");
        assert!(
            faults[0].starts_with("x.yaml:5: providers[0].api_key: ") && faults[0].contains(word),
            "{written}: {}",
            faults[0]
        );
    }
}

#[test]
fn variables_are_taken_only_where_a_secret_stands() {
    let world = World::default().env("LEVEL", "info").env("HOST", "a");
    for (lines, key) in [
        ("logging: {file: \"${LEVEL}\"}", "logging.file"),
        (
            "server: {trusted_proxies: [\"${HOST}\"]}",
            "server.trusted_proxies[0]",
        ),
    ] {
        let faults = world.faults(&with(lines));
        let begins = format!("x.yaml:1: {key}: holds `${{`");
        assert!(
            faults.iter().any(|fault| fault.starts_with(&begins)),
            "{lines}: {faults:#?}"
        );
    }
}

#[test]
fn no_secret_is_in_any_debug_output() {
    let world = World::default()
        .env("KEY", SECRET)
        .env("API_KEY", "s3cr3t-caller-value")
        .file("secret", SECRET);
    for written in ["${KEY}", "file:secret", SECRET] {
        let reviewed = world.review(&provider(written)).unwrap();
        let shown = format!("{reviewed:?} {reviewed:#?}");
        assert!(!shown.contains("s3cr3t"), "{written}: {shown}");
    }
    let document = document::read::<raw::RawConfig>("x", &provider(SECRET)).unwrap();
    assert!(!format!("{document:?}").contains("s3cr3t"), "the raw types");
    let content = world.read(Path::new("/etc/p/secret")).unwrap();
    assert!(
        !format!("{content:?}").contains("s3cr3t"),
        "a file's content"
    );
    let mut raw = document.raw;
    let environment = env::apply(&mut raw, &world);
    assert!(
        !format!("{environment:?}").contains("s3cr3t"),
        "the environment"
    );
}

#[test]
fn no_fault_repeats_a_secret_that_stands_in_the_wrong_place() {
    const KEY: &str = "sk-proj-s3cr3tvalue0123";
    let world = World::default()
        .env("KEY", "s3cr3t with spaces")
        .file("secret", "s3cr3t\nx\n");
    for text in [
        provider(&format!("[{KEY}]")),
        provider(&format!("{{k: {KEY}}}")),
        provider(&format!("\"{KEY} x\"")),
        provider("${KEY}"),
        provider("file:secret"),
        provider(&format!("${{{KEY}}}")),
        with(&format!("logging: {{level: {KEY}}}")),
        with(&format!("server: {{workers: {KEY}}}")),
        with(&format!("auth: {KEY}")),
        with(&format!("{KEY}: x")),
        with(&format!("auth: {{{KEY}: x}}")),
        with(&format!("size_limits: {{json: {KEY}}}")),
        with(&format!("auth: {{headers: [\"{KEY} x\"]}}")),
        with(&format!("auth: {{tokens: {{hmac_secret: [{KEY}]}}}}")),
        with(&format!("auth: {{pepper: [{KEY}]}}")),
        with(&format!("server: {{listeners: [{{address: {KEY}}}]}}")),
        provider("k").replace("https://a", &format!("https://u:{KEY}@a")),
        provider("k").replace("https://a", &format!("https://a?k={KEY}")),
        provider("k").replace("name: up", &format!("name: {KEY} x")),
    ] {
        let faults = world.faults(&text);
        assert!(!faults.is_empty(), "{text} is wrong");
        assert!(
            !faults.iter().any(|fault| fault.contains("s3cr3t")),
            "{text}: {faults:#?}"
        );
    }
}

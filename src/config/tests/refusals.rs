//! Wrong configurations: the line, the key, what is wrong, what would be right.

use super::*;

/// Asserts that one of the faults begins with this and holds all of these.
fn assert_told(world: &World, text: &str, begins: &str, words: &[&str]) {
    let faults = world.faults(text);
    let told = faults
        .iter()
        .any(|fault| fault.starts_with(begins) && words.iter().all(|word| fault.contains(word)));
    assert!(
        told,
        "no fault begins with {begins:?} and holds {words:?}:\n{text}\n{faults:#?}"
    );
}

#[test]
fn what_is_not_yaml_is_told_by_line() {
    for (text, begins, word) in [
        ("a: [1, 2\nb: 3\n", "x.yaml:", "is not YAML"),
        ("a: 1\n  b: 2\n", "x.yaml:2: ", "is not YAML"),
        ("logging: {}\nlogging: {}\n", "x.yaml:2: logging: ", "twice"),
        (
            "logging:\n  level: info\n  format: json\n  level: warn\n",
            "x.yaml:4: logging.level: ",
            "twice",
        ),
        (
            "providers:\n  - name: a\n    name: b\n",
            "x.yaml:3: providers[0].name: ",
            "twice",
        ),
        ("a: !tag b\n", "x.yaml:1: ", "tag"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: ", "second document"),
        ("a: &a [*a]\n", "x.yaml:1: ", "alias"),
        ("{[a]: b}\n", "x.yaml:1: ", "plain word"),
        ("just a text\n", "x.yaml:1: ", "is a text; write a block"),
        ("- a list\n", "x.yaml:1: ", "is a list; write a block"),
        ("1: x\n", "x.yaml:1: ", "a key that is not a text"),
    ] {
        assert_told(&World::default(), text, begins, &[word]);
    }
}

#[test]
fn texts_without_measure_are_refused() {
    let world = World::default();
    let long = format!("# {}\n", "x".repeat(1_048_576));
    assert_told(&world, &long, "x.yaml: ", &["longer than"]);
    let deep = format!("a: {}{}\n", "[".repeat(40), "]".repeat(40));
    assert_told(&world, &deep, "x.yaml:1: ", &["levels deep"]);
    let bomb = (1..12).fold(
        "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned(),
        |text, n| {
            let previous = format!("*a{}, ", n - 1).repeat(8);
            format!("{text}a{n}: &a{n} [{}]\n", previous.trim_end_matches(", "))
        },
    );
    assert_told(&world, &bomb, "x.yaml:", &["aliases"]);
}

#[test]
fn unknown_keys_are_all_told_with_what_was_meant() {
    let text = with("server:\n  listners: []\n  wrokers: 2\nbanana: 1");
    let world = World::default();
    for (begins, word) in [
        (
            "x.yaml:2: server.listners: is not a known key; ",
            "did you mean `listeners`?",
        ),
        ("x.yaml:3: server.wrokers: ", "did you mean `workers`?"),
        ("x.yaml:4: banana: ", "known here are"),
    ] {
        assert_told(&world, &text, begins, &[word]);
    }
    assert_eq!(world.faults(&text).len(), 3, "all of them and no other");
}

#[test]
fn wrong_kinds_and_words_are_told_with_what_stands_there() {
    for (text, begins, words) in tables::KINDS {
        assert_told(&World::default(), &with(text), begins, &[words]);
    }
}

#[test]
fn what_switches_a_feature_off_is_accepted() {
    let world = World::default();
    let off = with(
        "server: {listeners: [{address: \"127.0.0.1:1\", redirect_to_https: false}]}\n\
         auth: {tokens: {hmac_secret: null, jwks_file: null, max_ttl: null}}\n\
         rate_limits: {store: memory, global: null}\n\
         logging: {audit_file: null}\nalerts: {webhook: null, min_severity: high}\n\
         telemetry: {otlp_endpoint: null, service_name: x}\nsettings: {}",
    );
    world.policy(&off);
}

#[test]
fn quantities_and_addresses_are_told_with_an_example() {
    for (text, begins, word) in tables::QUANTITIES {
        assert_told(&World::default(), &with(text), begins, &[word]);
    }
}

#[test]
fn tls_files_must_be_there_and_be_what_they_are_named() {
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let text = with(
        "server:\n  listeners:\n    - address: 127.0.0.1:1\n      tls:\n        certificate: \
         c.pem\n        private_key: k.pem",
    );
    let world = |certificate: &str, key: &str| {
        World::default()
            .file("c.pem", certificate)
            .file("k.pem", key)
    };
    let policy = world(CERTIFICATE, KEY).policy(&text);
    let tls = policy.listeners[0].tls.as_ref().unwrap();
    assert_eq!(
        tls.certificates[0].certificate,
        Path::new("/etc/p/c.pem"),
        "paths start from the file's directory"
    );
    let certificate = "x.yaml:5: server.listeners[0].tls.certificate: ";
    let key = "x.yaml:6: server.listeners[0].tls.private_key: ";
    assert_told(
        &World::default(),
        &text,
        certificate,
        &["/etc/p/c.pem", "not exist"],
    );
    assert_told(&World::default(), &text, key, &["/etc/p/k.pem"]);
    assert_told(&world(KEY, CERTIFICATE), &text, certificate, &["swapped?"]);
    assert_told(&world(CERTIFICATE, ""), &text, key, &["BEGIN PRIVATE KEY"]);
    assert_told(
        &world(CERTIFICATE.lines().next().unwrap(), KEY),
        &text,
        certificate,
        &["cut short"],
    );
    let encrypted = KEY.replace("PRIVATE", "ENCRYPTED PRIVATE");
    assert_told(
        &world(CERTIFICATE, &encrypted),
        &text,
        key,
        &["openssl pkey"],
    );
}

#[test]
fn providers_and_routes_are_told_with_what_they_need() {
    for (text, begins, word) in tables::UPSTREAM {
        assert_told(&World::default(), text, begins, &[word]);
    }
}

#[test]
fn endpoint_urls_are_plain_http_urls() {
    for (url, word) in [
        ("ftp://a", "neither an http"),
        ("a", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://user:pass@a", "user name or password"),
        ("https://a?x=1", "query"),
        ("https://a#x", "fragment"),
    ] {
        let text = format!(
            "providers:\n  - name: a\n    api: openai\n    endpoints:\n      - url: {url:?}\nroutes: \
             [{{models: [x], providers: [a]}}]\n"
        );
        let begins = "x.yaml:5: providers[0].endpoints[0].url: ";
        assert_told(&World::default(), &text, begins, &[word]);
    }
}

#[test]
fn faults_of_all_parts_are_told_together_in_the_order_of_the_file() {
    let text = "server: {trusted_proxies: [x]}\nsize_limits: {json: y}\nproviders: [{name: a b, \
                api: echo}]\nbanana: 1\nrate_limits: {global: 1}\nroutes: [{models: [z], \
                providers: [q]}]\n";
    let world = World::default();
    let broken = world.faults(text);
    assert!(
        broken.iter().any(|f| f.contains("banana")) && broken.iter().any(|f| f.contains("global")),
        "a value of the wrong kind stops before meaning: {broken:#?}"
    );
    let text = text.replace("rate_limits: {global: 1}", "alerts: {webhook: x}");
    let lines: Vec<usize> = match world.review(&text) {
        Ok(_) => panic!("six things are wrong"),
        Err(faults) => faults.iter().filter_map(Fault::line).collect(),
    };
    assert_eq!(lines, [1, 2, 3, 4, 5, 6], "one fault a line, in order");
}

#[test]
fn faults_behind_anchors_and_merges_stand_where_the_value_was_written() {
    let text = "providers:\n  - &first\n    name: a\n    api: echo\n    timeouts: &slow\n      \
                connect: never\n  - <<: *first\n    name: b\n    timeouts:\n      <<: *slow\n      \
                idle: 1s\nroutes: [{models: [x], providers: [a]}]\n";
    let faults = World::default().faults(text);
    for begins in [
        "x.yaml:6: providers[0].timeouts.connect: `never`",
        "x.yaml:6: providers[1].timeouts.connect: `never`",
    ] {
        assert!(
            faults.iter().any(|fault| fault.starts_with(begins)),
            "{begins}: {faults:#?}"
        );
    }
}

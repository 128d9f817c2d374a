//! What a key is bound to, over real sockets.

use super::{answer, key, keys, overlay};
use crate::harness::gateway::run;
use crate::harness::{Gateway, Request, Upstream, chat};

#[tokio::test]
async fn keys_are_good_for_what_they_are_bound_to_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start().await;
    let made = [
        (
            "--id models --role standard --models gpt-*",
            200,
            403,
            "model_not_allowed",
        ),
        (
            "--id provider --role standard --providers mock",
            200,
            200,
            "",
        ),
        (
            "--id other --role standard --providers openai",
            403,
            403,
            "permission_denied",
        ),
        ("--id path --role standard --paths /v1/chat/*", 200, 200, ""),
        (
            "--id elsewhere --role standard --paths /v1/models",
            403,
            403,
            "permission_denied",
        ),
        ("--id here --role standard --ips 127.0.0.0/8", 200, 200, ""),
        (
            "--id there --role standard --ips 192.0.2.0/24",
            403,
            403,
            "permission_denied",
        ),
        (
            "--id reader --role read_only",
            403,
            403,
            "permission_denied",
        ),
        (
            "--id early --role standard --not-before 1h",
            401,
            401,
            "invalid_api_key",
        ),
        (
            "--id late --role standard --expires-at 2020-01-01",
            401,
            401,
            "invalid_api_key",
        ),
    ];
    let mut texts = Vec::new();
    for (arguments, ..) in made {
        texts.push(key(folder.path(), arguments).await);
    }
    let gone = key(folder.path(), "--id gone --role admin").await;
    answer(folder.path(), "revoke --id gone").await;
    let builder = Gateway::builder().provider("mock", "openai", &upstream.url());
    let gateway = builder.yaml(&overlay(folder.path())).start().await;
    for ((arguments, gpt, claude, code), text) in made.into_iter().zip(&texts) {
        for (model, status) in [("gpt-4o", gpt), ("claude-x", claude)] {
            let reply = gateway.send(&chat(model).key(text)).await;
            assert_eq!(
                reply.status,
                status,
                "{arguments}, {model}: {}",
                reply.text()
            );
            if status != 200 {
                reply.assert_refused(status, code, arguments);
            }
        }
    }
    let reply = gateway.send(&chat("gpt-4o").key(&gone)).await;
    reply.assert_refused(401, "invalid_api_key", "a revoked key");
    for reason in ["revoked", "expired", "not_yet_valid"] {
        let series = format!("proxy_api_failed_auth_attempts_total{{reason=\"{reason}\"}}");
        // Operators see what callers do not.
        gateway.metric_reaches(&series, 1.0).await;
    }
}

#[tokio::test]
async fn the_list_of_models_holds_what_the_key_may_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let bound = key(folder.path(), "--id a --role standard --models gpt-*").await;
    let other = key(folder.path(), "--id b --role standard --providers two").await;
    let all = key(folder.path(), "--id c --role read_only").await;
    let builder = Gateway::bare().echo("one").echo("two");
    let builder = builder
        .route("{models: [gpt-4o, o3], providers: [one]}")
        .route("{models: [m], providers: [one, two]}");
    let gateway = builder.yaml(&overlay(folder.path())).start().await;
    for (text, expected) in [
        (&bound, vec!["gpt-4o"]),
        (&other, vec!["m"]),
        (&all, vec!["gpt-4o", "m", "o3"]),
    ] {
        let list = gateway
            .send(&Request::get("/v1/models").key(text))
            .await
            .json();
        let names: Vec<_> = list["data"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|model| model["id"].as_str())
            .collect();
        assert_eq!(names, expected, "{list}");
        let path = "/v1/models/o3";
        let one = gateway.send(&Request::get(path).key(text)).await;
        let known = expected.contains(&"o3");
        assert_eq!(one.status, if known { 200 } else { 404 }, "o3 by name");
    }
}

#[tokio::test]
async fn a_replaced_key_ends_with_its_overlap() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = key(folder.path(), "--id alice --role standard").await;
    let turned = answer(folder.path(), "rotate --id alice --overlap 1h").await;
    let new = turned["key"].as_str().expect("a key").to_owned();
    let ended = key(folder.path(), "--id bob --role standard").await;
    let short = answer(folder.path(), "rotate --id bob --overlap 1s").await;
    let builder = Gateway::bare().echo("echo").yaml(&overlay(folder.path()));
    let gateway = builder.start().await;
    for text in [&old, &new] {
        let reply = gateway.send(&chat("m").key(text)).await;
        reply.assert_fine("both keys of an overlap");
    }
    let gone = async {
        while gateway.send(&chat("m").key(&ended)).await.status != 401 {
            tokio::task::yield_now().await;
        }
    };
    crate::harness::within("the old key ends without a reload", gone).await;
    let new = short["key"].as_str().expect("a key");
    let reply = gateway.send(&chat("m").key(new)).await;
    reply.assert_fine("the new one goes on");
}

#[tokio::test]
async fn a_peppered_key_opens_where_its_pepper_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let pepper = folder.path().join("pepper");
    let arguments = format!("--id a --role standard --pepper {}", pepper.display());
    let text = key(folder.path(), &arguments).await;
    let stored = std::fs::read_to_string(folder.path().join("keys.yaml")).expect("the file");
    assert!(stored.contains("\"hmac-sha256:"), "{stored}");
    let more = format!("{{auth: {{pepper: \"file:{}\"}}}}", pepper.display());
    let builder = Gateway::bare().echo("echo").yaml(&overlay(folder.path()));
    let gateway = builder.yaml(&more).start().await;
    gateway
        .send(&chat("m").key(&text))
        .await
        .assert_fine("its pepper");
}

#[tokio::test]
async fn files_that_can_not_be_trusted_keep_the_gateway_from_starting() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    key(folder.path(), "--id a --role standard").await;
    let file = folder.path().join("keys.yaml");
    let configuration = folder.path().join("portcullis.yaml");
    let text = "server: {listeners: [{address: \"127.0.0.1:0\"}]}\nauth: {keys_file: keys.yaml}\n\
                providers: [{name: local, api: echo}]\n\
                routes: [{models: [\"*\"], providers: [local]}]\n";
    std::fs::write(&configuration, text).expect("a file");
    let path = configuration.to_string_lossy().into_owned();
    let sound = std::fs::read_to_string(&file).expect("the file");
    let secret = folder.path().join("keys.token-secret");
    let plain = "keys:\n  - {id: a, hash: pcl_plain-text, role: admin}\n";
    let line = sound.lines().last().expect("a key");
    for (text, open, word) in [
        (sound.clone(), Some(&file), "chmod 600"),
        (sound.clone(), Some(&secret), "chmod 600"),
        (plain.to_owned(), None, "must never stand here"),
        (format!("{sound}{line}\n"), None, "the id of an earlier key"),
    ] {
        for path in [&file, &secret] {
            let mode = if open == Some(path) { 0o644 } else { 0o600 };
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::write(
                path,
                if path == &file {
                    text.as_str()
                } else {
                    "0123456789abcdef0123456789abcdef"
                },
            )
            .expect("a file");
            std::fs::set_permissions(path, mode).expect("its mode");
        }
        for command in ["check", "run"] {
            let output = run(&[command, "-c", &path]).await;
            let said = super::stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{command}: {said}");
            assert!(
                said.contains(word) && !said.contains("plain-text"),
                "{command}: {said}"
            );
        }
    }
    let listed = keys(folder.path(), "list").await;
    assert_eq!(listed.status.code(), Some(2), "nor is it listed");
}

//! Keys that are replaced and taken back while calls go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{answer, key, overlay};
use crate::harness::{Gateway, chat, within};

/// Asks until a key is good, or is not any more.
async fn until_status(gateway: &Gateway, key: &str, status: u16) {
    let asking = async {
        while gateway.send(&chat("m").key(key)).await.status != status {
            tokio::task::yield_now().await;
        }
    };
    within("the reload is done", asking).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_and_taken_back_under_load_without_a_failed_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = key(folder.path(), "--id alice --role standard").await;
    let builder = Gateway::bare().echo("echo").yaml(&overlay(folder.path()));
    let gateway = builder.start().await;
    let done = Arc::new(AtomicBool::new(false));
    let callers = (0..4).map(|_| {
        let (client, key, done) = (gateway.client(), old.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut calls = 0_usize;
            while !done.load(Ordering::Relaxed) {
                let reply = client.send(&chat("m").key(&key)).await;
                reply.assert_fine("a call with the old key, within its overlap");
                calls += 1;
            }
            calls
        })
    });
    let callers: Vec<_> = callers.collect();
    for _ in 0..3 {
        let turned = answer(folder.path(), "rotate --id alice --overlap 1h").await;
        let new = turned["key"].as_str().expect("a key");
        gateway.signal("HUP").await;
        until_status(&gateway, new, 200).await;
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        let calls = caller.await.expect("no call failed");
        assert!(calls > 0, "calls went on all the time");
    }
    answer(folder.path(), "revoke --id alice").await;
    gateway.signal("HUP").await;
    until_status(&gateway, &old, 401).await;
}

#[tokio::test]
async fn a_file_that_would_be_refused_at_the_start_changes_nothing_at_a_reload() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let good = key(folder.path(), "--id alice --role standard").await;
    let builder = Gateway::bare().echo("echo").yaml(&overlay(folder.path()));
    let gateway = builder.start().await;
    let file = folder.path().join("keys.yaml");
    let sound = std::fs::read_to_string(&file).expect("the file");
    let line = sound.lines().last().expect("a key");
    let all = "chmod 600";
    for (text, mode, word) in [
        (sound.clone(), 0o644, all),
        (
            format!("{sound}{line}\n"),
            0o600,
            "the id of an earlier key",
        ),
        (
            "keys: [{id: a, hash: pcl_x, role: admin}]\n".to_owned(),
            0o600,
            "must never stand",
        ),
    ] {
        std::fs::write(&file, text).expect("a file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("its mode");
        gateway.signal("HUP").await;
        crate::harness::until(word, || gateway.log_text().contains(word).then_some(())).await;
        let reply = gateway.send(&chat("m").key(&good)).await;
        reply.assert_fine("the keys that were there stay");
    }
}

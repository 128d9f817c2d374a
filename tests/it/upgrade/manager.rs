//! What a service manager is told: ready, reloading, stopping, and which process is the main one.

use tokio::net::UnixDatagram;

use super::upgraded;
use crate::harness::{Gateway, Upstream, within};

/// The next word of the gateway that begins so.
async fn told(manager: &UnixDatagram, beginning: &str) -> String {
    let hearing = async {
        let mut word = vec![0; 4_096];
        loop {
            let length = manager.recv(&mut word).await.expect("a word");
            let word = String::from_utf8_lossy(&word[..length]).into_owned();
            if word.starts_with(beginning) {
                return word;
            }
        }
    };
    within(beginning, hearing).await
}

#[tokio::test]
async fn a_manager_is_told_of_readiness_reloads_upgrades_and_the_end() {
    let folder = tempfile::tempdir().expect("a directory");
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .env("NOTIFY_SOCKET", &socket.display().to_string())
        .start()
        .await;
    let ready = told(&manager, "READY=1").await;
    let main = format!("MAINPID={}", gateway.pid());
    assert!(ready.lines().any(|line| line == main), "{ready}");
    gateway.signal("HUP").await;
    let reloading = told(&manager, "RELOADING=1").await;
    let stamp = reloading
        .lines()
        .find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    let stamp: Option<u64> = stamp.and_then(|stamp| stamp.parse().ok());
    assert!(stamp.is_some_and(|stamp| stamp > 0), "{reloading}");
    told(&manager, "READY=1").await;
    let file = gateway.folder().join("portcullis.yaml");
    let whole = std::fs::read_to_string(&file).expect("the configuration");
    std::fs::write(&file, "servr: {}\n").expect("a file");
    gateway.signal("HUP").await;
    let ended = told(&manager, "READY=1").await;
    assert!(ended.contains("the last reload failed"), "{ended}");
    std::fs::write(&file, whole).expect("a file");
    let mut old = upgraded(&mut gateway, "portcullis.yaml").await;
    let ready = told(&manager, "READY=1").await;
    let main = format!("MAINPID={}", gateway.pid());
    assert!(ready.lines().any(|line| line == main), "{ready}");
    let status = within("the old process ends", old.wait()).await;
    assert_eq!(status.expect("a status").code(), Some(0), "drained");
    let mut word = vec![0; 4_096];
    while let Ok(length) = manager.try_recv(&mut word) {
        let word = String::from_utf8_lossy(&word[..length]).into_owned();
        assert!(!word.contains("STOPPING"), "the service goes on: {word}");
    }
    gateway.signal("TERM").await;
    told(&manager, "STOPPING=1").await;
}

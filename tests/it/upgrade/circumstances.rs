//! Upgrades in bad circumstances: whatever goes wrong is told, and the running process goes on.

use std::fs::{File, Permissions};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::{ready, waits};
use crate::harness::client::Client;
use crate::harness::configuration::{changed, write_private};
use crate::harness::gateway::{Key, command, free_address};
use crate::harness::{
    ADMIN_KEY, Gateway, Request, STANDARD_KEY, Upstream, chat, left_out, until, within,
};

/// Where the gateway of these tests is called: in a folder of its own.
async fn callable(upstream: &Upstream) -> (TempDir, Gateway) {
    let run = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(run.path(), Permissions::from_mode(0o700)).expect("its mode");
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .env("RUNTIME_DIRECTORY", &run.path().display().to_string())
        .start()
        .await;
    (run, gateway)
}

/// A call to the gateway, as a successor's.
async fn call(run: &Path) -> BufReader<UnixStream> {
    let socket = until("the socket for calls", || {
        let entries = std::fs::read_dir(run).ok()?.flatten();
        let mut paths = entries.map(|entry| entry.path());
        paths.find(|path| path.extension().is_some_and(|end| end == "call"))
    })
    .await;
    let stream = UnixStream::connect(socket).await.expect("it is answered");
    BufReader::new(stream)
}

async fn say(caller: &mut BufReader<UnixStream>, word: &[u8]) {
    let written = caller.get_mut().write_all(word).await;
    written.expect("it is read");
}

async fn hear(caller: &mut BufReader<UnixStream>) -> serde_json::Value {
    let mut line = String::new();
    let read = within("an answer", caller.read_line(&mut line)).await;
    read.expect("an answer");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

const READY: &[u8] = b"{\"ready\": {\"version\": 1, \"pid\": 1}}\n";

async fn ends_with(successor: &mut Child, gateway: &Gateway, words: &[&str]) {
    let status = within("the successor ends", successor.wait()).await;
    let text = std::fs::read_to_string(gateway.folder().join("successor")).unwrap_or_default();
    assert_eq!(status.expect("a status").code(), Some(2), "{text}");
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

async fn goes_on(gateway: &Gateway) {
    let reply = gateway.send(&chat("gpt-4o").key(STANDARD_KEY)).await;
    reply.assert_fine("the running process goes on");
}

#[tokio::test]
async fn a_faulty_configuration_keeps_a_successor_from_asking() {
    let upstream = Upstream::start().await;
    let visitor = Key {
        id: "visitor",
        secret: "sk-test-visitor-0123456789abcdef",
        role: "standard",
        limits: "{}",
    };
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .key(visitor)
        .start()
        .await;
    let folder = gateway.folder();
    let text = std::fs::read_to_string(folder.join("portcullis.yaml")).expect("a file");
    let keys = std::fs::read_to_string(folder.join("keys.yaml")).expect("the keys");
    write_private(&folder.join("half.yaml"), &keys[..keys.len() / 2]);
    let pair = |name: &str| {
        let folder = folder.join(name);
        std::fs::create_dir(&folder).expect("a folder");
        crate::tls::wire::certificate(&folder)
    };
    let ((certificate, _), (_, key)) = (pair("one"), pair("other"));
    let address = gateway.url().replace("http://", "");
    let mixed = format!(
        "{{server: {{listeners: [{{address: \"{address}\", tls: {{certificate: {certificate}, \
         private_key: {key}}}}}]}}}}"
    );
    for (overlay, words) in [
        ("{servr: {}}", ["new.yaml", "servr", "server"]),
        ("{auth: {keys_file: half.yaml}}", ["half.yaml", "", ""]),
        (&mixed, ["don't belong together", "", ""]),
    ] {
        std::fs::write(folder.join("new.yaml"), changed(&text, overlay)).expect("a file");
        ends_with(&mut gateway.successor("new.yaml"), &gateway, &words).await;
        goes_on(&gateway).await;
    }
    assert!(
        !gateway.log_text().contains("waits to take over"),
        "the running process never heard of them"
    );
}

#[tokio::test]
async fn two_successors_at_once_are_one_too_many() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::before(&upstream).await;
    let first = gateway.successor("portcullis.yaml");
    gateway.wait_for_line("a successor", waits).await;
    let mut second = gateway.successor("portcullis.yaml");
    ends_with(&mut second, &gateway, &["another process waits"]).await;
    goes_on(&gateway).await;
    gateway.signal("QUIT").await;
    let mut old = gateway.succeeded_by(first);
    let status = within("the old process ends", old.wait()).await;
    assert_eq!(status.expect("a status").code(), Some(0), "drained");
    goes_on(&gateway).await;
}

#[tokio::test]
async fn a_successor_that_dies_just_before_it_takes_over_changes_nothing() {
    let upstream = Upstream::start().await;
    let (run, mut gateway) = callable(&upstream).await;
    for (word, told) in [
        (None, "it says nothing and dies"),
        (Some(READY), "it says the wrong word"),
        (Some(b"{}\n".as_slice()), "it says no word"),
    ] {
        let mut caller = call(run.path()).await;
        say(&mut caller, READY).await;
        assert!(!hear(&mut caller).await["wait"].is_null(), "it is heard");
        let before = gateway.log_text().matches("; going on").count();
        gateway.signal("QUIT").await;
        let offer = hear(&mut caller).await;
        assert!(offer["take"]["state"].is_object(), "{offer}");
        if let Some(word) = word {
            say(&mut caller, word).await;
        }
        drop(caller);
        until(told, || {
            let now = gateway.log_text().matches("; going on").count();
            (now > before).then_some(())
        })
        .await;
        goes_on(&gateway).await;
    }
    let successor = gateway.successor("portcullis.yaml");
    let called = format!("process {} waits", successor.id().expect("it runs"));
    until("a real one", || {
        gateway.log_text().contains(&called).then_some(())
    })
    .await;
    gateway.signal("QUIT").await;
    let mut old = gateway.succeeded_by(successor);
    let status = within("the old process ends", old.wait()).await;
    assert_eq!(status.expect("a status").code(), Some(0), "drained");
    goes_on(&gateway).await;
}

#[tokio::test]
async fn a_successor_whose_predecessor_is_killed_ends_and_says_so() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    let mut successor = gateway.successor("portcullis.yaml");
    gateway.wait_for_line("a successor", waits).await;
    gateway.signal("KILL").await;
    ends_with(
        &mut successor,
        &gateway,
        &["was lost before it handed over"],
    )
    .await;
}

const NOBODY: u32 = 65_534;

/// A folder of nobody's, with a gateway's configuration and a folder for calls.
fn of_nobody(address: SocketAddr) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let text = format!(
        "server: {{listeners: [{{address: \"{address}\"}}]}}\nproviders: [{{name: e, api: \
         echo}}]\nroutes: [{{models: [\"*\"], providers: [e]}}]\n"
    );
    std::fs::write(folder.path().join("c.yaml"), text).expect("a file");
    let run = folder.path().join("run");
    std::fs::create_dir(&run).expect("a folder");
    std::fs::set_permissions(&run, Permissions::from_mode(0o700)).expect("its mode");
    for path in [folder.path(), &run] {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
    }
    folder
}

/// The gateway as nobody. The program is named by a descriptor, as the folders that it lies in may
/// be closed to others.
fn as_nobody(arguments: &[&str], folder: &Path, run: &Path) -> Child {
    let program = File::open(env!("CARGO_BIN_EXE_portcullis")).expect("the program");
    let stderr = File::create(folder.join("stderr")).expect("a file");
    Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()))
        .args(arguments)
        .env_clear()
        .env("API_KEY", ADMIN_KEY)
        .env("RUNTIME_DIRECTORY", run)
        .current_dir(folder)
        .uid(NOBODY)
        .gid(NOBODY)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .kill_on_drop(true)
        .spawn()
        .expect("it starts")
}

#[tokio::test]
async fn a_process_of_another_user_takes_nothing_over() {
    let user = std::fs::metadata("/proc/self").map(|me| me.uid());
    if user.is_ok_and(|user| user != 0) {
        return left_out("an upgrade by another user", "only root may become one");
    }
    let address = free_address();
    let folder = of_nobody(address);
    let run = folder.path().join("run");
    let _gateway = as_nobody(&["run", "-c", "c.yaml"], folder.path(), &run);
    let mut caller = call(&run).await;
    say(&mut caller, READY).await;
    let answer = hear(&mut caller).await;
    assert_eq!(answer["refused"]["why"], "it is of another user");
    let output = command(&["run", "-c", "c.yaml", "--upgrade"])
        .env("API_KEY", ADMIN_KEY)
        .env("RUNTIME_DIRECTORY", &run)
        .current_dir(folder.path())
        .output();
    let output = within("root's process ends", output).await.expect("it ran");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("belongs to another user"), "{text}");
    let health = Client { address }.send(&Request::get("/health")).await;
    health.assert_fine("the running process goes on");

    let upstream = Upstream::start().await;
    let (run, gateway) = callable(&upstream).await;
    call(run.path()).await;
    let asked = ["run", "-c", "c.yaml", "--upgrade"];
    let mut nobodys = as_nobody(&asked, folder.path(), run.path());
    let status = within("nobody's process ends", nobodys.wait()).await;
    let text = std::fs::read_to_string(folder.path().join("stderr")).unwrap_or_default();
    assert_eq!(status.expect("a status").code(), Some(2), "{text}");
    assert!(text.contains("belongs to another user"), "{text}");
    goes_on(&gateway).await;
}

/// A process that nobody else ends.
struct Orphan(u32);

impl Drop for Orphan {
    fn drop(&mut self) {
        let pid = self.0.to_string();
        let kill = std::process::Command::new("sh")
            .args(["-c", "kill -s KILL \"$0\"", &pid])
            .status();
        assert!(kill.is_ok(), "sh runs");
    }
}

#[tokio::test]
async fn a_running_gateway_starts_its_successor_itself() {
    let upstream = Upstream::start().await;
    let mut gateway = Gateway::before(&upstream).await;
    ready(&gateway, 1).await;
    gateway.signal("USR2").await;
    let called = gateway.wait_for_line("a successor", waits).await;
    let message = called["message"].as_str().unwrap_or_default();
    let pid = message.split(' ').nth(1).and_then(|pid| pid.parse().ok());
    let _successor = Orphan(pid.unwrap_or_else(|| panic!("a process id: {message}")));
    assert_eq!(gateway.ended().await, Some(0), "the old process leaves");
    goes_on(&gateway).await;
}

#[tokio::test]
async fn a_gateway_whose_own_successor_fails_goes_on() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::before(&upstream).await;
    ready(&gateway, 1).await;
    std::fs::write(gateway.folder().join("portcullis.yaml"), "servr: {}\n").expect("a file");
    gateway.signal("USR2").await;
    let ended = |line: &serde_json::Value| {
        let message = line["message"].as_str().unwrap_or_default();
        message.contains("has ended (exit status: 2); going on")
    };
    gateway.wait_for_line("its end", ended).await;
    goes_on(&gateway).await;
    assert!(gateway.stderr().contains("servr"), "and why");
}

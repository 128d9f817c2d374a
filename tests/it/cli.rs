//! The commands: what they say, where they say it, and their exit codes.

use std::process::{Output, Stdio};

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::harness::gateway::{self, command, free_address};
use crate::harness::{Client, Gateway, Request, until, within};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Something to serve, so that only what a test adds is at fault.
const SOUND: &str =
    "providers: [{name: local, api: echo}]\nroutes: [{models: [\"*\"], providers: [local]}]\n";

async fn check(text: &str) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("portcullis.yaml");
    std::fs::write(&path, text).expect("a file");
    gateway::run(&["check", "-c", &path.to_string_lossy()]).await
}

#[tokio::test]
async fn a_sound_configuration_passes_its_check() {
    let output = check(SOUND).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
}

#[tokio::test]
async fn a_wrong_configuration_is_explained_by_file_line_key_and_remedy() {
    let cases: &[(&str, &[&str])] = &[
        (
            "server:\n  workrs: 3\n",
            &["portcullis.yaml:2", "workrs", "workers"],
        ),
        (
            "server:\n  workers: many\n",
            &["portcullis.yaml:2", "server.workers"],
        ),
        (
            "size_limits:\n  json: 1 parsec\n",
            &["portcullis.yaml:2", "size_limits.json", "10MiB"],
        ),
        (
            "server:\n  shutdown:\n    drain: soon\n",
            &["portcullis.yaml:3", "drain", "30s"],
        ),
        (
            "providers:\n  - name: a\n    api: telepathy\n",
            &["portcullis.yaml:3", "api", "openai"],
        ),
        ("providers: [\n", &["portcullis.yaml:"]),
        (
            "routes:\n  - {models: [\"*\"], providers: [nobody]}\n",
            &["portcullis.yaml:2", "nobody"],
        ),
        (
            "providers:\n  - {name: a, api: echo}\n  - {name: a, api: echo}\n",
            &["portcullis.yaml:3", "name"],
        ),
        (
            "providers:\n  - name: a\n    api: openai\n    endpoints: [{url: \"ftp://x\"}]\n",
            &["portcullis.yaml:4", "url", "http"],
        ),
        (
            "providers:\n  - {name: a, api: openai, endpoints: [{url: \"https://x\"}], \
             api_key: \"${PORTCULLIS_NO_SUCH_VARIABLE}\"}\n",
            &["portcullis.yaml:2", "PORTCULLIS_NO_SUCH_VARIABLE"],
        ),
    ];
    for (text, wanted) in cases {
        let output = check(text).await;
        let said = stderr(&output);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{text:?} is a wrong configuration: {said}"
        );
        for part in *wanted {
            assert!(said.contains(part), "{text:?}: {part:?} is said: {said}");
        }
    }
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let output = check("size_limits:\n  json: huge\nserver:\n  shutdown: {drain: soon}\n").await;
    let said = stderr(&output);
    assert!(
        said.contains("server.shutdown.drain") && said.contains("size_limits.json"),
        "{said}"
    );
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_exit_code_2() {
    for command in ["check", "run"] {
        let output = gateway::run(&[command, "-c", "no-such-file.yaml"]).await;
        assert_eq!(
            output.status.code(),
            Some(2),
            "{command}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains("no-such-file.yaml"),
            "the file is named"
        );
        assert!(stdout(&output).is_empty(), "errors go to stderr");
    }
}

#[tokio::test]
async fn wrong_arguments_are_exit_code_2_and_go_to_stderr() {
    for arguments in [
        &["no-such-command"][..],
        &["check"],
        &["run", "--no-such-flag"],
        &[],
    ] {
        let output = gateway::run(arguments).await;
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(
            !stderr(&output).is_empty(),
            "{arguments:?}: what is wrong is said"
        );
    }
}

#[tokio::test]
async fn every_command_has_help() {
    let help = gateway::run(&["--help"]).await;
    assert_eq!(help.status.code(), Some(0), "{}", stderr(&help));
    for name in ["demo", "run", "check", "schema"] {
        assert!(
            stdout(&help).contains(name),
            "{name} is listed: {}",
            stdout(&help)
        );
        let output = gateway::run(&[name, "--help"]).await;
        assert_eq!(
            output.status.code(),
            Some(0),
            "{name} --help: {}",
            stderr(&output)
        );
        assert!(
            stdout(&output).contains("Usage"),
            "{name} --help: {}",
            stdout(&output)
        );
    }
}

/// The schema, written there.
async fn schema_to(stdout: impl Into<Stdio>) -> Output {
    let mut command = command(&["schema"]);
    let program = command.stdout(stdout).stderr(Stdio::piped()).spawn();
    let program = program.expect("the binary starts");
    within("the program ends", program.wait_with_output())
        .await
        .expect("it ends")
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_the_program_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let gone = schema_to(writer).await;
    assert_eq!(gone.status.code(), Some(141), "as if SIGPIPE had ended it");
    assert_eq!(stderr(&gone), "");
}

#[tokio::test]
async fn an_answer_that_can_not_be_written_is_told_and_never_exit_code_0_or_1() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let full = schema_to(full.expect("a full disk")).await;
    assert_eq!(full.status.code(), Some(2), "neither fine nor not fine");
    let told = stderr(&full);
    assert!(told.contains("No space left"), "{told}");
    assert_eq!(told.lines().count(), 1, "no backtrace: {told}");
}

#[tokio::test]
async fn the_schema_is_a_json_schema_with_the_contracts_sections() {
    let output = gateway::run(&["schema"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(schema["$schema"].is_string(), "it says which dialect it is");
    for section in [
        "server",
        "auth",
        "size_limits",
        "providers",
        "routes",
        "logging",
    ] {
        assert!(
            schema["properties"][section].is_object(),
            "{section} is described"
        );
    }
}

#[tokio::test]
async fn a_gateway_that_can_not_listen_says_so_and_ends() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let output = gateway::run(&["demo", "--listen", &address.to_string()]).await;
    assert!(!output.status.success(), "nobody listens twice");
    assert!(
        stderr(&output).contains(&address.port().to_string()),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn the_demo_prints_a_key_that_works_and_that_is_new_each_time() {
    let mut keys = Vec::new();
    for _ in 0..2 {
        let address = free_address();
        let mut demo = command(&["demo", "--listen", &address.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let mut lines = BufReader::new(demo.stdout.take().expect("a pipe")).lines();
        let key = loop {
            let line = within("the demo prints its key", lines.next_line()).await;
            let line = line.expect("text").expect("a key before the end");
            if let Some((_, rest)) = line.split_once("Bearer ") {
                break rest
                    .split(['"', '\''])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
            }
        };
        until("the demo listens", || {
            std::net::TcpStream::connect(address).ok()
        })
        .await;
        let request = crate::harness::chat("any").key(&key);
        Client { address }
            .send(&request)
            .await
            .assert_fine("the demo's own key");
        let request = crate::harness::chat("any");
        let reply = Client { address }.send(&request).await;
        reply.assert_refused(401, "missing_api_key", "the demo asks for its key");
        keys.push(key);
    }
    assert_ne!(keys[0], keys[1], "a fresh key each time");
}

#[tokio::test]
async fn sigterm_ends_the_gateway_in_good_order() {
    let mut gateway = Gateway::builder()
        .echo("local")
        .yaml("server: {shutdown: {drain: 1s}}")
        .start()
        .await;
    gateway
        .send(&Request::get("/health"))
        .await
        .assert_fine("it runs");
    gateway.signal("TERM").await;
    assert_eq!(
        gateway.ended().await,
        Some(0),
        "an orderly end: {}",
        gateway.stderr()
    );
}

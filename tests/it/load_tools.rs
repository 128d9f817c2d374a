//! curl and oha as people use them.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::harness::gateway::{command, free_address};
use crate::harness::{Gateway, STANDARD_KEY, chat_body, skipped, until, within};

/// A tool that `make test` installed beside the sources, or one on the PATH.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::iter::once(own).chain(std::env::split_paths(&path));
    places.find_map(|place| Some(place.join(name)).filter(|file| file.is_file()))
}

async fn run(mut command: Command, what: &str) -> Output {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = within(what, command.output()).await.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{what}: {said}");
    output
}

#[tokio::test]
async fn the_curl_line_that_the_demo_prints_works_as_it_stands() {
    if tool("curl").is_none() {
        return skipped("the demo's curl line", "curl");
    }
    let address = free_address();
    let mut demo = command(&["demo", "--listen", &address.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the demo starts");
    let mut lines = BufReader::new(demo.stdout.take().expect("a pipe")).lines();
    let mut line = String::new();
    while !line.contains("curl ") || line.trim_end().ends_with('\\') {
        let next = within("the demo prints a curl line", lines.next_line()).await;
        let next = next.expect("text").expect("a curl line before the end");
        if line.contains("curl ") {
            line.push('\n');
            line.push_str(&next);
        } else {
            line = next;
        }
    }
    until("the demo listens", || {
        std::net::TcpStream::connect(address).ok()
    })
    .await;
    let mut shell = Command::new("sh");
    let start = line.find("curl ").expect("a curl line");
    shell.args(["-c", &line[start..]]);
    let output = run(shell, "the curl line").await;
    let body: Value = serde_json::from_slice(&output.stdout).expect("curl prints an answer");
    let text = body["choices"][0]["message"]["content"].as_str();
    assert!(
        text.is_some_and(|text| !text.is_empty()),
        "a chat answer: {body}"
    );
}

#[tokio::test]
async fn curl_reads_a_stream_to_its_end() {
    let Some(curl) = tool("curl") else {
        return skipped("a stream by curl", "curl");
    };
    let gateway = Gateway::builder().echo("local").start().await;
    let mut body = chat_body("any");
    body["stream"] = true.into();
    let mut command = Command::new(curl);
    command.args(["-sSfN", &format!("{}/v1/chat/completions", gateway.url())]);
    command.args(["-H", &format!("Authorization: Bearer {STANDARD_KEY}")]);
    command.args([
        "-H",
        "Content-Type: application/json",
        "-d",
        &body.to_string(),
    ]);
    let output = run(command, "curl -N").await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("data: ") && text.ends_with("data: [DONE]\n\n"),
        "{text}"
    );
}

#[tokio::test]
async fn oha_loses_no_request() {
    let Some(oha) = tool("oha") else {
        return skipped("load by oha", "oha");
    };
    let gateway = Gateway::builder().echo("local").start().await;
    let mut command = Command::new(oha);
    command.args([
        "--no-tui",
        "--output-format",
        "json",
        "-z",
        "2s",
        "-w",
        "-c",
        "8",
    ]);
    command.args([
        "-m",
        "POST",
        "-T",
        "application/json",
        "-d",
        &chat_body("any").to_string(),
    ]);
    command.args(["-H", &format!("Authorization: Bearer {STANDARD_KEY}")]);
    command.arg(format!("{}/v1/chat/completions", gateway.url()));
    let output = run(command, "oha").await;
    let report: Value = serde_json::from_slice(&output.stdout).expect("oha reports in JSON");
    let statuses = report["statusCodeDistribution"]
        .as_object()
        .expect("statuses");
    assert_eq!(
        statuses.keys().collect::<Vec<_>>(),
        ["200"],
        "only 200: {report}"
    );
    let errors = report["errorDistribution"].as_object().expect("errors");
    assert!(errors.is_empty(), "none is lost: {report}");
    assert!(
        report["summary"]["successRate"].as_f64() == Some(1.0),
        "none is lost: {report}"
    );
}

//! `portcullis scan`, which runs the server's own engine: the same at every chunk size, and the
//! same as on the wire.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ATTACK, CARD, CHAT, CODE, EMAIL, SECRET, WEB, inspecting, long, post, saying};
use crate::harness::gateway::command;
use crate::harness::{Upstream, within};

const SOUND: &str =
    "providers: [{name: local, api: echo}]\nroutes: [{models: [\"*\"], providers: [local]}]\n";
/// The last is larger than any text.
const CHUNKS: [&str; 6] = ["1", "2", "3", "7", "64", "1000000000"];
/// Lines of each corpus that are scanned, and the longest of them.
const SAMPLE: (usize, usize) = (40, 2_500);

/// A folder with a configuration, to scan in.
struct Desk(TempDir);

impl Desk {
    fn new(more: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let text = format!("{SOUND}{more}");
        std::fs::write(directory.path().join("portcullis.yaml"), text).expect("a file");
        Self(directory)
    }

    /// Writes an input; answers its path.
    fn write(&self, text: &str) -> PathBuf {
        let path = self.0.path().join("input");
        std::fs::write(&path, text).expect("a file");
        path
    }

    async fn scan(&self, arguments: &[&str], input: &Path) -> Output {
        let configuration = self.0.path().join("portcullis.yaml");
        let mut command = command(&["scan", "-c", &configuration.to_string_lossy()]);
        command.args(arguments).arg(input);
        within("a scan", command.output()).await.expect("it starts")
    }

    /// Scans JSON Lines; the answers and the summary.
    async fn corpus(&self, chunk: &str, input: &Path) -> (Vec<Value>, Value) {
        let arguments = ["--jsonl", "--format", "json", "--chunk", chunk];
        let output = self.scan(&arguments, input).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut lines: Vec<Value> = text.lines().map(parsed).collect();
        let mut last = lines.pop().expect("a summary");
        (lines, last["summary"].take())
    }
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn lines(texts: &[(&str, &str)]) -> String {
    texts.iter().fold(String::new(), |mut all, (text, label)| {
        writeln!(all, "{}", json!({"text": text, "label": label})).expect("a String takes text");
        all
    })
}

#[tokio::test]
async fn the_answer_has_the_contracts_form() {
    let desk = Desk::new("");
    let mail = format!("\u{fc}ber {EMAIL}!");
    let input = [
        json!({"text": mail, "id": "first", "role": "tool", "label": "benign"}),
        json!({"text": ATTACK, "label": "attack", "corpus": "x", "meta": {"a": [1]}}),
        json!({"text": "Hello", "id": 9, "label": "benign"}),
        json!({"text": WEB, "label": "other"}),
        json!({"text": "Good morning", "label": "attack"}),
    ];
    let input = input.map(|line| format!("{line}\n")).join("\n");
    let (answers, summary) = desk.corpus("64", &desk.write(&input)).await;
    let ids: Vec<&Value> = answers.iter().map(|one| &one["id"]).collect();
    assert_eq!(
        json!(ids),
        json!(["first", 3, 9, 7, 9]),
        "a missing id is the line's number"
    );
    let verdicts: Vec<&Value> = answers.iter().map(|one| &one["verdict"]).collect();
    assert_eq!(
        json!(verdicts),
        json!(["mask", "block", "pass", "flag", "pass"]),
        "in order"
    );
    let found = json!([{"family": "pii", "rule": "pii.email", "kind": "EMAIL", "start": 5,
        "end": 5 + EMAIL.len()}]);
    assert_eq!(answers[0]["findings"], found, "places in characters");
    assert_eq!(answers[0]["output"], "\u{fc}ber [EMAIL_1]!", "masked");
    assert_eq!(
        answers[1]["output"],
        Value::Null,
        "nothing of a blocked one"
    );
    assert!(answers[1]["score"].as_f64() >= Some(0.5), "{}", answers[1]);
    assert_eq!(answers[2]["score"], 0.0, "nothing at all");
    assert_eq!(summary["texts"], 5, "{summary}");
    let findings: usize = answers
        .iter()
        .filter_map(|one| one["findings"].as_array())
        .map(Vec::len)
        .sum();
    assert_eq!(summary["findings"], findings, "{summary}");
    let bytes = mail.len() + ATTACK.len() + "Hello".len() + WEB.len() + "Good morning".len();
    assert_eq!(summary["bytes"], bytes, "{summary}");
    assert_eq!(summary["recall"], 0.5, "one of two attacks: {summary}");
    assert_eq!(
        summary["false_positive_rate"], 0.0,
        "an address is no attack: {summary}"
    );
    for name in ["seconds", "mb_per_second"] {
        assert!(summary[name].as_f64() > Some(0.0), "{name}: {summary}");
    }
}

#[tokio::test]
async fn no_chunk_size_changes_one_byte_of_the_answer() {
    let disguised: String = ATTACK.chars().flat_map(|ch| [ch, '\u{200b}']).collect();
    let mixed = format!("\u{1f600} {EMAIL}, {CARD}; \u{fc} <b> {WEB} \u{202e}{CODE}");
    let far = format!("{} {ATTACK}", "all is well. ".repeat(700));
    let values = format!("{EMAIL} \u{4f60}\u{597d} ").repeat(300);
    let texts = [
        (ATTACK, "attack"),
        (&*disguised, "attack"),
        (&*far, "attack"),
        (&*mixed, "benign"),
        (&*values, "benign"),
        (SECRET, "benign"),
        ("", "benign"),
        ("\u{feff}\u{0}\u{1b}[2J", "benign"),
        ("Hello", "benign"),
    ];
    for settings in [
        "",
        "inspection: {request: {prompt_injection: flag, secrets: mask, \
                      code_patterns: block, web_attacks: off, sanitization: strict}}\n",
    ] {
        let desk = Desk::new(settings);
        let input = desk.write(&lines(&texts));
        let (want, _) = desk.corpus(CHUNKS[5], &input).await;
        assert_eq!(want.len(), texts.len(), "one answer a line");
        for chunk in CHUNKS {
            let (answers, _) = desk.corpus(chunk, &input).await;
            assert_eq!(answers, want, "{settings} {chunk} bytes at a time");
        }
    }
}

#[tokio::test]
async fn corpora_are_judged_alike_at_every_chunk_size() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let folder = std::env::var_os("PORTCULLIS_CORPORA").map_or(beside, PathBuf::from);
    let Ok(areas) = std::fs::read_dir(&folder) else {
        // Written past the test runner's capture, so that it shows in every run.
        let line = b"skipped: corpora at every chunk size (set PORTCULLIS_CORPORA to a folder)\n";
        std::io::stderr()
            .write_all(line)
            .expect("stderr takes a line");
        return;
    };
    let mut sample = String::new();
    for area in areas
        .filter_map(Result::ok)
        .filter(|area| area.path().is_dir())
    {
        for corpus in std::fs::read_dir(area.path()).expect("a folder") {
            let text = std::fs::read_to_string(corpus.expect("a file").path()).expect("text");
            let short: Vec<&str> = text.lines().filter(|line| line.len() < SAMPLE.1).collect();
            let step = short.len().div_ceil(SAMPLE.0).max(1);
            for line in short.into_iter().step_by(step) {
                sample.push_str(line);
                sample.push('\n');
            }
        }
    }
    let desk = Desk::new("inspection: {request: {secrets: mask}}\n");
    let input = desk.write(&sample);
    let (want, _) = desk.corpus(CHUNKS[5], &input).await;
    assert!(!want.is_empty(), "{} holds corpora", folder.display());
    for chunk in CHUNKS {
        let (answers, _) = desk.corpus(chunk, &input).await;
        for (answer, want) in answers.iter().zip(&want) {
            assert_eq!(answer, want, "{chunk} bytes at a time");
        }
        assert_eq!(answers.len(), want.len(), "one answer a line");
    }
}

#[tokio::test]
async fn a_captured_body_is_judged_as_on_the_wire() {
    let upstream = Upstream::start().await;
    let gateway = inspecting(&upstream, "max_text_chars: 100000").await;
    let desk = Desk::new("");
    for body in [
        saying("Hello"),
        saying(&format!("{EMAIL} \u{fc} {WEB}")),
        saying(ATTACK),
        saying(SECRET),
        long(70_000, &format!(" {CARD}")),
        long(120_000, ""),
        saying("Hello").replace('}', ""),
        saying("Hello\u{200b}"),
    ] {
        let before = upstream.requests().len();
        let reply = gateway.send(&post(CHAT, &body)).await;
        let input = desk.write(&body);
        for chunk in ["7", "65536"] {
            let arguments = ["--body", "--format", "json", "--chunk", chunk];
            let output = desk.scan(&arguments, &input).await;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let answer = parsed(text.lines().next().unwrap_or_default());
            if reply.status == 200 {
                let received = upstream.wait_requests(before + 1).await;
                let received = String::from_utf8_lossy(&received[before].body).into_owned();
                assert_eq!(answer["output"], received, "bytes judged are bytes sent");
                assert_eq!(output.status.code(), Some(0), "{answer}");
            } else {
                assert_eq!(answer["code"], reply.json()["error"]["code"], "{answer}");
                assert_eq!(answer["output"], Value::Null, "{answer}");
                assert_eq!(output.status.code(), Some(1), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn the_exit_code_and_the_words_are_for_people_too() {
    let desk = Desk::new("");
    let attack = desk.write(ATTACK);
    let output = desk.scan(&[], &attack).await;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "a blocked scan: {told}");
    assert!(told.contains("block (prompt_injection_detected)"), "{told}");
    assert!(
        told.contains(" prompt_injection injection."),
        "a line a finding: {told}"
    );
    let masked = desk.write(&format!("write to {EMAIL}"));
    let output = desk.scan(&["--direction", "response"], &masked).await;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "it may go on: {told}");
    assert!(
        told.ends_with("\nwrite to [EMAIL_1]\n"),
        "what goes on: {told}"
    );
    for (arguments, text, wanted) in [
        (
            &["--jsonl"][..],
            "{\"text\": \"x\"}\n\n{\"text\": 3}\n",
            vec!["input:3:", "`text`"],
        ),
        (
            &["--jsonl"],
            "{\"text\": \"x\"\n",
            vec!["input:1:", "is not JSON"],
        ),
        (
            &["--jsonl"],
            "{\"text\": \"x\", \"id\": []}\n",
            vec!["input:1:", "`id`"],
        ),
        (&["--jsonl", "--body"], "", vec!["--jsonl", "--body"]),
        (&["--chunk", "0"], "", vec!["--chunk"]),
    ] {
        let output = desk.scan(arguments, &desk.write(text)).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        for part in wanted {
            assert!(said.contains(part), "{part} is said: {said}");
        }
    }
    let output = desk.scan(&[], Path::new("/no/such/file")).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("/no/such/file: can't be read"), "{said}");
}

#[tokio::test]
async fn standard_input_is_read_where_no_file_is_named() {
    let desk = Desk::new("");
    let input = desk.write(&format!("write to {EMAIL}"));
    let configuration = desk.0.path().join("portcullis.yaml");
    for last in [&["-"][..], &[]] {
        let mut command = command(&["scan", "-c", &configuration.to_string_lossy()]);
        let source = std::fs::File::open(&input).expect("a file");
        command
            .args(["--format", "json"])
            .args(last)
            .stdin(Stdio::from(source));
        let output = within("a scan", command.output()).await.expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let answer = parsed(text.lines().next().unwrap_or_default());
        assert_eq!(answer["output"], "write to [EMAIL_1]", "{text}");
        assert_eq!(answer["id"], "-", "{text}");
    }
}

/// A captured form with this prompt.
fn form(prompt: &str) -> String {
    let part = |name: &str, value: &str| {
        format!("--frontier\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n")
    };
    let parts = [part("model", "whisper-1"), part("prompt", prompt)];
    format!("{}--frontier--\r\n", parts.concat())
}

#[tokio::test]
async fn a_captured_form_is_judged_by_its_content_type_or_by_its_looks() {
    const FORM: &str = "multipart/form-data; boundary=frontier";
    const URL_ENCODED: &str = "application/x-www-form-urlencoded";
    let desk = Desk::new("");
    let url = |text: &str| format!("model=whisper-1&prompt={}", text.replace(' ', "+"));
    let mail = url(EMAIL).replace('@', "%40");
    let masked = url("%5BEMAIL_1%5D");
    for (kind, body, verdict, output) in [
        (FORM, form(ATTACK), "block", None),
        (FORM, form(EMAIL), "mask", Some(form("[EMAIL_1]"))),
        (FORM, form("Hello"), "pass", Some(form("Hello"))),
        (URL_ENCODED, url(ATTACK), "block", None),
        (URL_ENCODED, mail, "mask", Some(masked)),
        (
            "text/plain",
            EMAIL.to_owned(),
            "mask",
            Some("[EMAIL_1]".to_owned()),
        ),
    ] {
        let input = desk.write(&body);
        let named: &[&str] = &["--content-type", kind];
        let looked_at: &[&str] = &["--body"];
        let ways = if kind == "text/plain" {
            vec![named]
        } else {
            vec![named, looked_at]
        };
        for way in ways {
            for chunk in ["1", "7", "65536"] {
                let more = ["--format", "json", "--chunk", chunk];
                let output_of = desk.scan(&[way, &more[..]].concat(), &input).await;
                let why = format!("{kind} {way:?} by {chunk}: {body}");
                let code = i32::from(verdict == "block");
                assert_eq!(output_of.status.code(), Some(code), "{why}");
                let said = String::from_utf8(output_of.stdout).expect("text");
                let answer = parsed(said.lines().next().expect("an answer"));
                assert_eq!(answer["verdict"], verdict, "{why}: {answer}");
                assert_eq!(answer["output"].as_str(), output.as_deref(), "{why}");
            }
        }
    }
    let input = desk.write("--x\r\n");
    let output = desk
        .scan(&["--content-type", "multipart/form-data"], &input)
        .await;
    assert_eq!(output.status.code(), Some(2), "no boundary");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("--content-type") && said.contains("boundary"),
        "{said}"
    );
}

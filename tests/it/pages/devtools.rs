//! Debian's Chromium without a window, driven over the `DevTools` protocol. It speaks on two pipes
//! here, so that nothing but a shell is needed to start it, and no port.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::harness::{looks, within};
use crate::load_tools::tool;

/// A browser with one page.
pub(super) struct Browser {
    _process: Child,
    _profile: tempfile::TempDir,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    asked: u64,
    /// What the page complained about.
    pub(super) complaints: Vec<String>,
}

impl Browser {
    /// Starts one, if there is any.
    pub(super) async fn start() -> Option<Self> {
        let program = ["chromium-headless-shell", "chromium"]
            .into_iter()
            .find_map(tool)?;
        let profile = tempfile::tempdir().expect("a directory");
        // It reads orders from its third descriptor and answers on its fourth.
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1",
                "sh",
            ])
            .arg(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("a shell starts");
        let to = process.stdin.take().expect("a pipe");
        let from = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut browser = Self {
            _process: process,
            _profile: profile,
            to,
            from,
            session: None,
            asked: 0,
            complaints: Vec::new(),
        };
        let target = browser
            .order("Target.createTarget", json!({"url": "about:blank"}))
            .await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.order("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.order(&format!("{domain}.enable"), json!({})).await;
        }
        Some(browser)
    }

    /// Sends an order and waits until it is carried out; answers its result.
    pub(super) async fn order(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.ask(method, parameters).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Sends an order and waits for its answer, be it a result or an error.
    async fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.expect("the browser reads");
        loop {
            let message = within(method, self.message()).await;
            if message["id"] == self.asked {
                return message;
            }
            self.note(&message);
        }
    }

    async fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from
            .read_until(0, &mut bytes)
            .await
            .expect("the browser answers");
        assert_eq!(bytes.pop(), Some(0), "the browser runs on");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    fn note(&mut self, message: &Value) {
        let parameters = &message["params"];
        let bad = match message["method"].as_str() {
            Some("Runtime.consoleAPICalled") => parameters["type"] == "error",
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => parameters["entry"]["level"] == "error",
            Some(_) | None => false,
        };
        if bad {
            self.complaints.push(parameters.to_string());
        }
    }

    /// Runs a script in the page; answers its value.
    pub(super) async fn run(&mut self, script: &str) -> Value {
        let script = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let done = self.order("Runtime.evaluate", script).await;
        assert!(done["exceptionDetails"].is_null(), "{done}");
        done["result"]["value"].clone()
    }

    /// Opens an address, and waits until it is there.
    pub(super) async fn open(&mut self, url: &str) {
        self.order("Page.navigate", json!({"url": url})).await;
        let there = format!(
            "document.readyState === 'complete' && location.href === {}",
            json!(url)
        );
        self.until(&there).await;
    }

    /// Waits until something holds in the page.
    pub(super) async fn until(&mut self, condition: &str) {
        // A page that is on its way elsewhere ends every script in it, and the look with an error.
        let look = json!({"expression": condition, "returnByValue": true});
        let waiting = async {
            let mut ticks = looks(std::time::Duration::from_millis(20));
            loop {
                ticks.tick().await;
                let seen = self.ask("Runtime.evaluate", look.clone()).await;
                if seen["result"]["result"]["value"] == true {
                    return;
                }
            }
        };
        let held = tokio::time::timeout(crate::harness::DEADLINE / 2, waiting).await;
        if held.is_err() {
            let shown = self.run("document.body.innerText").await;
            panic!("{condition} never holds: {shown} {:?}", self.complaints);
        }
    }

    /// Types a text into the element that has the focus.
    pub(super) async fn write(&mut self, text: &str) {
        self.order("Input.insertText", json!({"text": text})).await;
    }

    /// Presses a key that writes nothing.
    pub(super) async fn press(&mut self, key: &str, code: u32) {
        for kind in ["rawKeyDown", "char", "keyUp"] {
            let text = if key == "Enter" { "\r" } else { "" };
            if kind == "char" && text.is_empty() {
                continue;
            }
            let press = json!({
                "type": kind, "key": key, "code": key, "text": text,
                "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code,
            });
            self.order("Input.dispatchKeyEvent", press).await;
        }
    }

    /// Makes the window so wide, with the colours of the day or of the night.
    pub(super) async fn resize(&mut self, width: u32, colours: &str) {
        let size = json!({"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": false});
        self.order("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!([{"name": "prefers-color-scheme", "value": colours}]);
        self.order("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
    }

    /// Whether anything reaches beyond the window's sides.
    pub(super) async fn overflows(&mut self) -> bool {
        self.run("document.documentElement.scrollWidth > innerWidth")
            .await
            == true
    }

    /// A picture of the page, where a folder for pictures is named.
    pub(super) async fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("PORTCULLIS_PICTURES") else {
            return;
        };
        let shot = json!({"format": "png", "captureBeyondViewport": true});
        let made = self.order("Page.captureScreenshot", shot).await;
        let data = made["data"].as_str().unwrap_or_default();
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, data);
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, bytes.expect("a picture")).expect("a file");
    }
}

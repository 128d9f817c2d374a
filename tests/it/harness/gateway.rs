//! The real binary, started on free ports with a configuration made for one test.

use std::net::{SocketAddr, TcpListener};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::client::{Client, Connection, Reply, Request};
pub(crate) use super::configuration::{Builder, Key, PROVIDER_KEY};
use super::{DEADLINE, POLL, looks, until, within};

/// The key that the environment gives the admin role.
pub(crate) const ADMIN_KEY: &str = "sk-test-admin-0123456789abcdef";

/// The key that the environment gives the standard role.
pub(crate) const STANDARD_KEY: &str = "sk-test-standard-0123456789abcdef";

/// Lines of what a gateway said that a failed test shows.
const LAST_LINES: usize = 30;

/// How often a start is tried again when another process took the port in between.
const STARTS: usize = 5;

/// A command of the binary, with nothing of this process's environment but its PATH.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs a command of the binary to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    let what = format!("`portcullis {}` ends", arguments.join(" "));
    within(&what, command(arguments).output())
        .await
        .expect("the binary starts")
}

impl Builder {
    /// Starts the gateway, and waits until it says that it is ready.
    pub(crate) async fn start(self) -> Gateway {
        for _ in 0..STARTS {
            if let Some(gateway) = self.attempt().await {
                return gateway;
            }
        }
        panic!("no free port in {STARTS} tries");
    }

    async fn attempt(&self) -> Option<Gateway> {
        let directory = tempfile::tempdir().expect("a directory");
        let address = free_address();
        let configuration = self.write(directory.path(), address);
        let stderr = std::fs::File::create(directory.path().join("stderr")).expect("a file");
        let child = command(&["run", "-c", &configuration.to_string_lossy()])
            .envs(self.environment.iter().cloned())
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        let mut gateway = Gateway {
            directory,
            address,
            child,
            environment: self.environment.clone(),
        };
        gateway.wait_ready().await.then_some(gateway)
    }
}

/// A running gateway; it is killed with the value.
#[derive(Debug)]
pub(crate) struct Gateway {
    directory: TempDir,
    address: SocketAddr,
    child: Child,
    environment: Vec<(String, String)>,
}

/// What it said last is told beside a test's failure: that may never come again.
impl Drop for Gateway {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let said = [("log", self.log_text()), ("stderr", self.stderr())];
        for (what, text) in said.iter().filter(|(_, text)| !text.is_empty()) {
            let lines: Vec<&str> = text.lines().collect();
            let told = lines.len().saturating_sub(LAST_LINES);
            eprintln!("the gateway's {what}, from line {}:", told + 1);
            for line in lines.get(told..).unwrap_or_default() {
                eprintln!("{line}");
            }
        }
    }
}

impl Gateway {
    /// A configuration with an admin and a standard key, and no provider yet.
    pub(crate) fn builder() -> Builder {
        let builder = Self::bare().env("API_KEY", ADMIN_KEY);
        builder.env("ADDITIONAL_API_KEYS", STANDARD_KEY)
    }

    /// A configuration without any key.
    pub(crate) fn bare() -> Builder {
        Builder::default()
    }

    /// A gateway before one OpenAI-like provider.
    pub(crate) async fn before(upstream: &super::Upstream) -> Self {
        Self::builder()
            .provider("mock", "openai", &upstream.url())
            .start()
            .await
    }

    /// The address for a client's `base_url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client {
            address: self.address,
        }
    }

    /// A connection to it.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.address).await
    }

    /// Sends one request and reads the checked reply.
    pub(crate) async fn send(&self, request: &Request) -> Reply {
        self.client().send(request).await
    }

    /// The folder with its configuration, keys and logs.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Writes its configuration anew, with these changes to what it was started with.
    pub(crate) fn reconfigure(&self, overlay: &str) {
        let file = self.directory.path().join("portcullis.yaml");
        let text = std::fs::read_to_string(self.directory.path().join("started.yaml"));
        let text = text.unwrap_or_else(|_not_yet| {
            let text = std::fs::read_to_string(&file).expect("the configuration");
            let kept = self.directory.path().join("started.yaml");
            std::fs::write(kept, &text).expect("a file");
            text
        });
        let changed = super::configuration::changed(&text, overlay);
        // Whole or not at all: a gateway may be watching.
        let next = self.directory.path().join("portcullis.next");
        std::fs::write(&next, changed).expect("the next configuration");
        let mode = std::fs::metadata(&file).expect("the file").permissions();
        std::fs::set_permissions(&next, mode).expect("its mode");
        std::fs::rename(next, file).expect("the configuration");
    }

    /// Everything it wrote to stderr up to now.
    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default()
    }

    /// Everything it logged up to now, as text.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("gateway.log")).unwrap_or_default()
    }

    /// Every whole line it logged up to now.
    pub(crate) fn log_lines(&self) -> Vec<Value> {
        lines(&self.log_text()).collect()
    }

    /// Waits for a log line.
    pub(crate) async fn wait_for_line(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        // Each line is read once: under load there are thousands.
        let mut seen = String::new();
        let search = until(what, || {
            let text = self.log_text();
            let fresh = text.strip_prefix(&seen).unwrap_or(&text);
            let found = lines(fresh).find(&wanted);
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            seen.clear();
            seen.push_str(&text[..whole]);
            found
        });
        let outcome = tokio::time::timeout(DEADLINE / 2, search).await;
        outcome.unwrap_or_else(|late| panic!("{late}: {what} is not in {}", self.log_text()))
    }

    /// Waits for the access line of one request.
    pub(crate) async fn access_line(&self, request_id: &str) -> Value {
        let what = format!("the access line of {request_id}");
        let is_it = |line: &Value| {
            line["logger"] == "portcullis.access" && line["extra_data"]["request_id"] == request_id
        };
        self.wait_for_line(&what, is_it).await
    }

    /// The value of one metric with exactly these labels, as `/metrics` tells it now.
    pub(crate) async fn metric(&self, series: &str) -> Option<f64> {
        let text = self
            .send(&Request::get("/metrics").key(ADMIN_KEY))
            .await
            .text();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok())
    }

    /// Waits until one metric has exactly this value.
    pub(crate) async fn metric_becomes(&self, series: &str, value: f64) {
        let what = format!("{series} becomes {value}");
        self.metric_when(&what, series, |now| (now - value).abs() < 1e-9)
            .await;
    }

    /// Waits until one metric has at least this value; asking for it may itself be counted.
    pub(crate) async fn metric_reaches(&self, series: &str, value: f64) {
        let what = format!("{series} reaches {value}");
        self.metric_when(&what, series, |now| now >= value).await;
    }

    async fn metric_when(&self, what: &str, series: &str, wanted: impl Fn(f64) -> bool) {
        let reached = async {
            let mut ticks = looks(POLL);
            while !self.metric(series).await.is_some_and(&wanted) {
                ticks.tick().await;
            }
        };
        within(what, reached).await;
    }

    /// Sends it a signal by name.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &pid])
            .status();
        assert!(
            status.await.expect("sh runs").success(),
            "the signal {name} is sent"
        );
    }

    /// Starts a process that is to take over from this one, with this configuration.
    pub(crate) fn successor(&self, configuration: &str) -> Child {
        let stderr =
            std::fs::File::create(self.directory.path().join("successor")).expect("a file");
        command(&["run", "-c", configuration, "--upgrade"])
            .envs(self.environment.iter().cloned())
            .current_dir(self.directory.path())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts")
    }

    /// Starts it again, after it has ended, in the same folder.
    pub(crate) async fn start_again(&mut self) {
        let stderr = std::fs::File::options()
            .append(true)
            .open(self.directory.path().join("stderr"))
            .expect("a file");
        self.child = command(&["run", "-c", "portcullis.yaml"])
            .envs(self.environment.iter().cloned())
            .current_dir(self.directory.path())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the binary starts");
        assert!(self.wait_ready().await, "its port is free again");
    }

    /// From here on the other process is the gateway; answers the one that was.
    pub(crate) fn succeeded_by(&mut self, child: Child) -> Child {
        std::mem::replace(&mut self.child, child)
    }

    /// Waits until the process ends by itself; answers its exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        within("the gateway ends", self.child.wait())
            .await
            .expect("a status")
            .code()
    }

    /// False when another process took the port; any other failure to start fails the test.
    async fn wait_ready(&mut self) -> bool {
        let ready = async {
            let mut ticks = looks(POLL);
            loop {
                ticks.tick().await;
                if let Some(status) = self.child.try_wait().expect("a status") {
                    let said = self.stderr();
                    assert!(
                        said.contains("in use"),
                        "the gateway ended ({status}): {said}"
                    );
                    return false;
                }
                if self.answers_ready().await {
                    return true;
                }
            }
        };
        let outcome = tokio::time::timeout(DEADLINE, ready).await;
        outcome.unwrap_or_else(|late| panic!("not ready: {late}: {}", self.stderr()))
    }

    async fn answers_ready(&self) -> bool {
        if tokio::net::TcpStream::connect(self.address).await.is_err() {
            return false;
        }
        let mut connection = self.connect().await;
        connection.send(&Request::get("/ready")).await;
        let patience = Duration::from_secs(2);
        let reply = tokio::time::timeout(patience, connection.raw_reply()).await;
        matches!(reply, Ok(Some(reply)) if reply.status == 200)
    }
}

/// The whole lines of a log.
fn lines(text: &str) -> impl Iterator<Item = Value> {
    let parse = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in line {line:?}"))
    };
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(parse)
}

/// An address that was free a moment ago. No other test of this process is given it: a gateway that
/// finds it taken would else be mistaken for the one that has it. The ports lie below those that
/// systems give to whoever asks for none, and where a process begins depends on its number.
pub(crate) fn free_address() -> SocketAddr {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(997);
    let free = (0..COUNT).find_map(|_| {
        let next = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + next % COUNT).expect("it is below 30,000");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        TcpListener::bind(address).is_ok().then_some(address)
    });
    free.expect("a free port")
}

//! The store of a test: a real Redis on a port of its own, or a socket that misbehaves.

use std::net::SocketAddr;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::harness::gateway::free_address;
use crate::harness::{looks, skipped, within};

/// A Redis that keeps nothing on disk; it is killed with the value.
#[derive(Debug)]
pub(crate) struct Redis {
    address: SocketAddr,
    folder: TempDir,
    options: Vec<String>,
    child: Child,
}

impl Redis {
    /// Starts one; none, and a skipped test, where the program is missing.
    pub(crate) async fn start(what: &str) -> Option<Self> {
        Self::with(what, &[]).await
    }

    /// Starts one with further options.
    pub(crate) async fn with(what: &str, options: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a directory");
        let address = free_address();
        let options: Vec<String> = options.iter().map(|one| (*one).to_owned()).collect();
        let Some(child) = launch(address, &folder, &options) else {
            skipped(what, "redis-server");
            return None;
        };
        let redis = Self {
            address,
            folder,
            options,
            child,
        };
        redis.answers().await;
        Some(redis)
    }

    /// Starts one that speaks TLS alone, with this certificate and key.
    pub(crate) async fn secured(what: &str, (certificate, key): (&str, &str)) -> Option<Self> {
        let options = ["--tls-auth-clients", "no", "--tls-cert-file", certificate];
        let options = [
            &options[..],
            &["--tls-key-file", key, "--tls-ca-cert-file", certificate],
        ];
        Self::with(what, &options.concat()).await
    }

    /// Its address for a configuration.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it; what it held is lost.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("it is killed");
    }

    /// Starts it again, empty, at the same address.
    pub(crate) async fn again(&mut self) {
        let child = launch(self.address, &self.folder, &self.options);
        self.child = child.expect("it started before");
        self.answers().await;
    }

    async fn answers(&self) {
        let connecting = async {
            let mut ticks = looks(super::POLL);
            while TcpStream::connect(self.address).await.is_err() {
                ticks.tick().await;
            }
        };
        within("Redis listens", connecting).await;
    }
}

fn launch(address: SocketAddr, folder: &TempDir, options: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    let port = address.port().to_string();
    let secured = options.iter().any(|option| option == "--tls-cert-file");
    let ports = if secured {
        ["--port", "0", "--tls-port", &port]
    } else {
        ["--port", &port, "--tls-port", "0"]
    };
    command
        .args(ports)
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(folder.path())
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command.spawn().ok()
}

/// What a store that misbehaves does with each connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Habit {
    /// Takes everything and says nothing.
    Silent,
    /// Answers everything with bytes of no protocol.
    Rubbish,
    /// Answers everything with a number, whatever was asked.
    Seven,
    /// Hangs up at once.
    HangsUp,
}

/// A store that misbehaves; answers its address.
pub(crate) async fn misbehaving(habit: Habit) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(misbehave(stream, habit));
        }
    });
    format!("redis://{address}/0")
}

async fn misbehave(mut stream: TcpStream, habit: Habit) {
    let answer: &[u8] = match habit {
        Habit::HangsUp => return,
        Habit::Silent => b"",
        Habit::Rubbish => b"\x00\xff<html>no</html>\r\n*-7\r\n$999999999999\r\n",
        Habit::Seven => b":7\r\n",
    };
    let mut buffer = [0; 4_096];
    while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

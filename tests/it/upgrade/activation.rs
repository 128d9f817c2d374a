//! Sockets that a service manager has opened (`LISTEN_FDS`) are served; none is left unanswered.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::harness::client::Client;
use crate::harness::gateway::{command, free_address};
use crate::harness::{ADMIN_KEY, Request, skipped, until, within};

/// A folder with a configuration for this address.
fn configured(address: SocketAddr) -> TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let text = format!(
        "server: {{listeners: [{{address: \"{address}\"}}]}}\nproviders: [{{name: e, api: \
         echo}}]\nroutes: [{{models: [\"*\"], providers: [e]}}]\n"
    );
    std::fs::write(folder.path().join("c.yaml"), text).expect("a file");
    folder
}

/// The gateway with this socket, as systemd would hand it over.
fn activated(listener: TcpListener, folder: &Path) -> Command {
    let program = command(&[]).as_std().get_program().to_owned();
    let mut shell = Command::new("sh");
    let start = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" run -c c.yaml";
    shell
        .args(["-c", start])
        .arg(program)
        .env("API_KEY", ADMIN_KEY)
        .current_dir(folder)
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    shell
}

async fn serves(address: SocketAddr) {
    // The socket takes connections from the start; who answers them comes later.
    let reply = Client { address }.send(&Request::get("/health")).await;
    reply.assert_fine("an answer");
}

#[tokio::test]
async fn a_socket_that_is_open_already_is_served_and_held_by_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let folder = configured(address);
    let mut gateway = activated(listener, folder.path()).spawn().expect("sh");
    serves(address).await;
    let pid = gateway.id().expect("it runs").to_string();
    // Whatever it starts must not get the socket: it would stay open when the gateway has gone.
    let inherited = Path::new("/proc").join(&pid).join("fd/3");
    until("the descriptor is closed, or another file's", || {
        let target = std::fs::read_link(&inherited).unwrap_or_default();
        let info = std::fs::read_to_string(Path::new("/proc").join(&pid).join("fdinfo/3"));
        let closes = info.unwrap_or_default().lines().any(|line| {
            let flags = line.strip_prefix("flags:").unwrap_or_default();
            i64::from_str_radix(flags.trim(), 8).is_ok_and(|flags| flags & 0o2_000_000 != 0)
        });
        (closes || !target.to_string_lossy().starts_with("socket:")).then_some(())
    })
    .await;
    gateway.kill().await.expect("it ran");
}

#[tokio::test]
async fn a_socket_that_nobody_would_serve_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = configured(free_address());
    let ended = activated(listener, folder.path()).output();
    let output = within("it ends", ended).await.expect("an output");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("none of server.listeners"), "{said}");
}

/// The gateway below the tool that plays systemd's part.
fn below_systemd(address: SocketAddr, folder: &Path) -> Option<Child> {
    let gateway = command(&[]);
    let mut command = Command::new("systemd-socket-activate");
    command
        .arg(format!("--listen={address}"))
        .arg(format!("--setenv=API_KEY={ADMIN_KEY}"))
        .arg(gateway.as_std().get_program())
        .args(["run", "-c", "c.yaml"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command.spawn().ok()
}

#[tokio::test]
async fn systemds_own_tool_starts_the_gateway_at_the_first_connection() {
    let address = free_address();
    let folder = configured(address);
    let Some(mut process) = below_systemd(address, folder.path()) else {
        return skipped("socket activation", "systemd-socket-activate");
    };
    until("it listens", || std::net::TcpStream::connect(address).ok()).await;
    serves(address).await;
    process.kill().await.expect("it ran");
}

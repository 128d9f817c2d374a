//! When the process serves, and that it is alive: told to the service manager.
//!
//! Decides that it serves once each of its listeners takes a connection and a signal is an order (a
//! moment earlier `SIGQUIT` would kill it); Pingora itself tells no more than that its services were
//! started.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use pingora::server::{ExecutionPhase, Server};

use super::{clock, systemd};
use crate::policy::Listener;

/// How long a listener may take to answer, and how often it is tried.
const ANSWERS: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(10);

/// How long all of them may take; a manager that hears nothing by then has its own time-out.
const ALL: Duration = Duration::from_secs(30);

/// Tells the manager when all listeners take connections, and then as often as it asks for.
pub(crate) fn announce(server: &Server, listeners: &[Listener], obeys: Receiver<()>) {
    let mut phases = server.watch_execution_phase();
    let addresses: Vec<SocketAddr> = listeners.iter().map(|l| reachable(l.address)).collect();
    let watch = move || {
        while !matches!(phases.blocking_recv(), Ok(ExecutionPhase::Running) | Err(_)) {}
        if obeys.recv().is_err() {
            return log::error!("signals are not heard; not ready");
        }
        let end = clock::now().checked_add(ALL);
        for address in &addresses {
            while TcpStream::connect_timeout(address, ANSWERS).is_err() {
                if end.is_none_or(|end| clock::now() > end) {
                    return log::error!("{address} takes no connection; not ready");
                }
                thread::park_timeout(AGAIN);
            }
        }
        let pid = std::process::id();
        log::info!("process {pid} is ready");
        systemd::tell(&format!("READY=1\nMAINPID={pid}\nSTATUS=Serving"));
        while let Some(pause) = systemd::watchdog() {
            thread::park_timeout(pause);
            // A process whose listeners take no connection is not alive, whatever its threads do.
            if addresses
                .iter()
                .all(|address| TcpStream::connect_timeout(address, ANSWERS).is_ok())
            {
                systemd::tell("WATCHDOG=1");
            }
        }
    };
    let started = thread::Builder::new().name("ready".to_owned()).spawn(watch);
    if let Err(error) = started {
        log::warn!("the service manager will not be told that this is ready: {error}");
    }
}

/// The address by which a listener is reached from this host.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let mut address = bound;
    match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

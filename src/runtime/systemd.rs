//! Words to the service manager (`sd_notify(3)`): ready, reloading, stopping, alive.
//!
//! Decides nothing and never fails loudly: a process that no manager listens to says nothing, and
//! what can't be said is logged at most.

use std::env;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Where the manager listens, if one does.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Manager {
    /// The manager that `NOTIFY_SOCKET` names.
    pub(crate) fn from_environment() -> Option<Self> {
        let name = env::var_os("NOTIFY_SOCKET")?;
        let address = match name.as_bytes() {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
            _ => SocketAddr::from_pathname(&name),
        };
        let found = address.and_then(|address| Ok((UnixDatagram::unbound()?, address)));
        match found {
            Ok((socket, address)) => Some(Self { socket, address }),
            Err(error) => {
                log::warn!("NOTIFY_SOCKET can't be used: {error}");
                None
            }
        }
    }

    /// Sends these assignments, one a line.
    pub(crate) fn tell(&self, assignments: &str) {
        let sent = self
            .socket
            .send_to_addr(assignments.as_bytes(), &self.address);
        if let Err(error) = sent {
            log::debug!("the service manager can't be told: {error}");
        }
    }
}

/// Tells the manager, if there is one.
pub(crate) fn tell(assignments: &str) {
    if let Some(manager) = Manager::from_environment() {
        manager.tell(assignments);
    }
}

/// Tells the manager, if there is one, that a reload begins; `READY=1` tells its end.
pub(crate) fn reloading() {
    let stamp = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    let stamp = stamp.map(Duration::from).unwrap_or_default().as_micros();
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={stamp}"));
}

/// How often the manager wants a sign of life: half of what it waits for.
pub(crate) fn watchdog() -> Option<Duration> {
    let wait: u64 = env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
    let mine = env::var("WATCHDOG_PID").is_ok_and(|pid| pid != std::process::id().to_string());
    (wait > 0 && !mine).then(|| Duration::from_micros(wait / 2))
}

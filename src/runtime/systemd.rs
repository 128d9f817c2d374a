//! Words to the service manager (`sd_notify(3)`): ready, reloading, stopping, alive.
//!
//! Decides nothing and never fails loudly: a process that no manager listens to says nothing, and
//! what can't be said is logged at most.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How long a manager may let what it is told lie, once its queue is full. It is waited for, as a
/// reload whose end it never heard of would not be over for it; but nothing here hangs on it.
const PATIENCE: Duration = Duration::from_secs(1);

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
        match address.and_then(Self::at) {
            Ok(manager) => Some(manager),
            Err(error) => {
                log::warn!("NOTIFY_SOCKET can't be used: {error}");
                None
            }
        }
    }

    fn at(address: SocketAddr) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, address })
    }

    /// Sends these assignments, one a line.
    pub(crate) fn tell(&self, assignments: &str) {
        let sent = self
            .socket
            .send_to_addr(assignments.as_bytes(), &self.address);
        if let Err(error) = sent {
            log::warn!("the service manager can't be told: {error}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_that_never_reads_holds_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told");
        let deaf = UnixDatagram::bind(&path).unwrap();
        let manager = Manager::at(SocketAddr::from_pathname(&path).unwrap()).unwrap();
        // Fills the queue, however long the system makes it.
        manager.socket.set_nonblocking(true).unwrap();
        let address = &manager.address;
        while manager.socket.send_to_addr(b"STATUS=", address).is_ok() {}
        manager.socket.set_nonblocking(false).unwrap();
        manager.tell("READY=1");
        let mut said = [0; 16];
        let first = deaf.recv(&mut said).unwrap();
        assert_eq!(&said[..first], b"STATUS=", "what it took is still there");
        manager.tell("READY=1");
        let last = std::iter::from_fn(|| {
            deaf.set_nonblocking(true).unwrap();
            let read = deaf.recv(&mut said).ok()?;
            Some(said[..read].to_vec())
        });
        assert_eq!(
            last.last().as_deref(),
            Some(&b"READY=1"[..]),
            "it hears what finds room"
        );
    }
}

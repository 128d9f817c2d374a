//! Socket activation: listening sockets that systemd has opened (`LISTEN_FDS`, `sd_listen_fds(3)`).
//!
//! Decides that each of them must be one of the configuration's listeners: a socket that nobody
//! accepts from would take connections and answer none. The others are opened as ever. Pingora
//! takes sockets from a predecessor alone, so this process hands them to itself. It may miss that one
//! is no stream socket: then that listener never takes a connection, and the log says so.

use std::env;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::thread;
use std::time::Duration;

use nix::sys::socket::{SockaddrStorage, getsockname};
use pingora::server::Fds;
use thiserror::Error;

use super::clock;
use super::handover::place::Place;
use crate::policy::Listener;

/// The first socket; the others follow.
const FIRST: RawFd = 3;
/// Sockets that are taken: Pingora passes on no more than 32.
const MOST: RawFd = 32;
/// How long Pingora may take to ask for them, and how often that is looked at.
const ASKS: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// Why sockets can't be taken.
#[derive(Debug, Error)]
pub enum ActivationFault {
    /// The variable is no number of sockets.
    #[error("LISTEN_FDS is no number from 1 to {MOST}")]
    Number,
    /// A descriptor is no TCP socket.
    #[error("descriptor {0} of LISTEN_FDS is no TCP socket: name addresses in the .socket unit")]
    Kind(RawFd),
    /// It listens where nobody serves.
    #[error(
        "systemd listens on {0}, which is none of server.listeners: add it there, or take it out \
         of the .socket unit"
    )]
    Unknown(SocketAddr),
    /// There is no place to hand them over.
    #[error(
        "sockets of systemd need RUNTIME_DIRECTORY: add RuntimeDirectory=portcullis to the unit"
    )]
    Place,
    /// No thread can be started.
    #[error("sockets of systemd can't be taken: {0}")]
    Thread(std::io::Error),
}

/// The sockets that systemd has opened.
#[derive(Debug, Default)]
pub(crate) struct Activated(Vec<(SocketAddr, RawFd)>);

impl Activated {
    /// Those that are meant for this process.
    ///
    /// # Errors
    /// They are no TCP sockets, or none of the listeners.
    pub(crate) fn from_environment(listeners: &[Listener]) -> Result<Self, ActivationFault> {
        let count = count(std::process::id(), |name| env::var(name).ok())?;
        let sockets = (0..count).map(|number| {
            let descriptor = FIRST.saturating_add(number);
            let address = address(descriptor).ok_or(ActivationFault::Kind(descriptor))?;
            let known = listeners.iter().any(|one| one.address == address);
            known
                .then_some((address, descriptor))
                .ok_or(ActivationFault::Unknown(address))
        });
        sockets.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where they listen.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(address, _)| address.to_string())
            .collect()
    }

    /// Hands them to Pingora, which is about to ask for them, from a thread of its own.
    ///
    /// # Errors
    /// There is no place for it, or no thread.
    pub(crate) fn hand_in(self, place: Option<&Place>) -> Result<(), ActivationFault> {
        if self.is_empty() {
            return Ok(());
        }
        let path = place.ok_or(ActivationFault::Place)?.transfer.clone();
        // What is left there from before would be taken for Pingora's.
        let _nothing_there = std::fs::remove_file(&path);
        let send = move || {
            let end = clock::now().checked_add(ASKS);
            while !path.exists() && end.is_some_and(|end| clock::now() < end) {
                thread::park_timeout(LOOK);
            }
            let mut sockets = Fds::new();
            let descriptors: Vec<RawFd> =
                self.0.iter().map(|(_, descriptor)| *descriptor).collect();
            for (address, descriptor) in self.0 {
                log::info!("systemd listens on {address}");
                sockets.add(address.to_string(), descriptor);
            }
            if let Err(error) = sockets.send_to_sock(path.to_string_lossy().as_ref()) {
                log::error!("the sockets of systemd can't be taken: {error}");
            }
            // Pingora has its own of each now; these would be passed on to whatever is started.
            for descriptor in descriptors {
                let _already_closed = nix::unistd::close(descriptor);
            }
        };
        thread::Builder::new()
            .name("activation".to_owned())
            .spawn(send)
            .map(drop)
            .map_err(ActivationFault::Thread)
    }
}

/// How many sockets are meant for this process.
fn count(own: u32, variable: impl Fn(&str) -> Option<String>) -> Result<RawFd, ActivationFault> {
    let mine = variable("LISTEN_PID").is_some_and(|pid| pid == own.to_string());
    let Some(text) = variable("LISTEN_FDS").filter(|_| mine) else {
        return Ok(0);
    };
    let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or(ActivationFault::Number)
}

/// Where a socket listens.
fn address(descriptor: RawFd) -> Option<SocketAddr> {
    let name: SockaddrStorage = getsockname(descriptor).ok()?;
    let four = name
        .as_sockaddr_in()
        .map(|four| SocketAddr::V4((*four).into()));
    four.or_else(|| {
        name.as_sockaddr_in6()
            .map(|six| SocketAddr::V6((*six).into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_that_are_meant_for_this_process_are_taken() {
        for (pid, number, expected) in [
            (Some("7"), Some("2"), Some(2)),
            (Some("8"), Some("2"), Some(0)),
            (None, Some("2"), Some(0)),
            (Some("7"), None, Some(0)),
            (Some("7"), Some("0"), None),
            (Some("7"), Some("33"), None),
            (Some("7"), Some("two"), None),
        ] {
            let variable = |name: &str| {
                let value = if name == "LISTEN_PID" { pid } else { number };
                value.map(str::to_owned)
            };
            assert_eq!(count(7, variable).ok(), expected, "{pid:?} {number:?}");
        }
    }

    #[test]
    fn a_socket_tells_where_it_listens_and_a_file_does_not() {
        use std::os::fd::AsRawFd as _;
        for bind in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(bind) else {
                continue;
            };
            let expected = listener.local_addr().ok();
            assert_eq!(address(listener.as_raw_fd()), expected, "{bind}");
        }
        let file = tempfile::tempfile().unwrap();
        assert_eq!(address(file.as_raw_fd()), None, "a file");
    }
}

//! The running process's side: who may take over, and when.
//!
//! Decides that a successor is of this user and is the only one; and that
//! Pingora gives nothing away before the successor has opened the transfer socket. A successor
//! that dies, or is slow, changes nothing: this process goes on.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::message::{Answer, Call, State, VERSION};
use super::place::Place;

/// How long a caller may take to say what it wants.
const HELLO: Duration = Duration::from_secs(5);

/// How long `SIGQUIT` waits for a successor that is just starting.
const SUCCESSOR: Duration = Duration::from_secs(20);

/// How long the successor may take to open the transfer socket.
const OPENS: Duration = Duration::from_secs(20);

/// The longest word of a caller.
const MAX_CALL: u64 = 4096;

/// Why nothing was handed over.
#[derive(Debug, Error)]
pub(crate) enum HandoverFault {
    /// Nobody asked to take over.
    #[error(
        "no process waits to take over; start one with `portcullis run --upgrade` (or stop this \
         one with SIGTERM)"
    )]
    Nobody,
    /// The successor went away or does not answer.
    #[error("the new process {pid} does not take over: {source}")]
    Lost {
        /// Its process id.
        pid: u32,
        /// What the system says.
        source: io::Error,
    },
}

/// Where successors call.
pub(crate) struct Host {
    listener: UnixListener,
    user: u32,
    addresses: Vec<String>,
    visitor: Option<Visitor>,
    successor: Option<Successor>,
}

/// A process that has called and not yet said what it wants.
struct Visitor {
    stream: BufReader<UnixStream>,
    said: Vec<u8>,
}

/// A process that waits to take over.
struct Successor {
    stream: BufReader<UnixStream>,
    pid: u32,
}

impl Host {
    /// Listens at the place, in the stead of whoever listened there before.
    ///
    /// # Errors
    /// The socket can't be made.
    pub(crate) fn open(place: &Place, addresses: Vec<String>) -> io::Result<Self> {
        // Made aside and moved, so that callers find the old socket or the new one, never none.
        let aside = place.call.with_extension(format!("{}", std::process::id()));
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&aside)?;
        fs::set_permissions(&aside, fs::Permissions::from_mode(0o600))?;
        fs::rename(&aside, &place.call)?;
        Ok(Self {
            listener,
            user: fs::metadata("/proc/self")?.uid(),
            addresses,
            visitor: None,
            successor: None,
        })
    }

    /// Waits for the next caller, and hears what it wants. May be given up at any moment, as
    /// `SIGQUIT` may come just as a successor calls: what was begun is gone on with.
    pub(crate) async fn visited(&mut self) {
        if self.visitor.is_none() {
            match self.listener.accept().await {
                Ok((stream, _address)) => self.visitor = Some(Visitor::new(stream)),
                Err(error) => {
                    log::error!("no process can call to take over: {error}");
                    return tokio::time::sleep(HELLO).await;
                }
            }
        }
        let Some(visitor) = &mut self.visitor else {
            return;
        };
        let heard = timeout(HELLO, visitor.heard()).await;
        let heard = heard.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()));
        let Some(Visitor { stream, .. }) = self.visitor.take() else {
            return;
        };
        let greeted = match heard {
            Ok(call) => self.greet(stream, call).await,
            Err(error) => Err(error),
        };
        if let Err(error) = greeted {
            log::warn!("a process called to take over and went away: {error}");
        }
    }

    async fn greet(&mut self, mut stream: BufReader<UnixStream>, said: Call) -> io::Result<()> {
        let user = stream.get_ref().peer_cred()?.uid();
        let refusal = match said {
            _ if user != self.user => "it is of another user".to_owned(),
            Call::Ready { .. } if self.successor_lives() => {
                "another process waits to take over".to_owned()
            }
            Call::Ready { pid, version } => {
                if version != VERSION {
                    log::info!("process {pid} speaks version {version} of the hand-over");
                }
                let own = std::process::id();
                say(&mut stream, &Answer::Wait { pid: own }).await?;
                log::info!("process {pid} waits to take over; SIGQUIT hands the sockets to it");
                self.successor = Some(Successor { stream, pid });
                return Ok(());
            }
            Call::Open => "nothing was offered to it".to_owned(),
        };
        log::warn!("a process may not take over: {refusal}");
        say(&mut stream, &Answer::Refused { why: refusal }).await
    }

    /// Whether the one who waits is still there: it says nothing, so only its end can be read.
    fn successor_lives(&self) -> bool {
        let Some(successor) = &self.successor else {
            return false;
        };
        let mut byte = [0_u8; 1];
        matches!(
            successor.stream.get_ref().try_read(&mut byte),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock
        )
    }

    /// Offers everything to the successor. When this is done, Pingora may send the sockets.
    ///
    /// # Errors
    /// There is no successor, or it does not take what is offered: this process goes on.
    pub(crate) async fn hand_over(
        &mut self,
        state: impl FnOnce() -> State,
    ) -> Result<(), HandoverFault> {
        let waiting = async {
            while !self.successor_lives() {
                self.visited().await;
            }
        };
        if timeout(SUCCESSOR, waiting).await.is_err() {
            return Err(HandoverFault::Nobody);
        }
        let Some(mut successor) = self.successor.take() else {
            return Err(HandoverFault::Nobody);
        };
        let listeners = self.addresses.clone();
        let offer = Answer::Take {
            listeners,
            state: state(),
        };
        let taking = async {
            say(&mut successor.stream, &offer).await?;
            match heard(&mut successor.stream, &mut Vec::new()).await? {
                Call::Open => Ok(()),
                Call::Ready { .. } => Err(io::Error::other("it says the wrong word")),
            }
        };
        let taken = timeout(OPENS, taking).await;
        taken
            .unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| HandoverFault::Lost {
                pid: successor.pid,
                source,
            })
    }
}

impl Visitor {
    fn new(stream: UnixStream) -> Self {
        Self {
            stream: BufReader::new(stream),
            said: Vec::new(),
        }
    }

    async fn heard(&mut self) -> io::Result<Call> {
        heard(&mut self.stream, &mut self.said).await
    }
}

async fn say(stream: &mut BufReader<UnixStream>, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    stream.get_mut().write_all(&line).await
}

/// The next word. What of it has come stays in `line` if this is given up.
async fn heard(stream: &mut BufReader<UnixStream>, line: &mut Vec<u8>) -> io::Result<Call> {
    let room = MAX_CALL.saturating_sub(u64::try_from(line.len()).unwrap_or(MAX_CALL));
    stream.take(room).read_until(b'\n', line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &[u8] = b"{\"ready\": {\"version\": 1, \"pid\": 1}}\n";

    /// A host, and somebody who has called it.
    async fn visit() -> (tempfile::TempDir, Host, BufReader<UnixStream>) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            call: folder.path().join("call"),
            transfer: folder.path().join("transfer"),
        };
        let host = Host::open(&place, Vec::new()).unwrap();
        let caller = UnixStream::connect(&place.call).await.unwrap();
        (folder, host, BufReader::new(caller))
    }

    async fn answer(caller: &mut BufReader<UnixStream>) -> Answer {
        let mut line = String::new();
        caller.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    #[tokio::test]
    async fn a_process_of_another_user_may_not_take_over() {
        for (other, expected) in [(0, None), (1, Some("it is of another user"))] {
            let (_folder, mut host, mut caller) = visit().await;
            host.user = host.user.wrapping_add(other);
            caller.get_mut().write_all(READY).await.unwrap();
            host.visited().await;
            let refusal = match answer(&mut caller).await {
                Answer::Refused { why } => Some(why),
                Answer::Wait { .. } | Answer::Take { .. } => None,
            };
            assert_eq!(refusal.as_deref(), expected);
        }
    }

    #[tokio::test]
    async fn a_visit_that_a_signal_interrupts_is_gone_on_with() {
        for cut in 0..READY.len() {
            let (_folder, mut host, mut caller) = visit().await;
            let (first, rest) = READY.split_at(cut);
            caller.get_mut().write_all(first).await.unwrap();
            tokio::select! {
                biased;
                () = host.visited() => panic!("it has not said all yet"),
                () = tokio::task::yield_now() => {}
            }
            caller.get_mut().write_all(rest).await.unwrap();
            host.visited().await;
            let heard = answer(&mut caller).await;
            assert!(matches!(heard, Answer::Wait { .. }), "{cut}: {heard:?}");
        }
    }
}
